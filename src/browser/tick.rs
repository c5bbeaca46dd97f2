//! A tick each second from a worker. The timers of a hidden page are slowed
//! down to one a minute, those of a worker are not (`reliability.md` §2.1).

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, Worker};

/// The worker's script, beside the app: a policy without inline script and
/// without `blob:` allows nothing else.
const SCRIPT: &str = "tick.js";

/// A worker that ticks; dropping it ends it.
pub struct Tick {
    worker: Worker,
    _listeners: [Closure<dyn FnMut(Event)>; 2],
}

impl std::fmt::Debug for Tick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tick").finish_non_exhaustive()
    }
}

impl Tick {
    /// Calls `act` each second, or `failed` if the worker's script cannot be had or breaks.
    /// `None`: this browser starts no worker; timers of the page must do.
    pub fn start(act: impl Fn() + 'static, failed: impl Fn() + 'static) -> Option<Self> {
        Self::start_from(&super::dom::file(SCRIPT), act, failed)
    }

    /// As [`Self::start`], with the script at another address.
    pub fn start_from(
        script: &str,
        act: impl Fn() + 'static,
        failed: impl Fn() + 'static,
    ) -> Option<Self> {
        let worker = Worker::new(script).ok()?;
        let ticked = Closure::<dyn FnMut(Event)>::new(move |_| act());
        worker.set_onmessage(Some(ticked.as_ref().unchecked_ref()));
        let broke = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            // It is dealt with here, by trying again.
            event.prevent_default();
            failed();
        });
        worker.set_onerror(Some(broke.as_ref().unchecked_ref()));
        Some(Self {
            worker,
            _listeners: [ticked, broke],
        })
    }
}

impl Drop for Tick {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
