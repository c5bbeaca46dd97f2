//! Runs the model check from the command line; `cargo xtask model` builds and
//! calls it. Without words: all five misfortunes in one run, a few minutes.

mod planted;

use std::{path::PathBuf, process::ExitCode};

use retake_figures::{Figure, Figures};
use retake_model::{Bound, Misfortune, Report, check};

/// Misfortunes in one run, without words.
const MISFORTUNES: u8 = 5;

struct Words {
    misfortunes: u8,
    planted: bool,
    commit: String,
    figures: Option<PathBuf>,
}

fn words() -> Result<Words, String> {
    let mut it = Words {
        misfortunes: MISFORTUNES,
        planted: false,
        commit: "unknown".into(),
        figures: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--misfortunes" => {
                let text = value()?;
                let most = Misfortune::ALL.len();
                let number = text.parse().ok().filter(|it| usize::from(*it) <= most);
                it.misfortunes = number.ok_or(format!("{text} is not a number up to {most}"))?;
            }
            "--planted" => it.planted = true,
            "--commit" => it.commit = value()?,
            "--figures" => it.figures = Some(value()?.into()),
            other => return Err(format!("{other} is not understood")),
        }
    }
    Ok(it)
}

fn main() -> ExitCode {
    let words = match words() {
        Ok(words) => words,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let mut figures = Figures::of(&words.commit);
    let passed = if words.planted {
        planted::run(&mut figures)
    } else {
        let bound = Bound {
            misfortunes: words.misfortunes,
            threads: threads(),
        };
        let report = check(bound, || ());
        print(&report, bound, &words.commit);
        figures.add(
            figure(&report, bound),
            &format!("cargo xtask model --misfortunes {}", bound.misfortunes),
        );
        report.broken().next().is_none() && report.missed().next().is_none()
    };
    figures.conclude(words.figures.as_deref(), passed)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The check in one line, for `cargo xtask report` (`reliability.md` §8, #4).
fn figure(report: &Report, bound: Bound) -> Figure {
    let broken = report.broken().count();
    let missed = report.missed().count();
    let all = |always| {
        report
            .findings
            .iter()
            .filter(|it| it.always == always)
            .count()
    };
    let (promises, cases) = (all(true), all(false));
    Figure::promise(
        "#4",
        "exhaustive check, every order of events: 2 tabs, 2 attempts, and misfortunes of five kinds (crash and theft at any time with up to two in one run, else while a rerun is on its way)",
        "complete, 100,000 distinct states, 0 counterexamples, every case reached, all 5 misfortunes in one run",
        format!(
            "{} distinct states, depth {}, {}; {broken} of {promises} promises broken; {} of {cases} cases reached; up to {} misfortunes in one run",
            report.distinct,
            report.depth,
            if report.complete() { "complete" } else { "not complete" },
            cases - missed,
            bound.misfortunes
        ),
        broken == 0 && missed == 0,
    )
    .over(report.distinct as u64, 100_000, "states")
    .over(u64::from(bound.misfortunes), Misfortune::ALL.len() as u64, "misfortunes")
}

/// The table of a check, and each counterexample step by step.
fn print(report: &Report, bound: Bound, commit: &str) {
    let kinds: Vec<String> = Misfortune::ALL.iter().map(ToString::to_string).collect();
    println!("model check, commit {commit}");
    println!(
        "  bound            2 tabs, 2 attempts, up to {} of: {}",
        bound.misfortunes,
        kinds.join(", ")
    );
    println!("  states           {}", report.states);
    println!("  distinct states  {}", report.distinct);
    println!("  depth            {} steps", report.depth);
    let complete = if report.complete() {
        "yes"
    } else {
        "no: ended at a counterexample"
    };
    println!("  complete         {complete}");
    println!(
        "  wall time        {:.1} s on {} threads",
        report.took.as_secs_f64(),
        bound.threads
    );
    match peak_memory() {
        Some(kb) => println!("  memory           {} MB at the most", kb / 1024),
        None => println!("  memory           not told by this system"),
    }
    println!("\nalways");
    for finding in report.findings.iter().filter(|it| it.always) {
        let held = if finding.fine { "held" } else { "BROKEN" };
        println!("  {held:<8} {}", finding.name);
    }
    println!("\nsometimes");
    for finding in report.findings.iter().filter(|it| !it.always) {
        let met = if finding.fine { "reached" } else { "MISSED" };
        println!("  {met:<8} {}", finding.name);
    }
    for finding in report.broken() {
        println!("\ncounterexample to {}", finding.name);
        for step in &finding.steps {
            println!("{step}");
        }
    }
}

/// The most memory that this process had, in kilobytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
