//! What the simulation found where an answer is poorer than the ones before, or counts
//! otherwise than it lists.

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::{Batch, BatchStatus, ConflatedBatchStatus, MetricsCounts, StatusCounts, Test},
    rerun::Limits,
    supervise::{BatchRef, Input, Output, Phase, Policy, Supervisor},
};

use crate::{BATCH, batch, drain, now, question, read, reading, replicas::one_failing};

/// The batch's own counts: so many of its two tests in ERROR.
pub(crate) fn counted(mut batch: Batch, error: u64) -> Batch {
    batch.conflated = Some(ConflatedBatchStatus::Error);
    batch.status_counts = Some(StatusCounts {
        error,
        succeeded: 2 - error,
        ..StatusCounts::default()
    });
    batch.metrics_counts = Some(MetricsCounts {
        passed: 2 - error,
        ..MetricsCounts::default()
    });
    batch
}

/// A supervision for this many minutes, from its start: its reads of the batch are answered in
/// turn, the last answer stays, and its listings by what `lists` gives at that second.
fn supervised(
    attempts: u32,
    minutes: i64,
    answers: &[Batch],
    lists: impl Fn(i64) -> Result<Vec<Test>, ApiError>,
) -> Supervisor {
    let policy = Policy {
        max_rerun_attempts: attempts,
        ..Policy::default()
    };
    let mut it = Supervisor::start(policy, Limits::default(), BatchRef::Id(BATCH), now(0, 0));
    let (last, mut first) = (answers.last().expect("an answer"), answers.iter());
    for seconds in (0..minutes * 60).step_by(35) {
        let at = now(seconds, seconds);
        it.handle(Input::Wake, at);
        while let Some(output) = it.poll_output() {
            let input = match output {
                Output::ReadBatch(call, _) => {
                    let answer = first.next().unwrap_or(last).clone();
                    Input::BatchRead(call, Ok(Box::new(answer)))
                }
                Output::ReadTests(call, _) => Input::TestsRead(call, lists(seconds)),
                _ => continue,
            };
            it.handle(input, at);
        }
    }
    assert!(first.next().is_none(), "every answer was read");
    it
}

fn broken() -> ApiError {
    ApiError::new("list the tests", ErrorKind::Unreadable, "broken")
}

#[test]
fn a_listing_without_starts_that_the_batch_counts_otherwise_is_read_again() {
    let picture = counted(batch(BatchStatus::Error, 1), 2);
    let (mut it, list) = reading(picture.clone());
    // Somebody's rerun is over, and the batch comes from a replica that lags (seed 4412306).
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
    assert_eq!(it.state().phase, Phase::Waiting);
    // Where the API counts otherwise than it lists, it does so for longer than one can lag.
    for (at, phase) in [(40, Phase::Waiting), (80, Phase::Deciding)] {
        it.handle(Input::Wake, now(at, at));
        let look = question(&drain(&mut it));
        let list = question(&read(&mut it, look, picture.clone(), now(at, at)));
        it.handle(Input::TestsRead(list, Ok(one_failing())), now(at, at));
        assert_eq!(it.state().phase, phase, "at {at} s");
    }
}

#[test]
fn no_verdict_rests_on_an_answer_that_lacks_the_outcome_which_earlier_ones_had() {
    let mut said = batch(BatchStatus::Succeeded, 1);
    said.conflated = Some(ConflatedBatchStatus::Blocker);
    let mut silent = said.clone();
    silent.conflated = None;
    // No rerun is allowed, so a verdict needs no tests, which cannot be listed. One answer lacks
    // the outcome: without it SUCCEEDED would exit 0 (seeds 8032331, 10603147).
    let answers = [said.clone(), silent, said];
    let it = supervised(0, 60, &answers, |seconds| match seconds {
        // So the first answer, which had it, decides nothing yet.
        0 => Ok(one_failing()),
        _ => Err(broken()),
    });
    let code = it.state().verdict().map(|it| it.exit_code.number());
    assert_eq!(code, Some(7));
}

#[test]
fn no_verdict_without_the_tests_rests_on_one_old_answer() {
    // Somebody ran a cancelled batch again. The first answer of that run has lost its counter, and
    // a replica shows how the run before ended; the tests stay away (seed 11410183).
    let mut unmarked = batch(BatchStatus::ExperiencesRunning, 1);
    unmarked.run_counter = None;
    let answers = [unmarked.clone(), batch(BatchStatus::Cancelled, 1), unmarked];
    let it = supervised(1, 10, &answers, |_| Err(broken()));
    assert_eq!(it.state().verdict(), None);
}

#[test]
fn an_answer_that_lacks_the_outcome_takes_no_place_of_one_that_had_it() {
    let said = counted(batch(BatchStatus::Error, 1), 1);
    let mut silent = said.clone();
    silent.conflated = None;
    let (mut it, list) = reading(said.clone());
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
    let confirm = question(&drain(&mut it));
    let list = question(&read(&mut it, confirm, silent, now(3, 3)));
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(4, 4));
    let confirm = question(&drain(&mut it));
    // It is the picture of before, so this one decides.
    read(&mut it, confirm, said, now(5, 5));
    assert_eq!(it.state().phase, Phase::Rerunning);
}
