//! Which listings are believed: none that is torn, none that may be of another run than the
//! one that the batch shows.
//!
//! Pages are no snapshot (`resim-api.md` §4), and each may come from a replica that lags by
//! nearly a minute; so may the batch. What contradicts itself is told at once. What does not,
//! because both are of a run that is over, or the tests are of one that has just begun, is told
//! by the starts of the tests, where they are sent, and otherwise by time: after a minute no
//! replica hides a run any more.
//!
//! Elsewhere: which reads of the batch are believed (`belief`), what is done with a listing
//! (`reading`).

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Event, Now, Record, Supervisor, not_passed};
use crate::{
    domain::{
        BatchStatus, ConflatedStatus, Test, TestId, Timestamp,
        words::{number, tests_do},
    },
    planted::{self, Bug},
    rerun::{Fence, REPLICA_LAG},
};

/// Why a listing is torn that shows a test running. A journal is known by this text and the
/// next: a text that takes its place is one more to be known ([`Sights::taken_up`]).
const RUNS: &str = "the batch has finished, but a listed test has not";
/// Why a listing is waited with.
pub(super) const STILL_RUNS: &str =
    "a listed test still runs, and may be of a run that the batch does not show yet";
pub(super) const OF_RUN_BEFORE: &str = "the tests may still be those of the run before";
pub(super) const OF_NEXT_RUN: &str =
    "a test was just listed as running, so these may be of a run that the batch does not show yet";

/// What the listings of a finished batch have shown so far.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Sights {
    /// Tests that were listed with a later start than the batch's.
    ahead: Option<Ahead>,
    /// Since when each listing has shown some test running.
    runs_since: Option<Timestamp>,
    /// When a listing first showed a test running, in this run.
    pub(super) ran_first: Option<Timestamp>,
    /// When a listing last showed a test running, in any run.
    ran_at: Option<Timestamp>,
    /// Since when each listing has been the same, and has shown some test running.
    stays_since: Option<Timestamp>,
    /// Since when each listing has been the same, and otherwise than the batch counts.
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

impl Sights {
    /// What a life that takes up the journal knows of the listings of the one before: by the
    /// words of their lines, so that what another build worded otherwise is not known.
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

    /// Notes whether a whole listing shows a test running. As of now: its last page may be
    /// much younger than the question.
    pub(super) fn note_running(&mut self, tests: &[Test], now: Timestamp) {
        if tests.iter().any(is_running) {
            self.runs_since.get_or_insert(now);
            self.ran_first.get_or_insert(now);
            self.ran_at = Some(now);
        } else {
            self.runs_since = None;
        }
    }

    /// What was seen running says nothing of another run.
    pub(super) fn forget_run(&mut self) {
        self.runs_since = None;
        self.ran_first = None;
    }

    /// Moves its times, after the clock was found to have jumped.
    pub(super) fn shift(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        for time in [
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
}

impl Supervisor {
    /// What does not fit, if anything. A count that disagrees, a test that is
    /// listed twice, or one without an ID, which may be another one listed twice, is
    /// accepted when two listings in a row are the same: then that is how the API
    /// lists this batch. Each test counts once. A test that runs in a finished batch is an
    /// old picture (the simulation found that a lagging replica hides failures so), or of a
    /// run that begins (seed 17222432); it is accepted when each listing shows one for longer
    /// than a replica can lag.
    pub(super) fn torn(&self, tests: &[Test], sent_at: Timestamp) -> Option<String> {
        if planted::is(Bug::TornAccepted) {
            return None;
        }
        let picture = self.reading.picture.as_ref();
        let finished = picture.is_some_and(|it| it.status != Some(BatchStatus::Cancelled));
        // By when it was sent: the page may have slept before it was taken in.
        let runs = |since| sent_at.since(since) < REPLICA_LAG;
        if finished && self.reading.sights.runs_since.is_some_and(runs) {
            return Some(RUNS.to_owned());
        }
        let unnamed = tests.iter().any(|test| test.id.is_none());
        let total = picture.and_then(|batch| batch.total_tests);
        let why = match (twice_in(tests), total) {
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
    pub(super) fn counted_otherwise(
        &mut self,
        tests: &[Test],
        sent_at: Timestamp,
        now: Now,
    ) -> Option<String> {
        if tests.iter().any(|test| test.last_run.is_some()) || planted::is(Bug::TornAccepted) {
            return None;
        }
        let why = not_passed::miscounts(tests, self.reading.picture.as_deref()?);
        let before = self.reading.sights.miscounted_since.take();
        let why = why?;
        let since = self.same_since(before, tests, now);
        self.reading.sights.miscounted_since = Some(since);
        (sent_at.since(since) < REPLICA_LAG).then_some(why)
    }

    /// Until when a listing with a test that runs is not decided on: it may be one of the next
    /// run, which a replica still hides. A minute after it the batch shows that run, and
    /// another listing has to be the same. Where no mark tells, a look is believed only right
    /// after the listing.
    pub(super) fn may_run_again(
        &mut self,
        tests: &[Test],
        sent_at: Timestamp,
        now: Now,
    ) -> Option<Timestamp> {
        let before = self.reading.sights.stays_since.take();
        let picture = self.reading.picture.as_deref()?;
        if picture.status == Some(BatchStatus::Cancelled)
            || Fence::at(picture).is_blind()
            || !tests.iter().any(is_running)
            || planted::is(Bug::TornAccepted)
        {
            return None;
        }
        let since = self.same_since(before, tests, now);
        self.reading.sights.stays_since = Some(since);
        let until = since.after(REPLICA_LAG);
        (sent_at < until).then_some(until)
    }

    /// Since when each listing was as this one: since `before`, or it is the first.
    fn same_since(&self, before: Option<Timestamp>, tests: &[Test], now: Now) -> Timestamp {
        before
            .filter(|_| self.is_listed_again(tests))
            .unwrap_or(now.wall)
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
        let before = self.reading.sights.ahead.take();
        let before = before.filter(|before| before.of == of && newest <= before.newest);
        let ahead = self.reading.sights.ahead.insert(before.unwrap_or(Ahead {
            of,
            newest,
            since: now.wall,
        }));
        sent_at.since(ahead.since) < REPLICA_LAG || planted::is(Bug::LateStartsDoubted)
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
        let until = since.after(REPLICA_LAG);
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
        let until = self.reading.sights.ran_at?.after(REPLICA_LAG);
        (sent_at < until).then_some(until)
    }
}

/// The first test that is listed twice, if any is.
pub(super) fn twice_in(tests: &[Test]) -> Option<TestId> {
    let mut seen = BTreeSet::new();
    let mut ids = tests.iter().filter_map(|test| test.id);
    ids.find(|id| !seen.insert(*id))
}

/// Whether a test is listed as one that has not ended. A word that nobody knows may as well
/// be an end.
fn is_running(test: &Test) -> bool {
    test.conflated.as_ref().is_some_and(|status| {
        !status.is_terminal() && !matches!(status, ConflatedStatus::Unknown(_))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_tells_in_its_own_words_when_a_test_was_last_seen_running() {
        let at = Timestamp::from_millis;
        let torn = |seq: u32, why: &str| -> Record {
            let ms = i64::from(seq) * 1_000;
            let text = format!(
                r#"{{"seq":{seq},"at":{ms},"event":{{"Torn":{{"why":"{why}","tries":1}}}}}}"#
            );
            serde_json::from_str(&text).expect("as it was stored")
        };
        let ran_at = |records: &[Record]| Sights::taken_up(records, at(9_000)).ran_at;
        // The texts of journals that are kept in browsers: they never change.
        for why in [
            "the batch has finished, but a listed test has not",
            "a listed test still runs, and may be of a run that the batch does not show yet",
        ] {
            let records = [torn(1, why), torn(2, why), torn(3, "another reason")];
            assert_eq!(ran_at(&records), Some(at(2_000)), "{why}");
        }
        assert_eq!(ran_at(&[torn(1, "another reason")]), None);
        assert_eq!(ran_at(&[]), None);
    }
}
