//! What the decision log says of each kind of event: every line with its numbers
//! (`design.md` §3, rule 10).

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::{BatchId, BatchStatus, ConflatedBatchStatus, RunCounter, Timestamp},
    rerun::{Ended, Evidence, SubmissionNote, WaitReason},
    supervise::{Event, PauseReason, Record, Seen, explain},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn says(event: Event, expected: &str) {
    let record = Record {
        seq: 0,
        at: at(0),
        event,
    };
    assert_eq!(explain(&record).text, expected);
}

fn error() -> ApiError {
    ApiError::new("read the batch", ErrorKind::Refused, "no such filter")
}

fn seen() -> Seen {
    Seen {
        status: Some(BatchStatus::Succeeded),
        word: Some(ConflatedBatchStatus::Blocker),
        run: Some(RunCounter(3)),
        last_run: None,
        last_change: None,
        unfinished: 2,
        total: 10,
    }
}

#[test]
fn what_was_read_is_said_with_what_it_showed() {
    let nothing = Seen {
        status: None,
        word: None,
        run: None,
        ..seen()
    };
    says(
        Event::Polled(seen()),
        "SUCCEEDED / BLOCKER, run 3: 2 of 10 tests unfinished",
    );
    says(
        Event::Polled(nothing),
        "no status: 2 of 10 tests unfinished",
    );
    let retry_at = at(61);
    let failed = Event::ReadFailed {
        error: error(),
        retry_at,
    };
    says(
        failed,
        &format!("{}; trying again at 00:01:01 UTC", error()),
    );
    says(
        Event::ReadRecovered { failures: 1 },
        "reads work again after 1 failure",
    );
    says(
        Event::ReadRecovered { failures: 4 },
        "reads work again after 4 failures",
    );
    says(
        Event::StaleRead {
            run: Some(RunCounter(2)),
            awaited: Some(RunCounter(3)),
        },
        "an answer shows run 2, waiting for run 3: set aside, not believed",
    );
    says(
        Event::StaleRead {
            run: None,
            awaited: None,
        },
        "an answer still shows an earlier run: set aside, not believed",
    );
    says(
        Event::StillUnderWay { until: at(95) },
        "the batch has finished, but the rerun without an answer may still be applied: nothing is \
         concluded before 00:01:35 UTC",
    );
    says(
        Event::Adopted { run: RunCounter(4) },
        "run 4 was started outside of this supervision: following it, it costs no attempt",
    );
    says(
        Event::Finished {
            seen: seen(),
            unproven: false,
        },
        "finished: SUCCEEDED / BLOCKER, run 3",
    );
    says(
        Event::Finished {
            seen: seen(),
            unproven: true,
        },
        "finished: SUCCEEDED / BLOCKER, run 3; the API sends neither run counter nor times, so this \
         is taken as the new run after three looks",
    );
}

#[test]
fn a_listing_says_how_the_total_is_known() {
    says(
        Event::Listed {
            listed: 1,
            batch_says: None,
        },
        "1 test listed",
    );
    says(
        Event::Listed {
            listed: 9,
            batch_says: Some(10),
        },
        "9 tests listed; the batch says 10, two listings agree, so the listed ones count, as in the \
         CLI",
    );
    says(
        Event::ListedNotPassed {
            listed: 1,
            passed: 9,
        },
        "listed the 1 test that did not pass; the API counts 9 that passed: together the batch's 10",
    );
    says(
        Event::ListsAll {
            why: "it does not say how many tests passed".into(),
        },
        "listing every test, as the API's answer for the failing ones alone is no whole picture: it \
         does not say how many tests passed",
    );
    says(
        Event::Torn {
            why: "9 tests were listed, the batch says 10".into(),
            tries: 2,
        },
        "no consistent picture (try 2): 9 tests were listed, the batch says 10; reading again",
    );
    says(
        Event::Torn {
            why: "the tests may still be those of the run before".into(),
            tries: 0,
        },
        "not decided on what was listed: the tests may still be those of the run before; listing \
         again later",
    );
    says(
        Event::Reopened,
        "the batch may have moved on while it was read: waiting again",
    );
}

#[test]
fn each_way_that_a_rerun_ends_has_its_own_line() {
    let applied = |run, evidence| {
        Event::Rerun(SubmissionNote::Ended(Ended::Applied {
            batch: BatchId::from_u128(1),
            run,
            evidence,
        }))
    };
    let two = Some(RunCounter(2));
    says(applied(two, Evidence::Answer), "accepted as run 2");
    says(applied(None, Evidence::Answer), "accepted");
    for (evidence, words) in [
        (Evidence::RunCounter(RunCounter(2)), "the run counter is 2"),
        (
            Evidence::StatusMoved(BatchStatus::Submitted),
            "the status is SUBMITTED",
        ),
        (
            Evidence::LastRun(at(5)),
            "the latest run started 1970-01-01T00:00:05Z",
        ),
        (
            Evidence::History(at(5)),
            "the status changed 1970-01-01T00:00:05Z",
        ),
    ] {
        let line = format!("a rerun was applied as run 2: {words}; it counts as this attempt");
        says(applied(two, evidence), &line);
    }
    for (ended, line) in [
        (
            Ended::NotApplied,
            "the rerun was not applied: deciding anew on a fresh picture".to_owned(),
        ),
        (
            Ended::Refused(error()),
            format!("the rerun was refused: {}", error()),
        ),
        (
            Ended::StillBusy(error()),
            format!("gave up waiting: {}", error()),
        ),
        (
            Ended::NotStored("disk full".into()),
            "the rerun was not sent: disk full".to_owned(),
        ),
        (
            Ended::NotSent("it slept".into()),
            "the rerun was held back before it left: it slept; deciding anew".to_owned(),
        ),
        (
            Ended::CalledOff,
            "called off; nothing more is sent".to_owned(),
        ),
    ] {
        says(Event::Rerun(SubmissionNote::Ended(ended)), &line);
    }
}

#[test]
fn what_a_rerun_waits_for_is_said_with_the_time() {
    let waiting = |why, message: Option<&str>| {
        Event::Rerun(SubmissionNote::Waiting {
            why,
            next: at(30),
            message: message.map(Into::into),
            post: 1,
        })
    };
    says(
        waiting(WaitReason::CleaningUp, Some("busy")),
        "the platform is cleaning up (409): busy; next try at 00:00:30 UTC",
    );
    says(
        waiting(WaitReason::Throttled, None),
        "too many requests (429); next try at 00:00:30 UTC",
    );
    says(Event::Rerun(SubmissionNote::Sending { post: 1 }), "sent");
    says(
        Event::Rerun(SubmissionNote::Sending { post: 3 }),
        "sent again, as nothing had moved (try 3)",
    );
    says(
        Event::Rerun(SubmissionNote::Unknown {
            error: error(),
            settle_until: at(95),
        }),
        &format!(
            "nobody knows yet whether the rerun was applied ({}): looking, sending nothing; not \
             called lost before 00:01:35 UTC",
            error()
        ),
    );
    says(
        Event::Rerun(SubmissionNote::SignedOut),
        "the rerun was not applied: signed out",
    );
}

#[test]
fn a_pause_and_a_jump_of_the_clock_say_how_long() {
    says(Event::Paused(PauseReason::ByPerson), "paused");
    says(
        Event::Paused(PauseReason::SignedOut),
        "signed out: paused, goes on by itself after sign-in",
    );
    says(
        Event::Paused(PauseReason::OtherTab),
        "another tab acts on this batch",
    );
    let hour = Duration::from_hours(1);
    says(
        Event::Resumed { paused: hour },
        "goes on after a pause of 1h0m0s, which does not count",
    );
    says(
        Event::Restored {
            epoch: 2,
            away: hour,
        },
        "taken up again, 1h0m0s after the last line here",
    );
    says(
        Event::ClockJumped { shift_ms: 90_000 },
        "asleep, or the clock was set forward, for 1m30s: not counted as waiting",
    );
    says(
        Event::ClockJumped { shift_ms: -90_000 },
        "the clock was set back by 1m30s",
    );
    says(Event::Stopped, "stopped by hand, without a verdict");
}
