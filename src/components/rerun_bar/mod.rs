//! The bar that reruns: what is ticked, and three verbs kept apart.
//!
//! - [`asking`]: what a press asks, and what its yes sends.
//! - [`progress`]: every step from there to seen running.

mod asking;
pub mod progress;

use leptos::prelude::*;
use retake_core::{
    domain::Batch,
    view::{Selection, rerun::RerunView, words},
};

pub use self::asking::Verb;
use self::{
    asking::{Asking, NOTHING_TICKED, wait_for},
    progress::Progress,
};
use super::confirm::Confirm;
use crate::{
    driver::{feed::Feed, reruns::Reruns},
    reactive::{effect, memo},
    shell::Announcer,
};

/// What a rerun meets while the batch runs.
const BATCH_RUNS: &str = "The batch still runs: ReSim may refuse a rerun until it has finished.";

/// The bar. Asks through `question`; sends after a yes.
#[component]
pub fn RerunBar(
    /// The batch and its tests.
    feed: Feed,
    /// Reruns of this batch; they outlive the page.
    reruns: Reruns,
    /// A question that keys asked for.
    wanted: RwSignal<Option<Verb>>,
) -> impl IntoView {
    let asking = Asking::of(&feed, reruns);
    let Asking {
        sync,
        question,
        held,
        unlisted,
        hidden,
        adhoc,
        ..
    } = asking;
    let ask = move |verb| asking.ask(verb);
    let store = feed.tests;
    let ticked = move || store.selection.with(Selection::count);
    let count = memo(move |_| ticked());
    let runs = move || {
        feed.batch
            .with(|it| it.as_ref().is_some_and(|it| !it.is_terminal()))
    };
    let announcer = expect_context::<Announcer>();
    effect(move |_| {
        if let Some(verb) = wanted.get() {
            wanted.set(None);
            ask(verb);
        }
    });
    // Meant for one rerun, not for every one that follows.
    effect(move |_| {
        let accepted = reruns
            .view
            .with(|it| it.as_ref().is_some_and(|it| it.accepted_at.is_some()));
        if accepted {
            sync.set(false);
        }
    });
    // Said when nothing was ticked; now something is.
    effect(move |_| {
        if count.get() > 0 {
            announcer.withdraw(NOTHING_TICKED);
        }
    });
    let batch_runs = memo(move |_| runs());
    let none = move || count.get() == 0;
    let reason = Signal::derive(move || {
        let held = held.get().map(str::to_owned);
        held.or_else(|| none().then(|| NOTHING_TICKED.to_owned()))
            .or_else(|| unlisted.get())
    });
    let blocked = move || reason.with(Option::is_some).then_some("true");
    // From signals alone: what reads a memo, and a memo of that one beside it, may miss
    // a change.
    let hint = memo(move |_| {
        if let Some(held) = asking.holds() {
            return Some(held.to_owned());
        }
        if ticked() == 0 {
            return Some(NOTHING_TICKED.to_owned());
        }
        let unlisted = store.selection.with(Selection::unlisted);
        if unlisted > 0 {
            return Some(wait_for(unlisted));
        }
        if let Some(read) = store.ticked_early.get() {
            return Some(format!(
                "Ticked among the {} that were read by then; what came after is not ticked.",
                words::tests(read)
            ));
        }
        runs().then(|| BATCH_RUNS.to_owned())
    });
    let of_tests = move || match count.get() {
        0 => "tests".to_owned(),
        n => words::tests(n),
    };
    view! {
        <section class="rerun-bar" aria-label="Rerun">
            <Progress feed reruns idle=hint/>
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
                    </span>
                    <button
                        type="button"
                        class="button button--link"
                        title="Clears the filter"
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
                        "Untick all"
                    </button>
                })}
                <label class="tick push" title=move || adhoc.get().then_some("This batch was launched without a saved suite")>
                    <input
                        type="checkbox"
                        name="sync-with-test-suite"
                        prop:checked=sync
                        disabled=move || adhoc.get()
                        on:change=move |event| sync.set(event_target_checked(&event))
                    />
                    <span>"Sync with " <span class="only-wide">"test "</span> "suite"</span>
                </label>
                <span class="buttons">
                    <button
                        type="button"
                        class="button"
                        class:button--primary=move || !batch_runs.get()
                        data-testid="rerun-selected"
                        aria-disabled=blocked
                        aria-describedby="rerun-reason"
                        title=reason
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
                        title=reason
                        on:click=move |_| ask(Verb::TestMetrics)
                    >
                        "Recompute metrics of " {of_tests}
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-testid="rerun-batch-metrics"
                        aria-disabled=move || held.get().map(|_| "true")
                        aria-describedby=move || held.get().map(|_| "rerun-reason")
                        title=held
                        on:click=move |_| ask(Verb::BatchMetrics)
                    >
                        "Rerun batch metrics only"
                    </button>
                </span>
            </div>
            <Confirm question yes=move |asked| asking.send(asked) untick_passed=move |()| asking.untick_passed()/>
        </section>
    }
}

/// Shows the pictures of the batch that a rerun reads, and tells the rerun what
/// the page reads.
pub fn join(feed: Feed, reruns: Reruns) {
    effect(move |_| {
        if let Some((batch, asked)) = reruns.picture.get() {
            feed.show(batch, asked);
        }
    });
    effect(move |before: Option<_>| {
        let watch = reruns
            .view
            .with(|it| it.as_ref().and_then(RerunView::watch_until));
        feed.watch_until.set(watch);
        if let Some(batch) = feed.batch.get() {
            let batch: &Batch = &batch;
            reruns.saw(batch);
        }
        // Once, when it was accepted; after that the feed looks at its pace.
        if watch.is_some() && before != Some(watch) {
            feed.refresh();
        }
        watch
    });
}
