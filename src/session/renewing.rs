//! New tokens with the refresh token: one request at a time in this tab, and one
//! tab at a time.

use std::time::Duration;

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::retry,
    auth::{Tokens, holder::SessionNumber},
    config::Environment,
};

use super::{Session, oidc};
use crate::browser::{locks, random, timer};

/// What became of an attempt to get a new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// There is a new one.
    Renewed,
    /// There is none to be had without a person.
    Refused,
    /// The provider did not answer; later it may.
    Unreachable,
}

/// How long this tab lets others go first at the provider. A tab that waits for
/// a provider that does not answer holds its turn for longer; then two ask at
/// once, which is safe since each has a refresh token of its own, and no tab
/// waits for another's trouble.
const TURN: Duration = Duration::from_secs(5);
/// How long until a provider that did not answer is asked again.
const PATIENCE: Duration = Duration::from_secs(15);
/// Tries of one renewal. A repeat within seconds is what a provider's overlap
/// of refresh tokens is for: an answer that was lost signs nobody out.
const RENEW_TRIES: u32 = 3;

impl Session {
    /// Gets a new token with the refresh token, one request at a time in this
    /// tab, and one tab at a time.
    pub async fn renew(&self) -> Renewal {
        let inner = self.inner();
        let can = |tokens: &Tokens| tokens.refresh.is_usable();
        if !inner.renewing.get() && !inner.holder.borrow().tokens().is_some_and(can) {
            // Nothing to renew with, or refused before: nobody is asked again.
            return Renewal::Refused;
        }
        let (done, wait) = oneshot::channel();
        inner.waiting.borrow_mut().push(done);
        if !inner.renewing.replace(true) {
            // A task of its own: whoever asked may be dropped with their page, but
            // not the answer that carries the next refresh token.
            let it = *self;
            spawn_local(async move { it.renew_for_all().await });
        }
        // A cancelled wait means that the renewal is over.
        let _ = wait.await;
        inner.renewed.get()
    }

    /// The API refused the token of a POST, which is not sent again by itself:
    /// sees to a new token, for as long as the provider does not answer, and
    /// tells whoever waits for a sign-in that they may go on. Only a refusal
    /// signs out.
    pub fn recover(self) {
        let inner = self.inner();
        if inner.recovering.replace(true) {
            return;
        }
        spawn_local(async move {
            let number = inner.holder.borrow().number();
            loop {
                match self.renew().await {
                    Renewal::Renewed => self.saved.update(|it| *it += 1),
                    Renewal::Refused => self.expired(number),
                    Renewal::Unreachable => {
                        timer::sleep(PATIENCE).await;
                        if inner.holder.borrow().number() == number {
                            continue;
                        }
                    }
                }
                break;
            }
            inner.recovering.set(false);
        });
    }

    async fn renew_for_all(self) {
        let inner = self.inner();
        let number = inner.holder.borrow().number();
        let before = inner.tokens();
        let environment = inner.environment.borrow().clone();
        let renewal = match (before, environment) {
            (Some(before), Some(environment)) => {
                self.renew_in_turn(number, &environment, &before).await
            }
            _ => Renewal::Refused,
        };
        if renewal == Renewal::Refused && inner.holder.borrow_mut().refused(number) {
            self.show_account();
        }
        inner.renewed.set(renewal);
        inner.renewing.set(false);
        inner.waiting.borrow_mut().clear();
    }

    async fn renew_in_turn(
        &self,
        number: SessionNumber,
        environment: &Environment,
        before: &Tokens,
    ) -> Renewal {
        let name = format!("retake-renew {}", environment.name);
        let turn = Box::pin(locks::hold(&name));
        // Without a turn in time it goes on: its refresh token is its own.
        let _turn = match select(turn, Box::pin(timer::sleep(TURN))).await {
            Either::Left((lock, _)) => lock,
            Either::Right(_) => None,
        };
        let inner = self.inner();
        for tries in 1..=RENEW_TRIES {
            let provider = inner.provider.borrow().clone();
            match oidc::renew(&inner.desk, environment, provider, before).await {
                Ok(tokens) => {
                    // Another session by now, or none: then it stays so.
                    if inner.holder.borrow_mut().renewed(number, tokens) {
                        self.show_account();
                    }
                    return Renewal::Renewed;
                }
                Err(Renewal::Unreachable) if tries < RENEW_TRIES => {
                    timer::sleep(retry::jitter(tries, random::u64())).await;
                }
                Err(why) => return why,
            }
        }
        Renewal::Unreachable
    }
}
