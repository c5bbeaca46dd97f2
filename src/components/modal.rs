//! A dialog that takes the focus and gives it back: the browser's own.

use leptos::{html, prelude::*};

use crate::browser::dom;

/// Shows its children in a modal dialog while `open` is set. Escape and the
/// form's own buttons close it.
#[component]
pub fn Modal(
    /// Whether it is shown; set to `false` when it closes.
    open: RwSignal<bool>,
    /// The ID of its heading.
    labelled_by: &'static str,
    /// What is in it; made anew each time that it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() {
            if !dialog.open() {
                // Fails only for a dialog that is not in the page.
                let _ = dialog.show_modal();
                // Its content comes with the next frame.
                request_animation_frame(move || dom::focus_first(&dialog));
            }
        } else if dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog
            class="dialog"
            node_ref=dialog
            aria-labelledby=labelled_by
            on:close=move |_| open.set(false)
        >
            <Show when=move || open.get()>{children()}</Show>
        </dialog>
    }
}
