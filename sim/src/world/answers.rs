//! How a read is answered: what a replica shows, a listing page by page, and answers that
//! lack something or hold a new word.

use retake_core::{
    api::ApiError,
    domain::{BatchId, BatchStatus, ConflatedStatus, Test},
    supervise::{CallId, Counted, Input, NotPassed},
};

use super::{
    PageRef, World,
    network::{Failing, Fate, What},
};
use crate::{
    dice::mix,
    fault::Fault,
    server::bits_of,
    tab::{Listing, Read, Short},
};

impl World {
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

    #[expect(clippy::too_many_arguments, reason = "the fields of one happening")]
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
    pub(crate) fn take_in(&mut self, tab: usize, input: Input) {
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
