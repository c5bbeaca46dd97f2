//! What sessions of this tab may have left at a provider, for a sign-out to say.
//!
//! The tab remembers it (`sessionStorage`) over reloads and over ways to the provider; a
//! sign-out clears that. Nothing of it is a secret: issuers, and a mark.

use std::cell::{Cell, RefCell};

use crate::browser::storage;

/// Tokens may be good still that were given up.
const UNTOLD: &str = "retake-untold";
/// Issuers with a session of this browser, one a line.
const OPEN: &str = "retake-open-at";

/// What this tab knows of it.
#[derive(Debug)]
pub(super) struct Remains {
    /// Tokens that are being given up right now.
    parting: Cell<u32>,
    /// Some were given up, and the provider may never know.
    untold: Cell<bool>,
    /// Issuers that have, or had, a session of this browser.
    open: RefCell<Vec<String>>,
}

impl Remains {
    /// As a page of this tab finds it.
    pub(super) fn found() -> Self {
        let open = storage::tab_get(OPEN).unwrap_or_default();
        Self {
            parting: Cell::new(0),
            untold: Cell::new(storage::tab_get(UNTOLD).is_some()),
            open: RefCell::new(open.lines().map(ToOwned::to_owned).collect()),
        }
    }

    /// A session of this browser has begun at that issuer.
    pub(super) fn opened(&self, issuer: &str) {
        let mut open = self.open.borrow_mut();
        if !open.iter().any(|it| it == issuer) {
            open.push(issuer.to_owned());
            storage::tab_set(OPEN, &open.join("\n"));
        }
    }

    /// Whether an issuer may have a session of this browser still, once that at `ended` is over.
    pub(super) fn leaves_open(&self, ended: Option<&str>) -> bool {
        self.open
            .borrow()
            .iter()
            .any(|it| Some(it.as_str()) != ended)
    }

    /// Whether tokens of an earlier session may be good still.
    pub(super) fn is_untold(&self) -> bool {
        self.untold.get() || self.parting.get() > 0
    }

    /// Tokens are given up: waits for `telling`, which gives whether the provider knows. If
    /// the page goes before that, nobody does.
    pub(super) async fn part(&self, telling: impl Future<Output = bool>) {
        let cleared = storage::times_cleared();
        self.parting.set(self.parting.get() + 1);
        storage::tab_set(UNTOLD, "1");
        let told = telling.await;
        self.parting.set(self.parting.get() - 1);
        self.untold.set(self.untold.get() || !told);
        // A sign-out meanwhile has said it, and the tab knows nothing any more.
        if !self.is_untold() && storage::times_cleared() == cleared {
            storage::tab_remove(UNTOLD);
        }
    }
}
