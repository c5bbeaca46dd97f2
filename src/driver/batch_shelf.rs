//! The batches of one project, kept fresh while their list is open: the first
//! page again and again, older ones on demand.
//!
//! A failed read is shown at once, with the time of the next try; the pauses
//! grow. Everything stops with the page that opened the list.

use std::time::Duration;

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use leptos::prelude::*;
use retake_core::{
    api::{ApiError, ErrorKind, Page, Paging, endpoint, retry},
    domain::{Batch, BatchId, ProjectId, Timestamp},
    view::batch_list::{meets, put_over, still_running},
};

use super::{look_again, task::while_open};
use crate::{
    browser::{clock, random, timer, wake},
    client::Client,
};

/// How often the list is read while a batch of it runs.
const RUNNING: Duration = Duration::from_secs(15);
/// How often it is read while nothing runs.
const QUIET: Duration = Duration::from_mins(1);
/// Of the batches that only older pages had, so many are read beside the newest page.
const OLDER_AT_ONCE: usize = 3;
/// The first pause after a failure, before the jitter that grows.
const PAUSE: Duration = Duration::from_secs(2);

/// What is loaded of the list, with the way to more. Cheap to copy.
#[derive(Clone, Copy)]
pub struct BatchShelf {
    /// The project.
    pub project: ProjectId,
    /// What is loaded, newest first.
    pub batches: RwSignal<Vec<Batch>>,
    /// The token of the next older page.
    next: RwSignal<Option<String>>,
    /// Why older batches cannot be read, if the server's pages go in circles.
    pub broken: RwSignal<Option<ApiError>>,
    /// How the last read failed, if it did.
    pub failing: RwSignal<Option<ApiError>>,
    /// When it is read next.
    pub due: RwSignal<Option<Timestamp>>,
    /// When the read was sent that last succeeded.
    pub read_at: RwSignal<Option<Timestamp>>,
    /// How often it is read now.
    pub every: RwSignal<Duration>,
    /// Older batches are being read.
    pub busy: RwSignal<bool>,
    paging: StoredValue<Paging>,
    /// How many looks at older batches there were: each has its turn.
    looked: StoredValue<usize>,
    /// Such a look is under way.
    looking: StoredValue<bool>,
    /// Which list this is: it rises when the list begins anew.
    list: StoredValue<u32>,
    kick: StoredValue<Option<oneshot::Sender<()>>, LocalStorage>,
    client: Client,
    owner: StoredValue<Owner>,
}

impl BatchShelf {
    /// Reads the list until the page goes; `quickest` is the pace that
    /// the environment allows; a sandbox, which allows a quick one, is read more often.
    pub fn open(client: Client, project: ProjectId, quickest: Duration) -> Self {
        let it = Self {
            project,
            batches: RwSignal::new(Vec::new()),
            next: RwSignal::new(None),
            broken: RwSignal::new(None),
            failing: RwSignal::new(None),
            due: RwSignal::new(None),
            read_at: RwSignal::new(None),
            every: RwSignal::new(RUNNING),
            busy: RwSignal::new(false),
            paging: StoredValue::new(Paging::default()),
            looked: StoredValue::new(0),
            looking: StoredValue::new(false),
            list: StoredValue::new(0),
            kick: StoredValue::new_local(None),
            client,
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        };
        look_again::when_back(it.read_at, move || it.refresh());
        while_open(async move { it.run(quickest).await });
        it
    }

    /// Whether anything was read yet.
    pub fn is_read(&self) -> bool {
        self.read_at.with(Option::is_some)
    }

    /// Whether there are older batches to read.
    pub fn has_more(&self) -> bool {
        self.next.with(Option::is_some)
    }

    /// Reads the newest page now.
    pub fn refresh(&self) {
        // Dropping the sender ends the wait.
        self.kick.update_value(|kick| drop(kick.take()));
    }

    async fn run(self, quickest: Duration) {
        let mut failures = 0_u32;
        loop {
            if !wake::is_hidden() || self.read_at.with_untracked(Option::is_none) {
                match self.read_first().await {
                    Ok(()) => failures = 0,
                    Err(error) => {
                        failures += 1;
                        self.failing.set(Some(error));
                    }
                }
            }
            let pause = self.pause(quickest, failures);
            self.every.set(pause);
            self.due.set(Some(clock::wall().after(pause)));
            let (kick, kicked) = oneshot::channel::<()>();
            self.kick.set_value(Some(kick));
            match select(kicked, Box::pin(timer::sleep(pause))).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    fn pause(self, quickest: Duration, failures: u32) -> Duration {
        if failures > 0 {
            let asked = self
                .failing
                .with_untracked(|it| it.as_ref().and_then(|error| error.retry_after));
            let grown = PAUSE + retry::jitter(failures, random::u64());
            return grown.max(asked.unwrap_or_default());
        }
        let is_running = self
            .batches
            .with_untracked(|all| all.iter().any(|it| !it.is_terminal()));
        if is_running {
            RUNNING.min(quickest * 3).max(quickest)
        } else {
            QUIET.min(quickest * 12).max(quickest)
        }
    }

    /// Reads the newest page and puts it over what is loaded. Where so many batches are
    /// new that it does not reach what is loaded, what lies between is not known: then the
    /// list begins anew with it, and older ones are loaded on demand, as at first.
    async fn read_first(self) -> Result<(), ApiError> {
        let call = endpoint::list_batches(self.project, "", None);
        let asked = clock::wall();
        let page = self.client.send(&call).await?;
        let is_first = self.read_at.with_untracked(Option::is_none);
        let begins_anew = self.batches.with_untracked(|known| {
            page.next.is_some() && !page.items.is_empty() && !meets(known, &page.items)
        });
        if is_first || begins_anew {
            self.list.update_value(|list| *list += 1);
            self.paging.set_value(Paging::default());
            self.broken.set(None);
            self.turn(&page);
            self.batches.set(Vec::new());
        }
        let unread = self
            .batches
            .with_untracked(|known| still_running(known, &page.items));
        self.batches.update(|known| put_over(known, page.items));
        self.failing.set(None);
        self.read_at.set(Some(asked));
        self.look_at_older(unread);
        Ok(())
    }

    /// Reads batches that were unfinished when an older page showed them, some at a time:
    /// no newest page will ever tell how they ended.
    fn look_at_older(self, unread: Vec<BatchId>) {
        let count = unread.len();
        if count == 0 || self.looking.get_value() {
            return;
        }
        let turn = self.looked.get_value();
        self.looked.set_value(turn.wrapping_add(OLDER_AT_ONCE));
        self.looking.set_value(true);
        let those = unread.into_iter().cycle().skip(turn % count);
        let look = async move {
            for id in those.take(OLDER_AT_ONCE.min(count)) {
                let call = endpoint::get_batch(self.project, id);
                match self.client.send(&call).await {
                    Ok(batch) => self.batches.update(|known| put_over(known, vec![batch])),
                    Err(error) if error.kind == ErrorKind::NotFound => {
                        self.batches.update(|known| known.retain(|it| it.id != id));
                    }
                    // It stays as it was; its turn comes again.
                    Err(_) => {}
                }
            }
            self.looking.set_value(false);
        };
        // Beside the list's own reads, which do not wait for it.
        self.owner.get_value().with(|| while_open(look));
    }

    /// Reads the next older page.
    pub fn read_older(self) {
        let Some(token) = self.next.get_untracked() else {
            return;
        };
        self.busy.set(true);
        // The list's, not the button's: a click has no owner.
        let owner = self.owner.get_value();
        let list = self.list.get_value();
        let read = async move {
            let call = endpoint::list_batches(self.project, "", Some(&token));
            let answer = self.client.read(&call).await;
            self.busy.set(false);
            match answer {
                // Older than the list that was begun meanwhile.
                Ok(_) if self.list.get_value() != list => {}
                Ok(page) => {
                    self.turn(&page);
                    self.batches.update(|known| put_over(known, page.items));
                }
                Err(error) => self.failing.set(Some(error)),
            }
        };
        owner.with(|| while_open(read));
    }

    /// Where the next page is; a server that goes in circles is believed no more.
    fn turn(self, page: &Page<Batch>) {
        let mut turned = Ok(None);
        self.paging
            .update_value(|paging| turned = paging.turn("read older batches", page));
        match turned {
            Ok(next) => self.next.set(next),
            Err(error) => {
                self.next.set(None);
                self.broken.set(Some(error));
            }
        }
    }
}
