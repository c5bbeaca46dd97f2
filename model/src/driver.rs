//! A tab's driver: performs what seat and machine want, and feeds back what
//! happened. It does what the app's driver owes (`supervise::Seat`).

use std::sync::Arc;

use retake_core::{
    api::{ApiError, ErrorKind},
    rerun::{Ended, Evidence, SubmissionNote},
    supervise::{
        BatchRef, CallId, Event, Input, Opened, Output, Record, Seat, SeatInput, SeatOutput,
        Supervisor, WhyNot,
    },
};

use crate::{
    browser::{Leaving, Line, LockNews, Machine, Mail, Question, TABS, Written},
    likeness::WALL,
    marks::{Case, Promise},
    server::BATCH,
    world::{World, limits, policy},
};

impl World {
    /// The page opens: a fresh start if nothing was ever written.
    pub(crate) fn open(&mut self, tab: usize) {
        let fresh = self.store.lines.is_empty();
        let opened = if fresh { Opened::Fresh } else { Opened::Found };
        let now = self.clock();
        self.tabs[tab].open = true;
        self.tabs[tab].seat = Some(Seat::open(opened, true, now));
        self.drain(tab);
    }

    /// The page crashes and is loaded again.
    pub(crate) fn crash(&mut self, tab: usize) {
        self.tabs[tab].close();
        self.release_lock(tab);
        self.open(tab);
    }

    fn release_lock(&mut self, tab: usize) {
        self.lock.queue.retain(|waiting| *waiting != tab);
        if self.lock.holder == Some(tab) {
            self.lock.holder = self.lock.queue.pop_front();
            if let Some(next) = self.lock.holder {
                self.tabs[next].lock_news.push_back(LockNews::Granted);
            }
        }
    }

    // Feeding.

    /// Feeds the seat, then performs.
    pub(crate) fn sit(&mut self, tab: usize, input: SeatInput) {
        let now = self.clock();
        if let Some(seat) = &mut self.tabs[tab].seat {
            seat.handle(input, now);
            self.drain(tab);
        }
    }

    /// Feeds the machine, checks, then performs. First the seat: it notices when
    /// this tab was frozen meanwhile.
    pub(crate) fn feed(&mut self, tab: usize, input: Input) {
        self.sit(tab, SeatInput::Wake);
        let now = self.clock();
        let Some(machine) = &mut self.tabs[tab].machine else {
            return;
        };
        let machine = Arc::make_mut(machine);
        let before = machine.it.log().len();
        machine.it.handle(input, now);
        self.note(tab, before);
        self.check_machine(tab);
        self.drain(tab);
    }

    /// Notes the cases that the new lines of a log stand for.
    fn note(&mut self, tab: usize, before: usize) {
        let Some(machine) = self.tabs[tab].machine.clone() else {
            return;
        };
        let log = machine.it.log();
        for (at, record) in log.iter().enumerate().skip(before) {
            match &record.event {
                Event::Adopted { .. } => self.meet(Case::Adopted),
                Event::Decided {
                    why_not: Some(WhyNot::AboveLimit),
                    ..
                } => self.meet(Case::AboveGuard),
                Event::Intent(intent) if intent.attempt == 2 => self.meet(Case::SecondAttempt),
                Event::Rerun(SubmissionNote::Ended(ended)) if was_unknown(&log[..at]) => {
                    match ended {
                        Ended::Applied { evidence, .. } if *evidence != Evidence::Answer => {
                            self.meet(Case::UnknownApplied);
                        }
                        Ended::NotApplied => self.meet(Case::UnknownNotApplied),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    // Performing.

    pub(crate) fn drain(&mut self, tab: usize) {
        loop {
            let it = &mut self.tabs[tab];
            let Some(seat) = &mut it.seat else { return };
            if let Some(output) = seat.poll_output() {
                self.perform_seat(tab, output);
                continue;
            }
            if !seat.may_act() {
                return;
            }
            let machine = it.machine.as_mut().map(Arc::make_mut);
            let Some(output) = machine.and_then(|it| it.it.poll_output()) else {
                return;
            };
            self.perform(tab, output);
        }
    }

    fn perform_seat(&mut self, tab: usize, output: SeatOutput) {
        match output {
            SeatOutput::TryLock => {
                let free = self.lock.holder.is_none();
                let news = if free {
                    self.lock.holder = Some(tab);
                    LockNews::Granted
                } else {
                    LockNews::Taken
                };
                self.tabs[tab].lock_news.push_back(news);
            }
            SeatOutput::QueueForLock => {
                if self.lock.holder.is_none() {
                    self.lock.holder = Some(tab);
                    self.tabs[tab].lock_news.push_back(LockNews::Granted);
                } else if self.lock.holder != Some(tab) && !self.lock.queue.contains(&tab) {
                    self.lock.queue.push_back(tab);
                }
            }
            SeatOutput::StealLock => {
                self.lock.queue.retain(|waiting| *waiting != tab);
                if let Some(robbed) = self.lock.holder.replace(tab).filter(|it| *it != tab) {
                    self.tabs[robbed].lock_news.push_back(LockNews::Lost);
                    if self.tabs[robbed].frozen.is_some() {
                        self.meet(Case::RobbedFrozen);
                    }
                }
                self.tabs[tab].lock_news.push_back(LockNews::Granted);
            }
            SeatOutput::LetGo => {
                self.tabs[tab].lock_news.clear();
                self.release_lock(tab);
            }
            SeatOutput::LoadJournal => self.tabs[tab].loading = true,
            SeatOutput::Act { epoch } => self.act(tab, epoch),
            SeatOutput::StepDown => {
                if self.tabs[tab].drop_machine() {
                    // What is being written may still be written; the rest goes.
                    self.tabs[tab].backlog.truncate(1);
                    if !self.store.is_over() {
                        self.meet(Case::SteppedDown);
                    }
                }
            }
            SeatOutput::CheckEpoch => self.tabs[tab].checking = true,
            SeatOutput::Beat | SeatOutput::Ask => self.broadcast(tab, output),
            SeatOutput::WakeIn(after) => {
                let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX / 2);
                self.tabs[tab].seat_wake = Some(self.now + after);
            }
        }
    }

    fn broadcast(&mut self, tab: usize, output: SeatOutput) {
        let Some(seat) = &self.tabs[tab].seat else {
            return;
        };
        let mail = if output == SeatOutput::Beat {
            Mail::Beat {
                epoch: seat.epoch(),
                idle: seat.is_idle(),
            }
        } else {
            Mail::Ask {
                able: !seat.is_idle(),
            }
        };
        for other in (0..TABS).filter(|other| *other != tab) {
            if self.tabs[other].open {
                self.tabs[other].post(mail);
            }
        }
    }

    fn act(&mut self, tab: usize, epoch: u64) {
        let now = self.clock();
        let lines: Vec<Record> = self.store.lines.to_vec();
        let it = if lines.is_empty() {
            Supervisor::start(policy(), limits(), BatchRef::Id(BATCH), now)
        } else {
            let case = match self.store.writer {
                Some((before, _)) if before != tab => Case::Takeover,
                _ => Case::Restored,
            };
            self.meet(case);
            Supervisor::restore(lines, now).expect("the journal begins with a start")
        };
        let state = it.state();
        let fits = state.epoch == epoch || state.phase.is_over();
        self.hold(fits, Promise::S5Writer);
        let there = &mut self.tabs[tab];
        there.machines += 1;
        there.epoch = epoch;
        there.machine = Some(Arc::new(Machine {
            // What it was restored from is in the journal.
            durable: state.open.is_some(),
            it,
            number: there.machines,
            read: None,
        }));
        self.check_machine(tab);
        self.check_replay(tab);
    }

    fn perform(&mut self, tab: usize, output: Output) {
        self.check_acts(tab);
        match output {
            Output::WakeAt(at) => self.tabs[tab].wake = Some(at.as_millis() - WALL),
            Output::Store(record) | Output::StoreAnew(record) => self.store(tab, record, None),
            Output::StoreIntent(call, record) => {
                if let Some(machine) = &mut self.tabs[tab].machine {
                    Arc::make_mut(machine).durable = false;
                }
                self.store(tab, record, Some(call));
            }
            Output::ReadBatch(call, _) => self.ask(tab, call, false),
            Output::ReadTests(call, _) => self.ask(tab, call, true),
            Output::SendRerun(call, intent, wanted) => {
                let durable = self.tabs[tab].machine.as_ref().is_some_and(|it| it.durable);
                self.hold(durable, Promise::S4Durable);
                self.tabs[tab].leaving = Some(Leaving {
                    call,
                    intent,
                    decided: wanted,
                    asked: None,
                    cleared: false,
                });
                self.try_to_leave(tab);
            }
            Output::Announce(verdict) => self.judge(tab, &verdict),
            // The batch is named by its ID, nobody signs out, and all tests are on one page.
            Output::ResolveBatch(..) | Output::NeedSignIn | Output::ReadNotPassed(..) => {
                unreachable!("outside the model")
            }
        }
    }

    fn ask(&mut self, tab: usize, call: CallId, tests: bool) {
        self.tabs[tab].question = Some(Question {
            call,
            tests,
            sent: self.now,
        });
    }

    // The journal.

    fn store(&mut self, tab: usize, record: Record, call: Option<CallId>) {
        let it = &mut self.tabs[tab];
        let machine = it.machine.as_ref().map_or(0, |it| it.number);
        it.backlog.push_back(Line {
            record,
            epoch: it.epoch,
            machine,
            call,
        });
    }

    /// The transaction of the first line runs.
    pub(crate) fn write(&mut self, tab: usize) {
        let Some(line) = self.tabs[tab].backlog.pop_front() else {
            return;
        };
        let page = (tab, self.tabs[tab].life);
        let mine = self.tabs[tab].machine.as_ref();
        let mine = mine.is_some_and(|it| it.number == line.machine);
        let call = line.call;
        match self.store.write(line, page, self.now) {
            Written::Superseded if mine => {
                self.meet(Case::Superseded);
                self.tabs[tab].backlog.clear();
                let epoch = self.store.epoch;
                return self.sit(tab, SeatInput::Superseded { epoch });
            }
            // The last write of a machine that was dropped.
            Written::Superseded => return,
            Written::StoredBeside => self.hold(false, Promise::S5Writer),
            Written::Stored => {}
        }
        if self.store.is_over() {
            self.sit(tab, SeatInput::Ended);
            for other in (0..TABS).filter(|other| *other != tab) {
                if self.tabs[other].open {
                    self.tabs[other].post(Mail::Ended);
                }
            }
            return;
        }
        if let Some(call) = call.filter(|_| mine) {
            if let Some(machine) = &mut self.tabs[tab].machine {
                Arc::make_mut(machine).durable = true;
            }
            self.feed(tab, Input::Stored(call, Ok(())));
        }
        self.try_to_leave(tab);
    }

    // The way of a rerun: all earlier records durable, then the epoch, then out.

    /// Asks for the epoch once everything is durable.
    fn try_to_leave(&mut self, tab: usize) {
        let now = self.clock();
        let it = &mut self.tabs[tab];
        if let Some(leaving) = &mut it.leaving
            && it.backlog.is_empty()
            && leaving.asked.is_none()
        {
            leaving.asked = Some(now);
        }
    }

    /// The journal answers with its epoch.
    pub(crate) fn epoch_read(&mut self, tab: usize) {
        let epoch = self.store.epoch;
        if epoch > self.tabs[tab].epoch {
            self.sit(tab, SeatInput::Superseded { epoch });
        } else if let Some(leaving) = &mut self.tabs[tab].leaving {
            leaving.cleared = true;
        }
    }

    /// The rerun is about to leave; `None` if it may not, and the machine was
    /// told that nobody knows.
    pub(crate) fn may_leave(&mut self, tab: usize) -> Option<Leaving> {
        let now = self.clock();
        let it = &mut self.tabs[tab];
        let leaving = it.leaving.take()?;
        let asked = leaving.asked?;
        let seat = it.seat.as_ref()?;
        if seat.may_send(leaving.decided, asked, now) {
            return Some(leaving);
        }
        self.meet(Case::HeldBack);
        let why = "the tab slept before it was sent";
        let error = ApiError::new("rerun the tests", ErrorKind::Aborted, why);
        self.feed(tab, Input::RerunAnswered(leaving.call, Err(error)));
        None
    }
}

/// Whether the outcome of the last intent was not known at the end of these lines.
fn was_unknown(log: &[Record]) -> bool {
    let since = log
        .iter()
        .rev()
        .take_while(|record| !matches!(record.event, Event::Intent(_)));
    since.into_iter().any(|record| {
        matches!(
            record.event,
            Event::Restored { .. } | Event::Rerun(SubmissionNote::Unknown { .. })
        )
    })
}
