//! Signing out.

use leptos::prelude::*;

use super::{Session, SessionState, oidc};
use crate::browser::{dom, journal, storage, window};

impl Session {
    /// Ends the session at the person's wish: here, at the provider if it lets
    /// us, and with `forget` whatever this browser remembers of Retake.
    pub async fn sign_out(self, forget: bool) {
        let inner = self.inner();
        let tokens = inner.holder.borrow_mut().end();
        let environment = inner.environment.borrow_mut().take();
        let provider = inner.provider.borrow_mut().take();
        storage::tab_clear();
        self.state.set(SessionState::Starting);
        if forget {
            storage::forget_device();
            // What the browser refuses to delete it refuses to say; the account
            // is signed out all the same.
            let _ = journal::erase().await;
        }
        let location = window().location();
        let home = dom::file("sign-in");
        let home = location
            .origin()
            .map_or_else(|_| home.clone(), |origin| format!("{origin}{home}"));
        let elsewhere = match (&environment, &provider, &tokens) {
            (Some(environment), Some(provider), Some(tokens)) => {
                oidc::goodbye(&inner.desk, environment, provider, tokens, &home).await
            }
            _ => None,
        };
        drop(tokens);
        if location
            .replace(elsewhere.as_deref().unwrap_or(&home))
            .is_err()
        {
            // The page stays; nobody is signed in on it.
            self.state.set(SessionState::SignedOut(None));
        }
    }
}
