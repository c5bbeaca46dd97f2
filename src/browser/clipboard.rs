//! The clipboard. Works on a click only.

use wasm_bindgen_futures::JsFuture;

use super::{window, words};

/// Copies a text.
///
/// # Errors
/// The browser's words: not allowed, or not on a click.
pub async fn copy(text: &str) -> Result<(), String> {
    let copied = window().navigator().clipboard().write_text(text);
    JsFuture::from(copied)
        .await
        .map(|_| ())
        .map_err(|error| words(&error))
}
