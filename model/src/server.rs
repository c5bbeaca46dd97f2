//! ReSim, as small as it can be: one batch of three tests, its runs, and a rerun
//! that is accepted or answered with 409.
//!
//! It tells all three marks of a run (`resim-api.md` §5) except the history.
//! How a run ends is not decided here: each way is a step of the model.

use std::hash::{Hash, Hasher};

use retake_core::domain::{
    Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, RunCounter, Test, TestId,
    Timestamp,
};

/// Tests of the batch.
pub(crate) const SIZE: u8 = 3;
/// Every test, as bits.
pub(crate) const ALL: u8 = (1 << SIZE) - 1;

/// How a test fails when it does: BLOCKER, WARNING, and ERROR, which makes the
/// whole batch an error.
const FAILS_AS: [ConflatedStatus; SIZE as usize] = [
    ConflatedStatus::Blocker,
    ConflatedStatus::Warning,
    ConflatedStatus::Error,
];

/// Who made a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum By {
    Launch,
    /// A POST of the supervision, by the number of its decision.
    Us(u8),
    Other,
}

/// What a run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shows {
    Running,
    Finished,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Run {
    /// The tests that it ran, as bits.
    pub(crate) tests: u8,
    /// Those of them that failed, once it has finished.
    pub(crate) fails: u8,
    pub(crate) by: By,
    pub(crate) shows: Shows,
    /// A POST that came after somebody else's run, which had looked like its own:
    /// nobody knows of it.
    pub(crate) stray: bool,
}

/// The batch at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct View {
    /// Index of the run.
    pub(crate) run: usize,
    pub(crate) shows: Shows,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) runs: Vec<Run>,
    /// The present run will be cleaned up when it has ended.
    pub(crate) cleans: bool,
    /// The last run is being cleaned up: reruns are answered with 409.
    pub(crate) cleaning: bool,
}

/// Likeness: what any read can still show, and who made which run. How a test
/// ended before it ran again is forgotten.
impl Hash for Server {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let view = self.view();
        (view, self.failing(view), self.cleans, self.cleaning).hash(to);
        for run in &self.runs {
            (run.tests, run.by, run.stray).hash(to);
        }
    }
}

impl Server {
    pub(crate) fn new(cleans: bool) -> Self {
        let mut it = Self {
            runs: Vec::new(),
            cleans,
            cleaning: false,
        };
        it.begin(ALL, By::Launch);
        it
    }

    fn begin(&mut self, tests: u8, by: By) {
        self.runs.push(Run {
            tests,
            fails: 0,
            by,
            shows: Shows::Running,
            stray: false,
        });
    }

    /// The present.
    pub(crate) fn view(&self) -> View {
        let run = self.runs.len() - 1;
        View {
            run,
            shows: self.runs[run].shows,
        }
    }

    /// The ways in which the present run can end: which of its tests fail. The
    /// launch ends at the guard or above it, our rerun in a pass or one failure,
    /// and a foreign one in another failure.
    pub(crate) fn ends(&self) -> &'static [u8] {
        let run = self.runs.last().expect("the launch");
        match (run.by, run.tests) {
            (By::Launch, _) => &[0b011, ALL],
            (By::Other, _) => &[0b010],
            (By::Us(_), 0b010) => &[0, 0b010],
            (By::Us(_), _) => &[0, 0b001],
        }
    }

    pub(crate) fn finish(&mut self, fails: u8) {
        let run = self.runs.last_mut().expect("the launch");
        run.shows = Shows::Finished;
        run.fails = fails;
        self.cleaning = std::mem::take(&mut self.cleans);
    }

    pub(crate) fn cancel(&mut self) {
        self.runs.last_mut().expect("the launch").shows = Shows::Cancelled;
    }

    /// Whether a rerun would be accepted now.
    pub(crate) fn is_free(&self) -> bool {
        self.view().shows != Shows::Running && !self.cleaning
    }

    /// A rerun arrives; `true` if it is applied, else the answer is 409.
    pub(crate) fn rerun(&mut self, tests: u8, by: By) -> bool {
        let free = self.is_free();
        if free {
            self.begin(tests, by);
        }
        free
    }

    /// The tests that fail in this picture, as bits.
    pub(crate) fn failing(&self, view: View) -> u8 {
        (0..SIZE)
            .filter(|test| self.test(*test, view).is_failing())
            .fold(0, |bits, test| bits | 1 << test)
    }

    /// The status of a test in this picture.
    fn test(&self, test: u8, view: View) -> ConflatedStatus {
        let (index, run) = self.last_run_of(test, view);
        let shows = if index == view.run {
            view.shows
        } else {
            run.shows
        };
        match shows {
            Shows::Running => ConflatedStatus::Running,
            Shows::Cancelled => ConflatedStatus::Cancelled,
            Shows::Finished if run.fails >> test & 1 == 1 => FAILS_AS[usize::from(test)].clone(),
            Shows::Finished => ConflatedStatus::Passed,
        }
    }

    fn last_run_of(&self, test: u8, view: View) -> (usize, &Run) {
        let runs = self.runs[..=view.run].iter().enumerate().rev();
        let mut ran = runs.filter(|(_, run)| run.tests >> test & 1 == 1);
        ran.next().expect("the launch ran every test")
    }

    /// Status and word of the batch in this picture.
    pub(crate) fn words(&self, view: View) -> (BatchStatus, ConflatedBatchStatus) {
        match view.shows {
            Shows::Running => (
                BatchStatus::ExperiencesRunning,
                ConflatedBatchStatus::Running,
            ),
            Shows::Cancelled => (BatchStatus::Cancelled, ConflatedBatchStatus::Cancelled),
            Shows::Finished => {
                let fails = self.failing(view);
                if fails & 0b100 != 0 {
                    return (BatchStatus::Error, ConflatedBatchStatus::Error);
                }
                let word = match fails {
                    0 => ConflatedBatchStatus::Complete,
                    0b010 => ConflatedBatchStatus::Warning,
                    _ => ConflatedBatchStatus::Blocker,
                };
                (BatchStatus::Succeeded, word)
            }
        }
    }

    /// The batch as the API sends it now.
    pub(crate) fn batch(&self) -> Batch {
        let view = self.view();
        let mut batch = Batch::new(BATCH);
        let (status, word) = self.words(view);
        batch.status = Some(status);
        batch.conflated = Some(word);
        batch.total_tests = Some(u64::from(SIZE));
        batch.run_counter = Some(counter(view.run));
        batch.last_run = Some(start(view.run));
        batch
    }

    /// The listing as the API sends it now.
    pub(crate) fn tests(&self) -> Vec<Test> {
        let view = self.view();
        let tests = (0..SIZE).map(|test| {
            let mut it = Test::new(TestId::from_u128(u128::from(test) + 1), "");
            it.conflated = Some(self.test(test, view));
            it.last_run = Some(start(self.last_run_of(test, view).0));
            it
        });
        tests.collect()
    }
}

/// The batch's ID.
pub(crate) const BATCH: BatchId = BatchId::from_u128(99);

/// The counter of a run.
pub(crate) fn counter(run: usize) -> RunCounter {
    RunCounter(i64::try_from(run).expect("few runs") + 1)
}

/// When a run started, by a clock of the server's own: only their order counts,
/// and it must not tell apart what is alike.
fn start(run: usize) -> Timestamp {
    Timestamp::from_millis(i64::try_from(run).expect("few runs") * 1_000)
}

/// The tests of these IDs, as bits.
pub(crate) fn bits_of(ids: &[TestId]) -> u8 {
    let bit = |id: &TestId| 1_u8 << (id.as_u128() - 1);
    ids.iter().map(bit).fold(0, |all, bit| all | bit)
}
