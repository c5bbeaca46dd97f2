//! One rerun POST, from intent to a known outcome.
//!
//! Feed it what happened with [`Submission::handle`]; perform the [`Effect`]s
//! that come back. It never waits and never reads a clock.

use std::time::Duration;

use serde::Serialize;

use super::{
    Effect, Ended, Evidence, Held, Intent, Limits, Passage, PersonSays, Stage, SubmissionInput,
    SubmissionNote, Then, Tries, WaitReason,
};
use crate::{
    api::{ApiError, ErrorKind, RerunAnswer},
    domain::{Batch, BatchStatus, Timestamp},
    planted::{self, Bug},
};

/// Reads after the settle window that must agree before a POST is called not applied.
const AGREEING_READS: u8 = 2;
/// Looks in a row that may be refused (400, 403, 404) before giving up …
const REFUSED_READS: u8 = 3;
/// … spread over at least this long (`reliability.md` §3).
const REFUSED_OVER: Duration = Duration::from_mins(2);
/// A batch that shows only old pictures for this long may never show anything
/// that proves a rerun: then a person has to say.
const NOTHING_SHOWS: Duration = Duration::from_mins(10);
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
    /// Since when every look was refused.
    refused_since: Option<Timestamp>,
    /// Since when every look has shown an old picture, which proves nothing.
    stale_since: Option<Timestamp>,
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

    /// Takes up an intent that was stored by an earlier life. If its last POST was
    /// answered and not applied, it waits on, looks, and posts again if nothing
    /// moved. Else its outcome is in doubt until proven otherwise: `last_sent` is
    /// the latest time at which a POST of it may have gone out, since one that was
    /// stored and never noted as sent may have gone out just before the crash.
    pub fn restored(
        intent: Intent,
        limits: Limits,
        tries: &Tries,
        last_sent: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let until = last_sent.after(limits.settle);
        let stage = match &tries.held {
            None => Stage::Settling { until, agreeing: 0 },
            Some(Held::SignedOut) => Stage::Checking { then: Then::Post },
            Some(Held::Until { since, next, why }) => Stage::Cooling {
                // Never longer than it was to be, whatever was done to the clock.
                until: (*next).min(last_sent.after(next.since(*since))),
                why: why.clone(),
            },
        };
        let mut it = Self::at_stage(intent, limits, stage);
        it.posts = tries.posts;
        it.busy = tries.busy;
        it.throttled = tries.throttled;
        if tries.held.is_none() {
            it.posts = it.posts.max(1);
            it.sent_at = Some(last_sent);
            it.in_doubt = true;
        }
        if let Stage::Cooling { until, .. } = it.stage {
            return (it, vec![Effect::WakeAt(until)]);
        }
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
            refused_since: None,
            stale_since: None,
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
        for time in [
            &mut self.unfinished_since,
            &mut self.refused_since,
            &mut self.stale_since,
        ] {
            *time = time.map(&shift);
        }
    }

    /// Takes in what happened; the effects are to be performed in order.
    pub fn handle(&mut self, input: SubmissionInput, now: Timestamp) -> Vec<Effect> {
        if matches!(self.stage, Stage::Ended(_)) {
            return Vec::new();
        }
        match input {
            SubmissionInput::Stored(stored) => self.stored(stored, now),
            SubmissionInput::Posted(answer) => self.posted(answer, now),
            SubmissionInput::NotSent(why) if self.stage == Stage::Posting => {
                self.end(Ended::NotSent(why))
            }
            SubmissionInput::NotSent(_) => Vec::new(),
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
                Stage::Storing | Stage::Cooling { .. } | Stage::Checking { .. } | Stage::Parked
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
        self.posts = self.posts.saturating_add(1);
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
        self.refused_since = None;
        self.failed_looks = 0;
        let mut passage = self.intent.fence.compare(batch);
        if planted::is(Bug::BusyUnfenced) && matches!(self.stage, Stage::Checking { .. }) {
            passage = Passage::Unmoved;
        }
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
        if passage != Passage::Stale {
            self.stale_since = None;
        }
        match self.stage.clone() {
            // An old picture proves nothing; look again, but not for ever.
            Stage::Checking { .. } | Stage::Settling { .. } if passage == Passage::Stale => {
                let since = *self.stale_since.get_or_insert(now);
                match self.stage {
                    _ if now.since(since) < NOTHING_SHOWS => self.look_later(now),
                    Stage::Settling { until, .. } if now <= until => self.look_later(now),
                    Stage::Settling { .. } => self.ask_person(now),
                    _ => self.end(Ended::NotApplied),
                }
            }
            Stage::Checking { .. } if passage == Passage::Changed => self.end(Ended::NotApplied),
            Stage::Checking { then: Then::Cool } => {
                let error = self.held_by.clone().unwrap_or_else(|| {
                    ApiError::new("rerun", ErrorKind::Busy, "the platform is busy")
                });
                if self.limits.gives_up_busy(self.busy) {
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
        self.ask_person(now)
    }

    fn ask_person(&mut self, now: Timestamp) -> Vec<Effect> {
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
                let since = *self.refused_since.get_or_insert(now);
                self.refused_looks = self.refused_looks.saturating_add(1);
                if self.refused_looks >= REFUSED_READS && now.since(since) >= REFUSED_OVER {
                    match self.stage {
                        // What may have been applied is never called refused.
                        Stage::Settling { until, .. } if now > until => {
                            return self.ask_person(now);
                        }
                        Stage::Settling { .. } | Stage::Asking => {}
                        _ => return self.end(Ended::Refused(error)),
                    }
                }
                let due = now.after(REFUSED_OVER / 2);
                self.next_look = Some(due);
                vec![Effect::WakeAt(due)]
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
        // What was paused proved nothing meanwhile.
        self.stale_since = None;
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
