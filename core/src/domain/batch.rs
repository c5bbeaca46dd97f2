//! A batch: one launch of many tests.

use serde::Serialize;

use super::{
    BatchId, BatchStatus, BatchType, BranchId, BuildId, ConflatedBatchStatus, ExecutionError,
    MetricStatus, ProjectId, RunCounter, RunnerType, SystemId, TestSuiteId, Timestamp,
};

/// One launch of many tests, as one read of the API shows it (`resim-api.md` §2.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Identity; kept across reruns.
    pub id: BatchId,
    /// Its project, where the answer says so.
    pub project_id: Option<ProjectId>,
    /// Name given at launch or generated; not unique. Hostile text.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Orchestration state. `None`: the answer had none, which is treated as
    /// not finished.
    pub status: Option<BatchStatus>,
    /// The server's one word for state and outcome. `None` on older
    /// deployments; see [`Batch::conflated_or_derived`].
    pub conflated: Option<ConflatedBatchStatus>,
    /// State changes, sorted by time.
    pub history: Vec<StatusChange>,
    /// Number of tests by the server's count.
    pub total_tests: Option<u64>,
    /// Tests by orchestration state.
    pub status_counts: Option<StatusCounts>,
    /// Tests by metrics outcome.
    pub metrics_counts: Option<MetricsCounts>,
    /// Roll-up of the tests' metrics.
    pub tests_metrics: Option<MetricStatus>,
    /// Outcome of the batch-metrics stage.
    pub batch_metrics: Option<MetricStatus>,
    /// Errors of the batch itself.
    pub errors: Vec<ExecutionError>,
    /// Share of tests, 0 to 100, that may error while the batch still succeeds.
    pub allowable_failure_percent: Option<i64>,
    /// How it was launched.
    pub batch_type: Option<BatchType>,
    /// Where its tests run.
    pub runner_type: Option<RunnerType>,
    /// Which run of the batch this picture shows.
    pub run_counter: Option<RunCounter>,
    /// The system under test.
    pub system_id: Option<SystemId>,
    /// Branch of the build.
    pub branch_id: Option<BranchId>,
    /// The build under test.
    pub build_id: Option<BuildId>,
    /// The suite that it was launched from.
    pub suite_id: Option<TestSuiteId>,
    /// The suite's revision at launch.
    pub suite_revision: Option<i64>,
    /// Launched without a saved suite, so that there is nothing to sync with.
    pub adhoc_suite: bool,
    /// Metrics set by name.
    pub metrics_set: Option<String>,
    /// The CI user who launched it.
    pub account: Option<String>,
    /// The user who launched it.
    pub user: Option<String>,
    /// When it was launched.
    pub created: Option<Timestamp>,
    /// When anything about it last changed.
    pub updated: Option<Timestamp>,
    /// When its latest run started.
    pub last_run: Option<Timestamp>,
}

/// One change of a batch's orchestration state.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChange {
    /// The state from then on.
    pub status: BatchStatus,
    /// When.
    pub at: Option<Timestamp>,
}

/// Number of tests in each orchestration state (`jobStatusCounts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are the API's words, documented in `TestStatus`"
)]
pub struct StatusCounts {
    pub submitted: u64,
    pub running: u64,
    pub metrics_queued: u64,
    pub metrics_running: u64,
    pub succeeded: u64,
    pub error: u64,
    pub cancelled: u64,
}

/// Number of tests with each metrics outcome (`jobMetricsStatusCounts`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are the API's words, documented in `MetricStatus`"
)]
pub struct MetricsCounts {
    pub passed: u64,
    pub fail_warn: u64,
    pub fail_block: u64,
    pub raw: u64,
    pub not_applicable: u64,
    pub no_status_reported: u64,
}

/// The numbers of a batch as the CLI sums them up (`resim-api.md` §3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SummaryCounts {
    /// All tests.
    pub total: u64,
    /// Succeeded without a blocking or warning metric, never below zero.
    pub passed: u64,
    /// Tests with a blocking metric.
    pub blocking: u64,
    /// Tests with a warning metric.
    pub warning: u64,
    /// Tests that broke.
    pub erroring: u64,
    /// Tests that wait or run.
    pub running: u64,
    /// Cancelled tests.
    pub cancelled: u64,
}

impl Batch {
    /// A batch of which nothing but the identity is known.
    pub fn new(id: BatchId) -> Self {
        Self {
            id,
            project_id: None,
            name: None,
            description: None,
            status: None,
            conflated: None,
            history: Vec::new(),
            total_tests: None,
            status_counts: None,
            metrics_counts: None,
            tests_metrics: None,
            batch_metrics: None,
            errors: Vec::new(),
            allowable_failure_percent: None,
            batch_type: None,
            runner_type: None,
            run_counter: None,
            system_id: None,
            branch_id: None,
            build_id: None,
            suite_id: None,
            suite_revision: None,
            adhoc_suite: false,
            metrics_set: None,
            account: None,
            user: None,
            created: None,
            updated: None,
            last_run: None,
        }
    }

    /// Whether the batch has finished, by its `status` alone, as the CLI decides it.
    pub fn is_terminal(&self) -> bool {
        self.status.as_ref().is_some_and(BatchStatus::is_terminal)
    }

    /// Whether this picture is of a later run than an earlier one, by what both of them
    /// tell: the run counter, or the start of the latest run. What tells neither says no.
    pub fn ran_again_since(&self, earlier: &Self) -> bool {
        match earlier.run_counter.zip(self.run_counter) {
            Some((then, now)) => now > then,
            None => earlier
                .last_run
                .zip(self.last_run)
                .is_some_and(|(then, now)| now > then),
        }
    }

    /// The server's conflated word, or the rule of `resim-api.md` §3.5 where
    /// the deployment sends none. For display; the verdict uses the server's
    /// word only, as the CLI does.
    pub fn conflated_or_derived(&self) -> Option<ConflatedBatchStatus> {
        self.conflated.clone().or_else(|| {
            self.status.as_ref().map(|status| {
                ConflatedBatchStatus::derive(
                    status,
                    self.batch_metrics.as_ref(),
                    self.tests_metrics.as_ref(),
                )
            })
        })
    }

    /// The CLI's summary numbers; missing counts are zeros, and `passed` is
    /// clamped at zero because the server may count metrics of failed tests.
    pub fn summary(&self) -> SummaryCounts {
        let status = self.status_counts.unwrap_or_default();
        let metrics = self.metrics_counts.unwrap_or_default();
        SummaryCounts {
            total: self.total_tests.unwrap_or(0),
            passed: status
                .succeeded
                .saturating_sub(metrics.fail_block.saturating_add(metrics.fail_warn)),
            blocking: metrics.fail_block,
            warning: metrics.fail_warn,
            erroring: status.error,
            running: [
                status.submitted,
                status.running,
                status.metrics_queued,
                status.metrics_running,
            ]
            .into_iter()
            .fold(0, u64::saturating_add),
            cancelled: status.cancelled,
        }
    }

    /// Tests that wait to run, by the batch's own counts.
    pub fn submitted(&self) -> u64 {
        self.status_counts.map_or(0, |counts| counts.submitted)
    }

    /// What to call the batch on screen: its name, else the ID.
    pub fn display_name(&self) -> String {
        match self.name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => self.id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_run_is_told_by_a_mark_that_both_pictures_have() {
        let picture = |run: Option<i64>, start: Option<i64>| {
            let mut batch = Batch::new(BatchId::from_u128(1));
            batch.run_counter = run.map(RunCounter);
            batch.last_run = start.map(Timestamp::from_millis);
            batch
        };
        for (then, now, again) in [
            ((Some(1), None), (Some(2), None), true),
            ((Some(1), None), (Some(1), None), false),
            ((Some(2), None), (Some(1), None), false),
            // The counter is the word where there is one.
            ((Some(1), Some(5)), (Some(1), Some(6)), false),
            ((None, Some(5)), (None, Some(6)), true),
            ((None, Some(5)), (Some(2), Some(5)), false),
            ((Some(1), Some(5)), (None, Some(6)), true),
            ((None, None), (Some(2), Some(6)), false),
            ((Some(1), Some(5)), (None, None), false),
        ] {
            let (earlier, later) = (picture(then.0, then.1), picture(now.0, now.1));
            assert_eq!(later.ran_again_since(&earlier), again, "{then:?} {now:?}");
        }
    }

    #[test]
    fn passed_never_goes_below_zero() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status_counts = Some(StatusCounts {
            succeeded: 2,
            ..StatusCounts::default()
        });
        batch.metrics_counts = Some(MetricsCounts {
            fail_block: 2,
            fail_warn: 1,
            ..MetricsCounts::default()
        });
        assert_eq!(batch.summary().passed, 0);
    }

    #[test]
    fn running_adds_the_four_unfinished_states() {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status_counts = Some(StatusCounts {
            submitted: 1,
            running: 2,
            metrics_queued: 4,
            metrics_running: 8,
            ..StatusCounts::default()
        });
        assert_eq!(batch.summary().running, 15);
    }

    #[test]
    fn a_batch_without_a_status_has_not_finished() {
        assert!(!Batch::new(BatchId::from_u128(1)).is_terminal());
    }
}
