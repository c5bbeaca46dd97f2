//! ReSim's status words (`resim-api.md` §3), each as its own enum.
//!
//! Every set may grow. An unfamiliar word becomes `Unknown` with the word in
//! it: shown as it is, neither finished nor failing, never a reason to rerun.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text;
use crate::planted::{self, Bug};

/// The longest unknown word that is kept, in characters.
const WORD_CHARS: usize = 100;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A word newer than this program; kept as the server wrote it, as
            /// far as it is safe to read ([`text::clean_line`]).
            Unknown(Box<str>),
        }

        impl $name {
            /// Every word that this program knows, in the order of the API's description.
            pub const KNOWN: &[Self] = &[$(Self::$variant,)*];

            /// The status that this word names; never fails.
            pub fn from_word(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Unknown(text::clean_line(other, WORD_CHARS).into()),
                }
            }

            /// The word as the API writes it.
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from_word(&word)
            }
        }

        impl From<$name> for String {
            fn from(status: $name) -> Self {
                status.word().to_owned()
            }
        }
    };
}

words! {
    /// Orchestration state of a batch (`resim-api.md` §3.1). Says nothing about
    /// metrics: a batch full of blockers is `SUCCEEDED`.
    BatchStatus {
        /// Accepted; nothing runs yet.
        Submitted = "SUBMITTED",
        /// Tests run.
        ExperiencesRunning = "EXPERIENCES_RUNNING",
        /// Tests are done, batch metrics wait.
        BatchMetricsQueued = "BATCH_METRICS_QUEUED",
        /// Batch metrics run.
        BatchMetricsRunning = "BATCH_METRICS_RUNNING",
        /// Finished: orchestration went through.
        Succeeded = "SUCCEEDED",
        /// Finished: too many tests had an execution error, or the batch itself failed.
        Error = "ERROR",
        /// Finished: somebody cancelled it.
        Cancelled = "CANCELLED",
    }
}

impl BatchStatus {
    /// Whether the batch has finished. An unknown word has not.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Succeeded | Self::Error | Self::Cancelled => true,
            Self::Unknown(_) => planted::is(Bug::UnknownStatusEnds),
            Self::Submitted
            | Self::ExperiencesRunning
            | Self::BatchMetricsQueued
            | Self::BatchMetricsRunning => false,
        }
    }
}

words! {
    /// Orchestration state of one test: the API's `jobStatus` (`resim-api.md` §3.2).
    TestStatus {
        /// Waits for a place to run.
        Submitted = "SUBMITTED",
        /// The experience runs. Singular, unlike the batch's word.
        ExperienceRunning = "EXPERIENCE_RUNNING",
        /// The experience is done, its metrics wait.
        MetricsQueued = "METRICS_QUEUED",
        /// Metrics run.
        MetricsRunning = "METRICS_RUNNING",
        /// Finished, whatever the metrics say.
        Succeeded = "SUCCEEDED",
        /// Finished: the experience or metrics stage broke.
        Error = "ERROR",
        /// Finished: cancelled before or while it ran.
        Cancelled = "CANCELLED",
    }
}

words! {
    /// Outcome of a metrics stage (`resim-api.md` §3.3).
    MetricStatus {
        /// Every metric is within its limits.
        Passed = "PASSED",
        /// A metric asks for attention.
        FailWarn = "FAIL_WARN",
        /// A metric blocks a release.
        FailBlock = "FAIL_BLOCK",
        /// Values without a judgement.
        Raw = "RAW",
        /// Metrics do not apply here.
        NotApplicable = "NOT_APPLICABLE",
        /// Nothing was reported.
        NoStatusReported = "NO_STATUS_REPORTED",
    }
}

words! {
    /// State and outcome of one test in one word: the only field that
    /// supervision looks at (`resim-api.md` §3.4).
    ConflatedStatus {
        /// Waits to run.
        Queued = "QUEUED",
        /// Runs, or its metrics do.
        Running = "RUNNING",
        /// Broke while running.
        Error = "ERROR",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// A metric blocks a release.
        Blocker = "BLOCKER",
        /// A metric asks for attention.
        Warning = "WARNING",
        /// Finished without a complaint.
        Passed = "PASSED",
    }
}

impl ConflatedStatus {
    /// Number of ranks that [`Self::severity_rank`] gives.
    pub const RANKS: usize = Self::KNOWN.len() + 1;

    /// The order that people triage in, worst first: the CLI's exit-code
    /// priority (7 › 2 › 8), then what is still moving, then the rest.
    pub const WORST_FIRST: [Self; Self::KNOWN.len()] = [
        Self::Blocker,
        Self::Error,
        Self::Warning,
        Self::Running,
        Self::Queued,
        Self::Passed,
        Self::Cancelled,
    ];

    /// Whether the test has finished. An unknown word has not.
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Error | Self::Cancelled | Self::Blocker | Self::Warning | Self::Passed => true,
            Self::Queued | Self::Running | Self::Unknown(_) => false,
        }
    }

    /// Whether the word is one of the three that supervision can watch:
    /// blocker, error or warning. An unknown word is not.
    pub fn is_failing(&self) -> bool {
        match self {
            Self::Blocker | Self::Error | Self::Warning => true,
            Self::Queued | Self::Running | Self::Passed | Self::Cancelled | Self::Unknown(_) => {
                false
            }
        }
    }

    /// Place in [`Self::WORST_FIRST`]; unknown words come last.
    pub const fn severity_rank(&self) -> u8 {
        match self {
            Self::Blocker => 0,
            Self::Error => 1,
            Self::Warning => 2,
            Self::Running => 3,
            Self::Queued => 4,
            Self::Passed => 5,
            Self::Cancelled => 6,
            Self::Unknown(_) => 7,
        }
    }

    /// The rule of `resim-api.md` §3.4, for answers that lack the field.
    pub fn derive(status: &TestStatus, metrics: Option<&MetricStatus>) -> Self {
        match status {
            TestStatus::Submitted => Self::Queued,
            TestStatus::ExperienceRunning
            | TestStatus::MetricsQueued
            | TestStatus::MetricsRunning => Self::Running,
            TestStatus::Error => Self::Error,
            TestStatus::Cancelled => Self::Cancelled,
            TestStatus::Succeeded => match metrics {
                Some(MetricStatus::FailBlock) => Self::Blocker,
                Some(MetricStatus::FailWarn) => Self::Warning,
                _ => Self::Passed,
            },
            TestStatus::Unknown(word) => Self::Unknown(word.clone()),
        }
    }
}

words! {
    /// State and outcome of a batch in one word (`resim-api.md` §3.5). Two words
    /// differ from a test's: `SUBMITTED` for `QUEUED`, `COMPLETE` for `PASSED`.
    ConflatedBatchStatus {
        /// Accepted; nothing runs yet.
        Submitted = "SUBMITTED",
        /// Something runs.
        Running = "RUNNING",
        /// Cancelled.
        Cancelled = "CANCELLED",
        /// Finished with execution errors.
        Error = "ERROR",
        /// Finished without a complaint.
        Complete = "COMPLETE",
        /// Finished; a metric blocks a release.
        Blocker = "BLOCKER",
        /// Finished; a metric asks for attention.
        Warning = "WARNING",
    }
}

impl ConflatedBatchStatus {
    /// ReSim's own client-side rule (`resim-api.md` §3.5), for deployments that
    /// lack the field. The server's word is trusted wherever there is one.
    pub fn derive(
        status: &BatchStatus,
        batch_metrics: Option<&MetricStatus>,
        tests_metrics: Option<&MetricStatus>,
    ) -> Self {
        match status {
            BatchStatus::Submitted => Self::Submitted,
            BatchStatus::ExperiencesRunning
            | BatchStatus::BatchMetricsQueued
            | BatchStatus::BatchMetricsRunning => Self::Running,
            BatchStatus::Cancelled => Self::Cancelled,
            BatchStatus::Error => Self::Error,
            BatchStatus::Succeeded => {
                let either = |wanted: MetricStatus| {
                    batch_metrics == Some(&wanted) || tests_metrics == Some(&wanted)
                };
                if either(MetricStatus::FailBlock) {
                    Self::Blocker
                } else if either(MetricStatus::FailWarn) {
                    Self::Warning
                } else {
                    Self::Complete
                }
            }
            BatchStatus::Unknown(word) => Self::Unknown(word.clone()),
        }
    }
}

words! {
    /// How a batch was launched (`resim-api.md` §3.6).
    BatchType {
        /// An ordinary batch.
        Normal = "NORMAL",
        /// A debugging session of one experience.
        DebugExperience = "DEBUG_EXPERIENCE",
        /// Run elsewhere, reported by the SDK.
        Light = "LIGHT",
    }
}

words! {
    /// Where the tests of a batch run (`resim-api.md` §3.6).
    RunnerType {
        /// In ReSim's cloud.
        Cloud = "CLOUD",
        /// On hardware in the loop.
        Agent = "AGENT",
        /// On the user's side, reported by the SDK.
        Sdk = "SDK",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_kept_and_neither_terminal_nor_failing() {
        let status = ConflatedStatus::from_word("PAUSED_BY_MARTIANS");
        assert_eq!(status.word(), "PAUSED_BY_MARTIANS");
        assert!(!status.is_terminal() && !status.is_failing());
        assert!(!BatchStatus::from_word("PAUSED").is_terminal());
    }

    #[test]
    fn every_known_word_reads_back() {
        for status in ConflatedStatus::KNOWN {
            assert_eq!(&ConflatedStatus::from_word(status.word()), status);
        }
        for status in BatchStatus::KNOWN {
            assert_eq!(&BatchStatus::from_word(status.word()), status);
        }
    }

    #[test]
    fn worst_first_agrees_with_the_rank() {
        for (rank, status) in ConflatedStatus::WORST_FIRST.iter().enumerate() {
            assert_eq!(usize::from(status.severity_rank()), rank, "{status}");
        }
    }

    #[test]
    fn a_missing_conflated_word_follows_the_rule_of_the_api() {
        use MetricStatus::{FailBlock, FailWarn, Passed, Raw};
        for (status, metrics, wanted) in [
            ("SUBMITTED", None, "QUEUED"),
            ("EXPERIENCE_RUNNING", Some(FailBlock), "RUNNING"),
            ("METRICS_QUEUED", None, "RUNNING"),
            ("METRICS_RUNNING", Some(Passed), "RUNNING"),
            ("ERROR", Some(FailBlock), "ERROR"),
            ("CANCELLED", None, "CANCELLED"),
            ("SUCCEEDED", Some(FailBlock), "BLOCKER"),
            ("SUCCEEDED", Some(FailWarn), "WARNING"),
            ("SUCCEEDED", Some(Raw), "PASSED"),
            ("SUCCEEDED", None, "PASSED"),
            ("NEW_WORD", None, "NEW_WORD"),
        ] {
            let derived = ConflatedStatus::derive(&TestStatus::from_word(status), metrics.as_ref());
            assert_eq!(derived.word(), wanted, "{status}");
        }
        for (status, batch, tests, wanted) in [
            ("SUBMITTED", None, None, "SUBMITTED"),
            ("BATCH_METRICS_RUNNING", Some(FailBlock), None, "RUNNING"),
            ("ERROR", Some(FailBlock), None, "ERROR"),
            ("CANCELLED", None, Some(FailBlock), "CANCELLED"),
            ("SUCCEEDED", Some(FailWarn), Some(FailBlock), "BLOCKER"),
            ("SUCCEEDED", Some(FailWarn), None, "WARNING"),
            ("SUCCEEDED", None, Some(Passed), "COMPLETE"),
        ] {
            let derived = ConflatedBatchStatus::derive(
                &BatchStatus::from_word(status),
                batch.as_ref(),
                tests.as_ref(),
            );
            assert_eq!(derived.word(), wanted, "{status}");
        }
    }
}
