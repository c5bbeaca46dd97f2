//! Signing out: here, at the provider, and in the other tabs of this browser.

use futures::channel::oneshot;
use leptos::{prelude::*, task::spawn_local};
use retake_core::auth::Identity;

use super::{Left, Session, SessionState, oidc, remembered};
use crate::browser::{channel::Channel, dom, journal, storage, timer, wake, window};

/// The channel on which a tab names the account that the person signed out of.
/// The name changes with the form of that, so that tabs of another build are
/// not misunderstood.
const CHANNEL: &str = "retake-signed-out-1";
/// What the next page of this tab says once.
const NOTE: &str = "retake-note";

/// What the page before this one left to be said, once.
pub(super) fn take_note() -> Option<String> {
    let note = storage::tab_get(NOTE);
    storage::tab_remove(NOTE);
    note
}

impl Session {
    /// Hears when the same account signs out in another tab. Called once.
    pub fn hear_others(self) {
        let channel = Channel::open(CHANNEL, move |text| {
            // What cannot be read is of a tab of another build.
            let Ok(who) = serde_json::from_str::<Identity>(&text) else {
                return;
            };
            if self.is_of(&who) {
                spawn_local(self.follow_out());
            }
        });
        *self.inner().channel.borrow_mut() = Some(channel);
    }

    /// Ends the session at the person's wish: here, in the other tabs of the
    /// same account, at the provider if it lets us, and with `forget` whatever
    /// this browser remembers of Retake.
    pub async fn sign_out(self, forget: bool) {
        let inner = self.inner();
        if let Some(environment) = inner.environment.borrow().as_ref() {
            // For tabs that are at the provider right now, or asleep: they hear nothing.
            storage::note_sign_out(&environment.name);
            remembered::signed_out(&environment.name);
        }
        if let Some(account) = self.account_now() {
            let text = serde_json::to_string(&account.identity).expect("plain data serialises");
            if let Some(channel) = self.inner().channel.borrow().as_ref() {
                channel.say(&text);
            }
        }
        let left = self.end_here();
        let mut notes = Vec::new();
        if forget {
            storage::forget_device();
            // Nothing of this page may write names anew while it goes.
            journal::shut();
            if let Err(error) = journal::erase().await {
                notes.push(format!(
                    "The journal of supervisions may still be in this browser ({error}). Close \
                     the other tabs of this site, sign in and clear this browser again."
                ));
            }
        }
        let elsewhere = if let Some(left) = left {
            self.part(left, &mut notes).await
        } else {
            // A pasted token has no provider, but a session before it may have had.
            notes.extend(inner.desk.farewell().words());
            None
        };
        self.go(elsewhere, &notes).await;
    }

    /// Whether this tab's session is of that account, also once it has expired: what
    /// renews it may be good still.
    fn is_of(&self, who: &Identity) -> bool {
        let inner = self.inner();
        let environment = inner.environment.borrow();
        let holder = inner.holder.borrow();
        let (Some(environment), Some(tokens)) = (environment.as_ref(), holder.latest()) else {
            return false;
        };
        Identity::of(environment, tokens) == *who
    }

    /// Signed out in another tab: so is this one, and what it shows goes. The
    /// provider's session is that tab's business.
    async fn follow_out(self) {
        journal::shut();
        if let Some(left) = self.end_here() {
            self.part(left, &mut Vec::new()).await;
        }
        self.go(None, &[oidc::OUT_ELSEWHERE.to_owned()]).await;
    }

    /// From here on nobody is signed in. Gives what the provider still has to know.
    fn end_here(&self) -> Option<Left> {
        let inner = self.inner();
        storage::tab_clear();
        self.state.set(SessionState::Starting);
        let tokens = inner.holder.borrow_mut().end();
        let left = inner.left(tokens);
        inner.environment.borrow_mut().take();
        inner.provider.borrow_mut().take();
        left
    }

    /// Takes leave of the provider. Gives the address where its session ends;
    /// what could not be done is added to the notes.
    async fn part(
        &self,
        (environment, provider, tokens): Left,
        notes: &mut Vec<String>,
    ) -> Option<String> {
        let desk = &self.inner().desk;
        let (url, farewell) = oidc::goodbye(desk, &environment, &provider, &tokens, &home()).await;
        notes.extend(farewell.words());
        url
    }

    /// Loads the page anew, there or at the sign-in.
    async fn go(&self, elsewhere: Option<String>, notes: &[String]) {
        if !notes.is_empty() {
            storage::tab_set(NOTE, &notes.join(" "));
        }
        // Where the provider's page does not come, this one is loaded anew all the same:
        // what it holds in memory has to go.
        for to in elsewhere.into_iter().chain([home()]) {
            if window().location().replace(&to).is_ok() {
                timer::within(oidc::DEPARTURE, wake::restored()).await;
            }
        }
        // The page stayed; nobody is signed in on it.
        self.state.set(SessionState::SignedOut(take_note()));
    }

    /// A new sign-in begins: what renews the session that it replaces, or did until
    /// that expired, is made worthless. Now and not when the new tokens are there:
    /// a provider may end with it whatever it gave this account by then. It serves
    /// no more from here on; the future ends once the provider has answered.
    pub(super) fn give_way(self) -> impl Future<Output = ()> {
        let inner = self.inner();
        let given_up = inner.holder.borrow_mut().give_way();
        let left = inner.left(given_up);
        self.show_account();
        let (done, wait) = oneshot::channel();
        // Whoever waits may stop; what became of it is heard all the same.
        spawn_local(async move {
            inner.desk.give_way(left).await;
            let _ = done.send(());
        });
        async move {
            // It is always told.
            let _ = wait.await;
        }
    }
}

/// The sign-in page, as an absolute address.
fn home() -> String {
    let home = dom::file("sign-in");
    let origin = window().location().origin();
    origin.map_or_else(|_| home.clone(), |origin| format!("{origin}{home}"))
}
