//! Everything that is supervised in this browser.

use leptos::prelude::*;
use leptos_router::components::A;
use retake_core::{
    supervise::{BatchRef, Phase},
    view::{open, words},
};

use crate::{
    browser::{clock, dom},
    components::{
        supervise_panel::{PhasePill, doing_now},
        verdict::VerdictLine,
    },
    driver::supervisions::{Supervision, Supervisions as All},
    shell::{Crumbs, PageTitle, Ticker},
};

/// Everything that is supervised in this browser, live, with verdicts.
#[component]
pub fn Supervisions() -> impl IntoView {
    expect_context::<PageTitle>().0.set("Supervisions".into());
    expect_context::<Crumbs>().0.set(vec![
        ("Projects".into(), Some("/".into())),
        ("Supervisions".into(), None),
    ]);
    let supervisions = expect_context::<All>();
    let of = move |over: bool| {
        Memo::new_with_compare(
            move |_| {
                let mut all: Vec<Supervision> = supervisions
                    .all()
                    .into_iter()
                    .filter(|one| one.snapshot.with(|it| it.state.phase.is_over()) == over)
                    .collect();
                all.reverse();
                all
            },
            |a: Option<&Vec<Supervision>>, b: Option<&Vec<Supervision>>| {
                let ids = |all: Option<&Vec<Supervision>>| {
                    all.map(|all| all.iter().map(|one| one.id.clone()).collect::<Vec<_>>())
                };
                ids(a) != ids(b)
            },
        )
    };
    let (running, finished) = (of(false), of(true));
    let empty = move || running.with(Vec::is_empty) && finished.with(Vec::is_empty);
    let forget_all = move |_| {
        for one in finished.get_untracked() {
            supervisions.forget(&one.id);
        }
    };
    view! {
        <div class="page">
            <div class="page__head">
                <h1>"Supervisions"</h1>
                <Show when=move || !running.with(Vec::is_empty)>
                    <p>"In this browser. Keep this tab open: a closed tab cannot supervise."</p>
                </Show>
            </div>
            <Show when=move || !running.with(Vec::is_empty)>
                <h2 class="visually-hidden">"Running"</h2>
                <ul class="card">
                    <For each=move || running.get() key=|one| one.id.clone() let(one)>
                        <Running one/>
                    </For>
                </ul>
            </Show>
            <Show when=move || !finished.with(Vec::is_empty)>
                <div class="page__head">
                    <h2>"Finished"</h2>
                    <button type="button" class="button button--quiet button--small push" on:click=forget_all>
                        "Remove all finished"
                    </button>
                </div>
                <ul class="card">
                    <For each=move || finished.get() key=|one| one.id.clone() let(one)>
                        <Finished one/>
                    </For>
                </ul>
            </Show>
            <Show when=empty>
                <div class="card empty">
                    <h2>"Nothing is supervised"</h2>
                    <p>
                        "Open a batch, set the policy in its Supervise panel and press Start. It waits, \
                         reruns flaky failures within limits, and ends with the CLI's verdict."
                    </p>
                    <A href=dom::at("/") attr:class="button">"Find a batch"</A>
                </div>
            </Show>
        </div>
    }
}

/// Name of the batch, linked to its page, over the project's name.
#[component]
fn Subject(one: Supervision) -> impl IntoView {
    let about = one.about.clone();
    let snapshot = one.snapshot;
    let name = move || {
        snapshot.with(|it| {
            let name = it.state.name.clone();
            let named = match &it.state.batch_ref {
                BatchRef::Name(name) => name.clone(),
                BatchRef::Id(id) => id.to_string(),
            };
            words::clean(&name.unwrap_or(named)).into_owned()
        })
    };
    let href = move || {
        let batch = snapshot.with(|it| it.state.batch);
        dom::at(&batch.map_or_else(
            || format!("/projects/{}", about.project),
            |batch| open::batch_path(about.project, batch),
        ))
    };
    view! {
        <div>
            <A href=href attr:class="watch__name">{name}</A>
            <p class="muted">{words::clean(&one.about.project_name).into_owned()}</p>
        </div>
    }
}

#[component]
fn Running(one: Supervision) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let snapshot = one.snapshot;
    let doing = move || {
        let now = ticker.now();
        snapshot.with(|it| {
            let seen = it.state.seen.as_ref().map(|seen| {
                let done = seen.total.saturating_sub(seen.unfinished);
                let run = seen
                    .run
                    .map(|run| format!(" · run {run}"))
                    .unwrap_or_default();
                format!(
                    "{run} · {} of {} done",
                    words::number(done),
                    words::number(seen.total)
                )
            });
            format!(
                "{}{}",
                doing_now(it, now).trim_end_matches('.'),
                seen.unwrap_or_default()
            )
        })
    };
    let paused = Memo::new(move |_| snapshot.with(|it| matches!(it.state.phase, Phase::Paused(_))));
    let acting = one.acting;
    let (control, stop) = (one.clone(), one.clone());
    view! {
        <li class="watch" data-testid="supervision-row" data-supervision-id=one.id.to_string()>
            <Subject one=one.clone()/>
            <div><PhasePill one=one.clone()/></div>
            <div><p class="muted">{doing}</p></div>
            <div class="buttons">
                <button
                    type="button"
                    class="button button--small"
                    disabled=move || !acting.get()
                    on:click=move |_| if paused.get_untracked() { control.resume() } else { control.pause() }
                >
                    {move || if paused.get() { "Resume" } else { "Pause" }}
                </button>
                <button
                    type="button"
                    class="button button--danger button--small"
                    disabled=move || !acting.get()
                    on:click=move |_| stop.stop()
                >
                    "Stop"
                </button>
            </div>
        </li>
    }
}

#[component]
fn Finished(one: Supervision) -> impl IntoView {
    let supervisions = expect_context::<All>();
    let snapshot = one.snapshot;
    let verdict = move || snapshot.with(|it| it.state.verdict().cloned());
    let ended =
        move || snapshot.with(|it| format!("ended {}", clock::local_day_time(it.state.last_at)));
    let rule = move || verdict().map(|it| it.rule.to_string());
    let id = one.id.clone();
    view! {
        <li class="watch" data-testid="supervision-row" data-supervision-id=one.id.to_string()>
            <Subject one=one.clone()/>
            <div>
                {move || match verdict() {
                    Some(verdict) => view! { <VerdictLine verdict/> }.into_any(),
                    None => view! { <span class="phase" data-phase="stopped">"Stopped by hand"</span> }.into_any(),
                }}
            </div>
            <div><p class="muted">{ended} {move || rule().map(|rule| format!(" · {rule}"))}</p></div>
            <div class="buttons">
                <button
                    type="button"
                    class="button button--quiet button--small"
                    on:click=move |_| supervisions.forget(&id)
                >
                    "Remove"
                </button>
            </div>
        </li>
    }
}
