//! Logs and their downloads (§2.3 #18–#23).
//!
//! Presigned URLs point back at the sandbox under `/files/`: they work
//! without a token and refuse one, so that a client that sends its bearer
//! token to a storage host is noticed here.

use serde_json::{Value, json};
use uuid::Uuid;

use super::wire::{ORG, USER};
use super::{Answer, At, Call, Failure, Reply, list as list_reply, not_found};
use crate::clock::rfc3339;
use crate::seed;
use crate::world::World;
use crate::world::names;
use crate::world::recipe::Outcome;

/// (file name, log type, execution step)
type File = (&'static str, &'static str, &'static str);

const JOB_FILES: [File; 8] = [
    ("experience-worker.log", "EXECUTION_LOG", "EXPERIENCE"),
    ("metrics-worker.log", "EXECUTION_LOG", "METRICS"),
    ("experience-container.log", "CONTAINER_LOG", "EXPERIENCE"),
    ("metrics-container.log", "CONTAINER_LOG", "METRICS"),
    ("resource_metrics.binproto", "METRICS_OUTPUT_LOG", "METRICS"),
    ("resource_metrics.resim.jsonl", "EMISSIONS_LOG", "METRICS"),
    (
        "test_length_metric.binproto",
        "METRICS_OUTPUT_LOG",
        "METRICS",
    ),
    ("test_length_metric.resim.jsonl", "EMISSIONS_LOG", "METRICS"),
];
const BATCH_FILES: [File; 2] = [
    ("batch-metrics-worker.log", "EXECUTION_LOG", "BATCH_METRICS"),
    (
        "batch-metrics-container.log",
        "CONTAINER_LOG",
        "BATCH_METRICS",
    ),
];

/// Presigned URLs work this long, in milliseconds.
const LIFETIME: i64 = 15 * 60_000;

fn signature(path: &str, expires: i64) -> String {
    format!("{:016x}", seed::hash_text(expires.unsigned_abs(), path))
}

fn presigned(call: &Call<'_>, path: &str, attachment: bool) -> String {
    let expires = call.now + LIFETIME;
    format!(
        "{}{path}?expires={expires}&signature={}{}",
        call.origin,
        signature(path, expires),
        if attachment { "&attachment=true" } else { "" }
    )
}

fn content(world: &World, at: usize, job: Option<u32>, name: &str) -> Vec<u8> {
    use std::fmt::Write;
    let batch = &world.batches[at];
    let suite = &world.projects[batch.project].suites[batch.suite];
    let mut text = String::new();
    let key = seed::hash_text(batch.key ^ u64::from(job.unwrap_or(u32::MAX)), name);
    if name.ends_with(".binproto") {
        return (0..512)
            .flat_map(|i| seed::hash(key, i).to_le_bytes())
            .collect();
    }
    let lines = 40 + seed::below(key, 1, 160);
    for line in 0..lines {
        let second = line * 3;
        let is_json = std::path::Path::new(name)
            .extension()
            .is_some_and(|it| it == "jsonl");
        let _ = if is_json {
            writeln!(
                text,
                "{{\"t\":{second},\"cpu\":{}}}",
                seed::below(key, line, 100)
            )
        } else {
            writeln!(
                text,
                "[{:02}:{:02}] [INFO] [nav2]: controller tick {line}, clearance {}.{} m",
                second / 60,
                second % 60,
                seed::below(key, line, 3),
                seed::below(key, line ^ 0x99, 10)
            )
        };
    }
    if let Some(index) = job {
        let run = u32::try_from(batch.runs.len()).unwrap_or(1);
        let failed = batch.test(index, i64::MAX / 4).outcome == Some(Outcome::Error);
        if failed && name == "experience-container.log" {
            let cause = names::cause(suite.key, index, run);
            let _ = writeln!(text, "[ERROR] {}", cause.text);
        }
    }
    text.into_bytes()
}

fn describe(world: &World, call: &Call<'_>, at: usize, job: Option<u32>, file: File) -> Value {
    let batch = &world.batches[at];
    let (name, kind, step) = file;
    let owner = job.map_or(batch.id, |index| batch.job_id(index));
    let path = format!("/files/{}/{owner}/{name}", batch.id);
    let id = seed::uuid(
        seed::hash_text(batch.key, name),
        u64::from(job.unwrap_or(u32::MAX)),
    );
    let mut log = json!({
        "logID": id,
        "fileName": name,
        "filePath": "",
        "fullPath": name,
        "fileSize": content(world, at, job, name).len(),
        "checksum": format!("{:016x}", seed::hash_text(batch.key, &path)),
        "logType": kind,
        "executionStep": step,
        "location": format!("s3://retake-sandbox/{}/{owner}/{name}", batch.id),
        "logOutputLocation": presigned(call, &path, false),
        "downloadUrl": presigned(call, &path, true),
        "external": false,
        "creationTimestamp": rfc3339(batch.ends_at().min(call.now)),
        "userID": USER,
        "orgID": ORG,
    });
    match job {
        Some(index) => log["jobID"] = json!(batch.job_id(index)),
        None => log["batchID"] = json!(batch.id),
    }
    log
}

fn job_logs(world: &World, call: &Call<'_>, at: &At, index: u32) -> Vec<Value> {
    let state = world.batches[at.batch].test(index, call.now);
    JOB_FILES
        .into_iter()
        .filter(|(_, _, step)| match *step {
            "EXPERIENCE" => !matches!(state.conflated, "QUEUED" | "CANCELLED"),
            _ => state
                .outcome
                .is_some_and(|outcome| outcome != Outcome::Error),
        })
        .map(|file| describe(world, call, at.batch, Some(index), file))
        .collect()
}

fn batch_logs(world: &World, call: &Call<'_>, at: &At) -> Vec<Value> {
    let status = world.batches[at.batch].status(call.now);
    if !matches!(status, "SUCCEEDED" | "ERROR" | "BATCH_METRICS_RUNNING") {
        return Vec::new();
    }
    BATCH_FILES
        .into_iter()
        .map(|file| describe(world, call, at.batch, None, file))
        .collect()
}

/// Logs of a test.
pub(super) fn of_job(world: &World, call: &Call<'_>, at: &At, index: u32) -> Answer {
    let page = call.query.page(call.path)?;
    let kinds: Vec<&str> = call.query.list("type");
    let name = call.query.get("name").unwrap_or_default();
    let mut logs = job_logs(world, call, at, index);
    logs.retain(|log| {
        let kind = log["logType"].as_str().unwrap_or_default();
        let file = log["fileName"].as_str().unwrap_or_default();
        (kinds.is_empty() || kinds.contains(&kind)) && file.contains(name)
    });
    let total = logs.len() as u64;
    let (cut, next) = page.cut(&logs);
    Ok(list_reply("logs", cut, next, Some(total)))
}

/// Logs of the batch metrics; this list has no total.
pub(super) fn of_batch(world: &World, call: &Call<'_>, at: &At) -> Answer {
    let page = call.query.page(call.path)?;
    let (cut, next) = page.cut(&batch_logs(world, call, at));
    Ok(list_reply("logs", cut, next, None))
}

fn one(logs: Vec<Value>, id: &str) -> Answer {
    logs.into_iter()
        .find(|log| log["logID"].as_str() == Some(id))
        .map(Reply::Json)
        .ok_or_else(|| not_found("Log", id))
}

/// One log of a test.
pub(super) fn one_of_job(world: &World, call: &Call<'_>, at: &At, index: u32, id: &str) -> Answer {
    one(job_logs(world, call, at, index), id)
}

/// One log of the batch metrics.
pub(super) fn one_of_batch(world: &World, call: &Call<'_>, at: &At, id: &str) -> Answer {
    one(batch_logs(world, call, at), id)
}

/// What is being written at the moment.
pub(super) fn streams(world: &World, call: &Call<'_>, at: &At) -> Reply {
    let batch = &world.batches[at.batch];
    let streams: Vec<Value> = (0..batch.size())
        .filter(|index| batch.test(*index, call.now).conflated == "RUNNING")
        .take(50)
        .map(|index| {
            json!({
                "batchID": batch.id,
                "jobID": batch.job_id(index),
                "logName": "experience-container.log",
            })
        })
        .collect();
    Reply::Json(json!({ "logStreams": streams }))
}

/// The present content of one log.
pub(super) fn stream(world: &World, call: &Call<'_>, at: &At, index: u32, name: &str) -> Answer {
    let state = world.batches[at.batch].test(index, call.now);
    if state.conflated == "QUEUED" || !JOB_FILES.iter().any(|(file, ..)| *file == name) {
        return Err(not_found("Log stream", name));
    }
    Ok(Reply::Bytes(content(world, at.batch, Some(index), name)))
}

/// A file behind a presigned URL: its name and content.
pub(crate) fn download(
    world: &World,
    path: &str,
    query: &super::Query,
    now: i64,
) -> Result<(String, Vec<u8>), Failure> {
    let denied = |message: &str| Failure(403, message.to_owned());
    let expires = query
        .get("expires")
        .and_then(|text| text.parse::<i64>().ok());
    let Some(expires) = expires.filter(|at| query.get("signature") == Some(&signature(path, *at)))
    else {
        return Err(denied("SignatureDoesNotMatch"));
    };
    if expires < now {
        return Err(denied("Request has expired"));
    }
    let parts: Vec<&str> = path.trim_start_matches("/files/").split('/').collect();
    let [batch, owner, name] = parts.as_slice() else {
        return Err(not_found("File", path));
    };
    let at = Uuid::try_parse(batch)
        .ok()
        .and_then(|id| world.any_batch_at(id))
        .ok_or_else(|| not_found("File", path))?;
    let job = Uuid::try_parse(owner)
        .ok()
        .and_then(|id| world.batches[at].job_index(id));
    Ok(((*name).to_owned(), content(world, at, job, name)))
}
