//! The tags of a project, and which tests of a batch wear them, as far as the
//! server was asked.
//!
//! Tests carry no tags themselves: the server lists the tests of a tag. Whether
//! several tags in one question mean any or all of them is not written down
//! (`resim-api.md` §2), so each tag is asked for by itself and they are joined
//! here: a test is shown if it wears **any** of the ticked tags.
//!
//! A tag: never asked for -> being read -> read, or failed.
//!
//! Invariant: a set of tests is whole or not there; half an answer is no answer.
//! When tests come that no answer can have known, every tag is asked for once
//! more, and the older answer counts until then.
//! Elsewhere: the reading (the app's driver), the filter ([`super::query`]).

use std::collections::HashSet;

use super::{table::natural, words};
use crate::{
    api::ApiError,
    domain::{ExperienceTag, ExperienceTagId, TestId},
    order,
};

/// Most tags that a menu lists at once; more are found by typing.
const MENU: usize = 200;
/// A menu with more tags than this can be searched.
const FEW: usize = 8;

/// What is known of tags while one batch is shown.
#[derive(Debug, Default)]
pub struct TagIndex {
    names: Names,
    /// One for each tag that was asked for: few, so that a list is quick enough.
    answers: Vec<Answer>,
    /// Rises when tests came that older answers cannot have known.
    generation: u32,
}

/// The tags of the project.
#[derive(Debug, Default)]
enum Names {
    /// Nobody wants to see them yet.
    #[default]
    Unasked,
    Due,
    UnderWay,
    Read(Vec<ExperienceTag>),
    Failed(ApiError),
}

#[derive(Debug)]
struct Answer {
    tag: ExperienceTagId,
    /// The tests that wear the tag, once they were read.
    tests: Option<HashSet<TestId>>,
    /// The generation in which it was asked for last; `None`: ask.
    asked_in: Option<u32>,
    is_under_way: bool,
    failed: Option<ApiError>,
}

/// What the menu of tags shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// The sentence above the tags.
    pub says: String,
    /// The tags that were looked for.
    pub tags: Vec<ExperienceTag>,
    /// Whether there are so many that a field to search them helps.
    pub can_search: bool,
}

impl TagIndex {
    /// A person wants to see the project's tags; also once more after a failure.
    pub fn want_names(&mut self) {
        if matches!(self.names, Names::Unasked | Names::Failed(_)) {
            self.names = Names::Due;
        }
    }

    /// Whether the project's tags are to be read now: wanted, or to name what
    /// a link ticks.
    pub fn are_names_due(&self, ticked: &[ExperienceTagId]) -> bool {
        match self.names {
            Names::Due => true,
            Names::Unasked => !ticked.is_empty(),
            _ => false,
        }
    }

    /// The project's tags are being read.
    pub fn begin_names(&mut self) {
        self.names = Names::UnderWay;
    }

    /// The project's tags were read, or could not be.
    pub fn name_all(&mut self, read: Result<Vec<ExperienceTag>, ApiError>) {
        self.names = match read {
            Ok(mut tags) => {
                // Pages are no snapshot: an entry may come twice.
                order::sort_by(&mut tags, |a, b| {
                    natural(&a.name, &b.name).then(a.id.cmp(&b.id))
                });
                tags.dedup_by_key(|tag| tag.id);
                Names::Read(tags)
            }
            Err(error) => Names::Failed(error),
        };
    }

    /// Why the project's tags could not be read.
    pub fn names_failed(&self) -> Option<&ApiError> {
        match &self.names {
            Names::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// A tag's name, safe to read; a part of its ID while nobody knows it.
    pub fn name(&self, id: ExperienceTagId) -> String {
        let known = match &self.names {
            Names::Read(all) => all.iter().find(|tag| tag.id == id),
            _ => None,
        };
        known.map_or_else(
            || format!("tag {}", &id.to_string()[..8]),
            |tag| words::name(&tag.name),
        )
    }

    /// The menu, with the tags whose name contains what was typed.
    pub fn menu(&self, typed: &str) -> Menu {
        let all: &[ExperienceTag] = match &self.names {
            Names::Read(all) => all,
            _ => &[],
        };
        let typed = typed.trim().to_lowercase();
        let mut tags = Vec::new();
        let mut more = 0;
        for tag in all {
            match tag.name.to_lowercase().contains(&typed) {
                true if tags.len() < MENU => tags.push(tag.clone()),
                true => more += 1,
                false => {}
            }
        }
        let says = match self.names {
            Names::Failed(_) => String::new(),
            Names::Read(_) if all.is_empty() => "This project has no tags.".into(),
            Names::Read(_) if tags.is_empty() => "No tag has such a name.".into(),
            Names::Read(_) if more > 0 => {
                let more = words::number(more);
                format!("{ANY} {more} more tags: type a part of the name.")
            }
            Names::Read(_) => ANY.into(),
            _ => "Reading the tags…".into(),
        };
        Menu {
            says,
            tags,
            can_search: all.len() > FEW,
        }
    }

    /// The ticked tag to ask for next; none while one is under way, so that a
    /// hand that ticks many does not send many questions at once.
    pub fn due(&self, ticked: &[ExperienceTagId]) -> Option<ExperienceTagId> {
        if self.answers.iter().any(|it| it.is_under_way) {
            return None;
        }
        ticked.iter().copied().find(|tag| self.is_due(*tag))
    }

    fn is_due(&self, tag: ExperienceTagId) -> bool {
        self.of(tag)
            .is_none_or(|it| it.asked_in != Some(self.generation))
    }

    fn of(&self, tag: ExperienceTagId) -> Option<&Answer> {
        self.answers.iter().find(|it| it.tag == tag)
    }

    fn entry(&mut self, tag: ExperienceTagId) -> &mut Answer {
        let known = self.answers.iter().position(|it| it.tag == tag);
        let place = known.unwrap_or_else(|| {
            self.answers.push(Answer {
                tag,
                tests: None,
                asked_in: None,
                is_under_way: false,
                failed: None,
            });
            self.answers.len() - 1
        });
        &mut self.answers[place]
    }

    /// The tag is being asked for.
    pub fn begin(&mut self, tag: ExperienceTagId) {
        let generation = self.generation;
        let answer = self.entry(tag);
        answer.asked_in = Some(generation);
        answer.is_under_way = true;
        answer.failed = None;
    }

    /// These tests wear the tag. Returns those that are new to it or no longer wear it.
    pub fn answer(&mut self, tag: ExperienceTagId, tests: HashSet<TestId>) -> Vec<TestId> {
        let answer = self.entry(tag);
        answer.is_under_way = false;
        let before = answer.tests.take().unwrap_or_default();
        let differing = before.symmetric_difference(&tests).copied().collect();
        answer.tests = Some(tests);
        differing
    }

    /// The tag could not be asked for.
    pub fn fail(&mut self, tag: ExperienceTagId, error: ApiError) {
        let answer = self.entry(tag);
        answer.is_under_way = false;
        answer.failed = Some(error);
    }

    /// Asking was given up half way: it begins anew when it is wanted again.
    pub fn give_up(&mut self, tag: ExperienceTagId) {
        let answer = self.entry(tag);
        answer.is_under_way = false;
        answer.asked_in = None;
    }

    /// Asks again for the tests of every tag that failed.
    pub fn retry(&mut self) {
        for answer in &mut self.answers {
            if answer.failed.take().is_some() {
                answer.asked_in = None;
            }
        }
    }

    /// Tests came that no answer can have known.
    pub fn outdate(&mut self) {
        self.generation += 1;
    }

    /// Whether the tests of the tag were read, if only by an older answer.
    pub fn is_read(&self, tag: ExperienceTagId) -> bool {
        self.tests(tag).is_some()
    }

    /// Whether an answer is still to come.
    pub fn is_awaited(&self, tag: ExperienceTagId) -> bool {
        self.is_due(tag) || self.of(tag).is_some_and(|it| it.is_under_way)
    }

    /// Says which of the ticked tags could not be read, with the reason of the first.
    pub fn failed(&self, ticked: &[ExperienceTagId]) -> Option<(String, ApiError)> {
        let mut names = String::new();
        let mut why = None;
        for tag in ticked {
            if let Some(error) = self.of(*tag).and_then(|it| it.failed.as_ref()) {
                if why.is_none() {
                    why = Some(error.clone());
                } else {
                    names.push_str(", ");
                }
                names.push_str(&self.name(*tag));
            }
        }
        let says = format!("The tests tagged {names} could not be read: rows may be missing.");
        why.map(|why| (says, why))
    }

    /// The tests that wear a tag.
    pub(super) fn tests(&self, tag: ExperienceTagId) -> Option<&HashSet<TestId>> {
        self.of(tag)?.tests.as_ref()
    }
}

/// What several ticked tags mean.
const ANY: &str = "Tests that wear any of the ticked tags are shown.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ErrorKind;

    const NIGHT: ExperienceTagId = ExperienceTagId::from_u128(1);
    const RAIN: ExperienceTagId = ExperienceTagId::from_u128(2);

    fn tests(ids: impl IntoIterator<Item = u128>) -> HashSet<TestId> {
        ids.into_iter().map(TestId::from_u128).collect()
    }

    fn error() -> ApiError {
        ApiError::new("list the tests", ErrorKind::Server, "out of order")
    }

    #[test]
    fn tags_are_asked_for_one_at_a_time_and_once() {
        let ticked = [NIGHT, RAIN];
        let mut index = TagIndex::default();
        assert_eq!(index.due(&ticked), Some(NIGHT));
        assert_eq!(index.due(&[]), None);
        index.begin(NIGHT);
        assert_eq!(index.due(&ticked), None);
        assert!(index.is_awaited(NIGHT) && index.is_awaited(RAIN));
        index.answer(NIGHT, tests([1, 2]));
        assert!(!index.is_awaited(NIGHT));
        assert_eq!(index.due(&ticked), Some(RAIN));
        index.begin(RAIN);
        index.answer(RAIN, tests([]));
        assert!(index.is_read(RAIN), "no test at all is an answer");
        assert_eq!(index.due(&ticked), None);
    }

    #[test]
    fn a_failure_waits_for_a_person_and_does_not_hold_up_other_tags() {
        let ticked = [NIGHT, RAIN];
        let mut index = TagIndex::default();
        index.begin(NIGHT);
        index.fail(NIGHT, error());
        let says = "The tests tagged tag 00000000 could not be read: rows may be missing.";
        assert_eq!(index.failed(&ticked), Some((says.into(), error())));
        assert_eq!(index.failed(&[RAIN]), None, "not ticked");
        assert!(!index.is_awaited(NIGHT) && !index.is_read(NIGHT));
        assert_eq!(index.due(&ticked), Some(RAIN));
        index.begin(RAIN);
        index.answer(RAIN, tests([3]));
        assert_eq!(index.due(&ticked), None);
        index.retry();
        assert_eq!(index.failed(&ticked), None);
        assert_eq!(index.due(&ticked), Some(NIGHT));
        assert!(!index.is_awaited(RAIN), "what was read is kept");
    }

    #[test]
    fn new_tests_outdate_every_answer_also_one_under_way() {
        let ticked = [NIGHT, RAIN];
        let mut index = TagIndex::default();
        index.begin(NIGHT);
        index.answer(NIGHT, tests([1, 2]));
        index.begin(RAIN);
        index.outdate();
        index.answer(RAIN, tests([2]));
        assert_eq!(index.due(&ticked), Some(NIGHT));
        assert_eq!(index.tests(NIGHT), Some(&tests([1, 2])), "until then");
        index.begin(NIGHT);
        let differing = index.answer(NIGHT, tests([2, 3]));
        assert_eq!(differing.into_iter().collect::<HashSet<_>>(), tests([1, 3]));
        assert_eq!(index.due(&ticked), Some(RAIN));
        index.begin(RAIN);
        index.fail(RAIN, error());
        assert_eq!(index.tests(RAIN), Some(&tests([2])));
        assert!(index.failed(&ticked).is_some(), "and it is said");
    }

    #[test]
    fn a_reading_that_was_given_up_begins_anew() {
        let ticked = [NIGHT];
        let mut index = TagIndex::default();
        index.begin(NIGHT);
        index.give_up(NIGHT);
        assert!(!index.is_read(NIGHT));
        assert_eq!(index.due(&ticked), Some(NIGHT));
    }

    fn tag(id: u128, name: &str) -> ExperienceTag {
        ExperienceTag {
            id: ExperienceTagId::from_u128(id),
            name: name.into(),
        }
    }

    #[test]
    fn the_tags_are_read_when_they_are_first_wanted_and_again_after_a_failure() {
        let mut index = TagIndex::default();
        assert!(!index.are_names_due(&[]));
        assert!(index.are_names_due(&[NIGHT]), "a link ticks one");
        index.want_names();
        assert!(index.are_names_due(&[]));
        index.begin_names();
        index.want_names();
        assert!(!index.are_names_due(&[NIGHT]), "they are under way");
        assert_eq!(index.menu("").says, "Reading the tags…");
        index.name_all(Err(error()));
        assert_eq!(index.names_failed(), Some(&error()));
        assert!(!index.are_names_due(&[NIGHT]), "a person says when");
        index.want_names();
        assert!(index.are_names_due(&[]));
        index.name_all(Ok(vec![tag(1, "night ")]));
        assert_eq!(index.name(NIGHT), "night␣");
        assert_eq!(index.name(RAIN), "tag 00000000");
        index.want_names();
        assert!(!index.are_names_due(&[NIGHT]), "they are there");
        index.name_all(Ok(vec![]));
        assert_eq!(index.menu("x").says, "This project has no tags.");
    }

    #[test]
    fn a_menu_lists_each_tag_once_in_the_order_that_people_count() {
        let mut index = TagIndex::default();
        let zones = [
            tag(1, "zone 10"),
            tag(2, "zone 2"),
            tag(3, "Night"),
            tag(1, "zone 10"),
        ];
        index.name_all(Ok(zones.into()));
        let names = |typed: &str| -> Vec<String> {
            let tags = index.menu(typed).tags.into_iter();
            tags.map(|tag| tag.name).collect()
        };
        assert_eq!(names(""), ["Night", "zone 2", "zone 10"]);
        assert_eq!(names(" ZONE "), ["zone 2", "zone 10"]);
        assert_eq!(names("nought"), [""; 0]);
        assert_eq!(index.menu("nought").says, "No tag has such a name.");
        assert_eq!(index.menu("").says, ANY);
        assert!(!index.menu("").can_search);
    }

    #[test]
    fn a_long_menu_is_cut_and_says_so() {
        let mut index = TagIndex::default();
        index.name_all(Ok((1..=250).map(|n| tag(n, &format!("tag {n}"))).collect()));
        let menu = index.menu("tag");
        assert!(menu.can_search);
        assert_eq!(menu.tags.len(), 200);
        assert_eq!(
            menu.says,
            format!("{ANY} 50 more tags: type a part of the name.")
        );
        assert_eq!(index.menu("tag 25").says, ANY);
    }
}
