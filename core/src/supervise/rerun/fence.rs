//! The fence: what proves that a batch has been run again.
//!
//! `runCounter` rises with every accepted rerun (`resim-api.md` §5), so a read
//! with a higher counter proves that *some* rerun was applied, and a read with
//! a lower one is an old picture. Where the API omits the counter, the start of
//! the latest run, the status history and a status that is no longer finished
//! take its place (`design.md` §3, rule 4).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Batch, BatchStatus, RunCounter, Timestamp},
    planted::{self, Bug},
};

/// The state of a batch that a rerun was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Run counter at the decision, where the API sends one.
    pub run: Option<RunCounter>,
    /// Start of the latest run at the decision.
    pub last_run: Option<Timestamp>,
    /// Time of the latest status change at the decision.
    pub last_change: Option<Timestamp>,
    /// Status at the decision.
    pub status: Option<BatchStatus>,
}

/// What a later read says about a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// A run was started since.
    Passed(Evidence),
    /// Not finished, without any other mark of a new run: the new run, or an
    /// old picture from before the batch finished.
    Unfinished(BatchStatus),
    /// The same picture as at the decision.
    Unmoved,
    /// The picture differs without a new run: cancelled meanwhile, say.
    Changed,
    /// An older picture than the one decided on; says nothing.
    Stale,
}

/// What proved that a run was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The server answered the POST with its acceptance.
    Answer,
    /// The run counter rose to this.
    RunCounter(RunCounter),
    /// The batch stayed unfinished for longer than an old picture can last.
    StatusMoved(BatchStatus),
    /// The latest run started later than at the decision.
    LastRun(Timestamp),
    /// The status history has a later entry than at the decision.
    History(Timestamp),
    /// A person said so.
    Person,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => f.write_str("accepted by the API"),
            Self::RunCounter(run) => write!(f, "the run counter is {run}"),
            Self::StatusMoved(status) => write!(f, "the status is {status}"),
            Self::LastRun(at) => write!(f, "the latest run started {at}"),
            Self::History(at) => write!(f, "the status changed {at}"),
            Self::Person => f.write_str("a person said so"),
        }
    }
}

impl Fence {
    /// The fence at this picture of a batch.
    pub fn at(batch: &Batch) -> Self {
        Self {
            run: batch.run_counter,
            last_run: batch.last_run,
            last_change: last_change(batch),
            status: batch.status.clone(),
        }
    }

    /// What `later` says: whether a run was started since the fence.
    ///
    /// Only marks that never go back prove anything: the counter, the start of
    /// the latest run, the time of the latest status change. A batch that is
    /// merely unfinished again may be an old picture from before it finished,
    /// so it is said apart.
    pub fn compare(&self, later: &Batch) -> Passage {
        self.compare_with(&Self::at(later))
    }

    /// The same of a later picture that only its fence is left of.
    fn compare_with(&self, later: &Self) -> Passage {
        if let (Some(base), Some(now)) = (self.run, later.run) {
            if now > base || (planted::is(Bug::FenceAtLeast) && now == base) {
                return Passage::Passed(Evidence::RunCounter(now));
            }
            if now < base {
                return Passage::Stale;
            }
        } else if let (Some(base), Some(now)) = (self.last_run, later.last_run) {
            if now > base {
                return Passage::Passed(Evidence::LastRun(now));
            }
            if now < base {
                return Passage::Stale;
            }
        }
        let was_terminal = self.status.as_ref().is_some_and(BatchStatus::is_terminal);
        let cancelled = later.status == Some(BatchStatus::Cancelled);
        // Where the counters say that it is the same run, a later change of
        // status is a correction, not a run.
        let counted = self.run.is_some() && later.run.is_some();
        if was_terminal
            && !cancelled
            && !counted
            && let (Some(base), Some(now)) = (self.last_change, later.last_change)
        {
            if now > base {
                return Passage::Passed(Evidence::History(now));
            }
            if now < base {
                return Passage::Stale;
            }
        }
        match &later.status {
            Some(status) if was_terminal && is_known_unfinished(status) => {
                Passage::Unfinished(status.clone())
            }
            // A picture without a status, or with a word that nobody knows, is not
            // another one: a replica that lags may send it, with the old counter or
            // none (seeds 2901215 and 7564472).
            status @ (None | Some(BatchStatus::Unknown(_))) if *status != self.status => {
                Passage::Stale
            }
            // An answer that lacks every mark the fence has says nothing.
            _ if !self.is_blind() && !self.shares_a_mark(later) => Passage::Stale,
            status if *status == self.status => Passage::Unmoved,
            _ => Passage::Changed,
        }
    }

    /// Whether a later picture, as its fence, shows the rerun from here that was accepted
    /// as run `awaited`, where runs are counted.
    ///
    /// A wrong yes forgets a rerun that nothing shows, so what is missing says nothing: a
    /// mark counts only if both pictures have it. A picture that is unfinished again may be
    /// an old one, and counts only where no mark could ever show the run.
    pub fn shows_run(&self, awaited: Option<RunCounter>, later: &Self) -> bool {
        if let Some((awaited, now)) = awaited.zip(later.run) {
            return now >= awaited;
        }
        match self.compare_with(later) {
            Passage::Passed(_) => true,
            Passage::Unfinished(_) => self.is_blind(),
            Passage::Unmoved | Passage::Changed | Passage::Stale => false,
        }
    }

    /// Whether the picture has none of the three marks, so that no read could ever pass
    /// this fence while the batch is finished.
    pub fn is_blind(&self) -> bool {
        self.run.is_none() && self.last_run.is_none() && self.last_change.is_none()
    }

    /// Whether a later picture has any of the marks that this fence has, so that it can be
    /// compared at all.
    pub(super) fn shares_a_mark(&self, later: &Self) -> bool {
        (self.run.is_some() && later.run.is_some())
            || (self.last_run.is_some() && later.last_run.is_some())
            || (self.last_change.is_some() && later.last_change.is_some())
    }

    /// The run that a rerun from here will be, where counters are known.
    pub fn next_run(&self) -> Option<RunCounter> {
        self.run.map(RunCounter::next)
    }
}

/// Time of the latest status change that the batch shows.
pub(crate) fn last_change(batch: &Batch) -> Option<Timestamp> {
    batch.history.iter().filter_map(|change| change.at).max()
}

/// A word that is known not to be an end; an unknown word proves nothing.
fn is_known_unfinished(status: &BatchStatus) -> bool {
    !status.is_terminal() && !matches!(status, BatchStatus::Unknown(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, StatusChange};

    fn batch(status: BatchStatus, run: Option<i64>) -> Batch {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(status);
        batch.run_counter = run.map(RunCounter);
        batch
    }

    #[test]
    fn a_higher_counter_passes_the_fence_and_a_lower_one_is_stale() {
        let fence = Fence::at(&batch(BatchStatus::Error, Some(3)));
        assert_eq!(
            fence.compare(&batch(BatchStatus::Error, Some(4))),
            Passage::Passed(Evidence::RunCounter(RunCounter(4)))
        );
        assert_eq!(
            fence.compare(&batch(BatchStatus::Error, Some(3))),
            Passage::Unmoved
        );
        assert_eq!(
            fence.compare(&batch(BatchStatus::ExperiencesRunning, Some(2))),
            Passage::Stale
        );
    }

    #[test]
    fn a_picture_without_a_word_that_is_known_proves_nothing() {
        let fence = Fence::at(&batch(BatchStatus::Error, None));
        let mut later = batch(BatchStatus::from_word("THAWING"), None);
        assert_eq!(fence.compare(&later), Passage::Stale);
        later.status = None;
        assert_eq!(fence.compare(&later), Passage::Stale);
    }

    #[test]
    fn an_unfinished_picture_alone_proves_nothing() {
        let fence = Fence::at(&batch(BatchStatus::Succeeded, Some(3)));
        assert_eq!(
            fence.compare(&batch(BatchStatus::Submitted, Some(3))),
            Passage::Unfinished(BatchStatus::Submitted)
        );
    }

    #[test]
    fn an_unknown_word_is_no_evidence() {
        let fence = Fence::at(&batch(BatchStatus::Succeeded, None));
        let odd = batch(BatchStatus::from_word("THAWING"), None);
        assert_eq!(fence.compare(&odd), Passage::Stale);
    }

    #[test]
    fn an_answer_without_the_marks_says_nothing() {
        let fence = Fence::at(&batch(BatchStatus::Error, Some(3)));
        for status in [BatchStatus::Error, BatchStatus::from_word("THAWING")] {
            assert_eq!(fence.compare(&batch(status, None)), Passage::Stale);
        }
        let nothing = Batch::new(BatchId::from_u128(1));
        assert_eq!(fence.compare(&nothing), Passage::Stale);
    }

    #[test]
    fn a_picture_without_a_status_is_not_a_changed_one() {
        let fence = Fence::at(&batch(BatchStatus::Error, Some(3)));
        let mut bare = batch(BatchStatus::Error, Some(3));
        bare.status = None;
        assert_eq!(fence.compare(&bare), Passage::Stale);
        bare.run_counter = Some(RunCounter(4));
        assert_eq!(
            fence.compare(&bare),
            Passage::Passed(Evidence::RunCounter(RunCounter(4)))
        );
    }

    #[test]
    fn a_cancel_changes_the_picture_without_a_run() {
        let fence = Fence::at(&batch(BatchStatus::Error, Some(1)));
        assert_eq!(
            fence.compare(&batch(BatchStatus::Cancelled, Some(1))),
            Passage::Changed
        );
    }

    #[test]
    fn a_corrected_status_of_the_same_run_is_no_new_run() {
        let at = Timestamp::from_millis;
        let mut base = batch(BatchStatus::Succeeded, Some(3));
        base.history = vec![StatusChange {
            status: BatchStatus::Succeeded,
            at: Some(at(5)),
        }];
        let mut later = batch(BatchStatus::Error, Some(3));
        later.history = vec![StatusChange {
            status: BatchStatus::Error,
            at: Some(at(9)),
        }];
        assert_eq!(Fence::at(&base).compare(&later), Passage::Changed);
    }

    #[test]
    fn without_counters_start_and_history_take_their_place() {
        let at = Timestamp::from_millis;
        let mut base = batch(BatchStatus::Succeeded, None);
        base.last_run = Some(at(100));
        let mut later = base.clone();
        later.last_run = Some(at(200));
        assert_eq!(
            Fence::at(&base).compare(&later),
            Passage::Passed(Evidence::LastRun(at(200)))
        );

        let mut base = batch(BatchStatus::Succeeded, None);
        assert!(Fence::at(&base).is_blind());
        base.history = vec![StatusChange {
            status: BatchStatus::Succeeded,
            at: Some(at(5)),
        }];
        let mut later = base.clone();
        later.history.push(StatusChange {
            status: BatchStatus::Error,
            at: Some(at(9)),
        });
        assert_eq!(
            Fence::at(&base).compare(&later),
            Passage::Passed(Evidence::History(at(9)))
        );
        assert!(!Fence::at(&base).is_blind());
    }

    #[test]
    fn without_counters_an_earlier_start_or_change_makes_an_older_picture() {
        let marked = |start: Option<i64>, change: Option<i64>| Fence {
            run: None,
            last_run: start.map(Timestamp::from_millis),
            last_change: change.map(Timestamp::from_millis),
            status: Some(BatchStatus::Succeeded),
        };
        let (one, two) = (Some(1), Some(2));
        for (before, later, passage) in [
            (marked(two, None), marked(one, None), Passage::Stale),
            (marked(None, two), marked(None, one), Passage::Stale),
            (marked(two, None), marked(two, None), Passage::Unmoved),
            (marked(None, two), marked(None, two), Passage::Unmoved),
        ] {
            let it = before.compare_with(&later);
            assert_eq!(it, passage, "{before:?}, {later:?}");
        }
    }

    #[test]
    fn an_accepted_run_is_shown_only_by_marks_that_both_pictures_have() {
        let fence = |run: Option<i64>, start: Option<i64>, change: Option<i64>, status| Fence {
            run: run.map(RunCounter),
            last_run: start.map(Timestamp::from_millis),
            last_change: change.map(Timestamp::from_millis),
            status: Some(status),
        };
        let over = |run, start, change| fence(run, start, change, BatchStatus::Succeeded);
        let runs = |run, start, change| fence(run, start, change, BatchStatus::ExperiencesRunning);
        let blind = over(None, None, None);
        let (one, two) = (Some(1), Some(2));
        for (before, awaited, later, shown) in [
            // Counters decide, and no other mark beside them.
            (over(one, one, one), two, over(two, one, one), true),
            (over(one, one, one), two, over(one, two, two), false),
            (over(one, one, one), two, runs(one, one, one), false),
            (over(one, None, None), None, over(two, None, None), true),
            // What was missing before has not moved …
            (blind.clone(), None, over(None, two, None), false),
            (blind.clone(), None, over(None, None, two), false),
            (over(None, None, one), None, over(None, two, one), false),
            (over(None, one, None), None, over(None, one, two), false),
            // … and what is missing now has not either.
            (over(one, one, one), two, over(None, None, None), false),
            (over(one, one, one), two, runs(None, None, None), false),
            (over(None, one, None), None, runs(None, None, two), false),
            // Where no counter tells, a later start or change does; an equal one does not.
            (over(one, one, None), two, over(None, two, None), true),
            (over(None, one, None), None, over(None, two, None), true),
            (over(None, None, one), None, over(None, None, two), true),
            (over(None, one, None), None, runs(None, one, None), false),
            (over(None, two, None), None, runs(None, one, None), false),
            // Where there is no mark at all, running again is the sign.
            (blind.clone(), None, runs(None, None, None), true),
            (blind.clone(), None, blind.clone(), false),
        ] {
            let awaited = awaited.map(RunCounter);
            let it = before.shows_run(awaited, &later);
            assert_eq!(it, shown, "{before:?}, {awaited:?}, {later:?}");
        }
    }
}
