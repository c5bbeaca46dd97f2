//! Desktop notifications, where nobody has allowed them.

use retake::browser::notify;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn without_leave_nothing_is_shown_and_nothing_breaks() {
    // A browser without a head has no leave to give.
    assert_ne!(
        web_sys::Notification::permission(),
        web_sys::NotificationPermission::Granted
    );
    notify::show("Fail", "nightly: exit code 2");
}
