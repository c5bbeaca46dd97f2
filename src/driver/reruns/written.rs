//! What a rerun by hand writes down, and when: its intent before anything else,
//! a line before each POST leaves. What another tab has written is left alone.

use std::{iter, rc::Rc, time::Duration};

use leptos::task::spawn_local;
use retake_core::{
    auth::Identity,
    domain::Timestamp,
    rerun::{Accepted, Doubt, Found, Left, Line, Submission},
    supervise::{Landing, SEND_WITHIN},
    underway::Underway,
    view::rerun::verb,
};

use super::{Of, rerun::Inner};
use crate::{
    browser::{
        clock,
        journal::{Journal, JournalError, Stored, WriteError, Writer},
        locks, timer,
    },
    driver::landing,
};

/// Why an intent is not written, so that nothing is sent.
pub(super) enum NotYet {
    /// The browser refuses.
    Storage(String),
    /// Not now, for this reason.
    Held(String),
    /// An earlier one is still open, and comes first; its words.
    LeftOpen(String),
}

/// How long is waited for the removal of an earlier one's lines, and for a look into
/// what was left.
const REMOVAL: Duration = Duration::from_secs(2);

/// How the names of their journals begin.
const PREFIX: &str = "rerun:";

/// A POST of a rerun by hand that may still land, as its journal says; `None` also for
/// another kind of journal.
pub(in crate::driver) fn landing_in(
    stored: &Stored,
    settle: Duration,
    now: Timestamp,
) -> Option<Landing> {
    let is_one = stored.id.starts_with(PREFIX);
    is_one.then(|| Landing::of_reruns(&read(stored), settle, now))?
}

/// What a journal says.
pub(super) fn read(stored: &Stored) -> Found {
    Left::read(
        stored.form(),
        stored.lines.iter().map(|(_, line)| line.as_str()),
    )
}

fn owner(identity: &Identity) -> String {
    serde_json::to_string(identity).expect("plain data serialises")
}

/// What earlier lives of this account left open in this browser, and is still to
/// be sent or looked into.
///
/// # Errors
/// The journals cannot be read.
pub(super) async fn left_open_by(identity: Identity) -> Result<Vec<Of>, JournalError> {
    let stored = Journal::open().await?.load_all().await?;
    let owner = owner(&identity);
    let open = stored
        .iter()
        .filter_map(|stored| {
            let (batch, owned_by) = stored.id.strip_prefix(PREFIX)?.split_once(':')?;
            let Found::Left(left) = read(stored) else {
                return None;
            };
            // One that has lapsed is told on the page of its batch.
            let is_due = owned_by == owner && left.doubt(clock::wall()) != Doubt::Lapsed;
            let (project, name) = left.of.filter(|_| is_due)?;
            let batch = batch.parse().ok()?;
            Some(Of {
                project,
                batch,
                name,
            })
        })
        .collect();
    Ok(open)
}

impl Inner {
    /// The journal's name for the reruns of this batch by this account.
    pub(super) fn journal_id(&self) -> String {
        format!(
            "{PREFIX}{}:{}",
            self.about.batch,
            owner(&self.about.identity)
        )
    }

    /// Whether a POST may leave now: a renewal of the token, or a page that was
    /// frozen, may have taken longer than the settle window allows for, and another one
    /// of this browser may be on its way.
    pub(super) async fn clear_to_send(&self) -> Result<(), String> {
        let decided = clock::now();
        // Somebody else's token is of no use; then the POST itself says so.
        if let Ok(client) = self.may_call() {
            client.ready_to_post().await;
        }
        // Only then may an earlier "not applied" no longer be believed.
        let post = self
            .submission
            .borrow()
            .as_ref()
            .map_or(0, Submission::posts);
        let at = clock::wall();
        self.write(&Line::Sent { post, at }).await?;
        if let Some(why) = self.another_may_land().await? {
            return Err(why);
        }
        let now = clock::now();
        let took = now
            .wall
            .since(decided.wall)
            .max(now.mono.saturating_sub(decided.mono));
        if took > SEND_WITHIN {
            return Err("this page slept, or the sign-in took too long, before it was sent".into());
        }
        Ok(())
    }

    /// Why nothing is sent yet, if another POST of this browser for the batch may still land.
    async fn another_may_land(&self) -> Result<Option<String>, String> {
        let settle = self.about.limits.settle;
        let other = landing::of_batch(self.about.batch, settle, &self.journal_id()).await;
        let other = other.map_err(|error| error.to_string())?;
        Ok(other.map(|it| format!("{}; press again after that", it.words())))
    }

    /// Whether this tab may act.
    pub(super) async fn lock(&self) -> bool {
        if self.lock.borrow().is_some() || !locks::available() {
            return true;
        }
        let lock = locks::try_hold(&format!("retake-rerun-{}", self.about.batch)).await;
        // Whoever asked at the same time may have been granted it.
        let mut held = self.lock.borrow_mut();
        if lock.is_some() {
            *held = lock;
        }
        held.is_some()
    }

    /// Writes the intent, unless something else comes first.
    pub(super) async fn store_intent(&self) -> Result<(), NotYet> {
        if !self.last_one_removed().await {
            let why = "the last rerun is still being put away; press again in a moment";
            return Err(NotYet::Held(why.into()));
        }
        if !over_soon(&self.taking_up).await {
            let why = "what an earlier visit has left is still being read; press again in a moment";
            return Err(NotYet::Held(why.into()));
        }
        if !self.lock().await {
            let why = "another tab of this browser is rerunning tests of this batch";
            return Err(NotYet::Held(why.into()));
        }
        let line = self
            .submission
            .borrow()
            .as_ref()
            .map(|it| Line::Intent(Box::new(it.intent().clone())));
        let Some(line) = line else {
            return Err(NotYet::Held("there is no rerun to write down".into()));
        };
        self.nothing_comes_first().await?;
        // Asked again once it is written down; whoever else is about to send is not held up.
        if let Some(why) = self.another_may_land().await.map_err(NotYet::Storage)? {
            self.lock.borrow_mut().take();
            return Err(NotYet::Held(why));
        }
        let of = Line::Of {
            project: self.about.project,
            name: self.about.name.clone(),
        };
        self.write(&of).await.map_err(NotYet::Storage)?;
        self.write(&line).await.map_err(NotYet::Storage)
    }

    /// Looks into what another tab, or an earlier life, has left, and removes what
    /// is over.
    async fn nothing_comes_first(&self) -> Result<(), NotYet> {
        let refused = |error: JournalError| NotYet::Storage(error.to_string());
        let journal = Journal::open().await.map_err(refused)?;
        let stored = journal.load(&self.journal_id()).await.map_err(refused)?;
        let now = clock::wall();
        let first = match stored.as_ref().map_or(Found::Nothing, read) {
            Found::Left(left) if left.doubt(now) != Doubt::Lapsed => {
                let earlier = verb(&left.intent.request.scope);
                Some(NotYet::LeftOpen(format!(
                    "an earlier rerun of this batch ({earlier}) is still open and is looked into first"
                )))
            }
            Found::Unreadable => {
                // Its POST may be under way; by then it has shown, or never will.
                let may_land = stored
                    .as_ref()
                    .and_then(|it| landing::of(it, self.about.limits.settle));
                may_land.map(|it| NotYet::Held(format!("{}; press again after that", it.words())))
            }
            // It holds in each tab, as in the one that sent it: until it is seen running.
            Found::Accepted(accepted) if !self.saw_when_pressed(&accepted) => {
                let earlier = verb(&accepted.intent.request.scope);
                Some(NotYet::LeftOpen(format!(
                    "an earlier rerun of this batch ({earlier}) was accepted and has not been seen \
                     running yet"
                )))
            }
            Found::Left(_) | Found::Accepted(_) | Found::Nothing => None,
        };
        if let Some(first) = first {
            // Its lines stay: none of them is ours.
            self.lock.borrow_mut().take();
            return Err(first);
        }
        journal.remove(&self.journal_id()).await.map_err(refused)
    }

    /// Whether what was pressed last rests on a picture that shows this run.
    fn saw_when_pressed(&self, accepted: &Accepted) -> bool {
        let submission = self.submission.borrow();
        submission
            .as_ref()
            .is_some_and(|it| accepted.is_shown_at(&it.intent().fence))
    }

    /// Waits until the lines of the last one are gone, which takes a moment; whether
    /// they are.
    pub(super) async fn last_one_removed(&self) -> bool {
        over_soon(&self.closing).await
    }

    pub(super) async fn write(&self, line: &Line) -> Result<(), String> {
        let json = serde_json::to_string(line).map_err(|error| error.to_string())?;
        let place = self.lines.replace(self.lines.get() + 1);
        let written = self.append(place, &json).await;
        if written.is_ok() {
            self.taken_from.borrow_mut().take();
        } else if self.lines.get() == place + 1 {
            // A place that stays empty would read as a lost line.
            self.lines.set(place);
        }
        written
    }

    async fn append(&self, place: u32, json: &str) -> Result<(), String> {
        let writer = self.writer.borrow().clone();
        let appended = self.append_as(&writer, place, json).await;
        appended.map_err(|error| error.to_string())
    }

    async fn append_as(&self, writer: &Writer, place: u32, json: &str) -> Result<(), WriteError> {
        let journal = Journal::open().await.map_err(WriteError::Trouble)?;
        journal
            .append(&self.journal_id(), writer, place, json)
            .await
    }

    async fn remove_lines_of(&self, writers: &[Writer]) {
        if let Ok(journal) = Journal::open().await {
            let _ = journal.remove_of(&self.journal_id(), writers).await;
        }
    }

    /// What was accepted is seen running, or put away: no later life holds for it.
    pub(super) fn forget_accepted(self: &Rc<Self>) {
        let Some(writer) = self.kept.borrow_mut().take() else {
            return;
        };
        let inner = self.clone();
        let closing = inner.closing.begin();
        spawn_local(async move {
            inner.remove_lines_of(&[writer]).await;
            drop(closing);
        });
    }
}

/// Whether all of it is over, soon.
async fn over_soon(all: &Underway) -> bool {
    let step = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while !all.is_over() && waited < REMOVAL {
        timer::sleep(step).await;
        waited += step;
    }
    all.is_over()
}

/// It is over: the journal forgets it, and other tabs may begin. What was accepted
/// stays written as `accepted` says, `while_held`, until a read shows the run.
pub(super) fn put_away(
    inner: &Rc<Inner>,
    accepted: Option<Line>,
    while_held: impl Fn() -> bool + 'static,
) {
    inner.timer.borrow_mut().take();
    // What this life has not written, or taken up, is another's.
    let place = inner.lines.replace(0);
    let writer = inner.writer.borrow().clone();
    let taken_from = inner.taken_from.borrow_mut().take();
    let inner = inner.clone();
    let closing = inner.closing.begin();
    spawn_local(async move {
        let held = inner.lock.borrow_mut().take();
        if place > 0 {
            let keeps = accepted.is_some();
            // If its lines cannot be removed, this tells the next visit that it is over.
            let last = accepted.unwrap_or(Line::Over { at: clock::wall() });
            let json = serde_json::to_string(&last).expect("plain data serialises");
            let written = inner.append_as(&writer, place, &json).await;
            match written {
                Ok(()) if keeps && while_held() => *inner.kept.borrow_mut() = Some(writer),
                Ok(()) => inner.remove_lines_of(&[writer]).await,
                // Another life goes on with them.
                Err(WriteError::Superseded { .. }) => {}
                // They are this life's, or still those that it has taken up.
                Err(WriteError::Trouble(_)) => {
                    let ours: Vec<Writer> = iter::once(writer).chain(taken_from).collect();
                    inner.remove_lines_of(&ours).await;
                }
            }
        }
        drop(held);
        drop(closing);
    });
}
