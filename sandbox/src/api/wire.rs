//! The JSON objects of `resim-api.md` §2.2, written field by field.

use serde_json::{Map, Value, json};

use crate::clock::rfc3339;
use crate::world::World;
use crate::world::batch::Batch;
use crate::world::names;
use crate::world::recipe::Outcome;

pub(crate) const ORG: &str = "example.com";
pub(crate) const USER: &str = "qa.lead@example.com";

/// A Project.
pub(crate) fn project(world: &World, at: usize) -> Value {
    let project = &world.projects[at];
    json!({
        "projectID": project.id,
        "name": project.name,
        "description": project.description,
        "creationTimestamp": rfc3339(project.created),
        "userID": USER,
        "orgID": ORG,
        "archived": project.archived,
        "agentMarkdown": "",
    })
}

/// The worst of two metric statuses, by the roll-up of §3.3.
fn worst(one: &'static str, other: &'static str) -> &'static str {
    for word in ["FAIL_BLOCK", "FAIL_WARN", "NO_STATUS_REPORTED"] {
        if one == word || other == word {
            return word;
        }
    }
    "PASSED"
}

/// `ConflatedBatchStatus` by §3.5.
fn conflated(status: &str, jobs: &str, batch: &str) -> &'static str {
    match status {
        "SUBMITTED" => "SUBMITTED",
        "CANCELLED" => "CANCELLED",
        "ERROR" => "ERROR",
        "SUCCEEDED" if jobs == "FAIL_BLOCK" || batch == "FAIL_BLOCK" => "BLOCKER",
        "SUCCEEDED" if jobs == "FAIL_WARN" || batch == "FAIL_WARN" => "WARNING",
        "SUCCEEDED" => "COMPLETE",
        _ => "RUNNING",
    }
}

/// The word by which a batch is filtered and compared.
pub(crate) fn batch_words(batch: &Batch, now: i64) -> (&'static str, &'static str) {
    let status = batch.status(now);
    let (jobs, own) = roll_up(batch, now);
    (status, conflated(status, jobs, own))
}

fn roll_up(batch: &Batch, now: i64) -> (&'static str, &'static str) {
    let counts = batch.counts(now);
    let jobs = if counts.blocker > 0 {
        "FAIL_BLOCK"
    } else if counts.warning > 0 {
        "FAIL_WARN"
    } else if counts.passed > 0 {
        "PASSED"
    } else {
        "NO_STATUS_REPORTED"
    };
    let own = match batch.status(now) {
        "SUCCEEDED" | "ERROR" if !batch.recipe.batch_error => batch.recipe.batch_metrics.metrics(),
        _ => "NO_STATUS_REPORTED",
    };
    (jobs, own)
}

fn replace(mut object: Value, overrides: &Map<String, Value>, omit: &[String]) -> Value {
    if let Value::Object(map) = &mut object {
        for (key, value) in overrides {
            map.insert(key.clone(), value.clone());
        }
        for key in omit {
            map.remove(key);
        }
    }
    object
}

fn history(changes: impl IntoIterator<Item = (&'static str, i64)>) -> Value {
    changes
        .into_iter()
        .map(|(status, at)| json!({"status": status, "updatedAt": rfc3339(at)}))
        .collect()
}

/// A Batch.
pub(crate) fn batch(world: &World, at: usize, now: i64) -> Value {
    let batch = &world.batches[at];
    let project = &world.projects[batch.project];
    let build = &project.builds[batch.build];
    let suite = &project.suites[batch.suite];
    let counts = batch.counts(now);
    let (jobs, own) = roll_up(batch, now);
    let status = batch.status(now);
    let changes = batch.history(now);
    let updated = changes.last().map_or(batch.created, |(_, at)| *at);
    let succeeded = counts.passed + counts.warning + counts.blocker;
    let unfinished =
        counts.submitted + counts.running + counts.metrics_queued + counts.metrics_running;
    let errors = batch_errors(batch, now);
    let object = json!({
        "batchID": batch.id,
        "friendlyName": batch.name,
        "description": batch.description,
        "projectID": project.id,
        "systemID": project.systems[suite.system].id,
        "branchID": project.branches[build.branch].id,
        "buildID": build.id,
        "testSuiteID": suite.id,
        "testSuiteRevision": batch.suite_revision,
        "adhocTestSuite": false,
        "status": status,
        "conflatedStatus": conflated(status, jobs, own),
        "statusHistory": history(changes),
        "totalJobs": batch.size(),
        "jobStatusCounts": {
            "submitted": counts.submitted,
            "running": counts.running,
            "metricsQueued": counts.metrics_queued,
            "metricsRunning": counts.metrics_running,
            "succeeded": succeeded,
            "error": counts.error,
            "cancelled": counts.cancelled,
        },
        "jobMetricsStatusCounts": {
            "passed": counts.passed,
            "failWarn": counts.warning,
            "failBlock": counts.blocker,
            "raw": 0,
            "notApplicable": 0,
            "noStatusReported": unfinished + counts.error + counts.cancelled,
        },
        "jobsMetricsStatus": jobs,
        "batchMetricsStatus": own,
        "overallMetricsStatus": worst(jobs, own),
        "executionErrors": if errors.is_empty() { Value::Null } else { Value::Array(errors) },
        "executionError": null,
        "labelledBuilds": null,
        "metricsBuildID": null,
        "metricsSetName": "Nightly Metrics",
        "associatedSweepID": null,
        "allowable_failure_percent": batch.recipe.allowable_failure_percent,
        "batchType": "NORMAL",
        "runnerType": "CLOUD",
        "runCounter": batch.counter,
        "priority": 1000,
        "associatedAccount": batch.account,
        "parameters": {"speed": "fast"},
        "poolLabels": ["gpu"],
        "creationTimestamp": rfc3339(batch.created),
        "lastUpdatedTimestamp": rfc3339(updated),
        "lastRunTimestamp": rfc3339(batch.run().passage.start),
        "userID": batch.user,
        "orgID": ORG,
    });
    replace(object, &batch.recipe.overrides, &batch.recipe.omit)
}

/// The errors of the batch itself.
pub(crate) fn batch_errors(batch: &Batch, now: i64) -> Vec<Value> {
    if !(batch.recipe.batch_error && batch.is_terminal(now)) {
        return Vec::new();
    }
    vec![json!({
        "errorCode": "UNKNOWN_ERROR",
        "errorText": "batch metrics container exited before writing metrics.binproto",
        "exitCode": 1,
        "runCounter": batch.counter,
        "parentID": batch.id,
        "parentType": "BATCH",
        "metadata": {},
    })]
}

/// The errors of a test, those of earlier runs included.
pub(crate) fn job_errors(world: &World, at: usize, index: u32, now: i64) -> Vec<Value> {
    let batch = &world.batches[at];
    let suite = &world.projects[batch.project].suites[batch.suite];
    batch
        .test_runs(index, now)
        .into_iter()
        .filter(|run| run.outcome == Some(Outcome::Error))
        .map(|run| {
            let cause = names::cause(suite.key, index, run.counter);
            json!({
                "errorCode": cause.code,
                "errorText": cause.text,
                "exitCode": cause.exit_code,
                "runCounter": run.counter,
                "parentID": batch.job_id(index),
                "parentType": "JOB",
                "metadata": {},
            })
        })
        .collect()
}

/// A Job (a test).
pub(crate) fn job(world: &World, at: usize, index: u32, now: i64) -> Value {
    let batch = &world.batches[at];
    let project = &world.projects[batch.project];
    let build = &project.builds[batch.build];
    let suite = &project.suites[batch.suite];
    let state = batch.test(index, now);
    let run = &batch.runs[state.run];
    let progress = run.passage.progress(now);
    let stages = state.stages;
    let mut changes = vec![("SUBMITTED", 0)];
    if stages.cancelled {
        changes.push(("CANCELLED", stages.end));
    } else {
        if !run.schedule.metrics_only {
            changes.push(("EXPERIENCE_RUNNING", stages.start));
        }
        if stages.metrics_queued < stages.end {
            changes.push(("METRICS_QUEUED", stages.metrics_queued));
            changes.push(("METRICS_RUNNING", stages.metrics_running));
        }
        if state.outcome.is_some() {
            changes.push((state.status, stages.end));
        }
    }
    changes.retain(|(_, at)| *at <= progress);
    let moments: Vec<_> = changes
        .into_iter()
        .map(|(status, at)| (status, run.passage.moment(at)))
        .collect();
    let updated = moments.last().map_or(batch.created, |(_, at)| *at);
    let errors = job_errors(world, at, index, now);
    let description = batch
        .descriptions
        .get(&index)
        .cloned()
        .unwrap_or_else(|| names::experience_description(suite.key, index));
    let id = batch.job_id(index);
    let object = json!({
        "jobID": id,
        "batchID": batch.id,
        "projectID": project.id,
        "systemID": project.systems[suite.system].id,
        "branchID": project.branches[build.branch].id,
        "buildID": build.id,
        "experienceID": suite.experience_id(index),
        "experienceName": names::experience(suite.key, index),
        "experienceProfile": "default",
        "experienceEnvironmentVariables": [{"name": "SIM_SEED", "value": (index % 97).to_string()}],
        "jobStatus": state.status,
        "jobMetricsStatus": state.metrics,
        "conflatedStatus": state.conflated,
        "statusHistory": history(moments),
        "executionErrors": if errors.is_empty() { Value::Null } else { Value::Array(errors) },
        "description": description,
        "runCounter": state.counter,
        "hasLogAnalysis": false,
        "outputLocation": format!("s3://retake-sandbox/{}/{id}/{}/", batch.id, state.counter),
        "parameters": {"speed": "fast"},
        "creationTimestamp": rfc3339(batch.created),
        "lastUpdatedTimestamp": rfc3339(updated),
        "lastRunTimestamp": rfc3339(run.passage.start),
        "workerID": format!("worker-{:02}", index % 24),
        "userID": batch.user,
        "orgID": ORG,
    });
    replace(object, &batch.recipe.job_overrides, &batch.recipe.job_omit)
}
