//! The tests that did not pass, instead of all: how a large batch is decided on with a
//! handful of requests.
//!
//! The CLI lists every test, a hundred pages for ten thousand. What it does with those that
//! passed is to count them. So they are counted here too, by the API: a listing of the
//! passed ones says how many there are on its first page. That is the CLI's arithmetic
//! (`resim-api.md` §6.3, S5) only if nothing is left over, hence every count is asked for
//! twice and has to agree: each status word with the batch's own count of it, and all
//! together with the batch's total. Whatever does not agree is no reason to wait, nor to
//! guess: all tests are listed, and the log says why.
//!
//! Why a listing that agrees cannot be an old picture with the same numbers: the batch's
//! counts are those of a finished run that is believed (`belief`). A test that this run
//! ran shows its start (`reading` asks that of each that is listed), and a test that it did
//! not run has not changed. So what is listed is a part of what truly did not pass, and as
//! many: it is all of it.

use std::collections::BTreeSet;

use super::Supervisor;
use crate::{
    domain::{Batch, ConflatedStatus, Means, Test},
    planted::{self, Bug},
};

/// Answer to [`Output::ReadNotPassed`](super::Output::ReadNotPassed).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NotPassed {
    /// How many tests passed, as the API counts them; `None` where it does not.
    pub passed: Option<u64>,
    /// The tests in one of the states [`NotPassed::states`], every page, as listed. Empty
    /// where another number has passed than was expected: then nobody lists them.
    pub tests: Vec<Test>,
}

impl NotPassed {
    /// What is asked for: each state of a finished test that did not pass.
    pub fn states() -> impl Iterator<Item = ConflatedStatus> {
        let asked = |it: &&ConflatedStatus| {
            matches!(it.meaning().means, Means::Fails(_) | Means::Cancelled)
        };
        ConflatedStatus::KNOWN.iter().filter(asked).cloned()
    }

    /// What disagrees with the batch's own counts, if anything does.
    fn disagrees(&self, batch: &Batch) -> Option<String> {
        let Some(passed) = self.passed else {
            return Some("the API does not say how many tests passed".into());
        };
        let expected = passed_by_counts(batch);
        if passed != expected {
            return Some(format!(
                "{passed} tests have passed by the API's listing, {expected} by the batch's counts"
            ));
        }
        let mut seen = BTreeSet::new();
        if !self
            .tests
            .iter()
            .all(|it| it.id.is_some_and(|id| seen.insert(id)))
        {
            return Some("a test was listed twice, or without its ID".into());
        }
        if let Some(why) = Self::states().find_map(|it| miscounted(&it, &self.tests, batch)) {
            return Some(why);
        }
        let asked = |it: &&Test| Self::states().any(|state| it.conflated.as_ref() == Some(&state));
        let listed = self.tests.iter().filter(asked).count() as u64;
        if listed != self.tests.len() as u64 {
            return Some("tests were listed in a state that was not asked for".into());
        }
        let total = batch.total_tests.unwrap_or(0);
        if listed.saturating_add(passed) != total {
            return Some(format!(
                "{listed} tests that did not pass and {passed} that did are not the batch's {total}"
            ));
        }
        None
    }
}

/// The first state of which another number is listed than the batch counts, if it counts.
pub(super) fn miscounts(tests: &[Test], batch: &Batch) -> Option<String> {
    batch.status_counts.and(batch.metrics_counts)?;
    let mut states = ConflatedStatus::KNOWN.iter();
    states.find_map(|state| miscounted(state, tests, batch))
}

fn miscounted(state: &ConflatedStatus, tests: &[Test], batch: &Batch) -> Option<String> {
    let is = |test: &&Test| test.conflated.as_ref() == Some(state);
    let listed = tests.iter().filter(is).count() as u64;
    let counted = (state.meaning().count)(batch);
    (listed != counted)
        .then(|| format!("{listed} tests in {state} were listed, the batch counts {counted}"))
}

fn passed_by_counts(batch: &Batch) -> u64 {
    (ConflatedStatus::Passed.meaning().count)(batch)
}

/// How many tests pass by the counts of this finished batch, if it takes fewer requests to
/// list the others than to list all; `tests_a_page` are on each page.
fn is_quicker(batch: &Batch, tests_a_page: u64) -> Option<u64> {
    let counts = batch.status_counts.is_some() && batch.metrics_counts.is_some();
    let total = batch.total_tests?;
    let passed = passed_by_counts(batch);
    let pages = |tests: u64| tests.div_ceil(tests_a_page.max(1)).max(1);
    let with_the_count = 1 + pages(total.saturating_sub(passed));
    (counts && batch.conflated.is_some() && with_the_count < pages(total)).then_some(passed)
}

impl Supervisor {
    /// How many tests pass by the picture's counts, if the others are to be listed alone.
    pub(super) fn passed_if_short(&self) -> Option<u64> {
        let batch = self.picture.as_deref().filter(|_| !self.lists_all)?;
        is_quicker(batch, u64::from(self.state.limits.tests_a_page))
    }

    /// Why this answer does not stand for the whole listing, if it does not.
    pub(super) fn is_not_whole(&self, answer: &NotPassed) -> Option<String> {
        if planted::is(Bug::CountsUnchecked) {
            return None;
        }
        let Some(batch) = self.picture.as_deref() else {
            return Some("the batch has to be read first".into());
        };
        answer.disagrees(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BatchId, BatchStatus, ConflatedBatchStatus, MetricsCounts, StatusCounts, TestId,
    };

    /// 1,000 tests: one in ERROR, two in BLOCKER, one in WARNING, one cancelled.
    fn batch() -> Batch {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(BatchStatus::Error);
        batch.conflated = Some(ConflatedBatchStatus::Error);
        batch.total_tests = Some(1_000);
        batch.status_counts = Some(StatusCounts {
            succeeded: 998,
            error: 1,
            cancelled: 1,
            ..StatusCounts::default()
        });
        batch.metrics_counts = Some(MetricsCounts {
            passed: 995,
            fail_block: 2,
            fail_warn: 1,
            ..MetricsCounts::default()
        });
        batch
    }

    fn answer(words: &[&str]) -> NotPassed {
        let test = |(n, word): (usize, &&str)| {
            let mut test = Test::new(TestId::from_u128(n as u128 + 1), String::new());
            test.conflated = Some(ConflatedStatus::from_word(word));
            test
        };
        NotPassed {
            passed: Some(995),
            tests: words.iter().enumerate().map(test).collect(),
        }
    }

    const WHOLE: [&str; 5] = ["BLOCKER", "ERROR", "CANCELLED", "WARNING", "BLOCKER"];

    #[test]
    fn what_agrees_in_every_count_stands_for_the_whole() {
        assert_eq!(answer(&WHOLE).disagrees(&batch()), None);
    }

    #[test]
    fn whatever_does_not_agree_says_so() {
        let said =
            |answer: &NotPassed, batch: &Batch| answer.disagrees(batch).expect("it says why");
        let mut uncounted = answer(&WHOLE);
        uncounted.passed = None;
        assert!(said(&uncounted, &batch()).contains("does not say how many"));
        let mut fewer = answer(&WHOLE);
        fewer.passed = Some(994);
        assert!(said(&fewer, &batch()).contains("994"));
        let missing = answer(&WHOLE[..4]);
        assert!(
            said(&missing, &batch()).contains("1 tests in BLOCKER were listed, the batch counts 2")
        );
        let mut twice = answer(&WHOLE);
        twice.tests[0].id = twice.tests[4].id;
        assert!(said(&twice, &batch()).contains("twice"));
        let unasked = answer(&[&WHOLE[..], &["PASSED"]].concat());
        assert!(said(&unasked, &batch()).contains("not asked for"));
        let mut larger = batch();
        larger.total_tests = Some(1_001);
        assert!(said(&answer(&WHOLE), &larger).contains("1001"));
    }

    #[test]
    fn a_batch_is_listed_whole_where_that_takes_no_more_requests() {
        assert_eq!(is_quicker(&batch(), 100), Some(995));
        let pages = |total, failing| {
            let mut batch = batch();
            batch.total_tests = Some(total);
            batch.metrics_counts = Some(MetricsCounts::default());
            batch.status_counts = Some(StatusCounts {
                succeeded: total - failing,
                error: failing,
                ..StatusCounts::default()
            });
            is_quicker(&batch, 100)
        };
        assert_eq!(pages(200, 1), None, "two pages, or a count and a page");
        assert_eq!(pages(201, 1), Some(200));
        assert_eq!(pages(1_000, 801), None, "nine pages and a count");
        assert_eq!(pages(1_000, 800), Some(200));
    }

    #[test]
    fn a_deployment_that_sends_no_counts_or_no_words_is_listed_whole() {
        let without = |change: fn(&mut Batch)| {
            let mut batch = batch();
            change(&mut batch);
            is_quicker(&batch, 100)
        };
        assert_eq!(without(|it| it.status_counts = None), None);
        assert_eq!(without(|it| it.metrics_counts = None), None);
        assert_eq!(without(|it| it.total_tests = None), None);
        assert_eq!(without(|it| it.conflated = None), None);
    }
}
