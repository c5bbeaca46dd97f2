//! Performs calls of the API: adds the token, retries reads within one budget
//! for the tab, spreads the reads of supervision, and tells the session when
//! the token is refused.

use std::time::Duration;

use leptos::prelude::*;
use retake_core::api::{
    ApiError, Call, ErrorKind,
    pace::Pace,
    retry::{RetryBudget, pause_before_retry},
};

use crate::{
    browser::{clock, fetch, random, timer, window},
    session::{Renewal, Session},
};

/// The API as this tab uses it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Client {
    session: Session,
    budget: StoredValue<RetryBudget>,
    /// The base of an API that has answered, so that it lets this site call it.
    answered: StoredValue<String>,
    pace: StoredValue<Pace>,
}

impl Client {
    /// A client for whoever is signed in.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            budget: StoredValue::new(RetryBudget::default()),
            answered: StoredValue::new(String::new()),
            pace: StoredValue::new(Pace::default()),
        }
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

    /// Sees to a token that is good for the next minute, so that a POST that
    /// follows leaves at once.
    pub async fn ready_to_post(&self) {
        // Without a token the POST itself says so.
        let _ = self.session.bearer("get ready").await;
    }

    /// Performs a read, once. A refused token is renewed once, if it can be.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn send<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
        match self.once(call).await {
            Err(error) if error.kind == ErrorKind::SignedOut => {
                match self.session.renew().await {
                    Renewal::Renewed => {}
                    Renewal::Refused => {
                        self.session.expired();
                        return Err(error);
                    }
                    // Not signed out: nobody could be asked. It may pass.
                    Renewal::Unreachable => {
                        let why = "the sign-in provider does not answer";
                        return Err(ApiError::new(error.what, ErrorKind::Unreachable, why));
                    }
                }
                let again = self.once(call).await;
                if matches!(&again, Err(error) if error.kind == ErrorKind::SignedOut) {
                    self.session.expired();
                }
                again
            }
            answer => answer,
        }
    }

    /// Performs a read that a person waits for, and tries again what may pass.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn read<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
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
        }
    }

    /// Sends a POST exactly once. One whose token was refused was not applied;
    /// the caller decides anew once the session is good again, which needs no
    /// person where the token can be renewed.
    ///
    /// # Errors
    /// See [`ApiError`]; some leave it unknown whether the POST was applied.
    pub async fn post_once<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
        let answer = self.once(call).await;
        if matches!(&answer, Err(error) if error.kind == ErrorKind::SignedOut) {
            self.session.recover();
        }
        answer
    }

    async fn once<T>(&self, call: &Call<T>) -> Result<T, ApiError> {
        let (base, token) = self.session.bearer(call.request.what).await?;
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
