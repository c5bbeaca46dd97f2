//! What is known of each run of one test, and why it failed in a line.
//!
//! Why: the API keeps the errors of earlier runs but not their outcomes, so a
//! run that failed by its metrics alone leaves nothing behind. What this tab saw
//! of it before the rerun is remembered; everything else is said to be unknown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{ConflatedStatus, Failing, Means, MetricStatus, Test, TestId};

use super::words;

/// Runs that are shown; earlier ones are left out.
const RUNS: i64 = 6;
/// Outcomes that are remembered of one batch, so that a tab's storage suffices.
const REMEMBERED: usize = 5000;

/// One run of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The server's count.
    pub counter: i64,
    /// How it stands or ended, as far as that is known.
    pub status: Option<ConflatedStatus>,
    /// How that is known.
    pub source: Source,
}

/// How the outcome of a run is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The API says so: it is the latest run.
    Latest,
    /// This tab saw it before the test ran again.
    Seen,
    /// The run left an execution error.
    Errors,
    /// It is not known: the run left no error, and the API keeps no outcomes.
    Unknown,
}

impl Run {
    /// The run in words: `run 1: blocker, as this tab saw it`.
    pub fn words(&self) -> String {
        let status = self
            .status
            .as_ref()
            .map_or(String::new(), |it| words::status_label(it).to_lowercase());
        let run = self.counter;
        match self.source {
            Source::Latest => format!("run {run}: {status}"),
            Source::Seen => format!("run {run}: {status}, as this tab saw it"),
            Source::Errors => format!("run {run}: error"),
            Source::Unknown => format!("run {run}: left no error, outcome not kept by ReSim"),
        }
    }
}

/// Outcomes of earlier runs, as this tab saw them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunMemory(BTreeMap<TestId, BTreeMap<i64, ConflatedStatus>>);

impl RunMemory {
    /// Takes in what was known of a test before `now` replaced it; whether that
    /// taught something.
    pub fn note(&mut self, before: &Test, now: &Test) -> bool {
        let (Some(id), Some(run)) = (before.id, before.run_counter) else {
            return false;
        };
        let status = before.shown_status();
        if now.run_counter <= before.run_counter || !status.is_terminal() {
            return false;
        }
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&id) {
            return false;
        }
        self.0.entry(id).or_default().insert(run.0, status);
        true
    }

    fn of(&self, id: Option<TestId>, run: i64) -> Option<&ConflatedStatus> {
        self.0.get(&id?)?.get(&run)
    }

    fn first(&self, id: Option<TestId>) -> Option<i64> {
        self.0.get(&id?)?.keys().next().copied()
    }
}

/// The runs of a test, oldest first; empty where the API counts none.
pub fn known_runs(test: &Test, memory: &RunMemory) -> Vec<Run> {
    let Some(now) = test.run_counter.map(|run| run.0) else {
        return Vec::new();
    };
    let left_errors = || {
        test.errors
            .iter()
            .filter_map(|error| error.run_counter.map(|run| run.0))
    };
    let first = left_errors()
        .chain(memory.first(test.id))
        .chain([now])
        .min()
        .unwrap_or(now)
        .max(now.saturating_sub(RUNS - 1));
    (first.max(0)..=now)
        .map(|counter| {
            let (status, source) = if counter == now {
                (Some(test.shown_status()), Source::Latest)
            } else if let Some(seen) = memory.of(test.id, counter) {
                (Some(seen.clone()), Source::Seen)
            } else if left_errors().any(|it| it == counter) {
                (Some(ConflatedStatus::Error), Source::Errors)
            } else {
                (None, Source::Unknown)
            };
            Run {
                counter,
                status,
                source,
            }
        })
        .collect()
}

/// Why a test is as it is, in a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// The platform's code, or the words for a metric's outcome.
    pub code: String,
    /// Short facts beside it: the exit code, how many more errors there are.
    pub aside: String,
    /// What else is known.
    pub text: String,
}

/// The reason of a test that failed; `None` where there is nothing to say.
pub fn reason(test: &Test) -> Option<Reason> {
    let mut errors = test.current_errors();
    if let Some(error) = errors.next() {
        let more = errors.count();
        let exit = error.exit_code.map(|code| format!("exit {code}"));
        let more = (more > 0).then(|| format!("and {more} more"));
        let aside: Vec<String> = exit.into_iter().chain(more).collect();
        let text = error.text.as_deref().map(words::clean);
        return Some(Reason {
            code: words::clean(&error.code).into_owned(),
            aside: aside.join(", "),
            text: text.unwrap_or_default().into_owned(),
        });
    }
    let metrics = test.metrics.as_ref().map(|it| words::clean(it.word()));
    let Means::Fails(how) = test.shown_status().meaning().means else {
        return None;
    };
    let said = metrics.unwrap_or_default().into_owned();
    let (code, text) = match (how, &test.metrics) {
        (Failing::Blocker, Some(MetricStatus::FailBlock) | None) => ("a metric blocks", said),
        (Failing::Warning, Some(MetricStatus::FailWarn) | None) => ("a metric warns", said),
        (Failing::Blocker | Failing::Warning, Some(_)) => ("by its metrics", said),
        (Failing::Error, _) => ("no reason given", String::new()),
    };
    Some(Reason {
        code: code.to_owned(),
        aside: String::new(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExecutionError, RunCounter};

    fn test(run: i64, status: ConflatedStatus) -> Test {
        let mut test = Test::new(TestId::from_u128(1), "cut_in_010");
        test.run_counter = Some(RunCounter(run));
        test.conflated = Some(status);
        test
    }

    #[test]
    fn every_word_that_fails_has_a_reason_and_no_other() {
        for status in ConflatedStatus::KNOWN {
            let it = test(1, status.clone());
            assert_eq!(reason(&it).is_some(), status.is_failing(), "{status}");
        }
    }

    #[test]
    fn a_blocker_that_passed_after_a_rerun_is_remembered() {
        let mut memory = RunMemory::default();
        let (before, running) = (
            test(1, ConflatedStatus::Blocker),
            test(2, ConflatedStatus::Running),
        );
        assert!(memory.note(&before, &running));
        // A state that is no outcome teaches nothing.
        let passed = test(2, ConflatedStatus::Passed);
        assert!(!memory.note(&running, &passed));
        let runs = known_runs(&passed, &memory);
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[0].words(), "run 1: blocker, as this tab saw it");
        assert_eq!(runs[1].words(), "run 2: passed");
    }

    #[test]
    fn what_nobody_saw_is_said_to_be_unknown() {
        let mut it = test(3, ConflatedStatus::Passed);
        it.errors = vec![ExecutionError {
            code: "TIMEOUT".into(),
            text: None,
            exit_code: None,
            run_counter: Some(RunCounter(1)),
        }];
        let runs = known_runs(&it, &RunMemory::default());
        assert_eq!(runs[0].source, Source::Errors);
        assert_eq!(
            runs[1].words(),
            "run 2: left no error, outcome not kept by ReSim"
        );
    }

    #[test]
    fn the_memory_survives_a_reload() {
        let mut memory = RunMemory::default();
        memory.note(
            &test(1, ConflatedStatus::Warning),
            &test(2, ConflatedStatus::Queued),
        );
        let json = serde_json::to_string(&memory).expect("a memory is plain data");
        assert_eq!(serde_json::from_str::<RunMemory>(&json).ok(), Some(memory));
    }

    #[test]
    fn every_failing_test_has_a_reason() {
        let mut it = test(1, ConflatedStatus::Blocker);
        it.metrics = Some(MetricStatus::FailBlock);
        let said = |test: &Test| {
            let reason = reason(test).expect("a failing test has one");
            format!("{} ({}): {}", reason.code, reason.aside, reason.text)
        };
        assert_eq!(said(&it), "a metric blocks (): FAIL_BLOCK");
        it.conflated = Some(ConflatedStatus::Error);
        assert_eq!(said(&it), "no reason given (): ");
        let error = ExecutionError {
            code: "NONZERO_EXIT_CODE".into(),
            text: Some("killed".into()),
            exit_code: Some(137),
            run_counter: None,
        };
        it.errors = vec![error.clone()];
        assert_eq!(said(&it), "NONZERO_EXIT_CODE (exit 137): killed");
        it.errors = vec![error.clone(), error];
        assert_eq!(
            said(&it),
            "NONZERO_EXIT_CODE (exit 137, and 1 more): killed"
        );
        assert_eq!(reason(&test(1, ConflatedStatus::Passed)), None);
    }
}
