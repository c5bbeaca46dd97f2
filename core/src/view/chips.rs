//! The status chips: counts of the whole batch, whatever is filtered.

use super::{Tally, words};
use crate::domain::{Batch, ConflatedStatus};

/// One chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// The status.
    pub status: ConflatedStatus,
    /// Tests of the whole batch that have it.
    pub count: u64,
}

impl Chip {
    /// What the chip says.
    pub fn label(&self) -> &str {
        words::status_label(&self.status)
    }
}

/// The chips, worst first; known words always, others where there are tests.
/// `tally` are the listed tests, if all are listed; before that the batch's own
/// counts stand in.
pub fn chips(batch: Option<&Batch>, tally: Option<&Tally>) -> Vec<Chip> {
    chips_of(batch, tally, tally)
}

/// The same where the batch has moved since its tests were listed: its own counts
/// speak, as they do beside it; only of words that they do not have the listing does.
pub fn chips_ahead(batch: &Batch, tally: &Tally) -> Vec<Chip> {
    let has_counts = batch.status_counts.is_some() && batch.metrics_counts.is_some();
    chips_of(Some(batch), (!has_counts).then_some(tally), Some(tally))
}

fn chips_of(batch: Option<&Batch>, tally: Option<&Tally>, words: Option<&Tally>) -> Vec<Chip> {
    let chip = |status: &ConflatedStatus, count| Chip {
        status: status.clone(),
        count,
    };
    let known = ConflatedStatus::KNOWN.iter().map(|status| {
        let count = match tally {
            Some(tally) => tally.of(status),
            None => batch.map_or(0, |batch| (status.meaning().count)(batch)),
        };
        chip(status, count)
    });
    let unknown = words
        .into_iter()
        .flat_map(Tally::unknown)
        .map(|(word, count)| Chip {
            status: ConflatedStatus::from_word(word),
            count,
        });
    known.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{BatchId, MetricsCounts, StatusCounts, Test, TestId},
        view::TestTable,
    };

    #[test]
    fn a_batch_that_has_moved_on_speaks_for_itself_until_its_tests_are_read() {
        let mut table = TestTable::new();
        for (n, word) in [(1, "RUNNING"), (2, "RUNNING"), (3, "QUARANTINED")] {
            let mut test = Test::new(TestId::from_u128(n), "t");
            test.conflated = Some(ConflatedStatus::from_word(word));
            table.merge([test]);
        }
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status_counts = Some(StatusCounts {
            error: 1,
            succeeded: 2,
            ..StatusCounts::default()
        });
        let of = |chips: &[Chip], word: &str| {
            let status = ConflatedStatus::from_word(word);
            chips
                .iter()
                .find(|it| it.status == status)
                .map(|it| it.count)
        };
        // Without the metrics' counts it cannot say which of them passed.
        let old = chips_ahead(&batch, table.tally());
        assert_eq!((of(&old, "RUNNING"), of(&old, "ERROR")), (Some(2), Some(0)));
        batch.metrics_counts = Some(MetricsCounts::default());
        let new = chips_ahead(&batch, table.tally());
        assert_eq!((of(&new, "RUNNING"), of(&new, "ERROR")), (Some(0), Some(1)));
        assert_eq!(of(&new, "QUARANTINED"), Some(1), "no chip comes and goes");
    }

    #[test]
    fn before_the_tests_are_listed_the_batch_speaks() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status_counts = Some(StatusCounts {
            submitted: 3,
            running: 2,
            metrics_running: 1,
            succeeded: 10,
            error: 4,
            ..StatusCounts::default()
        });
        batch.metrics_counts = Some(MetricsCounts {
            fail_block: 1,
            fail_warn: 2,
            ..MetricsCounts::default()
        });
        let counts: Vec<u64> = chips(Some(&batch), None)
            .iter()
            .map(|chip| chip.count)
            .collect();
        // Blocker, Error, Warning, Running, Queued, Passed, Cancelled
        assert_eq!(counts, [1, 4, 2, 3, 3, 7, 0]);
    }

    #[test]
    fn listed_tests_speak_for_themselves_with_their_odd_words() {
        let mut table = TestTable::new();
        let mut odd = Test::new(TestId::from_u128(1), "x");
        odd.conflated = Some(ConflatedStatus::from_word("QUARANTINED"));
        table.merge([odd]);
        let chips = chips(None, Some(table.tally()));
        assert_eq!(chips.len(), 8);
        assert_eq!((chips[7].label(), chips[7].count), ("QUARANTINED", 1));
    }
}
