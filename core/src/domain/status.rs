//! ReSim's status words (`resim-api.md` §3), each as its own enum.
//!
//! Every set may grow. An unfamiliar word becomes `Unknown` with the word in
//! it: shown as it is, neither finished nor failing, never a reason to rerun.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Batch, text};
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
            /// Every word that this program knows, in the order of its table.
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

/// What a word means for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Not finished.
    Open,
    /// Finished without a complaint.
    Passes,
    /// Finished, in a state that supervision can watch.
    Fails(Failing),
    /// Finished: cancelled.
    Cancelled,
}

/// The three states that supervision can watch (`resim-api.md` §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// A metric asks for attention.
    Warning,
    /// It broke.
    Error,
    /// A metric blocks a release.
    Blocker,
}

/// How a word looks: a colour and a drawn glyph, one rule each in `style/status.css`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Purple octagon.
    Blocker,
    /// Red cross.
    Error,
    /// Amber triangle.
    Warning,
    /// Green check mark.
    Passed,
    /// The check mark without the green: it went through, and says nothing of metrics.
    Done,
    /// Half a disc.
    Running,
    /// An empty ring.
    Queued,
    /// A ring with a slash.
    Cancelled,
    /// A question mark.
    Unknown,
}

impl Tone {
    /// The tone as styles read it.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Passed => "passed",
            Self::Done => "done",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// All that is to be said of a word beside its name. How it looks is here too, although
/// nothing else in `domain` has looks: a new word is one entry, not one in each of five files.
#[derive(Debug)]
pub struct TestWord {
    /// The word for people; an unknown one is shown as it is.
    pub label: &'static str,
    /// Whether it is finished, and failing.
    pub means: Means,
    /// Its colour and glyph.
    pub tone: Tone,
    /// What of a batch's own counts it is, before the tests are listed.
    pub count: fn(&Batch) -> u64,
}

/// All that is to be said of a batch's word beside its name; see [`TestWord`].
#[derive(Debug)]
pub struct BatchWord {
    /// The word for people; an unknown one is shown as it is.
    pub label: &'static str,
    /// Whether it is an outcome, and which.
    pub means: Means,
    /// Its colour and glyph.
    pub tone: Tone,
}

/// All that is to be said of a batch's orchestration word, which is shown as it is.
#[derive(Debug)]
pub struct StatusWord {
    /// Whether the batch has finished.
    pub is_terminal: bool,
    /// Its colour and glyph.
    pub tone: Tone,
}

/// [`words!`] with what each means. The compiler asks each entry for everything.
macro_rules! meant_words {
    ($(#[$doc:meta])* $name:ident: $meaning:ident {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal { $($entry:tt)* },)*
    } unknown { $($unknown:tt)* }) => {
        words! {
            $(#[$doc])*
            $name { $($(#[$vdoc])* $variant = $word,)* }
        }

        impl $name {
            /// What the word means and how it looks.
            pub const fn meaning(&self) -> &'static $meaning {
                match self {
                    $(Self::$variant => const { &$meaning { $($entry)* } },)*
                    Self::Unknown(_) => const { &$meaning { $($unknown)* } },
                }
            }

            /// Its place among the entries; unknown words come last.
            pub const fn place(&self) -> u8 {
                enum Place { $($variant,)* Last }
                match self {
                    $(Self::$variant => Place::$variant as u8,)*
                    Self::Unknown(_) => Place::Last as u8,
                }
            }

            /// Its colour and glyph, as styles read them.
            pub const fn tone(&self) -> &'static str {
                self.meaning().tone.slug()
            }
        }
    };
}

meant_words! {
    /// Orchestration state of a batch (`resim-api.md` §3.1). Says nothing about
    /// metrics: a batch full of blockers is `SUCCEEDED`.
    BatchStatus: StatusWord {
        /// Accepted; nothing runs yet.
        Submitted = "SUBMITTED" { is_terminal: false, tone: Tone::Queued },
        /// Tests run.
        ExperiencesRunning = "EXPERIENCES_RUNNING" { is_terminal: false, tone: Tone::Running },
        /// Tests are done, batch metrics wait.
        BatchMetricsQueued = "BATCH_METRICS_QUEUED" { is_terminal: false, tone: Tone::Running },
        /// Batch metrics run.
        BatchMetricsRunning = "BATCH_METRICS_RUNNING" { is_terminal: false, tone: Tone::Running },
        /// Finished: orchestration went through.
        Succeeded = "SUCCEEDED" { is_terminal: true, tone: Tone::Done },
        /// Finished: too many tests had an execution error, or the batch itself failed.
        Error = "ERROR" { is_terminal: true, tone: Tone::Error },
        /// Finished: somebody cancelled it.
        Cancelled = "CANCELLED" { is_terminal: true, tone: Tone::Cancelled },
    }
    unknown { is_terminal: false, tone: Tone::Unknown }
}

impl BatchStatus {
    /// Whether the batch has finished. An unknown word has not.
    pub fn is_terminal(&self) -> bool {
        self.meaning().is_terminal
            || (matches!(self, Self::Unknown(_)) && planted::is(Bug::UnknownStatusEnds))
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

meant_words! {
    /// State and outcome of one test in one word: the only field that
    /// supervision looks at (`resim-api.md` §3.4).
    ///
    /// In the order that people triage in, worst first: the CLI's exit-code
    /// priority (7 › 2 › 8), then what is still moving, then the rest.
    ConflatedStatus: TestWord {
        /// A metric blocks a release.
        Blocker = "BLOCKER" {
            label: "Blocker",
            means: Means::Fails(Failing::Blocker),
            tone: Tone::Blocker,
            count: |batch| batch.summary().blocking,
        },
        /// Broke while running.
        Error = "ERROR" {
            label: "Error",
            means: Means::Fails(Failing::Error),
            tone: Tone::Error,
            count: |batch| batch.summary().erroring,
        },
        /// A metric asks for attention.
        Warning = "WARNING" {
            label: "Warning",
            means: Means::Fails(Failing::Warning),
            tone: Tone::Warning,
            count: |batch| batch.summary().warning,
        },
        /// Runs, or its metrics do.
        Running = "RUNNING" {
            label: "Running",
            means: Means::Open,
            tone: Tone::Running,
            count: |batch| batch.summary().running.saturating_sub(batch.submitted()),
        },
        /// Waits to run.
        Queued = "QUEUED" {
            label: "Queued",
            means: Means::Open,
            tone: Tone::Queued,
            count: Batch::submitted,
        },
        /// Finished without a complaint.
        Passed = "PASSED" {
            label: "Passed",
            means: Means::Passes,
            tone: Tone::Passed,
            count: |batch| batch.summary().passed,
        },
        /// Cancelled.
        Cancelled = "CANCELLED" {
            label: "Cancelled",
            means: Means::Cancelled,
            tone: Tone::Cancelled,
            count: |batch| batch.summary().cancelled,
        },
    }
    unknown {
        label: "Unknown",
        means: Means::Open,
        tone: Tone::Unknown,
        count: |_| 0,
    }
}

impl ConflatedStatus {
    /// Number of ranks that [`Self::severity_rank`] gives.
    pub const RANKS: usize = Self::KNOWN.len() + 1;

    /// Whether the test has finished. An unknown word has not.
    pub fn is_terminal(&self) -> bool {
        self.meaning().means != Means::Open
    }

    /// Whether the test has finished well.
    pub fn passes(&self) -> bool {
        self.meaning().means == Means::Passes
    }

    /// Whether the word is one of the three that supervision can watch:
    /// blocker, error or warning. An unknown word is not.
    pub fn is_failing(&self) -> bool {
        matches!(self.meaning().means, Means::Fails(_))
    }

    /// The known words that supervision can watch, worst first.
    pub fn failing() -> impl Iterator<Item = &'static Self> {
        Self::KNOWN.iter().filter(|status| status.is_failing())
    }

    /// Its place in [`Self::KNOWN`], worst first; unknown words come last.
    pub const fn severity_rank(&self) -> u8 {
        self.place()
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

meant_words! {
    /// State and outcome of a batch in one word (`resim-api.md` §3.5). Two words
    /// differ from a test's: `SUBMITTED` for `QUEUED`, `COMPLETE` for `PASSED`.
    ///
    /// Worst first, as the words of a test.
    ConflatedBatchStatus: BatchWord {
        /// Finished; a metric blocks a release.
        Blocker = "BLOCKER" {
            label: "Blocker",
            means: Means::Fails(Failing::Blocker),
            tone: Tone::Blocker,
        },
        /// Finished with execution errors.
        Error = "ERROR" {
            label: "Error",
            means: Means::Fails(Failing::Error),
            tone: Tone::Error,
        },
        /// Finished; a metric asks for attention.
        Warning = "WARNING" {
            label: "Warning",
            means: Means::Fails(Failing::Warning),
            tone: Tone::Warning,
        },
        /// Something runs.
        Running = "RUNNING" { label: "Running", means: Means::Open, tone: Tone::Running },
        /// Accepted; nothing runs yet.
        Submitted = "SUBMITTED" { label: "Submitted", means: Means::Open, tone: Tone::Queued },
        /// Finished without a complaint.
        Complete = "COMPLETE" { label: "Complete", means: Means::Passes, tone: Tone::Passed },
        /// Cancelled.
        Cancelled = "CANCELLED" {
            label: "Cancelled",
            means: Means::Cancelled,
            tone: Tone::Cancelled,
        },
    }
    unknown { label: "Unknown", means: Means::Open, tone: Tone::Unknown }
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
    fn the_order_is_worst_first_and_agrees_with_the_rank() {
        for (rank, status) in ConflatedStatus::KNOWN.iter().enumerate() {
            assert_eq!(usize::from(status.severity_rank()), rank, "{status}");
        }
        let words = |all: &[ConflatedStatus]| all.iter().map(|it| it.word().to_owned()).collect();
        let all: Vec<String> = words(ConflatedStatus::KNOWN);
        assert_eq!(all[..4], ["BLOCKER", "ERROR", "WARNING", "RUNNING"]);
        let unknown = ConflatedStatus::from_word("SHINY");
        assert_eq!(
            usize::from(unknown.severity_rank()),
            ConflatedStatus::RANKS - 1
        );
    }

    #[test]
    fn a_word_means_what_its_entry_says() {
        let facts = |word| {
            let it = ConflatedStatus::from_word(word);
            (it.is_terminal(), it.is_failing(), it.tone())
        };
        assert_eq!(facts("BLOCKER"), (true, true, "blocker"));
        assert_eq!(facts("RUNNING"), (false, false, "running"));
        assert_eq!(facts("CANCELLED"), (true, false, "cancelled"));
        assert_eq!(facts("PASSED"), (true, false, "passed"));
        assert_eq!(facts("SHINY_RUNNING"), (false, false, "unknown"));
        let tone = |word| BatchStatus::from_word(word).tone();
        assert_eq!(tone("SUCCEEDED"), "done", "it says nothing of metrics");
        assert_eq!(tone("BATCH_METRICS_QUEUED"), "running");
        assert_eq!(ConflatedBatchStatus::from_word("COMPLETE").tone(), "passed");
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
