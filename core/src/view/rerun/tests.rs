//! What each stage of a rerun says, holds and shows.

use super::*;
use crate::{api::ApiError, domain::BatchStatus, rerun::WaitReason};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn finished() -> Batch {
    let mut batch = Batch::new(BatchId::from_u128(1));
    batch.status = Some(BatchStatus::Succeeded);
    batch.run_counter = Some(RunCounter(1));
    batch
}

fn view(stage: Stage) -> RerunView {
    let batch = finished();
    let request = RerunRequest {
        scope: RerunScope::BatchMetrics,
        sync_with_suite: false,
    };
    let mut it = RerunView::pressed(batch.id, request, Fence::at(&batch), at(0), stage);
    it.sent = Some(at(1));
    it.posts = 1;
    it.accepted_at = Some(at(2));
    it
}

fn applied(batch: u128, run: i64) -> Stage {
    Stage::Ended(Ended::Applied {
        batch: BatchId::from_u128(batch),
        run: Some(RunCounter(run)),
        evidence: Evidence::Answer,
    })
}

/// A run was seen, and the POST may be applied until 30.
fn landing(run: Option<i64>) -> Stage {
    let ended = Ended::Applied {
        batch: BatchId::from_u128(1),
        run: run.map(RunCounter),
        evidence: Evidence::RunCounter(RunCounter(2)),
    };
    Stage::SeenEarly {
        until: at(30),
        ended,
    }
}

fn words_of(view: &RerunView) -> Vec<String> {
    let time = |at: Timestamp| (at.as_millis() / 1000).to_string();
    view.steps(time).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn a_rerun_in_another_batch_is_not_waited_for_here() {
    let it = view(applied(2, 1));
    assert_eq!(it.elsewhere(), Some(BatchId::from_u128(2)));
    assert_eq!(it.holds(), None);
    assert!(!it.is_shown_by(&finished()));
    assert_eq!(
        words_of(&it),
        ["Pressed 0", "Sent 1", "Accepted in another batch"]
    );
    let waiting = it.waiting(at(60), false, None).expect("it is said");
    assert!(waiting.contains("another batch"), "{waiting}");
}

#[test]
fn an_accepted_rerun_that_nobody_sees_is_unaccounted_for() {
    let mut it = view(applied(1, 2));
    assert!(!it.is_shown_by(&finished()));
    assert!(it.holds().is_some());
    assert_eq!(it.waiting(at(3), false, None), None);
    assert_eq!(
        it.waiting(at(42), false, Some(at(44))).as_deref(),
        Some("Accepted as run 2, not seen running for 40 s; looking again in 2 s.")
    );
    assert_eq!(it.watch_until(), Some(at(302)));
    let mut moved = finished();
    moved.run_counter = Some(RunCounter(2));
    assert!(it.is_shown_by(&moved));
    it.seen_running = true;
    assert_eq!((it.holds(), it.watch_until()), (None, None));
}

#[test]
fn a_reload_shows_the_same_of_what_was_accepted_and_holds_as_long() {
    let before = view(applied(1, 2));
    assert_eq!(before.to_be_kept(), Some((at(2), Some(RunCounter(2)))));
    let intent = crate::rerun::Intent {
        batch: before.batch,
        fence: before.fence.clone(),
        request: before.request.clone(),
        attempt: 0,
        epoch: 0,
        at: before.pressed,
        tests: Vec::new(),
    };
    let after = RerunView::of_accepted(Accepted {
        intent,
        sent: before.sent,
        posts: before.posts,
        at: at(2),
        run: Some(RunCounter(2)),
    });
    assert_eq!(after, before);
    assert!(!after.is_open(), "nothing of it is on its way");
    let mut seen = after;
    seen.seen_running = true;
    assert_eq!((seen.holds(), seen.to_be_kept()), (None, None));
    assert_eq!(view(applied(2, 1)).to_be_kept(), None, "it is elsewhere");
}

#[test]
fn what_gave_way_is_said_as_long_as_the_earlier_one_is_open() {
    let mut it = view(Stage::Asking);
    assert_eq!(it.gave_way(), None);
    it.gave_way = Some(RerunScope::BatchMetrics);
    let said = it.gave_way().expect("it is said");
    assert!(
        said.starts_with("Not sent: Rerun batch metrics only."),
        "{said}"
    );
    assert!(said.contains("is still open"), "{said}");
    it.stage = Stage::Ended(Ended::Applied {
        batch: it.batch,
        run: Some(RunCounter(2)),
        evidence: Evidence::Answer,
    });
    let said = it.gave_way().expect("it still holds");
    assert!(said.contains("has not been seen running yet"), "{said}");
    it.seen_running = true;
    assert_eq!(it.gave_way(), None);
    it.stage = Stage::Ended(Ended::NotApplied);
    assert_eq!(it.gave_way(), None);
}

#[test]
fn a_run_that_shows_after_a_no_is_not_called_ones_own() {
    let seen = |evidence| {
        let mut it = view(Stage::Ended(Ended::Applied {
            batch: BatchId::from_u128(1),
            run: Some(RunCounter(2)),
            evidence,
        }));
        it.said_no = true;
        it
    };
    let it = seen(Evidence::RunCounter(RunCounter(2)));
    assert_eq!(words_of(&it), ["Pressed 0", "Sent 1", "Run 2 began"]);
    let waiting = it.waiting(at(3), false, None).expect("it is said");
    assert!(waiting.contains("may be somebody else's"), "{waiting}");
    assert_eq!(it.holds(), None, "another one may be pressed");
    let mut unanswered = seen(Evidence::RunCounter(RunCounter(2)));
    unanswered.said_no = false;
    assert!(words_of(&unanswered).contains(&"Accepted as run 2".to_owned()));
}

#[test]
fn without_counters_what_moved_is_the_sign() {
    let mut it = view(applied(1, 2));
    let mut uncounted = finished();
    uncounted.run_counter = None;
    let mut running = uncounted.clone();
    running.status = Some(BatchStatus::ExperiencesRunning);
    for later in [&uncounted, &running] {
        assert!(!it.is_shown_by(later), "its counter is only missing");
    }
    it.fence = Fence::at(&uncounted);
    assert!(!it.is_shown_by(&uncounted));
    assert!(it.is_shown_by(&running));
    let started = |seconds| {
        let mut batch = uncounted.clone();
        batch.last_run = Some(at(seconds));
        batch
    };
    assert!(
        !it.is_shown_by(&started(1)),
        "its start was only missing before"
    );
    it.fence = Fence::at(&started(1));
    assert!(!it.is_shown_by(&started(1)));
    assert!(it.is_shown_by(&started(2)));
}

#[test]
fn a_busy_batch_that_runs_is_not_called_cleaning_up() {
    let it = view(Stage::Cooling {
        until: at(30),
        why: WaitReason::CleaningUp,
    });
    let words = |runs| it.waiting(at(2), runs, None).expect("it waits");
    assert!(words(true).starts_with("The batch still runs"));
    assert!(words(false).starts_with("The platform is cleaning up, next try in 28 s"));
    assert_eq!(
        words_of(&it),
        ["Pressed 0", "Sent 1", "Not accepted yet", "Seen running"]
    );
}

#[test]
fn after_an_end_nothing_is_to_come() {
    assert_eq!(
        words_of(&view(Stage::Ended(Ended::CalledOff))),
        ["Pressed 0", "Sent 1", "Called off"]
    );
    let refused = ApiError::new("rerun", crate::api::ErrorKind::Forbidden, "no");
    assert_eq!(
        words_of(&view(Stage::Ended(Ended::Refused(refused)))),
        ["Pressed 0", "Sent 1", "Refused"]
    );
}

#[test]
fn each_end_without_a_run_says_what_was_started_and_what_to_do() {
    let busy = || {
        ApiError::new(
            "rerun the batch",
            crate::api::ErrorKind::Busy,
            "still cleaning\u{202e}",
        )
    };
    for (ended, step, trouble, why) in [
        (
            Ended::Refused(busy()),
            "Refused",
            "ReSim refused: Rerun batch metrics only. Nothing was started; your selection is kept.",
            Some("Could not rerun the batch"),
        ),
        (
            Ended::StillBusy(busy()),
            "Not accepted",
            "The platform stayed busy, so nothing was started: Rerun batch metrics only. Try again in \
             a minute; your selection is kept.",
            Some("Could not rerun the batch"),
        ),
        (
            Ended::NotApplied,
            "Did not arrive",
            "The request was not applied, so nothing was started: Rerun batch metrics only. Press \
             again if you still want it.",
            None,
        ),
        (
            Ended::NotSent("the batch moved".into()),
            "Not sent",
            "Nothing was sent: Rerun batch metrics only. Press again if you still want it.",
            Some("The batch moved"),
        ),
        (
            Ended::NotStored("the disk is full".into()),
            "Not sent",
            "Nothing was sent: Rerun batch metrics only. A rerun is written down before it is sent, \
             and that failed.",
            Some("the disk is full"),
        ),
    ] {
        let it = view(Stage::Ended(ended));
        assert_eq!(words_of(&it).last().map(String::as_str), Some(step));
        assert_eq!(it.holds(), None, "another may be pressed after: {step}");
        let (said, details) = it.trouble().expect("it is said");
        assert_eq!(said, trouble);
        match (why, &details) {
            (Some(why), Some(details)) => assert!(details.starts_with(why), "{details}"),
            (why, details) => assert_eq!((why, details.as_deref()), (None, None)),
        }
        assert!(!details.unwrap_or_default().contains('\u{202e}'), "{step}");
    }
    let mut unanswered = view(Stage::Ended(Ended::NotApplied));
    unanswered.said = Some("no answer within 60 s".into());
    let (_, why) = unanswered.trouble().expect("it is said");
    assert_eq!(why.as_deref(), Some("no answer within 60 s"));
}

#[test]
fn what_is_open_accepted_or_called_off_is_no_trouble() {
    for stage in [
        Stage::Posting,
        applied(1, 2),
        Stage::Ended(Ended::CalledOff),
    ] {
        assert_eq!(view(stage).trouble(), None);
    }
}

#[test]
fn nothing_that_was_held_back_is_shown_as_sent() {
    let it = view(Stage::Ended(Ended::NotSent("the batch moved".into())));
    assert_eq!(words_of(&it), ["Pressed 0", "Not sent"]);
}

#[test]
fn the_steps_to_come_say_what_is_known_of_the_post() {
    let until = at(30);
    for (stage, sent, steps) in [
        (
            Stage::Storing,
            None,
            vec!["Pressed 0", "Sent", "Accepted", "Seen running"],
        ),
        (
            Stage::Posting,
            Some(1),
            vec!["Pressed 0", "Sent 1", "Accepted", "Seen running"],
        ),
        (
            Stage::Settling { until, agreeing: 0 },
            Some(1),
            vec!["Pressed 0", "Sent 1", "Not known yet", "Seen running"],
        ),
        (
            Stage::Asking,
            Some(1),
            vec!["Pressed 0", "Sent 1", "Not known yet", "Seen running"],
        ),
        (
            landing(Some(2)),
            Some(1),
            vec!["Pressed 0", "Sent 1", "Run 2 began"],
        ),
        (
            landing(None),
            Some(1),
            vec!["Pressed 0", "Sent 1", "A run began"],
        ),
        (
            Stage::Checking {
                then: crate::rerun::Then::Cool,
            },
            Some(1),
            vec!["Pressed 0", "Sent 1", "Not accepted yet", "Seen running"],
        ),
    ] {
        let mut it = view(stage);
        it.sent = sent.map(at);
        assert_eq!(words_of(&it), steps);
    }
    let mut third = view(Stage::Posting);
    third.posts = 3;
    assert_eq!(words_of(&third)[1], "Sent 1, try 3");
    let mut done = view(applied(1, 2));
    (done.seen_running, done.seen_finished) = (true, true);
    assert_eq!(
        words_of(&done),
        [
            "Pressed 0",
            "Sent 1",
            "Accepted as run 2",
            "Seen running",
            "Finished"
        ]
    );
}

#[test]
fn each_wait_says_what_for_and_how_long() {
    let until = at(30);
    let settling = || Stage::Settling { until, agreeing: 0 };
    for (stage, now, sentence) in [
        (Stage::Storing, 2, "Writing it down first."),
        (Stage::Posting, 2, "Waiting for ReSim's answer."),
        (
            Stage::Checking {
                then: crate::rerun::Then::Post,
            },
            2,
            "Looking whether anything moved.",
        ),
        (
            Stage::Cooling {
                until,
                why: WaitReason::Throttled,
            },
            20,
            "Too many requests, next try in 10 s.",
        ),
        (
            settling(),
            2,
            "Nobody knows yet whether it was applied. Looking, sending nothing; not called lost \
             for 28 s yet. Why: no answer came.",
        ),
        (settling(), 30, "Looking once more whether it was applied."),
        (
            landing(Some(2)),
            2,
            "A run began. Whether it is yours is not known for 28 s yet: until then ReSim may \
             still apply this rerun, which got no answer, so nothing more is sent.",
        ),
        (
            Stage::Asking,
            2,
            "Nothing shows whether it was applied. Look it up at ReSim, then say so.",
        ),
        (Stage::Parked, 2, "Goes on after you sign in."),
    ] {
        let it = view(stage);
        assert_eq!(it.waiting(at(now), false, None).as_deref(), Some(sentence));
    }
    let mut told = view(Stage::Cooling {
        until,
        why: WaitReason::CleaningUp,
    });
    told.said = Some("batch is busy".into());
    let words = told.waiting(at(20), false, None).expect("it waits");
    assert!(
        words.ends_with(" ReSim said then: batch is busy"),
        "{words}"
    );
}

#[test]
fn an_accepted_run_that_is_not_counted_and_is_looked_for_now_says_both() {
    let mut it = view(applied(1, 2));
    it.stage = Stage::Ended(Ended::Applied {
        batch: it.batch,
        run: None,
        evidence: Evidence::Answer,
    });
    assert_eq!(words_of(&it)[2], "Accepted");
    assert_eq!(
        it.waiting(at(7), false, None).as_deref(),
        Some("Accepted, not seen running for 5 s; looking again now.")
    );
    it.accepted_at = None;
    assert_eq!(
        it.waiting(at(7), false, None),
        None,
        "nobody knows since when"
    );
}

#[test]
fn only_what_waits_with_nothing_under_way_may_be_called_off() {
    let until = at(30);
    let cooling = Stage::Cooling {
        until,
        why: WaitReason::CleaningUp,
    };
    for (stage, may) in [
        (Stage::Storing, false),
        (Stage::Posting, false),
        (cooling, true),
        (Stage::Settling { until, agreeing: 0 }, false),
        (Stage::Asking, false),
        (landing(Some(2)), false),
        (Stage::Parked, true),
        (Stage::Ended(Ended::NotApplied), false),
    ] {
        let it = view(stage);
        assert_eq!(it.can_be_called_off(), may, "{:?}", it.stage);
        let held = match (it.is_open(), may) {
            (false, _) => None,
            _ if matches!(it.stage, Stage::SeenEarly { .. }) => {
                Some("A run began, and the last rerun may still be applied.")
            }
            (true, true) => Some("The last rerun still waits for its next try."),
            (true, false) => Some("A rerun is on its way."),
        };
        assert_eq!(it.holds(), held);
        assert!(
            !it.is_shown_by(&finished()),
            "nothing of it can be seen yet"
        );
        assert!(!it.is_of_somebody());
    }
}

#[test]
fn what_may_still_land_says_what_it_is_and_until_when() {
    assert_eq!(
        may_still_land(false, "10:32:05"),
        "a rerun of this batch that was sent from this browser has no answer yet; ReSim may \
         still apply it, until 10:32:05"
    );
    assert_eq!(
        may_still_land(true, "10:32:05"),
        "the journal of this browser has a rerun of this batch that this page cannot read; \
         ReSim may still apply it, until 10:32:05"
    );
}

#[test]
fn a_scope_says_what_it_does_to_how_many() {
    let tests = |count: u128| {
        crate::api::TestIds::new((1..=count).map(crate::domain::TestId::from_u128).collect())
            .expect("at least one")
    };
    for (scope, words) in [
        (RerunScope::Tests(tests(1)), "Rerun 1 test"),
        (
            RerunScope::TestMetrics(tests(2)),
            "Recompute metrics of 2 tests",
        ),
        (RerunScope::BatchMetrics, "Rerun batch metrics only"),
    ] {
        assert_eq!(verb(&scope), words);
    }
}
