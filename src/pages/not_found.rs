//! For addresses that lead nowhere.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser::dom;

/// For addresses that lead nowhere.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <div class="page">
            <div class="empty">
                <h1>"No such page"</h1>
                <p>"The address leads nowhere in Retake. Perhaps a part of it got lost on the way."</p>
                <div class="buttons"><A href=dom::at("/") attr:class="button button--primary">"Projects"</A></div>
            </div>
        </div>
    }
}
