//! The decision and the verdict equal the CLI's on the same facts: the full
//! cross product against an independent transcription, and one test for each
//! deliberate difference (`design.md` §3).

#[path = "../rules/bench.rs"]
#[expect(dead_code, reason = "the whole-machine rules use the rest of it")]
mod bench;
mod differences;
mod oracle;
mod whole;

use std::collections::BTreeSet;

use oracle::{OracleTest, Stopped};
use retake_core::{
    domain::{BatchStatus, ConflatedBatchStatus, ConflatedStatus, TestId},
    supervise::{Choice, Policy, WatchedStates, WhyNot, exit_code, plan_rerun},
};

const STATUSES: [&str; 4] = ["SUCCEEDED", "ERROR", "CANCELLED", "HIBERNATING"];
const BATCH_WORDS: [Option<&str>; 9] = [
    None,
    Some("SUBMITTED"),
    Some("RUNNING"),
    Some("CANCELLED"),
    Some("ERROR"),
    Some("COMPLETE"),
    Some("BLOCKER"),
    Some("WARNING"),
    Some("SHINY"),
];
/// Every subset of the three words, spelt in different ways.
const FILTERS: [&str; 8] = [
    "",
    "Warning",
    "ERROR",
    "blocker",
    "Warning,Error",
    "Error, Blocker",
    "WARNING,blocker,Warning",
    "Warning,Error,Blocker",
];
const TEST_WORDS: [Option<&str>; 9] = [
    None,
    Some("QUEUED"),
    Some("RUNNING"),
    Some("ERROR"),
    Some("CANCELLED"),
    Some("BLOCKER"),
    Some("WARNING"),
    Some("PASSED"),
    Some("SHINY"),
];
const LIMITS: [f64; 8] = [0.5, 12.5, 33.3, 33.4, 50.0, 66.6, 99.999, 100.0];

/// Listings of tests: every word alone, and mixes that stand below, at and
/// above each limit, with tests that lack an ID.
fn listings() -> Vec<Vec<OracleTest>> {
    let mut listings = vec![Vec::new()];
    for word in TEST_WORDS {
        listings.push(vec![OracleTest {
            job_id: Some(1),
            conflated_status: word,
        }]);
    }
    for (failing, total) in [
        (1, 3),
        (2, 3),
        (1, 2),
        (1, 8),
        (1, 200),
        (1, 201),
        (2, 4),
        (3, 4),
        (7, 7),
        (0, 5),
    ] {
        for worst in ["ERROR", "BLOCKER", "WARNING"] {
            listings.push(
                (0..total)
                    .map(|n| OracleTest {
                        job_id: Some(n),
                        conflated_status: Some(if n < failing { worst } else { "PASSED" }),
                    })
                    .collect(),
            );
        }
    }
    listings.push(
        TEST_WORDS
            .iter()
            .zip(0..)
            .map(|(word, n)| OracleTest {
                job_id: (n % 4 != 3).then_some(n),
                conflated_status: *word,
            })
            .collect(),
    );
    listings
}

fn id(n: u32) -> TestId {
    TestId::from_u128(u128::from(n) + 1)
}

fn ours(
    status: &str,
    tests: &[OracleTest],
    rerun_on: WatchedStates,
    limit: f64,
    attempt: u32,
    max: u32,
) -> Result<Vec<TestId>, WhyNot> {
    let policy = Policy {
        max_rerun_attempts: max,
        rerun_max_failure_percent: limit,
        rerun_on,
        ..Policy::default()
    };
    let words: Vec<Option<ConflatedStatus>> = tests
        .iter()
        .map(|test| test.conflated_status.map(ConflatedStatus::from_word))
        .collect();
    let tests = tests
        .iter()
        .zip(&words)
        .map(|(test, word)| (test.job_id.map(id), word.as_ref()));
    let status = BatchStatus::from_word(status);
    match plan_rerun(Some(&status), tests, &policy, attempt).choice {
        Choice::Rerun(ids) => Ok(ids.iter().copied().collect()),
        Choice::Nothing(why) => Err(why),
    }
}

#[test]
fn the_decision_is_the_clis_over_the_cross_product() {
    let listings = listings();
    let mut rows = 0_u32;
    let mut seen = BTreeSet::new();
    for status in STATUSES {
        for filter in FILTERS {
            let states = oracle::parse_states(filter, "Unsupported rerun state").unwrap();
            let watched = WatchedStates::parse(filter).unwrap();
            for limit in LIMITS {
                assert!(oracle::percent_is_accepted(limit));
                for max in 0..4 {
                    for attempt in 0..=max {
                        for tests in &listings {
                            rows += 1;
                            let theirs =
                                oracle::choose(status, tests, &states, limit, attempt, max);
                            let ours = ours(status, tests, watched, limit, attempt, max);
                            seen.insert(match &theirs {
                                Ok(_) => "rerun",
                                Err(Stopped::MaxAttempts) => "attempts",
                                Err(Stopped::Cancelled) => "cancelled",
                                Err(Stopped::AboveThreshold) => "above",
                                Err(Stopped::NothingFailing) => "nothing",
                            });
                            let theirs = theirs
                                .map(|ids| ids.into_iter().map(id).collect::<Vec<_>>())
                                .map_err(|stopped| match stopped {
                                    Stopped::MaxAttempts => WhyNot::AttemptsUsed,
                                    Stopped::Cancelled => WhyNot::Cancelled,
                                    Stopped::AboveThreshold => WhyNot::AboveLimit,
                                    Stopped::NothingFailing => WhyNot::NoneFailing,
                                });
                            assert_eq!(
                                ours, theirs,
                                "{status} {filter:?} {limit} attempt {attempt} of {max}: {tests:?}"
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(rows >= 50_000, "{rows} rows");
    assert_eq!(seen.len(), 5, "every rule decided somewhere: {seen:?}");
    println!("{rows} decisions compared");
}

#[test]
fn the_verdict_is_the_clis_over_the_cross_product() {
    let mut rows = 0_u32;
    let mut codes = BTreeSet::new();
    for status in STATUSES.iter().copied().map(Some).chain([None]) {
        for word in BATCH_WORDS {
            for rerun in FILTERS {
                for fail in FILTERS {
                    rows += 1;
                    let parse = |text| oracle::parse_states(text, "").unwrap();
                    let filter = oracle::fail_filter(&parse(rerun), &parse(fail));
                    let theirs = oracle::exit_code(status, word, &filter);
                    let policy = Policy {
                        rerun_on: WatchedStates::parse(rerun).unwrap(),
                        fail_on: WatchedStates::parse(fail).unwrap(),
                        ..Policy::default()
                    };
                    let (ours, _) = exit_code(
                        status.map(BatchStatus::from_word).as_ref(),
                        word.map(ConflatedBatchStatus::from_word).as_ref(),
                        policy.fail_filter(),
                    );
                    codes.insert(theirs);
                    assert_eq!(
                        ours.number(),
                        theirs,
                        "{status:?} {word:?} {rerun:?} {fail:?}"
                    );
                }
            }
        }
    }
    assert_eq!(rows, 5 * 9 * 8 * 8);
    assert_eq!(codes, BTreeSet::from([0, 1, 2, 5, 7, 8]));
    println!("{rows} verdicts compared");
}

#[test]
fn the_lists_of_states_are_read_as_the_cli_reads_them() {
    for text in [
        "",
        "Error",
        " error , BLOCKER",
        "warning,warning",
        "Error,",
        ",",
        " ",
        "Passed",
        "Error;Warning",
        "FLAKY,ERROR",
    ] {
        let theirs = oracle::parse_states(text, "Unsupported rerun state");
        let ours = WatchedStates::parse(text);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}");
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            for word in ["WARNING", "ERROR", "BLOCKER"] {
                let watched = ours.watches(&ConflatedStatus::from_word(word));
                assert_eq!(
                    watched,
                    theirs.iter().any(|it| it == word),
                    "{text:?} {word}"
                );
            }
        }
    }
}
