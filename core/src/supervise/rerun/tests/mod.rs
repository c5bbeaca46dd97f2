//! Facts about one rerun: what is sent (here), what looks mean, what a reload finds.

mod looking;
mod restored;

use std::time::Duration;

use super::*;
use crate::{
    api::{ApiError, ErrorKind, RerunAnswer, RerunRequest, TestIds},
    domain::{Batch, BatchId, BatchStatus, RunCounter, TestId, Timestamp},
};

const BATCH: BatchId = BatchId::from_u128(1);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn batch(status: BatchStatus, run: i64) -> Batch {
    let mut batch = Batch::new(BATCH);
    batch.status = Some(status);
    batch.run_counter = Some(RunCounter(run));
    batch
}

fn intent() -> Intent {
    let ids = TestIds::new(vec![TestId::from_u128(7)]).expect("one test");
    Intent {
        batch: BATCH,
        fence: Fence::at(&batch(BatchStatus::Error, 1)),
        request: RerunRequest::tests(ids),
        attempt: 1,
        epoch: 0,
        at: at(0),
        tests: Vec::new(),
    }
}

/// A submission whose POST went out at second 0.
fn sent() -> Submission {
    sent_within(Limits::default())
}

fn sent_within(limits: Limits) -> Submission {
    let (mut it, effects) = Submission::new(intent(), limits);
    assert_eq!(effects, [Effect::Store]);
    let effects = it.handle(SubmissionInput::Stored(Ok(())), at(0));
    assert!(effects.contains(&Effect::Post));
    it
}

fn error(kind: ErrorKind) -> ApiError {
    ApiError::new("rerun the tests", kind, "in the server's words")
}

fn look(it: &mut Submission, seconds: i64, batch: Batch) -> Vec<Effect> {
    it.handle(
        SubmissionInput::Looked(at(seconds), Ok(Box::new(batch))),
        at(seconds),
    )
}

fn posts(effects: &[Effect]) -> usize {
    effects
        .iter()
        .filter(|effect| **effect == Effect::Post)
        .count()
}

fn ended(it: &Submission) -> &Ended {
    match it.stage() {
        Stage::Ended(ended) => ended,
        other => panic!("still {other:?}"),
    }
}

/// How many POSTs a platform gets that answers each with 409.
fn posts_to_a_busy_platform(busy_window: Duration) -> usize {
    let mut it = sent_within(Limits {
        busy_window,
        ..Limits::default()
    });
    let mut total = 1;
    let mut now = 0;
    loop {
        let effects = it.handle(
            SubmissionInput::Posted(Err(error(ErrorKind::Busy))),
            at(now),
        );
        assert_eq!(
            effects,
            [Effect::Look],
            "a 409 is looked into before it is believed"
        );
        let effects = look(&mut it, now, batch(BatchStatus::Error, 1));
        assert_eq!(posts(&effects), 0);
        if let Stage::Ended(ended) = it.stage() {
            assert!(matches!(ended, Ended::StillBusy(_)));
            return total;
        }
        assert!(
            effects.contains(&Effect::WakeAt(at(now + 30))),
            "{effects:?}"
        );
        assert_eq!(
            it.handle(SubmissionInput::Wake, at(now + 29)),
            [Effect::WakeAt(at(now + 30))]
        );
        now += 30;
        assert_eq!(it.handle(SubmissionInput::Wake, at(now)), [Effect::Look]);
        total += posts(&look(&mut it, now, batch(BatchStatus::Error, 1)));
    }
}

#[test]
fn nothing_is_sent_before_the_intent_is_stored() {
    let (mut it, _) = Submission::new(intent(), Limits::default());
    let effects = it.handle(SubmissionInput::Stored(Err("quota".into())), at(0));
    assert_eq!(posts(&effects), 0);
    assert_eq!(ended(&it), &Ended::NotStored("quota".into()));
}

#[test]
fn an_accepted_rerun_is_waited_for_by_its_run() {
    let mut it = sent();
    let answer = RerunAnswer {
        batch_id: Some(BATCH),
        run_counter: Some(RunCounter(2)),
        test_ids: Vec::new(),
    };
    it.handle(SubmissionInput::Posted(Ok(answer)), at(1));
    assert!(matches!(
        ended(&it),
        Ended::Applied {
            run: Some(RunCounter(2)),
            ..
        }
    ));
}

#[test]
fn an_answer_without_fields_falls_back_to_what_is_known() {
    let mut it = sent();
    let answer = RerunAnswer {
        batch_id: None,
        run_counter: None,
        test_ids: Vec::new(),
    };
    it.handle(SubmissionInput::Posted(Ok(answer)), at(1));
    assert!(matches!(
        ended(&it),
        Ended::Applied {
            batch: BATCH,
            run: Some(RunCounter(2)),
            evidence: Evidence::Answer
        }
    ));
}

#[test]
fn a_busy_platform_is_looked_at_before_every_next_post_until_the_window_is_over() {
    // A minute is what the CLI waits: three POSTs (`resim-api.md` §5).
    for (window, expected) in [
        (Duration::from_mins(1), 3),
        (Limits::default().busy_window, 21),
    ] {
        assert_eq!(posts_to_a_busy_platform(window), expected);
    }
}

#[test]
fn a_rerun_seen_behind_a_409_counts_and_is_not_sent_again() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    let effects = look(&mut it, 2, batch(BatchStatus::ExperiencesRunning, 2));
    assert_eq!(posts(&effects), 0);
    assert!(matches!(
        ended(&it),
        Ended::Applied {
            run: Some(RunCounter(2)),
            ..
        }
    ));
}

#[test]
fn a_batch_cancelled_behind_a_409_is_not_rerun() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    let effects = look(&mut it, 2, batch(BatchStatus::Cancelled, 1));
    assert_eq!(posts(&effects), 0);
    assert_eq!(ended(&it), &Ended::NotApplied);
}

#[test]
fn a_refusal_is_final_and_keeps_the_servers_words() {
    for kind in [
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::Refused,
    ] {
        let mut it = sent();
        it.handle(SubmissionInput::Posted(Err(error(kind.clone()))), at(1));
        let Ended::Refused(refused) = ended(&it) else {
            panic!("{kind:?}")
        };
        assert_eq!(refused.message.as_deref(), Some("in the server's words"));
    }
}

#[test]
fn signed_out_waits_and_looks_before_it_posts_again() {
    let mut it = sent();
    let effects = it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::SignedOut))),
        at(1),
    );
    assert!(effects.contains(&Effect::SignIn));
    assert_eq!(it.handle(SubmissionInput::Resume, at(500)), [Effect::Look]);
    assert_eq!(posts(&look(&mut it, 501, batch(BatchStatus::Error, 1))), 1);
}

#[test]
fn too_many_requests_is_waited_out() {
    let mut it = sent();
    let throttled = ApiError {
        retry_after: Some(Duration::from_secs(42)),
        ..error(ErrorKind::Throttled)
    };
    let effects = it.handle(SubmissionInput::Posted(Err(throttled)), at(1));
    assert!(effects.contains(&Effect::WakeAt(at(43))), "{effects:?}");
    assert_eq!(it.handle(SubmissionInput::Wake, at(43)), [Effect::Look]);
    assert_eq!(posts(&look(&mut it, 44, batch(BatchStatus::Error, 1))), 1);
}

#[test]
fn after_twelve_posts_too_many_requests_ends_it() {
    let mut it = sent();
    let mut sent = 1;
    let mut now = 0;
    while !matches!(it.stage(), Stage::Ended(_)) {
        now += 1;
        it.handle(
            SubmissionInput::Posted(Err(error(ErrorKind::Throttled))),
            at(now),
        );
        now += 300;
        it.handle(SubmissionInput::Wake, at(now));
        sent += posts(&look(&mut it, now, batch(BatchStatus::Error, 1)));
        assert!(sent < 20, "it never ends");
    }
    assert_eq!(sent, 12);
    assert!(
        matches!(ended(&it), Ended::StillBusy(_)),
        "{:?}",
        ended(&it)
    );
}

#[test]
fn a_wait_can_be_called_off_and_a_doubt_cannot() {
    let mut it = sent();
    assert_eq!(
        it.handle(SubmissionInput::CallOff, at(0)),
        [],
        "a POST is under way"
    );
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    look(&mut it, 1, batch(BatchStatus::Error, 1));
    it.handle(SubmissionInput::CallOff, at(5));
    assert_eq!(ended(&it), &Ended::CalledOff);

    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(35),
    );
    assert_eq!(it.handle(SubmissionInput::CallOff, at(40)), []);
}

#[test]
fn what_was_surely_not_sent_is_over_at_once() {
    let mut it = sent();
    it.handle(SubmissionInput::NotSent("the page slept".into()), at(1));
    assert_eq!(ended(&it), &Ended::NotSent("the page slept".into()));
    // A word that comes too late changes nothing.
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(1),
    );
    assert!(
        it.handle(SubmissionInput::NotSent("late".into()), at(2))
            .is_empty()
    );
    assert!(matches!(it.stage(), Stage::Settling { .. }));
}

/// A person's own rerun, answered 409 at second 1, and the look after it.
fn own_and_held() -> Submission {
    let own = Intent {
        attempt: 0,
        ..intent()
    };
    let (mut it, _) = Submission::new(own, Limits::default());
    it.handle(SubmissionInput::Stored(Ok(())), at(0));
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    look(&mut it, 2, batch(BatchStatus::Error, 1));
    assert!(matches!(it.stage(), Stage::Cooling { .. }));
    it
}

#[test]
fn a_rerun_by_hand_that_was_slept_over_is_not_sent() {
    let mut it = own_and_held();
    // The clock that was found to have jumped moves the wait, and not what was meant.
    it.shift(|time| time.after(Duration::from_hours(8)));
    let effects = it.handle(SubmissionInput::Wake, at(8 * 3600 + 40));
    assert_eq!(posts(&effects), 0);
    assert_eq!(ended(&it), &Ended::NotApplied);
}

#[test]
fn a_rerun_by_hand_whose_looks_fail_for_long_is_not_sent() {
    let mut it = own_and_held();
    it.handle(SubmissionInput::Wake, at(32));
    let failed = SubmissionInput::Looked(at(33), Err(error(ErrorKind::Unreachable)));
    it.handle(failed, at(33));
    assert!(matches!(it.stage(), Stage::Checking { .. }));
    let effects = look(&mut it, 3600, batch(BatchStatus::Error, 1));
    assert_eq!(posts(&effects), 0);
    assert_eq!(ended(&it), &Ended::NotApplied);
}

#[test]
fn a_long_wait_that_the_server_asked_for_is_no_lapse() {
    let own = Intent {
        attempt: 0,
        ..intent()
    };
    let (mut it, _) = Submission::new(own, Limits::default());
    it.handle(SubmissionInput::Stored(Ok(())), at(0));
    let mut throttled = error(ErrorKind::Throttled);
    throttled.retry_after = Some(Duration::from_mins(15));
    it.handle(SubmissionInput::Posted(Err(throttled)), at(1));
    it.handle(SubmissionInput::Wake, at(901));
    let effects = look(&mut it, 902, batch(BatchStatus::Error, 1));
    assert_eq!(posts(&effects), 1);
}

#[test]
fn a_sign_in_the_day_after_sends_a_supervisors_rerun_and_no_persons() {
    for (attempt, sent) in [(0, 0), (1, 1)] {
        let parked = Intent {
            attempt,
            ..intent()
        };
        let (mut it, _) = Submission::new(parked, Limits::default());
        it.handle(SubmissionInput::Stored(Ok(())), at(0));
        let refused = SubmissionInput::Posted(Err(error(ErrorKind::SignedOut)));
        it.handle(refused, at(1));
        let tomorrow = 24 * 3600;
        it.handle(SubmissionInput::Resume, at(tomorrow));
        let effects = look(&mut it, tomorrow + 1, batch(BatchStatus::Error, 1));
        assert_eq!(posts(&effects), sent, "attempt {attempt}");
    }
}

#[test]
fn whoever_looks_up_whether_the_last_post_was_refused_is_told() {
    let mut it = sent();
    assert!(!it.said_no(), "nobody has answered yet");
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    assert!(it.said_no());
    look(&mut it, 2, batch(BatchStatus::Error, 1));
    it.handle(SubmissionInput::Wake, at(32));
    look(&mut it, 33, batch(BatchStatus::Error, 1));
    assert!(!it.said_no(), "the next POST is under way");
}

#[test]
fn an_input_that_does_not_fit_the_stage_sends_nothing_and_changes_nothing() {
    let answer = || {
        Ok(RerunAnswer {
            batch_id: Some(BATCH),
            run_counter: Some(RunCounter(2)),
            test_ids: Vec::new(),
        })
    };
    // Posting: nothing more is to be stored, woken or gone on with.
    let mut posting = sent();
    for input in [
        SubmissionInput::Stored(Ok(())),
        SubmissionInput::Wake,
        SubmissionInput::Resume,
    ] {
        assert_eq!(posting.handle(input, at(5)), []);
        assert_eq!(posting.stage(), &Stage::Posting);
    }
    // Waiting: an answer that comes a second time is nobody's.
    let mut cooling = sent();
    cooling.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    look(&mut cooling, 2, batch(BatchStatus::Error, 1));
    let before = cooling.clone();
    assert_eq!(cooling.handle(SubmissionInput::Posted(answer()), at(3)), []);
    assert_eq!(cooling, before);
    // Over: nothing is heard any more.
    let mut over = sent();
    over.handle(SubmissionInput::Posted(answer()), at(1));
    let before = over.clone();
    for input in [
        SubmissionInput::Posted(Err(error(ErrorKind::Busy))),
        SubmissionInput::Wake,
        SubmissionInput::CallOff,
    ] {
        assert_eq!(over.handle(input, at(600)), []);
    }
    assert_eq!(over, before);
}

#[test]
fn one_who_goes_on_during_a_pause_of_the_platform_waits_it_out() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    look(&mut it, 2, batch(BatchStatus::Error, 1));
    assert_eq!(
        it.handle(SubmissionInput::Resume, at(10)),
        [Effect::WakeAt(at(32))]
    );
}

#[test]
fn a_wake_before_the_next_look_is_due_looks_no_earlier() {
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(1),
    );
    assert_eq!(
        it.handle(SubmissionInput::Wake, at(2)),
        [],
        "one is under way"
    );
    look(&mut it, 3, batch(BatchStatus::Error, 1));
    assert_eq!(
        it.handle(SubmissionInput::Wake, at(5)),
        [Effect::WakeAt(at(8))]
    );
    assert_eq!(it.handle(SubmissionInput::Wake, at(8)), [Effect::Look]);
}

#[test]
fn a_persons_own_rerun_notices_a_sleep_and_waits_as_long_as_before() {
    let now = |wall: i64, mono: u64| crate::supervise::Now {
        wall: at(wall),
        mono: Duration::from_secs(mono),
        dice: 0,
    };
    // Waiting out a 409 until second 32, ten of them gone by.
    let mut it = own_and_held();
    it.note_time(now(2, 2), now(12, 12));
    assert!(matches!(it.stage(), Stage::Cooling { until, .. } if *until == at(32)));
    // An hour of sleep: the wait has twenty seconds left, as it had.
    it.note_time(now(12, 12), now(3612, 12));
    assert!(matches!(it.stage(), Stage::Cooling { until, .. } if *until == at(3632)));

    // In doubt: the window moves with the clock, and so does the next look.
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(1),
    );
    it.note_time(now(1, 1), now(3601, 1));
    assert!(matches!(it.stage(), Stage::Settling { until, .. } if *until == at(95 + 3600)));
    look(&mut it, 3602, batch(BatchStatus::Error, 1));
    it.note_time(now(3602, 2), now(7202, 2));
    assert_eq!(
        it.handle(SubmissionInput::Wake, at(7206)),
        [Effect::WakeAt(at(7207))]
    );
}
