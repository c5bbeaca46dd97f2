//! One tab: its machine, its seat, and what a driver keeps for them.

use std::collections::VecDeque;

use retake_core::{
    domain::{BatchId, BatchStatus, ConflatedBatchStatus, Test},
    rerun::Intent,
    supervise::{CallId, Counted, Event, Now, Record, Seat, State, Supervisor},
};

use crate::{phase::Phase, server::View, world::Timer};

/// The latest moment that a machine was shown, as it truly was: what its next
/// decision has to rest on. Where the API sends nothing
/// that tells runs apart, it is the last read, as nobody can know better.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) view: View,
    /// When the last read was sent, by a clock that stands still in sleep.
    pub(crate) sent: i64,
    pub(crate) status: Option<BatchStatus>,
    pub(crate) word: Option<ConflatedBatchStatus>,
    /// The answer was not as the server meant it.
    pub(crate) masked: bool,
    /// When the answer was taken in.
    pub(crate) arrived: i64,
}

/// A listing while its pages arrive.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) call: CallId,
    pub(crate) batch: BatchId,
    pub(crate) page: u16,
    pub(crate) tests: Vec<Test>,
    pub(crate) masked: bool,
    /// Only those that did not pass, after a count of those that did.
    pub(crate) short: Option<Short>,
}

/// A listing of the tests that did not pass.
#[derive(Debug)]
pub(crate) struct Short {
    pub(crate) expects: Counted,
    /// The count came.
    pub(crate) counted: bool,
    /// What it said, if it said anything.
    pub(crate) passed: Option<u64>,
}

/// A machine with what the checkers know about its inputs.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) it: Supervisor,
    /// Tells its answers from those of an earlier machine.
    pub(crate) number: u32,
    pub(crate) last_read: Option<Read>,
    /// Whether the last listing was as the server meant it; `None` before the first.
    pub(crate) listed_masked: Option<bool>,
    pub(crate) listing: Option<Listing>,
    /// It was told that its present intent is durable.
    pub(crate) durable: bool,
    /// When the last batch read was taken in, by a clock that stands still in sleep.
    pub(crate) read_at: i64,
    /// Since when something that it wants was not performed yet.
    pub(crate) wants_since: Option<i64>,
    /// The batch read that was asked last, and since when it was wanted.
    pub(crate) asked: Option<(CallId, i64)>,
    /// When the batch read was sent that was last taken in.
    pub(crate) read_sent: Option<i64>,
    /// It was paused at some time.
    pub(crate) was_paused: bool,
    /// The fold of its records, made beside it; and of how many.
    folded: Option<State>,
    folded_to: usize,
    /// The fold without the last record, where that may be written over.
    folded_before: Option<State>,
    pub(crate) was_asking: bool,
    /// Start of the present window of ten seconds, and batch reads within.
    pub(crate) window: (i64, u32),
}

impl Machine {
    pub(crate) fn new(it: Supervisor, number: u32) -> Self {
        // What it was restored from is in the journal.
        let durable = it.state().open.is_some();
        Self {
            folded: State::replay(it.log()),
            folded_to: it.log().len(),
            folded_before: None,
            it,
            number,
            last_read: None,
            listed_masked: None,
            listing: None,
            durable,
            read_at: i64::MIN / 2,
            wants_since: None,
            asked: None,
            read_sent: None,
            was_paused: false,
            was_asking: false,
            window: (i64::MIN, 0),
        }
    }

    /// Whether the fold of its records is its state: as a replay of all of
    /// them, but going on from the fold of the step before.
    pub(crate) fn is_its_journal(&mut self) -> bool {
        let Some(folded) = &mut self.folded else {
            return false;
        };
        let log = self.it.log();
        let last = self.folded_to.checked_sub(1).and_then(|last| log.get(last));
        if last.is_some_and(|last| last.at != folded.last_at)
            && let Some(before) = self.folded_before.take()
        {
            *folded = before;
            self.folded_to -= 1;
        }
        let is_look = |record: &Record| matches!(record.event, Event::Polled(_));
        for (n, record) in log.iter().enumerate().skip(self.folded_to) {
            // Only a look right after a look is ever written over.
            if is_look(record) && n > 0 && is_look(&log[n - 1]) {
                self.folded_before = Some(folded.clone());
            }
            folded.apply(record);
        }
        self.folded_to = log.len();
        folded == self.it.state()
    }
}

/// A line that waits to be written.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) record: Record,
    pub(crate) epoch: u64,
    pub(crate) machine: u32,
    /// Who waits until it is durable.
    pub(crate) call: Option<CallId>,
}

/// A rerun that waits to leave: for earlier records, then for the epoch.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) call: CallId,
    pub(crate) intent: Box<Intent>,
    pub(crate) decided: Now,
    pub(crate) asked: Option<Now>,
}

/// One tab.
#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) device: usize,
    /// Which page this is: answers to an earlier one reach nobody.
    pub(crate) life: u32,
    pub(crate) open: bool,
    /// When this page was opened.
    pub(crate) born: i64,
    pub(crate) signed_in: bool,
    pub(crate) seat: Option<Seat>,
    pub(crate) machine: Option<Machine>,
    /// The epoch that this tab's machine writes with.
    pub(crate) epoch: u64,
    /// The journal as it was loaded.
    pub(crate) loaded: Option<Vec<Record>>,
    pub(crate) backlog: VecDeque<Line>,
    pub(crate) writing: bool,
    pub(crate) leaving: Option<Leaving>,
    pub(crate) wake: Timer,
    pub(crate) seat_wake: Timer,
    pub(crate) frozen_until: i64,
    pub(crate) hidden_until: i64,
    /// Rises whenever the lock is let go.
    pub(crate) ticket: u32,
    /// Which tests the last torn listing had, as a fingerprint.
    pub(crate) torn_at: u64,
}

impl Tab {
    pub(crate) fn new(device: usize) -> Self {
        Self {
            device,
            life: 0,
            open: false,
            born: 0,
            signed_in: true,
            seat: None,
            machine: None,
            epoch: 0,
            loaded: None,
            backlog: VecDeque::new(),
            writing: false,
            leaving: None,
            wake: Timer::NEVER,
            seat_wake: Timer::NEVER,
            frozen_until: 0,
            hidden_until: 0,
            ticket: 0,
            torn_at: 0,
        }
    }

    /// Where its machine stands.
    pub(crate) fn phase(&self) -> Option<Phase> {
        let machine = self.machine.as_ref()?;
        Phase::of(&machine.it, self.leaving.is_some())
    }
}
