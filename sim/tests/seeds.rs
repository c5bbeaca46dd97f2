//! A first look at the promises in the ordinary test run; `cargo xtask sim`
//! makes millions of runs.

use retake_sim::{Mix, SeedRange, replay, run_many};

#[test]
fn no_seed_breaks_a_promise() {
    let totals = run_many(&SeedRange::swarm(0, 20_000), || ());
    assert_eq!(totals.failures, []);
    assert_eq!(totals.runs, 20_000);
}

#[test]
fn a_seed_replays_to_the_same_run() {
    for seed in 0..300 {
        let range = SeedRange::swarm(0, 0);
        let (story, failure, fingerprint) = replay(&range, seed);
        let (again, _, fingerprint_again) = replay(&range, seed);
        assert_eq!(failure, None);
        assert_eq!(fingerprint, fingerprint_again, "seed {seed}");
        assert!(
            story
                .iter()
                .zip(&again)
                .all(|(a, b)| a.what == b.what && a.at == b.at),
            "seed {seed}"
        );
    }
}

#[test]
fn a_told_run_is_the_run_that_was_counted() {
    let told: u64 = (0..64)
        .map(|seed| replay(&SeedRange::swarm(0, 0), seed).2)
        .fold(0, |all, one| all ^ one);
    assert_eq!(run_many(&SeedRange::swarm(0, 64), || ()).fingerprint, told);
}

#[test]
fn a_settle_window_shorter_than_a_request_lives_is_caught_and_shrinks() {
    let range = SeedRange {
        settle: Some(std::time::Duration::from_secs(20)),
        mix: Mix::Harsh,
        stop_at_failure: true,
        ..SeedRange::swarm(0, 200_000)
    };
    let totals = run_many(&range, || ());
    let seed = totals.failures.first().expect("it is caught").seed;
    let shrunk = retake_sim::shrink(&range, seed).expect("it still fails");
    assert!(!shrunk.needed.is_empty() && shrunk.needed.len() <= shrunk.before);
    assert!(shrunk.story.iter().any(|line| line.what.contains("BROKEN")));
}
