//! Everything that is supervised in this browser.
//!
//! One `Runner` per supervision: it owns the seat (which tab acts) and, while
//! this tab acts, the machine (what to do). The journal brings supervisions
//! back after a reload and is what holds between tabs; the channel lets the
//! others show what the acting tab does.
//!
//! - `about`: what is stored of a supervision, and what of it can be read back.
//! - `supervision`: one supervision as pages see it.
//! - `runner`: seat and machine, fed and drained; `perform`: what the machine's
//!   outputs do outside; `mirror`: what the tabs show of each other.
//! - `talk`: the messages between tabs.

mod about;
mod mirror;
mod perform;
mod runner;
mod supervision;
mod talk;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    auth::Identity,
    domain::{BatchId, Timestamp},
    order,
    rerun::Limits,
    supervise::{
        BatchRef, Input, Now, Policy, Role, SeatInput, State, Supervisor, Verdict, WakeReason,
    },
    view::{Called, freshness::upper_first, supervision::Census, verdict as say},
};

pub use about::About;
pub(super) use about::landing_in;
pub use supervision::{Snapshot, Standing, Supervision, SupervisionId};

use self::{
    about::{Damage, Found, is_newer},
    runner::{Runner, Tools},
    talk::{CHANNEL, Message, Sign},
};
use crate::{
    browser::{
        channel::Channel,
        clock,
        journal::{self, Journal, JournalError, Stored},
        locks, notify, random,
        tick::Tick,
        timer, wake,
    },
    client::Client,
    driver::landing::{self, MayLand},
    reactive::memo,
};

/// Journals of supervisions; a person's own reruns have others.
const PREFIX: &str = "s-";
/// The journal is waited for this long before a supervision begins on screen.
const STORAGE_TAKES: Duration = Duration::from_secs(3);
/// A worker that did not start is tried again after this.
const TICK_AGAIN: Duration = Duration::from_mins(1);
/// A worker that ticks each second and was not heard for this long was asleep.
const SLEPT: Duration = Duration::from_secs(10);

/// All supervisions of this browser; provided as context.
#[derive(Clone, Copy)]
pub struct Supervisions {
    list: RwSignal<BTreeMap<SupervisionId, Supervision>, LocalStorage>,
    /// What the batch of each is called by.
    called: Memo<Vec<Called>>,
    /// Journals of which nothing can be read.
    pub unreadable: RwSignal<Vec<String>>,
    /// Why the journal as a whole cannot be read, while that is so.
    pub unread: RwSignal<Option<String>>,
    /// Verdicts to be announced on screen, newest last.
    pub announced: RwSignal<Vec<(SupervisionId, Verdict)>>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

struct Inner {
    tools: Tools,
    /// Signals of a supervision outlive the page that started it.
    owner: Owner,
    /// Whoever is signed in.
    identity: RefCell<Option<Identity>>,
    tick: RefCell<Option<Tick>>,
    ticked: Cell<Option<Now>>,
    /// Counts the readings of the whole journal; an older one gives way.
    restoring: Cell<u32>,
}

impl Supervisions {
    /// No supervisions yet; the first sign-in brings back stored ones.
    pub fn new(client: Client) -> Self {
        let list = RwSignal::new_local(BTreeMap::new());
        let called = memo(move |_| {
            list.with(|list| {
                let of = |one: &Supervision| one.snapshot.with(|it| Called::of(&it.state));
                list.values().map(of).collect::<Vec<_>>()
            })
        });
        let announced = RwSignal::new(Vec::new());
        let unreadable = RwSignal::new(Vec::new());
        let channel = Rc::new(RefCell::new(None::<Channel>));
        let say = {
            let channel = channel.clone();
            move |message: &Message| {
                let text = serde_json::to_string(message).expect("plain data serialises");
                if let Some(channel) = channel.borrow().as_ref() {
                    channel.say(&text);
                }
            }
        };
        let announce = move |one: &Supervision, verdict: &Verdict| {
            let of = one.snapshot.with_untracked(|it| Called::of(&it.state));
            let mark = called.with_untracked(|all| of.mark(all));
            announce(of.name.as_deref(), &mark, verdict);
            announced.update(|all| all.push((one.id.clone(), verdict.clone())));
        };
        let inner = Inner {
            tools: Tools {
                client,
                say: Rc::new(say),
                able: Rc::new(Cell::new(false)),
                announce: Rc::new(announce),
            },
            owner: Owner::current().unwrap_or_default(),
            identity: RefCell::new(None),
            tick: RefCell::new(None),
            ticked: Cell::new(None),
            restoring: Cell::new(0),
        };
        let it = Self {
            list,
            called,
            unreadable,
            unread: RwSignal::new(None),
            announced,
            inner: StoredValue::new_local(Rc::new(inner)),
        };
        *channel.borrow_mut() = Some(Channel::open(CHANNEL, move |text| it.hear(&text)));
        wake::on_wake(move |why| it.each_runner(|runner| runner.woken(why))).for_good();
        it
    }

    fn inner(&self) -> Rc<Inner> {
        self.inner.get_value()
    }

    /// Every supervision, by age.
    pub fn all(&self) -> Vec<Supervision> {
        let mut all: Vec<_> = self.list.with(|list| list.values().cloned().collect());
        order::sort_by_key(&mut all, |one| {
            one.snapshot.with_untracked(|it| it.state.started)
        });
        all
    }

    /// What tells its batch from another one of the same name, to be set behind the
    /// name; tracked.
    pub fn mark(&self, one: &Supervision) -> String {
        let of = one.snapshot.with(|it| Called::of(&it.state));
        self.called.with(|all| of.mark(all))
    }

    /// What a tab's title says of its batch, on a page that is about `page`; tracked.
    pub fn in_title(&self, one: &Supervision, page: &Called) -> String {
        let of = one.snapshot.with(|it| Called::of(&it.state));
        self.called.with(|all| of.in_title(page, all))
    }

    /// The newest supervision of a batch by this account.
    pub fn of_batch(&self, batch: BatchId) -> Option<Supervision> {
        self.all().into_iter().rev().find(|one| {
            !one.is_read_only() && one.snapshot.with(|it| it.state.batch) == Some(batch)
        })
    }

    /// Whether this account supervises the batch now; not tracked.
    pub fn is_supervised(&self, batch: BatchId) -> bool {
        untrack(|| self.of_batch(batch).is_some_and(|one| one.is_active()))
    }

    /// How many go on, wait for a person, and ended how; of this account.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for one in self.all().iter().filter(|one| !one.is_read_only()) {
            one.snapshot.with(|it| census.count(&it.state.phase));
        }
        census
    }

    /// How many are not over.
    pub fn active(&self) -> usize {
        let census = self.census();
        census.running + census.paused
    }

    fn each_runner(&self, act: impl Fn(&Rc<Runner>)) {
        let all: Vec<_> = self
            .list
            .with_untracked(|list| list.values().filter_map(Supervision::runner).collect());
        for runner in &all {
            act(runner);
        }
    }

    // Who is signed in.

    /// Somebody signed in: what waited for that goes on, and what the journal
    /// holds for them is taken up. What belongs to others is only shown.
    pub fn signed_in(&self, identity: Identity) {
        let inner = self.inner();
        let is_same = inner.identity.borrow().as_ref() == Some(&identity);
        *inner.identity.borrow_mut() = Some(identity.clone());
        inner.tools.able.set(true);
        if !is_same {
            self.each_runner(|runner| {
                if runner.shown.about.owner != identity {
                    runner.seat_says(SeatInput::Leave);
                }
            });
            // What stays behind is read anew from the journal.
            let left = untrack(|| self.all())
                .into_iter()
                .filter(|one| !one.has_seat());
            for one in left {
                self.remove(&one.id);
            }
        }
        self.each_runner(|runner| {
            runner.seat_says(SeatInput::Able(true));
            runner.feed(Input::SignedIn);
        });
        self.restore(None);
    }

    /// Nobody is signed in any more.
    pub fn signed_out(&self) {
        self.inner().tools.able.set(false);
        self.each_runner(|runner| runner.seat_says(SeatInput::Able(false)));
    }

    // Beginning, finding, forgetting.

    /// Starts to supervise. Only ever called from a click.
    ///
    /// # Errors
    /// A sentence that says why this tab may not.
    pub async fn start(
        self,
        about: About,
        policy: Policy,
        limits: Limits,
        batch: BatchId,
    ) -> Result<(), String> {
        notify::ask();
        let taken = timer::within(STORAGE_TAKES, self.taken(&about, limits.settle, batch)).await;
        if let Some(why) = taken.unwrap_or_else(|| Some(unknown("it does not answer"))) {
            return Err(why);
        }
        let id: SupervisionId = format!("{PREFIX}{:016x}", random::u64()).into();
        let supervisor = Supervisor::start(policy, limits, BatchRef::Id(batch), clock::now());
        let inner = self.inner();
        let shown = self
            .lasting(|| {
                Supervision::showing(id.clone(), about, supervisor.log(), Standing::Opening)
            })
            .expect("a machine's log begins with its start");
        let (runner, decision) = Runner::begin(inner.tools.clone(), shown.clone(), supervisor);
        shown.runner.set_value(Some(runner.clone()));
        if decision.await != Ok(true) {
            shown.runner.set_value(None);
            return Err(
                "Another tab of this browser has just begun to supervise this batch. \
                        Its supervision is shown under Supervisions."
                    .into(),
            );
        }
        // What is on screen as started survives a reload in the same moment.
        // A storage that does not answer holds nobody up: its notice will say so.
        let _ = timer::within(STORAGE_TAKES, runner.written()).await;
        self.insert(shown);
        Ok(())
    }

    /// Why this batch cannot be supervised from here: it is already, by whatever account and
    /// however its API is spelled, or a rerun of it may still be applied.
    async fn taken(&self, about: &About, settle: Duration, batch: BatchId) -> Option<String> {
        let here = "This batch is supervised already, in this browser.";
        let known = untrack(|| self.all());
        if known.iter().any(|one| {
            untrack(|| one.is_active())
                && one.snapshot.with_untracked(|it| it.state.batch) == Some(batch)
        }) {
            return Some(here.to_owned());
        }
        let may_land = |state: &State| (state.batch == Some(batch)).then(|| may_land(state))?;
        let lands = known
            .iter()
            .filter_map(|one| one.snapshot.with_untracked(|it| may_land(&it.state)))
            .max();
        if let Some(until) = lands {
            let unclear = false;
            return Some(not_before(MayLand { until, unclear }));
        }
        // One that is in the journal and not yet on screen.
        let stored = match read_patiently().await {
            Ok(stored) => stored,
            // Nothing will be sent either, as nothing can be written down before.
            Err(error) if error.is_denied() => return None,
            Err(error) => return Some(unknown(&error.to_string())),
        };
        let mut of_it = stored.iter().filter(|it| landing::is_about(it, batch));
        if of_it.any(is_newer) {
            return Some(
                "A newer Retake supervises this batch in this browser. Reload the page to get \
                 that version."
                    .into(),
            );
        }
        let open = stored.iter().filter_map(Found::read).find(|found| {
            let is_of = |found: &Found| {
                let state = State::replay(&found.records);
                state.is_some_and(|state| state.batch == Some(batch) && !state.phase.is_over())
            };
            found.damage.is_none() && is_of(found)
        });
        let Some(open) = open else {
            return landing::among(&stored, batch, settle, "").map(not_before);
        };
        Some(if open.about.owner == about.owner {
            self.restore(None);
            here.to_owned()
        } else {
            let name = open
                .about
                .owner_name
                .as_deref()
                .unwrap_or("another account");
            format!("This batch is supervised in this browser by {name}.")
        })
    }

    /// Brings back what the journal holds and is not here yet: all, or one.
    ///
    /// A journal that cannot be read is read again until it can, and said to be meanwhile:
    /// what was supervised must not seem to be nothing.
    fn restore(&self, only: Option<String>) {
        let it = *self;
        let inner = self.inner();
        let turn = inner.restoring.get() + 1;
        if only.is_none() {
            inner.restoring.set(turn);
        }
        spawn_local(async move {
            let (stored, newer) = loop {
                let answer = journal::in_time(read(only.clone())).await;
                let is_old = only.is_none() && inner.restoring.get() != turn;
                match answer {
                    Ok(read) => break read,
                    // Another one began since.
                    Err(_) if is_old => return,
                    Err(error) if only.is_none() => it.unread.set(Some(error.to_string())),
                    Err(_) => {}
                }
                timer::sleep(journal::READ_AGAIN).await;
            };
            if only.is_none() {
                it.unread.set(None);
                landing::note(&stored);
            }
            let mut unreadable = Vec::new();
            for stored in stored.iter().filter(|it| it.id.starts_with(PREFIX)) {
                match Found::read(stored) {
                    Some(found) => it.take_up(stored.id.as_str().into(), found, newer),
                    None => unreadable.push(stored.id.clone()),
                }
            }
            if only.is_none() {
                it.unreadable.set(unreadable);
            }
        });
    }

    fn is_signed_in(&self) -> bool {
        self.inner().identity.borrow().is_some()
    }

    fn take_up(&self, id: SupervisionId, found: Found, newer: bool) {
        let inner = self.inner();
        let is_mine = inner.identity.borrow().as_ref() == Some(&found.about.owner);
        let is_known = self.list.with_untracked(|list| list.contains_key(&id));
        if is_known {
            return;
        }
        let is_over = found.is_over();
        let shelve = |why: String, forgettable| Standing::ReadOnly { why, forgettable };
        let standing = if !is_mine {
            let name = found.about.owner_name.as_deref();
            let name = name.unwrap_or("another account");
            let why = format!("It belongs to {name}, who started it in this browser.");
            // What may still go on is not taken away from its owner.
            shelve(why, is_over)
        } else if let Some(damage) = &found.damage {
            shelve(damage.to_string(), *damage != Damage::Newer)
        } else if newer {
            let why = "A newer Retake has changed the journal. Reload the page to go on.";
            shelve(why.to_owned(), false)
        } else if is_over {
            Standing::Over
        } else {
            Standing::Opening
        };
        let goes_on = standing == Standing::Opening;
        let shown =
            self.lasting(|| Supervision::showing(id, found.about, &found.records, standing));
        let Some(shown) = shown else { return };
        if goes_on {
            let runner = Runner::find(inner.tools.clone(), shown.clone(), found.records);
            shown.runner.set_value(Some(runner));
        }
        self.insert(shown);
    }

    /// Forgets a supervision that is over or only shown, here, in the journal
    /// and in the other tabs. `refused` hears why it is kept, if it is.
    pub fn forget(&self, id: &str, refused: impl Fn(String) + 'static) {
        let one = self.list.with_untracked(|list| list.get(id).cloned());
        if one.as_ref().is_some_and(|one| untrack(|| one.is_active())) {
            return;
        }
        let lands = one
            .as_ref()
            .and_then(|one| one.snapshot.with_untracked(|it| may_land(&it.state)));
        if let Some(until) = lands {
            return refused(kept_until(until));
        }
        let limits = one
            .as_ref()
            .map(|one| one.snapshot.with_untracked(|it| it.state.limits));
        let settle = limits.unwrap_or_default().settle;
        let lock = one
            .filter(|one| untrack(|| one.is_read_only()))
            .map(|one| one.lock_name);
        self.remove(id);
        self.unreadable.update(|all| all.retain(|it| it != id));
        let (it, id, say) = (*self, id.to_owned(), self.inner().tools.say.clone());
        spawn_local(async move {
            // A tab that could not read it may have let another one act.
            let mut held = None;
            if let Some(name) = lock.filter(|_| locks::available()) {
                held = locks::try_hold(&name).await;
                if held.is_none() {
                    refused("It is kept: another tab of this browser acts on that batch.".into());
                    return it.restore(Some(id));
                }
            }
            if let Some(why) = kept(&id, settle).await {
                refused(why);
                return it.restore(None);
            }
            if let Ok(journal) = Journal::open().await {
                // A journal that cannot be removed comes back at the next start, which says so.
                let _ = journal.remove(&id).await;
            }
            say(&Message::Forgotten { id });
            drop(held);
        });
    }

    fn insert(&self, one: Supervision) {
        self.list.update(|list| {
            list.insert(one.id.clone(), one);
        });
        self.keep_ticking();
    }

    fn remove(&self, id: &str) {
        let mut removed = None;
        self.list.update(|list| removed = list.remove(id));
        if let Some(one) = removed {
            one.runner.set_value(None);
        }
    }

    /// Makes signals that live as long as the app.
    fn lasting<T>(&self, make: impl FnOnce() -> T) -> T {
        self.inner().owner.clone().with(make)
    }

    /// Another tab said something.
    fn hear(&self, text: &str) {
        let runner = |id: &str| {
            let one = self.list.with_untracked(|list| list.get(id).cloned());
            one.and_then(|one| one.runner())
        };
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            // A tab of another build. That it lives is understood, and need be all.
            if let Some(sign) = Sign::read(text)
                && let Some(runner) = runner(&sign.id)
            {
                runner.hear_sign(&sign);
            }
            return;
        };
        match message {
            Message::Acting(acting) => {
                if let Some(runner) = runner(&acting.id) {
                    runner.hear(*acting);
                }
            }
            Message::Ask { id, able } => {
                if let Some(runner) = runner(&id) {
                    runner.seat_says(SeatInput::Asked { able });
                }
            }
            Message::Begun { id } => {
                if self.is_signed_in() {
                    self.restore(Some(id));
                }
            }
            // Whoever acts has not ended it, whatever another tab believed.
            Message::Forgotten { id }
                if runner(&id).is_some_and(|it| it.role() == Role::Acting) => {}
            Message::Forgotten { id } => self.remove(&id),
        }
    }

    // Time.

    /// A worker ticks while anything goes on.
    fn keep_ticking(&self) {
        let inner = self.inner();
        if inner.tick.borrow().is_some() {
            return;
        }
        let it = *self;
        inner.ticked.set(None);
        *inner.tick.borrow_mut() = Tick::start(move || it.tick(), move || it.tick_failed());
    }

    /// The timers of the page, which a hidden tab slows down, must do for a while.
    fn tick_failed(&self) {
        let it = *self;
        // Not from within its own call.
        spawn_local(async move {
            drop(it.inner().tick.borrow_mut().take());
            timer::sleep(TICK_AGAIN).await;
            it.keep_ticking();
        });
    }

    fn tick(&self) {
        let inner = self.inner();
        let now = clock::now();
        let slept = inner.ticked.replace(Some(now)).is_some_and(|then| {
            let wall = now.wall.as_millis().abs_diff(then.wall.as_millis());
            Duration::from_millis(wall).max(now.mono.saturating_sub(then.mono)) >= SLEPT
        });
        let mut goes_on = false;
        let runners: Vec<_> = self
            .list
            .with_untracked(|list| list.values().filter_map(Supervision::runner).collect());
        for runner in &runners {
            goes_on |= matches!(
                runner.role(),
                Role::Acting | Role::Mirroring | Role::Loading
            );
            if slept {
                runner.woken(WakeReason::Visible);
            } else {
                runner.tick();
            }
        }
        if !goes_on {
            // Not from within its own call.
            spawn_local(async move { drop(inner.tick.borrow_mut().take()) });
        }
    }
}

/// Every journal, or one, and whether a newer build has changed their form.
pub(super) async fn read(only: Option<String>) -> Result<(Vec<Stored>, bool), JournalError> {
    let journal = Journal::open().await?;
    let stored = match only {
        Some(id) => journal.load(&id).await?.into_iter().collect(),
        None => journal.load_all().await?,
    };
    Ok((stored, journal.is_newer()))
}

/// Every journal, tried again for a moment.
async fn read_patiently() -> Result<Vec<Stored>, JournalError> {
    let mut tries = 0;
    loop {
        match journal::in_time(read(None)).await {
            Ok((stored, _)) => return Ok(stored),
            Err(error) if tries == 2 => return Err(error),
            Err(_) => tries += 1,
        }
        timer::sleep(Duration::from_millis(300)).await;
    }
}

/// Until when a rerun of a supervision that was stopped may still be applied, if it may.
fn may_land(state: &State) -> Option<Timestamp> {
    let until = state.may_still_land_until()?;
    (until > clock::wall()).then_some(until)
}

/// Why a journal is not removed, as far as it says itself.
async fn kept(id: &str, settle: Duration) -> Option<String> {
    let Ok((stored, _)) = journal::in_time(read(Some(id.to_owned()))).await else {
        return Some("It is kept: the browser's storage does not answer.".into());
    };
    let stored = stored.first()?;
    if is_newer(stored) {
        return Some(
            "It is kept: a newer Retake wrote it. Reload the page to get that one.".into(),
        );
    }
    landing::of(stored, settle).map(|it| kept_until(it.until))
}

fn kept_until(until: Timestamp) -> String {
    let until = clock::local_time(until);
    format!("It is kept until {until}: its rerun has no answer yet and may still be applied.")
}

fn not_before(other: MayLand) -> String {
    format!(
        "{}. Start again after that, so that no test runs twice.",
        upper_first(&other.words())
    )
}

fn unknown(why: &str) -> String {
    format!(
        "The journal of this browser cannot be read, so nobody knows whether an earlier rerun of \
         this batch is still under way: {why}. Try again in a moment."
    )
}

/// Tells a person who looks elsewhere. `mark` stands behind the batch's name.
fn announce(name: Option<&str>, mark: &str, verdict: &Verdict) {
    let (title, body) = say::notification(name, mark, verdict);
    notify::show(&title, &body);
}
