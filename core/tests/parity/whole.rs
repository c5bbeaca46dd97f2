//! From a finished batch to its end, through the whole machine: the reruns that
//! it sends and the exit code that it ends with are the CLI's, over the product
//! of everything that decides either (`resim-api.md` §6.3 S5 and S7, §6.4).

use std::collections::BTreeSet;

use retake_core::{
    domain::{Test, TestId},
    supervise::{Policy, WatchedStates},
};

use super::{
    bench::{self, Bench},
    oracle::{self, OracleTest},
};

const DAY: i64 = 24 * 3600 * 1000;
/// What has finished; anything else is waited for.
const FINISHED: [&str; 3] = ["SUCCEEDED", "ERROR", "CANCELLED"];
const BATCH_WORDS: [&str; 6] = [
    "COMPLETE",
    "BLOCKER",
    "ERROR",
    "WARNING",
    "CANCELLED",
    "SHINY",
];
const RERUN_ON: [&str; 5] = [
    "",
    "Error",
    "blocker",
    "Warning,Error",
    "Warning,Error,Blocker",
];
const FAIL_ON: [&str; 4] = ["", "Warning", "ERROR,Blocker", "Warning,Error,Blocker"];
const LIMITS: [f64; 3] = [33.3, 50.0, 100.0];

/// How many tests are in each state: error, blocker, warning, passed, unknown.
const LISTINGS: [[u32; 5]; 10] = [
    [0, 0, 0, 0, 0],
    [0, 0, 0, 4, 0],
    [1, 0, 0, 0, 0],
    [1, 0, 0, 1, 0],
    [1, 0, 0, 2, 0],
    [0, 1, 0, 2, 0],
    [0, 0, 2, 1, 0],
    [1, 1, 1, 3, 0],
    [0, 0, 0, 2, 1],
    [1, 2, 1, 96, 0],
];

fn listing(counts: [u32; 5]) -> Vec<OracleTest> {
    let words = ["ERROR", "BLOCKER", "WARNING", "PASSED", "SHINY"];
    counts
        .iter()
        .zip(words)
        .flat_map(|(count, word)| (0..*count).map(move |_| word))
        .zip(0..)
        .map(|(word, n)| OracleTest {
            job_id: Some(n),
            conflated_status: Some(word),
        })
        .collect()
}

/// Every rerun that the CLI would send, and its exit code after the last one,
/// where each run ends as the first did.
fn theirs(
    status: &str,
    word: &str,
    tests: &[OracleTest],
    (rerun, fail): (&str, &str),
    limit: f64,
    max: u32,
) -> (Vec<Vec<TestId>>, u8) {
    let parse = |text| oracle::parse_states(text, "").expect("a list of states");
    let (rerun, fail) = (parse(rerun), parse(fail));
    let reruns = (0..)
        .map_while(|attempt| oracle::choose(status, tests, &rerun, limit, attempt, max).ok())
        .map(|ids| ids.into_iter().map(super::id).collect())
        .collect();
    let filter = oracle::fail_filter(&rerun, &fail);
    (reruns, oracle::exit_code(Some(status), Some(word), &filter))
}

fn ours(
    status: &str,
    word: &str,
    tests: &[OracleTest],
    (rerun, fail): (&str, &str),
    limit: f64,
    max: u32,
) -> (Vec<Vec<TestId>>, Option<u8>) {
    let policy = Policy {
        max_rerun_attempts: max,
        rerun_max_failure_percent: limit,
        rerun_on: WatchedStates::parse(rerun).expect("a list of states"),
        fail_on: WatchedStates::parse(fail).expect("a list of states"),
        ..Policy::default()
    };
    let tests: Vec<Test> = tests
        .iter()
        .map(|test| {
            let n = test.job_id.expect("each has an ID");
            bench::test(
                u128::from(n) + 1,
                test.conflated_status.expect("each has a word"),
            )
        })
        .collect();
    let mut bench = Bench::new(policy, bench::batch(status, word, Some(1)), tests);
    bench.reruns_finish = true;
    bench.run(DAY);
    (bench.named.clone(), bench.code())
}

#[test]
fn reruns_and_exit_code_are_the_clis_over_the_product_of_both() {
    let mut rows = 0_u32;
    let mut ends = BTreeSet::new();
    for status in FINISHED {
        for word in BATCH_WORDS {
            for rerun in RERUN_ON {
                for fail in FAIL_ON {
                    for limit in LIMITS {
                        for max in 0..3 {
                            for counts in LISTINGS {
                                rows += 1;
                                let tests = listing(counts);
                                let states = (rerun, fail);
                                let (reruns, code) =
                                    theirs(status, word, &tests, states, limit, max);
                                ends.insert((reruns.len(), code));
                                assert_eq!(
                                    ours(status, word, &tests, states, limit, max),
                                    (reruns, Some(code)),
                                    "{status} {word} {states:?} {limit} up to {max}: {counts:?}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(rows >= 30_000, "{rows} rows");
    for reruns in 0..3 {
        for code in [0, 1, 2, 7, 8] {
            assert!(
                ends.contains(&(reruns, code)),
                "{reruns} reruns, exit {code}"
            );
        }
    }
    println!("{rows} batches followed to their end");
}
