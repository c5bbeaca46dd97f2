//! Which reads are believed: none that shows less than was seen before, and
//! after a rerun none that does not show the new run by itself.
//!
//! A replica may lag behind, so one read can show a newer
//! picture than the next. What a read shows can only go forward: the counter,
//! the start of the latest run, the latest change of status.
//!
//! Elsewhere: what is done with an old read (`waiting`), which listing is
//! believed (`listed`).

use std::collections::BTreeSet;

use serde::Serialize;

use super::{State, Supervisor, journal::Seen};
use crate::{
    domain::{Batch, BatchStatus, TestId, Timestamp},
    planted::{self, Bug},
    rerun::{Fence, Passage, last_change},
};

/// Reads of a finished batch that must pass before it is believed although
/// nothing can prove that the new run has begun (`resim-api.md` §9, row 6).
const BLIND_READS: u8 = 3;

/// Whether a finished status counts.
pub(super) enum Belief {
    Believed { unproven: bool },
    Stale,
}

/// A run that was started while the batch was supervised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Began {
    /// When it was known to have started.
    pub at: Timestamp,
    /// The tests that it runs; none where somebody else started it.
    pub tests: BTreeSet<TestId>,
    /// It was seen to have finished.
    pub over: bool,
}

impl Began {
    /// A run that was known to have started then.
    pub(super) fn at(at: Timestamp, tests: BTreeSet<TestId>) -> Self {
        Self {
            at,
            tests,
            over: false,
        }
    }
}

impl State {
    /// Whether this is the first sight of another run, where no counter tells: the run before
    /// was over, and the batch runs again, or what it is marked with is later than before. The
    /// first mark after answers without any may be of a run that nothing else would show, and
    /// is taken for one of its own (seed 16751407).
    pub(super) fn is_next_run(&self, seen: &Seen) -> bool {
        let counted = seen.run.is_some() && self.awaited.is_some();
        let Some(before) = self.seen.as_ref().filter(|_| !counted) else {
            return false;
        };
        let known = self.awaited.is_some() || self.newest_start.max(self.newest_change).is_some();
        let marked = seen.run.is_some() || seen.last_run.max(seen.last_change).is_some();
        let first_mark = marked && !known;
        let finished = |seen: &Seen| seen.status.as_ref().is_some_and(BatchStatus::is_terminal);
        let over = match &self.began {
            Some(run) => run.over,
            None => finished(before) || first_mark,
        };
        let later = if seen.last_run.is_some() && before.last_run.is_some() {
            seen.last_run > before.last_run
        } else {
            !finished(seen) || seen.last_change > before.last_change
        };
        over && (later || first_mark)
    }

    /// Whether this read is an older picture than one that was already seen.
    pub(super) fn is_old(&self, batch: &Batch) -> bool {
        if planted::is(Bug::TrustsTerminal) {
            return false;
        }
        if let (Some(run), Some(awaited)) = (batch.run_counter, self.awaited) {
            return run < awaited;
        }
        let back = |mark: Option<Timestamp>, newest| mark.is_some() && mark < newest;
        back(batch.last_run, self.newest_start) || back(last_change(batch), self.newest_change)
    }

    /// Whether this read is proven to be of the run that is waited for: its
    /// counter has reached it, or another mark has passed the fence. A cancel
    /// needs no proof.
    pub(super) fn leaves_no_doubt(&self, batch: &Batch) -> bool {
        let Some(fence) = &self.must_pass else {
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

impl Supervisor {
    /// Whether this finished picture is of the run that is waited for.
    pub(super) fn belief(&mut self, batch: &Batch) -> Belief {
        if self.state.leaves_no_doubt(batch) {
            return Belief::Believed { unproven: false };
        }
        if self.state.must_pass.as_ref().is_some_and(Fence::is_blind) {
            self.awaiting.blind_reads += 1;
            if self.awaiting.blind_reads >= BLIND_READS {
                return Belief::Believed { unproven: true };
            }
        }
        Belief::Stale
    }
}
