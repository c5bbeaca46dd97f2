//! Where the provider sends people back to.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::guard::{Starting, sign_in_address};
use crate::{reactive::effect, session::Session};

/// Takes in the provider's answer and goes on to where the person was.
#[component]
pub fn Callback() -> impl IntoView {
    let session = expect_context::<Session>();
    let query = use_location().search.get_untracked();
    let navigate = use_navigate();
    // The configuration has to be read before an answer can be judged.
    let configured = crate::app::configured();
    effect(move |before: Option<bool>| {
        if before == Some(true) || !configured.get() {
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
    view! { <Starting text="Signing in…"/> }
}
