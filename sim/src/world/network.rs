//! What the network does to a request: sent, dropped or delayed on the way, and what the
//! page hears of it. How it is answered stands in `answers` and `posts`.

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::BatchId,
    supervise::CallId,
};

use super::{Happening, World};
use crate::{
    dice::{mix, within},
    fault::{Class, Fault},
};

/// The client gives up after this.
pub(crate) const ABORT: i64 = 35_000;
/// A request may still be applied this long after it left.
pub(crate) const LATEST: i64 = 60_000;

/// What a read asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Resolve,
    Batch(BatchId),
    Page,
}

/// How a call ends for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// As the server meant it. For a POST: the index of the run.
    Fine(usize),
    /// An answer with a new word in it, or without optional fields.
    Masked { unknown: bool, bits: u64 },
    /// A failure; seconds of `Retry-After`, or 0.
    Fails(Failing, u16),
}

/// The kinds of failure, as the client tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    Unreachable,
    TimedOut,
    SignedOut,
    Forbidden,
    NotFound,
    Busy,
    Throttled,
    Server,
    Unreadable,
}

impl Failing {
    pub(crate) fn error(self, what: &str, retry_after: u16) -> ApiError {
        let kind = match self {
            Self::Unreachable => ErrorKind::Unreachable,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::SignedOut => ErrorKind::SignedOut,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            Self::Busy => ErrorKind::Busy,
            Self::Throttled => ErrorKind::Throttled,
            Self::Server => ErrorKind::Server,
            Self::Unreadable => ErrorKind::Unreadable,
        };
        ApiError {
            what: what.into(),
            kind,
            status: None,
            message: None,
            retry_after: (retry_after > 0).then(|| Duration::from_secs(u64::from(retry_after))),
        }
    }
}

/// What the network does to one call.
pub(crate) struct Path {
    /// Until the page hears.
    pub(crate) delay: i64,
    /// Until the server hears, where it does.
    pub(crate) arrives: i64,
    /// What the page hears; nothing, ever, if there is none.
    pub(crate) fate: Option<Fate>,
    /// The server hears the request, whatever the page hears.
    pub(crate) served: bool,
}

impl Path {
    fn refused(delay: i64, failing: Failing) -> Self {
        Self {
            delay,
            arrives: delay,
            fate: Some(Fate::Fails(failing, 0)),
            served: false,
        }
    }
}

impl World {
    /// What the network does to a call; `None` where the server answers itself.
    pub(crate) fn path(&mut self, tab: usize, post: bool) -> Option<Path> {
        let device = self.tabs[tab].device;
        let mut delay = self.dice.between(20, 300);
        let fails = |failing| Some(Fate::Fails(failing, 0));
        if self.now < self.devices[device].offline_until {
            return Some(Path::refused(5, Failing::Unreachable));
        }
        if self.now < self.outage_until {
            let failing = if mix(self.outage_until.unsigned_abs()) & 1 == 0 {
                Failing::Server
            } else {
                Failing::Unreachable
            };
            return Some(Path::refused(delay, failing));
        }
        if post && self.now < self.reruns_down_until {
            let failing = match mix(self.reruns_down_until.unsigned_abs()) & 3 {
                0 => Failing::Server,
                1 => Failing::Unreachable,
                2 => Failing::NotFound,
                _ => Failing::Throttled,
            };
            return Some(Path::refused(delay, failing));
        }
        if !self.tabs[tab].signed_in {
            return Some(Path::refused(delay, Failing::SignedOut));
        }
        if self.gone {
            return Some(Path::refused(delay, Failing::NotFound));
        }
        let mut arrives = delay;
        for index in 0..self.call_faults.len() {
            let fault = self.call_faults[index];
            if post && fault.class() != Class::Call {
                continue;
            }
            let Some(bits) = self.strikes(fault, tab, 1) else {
                continue;
            };
            let fate = match fault {
                Fault::CrashAfterSend => {
                    self.crash_soon(tab, fault, bits);
                    continue;
                }
                // Asked where the answer is taken in.
                Fault::CrashAfterAnswer => continue,
                Fault::LateAnswer => {
                    delay = within(bits, 1_000, ABORT - 1_000);
                    arrives = delay;
                    continue;
                }
                Fault::DropRequest if bits & 1 == 0 => fails(Failing::Unreachable),
                Fault::DropRequest => {
                    delay = ABORT;
                    fails(Failing::TimedOut)
                }
                Fault::NeverAnswered => None,
                Fault::DropAnswer => fails(Failing::Unreachable),
                Fault::ErrorBefore => fails(Failing::Server),
                Fault::Unauthorized => {
                    self.tabs[tab].signed_in = false;
                    fails(Failing::SignedOut)
                }
                Fault::Forbidden => fails(Failing::Forbidden),
                Fault::NotFound => fails(Failing::NotFound),
                Fault::GoneForGood => {
                    self.gone = true;
                    fails(Failing::NotFound)
                }
                Fault::SlowBody => {
                    delay = ABORT;
                    fails(Failing::TimedOut)
                }
                Fault::Throttled => Some(Fate::Fails(
                    Failing::Throttled,
                    u16::try_from(within(bits, 1, 60)).unwrap_or(1),
                )),
                Fault::ThrottledHidden => fails(Failing::Throttled),
                _ => fails(Failing::Unreadable),
            };
            let served = matches!(
                fault,
                Fault::DropAnswer
                    | Fault::SlowBody
                    | Fault::Truncated
                    | Fault::WrongType
                    | Fault::TooLarge
                    | Fault::NeverAnswered
            );
            return Some(Path {
                delay,
                arrives,
                fate,
                served,
            });
        }
        if delay > 300 {
            return Some(Path {
                delay,
                arrives,
                fate: Some(Fate::Fine(0)),
                served: true,
            });
        }
        None
    }

    /// Sends a read.
    pub(crate) fn ask(&mut self, tab: usize, call: CallId, what: What) {
        self.calls += 1;
        let page = self.page(tab);
        self.check_spacing(tab, what);
        if let (What::Batch(_), Some(machine)) = (what, &mut self.tabs[tab].machine) {
            machine.asked = Some((call, machine.wants_since.unwrap_or(self.now)));
        }
        let sent = self.now;
        let path = self.path(tab, false);
        let mut delay = self.dice.between(20, 300);
        let mut fate = Fate::Fine(0);
        if let Some(path) = path {
            delay = path.delay;
            match path.fate {
                Some(what) => fate = what,
                None => return,
            }
        }
        let mut lag = 0;
        if matches!(fate, Fate::Fine(_)) {
            if let Some(bits) = self.strikes(Fault::StaleReplica, tab, 1) {
                lag = within(bits, 1_000, self.server.longest_lag_ms);
            }
            if let Some(bits) = self.strikes(Fault::UnknownWord, tab, 1) {
                fate = Fate::Masked {
                    unknown: true,
                    bits,
                };
            } else if let Some(bits) = self.strikes(Fault::MissingFields, tab, 1) {
                fate = Fate::Masked {
                    unknown: false,
                    bits,
                };
            }
        }
        let Some(machine) = &self.tabs[tab].machine else {
            return;
        };
        let happening = Happening::Answer {
            page,
            machine: machine.number,
            call,
            what,
            fate,
            shows: sent + delay / 2 - lag,
            // By a clock that stands still in sleep.
            sent: sent - self.devices[self.tabs[tab].device].slept,
        };
        self.after(delay, happening);
    }
}
