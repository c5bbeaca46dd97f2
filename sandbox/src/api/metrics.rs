//! Metrics and events (§2.3 #25–#27).

use serde_json::{Value, json};

use super::wire::{ORG, USER};
use super::{Answer, At, Call, list as list_reply};
use crate::clock::rfc3339;
use crate::seed;
use crate::world::World;
use crate::world::recipe::Outcome;

/// (name, unit, value when good, value when bad)
type Text = (&'static str, &'static str, f64, f64);

const METRICS: [Text; 4] = [
    ("Minimum clearance", "m", 0.62, 0.08),
    ("Time to goal", "s", 84.0, 210.0),
    ("Hard brakes", "", 0.0, 3.0),
    ("Localisation error", "m", 0.03, 0.41),
];

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
fn metric(
    world: &World,
    at: usize,
    job: Option<u32>,
    number: u64,
    name: &str,
    unit: &str,
    value: f64,
    status: &str,
) -> Value {
    let batch = &world.batches[at];
    let key = batch.key ^ u64::from(job.unwrap_or(u32::MAX));
    let mut metric = json!({
        "metricID": seed::uuid(key, 0x3e_0000 + number),
        "name": name,
        "type": "SCALAR",
        "status": status,
        "value": value,
        "unit": if unit.is_empty() { Value::Null } else { json!(unit) },
        "eventMetric": false,
        "dataIDs": [],
        "fileLocation": format!("s3://retake-sandbox/{}/metrics/{number}", batch.id),
        "projectID": world.projects[batch.project].id,
        "batchID": batch.id,
        "creationTimestamp": rfc3339(batch.ends_at()),
        "userID": USER,
        "orgID": ORG,
    });
    if let Some(index) = job {
        metric["jobID"] = json!(batch.job_id(index));
    }
    metric
}

/// Metrics of the whole batch, once it is finished.
pub(super) fn of_batch(world: &World, call: &Call<'_>, at: &At) -> Answer {
    let page = call.query.page(call.path)?;
    let batch = &world.batches[at.batch];
    let mut metrics = Vec::new();
    if matches!(batch.status(call.now), "SUCCEEDED" | "ERROR") && !batch.recipe.batch_error {
        let counts = batch.counts(call.now);
        let share = f64::from(counts.passed) * 100.0 / f64::from(batch.size().max(1));
        let status = batch.recipe.batch_metrics.metrics();
        metrics.push(metric(
            world,
            at.batch,
            None,
            0,
            "Passed share",
            "%",
            share,
            status,
        ));
        let distance = 1_250.0 + f64::from(batch.size());
        metrics.push(metric(
            world,
            at.batch,
            None,
            1,
            "Distance driven",
            "m",
            distance,
            "NOT_APPLICABLE",
        ));
    }
    let (cut, next) = page.cut(&metrics);
    Ok(list_reply("batchMetrics", cut, next, None))
}

/// Metrics of one test, once its metrics stage is finished.
pub(super) fn of_job(world: &World, call: &Call<'_>, at: &At, index: u32) -> Answer {
    let page = call.query.page(call.path)?;
    let batch = &world.batches[at.batch];
    let mut metrics = Vec::new();
    if let Some(outcome) = batch.test(index, call.now).outcome
        && outcome != Outcome::Error
    {
        let worst = seed::below(batch.key, u64::from(index) ^ 0x33, METRICS.len() as u64);
        for ((name, unit, good, bad), number) in METRICS.into_iter().zip(0..) {
            let failing = number == worst && outcome != Outcome::Passed;
            let value = if failing { bad } else { good };
            let status = if failing { outcome.metrics() } else { "PASSED" };
            metrics.push(metric(
                world,
                at.batch,
                Some(index),
                number,
                name,
                unit,
                value,
                status,
            ));
        }
    }
    let (cut, next) = page.cut(&metrics);
    Ok(list_reply("metrics", cut, next, None))
}

/// What happened during a test.
pub(super) fn events(world: &World, call: &Call<'_>, at: &At, index: u32) -> Answer {
    let page = call.query.page(call.path)?;
    let wanted = call.query.list("eventTags");
    let batch = &world.batches[at.batch];
    let mut events = Vec::new();
    if let Some(outcome) = batch.test(index, call.now).outcome
        && outcome != Outcome::Passed
    {
        events.push(json!({
            "eventID": seed::uuid(batch.key, 0xe7_0000 + u64::from(index)),
            "name": "Clearance violated",
            "description": "The robot came closer to a pedestrian than 0.3 m",
            "creationTimestamp": rfc3339(batch.ends_at()),
            "timestamp": "1970-01-01T00:00:41.5Z",
            "timestampType": "RELATIVE",
            "tags": ["safety"],
            "status": outcome.metrics(),
            "metricsIDs": [],
        }));
    }
    events.retain(|_| wanted.is_empty() || wanted.contains(&"safety"));
    let (cut, next) = page.cut(&events);
    Ok(list_reply("events", cut, next, None))
}
