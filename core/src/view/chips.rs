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
    let unknown = tally
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
