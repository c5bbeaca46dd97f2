//! Until when a POST of this browser for a batch may still land: one answer over every
//! journal, of supervisions and of reruns by hand, of whichever account.
//!
//! Whoever is about to send asks it after writing that down. So of two who ask at the
//! same time at least one sees the other.

use std::{cell::RefCell, time::Duration};

use retake_core::{
    domain::{BatchId, Timestamp},
    supervise::Landing,
    view::rerun,
};

use super::{reruns, supervisions};
use crate::browser::{
    clock,
    journal::{self, JournalError, Stored},
};

thread_local! {
    /// Journals that could not be read to their end; there are hardly ever any.
    static UNCLEAR: RefCell<Vec<Unclear>> = RefCell::default();
}

/// A journal that could not be read to its end.
struct Unclear {
    id: String,
    /// How many lines it had, and whose the last was …
    held: (usize, Option<u64>),
    /// … and since when this page has seen it so, by the clock that nobody sets.
    since: Duration,
}

/// A POST that may still land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MayLand {
    /// Until then.
    pub(super) until: Timestamp,
    /// What may be a POST cannot be read.
    pub(super) unclear: bool,
}

impl MayLand {
    /// Why nothing is sent before.
    pub(super) fn words(self) -> String {
        rerun::may_still_land(self.unclear, &clock::local_time(self.until))
    }
}

/// Until when a POST for this batch may still land, if one may; `but` for the journal
/// of whoever asks. `settle`: how long one may take, where its journal does not say.
pub(super) async fn of_batch(
    batch: BatchId,
    settle: Duration,
    but: &str,
) -> Result<Option<MayLand>, JournalError> {
    let (stored, _) = journal::in_time(supervisions::read(None)).await?;
    Ok(among(&stored, batch, settle, but))
}

/// The same, of journals that were read.
pub(super) fn among(
    stored: &[Stored],
    batch: BatchId,
    settle: Duration,
    but: &str,
) -> Option<MayLand> {
    stored
        .iter()
        .filter(|it| it.id != but && is_about(it, batch))
        .filter_map(|it| of(it, settle))
        .max_by_key(|it| it.until)
}

/// This page has seen these: what of them cannot be read counts from now at the latest.
pub(super) fn note(stored: &[Stored]) {
    for stored in stored {
        let _ = of(stored, Duration::ZERO);
    }
}

/// Whether a journal names this batch, however much of it can be read.
pub(super) fn is_about(stored: &Stored, batch: BatchId) -> bool {
    let id = batch.to_string();
    stored.id.contains(&id) || stored.lines.iter().any(|(_, line)| line.contains(&id))
}

/// The same, of one journal, whatever its batch.
pub(super) fn of(stored: &Stored, settle: Duration) -> Option<MayLand> {
    let now = clock::now();
    let landing = reruns::landing_in(stored, settle, now.wall)
        .or_else(|| supervisions::landing_in(stored, now.wall));
    Some(match landing? {
        Landing::Until(until) => MayLand {
            until,
            unclear: false,
        },
        Landing::Unclear => {
            let since = unclear_since(stored, now.mono);
            let left = Landing::takes(settle).saturating_sub(now.mono.saturating_sub(since));
            if left.is_zero() {
                return None;
            }
            MayLand {
                until: now.wall.after(left),
                unclear: true,
            }
        }
    })
}

/// Since when this page has seen a journal as it is.
fn unclear_since(stored: &Stored, now: Duration) -> Duration {
    let life = stored.writer.as_ref().map(|writer| writer.life);
    let held = (stored.lines.len(), life);
    UNCLEAR.with_borrow_mut(|all| {
        if let Some(known) = all.iter().find(|it| it.id == stored.id && it.held == held) {
            return known.since;
        }
        all.retain(|it| it.id != stored.id);
        all.push(Unclear {
            id: stored.id.clone(),
            held,
            since: now,
        });
        now
    })
}
