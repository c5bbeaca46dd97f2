//! What is shown of the tests: chips, text, tags, and the line beside them.

use std::sync::Arc;

use leptos::prelude::*;
use retake_core::{
    domain::{Batch, ConflatedStatus},
    view::{Chip, words},
};

use super::{
    each::each,
    tag_filter::{TagFilter, TagTrouble, TickedTags},
};
use crate::{driver::tests_store::TestsStore, reactive::memo, shell::Announcer};

/// Chips, text filter, tags, quick selections, row count.
#[component]
pub fn Filters(
    /// The tests.
    store: TestsStore,
    /// The batch, for counts before every test is listed.
    #[prop(into)]
    batch: Signal<Option<Arc<Batch>>>,
) -> impl IntoView {
    let announcer = expect_context::<Announcer>();
    // Which tests failed, or did not finish, is not known until they are read.
    let may_select = move || {
        let finished = batch.with_untracked(|it| it.as_ref().is_some_and(|it| it.is_terminal()));
        let waits = finished && untrack(|| store.is_read_anew());
        if waits {
            announcer
                .say("The batch has finished since its tests were read. Select them in a moment.");
        }
        !waits
    };
    let chips = memo(move |_| store.chips(batch.get()));
    let text = memo(move |_| store.query.with(|it| it.filter.text.clone()));
    let count = memo(move |_| {
        store.version.track();
        store
            .listing
            .with(retake_core::view::Listing::matching_count)
    });
    let all = memo(move |_| {
        let listed = store.loading.with(|it| it.listed);
        let total = batch.with(|it| it.as_ref().and_then(|it| it.total_tests));
        (listed, total)
    });
    let counted = move || {
        let loading = store.loading.get();
        let (listed, total) = all.get();
        let n = words::number(count.get() as u64);
        if loading.complete && store.awaits_tags() {
            "Reading the ticked tags…".to_owned()
        } else if loading.complete {
            format!("{n} of {}", words::tests(listed))
        } else if listed == 0 {
            "Reading the tests…".to_owned()
        } else {
            let total = total.map_or("all".to_owned(), words::number);
            format!(
                "{n} of the {} read so far, of {total}",
                words::number(listed as u64)
            )
        }
    };
    let moved = memo(move |_| store.listing.with(retake_core::view::Listing::moved));
    let left = memo(move |_| {
        store.version.track();
        store
            .listing
            .with(|listing| listing.len().saturating_sub(listing.matching_count()))
    });
    view! {
        <div class="filters">
            <div class="chips" role="group" aria-label="Show only these statuses">
                {each(
                    move || chips.get(),
                    |chip| chip.status.word().to_owned(),
                    move |chip| view! { <StatusChip store chips status=chip.status/> }.into_any(),
                )}
            </div>
            <div class="filters__line">
                <input
                    class="input input--search filters__text"
                    type="search"
                    placeholder="Filter tests  ( / )"
                    aria-label="Filter tests by name, error or ID"
                    data-testid="text-filter"
                    spellcheck="false"
                    autocomplete="off"
                    prop:value=text
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        store.query.update(|query| query.filter.text = typed);
                    }
                />
                <TagFilter store/>
                <span class="filters__select">
                    "Select "
                    <button
                        type="button"
                        class="button button--link"
                        data-testid="select-failed"
                        on:click=move |_| {
                            if !may_select() {
                                return;
                            }
                            if store.has(ConflatedStatus::is_failing) {
                                store.select_only(ConflatedStatus::is_failing);
                            } else {
                                announcer.say("No test has failed; your selection is as it was.");
                            }
                        }
                    >
                        "all failed"
                    </button>
                    " · "
                    <button
                        type="button"
                        class="button button--link"
                        data-testid="select-unfinished"
                        on:click=move |_| {
                            if !may_select() {
                                return;
                            }
                            if store.has(|status| !status.is_terminal()) {
                                store.select_only(|status| !status.is_terminal());
                            } else {
                                announcer.say("Every test has finished; your selection is as it was.");
                            }
                        }
                    >
                        "all unfinished"
                    </button>
                </span>
                <TickedTags store/>
                <span class="push"></span>
                {move || (moved.get() > 0).then(|| {
                    let n = moved.get();
                    let noun = if n == 1 { "row" } else { "rows" };
                    view! {
                        <span
                            class="pill"
                            title="Rows keep their place until you update the list, so that nothing moves under \
                                   your hand. Rows in italics no longer match the filter."
                        >
                            {format!("{} {noun} changed", words::number(n as u64))}
                            {move || (left.get() > 0).then(|| view! {
                                <span class="muted">
                                    {format!("{} in ", words::number(left.get() as u64))}
                                    <i>"italics"</i>
                                    " no longer match"
                                </span>
                            })}
                            <button
                                type="button"
                                class="button button--quiet button--small"
                                data-testid="update-list"
                                on:click=move |_| store.order_anew()
                            >
                                "Update list"
                            </button>
                        </span>
                    }
                })}
                <span class="muted" role="status">
                    <span data-testid="row-count" data-count=move || count.get().to_string()>
                        {counted}
                    </span>
                </span>
            </div>
            <TagTrouble store/>
        </div>
    }
}

#[component]
fn StatusChip(store: TestsStore, chips: Memo<Vec<Chip>>, status: ConflatedStatus) -> impl IntoView {
    let label = words::clean(words::status_label(&status)).into_owned();
    let word = status.word().to_owned();
    let hook = format!("status-chip-{word}");
    let count = {
        let status = status.clone();
        memo(move |_| {
            chips.with(|all| {
                all.iter()
                    .find(|it| it.status == status)
                    .map_or(0, |it| it.count)
            })
        })
    };
    let pressed = {
        let status = status.clone();
        memo(move |_| store.query.with(|it| it.filter.statuses.contains(&status)))
    };
    view! {
        <button
            type="button"
            class="chip"
            data-status=word
            data-tone=status.tone()
            data-testid=hook
            data-count=move || count.get().to_string()
            data-zero=move || (count.get() == 0).then_some("")
            aria-pressed=move || pressed.get().to_string()
            on:click=move |_| store.query.update(|query| query.filter.toggle(&status))
        >
            <span>{label}</span>
            " "
            <b>{move || words::number(count.get())}</b>
        </button>
    }
}
