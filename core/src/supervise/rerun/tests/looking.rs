//! What a look means while an outcome is open.

use super::*;

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
