//! Looks again when somebody comes back to the tab, for whatever shows lists.

use std::time::Duration;

use leptos::prelude::*;
use retake_core::domain::Timestamp;

use crate::browser::{clock, wake};

/// What was read within this time is fresh enough.
const FRESH: Duration = Duration::from_secs(5);

/// Calls `look` when the tab is shown or online again and what is on screen is
/// not of this moment; until the owner goes.
pub fn when_back(read_at: RwSignal<Option<Timestamp>>, look: impl Fn() + 'static) {
    let listening = wake::on_wake(move |_| {
        let read_at = read_at.try_get_untracked().flatten();
        if read_at.is_none_or(|at| clock::wall().since(at) >= FRESH) {
            look();
        }
    });
    let listening = StoredValue::new_local(Some(listening));
    on_cleanup(move || drop(listening.try_update_value(Option::take)));
}
