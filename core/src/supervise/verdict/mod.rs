//! Judges a supervised batch: the CLI's exit code (`exit_code`), and what it
//! means in words.
//!
//! The code is the CLI's on the same facts. The outcome is ours: it never
//! calls a pass clean when a test needed a rerun, or when the batch's one word
//! hides a test in a state that fails.
//!
//! Elsewhere: what the code does not say (`notes`).

mod notes;

use serde::{Deserialize, Serialize};

use super::{ExitCode, Policy, Rule, TestFigures, WatchedStates, WhyNot, exit_code::exit_code};
use crate::{
    domain::{BatchStatus, ConflatedBatchStatus, RunCounter, Test, TestId, text, words::number},
    order,
};

/// The conclusion in one word for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Exit 0, no rerun was needed, and nothing failed, whether it was to be watched or not.
    CleanPass,
    /// Exit 0, at least one rerun was made, and nothing is left that failed.
    PassAfterRerun,
    /// Exit 0 by the CLI's rule, although something failed: the batch's one word hides
    /// it, or its state is not among those that are set to fail.
    PassHidingFailures,
    /// The batch fails.
    Fail,
    /// Somebody cancelled the batch.
    Cancelled,
    /// The batch did not finish in time.
    TimedOut,
    /// Nothing can be said: a call was refused, or a status is unknown.
    CouldNotTell,
}

impl Outcome {
    /// The outcome as people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CleanPass => "Clean pass",
            Self::PassAfterRerun => "Pass after rerun",
            Self::PassHidingFailures => "Pass, with failures beside it",
            Self::Fail => "Fail",
            Self::Cancelled => "Cancelled",
            Self::TimedOut => "Timed out",
            Self::CouldNotTell => "Could not tell",
        }
    }

    /// The outcome as scripts and styles read it.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::CleanPass => "clean-pass",
            Self::PassAfterRerun => "pass-after-rerun",
            Self::PassHidingFailures => "pass-hiding-failures",
            Self::Fail => "fail",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::CouldNotTell => "could-not-tell",
        }
    }
}

/// A test by ID and name, for the verdict's lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTest {
    /// The test.
    pub id: TestId,
    /// Its name.
    pub name: String,
}

/// What the reruns of this supervision did to the tests that they named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RerunOutcome {
    /// Failed, and passed after a rerun.
    pub passed_after_rerun: Vec<NamedTest>,
    /// Failed, and failed again with the same error.
    pub consistent: Vec<NamedTest>,
    /// Failed, and failed again with another error, or one that cannot be compared.
    pub failed_again: Vec<NamedTest>,
}

/// The conclusion of a supervision, with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The conclusion in words.
    pub outcome: Outcome,
    /// The code that the CLI would exit with on the same facts.
    pub exit_code: ExitCode,
    /// The rule that decided.
    pub rule: Rule,
    /// Why nothing more was run again, where that was decided.
    pub why_not: Option<WhyNot>,
    /// Reruns that were made.
    pub attempts: u32,
    /// Reruns that were allowed.
    pub max_attempts: u32,
    /// The run that was judged, where counters are known.
    pub run: Option<RunCounter>,
    /// The test figures, where the tests could be listed.
    pub figures: Option<TestFigures>,
    /// The guard's limit.
    pub limit_percent: f64,
    /// What became of the tests that were run again.
    pub reruns: RerunOutcome,
    /// The tests that are in a state that fails, worst first, the first
    /// [`NAMED_FAILURES`] of them; beside a pass, of all three states.
    #[serde(default)]
    pub failing: Vec<NamedTest>,
    /// How many tests these are.
    #[serde(default)]
    pub failing_count: u64,
    /// What the exit code does not say, in whole sentences.
    #[serde(deserialize_with = "text::stored_lines")]
    pub notes: Vec<String>,
}

/// Failing tests that a verdict names; the journal keeps them.
pub const NAMED_FAILURES: usize = 50;

/// Everything that a verdict on a finished batch rests on.
#[derive(Debug, Clone)]
pub struct Findings<'a> {
    /// The batch's status in the last read.
    pub status: Option<&'a BatchStatus>,
    /// The batch's one word in the last read.
    pub word: Option<&'a ConflatedBatchStatus>,
    /// The run that the last read showed.
    pub run: Option<RunCounter>,
    /// What the tests added up to in the end, where they could be listed.
    pub figures: Option<TestFigures>,
    /// Why nothing more is run again.
    pub why_not: WhyNot,
    /// Reruns that were made.
    pub attempts: u32,
    /// What became of the tests that were run again.
    pub reruns: RerunOutcome,
    /// The tests, where they could be listed: all, or those that did not pass.
    pub tests: &'a [Test],
}

impl Verdict {
    /// Judges a finished batch.
    pub fn of_finished(policy: &Policy, findings: Findings<'_>) -> Self {
        let filter = policy.fail_filter();
        let (exit_code, rule) = exit_code(findings.status, findings.word, filter);
        // What failed the batch is named, whether it was to be watched or not; and
        // whatever failed stands beside a pass.
        let named = match exit_code {
            ExitCode::Success => WatchedStates::ALL,
            ExitCode::Error => WatchedStates {
                error: true,
                ..filter
            },
            _ => filter,
        };
        let count = |states| {
            findings
                .figures
                .map_or(0, |figures| watched_count(&figures, states))
        };
        let is_pass = exit_code == ExitCode::Success;
        let uncounted = findings.tests.iter().filter(|it| it.fails_uncounted());
        let uncounted = if is_pass { uncounted.count() as u64 } else { 0 };
        let failed = count(named) + uncounted;
        let word_fails = findings.word.is_some_and(fails);
        let outcome = match exit_code {
            ExitCode::Success if failed > 0 || word_fails => Outcome::PassHidingFailures,
            ExitCode::Success if findings.attempts > 0 => Outcome::PassAfterRerun,
            ExitCode::Success => Outcome::CleanPass,
            ExitCode::Cancelled => Outcome::Cancelled,
            ExitCode::TimedOut => Outcome::TimedOut,
            ExitCode::CouldNotTell => Outcome::CouldNotTell,
            ExitCode::Error | ExitCode::Blocker | ExitCode::Warning => Outcome::Fail,
        };
        let notes = notes::of_finished(policy, &findings, exit_code, uncounted);
        Self {
            outcome,
            exit_code,
            rule,
            why_not: Some(findings.why_not),
            attempts: findings.attempts,
            max_attempts: policy.max_rerun_attempts,
            run: findings.run,
            figures: findings.figures,
            limit_percent: policy.rerun_max_failure_percent,
            reruns: findings.reruns,
            failing: failing_tests(findings.tests, named, is_pass),
            failing_count: failed,
            notes,
        }
    }

    /// The verdict on a batch that did not finish in time.
    pub fn timed_out(
        policy: &Policy,
        last: Option<BatchStatus>,
        run: Option<RunCounter>,
        attempts: u32,
        notes: Vec<String>,
    ) -> Self {
        let after = crate::domain::GoDuration::from_std(policy.wait_timeout).to_string();
        Self::without_tests(
            policy,
            (
                Outcome::TimedOut,
                ExitCode::TimedOut,
                Rule::TimedOut { after, last },
            ),
            run,
            attempts,
            notes,
        )
    }

    /// The verdict when supervision cannot go on.
    pub fn could_not_tell(policy: &Policy, why: String, attempts: u32) -> Self {
        Self::without_tests(
            policy,
            (
                Outcome::CouldNotTell,
                ExitCode::CouldNotTell,
                Rule::Failed(why),
            ),
            None,
            attempts,
            Vec::new(),
        )
    }

    fn without_tests(
        policy: &Policy,
        (outcome, exit_code, rule): (Outcome, ExitCode, Rule),
        run: Option<RunCounter>,
        attempts: u32,
        notes: Vec<String>,
    ) -> Self {
        Self {
            outcome,
            exit_code,
            rule,
            why_not: None,
            attempts,
            max_attempts: policy.max_rerun_attempts,
            run,
            figures: None,
            limit_percent: policy.rerun_max_failure_percent,
            reruns: RerunOutcome::default(),
            failing: Vec::new(),
            failing_count: 0,
            notes,
        }
    }

    /// The figures behind the verdict in one sentence.
    pub fn figures_sentence(&self) -> Option<String> {
        let figures = self.figures?;
        let share = format!(
            "{} of {} tests in a rerun state ({:.1} %), limit {} %",
            number(figures.failing),
            number(figures.total),
            figures.percent(),
            self.limit_percent
        );
        let made = match self.max_attempts {
            0 => "no rerun was allowed".to_owned(),
            max => format!("{} of {max} reruns made", self.attempts),
        };
        Some(match self.why_not {
            Some(WhyNot::AttemptsUsed) | None => format!("{share}; {made}."),
            Some(why) => format!("{share}; {made}; {why}."),
        })
    }
}

/// Whether a batch's word says that something failed, whatever is set to fail.
fn fails(word: &ConflatedBatchStatus) -> bool {
    WatchedStates::ALL.fails(word)
}

/// The tests in the states that fail, worst first, as many as a verdict names;
/// with those that failed `uncounted`, by status alone.
fn failing_tests(tests: &[Test], filter: WatchedStates, uncounted: bool) -> Vec<NamedTest> {
    let mut failing: Vec<(&Test, TestId, u8)> = tests
        .iter()
        .filter_map(|test| {
            let is_named = match &test.conflated {
                Some(conflated) => filter.watches(conflated),
                None => uncounted && test.fails_uncounted(),
            };
            is_named.then_some((test, test.id?, test.severity_rank()))
        })
        .collect();
    order::sort_by_key(&mut failing, |(_, _, rank)| *rank);
    failing
        .into_iter()
        .take(NAMED_FAILURES)
        .map(|(test, id, _)| NamedTest {
            id,
            name: test.name.clone(),
        })
        .collect()
}

/// Tests in the states that fail.
fn watched_count(figures: &TestFigures, filter: WatchedStates) -> u64 {
    [
        (filter.blocker, figures.blocker),
        (filter.error, figures.error),
        (filter.warning, figures.warning),
    ]
    .into_iter()
    .filter_map(|(watched, count)| watched.then_some(count))
    .sum()
}

#[cfg(test)]
mod tests;
