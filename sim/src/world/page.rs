//! A tab's driver: performs what seat and machine want, feeds back what
//! happened. It does what the app's driver owes (`supervise::Seat`).

use std::time::Duration;

use retake_core::{
    domain::Timestamp,
    rerun::PersonSays,
    supervise::{
        BatchRef, CallId, Event, Input, Now, Opened, Output, PauseReason, Phase, Seat, SeatInput,
        SeatOutput, Supervisor, WakeReason,
    },
};

use super::{Happening, LockNews, Message, PageRef, Timer, World, network::What};
use crate::{
    dice::within,
    fault::Fault,
    server::{By, EPOCH_MS},
    tab::{Leaving, Line, Machine},
};

/// The longest timer that is set.
const LONGEST_TIMER: Duration = Duration::from_mins(1);
/// A hidden tab's timers fire once in this long.
const STRETCHED: i64 = 60_000;

/// Between two records of a journal, so much of the time counts as lived.
const ALIVE_MS: i64 = 90_000;

impl World {
    /// The clocks as this tab reads them.
    pub(crate) fn clock(&mut self, tab: usize) -> Now {
        let it = &self.tabs[tab];
        let device = &self.devices[it.device];
        let slept = if device.mono_stops { device.slept } else { 0 };
        let mono = self.now - slept - it.born;
        Now {
            wall: Timestamp::from_millis(EPOCH_MS + self.now + device.skew),
            mono: Duration::from_millis(u64::try_from(mono).unwrap_or(0)),
            dice: self.dice.roll(),
        }
    }

    /// A person starts the supervision on this device.
    pub(crate) fn start_device(&mut self, device: usize) {
        self.devices[device].started = true;
        let tab = self.tabs.len();
        self.tabs.push(crate::tab::Tab::new(device));
        self.opens(tab);
    }

    /// Another tab of this device opens.
    pub(crate) fn open_another(&mut self, device: usize) -> usize {
        let tab = self.tabs.len();
        self.tabs.push(crate::tab::Tab::new(device));
        self.opens(tab);
        // The others have somebody to talk to from now on.
        for other in 0..tab {
            if self.tabs[other].device == device && self.tabs[other].open {
                self.tabs[other].seat_wake = self.timer_at(self.now + 1);
            }
        }
        tab
    }

    /// The page opens: a fresh start if nothing was ever written.
    pub(crate) fn opens(&mut self, tab: usize) {
        if self.tabs[tab].open {
            return;
        }
        let device = self.tabs[tab].device;
        if self.devices[device].store.evicted_at.is_some() {
            if self.devices[device].over {
                return;
            }
            let acts = |it: &crate::tab::Tab| it.device == device && it.machine.is_some();
            if !self.tabs.iter().any(acts) {
                return self.lost(device);
            }
            // It finds no such supervision, and hears of it from the acting tab at most.
            return;
        }
        let alone = self.is_alone(tab);
        let fresh = alone && self.devices[device].store.lines.is_empty();
        if !fresh && self.devices[device].store.lines.is_empty() {
            // Another tab has just begun, and there is nothing to show yet.
            return self.after(1_000, Happening::Opens(tab));
        }
        let slept = self.devices[device].slept;
        let stops = self.devices[device].mono_stops;
        let it = &mut self.tabs[tab];
        it.open = true;
        it.life += 1;
        it.born = self.now - if stops { slept } else { 0 };
        it.signed_in = true;
        let now = self.clock(tab);
        let opened = if fresh { Opened::Fresh } else { Opened::Found };
        self.tabs[tab].seat = Some(Seat::open(opened, true, now));
        self.tell(tab, || "the page opens".into());
        self.drain(tab);
    }

    /// The page goes: reloaded, closed or crashed.
    pub(crate) fn dies(&mut self, tab: usize, bits: u64) {
        let now = self.now;
        let it = &mut self.tabs[tab];
        if !it.open {
            return;
        }
        it.open = false;
        it.life += 1;
        it.seat = None;
        it.machine = None;
        it.loaded = None;
        it.leaving = None;
        it.frozen_until = 0;
        it.hidden_until = 0;
        it.wake = Timer::NEVER;
        it.seat_wake = Timer::NEVER;
        it.ticket += 1;
        let writing = std::mem::take(&mut it.writing);
        let first = it.backlog.pop_front();
        it.backlog.clear();
        let device = it.device;
        // A transaction that ran either made it to the disk or it did not.
        if let Some(line) = first.filter(|_| writing && bits & 1 == 0) {
            self.devices[device]
                .store
                .write(line.record, line.epoch, now);
        }
        if std::mem::take(&mut self.memory[device].silent) {
            // A pause that could not be written down is taken for a time in which
            // the page was alive, as far as the next life grants such a time.
            let poll = i64::try_from(self.policy.poll_every.as_millis()).unwrap_or(0);
            self.memory[device].unnoticed_ms += poll + ALIVE_MS;
        }
        self.release_lock(tab);
        self.tell(tab, || "the page is gone".into());
    }

    // The lock.

    fn release_lock(&mut self, tab: usize) {
        let lock = &mut self.devices[self.tabs[tab].device].lock;
        lock.queue.retain(|waiting| *waiting != tab);
        if lock.holder == Some(tab) {
            lock.holder = lock.queue.pop_front();
            if let Some(next) = lock.holder {
                self.tell_lock(next, LockNews::Granted);
            }
        }
    }

    fn tell_lock(&mut self, tab: usize, news: LockNews) {
        let happening = Happening::Lock(self.page(tab), self.tabs[tab].ticket, news);
        self.after(2, happening);
    }

    pub(crate) fn lock_news(&mut self, page: PageRef, ticket: u32, news: LockNews) {
        if !self.lives(page) || self.tabs[page.tab].ticket != ticket {
            return;
        }
        let input = match news {
            LockNews::Granted => SeatInput::LockGranted,
            LockNews::Taken => SeatInput::LockTaken,
            LockNews::Lost => SeatInput::LockLost,
        };
        self.tell(page.tab, || format!("lock {news:?}").to_lowercase());
        self.sit(page.tab, input);
    }

    // Feeding.

    /// Feeds the seat, then performs.
    pub(crate) fn sit(&mut self, tab: usize, input: SeatInput) {
        let now = self.clock(tab);
        if let Some(seat) = &mut self.tabs[tab].seat {
            seat.handle(input, now);
            self.drain(tab);
        }
    }

    /// Feeds the machine, checks, then performs.
    pub(crate) fn feed(&mut self, tab: usize, input: Input) {
        if !self.is_alone(tab) {
            // First the seat: it notices when this tab was frozen meanwhile.
            self.sit(tab, SeatInput::Wake);
        }
        let now = self.clock(tab);
        let Some(machine) = &mut self.tabs[tab].machine else {
            return;
        };
        machine.wants_since.get_or_insert(self.now);
        machine.it.handle(input, now);
        self.check_machine(tab);
        self.check_age(tab, now);
        self.drain(tab);
    }

    pub(crate) fn wakes(&mut self, page: PageRef) {
        self.tabs[page.tab].wake = Timer::NEVER;
        self.feed(page.tab, Input::Wake);
    }

    pub(crate) fn seat_wakes(&mut self, page: PageRef) {
        self.tabs[page.tab].seat_wake = Timer::NEVER;
        self.sit(page.tab, SeatInput::Wake);
    }

    pub(crate) fn stirs(&mut self, page: PageRef, online: bool) {
        if self.lives(page) {
            let why = if online {
                WakeReason::Online
            } else {
                WakeReason::Visible
            };
            if !self.is_alone(page.tab) {
                self.sit(page.tab, SeatInput::Wake);
            }
            self.feed(page.tab, Input::Woken(why));
        }
    }

    pub(crate) fn signs_in(&mut self, page: PageRef) {
        if self.lives(page) {
            self.tabs[page.tab].signed_in = true;
            self.tell(page.tab, || "signed in".into());
            self.sit(page.tab, SeatInput::Able(true));
            self.feed(page.tab, Input::SignedIn);
        }
    }

    pub(crate) fn resumes(&mut self, page: PageRef, machine: u32) {
        if self.is_machine(page, machine) {
            self.tell(page.tab, || "the person resumes".into());
            self.feed(page.tab, Input::Resume);
        }
    }

    /// The person looked it up, and says the truth.
    pub(crate) fn person_says(&mut self, page: PageRef, number: u32) {
        if self.is_machine(page, number) {
            let device = self.tabs[page.tab].device;
            let machine = self.tabs[page.tab].machine.as_ref();
            let Some(intent) = machine.and_then(|it| Some(it.it.submission()?.intent())) else {
                return;
            };
            if machine.is_some_and(|it| it.it.state().phase != Phase::Rerunning) {
                // Paused meanwhile: the question stands until it goes on.
                return self.after(30_000, Happening::PersonSays(page, number));
            }
            let key = (device, intent.at.as_millis(), intent.attempt, intent.epoch);
            let applied = self.server.runs.iter().any(|run| match run.by {
                By::Post(post) => self.posts[post].key == key,
                _ => false,
            });
            let word = if applied {
                PersonSays::Applied
            } else {
                PersonSays::NotApplied
            };
            self.tell(page.tab, || format!("the person says: {word:?}"));
            self.feed(page.tab, Input::PersonSays(word));
        }
    }

    /// Whether this machine is still there.
    pub(crate) fn is_machine(&self, page: PageRef, number: u32) -> bool {
        self.lives(page)
            && self.tabs[page.tab]
                .machine
                .as_ref()
                .is_some_and(|it| it.number == number)
    }

    pub(crate) fn hears(&mut self, page: PageRef, message: Message) {
        if self.lives(page) {
            let input = match message {
                Message::Beat { epoch, idle } => SeatInput::Heard { epoch, idle },
                Message::Ask { able } => SeatInput::Asked { able },
            };
            self.sit(page.tab, input);
        }
    }

    /// No other tab of this browser is open: beats would reach nobody, and are
    /// left out to save time.
    pub(crate) fn is_alone(&self, tab: usize) -> bool {
        let device = self.tabs[tab].device;
        !self
            .tabs
            .iter()
            .enumerate()
            .any(|(index, other)| index != tab && other.open && other.device == device)
    }

    // Performing.

    pub(crate) fn drain(&mut self, tab: usize) {
        while self.failure.is_none() {
            let it = &mut self.tabs[tab];
            let Some(seat) = &mut it.seat else { return };
            if let Some(output) = seat.poll_output() {
                self.perform_seat(tab, output);
                continue;
            }
            if !seat.may_act() {
                return;
            }
            let Some(machine) = &mut it.machine else {
                return;
            };
            let Some(output) = machine.it.poll_output() else {
                machine.wants_since = None;
                return;
            };
            self.perform(tab, output);
        }
    }

    fn perform_seat(&mut self, tab: usize, output: SeatOutput) {
        let page = self.page(tab);
        let device = self.tabs[tab].device;
        let lock = &mut self.devices[device].lock;
        match output {
            SeatOutput::TryLock => {
                let free = lock.holder.is_none();
                if free {
                    lock.holder = Some(tab);
                }
                self.tell_lock(
                    tab,
                    if free {
                        LockNews::Granted
                    } else {
                        LockNews::Taken
                    },
                );
            }
            SeatOutput::QueueForLock => {
                if lock.holder.is_none() {
                    lock.holder = Some(tab);
                    self.tell_lock(tab, LockNews::Granted);
                } else if lock.holder != Some(tab) && !lock.queue.contains(&tab) {
                    lock.queue.push_back(tab);
                }
            }
            SeatOutput::StealLock => {
                lock.queue.retain(|waiting| *waiting != tab);
                let robbed = lock.holder.replace(tab).filter(|holder| *holder != tab);
                if let Some(robbed) = robbed {
                    self.tell_lock(robbed, LockNews::Lost);
                    self.coverage.reach.locks_stolen += 1;
                }
                self.tell_lock(tab, LockNews::Granted);
            }
            SeatOutput::LetGo => {
                self.tabs[tab].ticket += 1;
                self.release_lock(tab);
            }
            SeatOutput::LoadJournal => self.after(3, Happening::Loaded(page)),
            SeatOutput::Act { epoch } => self.act(tab, epoch),
            SeatOutput::StepDown => self.step_down(tab),
            SeatOutput::CheckEpoch => {
                self.after(
                    3,
                    Happening::EpochRead {
                        page,
                        leaving: false,
                    },
                );
            }
            SeatOutput::Beat | SeatOutput::Ask => self.broadcast(tab, output),
            SeatOutput::WakeIn(after) => {
                let acts = self.tabs[tab].seat.as_ref().is_some_and(Seat::may_act);
                if !acts || !self.is_alone(tab) {
                    let due = self.timer(tab, after);
                    if self.tabs[tab].seat_wake.due() != due {
                        self.tabs[tab].seat_wake = self.timer_at(due);
                    }
                }
            }
        }
    }

    fn broadcast(&mut self, tab: usize, output: SeatOutput) {
        if self.is_alone(tab) {
            return;
        }
        let it = &self.tabs[tab];
        let device = it.device;
        let Some(seat) = &it.seat else { return };
        let message = if output == SeatOutput::Beat {
            Message::Beat {
                epoch: seat.epoch(),
                idle: seat.is_idle(),
            }
        } else {
            Message::Ask {
                able: !seat.is_idle(),
            }
        };
        for other in 0..self.tabs.len() {
            let there = &self.tabs[other];
            if other == tab || !there.open || there.device != device {
                continue;
            }
            // Messages to a frozen page wait; too many are thrown away.
            let full = there.frozen_until > self.now + 30_000;
            if full || self.strikes(Fault::ChannelDropped, tab, 1).is_some() {
                continue;
            }
            let page = self.page(other);
            self.after(2, Happening::Hears(page, message));
        }
    }

    /// When a timer of this tab fires that is set now.
    fn timer(&self, tab: usize, after: Duration) -> i64 {
        let due = self.now
            + i64::try_from(after.as_millis())
                .unwrap_or(i64::MAX / 4)
                .max(1);
        if due < self.tabs[tab].hidden_until {
            due + STRETCHED - due % STRETCHED
        } else {
            due
        }
    }

    fn act(&mut self, tab: usize, epoch: u64) {
        let now = self.clock(tab);
        let device = self.tabs[tab].device;
        let loaded = self.tabs[tab].loaded.take();
        let machine = match loaded {
            Some(lines) if !lines.is_empty() => {
                let Some(it) = Supervisor::restore(lines, now) else {
                    return self.broken("a journal restores");
                };
                it
            }
            _ => {
                let batch = self.server.id_of(0);
                let batch = if self.by_name {
                    BatchRef::Name("nightly".into())
                } else {
                    BatchRef::Id(batch)
                };
                Supervisor::start(self.policy, self.limits, batch, now)
            }
        };
        self.hold(
            machine.state().epoch == epoch || machine.state().phase.is_over() || epoch == 1,
            "S5: the machine writes with the epoch that the seat counts with",
        );
        self.machines += 1;
        let number = self.machines;
        let phase = machine.state().phase.clone();
        self.tabs[tab].epoch = epoch;
        self.tabs[tab].machine = Some(Machine::new(machine, number));
        self.tell(tab, || format!("acts, epoch {epoch}"));
        self.acting_again(tab, device);
        self.check_machine(tab);
        let page = self.page(tab);
        if let Phase::Paused(why) = phase {
            let wait = self.dice.between(500, 300_000);
            let happening = if why == PauseReason::SignedOut {
                Happening::SignsIn(page)
            } else {
                Happening::Resumes(page, number)
            };
            self.after(wait, happening);
        }
    }

    pub(crate) fn step_down(&mut self, tab: usize) {
        let it = &mut self.tabs[tab];
        if it.machine.take().is_some() {
            it.leaving = None;
            it.wake = Timer::NEVER;
            // What is being written may still be written; the rest goes.
            it.backlog.truncate(usize::from(it.writing));
            self.coverage.reach.stepped_down += 1;
            self.tell(tab, || "steps down".into());
        }
    }

    fn perform(&mut self, tab: usize, output: Output) {
        let page = self.page(tab);
        self.check_writer(tab);
        match output {
            Output::WakeAt(at) => {
                let wall = EPOCH_MS + self.now + self.devices[self.tabs[tab].device].skew;
                // Never for long: between the wish and here the clock may have
                // been set, and a call that comes early does no harm.
                let after = at.since(Timestamp::from_millis(wall)).min(LONGEST_TIMER);
                let due = self.timer(tab, after);
                if self.tabs[tab].wake.due() != due {
                    self.tabs[tab].wake = self.timer_at(due);
                }
                return;
            }
            Output::Store(record) => {
                let stopped = record.event == Event::Stopped;
                self.store(tab, record, None);
                if stopped {
                    self.judge(tab);
                }
            }
            Output::StoreAnew(record) => self.store(tab, record, None),
            Output::StoreIntent(call, record) => {
                if let Some(machine) = &mut self.tabs[tab].machine {
                    machine.durable = false;
                }
                self.store(tab, record, Some(call));
            }
            Output::ResolveBatch(call, _) => self.ask(tab, call, What::Resolve),
            Output::ReadBatch(call, batch) => self.ask(tab, call, What::Batch(batch)),
            Output::ReadTests(call, batch) => self.list(tab, call, batch, None),
            Output::ReadNotPassed(call, batch, passed) => self.list(tab, call, batch, Some(passed)),
            Output::SendRerun(call, intent, wanted) => {
                self.tell(tab, || {
                    format!("wants to rerun {} tests", intent.tests.len())
                });
                let told = self.tabs[tab].machine.as_ref().is_some_and(|it| it.durable);
                self.hold(told, "S4: the core sends only what it was told is durable");
                self.tabs[tab].leaving = Some(Leaving {
                    call,
                    intent,
                    decided: wanted,
                    asked: None,
                });
                self.try_to_leave(tab);
            }
            Output::NeedSignIn => {
                let wait = self.dice.between(1_000, 600_000);
                self.tabs[tab].signed_in = false;
                self.after(wait, Happening::SignsIn(page));
                self.sit_later(tab);
            }
            Output::Announce(_) => self.judge(tab),
        }
        self.maybe_mishap(tab);
    }

    /// The seat hears that nobody is signed in here.
    fn sit_later(&mut self, tab: usize) {
        let now = self.clock(tab);
        if let Some(seat) = &mut self.tabs[tab].seat {
            seat.handle(SeatInput::Able(false), now);
        }
    }

    pub(crate) fn store(
        &mut self,
        tab: usize,
        record: retake_core::supervise::Record,
        call: Option<CallId>,
    ) {
        if self.story.is_some() {
            let line = retake_core::supervise::explain(&record).text;
            self.tell(tab, || format!("log {}: {line}", record.seq));
        }
        let it = &mut self.tabs[tab];
        let machine = it.machine.as_ref().map_or(0, |it| it.number);
        it.backlog.push_back(Line {
            record,
            epoch: it.epoch,
            machine,
            call,
        });
        if let Some(bits) = self.strikes(Fault::CrashBeforeWrite, tab, 1) {
            self.crash_soon(tab, Fault::CrashBeforeWrite, bits);
        }
        self.write_on(tab);
    }

    /// Asks, at every step of a tab, whether something happens by itself soon.
    fn maybe_mishap(&mut self, tab: usize) {
        if self.mishaps.is_empty() {
            return;
        }
        let Some(phase) = self.tabs[tab].phase() else {
            return;
        };
        let boost = match phase {
            crate::phase::Phase::Waiting => 1,
            crate::phase::Phase::Settling => 2,
            _ => 4,
        };
        for index in 0..self.mishaps.len() {
            let fault = self.mishaps[index];
            if let Some(bits) = self.strikes(fault, tab, boost) {
                let soon = [1, 3, 30, 200, 5_000, 40_000];
                let most = soon[usize::try_from(bits >> 32 & 7).expect("small") % soon.len()];
                let delay = within(bits, 1, most);
                self.after(delay, Happening::Mishap(tab, fault, bits));
            }
        }
    }
}
