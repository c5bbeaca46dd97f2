//! Performs calls of the API: adds the token, retries reads within one budget
//! for the tab, spreads the reads of supervision, and tells the session when
//! the token is refused.

use std::{collections::HashMap, time::Duration};

use futures::channel::oneshot;
use leptos::prelude::*;
use retake_core::{
    api::{
        ApiError, Call, ErrorKind, endpoint,
        pace::Pace,
        retry::{RetryBudget, pause_before_retry},
    },
    auth::{Identity, holder::SessionNumber},
    domain::{Batch, BatchId, ProjectId},
};

use crate::{
    browser::{clock, fetch, random, timer, window},
    session::{self, Renewal, Session},
};

/// The API as this tab uses it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Client {
    session: Session,
    budget: StoredValue<RetryBudget>,
    /// The base of an API that has answered, so that it lets this site call it.
    answered: StoredValue<String>,
    pace: StoredValue<Pace>,
    /// Batches that are being read, and who waits for that.
    reading: StoredValue<HashMap<BatchId, Vec<oneshot::Sender<()>>>>,
}

/// What became of a read whose token was refused, once the session is another.
const OTHER_SESSION: &str = "it was asked for before the present sign-in";

/// Holds the reading of a batch until it is dropped.
struct Reading {
    client: Client,
    batch: BatchId,
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Dropping the senders wakes whoever waits.
        self.client
            .reading
            .try_update_value(|all| drop(all.remove(&self.batch)));
    }
}

impl Client {
    /// A client for whoever is signed in.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            budget: StoredValue::new(RetryBudget::default()),
            answered: StoredValue::new(String::new()),
            pace: StoredValue::new(Pace::default()),
            reading: StoredValue::new(HashMap::new()),
        }
    }

    /// Reads a batch, once; never two reads of one batch at a time, however
    /// many parts of this tab look at it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn read_batch(&self, project: ProjectId, batch: BatchId) -> Result<Batch, ApiError> {
        while let Some(free) = self.wait_for(batch) {
            // Whoever reads has dropped the sender: that is the sign.
            let _ = free.await;
        }
        let _reading = Reading {
            client: *self,
            batch,
        };
        self.send(&endpoint::get_batch(project, batch)).await
    }

    /// Takes the reading of a batch; if it is taken, what ends when it is free.
    fn wait_for(&self, batch: BatchId) -> Option<oneshot::Receiver<()>> {
        let mut free = None;
        self.reading.update_value(|all| match all.get_mut(&batch) {
            Some(waiting) => {
                let (freed, is_free) = oneshot::channel();
                waiting.push(freed);
                free = Some(is_free);
            }
            None => {
                all.insert(batch, Vec::new());
            }
        });
        free
    }

    /// Whether this account is the one that is signed in; not tracked.
    pub fn stands_for(&self, identity: &Identity) -> bool {
        self.session
            .account_now()
            .is_some_and(|account| account.identity == *identity)
    }

    /// Waits until a supervised batch may be polled, so that many of them do
    /// not ask all at once.
    pub async fn take_turn(&self) {
        let mut wait = Duration::ZERO;
        self.pace
            .update_value(|pace| wait = pace.wait(clock::now().mono));
        if !wait.is_zero() {
            timer::sleep(wait).await;
        }
    }

    /// A page of a supervised batch's listing is read; polls make room for it.
    pub fn charge(&self) {
        self.pace
            .update_value(|pace| pace.charge(clock::now().mono));
    }

    /// Which session asks; another sign-in, or none, is another.
    pub fn session_number(&self) -> SessionNumber {
        self.session.number()
    }

    /// Sees to a token that needs no renewal yet, so that a POST that
    /// follows leaves at once. Without a token the POST itself says so.
    pub async fn ready_to_post(&self) {
        self.session.ready_to_post().await;
    }

    /// Performs a read, once. A refused token is renewed once, if it can be.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn send<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
        let asked_by = self.session.number();
        let mut used = String::new();
        let error = match self.once(call, &mut used).await {
            Err(error) if error.kind == ErrorKind::SignedOut => error,
            answer => return answer,
        };
        self.make_good(error, asked_by, &used).await?;
        let again = self.once(call, &mut used).await;
        match again {
            Err(error) if error.kind == ErrorKind::SignedOut => {
                if self.session.number() != asked_by {
                    // Somebody has signed in meanwhile: the refusal is not of their token,
                    // and whoever asked need not wait for another sign-in.
                    return Err(ApiError::new(error.what, ErrorKind::NoToken, OTHER_SESSION));
                }
                self.session.expired(asked_by);
                Err(error)
            }
            again => again,
        }
    }

    /// The token that was `used` for a read was refused: it is renewed, unless that
    /// was done while the read was under way. `Ok`: the read may be repeated once. A
    /// refusal says nothing about who has signed in meanwhile, and their token is not
    /// used for what somebody else asked.
    async fn make_good(
        &self,
        error: ApiError,
        asked_by: SessionNumber,
        used: &str,
    ) -> Result<(), ApiError> {
        let what = error.what.clone();
        let later = |why: &str| Err(ApiError::new(what.clone(), ErrorKind::NoToken, why));
        let is_other = || self.session.number() != asked_by;
        if is_other() {
            return later(OTHER_SESSION);
        }
        let renewal = if self.session.has_another(used) {
            Renewal::Renewed
        } else {
            self.session.renew().await
        };
        match renewal {
            _ if is_other() => later(OTHER_SESSION),
            Renewal::Renewed => Ok(()),
            Renewal::Refused => {
                self.session.expired(asked_by);
                Err(error)
            }
            // Not signed out: nobody could be asked. It may pass.
            Renewal::Unreachable => later(session::SILENT_PROVIDER),
        }
    }

    /// Performs a read that a person waits for, and tries again what may pass.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn read<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
        let asked_by = self.session.number();
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.send(call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(pause) = pause_before_retry(&error, tries, random::u64()) else {
                return Err(error);
            };
            let mut may = false;
            self.budget.update_value(|budget| may = budget.spend());
            if !may {
                return Err(error);
            }
            timer::sleep(pause).await;
            if self.session.number() != asked_by {
                // Nobody's token is used for what somebody else asked.
                return Err(error);
            }
        }
    }

    /// Sends a POST exactly once. One whose token was refused was not applied;
    /// the caller decides anew once the session is good again, which needs no
    /// person where the token can be renewed.
    ///
    /// # Errors
    /// See [`ApiError`]; some leave it unknown whether the POST was applied.
    pub async fn post_once<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
        // Nothing is waited for here: a renewal would outlast what was proven
        // before (`ready_to_post` has seen to the token).
        let sent_with = self.session.token_number();
        let answer = match self.session.bearer_at_hand(call.request.what) {
            Ok(bearer) => self.perform(call, bearer).await,
            Err(error) => Err(error),
        };
        match &answer {
            Err(error) if error.kind == ErrorKind::SignedOut => {
                self.session.post_refused(sent_with);
            }
            // Nobody has answered.
            Err(error) if error.status.is_none() => {}
            _ => self.session.post_taken(),
        }
        answer
    }

    /// Sends a read; `used` becomes the token that it was sent with.
    async fn once<T>(&self, call: &Call<T>, used: &mut String) -> Result<T, ApiError> {
        let bearer = self.session.bearer(call.request.what).await?;
        used.clone_from(&bearer.1);
        self.perform(call, bearer).await
    }

    async fn perform<T>(
        &self,
        call: &Call<T>,
        (base, token): (String, String),
    ) -> Result<T, ApiError> {
        let answer = match fetch::perform(&base, &token, &call.request).await {
            Err(error) if self.answered.with_value(|it| *it != base) => {
                let here = window().location().origin().unwrap_or_default();
                return Err(error.perhaps_not_allowed(&base, &here));
            }
            answer => answer?,
        };
        self.answered.set_value(base);
        let value = call.read(&answer)?;
        self.budget.update_value(RetryBudget::earn);
        Ok(value)
    }
}
