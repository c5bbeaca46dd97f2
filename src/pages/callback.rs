//! Where the provider sends people back to.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::guard::{Guard, Starting, sign_in_address};
use crate::{
    reactive::{effect, memo},
    session::{Session, SessionState},
};

/// Takes in the provider's answer and goes on to where the person was.
#[component]
pub fn Callback() -> impl IntoView {
    let session = expect_context::<Session>();
    let query = use_location().search.get_untracked();
    let navigate = use_navigate();
    // The configuration has to be read before an answer can be judged.
    let configured = crate::app::configured();
    // Without it the answer stays where it is, good for a reload.
    let is_broken = memo(move |_| matches!(session.state(), SessionState::Broken(_)));
    effect(move |before: Option<bool>| {
        if before == Some(true) || !configured.get() || is_broken.get_untracked() {
            return before.unwrap_or(false);
        }
        let (navigate, query) = (navigate.clone(), query.clone());
        spawn_local(async move {
            let to = match session.come_back(&query).await {
                Ok(route) => route,
                Err((_, route)) => sign_in_address(&route),
            };
            navigate(
                &to,
                NavigateOptions {
                    replace: true,
                    ..Default::default()
                },
            );
        });
        true
    });
    move || {
        if is_broken.get() {
            view! { <Guard>""</Guard> }.into_any()
        } else {
            view! { <Starting text="Signing in…"/> }.into_any()
        }
    }
}
