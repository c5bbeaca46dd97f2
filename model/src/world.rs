//! One state of the model: the server, the browser with its tabs, what is on its
//! way, and how much may still go wrong.
//!
//! Time: what is on its way arrives before the clock moves on, in any order;
//! then the clock jumps to the next timer. Three things may wait: a late
//! request, a frozen tab, and what only the server knows (see [`World::is_watched`]).

use std::{
    hash::{Hash, Hasher},
    time::Duration,
};

use retake_core::{
    domain::Timestamp,
    rerun::Limits,
    supervise::{CallId, Now, Policy, Role, Seat, WatchedStates},
};

use crate::{
    bounds::{Left, Scene},
    browser::{Lock, Machine, Store, TABS, Tab},
    likeness::{self, MONO, WALL},
    marks::{Case, Promise},
    server::Server,
};

/// The bits that the core is given for jitter: no two tabs rob at once here anyway.
const DICE: u64 = 1_000;

/// The parameters of the supervision: two attempts, and a guard that two of the
/// three tests reach exactly.
pub(crate) fn policy() -> Policy {
    Policy {
        max_rerun_attempts: 2,
        rerun_max_failure_percent: 200.0 / 3.0,
        rerun_on: WatchedStates::ALL,
        fail_on: WatchedStates::default(),
        poll_every: Duration::from_secs(30),
        wait_timeout: Duration::from_secs(30),
    }
}

/// The real bounds of a POST; only the looks while it is in doubt are fewer.
pub(crate) fn limits() -> Limits {
    Limits {
        look_every: Duration::from_secs(40),
        ..Limits::default()
    }
}

/// Frozen for longer than this tells a robbed tab nothing more.
const LONG_FROZEN: i64 = 20_000;
/// A read older than this is too old to send on, and before any deadline that is asked about.
const LONG_READ: i64 = 180_000;

/// The fields of a machine that nobody asks while it runs: the time of the last record is
/// asked only when a journal is restored.
pub(crate) const LATER_OF_MACHINE: &[&str] = &["last_at"];

/// The fields of a seat that decide nothing in this role.
pub(crate) fn unheeded_of_seat(role: Option<Role>) -> &'static [&'static str] {
    match role {
        Some(Role::Mirroring) => &["beaten"],
        Some(Role::Acting) => &["heard", "listen_until"],
        _ => &["beaten", "heard", "listen_until"],
    }
}

/// What names a decision: time, attempt and epoch.
pub(crate) type Key = (i64, u32, u64);

/// A decision of which a POST has left.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) key: Key,
    /// POSTs that left, and POSTs that were applied.
    pub(crate) sent: u8,
    pub(crate) applied: u8,
}

/// A POST that the server has not seen yet.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// Index of its decision, and of the run that it rests on.
    pub(crate) decision: usize,
    pub(crate) decided_on: usize,
    pub(crate) tests: u8,
    pub(crate) tab: usize,
    pub(crate) life: u8,
    pub(crate) machine: u8,
    pub(crate) call: CallId,
    /// It is late, and arrives by then.
    pub(crate) late: Option<i64>,
}

/// A state of the model.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) lock: Lock,
    pub(crate) tabs: [Tab; TABS],
    pub(crate) scene: Scene,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) posts: Vec<Post>,
    pub(crate) left: Left,
    /// Promises that are broken, as bits.
    pub(crate) broken: u32,
    /// Cases that were met on the way, as bits; decides nothing, so it is no part
    /// of the likeness.
    pub(crate) met: u32,
}

impl World {
    /// The batch runs, and a person starts to supervise it in the first tab.
    pub(crate) fn new(misfortunes: u8, scene: Scene) -> Self {
        let mut it = Self {
            now: 0,
            server: Server::new(scene == Scene::CleanUp),
            store: Store::default(),
            lock: Lock::default(),
            tabs: Default::default(),
            scene,
            decisions: Vec::new(),
            posts: Vec::new(),
            left: Left::new(scene.most(misfortunes)),
            broken: 0,
            met: 0,
        };
        it.open(0);
        it
    }

    /// The clocks as every tab reads them.
    pub(crate) fn clock(&self) -> Now {
        Now {
            wall: Timestamp::from_millis(WALL + self.now),
            mono: Duration::from_millis((MONO + self.now).unsigned_abs()),
            dice: DICE,
        }
    }

    pub(crate) fn hold(&mut self, kept: bool, promise: Promise) {
        if !kept {
            self.broken |= 1 << promise as u32;
        }
    }

    pub(crate) fn meet(&mut self, case: Case) {
        self.met |= 1 << case as u32;
    }

    /// What a tab is to the supervision.
    pub(crate) fn role(&self, tab: usize) -> Option<Role> {
        self.tabs[tab].seat.as_ref().map(Seat::role)
    }

    /// Whether the server is about to be asked something. What the server does by
    /// itself shows only then, so it need not happen before.
    pub(crate) fn is_watched(&self) -> bool {
        let asks = |tab: &Tab| tab.is_awake() && tab.question.is_some();
        self.tabs.iter().any(asks) || self.is_posting()
    }

    /// Whether a POST is about to arrive.
    pub(crate) fn is_posting(&self) -> bool {
        let over = self.store.is_over();
        self.posts
            .iter()
            .any(|post| post.late.is_none_or(|until| over || until <= self.now))
    }

    /// Whether something is on its way that arrives before the clock moves on.
    pub(crate) fn is_urgent(&self) -> bool {
        let now = self.now;
        let pending = |tab: &Tab| {
            tab.is_awake()
                && (tab.has_mail()
                    || tab
                        .wake
                        .is_some_and(|at| tab.machine.is_some() && at <= now))
        };
        self.tabs.iter().any(pending) || self.is_posting()
    }

    /// When the clock stands still next; `None` if nothing will come.
    pub(crate) fn next_time(&self) -> Option<i64> {
        let awake = || self.tabs.iter().filter(|tab| tab.is_awake());
        let wakes = awake().filter(|tab| tab.machine.is_some());
        let mut times: Vec<i64> = wakes.filter_map(|tab| tab.wake).collect();
        times.extend(self.posts.iter().filter_map(|post| post.late));
        times.extend(self.tabs.iter().filter_map(|tab| Some(tab.gives_up?.0)));
        let acts =
            (0..TABS).any(|tab| self.tabs[tab].is_awake() && self.role(tab) == Some(Role::Acting));
        if !acts {
            // Nobody acts: what comes next is that a tab notices.
            times.extend(awake().filter_map(|tab| tab.seat_wake));
        }
        times.into_iter().min()
    }
}

impl Tab {
    /// Whether anything is on its way to it, timers aside.
    fn has_mail(&self) -> bool {
        !self.backlog.is_empty()
            || self.question.is_some()
            || self.answer.is_some()
            || self.leaving.as_ref().is_some_and(|it| it.asked.is_some())
            || self.checking
            || self.loading
            || !self.lock_news.is_empty()
            || !self.mail.is_empty()
    }
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        let hash = |it: &Self| {
            let mut hasher = std::hash::DefaultHasher::new();
            it.hash(&mut hasher);
            hasher.finish()
        };
        hash(self) == hash(other)
    }
}

/// Likeness: every moment by its distance from now, no numbers of questions, and
/// of past decisions only what a promise may still ask.
impl Hash for World {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let ago = |at: i64| at - self.now;
        self.server.hash(to);
        self.lock.hash(to);
        (self.left, self.scene).hash(to);
        self.broken.hash(to);
        likeness::feed(&self.store.state, self.now, &[], to);
        (self.store.epoch, self.store.writer).hash(to);
        let news = self.tabs.iter().any(|tab| tab.epoch < self.store.epoch);
        news.then(|| ago(self.store.epoch_since).max(-LONG_FROZEN))
            .hash(to);
        for decision in &self.decisions {
            (decision.sent, decision.applied).hash(to);
        }
        for post in &self.posts {
            (post.decision, post.decided_on, post.tests).hash(to);
            (post.tab, post.life, post.machine).hash(to);
            post.late.map(ago).hash(to);
        }
        for tab in &self.tabs {
            self.hash_tab(tab, to);
        }
    }
}

impl World {
    fn hash_tab<H: Hasher>(&self, tab: &Tab, to: &mut H) {
        // A frozen tab counts from when it froze: what it finds when it thaws is
        // by how much the clock moved meanwhile. A robbed one finds that it was.
        let now = tab.frozen.unwrap_or(self.now);
        let ago = |at: i64| at - now;
        let robbed = tab.epoch < self.store.epoch;
        let frozen = tab.frozen.map(|since| self.now - since);
        let frozen = frozen.map(|ms| if robbed { ms.min(LONG_FROZEN) } else { ms });
        (tab.life, tab.open, frozen, tab.machines, tab.epoch).hash(to);
        robbed.then(|| ago(tab.thawed).max(-LONG_FROZEN)).hash(to);
        let without = unheeded_of_seat(tab.seat.as_ref().map(Seat::role));
        likeness::feed(&tab.seat, now, without, to);
        tab.machine.is_some().hash(to);
        if let Some(machine) = &tab.machine {
            self.hash_machine(machine, now, to);
        }
        for line in &tab.backlog {
            likeness::feed(&line.record.event, now, &[], to);
            // Its place in the journal, as seen from the journal's end.
            (line.record.seq as usize)
                .wrapping_sub(self.store.lines.len())
                .hash(to);
            (ago(line.record.at.as_millis() - WALL), line.epoch).hash(to);
            (line.machine, line.call.is_some()).hash(to);
        }
        tab.leaving.is_some().hash(to);
        if let Some(leaving) = &tab.leaving {
            likeness::feed(&(leaving.decided, leaving.asked), now, &[], to);
            likeness::feed(&leaving.intent, now, &[], to);
            leaving.cleared.hash(to);
        }
        let question = |it: crate::browser::Question| (it.tests, ago(it.sent));
        tab.question.map(question).hash(to);
        tab.answer.map(|(_, answer)| answer).hash(to);
        tab.gives_up.map(|(at, _)| ago(at)).hash(to);
        (tab.checking, tab.loading).hash(to);
        (&tab.lock_news, &tab.mail).hash(to);
        (tab.wake.map(ago), tab.seat_wake.map(ago)).hash(to);
    }

    fn hash_machine<H: Hasher>(&self, machine: &Machine, now: i64, to: &mut H) {
        let ago = |at: i64| (at - now).max(-LONG_READ);
        likeness::feed(&machine.it, now, LATER_OF_MACHINE, to);
        machine
            .it
            .log()
            .len()
            .wrapping_sub(self.store.lines.len())
            .hash(to);
        (machine.number, machine.durable).hash(to);
        let read = |(view, sent, taken)| (view, self.server.failing(view), ago(sent), ago(taken));
        machine.read.map(read).hash(to);
        // Which decision it would send again.
        let key = machine.it.submission().map(|it| key_of(it.intent()));
        self.decisions
            .iter()
            .position(|it| Some(it.key) == key)
            .hash(to);
    }
}

/// The name of an intent's decision.
pub(crate) fn key_of(intent: &retake_core::rerun::Intent) -> Key {
    (intent.at.as_millis(), intent.attempt, intent.epoch)
}
