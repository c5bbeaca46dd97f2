//! Why the journal cannot be used, or a line was not written.

use std::fmt;

use crate::browser::idb::IdbError;

/// Why the journal cannot be used, in the browser's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalError(pub(super) String);

impl JournalError {
    /// Whether this browser keeps nothing at all for the site, which no waiting mends.
    pub fn is_denied(&self) -> bool {
        [
            "(SecurityError)",
            "(InvalidStateError)",
            "(NotSupportedError)",
        ]
        .iter()
        .any(|name| self.0.ends_with(name))
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<IdbError> for JournalError {
    fn from(error: IdbError) -> Self {
        Self(error.to_string())
    }
}

/// Why a line was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// Another life of the page writes this journal now.
    Superseded {
        /// Its epoch.
        epoch: u64,
    },
    /// The browser does not store.
    Trouble(JournalError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superseded { epoch } => write!(f, "another tab writes it (epoch {epoch})"),
            Self::Trouble(error) => error.fmt(f),
        }
    }
}

impl From<IdbError> for WriteError {
    fn from(error: IdbError) -> Self {
        Self::Trouble(error.into())
    }
}
