//! The CLI's exit code for a finished batch, and the rule that gave it
//! (`resim-api.md` §6.4).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::WatchedStates;
use crate::domain::{BatchStatus, ConflatedBatchStatus, Failing, Means, text};

/// The CLI's exit codes that a supervision can end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ExitCode {
    /// 0: nothing in the fail filter.
    Success,
    /// 1: bad input, a failed call, an unknown status.
    CouldNotTell,
    /// 2: the batch ended in ERROR.
    Error,
    /// 5: the batch was cancelled.
    Cancelled,
    /// 6: the batch did not finish in time.
    TimedOut,
    /// 7: the batch's word is BLOCKER, and BLOCKER fails.
    Blocker,
    /// 8: the batch's word is WARNING, and WARNING fails.
    Warning,
}

impl ExitCode {
    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::CouldNotTell => 1,
            Self::Error => 2,
            Self::Cancelled => 5,
            Self::TimedOut => 6,
            Self::Blocker => 7,
            Self::Warning => 8,
        }
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// The rule of `resim-api.md` §6.4 that decided, with its facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// §6.4 rule 1: a call failed for good, or a rerun was refused. Carries why.
    Failed(String),
    /// §6.4 rule 2.
    TimedOut {
        /// How long the attempt was given, as a Go duration.
        after: String,
        /// The status of the last read, if any.
        last: Option<BatchStatus>,
    },
    /// §6.4 rule 3: status ERROR, whatever the filter and the one word say.
    StatusError,
    /// §6.4 rule 3: status CANCELLED.
    StatusCancelled,
    /// §6.4 rule 4: the batch's one word against the fail filter.
    Word {
        /// The word.
        word: ConflatedBatchStatus,
        /// The filter.
        filter: WatchedStates,
    },
    /// §6.4 rule 5: no state fails; the status alone.
    NothingFails(BatchStatus),
    /// §6.4 rule 5: no word; the status alone.
    StatusAlone(Option<BatchStatus>),
}

impl fmt::Display for Rule {
    /// One sentence, with the rule's figures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => write!(f, "Supervision could not go on: {}.", text::clean(why)),
            Self::TimedOut { after, last } => {
                let last = last.as_ref().map_or("none", BatchStatus::word);
                write!(
                    f,
                    "The batch was not finished {after} after the attempt began; last status {last}."
                )
            }
            Self::StatusError => f.write_str(
                "The batch status is ERROR, which always exits 2, whatever the fail states say.",
            ),
            Self::StatusCancelled => {
                f.write_str("The batch status is CANCELLED, which always exits 5.")
            }
            Self::Word { word, filter } => match word.meaning().means {
                Means::Passes => {
                    write!(
                        f,
                        "The batch's word is {word}, which is none of the fail states {}.",
                        filter.in_words()
                    )
                }
                Means::Fails(_) if filter.fails(word) => {
                    write!(
                        f,
                        "The batch's word is {word}, which is among the fail states {}.",
                        filter.in_words()
                    )
                }
                Means::Fails(_) => write!(
                    f,
                    "The batch's word is {word}, which is not among the fail states {}.",
                    filter.in_words()
                ),
                Means::Cancelled => write!(f, "The batch's word is {word}, which exits 5."),
                Means::Open => write!(
                    f,
                    "The batch is finished but its word is {word}, which is no outcome."
                ),
            },
            Self::StatusAlone(Some(status)) => write!(
                f,
                "The API sends no conflated status: the status {status} alone decides."
            ),
            Self::NothingFails(status) => write!(
                f,
                "No state is set to fail, so the status {status} alone decides."
            ),
            Self::StatusAlone(None) => {
                f.write_str("The batch has no status, so there is nothing to judge.")
            }
        }
    }
}

/// The exit code of one finished, not timed-out batch and the rule that gave it.
///
/// `filter` is [`Policy::fail_filter`](super::Policy::fail_filter). `word` is the server's conflated
/// status, never one that we derived: the CLI does not derive it either.
pub fn exit_code(
    status: Option<&BatchStatus>,
    word: Option<&ConflatedBatchStatus>,
    filter: WatchedStates,
) -> (ExitCode, Rule) {
    match status {
        Some(BatchStatus::Error) => return (ExitCode::Error, Rule::StatusError),
        Some(BatchStatus::Cancelled) => return (ExitCode::Cancelled, Rule::StatusCancelled),
        _ => {}
    }
    match word {
        Some(word) if !filter.is_empty() => {
            let code = match word.meaning().means {
                Means::Passes => ExitCode::Success,
                Means::Fails(Failing::Blocker) if filter.blocker => ExitCode::Blocker,
                Means::Fails(Failing::Error) if filter.error => ExitCode::Error,
                Means::Fails(Failing::Warning) if filter.warning => ExitCode::Warning,
                Means::Fails(_) => ExitCode::Success,
                Means::Cancelled => ExitCode::Cancelled,
                Means::Open => ExitCode::CouldNotTell,
            };
            (
                code,
                Rule::Word {
                    word: word.clone(),
                    filter,
                },
            )
        }
        _ => {
            let code = match status {
                Some(BatchStatus::Succeeded) => ExitCode::Success,
                _ => ExitCode::CouldNotTell,
            };
            let rule = match status {
                Some(status) if filter.is_empty() => Rule::NothingFails(status.clone()),
                _ => Rule::StatusAlone(status.cloned()),
            };
            (code, rule)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &str, word: Option<&str>, filter: &str) -> u8 {
        let word = word.map(ConflatedBatchStatus::from_word);
        let filter = WatchedStates::parse(filter).unwrap();
        exit_code(Some(&BatchStatus::from_word(status)), word.as_ref(), filter)
            .0
            .number()
    }

    #[test]
    fn the_surprises_of_the_cli_hold() {
        // resim-api.md §6.4, "Things that surprise".
        assert_eq!(judged("ERROR", Some("BLOCKER"), "Blocker"), 2);
        assert_eq!(judged("SUCCEEDED", Some("BLOCKER"), "Error"), 0);
        assert_eq!(judged("SUCCEEDED", Some("BLOCKER"), ""), 0);
    }

    #[test]
    fn every_code_has_its_rule() {
        let all = "Warning,Error,Blocker";
        for (status, word, wanted) in [
            ("SUCCEEDED", Some("COMPLETE"), 0),
            ("SUCCEEDED", Some("BLOCKER"), 7),
            ("SUCCEEDED", Some("ERROR"), 2),
            ("SUCCEEDED", Some("WARNING"), 8),
            ("SUCCEEDED", Some("CANCELLED"), 5),
            ("SUCCEEDED", Some("RUNNING"), 1),
            ("SUCCEEDED", Some("NEW"), 1),
            ("SUCCEEDED", None, 0),
            ("CANCELLED", Some("COMPLETE"), 5),
            ("NEW", None, 1),
        ] {
            assert_eq!(judged(status, word, all), wanted, "{status} {word:?}");
        }
    }

    #[test]
    fn each_code_has_the_number_that_a_script_asks_for() {
        for (code, number) in [
            (ExitCode::Success, "0"),
            (ExitCode::CouldNotTell, "1"),
            (ExitCode::Error, "2"),
            (ExitCode::Cancelled, "5"),
            (ExitCode::TimedOut, "6"),
            (ExitCode::Blocker, "7"),
            (ExitCode::Warning, "8"),
        ] {
            assert_eq!(code.to_string(), number);
        }
    }

    #[test]
    fn each_rule_says_in_a_sentence_what_it_went_by() {
        let said = |status: Option<&str>, word: Option<&str>, filter: &str| {
            let status = status.map(BatchStatus::from_word);
            let word = word.map(ConflatedBatchStatus::from_word);
            let filter = WatchedStates::parse(filter).unwrap();
            let (_, rule) = exit_code(status.as_ref(), word.as_ref(), filter);
            rule.to_string()
        };
        let filter = "Error,Blocker";
        for (status, word, sentence) in [
            (
                "ERROR",
                None,
                "The batch status is ERROR, which always exits 2, whatever the fail states say.",
            ),
            (
                "CANCELLED",
                None,
                "The batch status is CANCELLED, which always exits 5.",
            ),
            (
                "SUCCEEDED",
                Some("COMPLETE"),
                "The batch's word is COMPLETE, which is none of the fail states Error, Blocker.",
            ),
            (
                "SUCCEEDED",
                Some("BLOCKER"),
                "The batch's word is BLOCKER, which is among the fail states Error, Blocker.",
            ),
            (
                "SUCCEEDED",
                Some("WARNING"),
                "The batch's word is WARNING, which is not among the fail states Error, Blocker.",
            ),
            (
                "SUCCEEDED",
                Some("CANCELLED"),
                "The batch's word is CANCELLED, which exits 5.",
            ),
            (
                "SUCCEEDED",
                Some("RUNNING"),
                "The batch is finished but its word is RUNNING, which is no outcome.",
            ),
            (
                "SUCCEEDED",
                None,
                "The API sends no conflated status: the status SUCCEEDED alone decides.",
            ),
        ] {
            assert_eq!(said(Some(status), word, filter), sentence);
        }
        assert_eq!(
            said(Some("SUCCEEDED"), Some("BLOCKER"), ""),
            "No state is set to fail, so the status SUCCEEDED alone decides."
        );
        assert_eq!(
            said(None, None, filter),
            "The batch has no status, so there is nothing to judge."
        );
    }

    #[test]
    fn what_ended_a_supervision_early_is_said_with_its_figures_and_in_clean_words() {
        let timed_out = |last| Rule::TimedOut {
            after: "1h0m0s".into(),
            last,
        };
        for (rule, sentence) in [
            (
                timed_out(Some(BatchStatus::ExperiencesRunning)),
                "The batch was not finished 1h0m0s after the attempt began; last status EXPERIENCES_RUNNING.",
            ),
            (
                timed_out(None),
                "The batch was not finished 1h0m0s after the attempt began; last status none.",
            ),
            (
                Rule::Failed("could not read the batch".into()),
                "Supervision could not go on: could not read the batch.",
            ),
        ] {
            assert_eq!(rule.to_string(), sentence);
        }
        // Words of the server never turn the reading direction of ours.
        let hostile = Rule::Failed("no\u{202e}thing".into()).to_string();
        assert!(!hostile.contains('\u{202e}'), "{hostile:?}");
    }
}
