//! One rerun POST, from intent to a known outcome.
//!
//! Feed it what happened with [`Submission::handle`]; perform the [`Effect`]s
//! that come back. It never waits and never reads a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Evidence, Intent, Passage};
use crate::{
    api::{ApiError, ErrorKind, RerunAnswer},
    domain::{Batch, BatchId, BatchStatus, RunCounter, Timestamp},
    planted::{self, Bug},
};

/// The bounds of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How long after sending a POST the server may still apply it: the
    /// client's own limit (5 s to send it after the decision, 30 s for its
    /// answer, so 35 s) and the longest life of a
    /// request behind it (60 s, assumed; `reliability.md` §1). An unknown
    /// outcome is not called "not applied" before this has passed.
    pub settle: Duration,
    /// Pause after a 409, as in the CLI (`resim-api.md` §5).
    pub cooldown: Duration,
    /// POSTs that may be answered with 409 before giving up, as in the CLI.
    pub busy_posts: u32,
    /// POSTs that may be answered with 429 before giving up.
    pub throttled_posts: u32,
    /// Pause between two reads while an outcome is unknown.
    pub look_every: Duration,
    /// Strict: when no read shows a POST of unknown outcome even after the
    /// window, a person is asked, instead of calling it not applied.
    #[serde(default)]
    pub ask_person: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(95),
            cooldown: Duration::from_secs(30),
            busy_posts: 3,
            throttled_posts: 6,
            look_every: Duration::from_secs(5),
            ask_person: false,
        }
    }
}

/// Reads after the settle window that must agree before a POST is called not applied.
const AGREEING_READS: u8 = 2;
/// Reads in a row that may be refused (403, 404) before giving up.
const REFUSED_READS: u8 = 3;
/// Longer than a read can lag behind: a batch that is unfinished on every look
/// for this long has really started again, whatever the counters say.
pub(crate) const OLD_PICTURE: Duration = Duration::from_mins(1);
/// A decision that is older than this when it is stored is looked at again
/// before it is sent: the page may have slept in between.
pub(crate) const FRESH: Duration = Duration::from_secs(10);
/// The longest pause between two looks while looks fail.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Pause after a 429 that names none.
const THROTTLE_PAUSE: Duration = Duration::from_secs(10);

/// Where a submission stands; what a person sees as pressed, sent, accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Pressed: the intent is being stored; nothing was sent.
    Storing,
    /// Sent: the POST is under way.
    Posting,
    /// The batch is read before the next POST, or before a 409 is believed.
    Checking {
        /// What happens if nothing has moved.
        then: Then,
    },
    /// Waits before it looks and posts again.
    Cooling {
        /// When the next try is due.
        until: Timestamp,
        /// Why.
        why: WaitReason,
    },
    /// Nobody knows whether the POST was applied; the batch is read until that is clear.
    Settling {
        /// Until when the server may still apply it.
        until: Timestamp,
        /// Reads after that which agreed that nothing moved.
        agreeing: u8,
    },
    /// Strict: no read shows the POST, and a person is asked whether it was
    /// applied; waits for [`SubmissionInput::PersonSays`], still looking now
    /// and then.
    Asking,
    /// Signed out: waits for [`SubmissionInput::Resume`].
    Parked,
    /// Over.
    Ended(Ended),
}

/// What follows a check that finds nothing moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// Wait out the cooldown.
    Cool,
    /// Post again.
    Post,
}

/// Why a submission waits before its next POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitReason {
    /// 409: the platform is still cleaning up the last run.
    CleaningUp,
    /// 429: too many requests.
    Throttled,
}

/// How a submission ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// A rerun was applied. If the POST's own answer was lost, some rerun was,
    /// and it counts as ours, on the safe side.
    Applied {
        /// The batch to follow from now on.
        batch: BatchId,
        /// The run to wait for, where counters are known.
        run: Option<RunCounter>,
        /// What proved it.
        evidence: Evidence,
    },
    /// Nothing was applied: decide anew on a fresh picture.
    NotApplied,
    /// The server refused, for good.
    Refused(ApiError),
    /// The platform stayed busy through every try.
    StillBusy(ApiError),
    /// The intent could not be stored, so nothing was sent.
    NotStored(String),
    /// Called off by the person while it waited.
    CalledOff,
}

/// A person's word on a POST whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonSays {
    /// It was applied: ReSim shows the new run.
    Applied,
    /// It was not.
    NotApplied,
}

/// What happened to a submission.
#[derive(Debug, Clone)]
pub enum SubmissionInput {
    /// The intent was stored, or could not be.
    Stored(Result<(), String>),
    /// The POST was answered, or not.
    Posted(Result<RerunAnswer, ApiError>),
    /// The batch was read; carries when the read was sent.
    Looked(Timestamp, Result<Box<Batch>, ApiError>),
    /// A time asked for has come.
    Wake,
    /// Signed in again, or unpaused.
    Resume,
    /// The person answers [`Stage::Asking`].
    PersonSays(PersonSays),
    /// The person calls it off; honoured while nothing is under way.
    CallOff,
}

/// What a submission wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Store the intent durably, then say [`SubmissionInput::Stored`].
    Store,
    /// Send the POST once, then say [`SubmissionInput::Posted`].
    Post,
    /// Read the batch, then say [`SubmissionInput::Looked`].
    Look,
    /// Say [`SubmissionInput::Wake`] at this time.
    WakeAt(Timestamp),
    /// Ask the person to sign in, then say [`SubmissionInput::Resume`].
    SignIn,
    /// Write this into the log.
    Note(SubmissionNote),
    /// Over; see [`Submission::stage`].
    Ended(Ended),
}

/// A step of a submission that belongs into the log. Replaying the notes tells
/// whether a POST may be under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SubmissionNote {
    /// The intent is stored and the POST goes out.
    Sending {
        /// Which POST of this intent, counted from 1.
        post: u32,
    },
    /// 409 or 429: nothing was applied; the next try is due at `next`.
    Waiting {
        /// Which POST was answered.
        post: u32,
        /// Why it waits.
        why: WaitReason,
        /// When the next try is due.
        next: Timestamp,
        /// The server's words.
        message: Option<String>,
    },
    /// No usable answer: the POST may or may not have been applied.
    Unknown {
        /// Why there is no answer.
        error: ApiError,
        /// Until when the server may still apply it.
        settle_until: Timestamp,
    },
    /// No read shows it, and a person is asked.
    AsksPerson,
    /// 401: nothing was applied, sign-in is needed.
    SignedOut,
    /// How it ended.
    Ended(Ended),
}

/// One rerun POST and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Submission {
    intent: Intent,
    limits: Limits,
    stage: Stage,
    posts: u32,
    sent_at: Option<Timestamp>,
    /// A POST whose outcome nobody knows may be under way.
    in_doubt: bool,
    busy: u32,
    throttled: u32,
    refused_looks: u8,
    failed_looks: u32,
    /// The 409 or 429 that made us wait, to be shown if it is the last.
    held_by: Option<ApiError>,
    next_look: Option<Timestamp>,
    looking: bool,
    /// Since when every look has shown an unfinished batch, with no other mark.
    unfinished_since: Option<Timestamp>,
}

impl Submission {
    /// Begins: the first effect stores the intent.
    pub fn new(intent: Intent, limits: Limits) -> (Self, Vec<Effect>) {
        let mut it = Self::at_stage(intent, limits, Stage::Storing);
        let mut effects = vec![Effect::Store];
        if planted::is(Bug::SendsBeforeStored) {
            let at = it.intent.at;
            effects = it.post(at);
            effects.push(Effect::Store);
        }
        (it, effects)
    }

    /// Takes up an intent that was stored by an earlier life. `last_sent` is
    /// when a POST of it last went out, if one did: then its outcome is in
    /// doubt until proven otherwise.
    pub fn restored(
        intent: Intent,
        limits: Limits,
        posts: u32,
        last_sent: Option<Timestamp>,
    ) -> (Self, Vec<Effect>) {
        // Stored but never noted as sent: the note and the POST are one step,
        // so the POST may have gone out just before the crash.
        let sent_at = last_sent.unwrap_or(intent.at);
        let until = sent_at.after(limits.settle);
        let mut it = Self::at_stage(intent, limits, Stage::Settling { until, agreeing: 0 });
        it.posts = posts.max(1);
        it.sent_at = Some(sent_at);
        it.in_doubt = true;
        it.looking = true;
        (it, vec![Effect::Look])
    }

    fn at_stage(intent: Intent, limits: Limits, stage: Stage) -> Self {
        Self {
            intent,
            limits,
            stage,
            posts: 0,
            sent_at: None,
            in_doubt: false,
            busy: 0,
            throttled: 0,
            refused_looks: 0,
            failed_looks: 0,
            held_by: None,
            next_look: None,
            looking: false,
            unfinished_since: None,
        }
    }

    /// What is being run again.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Where it stands.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// POSTs sent so far.
    pub fn posts(&self) -> u32 {
        self.posts
    }

    /// Moves every awaited time, after the clock was found to have jumped.
    pub fn shift(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        match &mut self.stage {
            Stage::Cooling { until, .. } | Stage::Settling { until, .. } => *until = shift(*until),
            _ => {}
        }
        self.sent_at = self.sent_at.map(&shift);
        self.next_look = self.next_look.map(&shift);
        self.unfinished_since = self.unfinished_since.map(&shift);
    }

    /// Takes in what happened; the effects are to be performed in order.
    pub fn handle(&mut self, input: SubmissionInput, now: Timestamp) -> Vec<Effect> {
        if matches!(self.stage, Stage::Ended(_)) {
            return Vec::new();
        }
        match input {
            SubmissionInput::Stored(stored) => self.stored(stored, now),
            SubmissionInput::Posted(answer) => self.posted(answer, now),
            SubmissionInput::Looked(sent_at, batch) => {
                self.looking = false;
                match batch {
                    Ok(batch) => self.looked(sent_at, &batch, now),
                    Err(error) => self.look_failed(error, now),
                }
            }
            SubmissionInput::Wake => self.woken(now),
            SubmissionInput::Resume if planted::is(Bug::RepostsOnResume) => self.post(now),
            SubmissionInput::Resume => self.resume(),
            SubmissionInput::PersonSays(word) => self.person_says(word),
            SubmissionInput::CallOff => match self.stage {
                Stage::Cooling { .. } | Stage::Checking { .. } | Stage::Parked
                    if !self.in_doubt =>
                {
                    self.end(Ended::CalledOff)
                }
                _ => Vec::new(),
            },
        }
    }

    fn stored(&mut self, stored: Result<(), String>, now: Timestamp) -> Vec<Effect> {
        if self.stage != Stage::Storing {
            return Vec::new();
        }
        match stored {
            Ok(()) if now.since(self.intent.at) > FRESH => {
                self.stage = Stage::Checking { then: Then::Post };
                self.look()
            }
            Ok(()) => self.post(now),
            Err(_) if planted::is(Bug::SendsUnstored) => self.post(now),
            Err(why) => self.end(Ended::NotStored(why)),
        }
    }

    fn post(&mut self, now: Timestamp) -> Vec<Effect> {
        self.posts += 1;
        self.sent_at = Some(now);
        self.stage = Stage::Posting;
        vec![
            Effect::Note(SubmissionNote::Sending { post: self.posts }),
            Effect::Post,
        ]
    }

    fn posted(&mut self, answer: Result<RerunAnswer, ApiError>, now: Timestamp) -> Vec<Effect> {
        if self.stage != Stage::Posting {
            return Vec::new();
        }
        let error = match answer {
            Ok(answer) => {
                let batch = answer.batch_id.unwrap_or(self.intent.batch);
                // A new batch counts its runs from its own start.
                let run = answer.run_counter.or_else(|| {
                    (batch == self.intent.batch)
                        .then(|| self.intent.fence.next_run())
                        .flatten()
                });
                return self.end(Ended::Applied {
                    batch,
                    run,
                    evidence: Evidence::Answer,
                });
            }
            Err(error) => error,
        };
        if error.kind.leaves_post_unknown() {
            if planted::is(Bug::RepostsUnanswered) {
                return self.post(now);
            }
            self.in_doubt = true;
            let until = self.sent_at.unwrap_or(now).after(self.settle());
            self.stage = Stage::Settling { until, agreeing: 0 };
            let mut effects = vec![Effect::Note(SubmissionNote::Unknown {
                error,
                settle_until: until,
            })];
            effects.extend(self.look());
            return effects;
        }
        match &error.kind {
            ErrorKind::Busy => {
                // Looked into before it is believed: the browser itself may have
                // repeated a POST that was applied (`reliability.md` §2.6).
                self.busy += 1;
                self.held_by = Some(error);
                self.stage = Stage::Checking { then: Then::Cool };
                self.look()
            }
            ErrorKind::Throttled => {
                self.throttled += 1;
                if self.throttled >= self.limits.throttled_posts {
                    return self.end(Ended::StillBusy(error));
                }
                let pause = error.retry_after.unwrap_or(THROTTLE_PAUSE);
                self.cool(error, WaitReason::Throttled, pause, now)
            }
            ErrorKind::SignedOut => {
                self.stage = Stage::Parked;
                vec![Effect::Note(SubmissionNote::SignedOut), Effect::SignIn]
            }
            _ => self.end(Ended::Refused(error)),
        }
    }

    fn settle(&self) -> Duration {
        if planted::is(Bug::NoSettle) {
            return Duration::ZERO;
        }
        if planted::is(Bug::ShortSettle) {
            return Duration::from_secs(30);
        }
        self.limits.settle
    }

    fn cool(
        &mut self,
        error: ApiError,
        why: WaitReason,
        pause: Duration,
        now: Timestamp,
    ) -> Vec<Effect> {
        let until = now.after(pause);
        let note = SubmissionNote::Waiting {
            post: self.posts,
            why: why.clone(),
            next: until,
            message: error.message.clone(),
        };
        self.held_by = Some(error);
        self.stage = Stage::Cooling { until, why };
        vec![Effect::Note(note), Effect::WakeAt(until)]
    }

    fn looked(&mut self, sent_at: Timestamp, batch: &Batch, now: Timestamp) -> Vec<Effect> {
        self.refused_looks = 0;
        self.failed_looks = 0;
        let mut passage = self.intent.fence.compare(batch);
        if let Passage::Unfinished(status) = passage {
            let since = *self.unfinished_since.get_or_insert(now);
            let long = now.since(since) >= OLD_PICTURE || planted::is(Bug::UnfinishedProves);
            passage = if long {
                Passage::Passed(Evidence::StatusMoved(status))
            } else {
                Passage::Stale
            };
        } else {
            self.unfinished_since = None;
        }
        if let Passage::Passed(evidence) = passage {
            return match self.stage {
                Stage::Checking { .. } | Stage::Settling { .. } | Stage::Asking => {
                    self.end(Ended::Applied {
                        batch: self.intent.batch,
                        run: match evidence {
                            Evidence::RunCounter(run) => Some(run),
                            _ => self.intent.fence.next_run(),
                        },
                        evidence,
                    })
                }
                _ => Vec::new(),
            };
        }
        match self.stage.clone() {
            // An old picture proves nothing; look again.
            Stage::Checking { .. } | Stage::Settling { .. } if passage == Passage::Stale => {
                self.look_later(now)
            }
            Stage::Checking { .. } if passage == Passage::Changed => self.end(Ended::NotApplied),
            Stage::Checking { then: Then::Cool } => {
                let error = self.held_by.clone().unwrap_or_else(|| {
                    ApiError::new("rerun", ErrorKind::Busy, "the platform is busy")
                });
                if self.busy >= self.limits.busy_posts {
                    return self.end(Ended::StillBusy(error));
                }
                self.cool(error, WaitReason::CleaningUp, self.limits.cooldown, now)
            }
            Stage::Checking { then: Then::Post } => {
                if batch.status == Some(BatchStatus::Cancelled) {
                    return self.end(Ended::NotApplied);
                }
                self.post(now)
            }
            Stage::Settling { until, agreeing } if sent_at > until => {
                if agreeing + 1 >= AGREEING_READS {
                    return self.unseen(now);
                }
                self.stage = Stage::Settling {
                    until,
                    agreeing: agreeing + 1,
                };
                self.look_later(now)
            }
            Stage::Settling { .. } | Stage::Asking => self.look_later(now),
            _ => Vec::new(),
        }
    }

    /// The window is over, and no read showed the POST.
    fn unseen(&mut self, now: Timestamp) -> Vec<Effect> {
        if !self.limits.ask_person {
            return self.end(Ended::NotApplied);
        }
        self.stage = Stage::Asking;
        let mut effects = vec![Effect::Note(SubmissionNote::AsksPerson)];
        effects.extend(self.look_later(now));
        effects
    }

    fn person_says(&mut self, word: PersonSays) -> Vec<Effect> {
        match (&self.stage, word) {
            (Stage::Asking, PersonSays::Applied) => self.end(Ended::Applied {
                batch: self.intent.batch,
                run: self.intent.fence.next_run(),
                evidence: Evidence::Person,
            }),
            (Stage::Asking, PersonSays::NotApplied) => self.end(Ended::NotApplied),
            _ => Vec::new(),
        }
    }

    fn look_failed(&mut self, error: ApiError, now: Timestamp) -> Vec<Effect> {
        match error.kind {
            ErrorKind::SignedOut => {
                // What is in doubt stays in doubt: Resume looks again.
                if !self.in_doubt {
                    self.stage = Stage::Parked;
                }
                vec![Effect::SignIn]
            }
            ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Refused => {
                self.refused_looks += 1;
                if self.refused_looks >= REFUSED_READS {
                    return self.end(Ended::Refused(error));
                }
                self.look_later(now)
            }
            _ => self.look_after_failure(&error, now),
        }
    }

    /// Looks again after a failed look: a pause that doubles, and at least what
    /// the server asked for.
    fn look_after_failure(&mut self, error: &ApiError, now: Timestamp) -> Vec<Effect> {
        let doubled = self
            .limits
            .look_every
            .saturating_mul(1 << self.failed_looks.min(10))
            .min(LONGEST_PAUSE);
        self.failed_looks += 1;
        let due = now.after(doubled.max(error.retry_after.unwrap_or_default()));
        self.next_look = Some(due);
        vec![Effect::WakeAt(due)]
    }

    fn woken(&mut self, now: Timestamp) -> Vec<Effect> {
        match &self.stage {
            Stage::Cooling { until, .. } if now >= *until => {
                if planted::is(Bug::BlindBusy) {
                    return self.post(now);
                }
                self.stage = Stage::Checking { then: Then::Post };
                self.look()
            }
            Stage::Cooling { until, .. } => vec![Effect::WakeAt(*until)],
            Stage::Checking { .. } | Stage::Settling { .. } | Stage::Asking if !self.looking => {
                match self.next_look {
                    Some(due) if now < due => vec![Effect::WakeAt(due)],
                    _ => self.look(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn resume(&mut self) -> Vec<Effect> {
        match &self.stage {
            Stage::Parked => {
                self.stage = Stage::Checking { then: Then::Post };
                self.look()
            }
            Stage::Checking { .. } | Stage::Settling { .. } | Stage::Asking => self.look(),
            Stage::Cooling { until, .. } => vec![Effect::WakeAt(*until)],
            _ => Vec::new(),
        }
    }

    fn look(&mut self) -> Vec<Effect> {
        self.looking = true;
        self.next_look = None;
        vec![Effect::Look]
    }

    fn look_later(&mut self, now: Timestamp) -> Vec<Effect> {
        // While a person is asked, a look now and then is enough.
        let pause = if self.stage == Stage::Asking {
            self.limits.cooldown
        } else {
            self.limits.look_every
        };
        let mut due = now.after(pause);
        // The reads that decide are those after the window; no need to be late.
        if let Stage::Settling { until, agreeing: 0 } = self.stage
            && now < until
            && due > until
        {
            due = until.after(Duration::from_millis(1));
        }
        self.next_look = Some(due);
        vec![Effect::WakeAt(due)]
    }

    fn end(&mut self, ended: Ended) -> Vec<Effect> {
        self.stage = Stage::Ended(ended.clone());
        vec![
            Effect::Note(SubmissionNote::Ended(ended.clone())),
            Effect::Ended(ended),
        ]
    }
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;
