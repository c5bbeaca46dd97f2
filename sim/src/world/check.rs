//! The promises, checked at every step.
//!
//! S1 a decision is applied at most once · S2 attempts stay within the budget ·
//! S3 exactly the tests are sent that fail in the run last read, never none ·
//! S4 nothing is sent without a durable intent of the present epoch · S5 one
//! writer · S6 nothing is sent, and nothing concluded, while another POST may
//! still land · S7 a verdict is the truth of the newest run that counts · S8 a
//! timeout has truly waited, rests on a read sent after the deadline, and never
//! on one that is older than a read which showed the end · S9
//! never after a cancel, never above the guard · S10 reads are spaced (the retry
//! budget of a tab is the driver's, and tested there) · S11 the journal replays to
//! the state, after every step of a machine · L1 it ends · L2 nothing deadlocks ·
//! L3 the age that is shown is the true one.
//!
//! "Last read" means the latest moment that a machine was shown, not the read
//! that came last: a replica may be 30 s behind, and no client can know the
//! present, but none need fall back behind what it was shown. Where the API sends
//! nothing that tells runs apart, it is the read that came last.
//!
//! L3: after every step of a machine `view::freshness` shows no more than the time
//! since the read was sent that last succeeded; and no less, where no clock was
//! set and nothing slept. After sleep it shows less until the read that waking
//! starts: neither clock of a computer tells sleep from a clock that was set.
//!
//! S12 (no token bytes outside the sign-in) is not checked here, because here it
//! cannot fail: no input of the supervising core has a token, so no record, no
//! output and no log of it can hold one. Where there is a token, it is looked for:
//! `tests/e2e/stories/tokens.spec.ts` searches everything that a browser keeps.
//!
//! Which planted bug shows that a promise can fail: `planted.rs`.

use retake_core::{
    rerun::{Ended, Evidence, Intent, Stage, Submission, SubmissionNote},
    supervise::{Event, Now, Phase, State, Verdict, exit_code},
    view::freshness::Age,
};

use super::{Happening, World, network::What};
use crate::{
    coverage::Ending,
    server::{By, Run, View, bits_of},
};

/// What the checkers remember of a device.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Reruns that its machine counted, and since when.
    attempt: u32,
    attempt_began: i64,
    /// When each attempt before began, and its pauses: the page may die before it is
    /// written that a rerun was applied, and then the next life goes on with the
    /// attempt before, and its clock.
    earlier: Vec<(i64, i64)>,
    /// Naps, and clock changes that are noticed or too small to be.
    pub(crate) sleeps: i64,
    pub(crate) jumps: i64,
    pub(crate) unnoticed_ms: i64,
    /// The storage answers this page no more: what it writes is lost with it.
    pub(crate) silent: bool,
    /// Whatever makes clocks and timers run other than they should.
    pub(crate) jolts: u32,
    /// Pauses of this attempt, sleep not counted, and since when one goes on.
    paused_ms: i64,
    /// With the machine that went into it.
    paused_since: Option<(i64, u32)>,
    last_acting: Option<usize>,
}

impl Memory {
    /// The next attempt begins, with a clock of its own.
    fn begin(&mut self, attempt: u32, now: i64) {
        let before = (self.attempt_began, self.paused_ms);
        self.earlier.truncate(self.attempt as usize);
        self.earlier.resize(attempt as usize, before);
        self.attempt = attempt;
        self.attempt_began = now;
        self.paused_ms = 0;
    }

    /// A machine acts that knows of so many attempts. What was paused since counts for
    /// the one that it goes on with.
    fn go_back_to(&mut self, attempt: u32) {
        if attempt < self.attempt
            && let Some((began, paused)) = self.earlier.get(attempt as usize)
        {
            self.attempt_began = *began;
            self.paused_ms += *paused;
        }
        self.attempt = attempt;
    }
}

/// The same decision, twice.
const ONCE: &str = "S1: a decision is applied at most once";
/// Else two decisions were made of one, as the first was given up too early.
const ON_ITS_RUN: &str = "S2: a rerun is applied on the run that it was decided on";
/// Whatever is concluded.
const CONCLUDED: &str = "S6: nothing is concluded while a POST may still land";
/// By the machine's own tolerances, this much of a nap or a jump may count as
/// waiting: a question may be open for 90 s, a timer may come 60 s late, and a
/// jump of less than 30 s is not noticed.
const NAP_SLACK_MS: i64 = 90_000 + 60_000 + 30_000;
/// A POST that goes out again rests on a look that is no older than this.
const FRESH_MS: i64 = 10_000;
/// A robbed tab notices within this, once awake.
const TO_NOTICE_MS: i64 = 15_000;
/// A wish is performed this much later at the most, while a tab that does not
/// sleep asks whether it may still act.
const SEAT_ASKS_MS: i64 = 10;
/// Batch reads within ten seconds at the most, whatever goes wrong.
const READS_IN_TEN_SECONDS: u32 = 25;

impl World {
    /// A promise is broken: the run ends here.
    pub(crate) fn broken(&mut self, promise: &str) {
        if self.only_doubles && ![ONCE, ON_ITS_RUN].contains(&promise) {
            self.faltered = true;
        } else if self.failure.is_none() {
            self.failure = Some(promise.to_owned());
            self.tell(usize::MAX, || format!("BROKEN {promise}"));
        }
    }

    pub(crate) fn hold(&mut self, kept: bool, promise: &str) {
        if !kept {
            self.broken(promise);
        }
    }

    /// A machine begins to act, or goes on where another one left off.
    pub(crate) fn acting_again(&mut self, tab: usize, device: usize) {
        let before = self.memory[device].last_acting.replace(tab);
        if before.is_some_and(|before| before != tab) {
            self.coverage.reach.takeovers += 1;
        }
        if let Some(machine) = &self.tabs[tab].machine {
            let memory = &mut self.memory[device];
            memory.go_back_to(machine.it.state().attempt);
            // The journal does not know of every pause: what it takes for the
            // page's absence counts as waiting, up to its tolerance.
            memory.jumps += i64::from(self.coverage.reach.refused_writes > 0);
            if before.is_none() {
                memory.attempt_began = self.now - self.devices[device].slept;
            }
            if State::replay(machine.it.log()).as_ref() != Some(machine.it.state()) {
                self.broken("S11: the journal replays to the same state");
            }
        }
    }

    /// A tab that was robbed finds out soon: it acts on for no longer than it
    /// takes to notice.
    pub(crate) fn check_writer(&mut self, tab: usize) {
        let it = &self.tabs[tab];
        let device = &self.devices[it.device];
        let awake = device
            .store
            .epoch_since
            .max(it.frozen_until)
            .max(device.asleep_until);
        let robbed = device.store.epoch > it.epoch && self.now - awake > TO_NOTICE_MS;
        self.hold(!robbed, "S5: one tab acts");
    }

    /// After every step of a machine.
    pub(crate) fn check_machine(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        let page = self.page(tab);
        let robbed = self.devices[device].store.epoch > self.tabs[tab].epoch;
        let Some(machine) = &mut self.tabs[tab].machine else {
            return;
        };
        let state = machine.it.state();
        let number = machine.number;
        let (attempt, most) = (state.attempt, self.policy.max_rerun_attempts);
        let memory = &mut self.memory[device];
        let awake = self.now - self.devices[device].slept;
        // A machine that was robbed while it was frozen does not count; one whose
        // epoch never got into the journal knows of fewer attempts.
        if attempt > memory.attempt && !robbed {
            memory.begin(attempt, awake);
        }
        if robbed {
            // Whoever acts now keeps these notes.
        } else if matches!(state.phase, Phase::Paused(_)) {
            memory.paused_since.get_or_insert((awake, number));
        } else if let Some((since, machine)) = memory.paused_since.take() {
            memory.paused_ms += awake - since;
            // Another machine's pause, of which the journal does not know: as above.
            memory.jumps += i64::from(machine != number);
        }
        machine.was_paused |= matches!(state.phase, Phase::Paused(_));
        let asks = matches!(
            machine.it.submission().map(Submission::stage),
            Some(Stage::Asking)
        );
        let newly_asks = asks && !machine.was_asking;
        machine.was_asking = asks;
        let log = machine.it.log().len() as u64;
        let replays = machine.is_its_journal();
        self.trace(log);
        self.hold(replays, "S11: the journal replays to the same state");
        self.hold(attempt <= most, "S2: attempts stay within the budget");
        if newly_asks {
            self.coverage.reach.asked_person += 1;
            // A person looks it up, and takes longer than a request can live.
            let wait = self.dice.between(60_000, 600_000);
            self.after(wait, Happening::PersonSays(page, number));
        }
    }

    /// The age on screen, as the page words it.
    pub(crate) fn check_age(&mut self, tab: usize, now: Now) {
        let memory = &self.memory[self.tabs[tab].device];
        let Some(machine) = &self.tabs[tab].machine else {
            return;
        };
        if machine.it.state().phase.is_over() {
            return;
        }
        let age = Age {
            now: now.wall,
            read_at: machine.it.read_at(),
            every: self.policy.poll_every,
            failing: None,
            next: None,
            paused: false,
            finished: false,
            behind: false,
        };
        let Some(shown) = age.shown() else { return };
        let shown = i64::try_from(shown.as_millis()).unwrap_or(i64::MAX);
        let Some(sent) = machine.read_sent else {
            return self.broken("L3: no age is shown before something was read");
        };
        let real = self.now - sent;
        let older = shown > real + memory.unnoticed_ms;
        let younger = shown + SEAT_ASKS_MS < real && memory.jolts == 0 && !machine.was_paused;
        self.hold(!older, "L3: the age shown is no more than the real one");
        self.hold(!younger, "L3: the age shown is no less than the real one");
    }

    /// Reads do not come in bursts.
    pub(crate) fn check_spacing(&mut self, tab: usize, what: What) {
        let now = self.now;
        let Some(machine) = &mut self.tabs[tab].machine else {
            return;
        };
        if what == What::Page {
            return;
        }
        if now >= machine.window.0 + 10_000 {
            machine.window = (now, 0);
        }
        machine.window.1 += 1;
        let many = machine.window.1 > READS_IN_TEN_SECONDS;
        self.hold(!many, "S10: reads are spaced");
    }

    /// The tests that fail in this picture and are watched, as bits.
    fn failing(&self, view: View) -> u16 {
        (0..self.server.size)
            .filter(|job| self.policy.rerun_on.watches(&self.server.test(*job, view)))
            .fold(0, |bits, job| bits | 1 << job)
    }

    fn is_above_guard(&self, tests: u16) -> bool {
        let share = f64::from(tests.count_ones()) * 100.0 / f64::from(self.server.size);
        share > self.policy.rerun_max_failure_percent
    }

    /// Just before a POST leaves. Gives the run that the decision rests on, and
    /// whether its listing was masked.
    pub(crate) fn check_send(&mut self, tab: usize, intent: &Intent) -> (usize, bool) {
        let device = self.tabs[tab].device;
        let store = &self.devices[device].store;
        let stored =
            store.lines.iter().rev().any(
                |record| matches!(&record.event, Event::Intent(stored) if **stored == *intent),
            );
        let robbed = store.epoch > self.tabs[tab].epoch && self.now - store.epoch_since > 5_000;
        // It was, when the journal was last asked, a moment before the eviction.
        let evicted = store.evicted_at.is_some_and(|at| self.now - at <= 5_000);
        self.hold(
            stored || evicted,
            "S4: the intent is durable before the POST",
        );
        self.hold(!robbed, "S4: the POST is of the present epoch");
        let tests = intent.request.scope.tests();
        self.hold(!tests.is_empty(), "S3: an empty list is never sent");
        let Some(machine) = &self.tabs[tab].machine else {
            self.broken("S5: only the acting tab sends");
            return (0, false);
        };
        let key = (device, intent.at.as_millis(), intent.attempt, intent.epoch);
        let before = self.posts.iter().rev().find(|post| post.key == key);
        // A life that took the intent up listed nothing itself.
        let masked = machine.listed_masked.or(before.map(|post| post.masked));
        let (Some(read), Some(masked)) = (&machine.last_read, masked) else {
            self.broken("S3: a rerun rests on a read and a listing");
            return (0, false);
        };
        let view = read.view;
        let read_at = machine.read_at;
        let sent = bits_of(tests);
        // The look before the pause of a 409 is too old to post on.
        let age = self.now - self.devices[device].slept - read_at;
        let looked = before.is_none() || age <= FRESH_MS;
        if let Some(before) = before
            && before.decided_on != view.run
            && self.server.sends.is_blind()
        {
            // Posted again after a 409, on a newer run that nothing tells apart.
            let decided_on = before.decided_on;
            self.coverage.reach.blind_doubles += 1;
            return (decided_on, masked);
        }
        let failing = self.failing(view);
        self.hold(looked, "S6: before a POST goes out again the batch is read");
        let foreign = |run: &Run| run.by == By::Others || self.is_other_device(run.by);
        let blind = self.server.sends.is_blind() && self.server.runs.iter().any(foreign);
        if blind && sent & !failing != 0 {
            self.coverage.reach.blind_doubles += 1;
            return (view.run, masked);
        }
        self.hold(
            sent & !failing == 0,
            "S3: only tests are sent that fail in the run last read",
        );
        // Without the start of runs nothing tells that a listing is newer than
        // the batch that a lagging replica shows before and after it.
        let newer = !self.server.sends.start && self.is_excused(view.run + 1);
        self.hold(
            masked || newer || sent == failing,
            "S3: all tests are sent that fail in the run last read",
        );
        self.hold(!view.cancelled, "S9: a cancelled batch is never rerun");
        self.hold(view.terminal, "S9: a running batch is never rerun");
        let above = self.is_above_guard(sent) || (!masked && self.is_above_guard(failing));
        self.hold(!above, "S9: nothing is rerun above the guard");
        self.hold_nothing_under_way(device, "S6: nothing is sent while a POST may still land");
        (view.run, masked)
    }

    /// No POST of this device may still land, whatever was seen meanwhile.
    fn hold_nothing_under_way(&mut self, device: usize, promise: &str) {
        let mut posts = self.posts.iter().filter(|post| post.key.0 == device);
        let under_way = posts.any(|post| post.under_way > 0);
        self.hold(!under_way, promise);
    }

    /// Somebody else ran the batch after this many runs, or nothing that the
    /// API sends could tell.
    fn is_excused(&self, runs_then: usize) -> bool {
        let foreign = self.server.runs[runs_then.min(self.server.runs.len())..]
            .iter()
            .any(|run| run.by == By::Others || self.is_other_device(run.by));
        foreign || self.server.sends.is_blind()
    }

    fn is_other_device(&self, by: By) -> bool {
        self.devices.len() > 1 && matches!(by, By::Post(_))
    }

    /// A POST was applied.
    pub(crate) fn check_applied(&mut self, index: usize) {
        let post = &self.posts[index];
        let (key, decided_on) = (post.key, post.decided_on);
        let times = self.applied.entry(key).or_default();
        *times += 1;
        let twice = *times > 1;
        let of_device = self.applied.keys().filter(|other| other.0 == key.0).count();
        let over_budget = of_device > self.policy.max_rerun_attempts as usize;
        self.coverage.reach.applied += 1;
        let newest = self.server.runs.len() - 1;
        let repeated = self.server.runs[newest - 1].cancelled < i64::MAX
            && self.server.runs[newest - 1].by == By::Post(index);
        if twice && repeated {
            // The browser's own repeat, after somebody cancelled in between.
            self.coverage.reach.repeated_by_browser += 1;
        } else if self.server.sends.is_blind() || self.server.new_ids {
            self.coverage.reach.blind_doubles += u64::from(twice);
        } else {
            self.hold(!twice, ONCE);
            self.hold(!over_budget, "S2: reruns applied stay within the budget");
        }
        if newest > decided_on + 1 && !self.server.new_ids {
            if twice && repeated || self.is_excused(decided_on + 1) {
                self.coverage.reach.applied_on_newer += 1;
                self.count_newer(index);
            } else {
                self.broken(ON_ITS_RUN);
            }
        }
    }

    /// When the run began that a rerun was applied after, though it was not decided on:
    /// what of this a later look would have shown.
    fn count_newer(&mut self, index: usize) {
        let post = &self.posts[index];
        let began = self.server.runs[post.decided_on + 1].start;
        let reach = &mut self.coverage.reach;
        if self.server.sends.is_blind() {
            reach.newer_blind += 1;
        } else if began >= post.left {
            reach.newer_under_way += 1;
        } else if began > post.looked {
            reach.newer_unlooked += 1;
        } else {
            reach.newer_hidden += 1;
        }
    }

    /// The machine is over: is that the truth?
    pub(crate) fn judge(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        self.devices[device].over = true;
        let Some(machine) = &self.tabs[tab].machine else {
            return;
        };
        let phase = machine.it.state().phase.clone();
        if State::replay(machine.it.log()).as_ref() != Some(machine.it.state()) {
            self.broken("S11: the journal replays to the same state");
        }
        self.count_log(tab);
        let Phase::Done(verdict) = phase else {
            self.coverage.end(Ending::Stopped);
            return;
        };
        let code = verdict.exit_code.number();
        self.coverage.end(Ending::Exit(code));
        match code {
            1 => self.coverage.gave_up(&verdict.rule.to_string()),
            6 => self.check_timeout(tab),
            _ => self.check_verdict(tab, &verdict),
        }
    }

    fn check_timeout(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        let memory = &self.memory[device];
        let Some(read) = self.tabs[tab]
            .machine
            .as_ref()
            .and_then(|it| it.last_read.as_ref())
        else {
            return self.broken("S8: a timeout rests on a read");
        };
        let waited = read.sent - memory.attempt_began - memory.paused_ms;
        let slack = memory.unnoticed_ms + (memory.sleeps + memory.jumps) * NAP_SLACK_MS;
        let timeout = i64::try_from(self.policy.wait_timeout.as_millis()).unwrap_or(i64::MAX);
        let enough = waited + slack >= timeout;
        let newest = self
            .server
            .view_by_id(self.server.id_of(read.view.run), read.view.at);
        let finished = !read.masked
            && self.server.sends.counter
            && read.view.terminal
            && read.view.run == newest.run
            && newest.run + 1 == self.server.runs.len();
        self.hold(
            !finished,
            "S8: a batch that was read as finished does not time out",
        );
        self.hold(
            enough,
            "S8: a timeout has waited, and rests on a read sent after the deadline",
        );
        self.hold_nothing_under_way(device, CONCLUDED);
    }

    fn check_verdict(&mut self, tab: usize, verdict: &Verdict) {
        let device = self.tabs[tab].device;
        let Some(read) = self.tabs[tab]
            .machine
            .as_ref()
            .and_then(|it| it.last_read.clone())
        else {
            return self.broken("S7: a verdict rests on a read");
        };
        self.hold(read.view.terminal, "S7: a verdict is on a finished batch");
        if !read.masked {
            let filter = self.policy.fail_filter();
            let (truth, _) = exit_code(read.status.as_ref(), read.word.as_ref(), filter);
            self.hold(
                truth == verdict.exit_code,
                "S7: the verdict is the truth of the run last read",
            );
        }
        let ours =
            self.server.runs.iter().rposition(
                |run| matches!(run.by, By::Post(post) if self.posts[post].key.0 == device),
            );
        if let Some(ours) = ours
            && ours > read.view.run
            && !self.is_excused(read.view.run + 1)
        {
            self.broken("S7: the verdict is on the newest run that counts");
        }
        let listed = self.tabs[tab]
            .machine
            .as_ref()
            .and_then(|it| it.listed_masked);
        let failing = self.failing(read.view);
        let due = verdict.attempts < self.policy.max_rerun_attempts
            && !read.view.cancelled
            && failing != 0
            && !self.is_above_guard(failing);
        let excused = read.masked || listed != Some(false) || self.is_excused(read.view.run + 1);
        self.hold(!due || excused, "S7: a rerun that is due is not left out");
        self.hold_nothing_under_way(device, CONCLUDED);
    }

    /// What the log says that happened.
    fn count_log(&mut self, tab: usize) {
        let Some(machine) = &self.tabs[tab].machine else {
            return;
        };
        let reach = &mut self.coverage.reach;
        let mut unknown = false;
        for record in machine.it.log() {
            match &record.event {
                Event::Adopted { .. } => reach.adopted += 1,
                Event::Torn { .. } => reach.torn += 1,
                Event::ListedNotPassed { .. } => reach.short_listings += 1,
                Event::ListsAll { .. } => reach.lists_all += 1,
                Event::StaleRead { .. } => reach.stale += 1,
                Event::Restored { .. } => {
                    reach.restored += 1;
                    unknown = true;
                }
                Event::Rerun(SubmissionNote::Unknown { .. }) => unknown = true,
                Event::Rerun(SubmissionNote::Ended(ended)) => {
                    match ended {
                        Ended::Applied { evidence, .. } if *evidence != Evidence::Answer => {
                            reach.unknown_applied += u64::from(unknown);
                        }
                        Ended::NotApplied => reach.unknown_not_applied += u64::from(unknown),
                        _ => {}
                    }
                    unknown = false;
                }
                _ => {}
            }
        }
    }

    /// When everything is over and nothing is under way.
    pub(crate) fn check_end(&mut self) {
        let runs = self.server.runs.len() - 1;
        for tab in 0..self.tabs.len() {
            let Some(machine) = &self.tabs[tab].machine else {
                continue;
            };
            let counted = machine.it.state().attempt as usize;
            if counted > runs && !self.server.sends.is_blind() {
                self.broken("S2: every attempt stands for a run at the server");
            }
        }
    }
}
