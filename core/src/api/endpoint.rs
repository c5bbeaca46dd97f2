//! Every call that Retake makes (`resim-api.md` §2.3), as values.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Answer, ApiError, Call, LogFile, Method, Page, Request, RerunAnswer, RerunRequest, RerunScope,
    answer, convert, wire,
};
use crate::domain::{
    Batch, BatchId, BranchId, BuildId, ConflatedStatus, ExperienceTag, ExperienceTagId, Project,
    ProjectId, SystemId, Test, TestHistory, TestId, TestSuiteId,
};

/// Items asked for in a page, the most that the API gives.
pub const PAGE_SIZE: u32 = 100;

/// What stays as it is in a path segment or a query value (RFC 3986 §2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Builds a query string, parameters in order of their addition.
struct Query(String);

impl Query {
    fn paged(token: Option<&str>) -> Self {
        Self::of_size(PAGE_SIZE, token)
    }

    fn of_size(page: u32, token: Option<&str>) -> Self {
        Self(format!("?pageSize={page}")).with("pageToken", token)
    }

    fn with(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.push_str(&format!("&{name}={}", escape(value)));
        }
        self
    }

    /// Several values in the comma form; the comma goes out as `%2C`.
    fn with_list(self, name: &str, values: &[String]) -> Self {
        self.with(name, Some(&values.join(",")))
    }
}

fn get<T>(
    what: &'static str,
    path: String,
    read: impl Fn(&'static str, &Answer) -> Result<T, ApiError> + 'static,
) -> Call<T> {
    Call::new(
        Request {
            what,
            method: Method::Get,
            path,
            body: None,
        },
        read,
    )
}

/// An answer whose array is missing is broken: an empty list is sent as `[]`.
fn array<T>(
    what: &'static str,
    answer: &Answer,
    name: &str,
    items: Option<Vec<T>>,
) -> Result<Vec<T>, ApiError> {
    items.ok_or_else(|| answer::unreadable(what, answer, format!("the list {name} is missing")))
}

/// Projects, newest first.
pub fn list_projects(token: Option<&str>) -> Call<Page<Project>> {
    let query = Query::paged(token).with("orderBy", Some("timestamp")).0;
    get(
        "list the projects",
        format!("projects{query}"),
        |what, answer| {
            let page: wire::ProjectPage = answer::json(what, answer, 200)?;
            let projects = array(what, answer, "projects", page.projects)?;
            let projects = projects.into_iter().filter_map(convert::project).collect();
            Ok(convert::page(answer, projects, page.next_page_token, None))
        },
    )
}

/// One project.
pub fn get_project(project: ProjectId) -> Call<Project> {
    get(
        "read the project",
        format!("projects/{project}"),
        |what, answer| {
            convert::project(answer::json(what, answer, 200)?)
                .ok_or_else(|| answer::unreadable(what, answer, "the project has no ID".into()))
        },
    )
}

/// Batches of a project, newest first. `text` matches names and build versions.
pub fn list_batches(project: ProjectId, text: &str, token: Option<&str>) -> Call<Page<Batch>> {
    let query = Query::paged(token)
        .with("orderBy", Some("timestamp"))
        .with("text", Some(text))
        .0;
    get(
        "list the batches",
        format!("projects/{project}/batches{query}"),
        |what, answer| {
            let page: wire::BatchPage = answer::json(what, answer, 200)?;
            let batches = array(what, answer, "batches", page.batches)?;
            let batches = batches
                .into_iter()
                .filter_map(|it| convert::batch(it, None))
                .collect();
            Ok(convert::page(
                answer,
                batches,
                page.next_page_token,
                page.total,
            ))
        },
    )
}

/// One batch: the call that polls.
pub fn get_batch(project: ProjectId, batch: BatchId) -> Call<Batch> {
    get(
        "read the batch",
        format!("projects/{project}/batches/{batch}"),
        move |what, answer| {
            let read = convert::batch(answer::json(what, answer, 200)?, Some(batch))
                .ok_or_else(|| answer::unreadable(what, answer, "the batch has no ID".into()))?;
            if read.id == batch {
                Ok(read)
            } else {
                // Nothing may be decided for one batch on the picture of another.
                let why = format!("it is of another batch, {}", read.id);
                Err(answer::unreadable(what, answer, why))
            }
        },
    )
}

/// ID of the newest batch of this name. A newer call: 404 also where the
/// deployment lacks it, so the caller falls back to paging.
pub fn lookup_batch(project: ProjectId, name: &str) -> Call<BatchId> {
    let path = format!("projects/{project}/batches/lookup/name/{}/", escape(name));
    get("find the batch by name", path, |what, answer| {
        let id: String = answer::json(what, answer, 200)?;
        id.parse()
            .map_err(|error| answer::unreadable(what, answer, format!("{error}")))
    })
}

/// Cancels a batch: queued tests stop at once, running ones finish.
pub fn cancel_batch(project: ProjectId, batch: BatchId) -> Call<()> {
    let path = format!("projects/{project}/batches/{batch}/:cancel");
    Call::new(
        Request {
            what: "cancel the batch",
            method: Method::Post,
            path,
            body: None,
        },
        |what, answer| answer::expect_status(what, answer, 200),
    )
}

/// Runs tests, their metrics or the batch metrics again (`resim-api.md` §5).
pub fn rerun_batch(project: ProjectId, batch: BatchId, rerun: &RerunRequest) -> Call<RerunAnswer> {
    let body = wire::RerunInput {
        job_ids: rerun.scope.tests(),
        sync_batch: rerun.sync_with_suite,
        rerun_metrics_only: matches!(rerun.scope, RerunScope::TestMetrics(_)),
    };
    let body = serde_json::to_string(&body).expect("IDs and booleans serialise");
    let path = format!("projects/{project}/batches/{batch}/rerun");
    Call::new(
        Request {
            what: "rerun the batch",
            method: Method::Post,
            path,
            body: Some(body),
        },
        |what, answer| Ok(convert::rerun(&answer::json(what, answer, 200)?)),
    )
}

/// Narrows a listing of tests at the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TestQuery {
    /// Any of these words; empty: all.
    pub statuses: Vec<ConflatedStatus>,
    /// Tests whose experience wears one of these tags; empty: all.
    pub tags: Vec<ExperienceTagId>,
}

/// How many tests of a batch are in this state: what a listing says of itself on a page of
/// one. `None` where the API does not say.
pub fn count_tests(
    project: ProjectId,
    batch: BatchId,
    state: &ConflatedStatus,
) -> Call<Option<u64>> {
    let query = Query::of_size(1, None)
        .with("conflatedStatus", Some(state.word()))
        .0;
    let path = format!("projects/{project}/batches/{batch}/jobs{query}");
    get("count the tests", path, |what, answer| {
        let page: wire::JobPage = answer::json(what, answer, 200)?;
        let jobs = array(what, answer, "jobs", page.jobs)?;
        Ok(convert::page(answer, jobs, None, page.total).total)
    })
}

/// Tests of a batch, in the server's order.
pub fn list_tests(
    project: ProjectId,
    batch: BatchId,
    query: &TestQuery,
    token: Option<&str>,
) -> Call<Page<Test>> {
    let words: Vec<String> = query
        .statuses
        .iter()
        .map(|it| it.word().to_owned())
        .collect();
    let tags: Vec<String> = query.tags.iter().map(ToString::to_string).collect();
    let query = Query::paged(token)
        .with_list("conflatedStatus", &words)
        .with_list("experienceTagIDs", &tags)
        .0;
    let path = format!("projects/{project}/batches/{batch}/jobs{query}");
    get("list the tests", path, |what, answer| {
        let page: wire::JobPage = answer::json(what, answer, 200)?;
        let jobs = array(what, answer, "jobs", page.jobs)?;
        let tests = jobs.into_iter().map(convert::test).collect();
        Ok(convert::page(
            answer,
            tests,
            page.next_page_token,
            page.total,
        ))
    })
}

/// One test with its status history.
pub fn get_test(project: ProjectId, batch: BatchId, test: TestId) -> Call<TestHistory> {
    let path = format!("projects/{project}/batches/{batch}/jobs/{test}");
    get("read the test", path, |what, answer| {
        Ok(convert::test_history(answer::json(what, answer, 200)?))
    })
}

/// Log files of a test. Their links expire: list again before each use.
pub fn list_test_logs(
    project: ProjectId,
    batch: BatchId,
    test: TestId,
    token: Option<&str>,
) -> Call<Page<LogFile>> {
    let query = Query::paged(token).0;
    let path = format!("projects/{project}/batches/{batch}/jobs/{test}/logs{query}");
    get("list the logs", path, |what, answer| {
        let page: wire::LogPage = answer::json(what, answer, 200)?;
        let logs = array(what, answer, "logs", page.logs)?;
        let logs = logs.into_iter().map(convert::log).collect();
        Ok(convert::page(
            answer,
            logs,
            page.next_page_token,
            page.total,
        ))
    })
}

/// Tags of a project's experiences.
pub fn list_tags(project: ProjectId, token: Option<&str>) -> Call<Page<ExperienceTag>> {
    let query = Query::paged(token).0;
    get(
        "list the tags",
        format!("projects/{project}/experienceTags{query}"),
        |what, answer| {
            let page: wire::TagPage = answer::json(what, answer, 200)?;
            let tags = array(what, answer, "experienceTags", page.experience_tags)?;
            let tags = tags.into_iter().filter_map(convert::tag).collect();
            Ok(convert::page(answer, tags, page.next_page_token, None))
        },
    )
}

fn name_of(what: &'static str, path: String) -> Call<String> {
    get(what, path, |what, answer| {
        let named: wire::Named = answer::json(what, answer, 200)?;
        Ok(convert::line(named.name).unwrap_or_default())
    })
}

/// Name of a system under test.
pub fn system_name(project: ProjectId, system: SystemId) -> Call<String> {
    name_of(
        "read the system",
        format!("projects/{project}/systems/{system}"),
    )
}

/// Name of a branch.
pub fn branch_name(project: ProjectId, branch: BranchId) -> Call<String> {
    name_of(
        "read the branch",
        format!("projects/{project}/branches/{branch}"),
    )
}

/// Version of a build, else its name.
pub fn build_version(project: ProjectId, build: BuildId) -> Call<String> {
    get(
        "read the build",
        format!("projects/{project}/builds/{build}"),
        |what, answer| {
            let named: wire::Named = answer::json(what, answer, 200)?;
            let version = named.version.filter(|version| !version.is_empty());
            Ok(convert::line(version.or(named.name)).unwrap_or_default())
        },
    )
}

/// Name of a test suite; the revision is the batch's own.
pub fn suite_name(project: ProjectId, suite: TestSuiteId) -> Call<String> {
    // "suites" here, "test-suites" in the app's links (`resim-api.md` §2.3).
    name_of(
        "read the test suite",
        format!("projects/{project}/suites/{suite}"),
    )
}
