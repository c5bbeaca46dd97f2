//! Hears when the page comes back to life: shown, focused, online, restored.

use std::{cell::Cell, rc::Rc};

use futures::channel::oneshot;
use js_sys::Reflect;
use retake_core::supervise::WakeReason;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget};

use super::window;

type Heard = Closure<dyn Fn(Event)>;

/// Hears until it is dropped.
pub struct Listening {
    parts: Vec<(EventTarget, &'static [&'static str], Heard)>,
}

impl Listening {
    /// Hears as long as the page lives.
    pub fn for_good(self) {
        std::mem::forget(self);
    }

    fn to(
        &mut self,
        target: EventTarget,
        names: &'static [&'static str],
        act: impl Fn(Event) + 'static,
    ) {
        let act = Heard::new(act);
        for name in names {
            target
                .add_event_listener_with_callback(name, act.as_ref().unchecked_ref())
                .expect("a listener can always be added");
        }
        self.parts.push((target, names, act));
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for (target, names, act) in &self.parts {
            for name in *names {
                // One that is gone already needs no removing.
                let _ =
                    target.remove_event_listener_with_callback(name, act.as_ref().unchecked_ref());
            }
        }
    }
}

/// Calls `act` whenever something suggests to look now.
#[must_use = "it hears until it is dropped"]
pub fn on_wake(act: impl Fn(WakeReason) + 'static) -> Listening {
    let act = Rc::new(act);
    let shown = {
        let act = act.clone();
        move |_| {
            if !is_hidden() {
                act(WakeReason::Visible);
            }
        }
    };
    let window = window();
    let document = window.document().expect("a window has a document");
    let mut it = Listening { parts: Vec::new() };
    it.to(
        document.into(),
        &["visibilitychange", "resume"],
        shown.clone(),
    );
    it.to(window.clone().into(), &["focus", "pageshow"], shown);
    it.to(window.into(), &["online"], move |_| {
        act(WakeReason::Online);
    });
    it
}

/// Waits until somebody has opened this page, where the browser loads it ahead of that.
pub async fn shown_at_all() {
    let Some(document) = window().document() else {
        return;
    };
    let is_ahead = Reflect::get(&document, &"prerendering".into()).is_ok_and(|it| it.is_truthy());
    if is_ahead {
        heard(document.into(), &["prerenderingchange"], |_| true).await;
    }
}

/// Waits until the browser shows this page again as it was left, after Back or Forward.
pub async fn restored() {
    // Also heard at the first load of a page.
    let is_restored =
        |event: &Event| Reflect::get(event, &"persisted".into()).is_ok_and(|it| it.is_truthy());
    heard(window().into(), &["pageshow"], is_restored).await;
}

/// Waits for an event that is meant.
async fn heard(
    target: EventTarget,
    names: &'static [&'static str],
    is_meant: impl Fn(&Event) -> bool + 'static,
) {
    let (tell, told) = oneshot::channel();
    let tell = Cell::new(Some(tell));
    let mut it = Listening { parts: Vec::new() };
    it.to(target, names, move |event| {
        if is_meant(&event)
            && let Some(tell) = tell.take()
        {
            // Nobody waits any more: then nobody has to know.
            let _ = tell.send(());
        }
    });
    let _ = told.await;
}

/// Whether the tab is hidden.
pub fn is_hidden() -> bool {
    window()
        .document()
        .is_some_and(|document| document.hidden())
}
