//! What a look at the batch means while the outcome of a POST is open, and when
//! the next look is due.

use std::time::Duration;

use super::{
    Effect, Ended, Evidence, Fence, Passage, PersonSays, Stage, Submission, SubmissionNote, Then,
    WaitReason,
};
use crate::{
    api::{ApiError, ErrorKind, retry::doubled},
    domain::{Batch, BatchStatus, Timestamp},
    planted::{self, Bug},
    supervise::streak::{REFUSED_OVER, Streak},
};

/// Reads after the settle window that must agree before a POST is called not applied.
const AGREEING_READS: u8 = 2;
/// A batch that shows only old pictures for this long may never show anything
/// that proves a rerun: then a person has to say.
const NOTHING_SHOWS: Duration = Duration::from_mins(10);
/// Longer than a read can lag behind: a batch that is unfinished on every look
/// for this long has really started again, whatever the counters say.
pub(crate) const REPLICA_LAG: Duration = Duration::from_mins(1);
/// The longest pause between two looks while looks fail.
const LONGEST_LOOK_PAUSE: Duration = Duration::from_mins(1);

impl Submission {
    pub(super) fn looked(
        &mut self,
        sent_at: Timestamp,
        batch: &Batch,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.refused = Streak::default();
        self.failed_looks = 0;
        let mut passage = self.intent.fence.compare(batch);
        if planted::is(Bug::BusyUnfenced) && matches!(self.stage, Stage::Checking { .. }) {
            passage = Passage::Unmoved;
        }
        let differs = matches!(passage, Passage::Unfinished(_) | Passage::Stale);
        if differs && !self.intent.fence.shares_a_mark(&Fence::at(batch)) {
            self.unclear_at = Some(now);
        }
        if let Passage::Unfinished(status) = passage {
            let since = *self.unfinished_since.get_or_insert(now);
            let long = now.since(since) >= REPLICA_LAG || planted::is(Bug::UnfinishedProves);
            passage = if long {
                Passage::Passed(Evidence::StatusMoved(status))
            } else {
                Passage::Stale
            };
        } else {
            self.unfinished_since = None;
        }
        if self.is_same_run_by_hand(batch, &passage) {
            passage = Passage::Unmoved;
        }
        if let Passage::Passed(evidence) = passage {
            return match self.stage {
                // Somebody else's, since nothing of ours has left.
                Stage::Checking { .. } if self.posts == 0 => self.held_back(),
                Stage::Checking { .. } | Stage::Settling { .. } | Stage::Asking => {
                    let ended = Ended::Applied {
                        batch: self.intent.batch,
                        run: match evidence {
                            Evidence::RunCounter(run) => Some(run),
                            _ => self.intent.fence.next_run(),
                        },
                        evidence,
                    };
                    self.seen(ended, now)
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
            Stage::Checking { .. } if passage == Passage::Changed && self.posts == 0 => {
                self.held_back()
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
                    return self.come_to_nothing("the batch was cancelled");
                }
                if self.is_unmarked() {
                    return self.come_to_nothing(
                        "nothing that ReSim sends shows whether the batch ran meanwhile",
                    );
                }
                if let Some(until) = self.unclear_until()
                    && sent_at < until
                {
                    return self.look_at(until);
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

    /// A run was seen. By hand it is not over while the POST may still be applied: nobody
    /// remembers that afterwards, and the run may be somebody else's.
    fn seen(&mut self, ended: Ended, now: Timestamp) -> Vec<Effect> {
        match self.stage {
            Stage::Settling { until, .. } if self.intent.attempt == 0 && now < until => {
                self.next_look = None;
                self.stage = Stage::SeenEarly { until, ended };
                vec![Effect::WakeAt(until)]
            }
            _ => self.end(ended),
        }
    }

    /// Whether a supervisor's rerun would be sent late, or again, although nothing that the API
    /// sends tells whether the batch ran meanwhile: it is decided anew instead (seed 11593714).
    fn is_unmarked(&self) -> bool {
        self.intent.attempt > 0 && self.intent.fence.is_blind()
    }

    /// A look that shows no mark may have been of a new run, and one that shows the old
    /// picture afterwards may come from a replica that lags behind it (seed 13918331).
    fn unclear_until(&self) -> Option<Timestamp> {
        Some(self.unclear_at?.after(REPLICA_LAG))
    }

    /// Nothing has left yet, and what it was decided on is no longer so.
    fn held_back(&mut self) -> Vec<Effect> {
        self.come_to_nothing("the batch has changed since this was decided")
    }

    /// It will not be sent, or not again. `why` is said where nothing has left yet.
    fn come_to_nothing(&mut self, why: &str) -> Vec<Effect> {
        if self.posts > 0 {
            return self.end(Ended::NotApplied);
        }
        self.end(Ended::NotSent(why.into()))
    }

    /// Whether only the status of the same run has moved, below a person's own
    /// rerun: they ticked these tests whatever the rest of the run comes to. (A
    /// supervisor chose its tests by that run's end, and decides anew.)
    fn is_same_run_by_hand(&self, batch: &Batch, passage: &Passage) -> bool {
        *passage == Passage::Changed
            && self.intent.attempt == 0
            && self.intent.fence.run.is_some()
            && self.intent.fence.run == batch.run_counter
    }

    /// The window is over, and no read showed the POST.
    fn unseen(&mut self, now: Timestamp) -> Vec<Effect> {
        if !self.limits.ask_person {
            return self.end(Ended::NotApplied);
        }
        self.ask_person(now)
    }

    pub(super) fn ask_person(&mut self, now: Timestamp) -> Vec<Effect> {
        self.stage = Stage::Asking;
        let mut effects = vec![Effect::Note(SubmissionNote::AsksPerson)];
        effects.extend(self.look_later(now));
        effects
    }

    pub(super) fn person_says(&mut self, word: PersonSays) -> Vec<Effect> {
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

    pub(super) fn look_failed(&mut self, error: ApiError, now: Timestamp) -> Vec<Effect> {
        match error.kind {
            ErrorKind::SignedOut => {
                // What is in doubt stays in doubt: Resume looks again.
                if !self.in_doubt {
                    self.stage = Stage::Parked;
                }
                vec![Effect::SignIn]
            }
            ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Refused => {
                self.refused.note(now);
                if self.refused.is_for_good(now) {
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
            _ => {
                // Refused before an outage and after it is not refused for as long as that.
                self.refused = Streak::default();
                self.look_after_failure(&error, now)
            }
        }
    }

    /// Looks again after a failed look: a pause that doubles, and at least what
    /// the server asked for. Half of it is another one for each batch, so that reruns that
    /// were lost together do not all look at the same moment.
    fn look_after_failure(&mut self, error: &ApiError, now: Timestamp) -> Vec<Effect> {
        let pause = doubled(
            self.limits.look_every,
            self.failed_looks,
            LONGEST_LOOK_PAUSE,
        );
        let bytes = self.intent.batch.as_u128().to_le_bytes();
        let share = bytes[self.failed_looks as usize % bytes.len()];
        let pause = pause / 2 + pause / 2 * u32::from(share) / 255;
        self.failed_looks += 1;
        let due = now.after(pause.max(error.retry_after.unwrap_or_default()));
        self.next_look = Some(due);
        vec![Effect::WakeAt(due)]
    }

    pub(super) fn look(&mut self) -> Vec<Effect> {
        self.looking = true;
        self.next_look = None;
        vec![Effect::Look]
    }

    pub(super) fn look_later(&mut self, now: Timestamp) -> Vec<Effect> {
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
        self.look_at(due)
    }

    fn look_at(&mut self, due: Timestamp) -> Vec<Effect> {
        self.next_look = Some(due);
        vec![Effect::WakeAt(due)]
    }
}
