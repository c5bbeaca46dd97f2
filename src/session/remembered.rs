//! How somebody was signed in, so that a page that is loaded anew, and a tab that is
//! new, can ask the provider in silence. No secret, and no name of a person.

use std::{collections::BTreeSet, time::Duration};

use retake_core::{config::Environment, domain::Timestamp};
use serde::{Deserialize, Serialize};

use crate::browser::{clock, dom, storage};

/// A sign-in, as this tab remembers it until it closes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) environment: String,
    pub(super) pasted: bool,
    #[serde(default)]
    pub(super) by_device: bool,
    /// What was known of sign-outs then (`storage::sign_out_mark`).
    #[serde(default)]
    sign_out_mark: String,
}

/// What this browser remembers for tabs that are new.
#[derive(Debug, Default, Serialize, Deserialize)]
struct SignIns {
    /// The last one, unless the provider has said since that it wants a person.
    last: Option<Remembered>,
    /// Environments that were signed in to and not out of. A link does not say of which
    /// it is: among several a person has to choose.
    environments: BTreeSet<String>,
    /// Since when new tabs have left for the provider, and none has come back.
    asked_since: Option<Timestamp>,
}

const IN_TAB: &str = "retake-signed-in";
/// This tab was new, and has asked.
const ASKED: &str = "retake-asked";
/// New tabs that ask within this time do not wait for one another. A provider that has
/// led none back by then is asked by no other.
const PATIENCE: Duration = Duration::from_mins(1);
/// Then one may ask again: a person may have closed the tab that did.
const FORGIVEN: Duration = Duration::from_mins(10);

impl Remembered {
    /// Remembers a sign-in, in this tab and in this browser.
    pub(super) fn keep(environment: &str, pasted: bool, by_device: bool) {
        let it = Self {
            environment: environment.to_owned(),
            pasted,
            by_device,
            sign_out_mark: storage::sign_out_mark(environment),
        };
        if let Ok(json) = serde_json::to_string(&it) {
            storage::tab_set(IN_TAB, &json);
        }
        storage::tab_remove(ASKED);
        SignIns::change(|all| {
            all.environments.insert(it.environment.clone());
            all.last = Some(it);
            all.asked_since = None;
        });
    }

    /// How this tab was signed in when its page was loaded at `route`; if it is new, how
    /// this browser was. `configured` are the environments that there are. Asked once: if
    /// the provider wants a person, the sign-in page shows.
    pub(super) fn take(route: &str, configured: &[Environment]) -> Option<Self> {
        if let Some(text) = storage::tab_get(IN_TAB) {
            let it: Self = serde_json::from_str(&text).ok()?;
            if it.is_by_redirect() {
                storage::tab_remove(IN_TAB);
            }
            return Some(it);
        }
        // Who opens the sign-in page wants to choose.
        if was_new() || dom::path_of(route) == "/sign-in" {
            return None;
        }
        let it = SignIns::read().to_ask(clock::wall(), configured)?.clone();
        storage::tab_set(ASKED, "1");
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

impl SignIns {
    fn read() -> Self {
        let text = storage::sign_ins();
        text.and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    fn change(change: impl FnOnce(&mut Self)) {
        let mut all = Self::read();
        change(&mut all);
        if let Ok(json) = serde_json::to_string(&all) {
            storage::set_sign_ins(&json);
        }
    }

    fn forget_last(&mut self, environment: &str) {
        self.last.take_if(|last| last.environment == environment);
    }

    /// The sign-in that a new tab asks for again.
    fn to_ask(&self, now: Timestamp, configured: &[Environment]) -> Option<&Remembered> {
        let last = self.last.as_ref()?;
        let is_other = |name: &String| {
            *name != last.environment && configured.iter().any(|it| it.name == *name)
        };
        let is_alone = !self.environments.iter().any(is_other);
        let is_in_vain = self
            .vainly_for(now)
            .is_some_and(|it| (PATIENCE..FORGIVEN).contains(&it));
        (last.is_by_redirect() && !last.is_over() && is_alone && !is_in_vain).then_some(last)
    }

    /// How long new tabs have asked in vain; a clock that was set back says nothing of it.
    fn vainly_for(&self, now: Timestamp) -> Option<Duration> {
        let since = self.asked_since.filter(|since| *since <= now)?;
        Some(now.since(since))
    }
}

/// This page leaves for the provider in silence.
pub(super) fn leaves() {
    if !was_new() {
        return;
    }
    let now = clock::wall();
    SignIns::change(|all| {
        let is_recent = all.vainly_for(now).is_some_and(|it| it < FORGIVEN);
        if !is_recent {
            all.asked_since = Some(now);
        }
    });
}

/// A tab has come back from the provider, with whatever answer.
pub(super) fn came_back() {
    SignIns::change(|all| all.asked_since = None);
}

/// Whether this tab was new when its page was loaded, and has asked for a sign-in that
/// it has not got.
pub(super) fn was_new() -> bool {
    storage::tab_get(ASKED).is_some()
}

/// The provider wants a person: no new tab asks it again.
pub(super) fn provider_wants_person(environment: &str) {
    SignIns::change(|all| all.forget_last(environment));
}

/// Somebody has signed out of an environment.
pub(super) fn signed_out(environment: &str) {
    SignIns::change(|all| {
        all.forget_last(environment);
        all.environments.remove(environment);
    });
}
