//! A first seeded simulation: one supervisor, a model of the API, faults,
//! other people and a clock that jumps to whatever happens next.
//!
//! Every run is a function of its seed. A violation prints the seed and the
//! decision log; `RETAKE_SIM_SEED=n cargo test -p retake-core --test sim`
//! replays that one alone. `RETAKE_SIM_SEEDS=n` sets how many are run.

mod dice;
mod model;
mod run;

use std::{thread, time::Instant};

use run::{Ending, Report, simulate};

/// Seeds in an ordinary test run.
const SEEDS: u64 = 100_000;

#[test]
fn no_seed_breaks_a_promise() {
    if let Some(seed) = number("RETAKE_SIM_SEED") {
        println!("{:#?}", simulate(seed));
        return;
    }
    let seeds = number("RETAKE_SIM_SEEDS").unwrap_or(SEEDS);
    let workers = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let began = Instant::now();
    let reports: Vec<Report> = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..seeds)
                        .step_by(usize::try_from(workers).expect("cores fit"))
                        .map(simulate)
                        .fold(Report::default(), |mut all, one| {
                            all.absorb(&one);
                            all
                        })
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("no seed panics"))
            .collect()
    });
    let all = reports.into_iter().fold(Report::default(), |mut all, one| {
        all.absorb(&one);
        all
    });
    println!(
        "{} runs, {} virtual hours, {} POSTs applied, {} adopted, {} doubts resolved, {:.1} s",
        all.runs,
        all.virtual_ms / 3_600_000,
        all.applied,
        all.adopted,
        all.doubts,
        began.elapsed().as_secs_f64()
    );
    println!("endings: {:?}", all.endings);
    // A simulation that never meets a case proves nothing about it.
    for ending in Ending::ALL {
        assert!(
            all.endings.contains_key(&ending),
            "no run ended as {ending:?}"
        );
    }
    for (name, count) in [
        ("applied reruns", all.applied),
        ("adopted reruns of others", all.adopted),
        ("doubts", all.doubts),
        ("crashes", all.crashes),
        ("refused stores", all.refused_stores),
    ] {
        assert!(count > 100, "only {count} {name}");
    }
}

#[test]
fn a_seed_replays_to_the_same_run() {
    for seed in 0..200 {
        assert_eq!(simulate(seed).trace, simulate(seed).trace, "seed {seed}");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
