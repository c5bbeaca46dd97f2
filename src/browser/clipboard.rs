//! The clipboard. Works on a click only.

use wasm_bindgen_futures::JsFuture;

use super::{window, words};

/// Copies a text.
///
/// # Errors
/// The browser's words: not allowed, or not on a click.
pub async fn copy(text: &str) -> Result<(), String> {
    let clipboard = window().navigator().clipboard();
    // A page that came without TLS has none, whatever its type says.
    if clipboard.is_undefined() {
        return Err("a page that was opened by http: has no clipboard".into());
    }
    let copied = clipboard.write_text(text);
    JsFuture::from(copied)
        .await
        .map(|_| ())
        .map_err(|error| words(&error))
}
