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
