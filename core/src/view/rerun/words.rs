//! A rerun by hand in words: its steps, what it waits for, and what went wrong.

use std::time::Duration;

use super::{RerunView, Step};
use crate::{
    api::{ApiError, RerunScope},
    domain::{RunCounter, Timestamp},
    rerun::{Ended, Stage, WaitReason},
    view::{freshness::upper_first, words},
};

/// A rerun that is accepted and not seen running for this long is remarked upon.
const SOON: Duration = Duration::from_secs(4);

impl RerunView {
    /// The steps that were taken, and those to come while any is.
    pub fn steps(&self, time: impl Fn(Timestamp) -> String) -> Vec<Step> {
        let done = Some("done");
        let mut steps = vec![(format!("Pressed {}", time(self.pressed)), done)];
        let failed = |text: &str| (text.to_owned(), Some("failed"));
        let held_back = matches!(self.stage, Stage::Ended(Ended::NotSent(_)));
        if let Some(at) = self.sent.filter(|_| !held_back) {
            let tries = if self.posts > 1 {
                format!(", try {}", self.posts)
            } else {
                String::new()
            };
            steps.push((format!("Sent {}{tries}", time(at)), done));
        }
        match &self.stage {
            Stage::Ended(Ended::NotStored(_) | Ended::NotSent(_)) => steps.push(failed("Not sent")),
            Stage::Ended(Ended::CalledOff) => steps.push(failed("Called off")),
            Stage::Ended(Ended::Refused(_)) => steps.push(failed("Refused")),
            Stage::Ended(Ended::StillBusy(_)) => steps.push(failed("Not accepted")),
            Stage::Ended(Ended::NotApplied) => steps.push(failed("Did not arrive")),
            Stage::Ended(Ended::Applied { batch, .. }) if *batch != self.batch => {
                steps.push(("Accepted in another batch".to_owned(), done));
            }
            Stage::Ended(Ended::Applied { run, .. }) if self.is_of_somebody() => {
                steps.push((began("Another run", *run), Some("doubt")));
            }
            Stage::SeenEarly { .. } => steps.push((began("A run", self.run()), Some("doubt"))),
            Stage::Ended(Ended::Applied { run, .. }) => {
                let accepted = run.map_or("Accepted".to_owned(), |run| {
                    format!("Accepted as run {run}")
                });
                steps.push((accepted, done));
                let seen = self.seen_running.then_some("done");
                steps.push(("Seen running".to_owned(), seen));
                if self.seen_finished {
                    steps.push(("Finished".to_owned(), done));
                }
            }
            stage => {
                if self.sent.is_none() {
                    steps.push(("Sent".to_owned(), None));
                }
                steps.push(match stage {
                    Stage::Cooling { .. } | Stage::Checking { .. } => {
                        ("Not accepted yet".to_owned(), Some("doubt"))
                    }
                    Stage::Settling { .. } | Stage::Asking => {
                        ("Not known yet".to_owned(), Some("doubt"))
                    }
                    _ => ("Accepted".to_owned(), None),
                });
                steps.push(("Seen running".to_owned(), None));
            }
        }
        steps
    }

    /// What it waits for, in a sentence. `batch_runs`: the batch on screen has
    /// not finished; `next_look`: when the page reads it next.
    pub fn waiting(
        &self,
        now: Timestamp,
        batch_runs: bool,
        next_look: Option<Timestamp>,
    ) -> Option<String> {
        let said = self.said.as_deref().map_or(String::new(), |said| {
            format!(" ReSim said then: {}", words::clean(said))
        });
        let left = |until: Timestamp| until.since(now).as_secs();
        Some(match &self.stage {
            Stage::Storing => "Writing it down first.".to_owned(),
            Stage::Posting => "Waiting for ReSim's answer.".to_owned(),
            Stage::Checking { .. } => "Looking whether anything moved.".to_owned(),
            Stage::Cooling { until, why } => {
                let why = match why {
                    WaitReason::CleaningUp if batch_runs => "The batch still runs",
                    WaitReason::CleaningUp => "The platform is cleaning up",
                    WaitReason::Throttled => "Too many requests",
                };
                format!("{why}, next try in {} s.{said}", left(*until))
            }
            Stage::Settling { until, .. } => match left(*until) {
                0 => "Looking once more whether it was applied.".to_owned(),
                left => {
                    let why = self.said.as_deref().map_or("no answer came".into(), words::clean);
                    format!(
                        "Nobody knows yet whether it was applied. Looking, sending nothing; not \
                         called lost for {left} s yet. Why: {why}."
                    )
                }
            },
            Stage::SeenEarly { until, .. } => format!(
                "A run began. Whether it is yours is not known for {} s yet: until then ReSim may \
                 still apply this rerun, which got no answer, so nothing more is sent.",
                left(*until)
            ),
            Stage::Asking => {
                "Nothing shows whether it was applied. Look it up at ReSim, then say so.".to_owned()
            }
            Stage::Parked => "Goes on after you sign in.".to_owned(),
            Stage::Ended(_) if self.is_of_somebody() => {
                "ReSim had said no, so this run may be somebody else's: look whether your tests run, \
                 and press again if not."
                    .to_owned()
            }
            Stage::Ended(_) if self.elsewhere().is_some() => {
                "ReSim put this rerun into another batch; this one stays as it is.".to_owned()
            }
            Stage::Ended(_) => return self.unseen(now, next_look),
        })
    }

    fn unseen(&self, now: Timestamp, next_look: Option<Timestamp>) -> Option<String> {
        let waited = now.since(self.accepted_at?);
        if !self.is_unaccounted() || waited < SOON {
            return None;
        }
        let run = self
            .run()
            .map_or(String::new(), |run| format!(" as run {run}"));
        let again = match next_look.map_or(0, |at| at.since(now).as_secs()) {
            0 => "looking again now".to_owned(),
            left => format!("looking again in {left} s"),
        };
        Some(format!(
            "Accepted{run}, not seen running for {}; {again}.",
            words::duration(waited)
        ))
    }

    /// What went wrong in the end, and the words that were given for it.
    pub fn trouble(&self) -> Option<(String, Option<String>)> {
        let Stage::Ended(ended) = &self.stage else {
            return None;
        };
        let what = verb(&self.request.scope);
        let said = |error: &ApiError| {
            let text = upper_first(&error.to_string());
            Some(words::clean(&text).into_owned())
        };
        Some(match ended {
            Ended::Applied { .. } | Ended::CalledOff => return None,
            Ended::Refused(error) => (
                format!("ReSim refused: {what}. Nothing was started; your selection is kept."),
                said(error),
            ),
            Ended::StillBusy(error) => (
                format!(
                    "The platform stayed busy, so nothing was started: {what}. Try again in a \
                     minute; your selection is kept."
                ),
                said(error),
            ),
            Ended::NotApplied => (
                format!(
                    "The request was not applied, so nothing was started: {what}. Press again if \
                     you still want it."
                ),
                self.said.clone(),
            ),
            Ended::NotSent(why) => (
                format!("Nothing was sent: {what}. Press again if you still want it."),
                Some(upper_first(why)),
            ),
            Ended::NotStored(why) => (
                format!(
                    "Nothing was sent: {what}. A rerun is written down before it is sent, and \
                     that failed."
                ),
                Some(why.clone()),
            ),
        })
    }
}

/// A run that began, by its number where runs are counted.
fn began(otherwise: &str, run: Option<RunCounter>) -> String {
    run.map_or(format!("{otherwise} began"), |run| {
        format!("Run {run} began")
    })
}

/// Why nothing is sent for a batch before `until`. `unclear`: a journal that cannot be read
/// may hold a rerun of it.
pub fn may_still_land(unclear: bool, until: &str) -> String {
    let what = if unclear {
        "the journal of this browser has a rerun of this batch that this page cannot read"
    } else {
        "a rerun of this batch that was sent from this browser has no answer yet"
    };
    format!("{what}; ReSim may still apply it, until {until}")
}

/// How a scope is called: the verb, and what it does to how many.
pub fn verb(scope: &RerunScope) -> String {
    match scope {
        RerunScope::Tests(ids) => format!("Rerun {}", words::tests(ids.len())),
        RerunScope::TestMetrics(ids) => {
            format!("Recompute metrics of {}", words::tests(ids.len()))
        }
        RerunScope::BatchMetrics => "Rerun batch metrics only".to_owned(),
    }
}
