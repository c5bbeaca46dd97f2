//! Runs the simulation from the command line; `cargo xtask sim` builds and
//! calls it. Without words: a million seeds of the swarm.

mod figures;
mod planted;
mod table;
#[cfg(feature = "planted")]
mod wasm;

use std::{path::PathBuf, process::ExitCode};

use retake_figures::Figures;
use retake_sim::{Batch, Mix, replay, run_many, shrink};

/// Seeds of a run without words: what every change must pass.
const SEEDS: u64 = 1_000_000;
/// Seeds of each settle window, if none are named.
const SWEEP_SEEDS: u64 = 50_000;

struct Words {
    seeds: Option<u64>,
    from: u64,
    seed: Option<u64>,
    planted: bool,
    /// Failing runs to make again.
    replays: Option<u64>,
    /// The simulation as a WebAssembly module, to make them in too.
    wasm: Option<PathBuf>,
    sweep: bool,
    figures: Option<PathBuf>,
    /// Fewer runs a second of processor time fail.
    demand_speed: Option<u64>,
    compare: Option<u64>,
    coverage: bool,
    mix: Mix,
    settle: Option<u64>,
    commit: String,
}

fn words() -> Result<Words, String> {
    let mut it = Words {
        seeds: None,
        from: 0,
        seed: None,
        planted: false,
        replays: None,
        wasm: None,
        sweep: false,
        figures: None,
        demand_speed: None,
        compare: None,
        coverage: false,
        mix: Mix::Swarm,
        settle: None,
        commit: "unknown".into(),
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
            "--seeds" => it.seeds = Some(number(value()?)?),
            "--from" => it.from = number(value()?)?,
            "--seed" => it.seed = Some(number(value()?)?),
            "--settle" => it.settle = Some(number(value()?)?),
            "--compare" => it.compare = Some(number(value()?)?),
            "--demand-speed" => it.demand_speed = Some(number(value()?)?),
            "--figures" => it.figures = Some(value()?.into()),
            "--sweep" => it.sweep = true,
            "--planted" => it.planted = true,
            "--replays" => it.replays = Some(number(value()?)?),
            "--wasm" => it.wasm = Some(value()?.into()),
            "--coverage" => it.coverage = true,
            "--commit" => it.commit = value()?,
            "--mix" => {
                it.mix = match value()?.as_str() {
                    "swarm" => Mix::Swarm,
                    "harsh" => Mix::Harsh,
                    "mild" => Mix::Mild,
                    other => return Err(format!("there is no mix called {other}")),
                }
            }
            other => return Err(format!("{other} is not understood")),
        }
    }
    Ok(it)
}

fn main() -> ExitCode {
    // A panic is a broken promise of one seed: told in the table, not here.
    std::panic::set_hook(Box::new(|_| {}));
    let words = match words() {
        Ok(words) => words,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let seeds = words.seeds.unwrap_or(SEEDS);
    let how = how(&words);
    let mut figures = Figures::of(&words.commit);
    let batch = Batch {
        mix: words.mix,
        settle: words.settle.map(std::time::Duration::from_secs),
        ..Batch::swarm(words.from, seeds)
    };
    let passed = if let Some(seed) = words.seed {
        tell(&batch, seed)
    } else if let Some(wanted) = words.replays {
        planted::replays(wanted, words.wasm.as_deref(), &how, &mut figures)
    } else if words.planted {
        planted::run(seeds, &how, &mut figures)
    } else if words.sweep {
        let seeds = words.seeds.unwrap_or(SWEEP_SEEDS);
        table::sweep(seeds, &words.commit, &how, &mut figures)
    } else if let Some(seeds) = words.compare {
        table::compare(seeds, &words.commit, &how, &mut figures)
    } else {
        let totals = run_many(&batch, || ());
        table::print(&totals, &batch, &words.commit, words.coverage);
        if let Some(failure) = totals.failures.first() {
            tell(&batch, failure.seed);
        }
        let reached = table::is_reached(&totals, seeds);
        let fast = table::is_fast(&totals, words.demand_speed);
        figures::swarm(&totals, &batch, reached, &how, &mut figures);
        totals.failed == 0 && reached && fast
    };
    figures.conclude(words.figures.as_deref(), passed)
}

/// The command of these words.
fn how(words: &Words) -> String {
    let mut how = "cargo xtask sim".to_owned();
    if words.planted {
        how.push_str(" --planted");
    }
    if let Some(wanted) = words.replays {
        how.push_str(&format!(" --replays {wanted}"));
    }
    if words.sweep {
        how.push_str(" --sweep");
    }
    if let Some(seeds) = words.compare {
        how.push_str(&format!(" --compare {seeds}"));
    }
    if let Some(seeds) = words.seeds.filter(|_| !words.planted) {
        how.push_str(&format!(" --seeds {seeds}"));
    }
    how
}

/// Tells one run; a failing one is shrunk first.
fn tell(batch: &Batch, seed: u64) -> bool {
    let (story, failure, fingerprint) = replay(batch, seed);
    let Some(failure) = failure else {
        table::story(&story);
        println!("seed {seed}: every promise is kept, fingerprint {fingerprint:016x}");
        return true;
    };
    println!("\nseed {seed} breaks a promise: {}", failure.promise);
    if let Some(shrunk) = shrink(batch, seed) {
        println!(
            "{} of {} faults are needed:",
            shrunk.needed.len(),
            shrunk.before
        );
        for (fault, nth) in &shrunk.needed {
            println!("  {} (asked for the {}. time)", fault.words(), nth + 1);
        }
        table::story(&shrunk.story);
    }
    println!(
        "fingerprint of the whole run {fingerprint:016x}; again: cargo xtask sim --seed {seed}"
    );
    false
}
