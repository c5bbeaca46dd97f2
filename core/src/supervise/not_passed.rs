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
//! Why a listing that agrees cannot be an old picture with the same numbers:
//!
//! 1. The batch's counts are those of a finished run that is believed (`belief`), so as many
//!    tests as they say truly did not pass.
//! 2. A listed test that this run ran shows its start (`listed` asks that of each), so it is
//!    listed as this run left it.
//! 3. A listed test that this run did not run has not changed.
//! 4. By 2 and 3 each listed test truly did not pass, and none is listed twice. By 1 there are
//!    as many of them as are listed: these are all.

use super::{
    Event, Now, Supervisor,
    listed::{OF_NEXT_RUN, OF_RUN_BEFORE, twice_in},
    machine::Asked,
    reading::Listing,
};
use crate::{
    api::{ApiError, ErrorKind, MAX_PAGES},
    domain::{Batch, ConflatedStatus, Means, Test, Timestamp, words::number},
    planted::{self, Bug},
};

/// Failed tries after which all tests are listed instead.
const TRIES: u32 = 3;
/// Whole listings in its stead after which it is not tried again in this life.
const MISSES: u8 = 2;

/// How many tests a batch has by its own counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Tests that passed.
    pub passed: u64,
    /// All others.
    pub others: u64,
}

impl Counted {
    /// Whether the others are to be listed, now that the API says how many `passed`: where it
    /// says another number, the listing could not add up.
    pub fn wants_others(self, passed: Option<u64>) -> bool {
        self.others > 0 && passed == Some(self.passed)
    }
}

/// Answer to [`Output::ReadNotPassed`](super::Output::ReadNotPassed).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NotPassed {
    /// How many tests passed, as the API counts them; `None` where it does not.
    pub passed: Option<u64>,
    /// The tests in one of the states [`NotPassed::states`], every page, as listed. Empty
    /// where nobody had to list them.
    pub tests: Vec<Test>,
}

impl NotPassed {
    /// What is asked for: each state of a finished test that did not pass.
    pub fn states() -> impl Iterator<Item = &'static ConflatedStatus> {
        let known = ConflatedStatus::KNOWN.iter();
        known.filter(|it| Self::asks_for(it))
    }

    /// Whether tests in this state are asked for.
    pub fn asks_for(state: &ConflatedStatus) -> bool {
        matches!(state.meaning().means, Means::Fails(_) | Means::Cancelled)
    }

    /// Whether a listing may hold this test; otherwise the API does not heed what is asked for.
    pub fn is_asked(test: &Test) -> bool {
        test.conflated.as_ref().is_some_and(Self::asks_for)
    }

    /// What disagrees with the batch's own counts, if anything does.
    fn disagrees(&self, batch: &Batch) -> Option<String> {
        let Some(passed) = self.passed else {
            return Some("it does not say how many tests passed".into());
        };
        let expected = passed_by_counts(batch);
        if passed != expected {
            return Some(format!(
                "{} tests passed by its listing, {} by the batch's counts",
                number(passed),
                number(expected)
            ));
        }
        if !self.tests.iter().all(Self::is_asked) {
            return Some("it lists tests in a state that was not asked for".into());
        }
        if self.tests.iter().any(|it| it.id.is_none()) || twice_in(&self.tests).is_some() {
            return Some("it lists a test twice, or without its ID".into());
        }
        if let Some(why) = Self::states().find_map(|it| miscounted(it, &self.tests, batch)) {
            return Some(why);
        }
        let listed = self.tests.len() as u64;
        let total = batch.total_tests.unwrap_or(0);
        if listed.saturating_add(passed) != total {
            return Some(format!(
                "{} that did not pass and {} that did are not the batch's {}",
                number(listed),
                number(passed),
                number(total)
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
    (listed != counted).then(|| {
        let (listed, counted) = (number(listed), number(counted));
        format!("it lists {listed} in {state}, the batch counts {counted}")
    })
}

fn passed_by_counts(batch: &Batch) -> u64 {
    (ConflatedStatus::Passed.meaning().count)(batch)
}

/// The counts of this finished batch, if it takes fewer requests to list the tests that did
/// not pass than to list all; `tests_a_page` are on each page. None of a batch that has more
/// tests than anybody lists.
fn counts_where_fewer_requests(batch: &Batch, tests_a_page: u64) -> Option<Counted> {
    let counts = batch.status_counts.is_some() && batch.metrics_counts.is_some();
    let total = batch.total_tests?;
    let passed = passed_by_counts(batch);
    let others = total.checked_sub(passed)?;
    let pages = |tests: u64| tests.div_ceil(tests_a_page.max(1));
    let with_the_count = 1 + pages(others).max(1);
    let quicker = with_the_count < pages(total) && pages(total) <= MAX_PAGES as u64;
    (counts && batch.conflated.is_some() && quicker).then_some(Counted { passed, others })
}

impl Supervisor {
    /// The picture's counts, if only the tests that did not pass are to be listed.
    pub(super) fn counts_for_others(&self) -> Option<Counted> {
        // The tests of another batch may have other IDs: which of them ran again only a
        // whole listing tells.
        if self.reading.lists_all || self.reading.listed_all >= MISSES || self.state.moved {
            return None;
        }
        let batch = self.reading.picture.as_deref()?;
        counts_where_fewer_requests(batch, u64::from(self.state.limits.tests_a_page))
    }

    /// The tests that did not pass arrived, or did not.
    pub(super) fn not_passed_read(
        &mut self,
        answer: Result<NotPassed, ApiError>,
        sent_at: Timestamp,
        now: Now,
    ) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.not_passed_failed(error, now),
        };
        self.reads_work(now);
        if self.is_of_later_run(&answer.tests, sent_at, now) {
            return self.wait_for_later_run(now);
        }
        if let Some(why) = self.why_not_whole(&answer) {
            return self.list_all(why, now);
        }
        // Which tests somebody else's run is about nobody knows.
        let began = self.state.began.as_ref();
        let of_others = began.map_or(self.state.seen_running, |run| run.tests.is_empty());
        // Where nothing is left that did not pass, and only our own reruns were under way, the
        // batch's counts have said it all.
        let said = answer.tests.is_empty() && !of_others;
        if let Some(until) = self.may_be_of_run_before(&answer.tests, sent_at)
            && !said
        {
            if self.state.began.is_none() && !self.state.seen_running {
                // Of a run that was over before us any test is proof enough, also one that passed.
                return self.list_all("none of them is of the latest run".into(), now);
            }
            return self.wait_for_new_tests(OF_RUN_BEFORE, until, now);
        }
        if let Some(until) = self.may_be_of_next_run(&answer.tests, sent_at) {
            return self.wait_for_new_tests(OF_NEXT_RUN, until, now);
        }
        let (listed, passed) = (answer.tests.len() as u64, answer.passed.unwrap_or(0));
        self.reading.listing = Some(Listing {
            tests: answer.tests,
            passed: answer.passed,
        });
        self.reading.listed_at = Some(now.wall);
        self.record(Event::ListedNotPassed { listed, passed }, now.wall);
        self.ask_batch(Asked::Confirm, now);
    }

    /// An API that fails to answer this may well list all tests: the CLI asks for nothing else.
    fn not_passed_failed(&mut self, error: ApiError, now: Now) {
        match error.kind {
            ErrorKind::SignedOut
            | ErrorKind::NoToken
            | ErrorKind::Forbidden
            | ErrorKind::Unreachable => {}
            ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Unreadable => {
                return self.list_all(error.to_string(), now);
            }
            _ if self.reads.failures + 1 >= TRIES => return self.list_all(error.to_string(), now),
            _ => {}
        }
        self.listing_failed(error, now);
    }

    fn list_all(&mut self, why: String, now: Now) {
        self.reading.lists_all = true;
        self.reading.listed_all = self.reading.listed_all.saturating_add(1).min(MISSES);
        self.record(Event::ListsAll { why }, now.wall);
        self.ask_tests(now);
    }

    /// Why this answer does not stand for the whole listing, if it does not.
    fn why_not_whole(&self, answer: &NotPassed) -> Option<String> {
        if planted::is(Bug::CountsUnchecked) {
            return None;
        }
        let Some(batch) = self.reading.picture.as_deref() else {
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
    fn the_others_are_listed_only_where_they_could_add_up() {
        let counted = |others| Counted { passed: 9, others };
        assert!(counted(1).wants_others(Some(9)));
        assert!(!counted(1).wants_others(Some(8)));
        assert!(!counted(1).wants_others(None));
        assert!(!counted(0).wants_others(Some(9)), "there are none");
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
        assert!(said(&missing, &batch()).contains("it lists 1 in BLOCKER, the batch counts 2"));
        let mut twice = answer(&WHOLE);
        twice.tests[0].id = twice.tests[4].id;
        assert!(said(&twice, &batch()).contains("twice"));
        let unasked = answer(&[&WHOLE[..], &["PASSED"]].concat());
        assert!(said(&unasked, &batch()).contains("not asked for"));
        let mut larger = batch();
        larger.total_tests = Some(1_001);
        assert!(said(&answer(&WHOLE), &larger).contains("1,001"));
    }

    #[test]
    fn a_batch_is_listed_whole_where_that_takes_no_more_requests() {
        let counted = Counted {
            passed: 995,
            others: 5,
        };
        assert_eq!(counts_where_fewer_requests(&batch(), 100), Some(counted));
        let pages = |total, failing| {
            let mut batch = batch();
            batch.total_tests = Some(total);
            batch.metrics_counts = Some(MetricsCounts::default());
            batch.status_counts = Some(StatusCounts {
                succeeded: total - failing,
                error: failing,
                ..StatusCounts::default()
            });
            counts_where_fewer_requests(&batch, 100).map(|it| it.passed)
        };
        assert_eq!(pages(200, 1), None, "two pages, or a count and a page");
        assert_eq!(pages(201, 1), Some(200));
        assert_eq!(pages(1_000, 801), None, "nine pages and a count");
        assert_eq!(pages(1_000, 800), Some(200));
        let too_many = 100 * MAX_PAGES as u64 + 1;
        assert_eq!(pages(too_many, 0), None, "nobody lists so many");
    }

    #[test]
    fn a_deployment_that_sends_no_counts_or_no_words_is_listed_whole() {
        let without = |change: fn(&mut Batch)| {
            let mut batch = batch();
            change(&mut batch);
            counts_where_fewer_requests(&batch, 100)
        };
        assert_eq!(without(|it| it.status_counts = None), None);
        assert_eq!(without(|it| it.metrics_counts = None), None);
        assert_eq!(without(|it| it.total_tests = None), None);
        assert_eq!(without(|it| it.conflated = None), None);
    }
}
