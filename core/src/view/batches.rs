//! Lists of batches: what a row shows, and which rows are shown.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Chip, Tally,
    query::{escape, pairs},
    words,
};
use crate::domain::{Batch, ConflatedBatchStatus, ConflatedStatus, Means, Timestamp};

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

/// When the latest run began, if that was not the first: a list that is ordered
/// by launch shows it beside the launch. Told by the history, since nobody knows
/// whether ReSim counts runs from 0 or from 1 (`resim-api.md` §5); by a counter
/// above 1 where there is no history.
pub fn reran_at(batch: &Batch) -> Option<Timestamp> {
    let start = batch.last_run?;
    let ended_before = batch
        .history
        .iter()
        .any(|change| change.status.is_terminal() && change.at.is_some_and(|at| at <= start));
    let is_later_run = batch.run_counter.is_some_and(|run| run.0 > 1);
    (ended_before || is_later_run).then_some(start)
}

/// The parts of a counts bar: tests by status, worst first, zeros left out.
pub fn segments(batch: &Batch) -> Vec<(ConflatedStatus, u64)> {
    segments_of(super::chips::chips(Some(batch), None))
}

/// The same from chips that are at hand.
pub fn segments_of(chips: Vec<Chip>) -> Vec<(ConflatedStatus, u64)> {
    chips
        .into_iter()
        .filter(|chip| chip.count > 0)
        .map(|chip| (chip.status, chip.count))
        .collect()
}

/// The figures beside the bar: tests that fail, by word, and those that passed, worst
/// first, zeros left out.
pub fn figures(batch: &Batch) -> Vec<(ConflatedStatus, u64)> {
    let is_figure = |status: &ConflatedStatus| match status.meaning().means {
        Means::Fails(_) | Means::Passes => true,
        Means::Open | Means::Cancelled => false,
    };
    let mut figures = segments(batch);
    figures.retain(|(status, _)| is_figure(status));
    figures
}

/// How many tests of a batch fail, by its own counts.
pub fn failing(batch: &Batch) -> u64 {
    let counts = ConflatedStatus::failing().map(|status| (status.meaning().count)(batch));
    counts.fold(0, u64::saturating_add)
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

/// Finished tests and all tests. `tally` are the listed tests, if all are
/// listed: they speak where the batch itself carries no counts.
pub fn progress(batch: &Batch, tally: Option<&Tally>) -> Option<(u64, u64)> {
    if let (None, None, Some(tally)) = (batch.total_tests, batch.status_counts, tally) {
        let running: u64 = ConflatedStatus::KNOWN
            .iter()
            .filter(|status| !status.is_terminal())
            .map(|status| tally.of(status))
            .chain(tally.unknown().map(|(_, n)| n))
            .sum();
        return Some((tally.total().saturating_sub(running), tally.total()));
    }
    let summary = batch.summary();
    let total = batch.total_tests?;
    batch.status_counts?;
    Some((total.saturating_sub(summary.running), total))
}

/// A chip above a list of batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchChip {
    /// The batch's one word.
    pub status: ConflatedBatchStatus,
    /// Loaded batches that have it; `None` while nothing is read.
    pub count: Option<u64>,
}

/// The chips of the loaded batches: known words always, others where they occur.
pub fn chips(loaded: &[Batch], is_read: bool) -> Vec<BatchChip> {
    let words: Vec<ConflatedBatchStatus> = loaded
        .iter()
        .filter_map(Batch::conflated_or_derived)
        .collect();
    let odd: BTreeSet<&ConflatedBatchStatus> = words
        .iter()
        .filter(|it| !ConflatedBatchStatus::KNOWN.contains(it))
        .collect();
    ConflatedBatchStatus::KNOWN
        .iter()
        .chain(odd)
        .map(|status| BatchChip {
            status: status.clone(),
            count: is_read.then(|| words.iter().filter(|it| *it == status).count() as u64),
        })
        .collect()
}

/// Which batches of those that were loaded are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchFilter {
    /// Any of these words; empty: all.
    pub statuses: BTreeSet<ConflatedBatchStatus>,
    /// Every word of this occurs in what a row shows, or begins the ID.
    pub text: String,
}

impl BatchFilter {
    /// Reads the query string of the list's address; what cannot be understood
    /// is left out.
    pub fn parse(query: &str) -> Self {
        let mut it = Self::default();
        for (name, value) in pairs(query) {
            match name.as_str() {
                "status" => {
                    it.statuses = value
                        .split(',')
                        .filter(|word| !word.is_empty())
                        .map(|word| ConflatedBatchStatus::from_word(&word.to_uppercase()))
                        .collect();
                }
                "q" => it.text = value.chars().take(200).collect(),
                _ => {}
            }
        }
        it
    }

    /// The query string, with its `?`; empty where everything is shown.
    pub fn to_query(&self) -> String {
        let mut parts = Vec::new();
        if !self.statuses.is_empty() {
            let words: Vec<String> = self.statuses.iter().map(|it| escape(it.word())).collect();
            parts.push(format!("status={}", words.join(",")));
        }
        if !self.text.is_empty() {
            parts.push(format!("q={}", escape(&self.text)));
        }
        if parts.is_empty() {
            String::new()
        } else {
            format!("?{}", parts.join("&"))
        }
    }

    /// Whether the batch is shown. `names`: what its row shows of branch, build
    /// and suite, as far as they are known.
    pub fn shows(&self, batch: &Batch, names: &[Option<String>]) -> bool {
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
                        || names.iter().any(within)
                        || batch.id.to_string().starts_with(&word)
                })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BatchId, BatchStatus, MetricsCounts, RunCounter, StatusChange, StatusCounts,
    };

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
    fn every_word_that_fails_is_a_figure_and_is_counted() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        assert_eq!((figures(&batch), failing(&batch)), (Vec::new(), 0));
        batch.total_tests = Some(100);
        batch.status_counts = Some(StatusCounts {
            succeeded: 60,
            error: 4,
            running: 20,
            cancelled: 16,
            ..StatusCounts::default()
        });
        batch.metrics_counts = Some(MetricsCounts {
            fail_block: 1,
            fail_warn: 2,
            ..MetricsCounts::default()
        });
        let wanted: Vec<_> = ConflatedStatus::failing()
            .chain([&ConflatedStatus::Passed])
            .map(|status| (status.clone(), (status.meaning().count)(&batch)))
            .collect();
        assert_eq!(figures(&batch), wanted);
        let counts: Vec<u64> = wanted.iter().map(|(_, n)| *n).collect();
        assert_eq!(counts, [1, 4, 2, 57]);
        assert_eq!(failing(&batch), 7);
    }

    #[test]
    fn a_batch_without_counts_is_counted_by_its_tests() {
        use crate::{domain::Test, domain::TestId, view::TestTable};
        let batch = Batch::new(BatchId::from_u128(1));
        assert_eq!(progress(&batch, None), None);
        let mut table = TestTable::new();
        let mut tests: Vec<Test> = (1..=3)
            .map(|n| Test::new(TestId::from_u128(n), "x"))
            .collect();
        tests[0].conflated = Some(ConflatedStatus::Running);
        tests[1].conflated = Some(ConflatedStatus::Passed);
        tests[2].conflated = Some(ConflatedStatus::Error);
        table.merge(tests);
        assert_eq!(progress(&batch, Some(table.tally())), Some((2, 3)));
    }

    #[test]
    fn a_first_run_is_no_rerun_whenever_it_began() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.created = Some(at(0));
        batch.last_run = Some(at(60));
        assert_eq!(reran_at(&batch), None, "runs are not counted");
        batch.run_counter = Some(RunCounter(1));
        assert_eq!(reran_at(&batch), None);
        batch.run_counter = Some(RunCounter(2));
        assert_eq!(reran_at(&batch), Some(at(60)));
        batch.run_counter = Some(RunCounter(1));
        batch.history = vec![StatusChange {
            status: BatchStatus::Error,
            at: Some(at(50)),
        }];
        assert_eq!(reran_at(&batch), Some(at(60)), "it had ended before");
    }

    #[test]
    fn chips_count_what_is_loaded_and_show_unknown_words() {
        let mut odd = Batch::new(BatchId::from_u128(1));
        odd.conflated = Some(ConflatedBatchStatus::from_word("SHINY"));
        let chips_now = chips(&[odd], true);
        assert_eq!(chips_now.len(), 8);
        assert_eq!(chips_now[7].status.word(), "SHINY");
        assert_eq!(chips_now[7].count, Some(1));
        assert_eq!(chips(&[], false)[0].count, None);
    }

    #[test]
    fn the_filter_comes_back_from_the_address() {
        let filter = BatchFilter {
            statuses: [ConflatedBatchStatus::Error, ConflatedBatchStatus::Blocker].into(),
            text: "nightly & é".into(),
        };
        let query = filter.to_query();
        assert_eq!(BatchFilter::parse(&query), filter, "{query}");
        assert_eq!(BatchFilter::default().to_query(), "");
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
            .shows(&batch, &[Some("release/2.14".into()), None])
        };
        assert!(shows("", None));
        assert!(shows("nightly CI", Some(ConflatedBatchStatus::Error)));
        assert!(!shows("nightly", Some(ConflatedBatchStatus::Complete)));
        assert!(shows("release nightly", None), "what its row shows");
        assert!(!shows("weekly", None));
    }

    #[test]
    fn where_the_batch_counts_nothing_the_listed_tests_tell_how_far_it_is() {
        let batch = Batch::new(crate::domain::BatchId::from_u128(1));
        assert_eq!(progress(&batch, None), None, "nobody knows");
        let mut counted = batch;
        counted.total_tests = Some(4);
        assert_eq!(
            progress(&counted, None),
            None,
            "how many are done is not said"
        );
        counted.status_counts = Some(crate::domain::StatusCounts {
            running: 1,
            succeeded: 3,
            ..crate::domain::StatusCounts::default()
        });
        assert_eq!(progress(&counted, None), Some((3, 4)));
    }

    #[test]
    fn a_bar_without_counts_says_so() {
        assert_eq!(segments_in_words(&[]), "no counts");
    }
}
