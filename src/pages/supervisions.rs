//! Everything that is supervised in this browser.

use leptos::prelude::*;
use leptos_router::components::A;
use retake_core::{
    supervise::BatchRef,
    view::{
        open,
        supervision::{policy, progress},
        words,
    },
};

use crate::{
    browser::{clock, dom},
    components::{
        each::each,
        own_reruns::OwnRerun,
        supervise_panel::{PauseResume, PhasePill},
        verdict::VerdictLine,
        was_it_applied::WasItApplied,
    },
    driver::{
        reruns::{OwnReruns, Reruns},
        supervisions::{Standing, Supervision, Supervisions as All},
    },
    reactive::memo,
    session::Session,
    shell::{Announcer, Crumbs, PageTitle, Ticker},
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
    let announcer = expect_context::<Announcer>();
    let session = expect_context::<Session>();
    let own = expect_context::<OwnReruns>();
    let by_hand = listed(
        move || {
            let account = session.account();
            account.map_or_else(Vec::new, |it| own.worth_showing(&it.identity))
        },
        Reruns::batch,
    );
    let of = move |over: bool| {
        listed(
            move || {
                let all = supervisions.all().into_iter().rev();
                all.filter(|one| !one.is_read_only() && one.is_over() == over)
                    .collect()
            },
            |one: &Supervision| one.id.clone(),
        )
    };
    let (running, finished) = (of(false), of(true));
    let shelved = move || {
        supervisions
            .all()
            .into_iter()
            .filter(Supervision::is_read_only)
            .collect::<Vec<_>>()
    };
    let unreadable = supervisions.unreadable;
    let unread = supervisions.unread;
    let others = move || !shelved().is_empty() || !unreadable.with(Vec::is_empty);
    let empty = move || {
        by_hand.with(Vec::is_empty)
            && running.with(Vec::is_empty)
            && finished.with(Vec::is_empty)
            && !others()
            && unread.with(Option::is_none)
    };
    let forget_all = move |_| {
        for one in finished.get_untracked() {
            supervisions.forget(&one.id, move |why| announcer.trouble(why));
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
            {move || unread.get().map(|why| view! {
                <div class="notice" data-tone="warning" role="alert" data-testid="journal-unread">
                    <p>
                        <b>"The journal of this browser cannot be read."</b>
                        " What was supervised here does not go on until it can; it is read again every \
                         few seconds. "
                        {why}
                    </p>
                </div>
            })}
            <Show when=move || !by_hand.with(Vec::is_empty)>
                <div class="page__head">
                    <h2>"Reruns by hand"</h2>
                    <p>"Pressed in this browser; each goes on while this tab is open."</p>
                </div>
                <ul class="card">
                    {each(
                        move || by_hand.get(),
                        |reruns| reruns.batch().to_string(),
                        |reruns| view! { <OwnRerun reruns/> }.into_any(),
                    )}
                </ul>
            </Show>
            <Show when=move || !running.with(Vec::is_empty)>
                <div class="page__head" class:visually-hidden=move || by_hand.with(Vec::is_empty)>
                    <h2>"Supervised"</h2>
                </div>
                <ul class="card">
                    {each(move || running.get(), id, |one| view! { <Running one/> }.into_any())}
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
                    {each(move || finished.get(), id, |one| view! { <Finished one/> }.into_any())}
                </ul>
            </Show>
            <Show when=others>
                <div class="page__head">
                    <h2>"Only shown"</h2>
                    <p>"Stored in this browser; nobody acts on these with this account."</p>
                </div>
                <ul class="card">
                    {each(shelved, id, |one| view! { <OnlyShown one/> }.into_any())}
                    {each(move || unreadable.get(), String::clone, |id| view! { <Damaged id/> }.into_any())}
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

/// A list that is drawn anew only when it has others in it: what changes within one
/// is its own affair.
fn listed<T, K>(list: impl Fn() -> Vec<T> + Send + Sync + 'static, key: fn(&T) -> K) -> Memo<Vec<T>>
where
    T: Send + Sync + 'static,
    K: PartialEq + 'static,
{
    let keys = move |list: &Vec<T>| list.iter().map(key).collect::<Vec<_>>();
    Memo::new_owning(move |before: Option<Vec<T>>| {
        let now = list();
        let has_others = before.as_ref().map(keys) != Some(keys(&now));
        (now, has_others)
    })
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
    let mark = {
        let (one, supervisions) = (one.clone(), expect_context::<All>());
        memo(move |_| supervisions.mark(&one))
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
            <A href=href attr:class="watch__name">{name}{mark}</A>
            <p class="muted">{words::clean(&one.about.project_name).into_owned()}</p>
        </div>
    }
}

/// The parameters, in words.
#[component]
fn PolicyLine(one: Supervision) -> impl IntoView {
    let snapshot = one.snapshot;
    let words = move || snapshot.with(|it| policy(&it.state.policy));
    view! { <p class="muted">{words}</p> }
}

#[component]
fn Running(one: Supervision) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let snapshot = one.snapshot;
    let doing = move || {
        let now = ticker.now();
        snapshot.with(|it| it.doing().sentence(now))
    };
    let made = move || snapshot.with(|it| progress(&it.state));
    let standing = one.standing;
    let acts_here = Signal::derive(move || standing.with(|it| *it == Standing::Acting));
    let (control, stop, take, asked) = (one.clone(), one.clone(), one.clone(), one.clone());
    let asks = {
        let one = one.clone();
        memo(move |_| one.asks_person())
    };
    view! {
        <li
            class="watch"
            data-testid="supervision-row"
            data-supervision-id=one.id.to_string()
            data-acting=move || standing.with(Standing::word)
        >
            <Subject one=one.clone()/>
            <div><PhasePill one=one.clone()/></div>
            <div>
                <p data-testid="supervision-progress">{made}</p>
                <p class="muted">{doing}</p>
                <PolicyLine one=one.clone()/>
            </div>
            <div class="buttons">
                <Show when=move || asks.get()>
                    {
                        let one = asked.clone();
                        view! { <WasItApplied say=move |word| one.person_says(word)/> }
                    }
                </Show>
                <Show when=move || !acts_here.get()>
                    {
                        let take = take.clone();
                        view! {
                            <button
                                type="button"
                                class="button button--small"
                                on:click=move |_| take.take_over()
                            >
                                "Take over"
                            </button>
                        }
                    }
                </Show>
                <PauseResume one=control.clone()/>
                <button
                    type="button"
                    class="button button--danger button--small"
                    disabled=move || !acts_here.get()
                    on:click=move |_| stop.stop()
                >
                    "Stop"
                </button>
            </div>
        </li>
    }
}

/// Of another account, or of a journal that cannot be acted on.
#[component]
fn OnlyShown(one: Supervision) -> impl IntoView {
    let (snapshot, standing) = (one.snapshot, one.standing);
    let why = move || match standing.get() {
        Standing::ReadOnly { why, .. } => why,
        _ => String::new(),
    };
    let removable = move || {
        standing.with(|it| {
            matches!(
                it,
                Standing::ReadOnly {
                    forgettable: true,
                    ..
                }
            )
        })
    };
    let last = move || snapshot.with(|it| clock::local_day_time(it.state.last_at));
    let text = move || snapshot.with(|it| it.state.phase.words());
    let id = one.id.to_string();
    view! {
        <li
            class="watch"
            data-testid="supervision-read-only"
            data-supervision-id=one.id.to_string()
            data-acting="nobody"
        >
            <Subject one=one.clone()/>
            <div>
                {move || match snapshot.with(|it| it.state.verdict().cloned()) {
                    Some(verdict) => view! { <VerdictLine verdict/> }.into_any(),
                    None => view! { <span class="phase">{text}</span> }.into_any(),
                }}
            </div>
            <div><p class="muted">{why} " Last record " {last} "."</p></div>
            <Show when=removable>
                <Forget id=id.clone()/>
            </Show>
        </li>
    }
}

fn id(one: &Supervision) -> String {
    one.id.to_string()
}

#[component]
fn Damaged(id: String) -> impl IntoView {
    view! {
        <li class="watch" data-testid="supervision-unreadable">
            <div><p>"A journal that can't be read"</p></div>
            <div><span class="phase" data-acting="nobody">"Damaged"</span></div>
            <div><p class="muted">"Nothing of it can be shown: it was cut off at its start, or it is damaged."</p></div>
            <Forget id/>
        </li>
    }
}

/// Removes a journal, after asking.
#[component]
fn Forget(id: String) -> impl IntoView {
    let supervisions = expect_context::<All>();
    let announcer = expect_context::<Announcer>();
    let asked = RwSignal::new(false);
    let id = StoredValue::new(id);
    view! {
        <div class="buttons">
            <Show
                when=move || asked.get()
                fallback=move || view! {
                    <button
                        type="button"
                        class="button button--quiet button--small"
                        on:click=move |_| asked.set(true)
                    >
                        "Forget…"
                    </button>
                }
            >
                <button
                    type="button"
                    class="button button--danger button--small"
                    data-testid="forget-confirm"
                    on:click=move |_| id.with_value(|id| {
                        supervisions.forget(id, move |why| announcer.trouble(why));
                    })
                >
                    "Forget for good"
                </button>
                <button
                    type="button"
                    class="button button--quiet button--small"
                    on:click=move |_| asked.set(false)
                >
                    "Keep"
                </button>
            </Show>
        </div>
    }
}

#[component]
fn Finished(one: Supervision) -> impl IntoView {
    let supervisions = expect_context::<All>();
    let announcer = expect_context::<Announcer>();
    let snapshot = one.snapshot;
    let verdict = move || snapshot.with(|it| it.state.verdict().cloned());
    let ended = move || snapshot.with(|it| clock::local_full(it.state.last_at));
    let made = move || snapshot.with(|it| progress(&it.state));
    let rule = move || verdict().map(|it| words::clean(&it.rule.to_string()).into_owned());
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
            <div>
                <p>{rule}</p>
                <p class="muted" data-testid="supervision-progress">{made}</p>
                <PolicyLine one=one.clone()/>
                <p class="muted">"Ended " {ended}</p>
            </div>
            <div class="buttons">
                <button
                    type="button"
                    class="button button--quiet button--small"
                    on:click=move |_| supervisions.forget(&id, move |why| announcer.trouble(why))
                >
                    "Remove"
                </button>
            </div>
        </li>
    }
}
