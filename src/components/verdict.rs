//! The verdict: outcome in words, the CLI's exit code, the rule and its figures.

use leptos::prelude::*;
use retake_core::{
    supervise::{Outcome, Verdict},
    view::{
        verdict::{self as say, Reported},
        words::clean,
    },
};

use super::copy_button::CopyButton;

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
    /// What a report says of its batch.
    about: Reported,
) -> impl IntoView {
    let markdown = say::markdown(&verdict, &about);
    let tests = say::failing_sentence(&verdict)
        .into_iter()
        .chain(say::rerun_sentences(&verdict));
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
                {tests.map(|text| view! { <li>{text}</li> }).collect_view()}
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
