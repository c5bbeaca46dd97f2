//! Lets a page through when somebody is signed in; shows the way otherwise.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use retake_core::{auth::Identity, view::query::escape};

use crate::{
    browser::dom,
    reactive::{effect, memo},
    session::{Session, SessionState},
};

/// What a page needs to know of the session; a renewed token is no change.
#[derive(Debug, Clone, PartialEq)]
enum Gate {
    Starting,
    Broken(Vec<String>),
    Closed,
    Open(Identity),
}

/// The page behind the sign-in.
#[component]
pub fn Guard(children: ChildrenFn) -> impl IntoView {
    let session = expect_context::<Session>();
    let gate = memo(move |_| match session.state() {
        SessionState::Starting => Gate::Starting,
        SessionState::Broken(problems) => Gate::Broken(problems),
        SessionState::SignedOut(_) => Gate::Closed,
        SessionState::SignedIn(account) => Gate::Open(account.identity),
    });
    move || match gate.get() {
        Gate::Starting => view! { <SigningIn/> }.into_any(),
        Gate::Broken(problems) => view! { <Broken problems/> }.into_any(),
        Gate::Closed => view! { <ToSignIn/> }.into_any(),
        Gate::Open(_) => children().into_any(),
    }
}

/// The first picture, before anything is known.
#[component]
pub fn Starting(
    /// What is being done.
    text: &'static str,
) -> impl IntoView {
    view! {
        <div class="boot" role="status">
            <img src=dom::file("favicon.svg") alt="" width="32" height="32"/>
            <p>{text}</p>
        </div>
    }
}

/// A sign-in in silence, with a way out of one that takes long.
#[component]
fn SigningIn() -> impl IntoView {
    let door = dom::at(&sign_in_address(&dom::route()));
    view! {
        <div class="boot" role="status">
            <img src=dom::file("favicon.svg") alt="" width="32" height="32"/>
            <p>"Signing in…"</p>
            // Loaded anew: what waits on this page is given up with it.
            <small class="boot__late boot__late--soon">
                <a href=door rel="external">"Sign in another way"</a>
            </small>
        </div>
    }
}

/// The way to what may be of another environment: a link does not say of which it is.
#[component]
pub fn OtherEnvironment() -> impl IntoView {
    let session = expect_context::<Session>();
    let here = session.account_now().map(|it| it.environment.name.clone());
    let has_others = session.environments().len() > 1;
    here.filter(|_| has_others).map(|here| {
        let door = dom::at(&sign_in_address(&dom::route()));
        let words = format!("Look in another environment than {here}");
        view! { <a href=door target="_blank" rel="noreferrer" data-testid="other-environment">{words}</a> }
    })
}

/// Goes to the sign-in page and remembers where from: path, filters and all.
#[component]
fn ToSignIn() -> impl IntoView {
    let navigate = use_navigate();
    effect(move |_| {
        let route = dom::route();
        navigate(
            &sign_in_address(&route),
            NavigateOptions {
                replace: true,
                ..Default::default()
            },
        );
    });
    view! { <Starting text="Signing in…"/> }
}

/// The sign-in page's address that leads back to `route`.
pub fn sign_in_address(route: &str) -> String {
    if route == "/" {
        return "/sign-in".to_owned();
    }
    format!("/sign-in?to={}", escape(route))
}

/// `config.json` cannot be used.
#[component]
fn Broken(problems: Vec<String>) -> impl IntoView {
    view! {
        <div class="page page--text">
            <div class="page__head"><h1>"Retake cannot start"</h1></div>
            <div class="notice" data-tone="error" role="alert" data-testid="config-error">
                <div>
                    <p><b>"config.json is not usable."</b></p>
                    {problems
                        .into_iter()
                        .map(|problem| view! { <p class="notice__said">{problem}</p> })
                        .collect_view()}
                </div>
            </div>
            <p>
                "The person who hosts this page can mend it: every field is described in "
                <code>"docs/configuration.md"</code> "."
            </p>
            <p>
                <button
                    type="button"
                    class="button button--primary"
                    on:click=move |_| {
                        // A reload that the browser refuses leaves the page as it is.
                        let _ = crate::browser::window().location().reload();
                    }
                >
                    "Read it again"
                </button>
            </p>
        </div>
    }
}
