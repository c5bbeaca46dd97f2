//! A dialog that takes the focus and gives it back: the browser's own.

use leptos::{html, prelude::*};

use crate::{browser::dom, reactive::effect};

/// Whether a dialog is open that asks about `asked`: as long as there is something
/// to ask. Closed by Escape or a button, it takes the question back.
pub fn open_while<T: Send + Sync + 'static>(asked: RwSignal<Option<T>>) -> RwSignal<bool> {
    let open = RwSignal::new(false);
    // Each is set only where it differs, or the two would go in circles.
    effect(move |_| {
        let is_asked = asked.with(Option::is_some);
        if open.get_untracked() != is_asked {
            open.set(is_asked);
        }
    });
    effect(move |_| {
        if !open.get() && asked.with_untracked(Option::is_some) {
            asked.set(None);
        }
    });
    open
}

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
    effect(move |_| {
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
