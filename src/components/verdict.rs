//! The verdict: outcome in words, the CLI's exit code, the rule and its figures.

use leptos::prelude::*;
use retake_core::{
    domain::TestId,
    supervise::{Outcome, Verdict},
    view::{
        query::ViewQuery,
        verdict::{self as say, Naming, Reported},
        words::{self, clean},
    },
};

use wasm_bindgen::JsCast;

use super::copy_button::CopyButton;
use crate::browser::dom;

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
    /// Shows a test that it names.
    show: Callback<TestId>,
) -> impl IntoView {
    let markdown = say::markdown(&verdict, &about);
    let tests = say::namings(&verdict);
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
                {tests.into_iter().map(|naming| view! { <Names naming show/> }).collect_view()}
            </ul>
            <div class="buttons">
                <CopyButton label="Copy CLI command" text=command/>
                <CopyButton label="Copy Markdown" text=markdown/>
            </div>
        </section>
    }
}

/// A sentence whose names lead to their tests; a few of them until a person wants all.
#[component]
fn Names(naming: Naming, show: Callback<TestId>) -> impl IntoView {
    let rest = naming.rest();
    let Naming { lead, tests, more } = naming;
    let folded = tests.len().saturating_sub(say::NAMES_AT_FIRST);
    let others = words::number((folded + more) as u64);
    let whole = RwSignal::new(folded == 0);
    let list = NodeRef::<leptos::html::Li>::new();
    let link = move |(nth, (id, name)): (usize, (TestId, String))| {
        let alone = ViewQuery {
            open: Some(id),
            ..ViewQuery::default()
        };
        let open = move |event: leptos::ev::MouseEvent| {
            if dom::is_plain_click(&event) {
                event.prevent_default();
                show.run(id);
            }
        };
        let is_folded = move || nth >= say::NAMES_AT_FIRST && !whole.get();
        view! {
            <span hidden=is_folded>
                {(nth > 0).then_some(", ")}
                <a href=alone.to_query() data-testid="verdict-test" on:click=open>{name}</a>
            </span>
        }
    };
    view! {
        <li node_ref=list>
            {lead}
            {tests.into_iter().enumerate().map(link).collect_view()}
            {move || if whole.get() {
                rest.clone().into_any()
            } else {
                view! {
                    " and "
                    <button
                        type="button"
                        class="button button--link"
                        data-testid="verdict-more"
                        on:click=move |_| {
                            whole.set(true);
                            // What was pressed is gone: the hand goes on at the first new name.
                            request_animation_frame(move || {
                                let first = format!("span:nth-of-type({}) a", say::NAMES_AT_FIRST + 1);
                                let link = list.get_untracked().and_then(|it| it.query_selector(&first).ok()?);
                                if let Some(link) = link.and_then(|it| it.dyn_into().ok()) {
                                    dom::focus_on(&link);
                                }
                            });
                        }
                    >
                        {format!("{others} more")}
                    </button>
                    "."
                }
                .into_any()
            }}
        </li>
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
