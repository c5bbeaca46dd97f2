//! The journal's writer of a tab, and the way of a rerun from its decision to
//! its departure: all earlier records durable, the epoch read once more, and
//! no sleep in between.

use retake_core::supervise::{CallId, Input, SeatInput};

use super::{Happening, PageRef, World};
use crate::{browser::Written, dice::within, fault::Fault};

impl World {
    /// Starts the next transaction, if there is a line to write.
    pub(crate) fn write_on(&mut self, tab: usize) {
        let it = &mut self.tabs[tab];
        if !it.writing && !it.backlog.is_empty() {
            it.writing = true;
            let page = self.page(tab);
            self.after(3, Happening::Writes(page));
        }
    }

    /// The transaction of the first line runs.
    pub(crate) fn writes(&mut self, page: PageRef) {
        if !self.lives(page) {
            return;
        }
        let tab = page.tab;
        let device = self.tabs[tab].device;
        if let Some(bits) = self.strikes(Fault::TornWrite, tab, 1) {
            self.dies(tab, bits);
            return self.opens_later(tab, bits);
        }
        if let Some(bits) = self.strikes(Fault::StoreSilent, tab, 1) {
            self.coverage.reach.silent += 1;
            self.memory[device].silent = true;
            self.tell(tab, || "the storage does not answer".into());
            if bits.is_multiple_of(4) {
                // Never: until the person, who sees the notice, reloads the page.
                return self.reloads_later(tab, bits);
            }
            let wait = within(bits, 1_000, 1_800_000);
            return self.after(wait, Happening::Writes(page));
        }
        if self.is_store_refused(tab) {
            return self.not_written(tab);
        }
        self.tabs[tab].writing = false;
        let Some(line) = self.tabs[tab].backlog.pop_front() else {
            return;
        };
        let gap = line.record.seq as usize > self.devices[device].store.lines.len();
        let now = self.now;
        let store = &mut self.devices[device].store;
        if gap && line.epoch >= store.epoch {
            return self.broken("the journal has no gap");
        }
        let machine = self.tabs[tab].machine.as_ref().map_or(0, |it| it.number);
        match store.write(line.record, line.epoch, now) {
            Written::Stored => {
                if let Some(call) = line.call {
                    let happening = Happening::Durable {
                        page,
                        machine: line.machine,
                        call,
                        stored: true,
                    };
                    self.after(1, happening);
                }
                if let Some(bits) = self.strikes(Fault::CrashAfterWrite, tab, 1) {
                    self.dies(tab, bits);
                    return self.opens_later(tab, bits);
                }
                if self.devices[device].store.is_over() {
                    for other in 0..self.tabs.len() {
                        if self.tabs[other].device == device {
                            self.sit(other, SeatInput::Ended);
                        }
                    }
                    return;
                }
                self.write_on(tab);
                self.try_to_leave(tab);
            }
            Written::Superseded if line.machine == machine => {
                let epoch = store.epoch;
                self.tell(tab, || format!("the journal refuses: epoch {epoch} holds"));
                self.tabs[tab].backlog.clear();
                self.coverage.reach.superseded += 1;
                self.sit(tab, SeatInput::Superseded { epoch });
            }
            // The last write of a machine that was dropped.
            Written::Superseded => self.write_on(tab),
        }
    }

    fn is_store_refused(&mut self, tab: usize) -> bool {
        let device = self.tabs[tab].device;
        if self.now < self.devices[device].store.denied_until {
            return true;
        }
        let lost = self.tabs[tab].backlog.front().is_some_and(|line| {
            self.devices[device].store.evicted_at.is_some() && line.record.seq > 0
        });
        if lost {
            return true;
        }
        if let Some(bits) = self.strikes(Fault::StoreDenied, tab, 1) {
            self.devices[device].store.denied_until = self.now + within(bits, 1_000, 600_000);
            return true;
        }
        self.strikes(Fault::StoreQuota, tab, 1).is_some()
            || self.strikes(Fault::StoreLost, tab, 1).is_some()
    }

    /// The lines stay in the backlog, and whoever waits hears that they are
    /// not durable: nothing may be sent on the strength of a later success.
    fn not_written(&mut self, tab: usize) {
        self.tabs[tab].writing = false;
        self.coverage.reach.refused_writes += 1;
        self.tell(tab, || "the browser refuses to store".into());
        let page = self.page(tab);
        let waiting: Vec<_> = self.tabs[tab]
            .backlog
            .iter_mut()
            .filter_map(|line| Some((line.machine, line.call.take()?)))
            .collect();
        if !waiting.is_empty()
            && self.devices[self.tabs[tab].device]
                .store
                .evicted_at
                .is_some()
        {
            let bits = self.now.unsigned_abs();
            self.reloads_later(tab, bits);
        }
        for (machine, call) in waiting {
            let happening = Happening::Durable {
                page,
                machine,
                call,
                stored: false,
            };
            self.after(1, happening);
        }
        self.cannot_leave(tab);
    }

    pub(crate) fn durable(&mut self, page: PageRef, machine: u32, call: CallId, stored: bool) {
        if self.is_machine(page, machine) {
            if let Some(machine) = &mut self.tabs[page.tab].machine {
                machine.durable = stored;
            }
            let stored = if stored {
                Ok(())
            } else {
                Err("QuotaExceededError".to_owned())
            };
            self.feed(page.tab, Input::Stored(call, stored));
        }
    }

    /// Asks for the epoch once everything is durable.
    pub(crate) fn try_to_leave(&mut self, tab: usize) {
        let now = self.clock(tab);
        let it = &mut self.tabs[tab];
        let ready = it.backlog.is_empty();
        let Some(leaving) = &mut it.leaving else {
            return;
        };
        if ready && leaving.asked.is_none() {
            leaving.asked = Some(now);
            let page = self.page(tab);
            self.after(
                4,
                Happening::EpochRead {
                    page,
                    leaving: true,
                },
            );
        }
    }

    /// The machine is told, and decides anew.
    fn cannot_leave(&mut self, tab: usize) {
        if let Some(leaving) = self.tabs[tab].leaving.take() {
            let why = "the journal could not be asked, so it was not sent";
            self.feed(tab, Input::NotSent(leaving.call, why.into()));
        }
    }

    pub(crate) fn epoch_read(&mut self, page: PageRef, leaving: bool) {
        if !self.lives(page) {
            return;
        }
        let device = &self.devices[self.tabs[page.tab].device];
        let denied = self.now < device.store.denied_until;
        let epoch = device.store.epoch;
        if !leaving {
            let input = if denied {
                SeatInput::EpochUnknown
            } else {
                SeatInput::EpochIs { epoch }
            };
            return self.sit(page.tab, input);
        }
        if self.tabs[page.tab].leaving.is_none() {
            return;
        }
        if denied {
            self.cannot_leave(page.tab);
        } else if device.store.evicted_at.is_some() {
            // Nobody is noted as the writer: whoever acts reads the journal again.
            self.sit(page.tab, SeatInput::Superseded { epoch });
        } else if epoch > self.tabs[page.tab].epoch {
            self.sit(page.tab, SeatInput::Superseded { epoch });
        } else {
            self.after(6, Happening::Leaves(page));
        }
    }

    pub(crate) fn leaves(&mut self, page: PageRef) {
        if !self.lives(page) {
            return;
        }
        let now = self.clock(page.tab);
        let it = &mut self.tabs[page.tab];
        let (Some(leaving), Some(seat)) = (&it.leaving, &it.seat) else {
            return;
        };
        let may = leaving
            .asked
            .is_some_and(|asked| seat.may_send(leaving.decided, asked, now));
        if !may {
            self.coverage.reach.held_back += 1;
            return self.cannot_leave(page.tab);
        }
        if let Some(leaving) = it.leaving.take() {
            self.send(page.tab, leaving.call, *leaving.intent);
        }
    }

    pub(crate) fn loaded(&mut self, page: PageRef) {
        if !self.lives(page) {
            return;
        }
        let device = &self.devices[self.tabs[page.tab].device];
        if self.now < device.store.denied_until {
            return self.sit(page.tab, SeatInput::JournalUnreadable { for_good: false });
        }
        if device.store.evicted_at.is_some() {
            let device = self.tabs[page.tab].device;
            return self.lost(device);
        }
        let over = device.store.is_over();
        let epoch = device.store.epoch;
        self.tabs[page.tab].loaded = Some(device.store.lines.clone());
        self.sit(page.tab, SeatInput::JournalLoaded { epoch, over });
    }
}
