//! What a rerun by hand writes down, and when: its intent before anything else,
//! a line before each POST leaves. What another tab has written is left alone.

use std::rc::Rc;

use leptos::task::spawn_local;
use retake_core::{
    auth::Identity,
    domain::{BatchId, ProjectId},
    rerun::{Doubt, Left, Line, Submission},
    supervise::SEND_WITHIN,
};

use super::rerun::Inner;
use crate::browser::{clock, journal::Journal, locks};

/// Why a rerun does not begin: another one is to be cleared up first.
pub(super) const LEFT_OPEN: &str =
    "an earlier rerun of this batch is still open; it is looked into first";

/// How the names of their journals begin.
const PREFIX: &str = "rerun:";

fn owner(identity: &Identity) -> String {
    serde_json::to_string(identity).expect("plain data serialises")
}

/// What earlier lives of this account left open in this browser, and is still to
/// be sent or looked into: batch, project and name.
pub(super) async fn left_open_by(identity: &Identity) -> Vec<(BatchId, ProjectId, String)> {
    let Ok(journal) = Journal::open().await else {
        return Vec::new();
    };
    let stored = journal.load_all().await.unwrap_or_default();
    let owner = owner(identity);
    stored
        .iter()
        .filter_map(|stored| {
            let (batch, owned_by) = stored.id.strip_prefix(PREFIX)?.split_once(':')?;
            let lines = stored.lines.iter().map(|(_, line)| line.as_str());
            let left = Left::read(lines, clock::wall()).filter(|_| owned_by == owner)?;
            // One that has lapsed is told on the page of its batch.
            let (project, name) = left.of.filter(|_| left.doubt != Doubt::Lapsed)?;
            Some((batch.parse().ok()?, project, name))
        })
        .collect()
}

impl Inner {
    /// The journal's name for the reruns of this batch by this account.
    pub(super) fn journal_id(&self) -> String {
        format!(
            "{PREFIX}{}:{}",
            self.about.batch,
            owner(&self.about.identity)
        )
    }

    /// Whether a POST may leave now: a renewal of the token, or a page that was
    /// frozen, may have taken longer than the settle window allows for.
    pub(super) async fn clear_to_send(&self) -> Result<(), String> {
        let decided = clock::now();
        // Somebody else's token is of no use; then the POST itself says so.
        if let Ok(client) = self.may_call() {
            client.ready_to_post().await;
        }
        // Only then may an earlier "not applied" no longer be believed.
        let post = self
            .submission
            .borrow()
            .as_ref()
            .map_or(0, Submission::posts);
        let at = clock::wall();
        self.write(&Line::Sent { post, at }).await?;
        let now = clock::now();
        let took = now
            .wall
            .since(decided.wall)
            .max(now.mono.saturating_sub(decided.mono));
        if took > SEND_WITHIN {
            return Err("this page slept, or the sign-in took too long, before it was sent".into());
        }
        Ok(())
    }

    /// Whether this tab may act.
    pub(super) async fn lock(&self) -> bool {
        if self.lock.borrow().is_some() || !locks::available() {
            return true;
        }
        let lock = locks::try_hold(&format!("retake-rerun-{}", self.about.batch)).await;
        // Whoever asked at the same time may have been granted it.
        let mut held = self.lock.borrow_mut();
        if lock.is_some() {
            *held = lock;
        }
        held.is_some()
    }

    pub(super) async fn store_intent(&self) -> Result<(), String> {
        if !self.lock().await {
            return Err("another tab of this browser is rerunning tests of this batch".into());
        }
        let line = self
            .submission
            .borrow()
            .as_ref()
            .map(|it| Line::Intent(Box::new(it.intent().clone())))
            .ok_or("there is no rerun to write down")?;
        let journal = Journal::open().await.map_err(|error| error.to_string())?;
        // One that another tab, or an earlier life, left open comes first.
        let stored = journal.load(&self.journal_id()).await;
        let stored = stored.map_err(|error| error.to_string())?;
        let lines = stored.iter().flat_map(|it| &it.lines);
        let left = Left::read(lines.map(|(_, line)| line.as_str()), clock::wall());
        if left.is_some_and(|left| left.doubt != Doubt::Lapsed) {
            // Its lines stay: none of them is ours.
            self.lock.borrow_mut().take();
            return Err(LEFT_OPEN.into());
        }
        journal
            .remove(&self.journal_id())
            .await
            .map_err(|error| error.to_string())?;
        let of = Line::Of {
            project: self.about.project,
            name: self.about.name.clone(),
        };
        self.write(&of).await?;
        self.write(&line).await
    }

    pub(super) async fn write(&self, line: &Line) -> Result<(), String> {
        let place = self.lines.replace(self.lines.get() + 1);
        let json = serde_json::to_string(line).map_err(|error| error.to_string())?;
        let journal = Journal::open().await.map_err(|error| error.to_string())?;
        let writer = self.writer.borrow().clone();
        journal
            .append(&self.journal_id(), &writer, place, &json)
            .await
            .map_err(|error| error.to_string())
    }
}

/// It is over: the journal forgets it, and other tabs may begin.
pub(super) fn put_away(inner: &Rc<Inner>) {
    inner.timer.borrow_mut().take();
    // What this life has not written, or taken up, is another's.
    let has_lines = inner.lines.replace(0) > 0;
    let inner = inner.clone();
    spawn_local(async move {
        let _held = inner.lock.borrow_mut().take();
        if !has_lines {
            return;
        }
        if let Ok(journal) = Journal::open().await {
            // An intent that stays is resolved by looking at the next visit.
            let _ = journal.remove(&inner.journal_id()).await;
        }
    });
}
