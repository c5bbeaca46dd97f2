//! One simulated supervision and the promises it is held to.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use retake_core::{
    api::{ApiError, ErrorKind, RerunAnswer},
    domain::{Batch, BatchStatus, RunCounter, Test, Timestamp},
    rerun::{Intent, Limits, SubmissionNote},
    supervise::{
        BatchRef, CallId, Event, Input, Now, Output, PauseReason, Phase, Policy, Record, State,
        Supervisor, WatchedStates, exit_code,
    },
};

use crate::{
    dice::Dice,
    model::{Model, RerunReply},
};

/// How a run ended, coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Exit(u8),
    Stopped,
}

impl Ending {
    pub(crate) const ALL: [Self; 8] = [
        Self::Exit(0),
        Self::Exit(1),
        Self::Exit(2),
        Self::Exit(5),
        Self::Exit(6),
        Self::Exit(7),
        Self::Exit(8),
        Self::Stopped,
    ];
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) runs: u64,
    pub(crate) virtual_ms: u64,
    pub(crate) applied: u64,
    pub(crate) adopted: u64,
    pub(crate) doubts: u64,
    pub(crate) crashes: u64,
    pub(crate) refused_stores: u64,
    pub(crate) endings: BTreeMap<Ending, u64>,
    /// The log of a single run, to compare replays.
    pub(crate) trace: Vec<Record>,
}

impl Report {
    pub(crate) fn absorb(&mut self, one: &Self) {
        self.runs += one.runs;
        self.virtual_ms += one.virtual_ms;
        self.applied += one.applied;
        self.adopted += one.adopted;
        self.doubts += one.doubts;
        self.crashes += one.crashes;
        self.refused_stores += one.refused_stores;
        for (ending, count) in &one.endings {
            *self.endings.entry(*ending).or_default() += count;
        }
    }
}

/// What happens at a point in time.
#[derive(Debug, Clone)]
enum Happening {
    Wake,
    Answer(u32, Box<Input>),
    RerunArrives {
        call: CallId,
        intent: Box<Intent>,
        lose_answer: bool,
        life: u32,
    },
    SignIn,
    Unpause,
    OthersRerun,
    OthersCancel,
    PersonPauses,
    PersonStops,
}

struct Entry(i64, u64, Happening);
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// After this much virtual time every fault is off, and the run must end.
const CALM_AFTER_MS: i64 = 4 * 3_600_000;
/// … within this.
const END_WITHIN_MS: i64 = 40 * 3_600_000;

struct World {
    seed: u64,
    dice: Dice,
    model: Model,
    past: Vec<(i64, Model)>,
    supervisor: Supervisor,
    queue: BinaryHeap<Reverse<Entry>>,
    queued: u64,
    now: i64,
    mono: i64,
    wake: Option<i64>,
    /// Answers to an earlier life of the page reach nobody.
    life: u32,
    durable: Vec<Record>,
    fault_permille: u64,
    stale_ms: i64,
    policy: Policy,
    last_read: Option<Batch>,
    applied_per_intent: BTreeMap<(i64, u32, u64), u32>,
    report: Report,
}

/// Runs one seed to its end.
///
/// # Panics
/// A promise was broken; the message names it and the seed.
pub(crate) fn simulate(seed: u64) -> Report {
    let mut dice = Dice::new(seed);
    let policy = Policy {
        max_rerun_attempts: u32::try_from(dice.below(4)).expect("small"),
        rerun_max_failure_percent: dice.pick(&[5.0, 25.0, 50.0, 100.0]),
        rerun_on: dice.pick(&[
            WatchedStates::ALL,
            WatchedStates {
                error: true,
                ..WatchedStates::default()
            },
            WatchedStates {
                blocker: true,
                warning: true,
                ..WatchedStates::default()
            },
        ]),
        fail_on: dice.pick(&[
            WatchedStates::default(),
            WatchedStates::default(),
            WatchedStates {
                blocker: true,
                ..WatchedStates::default()
            },
        ]),
        poll_every: Duration::from_secs(dice.pick(&[1, 10, 30])),
        wait_timeout: Duration::from_secs(dice.pick(&[120, 900, 3600])),
    };
    let model = Model::new(&mut dice);
    let start = Timestamp::from_millis(1_000_000_000);
    let now = Now {
        wall: start,
        mono: Duration::ZERO,
        dice: dice.roll(),
    };
    let supervisor = Supervisor::start(policy, Limits::default(), BatchRef::Id(model.batch), now);
    let mut world = World {
        seed,
        fault_permille: dice.pick(&[0, 2, 20, 120]),
        stale_ms: dice.pick(&[0, 0, 2_000, 10_000]),
        past: vec![(0, model.clone())],
        model,
        supervisor,
        queue: BinaryHeap::new(),
        queued: 0,
        now: 0,
        mono: 0,
        wake: None,
        life: 0,
        durable: Vec::new(),
        policy,
        last_read: None,
        applied_per_intent: BTreeMap::new(),
        report: Report {
            runs: 1,
            ..Report::default()
        },
        dice,
    };
    world.cast_others();
    world.drain();
    while !world.supervisor.state().phase.is_over() {
        world.step();
    }
    world.judge();
    world.report
}

impl World {
    fn cast_others(&mut self) {
        for (chance, happening) in [
            (150, Happening::OthersRerun),
            (50, Happening::OthersCancel),
            (60, Happening::PersonPauses),
            (20, Happening::PersonStops),
        ] {
            if self.dice.permille(chance) {
                let at = self.dice.between(0, 1_500_000);
                self.queue_at(at, happening);
            }
        }
    }

    fn queue_at(&mut self, at: i64, happening: Happening) {
        self.queued += 1;
        self.queue.push(Reverse(Entry(at, self.queued, happening)));
    }

    fn calm(&self) -> bool {
        self.now > CALM_AFTER_MS
    }

    fn faulty(&mut self) -> bool {
        !self.calm() && self.dice.permille(self.fault_permille)
    }

    fn clock(&mut self) -> Now {
        Now {
            wall: Timestamp::from_millis(1_000_000_000 + self.now),
            mono: Duration::from_millis(self.mono.unsigned_abs()),
            dice: self.dice.roll(),
        }
    }

    fn fail(&self, promise: &str) -> ! {
        for record in self.supervisor.log() {
            eprintln!(
                "{:>9} {:?}",
                record.at.as_millis() - 1_000_000_000,
                record.event
            );
        }
        panic!("seed {}: {promise}", self.seed);
    }

    fn hold(&self, kept: bool, promise: &str) {
        if !kept {
            self.fail(promise);
        }
    }

    fn step(&mut self) {
        let Some(Reverse(Entry(at, _, happening))) = self.queue.pop() else {
            self.fail("nothing is queued and the run has not ended: a deadlock");
        };
        let gap = (at - self.now).max(0);
        self.now += gap;
        self.mono += gap;
        self.hold(self.now < END_WITHIN_MS, "the run does not end");
        if matches!(happening, Happening::Wake) && self.faulty() {
            match self.dice.below(3) {
                0 => return self.crash(),
                1 => {
                    // The computer sleeps: the wall clock goes on, the other stands still.
                    let hours = self.dice.between(1, 3) * 3_600_000;
                    self.now += hours;
                    self.report.virtual_ms += hours.unsigned_abs();
                }
                _ => {}
            }
        }
        let input = match happening {
            Happening::Wake => {
                if self.wake != Some(at) {
                    return;
                }
                self.wake = None;
                Input::Wake
            }
            Happening::Answer(life, input) => {
                if life != self.life {
                    return;
                }
                if let Input::BatchRead(_, Ok(batch)) = &*input {
                    self.last_read = Some((**batch).clone());
                }
                *input
            }
            Happening::RerunArrives {
                call,
                intent,
                lose_answer,
                life,
            } => {
                return self.rerun_arrives(call, &intent, lose_answer, life);
            }
            Happening::SignIn => Input::SignedIn,
            Happening::Unpause => Input::Resume,
            Happening::OthersRerun => {
                let ids = self.model.ids();
                let now = self.now;
                self.model.rerun(&ids, now, &mut self.dice);
                return self.remember();
            }
            Happening::OthersCancel => {
                self.model.cancel(self.now);
                return self.remember();
            }
            Happening::PersonPauses => {
                let back = self.now + self.dice.between(1_000, 600_000);
                self.queue_at(back, Happening::Unpause);
                Input::Pause(PauseReason::ByPerson)
            }
            Happening::PersonStops => Input::Stop,
        };
        let now = self.clock();
        self.supervisor.handle(input, now);
        self.drain();
    }

    fn remember(&mut self) {
        self.past.push((self.now, self.model.clone()));
    }

    fn crash(&mut self) {
        self.report.crashes += 1;
        let replayed = State::replay(self.supervisor.log());
        self.hold(
            replayed.as_ref() == Some(self.supervisor.state()),
            "the log replays to the same state",
        );
        self.life += 1;
        self.now += self.dice.between(100, 400_000);
        self.mono = 0;
        self.wake = None;
        let now = self.clock();
        let records = self.durable.clone();
        match Supervisor::restore(records, now) {
            Some(supervisor) => self.supervisor = supervisor,
            None => self.fail("a journal restores"),
        }
        self.queue_at(self.now + 1, Happening::Unpause);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.supervisor.poll_output() {
            match output {
                Output::Store(record) => self.store(record),
                Output::StoreIntent(call, record) => {
                    let refused = self.faulty() && self.dice.permille(300);
                    let stored = if refused {
                        self.report.refused_stores += 1;
                        // The state machine has taken the record in; the disk has not.
                        let back = self.now + 30_000;
                        self.queue_at(back, Happening::Unpause);
                        self.store(record);
                        Err("quota".to_owned())
                    } else {
                        self.store(record);
                        Ok(())
                    };
                    self.answer(5, Input::Stored(call, stored));
                }
                Output::ReadBatch(call, _) => self.read(call, false),
                Output::ReadTests(call, _) => self.read(call, true),
                Output::ResolveBatch(call, _) => {
                    let id = self.model.batch;
                    self.answer(50, Input::Resolved(call, Ok((id, None))));
                }
                Output::SendRerun(call, intent) => self.send(call, intent),
                Output::WakeAt(at) => {
                    let at = (at.as_millis() - 1_000_000_000).max(self.now);
                    if self.wake != Some(at) {
                        self.wake = Some(at);
                        self.queue_at(at, Happening::Wake);
                    }
                }
                Output::NeedSignIn => {
                    let at = self.now + self.dice.between(1_000, 900_000);
                    self.queue_at(at, Happening::SignIn);
                }
                Output::Announce(_) => {}
            }
        }
        self.hold(
            self.supervisor.state().attempt <= self.policy.max_rerun_attempts,
            "attempts stay within the limit",
        );
    }

    fn store(&mut self, record: Record) {
        self.hold(
            record.seq as usize == self.durable.len(),
            "records are stored in order, without gaps",
        );
        self.durable.push(record);
    }

    fn answer(&mut self, delay_ms: i64, input: Input) {
        let life = self.life;
        self.queue_at(
            self.now + delay_ms,
            Happening::Answer(life, Box::new(input)),
        );
    }

    fn error(kind: ErrorKind) -> ApiError {
        ApiError::new("read the batch", kind, "fault")
    }

    fn any_error(&mut self) -> ApiError {
        let kind = self.dice.pick(&[0, 1, 2, 3, 4, 5]);
        Self::error(match kind {
            0 => ErrorKind::Unreachable,
            1 => ErrorKind::TimedOut,
            2 => ErrorKind::Server,
            3 => ErrorKind::Unreadable,
            4 => ErrorKind::Throttled,
            _ => ErrorKind::SignedOut,
        })
    }

    fn read(&mut self, call: CallId, tests: bool) {
        let delay = self.dice.between(10, 400);
        if self.faulty() {
            let error = self.any_error();
            let delay = if error.kind == ErrorKind::TimedOut {
                35_000
            } else {
                delay
            };
            let input = if tests {
                Input::TestsRead(call, Err(error))
            } else {
                Input::BatchRead(call, Err(error))
            };
            return self.answer(delay, input);
        }
        let lag = if self.calm() {
            0
        } else {
            self.dice.between(0, self.stale_ms)
        };
        let seen_at = (self.now - lag).max(0);
        let model = self
            .past
            .iter()
            .rev()
            .find(|(at, _)| *at <= seen_at)
            .map_or(&self.model, |(_, model)| model);
        let input = if tests {
            let mut listed: Vec<Test> = model.tests(seen_at);
            if self.faulty() && !listed.is_empty() {
                // A page boundary moved: one test twice, or one missing.
                let first = listed[0].clone();
                if self.dice.permille(500) {
                    listed.push(first);
                } else {
                    listed.truncate(listed.len() - 1);
                }
            }
            Input::TestsRead(call, Ok(listed))
        } else {
            Input::BatchRead(call, Ok(Box::new(model.read(seen_at))))
        };
        self.answer(delay, input);
    }

    fn send(&mut self, call: CallId, intent: Box<Intent>) {
        let stored = self
            .durable
            .iter()
            .any(|record| matches!(&record.event, Event::Intent(stored) if **stored == *intent));
        self.hold(stored, "nothing is sent before its intent is stored");
        self.hold(!intent.tests.is_empty(), "an empty list is never sent");
        let cancelled = self
            .last_read
            .as_ref()
            .is_some_and(|batch| batch.status == Some(BatchStatus::Cancelled));
        self.hold(!cancelled, "a batch read as cancelled is never rerun");

        let life = self.life;
        let mut delay = self.dice.between(10, 400);
        let mut lose_answer = false;
        if self.faulty() {
            match self.dice.below(5) {
                0 => {
                    // Lost on the way there.
                    let error = Self::error(ErrorKind::Unreachable);
                    return self.answer(delay, Input::RerunAnswered(call, Err(error)));
                }
                1 => lose_answer = true,
                2 => {
                    // Late: applied after the client gave up.
                    delay = self.dice.between(35_000, 58_000);
                    let error = Self::error(ErrorKind::TimedOut);
                    self.answer(35_000, Input::RerunAnswered(call, Err(error)));
                    self.queue_at(
                        self.now + delay,
                        Happening::RerunArrives {
                            call: CallId(u64::MAX),
                            intent,
                            lose_answer: true,
                            life,
                        },
                    );
                    return;
                }
                3 => {
                    let error = self.any_error();
                    return self.answer(delay, Input::RerunAnswered(call, Err(error)));
                }
                _ => delay = 30_000,
            }
        }
        self.queue_at(
            self.now + delay,
            Happening::RerunArrives {
                call,
                intent,
                lose_answer,
                life,
            },
        );
    }

    fn rerun_arrives(&mut self, call: CallId, intent: &Intent, lose_answer: bool, life: u32) {
        let ids: Vec<_> = intent.tests.iter().map(|test| test.id).collect();
        let now = self.now;
        let reply = self.model.rerun(&ids, now, &mut self.dice);
        self.remember();
        if let RerunReply::Accepted(_) = reply {
            self.report.applied += 1;
            let key = (intent.at.as_millis(), intent.attempt, intent.epoch);
            let times = self.applied_per_intent.entry(key).or_default();
            *times += 1;
            let times = *times;
            self.hold(times == 1, "a decision is applied at most once");
            self.hold(
                self.applied_per_intent.len() <= self.policy.max_rerun_attempts as usize,
                "reruns applied stay within the limit",
            );
        }
        if life != self.life || call == CallId(u64::MAX) {
            return;
        }
        let answer = match reply {
            _ if lose_answer => Err(Self::error(ErrorKind::Unreachable)),
            RerunReply::Accepted(run) => Ok(RerunAnswer {
                batch_id: Some(self.model.batch),
                run_counter: self.model.sends_counters.then_some(RunCounter(run)),
                test_ids: Vec::new(),
            }),
            RerunReply::Busy => Err(Self::error(ErrorKind::Busy)),
        };
        self.answer(20, Input::RerunAnswered(call, answer));
    }

    fn judge(&mut self) {
        let state = self.supervisor.state();
        self.hold(
            State::replay(self.supervisor.log()).as_ref() == Some(state),
            "the log replays to the same state",
        );
        self.hold(
            i64::from(state.attempt) <= self.model.run - self.model.first_run,
            "every attempt stands for a rerun that was applied",
        );
        let ending = match &state.phase {
            Phase::Done(verdict) => {
                let code = verdict.exit_code.number();
                // The truth at the server, if it is still the run that was judged.
                let truth = self.model.read(self.now);
                let judged_now = self.stale_ms == 0
                    && truth.is_terminal()
                    && self.model.sends_counters
                    && truth.run_counter == verdict.run;
                if judged_now && !matches!(code, 1 | 6) {
                    let (wanted, _) = exit_code(
                        truth.status.as_ref(),
                        truth.conflated.as_ref(),
                        self.policy.fail_filter(),
                    );
                    self.hold(wanted.number() == code, "the verdict is the server's truth");
                }
                if code == 6 {
                    self.hold(self.last_read.is_some(), "a timeout rests on a read");
                }
                Ending::Exit(code)
            }
            _ => Ending::Stopped,
        };
        *self.report.endings.entry(ending).or_default() += 1;
        self.report.virtual_ms += self.now.unsigned_abs();
        for record in self.supervisor.log() {
            match &record.event {
                Event::Adopted { .. } => self.report.adopted += 1,
                Event::Rerun(SubmissionNote::Unknown { .. }) => self.report.doubts += 1,
                _ => {}
            }
        }
        self.report.trace = self.supervisor.log().to_vec();
    }
}
