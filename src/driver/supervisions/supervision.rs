//! One supervision as pages see it: signals, and the intents of a person.

use std::{rc::Rc, sync::Arc};

use leptos::prelude::*;
use retake_core::{
    domain::Timestamp,
    rerun::{PersonSays, Stage},
    supervise::{Input, LogLine, PauseReason, Record, Role, SeatInput, State, WakeReason, explain},
    view::supervision as view,
};

use super::{
    about::{About, lock_name},
    runner::Runner,
    talk::Doing,
};

/// Names one supervision; also the key of its journal.
pub type SupervisionId = Arc<str>;

/// What a screen shows of one supervision.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The machine's state.
    pub state: State,
    /// The rerun that is on its way.
    pub submission: Option<Stage>,
    /// When it acts next by itself.
    pub next_due: Option<Timestamp>,
    /// When the batch was last read.
    pub looked: Option<Timestamp>,
    /// Failed reads in a row.
    pub failures: u32,
}

impl Snapshot {
    /// A state, and what is done between its records.
    pub(super) fn new(state: State, doing: Doing) -> Self {
        Self {
            state,
            submission: doing.submission,
            next_due: doing.next_due,
            looked: doing.looked,
            failures: doing.failures,
        }
    }

    /// What it is at, to be put into words.
    pub fn doing(&self) -> view::Doing<'_> {
        view::Doing {
            state: &self.state,
            submission: self.submission.as_ref(),
            next_due: self.next_due,
            failures: self.failures,
        }
    }
}

/// Who acts on a supervision, seen from this tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its journal is being read, or it is not yet clear who acts.
    Opening,
    /// Its journal could not be read several times; it is read again.
    Unread,
    /// This tab acts.
    Acting,
    /// Another tab of this browser acts; shown as it does.
    Mirroring,
    /// It is over.
    Over,
    /// Only shown.
    ReadOnly {
        /// Why.
        why: String,
        /// Its journal may be removed from here.
        forgettable: bool,
    },
}

impl Standing {
    /// For styles and tests.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Opening | Self::Unread => "opening",
            Self::Acting => "here",
            Self::Mirroring => "other-tab",
            Self::Over => "over",
            Self::ReadOnly { .. } => "nobody",
        }
    }
}

/// One supervision as pages see it. Cheap to copy.
#[derive(Clone)]
pub struct Supervision {
    /// Its name.
    pub id: SupervisionId,
    /// What it is about.
    pub about: About,
    /// What a screen shows.
    pub snapshot: RwSignal<Snapshot>,
    /// The decision log.
    pub lines: RwSignal<Vec<LogLine>>,
    /// Why the journal cannot be written, while it cannot.
    pub storage_trouble: RwSignal<Option<String>>,
    /// Who acts on it.
    pub standing: RwSignal<Standing>,
    /// The lock of whoever acts on it.
    pub(super) lock_name: Arc<str>,
    /// `None`: it is only shown.
    pub(super) runner: StoredValue<Option<Rc<Runner>>, LocalStorage>,
}

impl Supervision {
    /// Signals that show `records`, without anybody who acts.
    pub(super) fn showing(
        id: SupervisionId,
        about: About,
        records: &[Record],
        standing: Standing,
    ) -> Option<Self> {
        let state = State::replay(records)?;
        Some(Self {
            id,
            lock_name: lock_name(&about, records).into(),
            about,
            snapshot: RwSignal::new(Snapshot::new(state, Doing::default())),
            lines: RwSignal::new(records.iter().map(explain).collect()),
            storage_trouble: RwSignal::new(None),
            standing: RwSignal::new(standing),
            runner: StoredValue::new_local(None),
        })
    }

    /// Whether this tab acts on it, tracked.
    pub fn acts_here(&self) -> bool {
        self.standing.with(|it| *it == Standing::Acting)
    }

    /// Whether a person is asked, here, whether a rerun was applied; tracked.
    pub fn asks_person(&self) -> bool {
        self.acts_here()
            && self
                .snapshot
                .with(|it| it.submission == Some(Stage::Asking))
    }

    /// Whether it is only shown, tracked.
    pub fn is_read_only(&self) -> bool {
        self.standing
            .with(|it| matches!(it, Standing::ReadOnly { .. }))
    }

    /// Whether it is over, tracked.
    pub fn is_over(&self) -> bool {
        self.snapshot.with(|it| it.state.phase.is_over())
    }

    /// Whether it goes on in this browser, tracked.
    pub fn is_active(&self) -> bool {
        !self.is_over() && !self.is_read_only()
    }

    /// Pauses; a POST under way is answered first.
    pub fn pause(&self) {
        self.feed(Input::Pause(PauseReason::ByPerson));
    }

    /// Goes on.
    pub fn resume(&self) {
        self.feed(Input::Resume);
    }

    /// Ends it without a verdict.
    pub fn stop(&self) {
        self.feed(Input::Stop);
    }

    /// A person says whether the rerun was applied; heard while it asks.
    pub fn person_says(&self, word: PersonSays) {
        self.feed(Input::PersonSays(word));
    }

    /// Looks now.
    pub fn look_now(&self) {
        self.feed(Input::Woken(WakeReason::Asked));
    }

    /// Lets this tab act instead of the one that does.
    pub fn take_over(&self) {
        if let Some(runner) = self.runner() {
            runner.seat_says(SeatInput::TakeOver);
        }
    }

    pub(super) fn feed(&self, input: Input) {
        if let Some(runner) = self.runner() {
            runner.feed(input);
        }
    }

    pub(super) fn runner(&self) -> Option<Rc<Runner>> {
        self.runner.try_get_value().flatten()
    }

    /// Whether this tab may hold the seat of it.
    pub(super) fn has_seat(&self) -> bool {
        self.runner()
            .is_some_and(|runner| !matches!(runner.role(), Role::Left | Role::Refused))
    }
}
