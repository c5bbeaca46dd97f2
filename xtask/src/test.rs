//! `cargo xtask test`: every check, cheapest first, and a table at the end.

mod report;
mod steps;

use std::fmt::Write as _;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::process;
use crate::workspace::Workspace;
use report::{Ended, Line};
use steps::{Context, STEPS, Step};

/// Runs the task.
///
/// # Errors
/// When a step failed (after all of them ran) or the command line is wrong.
pub(crate) fn test(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let rest = arguments.take_rest();
    let only = arguments.take_values("--only")?;
    let lists = arguments.take_flag("--list");
    arguments.finish()?;
    if lists {
        for step in STEPS {
            println!("  {:10} {}", step.name, step.what);
        }
        return Ok(());
    }
    let chosen = choose(&only)?;
    let named = only.iter().flat_map(|names| names.split(',')).count();
    if !rest.is_empty() && named != 1 {
        return fail("Words after `--` go to one step: name it with `--only STEP`.");
    }
    let mut context = Context::new(workspace, only.first().cloned(), rest);
    let mut lines: Vec<Line> = Vec::new();
    let mut failures = String::new();
    for step in chosen {
        let broken = step.needs.filter(|need| {
            lines
                .iter()
                .any(|line| line.step == *need && !matches!(line.ended, Ended::Passed))
        });
        if let Some(need) = broken {
            lines.push(Line::skipped(step.name, need));
            continue;
        }
        println!("\n── {}: {}", step.name, step.what);
        let started = Instant::now();
        let result = (step.run)(&mut context);
        if let Err(failure) = &result {
            eprintln!("\n{}: {failure}", step.name);
            let _ = writeln!(failures, "{}: {failure}", step.name);
        }
        lines.push(Line::ran(step.name, result.is_ok(), started.elapsed()));
        if process::stopping() {
            break;
        }
    }
    print!("\n{}", report::table(&lines));
    // Once more, as the words above may be thousands of lines away.
    if !failures.is_empty() {
        println!("\n{failures}");
    }
    println!("{}", report::counts(&lines));
    if lines.iter().all(|line| matches!(line.ended, Ended::Passed)) {
        Ok(())
    } else {
        fail("Some checks did not pass. Repeat one with `cargo xtask test --only STEP`.")
    }
}

/// The steps to run: all, or the named ones with what they need before them.
fn choose(only: &[String]) -> Outcome<Vec<&'static Step>> {
    let names: Vec<&str> = only.iter().flat_map(|names| names.split(',')).collect();
    if let Some(unknown) = names
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return fail(format!(
            "There is no step called `{unknown}`. The steps are: {}.",
            known.join(", ")
        ));
    }
    let is_chosen = |step: &Step| {
        names.is_empty()
            || names.contains(&step.name)
            || STEPS
                .iter()
                .any(|other| names.contains(&other.name) && other.needs == Some(step.name))
    };
    Ok(STEPS.iter().filter(|step| is_chosen(step)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(only: &[&str]) -> Vec<&'static str> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        choose(&only)
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect()
    }

    #[test]
    fn every_step_comes_after_what_it_needs() {
        for (at, step) in STEPS.iter().enumerate() {
            if let Some(need) = step.needs {
                assert!(
                    STEPS[..at].iter().any(|earlier| earlier.name == need),
                    "{}",
                    step.name
                );
            }
        }
    }

    #[test]
    fn a_named_step_brings_what_it_needs() {
        assert_eq!(chosen(&["e2e"]), ["build", "e2e"]);
        assert_eq!(chosen(&["lint,format"]), ["format", "lint"]);
        assert_eq!(chosen(&[]).len(), STEPS.len());
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_list() {
        let words = choose(&["e3e".to_owned()]).unwrap_err().0;
        assert!(words.contains("`e3e`") && words.contains("e2e"), "{words}");
    }
}
