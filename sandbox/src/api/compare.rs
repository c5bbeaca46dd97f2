//! Two batches side by side (§2.3 #10, #11).

use serde_json::{Value, json};

use super::{Answer, At, Call, Reply, bad, list as list_reply, wire};
use crate::world::World;
use crate::world::names;

/// How an experience fares on both sides; the order of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    OneFailing,
    BothFailing,
    BothPassing,
}

fn side(world: &World, at: usize, index: u32, now: i64) -> Value {
    let batch = &world.batches[at];
    let state = batch.test(index, now);
    let metrics = match state.conflated {
        "PASSED" => json!(4),
        "WARNING" | "BLOCKER" => json!(1),
        _ => Value::Null,
    };
    json!({"jobID": batch.job_id(index), "status": state.conflated, "numMetrics": metrics})
}

/// Tests of two batches, matched by experience.
pub(super) fn compare(world: &World, call: &Call<'_>, at: &At, other: &str) -> Answer {
    let other = super::batch(world, at.project, other)?;
    let page = call.query.page(call.path)?;
    let wanted = match call.query.get("status") {
        None => None,
        Some("BOTH_PASSING") => Some(Rank::BothPassing),
        Some("BOTH_FAILING") => Some(Rank::BothFailing),
        Some("ONE_FAILING") => Some(Rank::OneFailing),
        Some(word) => return Err(bad(format!("status: unknown value {word:?}."))),
    };
    let text = call.query.get("search").unwrap_or_default().to_lowercase();
    let (from, to) = (&world.batches[at.batch], &world.batches[other]);
    let same = from.suite == to.suite;
    // (suite key, index in `from`, index in `to`)
    let key =
        |batch: &crate::world::batch::Batch| world.projects[batch.project].suites[batch.suite].key;
    let size = if same {
        from.size().max(to.size())
    } else {
        from.size()
    };
    let mut rows: Vec<(u64, Option<u32>, Option<u32>)> = (0..size)
        .map(|i| {
            let right = same && i < to.size();
            (
                key(from),
                (i < from.size()).then_some(i),
                right.then_some(i),
            )
        })
        .collect();
    if !same {
        rows.extend((0..to.size()).map(|i| (key(to), None, Some(i))));
    }
    let failing = |at: usize, index: Option<u32>| {
        index.is_some_and(|index| {
            let word = world.batches[at].test(index, call.now).conflated;
            matches!(word, "ERROR" | "BLOCKER" | "WARNING")
        })
    };
    let mut found = Vec::new();
    for (key, left, right) in rows {
        let rank = match (failing(at.batch, left), failing(other, right)) {
            (true, true) => Rank::BothFailing,
            (false, false) => Rank::BothPassing,
            _ => Rank::OneFailing,
        };
        let index = left.or(right).unwrap_or(0);
        if wanted.is_some_and(|wanted| wanted != rank)
            || !(text.is_empty() || names::experience(key, index).contains(&text))
        {
            continue;
        }
        found.push((rank, key, left, right));
    }
    found.sort_by_key(|(rank, ..)| *rank);
    let total = found.len() as u64;
    let (cut, next) = page.cut(&found);
    let suites = &world.projects[at.project].suites;
    let tests = cut
        .into_iter()
        .map(|(_, key, left, right)| {
            let index = left.or(right).unwrap_or(0);
            let suite = if left.is_some() { from.suite } else { to.suite };
            json!({
                "experienceID": suites[suite].experience_id(index),
                "experienceName": names::experience(key, index),
                "fromTest": left.map(|i| side(world, at.batch, i, call.now)),
                "toTest": right.map(|i| side(world, other, i, call.now)),
            })
        })
        .collect();
    Ok(list_reply("tests", tests, next, Some(total)))
}

/// Batches worth comparing with: same suite, launched before.
pub(super) fn suggestions(world: &World, call: &Call<'_>, at: &At) -> Reply {
    let this = &world.batches[at.batch];
    let home = &world.projects[at.project];
    let branch = home.builds[this.build].branch;
    let find = |branch: usize, passing: bool| {
        world
            .newest_first(at.project)
            .into_iter()
            .find(|other| {
                let batch = &world.batches[*other];
                *other != at.batch
                    && batch.suite == this.suite
                    && batch.created <= this.created
                    && home.builds[batch.build].branch == branch
                    && (!passing || wire::batch_words(batch, call.now).1 == "COMPLETE")
            })
            .map(|other| wire::batch(world, other, call.now))
    };
    Reply::Json(json!({
        "lastPassingOnMain": find(0, true),
        "latestOnMain": find(0, false),
        "lastPassingOnBranch": find(branch, true),
        "latestOnBranch": find(branch, false),
    }))
}
