//! The decision log as people read it: each record in one line, with its numbers.

use std::time::Duration;

use super::{Event, PauseReason, Record, WhyNot, journal::Seen};
use crate::{
    domain::{
        BatchStatus, GoDuration, Timestamp,
        text::clean_line,
        words::{count, number},
    },
    rerun::{Ended, Evidence, Intent, SubmissionNote, WaitReason},
};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A look at the batch; hidden by "decisions only".
    Look,
    /// Something was decided or done.
    Decision,
    /// Something is wrong or waits for the person.
    Warning,
}

/// One line of the decision log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub kind: LineKind,
    /// The line, without the time.
    pub text: String,
}

/// The longest line, in characters; none of ours comes near, a name may.
const LINE_CHARS: usize = 4_000;

/// The log line of a record, safe to read whatever names it quotes.
pub fn explain(record: &Record) -> LogLine {
    let (kind, text) = line(&record.event);
    LogLine {
        at: record.at,
        kind,
        text: clean_line(&text, LINE_CHARS),
    }
}

fn line(event: &Event) -> (LineKind, String) {
    use LineKind::{Decision, Look, Warning};
    match event {
        Event::Started { policy, batch, .. } => {
            let batch = match batch {
                super::BatchRef::Id(id) => format!("batch {id}"),
                super::BatchRef::Name(name) => format!("the newest batch named {name}"),
            };
            (
                Decision,
                format!(
                    "started on {batch}: {}; look every {}, wait up to {} per attempt",
                    policy.in_words(),
                    GoDuration::from_std(policy.poll_every),
                    GoDuration::from_std(policy.wait_timeout),
                ),
            )
        }
        Event::Pinned { batch, name } => (
            Look,
            match name {
                Some(name) => format!("{name} is batch {batch}"),
                None => format!("following batch {batch}"),
            },
        ),
        Event::Polled(seen) => (
            Look,
            format!(
                "{}: {} of {} tests unfinished",
                picture(seen),
                number(seen.unfinished),
                number(seen.total)
            ),
        ),
        Event::ReadFailed { error, retry_at } => (
            Warning,
            format!("{error}; trying again at {}", clock(*retry_at)),
        ),
        Event::ReadRecovered { failures } => (
            Look,
            format!(
                "reads work again after {}",
                count(u64::from(*failures), "failure")
            ),
        ),
        Event::StaleRead { run, awaited } => (
            Look,
            match (run, awaited) {
                (Some(run), Some(awaited)) => format!(
                    "an answer shows run {run}, waiting for run {awaited}: set aside, not believed"
                ),
                _ => "an answer still shows an earlier run: set aside, not believed".into(),
            },
        ),
        Event::StillUnderWay { until } => (
            Look,
            format!(
                "the batch has finished, but the rerun without an answer may still be applied: \
                 nothing is concluded before {}",
                clock(*until)
            ),
        ),
        Event::Adopted { run } => (
            Decision,
            format!(
                "run {run} was started outside of this supervision: following it, it costs no attempt"
            ),
        ),
        Event::Finished { seen, unproven } => {
            let mut text = format!("finished: {}", picture(seen));
            if *unproven {
                text.push_str(
                    "; the API sends neither run counter nor times, so this is taken as the new run \
                     after three looks",
                );
            }
            (Decision, text)
        }
        Event::Torn { why, tries: 0 } => (
            Look,
            format!("not decided on what was listed: {why}; listing again later"),
        ),
        Event::Torn { why, tries } => (
            Look,
            format!("no consistent picture (try {tries}): {why}; reading again"),
        ),
        Event::Listed { listed, batch_says } => {
            let mut text = format!("{} listed", count(*listed, "test"));
            if let Some(total) = batch_says {
                let total = number(*total);
                text.push_str(&format!(
                    "; the batch says {total}, two listings agree, so the listed ones count, as in the CLI"
                ));
            }
            (Look, text)
        }
        Event::ListedNotPassed { listed, passed } => (
            Look,
            format!(
                "listed the {} that did not pass; the API counts {} that passed: together the \
                 batch's {}",
                count(*listed, "test"),
                number(*passed),
                number(listed.saturating_add(*passed))
            ),
        ),
        Event::ListsAll { why } => (
            Look,
            format!(
                "listing every test, as the API's answer for the failing ones alone is no whole \
                 picture: {why}"
            ),
        ),
        Event::Reopened => (
            Look,
            "the batch may have moved on while it was read: waiting again".into(),
        ),
        Event::Decided {
            figures,
            attempt,
            why_not,
        } => {
            let share = format!(
                "{} of {} = {:.1} % (BLOCKER {}, ERROR {}, WARNING {})",
                number(figures.failing),
                number(figures.total),
                figures.percent(),
                number(figures.blocker),
                number(figures.error),
                number(figures.warning)
            );
            let then = match why_not {
                None => format!(
                    "rerun {}, attempt {}",
                    count(figures.failing, "test"),
                    attempt.saturating_add(1)
                ),
                Some(WhyNot::AttemptsUsed) => format!(
                    "no rerun: {} made, none left",
                    count(u64::from(*attempt), "rerun")
                ),
                Some(why) => format!("no rerun: {why}"),
            };
            (Decision, format!("{share} → {then}"))
        }
        Event::Intent(intent) => (Look, intent_line(intent)),
        Event::Rerun(note) => note_line(note),
        Event::Paused(why) => match why {
            PauseReason::ByPerson => (Decision, "paused".into()),
            PauseReason::SignedOut => (
                Warning,
                "signed out: paused, goes on by itself after sign-in".into(),
            ),
            PauseReason::OtherTab => (Decision, "another tab acts on this batch".into()),
            PauseReason::StorageRefused(why) => (
                Warning,
                format!(
                    "the browser refuses to store the rerun before it is sent ({why}), so it is not sent: \
                     free some space or leave private browsing; it looks and tries again by itself"
                ),
            ),
        },
        Event::Resumed { paused } => (
            Decision,
            format!(
                "goes on after a pause of {}, which does not count",
                rounded(*paused)
            ),
        ),
        Event::Restored { away, .. } => (
            Decision,
            format!(
                "taken up again, {} after the last line here",
                rounded(*away)
            ),
        ),
        Event::ClockJumped { shift_ms } => {
            let by = rounded(Duration::from_millis(shift_ms.unsigned_abs()));
            (
                Look,
                if *shift_ms > 0 {
                    format!(
                        "asleep, or the clock was set forward, for {by}: not counted as waiting"
                    )
                } else {
                    format!("the clock was set back by {by}")
                },
            )
        }
        Event::Ended(verdict) => (
            Decision,
            format!(
                "{}, exit code {}. {}",
                verdict.outcome.words(),
                verdict.exit_code,
                verdict.rule
            ),
        ),
        Event::Stopped => (Decision, "stopped by hand, without a verdict".into()),
    }
}

fn intent_line(intent: &Intent) -> String {
    match intent.fence.run {
        Some(run) => format!(
            "intent written: {} on top of run {run}",
            count(intent.tests.len() as u64, "test")
        ),
        None => format!(
            "intent written: {}",
            count(intent.tests.len() as u64, "test")
        ),
    }
}

fn note_line(note: &SubmissionNote) -> (LineKind, String) {
    use LineKind::{Decision, Look, Warning};
    match note {
        SubmissionNote::Sending { post: 1 } => (Look, "sent".into()),
        SubmissionNote::Sending { post } => (
            Look,
            format!("sent again, as nothing had moved (try {post})"),
        ),
        SubmissionNote::Waiting {
            why, next, message, ..
        } => {
            let why = match why {
                WaitReason::CleaningUp => "the platform is cleaning up (409)",
                WaitReason::Throttled => "too many requests (429)",
            };
            let message = message
                .as_deref()
                .map(|text| format!(": {text}"))
                .unwrap_or_default();
            (
                Decision,
                format!("{why}{message}; next try at {}", clock(*next)),
            )
        }
        SubmissionNote::Unknown {
            error,
            settle_until,
        } => (
            Warning,
            format!(
                "nobody knows yet whether the rerun was applied ({error}): looking, sending nothing; \
                 not called lost before {}",
                clock(*settle_until)
            ),
        ),
        SubmissionNote::AsksPerson => (
            Warning,
            "no look shows the rerun, and by the strict setting only a person may say that it was \
             not applied: look it up at ReSim, then say so here"
                .into(),
        ),
        SubmissionNote::SignedOut => (Warning, "the rerun was not applied: signed out".into()),
        SubmissionNote::Ended(ended) => match ended {
            Ended::Applied { run, evidence, .. } => {
                let run = run.map(|run| format!(" as run {run}")).unwrap_or_default();
                (
                    Decision,
                    match evidence {
                        Evidence::Answer => format!("accepted{run}"),
                        other => {
                            format!("a rerun was applied{run}: {other}; it counts as this attempt")
                        }
                    },
                )
            }
            Ended::NotApplied => (
                Decision,
                "the rerun was not applied: deciding anew on a fresh picture".into(),
            ),
            Ended::Refused(error) => (Warning, format!("the rerun was refused: {error}")),
            Ended::StillBusy(error) => (Warning, format!("gave up waiting: {error}")),
            Ended::NotStored(why) => (Warning, format!("the rerun was not sent: {why}")),
            Ended::NotSent(why) => (
                Decision,
                format!("the rerun was held back before it left: {why}; deciding anew"),
            ),
            Ended::CalledOff => (Decision, "called off; nothing more is sent".into()),
        },
    }
}

fn picture(seen: &Seen) -> String {
    let status = seen.status.as_ref().map_or("no status", BatchStatus::word);
    let word = match &seen.word {
        Some(word) if word.word() != status => format!(" / {word}"),
        _ => String::new(),
    };
    let run = seen
        .run
        .map(|run| format!(", run {run}"))
        .unwrap_or_default();
    format!("{status}{word}{run}")
}

/// To the second; milliseconds say nothing here.
fn rounded(duration: Duration) -> String {
    GoDuration::from_std(Duration::from_secs(duration.as_secs())).to_string()
}

/// Time of day in UTC, as logs are absolute.
fn clock(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    text.get(11..).map_or(text.clone(), |time| {
        format!("{} UTC", time.trim_end_matches('Z'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::{BatchRef, Policy, TestFigures};

    fn text(event: Event) -> String {
        explain(&Record {
            seq: 0,
            at: Timestamp::from_millis(0),
            event,
        })
        .text
    }

    #[test]
    fn a_decision_carries_its_numbers() {
        let figures = TestFigures {
            total: 320,
            failing: 14,
            blocker: 5,
            error: 9,
            warning: 0,
        };
        assert_eq!(
            text(Event::Decided {
                figures,
                attempt: 0,
                why_not: None
            }),
            "14 of 320 = 4.4 % (BLOCKER 5, ERROR 9, WARNING 0) → rerun 14 tests, attempt 1"
        );
        assert_eq!(
            text(Event::Decided {
                figures,
                attempt: 1,
                why_not: Some(WhyNot::AboveLimit)
            }),
            "14 of 320 = 4.4 % (BLOCKER 5, ERROR 9, WARNING 0) → \
             no rerun: more tests match than the limit allows"
        );
    }

    #[test]
    fn the_start_states_the_policy_in_words() {
        let policy = Policy::default();
        let line = text(Event::Started {
            policy,
            limits: crate::rerun::Limits::default(),
            batch: BatchRef::Name("nightly".into()),
        });
        assert_eq!(
            line,
            "started on the newest batch named nightly: rerun Warning, Error, Blocker up to 1 time \
             unless more than 50 % of all tests match; look every 30s, wait up to 1h0m0s per attempt"
        );
    }
}
