//! What a submission takes in, what it wants done, and what it writes down.

use serde::{Deserialize, Serialize};

use super::{Ended, WaitReason};
use crate::{
    api::{ApiError, RerunAnswer},
    domain::{Batch, Timestamp},
};

/// What happened to a submission.
#[derive(Debug, Clone)]
pub enum SubmissionInput {
    /// The intent was stored, or could not be.
    Stored(Result<(), String>),
    /// The POST was answered, or not.
    Posted(Result<RerunAnswer, ApiError>),
    /// The intent was not stored, or the POST not sent, surely, because it may not be
    /// now; and why.
    NotSent(String),
    /// The batch was read; carries when the read was sent.
    Looked(Timestamp, Result<Box<Batch>, ApiError>),
    /// A time asked for has come.
    Wake,
    /// Signed in again, or unpaused.
    Resume,
    /// The person answers [`Stage::Asking`](super::Stage::Asking).
    PersonSays(PersonSays),
    /// The person calls it off; honoured while nothing is under way.
    CallOff,
}

/// A person's word on a POST whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonSays {
    /// It was applied: ReSim shows the new run.
    Applied,
    /// It was not.
    NotApplied,
}

/// What a submission wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Store the intent durably, then say [`SubmissionInput::Stored`].
    Store,
    /// Send the POST once, then say [`SubmissionInput::Posted`].
    Post,
    /// Read the batch, then say [`SubmissionInput::Looked`].
    Look,
    /// Say [`SubmissionInput::Wake`] at this time.
    WakeAt(Timestamp),
    /// Ask the person to sign in, then say [`SubmissionInput::Resume`].
    SignIn,
    /// Write this into the log.
    Note(SubmissionNote),
    /// Over; see [`Submission::stage`](super::Submission::stage).
    Ended(Ended),
}

/// A step of a submission that belongs into the log. Replaying the notes tells
/// whether a POST may be under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SubmissionNote {
    /// The intent is stored and the POST goes out.
    Sending {
        /// Which POST of this intent, counted from 1.
        post: u32,
    },
    /// 409 or 429: nothing was applied; the next try is due at `next`.
    Waiting {
        /// Which POST was answered.
        post: u32,
        /// Why it waits.
        why: WaitReason,
        /// When the next try is due.
        next: Timestamp,
        /// The server's words.
        message: Option<String>,
    },
    /// No usable answer: the POST may or may not have been applied.
    Unknown {
        /// Why there is no answer.
        error: ApiError,
        /// Until when the server may still apply it.
        settle_until: Timestamp,
    },
    /// No read shows it, and a person is asked.
    AsksPerson,
    /// 401: nothing was applied, sign-in is needed.
    SignedOut,
    /// How it ended.
    Ended(Ended),
}
