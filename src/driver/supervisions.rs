//! Everything that is supervised in this browser.
//!
//! One [`Runner`] per supervision: it owns the machine, performs each of its
//! outputs with one adapter call, feeds the result back, and publishes what a
//! screen shows. The journal brings supervisions back after a reload; a Web
//! Lock per supervision keeps one tab acting.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::endpoint,
    domain::{BatchId, ProjectId, Timestamp},
    rerun::{Limits, Stage},
    supervise::{
        BatchRef, Input, LogLine, Output, PauseReason, Policy, Record, State, Supervisor, Verdict,
        WakeReason, explain,
    },
};
use serde::{Deserialize, Serialize};

use super::{journal_writer::JournalWriter, listing};
use crate::{
    browser::{
        clock, journal::Journal, locks, locks::LockGuard, notify, random, timer::Timer, wake,
    },
    client::Client,
};

/// Names one supervision; also the key of its journal.
pub type SupervisionId = Arc<str>;

/// What belongs to a supervision besides its records; the journal's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Schema of the journal.
    pub version: u32,
    /// The environment that it was started in.
    pub environment: String,
    /// The account that started it; another account may look, not act.
    pub subject: Option<String>,
    /// The project.
    pub project: ProjectId,
    /// What the project was called.
    pub project_name: String,
}

/// Version of the journal's form; a journal of another one is left alone.
const JOURNAL_VERSION: u32 = 1;

/// What a screen shows of one supervision.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The machine's state.
    pub state: State,
    /// The rerun that is on its way.
    pub submission: Option<Stage>,
    /// When it acts next by itself.
    pub next_due: Option<Timestamp>,
    /// Failed reads in a row.
    pub failures: u32,
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
    /// Whether this tab acts on it; otherwise another tab does.
    pub acting: RwSignal<bool>,
    runner: StoredValue<Rc<Runner>, LocalStorage>,
}

impl Supervision {
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

    /// Looks now.
    pub fn look_now(&self) {
        self.feed(Input::Woken(WakeReason::Asked));
    }

    fn feed(&self, input: Input) {
        if let Some(runner) = self.runner.try_get_value() {
            runner.feed(input);
        }
    }
}

/// All supervisions of this browser; provided as context.
#[derive(Clone, Copy)]
pub struct Supervisions {
    list: RwSignal<BTreeMap<SupervisionId, Supervision>, LocalStorage>,
    client: Client,
    /// Signals of a supervision outlive the page that started it.
    owner: StoredValue<Owner>,
    /// Verdicts to be announced on screen, newest last.
    pub announced: RwSignal<Vec<(SupervisionId, Verdict)>>,
}

impl Supervisions {
    /// No supervisions yet; [`Self::restore`] brings back stored ones.
    pub fn new(client: Client) -> Self {
        let it = Self {
            list: RwSignal::new_local(BTreeMap::new()),
            client,
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
            announced: RwSignal::new(Vec::new()),
        };
        wake::on_wake(move |why| it.each(|one| one.feed(Input::Woken(why))));
        it
    }

    /// Every supervision, by age.
    pub fn all(&self) -> Vec<Supervision> {
        let mut all: Vec<_> = self.list.with(|list| list.values().cloned().collect());
        all.sort_by_key(|one: &Supervision| one.snapshot.with_untracked(|it| it.state.started));
        all
    }

    /// One supervision.
    pub fn get(&self, id: &str) -> Option<Supervision> {
        self.list.with(|list| list.get(id).cloned())
    }

    /// The newest supervision of a batch.
    pub fn of_batch(&self, batch: BatchId) -> Option<Supervision> {
        self.all()
            .into_iter()
            .rev()
            .find(|one| one.snapshot.with(|it| it.state.batch) == Some(batch))
    }

    /// How many are not over.
    pub fn active(&self) -> usize {
        self.all()
            .iter()
            .filter(|one| !one.snapshot.with(|it| it.state.phase.is_over()))
            .count()
    }

    fn each(&self, act: impl Fn(&Supervision)) {
        for one in self
            .list
            .with_untracked(|list| list.values().cloned().collect::<Vec<_>>())
        {
            act(&one);
        }
    }

    /// Verdicts that are kept.
    pub fn verdicts(&self) -> usize {
        self.all()
            .iter()
            .filter(|one| one.snapshot.with(|it| it.state.verdict().is_some()))
            .count()
    }

    /// Somebody signed in: what waited for that goes on. What belongs to
    /// another account or environment is put away; its journal stays.
    pub fn signed_in(&self, environment: &str, subject: Option<&str>) {
        self.list.update(|list| {
            list.retain(|_, one| one.about.belongs_to(environment, subject));
        });
        self.each(|one| one.feed(Input::SignedIn));
    }

    /// Starts to supervise. Only ever called from a click.
    pub fn start(
        &self,
        about: About,
        policy: Policy,
        limits: Limits,
        batch: BatchRef,
    ) -> Supervision {
        let id: SupervisionId = format!("s-{:016x}", random::u64()).into();
        let supervisor = Supervisor::start(policy, limits, batch, clock::now());
        let one = self.adopt(id, about, supervisor, 0);
        notify::ask();
        one
    }

    /// Brings back what the journal holds for this environment.
    pub fn restore(&self, environment: String, subject: Option<String>) {
        let it = *self;
        spawn_local(async move {
            let Ok(journal) = Journal::open().await else {
                return;
            };
            let Ok(stored) = journal.load_all().await else {
                return;
            };
            for (id, lines) in stored {
                let Some((about, records)) = parse_journal(&lines) else {
                    continue;
                };
                let same = about.belongs_to(&environment, subject.as_deref());
                let known = it
                    .list
                    .with_untracked(|list| list.contains_key(id.as_str()));
                if !same || known {
                    continue;
                }
                it.restore_one(id.into(), about, records);
            }
        });
    }

    fn restore_one(&self, id: SupervisionId, about: About, records: Vec<Record>) {
        let it = *self;
        spawn_local(async move {
            let over = State::replay(&records).is_some_and(|state| state.phase.is_over());
            let lock = if over {
                None
            } else {
                locks::try_hold(&lock_name(&id)).await
            };
            if over || lock.is_some() || !locks::available() {
                let written = records.len();
                if let Some(supervisor) = Supervisor::restore(records, clock::now()) {
                    let one = it.adopt(id, about, supervisor, written);
                    one.hold(lock);
                }
                return;
            }
            // Another tab acts. Show its last known state and take over when it goes.
            let Some(state) = State::replay(&records) else {
                return;
            };
            it.mirror(&id, &about, state, &records);
            let Some(lock) = locks::hold(&lock_name(&id)).await else {
                return;
            };
            let Ok(journal) = Journal::open().await else {
                return;
            };
            let Ok(stored) = journal.load_all().await else {
                return;
            };
            let Some((_, lines)) = stored.into_iter().find(|(key, _)| **key == *id) else {
                return;
            };
            let Some((about, records)) = parse_journal(&lines) else {
                return;
            };
            let written = records.len();
            if let Some(supervisor) = Supervisor::restore(records, clock::now()) {
                let one = it.adopt(id, about, supervisor, written);
                one.hold(Some(lock));
            }
        });
    }

    /// Forgets a supervision that is over, here and in the journal.
    pub fn forget(&self, id: &SupervisionId) {
        let over = self
            .get(id)
            .is_some_and(|one| one.snapshot.with_untracked(|it| it.state.phase.is_over()));
        if !over {
            return;
        }
        self.list.update(|list| {
            list.remove(id);
        });
        let id = id.clone();
        spawn_local(async move {
            if let Ok(journal) = Journal::open().await {
                // A journal that cannot be removed comes back at the next start, which says so.
                let _ = journal.remove(&id).await;
            }
        });
    }

    /// Makes signals that live as long as the app.
    fn lasting<T>(&self, make: impl FnOnce() -> T) -> T {
        self.owner.with_value(Owner::clone).with(make)
    }

    fn mirror(&self, id: &SupervisionId, about: &About, state: State, records: &[Record]) {
        let snapshot = Snapshot {
            state,
            submission: None,
            next_due: None,
            failures: 0,
        };
        let runner = Runner::idle(self.client);
        let lines = records.iter().map(explain).collect();
        let one = self.lasting(|| Supervision {
            id: id.clone(),
            about: about.clone(),
            snapshot: RwSignal::new(snapshot),
            lines: RwSignal::new(lines),
            storage_trouble: RwSignal::new(None),
            acting: RwSignal::new(false),
            runner: StoredValue::new_local(Rc::new(runner)),
        });
        self.list.update(|list| {
            list.insert(id.clone(), one);
        });
    }

    fn adopt(
        &self,
        id: SupervisionId,
        about: About,
        supervisor: Supervisor,
        written: usize,
    ) -> Supervision {
        let (snapshot, lines, storage_trouble) = self.lasting(|| {
            let lines = supervisor.log().iter().map(explain).collect::<Vec<_>>();
            (
                RwSignal::new(snapshot_of(&supervisor)),
                RwSignal::new(lines),
                RwSignal::new(None),
            )
        });
        let runner = Rc::new(Runner {
            supervisor: RefCell::new(Some(supervisor)),
            client: self.client,
            project: Some(about.project),
            writer: RefCell::new(None),
            timer: RefCell::new(None),
            lock: RefCell::new(None),
            published: RefCell::new(Some(Published {
                id: id.clone(),
                snapshot,
                lines,
                announced: self.announced,
            })),
        });
        let one = self.lasting(|| Supervision {
            id: id.clone(),
            about: about.clone(),
            snapshot,
            lines,
            storage_trouble,
            acting: RwSignal::new(true),
            runner: StoredValue::new_local(runner.clone()),
        });
        self.list.update(|list| {
            list.insert(id.clone(), one.clone());
        });
        let fresh = written == 0;
        spawn_local(async move {
            let journal = Journal::open().await.map_err(|error| error.to_string());
            let writer = JournalWriter::start(journal, id.to_string(), move |trouble| {
                storage_trouble.set(trouble);
            });
            if fresh {
                let json = serde_json::to_string(&about).expect("plain data serialises");
                writer.write(0, json);
                let lock = locks::try_hold(&lock_name(&id)).await;
                *runner.lock.borrow_mut() = lock;
            }
            *runner.writer.borrow_mut() = Some(writer);
            runner.drain();
        });
        one
    }
}

impl Supervision {
    fn hold(&self, lock: Option<LockGuard>) {
        if let Some(runner) = self.runner.try_get_value() {
            *runner.lock.borrow_mut() = lock;
        }
    }
}

fn lock_name(id: &str) -> String {
    format!("retake-supervision-{id}")
}

fn parse_journal(lines: &[String]) -> Option<(About, Vec<Record>)> {
    let (first, rest) = lines.split_first()?;
    let about: About = serde_json::from_str(first).ok()?;
    if about.version != JOURNAL_VERSION {
        return None;
    }
    let records: Vec<Record> = rest
        .iter()
        .map(|line| serde_json::from_str(line))
        .collect::<Result<_, _>>()
        .ok()?;
    Some((about, records))
}

fn snapshot_of(supervisor: &Supervisor) -> Snapshot {
    Snapshot {
        state: supervisor.state().clone(),
        submission: supervisor.submission().map(|it| it.stage().clone()),
        next_due: supervisor.next_due(),
        failures: supervisor.failures(),
    }
}

impl About {
    /// What a new supervision is about.
    pub fn new(
        environment: String,
        subject: Option<String>,
        project: ProjectId,
        project_name: String,
    ) -> Self {
        Self {
            version: JOURNAL_VERSION,
            environment,
            subject,
            project,
            project_name,
        }
    }

    /// Whether this account may act on it.
    fn belongs_to(&self, environment: &str, subject: Option<&str>) -> bool {
        self.environment == environment
            && (self.subject.is_none() || self.subject.as_deref() == subject)
    }
}

/// Where a runner publishes to.
struct Published {
    id: SupervisionId,
    snapshot: RwSignal<Snapshot>,
    lines: RwSignal<Vec<LogLine>>,
    announced: RwSignal<Vec<(SupervisionId, Verdict)>>,
}

/// Performs one machine's outputs.
struct Runner {
    supervisor: RefCell<Option<Supervisor>>,
    client: Client,
    project: Option<ProjectId>,
    writer: RefCell<Option<JournalWriter>>,
    timer: RefCell<Option<Timer>>,
    lock: RefCell<Option<LockGuard>>,
    published: RefCell<Option<Published>>,
}

impl Runner {
    /// A runner without a machine: the supervision is shown, another tab acts.
    fn idle(client: Client) -> Self {
        Self {
            supervisor: RefCell::new(None),
            client,
            project: None,
            writer: RefCell::new(None),
            timer: RefCell::new(None),
            lock: RefCell::new(None),
            published: RefCell::new(None),
        }
    }

    fn feed(self: &Rc<Self>, input: Input) {
        {
            let mut supervisor = self.supervisor.borrow_mut();
            let Some(supervisor) = supervisor.as_mut() else {
                return;
            };
            supervisor.handle(input, clock::now());
        }
        self.drain();
    }

    /// Performs what the machine wants. Before the journal is open nothing is
    /// performed, so that no record can be skipped.
    fn drain(self: &Rc<Self>) {
        if self.writer.borrow().is_some() {
            loop {
                let output = self
                    .supervisor
                    .borrow_mut()
                    .as_mut()
                    .and_then(Supervisor::poll_output);
                let Some(output) = output else { break };
                self.perform(output);
            }
        }
        self.publish();
    }

    fn perform(self: &Rc<Self>, output: Output) {
        let it = self.clone();
        let Some(project) = self.project else { return };
        match output {
            Output::ResolveBatch(call, name) => spawn_local(async move {
                let found = listing::find_batch(&it.client, project, &name).await;
                it.feed(Input::Resolved(
                    call,
                    found.map(|batch| (batch.id, batch.name)),
                ));
            }),
            Output::ReadBatch(call, batch) => spawn_local(async move {
                let read = it.client.send(&endpoint::get_batch(project, batch)).await;
                it.feed(Input::BatchRead(call, read.map(Box::new)));
            }),
            Output::ReadTests(call, batch) => spawn_local(async move {
                let listed = listing::all_tests(&it.client, project, batch).await;
                it.feed(Input::TestsRead(call, listed));
            }),
            Output::Store(record) => {
                if let Some(writer) = self.writer.borrow().as_ref() {
                    writer.write(record.seq + 1, to_line(&record));
                }
            }
            Output::StoreIntent(call, record) => {
                let Some(writer) = self.writer.borrow().clone() else {
                    return;
                };
                spawn_local(async move {
                    let stored = writer.write_durably(record.seq + 1, to_line(&record)).await;
                    it.feed(Input::Stored(call, stored));
                });
            }
            Output::SendRerun(call, intent) => spawn_local(async move {
                let request = endpoint::rerun_batch(project, intent.batch, &intent.request);
                let answer = it.client.post_once(&request).await;
                it.feed(Input::RerunAnswered(call, answer));
            }),
            Output::WakeAt(at) => {
                let delay = at.since(clock::now().wall).max(Duration::from_millis(1));
                let timer = Timer::after(delay, move || it.feed(Input::Wake));
                *self.timer.borrow_mut() = Some(timer);
            }
            // The client has already told the session, which shows the way to sign in.
            Output::NeedSignIn => {}
            Output::Announce(verdict) => self.announce(&verdict),
        }
    }

    fn announce(&self, verdict: &Verdict) {
        let published = self.published.borrow();
        let Some(published) = published.as_ref() else {
            return;
        };
        let name = published
            .snapshot
            .with_untracked(|it| it.state.name.clone());
        notify::show(
            &format!("{} · exit {}", verdict.outcome.words(), verdict.exit_code),
            &format!(
                "{}: {}",
                name.unwrap_or_else(|| "batch".to_owned()),
                verdict.rule
            ),
        );
        let entry = (published.id.clone(), verdict.clone());
        published
            .announced
            .update(|announced| announced.push(entry));
    }

    fn publish(&self) {
        let supervisor = self.supervisor.borrow();
        let published = self.published.borrow();
        let (Some(supervisor), Some(published)) = (supervisor.as_ref(), published.as_ref()) else {
            return;
        };
        let shown = published.lines.with_untracked(Vec::len);
        if shown < supervisor.log().len() {
            published.lines.update(|lines| {
                lines.extend(supervisor.log()[shown..].iter().map(explain));
            });
        }
        let snapshot = snapshot_of(supervisor);
        if published
            .snapshot
            .with_untracked(|before| *before != snapshot)
        {
            published.snapshot.set(snapshot);
        }
        if supervisor.state().phase.is_over() {
            self.timer.borrow_mut().take();
            self.lock.borrow_mut().take();
        }
    }
}

fn to_line(record: &Record) -> String {
    serde_json::to_string(record).expect("plain data serialises")
}
