//! How a person's own rerun is getting on, in words: pressed → sent → accepted
//! → seen running.
//!
//! "Accepted" is not "running": a batch that stays as it was after an accepted
//! rerun is unaccounted for, so another rerun waits until it is seen or put
//! away by the person. A rerun that ReSim put into another batch is accounted
//! for at once: that batch is to be opened.
//!
//! "A run began" is not "ours began": while the POST may still be applied, nothing
//! more is sent, whatever is seen.
//!
//! Elsewhere: the steps and sentences (`words`).

mod words;

pub use words::{may_still_land, verb};

use std::time::Duration;

use crate::{
    api::{RerunRequest, RerunScope},
    domain::{Batch, BatchId, RunCounter, Timestamp},
    rerun::{Accepted, Ended, Evidence, Fence, Stage},
};

/// A page looks more often for this long after a rerun was accepted.
const WATCHED: Duration = Duration::from_mins(5);

/// What a screen shows of a rerun.
#[derive(Debug, Clone, PartialEq)]
pub struct RerunView {
    /// The batch that was asked to run again.
    pub batch: BatchId,
    /// What was asked for.
    pub request: RerunRequest,
    /// The batch before it.
    pub fence: Fence,
    /// When it was pressed.
    pub pressed: Timestamp,
    /// When it was last sent, if it was.
    pub sent: Option<Timestamp>,
    /// POSTs so far.
    pub posts: u32,
    /// Where it stands.
    pub stage: Stage,
    /// The last POST was answered with a no; a run that shows afterwards may be
    /// somebody else's.
    pub said_no: bool,
    /// The platform's words while it makes us wait.
    pub said: Option<String>,
    /// When it was accepted, once it was.
    pub accepted_at: Option<Timestamp>,
    /// The run was seen running, or already finished.
    pub seen_running: bool,
    /// The run was seen finished.
    pub seen_finished: bool,
    /// What was pressed meanwhile, and gave way to this one.
    pub gave_way: Option<RerunScope>,
}

/// One step: its words, and how styles show it.
pub type Step = (String, Option<&'static str>);

impl RerunView {
    /// A rerun that was just pressed.
    pub fn pressed(
        batch: BatchId,
        request: RerunRequest,
        fence: Fence,
        now: Timestamp,
        stage: Stage,
    ) -> Self {
        Self {
            batch,
            request,
            fence,
            pressed: now,
            sent: None,
            posts: 0,
            stage,
            said_no: false,
            said: None,
            accepted_at: None,
            seen_running: false,
            seen_finished: false,
            gave_way: None,
        }
    }

    /// One that an earlier life of the page saw accepted, and nothing shows yet.
    pub fn of_accepted(accepted: Accepted) -> Self {
        let Accepted { intent, .. } = accepted;
        let stage = Stage::Ended(Ended::Applied {
            batch: intent.batch,
            run: accepted.run,
            evidence: Evidence::Answer,
        });
        Self {
            sent: accepted.sent,
            posts: accepted.posts,
            accepted_at: Some(accepted.at),
            ..Self::pressed(intent.batch, intent.request, intent.fence, intent.at, stage)
        }
    }

    /// When and as which run it was accepted, while it is held until a read shows it.
    /// What was only found by a read has been shown by that.
    pub fn to_be_kept(&self) -> Option<(Timestamp, Option<RunCounter>)> {
        let by_answer = matches!(
            &self.stage,
            Stage::Ended(Ended::Applied {
                evidence: Evidence::Answer | Evidence::Person,
                ..
            })
        );
        (by_answer && self.is_unaccounted()).then_some((self.accepted_at?, self.run()))
    }

    /// That something was pressed meanwhile and gave way, while this one holds.
    pub fn gave_way(&self) -> Option<String> {
        let pressed = self.gave_way.as_ref().filter(|_| self.holds().is_some())?;
        let why = if self.is_open() {
            "is still open and is looked into first"
        } else {
            "was accepted and has not been seen running yet"
        };
        Some(format!(
            "Not sent: {}. An earlier rerun of this batch {why}.",
            verb(pressed)
        ))
    }

    /// Whether it was accepted in this batch.
    fn is_accepted(&self) -> bool {
        matches!(&self.stage, Stage::Ended(Ended::Applied { batch, .. }) if *batch == self.batch)
    }

    /// Whether a run was seen after a no: nobody knows whose it is. (The browser
    /// may have repeated a POST that was applied; `reliability.md` §2.6.)
    pub fn is_of_somebody(&self) -> bool {
        let by_reading = match &self.stage {
            Stage::Ended(Ended::Applied { evidence, .. }) => {
                !matches!(evidence, Evidence::Answer | Evidence::Person)
            }
            _ => false,
        };
        self.said_no && by_reading
    }

    /// Whether it waits and nothing of it is under way, so that calling it off makes sense.
    pub fn can_be_called_off(&self) -> bool {
        self.stage != Stage::Storing && self.stage.can_be_called_off()
    }

    /// The run that was accepted, or seen, where runs are counted.
    fn run(&self) -> Option<RunCounter> {
        match &self.stage {
            Stage::Ended(Ended::Applied { run, .. })
            | Stage::SeenEarly {
                ended: Ended::Applied { run, .. },
                ..
            } => *run,
            _ => None,
        }
    }

    /// The other batch that ReSim put the rerun into, if it did.
    pub fn elsewhere(&self) -> Option<BatchId> {
        match &self.stage {
            Stage::Ended(Ended::Applied { batch, .. }) if *batch != self.batch => Some(*batch),
            _ => None,
        }
    }

    /// Whether it is still on its way to an answer.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Ended(_))
    }

    /// Whether it was accepted here and nothing shows it yet.
    pub fn is_unaccounted(&self) -> bool {
        self.is_accepted() && !self.seen_running && !self.is_of_somebody()
    }

    /// Until when the batch is to be read as often as while it runs.
    pub fn watch_until(&self) -> Option<Timestamp> {
        self.accepted_at
            .filter(|_| self.is_unaccounted())
            .map(|at| at.after(WATCHED))
    }

    /// Why no other rerun may start now.
    pub fn holds(&self) -> Option<&'static str> {
        if self.is_open() && self.can_be_called_off() {
            Some("The last rerun still waits for its next try.")
        } else if matches!(self.stage, Stage::SeenEarly { .. }) {
            Some("A run began, and the last rerun may still be applied.")
        } else if self.is_open() {
            Some("A rerun is on its way.")
        } else if self.is_unaccounted() {
            Some("The last rerun was accepted and has not been seen running yet.")
        } else {
            None
        }
    }

    /// Whether a picture of the batch shows the accepted run.
    pub fn is_shown_by(&self, batch: &Batch) -> bool {
        self.is_accepted() && self.fence.shows_run(self.run(), &Fence::at(batch))
    }
}

#[cfg(test)]
mod tests;
