//! The page that tests run in is a real one.

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn tests_run_in_a_window_with_a_secure_context() {
    let window = web_sys::window().expect("the tests are configured to run in a browser");
    assert!(window.document().is_some());
    // Web Crypto (sign-in with PKCE) and Web Locks exist only in one.
    assert!(window.is_secure_context());
}
