//! Runs the simulation from the command line; `cargo xtask sim` builds and
//! calls it. Without words: a million seeds of the swarm.

mod figures;
mod planted;
mod table;
#[cfg(feature = "planted")]
mod wasm;
mod words;

use std::process::ExitCode;

use retake_figures::Figures;
use retake_sim::{SeedRange, replay, run_many, shrink};

use words::Words;

/// Seeds of each settle window, if none are named.
const SWEEP_SEEDS: u64 = 50_000;

fn main() -> ExitCode {
    // A panic is a broken promise of one seed: told in the table, not here.
    std::panic::set_hook(Box::new(|_| {}));
    let words = match Words::read(std::env::args().skip(1)) {
        Ok(words) => words,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let how = words.how();
    let mut figures = Figures::of(&words.commit);
    let range = words.range();
    let passed = if let Some(seed) = words.seed {
        tell(&range, seed)
    } else if let Some(wanted) = words.replays {
        planted::replays(wanted, words.wasm.as_deref(), &how, &mut figures)
    } else if words.planted {
        planted::run(&range, &how, &mut figures)
    } else if words.sweep {
        let seeds = words.seeds.unwrap_or(SWEEP_SEEDS);
        table::sweep(seeds, &words.commit, &how, &mut figures)
    } else if let Some(seeds) = words.compare {
        table::compare(seeds, &words.commit, &how, &mut figures)
    } else {
        let totals = run_many(&range, || ());
        table::print(&totals, &range, &words.commit, words.coverage);
        if let Some(failure) = totals.failures.first() {
            tell(&range, failure.seed);
        }
        let reached = table::is_reached(&totals, range.seeds);
        let fast = table::is_fast(&totals, words.demand_speed);
        figures::swarm(&totals, &range, reached, &how, &mut figures);
        totals.failed == 0 && reached && fast
    };
    figures.conclude(words.figures.as_deref(), passed)
}

/// Tells one run; a failing one is shrunk first.
fn tell(range: &SeedRange, seed: u64) -> bool {
    let (story, failure, fingerprint) = replay(range, seed);
    let Some(failure) = failure else {
        table::story(&story);
        println!("seed {seed}: every promise is kept, fingerprint {fingerprint:016x}");
        return true;
    };
    println!("\nseed {seed} breaks a promise: {}", failure.promise);
    if let Some(shrunk) = shrink(range, seed) {
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
        "fingerprint of the whole run {fingerprint:016x}; again: {}",
        words::again(range, seed)
    );
    false
}
