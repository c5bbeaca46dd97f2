//! Identities. Each noun has its own type, so that a test's ID can never be
//! sent where a batch's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an ID (`resim-api.md` §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdError {
    /// The text has none of the lengths that a UUID can have; carries the length.
    Length(usize),
    /// The length fits, the characters do not.
    Format,
    /// The nil UUID (all zeros), which names nothing.
    Nil,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "a UUID has 36 characters, this has {length}"),
            Self::Format => f.write_str("not a UUID"),
            Self::Nil => f.write_str("the nil UUID names nothing"),
        }
    }
}

impl std::error::Error for IdError {}

/// Reads the four forms of a UUID that the CLI accepts (`resim-api.md` §8):
/// hyphenated, 32 hex digits, `{…}` and `urn:uuid:…`, in any case, untrimmed.
fn parse_uuid(text: &str) -> Result<Uuid, IdError> {
    let bare = match text.get(..9) {
        Some(prefix) if prefix.eq_ignore_ascii_case("urn:uuid:") => &text[9..],
        _ => text,
    };
    let bare_len = bare.len();
    let allowed: &[usize] = if bare_len == text.len() {
        &[32, 36, 38]
    } else {
        &[36]
    };
    if !allowed.contains(&bare_len) {
        return Err(IdError::Length(text.chars().count()));
    }
    let uuid = Uuid::try_parse(bare).map_err(|_| IdError::Format)?;
    if uuid.is_nil() {
        Err(IdError::Nil)
    } else {
        Ok(uuid)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The ID with these 128 bits; for tests and fixtures.
            pub const fn from_u128(bits: u128) -> Self {
                Self(Uuid::from_u128(bits))
            }

            /// The 128 bits of the ID, for compact storage and hashing.
            pub const fn as_u128(self) -> u128 {
                self.0.as_u128()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            /// The canonical form, lower case with hyphens, as requests carry it.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }
    )*};
}

ids! {
    /// Names a project.
    ProjectId
    /// Names a batch; kept across reruns (`resim-api.md` §5).
    BatchId
    /// Names a test: the API's `jobID`.
    TestId
    /// Names an experience (the scenario that a test runs).
    ExperienceId
    /// Names a tag that experiences wear.
    ExperienceTagId
    /// Names a system under test.
    SystemId
    /// Names a branch of builds.
    BranchId
    /// Names a build: one version of the system.
    BuildId
    /// Names a test suite.
    TestSuiteId
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANONICAL: &str = "65262470-0fea-4c50-bc8c-17466866f690";

    #[test]
    fn the_four_forms_of_the_cli_are_one_id() {
        for text in [
            CANONICAL,
            "652624700FEA4C50BC8C17466866F690",
            "{65262470-0fea-4c50-bc8c-17466866f690}",
            "URN:UUID:65262470-0FEA-4C50-BC8C-17466866F690",
        ] {
            let id: BatchId = text.parse().unwrap();
            assert_eq!(id.to_string(), CANONICAL, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, why) in [
            ("abcd", IdError::Length(4)),
            ("", IdError::Length(0)),
            (" 65262470-0fea-4c50-bc8c-17466866f690", IdError::Length(37)),
            (
                "urn:uuid:652624700fea4c50bc8c17466866f690",
                IdError::Length(41),
            ),
            ("x5262470-0fea-4c50-bc8c-17466866f690", IdError::Format),
            ("[65262470-0fea-4c50-bc8c-17466866f690]", IdError::Format),
            ("00000000-0000-0000-0000-000000000000", IdError::Nil),
            ("ééééééééé", IdError::Length(9)),
        ] {
            assert_eq!(text.parse::<TestId>(), Err(why), "{text}");
        }
    }

    #[test]
    fn each_refusal_says_what_is_wrong_with_the_text() {
        for (text, words) in [
            ("nightly", "a UUID has 36 characters, this has 7"),
            ("zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "not a UUID"),
            (
                "00000000-0000-0000-0000-000000000000",
                "the nil UUID names nothing",
            ),
        ] {
            let error = text.parse::<BatchId>().unwrap_err();
            assert_eq!(error.to_string(), words);
        }
    }
}
