//! The head of a batch page: what it is, how it stands, how fresh that is.

use std::sync::Arc;

use leptos::prelude::*;
use retake_core::{
    domain::{Batch, BatchStatus, Timestamp},
    view::{
        batches,
        freshness::{Age, freshness},
        words,
    },
};

use super::{
    copy_button::CopyButton,
    status::{BatchStatusBadge, Counts},
};
use crate::{
    browser::clock,
    driver::{cancel::Cancelling, feed::Feed, tests_store::TestsStore},
    reactive::{effect, memo},
    shell::{Announcer, PageTitle, Ticker},
};

/// Names that a batch refers to by ID; read once, shown when they come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Branch.
    pub branch: Option<String>,
    /// Build.
    pub build: Option<String>,
    /// Suite.
    pub suite: Option<String>,
    /// System.
    pub system: Option<String>,
}

/// The head.
#[component]
pub fn BatchHead(
    /// The batch.
    feed: Feed,
    /// Names.
    names: RwSignal<Names>,
    /// The ReSim app's page of it, where that is known.
    app_link: Option<String>,
    /// A link to this page that works elsewhere.
    #[prop(into)]
    link: Signal<String>,
    /// Asks to cancel.
    #[prop(into)]
    cancel: Callback<()>,
    /// How far cancelling has come.
    cancelling: RwSignal<Cancelling>,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let announcer = expect_context::<Announcer>();
    let batch = memo(move |_| feed.batch.get());
    if let Some(id) = batch.with_untracked(|it| it.as_ref().map(|it| it.id)) {
        expect_context::<PageTitle>().is_about(id);
    }
    let finished = memo(move |_| batch.with(|it| it.as_ref().is_some_and(|it| it.is_terminal())));
    let fresh = memo(move |_| {
        feed.failing.with(|failing| {
            freshness(&Age {
                now: ticker.now(),
                read_at: feed.read_at.get(),
                every: feed.every.get(),
                failing: failing.as_ref(),
                next: feed.next.get(),
                paused: feed.paused.get(),
                finished: finished.get(),
                behind: feed.tests.is_read_anew(),
            })
        })
    });
    // A later run of the batch is another matter.
    effect(move |before: Option<_>| {
        let run = batch.with(|it| it.as_ref().map(|it| (it.run_counter, it.is_terminal())));
        if before.is_some_and(|before| before != run) {
            cancelling.set(Cancelling::No);
        }
        run
    });
    let why_no_cancel = memo(move |_| {
        if finished.get() {
            Some("The batch has finished: there is nothing to cancel.")
        } else if cancelling.get() == Cancelling::Sent {
            Some("Cancelling was asked for already; tests that run finish first.")
        } else {
            None
        }
    });
    let name = move || batch.with(|it| it.as_ref().map(|it| words::name(&it.display_name())));
    view! {
        <header class="batch__head">
            <div class="batch__title">
                <h1 class="clamp" title=name>{name}</h1>
                {move || batch.get().map(|batch| view! { <Badges batch/> })}
                {move || (cancelling.get() == Cancelling::Sent && !finished.get()).then(|| view! {
                    <span class="tag">"Cancelling: running tests finish first"</span>
                })}
            </div>
            <div class="batch__fresh">
                <button
                    type="button"
                    class="button button--quiet button--small"
                    data-testid="refresh"
                    on:click=move |_| feed.list_again()
                >
                    "Refresh"
                </button>
                <button
                    type="button"
                    class="button button--quiet button--small"
                    data-testid="pause"
                    aria-pressed=move || feed.paused.get().to_string()
                    on:click=move |_| feed.toggle_pause()
                >
                    {move || if feed.paused.get() { "Resume" } else { "Pause" }}
                    <span class="only-wide">" updates"</span>
                </button>
            </div>
            {move || batch.get().map(|batch| view! { <Facts batch names/> })}
            <div class="batch__actions">
                {app_link.map(|href| view! {
                    <a class="button button--quiet button--small" href=href target="_blank" rel="noreferrer">
                        <span>"ReSim" <span class="only-wide">" app"</span></span>
                        " "
                        <span class="icon" data-icon="out" aria-hidden="true"></span>
                    </a>
                })}
                <CopyButton label="Copy link" text=link/>
                <button
                    type="button"
                    class="button button--danger button--small"
                    data-testid="cancel-batch"
                    aria-disabled=move || why_no_cancel.get().map(|_| "true")
                    title=why_no_cancel
                    aria-describedby="why-no-cancel"
                    on:click=move |_| match why_no_cancel.get_untracked() {
                        Some(why) => announcer.say(why),
                        None => cancel.run(()),
                    }
                >
                    "Cancel batch"
                </button>
                <span id="why-no-cancel" hidden>{why_no_cancel}</span>
            </div>
            <div class="batch__progress">
                {move || batch.get().map(|batch| view! { <Progress batch store=feed.tests/> })}
                <p
                    class="freshness"
                    data-state=move || fresh.get().0.slug()
                    data-testid="freshness"
                    title=move || fresh.get().1
                >
                    <span>{move || fresh.get().1}</span>
                </p>
            </div>
            {move || match cancelling.get() {
                Cancelling::Trouble { title, said } if !finished.get() => Some(view! {
                    <div class="notice batch__trouble" data-tone="error" role="alert" data-testid="cancel-refused">
                        <div>
                            <p><b>{title}</b></p>
                            <p class="notice__said">{said}</p>
                        </div>
                        <button
                            type="button"
                            class="button button--quiet button--small"
                            on:click=move |_| cancelling.set(Cancelling::No)
                        >
                            "Dismiss"
                        </button>
                    </div>
                }),
                _ => None,
            }}
        </header>
    }
}

#[component]
fn Badges(batch: Arc<Batch>) -> impl IntoView {
    // A word that is not known says nothing about moving.
    let is_moving =
        |status: &BatchStatus| !status.is_terminal() && !matches!(status, BatchStatus::Unknown(_));
    view! {
        <span class="labelled" title="Outcome: state and metrics of the batch in one word (conflatedStatus)">
            <span class="labelled__name">"outcome"</span>
            <BatchStatusBadge status=batch.conflated_or_derived() badge=true/>
        </span>
        {batch.status.as_ref().map(|status| view! {
            <span class="labelled" title="Status: how far ReSim has come with the batch; says nothing about metrics">
                <span class="labelled__name">"status"</span>
                <span
                    class="status status--word"
                    data-status=status.word().to_owned()
                    data-tone=status.tone()
                    data-moving=is_moving(status).then_some("")
                    data-testid="batch-status"
                >
                    {words::clean(status.word()).into_owned()}
                </span>
            </span>
        })}
        {batch.run_counter.map(|run| view! {
            <span class="tag" data-testid="run-counter">{format!("run {run}")}</span>
        })}
    }
}

#[component]
fn Facts(batch: Arc<Batch>, names: RwSignal<Names>) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let fact = |name: &'static str, text: Option<String>| {
        text.map(|text| {
            let text = words::clean(&text).into_owned();
            let title = text.clone();
            view! { <div><dt>{name}</dt><dd class="clamp" title=title>{text}</dd></div> }
        })
    };
    let suite = {
        let batch = batch.clone();
        move || {
            if batch.adhoc_suite {
                return Some("Ad hoc".to_owned());
            }
            let name = names.with(|it| it.suite.clone())?;
            Some(match batch.suite_revision {
                Some(revision) => format!("{name} r{revision}"),
                None => name,
            })
        }
    };
    // The launch stays what it was; a rerun has a fact of its own.
    let reran = batches::reran_at(&batch);
    let launched = batch.created.or(batch.last_run);
    let moment = {
        let batch = batch.clone();
        move |name: &'static str, at: Timestamp, is_latest_run: bool| {
            let batch = batch.clone();
            let words = move || {
                let now = ticker.now();
                let ran = batches::ran_for(&batch, now)
                    .map(|ran| format!(", ran {}", words::duration(ran)))
                    .filter(|_| is_latest_run && batch.is_terminal())
                    .unwrap_or_default();
                let ago = words::ago(now.since(at));
                format!("{}, {ago}{ran}", clock::local_day_time(at))
            };
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd><time datetime=at.to_rfc3339() title=clock::in_full(at)>{words}</time></dd>
                </div>
            }
        }
    };
    let by = batch.account.clone().or_else(|| batch.user.clone());
    let errors: Vec<String> = batch
        .errors
        .iter()
        .map(|error| {
            let text = error.text.as_deref().unwrap_or("");
            words::clean(&format!("{} {text}", error.code)).into_owned()
        })
        .collect();
    view! {
        <dl class="facts">
            {move || fact("Branch", names.with(|it| it.branch.clone()))}
            {move || fact("Build", names.with(|it| it.build.clone()))}
            {move || fact("System", names.with(|it| it.system.clone()))}
            {move || fact("Suite", suite())}
            {launched.map(|at| moment("Started", at, reran.is_none()))}
            {reran.map(|at| moment("Rerun", at, true))}
            {fact("By", by)}
            {errors
                .into_iter()
                .map(|error| view! { <div><dt>"Batch error"</dt><dd class="mono">{error}</dd></div> })
                .collect_view()}
        </dl>
    }
}

#[component]
fn Progress(batch: Arc<Batch>, store: TestsStore) -> impl IntoView {
    let segments = {
        let batch = batch.clone();
        memo(move |_| batches::segments_of(store.chips(Some(batch.clone()))))
    };
    let done = memo(move |_| store.progress(&batch));
    view! {
        {move || view! { <Counts segments=segments.get()/> }}
        <span class="nowrap">
            {move || match done.get() {
                Some((done, total)) => format!("{} of {} done", words::number(done), words::number(total)),
                None => "counts not given".to_owned(),
            }}
        </span>
    }
}
