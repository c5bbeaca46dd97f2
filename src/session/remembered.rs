//! How somebody was signed in, so that a page that is loaded anew, and a tab that is
//! new, can ask the provider in silence. No secret, and no name of a person.

use serde::{Deserialize, Serialize};

use crate::browser::{dom, storage};

/// A sign-in, as this tab remembers it until it closes, and this browser until the
/// next one, a sign-out, or the provider's word that it knows nobody.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) environment: String,
    pub(super) pasted: bool,
    #[serde(default)]
    pub(super) by_device: bool,
    /// What was known of sign-outs then (`storage::sign_out_mark`).
    #[serde(default)]
    sign_out_mark: String,
    /// New tabs that have asked for it since, and were not heard of again.
    #[serde(default)]
    unanswered: u32,
}

const IN_TAB: &str = "retake-signed-in";
/// So many new tabs in a row may ask a provider that leads none of them back: several
/// that are opened at once, but not each one for ever.
const MOST_UNANSWERED: u32 = 5;

impl Remembered {
    /// Remembers a sign-in: what the last one was, in this browser, is so no more.
    pub(super) fn keep(environment: &str, pasted: bool, by_device: bool) {
        let it = Self {
            environment: environment.to_owned(),
            pasted,
            by_device,
            sign_out_mark: storage::sign_out_mark(environment),
            unanswered: 0,
        };
        let Ok(json) = serde_json::to_string(&it) else {
            return;
        };
        storage::tab_set(IN_TAB, &json);
        if it.is_by_redirect() {
            storage::set_last_sign_in(&json);
        } else {
            storage::forget_last_sign_in();
        }
    }

    /// How this tab was signed in when its page was loaded at `route`; if it is new, how
    /// this browser was. Asked once: if the provider wants a person, the sign-in page
    /// shows.
    pub(super) fn take(route: &str) -> Option<Self> {
        if let Some(text) = storage::tab_get(IN_TAB) {
            let it: Self = serde_json::from_str(&text).ok()?;
            if it.is_by_redirect() {
                storage::tab_remove(IN_TAB);
            }
            return Some(it);
        }
        // Who opens the sign-in page wants to choose.
        if dom::path_of(route) == "/sign-in" {
            return None;
        }
        let mut it: Self = serde_json::from_str(&storage::last_sign_in()?).ok()?;
        if it.is_over() || it.unanswered >= MOST_UNANSWERED {
            return None;
        }
        it.unanswered += 1;
        if let Ok(json) = serde_json::to_string(&it) {
            storage::set_last_sign_in(&json);
        }
        Some(it)
    }

    /// Whether the provider can be asked again without a person.
    pub(super) const fn is_by_redirect(&self) -> bool {
        !self.pasted && !self.by_device
    }

    /// Somebody has signed out since, in whichever tab.
    pub(super) fn is_over(&self) -> bool {
        storage::sign_out_mark(&self.environment) != self.sign_out_mark
    }
}

/// The provider knows nobody any more: no new tab asks it.
pub(super) fn forget_last() {
    storage::forget_last_sign_in();
}
