//! A model of the API, written from `resim-api.md` §3–§5: a batch that runs,
//! finishes, cleans up, is run again in place with a rising run counter.

use retake_core::domain::{
    Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, RunCounter, StatusCounts,
    Test, TestId, Timestamp,
};

use crate::dice::Dice;

/// How one test behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nature {
    /// Always passes.
    Sound,
    /// Fails its first so many runs.
    Flaky(i64),
    /// Always fails.
    Broken,
}

#[derive(Debug, Clone)]
struct Job {
    id: TestId,
    nature: Nature,
    fails_as: ConflatedStatus,
    runs: i64,
    done_at: i64,
}

/// The server's side.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // a model of many independent faults
pub(crate) struct Model {
    pub(crate) batch: BatchId,
    pub(crate) run: i64,
    /// The run it began with.
    pub(crate) first_run: i64,
    pub(crate) cancelled: bool,
    jobs: Vec<Job>,
    /// Batch metrics end this long after the last test.
    metrics_ms: i64,
    /// Reruns are refused this long after the end.
    cleanup_ms: i64,
    /// Some deployments send no counters and no word.
    pub(crate) sends_counters: bool,
    sends_word: bool,
    hangs: bool,
}

/// What the server answers to a rerun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RerunReply {
    Accepted(i64),
    Busy,
}

impl Model {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let size = dice.between(1, 24);
        let failing = dice.pick(&[0, 100, 300, 700]);
        let jobs = (1..=size)
            .map(|n| Job {
                id: TestId::from_u128(u128::from(n.unsigned_abs())),
                nature: if dice.permille(failing) {
                    if dice.permille(600) {
                        Nature::Flaky(dice.between(1, 3))
                    } else {
                        Nature::Broken
                    }
                } else {
                    Nature::Sound
                },
                fails_as: dice.pick(&[
                    ConflatedStatus::Error,
                    ConflatedStatus::Blocker,
                    ConflatedStatus::Warning,
                ]),
                runs: 1,
                done_at: dice.between(0, 600_000),
            })
            .collect();
        let first_run = dice.between(0, 3);
        Self {
            batch: BatchId::from_u128(99),
            run: first_run,
            first_run,
            cancelled: false,
            jobs,
            metrics_ms: dice.between(0, 20_000),
            cleanup_ms: dice.pick(&[0, 0, 15_000, 55_000, 120_000]),
            sends_counters: !dice.permille(80),
            sends_word: !dice.permille(100),
            hangs: dice.permille(40),
        }
    }

    fn ended_at(&self) -> i64 {
        self.jobs.iter().map(|job| job.done_at).max().unwrap_or(0) + self.metrics_ms
    }

    pub(crate) fn finished(&self, now: i64) -> bool {
        self.cancelled || (!self.hangs && now >= self.ended_at())
    }

    fn status_of(job: &Job, now: i64) -> ConflatedStatus {
        if now < job.done_at {
            return ConflatedStatus::Running;
        }
        let fails = match job.nature {
            Nature::Sound => false,
            Nature::Flaky(until) => job.runs <= until,
            Nature::Broken => true,
        };
        if fails {
            job.fails_as.clone()
        } else {
            ConflatedStatus::Passed
        }
    }

    pub(crate) fn tests(&self, now: i64) -> Vec<Test> {
        self.jobs
            .iter()
            .map(|job| {
                let mut test = Test::new(job.id, format!("test {}", job.id.as_u128()));
                test.conflated = Some(Self::status_of(job, now));
                test
            })
            .collect()
    }

    pub(crate) fn read(&self, now: i64) -> Batch {
        let mut batch = Batch::new(self.batch);
        let words: Vec<ConflatedStatus> = self
            .jobs
            .iter()
            .map(|job| Self::status_of(job, now))
            .collect();
        let has = |word: &ConflatedStatus| words.contains(word);
        let status = if self.cancelled {
            BatchStatus::Cancelled
        } else if !self.finished(now) {
            BatchStatus::ExperiencesRunning
        } else if has(&ConflatedStatus::Error) {
            BatchStatus::Error
        } else {
            BatchStatus::Succeeded
        };
        let word = match status {
            BatchStatus::Cancelled => ConflatedBatchStatus::Cancelled,
            BatchStatus::Error => ConflatedBatchStatus::Error,
            BatchStatus::Succeeded if has(&ConflatedStatus::Blocker) => {
                ConflatedBatchStatus::Blocker
            }
            BatchStatus::Succeeded if has(&ConflatedStatus::Warning) => {
                ConflatedBatchStatus::Warning
            }
            BatchStatus::Succeeded => ConflatedBatchStatus::Complete,
            _ => ConflatedBatchStatus::Running,
        };
        batch.status = Some(status);
        batch.conflated = self.sends_word.then_some(word);
        batch.total_tests = Some(self.jobs.len() as u64);
        batch.run_counter = self.sends_counters.then_some(RunCounter(self.run));
        batch.last_run = Some(Timestamp::from_millis(self.run * 1_000_000));
        let running = words
            .iter()
            .filter(|word| **word == ConflatedStatus::Running)
            .count() as u64;
        batch.status_counts = Some(StatusCounts {
            running,
            succeeded: words.len() as u64 - running,
            ..StatusCounts::default()
        });
        batch
    }

    /// A rerun arrives.
    pub(crate) fn rerun(&mut self, ids: &[TestId], now: i64, dice: &mut Dice) -> RerunReply {
        if !self.finished(now) || now < self.ended_at() + self.cleanup_ms {
            return RerunReply::Busy;
        }
        self.run += 1;
        self.cancelled = false;
        for job in self.jobs.iter_mut().filter(|job| ids.contains(&job.id)) {
            job.runs += 1;
            job.done_at = now + dice.between(1_000, 300_000);
        }
        // Batch metrics always run again, so the batch is unfinished at once.
        self.metrics_ms = self.metrics_ms.max(1_000) + (now - self.ended_at()).max(0);
        RerunReply::Accepted(self.run)
    }

    pub(crate) fn ids(&self) -> Vec<TestId> {
        self.jobs.iter().map(|job| job.id).collect()
    }

    pub(crate) fn cancel(&mut self, now: i64) {
        if !self.finished(now) {
            self.cancelled = true;
        }
    }
}
