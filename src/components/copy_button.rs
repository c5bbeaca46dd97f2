//! A button that copies a text and says so.

use leptos::{prelude::*, task::spawn_local};

use crate::{browser::clipboard, shell::Announcer};

/// Copies `text` when pressed.
#[component]
pub fn CopyButton(
    /// What the button says.
    label: &'static str,
    /// What it copies.
    #[prop(into)]
    text: Signal<String>,
    /// Said when there is nothing to copy; the clipboard is left alone then.
    #[prop(default = "There is nothing to copy yet.")]
    why_empty: &'static str,
) -> impl IntoView {
    let announcer = expect_context::<Announcer>();
    let copy = move |_| {
        let text = text.get_untracked();
        if text.is_empty() {
            return announcer.trouble(why_empty);
        }
        spawn_local(async move {
            match clipboard::copy(&text).await {
                Ok(()) => announcer.say("Copied."),
                Err(why) => announcer.trouble(format!("Could not copy: {why}")),
            }
        });
    };
    view! {
        <button type="button" class="button button--quiet button--small" on:click=copy>
            {label}
        </button>
    }
}
