//! A part of a page that is made in a task of its own.
//!
//! Why: while a page is made, the browser answers no hand. What is not looked at first, and
//! whose place is kept, can come a moment later; in a hidden tab, a second.

use std::time::Duration;

use leptos::prelude::*;

use crate::browser::timer::Timer;

/// Shows what `make` makes, once the task is over that makes the page.
pub(crate) fn later(make: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    let is_due = RwSignal::new(false);
    let timer = Timer::after(Duration::ZERO, move || {
        is_due.try_set(true);
    });
    // A page that is left takes it along.
    StoredValue::new_local(timer);
    (move || is_due.get().then(&make)).into_any()
}
