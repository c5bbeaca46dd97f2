//! Which reads are believed: none that shows less than was seen before, and
//! after a rerun none that does not show the new run by itself.
//!
//! A replica may lag behind, so one read can show a newer
//! picture than the next. What a read shows can only go forward: the counter,
//! the start of the latest run, the latest change of status.
//!
//! Elsewhere: what is done with an old read (`waiting`), which listing is
//! believed (`reading`).

use std::collections::BTreeSet;

use super::State;
use crate::{
    domain::{Batch, BatchStatus, TestId, Timestamp},
    planted::{self, Bug},
    rerun::{Passage, last_change},
};

/// A run that was started while the batch was supervised.
#[derive(Debug, Clone, PartialEq)]
pub struct Began {
    /// When it was known to have started.
    pub at: Timestamp,
    /// The tests that it runs; none where somebody else started it.
    pub tests: BTreeSet<TestId>,
}

impl State {
    /// Whether this read is an older picture than one that was already seen.
    pub(super) fn is_old(&self, batch: &Batch) -> bool {
        if planted::is(Bug::TrustsTerminal) {
            return false;
        }
        match (batch.run_counter, self.awaited) {
            (Some(run), Some(awaited)) => run < awaited,
            _ => {
                let back = |mark: Option<Timestamp>, newest| mark.is_some() && mark < newest;
                back(batch.last_run, self.newest_start)
                    || back(last_change(batch), self.newest_change)
            }
        }
    }

    /// Whether this read is proven to be of the run that is waited for: its
    /// counter has reached it, or another mark has passed the fence. A cancel
    /// needs no proof.
    pub(super) fn leaves_no_doubt(&self, batch: &Batch) -> bool {
        let Some(fence) = &self.doubt else {
            return true;
        };
        let reached = match (batch.run_counter, self.awaited) {
            // An answer that repeats the old counter proves nothing.
            (Some(run), Some(awaited)) => {
                run >= awaited && fence.run.is_none_or(|base| awaited > base)
            }
            _ => false,
        };
        reached
            || matches!(fence.compare(batch), Passage::Passed(_))
            || batch.status == Some(BatchStatus::Cancelled)
            || planted::is(Bug::TrustsTerminal)
    }
}
