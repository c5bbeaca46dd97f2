//! How many requests a supervision puts on the API, beside the CLI on the same batch
//! over virtual time (`reliability.md` §8, #21).
//!
//! No fault happens: a CLI does not survive one, so there is nothing to compare. The
//! CLI's requests are counted by `resim-api.md` §6.3: S3 polls at once and then every
//! interval, S5 lists all pages unless no attempt is left, S6 posts once.

use std::time::Duration;

use retake_core::{
    api::RerunAnswer,
    domain::{
        Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, MetricsCounts,
        RunCounter, StatusCounts, Test, TestId, Timestamp,
    },
    rerun::Limits,
    supervise::{BatchRef, Input, NotPassed, Now, Output, Policy, Supervisor},
};

const BATCH: BatchId = BatchId::from_u128(1);
/// Tests on a page (`resim-api.md` §6.3, S5).
const PAGE: u32 = 100;
/// How long an answer takes.
const ANSWER_MS: i64 = 100;
/// Of the tests, the first so many fail until they have run often enough.
const FLAKY: u32 = 5;

/// A batch that is supervised from its launch.
#[derive(Debug, Clone, Copy)]
struct Case {
    tests: u32,
    /// How long each run takes.
    run_ms: i64,
    /// Reruns until everything passes.
    reruns: u32,
}

/// When each run began, and which tests it ran.
struct Server {
    case: Case,
    starts: Vec<i64>,
}

impl Server {
    fn batch(&self, now: i64) -> Batch {
        let start = self.starts.last().copied().unwrap_or(0);
        let finished = now >= start + self.case.run_ms;
        let mut batch = Batch::new(BATCH);
        let passes = self.runs() > self.case.reruns;
        let (status, word) = match (finished, passes) {
            (false, _) => (
                BatchStatus::ExperiencesRunning,
                ConflatedBatchStatus::Running,
            ),
            (true, true) => (BatchStatus::Succeeded, ConflatedBatchStatus::Complete),
            (true, false) => (BatchStatus::Error, ConflatedBatchStatus::Error),
        };
        batch.status = Some(status);
        batch.conflated = Some(word);
        batch.run_counter = Some(RunCounter(i64::from(self.runs())));
        batch.total_tests = Some(u64::from(self.case.tests));
        batch.last_run = Some(Timestamp::from_millis(start));
        let error = if passes { 0 } else { u64::from(FLAKY) };
        let passed = u64::from(self.case.tests) - error;
        batch.status_counts = Some(StatusCounts {
            error,
            succeeded: passed,
            ..StatusCounts::default()
        });
        batch.metrics_counts = Some(MetricsCounts {
            passed,
            ..MetricsCounts::default()
        });
        batch
    }

    fn runs(&self) -> u32 {
        u32::try_from(self.starts.len()).expect("few runs")
    }

    fn tests(&self) -> Vec<Test> {
        let fails = self.runs() <= self.case.reruns;
        let first = self.starts.first().copied().unwrap_or(0);
        let last = self.starts.last().copied().unwrap_or(0);
        let test = |n: u32| {
            let flaky = n < FLAKY;
            let mut test = Test::new(TestId::from_u128(u128::from(n) + 1), String::new());
            test.conflated = Some(if flaky && fails {
                ConflatedStatus::Error
            } else {
                ConflatedStatus::Passed
            });
            test.last_run = Some(Timestamp::from_millis(if flaky { last } else { first }));
            test
        };
        (0..self.case.tests).map(test).collect()
    }
}

/// What was asked of the API.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    requests: i64,
    reruns: u32,
}

/// The CLI's requests: every poll finds what the last one did until the run has ended.
fn cli(case: Case, policy: &Policy) -> Asked {
    let pages = i64::from(case.tests.div_ceil(PAGE));
    let every = i64::try_from(policy.poll_every.as_millis()).expect("small");
    let mut asked = Asked::default();
    for attempt in 0..=policy.max_rerun_attempts {
        let polls = 1 + (case.run_ms + every + ANSWER_MS - 1) / (every + ANSWER_MS);
        asked.requests += polls;
        if attempt == policy.max_rerun_attempts {
            break;
        }
        asked.requests += pages;
        if attempt == case.reruns {
            break;
        }
        asked.requests += 1;
        asked.reruns += 1;
    }
    asked
}

/// Ours, by the real machine.
fn retake(case: Case, policy: Policy) -> Asked {
    let pages = i64::from(case.tests.div_ceil(PAGE));
    let mut server = Server {
        case,
        starts: vec![0],
    };
    let mut now: i64 = 0;
    let clock = |now: i64| Now {
        wall: Timestamp::from_millis(now),
        mono: Duration::from_millis(now.unsigned_abs()),
        dice: 0,
    };
    let mut it = Supervisor::start(policy, Limits::default(), BatchRef::Id(BATCH), clock(0));
    let mut asked = Asked::default();
    let mut wake = None;
    while !it.state().phase.is_over() {
        let Some(output) = it.poll_output() else {
            let due: Timestamp = wake.take().expect("it waits for something");
            now = now.max(due.as_millis());
            it.handle(Input::Wake, clock(now));
            continue;
        };
        let input = match output {
            Output::ReadBatch(call, _) => {
                asked.requests += 1;
                now += ANSWER_MS;
                Input::BatchRead(call, Ok(Box::new(server.batch(now))))
            }
            Output::ReadTests(call, _) => {
                asked.requests += pages;
                now += ANSWER_MS * pages;
                Input::TestsRead(call, Ok(server.tests()))
            }
            Output::ReadNotPassed(call, ..) => {
                let mut tests = server.tests();
                let all = tests.len();
                tests.retain(|it| it.conflated != Some(ConflatedStatus::Passed));
                let passed = Some((all - tests.len()) as u64);
                // The count, and one page.
                asked.requests += 2;
                now += 2 * ANSWER_MS;
                Input::NotPassedRead(call, Ok(NotPassed { passed, tests }))
            }
            Output::StoreIntent(call, _) => Input::Stored(call, Ok(())),
            Output::SendRerun(call, ..) => {
                asked.requests += 1;
                asked.reruns += 1;
                now += ANSWER_MS;
                server.starts.push(now);
                let answer = RerunAnswer {
                    batch_id: Some(BATCH),
                    run_counter: Some(RunCounter(i64::from(server.runs()))),
                    test_ids: Vec::new(),
                };
                Input::RerunAnswered(call, Ok(answer))
            }
            Output::WakeAt(at) => {
                wake = Some(at);
                continue;
            }
            _ => continue,
        };
        it.handle(input, clock(now));
    }
    let code = it
        .state()
        .verdict()
        .map(|verdict| verdict.exit_code.number());
    assert_eq!(code, Some(0), "{case:?}");
    asked
}

#[test]
fn the_load_on_the_api_is_counted_beside_one_cli() {
    let (mut small, mut worst) = (0.0_f64, 0.0_f64);
    for tests in [100, 200, 300, 1_000, 10_000] {
        for minutes in [5, 30, 180] {
            for reruns in 0..3 {
                let case = Case {
                    tests,
                    run_ms: minutes * 60_000,
                    reruns,
                };
                let policy = Policy {
                    max_rerun_attempts: 2,
                    wait_timeout: Duration::from_hours(6),
                    ..Policy::default()
                };
                let (theirs, ours) = (cli(case, &policy), retake(case, policy));
                assert_eq!(ours.reruns, theirs.reruns, "the same outcome of {case:?}");
                let times = ours.requests as f64 / theirs.requests as f64;
                worst = worst.max(times);
                if tests == 100 {
                    small = small.max(times);
                }
                println!(
                    "{tests} tests, runs of {minutes} min, {reruns} reruns: {} requests, the CLI {}: {times:.2} times",
                    ours.requests, theirs.requests
                );
            }
        }
    }
    println!("{:.0} hundredths for a hundred tests", small * 100.0);
    println!("{:.0} hundredths at the most", worst * 100.0);
    assert!(worst <= 1.2, "{worst}");
}
