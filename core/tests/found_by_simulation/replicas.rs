//! What the simulation found where a replica lags behind.

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::{Batch, BatchStatus, ConflatedStatus, RunCounter, StatusChange, Test},
    rerun::Limits,
    supervise::{BatchRef, CallId, Input, Output, PauseReason, Phase, Policy, Supervisor},
};

use crate::{BATCH, HOUR, batch, drain, now, question, read, reading, started, test};

/// Accepts the first rerun, of test 1, and gives the question after it.
pub(crate) fn rerun_accepted(
    picture: Batch,
    tests: Vec<Test>,
    answer_run: Option<i64>,
) -> (Supervisor, CallId) {
    let (mut it, asked) = reading(picture.clone());
    it.handle(Input::TestsRead(asked, Ok(tests)), now(2, 2));
    let asked = question(&drain(&mut it));
    let outputs = read(&mut it, asked, picture, now(3, 3));
    it.handle(Input::Stored(question(&outputs), Ok(())), now(4, 4));
    let post = question(&drain(&mut it));
    let answer = retake_core::api::RerunAnswer {
        batch_id: None,
        run_counter: answer_run.map(RunCounter),
        test_ids: Vec::new(),
    };
    it.handle(Input::RerunAnswered(post, Ok(answer)), now(5, 5));
    let asked = question(&drain(&mut it));
    (it, asked)
}

pub(crate) fn one_failing() -> Vec<Test> {
    vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Passed),
    ]
}

/// Every test at this start.
pub(crate) fn started_at(mut tests: Vec<Test>, seconds: [i64; 2]) -> Vec<Test> {
    for (test, seconds) in tests.iter_mut().zip(seconds) {
        test.last_run = Some(now(seconds, 0).wall);
    }
    tests
}

#[test]
fn a_quick_reruns_listing_may_be_of_the_run_before() {
    let (mut it, asked) = rerun_accepted(batch(BatchStatus::Error, 1), one_failing(), Some(2));
    let outputs = read(
        &mut it,
        asked,
        batch(BatchStatus::Succeeded, 2),
        now(20, 20),
    );
    let asked = question(&outputs);
    // It took 15 s; a replica that is 20 s behind still shows the old failure.
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(21, 21));
    assert_eq!(it.state().phase, Phase::Reading);
    assert_eq!(it.next_due(), Some(now(51, 0).wall));
    it.handle(Input::Wake, now(51, 51));
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(52, 52));
    // A minute after the start, no replica is that far behind.
    assert_eq!(it.next_due(), Some(now(65, 0).wall));
    it.handle(Input::Wake, now(65, 65));
    let asked = question(&drain(&mut it));
    let passed = vec![
        test(1, ConflatedStatus::Passed),
        test(2, ConflatedStatus::Passed),
    ];
    it.handle(Input::TestsRead(asked, Ok(passed)), now(66, 66));
    assert_eq!(it.state().phase, Phase::Deciding);
}

#[test]
fn a_listing_that_shows_the_new_start_of_the_rerun_tests_needs_no_wait() {
    let with_start = |run, seconds| {
        let mut batch = batch(BatchStatus::Error, run);
        batch.last_run = Some(now(seconds, 0).wall);
        batch
    };
    let both_failing = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Error),
    ];
    let listed = |failing: &[Test], seconds| {
        let before = started_at(failing.to_vec(), [-100, -100]);
        let (mut it, asked) = rerun_accepted(with_start(1, -100), before, Some(2));
        let asked = question(&read(&mut it, asked, with_start(2, 5), now(20, 20)));
        let tests = started_at(failing.to_vec(), seconds);
        it.handle(Input::TestsRead(asked, Ok(tests)), now(21, 21));
        it.state().phase.clone()
    };
    let one = one_failing();
    assert_eq!(listed(&one, [-100, -100]), Phase::Reading);
    // Test 2 is not the one that was to run.
    assert_eq!(listed(&one, [-100, 5]), Phase::Reading);
    assert_eq!(listed(&one, [5, -100]), Phase::Deciding);
    // One page is new, the other one old.
    assert_eq!(listed(&both_failing, [-100, 5]), Phase::Reading);
    assert_eq!(listed(&both_failing, [5, 5]), Phase::Deciding);
}

#[test]
fn a_start_that_lies_ahead_after_the_clock_was_set_back_holds_up_for_a_minute_only() {
    let (mut it, asked) = rerun_accepted(batch(BatchStatus::Error, 1), one_failing(), Some(2));
    read(
        &mut it,
        asked,
        batch(BatchStatus::ExperiencesRunning, 2),
        now(20, 20),
    );
    it.handle(Input::Pause(PauseReason::ByPerson), now(21, 21));
    it.handle(Input::Resume, now(30 - 24 * HOUR, 30));
    let began = it.state().began.as_ref().map(|run| run.at);
    assert!(began.is_some_and(|at| at <= now(30 - 24 * HOUR, 0).wall));
}

/// A rerun whose answer was lost, decided on this picture; gives the question
/// that looks for it.
pub(crate) fn rerun_lost(picture: &Batch) -> (Supervisor, CallId) {
    let (mut it, asked) = reading(picture.clone());
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(2, 2));
    let asked = question(&drain(&mut it));
    let outputs = read(&mut it, asked, picture.clone(), now(3, 3));
    it.handle(Input::Stored(question(&outputs), Ok(())), now(4, 4));
    let post = question(&drain(&mut it));
    let lost = ApiError::new("rerun", ErrorKind::TimedOut, "lost");
    it.handle(Input::RerunAnswered(post, Err(lost)), now(5, 5));
    let asked = question(&drain(&mut it));
    (it, asked)
}

/// A batch whose status last changed then, of an API that counts no runs.
pub(crate) fn with_history(status: BatchStatus, seconds: i64) -> Batch {
    let mut batch = batch(status.clone(), 1);
    batch.run_counter = None;
    batch.history = vec![StatusChange {
        status,
        at: Some(now(seconds, 0).wall),
    }];
    batch
}

#[test]
fn what_proved_a_run_proves_no_later_read() {
    let (mut it, asked) = rerun_lost(&batch(BatchStatus::Error, 1));
    let new = batch(BatchStatus::ExperiencesRunning, 2);
    let asked = question(&read(&mut it, asked, new, now(6, 6)));
    assert_eq!(it.state().attempt, 1, "the counter showed the run");
    // The next read is old, and its counter is missing.
    let mut old = batch(BatchStatus::Error, 1);
    old.run_counter = None;
    read(&mut it, asked, old, now(7, 7));
    assert_eq!(it.state().phase, Phase::Waiting, "it ends nothing");
}

#[test]
fn a_change_of_status_that_proved_a_run_makes_earlier_ones_old() {
    let old = with_history(BatchStatus::Error, -50);
    let (mut it, asked) = rerun_lost(&old);
    let new = with_history(BatchStatus::ExperiencesRunning, 5);
    let asked = question(&read(&mut it, asked, new, now(6, 6)));
    assert_eq!(it.state().attempt, 1, "the history showed the run");
    read(&mut it, asked, old, now(7, 7));
    assert_eq!(it.state().phase, Phase::Waiting, "the old end ends nothing");
}

#[test]
fn an_old_picture_takes_no_place_of_a_newer_one() {
    let policy = Policy {
        max_rerun_attempts: 0,
        ..Policy::default()
    };
    let mut it = Supervisor::start(policy, Limits::default(), BatchRef::Id(BATCH), now(0, 0));
    let asked = question(&drain(&mut it));
    let asked = question(&read(
        &mut it,
        asked,
        batch(BatchStatus::Succeeded, 2),
        now(1, 1),
    ));
    let down = ApiError::new("list the tests", ErrorKind::Server, "down");
    it.handle(Input::TestsRead(asked, Err(down)), now(2, 2));
    it.handle(Input::Wake, now(62, 62));
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(63, 63));
    let mut asked = question(&drain(&mut it));
    // Whoever confirms is a replica that shows the run before.
    for seconds in 64..66 {
        let outputs = read(
            &mut it,
            asked,
            batch(BatchStatus::Error, 1),
            now(seconds, seconds),
        );
        it.handle(
            Input::TestsRead(question(&outputs), Ok(one_failing())),
            now(seconds, seconds),
        );
        asked = question(&drain(&mut it));
    }
    read(&mut it, asked, batch(BatchStatus::Error, 1), now(66, 66));
    // The batch is looked at once more; then the tests stay away.
    for seconds in (100..400).step_by(35) {
        let at = now(seconds, seconds);
        it.handle(Input::Wake, at);
        while let Some(output) = it.poll_output() {
            let down = ApiError::new("list the tests", ErrorKind::Server, "down");
            let input = match output {
                Output::ReadBatch(call, _) => {
                    Input::BatchRead(call, Ok(Box::new(batch(BatchStatus::Succeeded, 2))))
                }
                Output::ReadTests(call, _) => Input::TestsRead(call, Err(down)),
                _ => continue,
            };
            it.handle(input, at);
        }
    }
    let verdict = it.state().verdict().expect("it needs no tests");
    assert_eq!(verdict.exit_code.number(), 0, "{verdict:?}");
}

#[test]
fn what_a_moved_batch_showed_is_remembered() {
    let (mut it, asked) = reading(with_history(BatchStatus::Succeeded, -50));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(2, 2));
    let asked = question(&drain(&mut it));
    // Somebody reran it; then a replica shows the end of the run before.
    read(
        &mut it,
        asked,
        with_history(BatchStatus::Submitted, 1),
        now(3, 3),
    );
    it.handle(Input::Wake, now(40, 40));
    let asked = question(&drain(&mut it));
    read(
        &mut it,
        asked,
        with_history(BatchStatus::Succeeded, -50),
        now(41, 41),
    );
    assert_eq!(it.state().phase, Phase::Waiting);
}

#[test]
fn each_run_has_its_own_minute_in_which_a_listed_test_may_not_run() {
    let uncounted = |status| {
        let mut batch = batch(status, 1);
        batch.run_counter = None;
        batch
    };
    let (mut it, asked) = reading(uncounted(BatchStatus::Error));
    let unfinished = vec![
        test(1, ConflatedStatus::Running),
        test(2, ConflatedStatus::Passed),
    ];
    let down = ApiError::new("list the tests", ErrorKind::Server, "down");
    it.handle(Input::TestsRead(asked, Err(down)), now(2, 2));
    it.handle(Input::Wake, now(90, 90));
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(91, 91));
    let asked = question(&drain(&mut it));
    // Somebody else runs it for five minutes.
    read(
        &mut it,
        asked,
        uncounted(BatchStatus::ExperiencesRunning),
        now(92, 92),
    );
    it.handle(Input::Wake, now(400, 400));
    let asked = question(&drain(&mut it));
    let asked = question(&read(
        &mut it,
        asked,
        uncounted(BatchStatus::Error),
        now(401, 401),
    ));
    it.handle(Input::TestsRead(asked, Ok(unfinished)), now(402, 402));
    assert_eq!(it.state().phase, Phase::Reading);
}

#[test]
fn a_quick_run_of_somebody_else_without_a_counter_is_a_run_of_its_own() {
    let (mut it, asked) = reading(with_history(BatchStatus::Error, -50));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(2, 2));
    let asked = question(&drain(&mut it));
    // It began and ended between two looks; the listing may lag behind it.
    let newer = with_history(BatchStatus::Error, 20);
    let asked = question(&read(&mut it, asked, newer, now(25, 25)));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(26, 26));
    assert_eq!(it.state().phase, Phase::Reading);
    assert!(it.next_due().is_some());
}

#[test]
fn a_fence_without_marks_does_not_outlive_a_cancelled_run() {
    let unmarked = |status| {
        let mut batch = batch(status, 1);
        batch.run_counter = None;
        batch
    };
    let (mut it, asked) = rerun_accepted(unmarked(BatchStatus::Error), one_failing(), None);
    let cancelled = unmarked(BatchStatus::Cancelled);
    let mut asked = question(&read(&mut it, asked, cancelled, now(20, 20)));
    // Somebody ran it again: every look shows the end of that run.
    for seconds in 21..30 {
        let at = now(seconds, seconds);
        it.handle(Input::TestsRead(asked, Ok(one_failing())), at);
        asked = question(&drain(&mut it));
        let outputs = read(&mut it, asked, unmarked(BatchStatus::Succeeded), at);
        if it.state().phase != Phase::Waiting {
            break;
        }
        asked = question(&outputs);
    }
    let seen = it.state().verdict().map(|it| it.exit_code.number());
    assert_ne!(seen, Some(5), "the cancelled run is not the last one");
}

#[test]
fn one_look_that_differs_after_a_finished_one_times_out_nothing() {
    let (mut it, asked) = started();
    read(
        &mut it,
        asked,
        batch(BatchStatus::ExperiencesRunning, 1),
        now(1, 1),
    );
    let mut seconds = 1;
    let asked = loop {
        seconds += 30;
        it.handle(Input::Wake, now(seconds, seconds));
        let call = question(&drain(&mut it));
        if seconds >= HOUR - 10 {
            break call;
        }
        read(
            &mut it,
            call,
            batch(BatchStatus::ExperiencesRunning, 1),
            now(seconds, seconds),
        );
    };
    let outputs = read(
        &mut it,
        asked,
        batch(BatchStatus::Succeeded, 1),
        now(seconds, seconds),
    );
    let down = ApiError::new("list the tests", ErrorKind::Server, "down");
    it.handle(
        Input::TestsRead(question(&outputs), Err(down)),
        now(seconds + 1, seconds + 1),
    );
    it.handle(Input::Wake, now(HOUR + 5, HOUR + 5));
    let asked = question(&drain(&mut it));
    it.handle(
        Input::TestsRead(asked, Ok(one_failing())),
        now(HOUR + 6, HOUR + 6),
    );
    let asked = question(&drain(&mut it));
    // A replica that lags behind still shows it running, after the deadline.
    let running = batch(BatchStatus::ExperiencesRunning, 1);
    read(&mut it, asked, running.clone(), now(HOUR + 7, HOUR + 7));
    assert_eq!(it.state().phase, Phase::Waiting);
    it.handle(Input::Wake, now(HOUR + 80, HOUR + 80));
    let asked = question(&drain(&mut it));
    read(&mut it, asked, running, now(HOUR + 81, HOUR + 81));
    let code = it.state().verdict().map(|it| it.exit_code.number());
    assert_eq!(code, Some(6), "what runs a minute later truly runs");
}

#[test]
fn somebody_elses_quick_run_is_listed_for_good_after_a_minute() {
    let with_start = |run, seconds| {
        let mut batch = batch(BatchStatus::Error, run);
        batch.last_run = Some(now(seconds, 0).wall);
        batch
    };
    let (mut it, asked) = reading(with_start(1, -100));
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(2, 2));
    let asked = question(&drain(&mut it));
    let mut running = with_start(2, 3);
    running.status = Some(BatchStatus::Submitted);
    read(&mut it, asked, running, now(3, 3));
    it.handle(Input::Wake, now(33, 33));
    let asked = question(&drain(&mut it));
    let asked = question(&read(&mut it, asked, with_start(2, 3), now(34, 34)));
    // One page shows the new run; the other one may not, and nobody can tell.
    let tests = started_at(one_failing(), [-100, 3]);
    it.handle(Input::TestsRead(asked, Ok(tests.clone())), now(35, 35));
    assert_eq!(it.state().phase, Phase::Reading);
    it.handle(Input::Wake, now(64, 64));
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(tests)), now(65, 65));
    assert_eq!(it.state().phase, Phase::Deciding);
}

#[test]
fn a_rerun_is_not_decided_on_answers_that_lack_what_earlier_ones_had() {
    let (mut it, asked) = started();
    read(
        &mut it,
        asked,
        batch(BatchStatus::ExperiencesRunning, 1),
        now(1, 1),
    );
    it.handle(Input::Wake, now(91, 91));
    // Masked for once, twice: a fence of it would rest on an older mark (seed 5881685).
    let mut masked = batch(BatchStatus::Error, 1);
    masked.run_counter = None;
    let asked = question(&drain(&mut it));
    let outputs = read(&mut it, asked, masked.clone(), now(92, 92));
    assert_eq!(it.state().phase, Phase::Reading);
    it.handle(
        Input::TestsRead(question(&outputs), Ok(one_failing())),
        now(93, 93),
    );
    let confirm = question(&drain(&mut it));
    read(&mut it, confirm, masked, now(94, 94));
    assert_eq!(it.state().phase, Phase::Reading, "it is listed again");
    assert!(it.submission().is_none());
}
