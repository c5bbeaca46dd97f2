//! Decides which tests of a finished batch to run again (`resim-api.md` §6.3, S5).
//!
//! One pure function, used by the preview that a person sees before pressing
//! Start and by the machine that decides later.
//!
//! Why "more than": the CLI lets a share equal to the limit pass, so do we.
//! The share is of *all listed tests*, counted anew at every attempt.
//!
//! Invariants: a cancelled batch is never rerun; a plan to rerun names at
//! least one test, because to the API an empty list means "batch metrics only".

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Policy;
use crate::{
    api::TestIds,
    domain::{BatchStatus, ConflatedStatus, Failing, Means, TestId},
    planted::{self, Bug},
};

/// What a test list says about a policy: the numbers that decide.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TestFigures {
    /// All tests, listed or known to have passed (`not_passed`): the denominator.
    #[serde(rename = "listed")]
    pub total: u64,
    /// Tests in a rerun state that have an ID: the numerator.
    pub failing: u64,
    /// Listed tests in BLOCKER, asked for or not.
    pub blocker: u64,
    /// Listed tests in ERROR, asked for or not.
    pub error: u64,
    /// Listed tests in WARNING, asked for or not.
    pub warning: u64,
}

impl TestFigures {
    /// Share of failing tests in percent; 0 of an empty list.
    pub fn percent(&self) -> f64 {
        if self.total == 0 {
            return 0.0;
        }
        self.failing as f64 * 100.0 / self.total as f64
    }

    /// The guard: strictly more than the limit, in percent (`resim-api.md` §6.3,
    /// S5.6). Decision, preview and gauge all ask this.
    pub fn is_above(&self, limit_percent: f64) -> bool {
        self.percent() > limit_percent
    }

    /// The largest number of failing tests that the guard lets pass.
    pub fn allowed(&self, limit_percent: f64) -> u64 {
        let mut allowed = 0;
        // The guard's own comparison, so that the preview cannot disagree with
        // it by a rounding; the estimate is at most a step or two off.
        let estimate = (limit_percent * self.total as f64 / 100.0).floor().max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "floored, not negative"
        )]
        let estimate = estimate as u64;
        for candidate in estimate.saturating_sub(2)..=(estimate + 2).min(self.total) {
            let share = Self {
                failing: candidate,
                ..*self
            };
            if !share.is_above(limit_percent) {
                allowed = candidate;
            }
        }
        allowed
    }
}

/// What to do with a finished batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The numbers that decided.
    pub figures: TestFigures,
    /// The decision.
    pub choice: Choice,
}

/// Rerun, or not and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Choice {
    /// Run these tests again, in listing order.
    Rerun(TestIds),
    /// Run nothing; judge.
    Nothing(WhyNot),
}

impl Choice {
    /// Why nothing is run again, if nothing is.
    pub fn why_not(&self) -> Option<WhyNot> {
        match self {
            Self::Nothing(why) => Some(*why),
            Self::Rerun(_) => None,
        }
    }
}

/// Why nothing is run again. The order is the CLI's: the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyNot {
    /// Every allowed rerun was made.
    AttemptsUsed,
    /// Somebody cancelled the batch.
    Cancelled,
    /// More tests match than the guard allows.
    AboveLimit,
    /// No test matches.
    NoneFailing,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttemptsUsed => "every allowed rerun was made",
            Self::Cancelled => "the batch was cancelled",
            Self::AboveLimit => "more tests match than the limit allows",
            Self::NoneFailing => "no test is in a rerun state",
        })
    }
}

/// Decides for a batch with this status and these tests.
///
/// `attempt` counts the reruns already submitted. Tests without a conflated
/// status or without an ID never match; both count in the denominator.
pub fn plan_rerun<'a>(
    batch: Option<&BatchStatus>,
    tests: impl IntoIterator<Item = (Option<TestId>, Option<&'a ConflatedStatus>)>,
    policy: &Policy,
    attempt: u32,
) -> Plan {
    plan_with_passed(batch, tests, 0, policy, attempt)
}

/// [`plan_rerun`] where so many tests `passed` beside the listed ones.
pub(super) fn plan_with_passed<'a>(
    batch: Option<&BatchStatus>,
    tests: impl IntoIterator<Item = (Option<TestId>, Option<&'a ConflatedStatus>)>,
    passed: u64,
    policy: &Policy,
    attempt: u32,
) -> Plan {
    let mut figures = TestFigures {
        total: passed,
        ..TestFigures::default()
    };
    let mut failing = Vec::new();
    for (id, status) in tests {
        figures.total += 1;
        let Some(status) = status else { continue };
        match status.meaning().means {
            Means::Fails(Failing::Blocker) => figures.blocker += 1,
            Means::Fails(Failing::Error) => figures.error += 1,
            Means::Fails(Failing::Warning) => figures.warning += 1,
            Means::Open | Means::Passes | Means::Cancelled => {}
        }
        if policy.rerun_on.watches(status)
            && let Some(id) = id
        {
            failing.push(id);
        }
    }
    figures.failing = failing.len() as u64;

    let allowed = policy.max_rerun_attempts + u32::from(planted::is(Bug::OneAttemptMore));
    let above = figures.is_above(policy.rerun_max_failure_percent)
        || (planted::is(Bug::GuardAtLeast)
            && figures.percent() >= policy.rerun_max_failure_percent);
    let choice = if attempt >= allowed {
        Choice::Nothing(WhyNot::AttemptsUsed)
    } else if batch == Some(&BatchStatus::Cancelled) && !planted::is(Bug::CancelIgnored) {
        Choice::Nothing(WhyNot::Cancelled)
    } else if above && !(planted::is(Bug::GuardOnlyFirst) && attempt > 0) {
        Choice::Nothing(WhyNot::AboveLimit)
    } else {
        TestIds::new(failing).map_or(Choice::Nothing(WhyNot::NoneFailing), Choice::Rerun)
    };
    Plan { figures, choice }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::WatchedStates;

    fn plan(words: &[&str], percent: f64, attempt: u32, batch: BatchStatus) -> Plan {
        let statuses: Vec<_> = words
            .iter()
            .map(|word| ConflatedStatus::from_word(word))
            .collect();
        let tests = statuses
            .iter()
            .enumerate()
            .map(|(n, status)| (Some(TestId::from_u128(n as u128 + 1)), Some(status)));
        let policy = Policy {
            max_rerun_attempts: 2,
            rerun_max_failure_percent: percent,
            ..Policy::default()
        };
        plan_rerun(Some(&batch), tests, &policy, attempt)
    }

    #[test]
    fn guard_stops_above_the_limit_and_lets_the_limit_pass() {
        let half = ["ERROR", "PASSED"];
        assert!(matches!(
            plan(&half, 50.0, 0, BatchStatus::Error).choice,
            Choice::Rerun(_)
        ));
        assert_eq!(
            plan(&half, 49.999, 0, BatchStatus::Error).choice,
            Choice::Nothing(WhyNot::AboveLimit)
        );
    }

    #[test]
    fn the_failing_tests_are_named_in_listing_order() {
        let words = [
            "PASSED", "BLOCKER", "RUNNING", "WARNING", "NEW_WORD", "ERROR",
        ];
        let Choice::Rerun(ids) = plan(&words, 100.0, 0, BatchStatus::Succeeded).choice else {
            panic!("three tests match");
        };
        let numbers: Vec<_> = ids.iter().map(|id| id.as_u128()).collect();
        assert_eq!(numbers, [2, 4, 6]);
    }

    #[test]
    fn a_cancelled_batch_is_never_rerun() {
        assert_eq!(
            plan(&["ERROR"], 100.0, 0, BatchStatus::Cancelled).choice,
            Choice::Nothing(WhyNot::Cancelled)
        );
    }

    #[test]
    fn attempts_used_comes_before_every_other_reason() {
        assert_eq!(
            plan(&["ERROR"], 100.0, 2, BatchStatus::Cancelled).choice,
            Choice::Nothing(WhyNot::AttemptsUsed)
        );
    }

    #[test]
    fn tests_without_status_or_id_count_but_never_match() {
        let error = ConflatedStatus::Error;
        let tests = [(None, Some(&error)), (Some(TestId::from_u128(1)), None)];
        let plan = plan_rerun(None, tests, &Policy::default(), 0);
        assert_eq!(plan.choice, Choice::Nothing(WhyNot::NoneFailing));
        assert_eq!(
            (plan.figures.total, plan.figures.failing, plan.figures.error),
            (2, 0, 1)
        );
    }

    #[test]
    fn allowed_is_the_edge_of_the_guard() {
        for total in 0..400 {
            for percent in [0.3, 1.0, 7.0, 29.0, 30.0, 33.3, 50.0, 57.0, 99.9, 100.0] {
                let figures = TestFigures {
                    total,
                    ..TestFigures::default()
                };
                let allowed = figures.allowed(percent);
                let share = |failing| TestFigures { failing, ..figures }.percent();
                assert!(
                    share(allowed) <= percent,
                    "{allowed} of {total} at {percent}"
                );
                assert!(
                    allowed == total || share(allowed + 1) > percent,
                    "{allowed} of {total} at {percent}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_rerun_for_an_empty_list_of_states() {
        let policy = Policy {
            rerun_on: WatchedStates::default(),
            ..Policy::default()
        };
        let blocker = ConflatedStatus::Blocker;
        let tests = [(Some(TestId::from_u128(1)), Some(&blocker))];
        let plan = plan_rerun(Some(&BatchStatus::Succeeded), tests, &policy, 0);
        assert_eq!(plan.choice, Choice::Nothing(WhyNot::NoneFailing));
    }

    #[test]
    fn each_reason_to_rerun_nothing_has_its_words() {
        for (why, words) in [
            (WhyNot::AttemptsUsed, "every allowed rerun was made"),
            (WhyNot::Cancelled, "the batch was cancelled"),
            (WhyNot::AboveLimit, "more tests match than the limit allows"),
            (WhyNot::NoneFailing, "no test is in a rerun state"),
        ] {
            assert_eq!(why.to_string(), words);
        }
    }
}
