//! The list of a project's batches while it is open: the newest page is read again and
//! again over what is loaded, older pages on demand.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
};

use super::words;
use crate::{
    domain::{Batch, BatchId},
    order,
};

/// Whether a newest page reaches what is loaded, or shares a batch with it. If not, what
/// lies between is not known.
pub fn meets(loaded: &[Batch], page: &[Batch]) -> bool {
    let loaded = ids(loaded);
    page.iter().any(|it| loaded.contains(&it.id))
}

/// What is loaded, has not finished, and is not on this page: no newest page will ever
/// tell how it ended.
pub fn still_running(loaded: &[Batch], page: &[Batch]) -> Vec<BatchId> {
    let page = ids(page);
    loaded
        .iter()
        .filter(|it| !page.contains(&it.id) && !it.is_terminal())
        .map(|it| it.id)
        .collect()
}

/// Newer pictures replace older ones; the newest batch stands first.
pub fn put_over(loaded: &mut Vec<Batch>, read: Vec<Batch>) {
    let mut all: BTreeMap<BatchId, Batch> = loaded.drain(..).map(|it| (it.id, it)).collect();
    all.extend(read.into_iter().map(|it| (it.id, it)));
    *loaded = all.into_values().collect();
    order::sort_by_key(loaded, |it| Reverse((it.created, it.id)));
}

fn ids(batches: &[Batch]) -> HashSet<BatchId> {
    batches.iter().map(|it| it.id).collect()
}

/// How much of the list there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent<'a> {
    /// How many are loaded.
    pub loaded: usize,
    /// How many of these a filter shows; `None` without one.
    pub shown: Option<usize>,
    /// Older ones can be read.
    pub has_more: bool,
    /// Why they cannot, if they should be there.
    pub broken: Option<&'a str>,
}

/// The line below the list.
pub fn foot(extent: &Extent<'_>) -> String {
    let all = extent.broken.is_none() && !extent.has_more;
    let loaded = words::number(extent.loaded as u64);
    let shown = extent.shown.map(|shown| words::number(shown as u64));
    let first = match (shown, all) {
        (Some(shown), true) => format!("{shown} of {loaded} batches match"),
        (Some(shown), false) => format!("{shown} of the {loaded} loaded batches match"),
        (None, true) => format!("All {loaded} loaded"),
        (None, false) => format!("{loaded} loaded"),
    };
    match extent.broken {
        Some(why) => format!("{first}. Older ones cannot be read: {}.", words::clean(why)),
        None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchStatus, Timestamp};

    fn batch(n: u128, created: i64, status: BatchStatus) -> Batch {
        let mut batch = Batch::new(BatchId::from_u128(n));
        batch.created = Some(Timestamp::from_millis(created));
        batch.status = Some(status);
        batch
    }

    fn numbers(batches: &[Batch]) -> Vec<BatchId> {
        batches.iter().map(|it| it.id).collect()
    }

    fn of(numbers: &[u128]) -> Vec<BatchId> {
        numbers.iter().map(|n| BatchId::from_u128(*n)).collect()
    }

    #[test]
    fn a_page_meets_what_is_loaded_where_they_share_a_batch() {
        let ended = |n| batch(n, 1, BatchStatus::Succeeded);
        assert!(meets(&[ended(1), ended(2)], &[ended(3), ended(2)]));
        assert!(!meets(&[ended(1), ended(2)], &[ended(3), ended(4)]));
        assert!(!meets(&[], &[ended(3)]));
    }

    #[test]
    fn only_what_runs_and_is_not_on_the_page_is_looked_at_by_itself() {
        let loaded = [
            batch(1, 5, BatchStatus::ExperiencesRunning),
            batch(2, 4, BatchStatus::ExperiencesRunning),
            batch(3, 3, BatchStatus::Succeeded),
        ];
        assert_eq!(still_running(&loaded, &loaded[..1]), of(&[2]));
        assert_eq!(still_running(&loaded, &loaded), of(&[]));
    }

    #[test]
    fn a_newer_picture_replaces_the_older_one_and_the_newest_batch_stands_first() {
        let mut loaded = vec![
            batch(1, 10, BatchStatus::ExperiencesRunning),
            batch(2, 30, BatchStatus::Succeeded),
        ];
        let read = vec![
            batch(3, 20, BatchStatus::Submitted),
            batch(1, 10, BatchStatus::Error),
        ];
        put_over(&mut loaded, read);
        assert_eq!(numbers(&loaded), of(&[2, 3, 1]));
        assert_eq!(loaded[2].status, Some(BatchStatus::Error));
    }

    #[test]
    fn the_foot_says_how_much_of_what_is_shown() {
        let extent = |shown, has_more, broken| Extent {
            loaded: 1_080,
            shown,
            has_more,
            broken,
        };
        for (extent, words) in [
            (extent(None, false, None), "All 1,080 loaded"),
            (extent(None, true, None), "1,080 loaded"),
            (extent(Some(2), false, None), "2 of 1,080 batches match"),
            (
                extent(Some(2), true, None),
                "2 of the 1,080 loaded batches match",
            ),
            (
                extent(None, false, Some("the pages go in circles")),
                "1,080 loaded. Older ones cannot be read: the pages go in circles.",
            ),
            (
                extent(Some(0), false, Some("no answer")),
                "0 of the 1,080 loaded batches match. Older ones cannot be read: no answer.",
            ),
        ] {
            assert_eq!(foot(&extent), words);
        }
    }
}
