//! One consistent picture, and the decision on it (`resim-api.md` §6.3, S5–S7).
//!
//! Batch, all pages, batch again: the decision is made only if the batch is
//! the same before and after and the pages add up. Pages are no snapshot
//! (`resim-api.md` §4), so a listing may be torn; it is read again, never acted on.
//! Of a batch with many tests, `not_passed` lists those that did not pass.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{
    Choice, Event, NamedTest, Now, Plan, Record, RerunOutcome, Supervisor, Verdict, WhyNot,
    likeness, machine::Asked, not_passed, plan::plan_with_passed, verdict::Findings,
};
use crate::{
    api::{ApiError, ErrorKind, RerunRequest},
    domain::{
        Batch, BatchStatus, ConflatedStatus, Test, TestId, Timestamp,
        words::{number, tests_do},
    },
    planted::{self, Bug},
    rerun::{FRESH, Fence, Intent, IntentTest, OLD_PICTURE, error_signature, last_change},
};

/// Listings that may be torn in a row before the next one waits for as long as a poll does.
const TORN_TRIES: u8 = 3;
/// Answers that may lack what earlier ones had before a verdict is given on one.
const POORER_TRIES: u8 = 2 * TORN_TRIES;
const POORER: &str = "the answer lacks what earlier ones had (run, start, history or outcome)";
/// Why a listing is torn that shows a test running.
const RUNS: &str = "the batch has finished, but a listed test has not";
/// Why a listing is waited with.
const STILL_RUNS: &str =
    "a listed test still runs, and may be of a run that the batch does not show yet";
pub(super) const OF_RUN_BEFORE: &str = "the tests may still be those of the run before";
pub(super) const OF_NEXT_RUN: &str =
    "a test was just listed as running, so these may be of a run that the batch does not show yet";
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
    /// Tests that were listed with a later start than the batch's.
    ahead: Option<Ahead>,
    /// Since when each listing showed a test running …
    runs_since: Option<Timestamp>,
    /// … when one first did, in this run …
    ran_first: Option<Timestamp>,
    /// … and when one last did.
    ran_at: Option<Timestamp>,
    /// Since when each listing showed the same tests running …
    stays_since: Option<Timestamp>,
    /// … and was counted otherwise than the batch counts, in the same way.
    miscounted_since: Option<Timestamp>,
}

/// Tests start later than their batch, as far as both are listed.
#[derive(Debug, Clone, Serialize)]
struct Ahead {
    /// The batch's start.
    of: Timestamp,
    /// The latest one of a test.
    newest: Timestamp,
    /// Since when the two were read so.
    since: Timestamp,
}

impl Reading {
    /// What a life that takes up the journal knows of the listings of the one before.
    pub(super) fn taken_up(records: &[Record], now: Timestamp) -> Self {
        let ran = records.iter().rev().find(|record| {
            let shows = |why: &String| why == RUNS || why == STILL_RUNS;
            matches!(&record.event, Event::Torn { why, .. } if shows(why))
        });
        Self {
            ran_at: ran.map(|record| record.at.min(now)),
            ..Self::default()
        }
    }

    /// Moves its times, after the clock was found to have jumped.
    pub(super) fn shift(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        for time in [
            &mut self.listed_at,
            &mut self.since,
            &mut self.runs_since,
            &mut self.ran_first,
            &mut self.ran_at,
            &mut self.stays_since,
            &mut self.miscounted_since,
        ] {
            *time = time.map(&shift);
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.since = shift(ahead.since);
        }
    }

    /// Notes whether a whole listing shows a test running. As of now: its last page may be
    /// much younger than the question.
    fn note_running(&mut self, tests: &[Test], now: Timestamp) {
        if tests.iter().any(is_running) {
            self.runs_since.get_or_insert(now);
            self.ran_first.get_or_insert(now);
            self.ran_at = Some(now);
        } else {
            self.runs_since = None;
        }
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
        self.reading.note_running(&tests, now.wall);
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
        self.reading.runs_since = None;
        self.reading.ran_first = None;
    }

    /// What does not fit, if anything. A count that disagrees, a test that is
    /// listed twice, or one without an ID, which may be another one listed twice, is
    /// accepted when two listings in a row are the same: then that is how the API
    /// lists this batch. Each test counts once. A test that runs in a finished batch is an
    /// old picture (the simulation found that a lagging replica hides failures so), or of a
    /// run that begins (seed 17222432); it is accepted when each listing shows one for longer
    /// than a replica can lag.
    fn torn(&self, tests: &[Test], sent_at: Timestamp) -> Option<String> {
        if planted::is(Bug::TornAccepted) {
            return None;
        }
        let picture = self.reading.picture.as_ref();
        let finished = picture.is_some_and(|it| it.status != Some(BatchStatus::Cancelled));
        // By when it was sent: the page may have slept before it was taken in.
        let runs = |since| sent_at.since(since) < OLD_PICTURE;
        if finished && self.reading.runs_since.is_some_and(runs) {
            return Some(RUNS.to_owned());
        }
        let mut seen = BTreeSet::new();
        let twice = tests
            .iter()
            .filter_map(|test| test.id)
            .find(|id| !seen.insert(*id));
        let unnamed = tests.iter().any(|test| test.id.is_none());
        let total = picture.and_then(|batch| batch.total_tests);
        let why = match (twice, total) {
            (Some(id), _) => format!("test {id} was listed twice"),
            // The count fits, and yet one may be missing (seed 15948919).
            _ if unnamed => "a test was listed without its ID".to_owned(),
            (None, Some(total)) if total != tests.len() as u64 => {
                let listed = tests_do(tests.len() as u64, "was", "were");
                format!("{listed} listed, the batch says {}", number(total))
            }
            _ => return None,
        };
        (!self.is_listed_again(tests)).then_some(why)
    }

    /// Whether the batch counts its states otherwise than they are listed: one of the two may
    /// be of a later run (seed 4412306), where no start of a test would show it. Accepted when
    /// it is so again, with another look at the batch between, for longer than a replica can
    /// lag: then that is how the API counts.
    fn counted_otherwise(
        &mut self,
        tests: &[Test],
        sent_at: Timestamp,
        now: Now,
    ) -> Option<String> {
        if tests.iter().any(|test| test.last_run.is_some()) || planted::is(Bug::TornAccepted) {
            return None;
        }
        let why = not_passed::miscounts(tests, self.reading.picture.as_deref()?);
        let before = self.reading.miscounted_since.take();
        let why = why?;
        let since = before
            .filter(|_| self.is_listed_again(tests))
            .unwrap_or(now.wall);
        self.reading.miscounted_since = Some(since);
        (sent_at.since(since) < OLD_PICTURE).then_some(why)
    }

    /// Until when a listing with a test that runs is not decided on: it may be one of the next
    /// run, which a replica still hides. A minute after it the batch shows that run, and
    /// another listing has to be the same. Where no mark tells, a look is believed only right
    /// after the listing.
    fn may_run_again(&mut self, tests: &[Test], sent_at: Timestamp, now: Now) -> Option<Timestamp> {
        let before = self.reading.stays_since.take();
        let picture = self.reading.picture.as_deref()?;
        if picture.status == Some(BatchStatus::Cancelled)
            || Fence::at(picture).is_blind()
            || !tests.iter().any(is_running)
            || planted::is(Bug::TornAccepted)
        {
            return None;
        }
        let since = before
            .filter(|_| self.is_listed_again(tests))
            .unwrap_or(now.wall);
        self.reading.stays_since = Some(since);
        let until = since.after(OLD_PICTURE);
        (sent_at < until).then_some(until)
    }

    fn is_listed_again(&self, tests: &[Test]) -> bool {
        self.reading.listing.as_ref().is_some_and(|before| {
            let facts = |tests: &[Test]| -> Vec<(Option<TestId>, Option<ConflatedStatus>)> {
                tests
                    .iter()
                    .map(|test| (test.id, test.conflated.clone()))
                    .collect()
            };
            facts(&before.tests) == facts(tests)
        })
    }

    /// Listed after somebody started the next run, while the batch was still
    /// read from a replica that lags behind. Where both show the same starts for longer
    /// than one can lag, tests start later than their batch: then that is how the API
    /// stamps them (`resim-api.md` §2.2 gives the time of a test no meaning). Of the next
    /// run some test shows a start that is later still.
    pub(super) fn is_of_later_run(&mut self, tests: &[Test], sent_at: Timestamp, now: Now) -> bool {
        let picture = self.reading.picture.as_ref();
        let Some(of) = picture.and_then(|batch| batch.last_run) else {
            return false;
        };
        let newest = tests.iter().filter_map(|test| test.last_run).max();
        let Some(newest) = newest.filter(|newest| *newest > of) else {
            return false;
        };
        let before = self.reading.ahead.take();
        let before = before.filter(|before| before.of == of && newest <= before.newest);
        let ahead = self.reading.ahead.insert(before.unwrap_or(Ahead {
            of,
            newest,
            since: now.wall,
        }));
        sent_at.since(ahead.since) < OLD_PICTURE || planted::is(Bug::LateStartsDoubted)
    }

    /// Until when a listing may show how the run before ended: a replica that
    /// lags behind does so without contradicting itself, while another one shows
    /// that the newest run has finished. What proves a listing is the start of
    /// each test that our own rerun is about, or of any test in a run that had ended
    /// before us. Otherwise it is believed once the run is older than a replica
    /// can lag. The pages of a batch that was cancelled decide nothing.
    pub(super) fn may_be_of_run_before(
        &self,
        tests: &[Test],
        sent_at: Timestamp,
    ) -> Option<Timestamp> {
        let picture = self.reading.picture.as_ref()?;
        if picture.status == Some(BatchStatus::Cancelled) || planted::is(Bug::TornAccepted) {
            return None;
        }
        let marked = tests.iter().any(|test| test.last_run.is_some());
        let start = picture.last_run.filter(|_| marked);
        let began = self.state.began.as_ref();
        // Of a run that was there before us nothing tells when it began, but it had when
        // the batch was first seen (seeds 18467133, 19866351).
        let since = began.map(|run| run.at).or(self.state.first_seen)?;
        let until = since.after(OLD_PICTURE);
        let is_new = |test: &Test| test.last_run >= start;
        let shown = start.is_some()
            && match began {
                // Which tests somebody else's run is about nobody knows, and each
                // page may come from another replica.
                Some(run) if run.tests.is_empty() => false,
                Some(run) => tests
                    .iter()
                    .filter(|test| test.id.is_some_and(|id| run.tests.contains(&id)))
                    .all(is_new),
                None if self.state.seen_running => tests.iter().all(is_new),
                None => tests.iter().any(is_new),
            };
        (sent_at < until && !shown).then_some(until)
    }

    /// Until when a listing may be of a run that somebody started meanwhile, where not every
    /// test shows its start: one was listed as running in the finished batch. That run may be
    /// over by now, and the batch still be read from a replica that lags behind. While it runs
    /// on, `torn` judges.
    pub(super) fn may_be_of_next_run(
        &self,
        tests: &[Test],
        sent_at: Timestamp,
    ) -> Option<Timestamp> {
        let picture = self.reading.picture.as_ref()?;
        let starts = !tests.is_empty() && tests.iter().all(|test| test.last_run.is_some());
        if starts
            || tests.iter().any(is_running)
            || picture.status == Some(BatchStatus::Cancelled)
            || planted::is(Bug::TornAccepted)
        {
            return None;
        }
        let until = self.reading.ran_at?.after(OLD_PICTURE);
        (sent_at < until).then_some(until)
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
        let Reading {
            since, ran_first, ..
        } = &self.reading;
        since.is_some_and(|since| lasted(since, limit))
            && ran_first.is_none_or(|since| lasted(since, READING_AT_LEAST))
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
            .is_some_and(|at| sent_at.since(at) > FRESH);
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

/// Whether a test is listed as one that has not ended. A word that nobody knows may as well
/// be an end.
fn is_running(test: &Test) -> bool {
    test.conflated.as_ref().is_some_and(|status| {
        !status.is_terminal() && !matches!(status, ConflatedStatus::Unknown(_))
    })
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
