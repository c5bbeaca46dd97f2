//! A status as glyph, word and colour, and many of them as a bar.

use leptos::prelude::*;
use retake_core::{
    domain::{ConflatedBatchStatus, ConflatedStatus, Tone},
    view::{batches, words},
};

/// A test's status.
#[component]
pub fn TestStatusBadge(
    /// The status.
    #[prop(into)]
    status: Signal<ConflatedStatus>,
) -> impl IntoView {
    let label =
        move || status.with(|status| words::clean(words::status_label(status)).into_owned());
    view! {
        <span
            class="status"
            data-status=move || status.with(|status| status.word().to_owned())
            data-tone=move || status.with(ConflatedStatus::tone)
        >
            {label}
        </span>
    }
}

/// A batch's one word.
#[component]
pub fn BatchStatusBadge(
    /// The word; none while the API sends none.
    status: Option<ConflatedBatchStatus>,
    /// Set off by a background.
    #[prop(optional)]
    badge: bool,
) -> impl IntoView {
    let word = status
        .as_ref()
        .map_or("UNKNOWN", ConflatedBatchStatus::word)
        .to_owned();
    let tone = status
        .as_ref()
        .map_or(Tone::Unknown.slug(), ConflatedBatchStatus::tone);
    let label = status.as_ref().map_or_else(
        || "No status".to_owned(),
        |it| words::clean(words::batch_label(it)).into_owned(),
    );
    view! {
        <span class="status" class:status--badge=badge data-status=word data-tone=tone>{label}</span>
    }
}

/// Tests by status, as a bar.
#[component]
pub fn Counts(
    /// How many of each status.
    segments: Vec<(ConflatedStatus, u64)>,
) -> impl IntoView {
    let aloud = batches::segments_in_words(&segments);
    view! {
        <span class="counts" role="img" aria-label=aloud>
            {segments
                .into_iter()
                .map(|(status, n)| view! {
                    <i
                        data-status=status.word().to_owned()
                        data-tone=status.tone()
                        style=("--n", n.to_string())
                    ></i>
                })
                .collect_view()}
        </span>
    }
}
