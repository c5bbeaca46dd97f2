//! What to supervise by: the CLI's parameters (`resim-api.md` §6.1–6.3), only
//! values that the machine can run with. `policy_form` reads what a person typed.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{ConflatedBatchStatus, ConflatedStatus, Failing, Means},
    planted::{self, Bug},
};

/// Failing states that can be watched: any of WARNING, ERROR, BLOCKER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WatchedStates {
    /// A metric asks for attention.
    pub warning: bool,
    /// The test broke.
    pub error: bool,
    /// A metric blocks a release.
    pub blocker: bool,
}

impl WatchedStates {
    /// All three: the documented default of `rerun-on-states`.
    pub const ALL: Self = Self {
        warning: true,
        error: true,
        blocker: true,
    };

    /// Reads a list as the CLI does (`resim-api.md` §6.2): split at commas,
    /// trimmed, any case; empty text is the empty list.
    ///
    /// # Errors
    /// The first word that is not one of the three, upper-cased; an empty
    /// element is such a word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut states = Self::default();
        if text.is_empty() {
            return Ok(states);
        }
        for part in text.split(',') {
            match part.to_uppercase().trim() {
                "WARNING" => states.warning = true,
                "ERROR" => states.error = true,
                "BLOCKER" => states.blocker = true,
                other => return Err(other.to_owned()),
            }
        }
        Ok(states)
    }

    /// No state at all.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether a test with this status is watched. Unknown words never are.
    pub fn watches(self, status: &ConflatedStatus) -> bool {
        self.has(status.meaning().means)
            || (matches!(status, ConflatedStatus::Unknown(_)) && planted::is(Bug::UnknownWordFails))
    }

    /// Whether a batch with this word fails by these states.
    pub fn fails(self, status: &ConflatedBatchStatus) -> bool {
        self.has(status.meaning().means)
    }

    fn has(self, means: Means) -> bool {
        match means {
            Means::Fails(Failing::Warning) => self.warning,
            Means::Fails(Failing::Error) => self.error,
            Means::Fails(Failing::Blocker) => self.blocker,
            Means::Open | Means::Passes | Means::Cancelled => false,
        }
    }
}

impl WatchedStates {
    /// For sentences: `Warning, Error, Blocker`.
    pub fn in_words(self) -> String {
        self.to_string().replace(',', ", ")
    }
}

impl fmt::Display for WatchedStates {
    /// As the CLI's flag takes it: `Warning,Error,Blocker`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.warning, "Warning"),
            (self.error, "Error"),
            (self.blocker, "Blocker"),
        ];
        let mut first = true;
        for (_, word) in words.into_iter().filter(|(on, _)| *on) {
            if !first {
                f.write_str(",")?;
            }
            f.write_str(word)?;
            first = false;
        }
        Ok(())
    }
}

/// Valid parameters of one supervision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Reruns at the most; 0 means only wait and judge.
    pub max_rerun_attempts: u32,
    /// No rerun if strictly more than this share of all tests matches; above
    /// 0, up to 100.
    pub rerun_max_failure_percent: f64,
    /// Tests in these states are run again.
    pub rerun_on: WatchedStates,
    /// States that fail the batch; empty means that `rerun_on` does.
    pub fail_on: WatchedStates,
    /// Pause between two reads of the batch.
    pub poll_every: Duration,
    /// How long each attempt may take to finish; starts again with every attempt.
    pub wait_timeout: Duration,
}

impl Policy {
    /// The states that the exit code is judged by (`resim-api.md` §6.3, S7).
    pub fn fail_filter(&self) -> WatchedStates {
        if self.fail_on.is_empty() {
            self.rerun_on
        } else {
            self.fail_on
        }
    }

    /// What it does, as the end of a sentence: `rerun Error, Blocker up to 2 times
    /// unless more than 50 % of all tests match`.
    pub fn in_words(&self) -> String {
        if self.max_rerun_attempts == 0 || self.rerun_on.is_empty() {
            return "wait and judge, rerun nothing".to_owned();
        }
        let times = match self.max_rerun_attempts {
            1 => "1 time".to_owned(),
            n => format!("{n} times"),
        };
        format!(
            "rerun {} up to {times} unless more than {} % of all tests match",
            self.rerun_on.in_words(),
            self.rerun_max_failure_percent
        )
    }
}

impl Default for Policy {
    /// The documented defaults (`design.md` §3).
    fn default() -> Self {
        Self {
            max_rerun_attempts: 1,
            rerun_max_failure_percent: 50.0,
            rerun_on: WatchedStates::ALL,
            fail_on: WatchedStates::default(),
            poll_every: Duration::from_secs(30),
            wait_timeout: Duration::from_hours(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_fail_list_falls_back_to_the_rerun_states() {
        let policy = Policy::default();
        assert_eq!(policy.fail_filter(), WatchedStates::ALL);
        let only = WatchedStates {
            blocker: true,
            ..WatchedStates::default()
        };
        assert_eq!(
            Policy {
                fail_on: only,
                ..policy
            }
            .fail_filter(),
            only
        );
    }
}
