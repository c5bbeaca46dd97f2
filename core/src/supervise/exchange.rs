//! What the supervising machine takes in, and what it wants done.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Counted, NotPassed, PauseReason, Record, Verdict};
use crate::{
    api::{ApiError, RerunAnswer},
    domain::{Batch, BatchId, Test, Timestamp},
    rerun::{Intent, PersonSays},
};

/// A batch as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BatchRef {
    /// By ID.
    Id(BatchId),
    /// By name: resolved once, to the newest batch of that name, and pinned.
    Name(String),
}

/// The present, as the driver reads it. The core has no clock and no dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Now {
    /// The wall clock.
    pub wall: Timestamp,
    /// A clock that never jumps, from any start. May stop while the computer sleeps.
    pub mono: Duration,
    /// Random bits, for jitter.
    pub dice: u64,
}

/// Number of a question to the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CallId(pub u64);

/// What made the page think that it should look now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeReason {
    /// Shown, unfrozen, focused or restored from the back/forward cache.
    Visible,
    /// The browser says that the network is back.
    Online,
    /// A person pressed Refresh.
    Asked,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The time asked for by [`Output::WakeAt`] has come.
    Wake,
    /// Time goes by. Said now and then, also while a question is open, so that a sleep
    /// is told from a question that takes long.
    Ticked,
    /// Something suggests a look before that.
    Woken(WakeReason),
    /// Answer to [`Output::ResolveBatch`]: ID and name.
    Resolved(CallId, Result<(BatchId, Option<String>), ApiError>),
    /// Answer to [`Output::ReadBatch`].
    BatchRead(CallId, Result<Box<Batch>, ApiError>),
    /// Answer to [`Output::ReadTests`]: every page, as listed.
    TestsRead(CallId, Result<Vec<Test>, ApiError>),
    /// Answer to [`Output::ReadNotPassed`].
    NotPassedRead(CallId, Result<NotPassed, ApiError>),
    /// Answer to [`Output::StoreIntent`]: the record is durable, or why not.
    Stored(CallId, Result<(), String>),
    /// Answer to [`Output::SendRerun`].
    RerunAnswered(CallId, Result<RerunAnswer, ApiError>),
    /// Other answer to [`Output::SendRerun`]: it was not sent, surely, and why.
    NotSent(CallId, String),
    /// Pause, for this reason.
    Pause(PauseReason),
    /// Go on.
    Resume,
    /// Signed in again.
    SignedIn,
    /// A person says whether a rerun of unknown outcome was applied; heard
    /// while `crate::rerun::Stage::Asking`.
    PersonSays(PersonSays),
    /// A person ends it.
    Stop,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Look up the newest batch of this name.
    ResolveBatch(CallId, String),
    /// Read the batch once, without retries.
    ReadBatch(CallId, BatchId),
    /// List every test of the batch.
    ReadTests(CallId, BatchId),
    /// Count the tests of the batch that passed, and list the others if
    /// [`Counted::wants_others`].
    ReadNotPassed(CallId, BatchId, Counted),
    /// Write the record; no answer is needed.
    Store(Record),
    /// Write the record over the last one, which this life wrote; no answer is needed.
    StoreAnew(Record),
    /// Write the record durably, after all earlier ones, and say so.
    StoreIntent(CallId, Record),
    /// Send the rerun, exactly once; carries when it was wanted, for
    /// [`Seat::may_send`](super::Seat::may_send): a tab may come to it much later.
    SendRerun(CallId, Box<Intent>, Now),
    /// Say [`Input::Wake`] at this time; replaces the time asked for before.
    WakeAt(Timestamp),
    /// Ask the person to sign in.
    NeedSignIn,
    /// Tell the person how it ended.
    Announce(Box<Verdict>),
}
