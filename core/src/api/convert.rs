//! From the API's JSON to the field's nouns. The one place where wire types end.

use super::{Answer, LogFile, Page, RerunAnswer, wire};
use crate::{
    domain::{
        Batch, BatchId, BatchStatus, BatchType, ConflatedBatchStatus, ConflatedStatus,
        ExecutionError, ExperienceTag, MetricStatus, MetricsCounts, Project, RunCounter,
        RunnerType, StatusChange, StatusCounts, Test, TestHistory, TestStatus, Timestamp,
        address::Address,
        text::{clean_line, clean_lines},
    },
    order,
};

/// A name from the server may be a megabyte long; this much is kept, in characters.
const TEXT_CHARS: usize = 2000;

/// A name, as it is: it is compared and sent. See [`crate::domain::text`].
fn name(name: Option<String>) -> Option<String> {
    name.map(|mut text| {
        if let Some((cut, _)) = text.char_indices().nth(TEXT_CHARS) {
            text.truncate(cut);
            text.push('…');
        }
        text
    })
}

/// Anything else that somebody wrote, in one line.
pub(super) fn line(text: Option<String>) -> Option<String> {
    text.map(|text| clean_line(&text, TEXT_CHARS))
}

/// The same where line breaks matter.
fn lines(text: Option<String>) -> Option<String> {
    text.map(|text| clean_lines(&text, TEXT_CHARS))
}

fn id<T: std::str::FromStr>(text: Option<&String>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}

fn time(text: Option<&String>) -> Option<Timestamp> {
    text.and_then(|text| Timestamp::parse(text))
}

/// A count; a negative one is nonsense and becomes zero.
fn count(number: Option<i64>) -> u64 {
    u64::try_from(number.unwrap_or(0)).unwrap_or(0)
}

/// A batch. `asked` is the ID that was asked for, if it was: an answer may leave it out.
pub(super) fn batch(wire: wire::Batch, asked: Option<BatchId>) -> Option<Batch> {
    // An ID that cannot be read is not one that was left out.
    let mut batch = Batch::new(match &wire.batch_id {
        Some(text) => text.parse().ok()?,
        None => asked?,
    });
    batch.project_id = id(wire.project_id.as_ref());
    batch.name = name(wire.friendly_name);
    batch.description = lines(wire.description);
    batch.status = wire.status.map(|word| BatchStatus::from_word(&word));
    batch.conflated = wire
        .conflated_status
        .map(|word| ConflatedBatchStatus::from_word(&word));
    batch.history = wire
        .status_history
        .unwrap_or_default()
        .into_iter()
        .filter_map(|change| {
            Some(StatusChange {
                status: BatchStatus::from_word(&change.status?),
                at: time(change.updated_at.as_ref()),
            })
        })
        .collect();
    order::sort_by_key(&mut batch.history, |change| change.at);
    batch.total_tests = wire.total_jobs.map(|total| count(Some(total)));
    batch.status_counts = wire.job_status_counts.map(|counts| StatusCounts {
        submitted: count(counts.submitted),
        running: count(counts.running),
        metrics_queued: count(counts.metrics_queued),
        metrics_running: count(counts.metrics_running),
        succeeded: count(counts.succeeded),
        error: count(counts.error),
        cancelled: count(counts.cancelled),
    });
    batch.metrics_counts = wire.job_metrics_status_counts.map(|counts| MetricsCounts {
        passed: count(counts.passed),
        fail_warn: count(counts.fail_warn),
        fail_block: count(counts.fail_block),
        raw: count(counts.raw),
        not_applicable: count(counts.not_applicable),
        no_status_reported: count(counts.no_status_reported),
    });
    batch.tests_metrics = metric(wire.jobs_metrics_status);
    batch.batch_metrics = metric(wire.batch_metrics_status);
    batch.errors = errors(wire.execution_errors, wire.execution_error);
    batch.allowable_failure_percent = wire.allowable_failure_percent;
    batch.batch_type = wire.batch_type.map(|word| BatchType::from_word(&word));
    batch.runner_type = wire.runner_type.map(|word| RunnerType::from_word(&word));
    batch.run_counter = wire.run_counter.map(RunCounter);
    batch.system_id = id(wire.system_id.as_ref());
    batch.branch_id = id(wire.branch_id.as_ref());
    batch.build_id = id(wire.build_id.as_ref());
    batch.suite_id = id(wire.test_suite_id.as_ref());
    batch.suite_revision = wire.test_suite_revision;
    batch.adhoc_suite = wire.adhoc_test_suite.unwrap_or(false);
    batch.metrics_set = line(wire.metrics_set_name);
    batch.account = line(wire.associated_account).filter(|account| !account.is_empty());
    batch.user = line(wire.user_id).filter(|user| !user.is_empty());
    batch.created = time(wire.creation_timestamp.as_ref());
    batch.updated = time(wire.last_updated_timestamp.as_ref());
    batch.last_run = time(wire.last_run_timestamp.as_ref());
    Some(batch)
}

fn metric(word: Option<String>) -> Option<MetricStatus> {
    word.map(|word| MetricStatus::from_word(&word))
}

/// The list of errors, or the older single form.
fn errors(
    many: Option<Vec<wire::ExecutionError>>,
    one: Option<wire::ExecutionError>,
) -> Vec<ExecutionError> {
    let many = many.unwrap_or_default();
    let all = if many.is_empty() {
        one.into_iter().collect()
    } else {
        many
    };
    all.into_iter()
        .map(|error| ExecutionError {
            code: line(error.error_code).unwrap_or_else(|| "UNKNOWN_ERROR".into()),
            text: lines(error.error_text),
            exit_code: error.exit_code,
            run_counter: error.run_counter.map(RunCounter),
        })
        .collect()
}

pub(super) fn test(wire: wire::Job) -> Test {
    Test {
        id: id(wire.job_id.as_ref()),
        name: name(wire.experience_name).unwrap_or_default(),
        experience_id: id(wire.experience_id.as_ref()),
        conflated: wire
            .conflated_status
            .map(|word| ConflatedStatus::from_word(&word)),
        status: wire.job_status.map(|word| TestStatus::from_word(&word)),
        metrics: metric(wire.job_metrics_status),
        run_counter: wire.run_counter.map(RunCounter),
        errors: errors(wire.execution_errors, wire.execution_error),
        description: lines(wire.description).filter(|text| !text.is_empty()),
        last_run: time(wire.last_run_timestamp.as_ref()),
        updated: time(wire.last_updated_timestamp.as_ref()),
    }
}

/// A test with its status history, as the drawer shows it.
pub(super) fn test_history(mut wire: wire::Job) -> TestHistory {
    let mut changes: Vec<(TestStatus, Option<Timestamp>)> = wire
        .status_history
        .take()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|change| {
            Some((
                TestStatus::from_word(&change.status?),
                time(change.updated_at.as_ref()),
            ))
        })
        .collect();
    order::sort_by_key(&mut changes, |(_, at)| *at);
    TestHistory {
        test: test(wire),
        changes,
    }
}

pub(super) fn project(wire: wire::Project) -> Option<Project> {
    Some(Project {
        id: id(wire.project_id.as_ref())?,
        name: name(wire.name).unwrap_or_default(),
        description: lines(wire.description).unwrap_or_default(),
        archived: wire.archived.unwrap_or(false),
        created: time(wire.creation_timestamp.as_ref()),
    })
}

pub(super) fn tag(wire: wire::Named) -> Option<ExperienceTag> {
    Some(ExperienceTag {
        id: id(wire.experience_tag_id.as_ref())?,
        name: name(wire.name).unwrap_or_default(),
    })
}

pub(super) fn log(wire: wire::Log) -> LogFile {
    LogFile {
        id: line(wire.log_id),
        name: line(wire.file_name).unwrap_or_default(),
        folder: line(wire.file_path).unwrap_or_default(),
        size: wire.file_size.map(|size| count(Some(size))),
        kind: line(wire.log_type),
        // A link that is not plain https (or http, for a sandbox) is not offered.
        download_url: wire.download_url.filter(|url| Address::parse(url).is_ok()),
        external: wire.external.unwrap_or(false),
    }
}

pub(super) fn rerun(wire: &wire::RerunOutput) -> RerunAnswer {
    RerunAnswer {
        batch_id: id(wire.batch_id.as_ref()),
        run_counter: wire.run_counter.map(RunCounter),
        test_ids: wire
            .job_ids
            .iter()
            .flatten()
            .filter_map(|text| text.parse().ok())
            .collect(),
    }
}

/// One page of a list.
pub(super) fn page<T>(
    answer: &Answer,
    items: Vec<T>,
    next: Option<String>,
    total: Option<i64>,
) -> Page<T> {
    Page {
        items,
        next: next.filter(|token| !token.is_empty()),
        total: total.map(|total| count(Some(total))),
        bytes: answer.body.len(),
    }
}
