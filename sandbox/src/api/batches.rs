//! Lists of batches, rerun, cancel, errors (§2.3 #3–#9, #12, #34, #35).

use serde_json::{Value, json};

use super::query::{Condition, Op, search};
use super::{Answer, At, Call, Failure, Reply, bad, list as list_reply, not_found, wire};
use crate::clock::parse_rfc3339;
use crate::world::World;
use crate::world::rerun::{Refused, RerunInput};

/// Batches of a project, newest first; of one suite if told.
pub(super) fn list(
    world: &World,
    call: &Call<'_>,
    project: usize,
    suite: Option<(usize, Option<u32>)>,
) -> Answer {
    let page = call.query.page(call.path)?;
    call.query.order(&["timestamp", "id"])?;
    let conditions = search(call.query.get("search").unwrap_or_default())?;
    let text = call.query.get("text").map(str::to_lowercase);
    let mut found = Vec::new();
    for at in world.newest_first(project) {
        let batch = &world.batches[at];
        if batch.created > call.now {
            continue;
        }
        if let Some((suite, revision)) = suite
            && (batch.suite != suite || revision.is_some_and(|r| r != batch.suite_revision))
        {
            continue;
        }
        if let Some(text) = &text {
            let version = &world.projects[project].builds[batch.build].version;
            if !batch.name.to_lowercase().contains(text) && !version.to_lowercase().contains(text) {
                continue;
            }
        }
        let mut meets = true;
        for condition in &conditions {
            meets &= holds(world, at, condition, call.now)?;
        }
        if meets {
            found.push(at);
        }
    }
    let (cut, next) = page.cut(&found);
    let items = cut
        .into_iter()
        .map(|at| wire::batch(world, at, call.now))
        .collect();
    Ok(list_reply("batches", items, next, Some(found.len() as u64)))
}

fn holds(world: &World, at: usize, condition: &Condition, now: i64) -> Result<bool, Failure> {
    let batch = &world.batches[at];
    let project = &world.projects[batch.project];
    let build = &project.builds[batch.build];
    let suite = &project.suites[batch.suite];
    let text = match condition.field.as_str() {
        "branch_id" => project.branches[build.branch].id.to_string(),
        "build_id" => build.id.to_string(),
        "system_id" => project.systems[suite.system].id.to_string(),
        "test_suite_id" => suite.id.to_string(),
        "test_suite_revision" => batch.suite_revision.to_string(),
        "batch_id" => batch.id.to_string(),
        "status" => batch.status(now).to_owned(),
        "runner_type" => "CLOUD".to_owned(),
        "metrics_status" => wire::batch(world, at, now)["overallMetricsStatus"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        "created_at" => {
            let value = &condition.values[0];
            let bound = parse_rfc3339(value)
                .ok_or_else(|| bad(format!("search: {value:?} is not a timestamp.")))?;
            return Ok(match condition.op {
                Op::Greater => batch.created > bound,
                Op::Less => batch.created < bound,
                Op::Is | Op::In => batch.created == bound,
            });
        }
        other => return Err(bad(format!("search: unknown field {other:?}."))),
    };
    if matches!(condition.op, Op::Greater | Op::Less) {
        return Err(bad(format!(
            "search: {} cannot be compared by < or >.",
            condition.field
        )));
    }
    Ok(condition.holds(&text))
}

/// The accounts that launched batches.
pub(super) fn accounts(world: &World, call: &Call<'_>, project: usize) -> Reply {
    let name = call.query.get("name").unwrap_or_default();
    let mut accounts: Vec<&str> = world.projects[project]
        .batches
        .iter()
        .map(|at| world.batches[*at].account.as_str())
        .filter(|account| !account.is_empty() && account.contains(name))
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    Reply::Json(json!(accounts))
}

/// The ID of the newest batch of a name, as a bare JSON string.
pub(super) fn lookup(world: &World, project: usize, name: &str) -> Answer {
    world
        .newest_first(project)
        .into_iter()
        .map(|at| &world.batches[at])
        .find(|batch| batch.name == name)
        .map(|batch| Reply::Json(json!(batch.id)))
        .ok_or_else(|| not_found("A batch named", &format!("{name:?}")))
}

/// Changes the description.
pub(super) fn update(world: &mut World, call: &Call<'_>, at: &At) -> Answer {
    world.batches[at.batch].description = super::description(call.body)?;
    Ok(Reply::Json(wire::batch(world, at.batch, call.now)))
}

/// Accepts a cancel.
pub(super) fn cancel(world: &mut World, call: &Call<'_>, at: &At) -> Reply {
    world.batches[at.batch].cancel(call.now);
    Reply::Done
}

/// Accepts or refuses a rerun.
pub(super) fn rerun(world: &mut World, call: &Call<'_>, at: &At) -> Answer {
    let input: RerunInput = serde_json::from_slice(call.body)
        .map_err(|e| bad(format!("The body is not valid: {e}.")))?;
    let done = world
        .rerun(at.batch, &input, call.now)
        .map_err(|refused| match refused {
            Refused::Bad(message) => Failure(400, message),
            Refused::Unknown(message) => Failure(404, message),
            Refused::Busy(message) => Failure(409, message),
        })?;
    let mut answer = json!({
        "batchID": done.batch,
        "runCounter": done.counter,
        "jobIDs": done.jobs,
    });
    if let Value::Object(map) = &mut answer {
        for field in &world.batches[at.batch].recipe.rerun_answer.omit {
            map.remove(field);
        }
    }
    Ok(Reply::Json(answer))
}

/// The errors of the batch and of its tests; 204 when there are none.
pub(super) fn errors(world: &World, call: &Call<'_>, at: &At) -> Reply {
    let batch = &world.batches[at.batch];
    let own = wire::batch_errors(batch, call.now);
    let tests: Vec<Value> = (0..batch.size())
        .flat_map(|index| wire::job_errors(world, at.batch, index, call.now))
        .take(1_000)
        .collect();
    if own.is_empty() && tests.is_empty() {
        Reply::Nothing
    } else {
        Reply::Json(json!({"errors": own, "jobExecutionErrors": tests}))
    }
}
