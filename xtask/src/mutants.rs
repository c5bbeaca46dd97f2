//! `cargo xtask mutants`: whether the core's tests notice when one thing in it is changed.
//!
//! `cargo-mutants` makes one mutant after the other (a comparison turned round, a function that
//! returns nothing) and runs the tests; one that they pass shows a rule that no test holds.
//! `.cargo/mutants.toml` says which tests run, and which mutants nobody could notice.

use std::process::Command;

use retake_figures::{Figure, Figures};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::process::{self, Running};
use crate::sim;
use crate::tools::{self, RustTool};
use crate::workspace::Workspace;

/// Mutants that are to be caught, in percent (`reliability.md` §8, #26).
const GOAL_PERCENT: f64 = 95.0;
/// What is changed: the part that decides whether robots are driven again, and with which
/// verdict. A mistake elsewhere in the core shows a wrong word or fails a request.
const PART: &str = "core/src/supervise/**";
/// Mutants unless told otherwise: about twenty minutes on two cores.
const SAMPLE: usize = 100;

/// Runs the task.
///
/// # Errors
/// When the tool cannot be had, or the tests fail before anything is changed.
pub(crate) fn mutants(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    let choice = Choice::read(arguments)?;
    // Before the run: files may change meanwhile.
    let commit = sim::commit(workspace);
    RustTool::cargo_mutants().ensure(workspace)?;
    let part = [PART.to_owned()];
    let files = match choice.files.as_slice() {
        [] => &part,
        files => files,
    };
    let folder = workspace.target.join("mutants");
    std::fs::create_dir_all(&folder).doing(format!("make {}", folder.display()))?;
    let mut trying = command(workspace, files);
    trying
        .arg("--output")
        .arg(&folder)
        .env("CARGO_TARGET_DIR", &folder);
    if let Some(sample) = choice.sample {
        let shard = shard(count(workspace, files)?, sample);
        trying.args(["--sharding", "round-robin", "--shard", &shard]);
    }
    if !is_tried(Running::start(&mut trying)?.wait()?.code()) {
        return fail("The mutants were not tried; the words above say why.");
    }
    let file = folder.join("mutants.out/outcomes.json");
    let told = std::fs::read_to_string(&file).doing(format!("read {}", file.display()))?;
    let Some(counts) = Counts::read(&told) else {
        return fail(format!("{} tells no counts.", file.display()));
    };
    println!("{}.", counts.words());
    if !choice.files.is_empty() {
        // The figure is of the whole part.
        return Ok(());
    }
    let mut figures = Figures::of(commit);
    let figure = counts.figure(count(workspace, &part)?);
    figures.add(figure, &choice.command());
    match figures.write(&workspace.figures("mutants")?) {
        Ok(()) => Ok(()),
        Err(why) => fail(why),
    }
}

/// Which mutants are tried.
#[derive(Debug)]
struct Choice {
    /// At least so many, or all.
    sample: Option<usize>,
    /// Of these files; none for the whole part.
    files: Vec<String>,
}

impl Choice {
    fn read(mut arguments: Arguments) -> Outcome<Self> {
        let sample = arguments.take_parsed("--sample", "a number of mutants")?;
        let all = arguments.take_flag("--all");
        let files = arguments.take_values("--file")?;
        arguments.finish()?;
        if sample == Some(0) {
            return fail("A sample has at least one mutant.");
        }
        let sample = (!all).then_some(sample.unwrap_or(SAMPLE));
        Ok(Self { sample, files })
    }

    /// The command that tries the same ones again.
    fn command(&self) -> String {
        let amount = match self.sample {
            Some(sample) => format!("--sample {sample}"),
            None => "--all".to_owned(),
        };
        let files = self.files.iter().map(|file| format!(" --file '{file}'"));
        format!("cargo xtask mutants {amount}{}", files.collect::<String>())
    }
}

/// cargo-mutants over these files of the core.
fn command(workspace: &Workspace, files: &[String]) -> Command {
    let mut cargo = tools::command(workspace, "cargo");
    cargo.args(["mutants", "--package", "retake-core"]);
    for file in files {
        cargo.args(["--file", file]);
    }
    cargo
}

/// How many mutants these files have.
fn count(workspace: &Workspace, files: &[String]) -> Outcome<usize> {
    let listed = process::ask(command(workspace, files).arg("--list")).unwrap_or_default();
    match listed.lines().count() {
        0 => fail(format!("There are no mutants of {}.", files.join(", "))),
        count => Ok(count),
    }
}

/// Which of `of` mutants make a sample of at least so many: each n-th, so that it takes some of
/// every file, and the same ones each time.
fn shard(of: usize, sample: usize) -> String {
    format!("0/{}", (of / sample).max(1))
}

/// Whether cargo-mutants came to its end, by what it exits with: some mutants may have passed
/// the tests, or taken too long.
fn is_tried(code: Option<i32>) -> bool {
    matches!(code, Some(0 | 2 | 3))
}

/// What became of the mutants.
#[derive(Debug, PartialEq)]
struct Counts {
    /// A test failed.
    caught: u64,
    /// The tests took too long, which nobody overlooks either.
    late: u64,
    /// The tests passed.
    missed: u64,
    /// It does not compile, so it says nothing.
    unbuilt: u64,
}

impl Counts {
    /// From what cargo-mutants writes.
    fn read(told: &str) -> Option<Self> {
        let whole: Value = serde_json::from_str(told).ok()?;
        let count = |what: &str| whole.get(what)?.as_u64();
        Some(Self {
            caught: count("caught")?,
            late: count("timeout")?,
            missed: count("missed")?,
            unbuilt: count("unviable")?,
        })
    }

    /// Those that were noticed.
    fn noticed(&self) -> u64 {
        self.caught + self.late
    }

    fn words(&self) -> String {
        format!(
            "{} of {} caught, {} of them as the tests ran out of time; {} more cannot be built",
            self.noticed(),
            self.noticed() + self.missed,
            self.late,
            self.unbuilt
        )
    }

    /// The figure, where so many mutants are asked for.
    fn figure(&self, asked: usize) -> Figure {
        let tried = self.noticed() + self.missed;
        let percent = 100.0 * self.noticed() as f64 / tried.max(1) as f64;
        Figure::goal(
            "#26",
            "mutants of core/src/supervise that its tests catch",
            "95 %",
            self.words(),
            percent >= GOAL_PERCENT,
        )
        .over(tried + self.unbuilt, asked as u64, "mutants")
    }
}

#[cfg(test)]
mod tests {
    use retake_figures::Standing;

    use super::*;

    fn counts(caught: u64, missed: u64) -> Counts {
        let told = serde_json::json!({
            "outcomes": [], "total_mutants": caught + missed + 3,
            "caught": caught - 1, "timeout": 1, "missed": missed, "unviable": 3, "success": 0,
        });
        Counts::read(&told.to_string()).unwrap()
    }

    #[test]
    fn a_mutant_that_takes_too_long_is_caught_and_one_that_cannot_be_built_is_none() {
        assert_eq!(
            counts(95, 5).words(),
            "95 of 100 caught, 1 of them as the tests ran out of time; 3 more cannot be built"
        );
        assert_eq!(Counts::read("{}"), None);
    }

    #[test]
    fn a_sample_says_how_much_is_missing_and_too_few_are_not_met() {
        assert_eq!(counts(95, 5).figure(103).standing(), Standing::Met);
        assert_eq!(counts(95, 5).figure(1_000).standing(), Standing::Short);
        assert_eq!(counts(94, 6).figure(103).standing(), Standing::NotMet);
    }

    #[test]
    fn a_sample_is_each_nth_mutant_and_never_fewer_than_asked_for() {
        assert_eq!(shard(1_382, 100), "0/13");
        assert_eq!(shard(100, 100), "0/1");
        assert_eq!(shard(7, 100), "0/1");
    }

    #[test]
    fn the_figure_names_the_command_that_tries_the_same_mutants_again() {
        let command = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Choice::read(Arguments::new("mutants", words)).map(|it| it.command())
        };
        assert_eq!(command(&[]).unwrap(), "cargo xtask mutants --sample 100");
        assert_eq!(
            command(&["--all", "--file", "**/plan.rs"]).unwrap(),
            "cargo xtask mutants --all --file '**/plan.rs'"
        );
        assert!(command(&["--sample", "0"]).is_err());
    }

    #[test]
    fn mutants_that_pass_are_an_answer_and_tests_that_fail_before_are_none() {
        assert!(is_tried(Some(0)) && is_tried(Some(2)) && is_tried(Some(3)));
        assert!(!is_tried(Some(4)) && !is_tried(None));
    }
}
