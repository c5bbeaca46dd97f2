//! The supervising machine: takes in what happened, says what to do next.
//!
//! Sans I/O: [`Supervisor::handle`] with the present time, then drain
//! [`Supervisor::poll_output`]. The driver performs each [`Output`] and feeds
//! the result back. Every question carries a number; an answer to another
//! question than the one that is open changes nothing.
//!
//! This file asks and dispatches. `exchange` has what goes in and out, `clock`
//! sleep and waking; `waiting` takes in a read and `belief` believes or doubts it;
//! `reading` makes one picture and decides, `sending` feeds the rerun that is on its way.

use std::{collections::VecDeque, time::Duration};

use serde::Serialize;

use super::{
    BatchRef, CallId, Event, Input, Now, Output, PauseReason, Phase, Policy, Record, SEND_WITHIN,
    State,
    listed::Sights,
    reading::{Reading, UNMARKED_READS},
    waiting::{Awaiting, Reads},
};
use crate::{
    api::{ApiError, ErrorKind},
    domain::{Batch, BatchId, Timestamp},
    planted::{self, Bug},
    rerun::{Fence, Limits, Submission, SubmissionInput},
};

/// What an open question was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Asked {
    Resolve,
    Poll,
    Tests,
    Confirm,
    Look,
    Store,
    Post,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct OpenCall {
    pub(super) id: CallId,
    pub(super) asked: Asked,
    pub(super) sent_at: Timestamp,
}

/// Supervises one batch. See the module's documentation.
///
/// Serialized it is all that decides what it does next (`likeness`).
#[derive(Debug, Clone, Serialize)]
pub struct Supervisor {
    pub(super) state: State,
    #[serde(skip)]
    pub(super) log: Vec<Record>,
    #[serde(skip)]
    pub(super) outputs: VecDeque<Output>,
    pub(super) last_now: Now,
    calls: u64,
    pub(super) open_call: Option<OpenCall>,
    /// When to act next, if nothing arrives before.
    pub(super) due: Option<Timestamp>,
    pub(super) submission: Option<Submission>,
    pub(super) reads: Reads,
    pub(super) awaiting: Awaiting,
    pub(super) reading: Reading,
    /// Intents in a row that the browser refused to store.
    pub(super) storage_refusals: u32,
    /// Reruns in a row that were decided and did not leave.
    pub(super) kept_back: u8,
    /// A pause or stop that waits until a POST that is under way is answered.
    pub(super) wanted: Option<Wanted>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) enum Wanted {
    Pause(PauseReason),
    Stop,
}

/// A question that stays open longer than this is taken as lost: the page was
/// frozen while it was under way.
pub(super) const CALL_GUARD: Duration = Duration::from_secs(90);
/// The same for a whole listing.
const LISTING_GUARD: Duration = Duration::from_mins(15);

impl Supervisor {
    /// Starts to supervise.
    pub fn start(policy: Policy, limits: Limits, batch: BatchRef, now: Now) -> Self {
        let record = Record {
            seq: 0,
            at: now.wall,
            event: Event::Started {
                policy,
                limits,
                batch,
            },
        };
        let state = State::begin(&record).expect("the first record is a start");
        let mut it = Self::around(state, Vec::new(), now);
        it.outputs.push_back(Output::Store(record.clone()));
        it.log.push(record);
        it.go_on(now);
        it
    }

    /// Takes up a supervision from its journal. `None` if the journal does not
    /// begin with a start.
    pub fn restore(records: Vec<Record>, now: Now) -> Option<Self> {
        let state = State::replay(&records)?;
        let mut it = Self::around(state, records, now);
        if it.state.phase.is_over() {
            return Some(it);
        }
        let away = now.wall.since(it.state.last_at);
        it.reading.sights = Sights::taken_up(&it.log, now.wall);
        let raised = u64::from(!planted::is(Bug::EpochNotRaised));
        let epoch = it.state.epoch.saturating_add(raised);
        it.record(Event::Restored { epoch, away }, now.wall);
        if let Some(open) = it.state.open.clone() {
            // A POST may have gone out at any time until the page was closed, and
            // from a tab that was robbed even a moment later.
            let last_sent = now.wall.after(SEND_WITHIN);
            let (submission, effects) =
                Submission::restored(open.intent, it.state.limits, &open.tries, last_sent);
            it.submission = Some(submission);
            if it.state.phase == Phase::Rerunning {
                it.perform(effects, now);
                it.ask_to_be_woken();
            }
        } else {
            it.go_on(now);
        }
        Some(it)
    }

    fn around(state: State, log: Vec<Record>, now: Now) -> Self {
        Self {
            state,
            log,
            outputs: VecDeque::new(),
            last_now: now,
            calls: 0,
            open_call: None,
            due: None,
            submission: None,
            reads: Reads::default(),
            awaiting: Awaiting::default(),
            reading: Reading::default(),
            storage_refusals: 0,
            kept_back: 0,
            wanted: None,
        }
    }

    /// The state, for the screen.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Every record so far.
    pub fn log(&self) -> &[Record] {
        &self.log
    }

    /// The rerun that is on its way, for the screen.
    pub fn submission(&self) -> Option<&Submission> {
        self.submission.as_ref()
    }

    /// Whether the answer to this question still counts.
    pub fn awaits(&self, id: CallId) -> bool {
        self.open_call.is_some_and(|open| open.id == id)
    }

    /// When it acts next by itself, for the countdown.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.open_call.is_some() {
            None
        } else {
            self.due
        }
    }

    /// Whether a person wants to stop or pause, so that a rerun that has not left
    /// yet is not to leave.
    pub fn holds_back(&self) -> bool {
        self.wanted.is_some()
    }

    /// When the question was sent that the batch was last read with, for the age
    /// on screen. Sleep and a clock that was set do not age it, once noticed.
    pub fn read_at(&self) -> Option<Timestamp> {
        self.reads.read_at
    }

    /// Failed reads in a row.
    pub fn failures(&self) -> u32 {
        self.reads.failures
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Takes in what happened. Drain [`Supervisor::poll_output`] afterwards.
    pub fn handle(&mut self, input: Input, now: Now) {
        if self.state.phase.is_over() {
            return;
        }
        let now = self.seen_by_bugs(now);
        self.note_time(now);
        match input {
            Input::Ticked => {}
            Input::Wake => self.woken(now),
            Input::Woken(why) => self.woken_from_outside(why, now),
            Input::Resolved(id, answer) => {
                if self.close_call(id, Asked::Resolve).is_some() {
                    self.resolved(answer, now);
                }
            }
            Input::BatchRead(id, answer) => self.batch_read(id, answer, now),
            Input::TestsRead(id, answer) => {
                if let Some(open) = self.close_call(id, Asked::Tests) {
                    self.tests_read(answer, open.sent_at, now);
                }
            }
            Input::NotPassedRead(id, answer) => {
                if let Some(open) = self.close_call(id, Asked::Tests) {
                    self.not_passed_read(answer, open.sent_at, now);
                }
            }
            Input::Stored(id, stored) => {
                if self.close_call(id, Asked::Store).is_some() {
                    if stored.is_ok() {
                        self.storage_refusals = 0;
                    }
                    // Who wants to stop or pause is heard before anything leaves.
                    let input = match self.wanted {
                        Some(_) => SubmissionInput::CallOff,
                        None => SubmissionInput::Stored(stored),
                    };
                    self.submit(input, now);
                }
            }
            Input::RerunAnswered(id, answer) => {
                if self.close_call(id, Asked::Post).is_some() {
                    self.submit(SubmissionInput::Posted(answer), now);
                }
            }
            Input::NotSent(id, why) => {
                if self.close_call(id, Asked::Post).is_some() {
                    self.submit(SubmissionInput::NotSent(why), now);
                }
            }
            Input::Pause(why) => self.want(Wanted::Pause(why), now),
            Input::PersonSays(word) => {
                if self.state.phase == Phase::Rerunning {
                    self.submit(SubmissionInput::PersonSays(word), now);
                }
            }
            Input::Stop => self.want(Wanted::Stop, now),
            Input::Resume => self.resume(now),
            Input::SignedIn => {
                if self.state.phase == Phase::Paused(PauseReason::SignedOut) {
                    self.resume(now);
                }
            }
        }
        if !self.post_under_way()
            && let Some(wanted) = self.wanted.take()
            && !self.state.phase.is_over()
        {
            self.want(wanted, now);
        }
        self.ask_to_be_woken();
    }

    /// The present, as a planted bug sees it.
    fn seen_by_bugs(&self, now: Now) -> Now {
        if planted::is(Bug::MonoClockOnly) {
            let wall = self.state.started.after(now.mono);
            return Now { wall, ..now };
        }
        now
    }

    // Asking and recording.

    pub(super) fn record(&mut self, event: Event, at: Timestamp) {
        let record = self.next_record(event, at);
        self.outputs.push_back(Output::Store(record));
    }

    /// Records it in the place of the last record.
    pub(super) fn record_anew(&mut self, event: Event, at: Timestamp) {
        self.log.pop();
        let record = self.next_record(event, at);
        self.outputs.push_back(Output::StoreAnew(record));
    }

    pub(super) fn next_record(&mut self, event: Event, at: Timestamp) -> Record {
        let seq = u32::try_from(self.log.len()).expect("a journal has fewer than 2^32 records");
        let record = Record { seq, at, event };
        self.state.apply(&record);
        self.log.push(record.clone());
        record
    }

    pub(super) fn open(&mut self, asked: Asked, now: Now) -> CallId {
        self.calls += 1;
        let id = CallId(self.calls);
        self.open_call = Some(OpenCall {
            id,
            asked,
            sent_at: now.wall,
        });
        let guard = if asked == Asked::Tests {
            LISTING_GUARD
        } else {
            CALL_GUARD
        };
        self.due = Some(now.wall.after(guard));
        id
    }

    fn close_call(&mut self, id: CallId, asked: Asked) -> Option<OpenCall> {
        let open = self.open_call?;
        if open.id != id || open.asked != asked {
            return None;
        }
        self.open_call = None;
        self.due = None;
        Some(open)
    }

    pub(super) fn ask_batch(&mut self, asked: Asked, now: Now) {
        if let Some(batch) = self.state.batch {
            let id = self.open(asked, now);
            if asked == Asked::Poll {
                self.reads.last_poll = Some(now.wall);
            }
            if planted::is(Bug::AgeOfQuestion) {
                self.reads.read_at = Some(now.wall);
            }
            self.outputs.push_back(Output::ReadBatch(id, batch));
        }
    }

    pub(super) fn ask_tests(&mut self, now: Now) {
        if let Some(batch) = self.state.batch {
            let id = self.open(Asked::Tests, now);
            self.outputs.push_back(match self.counts_for_others() {
                Some(counted) => Output::ReadNotPassed(id, batch, counted),
                None => Output::ReadTests(id, batch),
            });
        }
    }

    fn ask_to_be_woken(&mut self) {
        if let Some(due) = self.due {
            self.outputs.push_back(Output::WakeAt(due));
        }
    }

    /// Does the phase's first step.
    pub(super) fn go_on(&mut self, now: Now) {
        match &self.state.phase {
            Phase::Resolving => {
                if let BatchRef::Name(name) = self.state.batch_ref.clone() {
                    let id = self.open(Asked::Resolve, now);
                    self.outputs.push_back(Output::ResolveBatch(id, name));
                }
            }
            Phase::Waiting => self.ask_batch(Asked::Poll, now),
            Phase::Reading => self.ask_tests(now),
            Phase::Deciding => self.ask_batch(Asked::Confirm, now),
            Phase::Rerunning => self.submit(SubmissionInput::Resume, now),
            // Taken up again: the storage may be in order by now.
            Phase::Paused(PauseReason::StorageRefused(_)) => self.due = Some(now.wall),
            Phase::Paused(_) | Phase::Done(_) | Phase::Stopped => {}
        }
        self.ask_to_be_woken();
    }

    // Answers.

    fn resolved(&mut self, answer: Result<(BatchId, Option<String>), ApiError>, now: Now) {
        match answer {
            Ok((batch, name)) => {
                self.reads_work(now);
                self.record(Event::Pinned { batch, name }, now.wall);
                self.go_on(now);
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.give_up(error.to_string(), now);
            }
            Err(error) => self.read_failed(error, now),
        }
    }

    /// Whether a finished picture may be of the run that is waited for, not surely of one
    /// before: an old picture that is read for hours must not keep the time from running out.
    fn may_show_the_end(&self, batch: &Batch) -> bool {
        self.state.must_pass.as_ref().is_none_or(Fence::is_blind)
            || self.state.leaves_no_doubt(batch)
    }

    fn batch_read(&mut self, id: CallId, answer: Result<Box<Batch>, ApiError>, now: Now) {
        let Some(open) = self.open_call.filter(|open| open.id == id) else {
            return;
        };
        if !matches!(open.asked, Asked::Poll | Asked::Confirm | Asked::Look) {
            return;
        }
        self.close_call(id, open.asked);
        if let Ok(batch) = &answer {
            self.reads.read_at = Some(open.sent_at);
            self.reads.unmarked = if Fence::at(batch).is_blind() {
                self.reads.unmarked.saturating_add(1).min(UNMARKED_READS)
            } else {
                0
            };
        }
        if let Ok(batch) = &answer
            && batch.is_terminal()
            && !self.state.is_old(batch)
            && self.may_show_the_end(batch)
        {
            self.reads.finished_at = Some(open.sent_at);
        }
        if open.asked == Asked::Look {
            if answer.is_ok() {
                self.reads_work(now);
            }
            self.submit(SubmissionInput::Looked(open.sent_at, answer), now);
            return;
        }
        match answer {
            Ok(batch) => {
                self.reads_work(now);
                if self.state.name.is_none() && batch.name.is_some() {
                    let (batch, name) = (batch.id, batch.name.clone());
                    self.record(Event::Pinned { batch, name }, now.wall);
                }
                match open.asked {
                    Asked::Confirm => self.confirmed(batch, open.sent_at, now),
                    _ => self.polled(batch, open.sent_at, now),
                }
            }
            Err(error) => self.read_failed(error, now),
        }
    }
}
