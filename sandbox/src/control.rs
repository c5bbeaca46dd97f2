//! What tests ask of the sandbox itself, beside the API: batches to order,
//! faults, the requests that were made, expired tokens. See `README.md`.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{error, json_answer};
use crate::faults::FaultInput;
use crate::world::recipe::{Recipe, Start};
use crate::{Sandbox, lock};

type Shared = State<Arc<Sandbox>>;

/// The control API, below `/sandbox`.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/batches", post(make_batch))
        .route("/batches/{id}/{what}", post(act_on_batch))
        .route(
            "/faults",
            get(list_faults).post(add_fault).delete(clear_faults),
        )
        .route("/requests", get(list_requests).delete(clear_requests))
        .route("/tokens/expire", post(expire_tokens))
}

/// Says that the sandbox is there, by name, so that tools know it.
pub(crate) async fn health() -> Response<Body> {
    json_answer(200, &json!({ "name": "retake-sandbox" }))
}

fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Box<Response<Body>>> {
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes)
        .map_err(|why| Box::new(error(400, &format!("The body does not fit: {why}."))))
}

/// Pages of other sites must not order batches here.
fn refuse_strangers(headers: &HeaderMap) -> Result<(), Box<Response<Body>>> {
    let origin = headers.get("origin").and_then(|it| it.to_str().ok());
    match origin {
        Some(origin) if origin != crate::v1::origin(headers) => Err(Box::new(error(
            403,
            "The control API is for this origin only.",
        ))),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// The project, by ID or name; the everyday one if absent.
    project: Option<String>,
    name: Option<String>,
    #[serde(default)]
    recipe: Recipe,
}

async fn make_batch(State(sandbox): Shared, headers: HeaderMap, bytes: Bytes) -> Response<Body> {
    if let Err(refused) = refuse_strangers(&headers) {
        return *refused;
    }
    let order: Order = match read(&bytes) {
        Ok(order) => order,
        Err(refused) => return *refused,
    };
    if order.recipe.outcomes.needed() > order.recipe.tests {
        return error(400, "The outcomes need more tests than the batch has.");
    }
    let now = sandbox.now();
    let mut world = lock(&sandbox.world);
    let wanted = order
        .project
        .unwrap_or_else(|| crate::world::fixtures::WAREHOUSE.to_owned());
    let project = match Uuid::try_parse(&wanted) {
        Ok(id) => world.project_at(id),
        Err(_) => world.projects.iter().position(|it| it.name == wanted),
    };
    let Some(project) = project else {
        return error(404, &format!("There is no project {wanted}."));
    };
    let start = order.recipe.start;
    let at = world.make_batch(project, order.name, order.recipe, now);
    if start == Start::Finished {
        world.batches[at].finish(now);
    }
    let batch = &world.batches[at];
    let tests: Vec<String> = (0..batch.size())
        .map(|index| batch.job_id(index).to_string())
        .collect();
    json_answer(
        200,
        &json!({
            "projectID": world.projects[project].id,
            "batchID": batch.id,
            "name": batch.name,
            "jobIDs": tests,
        }),
    )
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Act {
    /// For `advance`: by how many simulated milliseconds.
    ms: u64,
    /// For `rerun`: which tests; empty means batch metrics only.
    #[serde(rename = "jobIDs")]
    job_ids: Vec<Uuid>,
}

async fn act_on_batch(
    State(sandbox): Shared,
    Path((id, what)): Path<(Uuid, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response<Body> {
    if let Err(refused) = refuse_strangers(&headers) {
        return *refused;
    }
    let act: Act = match read(&bytes) {
        Ok(act) => act,
        Err(refused) => return *refused,
    };
    let now = sandbox.now();
    let mut world = lock(&sandbox.world);
    let Some(at) = world.any_batch_at(id) else {
        return error(404, &format!("There is no batch {id}."));
    };
    match what.as_str() {
        "finish" => world.batches[at].finish(now),
        "cancel" => world.batches[at].cancel(now),
        "advance" => world.batches[at].advance(now, act.ms),
        "rerun" => {
            let input = crate::world::rerun::RerunInput {
                job_ids: Some(act.job_ids.iter().map(Uuid::to_string).collect()),
                sync_batch: false,
                rerun_metrics_only: None,
            };
            // Somebody else's rerun is never refused for cleaning up.
            let cleanup = std::mem::take(&mut world.batches[at].recipe.cleanup_ms);
            let answer = world.rerun(at, &input, now);
            world.batches[at].recipe.cleanup_ms = cleanup;
            if let Err(refused) = answer {
                return error(409, &format!("{refused:?}"));
            }
        }
        other => return error(404, &format!("A batch cannot be told to {other}.")),
    }
    let batch = &world.batches[at];
    json_answer(
        200,
        &json!({ "status": batch.status(now), "runCounter": batch.counter }),
    )
}

async fn list_faults(State(sandbox): Shared) -> Response<Body> {
    json_answer(200, &lock(&sandbox.faults).list())
}

async fn add_fault(State(sandbox): Shared, headers: HeaderMap, bytes: Bytes) -> Response<Body> {
    if let Err(refused) = refuse_strangers(&headers) {
        return *refused;
    }
    let input: FaultInput = match read(&bytes) {
        Ok(input) => input,
        Err(refused) => return *refused,
    };
    match lock(&sandbox.faults).add(&input) {
        Ok(()) => json_answer(200, &json!({})),
        Err(why) => error(400, &why),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Which {
    path_contains: Option<String>,
    method: Option<String>,
}

async fn clear_faults(
    State(sandbox): Shared,
    headers: HeaderMap,
    Query(which): Query<Which>,
) -> Response<Body> {
    if let Err(refused) = refuse_strangers(&headers) {
        return *refused;
    }
    lock(&sandbox.faults).clear(which.path_contains.as_deref());
    json_answer(200, &json!({}))
}

async fn list_requests(State(sandbox): Shared, Query(which): Query<Which>) -> Response<Body> {
    let path = which.path_contains.unwrap_or_default();
    let listed: Value = lock(&sandbox.record).list(&path, which.method.as_deref());
    json_answer(200, &listed)
}

async fn clear_requests(State(sandbox): Shared, headers: HeaderMap) -> Response<Body> {
    if let Err(refused) = refuse_strangers(&headers) {
        return *refused;
    }
    lock(&sandbox.record).clear();
    json_answer(200, &json!({}))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Also {
    /// End the provider's sessions and refresh tokens too.
    sessions: bool,
}

async fn expire_tokens(State(sandbox): Shared, headers: HeaderMap, bytes: Bytes) -> Response<Body> {
    if let Err(refused) = refuse_strangers(&headers) {
        return *refused;
    }
    let also: Also = match read(&bytes) {
        Ok(also) => also,
        Err(refused) => return *refused,
    };
    lock(&sandbox.oidc).expire_all(also.sessions);
    json_answer(200, &json!({}))
}
