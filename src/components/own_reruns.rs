//! What a person reruns by hand and has left the page of: where it stands, for
//! the page of everything that goes on.

use leptos::prelude::*;
use leptos_router::components::A;
use retake_core::{
    rerun::Stage,
    view::{
        open,
        rerun::{RerunView, verb},
        words,
    },
};

use super::was_it_applied::WasItApplied;
use crate::{browser::dom, driver::reruns::Reruns, reactive::memo, shell::Ticker};

/// One of them, in a row.
#[component]
pub fn OwnRerun(
    /// The reruns of its batch; the latest is shown.
    reruns: Reruns,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let of = move |what: fn(&RerunView) -> Option<String>| {
        memo(move |_| reruns.view.with(|view| view.as_ref().and_then(what)))
    };
    let is = move |what: fn(&RerunView) -> bool| {
        memo(move |_| reruns.view.with(|view| view.as_ref().is_some_and(what)))
    };
    let what = of(|view| Some(verb(&view.request.scope)));
    let trouble = memo(move |_| reruns.view.with(|view| view.as_ref()?.trouble()));
    let elsewhere = memo(move |_| reruns.view.with(|view| view.as_ref()?.elsewhere()));
    let over = is(|view| !view.is_open());
    let cools = is(RerunView::can_be_called_off);
    let asks = is(|view| view.stage == Stage::Asking);
    let waiting = move || {
        let now = ticker.now();
        let runs = reruns
            .picture
            .with(|it| it.as_ref().is_some_and(|(batch, _)| !batch.is_terminal()));
        reruns
            .view
            .with(|view| view.as_ref()?.waiting(now, runs, None))
    };
    let href = dom::at(&open::batch_path(reruns.project(), reruns.batch()));
    let name = words::clean(&reruns.name()).into_owned();
    view! {
        <li class="watch" data-testid="own-rerun" data-batch-id=reruns.batch().to_string()>
            <div><A href=href attr:class="watch__name">{name}</A></div>
            <div>
                <span class="phase" data-phase=move || if over.get() { "stopped" } else { "waiting" }>
                    {move || match (over.get(), trouble.with(Option::is_some)) {
                        (false, _) => "On its way",
                        (true, true) => "Not started",
                        (true, false) => "Look at it",
                    }}
                </span>
            </div>
            <div>
                {move || match trouble.get() {
                    Some((title, said)) => view! {
                        <p>{title}</p>
                        {said.map(|said| view! { <p class="muted">{said}</p> })}
                    }
                    .into_any(),
                    None => view! { <p>{what}</p> <p class="muted">{waiting}</p> }.into_any(),
                }}
            </div>
            <div class="buttons">
                <Show when=move || asks.get()>
                    <WasItApplied say=move |word| reruns.person_says(word)/>
                </Show>
                <Show when=move || cools.get()>
                    <button type="button" class="button button--small" on:click=move |_| reruns.call_off()>
                        "Call it off"
                    </button>
                </Show>
                {move || elsewhere.get().map(|batch| view! {
                    <A
                        href=dom::at(&open::batch_path(reruns.project(), batch))
                        attr:class="button button--small"
                    >
                        "Open that batch"
                    </A>
                })}
                <Show when=move || over.get()>
                    <button
                        type="button"
                        class="button button--quiet button--small"
                        on:click=move |_| reruns.dismiss()
                    >
                        "Dismiss"
                    </button>
                </Show>
            </div>
        </li>
    }
}
