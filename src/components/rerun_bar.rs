//! The bar that reruns: three verbs kept apart, and every step from press to
//! seen running.

use leptos::prelude::*;
use retake_core::{
    api::{RerunRequest, RerunScope, TestIds},
    domain::{Batch, ConflatedStatus},
    rerun::{Ended, Stage, WaitReason},
    view::words,
};

use super::confirm::{Confirm, Question};
use crate::{
    browser::clock,
    driver::{
        feed::Feed,
        rerun::{RerunView, Reruns, verb},
    },
    shell::Ticker,
};

/// The three verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Run the ticked tests again.
    Tests,
    /// Recompute their metrics.
    TestMetrics,
    /// Run the batch metrics again.
    BatchMetrics,
}

/// The bar. Asks through `question`; sends after a yes.
#[component]
pub fn RerunBar(
    /// The batch and its tests.
    feed: Feed,
    /// Reruns of this page.
    reruns: Reruns,
    /// A question that keys asked for.
    wanted: RwSignal<Option<Verb>>,
) -> impl IntoView {
    let store = feed.tests;
    let sync = RwSignal::new(false);
    let question = RwSignal::new(None::<Question>);
    let count = Memo::new(move |_| store.selection.with(retake_core::view::Selection::count));
    let hidden = Memo::new(move |_| {
        store.version.track();
        store
            .listing
            .with(|listing| store.selection.with(|selection| selection.hidden(listing)))
    });
    let open = Memo::new(move |_| {
        reruns
            .view
            .with(|it| it.as_ref().is_some_and(RerunView::is_open))
    });
    let adhoc = Memo::new(move |_| {
        feed.batch
            .with(|it| it.as_ref().is_some_and(|it| it.adhoc_suite))
    });
    let ask = move |verb: Verb| {
        if open.get_untracked() {
            return;
        }
        let Some(batch) = feed.batch.get_untracked() else {
            return;
        };
        let tests = match verb {
            Verb::BatchMetrics => Vec::new(),
            _ => store.selected(),
        };
        let ids = TestIds::new(tests.iter().filter_map(|test| test.id).collect());
        let scope = match (verb, ids) {
            (Verb::BatchMetrics, _) => RerunScope::BatchMetrics,
            (Verb::Tests, Some(ids)) => RerunScope::Tests(ids),
            (Verb::TestMetrics, Some(ids)) => RerunScope::TestMetrics(ids),
            (_, None) => return,
        };
        question.set(Some(Question::Rerun {
            scope,
            sync_with_suite: sync.get_untracked() && !adhoc.get_untracked(),
            hidden: if verb == Verb::BatchMetrics {
                0
            } else {
                hidden.get_untracked()
            },
            total: store.with_table(retake_core::view::TestTable::len),
            tests,
            batch_runs: !batch.is_terminal(),
        }));
    };
    Effect::new(move |_| {
        if let Some(verb) = wanted.get() {
            wanted.set(None);
            ask(verb);
        }
    });
    let send = move |asked: Question| {
        let Question::Rerun {
            scope,
            sync_with_suite,
            tests,
            ..
        } = asked
        else {
            return;
        };
        let Some(batch) = feed.batch.get_untracked() else {
            return;
        };
        reruns.start(
            &batch,
            RerunRequest {
                scope,
                sync_with_suite,
            },
            &tests,
        );
    };
    let untick_passed = move |()| {
        let again = question.with_untracked(|it| match it {
            Some(Question::Rerun {
                scope: RerunScope::TestMetrics(_),
                ..
            }) => Verb::TestMetrics,
            _ => Verb::Tests,
        });
        question.set(None);
        let passed: Vec<_> = store
            .selected()
            .iter()
            .filter(|test| test.shown_status() == ConflatedStatus::Passed)
            .filter_map(|test| test.id)
            .filter_map(|id| store.with_table(|table| table.row(id)))
            .collect();
        for row in passed {
            store.toggle(row, false);
        }
        // After the dialog has closed.
        request_animation_frame(move || ask(again));
    };
    let none = move || count.get() == 0;
    let reason = move || {
        if open.get() {
            Some("A rerun is on its way.".to_owned())
        } else if none() {
            Some("Tick tests in the table to rerun them.".to_owned())
        } else {
            None
        }
    };
    let blocked = move || (none() || open.get()).then_some("true");
    let of_tests = move || match count.get() {
        0 => "tests".to_owned(),
        n => words::tests(n),
    };
    view! {
        <section class="rerun-bar" aria-label="Rerun">
            <Steps reruns/>
            <div class="rerun-bar__line">
                <span class="rerun-bar__count">
                    <span data-testid="selected-count" data-count=move || count.get().to_string()>
                        {move || words::number(count.get() as u64)}
                    </span>
                    " selected"
                </span>
                {move || (hidden.get() > 0).then(|| view! {
                    <span class="muted">
                        {words::number(hidden.get() as u64)} " hidden"
                        <span class="only-wide">" by filter"</span>
                    </span>
                    <button
                        type="button"
                        class="button button--link"
                        on:click=move |_| store.query.update(|query| query.filter = Default::default())
                    >
                        "Show"
                    </button>
                })}
                {move || (count.get() > 0).then(|| view! {
                    <button
                        type="button"
                        class="button button--link"
                        data-testid="clear-selection"
                        on:click=move |_| store.clear_selection()
                    >
                        "Clear"
                    </button>
                })}
                <span class="rerun-bar__reason" id="rerun-reason">{reason}</span>
                <label class="tick push" title=move || adhoc.get().then_some("This batch was launched without a saved suite")>
                    <input
                        type="checkbox"
                        name="sync-with-test-suite"
                        prop:checked=sync
                        disabled=move || adhoc.get()
                        on:change=move |event| sync.set(event_target_checked(&event))
                    />
                    <span>"Sync" <span class="only-wide">" with test"</span> " suite"</span>
                </label>
                <span class="buttons">
                    <button
                        type="button"
                        class="button button--primary"
                        data-testid="rerun-selected"
                        aria-disabled=blocked
                        aria-describedby="rerun-reason"
                        on:click=move |_| ask(Verb::Tests)
                    >
                        "Rerun " {of_tests}
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-testid="rerun-metrics-selected"
                        aria-disabled=blocked
                        aria-describedby="rerun-reason"
                        on:click=move |_| ask(Verb::TestMetrics)
                    >
                        <span class="only-wide">"Recompute metrics of " {of_tests}</span>
                        <span class="only-narrow">"Metrics of " {move || words::number(count.get() as u64)}</span>
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-testid="rerun-batch-metrics"
                        aria-disabled=move || open.get().then_some("true")
                        on:click=move |_| ask(Verb::BatchMetrics)
                    >
                        <span class="only-wide">"Rerun batch metrics only"</span>
                        <span class="only-narrow">"Batch metrics"</span>
                    </button>
                </span>
            </div>
            <Confirm question yes=send untick_passed/>
        </section>
    }
}

/// Pressed → sent → accepted as run N → seen running.
#[component]
fn Steps(reruns: Reruns) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let what = move || {
        reruns
            .view
            .with(|it| it.as_ref().map(|it| verb(&it.request.scope)))
    };
    let steps = move || {
        reruns
            .view
            .with(|view| view.as_ref().map(|view| steps_of(view)))
    };
    let waiting = move || {
        let now = ticker.now();
        reruns
            .view
            .with(|view| view.as_ref().and_then(|view| waiting_words(view, now)))
    };
    let trouble = move || {
        reruns
            .view
            .with(|view| view.as_ref().and_then(trouble_words))
    };
    let cools = Memo::new(move |_| {
        reruns.view.with(|it| {
            it.as_ref()
                .is_some_and(|it| matches!(it.stage, Stage::Cooling { .. }))
        })
    });
    let over = Memo::new(move |_| {
        reruns
            .view
            .with(|it| it.as_ref().is_some_and(|it| !it.is_open()))
    });
    view! {
        {move || trouble().map(|(title, said)| view! {
            <div class="notice" data-tone="error" role="alert" data-testid="rerun-refused">
                <div>
                    <p><b>{title}</b></p>
                    {said.map(|said| view! { <p class="notice__said">{said}</p> })}
                </div>
                <button type="button" class="button button--small" on:click=move |_| reruns.dismiss()>
                    "Dismiss"
                </button>
            </div>
        })}
        {move || steps().map(|steps| view! {
            <div class="rerun-bar__steps">
                <ol class="steps" role="status" aria-label=what data-testid="rerun-steps">
                    {steps
                        .into_iter()
                        .map(|(text, state)| view! { <li data-state=state>{text}</li> })
                        .collect_view()}
                </ol>
                <span class="muted" data-testid="rerun-waiting">{waiting}</span>
                <Show when=move || cools.get()>
                    <button
                        type="button"
                        class="button button--small"
                        data-testid="call-off"
                        on:click=move |_| reruns.call_off()
                    >
                        "Call it off"
                    </button>
                </Show>
                <Show when=move || over.get() && trouble().is_none()>
                    <button type="button" class="button button--quiet button--small" on:click=move |_| reruns.dismiss()>
                        "Dismiss"
                    </button>
                </Show>
            </div>
        })}
    }
}

type Step = (String, Option<&'static str>);

fn steps_of(view: &RerunView) -> Vec<Step> {
    let done = Some("done");
    let pressed = (format!("Pressed {}", clock::local_time(view.pressed)), done);
    let tries = if view.posts > 1 {
        format!(", try {}", view.posts)
    } else {
        String::new()
    };
    let sent = match (&view.stage, view.sent) {
        (Stage::Ended(Ended::NotStored(_)), _) => ("Not sent".to_owned(), Some("failed")),
        (Stage::Ended(Ended::CalledOff), _) => ("Called off".to_owned(), Some("failed")),
        (Stage::Settling { .. } | Stage::Asking, _) => {
            ("Sent, not yet confirmed: looking".into(), Some("doubt"))
        }
        (_, Some(at)) => (format!("Sent {}{tries}", clock::local_time(at)), done),
        (_, None) => ("Sent".to_owned(), None),
    };
    let accepted = match &view.stage {
        Stage::Ended(Ended::Applied { run: Some(run), .. }) => {
            (format!("Accepted as run {run}"), done)
        }
        Stage::Ended(Ended::Applied { run: None, .. }) => ("Accepted".to_owned(), done),
        Stage::Ended(Ended::Refused(_) | Ended::StillBusy(_)) => ("Refused".into(), Some("failed")),
        Stage::Ended(Ended::NotApplied) => ("Not applied".into(), Some("failed")),
        Stage::Cooling { .. } | Stage::Checking { .. } => ("Not yet: busy".into(), Some("doubt")),
        _ => ("Accepted".to_owned(), None),
    };
    let seen = if view.seen_running {
        ("Seen running".to_owned(), done)
    } else {
        ("Seen running".to_owned(), None)
    };
    vec![pressed, sent, accepted, seen]
}

fn waiting_words(view: &RerunView, now: retake_core::domain::Timestamp) -> Option<String> {
    let said = view
        .said
        .as_deref()
        .map(|said| format!(" ReSim says: {}", words::clean(said)));
    let said = said.unwrap_or_default();
    let left = |until: retake_core::domain::Timestamp| until.since(now).as_secs();
    Some(match &view.stage {
        Stage::Storing => "Writing it down first.".to_owned(),
        Stage::Posting => "Waiting for ReSim's answer.".to_owned(),
        Stage::Checking { .. } => "Looking whether anything moved.".to_owned(),
        Stage::Cooling {
            until,
            why: WaitReason::CleaningUp,
        } => {
            format!(
                "The platform is cleaning up, next try in {} s.{said}",
                left(*until)
            )
        }
        Stage::Cooling {
            until,
            why: WaitReason::Throttled,
        } => {
            format!("Too many requests, next try in {} s.{said}", left(*until))
        }
        Stage::Settling { until, .. } => match left(*until) {
            0 => "Looking once more whether it was applied.".to_owned(),
            left => format!(
                "No answer came, so nobody knows yet. Looking, sending nothing; clear in {left} s at \
                 the latest."
            ),
        },
        Stage::Asking => {
            "Nothing shows whether it was applied. Look it up at ReSim, then say so.".to_owned()
        }
        Stage::Parked => "Goes on after you sign in.".to_owned(),
        Stage::Ended(_) => return None,
    })
}

fn trouble_words(view: &RerunView) -> Option<(String, Option<String>)> {
    let what = verb(&view.request.scope);
    let said = |error: &retake_core::api::ApiError| {
        let text = retake_core::view::freshness::upper_first(&error.to_string());
        Some(words::clean(&text).into_owned())
    };
    let Stage::Ended(ended) = &view.stage else {
        return None;
    };
    Some(match ended {
        Ended::Applied { .. } | Ended::CalledOff => return None,
        Ended::Refused(error) => (
            format!("ReSim refused: {what}. Nothing was started; your selection is kept."),
            said(error),
        ),
        Ended::StillBusy(error) => (
            format!(
                "The platform stayed busy, so nothing was started: {what}. Try again in a minute; your selection is kept."
            ),
            said(error),
        ),
        Ended::NotApplied => (
            format!(
                "The request did not arrive, so nothing was started: {what}. Press again if you still want it."
            ),
            view.said.clone(),
        ),
        Ended::NotStored(why) => (
            format!(
                "Nothing was sent: {what}. A rerun is written down before it is sent, and that failed."
            ),
            Some(why.clone()),
        ),
    })
}

/// Shows the pictures of the batch that a rerun reads, and tells the rerun what
/// the page reads.
pub fn join(feed: Feed, reruns: Reruns) {
    Effect::new(move |_| {
        if let Some(batch) = reruns.picture.get() {
            feed.show(batch);
        }
    });
    Effect::new(move |_| {
        let accepted = reruns
            .view
            .with(|it| it.as_ref().and_then(RerunView::accepted).is_some());
        if let Some(batch) = feed.batch.get() {
            let batch: &Batch = &batch;
            reruns.saw(batch);
        }
        if accepted {
            feed.refresh();
        }
    });
}
