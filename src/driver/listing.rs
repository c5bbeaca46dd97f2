//! Lists that span pages, and names that stand for IDs.

use retake_core::{
    api::{
        ApiError, ErrorKind, Page, Paging, TestQuery, endpoint,
        resolve::{ResolveProject, Step},
    },
    domain::{Batch, BatchId, Project, ProjectId, Test},
};

use crate::client::Client;

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
    let mut tests = Vec::new();
    let mut paging = Paging::default();
    let mut token = None;
    loop {
        let call = endpoint::list_tests(project, batch, &TestQuery::default(), token.as_deref());
        client.charge();
        let page: Page<Test> = client.send(&call).await?;
        token = paging.turn("list the tests", &page)?;
        tests.extend(page.items);
        if token.is_none() {
            return Ok(tests);
        }
    }
}

/// The project of this name or ID.
///
/// # Errors
/// There is none, or it could not be looked for.
pub async fn find_project(client: &Client, text: &str) -> Result<Project, ApiError> {
    let (mut search, mut step) = ResolveProject::begin(text);
    loop {
        step = match step {
            Step::Read(id) => search.read(client.read(&endpoint::get_project(id)).await),
            Step::List(token) => search.listed(
                client
                    .read(&endpoint::list_projects(token.as_deref()))
                    .await,
            ),
            Step::Done(result) => return result,
        };
    }
}

/// The batch of this ID, or the newest of this name: by the lookup call, and by
/// paging where the deployment lacks it (`resim-api.md` §2.4).
///
/// # Errors
/// There is none, or it could not be looked for.
pub async fn find_batch(
    client: &Client,
    project: ProjectId,
    text: &str,
) -> Result<Batch, ApiError> {
    if let Ok(id) = text.parse::<BatchId>() {
        return client.read(&endpoint::get_batch(project, id)).await;
    }
    match client.read(&endpoint::lookup_batch(project, text)).await {
        Ok(id) => return client.read(&endpoint::get_batch(project, id)).await,
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Refused) => {}
        Err(error) => return Err(error),
    }
    let mut paging = Paging::default();
    let mut token = None;
    loop {
        let call = endpoint::list_batches(project, "", token.as_deref());
        let page = client.read(&call).await?;
        token = paging.turn("find the batch by name", &page)?;
        if let Some(batch) = page
            .items
            .into_iter()
            .find(|it| it.name.as_deref() == Some(text))
        {
            return Ok(batch);
        }
        if token.is_none() {
            let why = format!("no batch has the name or ID {text}");
            return Err(ApiError::new("find the batch", ErrorKind::NotFound, why));
        }
    }
}
