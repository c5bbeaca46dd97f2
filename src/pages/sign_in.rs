//! The sign-in page: environments, the provider, a pasted token.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use retake_core::{
    auth::{Tokens, route},
    config::Environment,
};

use crate::{
    browser::{clock, dom, storage},
    components::device_code::DeviceCode,
    driver::supervisions::Supervisions,
    reactive::{effect, memo},
    session::{Session, SessionState},
    shell::{Crumbs, PageTitle},
};

/// The sign-in page.
#[component]
pub fn SignIn() -> impl IntoView {
    let session = expect_context::<Session>();
    expect_context::<PageTitle>().0.set("Sign in".into());
    expect_context::<Crumbs>().0.set(Vec::new());
    let location = use_location();
    let return_to = memo(move |_| {
        let search = location.search.get();
        let query = search.strip_prefix('?').unwrap_or(&search);
        route::behind(&format!("/sign-in?{query}"))
    });
    let navigate = use_navigate();
    // Signed in, here or by a silent way: on to where the person wanted to be.
    effect(move |_| {
        if matches!(session.state(), SessionState::SignedIn(_)) {
            let options = NavigateOptions {
                replace: true,
                ..Default::default()
            };
            navigate(&return_to.get_untracked(), options);
        }
    });
    let state = memo(move |_| match session.state() {
        SessionState::Broken(_) => 2,
        SessionState::Starting => 0,
        _ => 1,
    });
    move || match state.get() {
        1 => view! { <Door return_to/> }.into_any(),
        2 => view! { <super::guard::Guard>""</super::guard::Guard> }.into_any(),
        _ => view! { <super::guard::Starting text="Starting…"/> }.into_any(),
    }
}

#[component]
fn Door(return_to: Memo<String>) -> impl IntoView {
    let session = expect_context::<Session>();
    let supervisions = expect_context::<Supervisions>();
    let environments = session.environments();
    let first = storage::environment()
        .filter(|name| environments.iter().any(|it| it.name == *name))
        .or_else(|| environments.first().map(|it| it.name.clone()))
        .unwrap_or_default();
    let chosen = RwSignal::new(first);
    let all = StoredValue::new(environments.clone());
    let environment = move || {
        let name = chosen.get();
        all.with_value(|all| all.iter().find(|it| it.name == name).cloned())
    };
    let why = move || match session.state() {
        SessionState::SignedOut(why) => why,
        _ => None,
    };
    let token = NodeRef::<leptos::html::Textarea>::new();
    let error = RwSignal::new(None::<String>);
    let trouble = RwSignal::new(None::<String>);
    let leaving = RwSignal::new(false);
    let paste = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(environment) = environment() else {
            return;
        };
        let text = token
            .get_untracked()
            .map(|it| it.value())
            .unwrap_or_default();
        error.set(session.paste(&environment, &text).err());
    };
    let leave = move |_| {
        let Some(environment) = environment() else {
            return;
        };
        if leaving.get_untracked() {
            return;
        }
        leaving.set(true);
        trouble.set(None);
        spawn_local(async move {
            let to = return_to.get_untracked();
            let left = session
                .leave_for_provider(&environment, &to, false, || true)
                .await;
            // Still here, or here again by Back.
            leaving.try_set(false);
            trouble.try_set(left.err());
        });
    };
    let has_provider = move || environment().is_some_and(|it| it.has_redirect());
    let has_device_code = move || environment().is_some_and(|it| it.has_device_code());
    let has_either = move || has_provider() || has_device_code();
    let says = RwSignal::new(None::<String>);
    let typed = move |_| {
        let text = token.get_untracked().map(|it| it.value());
        let tokens = text.and_then(|text| Tokens::pasted(&text, clock::wall()).ok());
        says.set(tokens.map(|it| it.says(clock::wall())));
        error.set(None);
    };
    view! {
        <div class="door">
            <h1 class="door__mark">
                <img src=dom::file("favicon.svg") alt="" width="28" height="28"/>
                "Retake"
            </h1>
            {move || why().map(|why| view! {
                <div class="notice" data-tone="warning" role="alert" data-testid="sign-in-why">
                    <p>
                        {why}
                        {move || match supervisions.active() {
                            0 => None,
                            1 => Some(" Supervision of 1 batch is paused until then.".to_owned()),
                            n => Some(format!(" Supervision of {n} batches is paused until then.")),
                        }}
                    </p>
                </div>
            })}
            <form class="door__card card" on:submit=paste novalidate>
                <fieldset class="envs">
                    <legend>"Environment"</legend>
                    {environments
                        .into_iter()
                        .map(|it| view! { <Choice environment=it chosen/> })
                        .collect_view()}
                </fieldset>
                {move || trouble.get().map(|why| view! {
                    <div class="notice" data-tone="error" role="alert">
                        <div><p><b>"The provider cannot be used."</b></p><p class="notice__said">{why}</p></div>
                    </div>
                })}
                <Show when=has_provider>
                    <button
                        type="button"
                        class="button button--primary"
                        data-testid="sign-in-oidc"
                        aria-busy=move || leaving.get().then_some("true")
                        on:click=leave
                    >
                        {move || if leaving.get() {
                            "Going to the provider…".to_owned()
                        } else {
                            format!("Sign in to {}", chosen.get())
                        }}
                    </button>
                </Show>
                <Show when=has_device_code>
                    <DeviceCode environment=Signal::derive(environment) label="Sign in with a code"/>
                </Show>
                <Show when=has_either>
                    <p class="door__or">"or paste a token"</p>
                </Show>
                <div class="field field--stack">
                    <label class="field__label" for="token">"Access token"</label>
                    <textarea
                        class="input input--code"
                        id="token"
                        rows="3"
                        spellcheck="false"
                        autocomplete="off"
                        data-testid="sign-in-token"
                        aria-describedby="token-help token-error"
                        aria-invalid=move || error.with(Option::is_some).then_some("true")
                        node_ref=token
                        on:input=typed
                    ></textarea>
                    <p class="field__help" role="status" data-testid="token-says">{move || says.get()}</p>
                    <p class="field__error" id="token-error" role="alert">{move || error.get()}</p>
                    <p class="field__help" id="token-help">
                        "In the ReSim web app: the page /debug, field auth.bearer. It is kept in this \
                         page's memory only; a reload forgets it."
                    </p>
                </div>
                <button type="submit" class="button" data-testid="sign-in-token-submit">
                    "Use this token"
                </button>
            </form>
        </div>
    }
}

#[component]
fn Choice(environment: Environment, chosen: RwSignal<String>) -> impl IntoView {
    let name = environment.name.clone();
    let host = host_of(&environment.api);
    let value = name.clone();
    let is_chosen = {
        let name = name.clone();
        move || chosen.get() == name
    };
    view! {
        <label class="env tick">
            <input
                type="radio"
                name="environment"
                value=value.clone()
                prop:checked=is_chosen
                on:change=move |_| chosen.set(value.clone())
            />
            <span class="env__name">{name}</span>
            <span class="env__host">{host}</span>
        </label>
    }
}

/// Where an API lives, in a word.
fn host_of(api: &str) -> String {
    if let Some((_, rest)) = api.split_once("://") {
        rest.split('/').next().unwrap_or(rest).to_owned()
    } else {
        let here = crate::browser::window()
            .location()
            .host()
            .unwrap_or_default();
        format!("through this site, {here}")
    }
}
