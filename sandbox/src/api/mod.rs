//! The REST API under `/v1/` (`resim-api.md` §2.3).
//!
//! Why no router crate here: `/:cancel`, names with an encoded slash and
//! fixed words in the place of an ID are clearest as one table of path
//! segments, read from top to bottom. Every handler is a plain function of
//! the world and the time.
//!
//! Invariant: the path is matched as it was sent. `%3Acancel` is not the
//! documented call, nor is a name lookup without its trailing slash, so both
//! are 404 here and a client that sends them is noticed. Only what may hold any
//! character, a name, is decoded.

mod batches;
mod catalog;
mod compare;
mod jobs;
mod logs;
mod metrics;
mod query;
mod wire;

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;
pub(crate) use logs::download;
pub(crate) use query::Query;

/// One request, taken apart.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a Method,
    /// The path below `/v1`.
    pub(crate) path: &'a str,
    pub(crate) query: Query,
    pub(crate) body: &'a [u8],
    /// Scheme and authority under which the sandbox was called.
    pub(crate) origin: String,
    /// Milliseconds since the epoch.
    pub(crate) now: i64,
    /// The default cleanup window of batches that somebody else launches.
    pub(crate) cleanup_ms: u64,
}

/// A good answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// 200 with a JSON body.
    Json(Value),
    /// 200 without a body.
    Done,
    /// 204 without a body.
    Nothing,
    /// 200 with raw bytes.
    Bytes(Vec<u8>),
}

/// A refusal: status and the sentence for `{"message": …}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) u16, pub(crate) String);

/// What every handler answers.
pub(crate) type Answer = Result<Reply, Failure>;

pub(crate) fn not_found(what: &str, id: &str) -> Failure {
    Failure(404, format!("{what} {id} was not found."))
}

pub(crate) fn bad(message: impl Into<String>) -> Failure {
    Failure(400, message.into())
}

/// A position found by an ID in the path.
struct At {
    project: usize,
    batch: usize,
}

/// Answers one call.
pub(crate) fn answer(world: &mut World, call: &Call<'_>) -> Answer {
    let path: Vec<&str> = call.path.split('/').skip(1).collect();
    let get = *call.method == Method::GET;
    let post = *call.method == Method::POST;
    let patch = *call.method == Method::PATCH;
    match path.as_slice() {
        ["health"] if get => Ok(Reply::Done),
        ["quota"] if get => Ok(catalog::quota()),
        ["projects"] if get => catalog::projects(world, call),
        ["projects", ""] => Err(no_call(call)),
        ["projects", p, rest @ ..] => {
            let project = project(world, p)?;
            match rest {
                [] if get => Ok(Reply::Json(wire::project(world, project))),
                // Fixed words share the place of a batch ID: they come first.
                ["batches"] if get => {
                    world.launch_due(call.now, call.cleanup_ms);
                    batches::list(world, call, project, None)
                }
                ["batches", "accounts"] if get => Ok(batches::accounts(world, call, project)),
                ["batches", "lookup", "name", name, ""] if get => {
                    batches::lookup(world, project, &decoded(name))
                }
                ["batches", "-", "jobs"] if get => jobs::list_all(world, call, project),
                ["batches", "accounts" | "lookup" | "-", ..] | [.., ""] => Err(no_call(call)),
                ["batches", b, rest @ ..] => {
                    let at = At {
                        project,
                        batch: batch(world, project, b)?,
                    };
                    match rest {
                        [] if get => Ok(Reply::Json(wire::batch(world, at.batch, call.now))),
                        [] if patch => batches::update(world, call, &at),
                        [":cancel"] if post => Ok(batches::cancel(world, call, &at)),
                        ["rerun"] if post => batches::rerun(world, call, &at),
                        ["errors"] if get => Ok(batches::errors(world, call, &at)),
                        ["suggestions"] if get => Ok(compare::suggestions(world, call, &at)),
                        ["compare", other] if get => compare::compare(world, call, &at, other),
                        ["metrics"] if get => metrics::of_batch(world, call, &at),
                        ["logs"] if get => logs::of_batch(world, call, &at),
                        ["logs", "streams"] if get => Ok(logs::streams(world, call, &at)),
                        ["logs", log] if get => logs::one_of_batch(world, call, &at, log),
                        ["jobs"] if get => jobs::list(world, call, &at),
                        ["jobs", j, rest @ ..] => {
                            let index = job(world, &at, j)?;
                            match rest {
                                [] if get => {
                                    Ok(Reply::Json(wire::job(world, at.batch, index, call.now)))
                                }
                                [] if patch => jobs::update(world, call, &at, index),
                                ["containerStatus"] if get => {
                                    jobs::containers(world, call, &at, index)
                                }
                                ["logs"] if get => logs::of_job(world, call, &at, index),
                                ["logs", log] if get => {
                                    logs::one_of_job(world, call, &at, index, log)
                                }
                                ["logStream", name] if get => {
                                    logs::stream(world, call, &at, index, &decoded(name))
                                }
                                ["metrics"] if get => metrics::of_job(world, call, &at, index),
                                ["events"] if get => metrics::events(world, call, &at, index),
                                _ => Err(no_call(call)),
                            }
                        }
                        _ => Err(no_call(call)),
                    }
                }
                _ if get => catalog::below_project(world, call, project, rest)
                    .unwrap_or_else(|| Err(no_call(call))),
                _ => Err(no_call(call)),
            }
        }
        _ => Err(no_call(call)),
    }
}

/// A segment that may hold any character.
fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

fn no_call(call: &Call<'_>) -> Failure {
    Failure(
        404,
        format!("The sandbox has no call {} {}.", call.method, call.path),
    )
}

fn uuid(what: &str, text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(|_| bad(format!("{what} ID {text:?} is not a UUID.")))
}

fn project(world: &World, text: &str) -> Result<usize, Failure> {
    let id = uuid("Project", text)?;
    world
        .project_at(id)
        .ok_or_else(|| not_found("Project", text))
}

fn batch(world: &World, project: usize, text: &str) -> Result<usize, Failure> {
    let id = uuid("Batch", text)?;
    world
        .batch_at(project, id)
        .ok_or_else(|| not_found("Batch", text))
}

fn job(world: &World, at: &At, text: &str) -> Result<u32, Failure> {
    let id = uuid("Job", text)?;
    world.batches[at.batch]
        .job_index(id)
        .ok_or_else(|| not_found("Job", text))
}

/// The body of a PATCH: `{"description": "text"}`, nothing else.
fn description(body: &[u8]) -> Result<String, Failure> {
    let value: Value =
        serde_json::from_slice(body).map_err(|e| bad(format!("The body is not JSON: {e}.")))?;
    match value.as_object() {
        Some(map) if map.len() == 1 => match map.get("description") {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(bad("description must be a string.")),
        },
        _ => Err(bad("Only {\"description\": text} can be changed.")),
    }
}

/// A list answer: the items under their name, and the next page's token.
fn list(name: &str, items: Vec<Value>, next: String, total: Option<u64>) -> Reply {
    let mut answer = json!({ "nextPageToken": next });
    answer[name] = Value::Array(items);
    if let Some(total) = total {
        answer["total"] = json!(total);
    }
    Reply::Json(answer)
}
