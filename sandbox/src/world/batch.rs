//! One simulated batch: its runs, and every state derived from the time.
//!
//! SUBMITTED -> `EXPERIENCES_RUNNING` -> `BATCH_METRICS_QUEUED`
//!   -> `BATCH_METRICS_RUNNING` -> SUCCEEDED | ERROR, or CANCELLED
//!
//! Invariant: a run is only added while the batch is terminal, so every
//! earlier run is complete. Elsewhere: offsets (timeline.rs), the JSON
//! (api/wire.rs), who may rerun when (rerun.rs).

use std::collections::BTreeMap;

use uuid::Uuid;

use super::recipe::{Class, Outcome, Recipe};
use super::timeline::{Counts, NEVER, Passage, Schedule, Stages, Tally};
use crate::seed;

/// Which tests take part in a run.
#[derive(Clone, Debug)]
pub(crate) enum Cohort {
    /// The first so many tests.
    All(u32),
    /// These indexes, ascending.
    Some(Vec<u32>),
}

impl Cohort {
    fn position(&self, index: u32) -> Option<u32> {
        match self {
            Self::All(count) => (index < *count).then_some(index),
            Self::Some(list) => list
                .binary_search(&index)
                .ok()
                .and_then(|at| u32::try_from(at).ok()),
        }
    }

    pub(crate) fn len(&self) -> u32 {
        match self {
            Self::All(count) => *count,
            Self::Some(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn indexes(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::All(count) => Box::new(0..*count),
            Self::Some(list) => Box::new(list.iter().copied()),
        }
    }
}

/// One run of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) schedule: Schedule,
    pub(crate) passage: Passage,
    pub(crate) cohort: Cohort,
    /// Results of the tests that are not part of this run.
    settled: Counts,
    tally: Tally,
}

/// What one test looks like at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TestState {
    /// `JobStatus`.
    pub(crate) status: &'static str,
    /// `MetricStatus`.
    pub(crate) metrics: &'static str,
    /// `ConflatedJobStatus`.
    pub(crate) conflated: &'static str,
    /// How often this test has been run.
    pub(crate) counter: u32,
    /// The index of its latest run among the batch's runs.
    pub(crate) run: usize,
    pub(crate) stages: Stages,
    /// Set once the test is finished and not cancelled.
    pub(crate) outcome: Option<Outcome>,
}

/// A batch. See the module's text.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) id: Uuid,
    pub(crate) key: u64,
    pub(crate) project: usize,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) account: String,
    pub(crate) user: String,
    pub(crate) created: i64,
    pub(crate) build: usize,
    pub(crate) suite: usize,
    pub(crate) suite_revision: u32,
    pub(crate) recipe: Recipe,
    pub(crate) runs: Vec<Run>,
    /// The number of the latest run that answers show.
    pub(crate) counter: u32,
    /// Changed by PATCH, by test index.
    pub(crate) descriptions: BTreeMap<u32, String>,
    classes: Vec<Class>,
    /// Status changes of earlier runs.
    past: Vec<(&'static str, i64)>,
}

/// What a batch needs besides its recipe.
pub(crate) struct Birth {
    pub(crate) id: Uuid,
    pub(crate) project: usize,
    pub(crate) name: String,
    pub(crate) build: usize,
    pub(crate) suite: usize,
    pub(crate) suite_revision: u32,
    /// When it was launched; for finished batches, when they ended.
    pub(crate) at: i64,
}

impl Batch {
    /// Launches the first run. A recipe that starts `Finished` ends at
    /// `birth.at`, one that starts `Running` has just left its queue then.
    pub(crate) fn new(birth: Birth, recipe: Recipe) -> Self {
        use super::recipe::Start;
        let key = seed::hash(birth.id.as_u64_pair().0, recipe.seed);
        let mut batch = Self {
            id: birth.id,
            key,
            project: birth.project,
            name: birth.name,
            description: String::new(),
            account: String::new(),
            user: "qa.lead@example.com".to_owned(),
            created: birth.at,
            build: birth.build,
            suite: birth.suite,
            suite_revision: birth.suite_revision,
            classes: recipe.classes(seed::hash(recipe.seed, 0xc1a5)),
            recipe,
            runs: Vec::new(),
            counter: 0,
            descriptions: BTreeMap::new(),
            past: Vec::new(),
        };
        batch.start_run(birth.at, Cohort::All(batch.size()), false);
        let run = batch.run();
        let back = match batch.recipe.start {
            Start::Submitted => 0,
            Start::Running => run.schedule.queue + 1,
            Start::Finished => run.last_end(),
        };
        let start = birth.at - i64::try_from(back).unwrap_or(0);
        batch.created = start;
        if let Some(run) = batch.runs.last_mut() {
            run.passage = Passage::starting(start);
        }
        batch
    }

    /// The number of tests.
    pub(crate) fn size(&self) -> u32 {
        u32::try_from(self.classes.len()).unwrap_or(u32::MAX)
    }

    /// Adds tests of a newer suite revision; returns their indexes.
    pub(crate) fn grow(&mut self, to: u32) -> std::ops::Range<u32> {
        let from = self.size();
        for index in from..to {
            self.classes.push(Recipe::added_class(self.key, index));
        }
        from..self.size()
    }

    /// The latest run.
    pub(crate) fn run(&self) -> &Run {
        self.runs
            .last()
            .expect("a batch is made with its first run")
    }

    /// Starts a run of these tests now.
    pub(crate) fn start_run(&mut self, now: i64, cohort: Cohort, metrics_only: bool) {
        let settled = if self.runs.is_empty() {
            Counts::default()
        } else {
            self.past = self.history(now);
            let mut counts = self.counts(now);
            for index in cohort.indexes() {
                // Tests that the suite has just added were not counted yet.
                if !self.has_run(index) {
                    continue;
                }
                let state = self.test(index, now);
                match state.outcome {
                    Some(outcome) => *counts.of(outcome) -= 1,
                    None => counts.cancelled -= 1,
                }
            }
            counts
        };
        self.counter += 1;
        let recipe = &self.recipe;
        let schedule = Schedule {
            key: self.key,
            counter: self.counter,
            size: cohort.len(),
            parallel: recipe.parallel.unwrap_or(u32::MAX),
            duration: recipe.duration_ms,
            queue: if cohort.len() == 0 && !self.runs.is_empty() {
                0
            } else {
                recipe.queue_ms
            },
            batch_metrics: recipe.batch_metrics_ms,
            metrics_only,
            hang: recipe.hang,
            cancel: None,
        };
        self.runs.push(Run {
            schedule,
            passage: Passage::starting(now),
            cohort,
            settled,
            tally: Tally::default(),
        });
        self.tally_latest();
    }

    fn tally_latest(&mut self) {
        let last = self.runs.len() - 1;
        let run = &self.runs[last];
        let tally = Tally::new(run.cohort.indexes().zip(0..).map(|(index, position)| {
            let outcome = self.classes[index as usize].outcome(self.experience_runs(index, last));
            (run.schedule.stages(position, index, outcome), outcome)
        }));
        self.runs[last].tally = tally;
    }

    fn has_run(&self, index: u32) -> bool {
        self.runs.iter().any(|r| r.cohort.position(index).is_some())
    }

    /// How often the experience itself has been run, up to a run: metrics
    /// over kept output do not make a flaky test pass.
    fn experience_runs(&self, index: u32, up_to: usize) -> u32 {
        let runs = &self.runs[..=up_to];
        let count = runs
            .iter()
            .filter(|r| !r.schedule.metrics_only && r.cohort.position(index).is_some())
            .count();
        u32::try_from(count).unwrap_or(u32::MAX).max(1)
    }

    /// Counts by state.
    pub(crate) fn counts(&self, now: i64) -> Counts {
        let run = self.run();
        run.tally.counts(run.passage.progress(now), run.settled)
    }

    /// `BatchStatus` (`resim-api.md` §3.1).
    pub(crate) fn status(&self, now: i64) -> &'static str {
        let run = self.run();
        let progress = run.passage.progress(now);
        self.phases(run)
            .into_iter()
            .rev()
            .find(|(_, at)| *at <= progress)
            .map_or("SUBMITTED", |(status, _)| status)
    }

    /// Whether the orchestration has come to an end.
    pub(crate) fn is_terminal(&self, now: i64) -> bool {
        let run = self.run();
        run.passage.progress(now) >= run.last_end()
    }

    /// When the latest run ended or will end.
    pub(crate) fn ends_at(&self) -> i64 {
        let run = self.run();
        run.passage.moment(run.last_end())
    }

    fn phases(&self, run: &Run) -> Vec<(&'static str, u64)> {
        let tests_end = run.tally.end();
        let mut phases = Vec::with_capacity(5);
        if run.cohort.len() > 0 || self.runs.len() == 1 {
            phases.push(("SUBMITTED", 0));
            phases.push(("EXPERIENCES_RUNNING", run.schedule.queue));
        }
        if let Some(cancel) = run.schedule.cancel {
            phases.retain(|(_, at)| *at <= cancel);
            if cancel > tests_end && tests_end >= run.schedule.queue {
                phases.push(("BATCH_METRICS_QUEUED", tests_end));
            }
            phases.push(("CANCELLED", run.last_end()));
            return phases;
        }
        let tests_end = tests_end.max(if phases.is_empty() {
            0
        } else {
            run.schedule.queue
        });
        phases.push(("BATCH_METRICS_QUEUED", tests_end));
        phases.push((
            "BATCH_METRICS_RUNNING",
            tests_end + run.schedule.batch_metrics / 3,
        ));
        let last = if self.failed(run) {
            "ERROR"
        } else {
            "SUCCEEDED"
        };
        phases.push((last, run.last_end()));
        phases
    }

    /// More errors than `allowable_failure_percent` tolerates, or the batch
    /// itself broke (`resim-api.md` §3.1).
    fn failed(&self, run: &Run) -> bool {
        let counts = run.tally.counts(NEVER + NEVER, run.settled);
        let limit = u64::from(self.recipe.allowable_failure_percent) * u64::from(self.size());
        self.recipe.batch_error || u64::from(counts.error) * 100 > limit
    }

    /// Status changes over all runs, oldest first.
    pub(crate) fn history(&self, now: i64) -> Vec<(&'static str, i64)> {
        let run = self.run();
        let progress = run.passage.progress(now);
        let mut history = self.past.clone();
        let latest = self.phases(run);
        history.extend(
            latest
                .into_iter()
                .filter(|(_, at)| *at <= progress)
                .map(|(status, at)| (status, run.passage.moment(at))),
        );
        history
    }

    /// The state of one test.
    pub(crate) fn test(&self, index: u32, now: i64) -> TestState {
        let mut counter = 0;
        let mut latest = (0, 0);
        for (at, run) in self.runs.iter().enumerate() {
            if let Some(position) = run.cohort.position(index) {
                counter += 1;
                latest = (at, position);
            }
        }
        self.test_in(index, latest.0, latest.1, counter, now)
    }

    /// The states of one test in every run that it took part in.
    pub(crate) fn test_runs(&self, index: u32, now: i64) -> Vec<TestState> {
        let mut counter = 0;
        let mut states = Vec::new();
        for (at, run) in self.runs.iter().enumerate() {
            if let Some(position) = run.cohort.position(index) {
                counter += 1;
                states.push(self.test_in(index, at, position, counter, now));
            }
        }
        states
    }

    fn test_in(&self, index: u32, at: usize, position: u32, counter: u32, now: i64) -> TestState {
        let run = &self.runs[at];
        let outcome = self.classes[index as usize].outcome(self.experience_runs(index, at));
        let stages = run.schedule.stages(position, index, outcome);
        let progress = run.passage.progress(now);
        let state = |status, metrics, conflated, outcome| TestState {
            status,
            metrics,
            conflated,
            counter,
            run: at,
            stages,
            outcome,
        };
        let pending = "NO_STATUS_REPORTED";
        if progress >= stages.end {
            if stages.cancelled {
                state("CANCELLED", pending, "CANCELLED", None)
            } else {
                let status = if outcome == Outcome::Error {
                    "ERROR"
                } else {
                    "SUCCEEDED"
                };
                state(
                    status,
                    outcome.metrics(),
                    outcome.conflated(),
                    Some(outcome),
                )
            }
        } else if progress < stages.start || stages.cancelled {
            state("SUBMITTED", pending, "QUEUED", None)
        } else if progress >= stages.metrics_running {
            state("METRICS_RUNNING", pending, "RUNNING", None)
        } else if progress >= stages.metrics_queued {
            state("METRICS_QUEUED", pending, "RUNNING", None)
        } else {
            state("EXPERIENCE_RUNNING", pending, "RUNNING", None)
        }
    }

    /// The identity of a test.
    pub(crate) fn job_id(&self, index: u32) -> Uuid {
        seed::numbered_uuid(seed::hash(self.key, 0x0b), index)
    }

    /// The index of a test.
    pub(crate) fn job_index(&self, id: Uuid) -> Option<u32> {
        seed::index_of(seed::hash(self.key, 0x0b), id).filter(|index| *index < self.size())
    }

    /// Cancels: queued tests stop at once, running ones finish. Nothing
    /// happens to a batch that is already terminal.
    pub(crate) fn cancel(&mut self, now: i64) {
        if self.is_terminal(now) || self.run().schedule.cancel.is_some() {
            return;
        }
        if let Some(run) = self.runs.last_mut() {
            run.schedule.cancel = Some(run.passage.progress(now));
        }
        self.tally_latest();
    }

    /// Jumps ahead in the latest run by so many milliseconds.
    pub(crate) fn advance(&mut self, now: i64, by: u64) {
        if let Some(run) = self.runs.last_mut() {
            run.passage.skip(now, by);
        }
    }

    /// Jumps to the end of the latest run, also of one that hangs.
    pub(crate) fn finish(&mut self, now: i64) {
        if let Some(run) = self.runs.last_mut() {
            run.schedule.hang = false;
        }
        self.tally_latest();
        let run = self.run();
        let left = run.last_end().saturating_sub(run.passage.progress(now));
        self.advance(now, left);
    }
}

impl Run {
    /// The progress at which the batch becomes terminal.
    pub(crate) fn last_end(&self) -> u64 {
        let tests_end = self.tally.end();
        match self.schedule.cancel {
            Some(cancel) => tests_end.max(cancel),
            None => tests_end.max(self.schedule.queue) + self.schedule.batch_metrics,
        }
    }
}
