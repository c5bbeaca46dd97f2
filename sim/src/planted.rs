//! Does the harness bite? Every planted bug of the core must be caught, and by a
//! promise that it breaks: a bug that only another one catches shows nothing.
//!
//! Which bug breaks which promise is what [`expected`] says; the run prints it from there, with
//! the seeds, and RELIABILITY.md tells it in words. S12 has no bug here: see `world/check.rs`.

#[cfg(feature = "planted")]
use retake_core::planted::Bug;
use std::path::Path;
#[cfg(feature = "planted")]
use std::time::Duration;

#[cfg(feature = "planted")]
use retake_figures::Figure;
use retake_figures::Figures;
use retake_sim::SeedRange;

/// The promises by which a bug may be caught.
#[cfg(feature = "planted")]
const fn expected(bug: Bug) -> &'static [&'static str] {
    match bug {
        Bug::BusyUnfenced => &["S1"],
        Bug::OneAttemptMore | Bug::ForgetsAttempts | Bug::ForgetsIntent | Bug::FenceAtLeast => {
            &["S2"]
        }
        Bug::EmptyListAllowed | Bug::OldPicture | Bug::UnknownWordFails | Bug::CountsUnchecked => {
            &["S3"]
        }
        Bug::SendsBeforeStored | Bug::SendsUnstored => &["S4"],
        Bug::EpochNotRaised | Bug::NoStepDown => &["S5"],
        Bug::NoSettle
        | Bug::ShortSettle
        | Bug::BlindBusy
        | Bug::RepostsUnanswered
        | Bug::RepostsOnResume
        | Bug::SendsAfterSleep
        | Bug::HeldOutlivesPost
        | Bug::ForgetsUnderWay => &["S6"],
        Bug::TrustsTerminal | Bug::TornAccepted | Bug::GuardAtLeast | Bug::NewIdIgnored => &["S7"],
        Bug::TimesOutWithoutRead
        | Bug::PauseCounts
        | Bug::WallClockOnly
        | Bug::UnfinishedProves => &["S8"],
        Bug::CancelIgnored | Bug::GuardOnlyFirst | Bug::UnknownStatusEnds => &["S9"],
        Bug::NoSpacing => &["S10"],
        Bug::Unrecorded => &["S11"],
        Bug::NeverTimesOut
        | Bug::LateStartsDoubted
        | Bug::ForeignNotAdopted
        | Bug::MonoClockOnly => &["L1"],
        Bug::ForgetsWhen => &["L2"],
        Bug::AgeOfQuestion | Bug::AgeUnmoved => &["L3"],
    }
}

/// The promises that the simulation checks.
#[cfg(feature = "planted")]
const PROMISES: [&str; 14] = [
    "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "L1", "L2", "L3",
];

/// A bug that is not caught within this is not caught.
#[cfg(feature = "planted")]
const WITHIN: Duration = Duration::from_mins(1);

/// Looks for each planted bug in these runs, until it is caught.
#[cfg(feature = "planted")]
pub(crate) fn run(among: &SeedRange, how: &str, figures: &mut Figures) -> bool {
    use retake_core::planted::plant;
    use retake_sim::run_many;

    println!(
        "Planted bugs: each must be caught within {} s, by a promise that it breaks.\n",
        WITHIN.as_secs()
    );
    let (mut missed, mut longest, mut slowest) = (0, 0, Duration::ZERO);
    let mut shown: Vec<&str> = Vec::new();
    for bug in Bug::ALL {
        let range = SeedRange {
            stop_at_failure: true,
            stop_at: expected(*bug),
            within: Some(WITHIN),
            ..among.clone()
        };
        let totals = run_many(&range, || plant(Some(*bug)));
        let caught = |by: &&retake_sim::Failure| expected(*bug).contains(&by.letter());
        let line = if let Some(failure) = totals.failures.iter().find(caught) {
            longest = longest.max(totals.runs);
            slowest = slowest.max(totals.took);
            shown.extend(expected(*bug).iter().filter(|it| **it == failure.letter()));
            format!("seed {:>8}  {}", failure.seed, failure.promise)
        } else {
            missed += 1;
            let others: Vec<&str> = totals.failures.iter().map(|it| &*it.promise).collect();
            format!("NOT CAUGHT by {:?}, but by {others:?}", expected(*bug))
        };
        println!(
            "{:<55} {:>8} runs {:>6.2} s  {line}",
            bug.words(),
            totals.runs,
            totals.took.as_secs_f64()
        );
    }
    println!();
    let mut toothless = Vec::new();
    for promise in PROMISES {
        if !shown.contains(&promise) {
            toothless.push(promise);
        }
        let by = Bug::ALL
            .iter()
            .filter(|bug| expected(**bug).contains(&promise));
        let words: Vec<&str> = by.map(|bug| bug.words()).collect();
        println!("{promise:<4} {}", words.join("; "));
    }
    println!("S12  holds by type here; searched for in the browser (world/check.rs)");
    if !toothless.is_empty() {
        println!("no bug was caught by: {}", toothless.join(", "));
    }
    let same = SeedRange {
        seeds: longest,
        ..among.clone()
    };
    let sound = run_many(&same, || plant(None));
    let all = Bug::ALL.len();
    println!(
        "\n{all} bugs, {} caught; the same {} seeds without a bug: {} violations",
        all - missed,
        sound.runs,
        sound.failed
    );
    let passed = missed == 0 && sound.failed == 0 && toothless.is_empty();
    // A harness that does not bite makes every other figure worthless.
    let figure = Figure::promise(
        "#29",
        "bugs planted in the core, each caught by a promise that it breaks",
        "at least 20, all, each within 60 s",
        format!(
            "{} of {all} caught, the slowest in {:.1} s",
            all - missed,
            slowest.as_secs_f64()
        ),
        passed && all >= 20,
    );
    figures.add(figure, how);
    passed
}

/// Failures that are looked for of one bug, in seeds: a rare one needs not give many.
#[cfg(feature = "planted")]
const LOOKED: u64 = 20_000;

/// Runs without a bug that are made again for each failing one.
#[cfg(feature = "planted")]
const HEALTHY: u64 = 10;

/// Makes so many failing runs again, and more, here and in a WebAssembly module
/// (`reliability.md` §8, #28). Without a bug nothing fails, so the failures are those of the
/// planted ones; beside them stand runs that keep every promise.
#[cfg(feature = "planted")]
pub(crate) fn replays(
    wanted: u64,
    module: Option<&Path>,
    how: &str,
    figures: &mut Figures,
) -> bool {
    use crate::wasm::{self, Run};
    use retake_core::planted::plant;
    use retake_sim::{imprint, replays_alike};

    let range = SeedRange::swarm(0, LOOKED);
    let (mut differ, mut kinds) = (0, 0);
    let mut runs = Vec::new();
    // A rare bug has fewer.
    let share = usize::try_from(wanted.div_ceil(20)).unwrap_or(usize::MAX);
    for (bug, place) in Bug::ALL.iter().zip(1..) {
        plant(Some(*bug));
        let failing = (0..LOOKED).filter_map(|seed| Some((seed, replays_alike(&range, seed)?)));
        let failing: Vec<(u64, bool)> = failing.take(share).collect();
        println!("{:<55} {:>4} failures", bug.words(), failing.len());
        kinds += u64::from(!failing.is_empty());
        differ += failing.iter().filter(|(_, alike)| !alike).count();
        runs.extend(failing.iter().map(|(seed, _)| Run {
            bug: place,
            seed: *seed,
            imprint: imprint(&range, *seed),
        }));
    }
    plant(None);
    let failed = runs.len() as u64;
    println!("\n{failed} failing runs of {kinds} bugs made three times, {differ} differ");
    let healthy = wanted * HEALTHY;
    runs.extend((0..healthy).map(|seed| Run {
        bug: 0,
        seed,
        imprint: imprint(&range, seed),
    }));
    let here = differ;
    let (mut platforms, mut elsewhere) = (1, String::new());
    if let Some(module) = module {
        let others = match wasm::differing(module, &runs) {
            Ok(others) => others,
            Err(why) => {
                eprintln!("{why}");
                return false;
            }
        };
        for (run, came_to) in others.iter().take(10) {
            let bug = run.bug.checked_sub(1).map_or("no bug", |place| {
                Bug::ALL[usize::try_from(place).expect("a place fits")].words()
            });
            println!(
                "seed {} with {bug}: {:016x} here, {came_to} in WebAssembly",
                run.seed, run.imprint
            );
        }
        println!(
            "{failed} failing and {healthy} other runs made again in WebAssembly, {} differ",
            others.len()
        );
        platforms += 1;
        elsewhere = format!(
            "; {} differ of these and {healthy} runs without a bug, native and wasm",
            others.len()
        );
        differ += others.len();
    }
    let figure = Figure::promise(
        "#28",
        "failures that replay bit for bit: promise, fingerprint and timeline",
        "all of 1,000, native and wasm",
        format!("{here} differ of {failed} failures of {kinds} planted bugs, native{elsewhere}"),
        differ == 0,
    );
    let figure = figure.over(failed, 1_000, "failures");
    figures.add(figure.over(platforms, 2, "platforms"), how);
    differ == 0 && failed >= wanted
}

#[cfg(not(feature = "planted"))]
pub(crate) fn replays(
    _wanted: u64,
    _module: Option<&Path>,
    _how: &str,
    _figures: &mut Figures,
) -> bool {
    needs_the_feature()
}

#[cfg(not(feature = "planted"))]
pub(crate) fn run(_among: &SeedRange, _how: &str, _figures: &mut Figures) -> bool {
    needs_the_feature()
}

#[cfg(not(feature = "planted"))]
fn needs_the_feature() -> bool {
    eprintln!("Planted bugs need the feature: cargo xtask sim --planted builds with it.");
    false
}
