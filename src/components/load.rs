//! Reading something that a page cannot do without: tried again by itself while
//! that makes sense, with words for every state.

use std::{cell::RefCell, future::Future, rc::Rc, time::Duration};

use futures::{channel::oneshot, future::select};
use leptos::prelude::*;
use retake_core::{
    api::{ApiError, ErrorKind, retry},
    domain::Timestamp,
    view::freshness::upper_first,
};

use super::sign_out::Leaving;
use crate::{
    browser::{clock, random, timer},
    driver::task::while_open,
    shell::Ticker,
};

/// How far it has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Load<T> {
    /// Under way.
    Reading,
    /// There it is.
    Ready(T),
    /// It failed; when it is tried again, if it is.
    Failed(ApiError, Option<Timestamp>),
}

/// Something that is being read. Cheap to copy.
pub struct Loader<T: Send + Sync + 'static> {
    /// How far it has come.
    pub state: RwSignal<Load<T>>,
    kick: StoredValue<Rc<RefCell<Option<oneshot::Sender<()>>>>, LocalStorage>,
}

impl<T: Send + Sync + 'static> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loader<T> {}

/// Waits at least this long before a page tries again by itself.
const PAUSE: Duration = Duration::from_secs(2);

impl<T: Send + Sync + 'static> Loader<T> {
    /// Reads until it succeeds, fails for good, or the owner goes.
    pub fn start<F, R>(read: F) -> Self
    where
        F: Fn() -> R + 'static,
        R: Future<Output = Result<T, ApiError>> + 'static,
    {
        let kick = Rc::new(RefCell::new(None));
        let it = Self {
            state: RwSignal::new(Load::Reading),
            kick: StoredValue::new_local(kick.clone()),
        };
        // Dropped with its owner, in the middle of a read if need be: a page that
        // was left asks for nothing more.
        while_open(async move {
            let mut tries = 0;
            loop {
                let answer = read().await;
                tries += 1;
                let (retry, waked) = oneshot::channel::<()>();
                *kick.borrow_mut() = Some(retry);
                match answer {
                    Ok(value) => {
                        // The page is made in a task of its own, after the answer was read.
                        timer::sleep(Duration::ZERO).await;
                        it.state.set(Load::Ready(value));
                        return;
                    }
                    Err(error) if error.is_retryable() => {
                        let pause = PAUSE + retry::jitter(tries, random::u64());
                        let pause = pause.max(error.retry_after.unwrap_or_default());
                        let next = clock::wall().after(pause);
                        it.state.set(Load::Failed(error, Some(next)));
                        select(waked, Box::pin(timer::sleep(pause))).await;
                    }
                    Err(error) => {
                        it.state.set(Load::Failed(error, None));
                        // Only the person can ask again; a dropped sender is that, or the end.
                        let _ = waked.await;
                    }
                }
            }
        });
        it
    }

    /// Tries again now.
    pub fn retry(&self) {
        // Dropping the sender ends the wait.
        self.kick.try_with_value(|kick| kick.borrow_mut().take());
    }
}

/// Says what could not be read, why, and what happens next.
#[component]
pub fn LoadFailed(
    /// What could not be read, as a sentence: "The list of batches could not be read."
    #[prop(into)]
    title: String,
    /// Why.
    error: ApiError,
    /// When it is tried again by itself.
    next: Option<Timestamp>,
    /// Asks again now.
    #[prop(into)]
    retry: Callback<()>,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let leaving = expect_context::<Leaving>();
    let is_forbidden = error.kind == ErrorKind::Forbidden;
    let trying = move || match next {
        Some(next) => {
            let left = next.since(ticker.now()).as_secs();
            if left == 0 {
                " Trying again now.".to_owned()
            } else {
                format!(" Trying again in {left} s.")
            }
        }
        None => " It is not tried again by itself.".to_owned(),
    };
    view! {
        <div class="notice" data-tone="error" role="alert">
            <div>
                <p><b>{title}</b><span aria-live="off">{trying}</span></p>
                <p class="notice__said">
                    {upper_first(&retake_core::view::words::clean(&error.to_string()))}
                </p>
                {is_forbidden.then(|| view! {
                    <p>
                        "Ask somebody who owns the project for access, or "
                        <button type="button" class="button button--link" on:click=move |_| leaving.sign_out()>
                            "sign in with another account"
                        </button>
                        "."
                    </p>
                })}
            </div>
            <div class="buttons">
                <button type="button" class="button button--small" on:click=move |_| retry.run(())>
                    "Try now"
                </button>
            </div>
        </div>
    }
}
