//! What a press asks, and what its yes sends.

use std::sync::Arc;

use leptos::prelude::*;
use retake_core::{
    api::{RerunRequest, RerunScope, TestIds},
    domain::{Batch, Test, TestId, Timestamp},
    view::{Selection, rerun::RerunView, words},
};

use super::super::confirm::Question;
use crate::{
    driver::{feed::Feed, reruns::Reruns, supervisions::Supervisions, tests_store::TestsStore},
    reactive::memo,
    shell::Announcer,
};

/// Why the buttons that need ticks do nothing.
pub(super) const NOTHING_TICKED: &str = "Tick tests in the table to rerun them.";

/// Why a rerun of what is ticked waits, so long as some of it is not listed.
pub(super) fn wait_for(unlisted: usize) -> String {
    format!(
        "{} that {} ticked before {} still being read: a rerun waits for that. Or untick all, and \
         tick anew.",
        words::tests(unlisted),
        if unlisted == 1 { "was" } else { "were" },
        if unlisted == 1 { "is" } else { "are" },
    )
}

/// The three verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Run the ticked tests again.
    Tests,
    /// Recompute their metrics.
    TestMetrics,
    /// Run the batch metrics again.
    BatchMetrics,
    /// Run this one test again, whatever is ticked.
    One(TestId),
}

impl Verb {
    /// Whether it is about the ticked tests.
    fn is_of_ticked(self) -> bool {
        matches!(self, Self::Tests | Self::TestMetrics)
    }
}

/// The questions of a rerun bar, and what they rest on. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    /// The batch, once read, and when.
    batch: RwSignal<Option<Arc<Batch>>>,
    read_at: RwSignal<Option<Timestamp>>,
    store: TestsStore,
    reruns: Reruns,
    announcer: Announcer,
    supervisions: Supervisions,
    /// Whether the batch takes the suite's latest revision.
    pub(super) sync: RwSignal<bool>,
    /// What is asked, while something is.
    pub(super) question: RwSignal<Option<Question>>,
    /// Why nothing may be rerun now: another rerun stands before it.
    pub(super) held: Memo<Option<&'static str>>,
    /// Why a rerun of what is ticked waits: some of it, ticked before a reload, is not
    /// listed yet, and a rerun without it would be of other tests than the button counts.
    pub(super) unlisted: Memo<Option<String>>,
    /// How many of the ticked tests the filter hides.
    pub(super) hidden: Memo<usize>,
    /// The batch was launched without a saved suite.
    pub(super) adhoc: Memo<bool>,
}

impl Asking {
    /// Nothing is asked yet.
    pub(super) fn of(feed: &Feed, reruns: Reruns) -> Self {
        let (store, batch) = (feed.tests, feed.batch);
        Self {
            batch,
            read_at: feed.read_at,
            store,
            reruns,
            announcer: expect_context::<Announcer>(),
            supervisions: expect_context::<Supervisions>(),
            sync: RwSignal::new(false),
            question: RwSignal::new(None),
            held: memo(move |_| holds(reruns)),
            unlisted: memo(move |_| {
                let unlisted = store.selection.with(Selection::unlisted);
                (unlisted > 0).then(|| wait_for(unlisted))
            }),
            hidden: memo(move |_| {
                store.version.track();
                store
                    .listing
                    .with(|listing| store.selection.with(|selection| selection.hidden(listing)))
            }),
            adhoc: memo(move |_| batch.with(|it| it.as_ref().is_some_and(|it| it.adhoc_suite))),
        }
    }

    /// [`Self::held`], past its memo.
    pub(super) fn holds(self) -> Option<&'static str> {
        holds(self.reruns)
    }

    /// Asks about what a press means. Why nothing opens is said, for those who pressed a
    /// key.
    pub(super) fn ask(self, verb: Verb) {
        if let Some(why) = self.held.get_untracked() {
            return self.announcer.say(why);
        }
        let is_of_ticked = verb.is_of_ticked();
        let unlisted = self.unlisted.get_untracked();
        if let Some(why) = unlisted.filter(|_| is_of_ticked) {
            return self.announcer.say(why);
        }
        let Some(batch) = self.batch.get_untracked() else {
            return;
        };
        let store = self.store;
        let tests = match verb {
            Verb::BatchMetrics => Vec::new(),
            Verb::One(test) => store.find(test).into_iter().collect(),
            Verb::Tests | Verb::TestMetrics => store.selected(),
        };
        let Some(scope) = scope_of(verb, &tests) else {
            return self.announcer.say(NOTHING_TICKED);
        };
        let early = store.ticked_early.get_untracked();
        self.question.set(Some(Question::Rerun {
            scope,
            // One test is one: none is added. With the rest it goes together, as in the
            // CLI (`resim-api.md` §6.7), and the question says what it adds.
            sync_with_suite: !matches!(verb, Verb::One(_))
                && self.sync.get_untracked()
                && !self.adhoc.get_untracked(),
            hidden: if is_of_ticked {
                self.hidden.get_untracked()
            } else {
                0
            },
            total: store.total(&batch),
            unread: if is_of_ticked {
                store.unread(&batch)
            } else {
                0
            },
            ticked_among: early.filter(|_| is_of_ticked),
            supervised: self.supervisions.is_supervised(batch.id),
            read_at: self.read_at.get_untracked(),
            batch,
            tests,
        }));
    }

    /// Sends what was asked about.
    pub(super) fn send(self, asked: Question) {
        let Question::Rerun {
            scope,
            sync_with_suite,
            batch,
            read_at,
            tests,
            ..
        } = asked
        else {
            return;
        };
        let request = RerunRequest {
            scope,
            sync_with_suite,
        };
        // Where the page has seen another picture since, it is looked at before anything
        // is sent, however young the one is that the question shows.
        let is_still_so = self
            .batch
            .with_untracked(|now| now.as_deref() == Some(&*batch));
        let read_at = read_at.filter(|_| is_still_so);
        if let Err(why) = self.reruns.start(&batch, read_at, request, &tests) {
            self.announcer.trouble(format!("Nothing was sent. {why}"));
        }
    }

    /// Unticks the tests that have passed by now, and asks again.
    pub(super) fn untick_passed(self) {
        let again = self.question.with_untracked(|it| match it {
            Some(Question::Rerun {
                scope: RerunScope::TestMetrics(_),
                ..
            }) => Verb::TestMetrics,
            _ => Verb::Tests,
        });
        self.question.set(None);
        let store = self.store;
        let passed: Vec<_> = store
            .selected()
            .iter()
            .filter(|test| test.shown_status().passes())
            .filter_map(|test| test.id)
            .filter_map(|id| store.with_table(|table| table.row(id)))
            .collect();
        store.untick(&passed);
        // After the dialog has closed.
        request_animation_frame(move || self.ask(again));
    }
}

/// Why nothing may be rerun now. Tracked.
fn holds(reruns: Reruns) -> Option<&'static str> {
    reruns
        .view
        .with(|it| it.as_ref().and_then(RerunView::holds))
}

/// What a verb runs again; `None` where it needs tests and there are none.
fn scope_of(verb: Verb, tests: &[Test]) -> Option<RerunScope> {
    let ids = || TestIds::new(tests.iter().filter_map(|test| test.id).collect());
    match verb {
        Verb::BatchMetrics => Some(RerunScope::BatchMetrics),
        Verb::Tests | Verb::One(_) => ids().map(RerunScope::Tests),
        Verb::TestMetrics => ids().map(RerunScope::TestMetrics),
    }
}
