//! One browser profile: the journal that its tabs share, the lock, and the tabs
//! with what is on its way to each.

use std::{collections::VecDeque, sync::Arc};

use retake_core::{
    rerun::Intent,
    supervise::{CallId, Event, Now, Record, Seat, State, Supervisor},
};

use crate::server::View;

/// Tabs of the browser.
pub(crate) const TABS: usize = 2;

/// The journal of the supervision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    pub(crate) lines: Arc<Vec<Record>>,
    /// The state that a restore would give.
    pub(crate) state: Option<Arc<State>>,
    /// The epoch of the last life that wrote, since when, and which page that is.
    pub(crate) epoch: u64,
    pub(crate) epoch_since: i64,
    pub(crate) writer: Option<(usize, u8)>,
}

/// What a transaction of the journal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Stored,
    /// Stored although another page wrote with this very epoch.
    StoredBeside,
    /// The journal knows a newer epoch, or has a line at this place.
    Superseded,
}

impl Store {
    /// One transaction: refused if a newer life wrote, or if the place is taken, but by the
    /// last line of the same page; else line and epoch are stored.
    pub(crate) fn write(&mut self, line: Line, page: (usize, u8), now: i64) -> Written {
        let place = line.record.seq as usize;
        let is_mine = self.epoch == line.epoch && self.writer == Some(page);
        let anew = is_mine && place + 1 == self.lines.len();
        if self.epoch > line.epoch || (place != self.lines.len() && !anew) {
            return Written::Superseded;
        }
        let mut written = Written::Stored;
        if line.epoch > self.epoch {
            self.epoch = line.epoch;
            self.epoch_since = now;
        } else if self.writer.is_some_and(|writer| writer != page) {
            written = Written::StoredBeside;
        }
        self.writer = Some(page);
        let lines = Arc::make_mut(&mut self.lines);
        lines.truncate(place);
        lines.push(line.record);
        self.state = State::replay(&self.lines).map(Arc::new);
        written
    }

    /// Whether the supervision has ended.
    pub(crate) fn is_over(&self) -> bool {
        let last = self.lines.last().map(|line| &line.event);
        matches!(last, Some(Event::Ended(_) | Event::Stopped))
    }

    /// Whether this intent is in the journal.
    pub(crate) fn has(&self, intent: &Intent) -> bool {
        let is = |line: &Record| matches!(&line.event, Event::Intent(it) if **it == *intent);
        self.lines.iter().rev().any(is)
    }
}

/// A Web Lock: who has it, and who queues for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Lock {
    pub(crate) holder: Option<usize>,
    pub(crate) queue: VecDeque<usize>,
}

/// What a tab hears of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LockNews {
    Granted,
    Taken,
    Lost,
}

/// What one tab tells another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mail {
    Beat { epoch: u64, idle: bool },
    Ask { able: bool },
    Ended,
}

/// A line that waits to be written.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) record: Record,
    pub(crate) epoch: u64,
    pub(crate) machine: u8,
    /// Who waits until it is durable.
    pub(crate) call: Option<CallId>,
}

/// A rerun that waits to leave: for earlier records, then for the epoch.
#[derive(Debug, Clone)]
pub(crate) struct Leaving {
    pub(crate) call: CallId,
    pub(crate) intent: Box<Intent>,
    pub(crate) decided: Now,
    pub(crate) asked: Option<Now>,
    /// The journal knew of no newer epoch.
    pub(crate) cleared: bool,
}

/// A question that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) call: CallId,
    pub(crate) tests: bool,
    pub(crate) sent: i64,
}

/// How a POST was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// Accepted: the index of the run.
    Run(usize),
    Busy,
    Unreachable,
    TimedOut,
}

/// A machine, with what the promises need to know about its inputs.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) it: Supervisor,
    /// Tells its lines from those of an earlier machine.
    pub(crate) number: u8,
    /// What the last read of the batch showed, when it was sent and taken in.
    pub(crate) read: Option<(View, i64, i64)>,
    /// It was told that its present intent is durable.
    pub(crate) durable: bool,
}

/// One tab.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tab {
    /// Which page this is; answers to an earlier one reach nobody.
    pub(crate) life: u8,
    pub(crate) open: bool,
    /// Takes nothing in, since then.
    pub(crate) frozen: Option<i64>,
    /// When it last thawed, for the time that it is given to notice.
    pub(crate) thawed: i64,
    pub(crate) seat: Option<Seat>,
    pub(crate) machine: Option<Arc<Machine>>,
    pub(crate) machines: u8,
    /// The epoch that its machine writes with.
    pub(crate) epoch: u64,
    pub(crate) backlog: VecDeque<Line>,
    pub(crate) leaving: Option<Leaving>,
    pub(crate) question: Option<Question>,
    pub(crate) answer: Option<(CallId, Answer)>,
    /// When it gives up on a POST that is late.
    pub(crate) gives_up: Option<(i64, CallId)>,
    /// The journal is asked for its epoch, by the seat.
    pub(crate) checking: bool,
    /// The journal is being read.
    pub(crate) loading: bool,
    pub(crate) lock_news: VecDeque<LockNews>,
    pub(crate) mail: VecDeque<Mail>,
    pub(crate) wake: Option<i64>,
    pub(crate) seat_wake: Option<i64>,
}

impl Tab {
    /// Whether it can take something in.
    pub(crate) fn is_awake(&self) -> bool {
        self.open && self.frozen.is_none()
    }

    /// Whether journal or lock have something for it.
    pub(crate) fn has_news(&self) -> bool {
        !self.backlog.is_empty() || !self.lock_news.is_empty() || self.loading || self.checking
    }

    /// The page goes, with all that was on its way to it.
    pub(crate) fn close(&mut self) {
        *self = Self {
            life: self.life + 1,
            machines: self.machines,
            thawed: self.thawed,
            ..Self::default()
        };
    }

    /// The machine goes, and what only it was waiting for.
    pub(crate) fn drop_machine(&mut self) -> bool {
        let dropped = self.machine.take().is_some();
        self.leaving = None;
        self.question = None;
        self.answer = None;
        self.gives_up = None;
        self.wake = None;
        dropped
    }

    /// Puts a message into the mail, unless the same one is the last there.
    pub(crate) fn post(&mut self, mail: Mail) {
        if self.mail.back() != Some(&mail) {
            self.mail.push_back(mail);
        }
    }
}
