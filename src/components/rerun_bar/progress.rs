//! How the last press is getting on: pressed, sent, accepted as run N, seen running.

use leptos::prelude::*;
use leptos_router::components::A;
use retake_core::{
    rerun::Stage,
    view::{
        open,
        rerun::{RerunView, verb},
    },
};

use super::super::was_it_applied::WasItApplied;
use crate::{
    browser::{clock, dom},
    driver::{feed::Feed, reruns::Reruns},
    reactive::memo,
    shell::Ticker,
};

/// Pressed → sent → accepted as run N → seen running; its place is kept while
/// nothing is under way, so that nothing moves when something is.
#[component]
pub fn Progress(
    /// The batch.
    feed: Feed,
    /// Its reruns.
    reruns: Reruns,
    /// What is said while none is under way.
    #[prop(into)]
    idle: Signal<Option<String>>,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let with_view =
        move |look: fn(&RerunView) -> bool| reruns.view.with(|it| it.as_ref().is_some_and(look));
    let trouble = memo(move |_| reruns.view.with(|view| view.as_ref()?.trouble()));
    let what = move || {
        reruns
            .view
            .with(|it| it.as_ref().map(|it| verb(&it.request.scope)))
    };
    let steps = memo(move |_| {
        let steps = reruns
            .view
            .with(|view| view.as_ref().map(|view| view.steps(clock::local_time)));
        steps.filter(|_| trouble.with(Option::is_none))
    });
    let waiting = memo(move |_| {
        let batch_runs = feed
            .batch
            .with(|it| it.as_ref().is_some_and(|it| !it.is_terminal()));
        let (now, next) = (ticker.now(), feed.next.get());
        reruns
            .view
            .with(|view| view.as_ref()?.waiting(now, batch_runs, next))
    });
    let gave_way = memo(move |_| reruns.view.with(|view| view.as_ref()?.gave_way()));
    let elsewhere = memo(move |_| reruns.view.with(|view| view.as_ref()?.elsewhere()));
    let cools = memo(move |_| with_view(RerunView::can_be_called_off));
    let asks = memo(move |_| with_view(|it| it.stage == Stage::Asking));
    let over = memo(move |_| with_view(|it| !it.is_open()));
    let dismiss = move || {
        view! {
            <button
                type="button"
                class="button button--quiet button--small"
                data-testid="rerun-dismiss"
                on:click=move |_| reruns.dismiss()
            >
                "Dismiss"
            </button>
        }
    };
    view! {
        {move || trouble.get().map(|(title, said)| view! {
            <div class="notice" data-tone="error" role="alert" data-testid="rerun-refused">
                <div>
                    <p><b>{title}</b></p>
                    {said.map(|said| view! { <p class="notice__said">{said}</p> })}
                </div>
                <div class="buttons">{dismiss()}</div>
            </div>
        })}
        {move || gave_way.get().map(|said| view! {
            <p class="rerun-bar__gave-way" role="status" data-testid="rerun-gave-way">{said}</p>
        })}
        <div class="rerun-bar__progress" data-idle=move || steps.with(Option::is_none).then_some("")>
            <p class="rerun-bar__reason" id="rerun-reason">{idle}</p>
            {move || steps.get().map(|steps| view! {
                <div class="steps" role="status" data-testid="rerun-steps">
                    <b class="steps__what">{what}</b>
                    <ol>
                        {steps
                            .into_iter()
                            .map(|(text, state)| view! { <li data-state=state>{text}</li> })
                            .collect_view()}
                    </ol>
                </div>
                <span class="buttons">
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
                    <Show when=move || asks.get()>
                        <WasItApplied say=move |word| reruns.person_says(word)/>
                    </Show>
                    {move || elsewhere.get().map(|batch| view! {
                        <A
                            href=dom::at(&open::batch_path(reruns.project(), batch))
                            attr:class="button button--small"
                            attr:data-testid="open-other-batch"
                        >
                            "Open that batch"
                        </A>
                    })}
                    {move || over.get().then(dismiss)}
                </span>
                <p class="rerun-bar__waiting muted" data-testid="rerun-waiting" title=waiting>{waiting}</p>
            })}
        </div>
    }
}
