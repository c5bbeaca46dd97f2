//! A test: one experience on one build. The API calls it a job.

use super::{
    ConflatedStatus, ExperienceId, MetricStatus, RunCounter, TestId, TestStatus, Timestamp,
};

/// One test, as one read of the API shows it (`resim-api.md` §2.2, Job).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Test {
    /// Identity: the ID that a rerun names. `None` when the answer had none;
    /// such a test counts in percentages but can be neither ticked nor rerun.
    pub id: Option<TestId>,
    /// The experience's name. Hostile text.
    pub name: String,
    /// The experience.
    pub experience_id: Option<ExperienceId>,
    /// State and outcome in one word. `None` when the server sent none; such a
    /// test never matches a rerun state, as in the CLI (`resim-api.md` §6.3).
    pub conflated: Option<ConflatedStatus>,
    /// Orchestration state.
    pub status: Option<TestStatus>,
    /// Metrics outcome.
    pub metrics: Option<MetricStatus>,
    /// Which run of this test the picture shows.
    pub run_counter: Option<RunCounter>,
    /// Execution errors of every run; see [`Test::current_errors`].
    pub errors: Vec<ExecutionError>,
    /// Free text.
    pub description: Option<String>,
    /// When its latest run started.
    pub last_run: Option<Timestamp>,
    /// When anything about it last changed.
    pub updated: Option<Timestamp>,
}

/// Why a test or batch broke (`resim-api.md` §2.2, §3.9). Hostile text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionError {
    /// An open set of codes, such as `NONZERO_EXIT_CODE`.
    pub code: String,
    /// The platform's words.
    pub text: Option<String>,
    /// The container's exit code.
    pub exit_code: Option<i64>,
    /// The run that it belongs to.
    pub run_counter: Option<RunCounter>,
}

/// A test with the way it went, as its own page of the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TestHistory {
    /// The test.
    pub test: Test,
    /// Orchestration states with the time from which they held, oldest first.
    pub changes: Vec<(TestStatus, Option<Timestamp>)>,
}

impl Test {
    /// A test of which only identity and name are known.
    pub fn new(id: TestId, name: impl Into<String>) -> Self {
        Self {
            id: Some(id),
            name: name.into(),
            experience_id: None,
            conflated: None,
            status: None,
            metrics: None,
            run_counter: None,
            errors: Vec::new(),
            description: None,
            last_run: None,
            updated: None,
        }
    }

    /// The word to show: the server's, else the rule of `resim-api.md` §3.4,
    /// else an unknown word `?`. For display and filtering only; a decision
    /// reads [`Test::conflated`].
    pub fn shown_status(&self) -> ConflatedStatus {
        match (&self.conflated, &self.status) {
            (Some(conflated), _) => conflated.clone(),
            (None, Some(status)) => ConflatedStatus::derive(status, self.metrics.as_ref()),
            (None, None) => ConflatedStatus::Unknown("?".into()),
        }
    }

    /// Whether it has failed by its own status while the server sends no conflated
    /// one: it is shown as failed, and the CLI's rules do not count it
    /// (`resim-api.md` §6.3).
    pub fn fails_uncounted(&self) -> bool {
        self.conflated.is_none() && self.shown_status().is_failing()
    }

    /// How bad the word to show is; see [`ConflatedStatus::severity_rank`].
    /// Without making that word, as long lists ask it of every test.
    pub fn severity_rank(&self) -> u8 {
        match &self.conflated {
            Some(conflated) => conflated.severity_rank(),
            None => self.shown_status().severity_rank(),
        }
    }

    /// The errors of the current run; errors of earlier runs are superseded.
    /// Where either side lacks a run counter, the error is taken as current.
    pub fn current_errors(&self) -> impl Iterator<Item = &ExecutionError> {
        self.errors
            .iter()
            .filter(|error| match (error.run_counter, self.run_counter) {
                (Some(error_run), Some(test_run)) => error_run >= test_run,
                _ => true,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_an_earlier_run_are_superseded() {
        let mut test = Test::new(TestId::from_u128(1), "cut_in_010");
        let error = |run| ExecutionError {
            code: "NONZERO_EXIT_CODE".into(),
            text: None,
            exit_code: Some(137),
            run_counter: run,
        };
        test.run_counter = Some(RunCounter(2));
        test.errors = vec![
            error(Some(RunCounter(1))),
            error(Some(RunCounter(2))),
            error(None),
        ];
        let runs: Vec<_> = test
            .current_errors()
            .map(|error| error.run_counter)
            .collect();
        assert_eq!(runs, [Some(RunCounter(2)), None]);
    }

    #[test]
    fn a_test_without_any_status_is_shown_as_unknown() {
        let test = Test::new(TestId::from_u128(1), "x");
        assert_eq!(test.shown_status().word(), "?");
    }
}
