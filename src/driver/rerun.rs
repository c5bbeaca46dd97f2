//! A person's own rerun, from press to seen running. The same machine as the
//! supervisor's, so the same promises: written before sent, sent once, an
//! unknown outcome resolved by looking.

use std::{
    cell::RefCell,
    collections::{HashSet, VecDeque},
    rc::Rc,
};

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::{RerunRequest, endpoint},
    domain::{Batch, BatchId, ProjectId, Test, TestId, Timestamp},
    rerun::{
        Effect as Want, Fence, Intent, IntentTest, Limits, Submission, SubmissionInput,
        SubmissionNote,
    },
    view::rerun::RerunView,
};
use serde::{Deserialize, Serialize};

use crate::{
    browser::{
        clock,
        journal::{Journal, Writer},
        locks::{self, Lock},
        random,
        timer::Timer,
    },
    client::Client,
};

/// Reruns of one batch by its page. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Reruns {
    /// The latest one.
    pub view: RwSignal<Option<RerunView>>,
    /// Rises when a batch picture was read on the way; a page shows it.
    pub picture: RwSignal<Option<Batch>>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

struct Inner {
    client: Client,
    project: ProjectId,
    batch: BatchId,
    limits: Limits,
    submission: RefCell<Option<Submission>>,
    timer: RefCell<Option<Timer>>,
    /// One tab at a time reruns tests of a batch by hand.
    lock: RefCell<Option<Lock>>,
    /// This life, as the journal knows it.
    writer: RefCell<Writer>,
}

/// The journal's line: an intent, and whether a POST of it went out.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Intent(Box<Intent>),
    Sent { post: u32, at: Timestamp },
}

fn journal_id(batch: BatchId) -> String {
    format!("rerun:{batch}")
}

impl Reruns {
    /// No rerun yet; one that an earlier life of the page left open is taken up.
    pub fn new(client: Client, project: ProjectId, batch: BatchId, limits: Limits) -> Self {
        let inner = Rc::new(Inner {
            client,
            project,
            batch,
            limits,
            submission: RefCell::new(None),
            timer: RefCell::new(None),
            lock: RefCell::new(None),
            writer: RefCell::new(Writer {
                epoch: 0,
                life: random::u64(),
            }),
        });
        let it = Self {
            view: RwSignal::new(None),
            picture: RwSignal::new(None),
            inner: StoredValue::new_local(inner.clone()),
        };
        spawn_local(async move { it.take_up(inner).await });
        it
    }

    /// Begins a rerun, unless one is on its way. Only ever called from a click.
    pub fn start(&self, batch: &Batch, request: RerunRequest, tests: &[Test]) {
        let Some(inner) = self.inner.try_get_value() else {
            return;
        };
        if self.why_held().is_some() {
            return;
        }
        let now = clock::wall();
        let named: HashSet<TestId> = request.scope.tests().iter().copied().collect();
        let intent = Intent {
            batch: batch.id,
            fence: Fence::at(batch),
            attempt: 0,
            epoch: 0,
            at: now,
            tests: tests
                .iter()
                .filter(|test| test.id.is_some_and(|id| named.contains(&id)))
                .filter_map(IntentTest::of)
                .collect(),
            request: request.clone(),
        };
        let fence = intent.fence.clone();
        let (submission, wants) = Submission::new(intent, inner.limits);
        let stage = submission.stage().clone();
        self.view.set(Some(RerunView::pressed(
            batch.id, request, fence, now, stage,
        )));
        *inner.submission.borrow_mut() = Some(submission);
        self.perform(&inner, wants);
    }

    /// Why no other rerun may start now; not tracked.
    pub fn why_held(&self) -> Option<&'static str> {
        self.view
            .with_untracked(|it| it.as_ref().and_then(RerunView::holds))
    }

    /// The project.
    pub fn project(&self) -> ProjectId {
        self.inner.with_value(|inner| inner.project)
    }

    /// Calls off a rerun that waits for its next try.
    pub fn call_off(&self) {
        self.feed(SubmissionInput::CallOff);
    }

    /// Signed in again.
    pub fn resume(&self) {
        self.feed(SubmissionInput::Resume);
    }

    /// Puts the steps away, once it is over.
    pub fn dismiss(&self) {
        self.view.update(|view| {
            if view.as_ref().is_some_and(|view| !view.is_open()) {
                *view = None;
            }
        });
    }

    /// A read of the batch: whether it shows the accepted run.
    pub fn saw(&self, batch: &Batch) {
        let is_seen = self.view.with_untracked(|view| {
            view.as_ref()
                .is_some_and(|view| view.is_unaccounted() && view.is_shown_by(batch))
        });
        if is_seen {
            self.view.update(|view| {
                if let Some(view) = view {
                    view.seen_running = true;
                }
            });
        }
    }

    async fn take_up(self, inner: Rc<Inner>) {
        let Ok(journal) = Journal::open().await else {
            return;
        };
        let Ok(Some(stored)) = journal.load(&journal_id(inner.batch)).await else {
            return;
        };
        let lines: Vec<Line> = stored
            .lines
            .iter()
            .filter_map(|(_, line)| serde_json::from_str(line).ok())
            .collect();
        let (mut intent, mut sent) = (None, None);
        for line in lines {
            match line {
                Line::Intent(it) => intent = Some(*it),
                Line::Sent { post, at } => sent = Some((post, at)),
            }
        }
        let Some(intent) = intent else { return };
        // Another tab may be in the middle of it.
        if !inner.lock().await || inner.submission.borrow().is_some() {
            return;
        }
        inner.writer.borrow_mut().epoch = stored.writer.map_or(0, |it| it.epoch + 1);
        let (posts, at) = sent.map_or((0, None), |(post, at)| (post, Some(at)));
        let (submission, wants) = Submission::restored(intent.clone(), inner.limits, posts, at);
        let stage = submission.stage().clone();
        let shown = self.view.try_set(Some(RerunView {
            sent: at,
            posts,
            ..RerunView::pressed(intent.batch, intent.request, intent.fence, intent.at, stage)
        }));
        if shown.is_some() {
            // The page has gone already.
            return;
        }
        *inner.submission.borrow_mut() = Some(submission);
        self.perform(&inner, wants);
    }

    fn feed(&self, input: SubmissionInput) {
        let Some(inner) = self.inner.try_get_value() else {
            return;
        };
        let wants = match inner.submission.borrow_mut().as_mut() {
            Some(submission) => submission.handle(input, clock::wall()),
            None => return,
        };
        self.publish(&inner);
        self.perform(&inner, wants);
    }

    fn publish(&self, inner: &Inner) {
        let submission = inner.submission.borrow();
        let Some(submission) = submission.as_ref() else {
            return;
        };
        self.view.try_update(|view| {
            if let Some(view) = view {
                view.stage = submission.stage().clone();
                view.posts = submission.posts();
                if view.is_unaccounted() {
                    view.accepted_at.get_or_insert_with(clock::wall);
                }
            }
        });
    }

    fn perform(&self, inner: &Rc<Inner>, wants: Vec<Want>) {
        let mut wants: VecDeque<Want> = wants.into();
        while let Some(want) = wants.pop_front() {
            let (it, inner) = (*self, inner.clone());
            match want {
                Want::Store => spawn_local(async move {
                    let stored = inner.store_intent().await;
                    it.feed(SubmissionInput::Stored(stored));
                }),
                Want::Post => spawn_local(async move {
                    let request = inner.submission.borrow().as_ref().map(|submission| {
                        let intent = submission.intent();
                        endpoint::rerun_batch(inner.project, intent.batch, &intent.request)
                    });
                    let Some(request) = request else { return };
                    let answer = inner.client.post_once(&request).await;
                    it.feed(SubmissionInput::Posted(answer));
                }),
                Want::Look => spawn_local(async move {
                    let sent = clock::wall();
                    let call = endpoint::get_batch(inner.project, inner.batch);
                    let answer = inner.client.send(&call).await;
                    if let Ok(batch) = &answer {
                        it.picture.try_set(Some(batch.clone()));
                    }
                    it.feed(SubmissionInput::Looked(sent, answer.map(Box::new)));
                }),
                Want::WakeAt(at) => {
                    let delay = at
                        .since(clock::wall())
                        .max(std::time::Duration::from_millis(1));
                    let timer = Timer::after(delay, move || it.feed(SubmissionInput::Wake));
                    *inner.timer.borrow_mut() = Some(timer);
                }
                // The session shows the way; `resume` goes on after it.
                Want::SignIn => {}
                Want::Note(note) => it.note(&inner, &note),
                Want::Ended(_) => {
                    inner.timer.borrow_mut().take();
                    spawn_local(async move {
                        let _held = inner.lock.borrow_mut().take();
                        if let Ok(journal) = Journal::open().await {
                            // An intent that stays is resolved by looking at the next visit.
                            let _ = journal.remove(&journal_id(inner.batch)).await;
                        }
                    });
                }
            }
        }
        self.publish(inner);
    }

    fn note(&self, inner: &Rc<Inner>, note: &SubmissionNote) {
        self.view.try_update(|view| {
            let Some(view) = view else { return };
            match note {
                SubmissionNote::Sending { .. } => {
                    view.sent = Some(clock::wall());
                    view.said = None;
                }
                SubmissionNote::Waiting { message, .. } => view.said.clone_from(message),
                SubmissionNote::Unknown { error, .. } => view.said = Some(error.to_string()),
                SubmissionNote::SignedOut | SubmissionNote::Ended(_) => {}
            }
        });
        if let SubmissionNote::Sending { post } = *note {
            let inner = inner.clone();
            let line = Line::Sent {
                post,
                at: clock::wall(),
            };
            spawn_local(async move {
                // Without this line a restored intent counts as sent when it was made.
                let _ = inner.write(post, &line).await;
            });
        }
    }
}

impl Inner {
    /// Whether this tab may act.
    async fn lock(&self) -> bool {
        if self.lock.borrow().is_some() || !locks::available() {
            return true;
        }
        let lock = locks::try_hold(&format!("retake-rerun-{}", self.batch)).await;
        let is_ours = lock.is_some();
        *self.lock.borrow_mut() = lock;
        is_ours
    }

    async fn store_intent(&self) -> Result<(), String> {
        if !self.lock().await {
            return Err("another tab of this browser is rerunning tests of this batch".into());
        }
        let line = self
            .submission
            .borrow()
            .as_ref()
            .map(|it| Line::Intent(Box::new(it.intent().clone())))
            .ok_or("there is no rerun to write down")?;
        let journal = Journal::open().await.map_err(|error| error.to_string())?;
        // What an earlier rerun left behind is over, or this one could not begin.
        journal
            .remove(&journal_id(self.batch))
            .await
            .map_err(|error| error.to_string())?;
        self.write(0, &line).await
    }

    async fn write(&self, seq: u32, line: &Line) -> Result<(), String> {
        let json = serde_json::to_string(line).map_err(|error| error.to_string())?;
        let journal = Journal::open().await.map_err(|error| error.to_string())?;
        let writer = self.writer.borrow().clone();
        journal
            .append(&journal_id(self.batch), &writer, seq, &json)
            .await
            .map_err(|error| error.to_string())
    }
}
