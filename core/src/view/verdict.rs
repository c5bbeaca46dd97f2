//! A verdict in words: for its card, for a notification and for a report.
//! Names are made safe to read here, and are cut: one name is no whole page.

use super::{export::markdown_escape, words};
use crate::supervise::{ExitCode, NamedTest, Verdict};

/// Names shown of a list before "and n more".
const NAMES: usize = 5;
/// The longest name in a sentence, in characters.
const NAME_CHARS: usize = 200;
/// The longest text of a notification, in characters.
const BODY_CHARS: usize = 400;

/// What became of the tests that were run again, a sentence for each kind.
pub fn rerun_sentences(verdict: &Verdict) -> Vec<String> {
    let reruns = &verdict.reruns;
    [
        ("passed after rerun", &reruns.passed_after_rerun),
        (
            "failed again with the same error: consistent, not flaky",
            &reruns.consistent,
        ),
        ("failed again", &reruns.failed_again),
    ]
    .into_iter()
    .filter(|(_, tests)| !tests.is_empty())
    .map(|(what, tests)| sentence(what, tests.len(), tests))
    .collect()
}

/// Which tests are in a state that fails; beside a pass, which failed all the same.
pub fn failing_sentence(verdict: &Verdict) -> Option<String> {
    let count = usize::try_from(verdict.failing_count).unwrap_or(usize::MAX);
    let what = match verdict.exit_code {
        ExitCode::Success => "failed without failing the batch",
        _ => "in a state that fails",
    };
    (count > 0 && !verdict.failing.is_empty()).then(|| sentence(what, count, &verdict.failing))
}

/// `count` tests, the first of which are `tests`.
fn sentence(what: &str, count: usize, tests: &[NamedTest]) -> String {
    let names: Vec<String> = tests
        .iter()
        .take(NAMES)
        .map(|test| words::line(&test.name, NAME_CHARS))
        .collect();
    let more = count.saturating_sub(names.len());
    let more = if more > 0 {
        format!(" and {} more", words::number(more as u64))
    } else {
        String::new()
    };
    format!(
        "{} {what}: {}{more}.",
        words::tests(count),
        names.join(", ")
    )
}

/// The whole verdict for an issue or a chat.
pub fn markdown(verdict: &Verdict) -> String {
    let mut text = format!(
        "**{}** (exit code {})\n\n{}\n",
        verdict.outcome.words(),
        verdict.exit_code,
        markdown_escape(&verdict.rule.to_string())
    );
    let sentences = verdict
        .figures_sentence()
        .into_iter()
        .chain(verdict.notes.iter().cloned())
        .chain(failing_sentence(verdict))
        .chain(rerun_sentences(verdict));
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
