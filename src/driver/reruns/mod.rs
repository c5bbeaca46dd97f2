//! What a person reruns by hand, batch by batch.
//!
//! A rerun outlives the page that it was pressed on: it goes on while another
//! page is open, after a sign-in, and after a reload of whatever page. So the app
//! holds them, not the page.
//!
//! `rerun` has the reruns of one batch, `written` what of them is on disk.

mod rerun;
mod written;

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    auth::Identity,
    domain::{BatchId, ProjectId},
    rerun::Limits,
};

pub use rerun::Reruns;
pub(super) use written::landing_in;

use crate::{
    browser::{journal, timer},
    client::Client,
};

/// Everything that is rerun by hand in this tab; provided as context.
#[derive(Clone, Copy)]
pub struct OwnReruns {
    inner: StoredValue<Inner, LocalStorage>,
    list: RwSignal<Vec<Reruns>>,
    /// How many sign-ins have looked for what was left open.
    turn: StoredValue<u32>,
}

struct Inner {
    client: Client,
    /// Signals of a rerun outlive the page that began it.
    owner: Owner,
    /// Tells a person who has left the page how a rerun failed.
    tell: Rc<dyn Fn(String)>,
}

/// A batch whose tests are rerun by hand.
#[derive(Debug, Clone)]
pub struct Of {
    /// Its project.
    pub project: ProjectId,
    /// Its ID.
    pub batch: BatchId,
    /// Its name.
    pub name: String,
}

impl OwnReruns {
    /// None yet. `tell` says on screen what went wrong behind a page that was left.
    pub fn new(client: Client, tell: impl Fn(String) + 'static) -> Self {
        Self {
            inner: StoredValue::new_local(Inner {
                client,
                owner: Owner::current().unwrap_or_default(),
                tell: Rc::new(tell),
            }),
            list: RwSignal::new(Vec::new()),
            turn: StoredValue::new(0),
        }
    }

    /// The reruns of a batch, for its page: called by the page, and until that
    /// goes. One that an earlier life of the tab left open is taken up.
    pub fn open(&self, identity: &Identity, of: Of, limits: Limits) -> Reruns {
        let reruns = self.reruns(identity, of, limits);
        reruns.page_opens();
        on_cleanup(move || reruns.page_goes());
        reruns
    }

    /// The reruns by this account that are on their way, or failed; tracked.
    pub fn worth_showing(&self, identity: &Identity) -> Vec<Reruns> {
        self.list.with(|list| {
            list.iter()
                .filter(|it| it.inner().about.identity == *identity && it.is_worth_showing())
                .copied()
                .collect()
        })
    }

    /// How many of this account are on their way while no page shows them; tracked.
    pub fn behind(&self, identity: &Identity) -> usize {
        let all = self.worth_showing(identity);
        all.iter().filter(|it| it.is_behind()).count()
    }

    /// How many of this account are on their way; tracked.
    pub fn under_way(&self, identity: &Identity) -> usize {
        let all = self.worth_showing(identity);
        all.iter().filter(|it| it.is_under_way()).count()
    }

    /// This account is signed in again: what waited for that goes on, and what
    /// was left open when the page was last closed is taken up.
    pub fn signed_in(self, identity: Identity, limits: Limits) {
        for reruns in self.list.get_untracked() {
            if reruns.inner().about.identity == identity {
                reruns.resume();
            }
        }
        let turn = self.turn.get_value() + 1;
        self.turn.set_value(turn);
        spawn_local(async move {
            // A journal that cannot be read now is read again until it can; the list of
            // supervisions, which are kept there too, says so meanwhile.
            let left_open = loop {
                let read = written::left_open_by(identity.clone());
                match journal::in_time(read).await {
                    Ok(left_open) => break left_open,
                    // Read at another sign-in since.
                    Err(_) if self.turn.get_value() != turn => return,
                    Err(_) => timer::sleep(journal::READ_AGAIN).await,
                }
            };
            for of in left_open {
                let reruns = self.reruns(&identity, of, limits);
                reruns.take_up_later(reruns.inner());
            }
        });
    }

    fn reruns(&self, identity: &Identity, of: Of, limits: Limits) -> Reruns {
        let is_it = |it: &&Reruns| {
            let about = &it.inner().about;
            about.batch == of.batch && about.identity == *identity
        };
        let known = self
            .list
            .with_untracked(|list| list.iter().find(is_it).copied());
        known.unwrap_or_else(|| {
            let reruns = self.inner.with_value(|inner| {
                let about = rerun::About {
                    client: inner.client,
                    identity: identity.clone(),
                    project: of.project,
                    batch: of.batch,
                    name: of.name,
                    limits,
                    tell: inner.tell.clone(),
                };
                inner.owner.with(|| Reruns::none(about))
            });
            self.list.update(|list| list.push(reruns));
            reruns
        })
    }
}
