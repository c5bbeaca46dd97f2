//! Desktop notifications. Asked for on a click only; silent where refused.

use web_sys::{Notification, NotificationOptions, NotificationPermission};

/// Asks for leave, if nobody has decided yet.
pub fn ask() {
    if supported() && Notification::permission() == NotificationPermission::Default {
        // The answer is read from `permission` when it is needed.
        let _ = Notification::request_permission();
    }
}

/// Shows a notification, if that is allowed.
pub fn show(title: &str, body: &str) {
    if !supported() || Notification::permission() != NotificationPermission::Granted {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(body);
    // Most browsers on phones throw here; the page says the same.
    let _ = Notification::new_with_options(title, &options);
}

fn supported() -> bool {
    js_sys::Reflect::has(&super::window(), &"Notification".into()).unwrap_or(false)
}
