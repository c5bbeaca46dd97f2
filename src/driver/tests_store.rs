//! The tests of one batch as a page shows them: stored once, with filter,
//! order and selection beside them.

use std::{collections::HashSet, sync::Arc, time::Duration};

use leptos::{ev, prelude::*};
use retake_core::{
    api::ApiError,
    domain::{BatchId, ConflatedStatus, ExperienceTagId, Test, TestId},
    order,
    supervise::{Policy, Preview},
    view::{
        Chip, Listing, RowId, Selection, TagIndex, Tally, TestTable, ViewQuery, batches,
        chips::{chips, chips_ahead},
        runs::RunMemory,
        selection::AllTicked,
        table::{Changes, natural},
    },
};

use crate::{
    browser::{clock, storage, timer::Timer},
    reactive::{effect, memo},
};

/// How far the listing has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loading {
    /// Whether every test was listed at least once.
    pub complete: bool,
    /// Tests listed so far.
    pub listed: usize,
    /// Why the last listing stopped, if it did.
    pub failed: Option<ApiError>,
}

/// While pages stream in, the order is made anew at most this often.
const REORDER: Duration = Duration::from_millis(250);
/// And never takes more than one part in so many of the time, so that a large
/// batch leaves the page to the person who works on it.
const REORDER_SHARE: u32 = 20;
/// Ticks are remembered for a reload once the hand has rested for so long.
const REMEMBER: Duration = Duration::from_millis(400);

/// What is to be done later.
#[derive(Default)]
struct Later {
    /// The order is made anew.
    reorder: Option<Timer>,
    /// How long that took the last time.
    reorder_took: Duration,
    /// Ticks are stored, unless the tab was cleared since.
    remember: Option<(Timer, u32)>,
}

/// The tests of one batch. Cheap to copy.
#[derive(Clone, Copy)]
pub struct TestsStore {
    batch: BatchId,
    table: StoredValue<TestTable>,
    /// Outcomes of earlier runs, as this tab saw them.
    memory: StoredValue<RunMemory>,
    has_learned: StoredValue<bool>,
    /// Rises whenever a row differs; while pages stream in, with the order.
    pub version: RwSignal<u32>,
    /// Which rows, in which order.
    pub listing: RwSignal<Listing>,
    /// Which tests are ticked.
    pub selection: RwSignal<Selection>,
    /// Filter, sort and drawer.
    pub query: RwSignal<ViewQuery>,
    /// The tags of the filter: other parts of the view change more often.
    pub ticked: Memo<Vec<ExperienceTagId>>,
    /// How far the listing has come.
    pub loading: RwSignal<Loading>,
    /// Whether every test was listed at least once: it changes far more rarely than
    /// how many were.
    pub complete: Memo<bool>,
    /// The batch shows that its tests have moved since they were listed, so what is
    /// listed is older than what is said of the batch.
    pub is_behind: RwSignal<bool>,
    /// Many were ticked at once before every test was read: how many were read by then.
    pub ticked_early: RwSignal<Option<usize>>,
    /// Which tests wear the tags that were asked for.
    pub tags: RwSignal<TagIndex>,
    /// Tests came since the first listing that no answer about tags can have known.
    has_new: StoredValue<bool>,
    later: StoredValue<Later, LocalStorage>,
}

impl TestsStore {
    /// No tests yet; the selection is the one that this tab remembers.
    pub fn new(batch: BatchId, query: ViewQuery) -> Self {
        let stored: Vec<TestId> = storage::tab_get(&selection_key(batch))
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let (query, loading) = (RwSignal::new(query), RwSignal::new(Loading::default()));
        let it = Self {
            batch,
            table: StoredValue::new(TestTable::new()),
            memory: StoredValue::new(restored_memory(batch)),
            has_learned: StoredValue::new(false),
            version: RwSignal::new(0),
            listing: RwSignal::new(Listing::default()),
            selection: RwSignal::new(Selection::restored(stored)),
            query,
            ticked: memo(move |_| query.with(|it| it.filter.tags.clone())),
            loading,
            complete: memo(move |_| loading.with(|it| it.complete)),
            is_behind: RwSignal::new(false),
            ticked_early: RwSignal::new(None),
            tags: RwSignal::new(TagIndex::default()),
            has_new: StoredValue::new(false),
            later: StoredValue::new_local(Later::default()),
        };
        it.follow_query();
        it.remember_selection();
        it
    }

    /// A change of filter or sort makes the order anew.
    fn follow_query(self) {
        let wanted = memo(move |_| self.query.with(|it| (it.filter.clone(), it.sort)));
        effect(move |before: Option<()>| {
            // Read, not only tracked: a memo that was never read follows nothing.
            wanted.with(|_| ());
            if before.is_some() {
                self.order_anew();
            }
        });
    }

    fn remember_selection(self) {
        effect(move |before: Option<()>| {
            self.selection.track();
            if before.is_none() {
                return;
            }
            let timer = Timer::after(REMEMBER, move || self.store_what_waits());
            let cleared = storage::times_cleared();
            self.later
                .update_value(|later| later.remember = Some((timer, cleared)));
        });
        // What was ticked just before a reload or another page is not lost.
        let leaving = window_event_listener(ev::pagehide, move |_| self.store_what_waits());
        on_cleanup(move || {
            leaving.remove();
            self.store_what_waits();
        });
    }

    fn store_what_waits(self) {
        let waits = self
            .later
            .try_update_value(|later| later.remember.take())
            .flatten();
        // Whoever signed out meanwhile wants nothing kept.
        if waits.is_some_and(|(_, cleared)| cleared == storage::times_cleared()) {
            self.store_selection();
        }
    }

    fn store_selection(self) {
        let ids = self.table.try_with_value(|table| {
            self.selection
                .try_with_untracked(|selection| selection.all_ids(table))
        });
        // The page may have gone meanwhile.
        if let Some(Ok(json)) = ids.flatten().map(|ids| serde_json::to_string(&ids)) {
            storage::tab_set(&selection_key(self.batch), &json);
        }
    }

    /// Makes the order anew: what changed goes to its place.
    pub fn order_anew(&self) {
        let began = clock::now().mono;
        let listing = self.query.with_untracked(|query| {
            let mut listing = None;
            self.table.update_value(|table| {
                self.tags.with_untracked(|tags| {
                    listing = Some(Listing::new(table, &query.filter, tags, query.sort));
                });
            });
            listing
        });
        let took = clock::now().mono.saturating_sub(began);
        self.later.update_value(|later| later.reorder_took = took);
        if let Some(listing) = listing {
            self.listing.set(listing);
        }
        // While pages stream in, what counts all tests follows at the same pace.
        self.note_change();
    }

    /// A whole new listing begins.
    pub fn begin_listing(&self) {
        self.table.update_value(TestTable::begin_listing);
    }

    /// Takes in tests, of a page or a part.
    pub fn merge(&self, tests: Vec<Test>) {
        let mut changes = Changes::default();
        self.remember_runs(&tests);
        self.table
            .update_value(|table| changes = table.merge(tests));
        let listed = self.table.with_value(TestTable::len);
        self.loading.update(|it| it.listed = listed);
        if !changes.added.is_empty() && self.loading.with_untracked(|it| it.complete) {
            self.has_new.set_value(true);
        }
        self.absorb(&changes);
    }

    /// Keeps what was known of tests that have begun another run.
    fn remember_runs(&self, tests: &[Test]) {
        let mut has_learned = false;
        self.table.with_value(|table| {
            self.memory.update_value(|memory| {
                for test in tests {
                    let before = test.id.and_then(|id| table.row(id));
                    if let Some(row) = before {
                        has_learned |= memory.note(table.get(row), test);
                    }
                }
            });
        });
        if has_learned {
            self.has_learned.set_value(true);
        }
    }

    /// Stores what was learned of runs; once a listing, not once a page.
    fn store_memory(&self) {
        if !self.has_learned.get_value() {
            return;
        }
        self.has_learned.set_value(false);
        if let Ok(json) = self.memory.with_value(serde_json::to_string) {
            storage::tab_set(&memory_key(self.batch), &json);
        }
    }

    /// What this tab saw of earlier runs.
    pub fn memory(&self) -> RunMemory {
        self.memory.get_value()
    }

    /// The same, looked at in place.
    pub fn with_memory<T>(&self, look: impl FnOnce(&RunMemory) -> T) -> T {
        self.memory.with_value(look)
    }

    /// Finished tests and all tests, tracked; `None` while nobody says.
    pub fn progress(&self, batch: &retake_core::domain::Batch) -> Option<(u64, u64)> {
        self.version.track();
        let complete = self.complete.get();
        self.table
            .with_value(|table| batches::progress(batch, complete.then(|| table.tally())))
    }

    /// Whether what is listed is older than the batch and being read anew, tracked;
    /// a listing that failed is told by itself.
    pub fn is_read_anew(&self) -> bool {
        self.is_behind.get() && self.loading.with(|it| it.failed.is_none())
    }

    /// All tests of the batch: as it says itself, never fewer than are listed.
    pub fn total(&self, batch: &retake_core::domain::Batch) -> usize {
        let listed = self.with_table(TestTable::len);
        let said = batch.total_tests.and_then(|n| usize::try_from(n).ok());
        if self.loading.with_untracked(|it| it.complete) {
            listed
        } else {
            listed.max(said.unwrap_or(0))
        }
    }

    /// Tests that are still to be read, so that they could not be ticked.
    pub fn unread(&self, batch: &retake_core::domain::Batch) -> usize {
        self.total(batch)
            .saturating_sub(self.with_table(TestTable::len))
    }

    /// The listing is complete.
    pub fn end_listing(&self) {
        self.store_memory();
        let mut changes = Changes::default();
        self.table
            .update_value(|table| changes.gone = table.end_listing());
        let first = !self.loading.with_untracked(|it| it.complete);
        self.absorb(&changes);
        self.table.with_value(|table| {
            self.selection
                .maybe_update(|selection| selection.settle(table));
        });
        let listed = self.table.with_value(TestTable::len);
        self.loading.set(Loading {
            complete: true,
            listed,
            failed: None,
        });
        if first {
            self.later.update_value(|later| later.reorder = None);
            self.order_anew();
        }
        // Once a listing, not once a page of it.
        if self.has_new.get_value() {
            self.has_new.set_value(false);
            self.tags.update(TagIndex::outdate);
        }
    }

    /// These tests wear a tag. What a person has just ticked shows in its order;
    /// what a later answer changes moves no row.
    pub fn tag_answered(&self, tag: ExperienceTagId, tests: HashSet<TestId>) {
        let is_first = self.tags.with_untracked(|index| !index.is_read(tag));
        let mut differing = Vec::new();
        self.tags
            .update(|index| differing = index.answer(tag, tests));
        if is_first {
            self.order_anew();
            return;
        }
        let changes = self.table.with_value(|table| Changes {
            changed: differing
                .into_iter()
                .filter_map(|id| table.row(id))
                .collect(),
            ..Changes::default()
        });
        self.absorb(&changes);
    }

    /// Whether a ticked tag is still to be read, tracked.
    pub fn awaits_tags(&self) -> bool {
        self.ticked.with(|ticked| {
            self.tags
                .with(|index| ticked.iter().any(|tag| index.is_awaited(*tag)))
        })
    }

    fn absorb(&self, changes: &Changes) {
        if changes.is_empty() {
            return;
        }
        if self.selection.with_untracked(|it| !it.is_empty()) {
            self.table.with_value(|table| {
                self.selection
                    .update(|selection| selection.meet(table, &changes.added));
            });
        }
        if self.loading.with_untracked(|it| it.complete) {
            let (filter, sort) = self.query.with_untracked(|it| (it.filter.clone(), it.sort));
            self.table.with_value(|table| {
                self.tags.with_untracked(|tags| {
                    self.listing
                        .update(|listing| listing.absorb(table, changes, &filter, tags, sort));
                });
            });
            self.note_change();
        } else {
            self.order_soon();
        }
    }

    fn note_change(&self) {
        self.version
            .update(|version| *version = version.wrapping_add(1));
    }

    fn order_soon(&self) {
        let it = *self;
        if it.listing.with_untracked(Listing::is_empty) {
            it.order_anew();
        } else if it.later.with_value(|later| later.reorder.is_none()) {
            let took = it.later.with_value(|later| later.reorder_took);
            let pause = REORDER.max(took * REORDER_SHARE);
            let timer = Timer::after(pause, move || {
                // The page may have gone meanwhile.
                if it
                    .later
                    .try_update_value(|later| later.reorder.take())
                    .is_some()
                {
                    it.order_anew();
                }
            });
            it.later.update_value(|later| later.reorder = Some(timer));
        }
    }

    /// Looks at the table; not tracked.
    pub fn with_table<T>(&self, look: impl FnOnce(&TestTable) -> T) -> T {
        self.table.with_value(look)
    }

    /// The test in a row, tracked.
    pub fn test(&self, row: RowId) -> Test {
        self.version.track();
        self.table.with_value(|table| table.get(row).clone())
    }

    /// The test of an ID, if it is listed, tracked.
    pub fn find(&self, id: TestId) -> Option<Test> {
        self.version.track();
        self.table
            .with_value(|table| table.row(id).map(|row| table.get(row).clone()))
    }

    /// The status chips, tracked.
    pub fn chips(&self, batch: Option<Arc<retake_core::domain::Batch>>) -> Vec<Chip> {
        self.version.track();
        let (complete, is_behind) = (self.complete.get(), self.is_behind.get());
        self.table.with_value(|table| {
            let tally: Option<&Tally> = complete.then(|| table.tally());
            match (batch.as_deref(), tally) {
                (Some(batch), Some(tally)) if is_behind => chips_ahead(batch, tally),
                (batch, tally) => chips(batch, tally),
            }
        })
    }

    /// What a policy would do now, tracked. `None` before any test is listed.
    pub fn preview(&self, batch: &retake_core::domain::Batch, policy: &Policy) -> Option<Preview> {
        self.version.track();
        let complete = self.complete.get();
        // Of a batch that runs, the sentence says anyway that this may change.
        let is_old = batch.is_terminal() && self.is_behind.get();
        self.table.with_value(|table| {
            if table.is_empty() && !complete {
                return None;
            }
            let tests = table
                .iter()
                .map(|(_, test)| (test.id, test.conflated.as_ref()));
            let mut preview = Preview::of(batch, tests, complete, policy);
            preview.is_old = is_old;
            preview.uncounted = table
                .iter()
                .filter(|(_, test)| test.fails_uncounted())
                .count();
            Some(preview)
        })
    }

    /// Ticks or unticks a test.
    pub fn toggle(&self, row: RowId, to_here: bool) {
        // Whoever ticks by hand sees what they tick.
        self.ticked_early.set(None);
        self.table.with_value(|table| {
            self.listing.with_untracked(|listing| {
                self.selection.update(|selection| {
                    if to_here {
                        selection.range_to(table, listing, row);
                    } else {
                        selection.toggle(table, row);
                    }
                });
            });
        });
    }

    /// Unticks these tests, some of many that were ticked at once.
    pub fn untick(&self, rows: &[RowId]) {
        self.selection.update(|selection| selection.untick(rows));
    }

    /// Ticks every matching test, or unticks them if all are ticked. While tests are
    /// read it is remembered that more may come.
    pub fn toggle_all_matching(&self) {
        let on = self.table.with_value(|table| {
            self.listing.with_untracked(|listing| {
                let ticked = self
                    .selection
                    .with_untracked(|it| it.all_ticked(table, listing));
                ticked != AllTicked::All
            })
        });
        // What was read, and has no place in the list yet, is ticked too.
        if on && !self.loading.with_untracked(|it| it.complete) {
            self.order_anew();
        }
        self.note_ticked_early();
        self.table.with_value(|table| {
            self.listing.with_untracked(|listing| {
                self.selection
                    .update(|selection| selection.set_matching(table, listing, on));
            });
        });
    }

    /// Ticks exactly the tests of the batch with such a status.
    pub fn select_only(&self, wanted: impl Fn(&ConflatedStatus) -> bool) {
        self.note_ticked_early();
        self.table.with_value(|table| {
            self.selection
                .update(|selection| selection.only(table, wanted));
        });
    }

    fn note_ticked_early(&self) {
        let read = self
            .loading
            .with_untracked(|it| (!it.complete).then_some(it.listed));
        self.ticked_early.set(read);
    }

    /// Whether any listed test is in such a state; not tracked.
    pub fn has(&self, wanted: impl Fn(&ConflatedStatus) -> bool) -> bool {
        self.table
            .with_value(|table| table.iter().any(|(_, test)| wanted(&test.shown_status())))
    }

    /// Unticks everything.
    pub fn clear_selection(&self) {
        self.ticked_early.set(None);
        self.selection.update(Selection::clear);
    }

    /// The ticked tests in the order on screen, then those that are hidden, by
    /// name; not tracked.
    pub fn selected(&self) -> Vec<Test> {
        self.table.with_value(|table| {
            self.selection.with_untracked(|selection| {
                self.listing.with_untracked(|listing| {
                    let test = |row: RowId| table.get(row).clone();
                    let on_screen: HashSet<RowId> = listing.order().iter().copied().collect();
                    let mut hidden: Vec<Test> = selection
                        .ids(table)
                        .into_iter()
                        .filter_map(|id| table.row(id))
                        .filter(|row| !on_screen.contains(row))
                        .map(test)
                        .collect();
                    order::sort_by(&mut hidden, |a, b| natural(&a.name, &b.name));
                    let shown = listing.order().iter().copied();
                    shown
                        .filter(|row| selection.has(*row) && table.is_listed(*row))
                        .map(test)
                        .chain(hidden)
                        .collect()
                })
            })
        })
    }
}

fn memory_key(batch: BatchId) -> String {
    format!("retake-runs-{batch}")
}

fn restored_memory(batch: BatchId) -> RunMemory {
    storage::tab_get(&memory_key(batch))
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default()
}

fn selection_key(batch: BatchId) -> String {
    format!("retake-ticked-{batch}")
}
