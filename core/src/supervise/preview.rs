//! What would happen now: the preview that a person sees before pressing
//! Start. It calls the very function that decides later.

use super::{Choice, Plan, Policy, TestFigures, WhyNot, plan_rerun};
use crate::domain::{
    Batch, ConflatedStatus, TestId,
    words::{number, tests, tests_do},
};

/// What a policy would do with the batch as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The plan, as if the batch had finished like this.
    pub plan: Plan,
    /// Failing tests up to which the guard lets a rerun pass.
    pub allowed: u64,
    /// Whether the batch has finished.
    pub finished: bool,
    /// Whether every test is listed; if not, the figures are of a part.
    pub complete: bool,
    /// Tests of the whole batch, as it says itself.
    pub total: Option<u64>,
    /// Tests that fail by their status and carry no conflated status, which is
    /// what the CLI's rule counts.
    pub uncounted: usize,
    /// Whether the batch has finished since its tests were listed, so that they are
    /// being read anew.
    pub is_old: bool,
}

impl Preview {
    /// What `policy` would do with these tests.
    pub fn of<'a>(
        batch: &Batch,
        tests: impl IntoIterator<Item = (Option<TestId>, Option<&'a ConflatedStatus>)>,
        complete: bool,
        policy: &Policy,
    ) -> Self {
        let plan = plan_rerun(batch.status.as_ref(), tests, policy, 0);
        let mut it = Self {
            allowed: 0,
            plan,
            finished: batch.is_terminal(),
            complete,
            total: batch.total_tests,
            uncounted: 0,
            is_old: false,
        };
        it.allowed = it.of_all().allowed(policy.rerun_max_failure_percent);
        it
    }

    /// The numbers.
    pub fn figures(&self) -> TestFigures {
        self.plan.figures
    }

    /// The numbers measured against the whole batch, where not every test is
    /// listed yet and the batch says how many there are.
    pub fn of_all(&self) -> TestFigures {
        let listed = self.plan.figures.total;
        TestFigures {
            total: match self.total {
                Some(total) if !self.complete => total.max(listed),
                _ => listed,
            },
            ..self.plan.figures
        }
    }

    /// One sentence: `14 of 320 match, 4.4 %, within 30 %: would rerun 14 tests.`
    pub fn sentence(&self, policy: &Policy) -> String {
        let figures = &self.plan.figures;
        let share = format!(
            "{} of {} match, {:.1} %",
            number(figures.failing),
            number(self.of_all().total),
            self.of_all().percent()
        );
        let limit = policy.rerun_max_failure_percent;
        let is_within = !self.of_all().is_above(limit);
        let decision = match &self.plan.choice {
            Choice::Rerun(_) | Choice::Nothing(WhyNot::AboveLimit)
                if !self.complete && is_within =>
            {
                format!(", so far within {limit} %")
            }
            Choice::Rerun(ids) => format!(", within {limit} %: would rerun {}", tests(ids.len())),
            Choice::Nothing(WhyNot::AboveLimit) => {
                format!(", more than {limit} %: would rerun nothing")
            }
            Choice::Nothing(WhyNot::NoneFailing) => ": nothing to rerun".to_owned(),
            Choice::Nothing(WhyNot::AttemptsUsed) => {
                ": no rerun is allowed, would only wait and judge".to_owned()
            }
            Choice::Nothing(WhyNot::Cancelled) => {
                ": the batch was cancelled, would rerun nothing".to_owned()
            }
        };
        let mut sentence = format!("{share}{decision}.");
        if policy.fail_filter().is_empty() {
            sentence.push_str(
                " No state is set to fail: unless the batch itself ends in ERROR or is cancelled, \
                 this exits 0, whatever the tests say.",
            );
        }
        if self.uncounted > 0 {
            sentence.push_str(&format!(
                " Not counted: {} that {} by status; ReSim sends no conflated status for {}, and \
                 the CLI's rule counts only that.",
                tests(self.uncounted),
                if self.uncounted == 1 { "fails" } else { "fail" },
                if self.uncounted == 1 { "it" } else { "them" },
            ));
        }
        if !self.finished {
            sentence.push_str(" The batch still runs, so this may change.");
        }
        if self.is_old {
            sentence
                .push_str(" The batch has finished since its tests were read, so this may change.");
        }
        if !self.complete {
            sentence.push_str(&format!(
                " Only {} listed yet, so more may match.",
                tests_do(figures.total, "is", "are")
            ));
        }
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, BatchStatus};

    #[test]
    fn the_preview_says_share_limit_and_count() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(BatchStatus::Error);
        let (error, passed) = (ConflatedStatus::Error, ConflatedStatus::Passed);
        let tests = (1..=320_u128).map(|n| {
            (
                Some(TestId::from_u128(n)),
                Some(if n <= 14 { &error } else { &passed }),
            )
        });
        let policy = Policy {
            rerun_max_failure_percent: 30.0,
            ..Policy::default()
        };
        let preview = Preview::of(&batch, tests, true, &policy);
        assert_eq!(
            preview.sentence(&policy),
            "14 of 320 match, 4.4 %, within 30 %: would rerun 14 tests."
        );
        assert_eq!(preview.allowed, 96);
    }

    #[test]
    fn while_tests_are_still_read_the_share_is_of_the_whole_batch() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(BatchStatus::Error);
        batch.total_tests = Some(100_000);
        let error = ConflatedStatus::Error;
        let tests = (1..=2576_u128).map(|n| (Some(TestId::from_u128(n)), Some(&error)));
        let policy = Policy {
            rerun_max_failure_percent: 30.0,
            ..Policy::default()
        };
        let preview = Preview::of(&batch, tests, false, &policy);
        assert_eq!(
            preview.sentence(&policy),
            "2,576 of 100,000 match, 2.6 %, so far within 30 %. Only 2,576 tests are listed yet, \
             so more may match."
        );
        assert_eq!(preview.allowed, 30_000);
        let first = [(Some(TestId::from_u128(1)), Some(&error))];
        let said = Preview::of(&batch, first, false, &policy).sentence(&policy);
        assert!(said.contains("Only 1 test is listed yet"), "{said}");
    }

    /// Of a batch with one test in ERROR and one that passed.
    fn said(status: BatchStatus, policy: &Policy, change: impl FnOnce(&mut Preview)) -> String {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(status);
        let (error, passed) = (ConflatedStatus::Error, ConflatedStatus::Passed);
        let tests = [
            (Some(TestId::from_u128(1)), Some(&error)),
            (Some(TestId::from_u128(2)), Some(&passed)),
        ];
        let mut preview = Preview::of(&batch, tests, true, policy);
        change(&mut preview);
        preview.sentence(policy)
    }

    #[test]
    fn each_reason_to_rerun_nothing_is_said() {
        let policy = |change: fn(&mut Policy)| {
            let mut it = Policy::default();
            change(&mut it);
            it
        };
        for (status, policy, sentence) in [
            (
                BatchStatus::Error,
                policy(|it| it.rerun_max_failure_percent = 49.0),
                "1 of 2 match, 50.0 %, more than 49 %: would rerun nothing.",
            ),
            (
                BatchStatus::Error,
                policy(|it| it.max_rerun_attempts = 0),
                "1 of 2 match, 50.0 %: no rerun is allowed, would only wait and judge.",
            ),
            (
                BatchStatus::Cancelled,
                policy(|_| {}),
                "1 of 2 match, 50.0 %: the batch was cancelled, would rerun nothing.",
            ),
            (
                BatchStatus::Error,
                policy(|it| it.rerun_on.error = false),
                "0 of 2 match, 0.0 %: nothing to rerun.",
            ),
        ] {
            assert_eq!(said(status, &policy, |_| {}), sentence);
        }
    }

    #[test]
    fn what_may_still_change_or_is_not_counted_is_said_behind_it() {
        let policy = Policy::default();
        let within = "1 of 2 match, 50.0 %, within 50 %: would rerun 1 test.";
        let running = said(BatchStatus::ExperiencesRunning, &policy, |_| {});
        assert_eq!(
            running,
            format!("{within} The batch still runs, so this may change.")
        );
        let old = said(BatchStatus::Error, &policy, |it| it.is_old = true);
        assert!(
            old.ends_with("The batch has finished since its tests were read, so this may change.")
        );
        for (uncounted, words) in [
            (
                1,
                "Not counted: 1 test that fails by status; ReSim sends no conflated status for it,",
            ),
            (
                2,
                "Not counted: 2 tests that fail by status; ReSim sends no conflated status for them,",
            ),
        ] {
            let sentence = said(BatchStatus::Error, &policy, |it| it.uncounted = uncounted);
            assert!(sentence.contains(words), "{sentence}");
        }
        let lenient = Policy {
            rerun_on: crate::supervise::WatchedStates::default(),
            ..policy
        };
        let sentence = said(BatchStatus::Error, &lenient, |_| {});
        assert!(
            sentence.contains(" No state is set to fail: "),
            "{sentence}"
        );
    }
}
