//! A model of the API, written from its documented laws: a batch runs,
//! finishes, cleans up, and is run again with a rising run counter.
//!
//! Everything that the server ever did is a short list of runs, so its state
//! at any moment, now or half a minute ago on a lagging replica, is a function
//! of that list. Nothing is ever copied.

use retake_core::{
    domain::{
        Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, MetricsCounts,
        RunCounter, StatusChange, StatusCounts, Test, TestId, Timestamp,
    },
    supervise::NotPassed,
};

use crate::dice::{Dice, mix, within};

/// Virtual time 0 by an unmoved wall clock.
pub(crate) const EPOCH_MS: i64 = 1_800_000_000_000;

/// Milliseconds of virtual time as the server's clock shows them.
pub(crate) const fn stamp(at: i64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS + at)
}

/// How one test behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// Always passes.
    Sound,
    /// Fails its first so many runs.
    Flaky(u32),
    /// Always fails.
    Broken,
    /// Fails in some runs and passes in others, also after it has passed.
    Moody,
}

/// Who made a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The launch.
    Launch,
    /// A POST of this simulation's supervisors: its index.
    Post(usize),
    /// Somebody else.
    Others,
}

/// One run of the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: i64,
    /// When the last test and the metrics are done.
    pub(crate) end: i64,
    /// The tests that it ran, as bits.
    pub(crate) tests: u16,
    pub(crate) cancelled: i64,
    pub(crate) by: By,
    /// Index of the run whose batch it ran again; a rerun may get a batch of its own.
    after: Option<usize>,
}

/// Which optional fields a deployment sends.
#[expect(clippy::struct_excessive_bools, reason = "fields, each sent or not")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sends {
    pub(crate) counter: bool,
    pub(crate) start: bool,
    pub(crate) history: bool,
    pub(crate) word: bool,
    pub(crate) counts: bool,
}

impl Sends {
    /// Whether nothing that it sends could ever prove a new run.
    pub(crate) fn is_blind(self) -> bool {
        !self.counter && !self.start && !self.history
    }
}

/// The server's side.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a model of independent peculiarities"
)]
#[derive(Debug, Clone)]
pub(crate) struct Server {
    seed: u64,
    pub(crate) size: u16,
    natures: [Nature; 16],
    fails_as: [ConflatedStatus; 16],
    pub(crate) runs: Vec<Run>,
    /// The counter of the first run.
    first: i64,
    pub(crate) sends: Sends,
    /// A rerun gets a new batch ID.
    pub(crate) new_ids: bool,
    /// Broken tests do not make the batch an error.
    tolerant: bool,
    /// The first run never ends.
    hangs: bool,
    cleanup_ms: i64,
    longest_ms: i64,
    pub(crate) page: u16,
    pub(crate) busy_forever: bool,
    /// The batch says so many tests more than there are.
    pub(crate) miscounts: u64,
    /// Each test is listed as started so much later than its run (`resim-api.md` §2.2 gives that
    /// time no meaning).
    pub(crate) stamped_late_ms: i64,
    /// A replica that lags shows what was at most so long ago.
    pub(crate) longest_lag_ms: i64,
}

/// What one moment shows, before any field is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// Index of the run in [`Server::runs`].
    pub(crate) run: usize,
    pub(crate) at: i64,
    pub(crate) terminal: bool,
    pub(crate) cancelled: bool,
}

const BATCH: u128 = 99;

impl Server {
    pub(crate) fn new(seed: u64, dice: &mut Dice) -> Self {
        let size = u16::try_from(dice.between(1, 9)).expect("small");
        let failing = dice.pick(&[0, 100, 300, 300, 700]);
        let natures = std::array::from_fn(|_| {
            if !dice.permille(failing) {
                Nature::Sound
            } else if dice.permille(600) {
                Nature::Flaky(u32::try_from(dice.between(1, 3)).expect("small"))
            } else if dice.permille(500) {
                Nature::Moody
            } else {
                Nature::Broken
            }
        });
        let fails_as = std::array::from_fn(|_| match dice.below(3) {
            0 => ConflatedStatus::Error,
            1 => ConflatedStatus::Blocker,
            _ => ConflatedStatus::Warning,
        });
        let counter = !dice.permille(120);
        let mut it = Self {
            seed: mix(seed ^ 0x5EED),
            size,
            natures,
            fails_as,
            runs: Vec::with_capacity(8),
            first: dice.between(0, 3),
            sends: Sends {
                counter,
                start: !dice.permille(if counter { 200 } else { 400 }),
                history: dice.permille(300),
                word: !dice.permille(100),
                counts: !dice.permille(150),
            },
            new_ids: dice.permille(40),
            tolerant: dice.permille(300),
            hangs: dice.permille(30),
            cleanup_ms: dice.pick(&[0, 0, 15_000, 55_000, 120_000]),
            longest_ms: dice.pick(&[20_000, 120_000, 300_000]),
            page: dice.pick(&[2, 3, 100, 100]),
            busy_forever: false,
            miscounts: 0,
            stamped_late_ms: if dice.permille(80) {
                dice.between(1, 20_000)
            } else {
                0
            },
            longest_lag_ms: 30_000,
        };
        it.begin(0, it.all(), By::Launch, None);
        it
    }

    /// Every test, as bits.
    pub(crate) fn all(&self) -> u16 {
        (1 << self.size) - 1
    }

    /// The tests that fail, as bits.
    pub(crate) fn failing(&self, view: View) -> u16 {
        (0..self.size)
            .filter(|job| self.test(*job, view).is_failing())
            .fold(0, |bits, job| bits | 1 << job)
    }

    fn begin(&mut self, now: i64, tests: u16, by: By, after: Option<usize>) {
        let run = self.runs.len();
        let end = (0..self.size)
            .filter(|job| tests >> job & 1 == 1)
            .map(|job| self.done_at(job, run, now))
            .max()
            .unwrap_or(now);
        let metrics = within(mix(self.seed ^ run as u64 ^ 0x3E), 1_000, 15_000);
        let hangs = self.hangs && run == 0;
        self.runs.push(Run {
            start: now,
            end: if hangs { i64::MAX } else { end + metrics },
            tests,
            cancelled: i64::MAX,
            by,
            after,
        });
    }

    fn done_at(&self, job: u16, run: usize, start: i64) -> i64 {
        let bits = mix(self.seed ^ (run as u64) << 16 ^ u64::from(job));
        start + within(bits, 2_000, self.longest_ms)
    }

    /// What this moment shows.
    pub(crate) fn view(&self, at: i64) -> View {
        let at = at.max(0);
        let run = self
            .runs
            .iter()
            .rposition(|run| run.start <= at)
            .expect("the first run starts at 0");
        self.view_of(run, at)
    }

    fn view_of(&self, run: usize, at: i64) -> View {
        let Run { end, cancelled, .. } = self.runs[run];
        View {
            run,
            at,
            terminal: at >= end.min(cancelled),
            cancelled: at >= cancelled,
        }
    }

    /// The status of a test at this moment.
    pub(crate) fn test(&self, job: u16, view: View) -> ConflatedStatus {
        let mut last = None;
        let mut count = 0;
        for (index, run) in self.history(view.run) {
            if run.tests >> job & 1 == 1 {
                last = last.or(Some((index, run)));
                count += 1;
            }
        }
        let Some((index, run)) = last else {
            return ConflatedStatus::Queued;
        };
        let done = self.done_at(job, index, run.start);
        if run.cancelled <= view.at && run.cancelled < done {
            return ConflatedStatus::Cancelled;
        }
        if view.at < done || (run.end == i64::MAX && job == 0) {
            return ConflatedStatus::Running;
        }
        let fails = match self.natures[usize::from(job)] {
            Nature::Sound => false,
            Nature::Flaky(until) => count <= until,
            Nature::Broken => true,
            Nature::Moody => mix(self.seed ^ u64::from(count) << 32 ^ u64::from(job)) & 1 == 1,
        };
        if fails {
            self.fails_as[usize::from(job)].clone()
        } else {
            ConflatedStatus::Passed
        }
    }

    /// When the latest run of a test began.
    fn started(&self, job: u16, view: View) -> i64 {
        let mut ran = self
            .history(view.run)
            .filter(|(_, run)| run.tests >> job & 1 == 1);
        ran.next().map_or(0, |(_, run)| run.start)
    }

    /// A run and those that its batch went through before it, the latest first.
    fn history(&self, run: usize) -> impl Iterator<Item = (usize, &Run)> {
        let of = |index: usize| (index, &self.runs[index]);
        std::iter::successors(Some(of(run)), move |(_, run)| run.after.map(of))
    }

    /// Status and word of the batch at this moment, when its tests count so.
    fn words(
        &self,
        view: View,
        states: StatusCounts,
        metrics: MetricsCounts,
    ) -> (BatchStatus, ConflatedBatchStatus) {
        if view.cancelled {
            return (BatchStatus::Cancelled, ConflatedBatchStatus::Cancelled);
        }
        if !view.terminal {
            let status = if view.at < self.runs[view.run].start + 1_000 {
                BatchStatus::Submitted
            } else {
                BatchStatus::ExperiencesRunning
            };
            return (status, ConflatedBatchStatus::Running);
        }
        if states.error > 0 && !self.tolerant {
            return (BatchStatus::Error, ConflatedBatchStatus::Error);
        }
        let word = if metrics.fail_block > 0 {
            ConflatedBatchStatus::Blocker
        } else if metrics.fail_warn > 0 {
            ConflatedBatchStatus::Warning
        } else {
            ConflatedBatchStatus::Complete
        };
        (BatchStatus::Succeeded, word)
    }

    /// The ID under which a run is read.
    pub(crate) fn id_of(&self, run: usize) -> BatchId {
        BatchId::from_u128(BATCH + if self.new_ids { run as u128 } else { 0 })
    }

    /// The counter of a run. A new batch counts from its own start.
    pub(crate) fn counter(&self, run: usize) -> RunCounter {
        let past = if self.new_ids { 0 } else { run };
        RunCounter(self.first + i64::try_from(past).expect("few runs"))
    }

    /// What a read of this ID shows at this moment; for a new ID per rerun,
    /// the run that the ID names.
    pub(crate) fn view_by_id(&self, id: BatchId, at: i64) -> View {
        if !self.new_ids {
            return self.view(at);
        }
        let run = usize::try_from(id.as_u128() - BATCH).expect("an ID that was given out");
        // A replica that does not know the batch yet would answer 404; it is
        // shown as just begun.
        self.view_of(run, at.max(self.runs[run].start))
    }

    /// The batch as the API sends it.
    pub(crate) fn batch(&self, view: View) -> Batch {
        let run = self.runs[view.run];
        let mut batch = Batch::new(self.id_of(view.run));
        let (states, metrics) = self.count(view);
        let (status, word) = self.words(view, states, metrics);
        batch.status = Some(status);
        batch.conflated = self.sends.word.then_some(word);
        batch.total_tests = Some(u64::from(self.size) + self.miscounts);
        batch.run_counter = self.sends.counter.then(|| self.counter(view.run));
        batch.last_run = self.sends.start.then(|| stamp(run.start));
        if self.sends.history {
            batch.history.push(StatusChange {
                status: BatchStatus::Submitted,
                at: Some(stamp(run.start)),
            });
            if view.terminal {
                batch.history.push(StatusChange {
                    status: batch.status.clone().expect("just set"),
                    at: Some(stamp(run.end.min(run.cancelled))),
                });
            }
        }
        if self.sends.counts {
            batch.status_counts = Some(states);
            batch.metrics_counts = Some(metrics);
        }
        batch
    }

    /// The batch's own counts of its tests.
    fn count(&self, view: View) -> (StatusCounts, MetricsCounts) {
        let mut states = StatusCounts::default();
        let mut metrics = MetricsCounts::default();
        if view.terminal {
            for job in 0..self.size {
                match self.test(job, view) {
                    ConflatedStatus::Error => states.error += 1,
                    ConflatedStatus::Cancelled => states.cancelled += 1,
                    ConflatedStatus::Running => states.running += 1,
                    ConflatedStatus::Queued => states.submitted += 1,
                    ConflatedStatus::Blocker => metrics.fail_block += 1,
                    ConflatedStatus::Warning => metrics.fail_warn += 1,
                    _ => metrics.passed += 1,
                }
            }
            states.succeeded = metrics.passed + metrics.fail_block + metrics.fail_warn;
        } else {
            // Nobody looks at more of an unfinished batch.
            states.running = 1;
            states.succeeded = u64::from(self.size) - 1;
        }
        (states, metrics)
    }

    /// How many tests have passed.
    pub(crate) fn passed(&self, view: View) -> u64 {
        let passed = |job: &u16| self.test(*job, view) == ConflatedStatus::Passed;
        (0..self.size).filter(passed).count() as u64
    }

    /// One page of the listing, as the API sends it, of all tests or of those that did
    /// `not_pass`; whether another one follows.
    pub(crate) fn page(
        &self,
        view: View,
        page: u16,
        not_passed: bool,
        into: &mut Vec<Test>,
    ) -> bool {
        let from = usize::from(page * self.page);
        let mut listed = 0;
        for job in 0..self.size {
            let state = self.test(job, view);
            if not_passed && !NotPassed::asks_for(&state) {
                continue;
            }
            if (from..from + usize::from(self.page)).contains(&listed) {
                let mut test = Test::new(id_of_test(job), String::new());
                test.conflated = Some(state);
                test.last_run = self
                    .sends
                    .start
                    .then(|| stamp(self.started(job, view) + self.stamped_late_ms));
                into.push(test);
            }
            listed += 1;
        }
        listed > from + usize::from(self.page)
    }

    /// A rerun arrives; `true` if it is applied.
    pub(crate) fn rerun(&mut self, id: BatchId, tests: u16, now: i64, by: By) -> bool {
        let view = self.view_by_id(id, now);
        let run = self.runs[view.run];
        let clean = run.end.min(run.cancelled).saturating_add(self.cleanup_ms);
        if !view.terminal || now < clean || self.busy_forever {
            return false;
        }
        self.begin(now, tests, by, Some(view.run));
        true
    }

    /// Somebody cancels; `true` if there was something to cancel.
    pub(crate) fn cancel(&mut self, now: i64) -> bool {
        let view = self.view(now);
        if !view.terminal {
            self.runs[view.run].cancelled = now;
        }
        !view.terminal
    }
}

/// The ID of a test.
pub(crate) fn id_of_test(job: u16) -> TestId {
    TestId::from_u128(u128::from(job) + 1)
}

/// The tests of these IDs, as bits.
pub(crate) fn bits_of<'a>(ids: impl IntoIterator<Item = &'a TestId>) -> u16 {
    ids.into_iter()
        .map(|id| 1 << (id.as_u128() - 1))
        .fold(0, |all, bit: u16| all | bit)
}
