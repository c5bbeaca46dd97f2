//! One round of a sign-in, by Retake's core or by a crate, to be weighed.
//!
//! Everything that a round works on comes from outside, and all that it made of it
//! goes out again, so that no optimiser can leave any of it away. `README.md` says
//! what is compared.

#[cfg(feature = "core")]
pub mod by_core;
#[cfg(feature = "oauth2")]
pub mod by_oauth2;
#[cfg(feature = "openidconnect")]
pub mod by_openidconnect;
#[cfg(any(feature = "oauth2", feature = "openidconnect"))]
mod page;

use serde_json::Value;
use wasm_bindgen::prelude::wasm_bindgen;

/// The base, which is in every module: reads and writes JSON.
///
/// # Errors
/// It is not JSON.
#[wasm_bindgen]
pub fn base(text: &str) -> Result<String, String> {
    Ok(read(text)?.to_string())
}

fn read(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(words)
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
