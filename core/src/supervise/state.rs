//! The state of a supervision: a fold over its journal.
//!
//! Nothing else changes it, so a replay after a reload gives the same state.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use super::{
    BatchRef, Began, Event, PauseReason, Policy, Record, SEND_WITHIN, Streak, Verdict,
    journal::Seen,
};
use crate::{
    api::ErrorKind,
    domain::{Batch, BatchId, BatchStatus, RunCounter, TestId, Timestamp},
    planted::{self, Bug},
    rerun::{
        Ended, Evidence, Fence, Intent, IntentTest, Limits, REPLICA_LAG, SubmissionNote, Tries,
    },
};

/// Where a supervision stands. Exactly one at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Phase {
    /// Looks up the batch's ID by its name.
    Resolving,
    /// Reads the batch until it has finished.
    Waiting,
    /// Lists the tests.
    Reading,
    /// Reads the batch once more, then decides.
    Deciding,
    /// A rerun is on its way.
    Rerunning,
    /// Does nothing for now.
    Paused(PauseReason),
    /// Over, with a conclusion.
    Done(Box<Verdict>),
    /// Over, ended by a person.
    Stopped,
}

impl Phase {
    /// The phase in a word or two.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Resolving => "Resolving",
            Self::Waiting => "Waiting",
            Self::Reading => "Reading",
            Self::Deciding => "Deciding",
            Self::Rerunning => "Rerunning",
            Self::Paused(_) => "Paused",
            Self::Done(_) => "Done",
            Self::Stopped => "Stopped",
        }
    }

    /// Whether nothing will happen any more.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Stopped)
    }
}

/// A rerun that is decided and not yet known to be applied or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenIntent {
    /// What is to be run again.
    pub intent: Intent,
    /// Its POSTs so far.
    pub tries: Tries,
}

/// Everything that decides what a supervision does next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// The parameters.
    pub policy: Policy,
    /// The bounds of a rerun POST, and of a page.
    pub limits: Limits,
    /// The batch as the person named it.
    pub batch_ref: BatchRef,
    /// The batch, once known. Follows the ID that a rerun answer names.
    pub batch: Option<BatchId>,
    /// The batch's name.
    pub name: Option<String>,
    /// Reruns made.
    pub attempt: u32,
    /// The run that is waited for; a finished status of an earlier run is stale.
    pub awaited: Option<RunCounter>,
    /// Without counters: the latest start of a run that was seen; a read with
    /// an earlier one is stale.
    pub newest_start: Option<Timestamp>,
    /// The same for the latest change of status.
    pub newest_change: Option<Timestamp>,
    /// A rerun was answered with another batch, whose tests may have other IDs.
    pub moved: bool,
    /// An answer carried the batch's one word.
    pub words_sent: bool,
    /// After an applied rerun: a finished status is believed only past this.
    pub must_pass: Option<Fence>,
    /// The start of the newest run, where it began while this was supervised.
    pub began: Option<Began>,
    /// When the batch was first seen: nobody knows how long before that its run had begun.
    pub first_seen: Option<Timestamp>,
    /// It had not finished by then.
    pub seen_running: bool,
    /// Until when the POST of an earlier rerun may still be applied, whose answer was
    /// lost and whose run was seen: that run may have been somebody else's.
    pub under_way_until: Option<Timestamp>,
    /// When this attempt's wait began, moved by pauses and sleep.
    pub clock_started: Timestamp,
    /// Since when it is paused, across every page that shows it meanwhile.
    pub paused_since: Option<Timestamp>,
    /// The rerun that is on its way.
    pub open: Option<OpenIntent>,
    /// Tests that were run again, and how each had failed at first.
    pub reran: BTreeMap<TestId, IntentTest>,
    /// Reruns of this attempt that turned out not to have been applied.
    pub unapplied: Streak,
    /// Reruns since then that were answered as if there were no such batch (404).
    pub not_found: Streak,
    /// The last picture of the batch that was written down.
    pub seen: Option<Seen>,
    /// Where it stands.
    pub phase: Phase,
    /// Which life this is.
    pub epoch: u64,
    /// When it started.
    pub started: Timestamp,
    /// Time of the last record.
    pub last_at: Timestamp,
}

impl State {
    /// The state after the records of a journal. `None` if they do not begin
    /// with a start.
    pub fn replay(records: &[Record]) -> Option<Self> {
        let (first, rest) = records.split_first()?;
        let mut state = Self::begin(first)?;
        for record in rest {
            state.apply(record);
        }
        Some(state)
    }

    /// The state after a [`Event::Started`] record.
    pub(super) fn begin(record: &Record) -> Option<Self> {
        let Event::Started {
            policy,
            limits,
            batch,
        } = &record.event
        else {
            return None;
        };
        let id = match batch {
            BatchRef::Id(id) => Some(*id),
            BatchRef::Name(_) => None,
        };
        Some(Self {
            policy: *policy,
            limits: *limits,
            batch_ref: batch.clone(),
            batch: id,
            name: None,
            attempt: 0,
            awaited: None,
            newest_start: None,
            newest_change: None,
            moved: false,
            words_sent: false,
            must_pass: None,
            began: None,
            first_seen: None,
            seen_running: false,
            under_way_until: None,
            clock_started: record.at,
            paused_since: None,
            open: None,
            reran: BTreeMap::new(),
            unapplied: Streak::default(),
            not_found: Streak::default(),
            seen: None,
            phase: if id.is_some() {
                Phase::Waiting
            } else {
                Phase::Resolving
            },
            epoch: 0,
            started: record.at,
            last_at: record.at,
        })
    }

    /// Takes in one record, the next of its journal.
    pub fn apply(&mut self, record: &Record) {
        let before = std::mem::replace(&mut self.last_at, record.at);
        match &record.event {
            Event::Started { .. }
            | Event::ReadFailed { .. }
            | Event::ReadRecovered { .. }
            | Event::StaleRead { .. }
            | Event::StillUnderWay { .. }
            | Event::ListsAll { .. }
            | Event::Decided { .. } => {}
            Event::Pinned { batch, name } => {
                self.batch = Some(*batch);
                self.name.clone_from(name);
                if self.phase == Phase::Resolving {
                    self.phase = Phase::Waiting;
                }
            }
            Event::Polled(seen) => {
                self.note_seen(seen, record.at);
                // Where nothing else could ever tell, an unfinished batch must do.
                let unfinished = seen
                    .status
                    .as_ref()
                    .is_some_and(|status| !matches!(status, BatchStatus::Unknown(_)));
                if unfinished && self.must_pass.as_ref().is_some_and(Fence::is_blind) {
                    self.must_pass = None;
                }
            }
            Event::Adopted { run } => {
                self.awaited = Some(*run);
                self.began = Some(Began::at(record.at, BTreeSet::new()));
                self.phase = Phase::Waiting;
            }
            Event::Finished { seen, unproven } => {
                self.note_seen(seen, record.at);
                if let Some(began) = &mut self.began {
                    began.over = true;
                }
                // A fence without any mark could never be passed.
                self.must_pass
                    .take_if(|fence| *unproven || fence.is_blind());
                self.phase = Phase::Reading;
            }
            Event::Listed { .. } | Event::ListedNotPassed { .. } => self.phase = Phase::Deciding,
            Event::Torn { .. } => self.phase = Phase::Reading,
            Event::Reopened => self.phase = Phase::Waiting,
            Event::Intent(intent) => {
                self.open = Some(OpenIntent {
                    intent: (**intent).clone(),
                    tries: Tries::default(),
                });
                self.phase = Phase::Rerunning;
            }
            Event::Rerun(note) => self.apply_note(note, record.at),
            Event::Paused(why) => {
                self.paused_since.get_or_insert(record.at);
                self.phase = Phase::Paused(why.clone());
            }
            Event::Resumed { .. } => {
                // By as much as the clock moved, which is less than the pause, or
                // even back, if somebody set it meanwhile.
                let since = self.paused_since.take();
                let moved = since.map_or(0, |since| between(since, record.at));
                if !planted::is(Bug::PauseCounts) {
                    self.move_waits(moved);
                }
                if let Some(since) = since {
                    self.begin_minutes_anew(since, record.at);
                }
                self.phase = self.phase_to_resume();
            }
            Event::Restored { epoch, away } => {
                self.epoch = *epoch;
                self.under_way_until = self.under_way_after(before, record.at);
                if planted::is(Bug::ForgetsIntent) {
                    self.open = None;
                }
                if planted::is(Bug::ForgetsAttempts) {
                    self.attempt = 0;
                }
                // A pause counts its own time when it ends.
                if !self.phase.is_over() && !matches!(self.phase, Phase::Paused(_)) {
                    // Nobody knows what of it was waited: the last life may have been
                    // paused, and the journal may have refused to say so.
                    let away_ms = i64::try_from(away.as_millis()).unwrap_or(i64::MAX);
                    // The clock may have been set back while the page was away.
                    let set_back = between(before, record.at).min(0);
                    self.move_waits(away_ms.saturating_add(set_back));
                    self.phase = self.phase_to_resume();
                }
            }
            Event::ClockJumped { shift_ms } => {
                self.move_waits(*shift_ms);
                if let Some(began) = &mut self.began {
                    began.at = shifted(began.at, *shift_ms);
                }
                for time in [&mut self.first_seen, &mut self.under_way_until] {
                    *time = time.map(|at| shifted(at, *shift_ms));
                }
                if let Some(open) = &mut self.open {
                    open.tries.shift(|at| shifted(at, *shift_ms));
                }
            }
            Event::Ended(verdict) => {
                self.open = None;
                self.phase = Phase::Done(verdict.clone());
            }
            Event::Stopped => self.phase = Phase::Stopped,
        }
        self.bound_by(record.at);
    }

    /// Moves the times since which it waits: what went by did not count as waiting.
    fn move_waits(&mut self, by_ms: i64) {
        self.clock_started = shifted(self.clock_started, by_ms);
        for streak in [&mut self.unapplied, &mut self.not_found] {
            streak.shift(|at| shifted(at, by_ms));
        }
    }

    /// After a pause: what was not over when it began takes its whole time from now, as nobody
    /// knows how long the pause was where somebody set the clock.
    fn begin_minutes_anew(&mut self, paused: Timestamp, now: Timestamp) {
        if self.under_way_until.is_some_and(|until| until > paused) {
            self.under_way_until = Some(self.lands_by(now));
        }
        let is_young = |since: &Timestamp| paused.since(*since) < REPLICA_LAG;
        if let Some(began) = self.began.as_mut().filter(|it| is_young(&it.at)) {
            began.at = now;
        }
        if self.first_seen.as_ref().is_some_and(is_young) {
            self.first_seen = Some(now);
        }
    }

    /// Brings back what was noted before somebody set the clock back. A run cannot have begun,
    /// nor the batch have been seen, later than now; and no POST that has left can land later
    /// than one that leaves now.
    fn bound_by(&mut self, now: Timestamp) {
        if let Some(began) = &mut self.began {
            began.at = began.at.min(now);
        }
        self.first_seen = self.first_seen.map(|at| at.min(now));
        let latest = self.lands_by(now);
        self.under_way_until = self.under_way_until.map(|until| until.min(latest));
    }

    /// When a POST has surely landed, or never will, that leaves now at the latest.
    fn lands_by(&self, now: Timestamp) -> Timestamp {
        now.after(SEND_WITHIN).after(self.limits.settle)
    }

    /// Until when a POST may still be applied whose answer nobody waits for any more, since
    /// the supervision ended, or a person stopped it, before it was known.
    pub fn may_still_land_until(&self) -> Option<Timestamp> {
        if !self.phase.is_over() {
            return None;
        }
        self.may_land_until()
    }

    /// Until when a POST may still be applied, whoever waits for its answer.
    pub(super) fn may_land_until(&self) -> Option<Timestamp> {
        // What is written down before a POST leaves is that it leaves.
        let sent = |it: &OpenIntent| it.tries.posts > 0 && it.tries.held.is_none();
        let sent = self.open.as_ref().is_some_and(sent);
        self.under_way_until
            .or_else(|| sent.then(|| self.lands_by(self.last_at)))
    }

    /// For a new life: whether a POST of the one before may still land. It may have
    /// left at any time until that life ended, and nobody knows how long ago that was
    /// where somebody set the clock.
    fn under_way_after(&self, last_record: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let sent = self.open.as_ref().is_some_and(|it| it.tries.held.is_none());
        let was_under_way = self.under_way_until.is_some_and(|it| it > last_record);
        (sent || was_under_way).then(|| self.lands_by(now))
    }

    fn note_seen(&mut self, seen: &Seen, at: Timestamp) {
        if self.first_seen.is_none() {
            self.first_seen = Some(at);
            self.seen_running = !seen.status.as_ref().is_some_and(BatchStatus::is_terminal);
        }
        if self.is_next_run(seen) {
            self.began = Some(Began::at(at, BTreeSet::new()));
        }
        if let Some(run) = seen.run {
            self.awaited = Some(self.awaited.map_or(run, |awaited| awaited.max(run)));
        }
        self.note_start(seen.last_run);
        self.newest_change = self.newest_change.max(seen.last_change);
        self.words_sent |= seen.word.is_some();
        self.seen = Some(seen.clone());
    }

    fn note_start(&mut self, start: Option<Timestamp>) {
        self.newest_start = self.newest_start.max(start);
    }

    fn apply_note(&mut self, note: &SubmissionNote, at: Timestamp) {
        if let Some(open) = &mut self.open {
            open.tries.note(note, at);
        }
        match note {
            SubmissionNote::AsksPerson => {}
            SubmissionNote::Unknown { settle_until, .. } => {
                self.under_way_until = Some(*settle_until);
            }
            // It was answered, or is about to leave; a new life takes that into account.
            SubmissionNote::Sending { .. }
            | SubmissionNote::Waiting { .. }
            | SubmissionNote::SignedOut => self.under_way_until = None,
            SubmissionNote::Ended(ended) => {
                let open = self.open.take();
                let stays = matches!(ended, Ended::Applied { evidence, .. }
                    if *evidence != Evidence::Answer && !planted::is(Bug::ForgetsUnderWay));
                self.under_way_until.take_if(|_| !stays);
                match ended {
                    Ended::Applied {
                        batch,
                        run,
                        evidence,
                    } => {
                        self.attempt = self.attempt.saturating_add(1);
                        self.unapplied = Streak::default();
                        self.not_found = Streak::default();
                        self.clock_started = at;
                        self.awaited = *run;
                        self.must_pass = None;
                        match evidence {
                            Evidence::LastRun(start) => self.note_start(Some(*start)),
                            Evidence::Answer if self.batch != Some(*batch) => {
                                self.newest_start = None;
                                self.newest_change = None;
                            }
                            _ => {}
                        }
                        if let Some(open) = open {
                            let same = *batch == open.intent.batch;
                            self.moved |= !same;
                            // What proved the run proves no later read: each has to
                            // show by itself that it is of the new run, since the next
                            // one may come from a replica that lags behind. Only a
                            // batch that was seen unfinished for longer than one can
                            // lag leaves no doubt.
                            if same && !matches!(evidence, Evidence::StatusMoved(_)) {
                                self.must_pass = Some(open.intent.fence.clone());
                            }
                            let tests = open.intent.tests.iter().map(|test| test.id);
                            self.began = same.then(|| Began::at(at, tests.collect()));
                            for test in open.intent.tests {
                                self.reran.entry(test.id).or_insert(test);
                            }
                        }
                        if !planted::is(Bug::NewIdIgnored) {
                            self.batch = Some(*batch);
                        }
                    }
                    Ended::NotApplied => {
                        self.unapplied.note(at);
                        self.not_found = Streak::default();
                    }
                    Ended::Refused(error) if error.kind == ErrorKind::NotFound => {
                        self.not_found.note(at);
                    }
                    Ended::Refused(_)
                    | Ended::StillBusy(_)
                    | Ended::NotStored(_)
                    | Ended::NotSent(_)
                    | Ended::CalledOff => {}
                }
                self.phase = Phase::Waiting;
            }
        }
    }

    /// What a rerun that is decided on this picture has to pass. An answer may
    /// lack a mark that earlier ones had; then what is known already stands for it.
    pub(super) fn fence(&self, batch: &Batch) -> Fence {
        let now = Fence::at(batch);
        Fence {
            run: now.run.or(self.awaited),
            last_run: now.last_run.or(self.newest_start),
            last_change: now.last_change.or(self.newest_change),
            status: now.status,
        }
    }

    /// Whether a picture lacks what an earlier one had: a mark, so that a fence would have to
    /// rest on an older one; or the one word, which the verdict rests on (seeds 8032331 and
    /// 10603147 ended as passed without it).
    pub(super) fn is_poorer(&self, batch: &Batch) -> bool {
        let now = Fence::at(batch);
        (self.awaited.is_some() && now.run.is_none())
            || (self.newest_start.is_some() && now.last_run.is_none())
            || (self.newest_change.is_some() && now.last_change.is_none())
            || (self.words_sent && batch.conflated.is_none())
    }

    /// Where to go on: with the open rerun if there is one, else by reading first.
    fn phase_to_resume(&self) -> Phase {
        if self.open.is_some() {
            Phase::Rerunning
        } else if self.batch.is_none() {
            Phase::Resolving
        } else {
            Phase::Waiting
        }
    }

    /// How long this attempt has waited. A pause does not count, so while paused
    /// it stands still.
    pub fn waited(&self, now: Timestamp) -> Duration {
        let until = match self.phase {
            Phase::Paused(_) => self.paused_since.unwrap_or(self.last_at),
            _ => now,
        };
        until.since(self.clock_started)
    }

    /// When this attempt has waited long enough.
    pub fn deadline(&self) -> Timestamp {
        self.clock_started.after(self.policy.wait_timeout)
    }

    /// The verdict, if there is one.
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.phase {
            Phase::Done(verdict) => Some(verdict),
            _ => None,
        }
    }
}

/// Milliseconds from one time to another; negative if it is earlier.
fn between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millis().saturating_sub(from.as_millis())
}

/// A time moved by a signed number of milliseconds.
pub(super) fn shifted(at: Timestamp, shift_ms: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(shift_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConflatedBatchStatus, StatusChange};

    #[test]
    fn a_time_moves_by_a_span_of_either_sign_and_ends_where_times_end() {
        for (at, by, moved) in [
            (1_000, 0, 1_000),
            (1_000, 500, 1_500),
            (1_000, -1_500, -500),
            (i64::MAX - 1, 5, i64::MAX),
            (i64::MIN + 1, -5, i64::MIN),
        ] {
            let at = Timestamp::from_millis(at);
            assert_eq!(
                shifted(at, by),
                Timestamp::from_millis(moved),
                "{at:?} by {by}"
            );
            let back = between(shifted(at, by), at);
            assert!(back == -by || moved == i64::MAX || moved == i64::MIN);
        }
    }

    #[test]
    fn a_picture_that_lacks_any_one_thing_which_was_sent_before_is_poorer() {
        let started = Event::Started {
            policy: Policy::default(),
            limits: Limits::default(),
            batch: BatchRef::Id(BatchId::from_u128(1)),
        };
        let record = Record {
            seq: 0,
            at: Timestamp::from_millis(1),
            event: started,
        };
        let known = |change: fn(&mut State)| {
            let mut state =
                State::replay(std::slice::from_ref(&record)).expect("it begins with a start");
            change(&mut state);
            state
        };
        let bare = Batch::new(BatchId::from_u128(1));
        assert!(!known(|_| {}).is_poorer(&bare), "nothing was sent before");
        let at = Timestamp::from_millis;
        for state in [
            known(|it| it.awaited = Some(RunCounter(1))),
            known(|it| it.newest_start = Some(Timestamp::from_millis(5))),
            known(|it| it.newest_change = Some(Timestamp::from_millis(5))),
            known(|it| it.words_sent = true),
        ] {
            assert!(state.is_poorer(&bare), "{state:?}");
            let mut whole = bare.clone();
            whole.run_counter = Some(RunCounter(1));
            whole.last_run = Some(at(5));
            whole.conflated = Some(ConflatedBatchStatus::Error);
            whole.history = vec![StatusChange {
                status: BatchStatus::Error,
                at: Some(at(5)),
            }];
            assert!(!state.is_poorer(&whole), "{state:?}");
        }
    }
}
