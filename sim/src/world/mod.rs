//! One run: devices with their tabs, a server and people, on virtual time that
//! jumps from event to event.
//!
//! - `setup.rs`: what a seed decides before the run begins
//! - `page.rs`: a tab's driver: performs what machine and seat want
//! - `network.rs`: what the network does to a request
//! - `answers.rs`: how a read is answered
//! - `posts.rs`: the way of a rerun, and its answer
//! - `journal.rs`: writes, and the way of a rerun from decision to departure
//! - `queue.rs`: what is going to happen, in order
//! - `mishap.rs`: what happens to tabs, computers and batches by themselves
//! - `check.rs`: the promises, checked at every step
//!
//! Invariant: everything is a function of the seed (and, when shrinking, of
//! the occurrences that are kept).

mod answers;
mod check;
mod journal;
mod mishap;
mod network;
mod page;
mod posts;
mod queue;
mod setup;

use std::collections::BTreeMap;

use retake_core::{
    domain::BatchId,
    rerun::Limits,
    supervise::{CallId, Policy},
};

use crate::{
    browser::Device,
    coverage::Coverage,
    dice::{Dice, mix},
    fault::{Class, Fault, Faults},
    server::Server,
    tab::Tab,
};

pub(crate) use network::{Fate, What};
use queue::Queue;
pub(crate) use queue::Timer;
pub(crate) use setup::Setup;

/// A message between the tabs of a browser.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message {
    Beat { epoch: u64, idle: bool },
    Ask { able: bool },
}

/// What becomes of the lock for a tab.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LockNews {
    Granted,
    Taken,
    Lost,
}

/// A page of a tab: which tab, and which of its lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageRef {
    pub(crate) tab: usize,
    pub(crate) life: u32,
}

/// What happens at a point in time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happening {
    /// The machine asked to be woken.
    Wake(PageRef),
    /// The seat asked to be woken.
    SeatWake(PageRef),
    /// A read is answered.
    Answer {
        page: PageRef,
        machine: u32,
        call: CallId,
        what: What,
        fate: Fate,
        /// The moment that the answer shows.
        shows: i64,
        sent: i64,
    },
    /// The POST is answered.
    Posted {
        page: PageRef,
        machine: u32,
        call: CallId,
        fate: Fate,
    },
    /// A rerun arrives at the server.
    Arrives {
        post: usize,
        /// What the page hears, if it still listens.
        hears: Option<Fate>,
        again: bool,
    },
    /// A journal transaction runs.
    Writes(PageRef),
    /// A machine hears that its intent is durable, or why not.
    Durable {
        page: PageRef,
        machine: u32,
        call: CallId,
        stored: bool,
    },
    /// The journal is asked for its epoch.
    EpochRead {
        page: PageRef,
        leaving: bool,
    },
    /// The rerun leaves.
    Leaves(PageRef),
    /// The journal is loaded.
    Loaded(PageRef),
    Lock(PageRef, u32, LockNews),
    Hears(PageRef, Message),
    /// The page opens (again).
    Opens(usize),
    /// Something suggests a look: shown again, or back online.
    Stirs(PageRef, bool),
    Mishap(usize, Fault, u64),
    SignsIn(PageRef),
    Resumes(PageRef, u32),
    /// The person answers the strict question.
    PersonSays(PageRef, u32),
}

/// What names a decision: device, time, attempt and epoch.
pub(crate) type IntentKey = (usize, i64, u32, u64);

/// A POST that left.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) key: IntentKey,
    pub(crate) batch: BatchId,
    pub(crate) tests: u16,
    /// The run that the decision rests on.
    pub(crate) decided_on: usize,
    /// Whether the listing that it rests on was masked.
    pub(crate) masked: bool,
    /// When the read was taken in that it rests on, and when it left.
    pub(crate) looked: i64,
    pub(crate) left: i64,
    pub(crate) page: PageRef,
    pub(crate) machine: u32,
    pub(crate) call: CallId,
    /// Requests that may still arrive.
    pub(crate) under_way: u8,
}

/// More steps than any run takes that ends.
const MOST_STEPS: u32 = 300_000;

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Virtual milliseconds.
    pub at: i64,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
}

/// One simulated run.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that have nothing to do with each other"
)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) server: Server,
    pub(crate) devices: Vec<Device>,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) posts: Vec<Post>,
    queue: Queue,
    pub(crate) now: i64,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) by_name: bool,
    machines: u32,
    pub(crate) outage_until: i64,
    /// Until when every rerun fails, while reads work.
    pub(crate) reruns_down_until: i64,
    /// Nobody finds the batch any more.
    pub(crate) gone: bool,
    calm_at: i64,
    end_by: i64,
    /// Kinds that may happen by themselves, as this seed has them.
    mishaps: Vec<Fault>,
    /// Kinds that strike calls, as this seed has them.
    call_faults: Vec<Fault>,
    /// Applied POSTs by decision.
    pub(crate) applied: BTreeMap<IntentKey, u32>,
    /// What each device's checkers remember.
    pub(crate) memory: Vec<check::Memory>,
    pub(crate) coverage: Coverage,
    pub(crate) calls: u64,
    steps: u32,
    hash: u64,
    pub(crate) story: Option<Vec<Line>>,
    pub(crate) failure: Option<String>,
    /// Only doubles end the run; other promises are noted in `faltered`.
    only_doubles: bool,
    pub(crate) faltered: bool,
}

impl World {
    /// Runs to the end. The failure, if a promise was broken, is in `failure`.
    pub(crate) fn run(&mut self) {
        self.start_device(0);
        while self.failure.is_none() && !self.is_over() {
            let Some((at, happening)) = self.next() else {
                self.broken("L2: nothing will ever happen again, and it has not ended");
                return;
            };
            self.now = self.now.max(at);
            if self.now > self.end_by {
                self.broken("L1: it ends within its bound once the faults are over");
                return;
            }
            if let Some(until) = self.deferred(happening) {
                self.put_off(until, happening);
                continue;
            }
            self.steps += 1;
            if self.steps > MOST_STEPS {
                self.broken("L1: it ends within a bounded number of steps");
                return;
            }
            self.trace(mark(happening));
            self.happen(happening);
        }
        // Requests that are still under way land too.
        while self.failure.is_none()
            && let Some((at, happening)) = self.queue.pop()
        {
            if matches!(happening, Happening::Arrives { .. }) {
                self.now = self.now.max(at);
                self.happen(happening);
            }
        }
        if self.failure.is_none() {
            self.check_end();
        }
    }

    fn is_over(&self) -> bool {
        self.devices.iter().all(|device| device.over)
    }

    /// What happens next: the first of the queue, or a tab's timer.
    fn next(&mut self) -> Option<(i64, Happening)> {
        let mut first = Timer::NEVER.turn();
        let mut whose = None;
        for (index, tab) in self.tabs.iter().enumerate() {
            for (timer, seat) in [(tab.wake, false), (tab.seat_wake, true)] {
                if timer.turn() < first {
                    first = timer.turn();
                    whose = Some((index, seat));
                }
            }
        }
        if self.queue.next().is_some_and(|turn| turn < first) {
            return self.queue.pop();
        }
        let (tab, seat) = whose?;
        let page = self.page(tab);
        let happening = if seat {
            Happening::SeatWake(page)
        } else {
            Happening::Wake(page)
        };
        Some((first.0, happening))
    }

    pub(crate) fn at(&mut self, at: i64, happening: Happening) {
        self.queue.push(at, happening);
    }

    /// Puts off what a tab cannot take in yet.
    fn put_off(&mut self, until: i64, happening: Happening) {
        match happening {
            Happening::Wake(page) => self.tabs[page.tab].wake = self.timer_at(until),
            Happening::SeatWake(page) => self.tabs[page.tab].seat_wake = self.timer_at(until),
            other => self.at(until, other),
        }
    }

    /// A timer that fires then.
    pub(crate) fn timer_at(&mut self, at: i64) -> Timer {
        Timer::at(self.queue.turn(at))
    }

    pub(crate) fn after(&mut self, delay: i64, happening: Happening) {
        self.at(self.now + delay, happening);
    }

    /// A frozen tab and a sleeping computer take nothing in before this.
    fn deferred(&self, happening: Happening) -> Option<i64> {
        let tab = match happening {
            Happening::Wake(page)
            | Happening::SeatWake(page)
            | Happening::Answer { page, .. }
            | Happening::Posted { page, .. }
            | Happening::Writes(page)
            | Happening::Durable { page, .. }
            | Happening::EpochRead { page, .. }
            | Happening::Leaves(page)
            | Happening::Loaded(page)
            | Happening::Lock(page, ..)
            | Happening::Hears(page, _)
            | Happening::Stirs(page, _)
            | Happening::SignsIn(page)
            | Happening::Resumes(page, _)
            | Happening::PersonSays(page, _) => page.tab,
            Happening::Opens(tab) => tab,
            Happening::Mishap(tab, fault, _) if fault.class() != Class::People => tab,
            Happening::Mishap(tab, Fault::PersonPauses | Fault::PersonStops, _) => tab,
            Happening::Arrives { .. } | Happening::Mishap(..) => return None,
        };
        let tab = &self.tabs[tab];
        // A frozen page can still be reloaded or closed.
        let frozen = match happening {
            Happening::Mishap(_, Fault::PersonPauses | Fault::PersonStops, _) => tab.frozen_until,
            Happening::Mishap(..) => 0,
            _ => tab.frozen_until,
        };
        let until = self.devices[tab.device].asleep_until.max(frozen);
        (until > self.now).then_some(until)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(page) => self.wakes(page),
            Happening::SeatWake(page) => self.seat_wakes(page),
            Happening::Answer {
                page,
                machine,
                call,
                what,
                fate,
                shows,
                sent,
            } => self.answered(page, machine, call, what, fate, shows, sent),
            Happening::Posted {
                page,
                machine,
                call,
                fate,
            } => self.posted(page, machine, call, fate),
            Happening::Arrives { post, hears, again } => self.arrives(post, hears, again),
            Happening::Writes(page) => self.writes(page),
            Happening::Durable {
                page,
                machine,
                call,
                stored,
            } => self.durable(page, machine, call, stored),
            Happening::EpochRead { page, leaving } => self.epoch_read(page, leaving),
            Happening::Leaves(page) => self.leaves(page),
            Happening::Loaded(page) => self.loaded(page),
            Happening::Lock(page, ticket, news) => self.lock_news(page, ticket, news),
            Happening::Hears(page, message) => self.hears(page, message),
            Happening::Opens(tab) => self.opens(tab),
            Happening::Stirs(page, online) => self.stirs(page, online),
            Happening::Mishap(tab, fault, bits) => self.mishap(tab, fault, bits),
            Happening::SignsIn(page) => self.signs_in(page),
            Happening::Resumes(page, machine) => self.resumes(page, machine),
            Happening::PersonSays(page, machine) => self.person_says(page, machine),
        }
    }

    /// Whether this page is still there.
    pub(crate) fn lives(&self, page: PageRef) -> bool {
        let tab = &self.tabs[page.tab];
        tab.open && tab.life == page.life
    }

    pub(crate) fn page(&self, tab: usize) -> PageRef {
        PageRef {
            tab,
            life: self.tabs[tab].life,
        }
    }

    /// Whether a fault strikes this tab now; the bits say how hard.
    pub(crate) fn strikes(&mut self, fault: Fault, tab: usize, boost: u16) -> Option<u64> {
        if self.now > self.calm_at {
            return None;
        }
        let bits = self.faults.strikes(fault, boost)?;
        self.trace(bits);
        // A mishap is counted where it hits, a moment later.
        if !self.mishaps.contains(&fault) {
            self.struck(fault, tab);
        }
        Some(bits)
    }

    /// Counts a fault in the phase that it hits.
    pub(crate) fn struck(&mut self, fault: Fault, tab: usize) {
        let phase = self.tabs[tab].phase().or_else(|| {
            let device = self.tabs[tab].device;
            let mut others = self.tabs.iter().filter(|other| other.device == device);
            others.find_map(Tab::phase)
        });
        if let Some(phase) = phase {
            self.coverage.hit(fault, phase);
        }
        if self.story.is_some() {
            let phase = phase.map_or("nobody acts", |phase| phase.words());
            self.tell(tab, || format!("FAULT {} ({phase})", fault.words()));
        }
    }

    /// Adds to the fingerprint of this run.
    pub(crate) fn trace(&mut self, bits: u64) {
        self.hash = mix(self.hash ^ bits ^ (self.now.cast_unsigned()).rotate_left(32));
    }

    /// The fingerprint of this run: equal runs have equal ones.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.hash
    }

    /// Adds a line to the timeline, where one is kept.
    pub(crate) fn tell(&mut self, tab: usize, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let who = match self.tabs.get(tab) {
                Some(it) if self.devices.len() > 1 => {
                    format!("device {} tab {tab}", it.device)
                }
                Some(_) => format!("tab {tab}"),
                None => "server".into(),
            };
            story.push(Line {
                at: self.now,
                who,
                what: what(),
            });
        }
    }

    /// Virtual milliseconds that went by.
    pub(crate) fn virtual_ms(&self) -> u64 {
        self.now.unsigned_abs()
    }
}

/// A number for the kind of happening and whom it concerns.
fn mark(happening: Happening) -> u64 {
    let (kind, page) = match happening {
        Happening::Wake(page) => (1, page.tab),
        Happening::SeatWake(page) => (2, page.tab),
        Happening::Answer { page, call, .. } => return 3 | call.0 << 8 | (page.tab as u64) << 40,
        Happening::Posted { page, call, .. } => return 4 | call.0 << 8 | (page.tab as u64) << 40,
        Happening::Arrives { post, .. } => (5, post),
        Happening::Writes(page) => (6, page.tab),
        Happening::Durable { page, .. } => (7, page.tab),
        Happening::EpochRead { page, .. } => (8, page.tab),
        Happening::Leaves(page) => (9, page.tab),
        Happening::Loaded(page) => (10, page.tab),
        Happening::Lock(page, ..) => (11, page.tab),
        Happening::Hears(page, _) => (12, page.tab),
        Happening::Opens(tab) => (13, tab),
        Happening::Stirs(page, _) => (14, page.tab),
        Happening::Mishap(tab, fault, _) => return 15 | (fault as u64) << 8 | (tab as u64) << 40,
        Happening::SignsIn(page) => (16, page.tab),
        Happening::Resumes(page, _) => (17, page.tab),
        Happening::PersonSays(page, _) => (18, page.tab),
    };
    kind | (page as u64) << 40
}
