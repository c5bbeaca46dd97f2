//! The way of a rerun: it leaves, arrives once, twice or late, is applied or not, and is
//! answered.

use retake_core::{
    api::RerunAnswer,
    rerun::Intent,
    supervise::{CallId, Input},
};

use super::{
    Happening, PageRef, Post, World,
    network::{ABORT, Failing, Fate, LATEST},
};
use crate::{
    dice::within,
    fault::Fault,
    server::{By, bits_of},
};

impl World {
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
