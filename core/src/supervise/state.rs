//! The state of a supervision: a fold over its journal.
//!
//! Nothing else changes it, so a replay after a reload gives the same state.

use std::{collections::BTreeMap, time::Duration};

use super::{BatchRef, Event, PauseReason, Policy, Record, Verdict, journal::Seen};
use crate::{
    domain::{Batch, BatchId, BatchStatus, RunCounter, TestId, Timestamp},
    rerun::{Ended, Evidence, Fence, Intent, IntentTest, Limits, Passage, SubmissionNote},
};

/// Where a supervision stands. Exactly one at a time.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Looks up the batch's ID by its name.
    Resolving,
    /// Reads the batch until it has finished.
    Waiting,
    /// Lists the tests.
    Reading,
    /// Reads the batch once more, then decides.
    Deciding,
    /// A rerun is on its way.
    Rerunning,
    /// Does nothing for now.
    Paused(PauseReason),
    /// Over, with a conclusion.
    Done(Box<Verdict>),
    /// Over, ended by a person.
    Stopped,
}

impl Phase {
    /// The phase in a word or two.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Resolving => "Resolving",
            Self::Waiting => "Waiting",
            Self::Reading => "Reading",
            Self::Deciding => "Deciding",
            Self::Rerunning => "Rerunning",
            Self::Paused(_) => "Paused",
            Self::Done(_) => "Done",
            Self::Stopped => "Stopped",
        }
    }

    /// Whether nothing will happen any more.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Stopped)
    }
}

/// A rerun that is decided and not yet known to be applied or not.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// What is to be run again.
    pub intent: Intent,
    /// POSTs noted as sent.
    pub posts: u32,
}

/// Everything that decides what a supervision does next.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The parameters.
    pub policy: Policy,
    /// The bounds of a rerun POST.
    pub limits: Limits,
    /// The batch as the person named it.
    pub batch_ref: BatchRef,
    /// The batch, once known. Follows the ID that a rerun answer names.
    pub batch: Option<BatchId>,
    /// The batch's name.
    pub name: Option<String>,
    /// Reruns made.
    pub attempt: u32,
    /// The run that is waited for; a finished status of an earlier run is stale.
    pub awaited: Option<RunCounter>,
    /// Without counters: the latest start of a run that was seen; a read with
    /// an earlier one is stale.
    pub newest_start: Option<Timestamp>,
    /// After an accepted rerun: a finished status is believed once it is past this.
    pub doubt: Option<Fence>,
    /// When this attempt's wait began, moved by pauses and sleep.
    pub clock_started: Timestamp,
    /// The rerun that is on its way.
    pub open: Option<OpenIntent>,
    /// Tests that were run again, and how each had failed at first.
    pub reran: BTreeMap<TestId, IntentTest>,
    /// Reruns of this attempt that turned out not to have been applied.
    pub unapplied: u32,
    /// The last picture of the batch that was written down.
    pub seen: Option<Seen>,
    /// Where it stands.
    pub phase: Phase,
    /// Which life this is.
    pub epoch: u64,
    /// When it started.
    pub started: Timestamp,
    /// Time of the last record.
    pub last_at: Timestamp,
}

/// Time between two records that is not called away: the sign of life is
/// written once a minute.
const ALIVE: Duration = Duration::from_secs(90);

impl State {
    /// The state after the records of a journal. `None` if they do not begin
    /// with a start.
    pub fn replay(records: &[Record]) -> Option<Self> {
        let (first, rest) = records.split_first()?;
        let mut state = Self::begin(first)?;
        for record in rest {
            state.apply(record);
        }
        Some(state)
    }

    /// The state after a [`Event::Started`] record.
    pub(super) fn begin(record: &Record) -> Option<Self> {
        let Event::Started {
            policy,
            limits,
            batch,
        } = &record.event
        else {
            return None;
        };
        let id = match batch {
            BatchRef::Id(id) => Some(*id),
            BatchRef::Name(_) => None,
        };
        Some(Self {
            policy: *policy,
            limits: *limits,
            batch_ref: batch.clone(),
            batch: id,
            name: None,
            attempt: 0,
            awaited: None,
            newest_start: None,
            doubt: None,
            clock_started: record.at,
            open: None,
            reran: BTreeMap::new(),
            unapplied: 0,
            seen: None,
            phase: if id.is_some() {
                Phase::Waiting
            } else {
                Phase::Resolving
            },
            epoch: 0,
            started: record.at,
            last_at: record.at,
        })
    }

    /// Takes in one record.
    pub(super) fn apply(&mut self, record: &Record) {
        self.last_at = record.at;
        match &record.event {
            Event::Started { .. }
            | Event::ReadFailed { .. }
            | Event::ReadRecovered { .. }
            | Event::StaleRead { .. }
            | Event::Decided { .. } => {}
            Event::Pinned { batch, name } => {
                self.batch = Some(*batch);
                self.name.clone_from(name);
                if self.phase == Phase::Resolving {
                    self.phase = Phase::Waiting;
                }
            }
            Event::Polled(seen) => {
                self.note_seen(seen);
                // Where nothing else could ever tell, an unfinished batch must do.
                let unfinished = seen
                    .status
                    .as_ref()
                    .is_some_and(|status| !matches!(status, BatchStatus::Unknown(_)));
                if unfinished && self.doubt.as_ref().is_some_and(Fence::is_blind) {
                    self.doubt = None;
                }
            }
            Event::Adopted { run } => {
                self.awaited = Some(*run);
                self.phase = Phase::Waiting;
            }
            Event::Finished { seen, .. } => {
                self.note_seen(seen);
                self.doubt = None;
                self.phase = Phase::Reading;
            }
            Event::Listed { .. } => self.phase = Phase::Deciding,
            Event::Torn { .. } => self.phase = Phase::Reading,
            Event::Reopened => self.phase = Phase::Waiting,
            Event::Intent(intent) => {
                self.open = Some(OpenIntent {
                    intent: (**intent).clone(),
                    posts: 0,
                });
                self.phase = Phase::Rerunning;
            }
            Event::Rerun(note) => self.apply_note(note, record.at),
            Event::Paused(why) => self.phase = Phase::Paused(why.clone()),
            Event::Resumed { paused } => {
                self.clock_started = self.clock_started.after(*paused);
                self.phase = self.phase_to_resume();
            }
            Event::Restored { epoch, away } => {
                self.epoch = *epoch;
                // A pause counts its own time when it ends.
                if !self.phase.is_over() && !matches!(self.phase, Phase::Paused(_)) {
                    let asleep = away.saturating_sub(self.policy.poll_every + ALIVE);
                    self.clock_started = self.clock_started.after(asleep);
                    self.phase = self.phase_to_resume();
                }
            }
            Event::ClockJumped { shift_ms } => {
                self.clock_started = shifted(self.clock_started, *shift_ms);
            }
            Event::Ended(verdict) => {
                self.open = None;
                self.phase = Phase::Done(verdict.clone());
            }
            Event::Stopped => self.phase = Phase::Stopped,
        }
    }

    fn note_seen(&mut self, seen: &Seen) {
        if let Some(run) = seen.run {
            self.awaited = Some(self.awaited.map_or(run, |awaited| awaited.max(run)));
        }
        self.note_start(seen.last_run);
        self.seen = Some(seen.clone());
    }

    fn note_start(&mut self, start: Option<Timestamp>) {
        self.newest_start = self.newest_start.max(start);
    }

    /// Whether this read is an older picture than one that was already seen.
    pub(super) fn is_old(&self, batch: &Batch) -> bool {
        match (batch.run_counter, self.awaited) {
            (Some(run), Some(awaited)) => run < awaited,
            _ => batch
                .last_run
                .is_some_and(|start| Some(start) < self.newest_start),
        }
    }

    /// Whether this read is proven to be of the run that is waited for: its
    /// counter has reached it, or another mark has passed the fence.
    pub(super) fn shows_new_run(&self, batch: &Batch, fence: &Fence) -> bool {
        let reached = match (batch.run_counter, self.awaited) {
            // An answer that repeats the old counter proves nothing.
            (Some(run), Some(awaited)) => {
                run >= awaited && fence.run.is_none_or(|base| awaited > base)
            }
            _ => false,
        };
        reached || matches!(fence.compare(batch), Passage::Passed(_))
    }

    fn apply_note(&mut self, note: &SubmissionNote, at: Timestamp) {
        match note {
            SubmissionNote::Sending { post } => {
                if let Some(open) = &mut self.open {
                    open.posts = *post;
                }
            }
            SubmissionNote::Waiting { .. }
            | SubmissionNote::Unknown { .. }
            | SubmissionNote::SignedOut => {}
            SubmissionNote::Ended(ended) => {
                let open = self.open.take();
                match ended {
                    Ended::Applied {
                        batch,
                        run,
                        evidence,
                    } => {
                        self.attempt += 1;
                        self.unapplied = 0;
                        self.clock_started = at;
                        self.awaited = *run;
                        self.doubt = None;
                        match evidence {
                            Evidence::LastRun(start) => self.note_start(Some(*start)),
                            Evidence::Answer if self.batch != Some(*batch) => {
                                self.newest_start = None;
                            }
                            _ => {}
                        }
                        if let Some(open) = open {
                            let same = *batch == open.intent.batch;
                            // The POST's own answer proves no read: each has to show
                            // by itself that it is of the new run.
                            if same && *evidence == Evidence::Answer {
                                self.doubt = Some(open.intent.fence.clone());
                            }
                            for test in open.intent.tests {
                                self.reran.entry(test.id).or_insert(test);
                            }
                        }
                        self.batch = Some(*batch);
                    }
                    Ended::NotApplied => self.unapplied += 1,
                    Ended::Refused(_)
                    | Ended::StillBusy(_)
                    | Ended::NotStored(_)
                    | Ended::CalledOff => {}
                }
                self.phase = Phase::Waiting;
            }
        }
    }

    /// Where to go on: with the open rerun if there is one, else by reading first.
    fn phase_to_resume(&self) -> Phase {
        if self.open.is_some() {
            Phase::Rerunning
        } else if self.batch.is_none() {
            Phase::Resolving
        } else {
            Phase::Waiting
        }
    }

    /// How long this attempt has waited. A pause does not count, so while paused
    /// it stands still.
    pub fn waited(&self, now: Timestamp) -> Duration {
        let until = match self.phase {
            Phase::Paused(_) => self.last_at,
            _ => now,
        };
        until.since(self.clock_started)
    }

    /// When this attempt has waited long enough.
    pub fn deadline(&self) -> Timestamp {
        self.clock_started.after(self.policy.wait_timeout)
    }

    /// The verdict, if there is one.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.phase {
            Phase::Done(verdict) => Some(verdict),
            _ => None,
        }
    }
}

/// A time moved by a signed number of milliseconds.
pub(super) fn shifted(at: Timestamp, shift_ms: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(shift_ms))
}
