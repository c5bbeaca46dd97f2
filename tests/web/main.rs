//! The app's tests that need a real browser: adapters and components.
//!
//! `cargo xtask test --only web` runs them in a headless Chromium; a module
//! here for each thing under test.

mod clock;
mod components;
mod fetch;
mod forms;
mod journal;
mod notify;
mod page;
mod storage;
mod support;
mod tabs;
mod timer;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
