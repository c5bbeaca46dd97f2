//! Projects and what belongs to them (§2.3 #1, #2, #28–#37).

use serde_json::{Value, json};

use super::wire::{ORG, USER};
use super::{Answer, Call, Reply, batches, list as list_reply, not_found, wire};
use crate::clock::rfc3339;
use crate::world::{Project, Suite, World};

/// All projects, newest first, archived ones included.
pub(super) fn projects(world: &World, call: &Call<'_>) -> Answer {
    let page = call.query.page(call.path)?;
    call.query.order(&["timestamp", "id", "name"])?;
    let mut order: Vec<usize> = (0..world.projects.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(world.projects[*at].created));
    let (cut, next) = page.cut(&order);
    let items = cut.into_iter().map(|at| wire::project(world, at)).collect();
    Ok(list_reply("projects", items, next, None))
}

/// The launch quota.
pub(super) fn quota() -> Reply {
    Reply::Json(json!({
        "orgID": ORG,
        "availableTokens": 4_200,
        "maxTokens": 5_000,
        "secondsUntilRefresh": 86_400,
    }))
}

/// The single objects and small lists of a project; `None` if the path is
/// not one of them.
pub(super) fn below_project(
    world: &World,
    call: &Call<'_>,
    project: usize,
    rest: &[&str],
) -> Option<Answer> {
    let home = &world.projects[project];
    Some(match rest {
        ["systems", id] => find(&home.systems, id, "System", |s| s.id.to_string())
            .map(|at| Reply::Json(system(world, project, at))),
        ["builds", id] => find(&home.builds, id, "Build", |b| b.id.to_string())
            .map(|at| Reply::Json(build(home, at))),
        ["branches"] => branches(home, call),
        ["branches", id] => find(&home.branches, id, "Branch", |b| b.id.to_string())
            .map(|at| Reply::Json(branch(home, at))),
        ["experienceTags"] => tags(home, call),
        ["suites", id, rest @ ..] => {
            let at = match find(&home.suites, id, "Test suite", |s| s.id.to_string()) {
                Ok(at) => at,
                Err(failure) => return Some(Err(failure)),
            };
            let suite = &home.suites[at];
            match rest {
                [] => Ok(Reply::Json(test_suite(home, suite, suite.revision()))),
                ["batches"] => batches::list(world, call, project, Some((at, None))),
                ["revisions", revision, rest @ ..] => {
                    let number = revision.parse::<u32>().ok();
                    let Some(number) = number.filter(|n| (1..=suite.revision()).contains(n)) else {
                        return Some(Err(not_found("Revision", revision)));
                    };
                    match rest {
                        [] => Ok(Reply::Json(test_suite(home, suite, number))),
                        ["batches"] => {
                            batches::list(world, call, project, Some((at, Some(number))))
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn find<T>(
    items: &[T],
    id: &str,
    what: &str,
    id_of: impl Fn(&T) -> String,
) -> Result<usize, super::Failure> {
    items
        .iter()
        .position(|item| id_of(item).eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(what, id))
}

fn system(world: &World, project: usize, at: usize) -> Value {
    let home = &world.projects[project];
    let system = &home.systems[at];
    let suites = home.suites.iter().filter(|s| s.system == at).count();
    let builds = home.builds.iter().filter(|b| b.system == at).count();
    let batches = home
        .batches
        .iter()
        .filter(|b| home.suites[world.batches[**b].suite].system == at)
        .count();
    json!({
        "systemID": system.id,
        "projectID": home.id,
        "name": system.name,
        "description": system.description,
        "architecture": "AMD64",
        "build_vcpus": 4,
        "build_memory_mib": 16_384,
        "build_gpus": system.gpus,
        "build_shared_memory_mb": 64,
        "metrics_build_vcpus": 2,
        "metrics_build_memory_mib": 4_096,
        "metrics_build_gpus": 0,
        "metrics_build_shared_memory_mb": 64,
        "numBuilds": builds,
        "numTestSuites": suites,
        "numExperiences": 326,
        "numMetricsBuilds": 1,
        "numBatches": batches,
        "creationTimestamp": rfc3339(home.created),
        "updateTimestamp": rfc3339(home.created),
        "updateUserID": USER,
        "userID": USER,
        "orgID": ORG,
        "archived": false,
    })
}

fn build(home: &Project, at: usize) -> Value {
    let build = &home.builds[at];
    json!({
        "buildID": build.id,
        "branchID": home.branches[build.branch].id,
        "projectID": home.id,
        "systemID": home.systems[build.system].id,
        "name": build.message,
        "description": build.message,
        "version": build.version,
        "imageUri": format!("registry.example.com/{}:{}", home.systems[build.system].name, build.version),
        "buildSpecification": "services:\n  system:\n    image: robot\n",
        "associatedAccount": "ci-github",
        "creationTimestamp": rfc3339(build.created),
        "updateTimestamp": rfc3339(build.created),
        "updateUserID": USER,
        "userID": USER,
        "orgID": ORG,
        "numAssets": 0,
    })
}

fn branch(home: &Project, at: usize) -> Value {
    let branch = &home.branches[at];
    json!({
        "branchID": branch.id,
        "name": branch.name,
        "projectID": home.id,
        "branchType": branch.kind,
        "creationTimestamp": rfc3339(home.created),
        "userID": USER,
        "orgID": ORG,
    })
}

fn branches(home: &Project, call: &Call<'_>) -> Answer {
    let page = call.query.page(call.path)?;
    call.query.order(&["id", "timestamp", "activity", "rank"])?;
    let name = call.query.get("name").unwrap_or_default();
    let kind = call.query.get("branchType");
    let found: Vec<usize> = (0..home.branches.len())
        .filter(|at| home.branches[*at].name.contains(name))
        .filter(|at| kind.is_none_or(|kind| home.branches[*at].kind == kind))
        .collect();
    let (cut, next) = page.cut(&found);
    let items = cut.into_iter().map(|at| branch(home, at)).collect();
    Ok(list_reply("branches", items, next, None))
}

fn tags(home: &Project, call: &Call<'_>) -> Answer {
    let page = call.query.page(call.path)?;
    call.query.order(&["id", "timestamp", "rank"])?;
    let name = call.query.get("name").unwrap_or_default();
    let found: Vec<Value> = home
        .tags
        .iter()
        .filter(|tag| tag.name.contains(name))
        .map(|tag| {
            json!({
                "experienceTagID": tag.id,
                "projectID": home.id,
                "name": tag.name,
                "description": format!("Scenarios marked {}", tag.name),
                "creationTimestamp": rfc3339(home.created),
                "userID": USER,
                "orgID": ORG,
            })
        })
        .collect();
    let (cut, next) = page.cut(&found);
    Ok(list_reply("experienceTags", cut, next, None))
}

fn test_suite(home: &Project, suite: &Suite, revision: u32) -> Value {
    let size = suite.sizes[revision as usize - 1];
    let experiences: Vec<_> = (0..size).map(|index| suite.experience_id(index)).collect();
    json!({
        "testSuiteID": suite.id,
        "testSuiteRevision": revision,
        "name": suite.name,
        "description": suite.description,
        "projectID": home.id,
        "systemID": home.systems[suite.system].id,
        "experiences": experiences,
        "metricsBuildID": null,
        "metricsSetName": "Nightly Metrics",
        "archived": false,
        "showOnSummary": true,
        "creationTimestamp": rfc3339(suite.created),
        "updateTimestamp": rfc3339(suite.created),
        "updateUserID": USER,
        "userID": USER,
        "orgID": ORG,
    })
}
