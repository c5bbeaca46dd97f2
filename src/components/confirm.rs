//! Asks before something is run again or cancelled: what, how many, which
//! first, what is redone and what is not.

use std::sync::Arc;

use leptos::prelude::*;
use retake_core::{
    api::RerunScope,
    domain::{Batch, Test, Timestamp},
    view::{rerun::verb, words},
};

use super::modal::{Modal, open_while};

/// What is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// A rerun.
    Rerun {
        /// What is run again.
        scope: RerunScope,
        /// Whether the batch takes the suite's latest revision.
        sync_with_suite: bool,
        /// The batch as it was when this was asked: a yes is about that run of it,
        /// and not about one that began while the question stood.
        batch: Arc<Batch>,
        /// When that picture was read.
        read_at: Option<Timestamp>,
        /// The tests that are named.
        tests: Vec<Test>,
        /// Tests that are still to be read, so that they could not be ticked.
        unread: usize,
        /// Where many were ticked at once before every test was read: how many were
        /// read by then.
        ticked_among: Option<usize>,
        /// All tests of the batch.
        total: usize,
        /// Ticked tests that the filter hides.
        hidden: usize,
        /// Whether the batch is supervised in this browser.
        supervised: bool,
    },
    /// Cancelling the batch.
    Cancel {
        /// The batch as it was then: a yes is not about a later run.
        batch: Arc<Batch>,
        /// Tests that have not finished.
        unfinished: u64,
        /// Whether it is supervised in this browser.
        supervised: bool,
    },
}

/// Names that are listed before "and n more".
const NAMES: usize = 5;

/// The dialog. `question` is emptied when it closes.
#[component]
pub fn Confirm(
    /// What is asked, while something is.
    question: RwSignal<Option<Question>>,
    /// Called with the question when the answer is yes.
    #[prop(into)]
    yes: Callback<Question>,
    /// Unticks tests that have passed since they were ticked; without it that
    /// is not offered.
    #[prop(into, optional)]
    untick_passed: Option<Callback<()>>,
) -> impl IntoView {
    let open = open_while(question);
    let confirm = move |_| {
        if let Some(asked) = question.get_untracked() {
            // Emptied first: a second click finds nothing to confirm.
            question.set(None);
            yes.run(asked);
        }
    };
    view! {
        <Modal open labelled_by="confirm-title">
            {move || question.get().map(|question| {
                let danger = matches!(question, Question::Cancel { .. });
                // Enter alone does nothing that is rarely meant.
                let careful = danger || passed_among(&question) > 0;
                let label = label(&question);
                view! {
                    <div class="dialog__body">
                        <h2 id="confirm-title">{title(&question)}</h2>
                        {body(question, untick_passed)}
                    </div>
                    <div class="dialog__foot">
                        <button
                            type="button"
                            class="button"
                            data-testid="dismiss"
                            autofocus=careful
                            on:click=move |_| open.set(false)
                        >
                            {if danger { "Keep it running" } else { "Cancel" }}
                        </button>
                        <button
                            type="button"
                            class="button"
                            class:button--primary=!danger
                            class:button--danger=danger
                            data-testid="confirm"
                            autofocus=!careful
                            on:click=confirm
                        >
                            {label}
                        </button>
                    </div>
                }
            })}
        </Modal>
    }
}

fn title(question: &Question) -> String {
    match question {
        Question::Rerun {
            scope: RerunScope::Tests(ids),
            total,
            ..
        } => {
            format!(
                "Rerun {} of {}?",
                words::number(ids.len() as u64),
                words::tests(*total)
            )
        }
        Question::Rerun {
            scope: RerunScope::TestMetrics(ids),
            total,
            ..
        } => format!(
            "Recompute the metrics of {} of {}?",
            words::number(ids.len() as u64),
            words::tests(*total)
        ),
        Question::Rerun {
            scope: RerunScope::BatchMetrics,
            ..
        } => "Rerun the batch metrics only?".into(),
        Question::Cancel { batch, .. } => {
            format!("Cancel {}?", words::clean(&batch.display_name()))
        }
    }
}

fn label(question: &Question) -> String {
    match question {
        Question::Rerun { scope, .. } => verb(scope),
        Question::Cancel { .. } => "Cancel batch".into(),
    }
}

/// How many of the named tests have passed.
fn passed_among(question: &Question) -> usize {
    let Question::Rerun { tests, .. } = question else {
        return 0;
    };
    let passed = tests.iter().filter(|test| test.shown_status().passes());
    passed.count()
}

fn body(question: Question, untick_passed: Option<Callback<()>>) -> AnyView {
    let passed = passed_among(&question);
    match question {
        Question::Cancel { unfinished, supervised, .. } => view! {
            <p>
                {format!(
                    "{} not finished. Queued ones stop at once, running ones finish first; then the \
                     batch is CANCELLED{}. This cannot be undone.",
                    words::tests_do(unfinished, "has", "have"),
                    if supervised { ", and its supervision ends with exit 5" } else { "" },
                )}
            </p>
        }
        .into_any(),
        Question::Rerun { scope, sync_with_suite, batch, tests, total, unread, ticked_among, hidden, supervised, read_at: _ } => {
            let [redone, kept] = what_happens(&scope, total);
            view! {
                {(!tests.is_empty()).then(|| names(&tests))}
                <dl class="facts facts--column">
                    <div><dt>"Batch"</dt><dd class="wrap">{words::name(&batch.display_name())}</dd></div>
                    <div><dt>"Redone"</dt><dd>{redone}</dd></div>
                    <div><dt>"Not redone"</dt><dd>{kept}</dd></div>
                    <div>
                        <dt>"Uses"</dt>
                        <dd>
                            "Today's definitions of system, experiences and metrics, not those of the \
                             first run."
                        </dd>
                    </div>
                    {sync_with_suite.then(|| view! {
                        <div>
                            <dt>"Adds"</dt>
                            <dd>"Tests that the suite's latest revision has and this batch has not: they run too."</dd>
                        </div>
                    })}
                </dl>
                {(!tests.is_empty()).then(|| partly(unread, ticked_among, total)).flatten().map(|said| view! {
                    <div class="notice" data-tone="warning" data-testid="confirm-partial">
                        <p>{said}</p>
                    </div>
                })}
                {(!batch.is_terminal()).then(|| view! {
                    <div class="notice" data-tone="warning">
                        <p>"The batch has not finished. ReSim may refuse a rerun until it has."</p>
                    </div>
                })}
                {supervised.then(|| view! {
                    <p data-testid="confirm-supervised">
                        "This batch is supervised here: its supervision follows this run, and counts no \
                         attempt for it."
                    </p>
                })}
                {(hidden > 0 || passed > 0).then(|| view! {
                    <div class="notice" data-tone="warning">
                        <p>
                            {(hidden > 0).then(|| hidden_of_them(hidden))}
                            {(passed > 0).then(|| view! {
                                {format!("{} among them passed. ", words::tests(passed))}
                                {untick_passed.map(|untick| view! {
                                    <button
                                        type="button"
                                        class="button button--link"
                                        on:click=move |_| untick.run(())
                                    >
                                        "Untick those"
                                    </button>
                                })}
                            })}
                        </p>
                    </div>
                })}
            }
            .into_any()
        }
    }
}

/// That tests may be missing among the ticked ones, since not all were read by then.
fn partly(unread: usize, ticked_among: Option<usize>, total: usize) -> Option<String> {
    if let Some(read) = ticked_among.filter(|read| *read < total) {
        return Some(format!(
            "Ticked when {} of {} were read: none of the others is among them.",
            words::number(read as u64),
            words::tests(total),
        ));
    }
    (unread > 0).then(|| {
        format!(
            "Only tests that are read so far could be ticked; {} are still being read.",
            words::number(unread as u64),
        )
    })
}

fn hidden_of_them(n: usize) -> String {
    if n == 1 {
        "1 of them is hidden by the filter. ".into()
    } else {
        let count = words::number(n as u64);
        format!("{count} of them are hidden by the filter. ")
    }
}

fn names(tests: &[Test]) -> impl IntoView + use<> {
    let more = tests.len().saturating_sub(NAMES);
    let names: Vec<String> = tests
        .iter()
        .take(NAMES)
        .map(|test| words::name(&test.name))
        .collect();
    view! {
        <ul class="dialog__names mono">
            {names.into_iter().map(|name| view! { <li>{name}</li> }).collect_view()}
            {(more > 0).then(|| view! {
                <li class="muted">{format!("and {} more", words::number(more as u64))}</li>
            })}
        </ul>
    }
}

/// What is redone, and what is not.
fn what_happens(scope: &RerunScope, total: usize) -> [String; 2] {
    let others = |n: usize| match total.saturating_sub(n) {
        0 => "Nothing: every test of the batch is named.".to_owned(),
        1 => "The other test keeps its result.".to_owned(),
        n => format!(
            "The other {} tests keep their results.",
            words::number(n as u64)
        ),
    };
    match scope {
        RerunScope::Tests(ids) => {
            let those = if ids.len() == 1 {
                "The simulation and its metrics, then batch metrics.".to_owned()
            } else {
                format!(
                    "The {} simulations, their metrics, then batch metrics.",
                    words::number(ids.len() as u64)
                )
            };
            [those, others(ids.len())]
        }
        RerunScope::TestMetrics(ids) => [
            format!(
                "The metrics of {}, from stored output, then batch metrics.",
                words::tests(ids.len())
            ),
            format!("No simulation runs again. {}", others(ids.len())),
        ],
        RerunScope::BatchMetrics => [
            "The batch metrics, from the tests' stored results.".into(),
            format!(
                "No simulation and no metrics of any of the {} run again.",
                words::tests(total)
            ),
        ],
    }
}
