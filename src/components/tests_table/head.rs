//! The head of the tests table: the box that ticks all, and the columns to sort by.

use leptos::prelude::*;
use retake_core::view::{Sort, selection::AllTicked};

use super::columns::COLUMNS;
use crate::{driver::tests_store::TestsStore, reactive::memo};

/// The head.
#[component]
pub fn Head(
    /// The tests.
    store: TestsStore,
) -> impl IntoView {
    let sort = memo(move |_| store.query.with(|it| it.sort));
    let ticked = memo(move |_| {
        store.version.track();
        store.selection.with(|selection| {
            store
                .listing
                .with(|listing| store.with_table(|table| selection.all_ticked(table, listing)))
        })
    });
    let matching = memo(move |_| {
        store
            .listing
            .with(retake_core::view::Listing::matching_count)
    });
    view! {
        <thead role="rowgroup">
            <tr role="row" aria-rowindex="1">
                <th role="columnheader" scope="col">
                    <label class="tick">
                        <input
                            type="checkbox"
                            data-testid="select-all"
                            aria-label=move || select_all_label(matching.get(), store.complete.get())
                            prop:checked=move || ticked.get() == AllTicked::All
                            prop:indeterminate=move || ticked.get() == AllTicked::Some
                            disabled=move || matching.get() == 0
                            on:change=move |event| {
                                store.toggle_all_matching();
                                // The browser has turned the box by itself; it shows what is so.
                                let is = ticked.get_untracked();
                                let input = event_target::<web_sys::HtmlInputElement>(&event);
                                input.set_checked(is == AllTicked::All);
                                input.set_indeterminate(is == AllTicked::Some);
                            }
                        />
                    </label>
                </th>
                {COLUMNS
                    .iter()
                    .map(|column| {
                        let title = column.title;
                        let head = match column.sort {
                            Some(key) => view! {
                                <button
                                    type="button"
                                    class="sort"
                                    on:click=move |_| {
                                        store.query.update(|query| query.sort = query.sort.clicked(key));
                                    }
                                >
                                    {title}
                                </button>
                            }
                            .into_any(),
                            None => title.into_any(),
                        };
                        let key = column.sort;
                        view! {
                            <th
                                role="columnheader"
                                scope="col"
                                data-col=column.name
                                data-from=column.from.slug()
                                aria-sort=move || key.and_then(|key| aria_sort(sort.get(), key))
                            >
                                {head}
                            </th>
                        }
                    })
                    .collect_view()}
            </tr>
        </thead>
    }
}

fn select_all_label(matching: usize, complete: bool) -> String {
    let matching = retake_core::view::words::number(matching as u64);
    if complete {
        format!("Select all {matching} matching tests")
    } else {
        format!("Select the {matching} matching tests that are read so far")
    }
}

fn aria_sort(sort: Sort, key: retake_core::view::SortKey) -> Option<&'static str> {
    (sort.key == key).then_some(if sort.reversed == key.begins_with_most() {
        "ascending"
    } else {
        "descending"
    })
}
