//! Which rows are shown, in which order.
//!
//! Between polls the order is frozen: a row that changes stays where the hand
//! is about to click. Rows that no longer match stay, marked stale; new ones
//! are appended; a person asks for the order to be made anew.

use super::{Filter, RowId, Sort, SortKey, TagIndex, TestTable, table::Changes};
use crate::{
    domain::{ConflatedStatus, RunCounter, Timestamp},
    order::sort_by_key,
};

/// The rows on show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    order: Vec<RowId>,
    /// Parallel to the table: whether a row is in `order`.
    listed: Vec<bool>,
    /// Parallel to the table: whether a row matches the filter now.
    matching: Vec<bool>,
    matching_count: usize,
    /// Rows whose place or presence is no longer what filter and sort ask for.
    moved: usize,
    /// Parallel to the table: which rows these are.
    has_moved: Vec<bool>,
}

impl Listing {
    /// The rows that `filter` shows, in the order of `sort`.
    pub fn new(table: &mut TestTable, filter: &Filter, tags: &TagIndex, sort: Sort) -> Self {
        let mut order = table.by_name().to_vec();
        let mut matching = vec![false; table.capacity()];
        let matcher = filter.matcher(tags);
        // In the order of storage: in that of names, each test is a miss of the cache.
        for row in table.rows() {
            matching[row.index()] = matcher.shows(table, row);
        }
        order.retain(|row| matching[row.index()]);
        // The sorts are stable, so rows with equal keys stay in order of name.
        match sort.key {
            SortKey::Name => {}
            SortKey::Status => order = by_severity(table, &order),
            SortKey::Run => sort_by_key(&mut order, |row| {
                std::cmp::Reverse(table.get(*row).run_counter.unwrap_or(RunCounter(-1)))
            }),
            SortKey::Updated => sort_by_key(&mut order, |row| {
                let at = table.get(*row).updated;
                std::cmp::Reverse(at.unwrap_or(Timestamp::from_millis(i64::MIN)))
            }),
        }
        if sort.reversed {
            order.reverse();
        }
        Self {
            listed: matching.clone(),
            matching_count: order.len(),
            matching,
            order,
            moved: 0,
            has_moved: Vec::new(),
        }
    }

    /// The rows, in order.
    pub fn order(&self) -> &[RowId] {
        &self.order
    }

    /// Number of rows on show, stale ones included.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether no row is on show.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Number of tests that match the filter now.
    pub fn matching_count(&self) -> usize {
        self.matching_count
    }

    /// Whether a row matches the filter now; one on show that does not is stale.
    pub fn matches(&self, row: RowId) -> bool {
        self.matching.get(row.index()).copied().unwrap_or(false)
    }

    /// Whether a row is on show, stale or not.
    pub fn is_on_show(&self, row: RowId) -> bool {
        self.listed.get(row.index()).copied().unwrap_or(false)
    }

    /// The rows that match the filter now, in order.
    pub fn matching(&self) -> impl Iterator<Item = RowId> {
        self.order.iter().copied().filter(|row| self.matches(*row))
    }

    /// Rows that changed so that a fresh order would place them elsewhere.
    pub fn moved(&self) -> usize {
        self.moved
    }

    /// Takes in what a poll changed, without moving a row.
    pub fn absorb(
        &mut self,
        table: &TestTable,
        changes: &Changes,
        filter: &Filter,
        tags: &TagIndex,
        sort: Sort,
    ) {
        self.listed.resize(table.capacity(), false);
        self.matching.resize(table.capacity(), false);
        self.has_moved.resize(table.capacity(), false);
        let matcher = filter.matcher(tags);
        let touches_order = sort.key != SortKey::Name;
        for row in changes.added.iter().chain(&changes.changed) {
            let matches = matcher.shows(table, *row);
            let n = row.index();
            if matches != self.matching[n] {
                self.matching[n] = matches;
                if matches {
                    self.matching_count += 1;
                } else {
                    self.matching_count -= 1;
                }
            }
            if matches && !self.listed[n] {
                self.listed[n] = true;
                self.order.push(*row);
                self.note_moved(n);
            } else if self.listed[n] && (touches_order || !matches) {
                self.note_moved(n);
            }
        }
        for row in &changes.gone {
            let n = row.index();
            if std::mem::take(&mut self.matching[n]) {
                self.matching_count -= 1;
            }
            if self.listed[n] {
                self.note_moved(n);
            }
        }
    }

    /// However often a row changes, it is one that an update would move.
    fn note_moved(&mut self, n: usize) {
        self.moved += usize::from(!std::mem::replace(&mut self.has_moved[n], true));
    }
}

/// The rows, worst first; those of one status keep their order. There are few
/// statuses, so each row goes straight to its own.
fn by_severity(table: &TestTable, rows: &[RowId]) -> Vec<RowId> {
    let mut ranks: [Vec<RowId>; ConflatedStatus::RANKS] = Default::default();
    for row in rows {
        ranks[usize::from(table.rank(*row))].push(*row);
    }
    ranks.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Test, TestId};

    fn test(n: u128, name: &str, status: ConflatedStatus) -> Test {
        let mut test = Test::new(TestId::from_u128(n), name);
        test.conflated = Some(status);
        test.run_counter = Some(RunCounter(i64::try_from(n % 3).unwrap()));
        test.updated = Some(Timestamp::from_millis(i64::try_from(n).unwrap()));
        test
    }

    fn table() -> TestTable {
        let mut table = TestTable::new();
        table.merge([
            test(1, "d", ConflatedStatus::Passed),
            test(2, "c", ConflatedStatus::Blocker),
            test(3, "b", ConflatedStatus::Running),
            test(4, "a", ConflatedStatus::Passed),
        ]);
        table
    }

    fn names(table: &TestTable, listing: &Listing) -> String {
        listing
            .order()
            .iter()
            .map(|row| table.get(*row).name.as_str())
            .collect()
    }

    #[test]
    fn every_key_sorts_and_turns_round() {
        let mut table = table();
        for (key, forth, back) in [
            (SortKey::Status, "cbad", "dabc"),
            (SortKey::Name, "abcd", "dcba"),
            (SortKey::Run, "cadb", "bdac"),
            (SortKey::Updated, "abcd", "dcba"),
        ] {
            for (reversed, wanted) in [(false, forth), (true, back)] {
                let sort = Sort { key, reversed };
                let listing =
                    Listing::new(&mut table, &Filter::default(), &TagIndex::default(), sort);
                assert_eq!(names(&table, &listing), wanted, "{sort:?}");
            }
        }
    }

    /// Most rows are decided by rank alone; none otherwise than by its test.
    #[test]
    fn the_short_way_shows_what_the_long_way_shows() {
        // Names in capitals are looked through another way than those in small letters.
        let words = ["PASSED", "ERROR", "BLOCKER", "QUARANTINED", "SHELVED"];
        let mut table = TestTable::new();
        for (n, word) in (1..).zip(words) {
            table.merge([
                test(n, word, ConflatedStatus::from_word(word)),
                test(
                    n + 20,
                    &word.to_lowercase(),
                    ConflatedStatus::from_word(word),
                ),
            ]);
        }
        let mut unsaid = test(9, "cut", ConflatedStatus::Passed);
        unsaid.conflated = None;
        table.merge([unsaid]);
        let tags = TagIndex::default();
        for picked in 0..1_u32 << words.len() {
            for text in ["", "e", "CUT", "as SED"] {
                let picked = (0..words.len()).filter(|n| picked >> n & 1 == 1);
                let filter = Filter {
                    statuses: picked
                        .map(|n| ConflatedStatus::from_word(words[n]))
                        .collect(),
                    text: text.into(),
                    ..Filter::default()
                };
                let matcher = filter.matcher(&tags);
                for (row, test) in table.iter() {
                    assert_eq!(
                        matcher.shows(&table, row),
                        matcher.matches(test),
                        "{filter:?} {test:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_poll_moves_no_row() {
        let mut table = table();
        let mut filter = Filter::default();
        filter.toggle(&ConflatedStatus::Passed);
        let (tags, sort) = (TagIndex::default(), Sort::default());
        let mut listing = Listing::new(&mut table, &filter, &tags, sort);
        assert_eq!(names(&table, &listing), "ad");

        let changes = table.merge([
            test(4, "a", ConflatedStatus::Error),
            test(3, "b", ConflatedStatus::Passed),
            test(5, "0", ConflatedStatus::Passed),
        ]);
        listing.absorb(&table, &changes, &filter, &tags, sort);
        assert_eq!(names(&table, &listing), "ad0b");
        let stale = table.row(TestId::from_u128(4)).unwrap();
        assert!(!listing.matches(stale));
        assert_eq!((listing.matching_count(), listing.moved()), (3, 3));
        assert_eq!(listing.matching().count(), 3);

        let fresh = Listing::new(&mut table, &filter, &tags, sort);
        assert_eq!(names(&table, &fresh), "0bd");
        assert_eq!(fresh.matching_count(), listing.matching_count());
        assert_eq!(fresh.moved(), 0);
    }

    #[test]
    fn a_test_that_is_gone_no_longer_matches() {
        let mut table = table();
        let mut listing = Listing::new(
            &mut table,
            &Filter::default(),
            &TagIndex::default(),
            Sort::default(),
        );
        table.begin_listing();
        table.merge([test(1, "d", ConflatedStatus::Passed)]);
        let changes = Changes {
            gone: table.end_listing(),
            ..Changes::default()
        };
        listing.absorb(
            &table,
            &changes,
            &Filter::default(),
            &TagIndex::default(),
            Sort::default(),
        );
        assert_eq!((listing.len(), listing.matching_count()), (4, 1));
    }
}
