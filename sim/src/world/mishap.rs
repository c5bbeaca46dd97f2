//! What happens by itself: to tabs, to the computer, to the batch, and through
//! people.

use retake_core::supervise::{Input, PauseReason, SeatInput};

use super::{Happening, World};
use crate::{
    dice::{mix, within},
    fault::Fault,
    server::By,
};

/// Most tabs and devices in one run.
const MOST_TABS: usize = 4;

impl World {
    /// The page dies a moment from now.
    pub(crate) fn crash_soon(&mut self, tab: usize, fault: Fault, bits: u64) {
        self.after(1, Happening::Mishap(tab, fault, bits));
    }

    pub(crate) fn opens_later(&mut self, tab: usize, bits: u64) {
        let most = if (bits >> 40).is_multiple_of(4) {
            400_000
        } else {
            5_000
        };
        self.after(within(mix(bits), 100, most), Happening::Opens(tab));
    }

    pub(crate) fn mishap(&mut self, tab: usize, fault: Fault, bits: u64) {
        let device = self.tabs[tab].device;
        let is_fault = self.mishaps.contains(&fault);
        if is_fault {
            self.struck(fault, tab);
        }
        // Who comes at a moment of their own does so whether the page is there or not.
        let comes = !is_fault && fault == Fault::OthersRerunSame;
        if !self.tabs[tab].open && !comes {
            return;
        }
        let now = self.now;
        let minutes = |low: i64, high: i64| within(mix(bits), low * 60_000, high * 60_000);
        match fault {
            Fault::Reload | Fault::StoreSilent => {
                self.dies(tab, bits);
                self.after(within(mix(bits), 300, 3_000), Happening::Opens(tab));
            }
            Fault::Closed => {
                self.dies(tab, bits);
                self.after(within(mix(bits), 1_000, 1_200_000), Happening::Opens(tab));
            }
            Fault::Discard => {
                // No event says so, and nobody reloads it: it waits in its strip.
                self.dies(tab, bits);
                self.after(minutes(1, 120), Happening::Opens(tab));
            }
            Fault::Evicted => self.devices[device].store.evict(now),
            Fault::CrashBeforeWrite | Fault::CrashAfterSend | Fault::CrashAfterAnswer => {
                self.dies(tab, bits);
                self.opens_later(tab, bits);
            }
            Fault::Freeze => {
                let until = now + within(mix(bits), 10_000, 900_000);
                let until = until.max(self.tabs[tab].frozen_until);
                self.tabs[tab].frozen_until = until;
                self.memory[device].jolts += 1;
                let page = self.page(tab);
                self.at(until + 1, Happening::Stirs(page, false));
            }
            Fault::Sleep => {
                let longest = if (bits >> 40).is_multiple_of(4) {
                    480
                } else {
                    20
                };
                let it = &mut self.devices[device];
                if it.asleep_until > now {
                    return;
                }
                it.asleep_until = now + minutes(1, longest);
                it.slept += it.asleep_until - now;
                self.end_by += it.asleep_until - now;
                let until = it.asleep_until;
                self.memory[device].sleeps += 1;
                self.memory[device].jolts += 1;
                self.stir_all(device, until + 1, bits & 4 == 0);
            }
            Fault::ClockForward | Fault::ClockBack => {
                let by = [10_000, 25_000, 3_600_000, 86_400_000];
                let by = by[usize::try_from(bits >> 40 & 3).expect("small")];
                let by = if fault == Fault::ClockBack { -by } else { by };
                self.devices[device].skew += by;
                self.memory[device].jolts += 1;
                if by.abs() < 30_000 {
                    self.memory[device].unnoticed_ms += by.abs();
                } else {
                    self.memory[device].jumps += 1;
                }
            }
            Fault::TimersStretched => {
                self.tabs[tab].hidden_until = now + minutes(2, 30);
                self.memory[device].jolts += 1;
            }
            Fault::Offline => {
                let until = now + within(mix(bits), 5_000, 900_000);
                self.devices[device].offline_until = until;
                self.stir_all(device, until, true);
            }
            Fault::Outage => self.outage_until = now + minutes(1, 60),
            Fault::RerunsDown => self.reruns_down_until = now + minutes(1, 60),
            Fault::TokenExpired => self.tabs[tab].signed_in = false,
            Fault::SecondTab if self.tabs.len() < MOST_TABS => {
                self.open_another(device);
            }
            Fault::LockStolen => self.take_over(tab, device),
            Fault::OthersRerunSame | Fault::OthersRerunOther => {
                self.others_rerun(fault == Fault::OthersRerunSame, tab, bits);
            }
            Fault::OthersCancel => {
                let done = self.server.cancel(now);
                self.tell(usize::MAX, || format!("somebody cancels the batch: {done}"));
            }
            Fault::OtherDevice if self.devices.len() == 1 && self.tabs.len() < MOST_TABS => {
                self.add_device();
                self.start_device(1);
            }
            Fault::PersonPauses => {
                if let Some(machine) = &self.tabs[tab].machine {
                    let number = machine.number;
                    let page = self.page(tab);
                    self.feed(tab, Input::Pause(PauseReason::ByPerson));
                    let back = within(mix(bits), 1_000, 600_000);
                    self.after(back, Happening::Resumes(page, number));
                }
            }
            Fault::PersonStops => self.feed(tab, Input::Stop),
            _ => {}
        }
    }

    /// The journal is gone, and with it what no page remembers: a person may
    /// start anew, which is another supervision.
    pub(crate) fn lost(&mut self, device: usize) {
        self.devices[device].over = true;
        self.coverage.reach.evicted += 1;
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].device == device {
                self.dies(tab, 1);
            }
        }
    }

    /// The person reads that nothing can be stored, and reloads the page.
    pub(crate) fn reloads_later(&mut self, tab: usize, bits: u64) {
        let wait = within(mix(bits), 1_800_000, 5_400_000);
        self.after(wait, Happening::Mishap(tab, Fault::StoreSilent, bits | 1));
    }

    fn stir_all(&mut self, device: usize, at: i64, online: bool) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].device == device && self.tabs[tab].open {
                let page = self.page(tab);
                self.at(at, Happening::Stirs(page, online));
            }
        }
    }

    /// A person lets another tab act.
    fn take_over(&mut self, tab: usize, device: usize) {
        let other = (0..self.tabs.len())
            .find(|it| *it != tab && self.tabs[*it].open && self.tabs[*it].device == device);
        match other {
            Some(other) => {
                self.tell(other, || "the person lets this tab act".into());
                self.sit(other, SeatInput::TakeOver);
            }
            None if self.tabs.len() < MOST_TABS => {
                let other = self.open_another(device);
                self.sit(other, SeatInput::TakeOver);
            }
            None => {}
        }
    }

    fn others_rerun(&mut self, same: bool, tab: usize, bits: u64) {
        let view = self.server.view(self.now);
        let all = self.server.all();
        let failing = self.server.failing(view);
        let tests = if same && failing != 0 {
            failing
        } else {
            all & !failing & u16::try_from(bits & 0xFFFF).expect("masked")
        };
        let tests = if tests == 0 { all } else { tests };
        let id = self.server.id_of(view.run);
        if self.server.rerun(id, tests, self.now, By::Others) {
            self.trace(u64::from(tests));
            self.tell(usize::MAX, || format!("somebody reruns {tests:#b}"));
        } else if bits >> 60 != 0 {
            // They try again, as people do.
            let fault = if same {
                Fault::OthersRerunSame
            } else {
                Fault::OthersRerunOther
            };
            let later = within(mix(bits), 5_000, 60_000);
            if self.now < self.calm_at {
                self.after(later, Happening::Mishap(tab, fault, mix(bits)));
            }
        }
    }
}
