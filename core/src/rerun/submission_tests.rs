use super::*;
use crate::{
    api::{RerunRequest, TestIds},
    domain::{BatchId, RunCounter, TestId},
    rerun::Fence,
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

#[test]
fn looks_that_fail_grow_rarer_and_wait_as_long_as_the_server_asks() {
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(0),
    );
    let mut fail = |error: ApiError| {
        let effects = it.handle(SubmissionInput::Looked(at(0), Err(error)), at(0));
        it.handle(SubmissionInput::Wake, at(10_000));
        effects
    };
    for seconds in [5, 10, 20, 40, 60, 60] {
        assert_eq!(
            fail(error(ErrorKind::Unreachable)),
            [Effect::WakeAt(at(seconds))]
        );
    }
    let mut throttled = error(ErrorKind::Throttled);
    throttled.retry_after = Some(Duration::from_secs(90));
    assert_eq!(fail(throttled), [Effect::WakeAt(at(90))]);
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
fn a_lost_answer_is_resolved_by_reading() {
    for kind in [
        ErrorKind::Unreachable,
        ErrorKind::TimedOut,
        ErrorKind::Server,
        ErrorKind::Unreadable,
        ErrorKind::Aborted,
    ] {
        let mut it = sent();
        let effects = it.handle(SubmissionInput::Posted(Err(error(kind.clone()))), at(35));
        assert_eq!(effects.last(), Some(&Effect::Look), "{kind:?}");
        look(&mut it, 36, batch(BatchStatus::Error, 1));
        assert!(matches!(it.stage(), Stage::Settling { .. }));
        let effects = look(&mut it, 41, batch(BatchStatus::Submitted, 2));
        assert_eq!(posts(&effects), 0);
        assert!(matches!(ended(&it), Ended::Applied { .. }), "{kind:?}");
    }
}

#[test]
fn not_applied_needs_two_agreeing_reads_sent_after_the_window() {
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::Unreachable))),
        at(1),
    );
    for seconds in [2, 30, 60, 94, 95] {
        look(&mut it, seconds, batch(BatchStatus::Error, 1));
        assert!(
            matches!(it.stage(), Stage::Settling { agreeing: 0, .. }),
            "second {seconds}"
        );
    }
    look(&mut it, 96, batch(BatchStatus::Error, 1));
    assert!(matches!(it.stage(), Stage::Settling { agreeing: 1, .. }));
    // An older picture than the one decided on agrees with nothing.
    look(&mut it, 99, batch(BatchStatus::Error, 0));
    assert!(matches!(it.stage(), Stage::Settling { agreeing: 1, .. }));
    let effects = look(&mut it, 104, batch(BatchStatus::Error, 1));
    assert_eq!(
        posts(&effects),
        0,
        "decided anew, never sent again from here"
    );
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
fn a_restored_intent_is_in_doubt_until_reading_says_otherwise() {
    let tries = Tries::default();
    let (mut it, effects) = Submission::restored(intent(), Limits::default(), &tries, at(1000));
    assert_eq!(effects, [Effect::Look]);
    look(&mut it, 1000, batch(BatchStatus::Error, 1));
    assert!(matches!(it.stage(), Stage::Settling { .. }));
    look(&mut it, 1096, batch(BatchStatus::Error, 1));
    look(&mut it, 1101, batch(BatchStatus::Error, 1));
    assert_eq!(ended(&it), &Ended::NotApplied);
}

/// The tries of an intent that was answered 409 at second 1000, `busy` times.
fn held(busy: u32) -> Tries {
    let mut tries = Tries::default();
    for post in 1..=busy {
        tries.note(&SubmissionNote::Sending { post }, at(1000));
        let note = SubmissionNote::Waiting {
            post,
            why: WaitReason::CleaningUp,
            next: at(1030),
            message: None,
        };
        tries.note(&note, at(1000));
    }
    tries
}

#[test]
fn a_restored_intent_that_was_answered_busy_waits_on_and_looks_before_it_posts() {
    let (mut it, effects) = Submission::restored(intent(), Limits::default(), &held(1), at(1010));
    assert_eq!(effects, [Effect::WakeAt(at(1030))]);
    assert!(matches!(it.stage(), Stage::Cooling { .. }));
    let effects = it.handle(SubmissionInput::Wake, at(1030));
    assert_eq!(effects, [Effect::Look]);
    let effects = look(&mut it, 1031, batch(BatchStatus::Error, 1));
    assert_eq!((posts(&effects), it.posts()), (1, 2));
}

#[test]
fn a_restored_wait_finds_what_was_started_meanwhile() {
    let (mut it, _) = Submission::restored(intent(), Limits::default(), &held(1), at(1010));
    it.handle(SubmissionInput::Wake, at(1030));
    let effects = look(&mut it, 1031, batch(BatchStatus::ExperiencesRunning, 2));
    assert_eq!(posts(&effects), 0);
    assert!(matches!(ended(&it), Ended::Applied { .. }));
}

#[test]
fn a_restored_wait_is_never_longer_than_it_was_to_be() {
    // The clock was set back by more than ten minutes while the page was away.
    let (it, effects) = Submission::restored(intent(), Limits::default(), &held(1), at(100));
    assert_eq!(effects, [Effect::WakeAt(at(130))]);
    assert!(matches!(it.stage(), Stage::Cooling { .. }));
}

#[test]
fn answers_of_busy_before_a_reload_count_towards_giving_up() {
    let limits = Limits::default();
    let most =
        u32::try_from(limits.busy_window.as_secs() / limits.cooldown.as_secs()).expect("few");
    let (mut it, _) = Submission::restored(intent(), limits, &held(most), at(1010));
    it.handle(SubmissionInput::Wake, at(1030));
    look(&mut it, 1031, batch(BatchStatus::Error, 1));
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::Busy))),
        at(1032),
    );
    look(&mut it, 1033, batch(BatchStatus::Error, 1));
    assert!(matches!(ended(&it), Ended::StillBusy(_)));
}

#[test]
fn failed_looks_are_tried_again_but_not_for_ever_when_refused() {
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(35),
    );
    for n in 0..50 {
        let looked = SubmissionInput::Looked(at(36 + n), Err(error(ErrorKind::Unreachable)));
        assert!(matches!(
            it.handle(looked, at(36 + n))[..],
            [Effect::WakeAt(_)]
        ));
    }
    // A route that flaps for some seconds ends nothing.
    for n in 0..5 {
        let looked = SubmissionInput::Looked(at(90 + n), Err(error(ErrorKind::NotFound)));
        assert!(matches!(
            it.handle(looked, at(90 + n))[..],
            [Effect::WakeAt(_)]
        ));
    }
    for n in [150, 215, 280] {
        let looked = SubmissionInput::Looked(at(n), Err(error(ErrorKind::NotFound)));
        it.handle(looked, at(n));
    }
    // It may have been applied, so it is not called refused.
    assert_eq!(it.stage(), &Stage::Asking);
}

#[test]
fn looks_that_are_refused_for_good_end_what_is_not_in_doubt() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    for n in [2, 62, 122] {
        let looked = SubmissionInput::Looked(at(n), Err(error(ErrorKind::Forbidden)));
        it.handle(looked, at(n));
    }
    assert!(matches!(ended(&it), Ended::Refused(_)));
}

#[test]
fn while_it_is_in_doubt_refused_looks_end_nothing() {
    let mut it = sent_within(Limits {
        settle: Duration::from_mins(10),
        ..Limits::default()
    });
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(35),
    );
    for n in 0..8 {
        let now = 60 + n * 60;
        let looked = SubmissionInput::Looked(at(now), Err(error(ErrorKind::NotFound)));
        it.handle(looked, at(now));
        assert!(matches!(it.stage(), Stage::Settling { .. }), "{now}");
    }
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

#[test]
fn when_nothing_ever_shows_a_person_is_asked() {
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(35),
    );
    // Another run than either: a batch without any mark that both pictures have.
    let blind = || Batch::new(BATCH);
    let mut now = 40;
    while matches!(it.stage(), Stage::Settling { .. }) && now < 3_600 {
        look(&mut it, now, blind());
        now += 5;
    }
    assert_eq!(it.stage(), &Stage::Asking);
    assert!((630..=660).contains(&now), "{now}");
}

#[test]
fn an_unfinished_batch_without_a_mark_is_believed_only_after_a_minute() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    for seconds in [2, 7, 61] {
        look(&mut it, seconds, batch(BatchStatus::ExperiencesRunning, 1));
        assert!(
            matches!(it.stage(), Stage::Checking { .. }),
            "second {seconds}"
        );
    }
    look(&mut it, 62, batch(BatchStatus::ExperiencesRunning, 1));
    assert!(matches!(
        ended(&it),
        Ended::Applied {
            evidence: Evidence::StatusMoved(_),
            ..
        }
    ));
}

/// A strict submission whose POST got no answer, after the window.
fn asking() -> Submission {
    let strict = Limits {
        ask_person: true,
        ..Limits::default()
    };
    let (mut it, _) = Submission::new(intent(), strict);
    it.handle(SubmissionInput::Stored(Ok(())), at(0));
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::Unreachable))),
        at(1),
    );
    look(&mut it, 96, batch(BatchStatus::Error, 1));
    let effects = look(&mut it, 101, batch(BatchStatus::Error, 1));
    assert_eq!(effects[0], Effect::Note(SubmissionNote::AsksPerson));
    assert_eq!(it.stage(), &Stage::Asking);
    it
}

#[test]
fn the_strict_setting_waits_for_a_persons_word() {
    let mut it = asking();
    for seconds in [140, 400, 4000] {
        look(&mut it, seconds, batch(BatchStatus::Error, 1));
        assert_eq!(it.stage(), &Stage::Asking, "second {seconds}");
    }
    it.handle(
        SubmissionInput::PersonSays(PersonSays::NotApplied),
        at(4001),
    );
    assert_eq!(ended(&it), &Ended::NotApplied);

    let mut it = asking();
    it.handle(SubmissionInput::PersonSays(PersonSays::Applied), at(200));
    assert!(matches!(
        ended(&it),
        Ended::Applied {
            run: Some(RunCounter(2)),
            evidence: Evidence::Person,
            ..
        }
    ));
}

#[test]
fn a_run_that_shows_while_a_person_is_asked_answers_for_them() {
    let mut it = asking();
    look(&mut it, 140, batch(BatchStatus::Submitted, 2));
    assert!(matches!(ended(&it), Ended::Applied { .. }));
}

#[test]
fn a_person_is_heard_only_when_asked() {
    let mut it = sent();
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::Unreachable))),
        at(1),
    );
    let effects = it.handle(SubmissionInput::PersonSays(PersonSays::NotApplied), at(2));
    assert_eq!(effects, []);
    assert!(matches!(it.stage(), Stage::Settling { .. }));
}
