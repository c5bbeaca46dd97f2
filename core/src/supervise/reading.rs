//! One consistent picture, and the decision on it (`resim-api.md` §6.3, S5–S7).
//!
//! Batch, all pages, batch again: the decision is made only if the batch is
//! the same before and after and the pages add up. Pages are no snapshot
//! (`resim-api.md` §4), so a listing may be torn; it is read again, never acted on.
//! Of a batch with many tests, `not_passed` lists those that did not pass. Elsewhere: which
//! listing is believed (`listed`).

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{
    Choice, Event, NamedTest, Now, Plan, RerunOutcome, Supervisor, Verdict, WhyNot, likeness,
    listed::{OF_NEXT_RUN, OF_RUN_BEFORE, STILL_RUNS, Sights},
    machine::Asked,
    plan::plan_with_passed,
    verdict::Findings,
};
use crate::{
    api::{ApiError, ErrorKind, RerunRequest},
    domain::{Batch, BatchStatus, Test, TestId, Timestamp},
    planted::{self, Bug},
    rerun::{FRESH_FOR, Fence, Intent, IntentTest, error_signature, last_change},
};

/// Listings that may be torn in a row before the next one waits for as long as a poll does.
const TORN_TRIES: u8 = 3;
/// Answers that may lack what earlier ones had before a verdict is given on one.
const POORER_TRIES: u8 = 2 * TORN_TRIES;
const POORER: &str = "the answer lacks what earlier ones had (run, start, history or outcome)";
/// Reads of the batch in a row without a mark of its run that show that none is ever sent.
pub(super) const UNMARKED_READS: u8 = 4;
/// The least time that listing may take before giving up; else the wait timeout.
const READING_AT_LEAST: Duration = Duration::from_mins(2);
/// Failed listings after which a verdict that needs no tests is given without.
const LISTING_TRIES: u32 = 3;

/// The tests of a batch as far as they are listed one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) tests: Vec<Test>,
    /// How many more there are, all of them passed (`not_passed`); `None`: all are listed.
    pub(super) passed: Option<u64>,
}

/// What is read of a finished batch until it is decided on.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Reading {
    #[serde(serialize_with = "likeness::of_picture")]
    pub(super) picture: Option<Box<Batch>>,
    #[serde(serialize_with = "likeness::of_listing")]
    pub(super) listing: Option<Listing>,
    /// Listing those that did not pass gave no whole picture: this time all are listed.
    pub(super) lists_all: bool,
    /// How often that was so.
    pub(super) listed_all: u8,
    /// A verdict without the tests waits for another look at the batch.
    judges: bool,
    /// When the listing was complete.
    pub(super) listed_at: Option<Timestamp>,
    /// Listings in a row that did not fit.
    pub(super) torn_tries: u8,
    /// When the batch was first read as finished.
    pub(super) since: Option<Timestamp>,
    /// What its listings have shown so far.
    pub(super) sights: Sights,
}

impl Reading {
    /// Moves its times, after the clock was found to have jumped.
    pub(super) fn shift(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        for time in [&mut self.listed_at, &mut self.since] {
            *time = time.map(&shift);
        }
        self.sights.shift(shift);
    }
}

impl Supervisor {
    /// The pages arrived, or did not.
    pub(super) fn tests_read(
        &mut self,
        answer: Result<Vec<Test>, ApiError>,
        sent_at: Timestamp,
        now: Now,
    ) {
        let mut tests = match answer {
            Ok(tests) => tests,
            Err(error) => return self.listing_failed(error, now),
        };
        self.reads_work(now);
        self.reading.sights.note_running(&tests, now.wall);
        if self.is_of_later_run(&tests, sent_at, now) {
            return self.wait_for_later_run(now);
        }
        if let Some(until) = self.may_be_of_run_before(&tests, sent_at) {
            return self.wait_for_new_tests(OF_RUN_BEFORE, until, now);
        }
        if let Some(until) = self.may_be_of_next_run(&tests, sent_at) {
            return self.wait_for_new_tests(OF_NEXT_RUN, until, now);
        }
        if let Some(why) = self.torn(&tests, sent_at) {
            self.reading.listing = Some(Listing {
                tests,
                passed: None,
            });
            return self.read_again(why, now);
        }
        if let Some(why) = self.counted_otherwise(&tests, sent_at, now) {
            self.reading.listing = Some(Listing {
                tests,
                passed: None,
            });
            if self.reading_overdue(now) {
                return self.judge_without_tests(why, now);
            }
            return self.look_first(why, now);
        }
        if let Some(until) = self.may_run_again(&tests, sent_at, now) {
            // It is kept, to be compared with the next one.
            self.reading.listing = Some(Listing {
                tests,
                passed: None,
            });
            return self.list_later(STILL_RUNS, until, now);
        }
        let mut seen = BTreeSet::new();
        tests.retain(|test| test.id.is_none_or(|id| seen.insert(id)));
        let listed = tests.len() as u64;
        let batch_says = self
            .reading
            .picture
            .as_ref()
            .and_then(|batch| batch.total_tests)
            .filter(|total| *total != listed);
        self.reading.listing = Some(Listing {
            tests,
            passed: None,
        });
        self.reading.listed_at = Some(now.wall);
        self.record(Event::Listed { listed, batch_says }, now.wall);
        self.ask_batch(Asked::Confirm, now);
    }

    pub(super) fn wait_for_later_run(&mut self, now: Now) {
        self.record(Event::Reopened, now.wall);
        self.forget_reading();
        self.due = Some(now.wall.after(self.state.policy.poll_every));
    }

    pub(super) fn wait_for_new_tests(&mut self, why: &str, until: Timestamp, now: Now) {
        self.reading.listing = None;
        self.list_later(
            why,
            until.min(now.wall.after(self.state.policy.poll_every)),
            now,
        );
    }

    fn list_later(&mut self, why: &str, at: Timestamp, now: Now) {
        let why = why.to_owned();
        self.record(Event::Torn { why, tries: 0 }, now.wall);
        self.due = Some(at);
    }

    /// What was read so far is of no use any more.
    pub(super) fn forget_reading(&mut self) {
        self.reading.picture = None;
        self.reading.listing = None;
        self.reading.lists_all = false;
        self.reading.judges = false;
        self.reading.since = None;
        self.reading.sights.forget_run();
    }

    /// Looks at the batch at the next poll before anything else is read or concluded.
    fn look_first(&mut self, why: String, now: Now) {
        self.reading.torn_tries = self.reading.torn_tries.saturating_add(1);
        let tries = self.reading.torn_tries;
        self.record(Event::Torn { why, tries }, now.wall);
        self.record(Event::Reopened, now.wall);
        self.due = Some(now.wall.after(self.state.policy.poll_every));
    }

    fn read_again(&mut self, why: String, now: Now) {
        self.reading.torn_tries = self.reading.torn_tries.saturating_add(1);
        let tries = self.reading.torn_tries;
        self.record(
            Event::Torn {
                why: why.clone(),
                tries,
            },
            now.wall,
        );
        let needless = self.decided_without_tests().is_some();
        if self.reading_overdue(now) || (needless && tries >= TORN_TRIES) {
            return self.judge_without_tests(why, now);
        }
        if tries.is_multiple_of(TORN_TRIES) {
            self.due = Some(now.wall.after(self.state.policy.poll_every));
        } else {
            self.ask_tests(now);
        }
    }

    pub(super) fn listing_failed(&mut self, error: ApiError, now: Now) {
        let needless = self.decided_without_tests().is_some();
        let final_error = matches!(error.kind, ErrorKind::Forbidden);
        // An outage is ridden out, however long; what cannot be read for that
        // long never will be.
        let hopeless = error.kind == ErrorKind::Unreadable && self.reading_overdue(now);
        if (needless && (self.reads.failures + 1 >= LISTING_TRIES || final_error)) || hopeless {
            return self.judge_without_tests(error.to_string(), now);
        }
        self.read_failed(error, now);
    }

    /// Whether it was tried for long enough to get one picture. After an outage a test that
    /// runs in a finished batch is given its time.
    fn reading_overdue(&self, now: Now) -> bool {
        let lasted = |since: Timestamp, limit| now.wall.since(since) >= limit;
        let limit = self.state.policy.wait_timeout.max(READING_AT_LEAST);
        let Reading { since, sights, .. } = &self.reading;
        since.is_some_and(|since| lasted(since, limit))
            && sights
                .ran_first
                .is_none_or(|since| lasted(since, READING_AT_LEAST))
    }

    /// Why nothing can be run again, where that is known without the tests:
    /// the CLI does not list them either.
    fn decided_without_tests(&self) -> Option<WhyNot> {
        let status = self
            .reading
            .picture
            .as_ref()
            .and_then(|batch| batch.status.as_ref());
        if self.state.attempt >= self.state.policy.max_rerun_attempts {
            Some(WhyNot::AttemptsUsed)
        } else if status == Some(&BatchStatus::Cancelled) {
            Some(WhyNot::Cancelled)
        } else {
            None
        }
    }

    fn judge_without_tests(&mut self, why: String, now: Now) {
        let poorer = |batch: &Batch| self.state.is_poorer(batch);
        if self.reading.picture.as_deref().is_some_and(poorer)
            && self.reading.torn_tries < POORER_TRIES
        {
            return self.look_first(POORER.to_owned(), now);
        }
        // Nothing but one answer speaks for it, which may be an old picture (seed 11410183).
        if !std::mem::replace(&mut self.reading.judges, true) {
            return self.look_first(why, now);
        }
        let (Some(why_not), Some(batch)) =
            (self.decided_without_tests(), self.reading.picture.take())
        else {
            return self.give_up(why, now);
        };
        let verdict = Verdict::of_finished(
            &self.state.policy,
            Findings {
                status: batch.status.as_ref(),
                word: batch.conflated.as_ref(),
                run: batch.run_counter,
                figures: None,
                why_not,
                attempts: self.state.attempt,
                reruns: RerunOutcome::default(),
                tests: &[],
            },
        );
        self.conclude(verdict, now);
    }

    /// The batch was read once more after the listing.
    pub(super) fn confirmed(&mut self, batch: Box<Batch>, sent_at: Timestamp, now: Now) {
        let Some(picture) = self.reading.picture.take() else {
            // Taken up again in between: begin with a fresh look.
            self.record(Event::Reopened, now.wall);
            return self.ask_batch(Asked::Poll, now);
        };
        if planted::is(Bug::OldPicture) {
            let listing = self.reading.listing.take().unwrap_or_default();
            return self.decide(&picture, &listing, sent_at, now);
        }
        let old = self.state.is_old(&batch);
        let moved = batch.run_counter > picture.run_counter
            || batch.last_run > picture.last_run
            || last_change(&batch) > last_change(&picture)
            || !batch.is_terminal();
        if moved && !old {
            self.forget_reading();
            self.record(Event::Reopened, now.wall);
            return self.polled(batch, sent_at, now);
        }
        if !same_picture(&picture, &batch) {
            // What is not believed takes no place of what was.
            let believed = !old
                && batch.is_terminal()
                && self.state.leaves_no_doubt(&batch)
                && !self.state.is_poorer(&batch);
            self.reading.picture = Some(if believed { batch } else { picture });
            self.reading.listing = None;
            return self.read_again("the batch changed while it was listed".into(), now);
        }
        // A decision rests on these; they come with the next answer, or never again.
        if self.state.is_poorer(&batch) && self.reading.torn_tries + 1 < TORN_TRIES {
            self.reading.picture = Some(batch);
            return self.read_again(POORER.into(), now);
        }
        // A fence without any mark is made only where nothing sends one (seed 12834381).
        if Fence::at(&batch).is_blind() && self.reads.unmarked < UNMARKED_READS {
            self.reading.picture = Some(batch);
            return self.read_again("the answer carries no mark of its run".into(), now);
        }
        if self.may_have_run_since_listed(&batch, sent_at) {
            self.reading.picture = Some(batch);
            let why = "nothing shows that the batch has not run since it was listed";
            return self.read_again(why.into(), now);
        }
        let listing = self.reading.listing.take().unwrap_or_default();
        self.decide(&batch, &listing, sent_at, now);
    }

    /// An answer without any mark of the run says the same of two runs that end alike. It
    /// confirms a listing only right after it (seeds 14052714 and 14564730: an outage lay
    /// between, and somebody else's run).
    fn may_have_run_since_listed(&self, batch: &Batch, sent_at: Timestamp) -> bool {
        let long = self
            .reading
            .listed_at
            .is_some_and(|at| sent_at.since(at) > FRESH_FOR);
        long && Fence::at(batch).is_blind()
    }

    fn decide(&mut self, batch: &Batch, listing: &Listing, sent_at: Timestamp, now: Now) {
        let attempt = self.state.attempt;
        let tests = &listing.tests;
        let listed = tests.iter().map(|test| (test.id, test.conflated.as_ref()));
        let passed = listing.passed.unwrap_or(0);
        let policy = &self.state.policy;
        let Plan { figures, choice } =
            plan_with_passed(batch.status.as_ref(), listed, passed, policy, attempt);
        let why_not = choice.why_not();
        self.record(
            Event::Decided {
                figures,
                attempt,
                why_not,
            },
            now.wall,
        );
        self.reading.torn_tries = 0;
        self.reading.lists_all = false;
        match choice {
            Choice::Rerun(ids) => {
                let chosen: BTreeSet<TestId> = ids.iter().copied().collect();
                let intent = Intent {
                    batch: batch.id,
                    fence: self.state.fence(batch),
                    request: RerunRequest::tests(ids),
                    attempt: attempt.saturating_add(1),
                    epoch: self.state.epoch,
                    at: now.wall,
                    tests: tests
                        .iter()
                        .filter(|test| test.id.is_some_and(|id| chosen.contains(&id)))
                        .filter_map(IntentTest::of)
                        .collect(),
                };
                self.begin_rerun(intent, sent_at, now);
            }
            Choice::Nothing(why_not) => {
                let verdict = Verdict::of_finished(
                    &self.state.policy,
                    Findings {
                        status: batch.status.as_ref(),
                        word: batch.conflated.as_ref(),
                        run: batch.run_counter,
                        figures: Some(figures),
                        why_not,
                        attempts: attempt,
                        reruns: self.rerun_outcome(listing),
                        tests,
                    },
                );
                self.conclude(verdict, now);
            }
        }
    }

    /// What became of every test that this supervision ran again.
    fn rerun_outcome(&self, listing: &Listing) -> RerunOutcome {
        let mut outcome = RerunOutcome::default();
        let named = |id: TestId, name: &str| NamedTest {
            id,
            // A verdict names every test that it counts.
            name: match name {
                "" => id.to_string(),
                name => name.to_owned(),
            },
        };
        if listing.passed.is_some() {
            // Whatever is not listed has passed.
            let listed: BTreeSet<TestId> = listing.tests.iter().filter_map(|it| it.id).collect();
            let reran = self.state.reran.values();
            let passed = reran.filter(|it| !listed.contains(&it.id));
            let passed = passed.map(|it| named(it.id, &it.name));
            outcome.passed_after_rerun.extend(passed);
        }
        for test in &listing.tests {
            let Some((id, before)) = test
                .id
                .and_then(|id| Some((id, self.state.reran.get(&id)?)))
            else {
                continue;
            };
            let named = named(id, &test.name);
            match &test.conflated {
                Some(status) if status.passes() => outcome.passed_after_rerun.push(named),
                Some(status) if status.is_failing() => {
                    // Two failures without an error text cannot be compared.
                    let same = before.status.as_ref() == Some(status)
                        && before.error.is_some()
                        && before.error == error_signature(test);
                    if same {
                        outcome.consistent.push(named);
                    } else {
                        outcome.failed_again.push(named);
                    }
                }
                _ => {}
            }
        }
        outcome
    }
}

/// Whether two reads show the same finished picture.
fn same_picture(a: &Batch, b: &Batch) -> bool {
    let facts = |batch: &Batch| {
        (
            (batch.status.clone(), batch.conflated.clone()),
            (batch.run_counter, batch.last_run, last_change(batch)),
            (batch.total_tests, batch.status_counts, batch.metrics_counts),
        )
    };
    facts(a) == facts(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BatchId, ConflatedBatchStatus, MetricsCounts, RunCounter, StatusChange, StatusCounts,
    };

    #[test]
    fn a_picture_is_the_same_as_long_as_nothing_differs_that_decides() {
        let mut finished = Batch::new(BatchId::from_u128(1));
        finished.status = Some(BatchStatus::Error);
        let with = |change: fn(&mut Batch)| {
            let mut it = finished.clone();
            change(&mut it);
            same_picture(&finished, &it)
        };
        let same: [fn(&mut Batch); 4] = [
            |_| {},
            |it| it.account = Some("somebody".into()),
            |it| it.suite_revision = Some(3),
            // A change without its time is no mark.
            |it| {
                it.history.push(StatusChange {
                    status: BatchStatus::Error,
                    at: None,
                });
            },
        ];
        for (n, change) in same.into_iter().enumerate() {
            assert!(with(change), "change {n}");
        }
        let differ: [fn(&mut Batch); 8] = [
            |it| it.status = Some(BatchStatus::Succeeded),
            |it| it.conflated = Some(ConflatedBatchStatus::Error),
            |it| it.run_counter = Some(RunCounter(1)),
            |it| it.last_run = Some(Timestamp::from_millis(1)),
            |it| {
                it.history.push(StatusChange {
                    status: BatchStatus::Error,
                    at: Some(Timestamp::from_millis(1)),
                });
            },
            |it| it.total_tests = Some(1),
            |it| it.status_counts = Some(StatusCounts::default()),
            |it| it.metrics_counts = Some(MetricsCounts::default()),
        ];
        for (n, change) in differ.into_iter().enumerate() {
            assert!(!with(change), "change {n}");
        }
    }
}
