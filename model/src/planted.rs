//! Does the check bite? Planted bugs of the core, each of which must give a
//! counterexample.

#[cfg(feature = "planted")]
pub(crate) fn run(figures: &mut retake_figures::Figures) -> bool {
    use retake_core::planted::{Bug, plant};
    use retake_model::{Bound, check};

    /// Those that show within this model's bound, with the misfortunes that they
    /// take. Tried and not caught here, but by the simulation: `ShortSettle` (looks
    /// are too far apart), `CancelIgnored` (no test fails in a cancelled run here),
    /// `TrustsTerminal` (no replica lags), `ForeignNotAdopted` (it only ends late).
    const BUGS: &[(Bug, u8)] = &[
        (Bug::NoSettle, 1),
        (Bug::RepostsUnanswered, 1),
        (Bug::SendsBeforeStored, 1),
        (Bug::EpochNotRaised, 1),
        (Bug::NoStepDown, 1),
        (Bug::SendsAfterSleep, 1),
        (Bug::GuardAtLeast, 1),
        (Bug::OneAttemptMore, 1),
        (Bug::ForgetsIntent, 1),
        (Bug::ForgetsAttempts, 1),
        (Bug::OldPicture, 1),
        (Bug::FenceAtLeast, 1),
        (Bug::ForgetsUnderWay, 2),
        (Bug::BlindBusy, 1),
    ];

    println!("Planted bugs: each must give a counterexample.\n");
    let mut missed = 0;
    for (bug, misfortunes) in BUGS {
        let bound = Bound {
            misfortunes: *misfortunes,
            threads: crate::threads(),
        };
        let bug = *bug;
        let report = check(bound, move || plant(Some(bug)));
        plant(None);
        let line = match report.broken().next() {
            Some(finding) => format!("{} ({} lines)", finding.name, finding.steps.len()),
            None => {
                missed += 1;
                "NOT CAUGHT".to_owned()
            }
        };
        println!(
            "{:<55} {:>8} states {:>6.2} s  {line}",
            bug.words(),
            report.distinct,
            report.took.as_secs_f64()
        );
    }
    println!("\n{} bugs, {} caught", BUGS.len(), BUGS.len() - missed);
    let figure = retake_figures::Figure::promise(
        "#29",
        "bugs planted in the core that show within the exhaustive check's bound, each caught",
        "all",
        format!("{} of {} caught", BUGS.len() - missed, BUGS.len()),
        missed == 0,
    );
    figures.add(figure, "cargo xtask model --planted");
    missed == 0
}

#[cfg(not(feature = "planted"))]
pub(crate) fn run(_figures: &mut retake_figures::Figures) -> bool {
    eprintln!("Planted bugs need the feature: cargo xtask model --planted builds with it.");
    false
}
