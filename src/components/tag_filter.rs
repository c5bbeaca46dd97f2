//! The filter by tag: a button with a menu of tick boxes, the ticked tags, and
//! what could not be read.
//!
//! What the menu says and lists is decided in the core (`view::tags`); what is
//! read when, in the driver.

use leptos::prelude::*;
use retake_core::{
    domain::{ExperienceTag, ExperienceTagId},
    view::{TagIndex, words},
};

use super::load::LoadFailed;
use crate::{driver::tests_store::TestsStore, reactive::memo};

fn toggle(store: TestsStore, tag: ExperienceTagId) {
    store.query.update(|query| query.filter.toggle_tag(tag));
}

/// The button, with its menu.
#[component]
pub fn TagFilter(
    /// The tests.
    store: TestsStore,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let menu = memo(move |_| typed.with(|typed| store.tags.with(|index| index.menu(typed))));
    let count = move || store.ticked.with(Vec::len);
    let want = move |()| store.tags.update(TagIndex::want_names);
    view! {
        <button
            type="button"
            class="button tags__button"
            popovertarget="tags"
            data-testid="tag-filter"
            data-count=move || count().to_string()
            on:click=move |_| want(())
        >
            <span>
                {move || match count() {
                    0 => "Tags".to_owned(),
                    n => format!("Tags ({n})"),
                }}
            </span>
            <span class="icon" data-icon="down" aria-hidden="true"></span>
        </button>
        <div id="tags" popover class="menu tags__menu" role="group" aria-label="Filter tests by tag">
            <p class="menu__head muted" role="status">
                {move || menu.with(|it| it.says.clone())}
            </p>
            {move || {
                store
                    .tags
                    .with(|index| index.names_failed().cloned())
                    .map(|error| view! {
                        <LoadFailed title="The tags could not be read." error next=None retry=want/>
                    })
            }}
            <input
                class="input input--search"
                type="search"
                placeholder="Find a tag"
                aria-label="Find a tag by name"
                data-testid="tag-search"
                spellcheck="false"
                autocomplete="off"
                hidden=move || menu.with(|it| !it.can_search)
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <div class="tags__list">
                {move || {
                    menu.with(|it| it.tags.iter().map(|tag| option(store, tag)).collect::<Vec<_>>())
                }}
            </div>
        </div>
    }
}

fn option(store: TestsStore, tag: &ExperienceTag) -> AnyView {
    let id = tag.id;
    view! {
        <label class="tick" data-testid="tag-option" data-tag-id=id.to_string()>
            <input
                type="checkbox"
                prop:checked=move || store.ticked.with(|it| it.contains(&id))
                on:change=move |_| toggle(store, id)
            />
            <span>{words::name(&tag.name)}</span>
        </label>
    }
    .into_any()
}

/// The ticked tags, each of which a click removes.
#[component]
pub fn TickedTags(
    /// The tests.
    store: TestsStore,
) -> impl IntoView {
    let pill = move |id: ExperienceTagId| {
        view! {
            <button
                type="button"
                class="chip"
                aria-pressed="true"
                aria-busy=move || store.tags.with(|it| it.is_awaited(id)).then_some("true")
                data-testid="tag-pill"
                data-tag-id=id.to_string()
                on:click=move |_| toggle(store, id)
            >
                <span class="clip">{move || store.tags.with(|it| it.name(id))}</span>
                <span class="icon" data-icon="close" aria-hidden="true"></span>
            </button>
        }
        .into_any()
    };
    view! {
        <div
            class="tags__pills"
            role="group"
            aria-label="Show only tests with any of these tags"
            hidden=move || store.ticked.with(Vec::is_empty)
        >
            {move || store.ticked.get().into_iter().map(pill).collect::<Vec<_>>()}
        </div>
    }
}

/// Says which ticked tags could not be read, with a button that tries again.
#[component]
pub fn TagTrouble(
    /// The tests.
    store: TestsStore,
) -> impl IntoView {
    move || {
        store
            .ticked
            .with(|ticked| store.tags.with(|index| index.failed(ticked)))
            .map(|(title, error)| {
                let retry = move |()| store.tags.update(TagIndex::retry);
                view! { <LoadFailed title error next=None retry/> }
            })
    }
}
