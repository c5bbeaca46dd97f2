//! One row of the tests table. It follows its test in place.

use std::time::Duration;

use leptos::prelude::*;
use retake_core::view::{RowId, words};

use super::columns::COLUMNS;
use crate::{driver::tests_store::TestsStore, shell::Ticker};

/// How long a row that changed is marked; as long as its animation.
const MARKED: Duration = Duration::from_millis(2400);

/// One row.
#[component]
pub fn Row(
    /// The tests.
    store: TestsStore,
    /// Which row of the table.
    row: RowId,
    /// Its place in the list.
    index: usize,
    /// The place that keys act on.
    current: RwSignal<usize>,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let test = Memo::new(move |_| store.test(row));
    let word = Memo::new(move |_| test.with(|test| test.shown_status().word().to_owned()));
    let name = Memo::new(move |_| test.with(|test| words::name(&test.name)));
    let ticked = Memo::new(move |_| store.selection.with(|selection| selection.has(row)));
    let left = Memo::new(move |_| {
        store.version.track();
        store.listing.with(|listing| !listing.matches(row))
    });
    let id = test.with_untracked(|test| test.id);
    let is_open = Memo::new(move |_| id.is_some() && store.query.with(|it| it.open) == id);
    let is_current = Memo::new(move |_| current.get() == index);
    let href = move || {
        store.query.with(|query| {
            let mut query = query.clone();
            query.open = id;
            query.to_query()
        })
    };
    let tab = move || if is_current.get() { "0" } else { "-1" };
    let changed = mark_changes(word);
    // To the minute: the whole table need not be drawn each second.
    let now = Memo::new(move |_| {
        let now = ticker.now();
        let age = test.with(|test| test.updated.map(|at| now.since(at).as_secs()));
        let step = if age.is_some_and(|age| age < 60) {
            1000
        } else {
            30_000
        };
        retake_core::domain::Timestamp::from_millis(now.as_millis() / step * step)
    });
    let open = move |event: leptos::ev::MouseEvent| {
        // A click with a modifier is the browser's: a new tab, a new window.
        if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
            event.prevent_default();
            event.stop_propagation();
            current.set(index);
            store.query.update(|query| query.open = id);
        }
    };
    view! {
        <tr
            class="row"
            role="row"
            data-testid="job-row"
            data-job-id=id.map(|id| id.to_string())
            data-status=word
            data-left=move || left.get().then_some("")
            data-changed=move || changed.get().then_some("")
            aria-rowindex=(index + 2).to_string()
            aria-selected=move || ticked.get().to_string()
            aria-current=move || is_open.get().then_some("true")
            tabindex=tab
            style=("--i", index.to_string())
            on:focusin=move |_| current.set(index)
        >
            <td role="cell">
                <label class="tick">
                    <input
                        type="checkbox"
                        data-testid="job-select"
                        tabindex=tab
                        aria-label=move || format!("Select {}", name.get())
                        disabled=id.is_none()
                        title=id.is_none().then_some("ReSim sent no ID for this test, so it cannot be rerun")
                        prop:checked=ticked
                        on:click=move |event| store.toggle(row, event.shift_key())
                    />
                </label>
            </td>
            {COLUMNS
                .iter()
                .map(|column| {
                    let cell = column.cell;
                    let content = if column.name == "name" {
                        view! {
                            <a class="row__name" href=href title=name tabindex=tab on:click=open>{name}</a>
                        }
                        .into_any()
                    } else {
                        (move || test.with(|test| store.with_memory(|memory| cell(test, now.get(), memory)))).into_any()
                    };
                    view! {
                        <td
                            role="cell"
                            class=(column.name != "name").then(|| format!("row__{}", column.name))
                            data-col=column.name
                            data-from=column.from.slug()
                        >
                            {content}
                        </td>
                    }
                })
                .collect_view()}
        </tr>
    }
}

/// Set for a moment after the status changed.
fn mark_changes(word: Memo<String>) -> ReadSignal<bool> {
    let (changed, set_changed) = signal(false);
    Effect::new(move |before: Option<String>| {
        let now = word.get();
        if before.is_some_and(|before| before != now) {
            set_changed.set(true);
            set_timeout(
                move || {
                    // The row may have been scrolled away.
                    set_changed.try_set(false);
                },
                MARKED,
            );
        }
        now
    });
    changed
}
