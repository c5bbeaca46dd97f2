//! One rerun POST, from intent to a known outcome.
//!
//! Feed it what happened with [`Submission::handle`]; perform the [`Effect`]s
//! that come back. It never waits and never reads a clock.

use std::time::Duration;

use serde::Serialize;

use super::{
    Effect, Ended, Evidence, Held, Intent, Limits, POST_LIMIT, STILL_MEANT, Stage, SubmissionInput,
    SubmissionNote, Then, Tries, WaitReason,
};
use crate::{
    api::{ApiError, ErrorKind, RerunAnswer, retry::doubled},
    domain::Timestamp,
    planted::{self, Bug},
    supervise::{Now, SEND_WITHIN, Streak, clock::jump, machine::CALL_GUARD, state::shifted},
};

/// A decision that is older than this when it is stored is looked at again
/// before it is sent: the page may have slept in between.
pub(crate) const FRESH_FOR: Duration = Duration::from_secs(10);
/// How long the page itself may take over a POST: until it leaves, and for its answer.
/// What is left of [`Limits::settle`] is the life of a request behind it.
const MAY_TAKE: Duration = SEND_WITHIN.saturating_add(POST_LIMIT);
/// Pause after the first 429 that names none; doubles with each …
const THROTTLE_PAUSE: Duration = Duration::from_secs(10);
/// … up to this.
const LONGEST_THROTTLE_PAUSE: Duration = Duration::from_mins(1);

/// One rerun POST and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Submission {
    pub(super) intent: Intent,
    pub(super) limits: Limits,
    pub(super) stage: Stage,
    pub(super) posts: u32,
    pub(super) sent_at: Option<Timestamp>,
    /// When the picture was read that it rests on.
    pub(super) rests_on: Timestamp,
    /// When it was to be sent: once pressed, or at its next try. By the wall, sleep
    /// and all. A supervisor's rerun never asks for it.
    #[serde(skip)]
    pub(super) meant_for: Timestamp,
    /// The last POST was answered, and the answer was no.
    pub(super) said_no: bool,
    /// A POST whose outcome nobody knows may be under way.
    pub(super) in_doubt: bool,
    pub(super) busy: u32,
    pub(super) throttled: u32,
    /// Looks that were refused.
    pub(super) refused: Streak,
    /// Since when every look has shown an old picture, which proves nothing.
    pub(super) stale_since: Option<Timestamp>,
    pub(super) failed_looks: u32,
    /// The 409 or 429 that made us wait, to be shown if it is the last.
    pub(super) held_by: Option<ApiError>,
    pub(super) next_look: Option<Timestamp>,
    pub(super) looking: bool,
    /// Since when every look has shown an unfinished batch, with no other mark.
    pub(super) unfinished_since: Option<Timestamp>,
    /// When a look last showed another picture without any mark: of a new run, maybe.
    pub(super) unclear_at: Option<Timestamp>,
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
            Some(Held::SignedOut { .. }) => Stage::Checking { then: Then::Post },
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
        it.said_no = tries.held.is_some();
        match &tries.held {
            Some(Held::Until { next, .. }) => it.meant_for = *next,
            Some(Held::SignedOut { since }) => it.meant_for = *since,
            None => it.meant_for = last_sent,
        }
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
            rests_on: intent.at,
            meant_for: intent.at,
            said_no: false,
            intent,
            limits,
            stage,
            posts: 0,
            sent_at: None,
            in_doubt: false,
            busy: 0,
            throttled: 0,
            refused: Streak::default(),
            stale_since: None,
            failed_looks: 0,
            held_by: None,
            next_look: None,
            looking: false,
            unfinished_since: None,
            unclear_at: None,
        }
    }

    /// Says when the picture was read that the decision rests on, where that was
    /// earlier: an old one is looked at again before anything is sent.
    #[must_use]
    pub fn resting_on(mut self, read_at: Timestamp) -> Self {
        self.rests_on = read_at.min(self.intent.at);
        self
    }

    /// Whether the last POST was answered with a no. A run that shows afterwards
    /// may be somebody else's.
    pub fn said_no(&self) -> bool {
        self.said_no
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
            Stage::Cooling { until, .. }
            | Stage::Settling { until, .. }
            | Stage::SeenEarly { until, .. } => *until = shift(*until),
            _ => {}
        }
        self.sent_at = self.sent_at.map(&shift);
        self.next_look = self.next_look.map(&shift);
        for time in [
            &mut self.unfinished_since,
            &mut self.unclear_at,
            &mut self.stale_since,
        ] {
            *time = time.map(&shift);
        }
        self.refused.shift(shift);
    }

    /// Compares the clocks, where no supervisor does: what is waited for moves when
    /// the computer slept, or somebody set the clock.
    pub fn note_time(&mut self, before: Now, now: Now) {
        let due = match &self.stage {
            Stage::Cooling { until, .. } | Stage::SeenEarly { until, .. } => Some(*until),
            _ if self.looking || self.stage == Stage::Posting => {
                Some(before.wall.after(CALL_GUARD))
            }
            _ => self.next_look,
        };
        let planned = due.map_or(Duration::ZERO, |due| due.since(before.wall));
        if let Some(shift_ms) = jump(before, now, planned) {
            self.shift(|at| shifted(at, shift_ms));
        }
    }

    /// Takes in what happened; the effects are to be performed in order.
    pub fn handle(&mut self, input: SubmissionInput, now: Timestamp) -> Vec<Effect> {
        if matches!(self.stage, Stage::Ended(_)) {
            return Vec::new();
        }
        if self.has_lapsed(now) && !matches!(input, SubmissionInput::CallOff) {
            return self.end(Ended::NotApplied);
        }
        match input {
            SubmissionInput::Stored(stored) => self.stored(stored, now),
            SubmissionInput::Posted(answer) => self.posted(answer, now),
            SubmissionInput::NotSent(why)
                if matches!(self.stage, Stage::Storing | Stage::Posting) =>
            {
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
            SubmissionInput::CallOff if self.stage.can_be_called_off() && !self.in_doubt => {
                self.end(Ended::CalledOff)
            }
            SubmissionInput::CallOff => Vec::new(),
        }
    }

    /// Whether a person's own rerun has waited for so long that it is not sent by
    /// itself any more: after a sleep, a sign-in the day after, looks that failed all
    /// night. A supervisor decides anew each time, and waits as long as it takes.
    fn has_lapsed(&self, now: Timestamp) -> bool {
        let waits = matches!(
            self.stage,
            Stage::Cooling { .. } | Stage::Checking { .. } | Stage::Parked
        );
        self.intent.attempt == 0
            && waits
            && !self.in_doubt
            && now.since(self.meant_for) > STILL_MEANT
    }

    fn stored(&mut self, stored: Result<(), String>, now: Timestamp) -> Vec<Effect> {
        if self.stage != Stage::Storing {
            return Vec::new();
        }
        match stored {
            Ok(()) if now.since(self.rests_on) > FRESH_FOR => {
                self.stage = Stage::Checking { then: Then::Post };
                self.look()
            }
            Ok(()) => self.post(now),
            Err(_) if planted::is(Bug::SendsUnstored) => self.post(now),
            Err(why) => self.end(Ended::NotStored(why)),
        }
    }

    pub(super) fn post(&mut self, now: Timestamp) -> Vec<Effect> {
        self.posts = self.posts.saturating_add(1);
        self.said_no = false;
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
            // Counted from when it was to leave. A page that froze, or slept unnoticed,
            // may have given it up much later, and it may have left just before that.
            let behind = self.settle().saturating_sub(MAY_TAKE);
            let sent = self.sent_at.unwrap_or(now).after(self.settle());
            let until = sent.max(now.after(behind));
            self.stage = Stage::Settling { until, agreeing: 0 };
            let mut effects = vec![Effect::Note(SubmissionNote::Unknown {
                error,
                settle_until: until,
            })];
            effects.extend(self.look());
            return effects;
        }
        self.said_no = true;
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
                let times = self.throttled - 1;
                let pause = error
                    .retry_after
                    .unwrap_or_else(|| doubled(THROTTLE_PAUSE, times, LONGEST_THROTTLE_PAUSE));
                self.cool(error, WaitReason::Throttled, pause, now)
            }
            ErrorKind::SignedOut => {
                self.stage = Stage::Parked;
                self.meant_for = now;
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

    pub(super) fn cool(
        &mut self,
        error: ApiError,
        why: WaitReason,
        pause: Duration,
        now: Timestamp,
    ) -> Vec<Effect> {
        let until = now.after(pause);
        self.meant_for = until;
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

    fn woken(&mut self, now: Timestamp) -> Vec<Effect> {
        match &self.stage {
            Stage::Cooling { until, .. } if now >= *until => {
                if planted::is(Bug::BlindBusy) {
                    return self.post(now);
                }
                self.stage = Stage::Checking { then: Then::Post };
                self.look()
            }
            Stage::SeenEarly { until, ended } if now >= *until => self.end(ended.clone()),
            Stage::Cooling { until, .. } | Stage::SeenEarly { until, .. } => {
                vec![Effect::WakeAt(*until)]
            }
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
            Stage::Cooling { until, .. } | Stage::SeenEarly { until, .. } => {
                vec![Effect::WakeAt(*until)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn end(&mut self, ended: Ended) -> Vec<Effect> {
        self.stage = Stage::Ended(ended.clone());
        vec![
            Effect::Note(SubmissionNote::Ended(ended.clone())),
            Effect::Ended(ended),
        ]
    }
}
