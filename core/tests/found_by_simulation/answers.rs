//! What the simulation found where an answer is poorer than the ones before, or counts
//! otherwise than it lists.

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::{
        Batch, BatchStatus, ConflatedBatchStatus, ConflatedStatus, MetricsCounts, StatusCounts,
        Test,
    },
    rerun::Limits,
    supervise::{BatchRef, CallId, Input, Output, Phase, Policy, Supervisor},
};

use crate::{
    BATCH, batch, drain, now, question, read, reading,
    replicas::{one_failing, started_at},
    test,
};

/// The batch's own counts: so many of its two tests in ERROR.
fn counted(mut batch: Batch, error: u64) -> Batch {
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

fn one_running() -> Vec<Test> {
    vec![
        test(1, ConflatedStatus::Running),
        test(2, ConflatedStatus::Passed),
    ]
}

/// Lists these tests at every look, from the one that is open; gives the second at which they
/// are believed. Whoever asks looks again when it wants to.
fn believed_at(it: &mut Supervisor, list: CallId, asked_at: i64, tests: &[Test]) -> i64 {
    let (mut list, mut at) = (list, asked_at);
    loop {
        it.handle(Input::TestsRead(list, Ok(tests.to_vec())), now(at, at));
        if it.state().phase != Phase::Reading || at > 300 {
            return at;
        }
        let mut asked = drain(it);
        let asks = |output: &Output| matches!(output, Output::ReadTests(..));
        if !asked.iter().any(asks) {
            let due = it.next_due().expect("it looks again").since(now(0, 0).wall);
            at = i64::try_from(due.as_secs()).expect("a few minutes");
            it.handle(Input::Wake, now(at, at));
            asked = drain(it);
        }
        list = question(&asked);
    }
}

#[test]
fn after_a_test_was_listed_as_running_the_next_listing_waits_until_no_replica_hides_that_run() {
    let (mut it, list) = reading(counted(batch(BatchStatus::Error, 1), 1));
    // Somebody reran it: the batch comes from a replica that lags, the tests do not.
    it.handle(Input::TestsRead(list, Ok(one_running())), now(2, 2));
    let list = question(&drain(&mut it));
    // It is over by the next listing, and ended alike. The sight was asked for at 1 s.
    assert_eq!(believed_at(&mut it, list, 3, &one_failing()), 61);
}

#[test]
fn a_test_that_runs_in_a_finished_batch_is_believed_a_minute_after_its_first_sight() {
    let (mut it, list) = reading(counted(batch(BatchStatus::Error, 1), 1));
    // The tests cannot be listed for a while; by then somebody reran it (seed 17222432).
    let dropped = ApiError::new("list the tests", ErrorKind::Unreachable, "dropped");
    it.handle(Input::TestsRead(list, Err(dropped)), now(2, 2));
    it.handle(Input::Wake, now(90, 90));
    let list = question(&drain(&mut it));
    let at = believed_at(&mut it, list, 90, &one_running());
    assert!(
        (150..=180).contains(&at),
        "{at}: not a minute after its end"
    );
}

#[test]
fn a_test_that_ran_in_an_earlier_run_says_nothing_of_a_later_one() {
    let of_run = |run, start| {
        let mut picture = counted(batch(BatchStatus::Error, run), 1);
        picture.last_run = Some(now(start, 0).wall);
        picture
    };
    // Listed while somebody's run begins, which the batch does not show yet.
    let (mut it, list) = reading(of_run(1, -200));
    let begun = started_at(one_running(), [1, -200]);
    it.handle(Input::TestsRead(list, Ok(begun)), now(2, 2));
    assert_eq!(it.state().phase, Phase::Waiting);
    it.handle(Input::Wake, now(60, 60));
    let look = question(&drain(&mut it));
    let mut running = of_run(2, 1);
    running.status = Some(BatchStatus::ExperiencesRunning);
    read(&mut it, look, running, now(61, 61));
    // An hour later that run is over, and one page comes from a replica that lags.
    it.handle(Input::Wake, now(3_600, 3_600));
    let look = question(&drain(&mut it));
    let list = question(&read(&mut it, look, of_run(2, 1), now(3_601, 3_601)));
    let old_page = started_at(one_running(), [1, -200]);
    it.handle(Input::TestsRead(list, Ok(old_page)), now(3_602, 3_602));
    assert_eq!(it.state().phase, Phase::Reading, "not taken for whole");
}

#[test]
fn tests_that_start_later_than_their_batch_may_be_of_the_next_run_once_they_start_later_still() {
    let mut picture = counted(batch(BatchStatus::Error, 1), 1);
    picture.last_run = Some(now(-200, 0).wall);
    let listed = |seconds| started_at(one_failing(), [seconds, -200]);
    let (mut it, mut list) = reading(picture.clone());
    // So this deployment stamps: doubted for a minute, then believed.
    let mut at = 1;
    let mut look = |it: &mut Supervisor, list, seconds| {
        it.handle(Input::TestsRead(list, Ok(listed(seconds))), now(at, at));
        let phase = it.state().phase.clone();
        at += 70;
        it.handle(Input::Wake, now(at, at));
        let asked = question(&drain(it));
        (
            phase,
            question(&read(it, asked, picture.clone(), now(at, at))),
        )
    };
    let phase;
    (phase, list) = look(&mut it, list, -150);
    assert_eq!(phase, Phase::Waiting);
    // Somebody's run: one test starts later than any before, and the batch still lags.
    let (phase, _) = look(&mut it, list, 60);
    assert_eq!(phase, Phase::Waiting, "not taken for how they are stamped");
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
    // Where the API counts otherwise than it lists, it does so again after another look.
    it.handle(Input::Wake, now(40, 40));
    let look = question(&drain(&mut it));
    let list = question(&read(&mut it, look, picture, now(41, 41)));
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(42, 42));
    assert_eq!(it.state().phase, Phase::Deciding);
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
