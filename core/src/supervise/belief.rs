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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{BatchId, RunCounter},
        rerun::Limits,
        supervise::{BatchRef, Event, Policy, Record},
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    /// What a read shows: whether it has finished, its counter, start and latest change.
    fn seen(over: bool, run: Option<i64>, start: Option<i64>, change: Option<i64>) -> Seen {
        Seen {
            status: Some(if over {
                BatchStatus::Succeeded
            } else {
                BatchStatus::ExperiencesRunning
            }),
            word: None,
            run: run.map(RunCounter),
            last_run: start.map(at),
            last_change: change.map(at),
            unfinished: 0,
            total: 1,
        }
    }

    /// A supervision that saw this last.
    fn after(before: Seen) -> State {
        let mut state = State::begin(&Record {
            seq: 0,
            at: at(0),
            event: Event::Started {
                policy: Policy::default(),
                limits: Limits::default(),
                batch: BatchRef::Id(BatchId::from_u128(1)),
            },
        })
        .expect("it begins with a start");
        state.awaited = before.run;
        state.newest_start = before.last_run;
        state.newest_change = before.last_change;
        state.seen = Some(before);
        state
    }

    #[test]
    fn another_run_is_one_that_is_marked_later_once_the_one_before_is_over() {
        let (one, two) = (Some(1), Some(2));
        for (before, now, is_next) in [
            // Counters tell it elsewhere.
            (seen(true, one, one, one), seen(true, two, two, two), false),
            // By the start, where both have one, and by nothing else then.
            (seen(true, None, one, one), seen(true, None, two, one), true),
            (
                seen(true, None, one, one),
                seen(true, None, one, two),
                false,
            ),
            (
                seen(true, None, one, one),
                seen(false, None, one, one),
                false,
            ),
            // The run before still goes on, as far as anybody has seen.
            (
                seen(false, None, one, one),
                seen(true, None, two, two),
                false,
            ),
            // Else by running again, or by a later change.
            (
                seen(true, None, None, one),
                seen(false, None, None, one),
                true,
            ),
            (
                seen(true, None, None, one),
                seen(true, None, None, two),
                true,
            ),
            (
                seen(true, None, None, one),
                seen(true, None, None, one),
                false,
            ),
            (
                seen(true, None, None, None),
                seen(false, None, None, None),
                true,
            ),
            // The first mark of all is taken for a run of its own, also while one goes on.
            (
                seen(true, None, None, None),
                seen(true, None, one, None),
                true,
            ),
            (
                seen(false, None, None, None),
                seen(true, None, one, None),
                true,
            ),
            (
                seen(false, None, None, None),
                seen(true, None, None, None),
                false,
            ),
        ] {
            let words = format!("{before:?}, then {now:?}");
            assert_eq!(after(before).is_next_run(&now), is_next, "{words}");
        }
    }

    #[test]
    fn of_a_run_that_is_known_only_its_end_lets_another_one_begin() {
        let mut state = after(seen(true, None, Some(1), None));
        let later = seen(true, None, Some(2), None);
        state.began = Some(Began::at(at(1), BTreeSet::new()));
        assert!(!state.is_next_run(&later), "it was not seen to have ended");
        state.began.as_mut().expect("it began").over = true;
        assert!(state.is_next_run(&later));
        state.seen = None;
        assert!(!state.is_next_run(&later), "nothing was seen before");
    }

    #[test]
    fn a_run_is_no_longer_doubted_once_its_counter_is_reached_or_it_was_cancelled() {
        let (error, cancelled) = (BatchStatus::Error, BatchStatus::Cancelled);
        for (fenced, awaited, status, run, believed) in [
            (Some(1), Some(2), &error, Some(2), true),
            (Some(1), Some(2), &error, Some(1), false),
            // The answer to the rerun counted, where the picture before it did not.
            (None, Some(2), &error, Some(2), true),
            (None, Some(2), &error, Some(3), true),
            (None, Some(2), &error, Some(1), false),
            // The answer repeated the counter of before.
            (Some(1), Some(1), &error, Some(1), false),
            (None, Some(2), &error, None, false),
            (None, None, &error, Some(2), false),
            (Some(1), Some(2), &cancelled, Some(1), true),
        ] {
            let mut batch = Batch::new(BatchId::from_u128(1));
            batch.status = Some(error.clone());
            batch.last_run = Some(at(1));
            batch.run_counter = fenced.map(RunCounter);
            let mut state = after(seen(true, fenced, Some(1), None));
            state.must_pass = Some(Fence::at(&batch));
            state.awaited = awaited.map(RunCounter);
            batch.status = Some(status.clone());
            batch.run_counter = run.map(RunCounter);
            assert_eq!(
                state.leaves_no_doubt(&batch),
                believed,
                "fence at {fenced:?}, waiting for {awaited:?}: {status:?} in {run:?}"
            );
            state.must_pass = None;
            assert!(state.leaves_no_doubt(&batch), "nothing was rerun");
        }
    }
}
