//! Which tests are ticked: a set of test IDs, never of row positions. It
//! survives polling, sorting, filtering and a reload.

use std::collections::HashSet;

use super::{Listing, RowId, TestTable};
use crate::domain::{ConflatedStatus, TestId};

/// The ticked tests of one batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// One bit per row of the table: rows and IDs correspond one to one.
    ticked: Vec<u64>,
    count: usize,
    /// Ticked, and not listed now: in an earlier life of the page, or gone.
    awaited: HashSet<TestId>,
    /// Whether every test was listed once; what is awaited then may never come.
    settled: bool,
    /// The row that a shift-click counts from.
    anchor: Option<RowId>,
}

/// How a header box looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllTicked {
    /// No matching test is ticked.
    None,
    /// Some are.
    Some,
    /// All are, and there is one.
    All,
}

impl Selection {
    /// A selection that was stored; tests become ticked when they are listed.
    pub fn restored(ids: impl IntoIterator<Item = TestId>) -> Self {
        Self {
            awaited: ids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Ticks what was stored and is listed now.
    pub fn meet(&mut self, table: &TestTable, rows: &[RowId]) {
        if self.awaited.is_empty() {
            return;
        }
        for row in rows {
            if table
                .get(*row)
                .id
                .is_some_and(|id| self.awaited.remove(&id))
            {
                self.set(*row, true);
            }
        }
    }

    /// A whole listing has come. What it lacks cannot be rerun and does not
    /// count, but its tick waits for it: a test may be listed again. Whether
    /// anything is different now.
    pub fn settle(&mut self, table: &TestTable) -> bool {
        let gone: Vec<RowId> = self.rows().filter(|row| !table.is_listed(*row)).collect();
        let differs = !gone.is_empty() || (!self.settled && !self.awaited.is_empty());
        for row in gone {
            self.set(row, false);
            self.awaited.extend(table.get(row).id);
        }
        self.settled = true;
        differs
    }

    /// Number of ticked tests.
    pub fn count(&self) -> usize {
        self.count + self.unlisted()
    }

    /// How many of them are not listed yet, in a table that is still being read: they
    /// count, but nobody knows them yet, so they cannot be sent.
    pub fn unlisted(&self) -> usize {
        if self.settled { 0 } else { self.awaited.len() }
    }

    /// Whether no test is ticked.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Whether a row is ticked.
    pub fn has(&self, row: RowId) -> bool {
        let n = row.index();
        self.ticked
            .get(n / 64)
            .is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    fn set(&mut self, row: RowId, on: bool) {
        let n = row.index();
        if n / 64 >= self.ticked.len() {
            self.ticked.resize(n / 64 + 1, 0);
        }
        let word = &mut self.ticked[n / 64];
        let bit = 1 << (n % 64);
        if on && *word & bit == 0 {
            *word |= bit;
            self.count += 1;
        } else if !on && *word & bit != 0 {
            *word &= !bit;
            self.count -= 1;
        }
    }

    /// Ticks or unticks one test. A test without an ID cannot be rerun, so it
    /// cannot be ticked.
    pub fn toggle(&mut self, table: &TestTable, row: RowId) {
        if table.get(row).id.is_some() {
            self.set(row, !self.has(row));
            self.anchor = Some(row);
        }
    }

    /// Unticks these tests, some of many that were ticked at once; a range begins where it
    /// did.
    pub fn untick(&mut self, rows: &[RowId]) {
        for row in rows {
            self.set(*row, false);
        }
    }

    /// Shift-click: gives every row from the last clicked one to this the state
    /// that this one gets.
    pub fn range_to(&mut self, table: &TestTable, listing: &Listing, row: RowId) {
        let place = |wanted| listing.order().iter().position(|it| *it == wanted);
        let (Some(from), Some(to)) = (self.anchor.and_then(place), place(row)) else {
            return self.toggle(table, row);
        };
        let on = !self.has(row);
        for row in &listing.order()[from.min(to)..=from.max(to)] {
            if table.get(*row).id.is_some() {
                self.set(*row, on);
            }
        }
        self.anchor = Some(row);
    }

    /// Ticks (or unticks) every test that matches the filter, on screen or not.
    pub fn set_matching(&mut self, table: &TestTable, listing: &Listing, on: bool) {
        for row in listing.matching() {
            if table.get(row).id.is_some() {
                self.set(row, on);
            }
        }
    }

    /// Ticks every test of the batch whose status is one of these kinds, and
    /// nothing else.
    pub fn only(&mut self, table: &TestTable, wanted: impl Fn(&ConflatedStatus) -> bool) {
        self.clear();
        for (row, test) in table.iter() {
            if test.id.is_some() && wanted(&test.shown_status()) {
                self.set(row, true);
            }
        }
    }

    /// Unticks everything.
    pub fn clear(&mut self) {
        *self = Self {
            settled: self.settled,
            ..Self::default()
        };
    }

    /// The rows that are ticked, in the table's order.
    pub fn rows(&self) -> impl Iterator<Item = RowId> + use<'_> {
        self.ticked.iter().enumerate().flat_map(|(word_at, word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| RowId::from_index(word_at * 64 + bit))
        })
    }

    /// The ticked tests that the table has, by ID.
    pub fn ids(&self, table: &TestTable) -> Vec<TestId> {
        self.rows()
            .filter(|row| table.is_listed(*row))
            .filter_map(|row| table.get(row).id)
            .collect()
    }

    /// Every ticked ID, those not listed yet included: what is stored.
    pub fn all_ids(&self, table: &TestTable) -> Vec<TestId> {
        let mut ids = self.ids(table);
        ids.extend(self.awaited.iter().copied());
        ids
    }

    /// Ticked tests that the filter hides; one that no longer matches and keeps its place
    /// until the list is updated is on show.
    pub fn hidden(&self, listing: &Listing) -> usize {
        self.rows().filter(|row| !listing.is_on_show(*row)).count()
    }

    /// How the box over all matching tests looks. A test without an ID cannot be
    /// ticked, so the box does not wait for it.
    pub fn all_ticked(&self, table: &TestTable, listing: &Listing) -> AllTicked {
        let (mut some, mut all) = (false, true);
        for row in listing.matching() {
            if self.has(row) {
                some = true;
            } else if table.get(row).id.is_some() {
                all = false;
            }
            if some && !all {
                return AllTicked::Some;
            }
        }
        match (some, all) {
            (true, true) => AllTicked::All,
            (true, false) => AllTicked::Some,
            (false, _) => AllTicked::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Test,
        view::{Filter, Sort, SortKey, TagIndex},
    };

    fn table() -> TestTable {
        let mut table = TestTable::new();
        table.merge((0..200_u128).map(|n| {
            let mut test = Test::new(TestId::from_u128(n + 1), format!("test_{n}"));
            test.conflated = Some(match n % 4 {
                0 => ConflatedStatus::Error,
                1 => ConflatedStatus::Running,
                _ => ConflatedStatus::Passed,
            });
            test
        }));
        table
    }

    const BY_NAME: Sort = Sort {
        key: SortKey::Name,
        reversed: false,
    };

    fn list(table: &mut TestTable, filter: &Filter, sort: Sort) -> Listing {
        Listing::new(table, filter, &TagIndex::default(), sort)
    }

    fn failing() -> Filter {
        let mut filter = Filter::default();
        filter.toggle(&ConflatedStatus::Error);
        filter
    }

    #[test]
    fn a_tick_on_a_row_that_keeps_its_place_is_not_hidden_until_the_list_is_updated() {
        let mut table = table();
        let mut listing = list(&mut table, &failing(), BY_NAME);
        let mut selection = Selection::default();
        let row = listing.order()[0];
        selection.toggle(&table, row);
        let mut passed = table.get(row).clone();
        passed.conflated = Some(ConflatedStatus::Passed);
        let changes = table.merge([passed]);
        listing.absorb(&table, &changes, &failing(), &TagIndex::default(), BY_NAME);
        assert!(!listing.matches(row));
        assert_eq!(selection.hidden(&listing), 0);
        let anew = list(&mut table, &failing(), BY_NAME);
        assert_eq!(selection.hidden(&anew), 1);
    }

    #[test]
    fn some_are_unticked_and_none_is_ticked_by_that() {
        let table = table();
        let mut selection = Selection::default();
        let rows: Vec<RowId> = table.iter().map(|(row, _)| row).take(4).collect();
        for row in &rows[..3] {
            selection.toggle(&table, *row);
        }
        selection.untick(&rows[1..]);
        assert_eq!(selection.rows().collect::<Vec<_>>(), rows[..1]);
        assert_eq!(selection.count(), 1);
    }

    #[test]
    fn a_test_that_cannot_be_ticked_keeps_no_box_from_showing_that_all_are() {
        let mut table = table();
        let mut nameless = Test::new(TestId::from_u128(1), "nameless");
        nameless.id = None;
        table.merge([nameless]);
        let listing = list(&mut table, &Filter::default(), BY_NAME);
        let mut selection = Selection::default();
        selection.set_matching(&table, &listing, true);
        assert_eq!(selection.count(), 200);
        assert_eq!(selection.all_ticked(&table, &listing), AllTicked::All);
        selection.set_matching(&table, &listing, false);
        assert_eq!(selection.all_ticked(&table, &listing), AllTicked::None);
    }

    #[test]
    fn all_matching_reaches_beyond_the_screen() {
        let mut table = table();
        let listing = list(&mut table, &failing(), BY_NAME);
        let mut selection = Selection::default();
        assert_eq!(selection.all_ticked(&table, &listing), AllTicked::None);
        selection.set_matching(&table, &listing, true);
        assert_eq!(
            (selection.count(), selection.all_ticked(&table, &listing)),
            (50, AllTicked::All)
        );
        selection.toggle(&table, listing.order()[7]);
        assert_eq!(
            (selection.count(), selection.all_ticked(&table, &listing)),
            (49, AllTicked::Some)
        );
    }

    #[test]
    fn a_selection_spans_filters() {
        let mut table = table();
        let mut selection = Selection::default();
        let failing = list(&mut table, &failing(), BY_NAME);
        selection.set_matching(&table, &failing, true);
        let other = Filter {
            text: "test_1".into(),
            ..Filter::default()
        };
        let other = list(&mut table, &other, Sort::default());
        selection.toggle(&table, table.row(TestId::from_u128(2)).unwrap());
        assert_eq!(selection.count(), 51);
        let matching_failing = other.matching().filter(|row| failing.matches(*row)).count();
        assert_eq!(selection.hidden(&other), 50 - matching_failing);
    }

    #[test]
    fn a_range_takes_the_state_of_its_end_and_follows_the_order_on_screen() {
        let mut table = table();
        let listing = list(&mut table, &Filter::default(), BY_NAME);
        let rows = listing.order().to_vec();
        let mut selection = Selection::default();
        selection.toggle(&table, rows[20]);
        selection.range_to(&table, &listing, rows[10]);
        assert_eq!(selection.count(), 11);
        selection.range_to(&table, &listing, rows[12]);
        assert_eq!(selection.count(), 8, "10, 11 and 12 are unticked again");
        let mut fresh = Selection::default();
        fresh.range_to(&table, &listing, rows[3]);
        assert_eq!(
            fresh.count(),
            1,
            "without a first click it is a plain click"
        );
    }

    #[test]
    fn all_failed_and_all_unfinished_mean_the_whole_batch() {
        let table = table();
        let mut selection = Selection::default();
        selection.only(&table, ConflatedStatus::is_failing);
        assert_eq!(selection.count(), 50);
        selection.only(&table, |status| !status.is_terminal());
        assert_eq!(selection.count(), 50);
        assert!(selection.ids(&table).contains(&TestId::from_u128(2)));
    }

    #[test]
    fn a_stored_selection_waits_for_its_tests() {
        let mut table = TestTable::new();
        let mut selection = Selection::restored([TestId::from_u128(1), TestId::from_u128(9)]);
        let changes = table.merge([Test::new(TestId::from_u128(1), "a")]);
        selection.meet(&table, &changes.added);
        assert_eq!((selection.count(), selection.ids(&table).len()), (2, 1));
        assert_eq!(selection.all_ids(&table).len(), 2);
    }

    #[test]
    fn a_test_without_an_id_cannot_be_ticked() {
        let mut table = TestTable::new();
        let mut nameless = Test::new(TestId::from_u128(1), "x");
        nameless.id = None;
        let row = table.merge([nameless]).added[0];
        let mut selection = Selection::default();
        selection.toggle(&table, row);
        let listing = list(&mut table, &Filter::default(), BY_NAME);
        selection.set_matching(&table, &listing, true);
        assert_eq!(selection.count(), 0);
    }

    #[test]
    fn a_tick_without_a_listed_test_does_not_count_and_waits() {
        let mut table = table();
        let absent = TestId::from_u128(9_999);
        let mut selection = Selection::restored([TestId::from_u128(1), absent]);
        let rows: Vec<RowId> = table.iter().map(|(row, _)| row).collect();
        selection.meet(&table, &rows);
        assert_eq!(selection.count(), 2, "the other may still come");
        selection.settle(&table);
        assert_eq!(selection.count(), 1, "it has not");

        // Now the ticked one is missing from a listing, and comes back.
        let back = table.get(rows[0]).clone();
        let others: Vec<Test> = table.iter().skip(1).map(|(_, it)| it.clone()).collect();
        table.begin_listing();
        table.merge(others);
        table.end_listing();
        selection.settle(&table);
        assert_eq!(selection.count(), 0);
        assert!(selection.all_ids(&table).contains(&absent), "still stored");
        let changes = table.merge([back]);
        selection.meet(&table, &changes.added);
        assert_eq!(selection.count(), 1);
    }
}
