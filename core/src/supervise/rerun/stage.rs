//! Where a submission stands, and how it can end.

use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::{
    api::ApiError,
    domain::{BatchId, RunCounter, Timestamp},
};

/// Where a submission stands; what a person sees as pressed, sent, accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Pressed: the intent is being stored; nothing was sent.
    Storing,
    /// Sent: the POST is under way.
    Posting,
    /// The batch is read before the next POST, or before a 409 is believed.
    Checking {
        /// What happens if nothing has moved.
        then: Then,
    },
    /// Waits before it looks and posts again.
    Cooling {
        /// When the next try is due.
        until: Timestamp,
        /// Why.
        why: WaitReason,
    },
    /// Nobody knows whether the POST was applied; the batch is read until that is clear.
    Settling {
        /// Until when the server may still apply it.
        until: Timestamp,
        /// Reads after that which showed no run of it.
        agreeing: u8,
    },
    /// By hand: a run was seen while the POST may still be applied, so it may be somebody
    /// else's, and nothing more is sent before. A supervisor goes on with the run, and keeps
    /// the time in its own state.
    #[serde(rename = "Landing")]
    SeenEarly {
        /// Until when the server may still apply it.
        until: Timestamp,
        /// How it ends then.
        ended: Ended,
    },
    /// Strict: no read shows the POST, and a person is asked whether it was
    /// applied; waits for [`PersonSays`](super::SubmissionInput::PersonSays), still
    /// looking now and then.
    Asking,
    /// Signed out: waits for [`Resume`](super::SubmissionInput::Resume).
    Parked,
    /// Over.
    Ended(Ended),
}

impl Stage {
    /// Whether nothing of it is under way, so that a person may call it off.
    pub fn can_be_called_off(&self) -> bool {
        matches!(
            self,
            Self::Storing | Self::Cooling { .. } | Self::Checking { .. } | Self::Parked
        )
    }
}

/// What follows a check that finds nothing moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// Wait out the cooldown.
    Cool,
    /// Post again.
    Post,
}

/// Why a submission waits before its next POST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitReason {
    /// 409: the platform is still cleaning up the last run.
    CleaningUp,
    /// 429: too many requests.
    Throttled,
}

/// How a submission ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// A rerun was applied. If the POST's own answer was lost, some rerun was,
    /// and it counts as ours, on the safe side.
    Applied {
        /// The batch to follow from now on.
        batch: BatchId,
        /// The run to wait for, where counters are known.
        run: Option<RunCounter>,
        /// What proved it.
        evidence: Evidence,
    },
    /// Nothing was applied: decide anew on a fresh picture.
    NotApplied,
    /// The server refused, for good.
    Refused(ApiError),
    /// The platform stayed busy through every try.
    StillBusy(ApiError),
    /// The intent could not be stored, so nothing was sent.
    NotStored(String),
    /// It was held back before it left, for this reason: decide anew.
    NotSent(String),
    /// Called off by the person while it waited.
    CalledOff,
}
