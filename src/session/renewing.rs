//! New tokens with the refresh token: one request at a time in this tab, and one
//! tab at a time.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::retry,
    auth::{
        holder::{SessionNumber, TokenNumber},
        renewal::PATIENCE,
    },
};

use super::{Desk, Left, Session, oidc};
use crate::browser::{clock, locks, random, timer};

/// An attempt that is under way, and who waits for it. It belongs to the session
/// that began it: what becomes of it says nothing about another.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    number: SessionNumber,
    waiting: Rc<RefCell<Vec<oneshot::Sender<Renewal>>>>,
}

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
/// Tries of one renewal, each of [`oidc::RENEWAL`] at most. A repeat within 30 s is what
/// a provider's overlap of refresh tokens is for: an answer that was lost signs nobody out.
const RENEW_TRIES: u32 = 3;

impl Session {
    /// Gets a new token with the refresh token, one request of this session at a
    /// time, and one tab at a time.
    pub async fn renew(&self) -> Renewal {
        let inner = self.inner();
        let number = inner.holder.borrow().number();
        if !inner.holder.borrow().may_renew() {
            // Nothing to renew with, or refused before: nobody is asked again.
            return Renewal::Refused;
        }
        let (done, wait) = oneshot::channel();
        let under_way = inner.renewing.borrow().clone();
        if let Some(attempt) = under_way.filter(|it| it.number == number) {
            attempt.waiting.borrow_mut().push(done);
        } else {
            // None, or one of a session that is over, which may hang.
            let attempt = Attempt {
                number,
                waiting: Rc::new(RefCell::new(vec![done])),
            };
            inner.renewing.replace(Some(attempt.clone()));
            // Of this very session: a sign-in may come before the task begins.
            let left = inner.left(inner.tokens());
            // A task of its own: whoever asked may be dropped with their page, but
            // not the answer that carries the next refresh token.
            let it = *self;
            spawn_local(async move { it.renew_for_all(attempt, left).await });
        }
        // The attempt always says how it ended.
        wait.await.unwrap_or(Renewal::Unreachable)
    }

    /// A POST whose token was refused is not sent again by itself: sees to a new token, for
    /// as long as the provider does not answer, and tells whoever waits for a sign-in that
    /// they may go on. Only a refusal signs out.
    fn recover(self) {
        let inner = self.inner();
        let number = inner.holder.borrow().number();
        // One for each session: that of a session before may hang.
        if inner.recovering.replace(Some(number)) == Some(number) {
            return;
        }
        spawn_local(async move {
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
            if inner.recovering.get() == Some(number) {
                inner.recovering.set(None);
            }
        });
    }

    /// The API refused the token that a POST was sent with: another is seen to, but
    /// for a second one that was refused as well; then a person is asked.
    pub fn post_refused(&self, sent_with: TokenNumber) {
        if sent_with != self.token_number() {
            // A newer one is there already, or another session: whoever waits goes on.
            if self.account_now().is_some() {
                self.saved.update(|it| *it += 1);
            }
        } else if self
            .inner()
            .holder
            .borrow_mut()
            .post_refused(sent_with, clock::wall())
        {
            self.expired(sent_with.session);
        } else {
            self.recover();
        }
    }

    /// The API took the token of a POST.
    pub fn post_taken(&self) {
        self.inner().holder.borrow_mut().post_taken();
    }

    /// Which token is at hand.
    pub fn token_number(&self) -> TokenNumber {
        self.inner().holder.borrow().token_number()
    }

    async fn renew_for_all(self, Attempt { number, waiting }: Attempt, left: Option<Left>) {
        let inner = self.inner();
        let renewal = match left {
            Some(session) => self.renew_in_turn(number, session).await,
            None => Renewal::Refused,
        };
        let is_news = match renewal {
            // Shown when it came.
            Renewal::Renewed => false,
            Renewal::Refused => inner.holder.borrow_mut().refused(number),
            // Whoever renews ahead hears of it by what is shown (`app::renew_ahead`).
            Renewal::Unreachable => {
                let until = clock::wall().after(PATIENCE);
                inner.holder.borrow_mut().put_off(number, until)
            }
        };
        if is_news {
            self.show_account();
        }
        inner
            .renewing
            .borrow_mut()
            .take_if(|it| it.number == number);
        for done in waiting.take() {
            // Whoever waited may be gone with their page.
            let _ = done.send(renewal);
        }
    }

    async fn renew_in_turn(
        &self,
        number: SessionNumber,
        (environment, provider, before): Left,
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
            match oidc::renew(&inner.desk, &environment, &provider, &before).await {
                Ok(tokens) => {
                    let late = inner.holder.borrow_mut().renewed(number, tokens);
                    let Some(tokens) = late else {
                        self.show_account();
                        return Renewal::Renewed;
                    };
                    // Another session by now, or none, or one that gives way.
                    Desk::let_go((environment, provider, tokens));
                    return Renewal::Refused;
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
