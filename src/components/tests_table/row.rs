//! One row of the tests table: whatever test stands at its place.
//!
//! Its place changes when the table scrolls: rows that left the screen are
//! filled anew, since making their elements would cost several frames.

use std::time::Duration;

use leptos::prelude::*;
use retake_core::{
    domain::{ConflatedStatus, Test},
    view::{RowId, words},
};

use super::columns::{COLUMNS, Cell};
use crate::{
    browser::{dom, timer::Timer},
    driver::tests_store::TestsStore,
    reactive::{effect, memo},
    shell::Ticker,
};

/// How long a row that changed is marked; as long as its animation.
const MARKED: Duration = Duration::from_millis(2400);

/// One row.
#[component]
pub fn Row(
    /// The tests.
    store: TestsStore,
    /// Its place in the list; `None`: its elements are about to go.
    #[prop(into)]
    place: Signal<Option<usize>>,
    /// The place that keys act on.
    current: RwSignal<usize>,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let row = memo(move |before: Option<&Option<RowId>>| {
        let now = store
            .listing
            .with(|listing| listing.order().get(place.get()?).copied());
        // One that is about to go keeps what it showed.
        now.or_else(|| before.copied().flatten())
    });
    let test = memo(move |_| row.get().map_or_else(Test::default, |row| store.test(row)));
    let status = memo(move |_| test.with(Test::shown_status));
    let word = memo(move |_| status.with(|it| it.word().to_owned()));
    let tone = move || status.with(ConflatedStatus::tone);
    let name = memo(move |_| test.with(|test| words::name(&test.name)));
    let ticked = memo(move |_| {
        row.get()
            .is_some_and(|row| store.selection.with(|selection| selection.has(row)))
    });
    let left = memo(move |_| {
        store.version.track();
        row.get()
            .is_some_and(|row| store.listing.with(|listing| !listing.matches(row)))
    });
    let id = memo(move |_| test.with(|test| test.id));
    let is_open = memo(move |_| {
        let id = id.get();
        id.is_some() && store.query.with(|it| it.open) == id
    });
    let is_current = memo(move |_| place.get() == Some(current.get()));
    let take_over = move || {
        if let Some(place) = place.get_untracked() {
            current.set(place);
        }
    };
    let href = move || {
        store.query.with(|query| {
            let mut query = query.clone();
            query.open = id.get();
            query.to_query()
        })
    };
    let tab = move || if is_current.get() { "0" } else { "-1" };
    let changed = mark_changes(row, word);
    // Where the hand went down on the box, and on which test.
    let pressed = StoredValue::new(None::<(Option<usize>, RowId)>);
    // To the minute: the whole table need not be drawn each second.
    let now = memo(move |_| {
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
        if dom::is_plain_click(&event) {
            event.prevent_default();
            event.stop_propagation();
            take_over();
            store.query.update(|query| query.open = id.get_untracked());
        }
    };
    view! {
        <tr
            class="row"
            role="row"
            data-testid="job-row"
            data-job-id=move || id.get().map(|id| id.to_string())
            data-status=word
            data-tone=tone
            data-left=move || left.get().then_some("")
            data-changed=move || changed.get().then_some("")
            aria-rowindex=move || place.get().map(|place| (place + 2).to_string())
            aria-selected=move || ticked.get().to_string()
            aria-current=move || is_open.get().then_some("true")
            tabindex=tab
            style=("inset-block-start", move || stands_at(place.get().unwrap_or_default()))
            on:focusin=move |_| take_over()
        >
            <td role="cell">
                <label
                    class="tick"
                    on:pointerdown=move |_| {
                        let here = place.get_untracked();
                        pressed.set_value(row.get_untracked().map(|row| (here, row)));
                    }
                >
                    <input
                        type="checkbox"
                        data-testid="job-select"
                        tabindex=tab
                        aria-label=move || format!("Select {}", name.get())
                        disabled=move || id.get().is_none()
                        title=move || id.get().is_none().then_some("ReSim sent no ID for this test, so it cannot be rerun")
                        prop:checked=ticked
                        on:click=move |event| {
                            // If the list was put in order since the hand went down, it is
                            // that test. A key's click has no presses.
                            let held = pressed
                                .try_update_value(Option::take)
                                .flatten()
                                .filter(|held| event.detail() > 0 && held.0 == place.get_untracked());
                            let meant = held.map(|held| held.1);
                            if let Some(row) = meant.or_else(|| row.get_untracked()) {
                                store.toggle(row, event.shift_key());
                            }
                            let input = event_target::<web_sys::HtmlInputElement>(&event);
                            input.set_checked(ticked.get_untracked());
                        }
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
                        cell(Cell { test, now, store })
                    };
                    let lines = column.from.place();
                    view! {
                        <td
                            role="cell"
                            style=("--two-lines", lines.map(|it| it.two_lines))
                            style=("--three-lines", lines.map(|it| it.three_lines))
                            style=("--side", lines.map(|it| it.side))
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

/// Where the row of this place stands in the body. As a property of the row itself: with a
/// custom property, the browser computes the style of every cell anew.
pub(super) fn stands_at(place: usize) -> String {
    format!("calc({place} * var(--row-h))")
}

/// Set for a moment after the status changed; not when another test takes the place.
fn mark_changes(row: Memo<Option<RowId>>, word: Memo<String>) -> ReadSignal<bool> {
    let (changed, set_changed) = signal(false);
    let end = StoredValue::new_local(None);
    effect(move |before: Option<(Option<RowId>, String)>| {
        let now = (row.get(), word.get());
        match before {
            Some(before) if before.0 != now.0 => {
                end.set_value(None);
                set_changed.set(false);
            }
            Some(before) if before.1 != now.1 => {
                set_changed.set(true);
                let timer = Timer::after(MARKED, move || {
                    // The row may have been scrolled away.
                    set_changed.try_set(false);
                });
                end.set_value(Some(timer));
            }
            _ => {}
        }
        now
    });
    changed
}
