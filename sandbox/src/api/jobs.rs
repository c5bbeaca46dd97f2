//! Tests of a batch (§2.3 #13–#17).

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, At, Call, Failure, Reply, bad, list as list_reply, wire};
use crate::clock::rfc3339;
use crate::world::World;
use crate::world::names;

const JOB_STATUS: [&str; 7] = [
    "SUBMITTED",
    "EXPERIENCE_RUNNING",
    "METRICS_QUEUED",
    "METRICS_RUNNING",
    "SUCCEEDED",
    "ERROR",
    "CANCELLED",
];
const CONFLATED: [&str; 7] = [
    "QUEUED",
    "RUNNING",
    "ERROR",
    "CANCELLED",
    "BLOCKER",
    "WARNING",
    "PASSED",
];

struct Filter {
    status: Option<String>,
    conflated: Vec<String>,
    name: Option<String>,
    text: Option<String>,
    /// Positions of tags; a test with any of them matches.
    tags: Option<Vec<usize>>,
    /// No test of the sandbox has a log analysis.
    analysis: bool,
}

impl Filter {
    fn read(world: &World, call: &Call<'_>, project: usize) -> Result<Self, Failure> {
        let query = &call.query;
        let known = |word: &str, words: &[&str], what: &str| {
            if words.contains(&word) {
                Ok(word.to_owned())
            } else {
                Err(bad(format!("{what}: unknown value {word:?}.")))
            }
        };
        let wanted = query.list("experienceTagIDs");
        let tags = if wanted.is_empty() {
            None
        } else {
            let mut positions = Vec::new();
            for text in wanted {
                let id = Uuid::try_parse(text)
                    .map_err(|_| bad(format!("experienceTagIDs: {text:?} is not a UUID.")))?;
                let tags = &world.projects[project].tags;
                positions.extend(tags.iter().position(|tag| tag.id == id));
            }
            Some(positions)
        };
        Ok(Self {
            status: query
                .get("status")
                .map(|word| known(word, &JOB_STATUS, "status"))
                .transpose()?,
            conflated: query
                .list("conflatedStatus")
                .into_iter()
                .map(|word| known(word, &CONFLATED, "conflatedStatus"))
                .collect::<Result<_, _>>()?,
            name: query.get("name").map(str::to_lowercase),
            text: query.get("text").map(str::to_lowercase),
            tags,
            analysis: query.get("hasLogAnalysis") == Some("true"),
        })
    }

    fn only_conflated(&self) -> bool {
        self.status.is_none()
            && self.name.is_none()
            && self.text.is_none()
            && self.tags.is_none()
            && !self.analysis
    }

    fn holds(&self, world: &World, at: usize, index: u32, now: i64) -> bool {
        let batch = &world.batches[at];
        if !self.conflated.is_empty() || self.status.is_some() {
            let state = batch.test(index, now);
            if !self.conflated.is_empty() && !self.conflated.iter().any(|w| w == state.conflated) {
                return false;
            }
            if self
                .status
                .as_deref()
                .is_some_and(|word| word != state.status)
            {
                return false;
            }
        }
        let suite = &world.projects[batch.project].suites[batch.suite];
        if let Some(tags) = &self.tags
            && !tags.iter().any(|tag| suite.has_tag(index, *tag))
        {
            return false;
        }
        if let Some(name) = &self.name
            && !names::experience(suite.key, index).contains(name.as_str())
        {
            return false;
        }
        if let Some(text) = &self.text {
            let name = names::experience(suite.key, index);
            let description = names::experience_description(suite.key, index);
            if !name.contains(text.as_str()) && !description.to_lowercase().contains(text.as_str())
            {
                return false;
            }
        }
        !self.analysis
    }
}

/// Tests of one batch, in the order of the suite.
pub(super) fn list(world: &World, call: &Call<'_>, at: &At) -> Answer {
    let page = call.query.page(call.path)?;
    call.query.order(&["timestamp", "id", "experienceName"])?;
    let filter = Filter::read(world, call, at.project)?;
    let batch = &world.batches[at.batch];
    let size = batch.size();
    let offset = u32::try_from(page.offset).unwrap_or(u32::MAX);
    let mut items = Vec::with_capacity(page.size);
    let mut next = String::new();
    let unfiltered = filter.only_conflated() && filter.conflated.is_empty();
    for index in offset..size {
        if !unfiltered && !filter.holds(world, at.batch, index, call.now) {
            continue;
        }
        if items.len() == page.size {
            next = page.token(index as usize);
            break;
        }
        items.push(wire::job(world, at.batch, index, call.now));
    }
    // The total costs a look at every test only if a filter needs one.
    let total = if unfiltered {
        u64::from(size)
    } else if filter.only_conflated() {
        let counts = batch.counts(call.now);
        let of = |word: &str| match word {
            "QUEUED" => counts.submitted,
            "RUNNING" => counts.running + counts.metrics_queued + counts.metrics_running,
            "ERROR" => counts.error,
            "CANCELLED" => counts.cancelled,
            "BLOCKER" => counts.blocker,
            "WARNING" => counts.warning,
            _ => counts.passed,
        };
        let mut words = filter.conflated.clone();
        words.sort_unstable();
        words.dedup();
        words.iter().map(|word| u64::from(of(word))).sum()
    } else {
        (0..size)
            .filter(|index| filter.holds(world, at.batch, *index, call.now))
            .count() as u64
    };
    Ok(list_reply("jobs", items, next, Some(total)))
}

/// Tests of all batches of a project, newest batch first.
pub(super) fn list_all(world: &World, call: &Call<'_>, project: usize) -> Answer {
    let page = call.query.page(call.path)?;
    let mut before = 0;
    let mut items = Vec::new();
    for at in world.newest_first(project) {
        let size = world.batches[at].size() as usize;
        let from = page.offset.saturating_sub(before).min(size);
        let wanted = page.size - items.len();
        for index in (from..size).take(if page.offset < before + size {
            wanted
        } else {
            0
        }) {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            items.push(wire::job(world, at, index, call.now));
        }
        before += size;
    }
    let to = page.offset + items.len();
    let next = if to < before {
        page.token(to)
    } else {
        String::new()
    };
    Ok(list_reply("jobs", items, next, Some(before as u64)))
}

/// Changes the description of a test.
pub(super) fn update(world: &mut World, call: &Call<'_>, at: &At, index: u32) -> Answer {
    let text = super::description(call.body)?;
    world.batches[at.batch].descriptions.insert(index, text);
    Ok(Reply::Json(wire::job(world, at.batch, index, call.now)))
}

/// The containers of a running test; 404 outside the running phase.
pub(super) fn containers(world: &World, call: &Call<'_>, at: &At, index: u32) -> Answer {
    let batch = &world.batches[at.batch];
    let state = batch.test(index, call.now);
    if state.conflated != "RUNNING" {
        return Err(Failure(
            404,
            "The test has no running container.".to_owned(),
        ));
    }
    let passage = &batch.runs[state.run].passage;
    let since = rfc3339(passage.moment(state.stages.start));
    let mut containers = vec![json!({
        "containerName": "experience", "status": "running", "statusChangedTimestamp": since,
    })];
    if state.status != "EXPERIENCE_RUNNING" {
        containers[0]["status"] = json!("exited");
        containers[0]["exitCode"] = json!(0);
        containers.push(json!({
            "containerName": "metrics",
            "status": if state.status == "METRICS_QUEUED" { "pending" } else { "running" },
            "statusChangedTimestamp": rfc3339(passage.moment(state.stages.metrics_queued)),
        }));
    }
    Ok(Reply::Json(
        json!({ "containerStatuses": Value::Array(containers) }),
    ))
}
