//! What a simulated batch is made of: how many tests, how they end, how long
//! they take. The same words are the JSON of `POST /sandbox/batches`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::seed;

/// How a test ends when it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    #[default]
    Passed,
    Warning,
    Blocker,
    Error,
}

impl Outcome {
    /// `ConflatedJobStatus` of a finished test (`resim-api.md` §3.4).
    pub(crate) const fn conflated(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warning => "WARNING",
            Self::Blocker => "BLOCKER",
            Self::Error => "ERROR",
        }
    }

    /// `MetricStatus` of a finished test (`resim-api.md` §3.3).
    pub(crate) const fn metrics(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warning => "FAIL_WARN",
            Self::Blocker => "FAIL_BLOCK",
            Self::Error => "NO_STATUS_REPORTED",
        }
    }
}

/// Tests that fail in their first runs and pass afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Flaky {
    pub(crate) count: u32,
    /// In how many runs of the experience the test fails before it passes.
    #[serde(default = "one")]
    pub(crate) fails_runs: u32,
    /// How it fails.
    #[serde(default = "error", rename = "as")]
    pub(crate) fails_as: Outcome,
}

const fn one() -> u32 {
    1
}
const fn error() -> Outcome {
    Outcome::Error
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Flaky),
    Many(Vec<Flaky>),
}

fn flaky<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Flaky>, D::Error> {
    Ok(match OneOrMany::deserialize(from)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// How many tests end in which way; the rest pass.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Outcomes {
    pub(crate) passed: Option<u32>,
    #[serde(deserialize_with = "flaky")]
    pub(crate) flaky: Vec<Flaky>,
    pub(crate) error: u32,
    pub(crate) blocker: u32,
    pub(crate) warning: u32,
}

impl Outcomes {
    /// The least number of tests that these outcomes need.
    pub(crate) fn needed(&self) -> u32 {
        let flaky = self.flaky.iter().map(|f| f.count).sum::<u32>();
        flaky + self.error + self.blocker + self.warning + self.passed.unwrap_or(0)
    }
}

/// How far a batch has come when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Start {
    #[default]
    Finished,
    Running,
    Submitted,
}

/// Deliberately odd answers to a rerun.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RerunAnswer {
    /// Answer the ID of a new batch that carries the rerun.
    pub(crate) new_batch_id: bool,
    /// Leave these fields out of the answer.
    pub(crate) omit: Vec<String>,
    /// Accept, but change nothing: the batch stays terminal.
    pub(crate) ignored: bool,
}

/// Everything about the behaviour of one batch. Durations in milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) tests: u32,
    pub(crate) seed: u64,
    pub(crate) outcomes: Outcomes,
    /// Shortest and longest duration of a test.
    pub(crate) duration_ms: [u64; 2],
    /// How many tests run at once; all of them if absent.
    pub(crate) parallel: Option<u32>,
    /// How long the batch is `SUBMITTED`.
    pub(crate) queue_ms: u64,
    /// How long the batch metrics are queued and run, in all.
    pub(crate) batch_metrics_ms: u64,
    pub(crate) start: Start,
    /// How long reruns answer 409 after the batch has become terminal.
    pub(crate) cleanup_ms: u64,
    /// The last test never finishes.
    pub(crate) hang: bool,
    /// The batch itself fails.
    pub(crate) batch_error: bool,
    pub(crate) batch_metrics: Outcome,
    pub(crate) allowable_failure_percent: u32,
    /// How many tests the newest suite revision adds (`syncBatch`).
    pub(crate) suite_adds: u32,
    /// Fields of the Batch answer that are replaced, whatever they were.
    pub(crate) overrides: Map<String, Value>,
    /// Fields that are left out of the Batch answer.
    pub(crate) omit: Vec<String>,
    pub(crate) job_overrides: Map<String, Value>,
    pub(crate) job_omit: Vec<String>,
    pub(crate) rerun_answer: RerunAnswer,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            tests: 12,
            seed: 1,
            outcomes: Outcomes::default(),
            duration_ms: [200, 600],
            parallel: None,
            queue_ms: 150,
            batch_metrics_ms: 200,
            start: Start::Finished,
            cleanup_ms: 0,
            hang: false,
            batch_error: false,
            batch_metrics: Outcome::Passed,
            allowable_failure_percent: 0,
            suite_adds: 2,
            overrides: Map::new(),
            omit: Vec::new(),
            job_overrides: Map::new(),
            job_omit: Vec::new(),
            rerun_answer: RerunAnswer::default(),
        }
    }
}

/// What kind of test one index of a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Always(Outcome),
    Flaky { fails_runs: u32, fails_as: Outcome },
}

impl Class {
    /// The outcome of the numbered run (1 = first) of the experience.
    pub(crate) const fn outcome(self, run: u32) -> Outcome {
        match self {
            Self::Always(outcome) => outcome,
            Self::Flaky {
                fails_runs,
                fails_as,
            } => {
                if run <= fails_runs {
                    fails_as
                } else {
                    Outcome::Passed
                }
            }
        }
    }
}

impl Recipe {
    /// The class of every test, shuffled by the seed.
    pub(crate) fn classes(&self, key: u64) -> Vec<Class> {
        let size = self.tests as usize;
        let mut classes = Vec::with_capacity(size);
        let mut add = |count: u32, class: Class| {
            let room = size - classes.len();
            classes.extend(std::iter::repeat_n(class, room.min(count as usize)));
        };
        for flaky in &self.outcomes.flaky {
            add(
                flaky.count,
                Class::Flaky {
                    fails_runs: flaky.fails_runs,
                    fails_as: flaky.fails_as,
                },
            );
        }
        add(self.outcomes.error, Class::Always(Outcome::Error));
        add(self.outcomes.blocker, Class::Always(Outcome::Blocker));
        add(self.outcomes.warning, Class::Always(Outcome::Warning));
        add(self.tests, Class::Always(Outcome::Passed));
        for last in (1..classes.len()).rev() {
            let other = seed::below(key, 0x5u64 ^ ((last as u64) << 8), last as u64 + 1);
            classes.swap(last, usize::try_from(other).unwrap_or(0));
        }
        classes
    }

    /// The class of a test that a newer suite revision added.
    pub(crate) fn added_class(key: u64, index: u32) -> Class {
        match seed::below(key, 0xadd ^ (u64::from(index) << 12), 6) {
            0 => Class::Always(Outcome::Blocker),
            1 => Class::Flaky {
                fails_runs: 1,
                fails_as: Outcome::Error,
            },
            _ => Class::Always(Outcome::Passed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_gives_exactly_the_outcomes_it_names() {
        let recipe: Recipe = serde_json::from_str(
            r#"{"tests": 20, "outcomes": {"flaky": {"count": 3, "fails_runs": 2, "as": "blocker"},
                "error": 2, "warning": 4}}"#,
        )
        .unwrap();
        let classes = recipe.classes(9);
        let count = |run, outcome| classes.iter().filter(|c| c.outcome(run) == outcome).count();
        assert_eq!(classes.len(), 20);
        assert_eq!(count(1, Outcome::Blocker), 3);
        assert_eq!(count(2, Outcome::Blocker), 3);
        assert_eq!(count(3, Outcome::Blocker), 0);
        assert_eq!(count(1, Outcome::Error), 2);
        assert_eq!(count(3, Outcome::Passed), 14);
    }

    #[test]
    fn a_misspelt_recipe_field_is_refused() {
        assert!(serde_json::from_str::<Recipe>(r#"{"testz": 3}"#).is_err());
    }

    #[test]
    fn the_same_seed_shuffles_the_same_way() {
        let recipe = Recipe {
            tests: 50,
            outcomes: Outcomes {
                error: 10,
                ..Outcomes::default()
            },
            ..Recipe::default()
        };
        assert_eq!(recipe.classes(1), recipe.classes(1));
        assert_ne!(recipe.classes(1), recipe.classes(2));
    }
}
