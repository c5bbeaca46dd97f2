//! What a machine's outputs do outside: requests, journal, messages to people.
//!
//! The one that must not be lost or doubled is the rerun. Before it leaves,
//! everything that was written is on disk, no other POST of this browser for the
//! batch may still land, the journal is asked once more who acts, and the seat
//! agrees that this is recent enough (`Seat::may_send`).

use std::rc::Rc;

use leptos::task::spawn_local;
use retake_core::{
    api::{ApiError, RerunAnswer, endpoint},
    domain::BatchId,
    rerun::Intent,
    supervise::{Input, Now, Output, Record, SeatInput},
};

use super::runner::Runner;
use crate::{
    browser::clock,
    driver::{landing, listing},
};

/// How often the journal is asked who acts before a rerun is not sent at all.
const TRIES: u32 = 3;

impl Runner {
    pub(super) fn perform(self: &Rc<Self>, output: Output) {
        let (writer, life) = match self.machine.borrow().as_ref() {
            Some(machine) => (machine.writer.clone(), machine.as_writer.life),
            None => return,
        };
        let it = self.clone();
        let (client, project) = (self.tools.client, self.shown.about.project);
        match output {
            Output::ResolveBatch(call, name) => spawn_local(async move {
                let found = listing::find_batch(&client, project, &name).await;
                let found = found.map(|batch| (batch.id, batch.name));
                it.answer(life, Input::Resolved(call, found));
            }),
            Output::ReadBatch(call, batch) => spawn_local(async move {
                client.take_turn().await;
                if !it.lives_as(life) {
                    return;
                }
                let read = client.read_batch(project, batch).await;
                it.answer(life, Input::BatchRead(call, read.map(Box::new)));
            }),
            Output::ReadTests(call, batch) => spawn_local(async move {
                let listed = listing::all_tests(&client, project, batch).await;
                it.answer(life, Input::TestsRead(call, listed));
            }),
            Output::ReadNotPassed(call, batch, counted) => spawn_local(async move {
                let listed = listing::not_passed(&client, project, batch, counted).await;
                it.answer(life, Input::NotPassedRead(call, listed));
            }),
            Output::Store(record) => writer.write(record.seq + 1, to_line(&record)),
            Output::StoreAnew(record) => writer.rewrite(record.seq + 1, to_line(&record)),
            Output::StoreIntent(call, record) => spawn_local(async move {
                let stored = writer.write_durably(record.seq + 1, to_line(&record)).await;
                it.answer(life, Input::Stored(call, stored));
            }),
            Output::SendRerun(call, intent, wanted) => spawn_local(async move {
                let input = match it.clear_to_send(life, intent.batch, wanted).await {
                    Ok(()) => Input::RerunAnswered(call, it.send_rerun(&intent).await),
                    Err(why) => Input::NotSent(call, why),
                };
                it.answer(life, input);
            }),
            Output::WakeAt(at) => self.wake_machine_at(at),
            // The client has already told the session, which shows the way to sign in.
            Output::NeedSignIn => {}
            Output::Announce(verdict) => (self.tools.announce)(&self.shown, &verdict),
        }
    }

    async fn send_rerun(&self, intent: &Intent) -> Result<RerunAnswer, ApiError> {
        let project = self.shown.about.project;
        let request = endpoint::rerun_batch(project, intent.batch, &intent.request);
        self.tools.client.post_once(&request).await
    }

    /// Whether a rerun may leave now that the machine `wanted` to send then; between the `Ok`
    /// and the sending nothing is waited for but the token, which is at hand.
    async fn clear_to_send(
        self: &Rc<Self>,
        life: u64,
        batch: BatchId,
        wanted: Now,
    ) -> Result<(), String> {
        self.tools.client.ready_to_post().await;
        let (writer, settle) = match self.machine.borrow().as_ref() {
            Some(machine) => {
                let settle = machine.supervisor.state().limits.settle;
                (machine.writer.clone(), settle)
            }
            None => return Err("another tab acts on this batch now".into()),
        };
        writer.settled().await?;
        let other = landing::of_batch(batch, settle, self.id()).await;
        if let Some(other) = other.map_err(|error| error.to_string())? {
            return Err(other.words());
        }
        let held_back = |it: &Self| {
            let machine = it.machine.borrow();
            machine
                .as_ref()
                .is_some_and(|it| it.supervisor.holds_back())
        };
        if held_back(self) {
            return Err("it was stopped or paused first".into());
        }
        for _ in 0..TRIES {
            let asked = clock::now();
            let stored = self.stored_writer().await?;
            if !self.lives_as(life) {
                break;
            }
            if stored.as_ref().is_none_or(|stored| stored.life != life) {
                let epoch = stored.map_or(0, |stored| stored.epoch);
                self.seat_says(SeatInput::Superseded { epoch });
                break;
            }
            if self.seat.borrow().may_send(wanted, asked, clock::now()) {
                return Ok(());
            }
        }
        Err(if self.lives_as(life) {
            "this page slept between deciding and sending".into()
        } else {
            "another tab acts on this batch now".into()
        })
    }
}

fn to_line(record: &Record) -> String {
    serde_json::to_string(record).expect("plain data serialises")
}
