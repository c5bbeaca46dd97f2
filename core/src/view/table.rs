//! Every test of a batch, stored once.
//!
//! A row keeps its [`RowId`] for as long as the table lives, so that order,
//! selection and screen refer to tests by a small number that never moves.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use crate::{
    domain::{ConflatedStatus, Test, TestId},
    order::sort_by,
};

/// Names one row of one table; stable while the table lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(u32);

impl RowId {
    /// Place in arrays that run parallel to the table.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The row at a place in such arrays.
    pub(super) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("paging is bounded far below 2^32 tests"))
    }
}

/// Number of tests by shown status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    known: [u64; ConflatedStatus::KNOWN.len()],
    unknown: BTreeMap<Box<str>, u64>,
}

impl Tally {
    /// Tests with this status.
    pub fn of(&self, status: &ConflatedStatus) -> u64 {
        match status {
            ConflatedStatus::Unknown(word) => self.unknown.get(word).copied().unwrap_or(0),
            known => self.known[usize::from(known.severity_rank())],
        }
    }

    /// All tests.
    pub fn total(&self) -> u64 {
        self.known.iter().sum::<u64>() + self.unknown.values().sum::<u64>()
    }

    /// Words that this program does not know, with their counts.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, u64)> {
        self.unknown.iter().map(|(word, n)| (&**word, *n))
    }

    fn add(&mut self, status: ConflatedStatus) {
        match status {
            ConflatedStatus::Unknown(word) => *self.unknown.entry(word).or_default() += 1,
            known => self.known[usize::from(known.severity_rank())] += 1,
        }
    }

    fn remove(&mut self, status: ConflatedStatus) {
        match status {
            ConflatedStatus::Unknown(word) => {
                if let Some(n) = self.unknown.get_mut(&word) {
                    *n -= 1;
                    if *n == 0 {
                        self.unknown.remove(&word);
                    }
                }
            }
            known => self.known[usize::from(known.severity_rank())] -= 1,
        }
    }
}

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Rows that are new.
    pub added: Vec<RowId>,
    /// Rows that differ from before.
    pub changed: Vec<RowId>,
    /// Rows that are gone: a whole listing no longer has them.
    pub gone: Vec<RowId>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.gone.is_empty()
    }
}

/// All tests of one batch.
#[derive(Debug, Default)]
pub struct TestTable {
    rows: Vec<Test>,
    /// How bad each row's shown status is: what filters and sorts ask of all
    /// rows is read without going to the tests.
    ranks: Vec<u8>,
    /// Whether each row's name is in small ASCII letters, as most are: a search looks
    /// through such a name as it is.
    plain: Vec<bool>,
    /// The listing in which each row was last seen; 0: gone.
    seen_in: Vec<u32>,
    by_id: HashMap<TestId, RowId>,
    /// Rows of tests without an ID, in listing order.
    nameless: Vec<RowId>,
    nameless_seen: usize,
    tally: Tally,
    listing: u32,
    /// Rows by name, without those of `fresh`.
    by_name: Vec<RowId>,
    /// Rows that came since `by_name` was made, sorted by name among themselves.
    fresh: Vec<RowId>,
    /// A name changed or a test went, so that all of `by_name` is made anew.
    by_name_is_stale: bool,
}

impl TestTable {
    /// A table without tests.
    pub fn new() -> Self {
        Self {
            listing: 1,
            ..Self::default()
        }
    }

    /// A whole new listing begins; [`Self::end_listing`] ends it.
    pub fn begin_listing(&mut self) {
        self.listing += 1;
        self.nameless_seen = 0;
    }

    /// The listing is complete: what it did not contain is gone.
    pub fn end_listing(&mut self) -> Vec<RowId> {
        let gone: Vec<RowId> = (0..self.rows.len())
            .filter(|&n| self.seen_in[n] != 0 && self.seen_in[n] != self.listing)
            .map(RowId::from_index)
            .collect();
        for row in &gone {
            self.seen_in[row.index()] = 0;
            self.tally.remove(self.rows[row.index()].shown_status());
        }
        self.by_name_is_stale |= !gone.is_empty();
        gone
    }

    /// Takes in tests, by ID; the order is the server's and means nothing.
    pub fn merge(&mut self, tests: impl IntoIterator<Item = Test>) -> Changes {
        let mut changes = Changes::default();
        let before = self.rows.len();
        for test in tests {
            let known = if let Some(id) = test.id {
                self.by_id.get(&id).copied()
            } else {
                let place = self.nameless_seen;
                self.nameless_seen += 1;
                self.nameless.get(place).copied()
            };
            match known {
                Some(row) => self.update(row, test, &mut changes),
                None => self.insert(test, &mut changes),
            }
        }
        self.take_in_fresh(before);
        changes
    }

    /// Sorts the rows from `first` on into what came since the order was made: page by
    /// page, so that making the order has little left to do at once.
    fn take_in_fresh(&mut self, first: usize) {
        let mut page: Vec<RowId> = (first..self.rows.len()).map(RowId::from_index).collect();
        if page.is_empty() || self.by_name_is_stale {
            return;
        }
        sort_by(&mut page, |a, b| self.compare_names(*a, *b));
        self.fresh = self.merged(&self.fresh, &page);
    }

    fn update(&mut self, row: RowId, test: Test, changes: &mut Changes) {
        let n = row.index();
        let was_gone = self.seen_in[n] == 0;
        self.seen_in[n] = self.listing;
        if !was_gone && self.rows[n] == test {
            return;
        }
        if !was_gone {
            self.tally.remove(self.rows[n].shown_status());
        }
        self.tally.add(test.shown_status());
        self.by_name_is_stale |= was_gone || self.rows[n].name != test.name;
        self.ranks[n] = test.severity_rank();
        self.plain[n] = is_plain(&test.name);
        self.rows[n] = test;
        if was_gone {
            changes.added.push(row);
        } else {
            changes.changed.push(row);
        }
    }

    fn insert(&mut self, test: Test, changes: &mut Changes) {
        let row = RowId::from_index(self.rows.len());
        match test.id {
            Some(id) => {
                self.by_id.insert(id, row);
            }
            None => self.nameless.push(row),
        }
        self.tally.add(test.shown_status());
        self.ranks.push(test.severity_rank());
        self.plain.push(is_plain(&test.name));
        self.rows.push(test);
        self.seen_in.push(self.listing);
        changes.added.push(row);
    }

    /// The test in a row.
    pub fn get(&self, row: RowId) -> &Test {
        &self.rows[row.index()]
    }

    /// How bad a row's shown status is; see [`ConflatedStatus::severity_rank`].
    pub fn rank(&self, row: RowId) -> u8 {
        self.ranks[row.index()]
    }

    /// Whether a row's name holds no letter that has another case.
    pub(super) fn is_plain(&self, row: RowId) -> bool {
        self.plain[row.index()]
    }

    /// The row of a test.
    pub fn row(&self, id: TestId) -> Option<RowId> {
        self.by_id
            .get(&id)
            .copied()
            .filter(|row| self.seen_in[row.index()] != 0)
    }

    /// Whether a row's test is listed, that is, not gone.
    pub fn is_listed(&self, row: RowId) -> bool {
        self.seen_in.get(row.index()).is_some_and(|seen| *seen != 0)
    }

    /// Number of tests, without those that are gone.
    pub fn len(&self) -> usize {
        usize::try_from(self.tally.total()).unwrap_or(usize::MAX)
    }

    /// Whether there are no tests.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows ever used: the length of arrays that run parallel to the table.
    pub fn capacity(&self) -> usize {
        self.rows.len()
    }

    /// Counts by status.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Every test with its row.
    pub fn iter(&self) -> impl Iterator<Item = (RowId, &Test)> {
        self.rows
            .iter()
            .enumerate()
            .filter(|(n, _)| self.seen_in[*n] != 0)
            .map(|(n, test)| (RowId::from_index(n), test))
    }

    /// Every row, in the order in which tests first came.
    pub fn rows(&self) -> impl Iterator<Item = RowId> {
        let listed = |n: &usize| self.seen_in[*n] != 0;
        (0..self.rows.len()).filter(listed).map(RowId::from_index)
    }

    /// Every row, sorted by name the way people count: `cut_in_2` before
    /// `cut_in_10`. While pages stream in, what is new is only merged into what was
    /// in order.
    pub fn by_name(&mut self) -> &[RowId] {
        if self.by_name_is_stale {
            self.fresh.clear();
            let mut order: Vec<RowId> = self.rows().collect();
            sort_by(&mut order, |a, b| self.compare_names(*a, *b));
            self.by_name = order;
            self.by_name_is_stale = false;
        } else if !self.fresh.is_empty() {
            self.by_name = self.merged(&self.by_name, &self.fresh);
            self.fresh.clear();
        }
        &self.by_name
    }

    fn compare_names(&self, a: RowId, b: RowId) -> Ordering {
        let (a, b) = (self.get(a), self.get(b));
        natural(&a.name, &b.name).then_with(|| a.id.cmp(&b.id))
    }

    /// Two ordered lists in one. `new` is short, so that the place of each is
    /// looked for, not far from the one before, instead of comparing every row of `old`.
    fn merged(&self, mut old: &[RowId], new: &[RowId]) -> Vec<RowId> {
        let mut all = Vec::with_capacity(old.len() + new.len());
        for row in new {
            let is_before = |it: &RowId| self.compare_names(*it, *row).is_le();
            // In steps that double, until one is too far.
            let (mut from, mut to) = (0, 1);
            while to < old.len() && is_before(&old[to - 1]) {
                (from, to) = (to, to * 2);
            }
            let to = to.min(old.len());
            let place = from + old[from..to].partition_point(is_before);
            all.extend_from_slice(&old[..place]);
            all.push(*row);
            old = &old[place..];
        }
        all.extend_from_slice(old);
        all
    }
}

fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|c| c.is_ascii() && !c.is_ascii_uppercase())
}

/// Compares names with their runs of digits as numbers, case aside.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, rest_x) = leading_digits(left);
                let (y, rest_y) = leading_digits(right);
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
                if order.is_ne() {
                    return order;
                }
                (left, right) = (rest_x, rest_y);
            }
            (Some(x), Some(y)) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order.is_ne() {
                    return order;
                }
                (left, right) = (&left[1..], &right[1..]);
            }
        }
    }
}

/// The number in front without its leading zeros, and what follows it.
fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let start = text[..end].iter().position(|c| *c != b'0').unwrap_or(end);
    (&text[start..end], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(n: u128, name: &str, status: ConflatedStatus) -> Test {
        let mut test = Test::new(TestId::from_u128(n), name);
        test.conflated = Some(status);
        test
    }

    #[test]
    fn a_merge_tells_what_is_new_and_what_changed() {
        let mut table = TestTable::new();
        let first = table.merge([
            test(1, "a", ConflatedStatus::Running),
            test(2, "b", ConflatedStatus::Running),
        ]);
        assert_eq!(first.added.len(), 2);
        let again = table.merge([
            test(2, "b", ConflatedStatus::Error),
            test(1, "a", ConflatedStatus::Running),
        ]);
        assert_eq!(
            again,
            Changes {
                changed: vec![RowId(1)],
                ..Changes::default()
            }
        );
        assert_eq!(table.tally().of(&ConflatedStatus::Error), 1);
        assert_eq!(table.tally().of(&ConflatedStatus::Running), 1);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn a_test_that_a_whole_listing_lacks_is_gone_and_may_come_back() {
        let mut table = TestTable::new();
        table.merge([
            test(1, "a", ConflatedStatus::Passed),
            test(2, "b", ConflatedStatus::Error),
        ]);
        table.begin_listing();
        table.merge([test(2, "b", ConflatedStatus::Error)]);
        assert_eq!(table.end_listing(), [RowId(0)]);
        assert_eq!((table.len(), table.row(TestId::from_u128(1))), (1, None));
        assert_eq!(table.by_name(), [RowId(1)]);
        let back = table.merge([test(1, "a", ConflatedStatus::Passed)]);
        assert_eq!(back.added, [RowId(0)]);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn tests_without_an_id_are_counted_once_over_listings() {
        let mut table = TestTable::new();
        let mut nameless = test(1, "x", ConflatedStatus::Passed);
        nameless.id = None;
        table.merge([nameless.clone(), nameless.clone()]);
        table.begin_listing();
        assert!(table.merge([nameless.clone(), nameless]).is_empty());
        assert!(table.end_listing().is_empty());
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn unknown_words_are_counted_by_themselves() {
        let mut table = TestTable::new();
        table.merge([test(1, "a", ConflatedStatus::from_word("QUARANTINED"))]);
        assert_eq!(
            table.tally().unknown().collect::<Vec<_>>(),
            [("QUARANTINED", 1)]
        );
        table.merge([test(1, "a", ConflatedStatus::Passed)]);
        assert_eq!(table.tally().unknown().count(), 0);
    }

    #[test]
    fn what_streams_in_ends_in_the_same_order_as_all_at_once() {
        let name = |n: u128| format!("case_{}", n * 7919 % 101);
        let all: Vec<Test> = (1..=300)
            .map(|n| test(n, &name(n), ConflatedStatus::Passed))
            .collect();
        let mut streamed = TestTable::new();
        for page in all.chunks(7) {
            streamed.merge(page.to_vec());
            streamed.by_name();
        }
        let mut at_once = TestTable::new();
        at_once.merge(all);
        assert_eq!(streamed.by_name(), at_once.by_name());
        assert_eq!(streamed.by_name().len(), 300);
        // Also after a name has changed and one more has come.
        for table in [&mut streamed, &mut at_once] {
            table.merge([
                test(5, "aaa", ConflatedStatus::Passed),
                test(301, "case_50", ConflatedStatus::Passed),
            ]);
        }
        assert_eq!(streamed.by_name(), at_once.by_name());
        assert_eq!(streamed.by_name()[0], RowId(4));
        assert_eq!(streamed.by_name().len(), 301);
    }

    #[test]
    fn names_sort_as_people_count() {
        let mut names = vec!["b", "cut_in_10", "cut_in_2", "A", "cut_in_02", "a1b", "a1"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["A", "a1", "a1b", "b", "cut_in_02", "cut_in_2", "cut_in_10"]
        );
    }
}
