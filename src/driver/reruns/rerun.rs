//! A person's own rerun, from press to seen running. The same machine as the
//! supervisor's, so the same promises: written before sent, sent once, an
//! unknown outcome resolved by looking. Only the account that pressed sends.

use std::{
    cell::{Cell, RefCell},
    collections::{HashSet, VecDeque},
    rc::Rc,
    time::Duration,
};

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::{ApiError, ErrorKind, RerunRequest, RerunScope, endpoint},
    auth::Identity,
    domain::{Batch, BatchId, ProjectId, Test, TestId, Timestamp},
    rerun::{
        Doubt, Effect as Want, Ended, Fence, Found, Intent, IntentTest, Limits, Line, PersonSays,
        Stage, Submission, SubmissionInput, SubmissionNote,
    },
    supervise::{Now, SEND_WITHIN, STORED_FORM},
    underway::Underway,
    view::rerun::RerunView,
};

use super::written::{NotYet, put_away, read};
use crate::{
    browser::{
        clock,
        journal::{Journal, Writer},
        locks::Lock,
        random,
        timer::Timer,
    },
    client::Client,
};

/// The reruns of one batch by one account. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Reruns {
    /// The latest one.
    pub view: RwSignal<Option<RerunView>>,
    /// Rises when a batch picture was read on the way; a page shows it. With when it was
    /// asked for.
    pub picture: RwSignal<Option<(Batch, Timestamp)>>,
    /// How many pages show them.
    pages: RwSignal<u32>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

/// Whose reruns, and of what.
pub(super) struct About {
    pub(super) client: Client,
    /// Who pressed; nobody else sends.
    pub(super) identity: Identity,
    pub(super) project: ProjectId,
    pub(super) batch: BatchId,
    /// The batch's name, for who is on another page.
    pub(super) name: String,
    pub(super) limits: Limits,
    /// Says what went wrong to somebody who has left the page.
    pub(super) tell: Rc<dyn Fn(String)>,
}

pub(super) struct Inner {
    pub(super) about: About,
    pub(super) submission: RefCell<Option<Submission>>,
    pub(super) timer: RefCell<Option<Timer>>,
    /// One tab at a time reruns tests of a batch by hand.
    pub(super) lock: RefCell<Option<Lock>>,
    /// This life, as the journal knows it.
    pub(super) writer: RefCell<Writer>,
    /// Lines of the open rerun that this life has written or taken up.
    pub(super) lines: Cell<u32>,
    /// Removals of the lines of what is over, one or more.
    pub(super) closing: Underway,
    /// Looks into what earlier lives have left.
    pub(super) taking_up: Underway,
    /// Who wrote the lines that were taken up, until this life has written one.
    pub(super) taken_from: RefCell<Option<Writer>>,
    /// Who wrote the lines of an accepted rerun that is not seen running yet.
    pub(super) kept: RefCell<Option<Writer>>,
    /// The clocks when something last happened.
    last_now: Cell<Now>,
}

impl Reruns {
    /// No rerun yet.
    pub(super) fn none(about: About) -> Self {
        let inner = Rc::new(Inner {
            about,
            submission: RefCell::new(None),
            timer: RefCell::new(None),
            lock: RefCell::new(None),
            writer: RefCell::new(Writer {
                epoch: 0,
                life: random::u64(),
                form: STORED_FORM,
            }),
            lines: Cell::new(0),
            closing: Underway::default(),
            taking_up: Underway::default(),
            taken_from: RefCell::new(None),
            kept: RefCell::new(None),
            last_now: Cell::new(clock::now()),
        });
        Self {
            view: RwSignal::new(None),
            picture: RwSignal::new(None),
            pages: RwSignal::new(0),
            inner: StoredValue::new_local(inner),
        }
    }

    /// A page shows them from now on.
    pub(super) fn page_opens(self) {
        let inner = self.inner.get_value();
        self.pages.update(|pages| *pages += 1);
        // What was read for an earlier page is old by now.
        self.picture.set(None);
        let is_settled = |view: &RerunView| {
            !view.is_open()
                && !view.is_unaccounted()
                && view.elsewhere().is_none()
                && !view.is_of_somebody()
                && view.trouble().is_none()
        };
        self.view
            .update(|view| drop(view.take_if(|view| is_settled(view))));
        self.take_up_later(inner);
    }

    /// Takes up what an earlier life of the tab left open, if that is to be had.
    pub(super) fn take_up_later(self, inner: Rc<Inner>) {
        if !inner.has_open() {
            spawn_local(async move { self.take_up(inner, None).await });
        }
    }

    /// What its account, project and batch are.
    pub(super) fn inner(self) -> Rc<Inner> {
        self.inner.get_value()
    }

    /// The page goes; what is on its way goes on.
    pub(super) fn page_goes(self) {
        self.pages.update(|pages| *pages = pages.saturating_sub(1));
    }

    /// Begins a rerun, unless one is on its way. Only ever called from a click.
    /// `batch`, `read_at`: the picture of the batch that the person saw when they were
    /// asked, and when it was read. A run that began since then holds the rerun back.
    ///
    /// # Errors
    /// Why nothing was begun, as a sentence: another rerun is on its way, or was found
    /// in this browser meanwhile.
    pub fn start(
        &self,
        batch: &Batch,
        read_at: Option<Timestamp>,
        request: RerunRequest,
        tests: &[Test],
    ) -> Result<(), &'static str> {
        if let Some(why) = self.why_held() {
            return Err(why);
        }
        let inner = self.inner.try_get_value();
        let Some(inner) = inner.filter(|inner| !inner.has_open()) else {
            return Err("Another rerun of this batch is on its way.");
        };
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
        let (submission, wants) = Submission::new(intent, inner.about.limits);
        let submission = submission.resting_on(read_at.unwrap_or_default());
        let stage = submission.stage().clone();
        self.view.set(Some(RerunView::pressed(
            batch.id, request, fence, now, stage,
        )));
        inner.last_now.set(clock::now());
        inner.kept.borrow_mut().take();
        inner.taken_from.borrow_mut().take();
        // Each rerun has a writer of its own: the end of one removes no lines of the next.
        inner.writer.borrow_mut().life = random::u64();
        *inner.submission.borrow_mut() = Some(submission);
        self.perform(&inner, wants);
        Ok(())
    }

    /// Why no other rerun may start now; not tracked.
    pub fn why_held(&self) -> Option<&'static str> {
        self.view
            .with_untracked(|it| it.as_ref().and_then(RerunView::holds))
    }

    /// Whether one is on its way that no page shows; tracked.
    pub fn is_behind(&self) -> bool {
        self.pages.get() == 0 && self.is_under_way()
    }

    /// Whether one is on its way; tracked.
    pub fn is_under_way(&self) -> bool {
        self.view
            .with(|it| it.as_ref().is_some_and(RerunView::is_open))
    }

    /// Whether there is something to say of one on another page: it is on its
    /// way, or it failed; tracked.
    pub fn is_worth_showing(&self) -> bool {
        self.view.with(|it| {
            it.as_ref().is_some_and(|it| {
                it.is_open()
                    || it.is_of_somebody()
                    || it.elsewhere().is_some()
                    || it.trouble().is_some()
            })
        })
    }

    /// The batch.
    pub fn batch(&self) -> BatchId {
        self.inner.with_value(|inner| inner.about.batch)
    }

    /// The batch's name.
    pub fn name(&self) -> String {
        self.inner.with_value(|inner| inner.about.name.clone())
    }

    /// The project.
    pub fn project(&self) -> ProjectId {
        self.inner.with_value(|inner| inner.about.project)
    }

    /// A person says whether the rerun was applied; heard while it asks.
    pub fn person_says(&self, word: PersonSays) {
        self.feed(SubmissionInput::PersonSays(word));
    }

    /// Calls off a rerun that waits for its next try.
    pub fn call_off(&self) {
        self.feed(SubmissionInput::CallOff);
    }

    /// Signed in again.
    pub(super) fn resume(&self) {
        self.feed(SubmissionInput::Resume);
    }

    /// Puts the steps away, once it is over.
    pub fn dismiss(&self) {
        let is_over = |view: &mut RerunView| !view.is_open();
        let put_away = self.view.try_update(|view| view.take_if(is_over).is_some());
        if put_away == Some(true) {
            self.inner().forget_accepted();
        }
    }

    /// A read of the batch: whether it shows the accepted run.
    pub fn saw(&self, batch: &Batch) {
        let seen = self.view.with_untracked(|view| {
            let view = view.as_ref().filter(|view| view.is_shown_by(batch))?;
            let is_news = !view.seen_running || (!view.seen_finished && batch.is_terminal());
            is_news.then_some(batch.is_terminal())
        });
        if let Some(finished) = seen {
            self.view.update(|view| {
                if let Some(view) = view {
                    view.seen_running = true;
                    view.seen_finished = finished;
                }
            });
            self.inner().forget_accepted();
        }
    }

    /// Why what was accepted is to be kept on disk: no read shows it yet.
    fn accepted(self) -> Option<Line> {
        let kept = self.view.with_untracked(|view| view.as_ref()?.to_be_kept());
        kept.map(|(at, run)| Line::Accepted { at, run })
    }

    /// Takes up what is on disk. `gave_way`: what was pressed, and comes after it.
    async fn take_up(self, inner: Rc<Inner>, gave_way: Option<RerunScope>) {
        // Whatever is pressed meanwhile waits for what is found.
        let _taking_up = inner.taking_up.begin();
        if !inner.last_one_removed().await {
            return;
        }
        // What cannot be read now is read again when something is pressed.
        let Ok(journal) = Journal::open().await else {
            return;
        };
        let Ok(Some(stored)) = journal.load(&inner.journal_id()).await else {
            return;
        };
        let left = match read(&stored) {
            Found::Left(left) => left,
            Found::Accepted(accepted) => {
                if !inner.has_open() && self.accepted().is_none() {
                    *inner.kept.borrow_mut() = stored.writer;
                    self.view.set(Some(RerunView {
                        gave_way,
                        ..RerunView::of_accepted(*accepted)
                    }));
                }
                return;
            }
            Found::Nothing | Found::Unreadable => return,
        };
        // Another tab may be in the middle of it.
        if !inner.lock().await || inner.has_open() {
            return;
        }
        inner.last_now.set(clock::now());
        inner.writer.borrow_mut().epoch = stored.writer.as_ref().map_or(0, |it| it.epoch + 1);
        *inner.taken_from.borrow_mut() = stored.writer;
        let lines = stored.lines.last().map_or(0, |(place, _)| place + 1);
        inner.lines.set(lines);
        let (intent, limits) = (left.intent.clone(), inner.about.limits);
        let pressed = |stage| RerunView {
            sent: left.sent,
            posts: left.tries.posts,
            said: left.said.clone(),
            gave_way: gave_way.clone(),
            ..RerunView::pressed(
                intent.batch,
                intent.request.clone(),
                intent.fence.clone(),
                intent.at,
                stage,
            )
        };
        if left.doubt(clock::wall()) == Doubt::Lapsed {
            self.view
                .set(Some(pressed(Stage::Ended(Ended::NotApplied))));
            return put_away(&inner, None, || false);
        }
        // A POST may have gone out until the page was closed.
        let last_sent = clock::wall().after(SEND_WITHIN);
        let (submission, wants) =
            Submission::restored(intent.clone(), limits, &left.tries, last_sent);
        self.view.set(Some(pressed(submission.stage().clone())));
        *inner.submission.borrow_mut() = Some(submission);
        self.perform(&inner, wants);
    }

    fn feed(&self, input: SubmissionInput) {
        let Some(inner) = self.inner.try_get_value() else {
            return;
        };
        inner.note_time(clock::now());
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
                view.said_no = submission.said_no();
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
                    match inner.store_intent().await {
                        Ok(()) => it.feed(SubmissionInput::Stored(Ok(()))),
                        Err(NotYet::Storage(why)) => it.feed(SubmissionInput::Stored(Err(why))),
                        Err(NotYet::Held(why)) => it.feed(SubmissionInput::NotSent(why)),
                        Err(NotYet::LeftOpen(earlier)) => {
                            it.feed(SubmissionInput::NotSent(earlier));
                            let pressed = it.view.with_untracked(|view| {
                                view.as_ref().map(|view| view.request.scope.clone())
                            });
                            it.take_up(inner, pressed).await;
                        }
                    }
                }),
                Want::Post => spawn_local(async move {
                    if let Err(why) = inner.clear_to_send().await {
                        return it.feed(SubmissionInput::NotSent(why));
                    }
                    let request = inner.submission.borrow().as_ref().map(|submission| {
                        let intent = submission.intent();
                        endpoint::rerun_batch(inner.about.project, intent.batch, &intent.request)
                    });
                    let Some(request) = request else { return };
                    it.view.try_update(|view| {
                        if let Some(view) = view {
                            view.sent = Some(clock::wall());
                        }
                    });
                    let answer = match inner.may_call() {
                        Ok(client) => client.post_once(&request).await,
                        Err(error) => Err(error),
                    };
                    it.feed(SubmissionInput::Posted(answer));
                }),
                Want::Look => spawn_local(async move {
                    let sent = clock::wall();
                    let (project, batch) = (inner.about.project, inner.about.batch);
                    let answer = match inner.may_call() {
                        Ok(client) => client.read_batch(project, batch).await,
                        Err(error) => Err(error),
                    };
                    if let Ok(batch) = &answer {
                        it.picture.try_set(Some((batch.clone(), sent)));
                    }
                    it.feed(SubmissionInput::Looked(sent, answer.map(Box::new)));
                }),
                Want::WakeAt(at) => {
                    let delay = at.since(clock::wall()).max(Duration::from_millis(1));
                    let timer = Timer::after(delay, move || it.feed(SubmissionInput::Wake));
                    *inner.timer.borrow_mut() = Some(timer);
                }
                // The session shows the way; `resume` goes on after it.
                Want::SignIn => {}
                Want::Note(note) => it.note(&inner, &note),
                Want::Ended(_) => {
                    put_away(&inner, it.accepted(), move || it.accepted().is_some());
                    it.tell_if_left(&inner);
                }
            }
        }
        self.publish(inner);
    }

    /// Somebody who is on another page hears how it failed.
    fn tell_if_left(self, inner: &Inner) {
        if self.pages.get_untracked() > 0 {
            return;
        }
        let said = self.view.with_untracked(|view| {
            let view = view.as_ref()?;
            let told = view.elsewhere().is_some() || view.is_of_somebody();
            match view.trouble() {
                Some((title, _)) => Some(title),
                None if told => view.waiting(clock::wall(), false, None),
                None => None,
            }
        });
        if let Some(said) = said {
            (inner.about.tell)(format!("{}: {said}", inner.about.name));
        }
    }

    fn note(&self, inner: &Rc<Inner>, note: &SubmissionNote) {
        self.view.try_update(|view| {
            let Some(view) = view else { return };
            match note {
                SubmissionNote::Sending { .. } => view.said = None,
                SubmissionNote::Waiting { message, .. } => view.said.clone_from(message),
                SubmissionNote::Unknown { error, .. } => view.said = Some(error.to_string()),
                SubmissionNote::SignedOut
                | SubmissionNote::AsksPerson
                | SubmissionNote::Ended(_) => {}
            }
        });
        let at = clock::wall();
        let line = match note {
            // Written before it is sent, by `clear_to_send`.
            SubmissionNote::Sending { .. } => return,
            SubmissionNote::Waiting {
                why, next, message, ..
            } => Line::Held {
                at,
                wait: Some((why.clone(), *next)),
                said: message.clone(),
            },
            SubmissionNote::SignedOut => Line::Held {
                at,
                wait: None,
                said: None,
            },
            SubmissionNote::Unknown {
                error,
                settle_until,
            } => Line::InDoubt {
                at,
                said: error.to_string(),
                until: Some(*settle_until),
            },
            SubmissionNote::AsksPerson | SubmissionNote::Ended(_) => return,
        };
        let inner = inner.clone();
        spawn_local(async move {
            // Without this line a restored intent counts as in doubt.
            let _ = inner.write(&line).await;
        });
    }
}

impl Inner {
    /// Whether one is on its way.
    pub(super) fn has_open(&self) -> bool {
        let submission = self.submission.borrow();
        submission
            .as_ref()
            .is_some_and(|it| !matches!(it.stage(), Stage::Ended(_)))
    }

    /// The client, while the account that pressed is the one that is signed in.
    pub(super) fn may_call(&self) -> Result<Client, ApiError> {
        if self.about.client.stands_for(&self.about.identity) {
            return Ok(self.about.client);
        }
        let why = "somebody else is signed in, or nobody";
        Err(ApiError::new("rerun", ErrorKind::SignedOut, why))
    }

    /// Moves what is waited for when the clock was set, or the computer slept.
    fn note_time(&self, now: Now) {
        let before = self.last_now.replace(now);
        if let Some(submission) = self.submission.borrow_mut().as_mut() {
            submission.note_time(before, now);
        }
    }
}
