//! Hunts from the command line; `cargo xtask fuzz` builds and calls it.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    time::{Duration, Instant},
};

use retake_figures::{Figure, Figures};
use retake_fuzz::{
    TARGETS, Target, corpus,
    hunt::{Report, hunt, keep, shrink},
    judge,
};

/// Inputs of a run without words.
const INPUTS: u64 = 1_000_000;
/// New files that `--keep` writes for a target.
const KEPT: usize = 24;

struct Words {
    inputs: u64,
    seed: u64,
    targets: Vec<&'static Target>,
    keep: bool,
    replay: Option<String>,
    commit: String,
    figures: Option<PathBuf>,
}

fn words() -> Result<Words, String> {
    let mut it = Words {
        inputs: INPUTS,
        seed: 0,
        targets: TARGETS.iter().collect(),
        keep: false,
        replay: None,
        commit: "unknown".into(),
        figures: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let number = |text: String| {
            let plain = text.replace('_', "");
            plain
                .parse::<u64>()
                .map_err(|_| format!("{text} is not a number"))
        };
        match word.as_str() {
            "--inputs" => it.inputs = number(value()?)?,
            "--seed" => it.seed = number(value()?)?,
            "--commit" => it.commit = value()?,
            "--figures" => it.figures = Some(value()?.into()),
            "--keep" => it.keep = true,
            "--replay" => it.replay = Some(value()?),
            "--target" => {
                let name = value()?;
                it.targets.retain(|target| target.name == name);
                if it.targets.is_empty() {
                    let names: Vec<&str> = TARGETS.iter().map(|it| it.name).collect();
                    return Err(format!(
                        "there is no target {name}; there are {}",
                        names.join(", ")
                    ));
                }
            }
            other => return Err(format!("{other} is not understood")),
        }
    }
    Ok(it)
}

fn main() -> ExitCode {
    let done = words().and_then(|words| match &words.replay {
        Some(name) => replay(&words, name),
        None => run(&words),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Judges one file of the corpus and tells what came of it.
fn replay(words: &Words, name: &str) -> Result<bool, String> {
    let [target] = words.targets[..] else {
        return Err("--replay needs --target".into());
    };
    let path = corpus::folder(target.name).join(name);
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let judgement = judge(target, &bytes);
    match &judgement.result {
        Ok(outcome) => println!("{outcome:?} in {:?}", judgement.took),
        Err(broken) => println!("{broken}"),
    }
    Ok(judgement.result.is_ok())
}

fn run(words: &Words) -> Result<bool, String> {
    let began = Instant::now();
    let reports = reports(words)?;
    print(words, &reports, began.elapsed());
    if let Some(path) = &words.figures {
        figures(words, &reports)?.write(path)?;
    }
    let mut clean = true;
    for (target, report) in &reports {
        for (input, broken) in &report.broken {
            clean = false;
            let small = shrink(target, input);
            let path = corpus::write(target.name, "found", &small).map_err(|it| it.to_string())?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            println!("\n{}: {broken}", target.name);
            println!(
                "  again: cargo xtask fuzz --target {} --replay {name}",
                target.name
            );
        }
        if words.keep {
            let kept = keep(target, report, KEPT).map_err(|it| it.to_string())?;
            println!("{}: kept {kept} of {} new", target.name, report.new.len());
        }
    }
    Ok(clean)
}

/// What the hunt says for `cargo xtask report` (`reliability.md` §8, #23).
fn figures(words: &Words, reports: &[(&'static Target, Report)]) -> Result<Figures, String> {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(|(_, it)| of(it)).sum::<u64>();
    let (inputs, panics) = (sum(|it| it.inputs), sum(|it| it.panics));
    let (acted, others) = (sum(|it| it.acted_on_invalid), sum(|it| it.promises));
    let mut files = 0;
    for target in TARGETS {
        let entries = corpus::read(target.name).map_err(|it| it.to_string())?;
        files += entries.len() as u64;
    }
    let how = format!("cargo xtask fuzz --inputs {}", words.inputs);
    let mut all = Figures::of(&words.commit);
    let figure = Figure::promise(
        "#23",
        "broken and hostile inputs to every reader of the core",
        "1,000,000 a night: 0 panics, 0 actions from an invalid answer",
        format!(
            "{panics} panics, {acted} actions from an invalid answer, {others} other promises broken in {inputs} inputs to {} readers, seed {}",
            reports.len(),
            words.seed
        ),
        panics + acted + others == 0,
    )
    .over(inputs, INPUTS, "inputs")
    .over(reports.len() as u64, TARGETS.len() as u64, "readers");
    all.add(figure, &how);
    let figure = Figure::goal(
        "#23",
        "files of the corpus that every `cargo test` replays",
        "500",
        files.to_string(),
        files >= 500,
    );
    all.add(figure, "cargo test -p retake-fuzz");
    Ok(all)
}

/// Every target on whichever core is free; the result does not depend on it.
fn reports(words: &Words) -> Result<Vec<(&'static Target, Report)>, String> {
    let each = words.inputs.div_ceil(words.targets.len() as u64);
    let next = Mutex::new(words.targets.iter().enumerate());
    let done: Mutex<Vec<(usize, Report)>> = Mutex::default();
    let failed: Mutex<Option<String>> = Mutex::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let Some((place, target)) = next.lock().expect("no thread panics").next()
                    else {
                        break;
                    };
                    match corpus::read(target.name) {
                        Ok(entries) => {
                            let report = hunt(target, entries, each, words.seed);
                            done.lock().expect("no thread panics").push((place, report));
                        }
                        Err(error) => {
                            *failed.lock().expect("no thread panics") = Some(error.to_string());
                        }
                    }
                }
            });
        }
    });
    if let Some(why) = failed.into_inner().expect("no thread panics") {
        return Err(format!("the corpus cannot be read: {why}"));
    }
    let mut done = done.into_inner().expect("no thread panics");
    done.sort_by_key(|it| it.0);
    Ok(done
        .into_iter()
        .map(|(place, report)| (words.targets[place], report))
        .collect())
}

fn print(words: &Words, reports: &[(&'static Target, Report)], took: Duration) {
    println!(
        "{:13} {:>9} {:>9} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9}",
        "target",
        "inputs",
        "valid",
        "reruns",
        "outcomes",
        "panics",
        "invalid→",
        "promises",
        "slowest"
    );
    let mut sum = Report::default();
    let mut outcomes = 0;
    let line = |name: &str, it: &Report, outcomes: usize| {
        println!(
            "{name:13} {:>9} {:>9} {:>9} {outcomes:>9} {:>7} {:>9} {:>9} {:>6} ms",
            it.inputs,
            it.valid,
            it.acted,
            it.panics,
            it.acted_on_invalid,
            it.promises,
            it.slowest.as_millis()
        );
    };
    for (target, it) in reports {
        line(target.name, it, it.classes.len());
        sum.inputs += it.inputs;
        sum.valid += it.valid;
        sum.acted += it.acted;
        sum.panics += it.panics;
        sum.acted_on_invalid += it.acted_on_invalid;
        sum.promises += it.promises;
        sum.slowest = sum.slowest.max(it.slowest);
        outcomes += it.classes.len();
    }
    line("all", &sum, outcomes);
    println!(
        "reruns: inputs that rightly led to one; invalid→: invalid answers that led to an action\n\
         commit {}, seed {}, {:.0} s",
        words.commit,
        words.seed,
        took.as_secs_f64()
    );
}
