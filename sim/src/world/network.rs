//! What becomes of a request: sent, dropped or delayed on the way, applied or
//! not, answered, and the answer dropped, delayed or mangled.

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind, RerunAnswer},
    domain::{BatchId, BatchStatus, ConflatedStatus, Test},
    rerun::Intent,
    supervise::{CallId, Counted, Input, NotPassed},
};

use super::{Happening, PageRef, Post, World};
use crate::{
    dice::{mix, within},
    fault::{Class, Fault},
    server::{By, bits_of},
    tab::{Listing, Read, Short},
};

/// The client gives up after this.
const ABORT: i64 = 35_000;
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
    fn error(self, what: &str, retry_after: u16) -> ApiError {
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
struct Path {
    /// Until the page hears.
    delay: i64,
    /// Until the server hears, where it does.
    arrives: i64,
    /// What the page hears; nothing, ever, if there is none.
    fate: Option<Fate>,
    /// The server hears the request, whatever the page hears.
    served: bool,
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
    fn path(&mut self, tab: usize, post: bool) -> Option<Path> {
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

    /// Lists the tests, page by page; where so many are `expected`, counts those that
    /// passed first and lists the others.
    pub(crate) fn list(
        &mut self,
        tab: usize,
        call: CallId,
        batch: BatchId,
        expected: Option<Counted>,
    ) {
        let room = usize::from(self.server.size) + 1;
        if let Some(machine) = &mut self.tabs[tab].machine {
            machine.listing = Some(Listing {
                call,
                batch,
                page: 0,
                tests: Vec::with_capacity(room),
                masked: false,
                short: expected.map(|expects| Short {
                    expects,
                    counted: false,
                    passed: None,
                }),
            });
            self.ask(tab, call, What::Page);
        }
    }

    #[allow(clippy::too_many_arguments)] // the fields of one happening
    pub(crate) fn answered(
        &mut self,
        page: PageRef,
        machine: u32,
        call: CallId,
        what: What,
        fate: Fate,
        shows: i64,
        sent: i64,
    ) {
        if !self.is_machine(page, machine) {
            return;
        }
        let tab = page.tab;
        if let Fate::Fails(failing, retry_after) = fate {
            let input = match what {
                What::Resolve => {
                    Input::Resolved(call, Err(failing.error("find the batch", retry_after)))
                }
                What::Batch(_) => {
                    Input::BatchRead(call, Err(failing.error("read the batch", retry_after)))
                }
                What::Page => {
                    let error = failing.error("list the tests", retry_after);
                    self.not_listed(tab, call, error)
                }
            };
            self.tell(tab, || format!("{what:?} fails: {failing:?}"));
            return self.take_in(tab, input);
        }
        match what {
            What::Resolve => {
                let id = self.server.id_of(0);
                self.take_in(tab, Input::Resolved(call, Ok((id, None))));
            }
            What::Batch(id) if self.is_awaited(tab, call) => {
                self.batch_arrives(tab, call, id, fate, shows, sent);
            }
            What::Page if self.is_awaited(tab, call) => self.page_arrives(tab, call, fate, shows),
            What::Batch(_) | What::Page => {}
        }
    }

    /// Whether the machine still wants this answer. Told first that time went by: after
    /// a sleep it asks anew, and then has not seen what comes now.
    fn is_awaited(&mut self, tab: usize, call: CallId) -> bool {
        self.feed(tab, Input::Ticked);
        let machine = self.tabs[tab].machine.as_ref();
        machine.is_some_and(|it| it.it.awaits(call))
    }

    /// Feeds an answer; the page may die right after.
    fn take_in(&mut self, tab: usize, input: Input) {
        if let Some(bits) = self.strikes(Fault::CrashAfterAnswer, tab, 1) {
            self.crash_soon(tab, Fault::CrashAfterAnswer, bits);
        }
        self.feed(tab, input);
    }

    fn batch_arrives(
        &mut self,
        tab: usize,
        call: CallId,
        id: BatchId,
        fate: Fate,
        shows: i64,
        sent: i64,
    ) {
        let view = self.server.view_by_id(id, shows);
        let mut batch = self.server.batch(view);
        let (status, word) = (batch.status.clone(), batch.conflated.clone());
        let masked = matches!(fate, Fate::Masked { .. });
        match fate {
            Fate::Masked {
                unknown: true,
                bits,
            } => {
                if bits & 1 == 0 || batch.conflated.is_none() {
                    batch.status = Some(BatchStatus::from_word("THAWING"));
                } else {
                    batch.conflated = Some(retake_core::domain::ConflatedBatchStatus::from_word(
                        "SHINY",
                    ));
                }
            }
            Fate::Masked { bits, .. } => {
                if bits & 1 == 1 {
                    batch.run_counter = None;
                }
                if bits & 2 == 2 {
                    batch.last_run = None;
                }
                if bits & 4 == 4 {
                    batch.history.clear();
                }
                if bits & 0x18 == 0x18 {
                    batch.status = None;
                }
                if bits & 0x60 == 0x60 {
                    batch.conflated = None;
                }
                if bits & 0x180 == 0x180 {
                    batch.total_tests = None;
                }
                if bits & 0x600 == 0x600 {
                    batch.status_counts = None;
                    batch.metrics_counts = None;
                }
            }
            _ => {}
        }
        if self.story.is_some() {
            let shown = batch
                .status
                .as_ref()
                .map_or("no status", BatchStatus::word)
                .to_owned();
            let run = batch.run_counter.map(|run| run.0);
            let lag = self.now - shows;
            self.tell(tab, || {
                format!(
                    "reads {shown}, run {run:?}, as of {lag} ms ago (truly run {})",
                    view.run
                )
            });
        }
        let awake = self.now - self.devices[self.tabs[tab].device].slept;
        let blind = self.server.sends.is_blind();
        if let Some(machine) = &mut self.tabs[tab].machine {
            machine.read_at = awake;
            if let Some((asked, at)) = machine.asked
                && asked == call
                && machine.it.awaits(call)
            {
                machine.read_sent = Some(at);
            }
            match &mut machine.last_read {
                // An old picture; what was read of a later moment still stands.
                Some(last) if view.at < last.view.at && !blind => last.sent = sent,
                last => {
                    *last = Some(Read {
                        view,
                        sent,
                        status,
                        word,
                        masked,
                        arrived: self.now,
                    });
                }
            }
        }
        self.take_in(tab, Input::BatchRead(call, Ok(Box::new(batch))));
    }

    fn page_arrives(&mut self, tab: usize, call: CallId, fate: Fate, shows: i64) {
        let Some(machine) = &mut self.tabs[tab].machine else {
            return;
        };
        let Some(listing) = &mut machine.listing else {
            return;
        };
        if listing.call != call {
            return;
        }
        let view = self.server.view_by_id(listing.batch, shows);
        let more = match &mut listing.short {
            Some(short) if !short.counted => {
                let passed = self.server.passed(view);
                short.counted = true;
                short.passed = matches!(fate, Fate::Fine(_)).then_some(passed);
                short.expects.wants_others(short.passed)
            }
            short => {
                let before = listing.tests.len();
                let not_passed = short.is_some();
                let more = self
                    .server
                    .page(view, listing.page, not_passed, &mut listing.tests);
                if let Fate::Masked { unknown, bits } = fate {
                    listing.masked |= mask(&mut listing.tests[before..], unknown, bits);
                }
                listing.page += 1;
                more
            }
        };
        if more {
            return self.ask(tab, call, What::Page);
        }
        if self.strikes(Fault::PageLoop, tab, 1).is_some() {
            let error = Failing::Unreadable.error("list the tests", 0);
            let input = self.not_listed(tab, call, error);
            return self.take_in(tab, input);
        }
        self.listed(tab, call);
    }

    /// Every page is there.
    fn listed(&mut self, tab: usize, call: CallId) {
        let Some(machine) = &mut self.tabs[tab].machine else {
            return;
        };
        let listing = machine.listing.take().expect("it was just there");
        let mut tests = listing.tests;
        if self.server.miscounts > 0 {
            // It has been so all along; here it shows.
            self.strikes(Fault::CountMismatch, tab, 1);
        }
        if let Some(bits) = self.strikes(Fault::TornPages, tab, 1) {
            self.tear(tab, &mut tests, bits);
        }
        if let Some(machine) = &mut self.tabs[tab].machine {
            machine.listed_masked = Some(listing.masked);
        }
        self.tell(tab, || format!("lists {} tests", tests.len()));
        let input = match listing.short {
            Some(Short { passed, .. }) => {
                Input::NotPassedRead(call, Ok(NotPassed { passed, tests }))
            }
            None => Input::TestsRead(call, Ok(tests)),
        };
        self.take_in(tab, input);
    }

    /// The listing failed.
    fn not_listed(&mut self, tab: usize, call: CallId, error: ApiError) -> Input {
        let machine = self.tabs[tab].machine.as_mut();
        match machine.and_then(|it| it.listing.take()) {
            Some(Listing { short: Some(_), .. }) => Input::NotPassedRead(call, Err(error)),
            _ => Input::TestsRead(call, Err(error)),
        }
    }

    /// A page boundary moved while the pages were read: a test is listed
    /// twice, or not at all, or both. It takes a change to move a boundary, so
    /// the same tear does not come twice in a row.
    fn tear(&mut self, tab: usize, tests: &mut Vec<Test>, bits: u64) {
        let count = tests.len() as u64;
        if count == 0 {
            return;
        }
        let whole = tests.clone();
        let tear = bits % (2 * count);
        let at = usize::try_from(tear % count).expect("few tests");
        if tear < count {
            tests.remove(at);
        } else {
            let twice = tests[at].clone();
            tests.push(twice);
        }
        if (bits >> 32).is_multiple_of(4) && tests.len() > 1 {
            // One in, one out: the count fits.
            let first = tests[0].clone();
            let last = tests.len() - 1;
            tests[last] = first;
        }
        let listed = tests.iter().fold(0, |listed, test| {
            mix(listed ^ test.id.map_or(0, |id| bits_of([&id]).into()))
        });
        if std::mem::replace(&mut self.tabs[tab].torn_at, listed) == listed {
            *tests = whole;
        }
    }

    // The rerun.

    /// The POST leaves.
    pub(crate) fn send(&mut self, tab: usize, call: CallId, intent: Intent) {
        self.calls += 1;
        let page = self.page(tab);
        let device = self.tabs[tab].device;
        let (decided_on, masked) = self.check_send(tab, &intent);
        if self.failure.is_some() {
            return;
        }
        let machine = self.tabs[tab].machine.as_ref().map_or(0, |it| it.number);
        let post = self.posts.len();
        let read = self.tabs[tab].machine.as_ref();
        let looked = read.and_then(|it| Some(it.last_read.as_ref()?.arrived));
        let tests = intent.request.scope.tests();
        self.posts.push(Post {
            key: (device, intent.at.as_millis(), intent.attempt, intent.epoch),
            batch: intent.batch,
            tests: bits_of(tests),
            decided_on,
            masked,
            looked: looked.unwrap_or(i64::MIN),
            left: self.now,
            page,
            machine,
            call,
            under_way: 0,
        });
        let posted = |fate| Happening::Posted {
            page,
            machine,
            call,
            fate,
        };
        let path = self.path(tab, true);
        if let Some(path) = path {
            return match path.fate {
                Some(Fate::Fine(_)) => {
                    self.arrives_after(post, path.arrives, Some(Fate::Fine(0)), false);
                }
                fate => {
                    if path.served {
                        self.arrives_after(post, path.arrives, None, false);
                    }
                    if let Some(fate) = fate {
                        self.after(path.delay + 20, posted(fate));
                    }
                }
            };
        }
        let delay = self.dice.between(20, 300);
        if let Some(bits) = self.strikes(Fault::LateRequest, tab, 1) {
            self.after(ABORT, posted(Fate::Fails(Failing::TimedOut, 0)));
            return self.arrives_after(post, within(bits, ABORT, LATEST), None, false);
        }
        if self.strikes(Fault::BusyCleaning, tab, 1).is_some() {
            return self.after(delay, posted(Fate::Fails(Failing::Busy, 0)));
        }
        if self.strikes(Fault::ErrorAfter, tab, 1).is_some() {
            self.after(delay + 20, posted(Fate::Fails(Failing::Server, 0)));
            return self.arrives_after(post, delay, None, false);
        }
        if let Some(bits) = self.strikes(Fault::SentTwice, tab, 1) {
            self.arrives_after(post, delay, None, false);
            let again = delay + within(bits, 5, 1_500);
            return self.arrives_after(post, again, Some(Fate::Fine(0)), true);
        }
        if self.faults.has(Fault::BusyForever) && self.strikes(Fault::BusyForever, tab, 1).is_some()
        {
            self.server.busy_forever = true;
        }
        self.arrives_after(post, delay, Some(Fate::Fine(0)), false);
    }

    fn arrives_after(&mut self, post: usize, delay: i64, hears: Option<Fate>, again: bool) {
        self.posts[post].under_way += 1;
        self.after(delay, Happening::Arrives { post, hears, again });
    }

    pub(crate) fn arrives(&mut self, index: usize, hears: Option<Fate>, again: bool) {
        let post = &mut self.posts[index];
        post.under_way -= 1;
        let (batch, tests) = (post.batch, post.tests);
        let (page, machine, call) = (post.page, post.machine, post.call);
        let applied = self.server.rerun(batch, tests, self.now, By::Post(index));
        self.trace(u64::from(applied));
        self.tell(usize::MAX, || {
            let again = if again {
                " (repeated by the browser)"
            } else {
                ""
            };
            let done = if applied { "applied" } else { "409" };
            format!("the rerun of {tests:#b} arrives{again}: {done}")
        });
        if applied {
            self.check_applied(index);
        }
        if hears.is_none() {
            return;
        }
        let fate = if applied {
            Fate::Fine(self.server.runs.len() - 1)
        } else {
            Fate::Fails(Failing::Busy, 0)
        };
        let happening = Happening::Posted {
            page,
            machine,
            call,
            fate,
        };
        self.after(20, happening);
    }

    pub(crate) fn posted(&mut self, page: PageRef, machine: u32, call: CallId, fate: Fate) {
        if !self.is_machine(page, machine) {
            return;
        }
        let answer = match fate {
            Fate::Fails(failing, retry_after) => {
                self.tell(page.tab, || format!("the POST fails: {failing:?}"));
                Err(failing.error("rerun the tests", retry_after))
            }
            Fate::Masked { .. } => return,
            Fate::Fine(run) => {
                let bits = self.strikes(Fault::MissingFields, page.tab, 1).unwrap_or(0);
                let id = self.server.id_of(run);
                Ok(RerunAnswer {
                    batch_id: (bits & 1 == 0 || self.server.new_ids).then_some(id),
                    run_counter: (bits & 2 == 0 && self.server.sends.counter)
                        .then(|| self.server.counter(run)),
                    test_ids: Vec::new(),
                })
            }
        };
        self.take_in(page.tab, Input::RerunAnswered(call, answer));
    }
}

/// One of the tests is not as the server meant it; `false` if there is none.
fn mask(tests: &mut [Test], unknown: bool, bits: u64) -> bool {
    let at = usize::try_from(bits >> 8 & 0xFF).expect("a byte");
    let Some(at) = at.checked_rem(tests.len()) else {
        return false;
    };
    let test = &mut tests[at];
    if unknown {
        test.conflated = Some(ConflatedStatus::from_word("SPARKLING"));
    } else if bits & 1 == 0 {
        test.conflated = None;
    } else {
        test.id = None;
    }
    true
}
