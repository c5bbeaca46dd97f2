//! Messages to the other tabs of this browser (`BroadcastChannel`). For showing
//! and for signs of life, never for agreement: a frozen tab hears nothing.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

/// An open channel; dropping it closes it.
pub struct Channel {
    /// `None` where the browser has none: then this tab is alone.
    inner: Option<BroadcastChannel>,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

impl Channel {
    /// Joins the channel; `hear` gets what other tabs say, not this one's words.
    pub fn open(name: &str, hear: impl Fn(String) + 'static) -> Self {
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            // Only text is ever said; anything else is not ours.
            if let Some(text) = event.data().as_string() {
                hear(text);
            }
        });
        let inner = BroadcastChannel::new(name).ok();
        if let Some(inner) = &inner {
            inner.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        }
        Self {
            inner,
            _listener: listener,
        }
    }

    /// Says something to all other tabs.
    pub fn say(&self, text: &str) {
        if let Some(inner) = &self.inner {
            // A closed channel has nobody to hear.
            let _ = inner.post_message(&text.into());
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            inner.set_onmessage(None);
            inner.close();
        }
    }
}
