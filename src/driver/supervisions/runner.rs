//! One supervision in this tab: its seat, and while this tab acts its machine.
//!
//! Here the two machines of the core are fed and drained. What their outputs
//! do outside is in `perform` (requests, journal) and below (lock, channel);
//! what other tabs tell is in `mirror`.
//!
//! Invariant: a machine's output is performed only while the seat allows it,
//! and an answer reaches only the machine that asked.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures::channel::oneshot;
use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    domain::Timestamp,
    supervise::{
        Input, Opened, Record, Role, STORED_FORM, Seat, SeatInput, SeatOutput, Supervisor, Verdict,
        WakeReason,
    },
};

use super::{
    about::{Damage, Found},
    supervision::{Standing, Supervision, SupervisionId},
    talk::{Doing, Message},
};
use crate::{
    browser::{
        clock,
        journal::{self, Journal, Writer},
        locks::{self, How, Lock, News},
        random,
        timer::Timer,
    },
    client::Client,
    driver::journal_writer::{JournalWriter, WriterNews},
};

type Announce = Rc<dyn Fn(&Supervision, &Verdict)>;

/// What every runner of this tab uses.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) client: Client,
    /// Says something to the other tabs.
    pub(super) say: Rc<dyn Fn(&Message)>,
    /// Somebody is signed in who may act.
    pub(super) able: Rc<Cell<bool>>,
    /// Tells a person how a supervision ended.
    pub(super) announce: Announce,
}

/// The machine of this tab, while it acts.
pub(super) struct Machine {
    pub(super) supervisor: Supervisor,
    pub(super) writer: JournalWriter,
    pub(super) as_writer: Writer,
}

/// One supervision in this tab.
pub(super) struct Runner {
    pub(super) tools: Tools,
    pub(super) shown: Supervision,
    pub(super) seat: RefCell<Seat>,
    pub(super) machine: RefCell<Option<Machine>>,
    /// What this tab knows of the journal while it does not act.
    pub(super) known: RefCell<Vec<Record>>,
    /// What the acting tab does, while that is another.
    pub(super) doing: RefCell<Doing>,
    /// Another tab was heard to act.
    pub(super) heard: Cell<bool>,
    /// The journal is being read to catch up with the acting tab.
    pub(super) catching_up: Cell<bool>,
    /// What is shown ends with this tab's own lines, which the journal may have refused.
    pub(super) unsure: Cell<bool>,
    /// What the other tabs were told last.
    pub(super) told: RefCell<Option<(usize, Doing)>>,
    lock: RefCell<Option<Lock>>,
    /// A machine that waits for the seat.
    fresh: RefCell<Option<Supervisor>>,
    /// The journal as read for the seat.
    loaded: RefCell<Option<Found>>,
    /// Why the journal is only shown, once that was found.
    damage: RefCell<Option<Damage>>,
    /// Whoever waits to hear whether a fresh start may act.
    decided: RefCell<Option<oneshot::Sender<bool>>>,
    pub(super) ending: Cell<bool>,
    timers: Timers,
}

/// When the two machines want to be woken: by a timer of the page, and by the
/// tick that a hidden page gets from its worker, whichever comes first.
#[derive(Default)]
struct Timers {
    seat: RefCell<Option<Timer>>,
    seat_due: Cell<Option<Duration>>,
    machine: RefCell<Option<Timer>>,
    machine_due: Cell<Option<Timestamp>>,
    /// When the machine was last told anything, by the clock that never jumps.
    machine_fed: Cell<Duration>,
}

/// The machine hears at least this often that time goes by.
const SIGN: Duration = Duration::from_secs(20);

impl Runner {
    /// A supervision that begins here; the machine waits for the seat. The
    /// receiver hears whether this tab may act.
    pub(super) fn begin(
        tools: Tools,
        shown: Supervision,
        supervisor: Supervisor,
    ) -> (Rc<Self>, oneshot::Receiver<bool>) {
        let records = supervisor.log().to_vec();
        let it = Self::new(tools, shown, records, Opened::Fresh);
        let (decided, decision) = oneshot::channel();
        *it.fresh.borrow_mut() = Some(supervisor);
        *it.decided.borrow_mut() = Some(decided);
        it.settle_seat();
        (it, decision)
    }

    /// A supervision that was found in the journal.
    pub(super) fn find(tools: Tools, shown: Supervision, records: Vec<Record>) -> Rc<Self> {
        let it = Self::new(tools, shown, records, Opened::Found);
        it.settle_seat();
        it
    }

    fn new(tools: Tools, shown: Supervision, records: Vec<Record>, opened: Opened) -> Rc<Self> {
        let seat = Seat::open(opened, tools.able.get(), clock::now());
        Rc::new(Self {
            tools,
            shown,
            seat: RefCell::new(seat),
            machine: RefCell::new(None),
            known: RefCell::new(records),
            doing: RefCell::default(),
            heard: Cell::new(false),
            catching_up: Cell::new(false),
            unsure: Cell::new(false),
            told: RefCell::new(None),
            lock: RefCell::new(None),
            fresh: RefCell::new(None),
            loaded: RefCell::new(None),
            damage: RefCell::new(None),
            decided: RefCell::new(None),
            ending: Cell::new(false),
            timers: Timers::default(),
        })
    }

    pub(super) fn id(&self) -> &SupervisionId {
        &self.shown.id
    }

    pub(super) fn role(&self) -> Role {
        self.seat.borrow().role()
    }

    // The seat.

    /// Feeds the seat and does what it wants.
    pub(super) fn seat_says(self: &Rc<Self>, input: SeatInput) {
        self.seat.borrow_mut().handle(input, clock::now());
        self.settle_seat();
    }

    fn settle_seat(self: &Rc<Self>) {
        loop {
            // The seat is free again while its wish is carried out.
            let output = self.seat.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.perform_seat(output);
        }
        self.decide();
        self.drain();
    }

    fn perform_seat(self: &Rc<Self>, output: SeatOutput) {
        match output {
            SeatOutput::TryLock => self.ask_for_lock(How::IfFree),
            SeatOutput::QueueForLock => self.ask_for_lock(How::Queue),
            SeatOutput::StealLock => self.ask_for_lock(How::Steal),
            SeatOutput::LetGo => drop(self.lock.borrow_mut().take()),
            SeatOutput::LoadJournal => self.load_for_seat(),
            SeatOutput::Act { epoch } => self.act(epoch),
            SeatOutput::StepDown => self.step_down(),
            SeatOutput::CheckEpoch => self.check_epoch(),
            SeatOutput::Beat => self.tell(true),
            SeatOutput::Ask => (self.tools.say)(&Message::Ask {
                id: self.id().to_string(),
                able: !self.seat.borrow().is_idle(),
            }),
            SeatOutput::WakeIn(after) => {
                self.timers
                    .seat_due
                    .set(Some(clock::now().mono.saturating_add(after)));
                let weak = Rc::downgrade(self);
                let timer = Timer::after(after, move || {
                    if let Some(it) = weak.upgrade() {
                        it.seat_says(SeatInput::Wake);
                    }
                });
                *self.timers.seat.borrow_mut() = Some(timer);
            }
        }
    }

    fn ask_for_lock(self: &Rc<Self>, how: How) {
        // An earlier wish ends first: a place in the queue, or what is left of
        // a lock that was stolen.
        drop(self.lock.borrow_mut().take());
        let weak = Rc::downgrade(self);
        let lock = locks::ask(&self.shown.lock_name, how, move |news| {
            let Some(it) = weak.upgrade() else { return };
            it.seat_says(match news {
                News::Granted => SeatInput::LockGranted,
                News::Taken => SeatInput::LockTaken,
                News::Lost => SeatInput::LockLost,
                News::Unavailable => SeatInput::NoLocks,
            });
        });
        *self.lock.borrow_mut() = Some(lock);
    }

    fn load_for_seat(self: &Rc<Self>) {
        let it = self.clone();
        spawn_local(async move {
            let input = match load(it.id()).await {
                Err(_) => SeatInput::JournalUnreadable { for_good: false },
                Ok(Some(found)) if found.damage.is_none() => {
                    let (epoch, over) = (found.epoch, found.is_over());
                    it.known.borrow_mut().clone_from(&found.records);
                    *it.loaded.borrow_mut() = Some(found);
                    SeatInput::JournalLoaded { epoch, over }
                }
                Ok(found) => {
                    *it.damage.borrow_mut() = found.and_then(|found| found.damage);
                    SeatInput::JournalUnreadable { for_good: true }
                }
            };
            it.seat_says(input);
        });
    }

    fn check_epoch(self: &Rc<Self>) {
        let it = self.clone();
        spawn_local(async move {
            let input = match it.stored_writer().await {
                Ok(writer) => SeatInput::EpochIs {
                    epoch: writer.map_or(0, |writer| writer.epoch),
                },
                Err(_) => SeatInput::EpochUnknown,
            };
            it.seat_says(input);
        });
    }

    pub(super) async fn stored_writer(&self) -> Result<Option<Writer>, String> {
        let id = self.id().clone();
        let read = journal::in_time(async move { Journal::open().await?.writer(&id).await });
        read.await.map_err(|error| error.to_string())
    }

    fn act(self: &Rc<Self>, epoch: u64) {
        let fresh = self.fresh.borrow_mut().take();
        let is_fresh = fresh.is_some();
        let supervisor = fresh.or_else(|| {
            let found = self.loaded.borrow_mut().take()?;
            Supervisor::restore(found.records, clock::now())
        });
        let Some(supervisor) = supervisor else { return };
        let as_writer = Writer {
            epoch,
            life: random::u64(),
            form: STORED_FORM,
        };
        let weak = Rc::downgrade(self);
        let life = as_writer.life;
        let writer = JournalWriter::start(self.id().to_string(), as_writer.clone(), move |news| {
            let Some(it) = weak.upgrade() else { return };
            match news {
                WriterNews::Trouble(why) => drop(it.shown.storage_trouble.try_set(why)),
                WriterNews::Superseded(epoch) if it.lives_as(life) => {
                    it.seat_says(SeatInput::Superseded { epoch });
                }
                WriterNews::Superseded(_) => {}
            }
        });
        if is_fresh {
            let about = serde_json::to_string(&self.shown.about);
            writer.write(0, about.expect("plain data serialises"));
            self.say_begun(&writer);
        }
        self.heard.set(false);
        self.told.borrow_mut().take();
        *self.machine.borrow_mut() = Some(Machine {
            supervisor,
            writer,
            as_writer,
        });
        if self.tools.able.get() {
            // A pause for the sign-in ends where somebody is signed in.
            self.feed(Input::SignedIn);
        }
    }

    /// Once it is in the journal, the other tabs mirror it.
    fn say_begun(self: &Rc<Self>, writer: &JournalWriter) {
        let (it, writer) = (self.clone(), writer.clone());
        spawn_local(async move {
            if writer.settled().await.is_ok() {
                let id = it.id().to_string();
                (it.tools.say)(&Message::Begun { id });
            }
        });
    }

    /// Waits until everything so far is in the journal, or known not to be.
    pub(super) async fn written(&self) {
        let writer = self
            .machine
            .borrow()
            .as_ref()
            .map(|machine| machine.writer.clone());
        if let Some(writer) = writer {
            // A journal that cannot be written is said on screen by its own notice.
            let _ = writer.settled().await;
        }
    }

    fn step_down(self: &Rc<Self>) {
        let machine = self.machine.borrow_mut().take();
        self.timers.machine.borrow_mut().take();
        self.timers.machine_due.set(None);
        if let Some(machine) = machine {
            *self.known.borrow_mut() = machine.supervisor.log().to_vec();
            // Its last lines may have been refused; the journal has others in their place.
            self.unsure.set(true);
            self.catch_up();
        }
    }

    /// Tells whoever started it whether this tab acts.
    fn decide(&self) {
        let may = match self.role() {
            Role::Acting => true,
            Role::Refused | Role::Left => false,
            _ => return,
        };
        if let Some(decided) = self.decided.borrow_mut().take() {
            // The page that asked may be gone.
            let _ = decided.send(may);
        }
    }

    // The machine.

    /// Whether the machine of this life is still the one that acts.
    pub(super) fn lives_as(&self, life: u64) -> bool {
        let machine = self.machine.borrow();
        machine.as_ref().is_some_and(|it| it.as_writer.life == life)
    }

    /// Feeds the machine and does what it wants.
    pub(super) fn feed(self: &Rc<Self>, input: Input) {
        match self.machine.borrow_mut().as_mut() {
            Some(machine) => {
                let now = clock::now();
                self.timers.machine_fed.set(now.mono);
                machine.supervisor.handle(input, now);
            }
            None => return,
        }
        self.drain();
    }

    /// Feeds an answer to the machine that asked, if it still acts.
    pub(super) fn answer(self: &Rc<Self>, life: u64, input: Input) {
        if self.lives_as(life) {
            self.feed(input);
        }
    }

    /// Performs what the machine wants, as long as the seat allows it.
    fn drain(self: &Rc<Self>) {
        while self.seat.borrow().may_act() {
            let output = {
                let mut machine = self.machine.borrow_mut();
                machine.as_mut().and_then(|it| it.supervisor.poll_output())
            };
            let Some(output) = output else { break };
            self.perform(output);
        }
        self.publish();
    }

    pub(super) fn wake_machine_at(self: &Rc<Self>, at: Timestamp) {
        self.timers.machine_due.set(Some(at));
        let delay = at.since(clock::now().wall).max(Duration::from_millis(1));
        let weak = Rc::downgrade(self);
        let timer = Timer::after(delay, move || {
            if let Some(it) = weak.upgrade() {
                it.feed(Input::Wake);
            }
        });
        *self.timers.machine.borrow_mut() = Some(timer);
    }

    // Waking.

    /// The worker's tick: does what is due, if the page's own timers are late.
    pub(super) fn tick(self: &Rc<Self>) {
        let now = clock::now();
        if self.timers.seat_due.get().is_some_and(|at| at <= now.mono) {
            self.seat_says(SeatInput::Wake);
        }
        if self
            .timers
            .machine_due
            .get()
            .is_some_and(|at| at <= now.wall)
        {
            self.timers.machine_due.set(None);
            self.feed(Input::Wake);
        } else if now.mono.saturating_sub(self.timers.machine_fed.get()) >= SIGN {
            self.feed(Input::Ticked);
        }
    }

    /// Something woke this tab. The seat first: it may find that it was robbed.
    pub(super) fn woken(self: &Rc<Self>, why: WakeReason) {
        self.seat_says(SeatInput::Wake);
        self.feed(Input::Woken(why));
    }

    /// How it stands, for the screen.
    pub(super) fn standing(&self) -> Standing {
        match self.role() {
            Role::Acting => Standing::Acting,
            Role::Over => Standing::Over,
            Role::Mirroring if self.heard.get() => Standing::Mirroring,
            Role::Loading if self.seat.borrow().reads_in_vain() => Standing::Unread,
            Role::Mirroring | Role::Loading => Standing::Opening,
            Role::Shelved => {
                let damage = self.damage.borrow();
                let unreadable = || "Its journal can't be read, so nobody acts on it.".to_owned();
                Standing::ReadOnly {
                    why: damage.as_ref().map_or_else(unreadable, ToString::to_string),
                    forgettable: *damage != Some(Damage::Newer),
                }
            }
            Role::Refused | Role::Left => Standing::ReadOnly {
                why: "This tab may not act on it.".into(),
                forgettable: false,
            },
        }
    }
}

/// The journal of a supervision. `Ok(None)`: there is none that can be read.
pub(super) async fn load(id: &str) -> Result<Option<Found>, String> {
    let name = id.to_owned();
    let read = journal::in_time(async move { Journal::open().await?.load(&name).await });
    let stored = read.await.map_err(|error| error.to_string())?;
    Ok(stored.as_ref().and_then(Found::read))
}
