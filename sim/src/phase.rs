//! Where a supervision stands, as finely as faults tell it apart.

use retake_core::{
    rerun::{Stage, Submission},
    supervise::{Phase as CorePhase, Supervisor},
};

/// A phase of the coverage table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Looks up the batch by name.
    Resolving,
    /// Waits for the batch.
    Waiting,
    /// Lists the tests.
    Reading,
    /// Reads the batch once more.
    Deciding,
    /// A rerun is decided, and its POST has not left.
    Storing,
    /// The POST is under way.
    Posting,
    /// The POST's outcome is unknown, or it waits for its next try.
    Settling,
    /// Does nothing for now.
    Paused,
}

/// Number of phases.
pub(crate) const PHASES: usize = 8;

impl Phase {
    /// Every phase.
    pub const ALL: [Self; PHASES] = [
        Self::Resolving,
        Self::Waiting,
        Self::Reading,
        Self::Deciding,
        Self::Storing,
        Self::Posting,
        Self::Settling,
        Self::Paused,
    ];

    /// The phase in a word.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Resolving => "Resolving",
            Self::Waiting => "Waiting",
            Self::Reading => "Reading",
            Self::Deciding => "Deciding",
            Self::Storing => "Storing",
            Self::Posting => "Posting",
            Self::Settling => "Settling",
            Self::Paused => "Paused",
        }
    }

    /// Where this machine stands; `None` when it is over. `leaving`: its POST
    /// waits for the last look at the journal.
    pub(crate) fn of(machine: &Supervisor, leaving: bool) -> Option<Self> {
        Some(match machine.state().phase {
            CorePhase::Resolving => Self::Resolving,
            CorePhase::Waiting => Self::Waiting,
            CorePhase::Reading => Self::Reading,
            CorePhase::Deciding => Self::Deciding,
            CorePhase::Rerunning => match machine.submission().map(Submission::stage) {
                None | Some(Stage::Storing) => Self::Storing,
                Some(Stage::Posting) if leaving => Self::Storing,
                Some(Stage::Posting) => Self::Posting,
                Some(_) => Self::Settling,
            },
            CorePhase::Paused(_) => Self::Paused,
            CorePhase::Done(_) | CorePhase::Stopped => return None,
        })
    }
}
