//! A verdict in words: for its card, for a notification and for a report.
//! Names are made safe to read here, and are cut: one name is no whole page.

use std::fmt;

use super::{export::markdown_escape, words};
use crate::{
    domain::TestId,
    supervise::{ExitCode, NamedTest, Verdict},
};

/// Names that a card shows of a list until a person wants the others.
pub const NAMES_AT_FIRST: usize = 5;
/// Names of a list before "and n more".
const NAMES: usize = 200;
/// The longest name in a sentence, in characters.
const NAME_CHARS: usize = 200;
/// The longest text of a notification, in characters.
const BODY_CHARS: usize = 400;

/// A sentence that names tests, in parts, so that a page can lead to each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// How many, and what is so of them.
    pub lead: String,
    /// Those that are named: which, and its name, made safe to read and cut.
    pub tests: Vec<(TestId, String)>,
    /// How many there are beside these.
    pub more: usize,
}

impl Naming {
    /// `count` tests, the first of which are `tests`.
    fn of(what: &str, count: usize, tests: &[NamedTest]) -> Self {
        let named: Vec<_> = tests
            .iter()
            .take(NAMES)
            .map(|test| (test.id, words::line(&test.name, NAME_CHARS)))
            .collect();
        Self {
            lead: format!("{} {what}: ", words::tests(count)),
            more: count.saturating_sub(named.len()),
            tests: named,
        }
    }

    /// How it ends.
    pub fn rest(&self) -> String {
        match self.more {
            0 => ".".to_owned(),
            more => format!(" and {} more.", words::number(more as u64)),
        }
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lead)?;
        for (nth, (_, name)) in self.tests.iter().enumerate() {
            f.write_str(if nth > 0 { ", " } else { "" })?;
            f.write_str(name)?;
        }
        f.write_str(&self.rest())
    }
}

/// Which tests a verdict speaks of: those in a state that fails; beside a pass, which
/// failed all the same; then what became of those that were run again, a sentence for
/// each kind.
pub fn namings(verdict: &Verdict) -> Vec<Naming> {
    let count = usize::try_from(verdict.failing_count).unwrap_or(usize::MAX);
    let fails = match verdict.exit_code {
        ExitCode::Success => "failed without failing the batch",
        _ => "in a state that fails",
    };
    let reruns = &verdict.reruns;
    let (passed, consistent) = (&reruns.passed_after_rerun, &reruns.consistent);
    let same = "failed again with the same error: consistent, not flaky";
    let again = &reruns.failed_again;
    [
        (fails, count, &verdict.failing),
        ("passed after rerun", passed.len(), passed),
        (same, consistent.len(), consistent),
        ("failed again", again.len(), again),
    ]
    .into_iter()
    .filter(|(_, count, tests)| *count > 0 && !tests.is_empty())
    .map(|(what, count, tests)| Naming::of(what, count, tests))
    .collect()
}

/// What a report of a verdict says of the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    /// The batch's name, and its ID.
    pub batch: String,
    /// The address of its page.
    pub link: String,
    /// What it was supervised by, as the end of a sentence.
    pub policy: String,
    /// When it ended, in words.
    pub at: String,
}

/// The whole verdict for an issue or a chat: which batch, how it ended, by which rule,
/// which tests.
pub fn markdown(verdict: &Verdict, about: &Reported) -> String {
    let mut text = format!(
        "**{}** (exit code {})\n\n{}\n\n- Batch: {}\n- Page: {}\n- Supervised to {}; ended {}",
        verdict.outcome.words(),
        verdict.exit_code,
        markdown_escape(&verdict.rule.to_string()),
        markdown_escape(&words::line(&about.batch, NAME_CHARS)),
        about.link,
        markdown_escape(&about.policy),
        markdown_escape(&about.at),
    );
    let sentences = verdict
        .figures_sentence()
        .into_iter()
        .chain(verdict.notes.iter().cloned())
        .chain(namings(verdict).into_iter().map(|it| it.to_string()));
    for sentence in sentences {
        text.push_str(&format!("\n- {}", markdown_escape(&sentence)));
    }
    text
}

/// Title and text of the notification that tells a verdict. `mark` stands behind the
/// name, where another batch has the same ([`super::supervision`]).
pub fn notification(batch: Option<&str>, mark: &str, verdict: &Verdict) -> (String, String) {
    let name = words::title(batch.unwrap_or("batch")) + mark;
    (
        format!("{} · exit {}", verdict.outcome.words(), verdict.exit_code),
        words::line(&format!("{name}: {}", verdict.rule), BODY_CHARS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::BatchStatus,
        supervise::{Outcome, RerunOutcome, Rule},
    };

    fn concluded(count: u128) -> Verdict {
        let named = |n: u128| NamedTest {
            id: TestId::from_u128(n),
            name: format!("dock_{n}"),
        };
        Verdict {
            outcome: Outcome::Fail,
            exit_code: ExitCode::Error,
            rule: Rule::StatusAlone(Some(BatchStatus::Error)),
            why_not: None,
            attempts: 1,
            max_attempts: 1,
            run: None,
            figures: None,
            limit_percent: 50.0,
            reruns: RerunOutcome::default(),
            failing: (1..=count).map(named).collect(),
            failing_count: u64::try_from(count).unwrap(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn tests_are_named_with_what_leads_to_them_and_those_above_the_bound_are_counted() {
        let naming = &namings(&concluded(3))[0];
        assert_eq!(
            naming.to_string(),
            "3 tests in a state that fails: dock_1, dock_2, dock_3."
        );
        let second = (TestId::from_u128(2), "dock_2".to_owned());
        assert_eq!(naming.tests[1], second);
        let naming = namings(&concluded(1_201))[0].to_string();
        assert!(naming.ends_with(", dock_200 and 1,001 more."), "{naming}");
    }

    #[test]
    fn a_report_names_every_test_with_the_batch() {
        let verdict = concluded(9);
        let report = markdown(
            &verdict,
            &Reported {
                batch: "nightly (b-1)".into(),
                link: "https://retake.example/projects/p/batches/b-1".into(),
                policy: "wait and judge, rerun nothing".into(),
                at: "2026-11-25T12:00:00Z".into(),
            },
        );
        let lines: Vec<&str> = report.lines().collect();
        assert!(
            lines[0].starts_with("**") && lines[0].ends_with("(exit code 2)"),
            "{report}"
        );
        for wanted in [
            "- Batch: nightly",
            "- Page: https://retake.example/projects/p/batches/b-1",
            "- Supervised to wait and judge, rerun nothing; ended 2026",
        ] {
            assert!(
                lines.iter().any(|line| line.starts_with(wanted)),
                "{wanted}: {report}"
            );
        }
        assert!(
            report.contains("dock\\_9") && !report.contains("more"),
            "{report}"
        );
    }
}
