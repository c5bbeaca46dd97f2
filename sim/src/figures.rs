//! What a run of the simulation says for `cargo xtask report`.

use retake_figures::{Figure, Figures};
use retake_sim::{Fault, Mix, OUTSIDE, Phase, SeedRange, Totals, Window, impossible};

use crate::table::{NIGHT, speed, years};

/// Seeds over which a promise has to hold in each change (`reliability.md` §8, #1).
const SEEDS: u64 = 1_000_000;
/// Seeds of each window of a sweep: a double of one in thousands has to show.
const SWEPT: u64 = 20_000;

/// Milliseconds of a year of 365.25 days.
const YEAR_MS: u64 = 31_557_600_000;

/// The faults that end a page around a write of the journal.
const CUTS: [Fault; 3] = [
    Fault::TornWrite,
    Fault::CrashBeforeWrite,
    Fault::CrashAfterWrite,
];

/// The promises that a supervision breaks which is lost or doubled.
const LOST: [&str; 7] = [
    "S1",
    "S4",
    "S11",
    "L1",
    "L2",
    "the journal has no gap",
    "a journal restores",
];

/// The fault × phase cells that are possible, each with how often it was hit.
fn cells(totals: &Totals) -> Vec<u32> {
    let all = Fault::ALL
        .iter()
        .flat_map(|fault| Phase::ALL.map(|phase| (*fault, phase)));
    all.filter(|(fault, phase)| impossible(*fault, *phase).is_none())
        .map(|(fault, phase)| totals.coverage.cell(fault, phase))
        .collect()
}

/// Adds the figures of a run of the swarm. `reached`: every case was met that so many
/// seeds must meet.
pub(crate) fn swarm(
    totals: &Totals,
    range: &SeedRange,
    reached: bool,
    how: &str,
    into: &mut Figures,
) {
    let which = format!(
        "seeds {} to {}",
        range.from,
        (range.from + totals.runs).saturating_sub(1)
    );
    // How many broke one of these, and by which seed it is seen first.
    let broken = |letters: &[&str]| {
        let of = |promise: &str| letters.contains(&promise.split(':').next().unwrap_or_default());
        let mut seeds: Vec<u64> = Vec::new();
        let mut count = 0;
        for (promise, (times, seed)) in &totals.broken {
            if of(promise) {
                count += times;
                seeds.push(*seed);
            }
        }
        let first = seeds.iter().min();
        let words = first.map_or(String::new(), |seed| format!(" (first by seed {seed})"));
        (count, words)
    };
    let mut promise = |id, what: &str, goal: &str, letters: &[&str]| {
        let (count, first) = broken(letters);
        let measured = format!("{count} in {which}{first}");
        let figure = Figure::promise(id, what, goal, measured, count == 0);
        into.add(figure.over(totals.runs, SEEDS, "seeds"), how);
    };
    promise(
        "#1",
        "rerun decisions applied twice (S1), or sent while one may still land (S4 to S6)",
        "0 in 1,000,000 seeds",
        &["S1", "S4", "S5", "S6"],
    );
    promise(
        "#2",
        "reruns beyond the budget, empty, or sent for tests that do not fail in the run last read (S2, S3, S9)",
        "0 in 1,000,000 seeds",
        &["S2", "S3", "S9"],
    );
    promise(
        "#7",
        "wrong verdicts (S7, S8)",
        "0 in 1,000,000 seeds",
        &["S7", "S8"],
    );
    let figure = Figure::promise(
        "#1",
        "runs that broke any promise (S1 to S11, L1 to L3, no panic)",
        "0 in 1,000,000 seeds",
        format!("{} in {which}", totals.failed),
        totals.failed == 0,
    );
    into.add(figure.over(totals.runs, SEEDS, "seeds"), how);
    into.add(newer_figure(totals, range.mix), how);
    let mut add = |figure: Figure| into.add(figure, how);
    let lived = years(totals.virtual_ms);
    add(Figure::goal(
        "#3",
        "simulated time and API calls of this run",
        "1,000 years and 5,000 million calls a release",
        format!(
            "{lived:.1} years, {:.1} million calls",
            totals.calls as f64 / 1e6
        ),
        true,
    )
    .over(totals.virtual_ms / YEAR_MS, 1_000, "years")
    .over(totals.calls, 5_000_000_000, "calls"));
    let cut: u64 = CUTS
        .iter()
        .flat_map(|fault| Phase::ALL.map(|phase| totals.coverage.cell(*fault, phase)))
        .map(u64::from)
        .sum();
    let (lost, first) = broken(&LOST);
    add(Figure::promise(
        "#5",
        "supervisions lost or doubled by a page that dies around a write of the journal, simulated",
        "0 in 10,000 cuts",
        format!("{lost} in {cut} cuts{first}"),
        lost == 0,
    )
    .over(cut, 10_000, "cuts"));
    let cells = cells(totals);
    let hit = cells.iter().filter(|count| **count > 0).count();
    let kinds = Fault::ALL.len();
    add(Figure::goal(
        "#8",
        "fault kinds, and fault × phase cells met",
        "25 kinds, 200 cells, each that is possible",
        format!(
            "{kinds} kinds; {hit} of {} cells; {} faults are outside the model",
            cells.len(),
            OUTSIDE.len()
        ),
        (reached && hit == cells.len() || totals.runs < SEEDS) && kinds >= 25 && cells.len() >= 200,
    )
    .over(totals.runs, SEEDS, "seeds"));
    let thin = cells
        .iter()
        .filter(|count| u64::from(**count) < NIGHT.1)
        .count();
    add(Figure::goal(
        "#8",
        "cells met fewer than 1,000 times in a night",
        "0 in 20,000,000 seeds",
        format!("{thin} of {}", cells.len()),
        thin == 0 || totals.runs < NIGHT.0,
    )
    .over(totals.runs, NIGHT.0, "seeds"));
    let fast = speed(totals);
    add(Figure::goal(
        "#27",
        "runs a second of processor time, one core",
        "20,000",
        fast.map_or("not told by this system".into(), |it| format!("{it:.0}")),
        fast.is_some_and(|it| it >= 20_000.0),
    ));
}

/// Reruns that were applied on a run newer than the one that they were decided on. Of the
/// mixes that the goal was calibrated with (`reliability.md` §1) it is the goal that they
/// reach it; the swarm makes people meet the very moment, and says what it was.
pub(crate) fn newer_figure(totals: &Totals, mix: Mix) -> Figure {
    let reach = &totals.coverage.reach;
    let per_million = |count: u64| count as f64 * 1e6 / totals.runs as f64;
    let newer = per_million(reach.applied_on_newer);
    let mut measured = format!("{newer:.1} per million");
    if reach.applied_on_newer > 0 {
        measured.push_str(&format!(
            ": the other run began after the POST had left ({:.1}), after the last look ({:.1}), \
             before it was answered ({:.1}); no mark of a run is sent ({:.1})",
            per_million(reach.newer_under_way),
            per_million(reach.newer_unlooked),
            per_million(reach.newer_hidden),
            per_million(reach.newer_blind),
        ));
    }
    let what = "reruns applied on a run newer than the decision, after a rerun by somebody else";
    let what = match mix {
        Mix::Swarm => format!("{what}, of all runs"),
        mix => format!("{what}, {mix:?} faults")
            .replace("Harsh", "harsh")
            .replace("Mild", "mild"),
    };
    Figure::goal("#2", &what, "at most 1 per million", measured, newer <= 1.0).over(
        totals.runs,
        SEEDS,
        "seeds",
    )
}

/// The figure of one settle window.
pub(crate) fn sweep_figure(it: &Window) -> Figure {
    let per_million = it.doubles as f64 * 1e6 / it.runs as f64;
    let mut measured = format!("{} ({per_million:.0} per million)", it.doubles);
    if it.faltered > 0 {
        measured.push_str(&format!("; {} runs broke another promise", it.faltered));
    }
    let what = format!("doubles with a settle window of {} s", it.seconds);
    if it.must_hold {
        let holds = it.doubles == 0 && it.faltered == 0;
        Figure::promise("#17", &what, "0", measured, holds).over(it.runs, SWEPT, "seeds")
    } else {
        // Shorter than the product's: that these double shows that the sweep would see it.
        Figure::goal("#17", &what, "for comparison", measured, true)
    }
}
