//! What a reload makes of what it finds.

use super::*;

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
fn sleep_is_no_part_of_what_is_waited_for_on_whatever_clock_it_counts() {
    let now = |wall: i64, mono: u64| crate::supervise::Now {
        wall: at(wall),
        mono: Duration::from_secs(mono),
        dice: 0,
    };
    let until = |it: &Submission| match it.stage() {
        Stage::Settling { until, .. } => *until,
        other => panic!("settling, not {other:?}"),
    };
    // Asked for a look at 1000, awake again an hour later: some computers count it.
    for mono in [5, 3600] {
        let (mut it, _) =
            Submission::restored(intent(), Limits::default(), &Tries::default(), at(1000));
        let before = until(&it);
        it.note_time(now(1000, 0), now(4600, mono));
        let moved = until(&it).since(before);
        assert!(moved > Duration::from_mins(50), "{mono}: {moved:?}");
    }
    // Late timers of a hidden tab are no sleep.
    let (mut it, _) =
        Submission::restored(intent(), Limits::default(), &Tries::default(), at(1000));
    let before = until(&it);
    it.note_time(now(1000, 0), now(1060, 60));
    assert_eq!(until(&it), before);
}
