//! The smallest bound that meets every case, in every `cargo test`.

use retake_model::{Bound, check};

#[test]
fn one_misfortune_at_any_time_breaks_no_promise_and_meets_every_case() {
    let bound = Bound {
        misfortunes: 1,
        threads: 2,
    };
    let report = check(bound, || ());
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let missed: Vec<_> = report.missed().map(|it| it.name).collect();
    assert!(missed.is_empty(), "not met: {missed:?}");
    assert!(report.distinct > 20_000, "{} states", report.distinct);
}
