//! What the simulation found, each told once in a few steps.

mod answers;
mod doubt;
mod replicas;
mod running;
mod sleep;

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind, RerunRequest},
    domain::{
        Batch, BatchId, BatchStatus, ConflatedStatus, RunCounter, StatusChange, Test, TestId,
        Timestamp,
    },
    rerun::{Fence, Intent, Limits},
    supervise::{
        BatchRef, CallId, Event, Input, Now, Opened, Output, PauseReason, Phase, Policy, Record,
        Seat, SeatInput, SeatOutput, Seen, Supervisor,
    },
};

const BATCH: BatchId = BatchId::from_u128(1);
const HOUR: i64 = 3600;

/// The clocks, in seconds: what the wall shows, and what has truly passed.
fn now(wall: i64, mono: i64) -> Now {
    Now {
        wall: Timestamp::from_millis((1_000_000 + wall) * 1000),
        mono: Duration::from_secs(mono.unsigned_abs()),
        dice: 7,
    }
}

fn batch(status: BatchStatus, run: i64) -> Batch {
    let mut batch = Batch::new(BATCH);
    batch.status = Some(status);
    batch.run_counter = Some(RunCounter(run));
    batch.total_tests = Some(2);
    batch
}

fn test(n: u128, status: ConflatedStatus) -> Test {
    let mut test = Test::new(TestId::from_u128(n), "");
    test.conflated = Some(status);
    test
}

/// Performs nothing, and gives what was wanted.
fn drain(it: &mut Supervisor) -> Vec<Output> {
    std::iter::from_fn(|| it.poll_output()).collect()
}

/// The question to the API that is open.
fn question(outputs: &[Output]) -> CallId {
    outputs
        .iter()
        .find_map(|output| match output {
            Output::ReadBatch(call, _)
            | Output::ReadTests(call, _)
            | Output::StoreIntent(call, _)
            | Output::SendRerun(call, ..) => Some(*call),
            _ => None,
        })
        .expect("something is asked")
}

fn started() -> (Supervisor, CallId) {
    let policy = Policy {
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    };
    let mut it = Supervisor::start(policy, Limits::default(), BatchRef::Id(BATCH), now(0, 0));
    let asked = question(&drain(&mut it));
    (it, asked)
}

fn read(it: &mut Supervisor, call: CallId, batch: Batch, now: Now) -> Vec<Output> {
    it.handle(Input::BatchRead(call, Ok(Box::new(batch))), now);
    drain(it)
}

/// A supervision that was begun two minutes ago on a batch that had finished, and is
/// taken up now: at the first listing of this life.
fn taken_up(picture: Batch) -> (Supervisor, CallId) {
    let mut records = started().0.log().to_vec();
    records[0].at = now(-120, 0).wall;
    records.push(Record {
        seq: 1,
        at: now(-119, 0).wall,
        event: Event::Finished {
            seen: Seen::of(&picture),
            unproven: false,
        },
    });
    let mut it = Supervisor::restore(records, now(0, 0)).expect("it begins with a start");
    let asked = question(&drain(&mut it));
    let outputs = read(&mut it, asked, picture, now(1, 1));
    assert_eq!(it.state().phase, Phase::Reading);
    (it, question(&outputs))
}

/// The same at the first listing that can decide: that no answer carries a mark of its run is
/// taken for true after four of them.
fn reading(picture: Batch) -> (Supervisor, CallId) {
    let is_blind = Fence::at(&picture).is_blind();
    let (mut it, mut list) = taken_up(picture.clone());
    for _ in 0..if is_blind { 2 } else { 0 } {
        let tests = replicas::one_failing();
        it.handle(Input::TestsRead(list, Ok(tests)), now(1, 1));
        let confirm = question(&drain(&mut it));
        list = question(&read(&mut it, confirm, picture.clone(), now(1, 1)));
    }
    (it, list)
}

#[test]
fn a_clock_set_back_during_a_question_does_not_end_the_wait() {
    let (mut it, asked) = started();
    read(
        &mut it,
        asked,
        batch(BatchStatus::ExperiencesRunning, 1),
        now(-2 * HOUR, 1),
    );
    assert_eq!(it.state().phase, Phase::Waiting);
}

#[test]
fn a_question_that_is_lost_when_the_clock_is_set_back_is_asked_again_at_once() {
    let (mut it, _) = started();
    // The timer of 90 s fires, and the clock shows the day before.
    it.handle(Input::Wake, now(90 - 24 * HOUR, 90));
    let outputs = drain(&mut it);
    let asks = |output: &Output| matches!(output, Output::ReadBatch(..));
    assert!(outputs.iter().any(asks), "{outputs:?}");
}

fn intent() -> Intent {
    let ids = vec![TestId::from_u128(1)].try_into().expect("one test");
    Intent {
        batch: BATCH,
        fence: Fence::at(&batch(BatchStatus::Error, 1)),
        request: RerunRequest::tests(ids),
        attempt: 1,
        epoch: 0,
        at: now(1, 1).wall,
        tests: Vec::new(),
    }
}

#[test]
fn the_first_look_after_a_restore_may_get_lost() {
    let (it, _) = started();
    let mut records = it.log().to_vec();
    records.push(Record {
        seq: 1,
        at: now(1, 1).wall,
        event: Event::Intent(Box::new(intent())),
    });
    let mut restored = Supervisor::restore(records, now(5, 0)).expect("it restores");
    let outputs = drain(&mut restored);
    assert!(
        outputs.iter().any(|it| matches!(it, Output::WakeAt(_))),
        "{outputs:?}"
    );
}

fn paused() -> Supervisor {
    let (mut it, _) = started();
    it.handle(Input::Pause(PauseReason::ByPerson), now(60, 60));
    it
}

#[test]
fn a_pause_across_two_pages_does_not_count() {
    let mut it = paused();
    for minutes in [10, 20] {
        let records = it.log().to_vec();
        it = Supervisor::restore(records, now(minutes * 60, 0)).expect("it restores");
    }
    it.handle(Input::Resume, now(30 * 60, 600));
    let waited = 60;
    assert_eq!(it.state().deadline(), now(30 * 60 - waited + HOUR, 0).wall);
}

#[test]
fn a_clock_set_back_in_a_pause_or_an_absence_moves_the_deadline_with_it() {
    let mut it = paused();
    it.handle(Input::Resume, now(120 - 24 * HOUR, 120));
    assert_eq!(
        it.state().deadline(),
        now(60 - 24 * HOUR + HOUR, 0).wall.after(Duration::ZERO)
    );

    let (it, _) = started();
    let restored = Supervisor::restore(it.log().to_vec(), now(-24 * HOUR, 0)).expect("restores");
    assert_eq!(restored.state().deadline(), now(-23 * HOUR, 0).wall);
}

#[test]
fn a_nap_during_a_listing_is_a_nap() {
    let (mut it, asked) = reading(batch(BatchStatus::Error, 1));
    let deadline = it.state().deadline();
    // The clock that never jumps goes on in sleep on some systems.
    it.handle(Input::TestsRead(asked, Ok(Vec::new())), now(601, 601));
    let moved = it.state().deadline().since(deadline);
    assert!(moved >= Duration::from_secs(600 - 150), "{moved:?}");
}

#[test]
fn a_pause_that_is_taken_back_before_the_answer_does_not_pause() {
    let (mut it, asked) = reading(batch(BatchStatus::Error, 1));
    let tests = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Passed),
    ];
    it.handle(Input::TestsRead(asked, Ok(tests)), now(2, 2));
    let asked = question(&drain(&mut it));
    let outputs = read(&mut it, asked, batch(BatchStatus::Error, 1), now(3, 3));
    it.handle(Input::Stored(question(&outputs), Ok(())), now(4, 4));
    let post = question(&drain(&mut it));
    it.handle(Input::Pause(PauseReason::ByPerson), now(5, 5));
    it.handle(Input::Resume, now(6, 6));
    let answer = retake_core::api::RerunAnswer {
        batch_id: None,
        run_counter: None,
        test_ids: Vec::new(),
    };
    it.handle(Input::RerunAnswered(post, Ok(answer)), now(7, 7));
    assert_eq!(it.state().phase, Phase::Waiting);
}

#[test]
fn a_listing_that_lags_behind_the_batch_is_not_decided_on() {
    let (mut it, asked) = reading(batch(BatchStatus::Error, 1));
    let tests = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Running),
    ];
    it.handle(Input::TestsRead(asked, Ok(tests.clone())), now(2, 2));
    assert_eq!(it.state().phase, Phase::Reading);
    // A page that slept meanwhile makes an answer no newer.
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(tests.clone())), now(70, 70));
    assert_eq!(it.state().phase, Phase::Reading);
    // What stays for longer than a replica lags, and is still so a minute later, is how it is.
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(tests.clone())), now(71, 71));
    assert_eq!(it.state().phase, Phase::Reading);
    it.handle(Input::Wake, now(131, 131));
    let asked = question(&drain(&mut it));
    it.handle(Input::TestsRead(asked, Ok(tests)), now(132, 132));
    assert_eq!(it.state().phase, Phase::Deciding);
}

#[test]
fn a_listing_of_a_later_run_is_not_decided_on() {
    let start = |seconds| Some(now(seconds, 0).wall);
    let mut picture = batch(BatchStatus::Error, 1);
    picture.last_run = start(-500);
    let (mut it, asked) = reading(picture);
    let mut tests = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Passed),
    ];
    tests[1].last_run = start(1);
    it.handle(Input::TestsRead(asked, Ok(tests)), now(2, 2));
    assert_eq!(it.state().phase, Phase::Waiting);
}

#[test]
fn an_outage_during_the_listing_is_ridden_out() {
    let (mut it, mut asked) = reading(batch(BatchStatus::Error, 1));
    let mut seconds = 2;
    while seconds < 2 * HOUR {
        let down = ApiError::new("list the tests", ErrorKind::Server, "down");
        it.handle(Input::TestsRead(asked, Err(down)), now(seconds, seconds));
        seconds += 60;
        it.handle(Input::Wake, now(seconds, seconds));
        asked = question(&drain(&mut it));
    }
    assert!(!it.state().phase.is_over());
}

#[test]
fn a_run_that_passed_while_the_tests_were_listed_is_another_picture_by_each_of_its_marks() {
    let at = |seconds: i64| now(seconds, 0).wall;
    let marked = |run: Option<i64>, start: Option<i64>, change: Option<i64>| {
        let mut batch = batch(BatchStatus::Error, 1);
        batch.run_counter = run.map(RunCounter);
        batch.last_run = start.map(at);
        let entry = |seconds| StatusChange {
            status: BatchStatus::Error,
            at: Some(at(seconds)),
        };
        batch.history = change.map(entry).into_iter().collect();
        batch
    };
    for (before, after) in [
        (marked(Some(1), None, None), marked(Some(2), None, None)),
        (marked(None, Some(-50), None), marked(None, Some(-1), None)),
        (marked(None, None, Some(-50)), marked(None, None, Some(-1))),
    ] {
        let (mut it, asked) = reading(before);
        it.handle(
            Input::TestsRead(asked, Ok(replicas::one_failing())),
            now(2, 2),
        );
        let asked = question(&drain(&mut it));
        let words = format!("{after:?}");
        read(&mut it, asked, after, now(3, 3));
        assert_eq!(it.state().phase, Phase::Reading, "{words}");
        let reopened = |record: &Record| matches!(record.event, Event::Reopened);
        assert!(it.log().iter().any(reopened), "{words}");
    }
}

#[test]
fn a_mirror_that_is_signed_out_does_not_spin() {
    let mut seat = Seat::open(Opened::Found, false, now(0, 0));
    seat.handle(SeatInput::Wake, now(120, 120));
    let waits: Vec<_> = std::iter::from_fn(|| seat.poll_output())
        .filter_map(|output| match output {
            SeatOutput::WakeIn(after) => Some(after),
            _ => None,
        })
        .collect();
    assert!(
        waits.iter().all(|wait| *wait >= Duration::from_secs(1)),
        "{waits:?}"
    );
}
