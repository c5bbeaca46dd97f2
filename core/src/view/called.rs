//! What a batch is called by, where several may have one name: in lists, notifications and
//! the tab's title.

use super::words;
use crate::{domain::BatchId, supervise::State};

/// What a batch is called by: its name and its ID, where they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Called {
    /// Its name.
    pub name: Option<String>,
    /// Its ID.
    pub batch: Option<BatchId>,
}

impl Called {
    /// What the batch of a supervision is called by.
    pub fn of(state: &State) -> Self {
        Self {
            name: state.name.clone(),
            batch: state.batch,
        }
    }

    /// What tells the batch from another one of its name among `all`: the beginning
    /// of its ID in brackets, to be set behind the name. Empty where none has.
    pub fn mark<'a>(&self, all: impl IntoIterator<Item = &'a Self>) -> String {
        let has_twin = self.name.is_some()
            && all
                .into_iter()
                .any(|it| it.name == self.name && it.batch != self.batch);
        let id = self.batch.filter(|_| has_twin);
        id.map_or(String::new(), |id| format!(" ({})", &id.to_string()[..8]))
    }

    /// `: nightly`, behind what a tab's title says of this batch; with its mark where
    /// another one of `all`, or `page`, is called the same. Empty if `page`, what the
    /// page is about, is this very batch and no supervised one has its name.
    pub fn in_title<'a>(&self, page: &'a Self, all: impl IntoIterator<Item = &'a Self>) -> String {
        let Some(name) = self.name.as_deref().map(words::title) else {
            return String::new();
        };
        let in_title = |it: &Self| Self {
            name: it.name.as_deref().map(words::title),
            batch: it.batch,
        };
        let others: Vec<Self> = all
            .into_iter()
            .chain(page.batch.is_some().then_some(page))
            .map(in_title)
            .collect();
        let mark = in_title(self).mark(&others);
        let is_of_page = self.batch.is_some() && self.batch == page.batch;
        if is_of_page && mark.is_empty() {
            return String::new();
        }
        format!(": {name}{mark}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Timestamp,
        rerun::Limits,
        supervise::{BatchRef, Event, Policy, Record},
    };

    fn called(id: u128, name: &str) -> Called {
        Called {
            name: Some(name.into()),
            batch: Some(BatchId::from_u128(id << 96)),
        }
    }

    #[test]
    fn batches_of_one_name_are_told_apart_by_their_ids() {
        let (a, again) = (
            called(0xb2ca_d0c7, "nightly"),
            called(0xb2ca_d0c7, "nightly"),
        );
        let (b, c) = (called(2, "nightly"), called(3, "weekly"));
        assert_eq!(a.mark([&a, &b, &c]), " (b2cad0c7)");
        assert_eq!(b.mark([&a, &b, &c]), " (00000002)");
        assert_eq!(c.mark([&a, &b, &c]), "");
        assert_eq!(a.mark([&a, &again]), "", "the same batch once more");
    }

    #[test]
    fn a_title_names_the_batch_unless_the_page_is_about_that_very_one() {
        let (a, b, c) = (
            called(1, "nightly"),
            called(2, "nightly"),
            called(3, "weekly"),
        );
        let nowhere = Called::default();
        assert_eq!(a.in_title(&nowhere, [&a]), ": nightly");
        assert_eq!(a.in_title(&c, [&a]), ": nightly");
        assert_eq!(a.in_title(&a, [&a]), "");
        // The page is about another one of the name, which nobody supervises.
        assert_eq!(a.in_title(&b, [&a]), ": nightly (00000001)");
        // Both are supervised: the title keeps telling them apart.
        assert_eq!(a.in_title(&a, [&a, &b]), ": nightly (00000001)");
        // No page: a list that happens to be called so.
        let list = Called {
            name: a.name.clone(),
            batch: None,
        };
        assert_eq!(a.in_title(&list, [&a]), ": nightly");
        assert_eq!(Called::default().in_title(&nowhere, [&a]), "");
    }

    #[test]
    fn a_supervision_is_called_by_what_its_batch_is_called() {
        let start = Record {
            seq: 0,
            at: Timestamp::default(),
            event: Event::Started {
                policy: Policy::default(),
                limits: Limits::default(),
                batch: BatchRef::Id(BatchId::from_u128(1)),
            },
        };
        let mut state = State::replay(&[start]).expect("a journal that starts");
        assert_eq!(Called::of(&state).name, None);
        assert_eq!(Called::of(&state).batch, state.batch);
        state.name = Some("nightly".into());
        assert_eq!(Called::of(&state).mark([]), "");
        assert_eq!(Called::of(&state).name.as_deref(), Some("nightly"));
    }
}
