//! One test for each deliberate difference from the CLI (`design.md` §3):
//! where its behaviour is an accident, ours is a decision.

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::{
        Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, RunCounter, Test,
        TestId, Timestamp,
    },
    rerun::Limits,
    supervise::{
        BatchRef, Field, Input, Now, Outcome, Output, Policy, PolicyForm, Supervisor, exit_code,
    },
};

const MIN_POLL: Duration = Duration::from_secs(10);

fn at(seconds: i64) -> Now {
    Now {
        wall: Timestamp::from_millis(1_700_000_000_000 + seconds * 1000),
        mono: Duration::from_secs(u64::try_from(seconds).expect("tests run forward")),
        dice: 0,
    }
}

fn batch(status: &str, word: &str, run: i64) -> Batch {
    let mut batch = Batch::new(BatchId::from_u128(1));
    batch.status = Some(BatchStatus::from_word(status));
    batch.conflated = Some(ConflatedBatchStatus::from_word(word));
    batch.run_counter = Some(RunCounter(run));
    batch.last_run = Some(at(0).wall);
    batch
}

fn test(n: u128, word: &str) -> Test {
    let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
    test.conflated = Some(ConflatedStatus::from_word(word));
    test.last_run = Some(at(0).wall);
    test
}

fn started(policy: Policy) -> Supervisor {
    let batch = BatchRef::Id(BatchId::from_u128(1));
    Supervisor::start(policy, Limits::default(), batch, at(0))
}

/// Answers every output until the machine waits or ends; counts reruns sent.
/// `read` answers reads of the batch, `tests` listings.
fn settle(
    machine: &mut Supervisor,
    seconds: i64,
    mut read: impl FnMut() -> Result<Batch, ApiError>,
    tests: &[Test],
) -> u32 {
    let mut sent = 0;
    while let Some(output) = machine.poll_output() {
        let input = match output {
            Output::ReadBatch(call, _) => Input::BatchRead(call, read().map(Box::new)),
            Output::ReadTests(call, _) => Input::TestsRead(call, Ok(tests.to_vec())),
            Output::StoreIntent(call, _) => Input::Stored(call, Ok(())),
            Output::SendRerun(call, intent, _) => {
                sent += 1;
                let answer = retake_core::api::RerunAnswer {
                    batch_id: Some(intent.batch),
                    run_counter: Some(RunCounter(2)),
                    test_ids: Vec::new(),
                };
                Input::RerunAnswered(call, Ok(answer))
            }
            _ => continue,
        };
        machine.handle(input, at(seconds));
    }
    sent
}

fn refused(field: Field, text: &str) -> bool {
    let mut form = PolicyForm::default();
    form.set(field, text.into());
    form.check(MIN_POLL)
        .is_err_and(|errors| errors.iter().all(|error| error.field == field))
}

#[test]
fn a_bad_duration_is_refused_at_once_instead_of_becoming_zero() {
    for text in ["5", "abc", "1 h", "-1m", "", "1d"] {
        assert!(refused(Field::WaitTimeout, text), "{text}");
        assert!(refused(Field::PollEvery, text), "{text}");
    }
}

#[test]
fn a_percent_that_is_no_number_is_refused_instead_of_disabling_the_guard() {
    assert!(
        super::oracle::percent_is_accepted(f64::NAN),
        "the CLI lets it through"
    );
    for text in ["NaN", "nan", "inf", "0", "100.5", "half"] {
        assert!(refused(Field::RerunMaxFailurePercent, text), "{text}");
    }
}

#[test]
fn a_bad_fail_state_is_refused_before_hours_of_supervision() {
    assert!(refused(Field::FailOnStates, "Flaky"));
    assert!(refused(Field::FailOnStates, "Error,"));
}

#[test]
fn a_failed_read_is_retried_never_fatal() {
    let mut machine = started(Policy::default());
    let failing = || {
        Err(ApiError::new(
            "read the batch",
            ErrorKind::Unreachable,
            "offline",
        ))
    };
    settle(&mut machine, 0, failing, &[]);
    assert!(machine.state().verdict().is_none());
    assert_eq!(machine.failures(), 1);
    machine.handle(Input::Wake, at(120));
    settle(
        &mut machine,
        120,
        || Ok(batch("SUCCEEDED", "COMPLETE", 1)),
        &[test(1, "PASSED")],
    );
    let verdict = machine.state().verdict().expect("the batch has finished");
    assert_eq!(verdict.exit_code.number(), 0);
}

#[test]
fn a_stale_finished_status_never_burns_an_attempt() {
    let policy = Policy {
        max_rerun_attempts: 5,
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    };
    let mut machine = started(policy);
    let tests = [test(1, "ERROR"), test(2, "PASSED")];
    // The CLI reads at once after its POST and takes the old picture for the new run's end.
    let mut sent = settle(&mut machine, 0, || Ok(batch("ERROR", "ERROR", 1)), &tests);
    for seconds in (30..600).step_by(30) {
        machine.handle(Input::Wake, at(seconds));
        sent += settle(
            &mut machine,
            seconds,
            || Ok(batch("ERROR", "ERROR", 1)),
            &tests,
        );
    }
    assert_eq!(sent, 1);
    assert_eq!(machine.state().attempt, 1);
}

#[test]
fn a_batch_named_by_name_is_resolved_once_and_pinned() {
    let named = BatchRef::Name("nightly".into());
    let mut machine = Supervisor::start(Policy::default(), Limits::default(), named, at(0));
    let Some(Output::ResolveBatch(call, _)) = std::iter::from_fn(|| machine.poll_output())
        .find(|output| matches!(output, Output::ResolveBatch(..)))
    else {
        panic!("the name is looked up");
    };
    machine.handle(
        Input::Resolved(call, Ok((BatchId::from_u128(1), None))),
        at(0),
    );
    for seconds in (0..300).step_by(30) {
        while let Some(output) = machine.poll_output() {
            assert!(
                !matches!(output, Output::ResolveBatch(..)),
                "looked up again at {seconds} s"
            );
            if let Output::ReadBatch(call, id) = output {
                assert_eq!(id, BatchId::from_u128(1));
                let running = Box::new(batch("EXPERIENCES_RUNNING", "RUNNING", 1));
                machine.handle(Input::BatchRead(call, Ok(running)), at(seconds));
            }
        }
        machine.handle(Input::Wake, at(seconds + 30));
    }
}

#[test]
fn what_the_one_word_hides_keeps_the_code_and_is_said() {
    let policy = Policy {
        max_rerun_attempts: 0,
        rerun_on: retake_core::supervise::WatchedStates::parse("Warning").unwrap(),
        ..Policy::default()
    };
    let mut machine = started(policy);
    let tests = [test(1, "WARNING"), test(2, "BLOCKER"), test(3, "PASSED")];
    settle(
        &mut machine,
        0,
        || Ok(batch("SUCCEEDED", "BLOCKER", 1)),
        &tests,
    );
    let verdict = machine.state().verdict().expect("the batch has finished");
    assert_eq!(verdict.exit_code.number(), 0, "as the CLI exits");
    assert_eq!(verdict.outcome, Outcome::PassHidingFailures);
    assert!(!verdict.notes.is_empty());
}

#[test]
fn an_unknown_status_is_waited_on_instead_of_ending_the_run() {
    let mut machine = started(Policy::default());
    settle(
        &mut machine,
        0,
        || Ok(batch("HIBERNATING", "SHINY", 1)),
        &[],
    );
    assert!(machine.state().verdict().is_none());
}

#[test]
fn a_missing_status_is_waited_on_instead_of_ending_the_run() {
    let mut machine = started(Policy::default());
    let read = || Ok(Batch::new(BatchId::from_u128(1)));
    settle(&mut machine, 0, read, &[]);
    assert!(machine.state().verdict().is_none());
    for seconds in (30..=3630).step_by(30) {
        machine.handle(Input::Wake, at(seconds));
        settle(&mut machine, seconds, read, &[]);
    }
    let verdict = machine.state().verdict().expect("an hour has passed");
    assert_eq!(verdict.exit_code.number(), 6);
    assert_eq!(
        verdict.notes,
        ["The answers carried no status, so it was waited on."]
    );
}

#[test]
fn a_pass_after_a_rerun_says_so_and_names_the_tests() {
    let policy = Policy {
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    };
    let mut machine = started(policy);
    let failing = [test(1, "ERROR"), test(2, "PASSED")];
    let sent = settle(&mut machine, 0, || Ok(batch("ERROR", "ERROR", 1)), &failing);
    assert_eq!(sent, 1);
    machine.handle(Input::Wake, at(3000));
    settle(
        &mut machine,
        3000,
        || Ok(batch("SUCCEEDED", "COMPLETE", 2)),
        &[test(1, "PASSED"), test(2, "PASSED")],
    );
    machine.handle(Input::Wake, at(3100));
    settle(
        &mut machine,
        3100,
        || Ok(batch("SUCCEEDED", "COMPLETE", 2)),
        &[test(1, "PASSED"), test(2, "PASSED")],
    );
    let verdict = machine.state().verdict().expect("the rerun has finished");
    assert_eq!(verdict.exit_code.number(), 0);
    assert_eq!(verdict.outcome, Outcome::PassAfterRerun);
    let named: Vec<&str> = verdict
        .reruns
        .passed_after_rerun
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(named, ["t1"]);
}

#[test]
fn crashes_that_look_like_exit_2_do_not_exist() {
    // The CLI crashes with exit 2, which means ERROR, on an answer to a rerun without a batch
    // ID and on a success that is not labelled as JSON. Ours goes on to the verdict.
    let mut machine = started(Policy {
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    });
    let mut posts = 0;
    let mut unreadable = 0;
    for seconds in (0..600).step_by(30) {
        machine.handle(Input::Wake, at(seconds));
        while let Some(output) = machine.poll_output() {
            let input = match output {
                Output::ReadBatch(call, _) if posts == 1 && unreadable == 0 => {
                    unreadable += 1;
                    let page = "expected JSON, the answer is labelled text/html";
                    let error = ApiError::new("read the batch", ErrorKind::Unreadable, page);
                    Input::BatchRead(call, Err(error))
                }
                Output::ReadBatch(call, id) => {
                    assert_eq!(id, BatchId::from_u128(1), "the batch that it is about");
                    let read = match posts {
                        0 => batch("ERROR", "ERROR", 1),
                        _ => batch("SUCCEEDED", "COMPLETE", 2),
                    };
                    Input::BatchRead(call, Ok(Box::new(read)))
                }
                Output::ReadTests(call, _) => {
                    let word = if posts == 0 { "ERROR" } else { "PASSED" };
                    Input::TestsRead(call, Ok(vec![test(1, word)]))
                }
                Output::StoreIntent(call, _) => Input::Stored(call, Ok(())),
                Output::SendRerun(call, ..) => {
                    posts += 1;
                    let empty = retake_core::api::RerunAnswer {
                        batch_id: None,
                        run_counter: None,
                        test_ids: Vec::new(),
                    };
                    Input::RerunAnswered(call, Ok(empty))
                }
                _ => continue,
            };
            machine.handle(input, at(seconds));
        }
    }
    assert_eq!((posts, unreadable), (1, 1));
    assert_eq!(machine.state().attempt, 1);
    let verdict = machine.state().verdict().expect("run 2 has finished");
    assert_eq!(verdict.exit_code.number(), 0);
    assert_eq!(verdict.outcome, Outcome::PassAfterRerun);
    let code = exit_code(None, None, Policy::default().fail_filter()).0;
    assert_eq!(code.number(), 1, "no status is exit 1, not 2");
}

#[test]
fn a_platform_that_cleans_up_for_longer_than_a_minute_is_waited_for() {
    let policy = Policy {
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    };
    let mut machine = started(policy);
    let mut now = 0;
    let mut posts = 0;
    // The CLI ends with exit code 1 at its third 409, after 60 s.
    while machine.state().verdict().is_none() && posts < 4 {
        while let Some(output) = machine.poll_output() {
            let input = match output {
                Output::ReadBatch(call, _) => {
                    Input::BatchRead(call, Ok(Box::new(batch("ERROR", "ERROR", 1))))
                }
                Output::ReadTests(call, _) => Input::TestsRead(call, Ok(vec![test(1, "ERROR")])),
                Output::StoreIntent(call, _) => Input::Stored(call, Ok(())),
                Output::SendRerun(call, ..) => {
                    posts += 1;
                    let busy = ApiError::new("rerun", ErrorKind::Busy, "cleaning up");
                    Input::RerunAnswered(call, Err(busy))
                }
                _ => continue,
            };
            machine.handle(input, at(now));
        }
        now += 30;
        machine.handle(Input::Wake, at(now));
    }
    assert_eq!(posts, 4);
    assert!(machine.state().verdict().is_none(), "it goes on trying");
}
