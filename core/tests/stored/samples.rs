//! One value of every name that can be stored.

use std::{collections::BTreeSet, time::Duration};

use retake_core::{
    api::{ApiError, ErrorKind, RerunRequest, RerunScope, TestIds},
    domain::{
        BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, ProjectId, RunCounter, TestId,
        Timestamp,
    },
    rerun::{Ended, Evidence, Fence, Intent, IntentTest, Limits, Line, SubmissionNote, WaitReason},
    supervise::{
        BatchRef, Event, ExitCode, NamedTest, Outcome, PauseReason, Policy, Record, RerunOutcome,
        Rule, Seen, TestFigures, Verdict, WatchedStates, WhyNot,
    },
};
use serde::Serialize;

/// An enum that is stored.
trait Named {
    /// Its names.
    const ALL: &[&str];

    /// The name of this one.
    fn name(&self) -> &'static str;
}

/// Names the variants of an enum, so that a new one does not compile until it is named here,
/// and fails until there is a sample of it.
macro_rules! named {
    ($($type:ident: $($name:ident)+;)+) => {
        $(impl Named for $type {
            const ALL: &[&str] = &[$(stringify!($name)),+];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => stringify!($name),)+
                }
            }
        })+
    };
}

/// These samples, which are of every name.
fn every<T: Named>(samples: Vec<T>) -> Vec<T> {
    let mut missing: BTreeSet<&str> = T::ALL.iter().copied().collect();
    for it in &samples {
        missing.remove(it.name());
    }
    assert!(missing.is_empty(), "no sample of {missing:?}");
    samples
}

#[derive(Default)]
struct Samples {
    lines: Vec<String>,
}

named! {
    Event: Started Pinned Polled ReadFailed ReadRecovered StaleRead StillUnderWay Adopted Finished
        Torn Listed ListedNotPassed ListsAll Reopened Decided Intent Rerun Paused Resumed Restored
        ClockJumped Ended Stopped;
    BatchRef: Id Name;
    PauseReason: ByPerson SignedOut OtherTab StorageRefused;
    SubmissionNote: Sending Waiting Unknown AsksPerson SignedOut Ended;
    WaitReason: CleaningUp Throttled;
    Ended: Applied NotApplied Refused StillBusy NotStored NotSent CalledOff;
    Evidence: Answer RunCounter StatusMoved LastRun History Person;
    ErrorKind: Unreachable TimedOut NoToken SignedOut Forbidden NotFound Busy Throttled Refused
        Server Unreadable Aborted;
    WhyNot: AttemptsUsed Cancelled AboveLimit NoneFailing;
    Outcome: CleanPass PassAfterRerun PassHidingFailures Fail Cancelled TimedOut CouldNotTell;
    ExitCode: Success CouldNotTell Error Cancelled TimedOut Blocker Warning;
    Rule: Failed TimedOut StatusError StatusCancelled Word NothingFails StatusAlone;
    RerunScope: Tests TestMetrics BatchMetrics;
    Line: Of Intent Sent Held InDoubt Accepted Over;
}

impl Samples {
    fn keep(&mut self, kind: &str, it: &impl Serialize) {
        let text = serde_json::to_string(it).expect("plain data serializes");
        self.lines.push(format!("{kind} {text}"));
    }

    fn events(&mut self, events: Vec<Event>) {
        for event in events {
            let record = Record {
                seq: u32::try_from(self.lines.len()).expect("few"),
                at: at(1),
                event,
            };
            self.keep("record", &record);
        }
    }

    fn notes(&mut self, notes: Vec<SubmissionNote>) {
        self.events(notes.into_iter().map(Event::Rerun).collect());
    }
}

/// Every sample, as it is stored.
pub(crate) fn samples() -> Vec<String> {
    let mut all = Samples::default();
    all.events(every(each_event()));
    let by_name = every(vec![
        BatchRef::Id(batch()),
        BatchRef::Name("nightly".into()),
    ]);
    all.events(by_name.into_iter().map(started).collect());
    let pauses = every(vec![
        PauseReason::ByPerson,
        PauseReason::SignedOut,
        PauseReason::OtherTab,
        PauseReason::StorageRefused("no space".into()),
    ]);
    all.events(pauses.into_iter().map(Event::Paused).collect());
    notes(&mut all);
    verdicts(&mut all);
    let scopes = every(vec![
        RerunScope::Tests(ids()),
        RerunScope::TestMetrics(ids()),
        RerunScope::BatchMetrics,
    ]);
    let intents = scopes
        .into_iter()
        .map(|scope| Event::Intent(Box::new(intent(scope))));
    all.events(intents.collect());
    let lines = every(vec![
        Line::Of {
            project: ProjectId::from_u128(9),
            name: "nightly".into(),
        },
        Line::Intent(Box::new(intent(RerunScope::Tests(ids())))),
        Line::Sent { post: 1, at: at(2) },
        Line::Held {
            at: at(3),
            wait: Some((WaitReason::CleaningUp, at(33))),
            said: Some("cleaning up".into()),
        },
        Line::InDoubt {
            at: at(4),
            said: "no answer".into(),
            until: Some(at(99)),
        },
        Line::Accepted {
            at: at(5),
            run: Some(RunCounter(2)),
        },
        Line::Over { at: at(6) },
    ]);
    for line in &lines {
        all.keep("line", line);
    }
    all.lines
}

/// A line of the file, read as this build reads it and written again.
pub(crate) fn read_and_write(line: &str) -> Result<String, String> {
    let (kind, text) = line.split_once(' ').ok_or("no kind")?;
    let written = match kind {
        "record" => serde_json::from_str::<Record>(text).map(|it| serde_json::to_string(&it)),
        "line" => serde_json::from_str::<Line>(text).map(|it| serde_json::to_string(&it)),
        _ => return Err(format!("{kind} is no kind")),
    };
    let text = written.map_err(|error| error.to_string())?;
    Ok(format!(
        "{kind} {}",
        text.map_err(|error| error.to_string())?
    ))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn batch() -> BatchId {
    BatchId::from_u128(1)
}

fn ids() -> TestIds {
    TestIds::new(vec![TestId::from_u128(2)]).expect("one")
}

fn started(batch: BatchRef) -> Event {
    Event::Started {
        // Each value written out: another default is no other form.
        policy: Policy {
            max_rerun_attempts: 2,
            rerun_max_failure_percent: 12.5,
            rerun_on: watched(false),
            fail_on: watched(true),
            poll_every: Duration::from_secs(30),
            wait_timeout: Duration::from_hours(1),
        },
        limits: Limits {
            settle: Duration::from_secs(95),
            cooldown: Duration::from_secs(30),
            busy_window: Duration::from_mins(10),
            throttled_posts: 12,
            look_every: Duration::from_secs(5),
            ask_person: true,
            tests_a_page: 100,
        },
        batch,
    }
}

fn watched(warning: bool) -> WatchedStates {
    WatchedStates {
        warning,
        error: true,
        blocker: true,
    }
}

fn seen() -> Seen {
    Seen {
        status: Some(BatchStatus::Succeeded),
        word: Some(ConflatedBatchStatus::from_word("BLOCKER")),
        run: Some(RunCounter(1)),
        last_run: Some(at(7)),
        last_change: Some(at(8)),
        unfinished: 0,
        total: 3,
    }
}

fn error(kind: ErrorKind) -> ApiError {
    ApiError {
        what: "rerun the tests".into(),
        kind,
        status: Some(418),
        message: Some("in the server's words".into()),
        retry_after: Some(Duration::from_secs(9)),
    }
}

fn figures() -> TestFigures {
    TestFigures {
        total: 3,
        failing: 2,
        blocker: 1,
        error: 1,
        warning: 0,
    }
}

fn intent(scope: RerunScope) -> Intent {
    Intent {
        batch: batch(),
        fence: Fence {
            run: Some(RunCounter(1)),
            last_run: Some(at(7)),
            last_change: Some(at(8)),
            status: Some(BatchStatus::from_word("SHINY")),
        },
        request: RerunRequest {
            scope,
            sync_with_suite: true,
        },
        attempt: 1,
        epoch: 2,
        at: at(9),
        tests: vec![IntentTest {
            id: TestId::from_u128(2),
            name: "cut_in".into(),
            status: Some(ConflatedStatus::from_word("ERROR")),
            error: Some("NONZERO_EXIT_CODE".into()),
        }],
    }
}

fn verdict() -> Verdict {
    let named = |n: u128| {
        vec![NamedTest {
            id: TestId::from_u128(n),
            name: format!("t{n}"),
        }]
    };
    Verdict {
        outcome: Outcome::Fail,
        exit_code: ExitCode::Blocker,
        rule: Rule::StatusError,
        why_not: Some(WhyNot::AttemptsUsed),
        attempts: 1,
        max_attempts: 2,
        run: Some(RunCounter(2)),
        figures: Some(figures()),
        limit_percent: 50.0,
        reruns: RerunOutcome {
            passed_after_rerun: named(2),
            consistent: named(3),
            failed_again: named(4),
        },
        failing: named(3),
        failing_count: 1,
        notes: vec!["A note.".into()],
    }
}

fn each_event() -> Vec<Event> {
    let (run, awaited) = (Some(RunCounter(1)), Some(RunCounter(2)));
    vec![
        started(BatchRef::Id(batch())),
        Event::Pinned {
            batch: batch(),
            name: Some("nightly".into()),
        },
        Event::Polled(seen()),
        Event::ReadFailed {
            error: error(ErrorKind::Server),
            retry_at: at(10),
        },
        Event::ReadRecovered { failures: 1 },
        Event::StaleRead { run, awaited },
        Event::StillUnderWay { until: at(11) },
        Event::Adopted { run: RunCounter(2) },
        Event::Finished {
            seen: seen(),
            unproven: true,
        },
        Event::Torn {
            why: "3 tests were listed, the batch says 4".into(),
            tries: 1,
        },
        Event::Listed {
            listed: 3,
            batch_says: Some(4),
        },
        Event::ListedNotPassed {
            listed: 2,
            passed: 1,
        },
        Event::ListsAll { why: "no".into() },
        Event::Reopened,
        Event::Decided {
            figures: figures(),
            attempt: 0,
            why_not: None,
        },
        Event::Intent(Box::new(intent(RerunScope::Tests(ids())))),
        Event::Rerun(SubmissionNote::AsksPerson),
        Event::Paused(PauseReason::ByPerson),
        Event::Resumed {
            paused: Duration::from_millis(1_500),
        },
        Event::Restored {
            epoch: 1,
            away: Duration::from_mins(1),
        },
        Event::ClockJumped { shift_ms: -1 },
        Event::Ended(Box::new(verdict())),
        Event::Stopped,
    ]
}

fn notes(all: &mut Samples) {
    let kinds = every(vec![
        ErrorKind::Unreachable,
        ErrorKind::TimedOut,
        ErrorKind::NoToken,
        ErrorKind::SignedOut,
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::Busy,
        ErrorKind::Throttled,
        ErrorKind::Refused,
        ErrorKind::Server,
        ErrorKind::Unreadable,
        ErrorKind::Aborted,
    ]);
    let unknown = |kind| SubmissionNote::Unknown {
        error: error(kind),
        settle_until: at(12),
    };
    all.notes(kinds.into_iter().map(unknown).collect());
    let waits = every(vec![WaitReason::CleaningUp, WaitReason::Throttled]);
    let waiting = |why| SubmissionNote::Waiting {
        post: 1,
        why,
        next: at(13),
        message: Some("cleaning up".into()),
    };
    all.notes(waits.into_iter().map(waiting).collect());
    let proofs = every(vec![
        Evidence::Answer,
        Evidence::RunCounter(RunCounter(2)),
        Evidence::StatusMoved(BatchStatus::Submitted),
        Evidence::LastRun(at(14)),
        Evidence::History(at(15)),
        Evidence::Person,
    ]);
    let applied = |evidence| {
        SubmissionNote::Ended(Ended::Applied {
            batch: batch(),
            run: Some(RunCounter(2)),
            evidence,
        })
    };
    all.notes(proofs.into_iter().map(applied).collect());
    let ends = every(vec![
        Ended::Applied {
            batch: batch(),
            run: None,
            evidence: Evidence::Answer,
        },
        Ended::NotApplied,
        Ended::Refused(error(ErrorKind::Refused)),
        Ended::StillBusy(error(ErrorKind::Busy)),
        Ended::NotStored("no space".into()),
        Ended::NotSent("the page slept".into()),
        Ended::CalledOff,
    ]);
    all.notes(ends.into_iter().map(SubmissionNote::Ended).collect());
    let notes = every(vec![
        SubmissionNote::Sending { post: 1 },
        waiting(WaitReason::CleaningUp),
        unknown(ErrorKind::TimedOut),
        SubmissionNote::AsksPerson,
        SubmissionNote::SignedOut,
        SubmissionNote::Ended(Ended::NotApplied),
    ]);
    all.notes(notes);
}

fn verdicts(all: &mut Samples) {
    let end = |change: &dyn Fn(&mut Verdict)| {
        let mut verdict = verdict();
        change(&mut verdict);
        Event::Ended(Box::new(verdict))
    };
    let reasons = every(vec![
        WhyNot::AttemptsUsed,
        WhyNot::Cancelled,
        WhyNot::AboveLimit,
        WhyNot::NoneFailing,
    ]);
    let events = reasons
        .into_iter()
        .map(|it| end(&|to| to.why_not = Some(it)));
    all.events(events.collect());
    let outcomes = every(vec![
        Outcome::CleanPass,
        Outcome::PassAfterRerun,
        Outcome::PassHidingFailures,
        Outcome::Fail,
        Outcome::Cancelled,
        Outcome::TimedOut,
        Outcome::CouldNotTell,
    ]);
    let events = outcomes.into_iter().map(|it| end(&|to| to.outcome = it));
    all.events(events.collect());
    let codes = every(vec![
        ExitCode::Success,
        ExitCode::CouldNotTell,
        ExitCode::Error,
        ExitCode::Cancelled,
        ExitCode::TimedOut,
        ExitCode::Blocker,
        ExitCode::Warning,
    ]);
    let events = codes.into_iter().map(|it| end(&|to| to.exit_code = it));
    all.events(events.collect());
    let rules = every(vec![
        Rule::Failed("could not read the batch".into()),
        Rule::TimedOut {
            after: "1h0m0s".into(),
            last: Some(BatchStatus::ExperiencesRunning),
        },
        Rule::StatusError,
        Rule::StatusCancelled,
        Rule::Word {
            word: ConflatedBatchStatus::from_word("BLOCKER"),
            filter: watched(false),
        },
        Rule::NothingFails(BatchStatus::Succeeded),
        Rule::StatusAlone(None),
    ]);
    let events = rules.into_iter().map(|it| end(&|to| to.rule = it.clone()));
    all.events(events.collect());
}
