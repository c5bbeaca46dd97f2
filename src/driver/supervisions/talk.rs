//! What the tabs of this browser tell each other about their supervisions.
//! Only for showing and as signs of life; what holds is in the journal.

use retake_core::{
    domain::Timestamp,
    rerun::Stage,
    supervise::{Record, Supervisor},
};
use serde::{Deserialize, Serialize};

/// The channel. Its name changes with the form of the messages, so that tabs
/// of another build are not misunderstood.
pub(super) const CHANNEL: &str = "retake-supervisions-1";

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Message {
    /// The acting tab lives, and this is what it does.
    Acting(Box<Acting>),
    /// Who acts on this supervision?
    Ask {
        /// Its name.
        id: String,
        /// The asking tab could act itself.
        able: bool,
    },
    /// A supervision has begun in this tab and is in the journal.
    Begun {
        /// Its name.
        id: String,
    },
    /// A supervision was removed from the journal.
    Forgotten {
        /// Its name.
        id: String,
    },
}

/// What the acting tab does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Acting {
    /// The supervision's name.
    pub id: String,
    /// Its epoch.
    pub epoch: u64,
    /// It is signed out and would yield to a tab that can act.
    pub idle: bool,
    /// Records since the last message.
    pub records: Vec<Record>,
    /// Records in all.
    pub total: usize,
    /// What it does between two records.
    pub doing: Doing,
}

/// A sign of life, however little else of the message this build can read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Sign {
    /// The supervision's name.
    pub id: String,
    /// Its epoch.
    pub epoch: u64,
    /// It would yield to a tab that can act.
    pub idle: bool,
}

impl Sign {
    /// The one in a message of another build, whose records may have names that this one
    /// does not know.
    pub(super) fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        enum Message {
            Acting(Sign),
        }
        let Message::Acting(sign) = serde_json::from_str(text).ok()?;
        Some(sign)
    }
}

/// What a screen shows beside the state that the records give.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Doing {
    /// The rerun that is on its way.
    pub submission: Option<Stage>,
    /// When it acts next by itself.
    pub next_due: Option<Timestamp>,
    /// When the batch was last read.
    pub looked: Option<Timestamp>,
    /// Failed reads in a row.
    pub failures: u32,
}

impl Doing {
    /// What a machine does.
    pub(super) fn of(supervisor: &Supervisor) -> Self {
        Self {
            submission: supervisor.submission().map(|it| it.stage().clone()),
            next_due: supervisor.next_due(),
            looked: supervisor.read_at(),
            failures: supervisor.failures(),
        }
    }
}
