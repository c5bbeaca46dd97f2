//! What a look means while an outcome is open.

use super::*;

#[test]
fn looks_that_fail_grow_rarer_and_wait_as_long_as_the_server_asks() {
    let pauses = |id: u128| {
        let mut intent = intent();
        intent.batch = BatchId::from_u128(id);
        let (mut it, _) = Submission::new(intent, Limits::default());
        it.handle(SubmissionInput::Stored(Ok(())), at(0));
        it.handle(
            SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
            at(0),
        );
        let mut fail = |error: ApiError| {
            let effects = it.handle(SubmissionInput::Looked(at(0), Err(error)), at(0));
            it.handle(SubmissionInput::Wake, at(10_000));
            effects
        };
        let waits = [5, 10, 20, 40, 60, 60].map(|most| {
            let [Effect::WakeAt(due)] = fail(error(ErrorKind::Unreachable))[..] else {
                panic!("it looks again");
            };
            let pause = due.since(at(0));
            let most = Duration::from_secs(most);
            assert!(most / 2 <= pause && pause <= most, "{pause:?} of {most:?}");
            pause
        });
        let mut throttled = error(ErrorKind::Throttled);
        throttled.retry_after = Some(Duration::from_secs(90));
        assert_eq!(fail(throttled), [Effect::WakeAt(at(90))]);
        waits
    };
    // Those that were lost together do not look together.
    let (one, other) = (pauses(u128::MAX / 3), pauses(u128::MAX / 5));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other));
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

/// A person's own rerun, whose POST at second 0 got no answer.
fn own_and_lost() -> Submission {
    let by_hand = Intent {
        attempt: 0,
        ..intent()
    };
    let (mut it, _) = Submission::new(by_hand, Limits::default());
    it.handle(SubmissionInput::Stored(Ok(())), at(0));
    let lost = error(ErrorKind::TimedOut);
    it.handle(SubmissionInput::Posted(Err(lost)), at(30));
    it
}

#[test]
fn a_run_that_is_seen_ends_no_rerun_by_hand_whose_post_may_still_be_applied() {
    let mut it = own_and_lost();
    let effects = look(&mut it, 31, batch(BatchStatus::Submitted, 2));
    assert_eq!(effects, [Effect::WakeAt(at(95))]);
    assert!(matches!(it.stage(), Stage::SeenEarly { .. }));
    assert!(!it.stage().can_be_called_off());
    for input in [
        SubmissionInput::Wake,
        SubmissionInput::Resume,
        SubmissionInput::CallOff,
        SubmissionInput::PersonSays(PersonSays::NotApplied),
    ] {
        let effects = it.handle(input, at(94));
        assert_eq!(posts(&effects), 0);
        assert!(matches!(it.stage(), Stage::SeenEarly { .. }));
    }
    it.handle(SubmissionInput::Wake, at(95));
    let run = match ended(&it) {
        Ended::Applied { run, .. } => *run,
        other => panic!("a run was seen: {other:?}"),
    };
    assert_eq!(run, Some(RunCounter(2)));
}

#[test]
fn a_run_that_is_seen_after_the_window_ends_a_rerun_by_hand_at_once() {
    let mut it = own_and_lost();
    look(&mut it, 96, batch(BatchStatus::Submitted, 2));
    assert!(matches!(ended(&it), Ended::Applied { .. }));
}

#[test]
fn after_a_reload_a_run_that_is_seen_ends_it_no_earlier() {
    let own = Intent {
        attempt: 0,
        ..intent()
    };
    let tries = Tries::default();
    let (mut it, effects) = Submission::restored(own, Limits::default(), &tries, at(50));
    assert_eq!(effects, [Effect::Look]);
    look(&mut it, 51, batch(BatchStatus::Submitted, 2));
    it.handle(SubmissionInput::Wake, at(144));
    assert!(matches!(it.stage(), Stage::SeenEarly { .. }));
    it.handle(SubmissionInput::Wake, at(145));
    assert!(matches!(ended(&it), Ended::Applied { .. }));
}

#[test]
fn the_window_is_counted_from_when_a_page_that_slept_gave_up() {
    let mut it = sent();
    // Nothing was noticed of the sleep, and the request may have left at its end.
    it.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(140),
    );
    for seconds in [150, 199] {
        look(&mut it, seconds, batch(BatchStatus::Error, 1));
        assert!(
            matches!(it.stage(), Stage::Settling { agreeing: 0, .. }),
            "second {seconds}"
        );
    }
    look(&mut it, 201, batch(BatchStatus::Error, 1));
    assert!(matches!(it.stage(), Stage::Settling { agreeing: 1, .. }));
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

/// A submission that was decided on an old picture: it looks before it sends anything.
fn unsent(own: bool) -> Submission {
    let attempt = u32::from(!own);
    let (it, _) = Submission::new(
        Intent {
            attempt,
            ..intent()
        },
        Limits::default(),
    );
    let mut it = it.resting_on(at(-60));
    assert_eq!(
        it.handle(SubmissionInput::Stored(Ok(())), at(0)),
        [Effect::Look]
    );
    it
}

#[test]
fn what_has_moved_before_anything_was_sent_holds_the_rerun_back() {
    for moved in [
        // Somebody else's run.
        batch(BatchStatus::Submitted, 2),
        // The same run came to another end.
        batch(BatchStatus::Succeeded, 1),
    ] {
        let mut it = unsent(false);
        let effects = look(&mut it, 1, moved);
        assert_eq!(posts(&effects), 0);
        assert!(matches!(ended(&it), Ended::NotSent(why) if why.contains("has changed")));
    }
    let mut it = unsent(false);
    assert_eq!(posts(&look(&mut it, 1, batch(BatchStatus::Error, 1))), 1);
}

#[test]
fn a_person_who_ticked_tests_gets_them_rerun_though_the_same_run_ends_otherwise() {
    let mut it = unsent(true);
    let effects = look(&mut it, 1, batch(BatchStatus::Succeeded, 1));
    assert_eq!(posts(&effects), 1);
    // Another run is another matter, also for a person.
    let mut it = unsent(true);
    let effects = look(&mut it, 1, batch(BatchStatus::Succeeded, 2));
    assert_eq!(posts(&effects), 0);
    assert!(matches!(ended(&it), Ended::NotSent(_)));
}

#[test]
fn a_batch_that_ends_otherwise_behind_a_409_is_decided_on_anew() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    let effects = look(&mut it, 2, batch(BatchStatus::Succeeded, 1));
    assert_eq!(posts(&effects), 0);
    assert_eq!(ended(&it), &Ended::NotApplied);
}

#[test]
fn a_batch_cancelled_before_anything_was_sent_gets_no_post() {
    let fence = Fence::at(&batch(BatchStatus::Cancelled, 1));
    let (it, _) = Submission::new(Intent { fence, ..intent() }, Limits::default());
    let mut it = it.resting_on(at(-60));
    it.handle(SubmissionInput::Stored(Ok(())), at(0));
    let effects = look(&mut it, 1, batch(BatchStatus::Cancelled, 1));
    assert_eq!(posts(&effects), 0);
    assert!(matches!(ended(&it), Ended::NotSent(why) if why.contains("cancelled")));
}

#[test]
fn old_pictures_alone_do_not_keep_a_rerun_waiting_for_ever_that_nobody_doubts() {
    let mut it = sent();
    it.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    let mut now = 2;
    while matches!(it.stage(), Stage::Checking { .. }) && now < 3_600 {
        assert_eq!(posts(&look(&mut it, now, batch(BatchStatus::Error, 0))), 0);
        now += 5;
    }
    assert_eq!(ended(&it), &Ended::NotApplied);
    assert!((600..=610).contains(&now), "{now}");
}

#[test]
fn a_lost_sign_in_parks_what_is_clear_and_keeps_open_what_is_in_doubt() {
    let signed_out = || SubmissionInput::Looked(at(5), Err(error(ErrorKind::SignedOut)));
    let mut clear = sent();
    clear.handle(SubmissionInput::Posted(Err(error(ErrorKind::Busy))), at(1));
    assert_eq!(clear.handle(signed_out(), at(5)), [Effect::SignIn]);
    assert_eq!(clear.stage(), &Stage::Parked);

    let mut doubtful = sent();
    doubtful.handle(
        SubmissionInput::Posted(Err(error(ErrorKind::TimedOut))),
        at(1),
    );
    assert_eq!(doubtful.handle(signed_out(), at(5)), [Effect::SignIn]);
    assert!(matches!(doubtful.stage(), Stage::Settling { .. }));
    assert_eq!(
        doubtful.handle(SubmissionInput::Resume, at(9)),
        [Effect::Look]
    );
}

#[test]
fn a_late_look_changes_nothing_while_a_post_is_under_way() {
    let mut it = sent();
    assert_eq!(look(&mut it, 1, batch(BatchStatus::Submitted, 2)), []);
    assert_eq!(look(&mut it, 2, batch(BatchStatus::Error, 1)), []);
    assert_eq!(it.stage(), &Stage::Posting);
}
