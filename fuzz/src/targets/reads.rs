//! Answers that are only shown.

use retake_core::{
    api::{
        ApiError, ErrorKind, RerunRequest, TestIds, TestQuery, endpoint,
        resolve::{ProjectStep, ResolveProject},
    },
    domain::{BranchId, BuildId, ExperienceTagId, SystemId, TestId, TestSuiteId, Timestamp},
};

use super::{
    Outcome,
    acting::check_test,
    promise::{are_readable, holds, is_readable, is_told},
};
use crate::{
    class::{of_error, of_features, size},
    input,
    judge::Broken,
    stage::{BATCH, NAME, PROJECT},
};

const TEST: TestId = TestId::from_u128(1);

/// The outcome of a read whose value was checked.
fn outcome<T>(
    result: &Result<T, ApiError>,
    class: impl FnOnce(&T) -> Result<String, Broken>,
) -> Result<Outcome, Broken> {
    match result {
        Ok(value) => class(value).map(Outcome::valid),
        Err(error) => {
            is_told(error)?;
            Ok(Outcome::invalid(of_error(error)))
        }
    }
}

pub(super) fn test(bytes: &[u8]) -> Result<Outcome, Broken> {
    let result = endpoint::get_test(PROJECT, BATCH, TEST).read(&input::answer(bytes));
    outcome(&result, |it| {
        check_test(&it.test)?;
        let times: Vec<Option<Timestamp>> = it.changes.iter().map(|(_, at)| *at).collect();
        holds(times.is_sorted(), || "the history is not sorted".into())?;
        for (status, _) in &it.changes {
            is_readable("a status", status.word())?;
        }
        Ok(of_features(
            &format!(
                "test, changes {}, errors {}",
                size(it.changes.len()),
                size(it.test.errors.len())
            ),
            &[
                ("named", it.test.id.is_some()),
                ("failing", it.test.shown_status().is_failing()),
                ("described", it.test.description.is_some()),
                ("untimed", times.contains(&None)),
            ],
        ))
    })
}

pub(super) fn projects(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let one = endpoint::get_project(PROJECT).read(&answer);
    if let Ok(project) = &one {
        are_readable("a description", &project.description)?;
        return Ok(Outcome::valid(of_features(
            "one project",
            &[
                ("archived", project.archived),
                ("nameless", project.name.is_empty()),
                ("described", !project.description.is_empty()),
                ("dated", project.created.is_some()),
            ],
        )));
    }
    let result = endpoint::list_projects(None).read(&answer);
    // A search by name has an end, whatever the pages say.
    let (mut it, mut step) = ResolveProject::begin(NAME);
    let mut steps = 0;
    let found = loop {
        steps += 1;
        holds(steps <= 3, || "the search goes on".into())?;
        step = match step {
            ProjectStep::List(token) => {
                it.listed(endpoint::list_projects(token.as_deref()).read(&answer))
            }
            ProjectStep::Read(_) => return Err(Broken::Promise("a name is read as an ID".into())),
            ProjectStep::Done(result) => break result,
        };
    };
    if let Ok(project) = &found {
        holds(project.name == NAME, || {
            format!("{NAME} is {:?}", project.name)
        })?;
    }
    outcome(&result, |page| {
        for project in &page.items {
            are_readable("a description", &project.description)?;
            is_readable("a name", &retake_core::view::words::name(&project.name))?;
        }
        Ok(of_features(
            &format!("projects {}", size(page.items.len())),
            &[
                ("more", page.next.is_some()),
                ("found", found.is_ok()),
                ("archived", page.items.iter().any(|it| it.archived)),
            ],
        ))
    })
}

pub(super) fn tags(bytes: &[u8]) -> Result<Outcome, Broken> {
    let result = endpoint::list_tags(PROJECT, None).read(&input::answer(bytes));
    outcome(&result, |page| {
        for tag in &page.items {
            is_readable("a name", &retake_core::view::words::name(&tag.name))?;
        }
        let query = TestQuery {
            statuses: Vec::new(),
            tags: page
                .items
                .iter()
                .map(|it| it.id)
                .collect::<Vec<ExperienceTagId>>(),
        };
        let path = endpoint::list_tests(PROJECT, BATCH, &query, page.next.as_deref());
        is_path(&path.request.path)?;
        Ok(of_features(
            &format!("tags {}", size(page.items.len())),
            &[
                ("more", page.next.is_some()),
                ("nameless", page.items.iter().any(|it| it.name.is_empty())),
            ],
        ))
    })
}

/// What is sent as an address stays below the API's base.
fn is_path(path: &str) -> Result<(), Broken> {
    let base = url::Url::parse("https://api.example/v1/").expect("a base");
    let url = base
        .join(path)
        .map_err(|error| Broken::Promise(format!("{path}: {error}")))?;
    holds(
        url.as_str().starts_with("https://api.example/v1/projects/") && path.is_ascii(),
        || format!("a request leads to {url}"),
    )
}

pub(super) fn logs(bytes: &[u8]) -> Result<Outcome, Broken> {
    let result = endpoint::list_test_logs(PROJECT, BATCH, TEST, None).read(&input::answer(bytes));
    outcome(&result, |page| {
        for file in &page.items {
            is_readable("a file's name", &file.name)?;
            is_readable("a folder", &file.folder)?;
            is_readable("a kind", file.kind.as_deref().unwrap_or(""))?;
            let Some(link) = &file.download_url else {
                continue;
            };
            let url = url::Url::parse(link)
                .map_err(|error| Broken::Promise(format!("{link}: {error}")))?;
            let is_safe = matches!(url.scheme(), "https" | "http")
                && url.username().is_empty()
                && url.password().is_none();
            holds(is_safe, || format!("a download leads to {url}"))?;
        }
        Ok(of_features(
            &format!("logs {}", size(page.items.len())),
            &[
                ("more", page.next.is_some()),
                ("counted", page.total.is_some()),
                (
                    "linked",
                    page.items.iter().any(|it| it.download_url.is_some()),
                ),
                ("external", page.items.iter().any(|it| it.external)),
                ("sized", page.items.iter().any(|it| it.size.is_some())),
                (
                    "in folders",
                    page.items.iter().any(|it| !it.folder.is_empty()),
                ),
            ],
        ))
    })
}

pub(super) fn names(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let version = endpoint::build_version(PROJECT, BuildId::from_u128(1)).read(&answer);
    for call in [
        endpoint::system_name(PROJECT, SystemId::from_u128(1)),
        endpoint::branch_name(PROJECT, BranchId::from_u128(1)),
        endpoint::suite_name(PROJECT, TestSuiteId::from_u128(1)),
    ] {
        let name = call.read(&answer);
        holds(name.is_ok() == version.is_ok(), || {
            "only some names are read".into()
        })?;
        if let Ok(name) = &name {
            is_readable("a name", name)?;
        }
    }
    let name = endpoint::system_name(PROJECT, SystemId::from_u128(1)).read(&answer);
    outcome(&version, |version| {
        is_readable("a version", version)?;
        Ok(of_features(
            "names",
            &[
                ("empty", version.is_empty()),
                ("versioned", name.as_ref().is_ok_and(|name| name != version)),
                ("cut", version.ends_with('…')),
            ],
        ))
    })
}

pub(super) fn cancel(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let result = endpoint::cancel_batch(PROJECT, BATCH).read(&answer);
    holds(result.is_ok() == (answer.status == 200), || {
        format!("HTTP {} is {result:?}", answer.status)
    })?;
    outcome(&result, |()| Ok("cancelled".into()))
}

/// Whatever is no success is a failure for every call alike, by its status.
pub(super) fn failures(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let request = RerunRequest::tests(TestIds::new(vec![TEST]).expect("one test"));
    let errors = [
        endpoint::get_batch(PROJECT, BATCH).read(&answer).err(),
        endpoint::list_batches(PROJECT, "", None)
            .read(&answer)
            .err(),
        endpoint::rerun_batch(PROJECT, BATCH, &request)
            .read(&answer)
            .err(),
        endpoint::lookup_batch(PROJECT, NAME).read(&answer).err(),
        endpoint::list_projects(None).read(&answer).err(),
    ];
    errors.iter().flatten().try_for_each(is_told)?;
    if answer.status == 200 {
        let said = errors
            .iter()
            .flatten()
            .last()
            .map_or("read".into(), of_error);
        return Ok(Outcome::invalid(said));
    }
    let mut kinds = Vec::new();
    for error in &errors {
        let error = error.as_ref().ok_or_else(|| {
            Broken::ActedOnInvalid(format!("HTTP {} is a success", answer.status))
        })?;
        kinds.push(error.kind.clone());
    }
    holds(kinds.windows(2).all(|pair| pair[0] == pair[1]), || {
        format!("one status means several things: {kinds:?}")
    })?;
    // Only these say for certain that a POST was not applied.
    let is_certain = (400..500).contains(&answer.status) && answer.status != 408;
    holds(kinds[0].leaves_post_unknown() != is_certain, || {
        format!("HTTP {} is {:?}", answer.status, kinds[0])
    })?;
    let looks_odd = kinds[0] == ErrorKind::Unreadable;
    let error = errors[0].as_ref().expect("all of them failed");
    Ok(Outcome::invalid(format!(
        "HTTP {}xx{} {}",
        answer.status / 100,
        if looks_odd { " odd" } else { "" },
        of_error(error)
    )))
}
