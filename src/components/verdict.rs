//! The verdict: outcome in words, the CLI's exit code, the rule and its figures.

use leptos::prelude::*;
use retake_core::{
    supervise::{NamedTest, Outcome, Verdict},
    view::{export::markdown_escape, words::clean},
};

use super::copy_button::CopyButton;

/// Names shown of a list before "and n more".
const NAMES: usize = 5;

/// The tab's icon for an outcome: one of `favicon-*.svg`.
pub const fn icon(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::CleanPass | Outcome::PassAfterRerun => "passed",
        Outcome::Fail => "failed",
        Outcome::PassHidingFailures
        | Outcome::Cancelled
        | Outcome::TimedOut
        | Outcome::CouldNotTell => "attention",
    }
}

/// The whole verdict.
#[component]
pub fn VerdictCard(
    /// The verdict.
    verdict: Verdict,
    /// The equal CLI command, for hand-over and cross-checking.
    command: String,
) -> impl IntoView {
    let markdown = markdown(&verdict);
    let reruns = verdict.reruns.clone();
    let run = verdict.run.map(|run| format!(" · run {run}"));
    view! {
        <section
            class="verdict"
            data-testid="verdict"
            data-exit-code=verdict.exit_code.to_string()
            data-outcome=verdict.outcome.slug()
            aria-label="Verdict"
        >
            <div class="verdict__head">
                <p class="verdict__outcome">{verdict.outcome.words()}</p>
                <span class="verdict__exit">{format!("exit {}", verdict.exit_code)}</span>
            </div>
            <p>{clean(&verdict.rule.to_string()).into_owned()}</p>
            {verdict.figures_sentence().map(|sentence| view! { <p class="muted">{sentence}{run}</p> })}
            <ul class="verdict__notes">
                {verdict.notes.iter().map(|note| view! { <li>{clean(note).into_owned()}</li> }).collect_view()}
                {failing(&verdict).map(|text| view! { <li>{text}</li> })}
                {named("passed after rerun", &reruns.passed_after_rerun)}
                {named("failed again with the same error: consistent, not flaky", &reruns.consistent)}
                {named("failed again", &reruns.failed_again)}
            </ul>
            <div class="buttons">
                <CopyButton label="Copy CLI command" text=command/>
                <CopyButton label="Copy Markdown" text=markdown/>
            </div>
        </section>
    }
}

/// The verdict in one line, for lists.
#[component]
pub fn VerdictLine(
    /// The verdict.
    verdict: Verdict,
) -> impl IntoView {
    view! {
        <div
            class="verdict verdict--line"
            data-testid="verdict"
            data-exit-code=verdict.exit_code.to_string()
            data-outcome=verdict.outcome.slug()
        >
            <div class="verdict__head">
                <p class="verdict__outcome">{verdict.outcome.words()}</p>
                <span class="verdict__exit">{format!("exit {}", verdict.exit_code)}</span>
            </div>
        </div>
    }
}

fn named(what: &'static str, tests: &[NamedTest]) -> Option<impl IntoView + use<>> {
    (!tests.is_empty()).then(|| view! { <li>{sentence(what, tests)}</li> })
}

/// Which tests are in a state that fails.
fn failing(verdict: &Verdict) -> Option<String> {
    let count = usize::try_from(verdict.failing_count).unwrap_or(usize::MAX);
    (count > 0 && !verdict.failing.is_empty())
        .then(|| sentence_of("in a state that fails", count, &verdict.failing))
}

fn sentence(what: &str, tests: &[NamedTest]) -> String {
    sentence_of(what, tests.len(), tests)
}

/// `count` tests, the first of which are `tests`.
fn sentence_of(what: &str, count: usize, tests: &[NamedTest]) -> String {
    let names: Vec<String> = tests
        .iter()
        .take(NAMES)
        .map(|test| clean(&test.name).into_owned())
        .collect();
    let more = count.saturating_sub(names.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let noun = if count == 1 { "test" } else { "tests" };
    format!("{count} {noun} {what}: {}{more}.", names.join(", "))
}

fn markdown(verdict: &Verdict) -> String {
    let mut text = format!(
        "**{}** (exit code {})\n\n{}\n",
        verdict.outcome.words(),
        verdict.exit_code,
        markdown_escape(&verdict.rule.to_string())
    );
    if let Some(figures) = verdict.figures_sentence() {
        text.push_str(&format!("\n- {figures}"));
    }
    for note in &verdict.notes {
        text.push_str(&format!("\n- {}", markdown_escape(note)));
    }
    if let Some(line) = failing(verdict) {
        let line = markdown_escape(&line);
        text.push_str(&format!("\n- {line}"));
    }
    for (what, tests) in [
        ("passed after rerun", &verdict.reruns.passed_after_rerun),
        (
            "failed again with the same error",
            &verdict.reruns.consistent,
        ),
        ("failed again", &verdict.reruns.failed_again),
    ] {
        if !tests.is_empty() {
            let line = sentence(what, tests);
            text.push_str(&format!("\n- {}", markdown_escape(&line)));
        }
    }
    text
}
