//! Lists of batches: what a row shows, and which rows are shown.

use std::{collections::BTreeSet, time::Duration};

use super::words;
use crate::domain::{Batch, ConflatedBatchStatus, ConflatedStatus, Timestamp};

/// How long a batch ran, or has been running: from the start of its latest run
/// (else its launch) to its last change, or to `now` while it runs.
pub fn ran_for(batch: &Batch, now: Timestamp) -> Option<Duration> {
    let start = batch.last_run.or(batch.created)?;
    let end = if batch.is_terminal() {
        batch
            .history
            .iter()
            .filter_map(|change| change.at)
            .max()
            .or(batch.updated)?
    } else {
        now
    };
    Some(end.since(start))
}

/// The parts of a counts bar: tests by status, worst first, zeros left out.
pub fn segments(batch: &Batch) -> Vec<(ConflatedStatus, u64)> {
    super::chips::chips(Some(batch), None)
        .into_iter()
        .filter(|chip| chip.count > 0)
        .map(|chip| (chip.status, chip.count))
        .collect()
}

/// The bar in words: `12 blocker, 251 passed`.
pub fn segments_in_words(segments: &[(ConflatedStatus, u64)]) -> String {
    if segments.is_empty() {
        return "no counts".into();
    }
    segments
        .iter()
        .map(|(status, n)| {
            format!(
                "{} {}",
                words::number(*n),
                words::status_label(status).to_lowercase()
            )
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// Finished tests and all tests.
pub fn progress(batch: &Batch) -> (u64, u64) {
    let summary = batch.summary();
    (summary.total.saturating_sub(summary.running), summary.total)
}

/// Which batches of those that were loaded are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchFilter {
    /// Any of these words; empty: all.
    pub statuses: BTreeSet<ConflatedBatchStatus>,
    /// Every word of this occurs in name, ID or account.
    pub text: String,
}

impl BatchFilter {
    /// Whether the batch is shown.
    pub fn shows(&self, batch: &Batch) -> bool {
        let status_fits = self.statuses.is_empty()
            || batch
                .conflated_or_derived()
                .is_some_and(|it| self.statuses.contains(&it));
        status_fits
            && self
                .text
                .split_whitespace()
                .map(str::to_lowercase)
                .all(|word| {
                    let within = |text: &Option<String>| {
                        text.as_ref()
                            .is_some_and(|text| text.to_lowercase().contains(&word))
                    };
                    within(&batch.name)
                        || within(&batch.account)
                        || within(&batch.user)
                        || within(&batch.metrics_set)
                        || batch.id.to_string().starts_with(&word)
                })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, BatchStatus, StatusChange, StatusCounts};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_finished_batch_stops_counting() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        assert_eq!(ran_for(&batch, at(100)), None);
        batch.created = Some(at(10));
        assert_eq!(ran_for(&batch, at(100)), Some(Duration::from_secs(90)));
        batch.status = Some(BatchStatus::Succeeded);
        batch.history = vec![StatusChange {
            status: BatchStatus::Succeeded,
            at: Some(at(40)),
        }];
        assert_eq!(ran_for(&batch, at(100)), Some(Duration::from_secs(30)));
        batch.last_run = Some(at(30));
        assert_eq!(ran_for(&batch, at(100)), Some(Duration::from_secs(10)));
    }

    #[test]
    fn the_bar_leaves_out_zeros_and_reads_aloud() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status_counts = Some(StatusCounts {
            error: 5,
            succeeded: 1200,
            ..StatusCounts::default()
        });
        assert_eq!(
            segments_in_words(&segments(&batch)),
            "5 error, 1,200 passed"
        );
    }

    #[test]
    fn text_and_status_both_have_to_fit() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.name = Some("Nightly Run".into());
        batch.account = Some("ci-bot".into());
        batch.status = Some(BatchStatus::Error);
        let shows = |text: &str, status: Option<ConflatedBatchStatus>| {
            BatchFilter {
                text: text.into(),
                statuses: status.into_iter().collect(),
            }
            .shows(&batch)
        };
        assert!(shows("", None));
        assert!(shows("nightly CI", Some(ConflatedBatchStatus::Error)));
        assert!(!shows("nightly", Some(ConflatedBatchStatus::Complete)));
        assert!(!shows("weekly", None));
    }
}
