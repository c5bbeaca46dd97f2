//! What is stored of a supervision, and what of it can be read back.
//!
//! The first line says what it is about and whose it is, the others are its
//! records. A line that cannot be read ends what is known: the part before it
//! is shown, with the reason, and nobody acts on it, because the missing part
//! may hold the intent of a rerun.

use std::fmt;

use retake_core::{
    auth::Identity,
    domain::{ProjectId, Timestamp},
    supervise::{BatchRef, Event, Landing, Record, STORED_FORM, State, read_records},
};
use serde::{Deserialize, Serialize};

use super::PREFIX;
use crate::browser::journal::Stored;

/// Version of the stored form; a journal of a newer one is only shown.
const VERSION: u32 = STORED_FORM;

/// What belongs to a supervision besides its records; the journal's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Version of the stored form.
    pub version: u32,
    /// The account that started it; another one may look, not act.
    pub owner: Identity,
    /// The account's name on screen.
    pub owner_name: Option<String>,
    /// The project.
    pub project: ProjectId,
    /// What the project was called.
    pub project_name: String,
}

impl About {
    /// What a new supervision is about.
    pub fn new(
        owner: Identity,
        owner_name: Option<String>,
        project: ProjectId,
        project_name: String,
    ) -> Self {
        Self {
            version: VERSION,
            owner,
            owner_name,
            project,
            project_name,
        }
    }
}

/// Why a journal is only shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Damage {
    /// A newer build wrote it.
    Newer,
    /// The record of this number is missing or cannot be read.
    At(u32),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer => f.write_str(
                "A newer Retake wrote this journal. Reload the page to get that version.",
            ),
            Self::At(place) => write!(
                f,
                "The journal is damaged at record {}. What comes before it is shown; nobody acts \
                 on it, because a rerun may have been written down after that.",
                place + 1
            ),
        }
    }
}

/// A stored supervision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// What it is about.
    pub about: About,
    /// Its records, up to the damage if there is one.
    pub records: Vec<Record>,
    /// The highest epoch that has written.
    pub epoch: u64,
    /// Why it is only shown.
    pub damage: Option<Damage>,
}

impl Found {
    /// Reads a journal. `None`: it is no supervision's, or nothing of it can be read.
    pub(super) fn read(stored: &Stored) -> Option<Self> {
        let (_, first) = stored.lines.first().filter(|(place, _)| *place == 0)?;
        let about: About = serde_json::from_str(first).ok()?;
        let rest = stored.lines.iter().skip(1);
        // The first line is at place 0, so a record's place is one more than its number.
        let (records, torn) =
            read_records(rest.map(|(place, line)| (place.saturating_sub(1), line.as_str())));
        // The first line is of the build that began it; a newer one may have gone on.
        let damage = if stored.form().max(about.version) > VERSION {
            Some(Damage::Newer)
        } else {
            torn.map(Damage::At)
        };
        let state = State::replay(&records)?;
        let epoch = stored.writer.as_ref().map_or(0, |writer| writer.epoch);
        Some(Self {
            about,
            epoch: epoch.max(state.epoch),
            records,
            damage,
        })
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        State::replay(&self.records).is_some_and(|state| state.phase.is_over())
    }
}

/// A POST of a supervision that may still land, as its journal says; `None` also for
/// another kind of journal.
pub(in crate::driver) fn landing_in(stored: &Stored, now: Timestamp) -> Option<Landing> {
    if !stored.id.starts_with(PREFIX) {
        return None;
    }
    let found = Found::read(stored);
    let state = found.as_ref().and_then(|it| State::replay(&it.records));
    let is_whole = found.is_some_and(|it| it.damage.is_none());
    Landing::of_supervision(state.as_ref(), is_whole, now)
}

/// Whether it is a supervision that a newer build goes on with.
pub(super) fn is_newer(stored: &Stored) -> bool {
    stored.id.starts_with(PREFIX)
        && match Found::read(stored) {
            Some(found) => found.damage == Some(Damage::Newer) && !found.is_over(),
            None => stored.form() > VERSION,
        }
}

/// The lock of whoever acts on this supervision's batch. By the batch's ID alone, which is
/// the same however an environment spells the address of its API.
pub(super) fn lock_name(about: &About, records: &[Record]) -> String {
    match records.first().map(|record| &record.event) {
        Some(Event::Started {
            batch: BatchRef::Id(id),
            ..
        }) => format!("retake-supervise {id}"),
        Some(Event::Started {
            batch: BatchRef::Name(name),
            ..
        }) => format!("retake-supervise {} {name}", about.project),
        _ => format!("retake-supervise {}", about.project),
    }
}
