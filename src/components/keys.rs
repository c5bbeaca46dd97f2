//! The list of keys.

use leptos::prelude::*;

use super::modal::Modal;
use crate::browser::{dom, storage};

/// The field that `/` leads to, on the pages that have one.
pub const FILTER: &str = "[data-testid=text-filter]";

/// Keys and what they do. `Together` are pressed at once, `Either` each by itself.
enum Press {
    Either(&'static [&'static str]),
    Together(&'static [&'static str]),
}

use Press::{Either, Together};

type Keys = &'static [(Press, &'static str)];

/// On a page with tests.
const OF_TESTS: Keys = &[
    (Either(&["j", "k"]), "Next, previous test"),
    (Either(&["x"]), "Tick the test"),
    (Together(&["⇧", "x"]), "Tick the range up to here"),
    (Either(&["a"]), "Tick all matching tests, or untick them"),
    (Either(&["o"]), "Open the test's history"),
    (Either(&["n", "p"]), "Next, previous failed test"),
    (
        Either(&["r"]),
        "Rerun the ticked tests, or the one that is read",
    ),
    (Either(&["m"]), "Recompute their metrics"),
    (Either(&["u"]), "Update the list"),
];
/// With the focus on a row, also when single keys do not act.
const OF_A_ROW: Keys = &[
    (Either(&["↓", "↑"]), "In the table: next, previous test"),
    (Either(&["PgDn", "PgUp"]), "A screen further, back"),
    (Either(&["Home", "End"]), "First, last test"),
    (Either(&["Space", "Enter"]), "Tick it, open it"),
    (Together(&["Ctrl", "a"]), "Tick all matching tests"),
];
const OF_A_FILTER: Keys = &[(Either(&["/"]), "Filter")];
const ALWAYS: Keys = &[(Either(&["?"]), "These keys"), (Either(&["Esc"]), "Close")];

/// What acts on the page as it is now.
fn keys_here() -> impl Iterator<Item = &'static (Press, &'static str)> {
    let of = |selector: &str, keys: Keys| if dom::has(selector) { keys } else { &[] };
    of(".tests", OF_TESTS)
        .iter()
        .chain(of(".tests", OF_A_ROW))
        .chain(of(FILTER, OF_A_FILTER))
        .chain(ALWAYS)
}

/// The keys as caps; a plus stands between those that are pressed at once.
fn caps(press: &'static Press) -> impl IntoView {
    let (keys, between) = match press {
        Either(keys) => (keys, None),
        Together(keys) => (keys, Some("+")),
    };
    keys.iter()
        .enumerate()
        .map(|(n, key)| {
            let between = between.filter(|_| n > 0);
            view! { {between} <kbd>{*key}</kbd> }
        })
        .collect_view()
}

/// The list of keys.
#[component]
pub fn KeysDialog(
    /// Whether it is shown.
    open: RwSignal<bool>,
) -> impl IntoView {
    let letters = RwSignal::new(storage::letters_act());
    view! {
        <Modal open labelled_by="keys-title">
            <div class="dialog__body">
                <h2 id="keys-title">"Keyboard"</h2>
                <dl class="keys">
                    {move || open.get().then(|| {
                        keys_here()
                            .map(|(press, what)| view! {
                                <div>
                                    <dt>{caps(press)}</dt>
                                    <dd>{*what}</dd>
                                </div>
                            })
                            .collect_view()
                    })}
                </dl>
                // Whoever speaks to a computer must be able to keep it from acting
                // on single letters (WCAG 2.1.4).
                <label class="tick">
                    <input
                        type="checkbox"
                        data-testid="letters-act"
                        prop:checked=letters
                        on:change=move |event| {
                            let on = event_target_checked(&event);
                            letters.set(on);
                            storage::set_letters_act(on);
                        }
                    />
                    "Single keys act"
                </label>
            </div>
            <div class="dialog__foot">
                <button type="button" class="button" autofocus on:click=move |_| open.set(false)>
                    "Close"
                </button>
            </div>
        </Modal>
    }
}
