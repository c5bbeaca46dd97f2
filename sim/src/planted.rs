//! Does the harness bite? Every planted bug of the core must be caught.

#[cfg(feature = "planted")]
pub(crate) fn run(most: u64) -> bool {
    use retake_core::planted::{Bug, plant};
    use retake_sim::{Batch, run_many};
    use std::time::Duration;

    /// A bug that is not caught within this is not caught.
    const WITHIN: Duration = Duration::from_mins(1);

    println!(
        "Planted bugs: each must be caught within {} s.\n",
        WITHIN.as_secs()
    );
    let mut missed = 0;
    let mut longest = 0;
    for bug in Bug::ALL {
        let batch = Batch {
            stop_at_failure: true,
            within: Some(WITHIN),
            ..Batch::swarm(0, most.max(u64::from(u32::MAX)))
        };
        let totals = run_many(&batch, || plant(Some(*bug)));
        let line = if let Some(failure) = totals.failures.first() {
            longest = longest.max(totals.runs);
            format!("seed {:>8}  {}", failure.seed, failure.promise)
        } else {
            missed += 1;
            "NOT CAUGHT".to_owned()
        };
        println!(
            "{:<55} {:>8} runs {:>6.2} s  {line}",
            bug.words(),
            totals.runs,
            totals.took.as_secs_f64()
        );
    }
    let sound = run_many(&Batch::swarm(0, longest), || plant(None));
    println!(
        "\n{} bugs, {} caught; the same {} seeds without a bug: {} violations",
        Bug::ALL.len(),
        Bug::ALL.len() - missed,
        sound.runs,
        sound.failed
    );
    missed == 0 && sound.failed == 0
}

#[cfg(not(feature = "planted"))]
pub(crate) fn run(_most: u64) -> bool {
    eprintln!("Planted bugs need the feature: cargo xtask sim --planted builds with it.");
    false
}
