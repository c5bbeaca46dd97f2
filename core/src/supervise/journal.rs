//! What is written down: one record per decision, in order.
//!
//! The decision log that a person reads and the state that a reload restores
//! are the same records: `State` is the fold of its events, live and replayed
//! alike (`design.md` §3, rule 10).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BatchRef, Policy, TestFigures, Verdict, WhyNot};
use crate::{
    api::ApiError,
    domain::{BatchId, BatchStatus, ConflatedBatchStatus, RunCounter, Timestamp},
    rerun::{Intent, Limits, SubmissionNote, last_change},
};

/// Version of the form in which records are stored. It rises whenever an [`Event`] or
/// what it carries gets a new name that an older build could not read: that build then
/// says that a newer one wrote the journal, and not that it is damaged. `core/tests/stored`
/// keeps what each form writes.
pub const STORED_FORM: u32 = 3;

/// One event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Place in the journal, from 0 without gaps.
    pub seq: u32,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// Reads records from their stored text, each with the place that it was stored
/// at. Ends at the first that is missing, out of place or not a record, and
/// names that place: what follows may have been the intent of a rerun, so
/// nobody may act on the part before it, but it can be shown.
pub fn read_records<'a>(
    lines: impl IntoIterator<Item = (u32, &'a str)>,
) -> (Vec<Record>, Option<u32>) {
    let mut records: Vec<Record> = Vec::new();
    for (place, line) in lines {
        let expected = u32::try_from(records.len()).unwrap_or(u32::MAX);
        match serde_json::from_str::<Record>(line) {
            Ok(record) if place == expected && record.seq == expected => records.push(record),
            _ => return (records, Some(expected)),
        }
    }
    (records, None)
}

/// Why a supervision does nothing for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PauseReason {
    /// The person paused it.
    ByPerson,
    /// The sign-in expired; goes on by itself after the next sign-in.
    SignedOut,
    /// Another tab of this browser acts on the batch. Only in journals of older builds: by
    /// now the [`Seat`](super::Seat) says it, and nothing is paused for that.
    OtherTab,
    /// The browser refuses to store the intent of a rerun, and nothing is sent
    /// without. Carries the browser's words.
    StorageRefused(String),
}

/// Something that changes a supervision's state or explains it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A person started it.
    Started {
        /// The parameters.
        policy: Policy,
        /// The bounds of a rerun POST, and of a page.
        limits: Limits,
        /// The batch, by ID or by name.
        batch: BatchRef,
    },
    /// The batch is known by its ID from here on.
    Pinned {
        /// The batch.
        batch: BatchId,
        /// Its name.
        name: Option<String>,
    },
    /// The batch was read and had not finished. Written when the picture
    /// changed, and once a minute as a sign of life (`is_written_over`).
    Polled(Seen),
    /// A read failed; the first of a row.
    ReadFailed {
        /// Why.
        error: ApiError,
        /// When the next is due.
        retry_at: Timestamp,
    },
    /// Reads work again.
    ReadRecovered {
        /// Reads that had failed in a row.
        failures: u32,
    },
    /// A read showed an older run than the one waited for; it was set aside.
    StaleRead {
        /// The run that it showed.
        run: Option<RunCounter>,
        /// The run waited for.
        awaited: Option<RunCounter>,
    },
    /// The batch has finished, but a POST of ours whose answer was lost may still be
    /// applied: nothing is concluded and nothing sent before.
    StillUnderWay {
        /// Until when.
        until: Timestamp,
    },
    /// Somebody else ran the batch again; from here that run is waited for.
    Adopted {
        /// Their run.
        run: RunCounter,
    },
    /// The batch has finished, and that is believed.
    Finished {
        /// The picture.
        seen: Seen,
        /// Believed although nothing proves that this is the new run: the API
        /// sends neither counter nor times.
        unproven: bool,
    },
    /// The pages did not add up to one picture.
    Torn {
        /// What did not fit.
        why: String,
        /// Which try this was, from 1; 0: it did fit, but is too early to be believed.
        tries: u8,
    },
    /// All tests are listed; the batch is read once more before the decision.
    Listed {
        /// Tests listed.
        listed: u64,
        /// The batch's own count, if it differs.
        batch_says: Option<u64>,
    },
    /// The tests that did not pass are listed, and the counts agree that the rest passed;
    /// the batch is read once more before the decision.
    ListedNotPassed {
        /// Tests listed.
        listed: u64,
        /// Tests that passed, as the API counts them.
        passed: u64,
    },
    /// Those that did not pass gave no whole picture: all tests are listed.
    ListsAll {
        /// What did not agree.
        why: String,
    },
    /// What was read so far is put aside, since the batch may have moved on meanwhile: it is
    /// polled again.
    Reopened,
    /// The decision.
    Decided {
        /// The numbers.
        figures: TestFigures,
        /// Reruns already made.
        attempt: u32,
        /// Why nothing is run again; `None`: `figures.failing` tests are.
        why_not: Option<WhyNot>,
    },
    /// A rerun is about to be sent.
    Intent(Box<Intent>),
    /// What became of it.
    Rerun(SubmissionNote),
    /// Does nothing for now.
    Paused(PauseReason),
    /// Goes on.
    Resumed {
        /// How long it was paused; not counted as waiting.
        paused: Duration,
    },
    /// Taken up again after the page was closed or reloaded.
    Restored {
        /// Which life this is; earlier ones may no longer act.
        epoch: u64,
        /// Time since the last record.
        away: Duration,
    },
    /// The computer slept, the tab was frozen, or the clock was set.
    ClockJumped {
        /// Milliseconds by which the wall clock moved more than was waited.
        shift_ms: i64,
    },
    /// The conclusion.
    Ended(Box<Verdict>),
    /// A person ended it before a conclusion.
    Stopped,
}

/// What one read of the batch showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Orchestration status.
    pub status: Option<BatchStatus>,
    /// The server's one word.
    pub word: Option<ConflatedBatchStatus>,
    /// Which run.
    pub run: Option<RunCounter>,
    /// When the latest run started.
    pub last_run: Option<Timestamp>,
    /// When its status last changed.
    #[serde(default)]
    pub last_change: Option<Timestamp>,
    /// Tests that wait or run.
    pub unfinished: u64,
    /// All tests.
    pub total: u64,
}

impl Seen {
    /// What this read shows.
    pub fn of(batch: &crate::domain::Batch) -> Self {
        let summary = batch.summary();
        Self {
            status: batch.status.clone(),
            word: batch.conflated.clone(),
            run: batch.run_counter,
            last_run: batch.last_run,
            last_change: last_change(batch),
            unfinished: summary.running,
            total: summary.total,
        }
    }

    /// Whether it shows the same, but for fewer than a hundredth of the tests that have
    /// finished meanwhile.
    fn is_nearly(&self, other: &Self) -> bool {
        let moved = self.unfinished.abs_diff(other.unfinished);
        let unfinished = self.unfinished;
        let other = Self {
            unfinished,
            ..other.clone()
        };
        *self == other && (moved == 0 || moved.saturating_mul(100) < self.total)
    }
}

/// Whether a sign of life is written over the last of these records, and not after it. It is,
/// if the one before shows the same: a replay without the last comes to the same state, and
/// nobody misses it. So a journal does not grow while nothing happens, for days if it must.
pub(super) fn is_written_over(records: &[Record], now: Timestamp) -> bool {
    let [.., before, last] = records else {
        return false;
    };
    let (Event::Polled(first), Event::Polled(second)) = (&before.event, &last.event) else {
        return false;
    };
    // What a clock that goes back bounds is told by each record.
    before.at <= last.at && last.at <= now && first.is_nearly(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<String> {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let events = [Event::Reopened, Event::Stopped, Event::Reopened];
        let record = |(seq, event)| Record { seq, at, event };
        (0..)
            .zip(events)
            .map(record)
            .map(|it| serde_json::to_string(&it).expect("plain data serialises"))
            .collect()
    }

    fn read(lines: &[(u32, &str)]) -> (usize, Option<u32>) {
        let (records, damage) = read_records(lines.iter().copied());
        (records.len(), damage)
    }

    #[test]
    fn a_whole_journal_is_read_to_its_end() {
        let lines = lines();
        let [a, b, c] = [&*lines[0], &*lines[1], &*lines[2]];
        assert_eq!(read(&[]), (0, None));
        assert_eq!(read(&[(0, a), (1, b), (2, c)]), (3, None));
    }

    #[test]
    fn damage_is_named_by_its_place_and_what_precedes_it_is_kept() {
        let lines = lines();
        let [a, b, c] = [&*lines[0], &*lines[1], &*lines[2]];
        let torn = &b[..b.len() / 2];
        for (stored, expected) in [
            (vec![(0, a), (2, c)], (1, Some(1))),
            (vec![(1, b), (2, c)], (0, Some(0))),
            (vec![(0, a), (1, torn), (2, c)], (1, Some(1))),
            (vec![(0, a), (1, ""), (2, c)], (1, Some(1))),
            (vec![(0, a), (1, c)], (1, Some(1))),
            (
                vec![(0, a), (1, r#"{"seq":1,"at":0,"event":"Unheard"}"#)],
                (1, Some(1)),
            ),
        ] {
            assert_eq!(read(&stored), expected, "{stored:?}");
        }
    }

    /// The journal after these looks, each a minute after the one before, by what they show
    /// unfinished of a thousand tests.
    fn looks(unfinished: &[u64]) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        for (at, unfinished) in (0..).step_by(60_000).zip(unfinished) {
            let at = Timestamp::from_millis(at);
            let seen = Seen {
                status: Some(BatchStatus::ExperiencesRunning),
                word: None,
                run: None,
                last_run: None,
                last_change: None,
                unfinished: *unfinished,
                total: 1_000,
            };
            if is_written_over(&records, at) {
                records.pop();
            }
            let seq = u32::try_from(records.len()).expect("few");
            let event = Event::Polled(seen);
            records.push(Record { seq, at, event });
        }
        records
    }

    #[test]
    fn signs_of_life_are_written_over_while_nothing_happens() {
        let day = looks(&[500; 1_440]);
        assert_eq!(day.len(), 2);
        assert_eq!(day[0].at, Timestamp::from_millis(0));
        assert_eq!(day[1].at, Timestamp::from_millis(1_439 * 60_000));
    }

    #[test]
    fn progress_by_a_hundredth_keeps_its_line() {
        let unfinished = |looked: &[u64]| -> Vec<u64> {
            let of = |record: Record| match record.event {
                Event::Polled(seen) => seen.unfinished,
                _ => unreachable!("looks alone"),
            };
            looks(looked).into_iter().map(of).collect()
        };
        assert_eq!(unfinished(&[500, 499, 495, 491]), [500, 491]);
        assert_eq!(unfinished(&[500, 490, 490, 489, 481]), [500, 490, 481]);
        assert_eq!(unfinished(&[500, 495, 490, 485, 480]), [500, 490, 480]);
        let all: Vec<u64> = (0..=1_000).rev().collect();
        assert!(unfinished(&all).len() <= 103, "however long it takes");
    }

    #[test]
    fn what_another_record_would_miss_is_not_written_over() {
        let later = Timestamp::from_millis(120_000);
        let records = looks(&[500, 500]);
        assert!(is_written_over(&records, later));
        assert!(!is_written_over(&records[..1], later), "the first sight");
        let earlier = Timestamp::from_millis(0);
        assert!(!is_written_over(&records, earlier), "a clock went back");
        let mut news = records.clone();
        if let Event::Polled(seen) = &mut news[1].event {
            seen.last_change = Some(later);
        }
        assert!(!is_written_over(&news, later), "something changed");
        news[1].event = Event::ReadRecovered { failures: 1 };
        assert!(!is_written_over(&news, later), "another event");
    }
}
