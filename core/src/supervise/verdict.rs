//! Judges a supervised batch: the CLI's exit code (`exit_code`), and what it
//! means in words.
//!
//! The code is the CLI's on the same facts. The outcome is ours: it never
//! calls a pass clean when a test needed a rerun, or when the batch's one word
//! hides a test in a state that fails.

use serde::{Deserialize, Serialize};

use super::{ExitCode, Policy, Rule, TestFigures, WatchedStates, WhyNot, exit_code::exit_code};
use crate::{
    domain::{
        BatchStatus, ConflatedBatchStatus, RunCounter, Test, TestId, text,
        words::{number, tests_do},
    },
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
        let mut notes = Vec::new();
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
        if is_pass {
            notes.extend(beside_the_pass(&findings, filter));
        }
        if uncounted > 0 {
            notes.push(format!(
                "{} failed by status; ReSim sends no conflated status for that, and the CLI's rule \
                 counts only that one. Look at them before you rely on this pass.",
                tests_do(uncounted, "has", "have")
            ));
        }
        let outcome = match exit_code {
            ExitCode::Success if failed > 0 || word_fails => Outcome::PassHidingFailures,
            ExitCode::Success if findings.attempts > 0 => Outcome::PassAfterRerun,
            ExitCode::Success => Outcome::CleanPass,
            ExitCode::Cancelled => Outcome::Cancelled,
            ExitCode::TimedOut => Outcome::TimedOut,
            ExitCode::CouldNotTell => Outcome::CouldNotTell,
            ExitCode::Error | ExitCode::Blocker | ExitCode::Warning => Outcome::Fail,
        };
        if findings.figures.is_none() {
            notes.push(
                "The tests could not be listed, so this rests on the batch alone.".to_owned(),
            );
        }
        if let (ExitCode::Error, Some(figures)) = (exit_code, findings.figures)
            && filter.blocker
            && figures.blocker > 0
        {
            notes.push(format!(
                "{} in BLOCKER beside the errors; exit code 2 does not say so.",
                tests_do(figures.blocker, "is", "are")
            ));
        }
        if let (ExitCode::Blocker, Some(figures)) = (exit_code, findings.figures)
            && filter.error
            && figures.error > 0
        {
            notes.push(format!(
                "{} in ERROR beside the blockers; exit code 7 does not say so.",
                tests_do(figures.error, "is", "are")
            ));
        }
        if policy.rerun_on.is_empty() && policy.fail_on.is_empty() {
            notes.push("No state is watched: SUCCEEDED exits 0 whatever the tests say.".to_owned());
        }
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

/// What an exit code of 0 does not say of what failed, in whole sentences.
fn beside_the_pass(findings: &Findings<'_>, filter: WatchedStates) -> Vec<String> {
    let mut notes = Vec::new();
    let figures = findings.figures.unwrap_or_default();
    let hidden = watched_count(&figures, filter);
    if hidden > 0 {
        let word = findings.word.map_or("unknown", ConflatedBatchStatus::word);
        notes.push(format!(
            "{} in a state that fails ({filter}), but the batch's one word is {word}, and the \
             CLI compares only that word: it would exit 0. Look at them before you rely on \
             this pass.",
            tests_do(hidden, "is", "are"),
        ));
    }
    let left: Vec<String> = [
        (filter.blocker, figures.blocker, "BLOCKER"),
        (filter.error, figures.error, "ERROR"),
        (filter.warning, figures.warning, "WARNING"),
    ]
    .into_iter()
    .filter(|(is_set, count, _)| !is_set && *count > 0)
    .map(|(_, count, word)| format!("{} in {word}", tests_do(count, "is", "are")))
    .collect();
    if !left.is_empty() && !filter.is_empty() {
        notes.push(format!(
            "{}, beside a pass; set to fail: only {}.",
            left.join(", "),
            filter.in_words()
        ));
    }
    // Batch metrics have no test of their own.
    if let Some(word) = findings.word.filter(|word| fails(word))
        && findings.figures.is_some()
        && watched_count(&figures, WatchedStates::ALL) == 0
    {
        notes.push(format!(
            "The batch's one word is {word}, and no test in the list is: look at its batch metrics."
        ));
    }
    notes
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
mod tests {
    use super::*;

    fn verdict(word: &str, figures: TestFigures, attempts: u32, policy: &Policy) -> Verdict {
        Verdict::of_finished(
            policy,
            Findings {
                status: Some(&BatchStatus::Succeeded),
                word: Some(&ConflatedBatchStatus::from_word(word)),
                run: None,
                figures: Some(figures),
                why_not: WhyNot::NoneFailing,
                attempts,
                reruns: RerunOutcome::default(),
                tests: &[],
            },
        )
    }

    #[test]
    fn a_verdict_names_what_fails_worst_first() {
        let named = |n: u128, word: &str| {
            let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
            test.conflated = Some(crate::domain::ConflatedStatus::from_word(word));
            test
        };
        let tests = [
            named(1, "WARNING"),
            named(2, "PASSED"),
            named(3, "BLOCKER"),
            named(4, "ERROR"),
        ];
        let names = |filter: &str| -> Vec<String> {
            failing_tests(&tests, WatchedStates::parse(filter).expect("states"), false)
                .into_iter()
                .map(|test| test.name)
                .collect()
        };
        assert_eq!(names("Warning,Error,Blocker"), ["t3", "t4", "t1"]);
        assert_eq!(names("Error"), ["t4"]);
    }

    #[test]
    fn the_figures_make_sense_without_reruns() {
        let figures = TestFigures {
            total: 20,
            failing: 2,
            blocker: 2,
            ..TestFigures::default()
        };
        let policy = Policy {
            max_rerun_attempts: 0,
            ..Policy::default()
        };
        let mut verdict = verdict("BLOCKER", figures, 0, &policy);
        verdict.why_not = Some(WhyNot::AttemptsUsed);
        assert_eq!(
            verdict.figures_sentence().as_deref(),
            Some("2 of 20 tests in a rerun state (10.0 %), limit 50 %; no rerun was allowed.")
        );
    }

    #[test]
    fn a_pass_because_nothing_is_set_to_fail_is_not_called_clean() {
        let policy = Policy {
            rerun_on: WatchedStates::default(),
            ..Policy::default()
        };
        let with = |blocker| TestFigures {
            total: 10,
            blocker,
            ..TestFigures::default()
        };
        let beside = verdict("BLOCKER", with(3), 0, &policy);
        assert_eq!(beside.exit_code, ExitCode::Success, "as the CLI");
        assert_eq!(beside.outcome, Outcome::PassHidingFailures);
        assert_eq!(beside.failing_count, 3);
        let clean = verdict("COMPLETE", with(0), 0, &policy);
        assert_eq!(clean.outcome, Outcome::CleanPass);
    }

    #[test]
    fn no_pass_is_called_clean_beside_something_that_failed_whatever_is_set_to_fail() {
        let states = |bits: u8| WatchedStates {
            warning: bits & 1 > 0,
            error: bits & 2 > 0,
            blocker: bits & 4 > 0,
        };
        let words = [
            "COMPLETE", "WARNING", "ERROR", "BLOCKER", "RUNNING", "SHINY",
        ];
        for (bits, failed, word) in (0..64).flat_map(|n| words.map(|word| (n & 7, n >> 3, word))) {
            for (rerun_on, attempts) in [(0, 0), (7, 0), (7, 1)] {
                let policy = Policy {
                    rerun_on: states(rerun_on),
                    fail_on: states(bits),
                    ..Policy::default()
                };
                let of = states(failed);
                let figures = TestFigures {
                    total: 10,
                    failing: 0,
                    blocker: u64::from(of.blocker),
                    error: u64::from(of.error),
                    warning: u64::from(of.warning),
                };
                let it = verdict(word, figures, attempts, &policy);
                let case = format!(
                    "fails {}, failed {of}, {word}: {it:?}",
                    policy.fail_filter()
                );
                if it.exit_code != ExitCode::Success {
                    assert!(!it.outcome.words().contains("ass"), "{case}");
                    continue;
                }
                let nothing_failed =
                    failed == 0 && !["WARNING", "ERROR", "BLOCKER"].contains(&word);
                let clean = [Outcome::CleanPass, Outcome::PassAfterRerun].contains(&it.outcome);
                assert_eq!(clean, nothing_failed, "{case}");
                assert!(clean || !it.notes.is_empty(), "it says why: {case}");
                assert_eq!(it.failing_count, u64::from(failed.count_ones()), "{case}");
            }
        }
    }

    #[test]
    fn a_test_that_failed_by_status_alone_leaves_no_clean_pass() {
        let mut failed = Test::new(TestId::from_u128(1), "broken");
        failed.status = Some(crate::domain::TestStatus::Error);
        assert!(failed.fails_uncounted());
        let of = |tests: &[Test]| {
            Verdict::of_finished(
                &Policy::default(),
                Findings {
                    status: Some(&BatchStatus::Succeeded),
                    word: None,
                    run: None,
                    figures: Some(TestFigures {
                        total: 1,
                        ..TestFigures::default()
                    }),
                    why_not: WhyNot::NoneFailing,
                    attempts: 0,
                    reruns: RerunOutcome::default(),
                    tests,
                },
            )
        };
        let beside = of(&[failed]);
        assert_eq!(beside.exit_code, ExitCode::Success, "as the CLI");
        assert_eq!(beside.outcome, Outcome::PassHidingFailures);
        assert_eq!((beside.failing_count, beside.failing.len()), (1, 1));
        assert!(
            beside.notes[0].starts_with("1 test has failed by status"),
            "{:?}",
            beside.notes
        );
        let passed = Test::new(TestId::from_u128(2), "fine");
        assert_eq!(of(&[passed]).outcome, Outcome::CleanPass);
    }

    #[test]
    fn a_verdict_says_nothing_of_a_list_that_was_not_read() {
        let policy = Policy {
            fail_on: WatchedStates::parse("Error").expect("states"),
            ..Policy::default()
        };
        let findings = Findings {
            status: Some(&BatchStatus::Succeeded),
            word: Some(&ConflatedBatchStatus::Blocker),
            run: None,
            figures: None,
            why_not: WhyNot::AttemptsUsed,
            attempts: 1,
            reruns: RerunOutcome::default(),
            tests: &[],
        };
        let verdict = Verdict::of_finished(&policy, findings);
        assert_eq!(verdict.outcome, Outcome::PassHidingFailures);
        assert_eq!(
            verdict.notes,
            ["The tests could not be listed, so this rests on the batch alone."]
        );
    }

    #[test]
    fn blockers_beside_a_pass_that_fails_on_warnings_only_are_said() {
        let policy = Policy {
            fail_on: WatchedStates::parse("Warning").expect("states"),
            ..Policy::default()
        };
        let figures = TestFigures {
            total: 10,
            failing: 2,
            blocker: 2,
            ..TestFigures::default()
        };
        let beside = verdict("BLOCKER", figures, 0, &policy);
        assert_eq!(beside.exit_code, ExitCode::Success, "as the CLI");
        assert_eq!(beside.outcome, Outcome::PassHidingFailures);
        assert_eq!(
            beside.notes,
            ["2 tests are in BLOCKER, beside a pass; set to fail: only Warning."]
        );
    }

    #[test]
    fn errors_that_failed_the_batch_are_named_though_only_warnings_are_watched() {
        let policy = Policy {
            rerun_on: WatchedStates::parse("Warning").expect("states"),
            ..Policy::default()
        };
        let mut error = Test::new(TestId::from_u128(1), "broken");
        error.conflated = Some(crate::domain::ConflatedStatus::Error);
        let findings = Findings {
            status: Some(&BatchStatus::Error),
            word: Some(&ConflatedBatchStatus::Error),
            run: None,
            figures: Some(TestFigures {
                total: 10,
                error: 1,
                ..TestFigures::default()
            }),
            why_not: WhyNot::NoneFailing,
            attempts: 0,
            reruns: RerunOutcome::default(),
            tests: &[error],
        };
        let verdict = Verdict::of_finished(&policy, findings);
        assert_eq!(verdict.exit_code, ExitCode::Error);
        assert_eq!(verdict.failing_count, 1);
        assert_eq!(verdict.failing[0].name, "broken");
    }

    #[test]
    fn failures_that_the_one_word_hides_keep_the_code_and_are_said() {
        let policy = Policy {
            rerun_on: WatchedStates::parse("Error").unwrap(),
            ..Policy::default()
        };
        let figures = TestFigures {
            total: 10,
            failing: 3,
            error: 3,
            blocker: 1,
            warning: 0,
        };
        let verdict = verdict("BLOCKER", figures, 1, &policy);
        assert_eq!(verdict.exit_code, ExitCode::Success);
        assert_eq!(verdict.outcome, Outcome::PassHidingFailures);
        assert!(verdict.notes[0].contains("3 tests are in a state that fails (Error)"));
    }

    #[test]
    fn a_pass_that_needed_a_rerun_is_never_called_clean() {
        let figures = TestFigures {
            total: 10,
            ..TestFigures::default()
        };
        let policy = Policy::default();
        assert_eq!(
            verdict("COMPLETE", figures, 0, &policy).outcome,
            Outcome::CleanPass
        );
        assert_eq!(
            verdict("COMPLETE", figures, 1, &policy).outcome,
            Outcome::PassAfterRerun
        );
    }

    #[test]
    fn every_outcome_has_its_words_and_its_slug() {
        for (outcome, words, slug) in [
            (Outcome::CleanPass, "Clean pass", "clean-pass"),
            (
                Outcome::PassAfterRerun,
                "Pass after rerun",
                "pass-after-rerun",
            ),
            (
                Outcome::PassHidingFailures,
                "Pass, with failures beside it",
                "pass-hiding-failures",
            ),
            (Outcome::Fail, "Fail", "fail"),
            (Outcome::Cancelled, "Cancelled", "cancelled"),
            (Outcome::TimedOut, "Timed out", "timed-out"),
            (Outcome::CouldNotTell, "Could not tell", "could-not-tell"),
        ] {
            assert_eq!((outcome.words(), outcome.slug()), (words, slug));
        }
    }

    #[test]
    fn the_figures_are_said_with_the_reruns_that_were_made_and_why_no_more_were() {
        let figures = TestFigures {
            total: 8,
            failing: 6,
            error: 6,
            ..TestFigures::default()
        };
        let policy = Policy {
            max_rerun_attempts: 2,
            ..Policy::default()
        };
        let mut it = verdict("ERROR", figures, 1, &policy);
        for (why_not, sentence) in [
            (
                Some(WhyNot::AboveLimit),
                "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made; more tests \
                 match than the limit allows.",
            ),
            (
                Some(WhyNot::Cancelled),
                "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made; the batch \
                 was cancelled.",
            ),
            (
                Some(WhyNot::NoneFailing),
                "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made; no test is \
                 in a rerun state.",
            ),
            (
                Some(WhyNot::AttemptsUsed),
                "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made.",
            ),
        ] {
            it.why_not = why_not;
            assert_eq!(it.figures_sentence().as_deref(), Some(sentence));
        }
        assert_eq!(
            WhyNot::AttemptsUsed.to_string(),
            "every allowed rerun was made"
        );
        it.figures = None;
        assert_eq!(it.figures_sentence(), None, "the tests could not be listed");
    }

    #[test]
    fn an_old_journal_gives_no_note_that_could_deceive() {
        let it = Verdict::timed_out(
            &Policy::default(),
            None,
            None,
            0,
            vec!["the status is GO\u{202E}OD".into()],
        );
        let stored = serde_json::to_string(&it).unwrap();
        let read: Verdict = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.notes, ["the status is GO⟨U+202E⟩OD"]);
        assert_eq!(read.rule, it.rule);
    }

    #[test]
    fn several_tests_that_failed_by_status_alone_are_counted_in_words() {
        let by_status = |n: u128| {
            let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
            test.status = Some(crate::domain::TestStatus::Error);
            test
        };
        let tests = [by_status(1), by_status(2)];
        let it = Verdict::of_finished(
            &Policy::default(),
            Findings {
                status: Some(&BatchStatus::Succeeded),
                word: Some(&ConflatedBatchStatus::Complete),
                run: None,
                figures: Some(TestFigures::default()),
                why_not: WhyNot::NoneFailing,
                attempts: 0,
                reruns: RerunOutcome::default(),
                tests: &tests,
            },
        );
        assert_eq!(it.outcome, Outcome::PassHidingFailures);
        assert!(
            it.notes[0].starts_with("2 tests have failed by status;"),
            "{:?}",
            it.notes
        );
    }
}
