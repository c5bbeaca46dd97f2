//! Keeps one batch and its tests fresh while its page is open.
//!
//! One small read while nothing moves. The tests are listed again only when the
//! batch shows that something moved, failing ones first on the first visit.

use std::{cell::Cell, cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::{ApiError, ErrorKind, PAGE_SIZE, TestQuery, endpoint, retry},
    domain::{Batch, BatchId, ConflatedStatus, ProjectId, Test, Timestamp},
    view::batches,
};

use super::{listing::each_page, look_again, tests_store::TestsStore};
use crate::{
    browser::{clock, random, timer, wake},
    client::Client,
};

/// A finished batch is read this much more rarely.
const FINISHED_FACTOR: u32 = 6;
/// A hidden page reads at most this often; supervision has its own clock.
const HIDDEN: Duration = Duration::from_mins(1);
/// The longest pause after failures.
const LONGEST: Duration = Duration::from_mins(2);
/// Listing may take this share of the time: a batch of a thousand pages that
/// moves all the time is not listed without end.
const LISTING_SHARE: u32 = 3;

/// One batch, kept fresh. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Feed {
    /// The batch, once read.
    pub batch: RwSignal<Option<Arc<Batch>>>,
    /// When the read was sent that last succeeded.
    pub read_at: RwSignal<Option<Timestamp>>,
    /// How the last read failed, if it did.
    pub failing: RwSignal<Option<ApiError>>,
    /// When it is read next.
    pub next: RwSignal<Option<Timestamp>>,
    /// Paused by the person.
    pub paused: RwSignal<bool>,
    /// How often it is read now.
    pub every: RwSignal<Duration>,
    /// The tests.
    pub tests: TestsStore,
    /// Read as often as while the batch runs, until then: an accepted rerun
    /// that nothing shows yet is looked for.
    pub watch_until: RwSignal<Option<Timestamp>>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

struct Inner {
    client: Client,
    project: ProjectId,
    batch: BatchId,
    pace: Duration,
    alive: Cell<bool>,
    kick: RefCell<Option<oneshot::Sender<()>>>,
    listing: Cell<bool>,
    /// Somebody asked for fresh tests, and no listing has begun since.
    wanted: Cell<bool>,
    /// Listed at this picture of the batch; another picture asks for another listing.
    listed_at: RefCell<Option<Picture>>,
    list_not_before: Cell<Timestamp>,
}

impl Inner {
    /// Ends a listing whose page was left: then nothing is there any more to take it in. To
    /// be asked after each `await`, before anything of the page is touched.
    fn still_open(&self) -> Result<(), ApiError> {
        if self.alive.get() {
            return Ok(());
        }
        let why = "the page was left";
        Err(ApiError::new("list the tests", ErrorKind::Aborted, why))
    }
}

/// What of a batch changes when its tests do.
type Picture = (
    Option<retake_core::domain::BatchStatus>,
    Option<retake_core::domain::RunCounter>,
    Option<retake_core::domain::StatusCounts>,
    Option<retake_core::domain::MetricsCounts>,
    Option<Timestamp>,
    Option<u64>,
);

fn picture(batch: &Batch) -> Picture {
    (
        batch.status.clone(),
        batch.run_counter,
        batch.status_counts,
        batch.metrics_counts,
        batch.updated,
        batch.total_tests,
    )
}

impl Feed {
    /// Reads a batch on that was asked for then, every `pace` while it runs, until the page
    /// goes.
    pub fn open(
        client: Client,
        project: ProjectId,
        (known, asked): (Batch, Timestamp),
        pace: Duration,
        tests: TestsStore,
    ) -> Self {
        let inner = Rc::new(Inner {
            client,
            project,
            batch: known.id,
            pace,
            alive: Cell::new(true),
            kick: RefCell::new(None),
            listing: Cell::new(false),
            wanted: Cell::new(false),
            listed_at: RefCell::new(None),
            list_not_before: Cell::new(Timestamp::default()),
        });
        let it = Self {
            batch: RwSignal::new(Some(Arc::new(known))),
            read_at: RwSignal::new(Some(asked)),
            failing: RwSignal::new(None),
            next: RwSignal::new(None),
            paused: RwSignal::new(false),
            every: RwSignal::new(pace),
            watch_until: RwSignal::new(None),
            tests,
            inner: StoredValue::new_local(inner.clone()),
        };
        on_cleanup(move || {
            it.inner.with_value(|inner| inner.alive.set(false));
            it.refresh();
        });
        look_again::when_back(it.read_at, move || {
            if !it.paused.get_untracked() {
                it.refresh();
            }
        });
        it.list_if_moved(&inner);
        spawn_local(it.run(inner));
        it
    }

    /// Reads now.
    pub fn refresh(&self) {
        if let Some(inner) = self.inner.try_get_value() {
            inner.wanted.set(true);
            // Dropping the sender ends the wait.
            inner.kick.borrow_mut().take();
        }
    }

    /// Lists the tests anew even if the batch shows no change.
    pub fn list_again(&self) {
        if let Some(inner) = self.inner.try_get_value() {
            inner.listed_at.borrow_mut().take();
            inner.list_not_before.set(Timestamp::default());
        }
        self.refresh();
    }

    /// Pauses or goes on.
    pub fn toggle_pause(&self) {
        self.paused.update(|paused| *paused = !*paused);
        if !self.paused.get_untracked() {
            self.refresh();
        }
    }

    /// Shows a picture that somebody else read, and when they asked for it: a rerun.
    pub fn show(&self, batch: Batch, asked: Timestamp) {
        let Some(inner) = self.inner.try_get_value() else {
            return;
        };
        if !inner.alive.get() || batch.id != inner.batch {
            return;
        }
        self.take_in(&inner, batch, asked);
    }

    /// Shows a picture that was asked for then, unless what is on screen is newer.
    fn take_in(&self, inner: &Rc<Inner>, batch: Batch, asked: Timestamp) {
        self.failing.set(None);
        if self.is_older(&batch, asked) {
            return;
        }
        let is_shown = self
            .batch
            .with_untracked(|known| known.as_deref() == Some(&batch));
        if !is_shown {
            self.batch.set(Some(Arc::new(batch)));
        }
        self.read_at.set(Some(asked));
        self.list_if_moved(inner);
    }

    /// Whether a picture is older than the one on screen: of an earlier run, from a replica
    /// that lags behind, or asked for before it.
    fn is_older(&self, batch: &Batch, asked: Timestamp) -> bool {
        let shown = self.read_at.get_untracked();
        // One from the future was asked for before somebody set the clock back.
        if shown.is_some_and(|at| asked < at && at <= clock::wall()) {
            return true;
        }
        self.batch.with_untracked(|known| {
            let known = known.as_ref().and_then(|it| it.run_counter);
            known > batch.run_counter && batch.run_counter.is_some()
        })
    }

    async fn run(self, inner: Rc<Inner>) {
        let mut failures = 0_u32;
        loop {
            let wait = self.pause_length(&inner, failures);
            self.every.set(wait);
            self.next.set(Some(clock::wall().after(wait)));
            let (kick, kicked) = oneshot::channel::<()>();
            *inner.kick.borrow_mut() = Some(kick);
            let asked = matches!(
                select(kicked, Box::pin(timer::sleep(wait))).await,
                Either::Left(_)
            );
            if !inner.alive.get() {
                return;
            }
            if self.paused.get_untracked() && !asked {
                continue;
            }
            // A picture is as old as the question: what an answer waits for ages it.
            let sent = clock::wall();
            let answer = inner.client.read_batch(inner.project, inner.batch).await;
            if !inner.alive.get() {
                return;
            }
            match answer {
                Ok(batch) => {
                    failures = 0;
                    self.take_in(&inner, batch, sent);
                }
                Err(error) => {
                    failures += 1;
                    self.failing.set(Some(error));
                }
            }
        }
    }

    fn pause_length(&self, inner: &Inner, failures: u32) -> Duration {
        if failures > 0 {
            let jitter = retry::jitter(failures, random::u64());
            let pause = (inner.pace / 2 + jitter).clamp(Duration::from_secs(1), LONGEST);
            let asked = self
                .failing
                .with_untracked(|it| it.as_ref().and_then(|error| error.retry_after));
            return pause.max(asked.unwrap_or_default());
        }
        let finished = self.is_finished();
        let is_watched = self
            .watch_until
            .with_untracked(|until| until.is_some_and(|until| clock::wall() < until));
        // What is listed is brought up to date first.
        let is_settled = finished && !self.tests.is_behind.get_untracked();
        let pace = if is_settled && !is_watched {
            inner.pace * FINISHED_FACTOR
        } else {
            inner.pace
        };
        if wake::is_hidden() {
            pace.max(HIDDEN)
        } else {
            pace
        }
    }

    fn list_if_moved(self, inner: &Rc<Inner>) {
        let Some(now) = self.batch.with_untracked(|it| it.as_deref().map(picture)) else {
            return;
        };
        let unmoved = inner.listed_at.borrow().as_ref() == Some(&now);
        // Before the first listing there is nothing older; how far it is, is said.
        self.note_behind(!unmoved && self.tests.complete.get_untracked());
        if unmoved || inner.listing.get() {
            return;
        }
        let too_soon = clock::wall() < inner.list_not_before.get();
        // The last listing of a run is due at once: nothing moves after it.
        if too_soon && !inner.wanted.get() && !self.is_finished() {
            return;
        }
        inner.wanted.set(false);
        inner.listing.set(true);
        let inner = inner.clone();
        spawn_local(async move {
            let began = clock::wall();
            let listed = self.list(&inner).await;
            inner.listing.set(false);
            if !inner.alive.get() {
                return;
            }
            let took = clock::wall().since(began);
            inner
                .list_not_before
                .set(clock::wall().after(took * LISTING_SHARE));
            let mut is_due = inner.wanted.get();
            match listed {
                Ok(()) => {
                    let shown = self.batch.with_untracked(|it| it.as_deref().map(picture));
                    let is_behind = shown.as_ref() != Some(&now);
                    self.note_behind(is_behind);
                    is_due |= is_behind && self.is_finished();
                    *inner.listed_at.borrow_mut() = Some(now);
                }
                Err(error) if error.kind == ErrorKind::Aborted => {}
                Err(error) => self.tests.loading.update(|it| it.failed = Some(error)),
            }
            if is_due {
                // Asked for, or the run has ended, while this listing was on its way.
                self.list_if_moved(&inner);
            }
        });
    }

    fn is_finished(self) -> bool {
        self.batch
            .with_untracked(|it| it.as_ref().is_some_and(|it| it.is_terminal()))
    }

    fn note_behind(self, is_behind: bool) {
        if self.tests.is_behind.get_untracked() != is_behind {
            self.tests.is_behind.set(is_behind);
        }
    }

    async fn list(self, inner: &Inner) -> Result<(), ApiError> {
        let first = !self.tests.loading.with_untracked(|it| it.complete);
        let failing = self
            .batch
            .with_untracked(|it| it.as_ref().map_or(0, |it| batches::failing(it)));
        let total = self
            .batch
            .with_untracked(|it| it.as_ref().and_then(|it| it.total_tests));
        if first && failing > 0 && total.is_none_or(|total| total > u64::from(PAGE_SIZE)) {
            self.list_failing(inner).await?;
        }
        self.tests.begin_listing();
        let query = TestQuery::default();
        self.list_pages(inner, &query, |_| true).await?;
        self.tests.end_listing();
        Ok(())
    }

    /// Lists the failing tests, to show them first. An API that fails to answer this may well
    /// list all tests.
    async fn list_failing(self, inner: &Inner) -> Result<(), ApiError> {
        let query = TestQuery {
            statuses: ConflatedStatus::failing().cloned().collect(),
            tags: Vec::new(),
        };
        let is_failing = |test: &Test| {
            let state = test.conflated.as_ref();
            state.is_some_and(ConflatedStatus::is_failing)
        };
        match self.list_pages(inner, &query, is_failing).await {
            Err(error) if is_about_the_question(&error.kind) => Ok(()),
            listed => listed,
        }
    }

    /// Takes in the tests of this listing, up to the page on which one is not as it was
    /// `asked` for: then the API does not heed the question, and would list all of them twice.
    async fn list_pages(
        self,
        inner: &Inner,
        query: &TestQuery,
        asked: fn(&Test) -> bool,
    ) -> Result<(), ApiError> {
        let read = async |token: Option<&str>| {
            let call = endpoint::list_tests(inner.project, inner.batch, query, token);
            let page = inner.client.read(&call).await?;
            inner.still_open()?;
            if self.tests.loading.with_untracked(|it| it.listed == 0) {
                // The first rows are made in a task of their own, after the answer was read.
                timer::sleep(Duration::ZERO).await;
                inner.still_open()?;
            }
            Ok(page)
        };
        each_page("list the tests", read, |page: Vec<Test>| {
            let heeded = page.iter().all(asked);
            self.tests.merge(page);
            heeded
        })
        .await?;
        Ok(())
    }
}

/// Whether the answer may be another to another question: what is wrong with the connection
/// or the sign-in is wrong with every read, and is said.
fn is_about_the_question(why: &ErrorKind) -> bool {
    matches!(
        why,
        ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::Unreadable | ErrorKind::Server
    )
}
