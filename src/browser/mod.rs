//! Thin adapters to the browser: one per web API, each with the one thing that
//! Retake needs of it. Nothing is decided here.

pub mod channel;
pub mod clipboard;
pub mod clock;
pub mod dom;
pub mod fetch;
pub mod idb;
pub mod journal;
pub mod keeper;
pub mod locks;
pub mod notify;
pub mod random;
pub mod storage;
pub mod tick;
pub mod timer;
pub mod wake;

use wasm_bindgen::{JsCast, JsValue};

/// What a browser says about a failure, in its own words.
pub fn words(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| error.as_string())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "the browser gives no reason".to_owned())
}

/// The window; there always is one where this runs.
pub fn window() -> web_sys::Window {
    web_sys::window().expect("the app runs in a window")
}
