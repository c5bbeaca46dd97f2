//! Hears when the page comes back to life: shown, focused, online, restored.

use std::rc::Rc;

use retake_core::supervise::WakeReason;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget};

use super::window;

/// Calls `act` whenever something suggests to look now. Lives as long as the page.
pub fn on_wake(act: impl Fn(WakeReason) + 'static) {
    let act = Rc::new(act);
    let window = window();
    let document = window.document().expect("a window has a document");
    let shown = {
        let act = act.clone();
        let document = document.clone();
        move |_: Event| {
            if !document.hidden() {
                act(WakeReason::Visible);
            }
        }
    };
    listen(&document, &["visibilitychange", "resume"], shown.clone());
    listen(&window, &["focus", "pageshow"], shown);
    listen(&window, &["online"], move |_| act(WakeReason::Online));
}

/// Whether the tab is hidden.
pub fn is_hidden() -> bool {
    window()
        .document()
        .is_some_and(|document| document.hidden())
}

fn listen(target: &EventTarget, names: &[&str], act: impl Fn(Event) + 'static) {
    let act = Closure::<dyn Fn(Event)>::new(act);
    for name in names {
        target
            .add_event_listener_with_callback(name, act.as_ref().unchecked_ref())
            .expect("a listener can always be added");
    }
    // The page's own lifetime.
    act.forget();
}
