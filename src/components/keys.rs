//! The list of keys.

use leptos::prelude::*;

use super::modal::Modal;
use crate::browser::{dom, storage};

/// The field that `/` leads to, on the pages that have one.
pub const FILTER: &str = "[data-testid=text-filter]";

type Keys = &'static [(&'static [&'static str], &'static str)];

/// On a page with tests.
const OF_TESTS: Keys = &[
    (&["j", "k"], "Next, previous test"),
    (&["x"], "Tick the test"),
    (&["⇧", "x"], "Tick the range up to here"),
    (&["a"], "Tick all matching tests, or untick them"),
    (&["o"], "Open the test's history"),
    (&["n", "p"], "Next, previous failed test"),
    (&["r"], "Rerun the ticked tests"),
    (&["m"], "Recompute their metrics"),
    (&["u"], "Update the list"),
];
const OF_A_FILTER: Keys = &[(&["/"], "Filter")];
const ALWAYS: Keys = &[(&["?"], "These keys"), (&["Esc"], "Close")];

/// What acts on the page as it is now.
fn keys_here() -> impl Iterator<Item = &'static (&'static [&'static str], &'static str)> {
    let of = |selector: &str, keys: Keys| if dom::has(selector) { keys } else { &[] };
    of(".tests", OF_TESTS)
        .iter()
        .chain(of(FILTER, OF_A_FILTER))
        .chain(ALWAYS)
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
                            .map(|(keys, what)| view! {
                                <div>
                                    <dt>{keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}</dt>
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
