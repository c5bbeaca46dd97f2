//! The app's tests that need a real browser: adapters and components.
//!
//! `cargo xtask test --only web` runs them in a headless Chromium; a module
//! here for each thing under test.

mod clock;
mod components;
mod page;
mod storage;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
