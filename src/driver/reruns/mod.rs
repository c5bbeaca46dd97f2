//! What a person reruns by hand, batch by batch.
//!
//! A rerun outlives the page that it was pressed on: it goes on while another
//! page is open, and after a sign-in. So the app holds them, not the page.
//!
//! `rerun` has the reruns of one batch.

mod rerun;

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use leptos::prelude::*;
use retake_core::{
    auth::Identity,
    domain::{BatchId, ProjectId},
    rerun::Limits,
};

pub use rerun::Reruns;

use crate::client::Client;

/// Everything that is rerun by hand in this tab; provided as context.
#[derive(Clone, Copy)]
pub struct OwnReruns {
    inner: StoredValue<Inner, LocalStorage>,
}

struct Inner {
    client: Client,
    /// Signals of a rerun outlive the page that began it.
    owner: Owner,
    /// Tells a person who has left the page how a rerun failed.
    tell: Rc<dyn Fn(String)>,
    list: RefCell<HashMap<(Identity, BatchId), Reruns>>,
}

impl OwnReruns {
    /// None yet. `tell` says on screen what went wrong behind a page that was left.
    pub fn new(client: Client, tell: impl Fn(String) + 'static) -> Self {
        Self {
            inner: StoredValue::new_local(Inner {
                client,
                owner: Owner::current().unwrap_or_default(),
                tell: Rc::new(tell),
                list: RefCell::default(),
            }),
        }
    }

    /// The reruns of a batch, for its page: called by the page, and until that
    /// goes. One that an earlier life of the tab left open is taken up.
    pub fn open(
        &self,
        identity: &Identity,
        project: ProjectId,
        batch: BatchId,
        limits: Limits,
    ) -> Reruns {
        let reruns = self.inner.with_value(|inner| {
            let key = (identity.clone(), batch);
            *inner.list.borrow_mut().entry(key).or_insert_with(|| {
                let about = rerun::About {
                    client: inner.client,
                    identity: identity.clone(),
                    project,
                    batch,
                    limits,
                    tell: inner.tell.clone(),
                };
                inner.owner.with(|| Reruns::none(about))
            })
        });
        reruns.page_opens();
        on_cleanup(move || reruns.page_goes());
        reruns
    }

    /// This account is signed in again: what waited for that goes on.
    pub fn signed_in(&self, identity: &Identity) {
        let all: Vec<Reruns> = self.inner.with_value(|inner| {
            let list = inner.list.borrow();
            let own = list.iter().filter(|((owner, _), _)| owner == identity);
            own.map(|(_, reruns)| *reruns).collect()
        });
        for reruns in all {
            reruns.resume();
        }
    }
}
