//! A model of one browser profile: the journal that all its tabs share, the
//! lock, and what its computer does to clocks.

use std::collections::VecDeque;

use retake_core::supervise::{Event, Record};

/// The journal of one supervision, as the tabs of a browser share it.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) lines: Vec<Record>,
    /// The epoch of the last life that wrote.
    pub(crate) epoch: u64,
    /// When that epoch came.
    pub(crate) epoch_since: i64,
    /// Everything stored was evicted at this time.
    pub(crate) evicted_at: Option<i64>,
    /// Storage is denied until then.
    pub(crate) denied_until: i64,
}

/// What a transaction of the journal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Stored,
    /// The journal knows a newer epoch, or has a line at this place.
    Superseded,
}

impl Store {
    /// One transaction: refused if a newer life wrote, or if the place is
    /// taken, but by the last line of the same life; else line and epoch are stored.
    pub(crate) fn write(&mut self, record: Record, epoch: u64, now: i64) -> Written {
        let place = record.seq as usize;
        let anew = place + 1 == self.lines.len() && epoch == self.epoch;
        if self.epoch > epoch || (place != self.lines.len() && !anew) {
            return Written::Superseded;
        }
        if epoch > self.epoch {
            self.epoch = epoch;
            self.epoch_since = now;
        }
        self.lines.truncate(place);
        self.lines.push(record);
        Written::Stored
    }

    /// The browser throws everything away that it stored for the site.
    pub(crate) fn evict(&mut self, now: i64) {
        if !self.lines.is_empty() {
            self.lines.clear();
            self.epoch = 0;
            self.evicted_at = Some(now);
        }
    }

    /// Whether the supervision has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.lines
            .last()
            .is_some_and(|line| matches!(line.event, Event::Ended(_) | Event::Stopped))
    }
}

/// A Web Lock.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    pub(crate) holder: Option<usize>,
    pub(crate) queue: VecDeque<usize>,
}

/// One browser profile on one computer.
#[derive(Debug, Default)]
pub(crate) struct Device {
    pub(crate) store: Store,
    pub(crate) lock: Lock,
    /// How far the wall clock is off.
    pub(crate) skew: i64,
    /// The clock that never jumps stands still in sleep.
    pub(crate) mono_stops: bool,
    pub(crate) slept: i64,
    pub(crate) asleep_until: i64,
    pub(crate) offline_until: i64,
    /// The supervision has ended here.
    pub(crate) over: bool,
    /// A person started it here.
    pub(crate) started: bool,
}
