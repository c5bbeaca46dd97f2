//! Lists that span pages, names that stand for IDs, and what a page reads once.
//! Nothing here is tried again: whoever asks shows the failure and decides.

use futures::future::join;
use retake_core::{
    api::{
        ApiError, LogFile, Page, Paging, TestQuery, endpoint,
        resolve::{BatchStep, ProjectStep, ResolveBatch, ResolveProject},
    },
    domain::{Batch, BatchId, ConflatedStatus, Project, ProjectId, Test, TestHistory, TestId},
    supervise::{Counted, NotPassed},
};

use crate::client::Client;

/// Reads a list page by page: `read` gets the page of a token, `take` its items and says
/// whether to go on. Whether it was read to its end is the answer.
///
/// # Errors
/// A page could not be read, or the pages go in circles.
pub(super) async fn each_page<T>(
    what: &'static str,
    read: impl AsyncFn(Option<&str>) -> Result<Page<T>, ApiError>,
    mut take: impl FnMut(Vec<T>) -> bool,
) -> Result<bool, ApiError> {
    let mut paging = Paging::default();
    let mut token = None;
    loop {
        let page = read(token.as_deref()).await?;
        token = paging.turn(what, &page)?;
        let goes_on = take(page.items);
        if token.is_none() || !goes_on {
            return Ok(token.is_none());
        }
    }
}

/// Every test of a batch, in the server's order, page by page without retries:
/// whoever asks decides what a failure means.
///
/// # Errors
/// A page could not be read, or the pages go in circles.
pub async fn all_tests(
    client: &Client,
    project: ProjectId,
    batch: BatchId,
) -> Result<Vec<Test>, ApiError> {
    tests_of(client, project, batch, &TestQuery::default(), |_| true).await
}

/// How many tests of a batch passed, and the others page by page if they are wanted, all
/// without retries.
///
/// # Errors
/// A page could not be read, or the pages go in circles.
pub async fn not_passed(
    client: &Client,
    project: ProjectId,
    batch: BatchId,
    expected: Counted,
) -> Result<NotPassed, ApiError> {
    let count = endpoint::count_tests(project, batch, &ConflatedStatus::Passed);
    client.charge();
    let counted = client.send(&count).await?;
    let mut answer = NotPassed {
        passed: counted,
        tests: Vec::new(),
    };
    if expected.wants_others(counted) {
        let query = TestQuery {
            statuses: NotPassed::states().cloned().collect(),
            ..TestQuery::default()
        };
        answer.tests = tests_of(client, project, batch, &query, NotPassed::is_asked).await?;
    }
    Ok(answer)
}

/// The tests of this listing, up to the page on which one is not as it was `asked` for.
async fn tests_of(
    client: &Client,
    project: ProjectId,
    batch: BatchId,
    query: &TestQuery,
    asked: fn(&Test) -> bool,
) -> Result<Vec<Test>, ApiError> {
    let mut tests = Vec::new();
    let read = async |token: Option<&str>| {
        client.charge();
        let call = endpoint::list_tests(project, batch, query, token);
        client.send(&call).await
    };
    each_page("list the tests", read, |page: Vec<Test>| {
        let heeded = page.iter().all(asked);
        tests.extend(page);
        heeded
    })
    .await?;
    Ok(tests)
}

/// Every project that the account sees.
///
/// # Errors
/// A page could not be read, or the pages go in circles.
pub async fn all_projects(client: &Client) -> Result<Vec<Project>, ApiError> {
    let mut projects: Vec<Project> = Vec::new();
    let read = async |token: Option<&str>| client.send(&endpoint::list_projects(token)).await;
    each_page("list the projects", read, |page| {
        for project in page {
            // Pages are no snapshot: an entry may come twice.
            if !projects.iter().any(|it| it.id == project.id) {
                projects.push(project);
            }
        }
        true
    })
    .await?;
    Ok(projects)
}

/// One test with the way it went.
///
/// # Errors
/// It could not be read.
pub async fn test_history(
    client: &Client,
    project: ProjectId,
    batch: BatchId,
    test: TestId,
) -> Result<TestHistory, ApiError> {
    client.send(&endpoint::get_test(project, batch, test)).await
}

/// The first hundred files of a test.
///
/// # Errors
/// They could not be listed.
pub async fn test_files(
    client: &Client,
    project: ProjectId,
    batch: BatchId,
    test: TestId,
) -> Result<Page<LogFile>, ApiError> {
    let call = endpoint::list_test_logs(project, batch, test, None);
    client.send(&call).await
}

/// The project of this name or ID.
///
/// # Errors
/// There is none, or it could not be looked for.
pub async fn find_project(client: &Client, text: &str) -> Result<Project, ApiError> {
    let (mut search, mut step) = ResolveProject::begin(text);
    loop {
        step = match step {
            ProjectStep::Read(id) => search.read(client.send(&endpoint::get_project(id)).await),
            ProjectStep::List(token) => search.listed(
                client
                    .send(&endpoint::list_projects(token.as_deref()))
                    .await,
            ),
            ProjectStep::Done(result) => return result,
        };
    }
}

/// A batch (`text`) with its project, each by name or ID. Where the project's ID is
/// known, both are asked for at once: the tests of the batch are then two round trips
/// away, not three.
///
/// # Errors
/// One of them is not there, or could not be looked for.
pub async fn project_and_batch(
    client: &Client,
    project: &str,
    text: &str,
) -> Result<(Project, Batch), ApiError> {
    let project = match project.parse::<ProjectId>() {
        Ok(id) => {
            let both = join(find_project(client, project), find_batch(client, id, text));
            let (project, batch) = both.await;
            let project = project?;
            // Otherwise it is only named like an ID (`resim-api.md` §8).
            if project.id == id {
                return Ok((project, batch?));
            }
            project
        }
        Err(_) => find_project(client, project).await?,
    };
    let batch = find_batch(client, project.id, text).await?;
    Ok((project, batch))
}

/// How many batches of a project have this name, and whether there may be more: the
/// first page that the server finds is counted.
///
/// # Errors
/// The list could not be read.
pub async fn namesakes(
    client: &Client,
    project: ProjectId,
    name: &str,
) -> Result<(usize, bool), ApiError> {
    let page = client
        .send(&endpoint::list_batches(project, name, None))
        .await?;
    let count = page
        .items
        .iter()
        .filter(|it| it.name.as_deref() == Some(name));
    Ok((count.count(), page.next.is_some()))
}

/// The batch of this ID, or the newest of this name.
///
/// # Errors
/// There is none, or it could not be looked for.
pub async fn find_batch(
    client: &Client,
    project: ProjectId,
    text: &str,
) -> Result<Batch, ApiError> {
    let (mut search, mut step) = ResolveBatch::begin(text);
    loop {
        step = match step {
            BatchStep::Read(id) => {
                search.read(client.send(&endpoint::get_batch(project, id)).await)
            }
            BatchStep::LookUp => {
                search.looked_up(client.send(&endpoint::lookup_batch(project, text)).await)
            }
            BatchStep::List(token) => {
                let call = endpoint::list_batches(project, "", token.as_deref());
                search.listed(client.send(&call).await)
            }
            BatchStep::Done(result) => return result.map(|batch| *batch),
        };
    }
}
