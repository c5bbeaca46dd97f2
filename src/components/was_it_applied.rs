//! The question of the strict setting: was the rerun applied?

use leptos::prelude::*;
use retake_core::rerun::PersonSays;

/// Two answers. Whoever looked the batch up at ReSim knows which is true.
#[component]
pub fn WasItApplied(
    /// Hears the answer.
    say: impl Fn(PersonSays) + Clone + 'static,
) -> impl IntoView {
    let no = say.clone();
    view! {
        <button
            type="button"
            class="button button--small"
            data-testid="rerun-was-applied"
            on:click=move |_| say(PersonSays::Applied)
        >
            "It was applied"
        </button>
        <button
            type="button"
            class="button button--small"
            data-testid="rerun-was-not-applied"
            on:click=move |_| no(PersonSays::NotApplied)
        >
            "It was not applied"
        </button>
    }
}
