//! The JSON of the API, exactly (`resim-api.md` §2.2), and nothing more.
//!
//! Every field is optional here, also those that the description requires:
//! deployments differ, and a page must not fail over a field that it does not
//! show. Unknown fields are ignored; enum words are plain strings. What it
//! means is decided in `convert`.

use serde::{Deserialize, Serialize};

macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident : $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub(super) struct $name { $($(#[$attr])* pub(super) $field: Option<$type>,)* }
    )*};
}

wire! {
    Batch {
        #[serde(rename = "batchID")] batch_id: String,
        #[serde(rename = "projectID")] project_id: String,
        friendly_name: String,
        description: String,
        status: String,
        conflated_status: String,
        status_history: Vec<StatusChange>,
        total_jobs: i64,
        job_status_counts: StatusCounts,
        job_metrics_status_counts: MetricsCounts,
        jobs_metrics_status: String,
        batch_metrics_status: String,
        execution_errors: Vec<ExecutionError>,
        execution_error: ExecutionError,
        #[serde(rename = "allowable_failure_percent")] allowable_failure_percent: i64,
        batch_type: String,
        runner_type: String,
        run_counter: i64,
        #[serde(rename = "systemID")] system_id: String,
        #[serde(rename = "branchID")] branch_id: String,
        #[serde(rename = "buildID")] build_id: String,
        #[serde(rename = "testSuiteID")] test_suite_id: String,
        test_suite_revision: i64,
        adhoc_test_suite: bool,
        metrics_set_name: String,
        associated_account: String,
        #[serde(rename = "userID")] user_id: String,
        creation_timestamp: String,
        last_updated_timestamp: String,
        last_run_timestamp: String,
    }
    StatusChange {
        status: String,
        updated_at: String,
    }
    StatusCounts {
        submitted: i64,
        running: i64,
        metrics_queued: i64,
        metrics_running: i64,
        succeeded: i64,
        error: i64,
        cancelled: i64,
    }
    MetricsCounts {
        passed: i64,
        fail_warn: i64,
        fail_block: i64,
        raw: i64,
        not_applicable: i64,
        no_status_reported: i64,
    }
    ExecutionError {
        error_code: String,
        error_text: String,
        exit_code: i64,
        run_counter: i64,
    }
    Job {
        #[serde(rename = "jobID")] job_id: String,
        #[serde(rename = "experienceID")] experience_id: String,
        experience_name: String,
        job_status: String,
        job_metrics_status: String,
        conflated_status: String,
        status_history: Vec<StatusChange>,
        execution_errors: Vec<ExecutionError>,
        execution_error: ExecutionError,
        description: String,
        run_counter: i64,
        last_updated_timestamp: String,
        last_run_timestamp: String,
    }
    Project {
        #[serde(rename = "projectID")] project_id: String,
        name: String,
        description: String,
        archived: bool,
        creation_timestamp: String,
    }
    /// System, build, branch, suite or tag: whatever has a name.
    Named {
        #[serde(rename = "experienceTagID")] experience_tag_id: String,
        name: String,
        version: String,
    }
    Log {
        #[serde(rename = "logID")] log_id: String,
        file_name: String,
        file_path: String,
        file_size: i64,
        log_type: String,
        download_url: String,
        external: bool,
    }
    RerunOutput {
        #[serde(rename = "batchID")] batch_id: String,
        run_counter: i64,
        #[serde(rename = "jobIDs")] job_ids: Vec<String>,
    }
    ProjectPage {
        projects: Vec<Project>,
        next_page_token: String,
    }
    BatchPage {
        batches: Vec<Batch>,
        next_page_token: String,
        total: i64,
    }
    JobPage {
        jobs: Vec<Job>,
        next_page_token: String,
        total: i64,
    }
    LogPage {
        logs: Vec<Log>,
        next_page_token: String,
        total: i64,
    }
    TagPage {
        experience_tags: Vec<Named>,
        next_page_token: String,
    }
}

/// The body of a rerun. `jobIDs` and `syncBatch` are always sent, as the CLI
/// does; `rerunMetricsOnly` only as `true` (`resim-api.md` §5).
#[derive(Debug, Serialize)]
pub(super) struct RerunInput<'a> {
    #[serde(rename = "jobIDs")]
    pub(super) job_ids: &'a [crate::domain::TestId],
    #[serde(rename = "syncBatch")]
    pub(super) sync_batch: bool,
    #[serde(
        rename = "rerunMetricsOnly",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub(super) rerun_metrics_only: bool,
}
