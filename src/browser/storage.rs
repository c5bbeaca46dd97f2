//! Small things a browser remembers. Never a token.

use std::cell::Cell;

use retake_core::{
    domain::BatchId,
    supervise::{LinkedForm, PolicyForm},
};

use super::{random, window};

/// Remembered by this tab until it closes. `None` if nothing is, or if the
/// browser refuses storage.
pub fn tab_get(key: &str) -> Option<String> {
    window().session_storage().ok()??.get_item(key).ok()?
}

/// Remembers something for this tab. Refused storage is survivable: only
/// conveniences are kept here.
pub fn tab_set(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Forgets something of this tab.
pub fn tab_remove(key: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.remove_item(key);
    }
}

/// Whether the app broke off in this tab and was loaded anew (`boot.js`), until that
/// is taken back.
pub fn has_stopped() -> bool {
    tab_get(STOPPED).is_some()
}

/// The same; true once.
pub fn take_stopped() -> bool {
    let stopped = has_stopped();
    tab_remove(STOPPED);
    stopped
}

const STOPPED: &str = "retake-stopped";

thread_local! {
    static CLEARED: Cell<u32> = const { Cell::new(0) };
}

/// How often this tab was made to forget everything: whoever writes later what
/// was meant before would bring it back, and compares this first.
pub fn times_cleared() -> u32 {
    CLEARED.get()
}

/// Forgets everything of this tab.
pub fn tab_clear() {
    CLEARED.set(CLEARED.get().wrapping_add(1));
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.clear();
    }
}

/// Forgets what this browser remembers of Retake between visits.
pub fn forget_device() {
    if let Ok(Some(storage)) = window().local_storage() {
        for key in [LETTERS, POLICY, THEME, ENVIRONMENT, SIGN_INS] {
            let _ = storage.remove_item(key);
        }
    }
}

fn device_get(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

fn device_set(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Whether single letters act as commands; they do unless switched off.
pub fn letters_act() -> bool {
    device_get(LETTERS).as_deref() != Some("off")
}

/// Remembers whether single letters act as commands.
pub fn set_letters_act(on: bool) {
    device_set(LETTERS, if on { "on" } else { "off" });
}

const LETTERS: &str = "retake-letters";
const POLICY: &str = "retake-policy";
const THEME: &str = "retake-theme";
const ENVIRONMENT: &str = "retake-environment";
const SIGN_INS: &str = "retake-sign-ins";

/// The supervise form as it was last typed in this browser.
pub fn load_policy_form() -> Option<PolicyForm> {
    serde_json::from_str(&device_get(POLICY)?).ok()
}

/// Remembers the supervise form.
pub fn save_policy_form(form: &PolicyForm) {
    if let Ok(json) = serde_json::to_string(form) {
        device_set(POLICY, &json);
    }
}

/// The supervise form of a batch as a link has filled it in, and as it was changed
/// since, in this tab.
pub fn linked_form(batch: BatchId) -> Option<LinkedForm> {
    serde_json::from_str(&tab_get(&linked_form_key(batch))?).ok()
}

/// Remembers the supervise form that a link has filled in.
pub fn save_linked_form(batch: BatchId, form: &LinkedForm) {
    if let Ok(json) = serde_json::to_string(form) {
        tab_set(&linked_form_key(batch), &json);
    }
}

/// Forgets what a link has filled in for a batch: it was made use of.
pub fn forget_linked_form(batch: BatchId) {
    tab_remove(&linked_form_key(batch));
}

/// Remembers until it is asked for that this link was opened, as `dom::query` gives it.
/// A sign-in may come between, which is a page of its own.
pub fn note_opened_link(query: &str) {
    tab_set(OPENED_LINK, query);
}

/// Whether this link was opened just now; true once.
pub fn take_opened_link(query: &str) -> bool {
    let is_it = tab_get(OPENED_LINK).as_deref() == Some(query);
    if is_it {
        tab_remove(OPENED_LINK);
    }
    is_it
}

const OPENED_LINK: &str = "retake-opened-link";

fn linked_form_key(batch: BatchId) -> String {
    format!("retake-linked-{batch}")
}

/// The chosen theme: `light`, `dark`, or none for the system's.
pub fn theme() -> Option<String> {
    device_get(THEME).filter(|theme| matches!(theme.as_str(), "light" | "dark"))
}

/// Remembers the theme.
pub fn set_theme(theme: &str) {
    device_set(THEME, theme);
}

/// The environment that was last chosen, by name.
pub fn environment() -> Option<String> {
    device_get(ENVIRONMENT)
}

/// What tells whether somebody signed out of an environment in this browser meanwhile: it
/// is another one after that. Empty if nobody ever did.
pub fn sign_out_mark(environment: &str) -> String {
    device_get(&signed_out_key(environment)).unwrap_or_default()
}

/// Remembers that somebody signed out of an environment, for every tab of this browser: a
/// random number, no name of a person and no time, since clocks are set. Kept also when the
/// browser is cleared: a tab that sleeps would sign in again.
pub fn note_sign_out(environment: &str) {
    device_set(&signed_out_key(environment), &random::u64().to_string());
}

fn signed_out_key(environment: &str) -> String {
    format!("retake-signed-out {environment}")
}

/// Remembers the environment.
pub fn set_environment(name: &str) {
    device_set(ENVIRONMENT, name);
}

/// How this browser was signed in, as it was written.
pub fn sign_ins() -> Option<String> {
    device_get(SIGN_INS)
}

/// Remembers how this browser was signed in: no token, no name of a person.
pub fn set_sign_ins(text: &str) {
    device_set(SIGN_INS, text);
}
