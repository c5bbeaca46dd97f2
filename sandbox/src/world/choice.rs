//! Which of the ready-made projects a sandbox has.
//!
//! Why: everything at once is right for a person who looks around, and slow for
//! a test that needs one project. A project is the same whatever stands beside
//! it: its IDs come from the seed and its name.

use std::collections::BTreeSet;
use std::fmt;

/// A group of ready-made projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// Warehouse robots, its archived forerunner, and an empty project.
    Everyday,
    /// Batches of 1,000 to 100,000 tests.
    Large,
    /// One project for each way in which calls go wrong.
    Faults,
    /// Answers of an older deployment.
    Old,
    /// Names full of markup and control characters.
    Hostile,
}

const GROUPS: [(&str, Group); 5] = [
    ("everyday", Group::Everyday),
    ("large", Group::Large),
    ("faults", Group::Faults),
    ("old", Group::Old),
    ("hostile", Group::Hostile),
];

/// The groups of ready-made projects that a sandbox starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixtures(BTreeSet<Group>);

impl Default for Fixtures {
    /// All of them.
    fn default() -> Self {
        Self(GROUPS.iter().map(|(_, group)| *group).collect())
    }
}

impl Fixtures {
    /// Reads a list such as `everyday,large`.
    ///
    /// # Errors
    /// A sentence that names the flag and every name that there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|word| {
                GROUPS
                    .iter()
                    .find(|(name, _)| *name == word.trim())
                    .map(|(_, group)| *group)
                    .ok_or_else(|| {
                        format!(
                            "--fixtures has no {:?}; there are {}.",
                            word.trim(),
                            Self::default()
                        )
                    })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the group is wanted.
    pub(crate) fn has(&self, group: Group) -> bool {
        self.0.contains(&group)
    }
}

impl fmt::Display for Fixtures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = GROUPS
            .iter()
            .filter(|(_, group)| self.has(*group))
            .map(|(name, _)| *name)
            .collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_any_order_and_with_spaces() {
        let read = |text| Fixtures::parse(text).map(|it| it.to_string());
        assert_eq!(read("hostile, everyday"), Ok("everyday,hostile".to_owned()));
        assert_eq!(read("old,old"), Ok("old".to_owned()));
        assert_eq!(
            read(&Fixtures::default().to_string()).as_deref(),
            Ok("everyday,large,faults,old,hostile")
        );
    }

    #[test]
    fn a_bad_name_is_refused_with_the_list() {
        for text in ["", "everyday,", "everyday,huge", "Everyday"] {
            let why = Fixtures::parse(text).expect_err(text);
            assert!(
                why.contains("--fixtures") && why.contains("everyday,large,faults,old,hostile"),
                "{text:?}: {why}"
            );
        }
    }
}
