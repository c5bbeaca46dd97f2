//! Which tab of this browser acts on a supervision; the others mirror it.
//!
//! Why two means: a Web Lock names one tab, but a lock that is stolen does not
//! stop the code of the tab that had it. So the journal checks an epoch with
//! every write, and refuses the tab of an older one (`reliability.md` §2.3).
//!
//! ```text
//! Mirroring -> Loading -> Acting -> (robbed, superseded, asked to yield) Mirroring
//!     any -> Over, Shelved (the journal cannot be used), Refused, Left
//! ```
//!
//! Sans I/O: [`Seat::handle`], then drain [`Seat::poll_output`]. One `Seat` per
//! supervision and tab. The driver owns the [`Supervisor`](super::Supervisor):
//! it is made on [`SeatOutput::Act`], dropped on [`SeatOutput::StepDown`], and
//! its outputs are performed only while [`Seat::may_act`].
//!
//! Invariants:
//! - Nothing is performed by a tab that knows it was robbed, and nothing is
//!   sent by one that does not ([`Seat::may_send`]).
//! - A tab that slept listens before it robs: its own clock jumped, not the
//!   other tab's silence.
//! - A tab that is signed out does not take the seat, and yields it to one that
//!   can act.
//!
//! What the driver owes:
//! - a journal write is one transaction: refused as [`SeatInput::Superseded`] if
//!   the journal knows a newer epoch or has a line at this place, else it stores
//!   line and epoch;
//! - before a rerun leaves, all earlier records are durable, then the epoch is
//!   read once more, then [`Seat::may_send`] says yes; otherwise the machine is told that
//!   nothing was sent, and why (`Input::NotSent`), and decides anew;
//! - and before that, no other POST of this browser for the batch may still land
//!   ([`Landing`](super::Landing)), a token is at hand that needs no renewal, and no person has
//!   stopped or paused it meanwhile ([`Supervisor::holds_back`](super::Supervisor::holds_back)).
//!
//! Elsewhere: epochs are counted by `Event::Restored` and checked by the
//! journal's transaction; messages between tabs are the driver's.

mod machine;

use std::time::Duration;

use serde::Serialize;

pub use machine::Seat;

/// The acting tab shows that it lives this often.
pub const BEAT: Duration = Duration::from_secs(5);
/// An acting tab that is silent for this long is robbed (`reliability.md` §8, #12).
pub const SILENCE: Duration = Duration::from_secs(30);
/// A rerun must leave this soon after the journal was asked whether this tab
/// still acts; part of the settle window (`super::rerun::Limits::settle`).
pub const SEND_WITHIN: Duration = Duration::from_secs(5);

/// What this tab is to the supervision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Role {
    /// Shows what the acting tab does, and takes over when that goes.
    Mirroring,
    /// Has the lock and reads the journal.
    Loading,
    /// Acts.
    Acting,
    /// It is over; nobody acts any more.
    Over,
    /// The journal cannot be read, so nobody may act on its strength.
    Shelved,
    /// It was to begin here, but another tab supervises this batch.
    Refused,
    /// This tab may not act: the page goes, or another account signed in.
    Left,
}

/// How this tab comes to the supervision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// A person has just started it here; it has no journal yet.
    Fresh,
    /// It was found in the journal.
    Found,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatInput {
    /// The lock is this tab's.
    LockGranted,
    /// [`SeatOutput::TryLock`]: another tab has the lock.
    LockTaken,
    /// The lock was stolen by another tab.
    LockLost,
    /// This browser has no locks here; epochs and beats must do.
    NoLocks,
    /// [`SeatOutput::LoadJournal`]: read, with the epoch of its last life.
    JournalLoaded {
        /// The highest epoch that the journal knows.
        epoch: u64,
        /// Whether the supervision has ended.
        over: bool,
    },
    /// It cannot be read. `for_good`: it is damaged or of a newer version.
    JournalUnreadable {
        /// Reading again will not help.
        for_good: bool,
    },
    /// The journal refused a write: this epoch is the one that holds now, or
    /// the place was taken by a life of the same epoch.
    Superseded {
        /// The epoch in the journal.
        epoch: u64,
    },
    /// [`SeatOutput::CheckEpoch`]: the epoch in the journal.
    EpochIs {
        /// The epoch in the journal.
        epoch: u64,
    },
    /// It cannot be read now; the lock alone must do, and nothing can be sent.
    EpochUnknown,
    /// A beat of another tab.
    Heard {
        /// Its epoch.
        epoch: u64,
        /// It is signed out and would yield.
        idle: bool,
    },
    /// Another tab asks who acts.
    Asked {
        /// It could act itself.
        able: bool,
    },
    /// Whether this tab could act: somebody is signed in.
    Able(bool),
    /// A person wants this tab to act.
    TakeOver,
    /// The supervision has ended, by this tab's machine or another's.
    Ended,
    /// This tab may not act any more.
    Leave,
    /// The time asked for by [`SeatOutput::WakeIn`] has come; also right at any
    /// other time.
    Wake,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatOutput {
    /// Take the lock if it is free; say [`SeatInput::LockGranted`] or
    /// [`SeatInput::LockTaken`].
    TryLock,
    /// Queue for the lock; say [`SeatInput::LockGranted`] when it comes.
    QueueForLock,
    /// Take the lock from whoever has it, leaving the queue; say
    /// [`SeatInput::LockGranted`].
    StealLock,
    /// Give the lock back, or no longer queue for it. No [`SeatInput::LockLost`]
    /// for this lock may follow.
    LetGo,
    /// Read the journal; say [`SeatInput::JournalLoaded`].
    LoadJournal,
    /// Act from here on: a new machine, or one restored from the journal.
    Act {
        /// The epoch to write with; the one that
        /// [`Supervisor::restore`](super::Supervisor::restore) gives.
        epoch: u64,
    },
    /// Drop the machine at once and perform nothing more of it; mirror.
    StepDown,
    /// Read the epoch from the journal; say [`SeatInput::EpochIs`]. Until then
    /// [`Seat::may_act`] is false.
    CheckEpoch,
    /// Tell the other tabs that this one acts.
    Beat,
    /// Ask the other tabs who acts.
    Ask,
    /// Say [`SeatInput::Wake`] after this long; replaces the one before.
    WakeIn(Duration),
}

#[cfg(test)]
mod tests;
