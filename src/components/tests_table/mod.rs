//! The table of tests. Only the rows on screen exist, and the one that keys act on;
//! the order is frozen between polls, so that nothing jumps under a hand.

mod columns;
pub mod head;
mod keys;
mod reading_order;
pub mod row;

use std::time::Duration;

use leptos::{ev, html, prelude::*};
use retake_core::view::window::{self, Slots};
use wasm_bindgen::{JsCast, closure::Closure};

use columns::{COLUMNS, ShownFrom};
use head::Head;
pub use keys::Wish;
use keys::focus_row;
use row::{Row, stands_at};

use crate::{
    browser::timer::Timer,
    driver::tests_store::TestsStore,
    reactive::{effect, memo},
};

/// The table rests once nothing has scrolled for so long.
const REST: Duration = Duration::from_millis(200);

/// Rows that are made at once when the first tests come; the others in a task of their own,
/// so that the browser answers a hand in between.
const FIRST_ROWS: usize = 16;

/// The table.
#[component]
pub fn TestsTable(
    /// The tests.
    store: TestsStore,
    /// Keys that are not about rows.
    #[prop(into)]
    wish: Callback<Wish>,
) -> impl IntoView {
    let table = Table::new(store);
    let scroller = table.scroller;
    table.measure();
    table.make_the_others_later();
    table.keep_reading_order();
    table.stay_within_list();
    table.begin_at_the_top();
    let listener = window_event_listener(ev::keydown, move |event| table.page_key(&event, wish));
    on_cleanup(move || listener.remove());
    let count = memo(move |_| store.listing.with(retake_core::view::Listing::len));
    let empty = memo(move |_| (count.get() == 0).then(|| store.complete.get()));
    view! {
        <div class="tests">
            <div class="tests__scroller" role="region" aria-label="Tests, scrollable" node_ref=scroller
                on:scroll=move |_| table.scrolled()
                on:keydown=move |event| table.row_key(&event)
            >
                <div class="tests__probe" aria-hidden="true" node_ref=table.probe></div>
                <table
                    class="tests__table"
                    role="table"
                    aria-label="Tests"
                    aria-rowcount=move || (count.get() + 1).to_string()
                    style=("--cols-wide", tracks(ShownFrom::Wide))
                    style=("--cols-medium", tracks(ShownFrom::Medium))
                >
                    <Head store/>
                    <tbody
                        role="rowgroup"
                        on:focusin=move |_| {
                            table.is_used.set(true);
                            table.has_focus.set(true);
                        }
                        on:focusout=move |_| table.has_focus.set(false)
                        node_ref=table.body
                        style=("--rows", move || count.get().max(1).to_string())
                    >
                        // Elements, not tests: scrolling, another filter or order
                        // fill those that are there anew instead of making new ones.
                        <For each=move || table.elements.get() key=|slot| *slot let(slot)>
                            <Row
                                store
                                place=memo(move |_| table.slots.with(|slots| slots.row(slot)))
                                current=table.current
                            />
                        </For>
                        {move || {
                            let nothing_read = empty.get() == Some(false);
                            (nothing_read && store.loading.with(|it| it.failed.is_none())).then(bones)
                        }}
                    </tbody>
                </table>
                {move || (empty.get() == Some(true)).then(|| view! { <Nothing store/> })}
            </div>
        </div>
    }
}

/// The tracks of the grid for one width.
fn tracks(width: ShownFrom) -> String {
    let columns = COLUMNS
        .iter()
        .filter(|column| width == ShownFrom::Wide || column.from != ShownFrom::Wide)
        .map(|column| column.width);
    ["2.5rem"]
        .into_iter()
        .chain(columns)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Rows of nothing, as tall as those that will come.
fn bones() -> impl IntoView {
    (0..8)
        .map(|n| {
            view! {
                <tr class="row" role="row" aria-hidden="true" style=("inset-block-start", stands_at(n))>
                    <td role="cell"></td>
                    {COLUMNS
                        .iter()
                        .map(|column| {
                            let place = column.from.place();
                            view! {
                                <td
                                    role="cell"
                                    style=("--two-lines", place.map(|it| it.two_lines))
                                    style=("--three-lines", place.map(|it| it.three_lines))
                                    data-col=column.name
                                    data-from=column.from.slug()
                                >
                                    <span class="bone"></span>
                                </td>
                            }
                        })
                        .collect_view()}
                </tr>
            }
        })
        .collect_view()
}

/// Says why the table is empty, and the way out.
#[component]
fn Nothing(store: TestsStore) -> impl IntoView {
    let filtered = move || store.query.with(|it| !it.filter.is_empty());
    view! {
        <div class="empty">
            <Show
                when=filtered
                fallback=|| view! {
                    <h2>"This batch has no tests"</h2>
                    <p>"ReSim lists none. If the batch was just launched, they may still come."</p>
                }
            >
                <h2>{move || if store.awaits_tags() { "Reading the ticked tags…" } else { "No test matches" }}</h2>
                <p>"The chips, the text and the tags together leave nothing."</p>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| store.query.update(|query| query.filter = Default::default())
                >
                    "Clear filters"
                </button>
            </Show>
        </div>
    }
}

/// The state of the table: scroll position, measures, the row that keys act on.
#[derive(Clone, Copy)]
struct Table {
    store: TestsStore,
    scroller: NodeRef<html::Div>,
    probe: NodeRef<html::Div>,
    top: RwSignal<f64>,
    height: RwSignal<f64>,
    row_height: RwSignal<f64>,
    body: NodeRef<html::Tbody>,
    /// Which row each element stands for.
    slots: Memo<Slots>,
    /// The elements that there are.
    elements: Memo<Vec<usize>>,
    /// How many elements there may be: [`FIRST_ROWS`] until these are made, then all.
    most: RwSignal<usize>,
    current: RwSignal<usize>,
    /// Whether the current row, or something in it, has the focus.
    has_focus: RwSignal<bool>,
    /// Whether a row was gone to, by keys or by a click.
    is_used: RwSignal<bool>,
}

impl Table {
    fn new(store: TestsStore) -> Self {
        let (top, height, row_height) = (
            RwSignal::new(0.0),
            RwSignal::new(800.0),
            RwSignal::new(34.0),
        );
        let (current, has_focus) = (RwSignal::new(0), RwSignal::new(false));
        let shown = memo(move |_| {
            let total = store.listing.with(retake_core::view::Listing::len);
            window::visible_rows(top.get(), height.get(), row_height.get(), total)
        });
        let slots = memo(move |before: Option<&Slots>| {
            let last = store
                .listing
                .with(retake_core::view::Listing::len)
                .checked_sub(1);
            // Always there: by Tab, one comes back to where one was.
            let kept = last.map(|last| current.get().min(last));
            before
                .cloned()
                .unwrap_or_default()
                .showing(shown.get(), kept)
        });
        let most = RwSignal::new(FIRST_ROWS);
        Self {
            store,
            scroller: NodeRef::new(),
            probe: NodeRef::new(),
            top,
            height,
            row_height,
            body: NodeRef::new(),
            slots,
            elements: memo(move |_| {
                let mut elements = slots.with(Slots::elements);
                elements.truncate(most.get());
                elements
            }),
            most,
            current,
            has_focus,
            is_used: RwSignal::new(false),
        }
    }

    /// Measures the table whenever its size changes.
    fn measure(self) {
        effect(move |_| {
            let (Some(scroller), Some(probe)) = (self.scroller.get(), self.probe.get()) else {
                return;
            };
            let read = {
                let scroller = scroller.clone();
                move || {
                    let (height, row) = (scroller.client_height(), probe.offset_height());
                    // The window is a memo: an equal measure draws nothing.
                    self.height.set(f64::from(height));
                    if row > 0 {
                        self.row_height.set(f64::from(row));
                    }
                }
            };
            // The observer asks first in the page's first frame; until then the heights are
            // guessed. Asked for now, the browser would have to lay the whole page out in the
            // task that makes it.
            let on_resize = Closure::<dyn Fn()>::new(read);
            if let Ok(observer) = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()) {
                observer.observe(&scroller);
                let kept = StoredValue::new_local((observer, on_resize));
                on_cleanup(move || {
                    kept.try_update_value(|(observer, _)| observer.disconnect());
                });
            }
        });
    }

    /// After the first rows the others, see [`FIRST_ROWS`].
    fn make_the_others_later(self) {
        let first_are_made = memo(move |_| self.elements.with(|it| it.len() == FIRST_ROWS));
        let timer = StoredValue::new_local(None);
        effect(move |_| {
            if first_are_made.get() && self.most.get_untracked() == FIRST_ROWS {
                let others = Timer::after(Duration::ZERO, move || {
                    self.most.try_set(usize::MAX);
                });
                timer.set_value(Some(others));
            }
        });
    }

    /// Once the table rests, its elements stand in the order of their rows, as a
    /// screen reader goes through them. The one with the focus is not touched,
    /// since an element that is moved loses it.
    fn keep_reading_order(self) {
        let rest = StoredValue::new_local(None);
        effect(move |before: Option<f64>| {
            self.slots.track();
            let top = self.top.get_untracked();
            let is_scrolling = before.is_some_and(|it| (it - top).abs() > 0.5);
            let pause = if is_scrolling { REST } else { Duration::ZERO };
            self.order_after(pause, rest);
            top
        });
    }

    fn order_after(self, pause: Duration, rest: StoredValue<Option<Timer>, LocalStorage>) {
        let timer = Timer::after(pause, move || {
            let Some(body) = self.body.try_get_untracked().flatten() else {
                return;
            };
            // A row that is moved between press and release would lose the click.
            if body.matches(":active").unwrap_or(false) {
                return self.order_after(REST, rest);
            }
            reading_order::restore(&body);
        });
        rest.try_set_value(Some(timer));
    }

    /// Another filter or sort makes another list, which is read from its beginning.
    fn begin_at_the_top(self) {
        let list = memo(move |_| {
            self.store
                .query
                .with(|query| (query.filter.clone(), query.sort))
        });
        effect(move |before: Option<()>| {
            list.with(|_| ());
            if before.is_none() {
                return;
            }
            // Only if it is not there: for this, the browser lays the page out at once.
            let scrolled = self.top.get_untracked() > 0.0;
            if let Some(scroller) = self.scroller.get_untracked().filter(|_| scrolled) {
                scroller.set_scroll_top(0);
            }
            self.top.set(0.0);
            self.current.set(0);
            self.is_used.set(self.has_focus.get_untracked());
        });
    }

    /// A list that became shorter takes the current row, and the focus on it, along.
    fn stay_within_list(self) {
        let total = memo(move |_| self.store.listing.with(retake_core::view::Listing::len));
        effect(move |_| {
            let Some(last) = total.get().checked_sub(1) else {
                return;
            };
            if self.current.get_untracked() <= last {
                return;
            }
            self.current.set(last);
            if self.has_focus.get_untracked() {
                focus_row(last);
            }
        });
    }

    fn scrolled(self) {
        if let Some(scroller) = self.scroller.get_untracked() {
            self.top.set(f64::from(scroller.scroll_top()));
        }
    }
}
