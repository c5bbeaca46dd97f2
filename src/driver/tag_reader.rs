//! Reads the project's tags once somebody wants to see them, and which tests
//! wear the ticked ones, one tag after the other.
//!
//! The index in the store says what is due; each answer, failure or tick changes
//! it, and so leads to the next question. Nothing is asked before a menu is
//! opened or a tag ticked. Everything stops with the page.

use std::collections::HashSet;

use leptos::prelude::*;
use retake_core::{
    api::{ApiError, TestQuery, endpoint},
    domain::{BatchId, ExperienceTag, ExperienceTagId, ProjectId, TestId},
};

use super::{listing::each_page, task::while_open, tests_store::TestsStore};
use crate::{client::Client, reactive::effect};

/// Reads what the index in the store says is due, until the page goes.
pub fn read_tags(client: Client, project: ProjectId, batch: BatchId, store: TestsStore) {
    // The page's, not the effect's: that one is cleaned up at the next change.
    let owner = Owner::current().unwrap_or_default();
    effect(move |_| {
        let (names_are_due, due) = store.ticked.with(|ticked| {
            let tags = store.tags;
            tags.with(|index| (index.are_names_due(ticked), index.due(ticked)))
        });
        let tag = if names_are_due { None } else { due };
        if tag.is_none() && !names_are_due {
            return;
        }
        // This runs the effect once more, for what else is due.
        store.tags.update(|index| match tag {
            Some(tag) => index.begin(tag),
            None => index.begin_names(),
        });
        let read = async move {
            let Some(tag) = tag else {
                let read = names(client, project).await;
                store.tags.update(|index| index.name_all(read));
                return;
            };
            match wearers(client, project, batch, tag, store).await {
                Ok(Some(tests)) => store.tag_answered(tag, tests),
                Ok(None) => store.tags.update(|index| index.give_up(tag)),
                Err(error) => store.tags.update(|index| index.fail(tag, error)),
            }
        };
        owner.with(|| while_open(read));
    });
}

/// Every tag of the project.
async fn names(client: Client, project: ProjectId) -> Result<Vec<ExperienceTag>, ApiError> {
    let mut tags = Vec::new();
    let read = async |token: Option<&str>| client.read(&endpoint::list_tags(project, token)).await;
    each_page("list the tags", read, |page| {
        tags.extend(page);
        true
    })
    .await?;
    Ok(tags)
}

/// The tests that wear a tag; `None`: it was unticked meanwhile.
async fn wearers(
    client: Client,
    project: ProjectId,
    batch: BatchId,
    tag: ExperienceTagId,
    store: TestsStore,
) -> Result<Option<HashSet<TestId>>, ApiError> {
    let query = TestQuery {
        statuses: Vec::new(),
        tags: vec![tag],
    };
    let mut tests = HashSet::new();
    let read = async |token: Option<&str>| {
        let call = endpoint::list_tests(project, batch, &query, token);
        client.read(&call).await
    };
    let is_whole = each_page("list the tests", read, |page| {
        tests.extend(page.into_iter().filter_map(|test| test.id));
        store.ticked.with_untracked(|ticked| ticked.contains(&tag))
    })
    .await?;
    Ok(is_whole.then_some(tests))
}
