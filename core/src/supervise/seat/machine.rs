//! The machine behind [`Seat`]: what each input does to the role.

use std::{collections::VecDeque, time::Duration};

use serde::Serialize;

use super::{BEAT, Opened, Role, SEND_WITHIN, SILENCE, SeatInput, SeatOutput};
use crate::{
    planted::{self, Bug},
    supervise::Now,
};

/// Several tabs that notice the same silence do not rob all at once: each
/// waits for up to this many milliseconds more.
const SPREAD_MS: u64 = 3_000;
/// After this tab itself slept it listens for two beats before it robs.
const LISTEN: Duration = Duration::from_secs(10);
/// A call that comes this much later than the one asked for means that this
/// tab was frozen or asleep, or that its timers are throttled.
const LATE: Duration = Duration::from_secs(5);
/// This many late calls in a row without a beat are a throttled tab's own
/// way of being on time: then the silence counts.
const LATE_CALLS: u8 = 3;
/// A journal that could not be read is asked for again after this.
const READ_AGAIN: Duration = Duration::from_secs(10);
/// So many failed reads in a row are worth a word on screen.
const READS_TOLD: u8 = 3;

/// This tab and the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Lock {
    Unwanted,
    /// Asked for, or in its queue.
    Wanted,
    Held,
    /// This browser has none here.
    Impossible,
}

/// Decides whether this tab acts. See the module's documentation.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each remembers one thing, whatever the others say"
)]
#[derive(Debug, Clone, Serialize)]
pub struct Seat {
    role: Role,
    fresh: bool,
    lock: Lock,
    able: bool,
    /// The epoch that this tab acts with, or the highest it has heard of.
    epoch: u64,
    /// The journal is asked whether that still holds.
    checking: bool,
    last: Now,
    /// When, by the clock that never jumps, the acting tab was last heard.
    heard: Duration,
    /// No robbing before this.
    listen_until: Duration,
    /// This tab's share of [`SPREAD_MS`].
    spread: Duration,
    late_calls: u8,
    beaten: Duration,
    read_again: Option<Duration>,
    reads: u8,
    /// This tab slept while it loaded: it may have been robbed, and not have heard of it.
    slept: bool,
    #[serde(skip)]
    outputs: VecDeque<SeatOutput>,
}

impl Seat {
    /// Comes to a supervision. `able`: somebody is signed in who may act.
    pub fn open(opened: Opened, able: bool, now: Now) -> Self {
        let fresh = opened == Opened::Fresh;
        let mut it = Self {
            role: Role::Mirroring,
            fresh,
            lock: Lock::Unwanted,
            able,
            epoch: 0,
            checking: false,
            last: now,
            heard: now.mono,
            listen_until: now.mono,
            spread: Duration::from_millis(now.dice % SPREAD_MS),
            late_calls: 0,
            beaten: now.mono,
            read_again: None,
            reads: 0,
            slept: false,
            outputs: VecDeque::new(),
        };
        if fresh {
            it.lock = Lock::Wanted;
            it.outputs.push_back(SeatOutput::TryLock);
        } else {
            it.queue_for_lock();
            it.outputs.push_back(SeatOutput::Ask);
        }
        it.ask_to_be_woken(now);
        it
    }

    /// Whether the journal could not be read several times in a row; it is tried again.
    pub fn reads_in_vain(&self) -> bool {
        self.role == Role::Loading && self.reads >= READS_TOLD
    }

    /// What this tab is to the supervision.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The epoch that this tab acts with, or the highest it has heard of.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether this tab would yield to one that can act.
    pub fn is_idle(&self) -> bool {
        !self.able
    }

    /// Whether the machine's outputs may be performed now.
    pub fn may_act(&self) -> bool {
        self.role == Role::Acting && !self.checking
    }

    /// Whether a rerun may leave now. `decided` is when the machine wanted it,
    /// `asked` when the journal was last asked, in vain, for a newer epoch:
    /// between that and the sending this tab must not have slept, or it could
    /// send although another tab has long taken over.
    pub fn may_send(&self, decided: Now, asked: Now, now: Now) -> bool {
        self.may_act()
            && ([decided, asked]
                .iter()
                .all(|then| passed(*then, now) <= SEND_WITHIN)
                || planted::is(Bug::SendsAfterSleep))
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<SeatOutput> {
        self.outputs.pop_front()
    }

    /// Takes in what happened. Drain [`Seat::poll_output`] afterwards.
    pub fn handle(&mut self, input: SeatInput, now: Now) {
        if matches!(self.role, Role::Left | Role::Refused) {
            return;
        }
        self.note_time(now);
        match input {
            SeatInput::LockGranted => self.granted(now),
            SeatInput::LockTaken => self.taken(),
            SeatInput::LockLost => self.lost(now),
            SeatInput::NoLocks => self.no_locks(now),
            SeatInput::JournalLoaded { epoch, over } => self.loaded(epoch, over, now),
            SeatInput::JournalUnreadable { for_good } => self.unreadable(for_good, now),
            SeatInput::Superseded { epoch } => self.superseded(epoch, now),
            SeatInput::EpochIs { epoch } => self.checked(epoch, now),
            SeatInput::EpochUnknown => self.checking = false,
            SeatInput::Heard { epoch, idle } => self.hear(epoch, idle, now),
            SeatInput::Asked { able } => self.asked(able, now),
            SeatInput::Able(able) => self.set_able(able, now),
            SeatInput::TakeOver => self.take_over(),
            SeatInput::Ended => self.end(Role::Over),
            SeatInput::Leave => self.end(Role::Left),
            SeatInput::Wake => self.wake(now),
        }
        self.ask_to_be_woken(now);
    }

    // The lock.

    fn queue_for_lock(&mut self) {
        if self.able && self.lock == Lock::Unwanted {
            self.lock = Lock::Wanted;
            self.outputs.push_back(SeatOutput::QueueForLock);
        }
    }

    fn let_go(&mut self) {
        if matches!(self.lock, Lock::Wanted | Lock::Held) {
            self.lock = Lock::Unwanted;
            self.outputs.push_back(SeatOutput::LetGo);
        }
    }

    fn granted(&mut self, now: Now) {
        if self.role != Role::Mirroring {
            // An answer to a wish that is over: it was already let go.
            return;
        }
        self.lock = Lock::Held;
        self.begin(now);
    }

    fn begin(&mut self, now: Now) {
        if std::mem::take(&mut self.fresh) {
            self.act(0, now);
        } else {
            self.load();
        }
    }

    fn taken(&mut self) {
        if self.fresh && self.role == Role::Mirroring {
            self.lock = Lock::Unwanted;
            self.role = Role::Refused;
        }
    }

    fn lost(&mut self, now: Now) {
        if self.lock == Lock::Held && !planted::is(Bug::NoStepDown) {
            self.lock = Lock::Unwanted;
            self.mirror(now);
        }
    }

    fn no_locks(&mut self, now: Now) {
        self.lock = Lock::Impossible;
        if self.fresh {
            return self.begin(now);
        }
        // No lock tells that nobody acts, so a short silence must.
        self.heard = (now.mono + LISTEN).saturating_sub(SILENCE);
    }

    fn take_over(&mut self) {
        if self.role == Role::Mirroring && self.able {
            self.rob();
        }
    }

    fn rob(&mut self) {
        if self.lock == Lock::Impossible {
            return self.load();
        }
        self.lock = Lock::Wanted;
        self.outputs.push_back(SeatOutput::StealLock);
    }

    // The journal.

    fn load(&mut self) {
        self.role = Role::Loading;
        self.read_again = None;
        self.slept = false;
        self.outputs.push_back(SeatOutput::LoadJournal);
    }

    fn loaded(&mut self, epoch: u64, over: bool, now: Now) {
        self.epoch = self.epoch.max(epoch);
        if over {
            return self.end(Role::Over);
        }
        if self.role == Role::Loading && self.slept {
            // What was said meanwhile comes before this answer (seed 11578946).
            self.load();
        } else if self.role == Role::Loading {
            self.reads = 0;
            self.act(epoch + 1, now);
        }
    }

    fn unreadable(&mut self, for_good: bool, now: Now) {
        if self.role != Role::Loading {
            return;
        }
        if for_good {
            return self.end(Role::Shelved);
        }
        // A storage that is silent now may speak later, and the supervision goes on then.
        self.reads = self.reads.saturating_add(1);
        self.read_again = Some(now.mono + READ_AGAIN);
    }

    fn superseded(&mut self, epoch: u64, now: Now) {
        if self.role != Role::Acting || planted::is(Bug::NoStepDown) {
            return;
        }
        if epoch <= self.epoch && matches!(self.lock, Lock::Held | Lock::Impossible) {
            // A line that a robbed tab wrote at the last moment took the place:
            // it belongs to the journal, so this tab takes it in.
            self.step_down();
            return self.load();
        }
        self.epoch = self.epoch.max(epoch);
        self.step_down();
        self.let_go();
        self.mirror(now);
    }

    fn checked(&mut self, epoch: u64, now: Now) {
        if self.role != Role::Acting || !self.checking {
            return;
        }
        self.checking = false;
        if epoch > self.epoch {
            self.superseded(epoch, now);
        } else {
            self.beat(now);
        }
    }

    // The other tabs.

    fn hear(&mut self, epoch: u64, idle: bool, now: Now) {
        match self.role {
            Role::Acting if epoch > self.epoch => self.superseded(epoch, now),
            // A tab that was robbed and has not noticed yet.
            Role::Acting if epoch < self.epoch => self.beat(now),
            Role::Mirroring if epoch >= self.epoch => {
                self.epoch = epoch;
                self.heard = now.mono;
                self.late_calls = 0;
                if idle && self.able {
                    self.outputs.push_back(SeatOutput::Ask);
                }
            }
            _ => {}
        }
    }

    fn asked(&mut self, able: bool, now: Now) {
        if self.role != Role::Acting || self.checking {
            return;
        }
        if able && !self.able && self.lock != Lock::Impossible {
            self.step_down();
            self.let_go();
            self.mirror(now);
        } else {
            self.beat(now);
        }
    }

    fn set_able(&mut self, able: bool, now: Now) {
        if self.able == able {
            return;
        }
        self.able = able;
        match self.role {
            Role::Acting => self.beat(now),
            Role::Mirroring | Role::Loading if !able => {
                self.let_go();
                self.role = Role::Mirroring;
            }
            Role::Mirroring => {
                self.queue_for_lock();
                self.outputs.push_back(SeatOutput::Ask);
            }
            _ => {}
        }
    }

    // Changing roles.

    fn act(&mut self, epoch: u64, now: Now) {
        self.role = Role::Acting;
        self.epoch = epoch;
        self.checking = false;
        self.outputs.push_back(SeatOutput::Act { epoch });
        self.beat(now);
    }

    /// The machine goes before anything else happens.
    fn step_down(&mut self) {
        if self.role == Role::Acting {
            self.outputs.push_back(SeatOutput::StepDown);
        }
        self.role = Role::Mirroring;
        self.checking = false;
    }

    fn mirror(&mut self, now: Now) {
        self.step_down();
        self.heard = now.mono;
        self.late_calls = 0;
        self.queue_for_lock();
    }

    fn end(&mut self, role: Role) {
        self.step_down();
        self.let_go();
        self.role = role;
    }

    fn beat(&mut self, now: Now) {
        self.beaten = now.mono;
        self.outputs.push_back(SeatOutput::Beat);
    }

    // Time.

    /// Notices that this tab itself was frozen, asleep or throttled.
    fn note_time(&mut self, now: Now) {
        let gap = passed(self.last, now);
        self.last = now;
        if gap <= BEAT + LATE {
            self.late_calls = 0;
            return;
        }
        match self.role {
            Role::Acting if !self.checking => {
                self.checking = true;
                self.outputs.push_back(SeatOutput::CheckEpoch);
            }
            Role::Mirroring => {
                self.late_calls = self.late_calls.saturating_add(1);
                if self.late_calls < LATE_CALLS {
                    self.listen_until = now.mono + LISTEN;
                    self.outputs.push_back(SeatOutput::Ask);
                }
            }
            Role::Loading => self.slept = true,
            _ => {}
        }
    }

    fn wake(&mut self, now: Now) {
        match self.role {
            Role::Acting if !self.checking && now.mono >= self.beaten + BEAT => self.beat(now),
            Role::Loading if self.read_again.is_some_and(|at| now.mono >= at) => self.load(),
            Role::Mirroring if self.able && now.mono >= self.robs_at() => {
                // Whatever comes of it, the next silence counts from here.
                self.heard = now.mono;
                self.rob();
            }
            _ => {}
        }
    }

    /// When the silence has lasted long enough.
    fn robs_at(&self) -> Duration {
        (self.heard + SILENCE + self.spread).max(self.listen_until)
    }

    fn ask_to_be_woken(&mut self, now: Now) {
        let until = match self.role {
            // It beats again once it knows that it may.
            Role::Acting if self.checking => BEAT,
            Role::Acting => (self.beaten + BEAT).saturating_sub(now.mono),
            // At least once a beat, so that a longer gap tells of sleep.
            Role::Mirroring if self.able => self.robs_at().saturating_sub(now.mono).min(BEAT),
            Role::Mirroring | Role::Loading => BEAT,
            Role::Over | Role::Shelved | Role::Refused | Role::Left => return,
        };
        let until = until.max(Duration::from_millis(1));
        self.outputs.push_back(SeatOutput::WakeIn(until));
    }
}

/// The time between two moments, by whichever clock shows more: one stops in
/// sleep, the other can be set.
fn passed(then: Now, now: Now) -> Duration {
    let wall = now.wall.as_millis().abs_diff(then.wall.as_millis());
    Duration::from_millis(wall).max(now.mono.saturating_sub(then.mono))
}
