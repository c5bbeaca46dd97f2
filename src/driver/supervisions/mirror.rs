//! What the tabs show of each other: the acting tab tells what it records and
//! does, the others show the same.
//!
//! What is told runs ahead of the journal. A tab that takes over reads the
//! journal anew, so nothing that was only told is ever acted on.

use std::{rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use retake_core::supervise::{Record, Role, SeatInput, State, explain};

use super::{
    runner::{self, Runner},
    supervision::Snapshot,
    talk::{Acting, Doing, Message, Sign},
};
use crate::browser::timer;

/// What ended and could not be stored is written again after this.
const LAST_LINES: Duration = Duration::from_secs(30);

impl Runner {
    /// Tells the other tabs what this one does: always as a sign of life, else
    /// only what is new.
    pub(super) fn tell(&self, sign_of_life: bool) {
        let machine = self.machine.borrow();
        let Some(machine) = machine.as_ref() else {
            return;
        };
        let log = machine.supervisor.log();
        let doing = Doing::of(&machine.supervisor);
        let before = self.told.borrow_mut().replace((log.len(), doing.clone()));
        // Nobody has missed what the journal held when this life began. The last record
        // that was told may have been written over.
        let told = before.as_ref().map_or(log.len(), |(told, _)| *told);
        let from = told.saturating_sub(1);
        let is_new = before.is_none_or(|before| before != (log.len(), doing.clone()));
        if !sign_of_life && !is_new {
            return;
        }
        let seat = self.seat.borrow();
        (self.tools.say)(&Message::Acting(Box::new(Acting {
            id: self.id().to_string(),
            epoch: seat.epoch(),
            idle: seat.is_idle(),
            records: log[from..].to_vec(),
            total: log.len(),
            doing,
        })));
    }

    /// Another tab acts.
    pub(super) fn hear(self: &Rc<Self>, acting: Acting) {
        let (epoch, idle) = (acting.epoch, acting.idle);
        self.seat_says(SeatInput::Heard { epoch, idle });
        let is_newest = epoch >= self.seat.borrow().epoch();
        if self.role() != Role::Mirroring || !is_newest {
            return;
        }
        self.heard.set(true);
        let total = acting.total;
        merge(&mut self.known.borrow_mut(), acting.records, total);
        *self.doing.borrow_mut() = acting.doing;
        if self.known.borrow().len() < total {
            self.catch_up();
        }
        self.publish();
        if self.shows_the_end() {
            self.seat_says(SeatInput::Ended);
        }
    }

    /// Another tab acts, and tells what this build cannot read: what is stored is shown.
    pub(super) fn hear_sign(self: &Rc<Self>, sign: &Sign) {
        let (epoch, idle) = (sign.epoch, sign.idle);
        self.seat_says(SeatInput::Heard { epoch, idle });
        if self.role() == Role::Mirroring && epoch >= self.seat.borrow().epoch() {
            self.heard.set(true);
            self.publish();
        }
    }

    fn shows_the_end(&self) -> bool {
        let snapshot = self.shown.snapshot.try_get_untracked();
        snapshot.is_some_and(|it| it.state.phase.is_over())
    }

    /// Something was missed, while frozen or before this tab was there, or this tab has
    /// lines of its own that nobody stored.
    pub(super) fn catch_up(self: &Rc<Self>) {
        if self.catching_up.replace(true) {
            return;
        }
        let it = self.clone();
        spawn_local(async move {
            let found = runner::load(it.id()).await;
            it.catching_up.set(false);
            if let Ok(Some(found)) = found
                && it.role() == Role::Mirroring
                && (it.unsure.replace(false) || found.records.len() > it.known.borrow().len())
            {
                *it.known.borrow_mut() = found.records;
                it.publish();
            }
        });
    }

    /// Brings the signals of the pages up to date.
    pub(super) fn publish(self: &Rc<Self>) {
        let machine = self.machine.borrow();
        let shown = &self.shown;
        if let Some(machine) = machine.as_ref() {
            let supervisor = &machine.supervisor;
            self.show_lines(supervisor.log());
            let doing = Doing::of(supervisor);
            self.show(Snapshot::new(supervisor.state().clone(), doing));
            self.tell(false);
        } else {
            let known = self.known.borrow();
            self.show_lines(&known);
            if let Some(state) = State::replay(&known) {
                self.show(Snapshot::new(state, self.doing.borrow().clone()));
            }
        }
        let standing = self.standing();
        if shown.standing.try_with_untracked(|it| *it != standing) == Some(true) {
            shown.standing.try_set(standing);
        }
        let is_over = machine
            .as_ref()
            .is_some_and(|it| it.supervisor.state().phase.is_over());
        drop(machine);
        if is_over && !self.ending.replace(true) {
            self.end();
        }
    }

    /// The end is in the journal before the seat is given up: a tab that takes
    /// it must not find a supervision that goes on.
    fn end(self: &Rc<Self>) {
        let it = self.clone();
        let writer = self.machine.borrow().as_ref().map(|it| it.writer.clone());
        spawn_local(async move {
            let stored = match &writer {
                Some(writer) => writer.settled().await,
                None => Ok(()),
            };
            it.ending.set(false);
            it.seat_says(SeatInput::Ended);
            // Where it cannot be stored, the others have heard of it; but a reload has not,
            // so it is written once it can be, unless somebody forgets it before.
            let shown = Rc::downgrade(&it);
            drop(it);
            if let (Some(writer), Err(_)) = (writer, stored) {
                while shown.upgrade().is_some() && !writer.has_ended() {
                    timer::sleep(LAST_LINES).await;
                    if writer.settled().await.is_ok() {
                        return;
                    }
                }
            }
        });
    }

    fn show(&self, snapshot: Snapshot) {
        let signal = self.shown.snapshot;
        if signal.try_with_untracked(|before| *before != snapshot) == Some(true) {
            signal.try_set(snapshot);
        }
    }

    fn show_lines(&self, records: &[Record]) {
        let lines = self.shown.lines;
        let Some(shown) = lines.try_with_untracked(Vec::len) else {
            return;
        };
        let last_fits = shown > 0
            && records.get(shown - 1).is_some_and(|record| {
                lines.with_untracked(|lines| lines[shown - 1] == explain(record))
            });
        if !last_fits {
            lines.set(records.iter().map(explain).collect());
        } else if shown < records.len() {
            lines.update(|lines| lines.extend(records[shown..].iter().map(explain)));
        }
    }
}

/// Takes in what the acting tab recorded. Where the two differ, it is right:
/// it has read the journal, and this tab has perhaps heard of a line that was
/// never stored.
fn merge(known: &mut Vec<Record>, news: Vec<Record>, total: usize) {
    for record in news {
        let place = record.seq as usize;
        if known.get(place).is_some_and(|it| *it != record) {
            known.truncate(place);
        }
        if known.len() == place {
            known.push(record);
        }
    }
    known.truncate(total);
}
