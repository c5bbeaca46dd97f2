//! When each test of a run starts, computes metrics and ends.
//!
//! Why: nothing ticks. A schedule turns (run, test) into four offsets, and a
//! tally keeps them sorted once per run, so that the counts of 100,000 tests
//! at any moment are a few binary searches.
//!
//! Offsets are milliseconds of *progress* since the start of the run.
//! Progress is elapsed time plus whatever was skipped (`skip`), which lets a
//! test jump ahead without timestamps in the future.

use super::recipe::Outcome;
use crate::seed;

/// An offset that no run reaches: the test hangs.
pub(crate) const NEVER: u64 = 1 << 52;

/// The moments of one test in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stages {
    /// The experience starts (for a metrics-only run: the metrics queue).
    pub(crate) start: u64,
    pub(crate) metrics_queued: u64,
    pub(crate) metrics_running: u64,
    pub(crate) end: u64,
    /// Cancelled while queued, at `end`.
    pub(crate) cancelled: bool,
}

/// The rule that places tests on the time line of one run.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) key: u64,
    /// The run's number.
    pub(crate) counter: u32,
    /// How many tests run.
    pub(crate) size: u32,
    pub(crate) parallel: u32,
    pub(crate) duration: [u64; 2],
    pub(crate) queue: u64,
    pub(crate) batch_metrics: u64,
    pub(crate) metrics_only: bool,
    pub(crate) hang: bool,
    /// Progress at which the run was cancelled.
    pub(crate) cancel: Option<u64>,
}

impl Schedule {
    /// The moments of the test at `position` among the run's tests.
    pub(crate) fn stages(&self, position: u32, index: u32, outcome: Outcome) -> Stages {
        let [low, high] = self.duration;
        let span = high.saturating_sub(low);
        let middle = low + span / 2;
        let salt = u64::from(index) << 20 | u64::from(self.counter);
        let wave = u64::from(position / self.parallel.max(1));
        let start = self.queue + wave * middle + seed::below(self.key, salt, middle / 2 + 1);
        let length = (low + seed::below(self.key, salt ^ 0xd0, span + 1)).max(4);
        let metrics = |part: u64| start + length * part / 100;
        let mut stages = if self.metrics_only {
            Stages {
                start,
                metrics_queued: start,
                metrics_running: metrics(20),
                end: metrics(60),
                cancelled: false,
            }
        } else if outcome == Outcome::Error && seed::below(self.key, salt ^ 0xe0, 4) != 0 {
            // Most errors break the experience stage: no metrics follow.
            let end = metrics(30 + seed::below(self.key, salt ^ 0xe1, 60));
            Stages {
                start,
                metrics_queued: end,
                metrics_running: end,
                end,
                cancelled: false,
            }
        } else {
            Stages {
                start,
                metrics_queued: metrics(74),
                metrics_running: metrics(80),
                end: start + length,
                cancelled: false,
            }
        };
        if self.hang && position + 1 == self.size {
            stages.metrics_queued = NEVER;
            stages.metrics_running = NEVER;
            stages.end = NEVER;
        }
        if let Some(cancel) = self.cancel {
            if stages.start > cancel {
                return Stages {
                    start: cancel,
                    metrics_queued: cancel,
                    metrics_running: cancel,
                    end: cancel,
                    cancelled: true,
                };
            }
            if stages.end == NEVER {
                // Even a hanging test is stopped by a cancel in the end.
                stages.end = cancel + middle;
                stages.metrics_queued = stages.end;
                stages.metrics_running = stages.end;
            }
        }
        stages
    }
}

/// How many tests are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) submitted: u32,
    pub(crate) running: u32,
    pub(crate) metrics_queued: u32,
    pub(crate) metrics_running: u32,
    pub(crate) passed: u32,
    pub(crate) warning: u32,
    pub(crate) blocker: u32,
    pub(crate) error: u32,
    pub(crate) cancelled: u32,
}

impl Counts {
    /// The count of one outcome.
    pub(crate) fn of(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Warning => &mut self.warning,
            Outcome::Blocker => &mut self.blocker,
            Outcome::Error => &mut self.error,
        }
    }
}

/// The sorted moments of all tests of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    starts: Vec<u64>,
    queues: Vec<u64>,
    metrics: Vec<u64>,
    ends: Vec<u64>,
    by_outcome: [Vec<u64>; 4],
    cancelled_at: Option<u64>,
    cancelled: u32,
}

impl Tally {
    /// Sorts the moments of every test of a run.
    pub(crate) fn new(tests: impl Iterator<Item = (Stages, Outcome)>) -> Self {
        let mut tally = Self::default();
        for (stages, outcome) in tests {
            if stages.cancelled {
                tally.cancelled += 1;
                tally.cancelled_at = Some(stages.end);
                continue;
            }
            tally.starts.push(stages.start);
            tally.queues.push(stages.metrics_queued);
            tally.metrics.push(stages.metrics_running);
            tally.ends.push(stages.end);
            tally.by_outcome[outcome as usize].push(stages.end);
        }
        tally.starts.sort_unstable();
        tally.queues.sort_unstable();
        tally.metrics.sort_unstable();
        tally.ends.sort_unstable();
        for ends in &mut tally.by_outcome {
            ends.sort_unstable();
        }
        tally
    }

    /// When the last test ends; 0 if the run has no tests.
    pub(crate) fn end(&self) -> u64 {
        let last = self.ends.last().copied().unwrap_or(0);
        last.max(self.cancelled_at.unwrap_or(0))
    }

    /// The counts at a moment, added to those of tests outside the run.
    pub(crate) fn counts(&self, progress: u64, settled: Counts) -> Counts {
        let reached = |sorted: &[u64]| {
            u32::try_from(sorted.partition_point(|at| *at <= progress)).unwrap_or(u32::MAX)
        };
        let size = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
        let (starts, queues) = (reached(&self.starts), reached(&self.queues));
        let (metrics, ends) = (reached(&self.metrics), reached(&self.ends));
        let mut counts = settled;
        counts.submitted += size - starts;
        counts.running += starts - queues;
        counts.metrics_queued += queues - metrics;
        counts.metrics_running += metrics - ends;
        counts.passed += reached(&self.by_outcome[Outcome::Passed as usize]);
        counts.warning += reached(&self.by_outcome[Outcome::Warning as usize]);
        counts.blocker += reached(&self.by_outcome[Outcome::Blocker as usize]);
        counts.error += reached(&self.by_outcome[Outcome::Error as usize]);
        if self.cancelled_at.is_some_and(|at| at <= progress) {
            counts.cancelled += self.cancelled;
        } else {
            counts.submitted += self.cancelled;
        }
        counts
    }
}

/// The passing of time in one run: its start and the stretches skipped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passage {
    /// Milliseconds since the epoch.
    pub(crate) start: i64,
    /// (elapsed at the skip, milliseconds skipped), in order.
    skips: Vec<(u64, u64)>,
}

impl Passage {
    /// A run that starts now.
    pub(crate) const fn starting(start: i64) -> Self {
        Self {
            start,
            skips: Vec::new(),
        }
    }

    fn elapsed(&self, now: i64) -> u64 {
        u64::try_from(now - self.start).unwrap_or(0)
    }

    /// Progress at a moment.
    pub(crate) fn progress(&self, now: i64) -> u64 {
        let elapsed = self.elapsed(now);
        let skipped = self.skips.iter().map(|(_, by)| by).sum::<u64>();
        elapsed + skipped
    }

    /// Jumps ahead.
    pub(crate) fn skip(&mut self, now: i64, by: u64) {
        self.skips.push((self.elapsed(now), by));
    }

    /// The moment at which progress reached an offset: what was skipped
    /// happened at the skip.
    pub(crate) fn moment(&self, offset: u64) -> i64 {
        let mut skipped = 0;
        for (at, by) in &self.skips {
            if offset < at + skipped {
                break;
            }
            if offset <= at + skipped + by {
                return self.start + i64::try_from(*at).unwrap_or(i64::MAX);
            }
            skipped += by;
        }
        self.start
            .saturating_add(i64::try_from(offset - skipped).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule {
            key: 7,
            counter: 1,
            size: 100,
            parallel: 10,
            duration: [100, 300],
            queue: 50,
            batch_metrics: 40,
            metrics_only: false,
            hang: false,
            cancel: None,
        }
    }

    #[test]
    fn a_tally_agrees_with_counting_one_by_one() {
        let outcomes = [
            Outcome::Passed,
            Outcome::Error,
            Outcome::Warning,
            Outcome::Blocker,
        ];
        for cancel in [None, Some(0), Some(700), Some(5_000)] {
            let schedule = Schedule {
                cancel,
                ..schedule()
            };
            let tests: Vec<_> = (0..100)
                .map(|i| {
                    let outcome = outcomes[i as usize % 4];
                    (schedule.stages(i, i, outcome), outcome)
                })
                .collect();
            let tally = Tally::new(tests.iter().copied());
            for progress in (0..3_000).step_by(37) {
                let mut plain = Counts::default();
                for (stages, outcome) in &tests {
                    if stages.cancelled {
                        if stages.end <= progress {
                            plain.cancelled += 1;
                        } else {
                            plain.submitted += 1;
                        }
                    } else if stages.end <= progress {
                        *plain.of(*outcome) += 1;
                    } else if stages.metrics_running <= progress {
                        plain.metrics_running += 1;
                    } else if stages.metrics_queued <= progress {
                        plain.metrics_queued += 1;
                    } else if stages.start <= progress {
                        plain.running += 1;
                    } else {
                        plain.submitted += 1;
                    }
                }
                assert_eq!(tally.counts(progress, Counts::default()), plain);
            }
        }
    }

    #[test]
    fn a_skip_never_dates_anything_into_the_future() {
        let mut passage = Passage::starting(1_000);
        passage.skip(1_200, 5_000);
        assert_eq!(passage.progress(1_300), 5_300);
        assert_eq!(passage.moment(100), 1_100);
        assert_eq!(passage.moment(4_000), 1_200);
        assert_eq!(passage.moment(5_250), 1_250);
    }
}
