//! Filter, sort and open drawer, as they stand in the URL: whoever gets the
//! link sees the same rows.

use std::collections::{BTreeSet, HashSet};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{RowId, TagIndex, TestTable};
use crate::domain::{ConflatedStatus, ExperienceTagId, Test, TestId};

/// Most tags that a link may tick: each is a question to the server.
const MAX_TAGS: usize = 50;

/// Which tests are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Any of these statuses; empty: all.
    pub statuses: BTreeSet<ConflatedStatus>,
    /// Wears any of these tags, each once; empty: all.
    pub tags: Vec<ExperienceTagId>,
    /// Every word of this occurs in the test's name, error or ID; case aside.
    pub text: String,
}

impl Filter {
    /// Whether everything is shown.
    pub fn is_empty(&self) -> bool {
        self.statuses.is_empty() && self.tags.is_empty() && self.text.trim().is_empty()
    }

    /// A test that asks whether a row is shown; made once per filter. A tag
    /// that was not read yet matches nothing yet.
    pub fn matcher<'a>(&'a self, index: &'a TagIndex) -> Matcher<'a> {
        let mut ranks = [self.statuses.is_empty(); ConflatedStatus::RANKS];
        for status in &self.statuses {
            ranks[usize::from(status.severity_rank())] = true;
        }
        let wearers = self.tags.iter().filter_map(|tag| index.tests(*tag));
        Matcher {
            statuses: &self.statuses,
            ranks,
            wearers: (!self.tags.is_empty()).then(|| wearers.collect()),
            words: self
                .text
                .split_whitespace()
                .map(|word| Word(word.to_lowercase()))
                .collect(),
        }
    }

    /// Adds or removes a status.
    pub fn toggle(&mut self, status: &ConflatedStatus) {
        if !self.statuses.remove(status) {
            self.statuses.insert(status.clone());
        }
    }

    /// Ticks or unticks a tag.
    pub fn toggle_tag(&mut self, tag: ExperienceTagId) {
        match self.tags.iter().position(|it| *it == tag) {
            Some(place) => drop(self.tags.remove(place)),
            None => self.tags.push(tag),
        }
    }
}

/// A filter made ready.
#[derive(Debug)]
pub struct Matcher<'a> {
    statuses: &'a BTreeSet<ConflatedStatus>,
    /// Which ranks those have; words that nobody knows share one.
    ranks: [bool; ConflatedStatus::RANKS],
    /// The tests of each ticked tag that was read; `None`: no tag is ticked.
    wearers: Option<Vec<&'a HashSet<TestId>>>,
    words: Vec<Word>,
}

impl Matcher<'_> {
    /// Whether the test in a row is shown.
    pub fn shows(&self, table: &TestTable, row: RowId) -> bool {
        let rank = usize::from(table.rank(row));
        let by_rank_alone = self.wearers.is_none()
            && self.words.is_empty()
            && (rank + 1 < ConflatedStatus::RANKS || self.statuses.is_empty());
        // Most rows are decided without going to the test.
        if by_rank_alone || !self.ranks[rank] {
            return self.ranks[rank];
        }
        let (test, is_plain) = (table.get(row), table.is_plain(row));
        self.has_status(test)
            && self.wears(test)
            && self.words.iter().all(|word| word.is_in(test, is_plain))
    }

    /// Whether the test is shown.
    pub fn matches(&self, test: &Test) -> bool {
        self.has_status(test)
            && self.wears(test)
            && self.words.iter().all(|word| word.is_in(test, false))
    }

    fn has_status(&self, test: &Test) -> bool {
        if self.statuses.is_empty() {
            return true;
        }
        match &test.conflated {
            Some(conflated) => self.statuses.contains(conflated),
            None => self.statuses.contains(&test.shown_status()),
        }
    }

    /// Tags are known by the test's ID; a test without one wears none.
    fn wears(&self, test: &Test) -> bool {
        self.wearers.as_ref().is_none_or(|wearers| {
            test.id
                .is_some_and(|id| wearers.iter().any(|tests| tests.contains(&id)))
        })
    }
}

/// A word of the text filter, in lower case.
#[derive(Debug)]
struct Word(String);

impl Word {
    /// Whether it is in what a test is found by. `is_plain`: its name holds no
    /// letter that has another case, so it is looked through as it is.
    fn is_in(&self, test: &Test, is_plain: bool) -> bool {
        let word = &*self.0;
        let in_name = if is_plain {
            is_within(test.name.as_bytes(), word.as_bytes())
        } else {
            contains(&test.name, word)
        };
        in_name
            || test.current_errors().any(|error| {
                contains(&error.code, word)
                    || error.text.as_ref().is_some_and(|it| contains(it, word))
            })
            || (is_id_like(word) && test.id.is_some_and(|id| id.to_string().starts_with(word)))
    }
}

/// Eight hex digits or more, as the beginning of an ID has; shorter words would
/// match by accident.
fn is_id_like(word: &str) -> bool {
    word.len() >= 8 && word.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
}

/// Whether `text` contains `word`, byte by byte.
fn is_within(text: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else {
        return true;
    };
    memchr::memchr_iter(*first, text).any(|at| text[at + 1..].starts_with(rest))
}

/// Whether `text` contains `word`, which is in lower case, case aside.
fn contains(text: &str, word: &str) -> bool {
    if !text.is_ascii() || !word.is_ascii() {
        return text.to_lowercase().contains(word);
    }
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some((first, rest)) = word.split_first() else {
        return true;
    };
    let Some(last_start) = text.len().checked_sub(word.len()) else {
        return false;
    };
    // Most places fail at their first letter.
    (0..=last_start).any(|at| {
        text[at].eq_ignore_ascii_case(first)
            && text[at + 1..at + word.len()].eq_ignore_ascii_case(rest)
    })
}

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// Worst first: what needs a person stands on top.
    #[default]
    Status,
    /// By name, numbers as numbers.
    Name,
    /// By the test's run counter.
    Run,
    /// By the time of the last change.
    Updated,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 4] = [Self::Status, Self::Name, Self::Run, Self::Updated];

    /// The key in the URL.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Name => "name",
            Self::Run => "run",
            Self::Updated => "updated",
        }
    }

    /// Whether the order that is not reversed goes down: most runs and the latest change
    /// first.
    pub const fn begins_with_most(self) -> bool {
        matches!(self, Self::Run | Self::Updated)
    }
}

/// Key and direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// What by.
    pub key: SortKey,
    /// The other way round.
    pub reversed: bool,
}

impl Sort {
    /// After a click on a column's head: sorts by it, then the other way round.
    #[must_use]
    pub fn clicked(self, key: SortKey) -> Self {
        Self {
            key,
            reversed: self.key == key && !self.reversed,
        }
    }
}

/// What the URL of a batch page says about its view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewQuery {
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// The test whose drawer is open.
    pub open: Option<TestId>,
}

impl ViewQuery {
    /// Reads a query string, with or without its `?`. What cannot be
    /// understood is left out: a link must never break a page.
    pub fn parse(query: &str) -> Self {
        let mut it = Self::default();
        for (name, value) in pairs(query) {
            match name.as_str() {
                "status" => {
                    it.filter.statuses = value
                        .split(',')
                        .filter(|word| !word.is_empty())
                        .map(in_any_case)
                        .collect();
                }
                "tag" => {
                    for tag in value.split(',').filter_map(|id| id.parse().ok()) {
                        if it.filter.tags.len() < MAX_TAGS && !it.filter.tags.contains(&tag) {
                            it.filter.tags.push(tag);
                        }
                    }
                }
                "q" => it.filter.text = value.chars().take(200).collect(),
                "sort" => {
                    let (reversed, slug) = match value.strip_prefix('-') {
                        Some(slug) => (true, slug),
                        None => (false, value.as_str()),
                    };
                    if let Some(key) = SortKey::ALL.into_iter().find(|key| key.slug() == slug) {
                        it.sort = Sort { key, reversed };
                    }
                }
                "test" => it.open = value.parse().ok(),
                _ => {}
            }
        }
        it
    }

    /// What of a query string [`ViewQuery::parse`] left out, by the names that a
    /// link gives it: a link that is cut or misspelt is not to show more than it
    /// was meant to without a word.
    pub fn left_out(query: &str) -> Vec<&'static str> {
        let is_read = |name: &str, value: &str| match name {
            "tag" => value
                .split(',')
                .all(|id| id.parse::<ExperienceTagId>().is_ok()),
            "test" => value.parse::<TestId>().is_ok(),
            "sort" => {
                let slug = value.strip_prefix('-').unwrap_or(value);
                SortKey::ALL.into_iter().any(|key| key.slug() == slug)
            }
            _ => true,
        };
        let pairs: Vec<_> = pairs(query).collect();
        ["tag", "test", "sort"]
            .into_iter()
            .filter(|known| {
                let mut values = pairs.iter().filter(|(name, _)| name == known);
                values.any(|(name, value)| !is_read(name, value))
            })
            .collect()
    }

    /// The query string, with its `?`; empty for the view that needs none.
    pub fn to_query(&self) -> String {
        let mut parts = Vec::new();
        if !self.filter.statuses.is_empty() {
            let words: Vec<String> = self
                .filter
                .statuses
                .iter()
                .map(|status| escape(status.word()))
                .collect();
            parts.push(format!("status={}", words.join(",")));
        }
        if !self.filter.tags.is_empty() {
            let ids: Vec<String> = self.filter.tags.iter().map(ToString::to_string).collect();
            parts.push(format!("tag={}", ids.join(",")));
        }
        if !self.filter.text.is_empty() {
            parts.push(format!("q={}", escape(&self.filter.text)));
        }
        if self.sort != Sort::default() {
            let sign = if self.sort.reversed { "-" } else { "" };
            parts.push(format!("sort={sign}{}", self.sort.key.slug()));
        }
        if let Some(test) = self.open {
            parts.push(format!("test={test}"));
        }
        if parts.is_empty() {
            String::new()
        } else {
            format!("?{}", parts.join("&"))
        }
    }
}

/// What ends or splits a parameter, or reads otherwise in one; the rest stays
/// readable.
const VALUE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'+')
    .add(b',')
    .add(b'<')
    .add(b'=')
    .add(b'>');

/// A text as the value of a parameter of a query string.
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// A status as a link names it: known words in any case, others as they stand.
fn in_any_case(word: &str) -> ConflatedStatus {
    match ConflatedStatus::from_word(&word.to_uppercase()) {
        ConflatedStatus::Unknown(_) => ConflatedStatus::from_word(word),
        known => known,
    }
}

/// The parameters of a query string, decoded.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    query
        .trim_start_matches('?')
        .split('&')
        .filter(|part| !part.is_empty())
        .map(move |part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ExecutionError;

    fn test(name: &str, status: ConflatedStatus) -> Test {
        let id: TestId = "65262470-0fea-4c50-bc8c-17466866f690".parse().unwrap();
        let mut test = Test::new(id, name);
        test.conflated = Some(status);
        test
    }

    fn shows(filter: &str, test: &Test) -> bool {
        Filter {
            text: filter.into(),
            ..Filter::default()
        }
        .matcher(&TagIndex::default())
        .matches(test)
    }

    #[test]
    fn words_are_looked_for_in_name_error_and_id() {
        let mut it = test("Cut_In_Left wet", ConflatedStatus::Error);
        it.errors = vec![ExecutionError {
            code: "NONZERO_EXIT_CODE".into(),
            text: Some("Out of memory".into()),
            exit_code: None,
            run_counter: None,
        }];
        for yes in [
            "",
            "cut",
            "WET cut",
            "nonzero",
            "of MEMORY",
            "65262470",
            "  left  ",
        ] {
            assert!(shows(yes, &it), "{yes}");
        }
        for no in ["cutin", "wet dry", "652624", "fea-4c50-bc8c"] {
            assert!(!shows(no, &it), "{no}");
        }
        assert!(shows("ÜBER", &test("überholen", ConflatedStatus::Passed)));
    }

    #[test]
    fn statuses_are_alternatives_and_unknown_words_can_be_asked_for() {
        let mut filter = Filter::default();
        filter.toggle(&ConflatedStatus::Error);
        filter.toggle(&ConflatedStatus::from_word("QUARANTINED"));
        let index = TagIndex::default();
        let matcher = filter.matcher(&index);
        assert!(matcher.matches(&test("x", ConflatedStatus::Error)));
        assert!(matcher.matches(&test("x", ConflatedStatus::from_word("QUARANTINED"))));
        assert!(!matcher.matches(&test("x", ConflatedStatus::Passed)));
    }

    #[test]
    fn any_ticked_tag_is_enough_and_one_that_is_not_read_matches_nothing() {
        let (night, rain) = (ExperienceTagId::from_u128(1), ExperienceTagId::from_u128(2));
        let mut it = test("cut_in", ConflatedStatus::Error);
        let mut index = TagIndex::default();
        index.begin(night);
        index.answer(night, HashSet::from([it.id.unwrap()]));
        let shown = |tags: &[ExperienceTagId], index: &TagIndex, it: &Test| {
            let mut filter = Filter::default();
            for tag in tags {
                filter.toggle_tag(*tag);
            }
            assert_eq!(filter.is_empty(), tags.is_empty());
            filter.matcher(index).matches(it)
        };
        assert!(shown(&[], &index, &it));
        assert!(shown(&[night], &index, &it));
        assert!(!shown(&[rain], &index, &it), "not read");
        assert!(shown(&[night, rain], &index, &it));
        index.begin(rain);
        index.answer(rain, HashSet::new());
        assert!(!shown(&[rain], &index, &it), "read, and not worn");
        assert!(shown(&[night, rain], &index, &it));
        let mut filter = Filter::default();
        filter.toggle_tag(night);
        filter.text = "other".into();
        assert!(!filter.matcher(&index).matches(&it), "and the text too");
        it.id = None;
        assert!(!shown(&[night], &index, &it), "nobody knows");
        assert!(shown(&[], &index, &it));
    }

    #[test]
    fn a_view_survives_the_url() {
        let mut view = ViewQuery::default();
        view.filter.text = "cut in & 100 % é +1".into();
        view.filter.toggle(&ConflatedStatus::Blocker);
        view.filter.toggle(&ConflatedStatus::from_word("Shiny"));
        view.sort = Sort {
            key: SortKey::Updated,
            reversed: true,
        };
        view.filter.toggle_tag(ExperienceTagId::from_u128(8));
        view.filter.toggle_tag(ExperienceTagId::from_u128(9));
        view.open = Some(TestId::from_u128(7));
        assert_eq!(ViewQuery::parse(&view.to_query()), view);
        assert_eq!(ViewQuery::default().to_query(), "");
    }

    #[test]
    fn nonsense_in_a_link_is_left_out() {
        let view = ViewQuery::parse("?status=,,&sort=-colour&test=x&tag=x,,1&q&%zz=1&&==");
        assert_eq!(view, ViewQuery::default());
        let lower = ViewQuery::parse("status=error%2Cwarning");
        assert_eq!(lower.filter.statuses.len(), 2);
        let one = ViewQuery::parse(
            "tag=night,65262470-0fea-4c50-bc8c-17466866f690,652624700fea4c50bc8c17466866f690,",
        );
        assert_eq!(one.filter.tags.len(), 1);
        let ids: Vec<String> = (1..=80)
            .map(|n| ExperienceTagId::from_u128(n).to_string())
            .collect();
        let many = ViewQuery::parse(&format!("tag={}", ids.join(",")));
        assert_eq!(many.filter.tags.len(), MAX_TAGS);
    }

    #[test]
    fn what_a_link_names_in_vain_is_told() {
        let id = TestId::from_u128(7);
        assert!(ViewQuery::left_out(&format!("?test={id}&sort=-name&q=x&status=NEW")).is_empty());
        assert_eq!(
            ViewQuery::left_out("?test=nope&sort=colour&tag=nope"),
            ["tag", "test", "sort"]
        );
    }

    /// A new key does not compile here until it has its place, and then has to
    /// be in the list of all.
    #[test]
    fn a_link_can_name_every_key() {
        let after = |key| match key {
            SortKey::Status => Some(SortKey::Name),
            SortKey::Name => Some(SortKey::Run),
            SortKey::Run => Some(SortKey::Updated),
            SortKey::Updated => None,
        };
        let every: Vec<SortKey> =
            std::iter::successors(Some(SortKey::Status), |key| after(*key)).collect();
        assert_eq!(every, SortKey::ALL);
        for key in every {
            let sort = Sort {
                key,
                reversed: true,
            };
            let link = format!("sort=-{}", key.slug());
            assert_eq!(ViewQuery::parse(&link).sort, sort);
        }
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let sort = Sort::default().clicked(SortKey::Name);
        assert_eq!(
            sort,
            Sort {
                key: SortKey::Name,
                reversed: false
            }
        );
        assert!(sort.clicked(SortKey::Name).reversed);
        assert!(!sort.clicked(SortKey::Name).clicked(SortKey::Name).reversed);
    }
}
