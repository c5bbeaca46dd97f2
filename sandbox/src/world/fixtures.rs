//! What a person finds after starting the sandbox: a project of everyday
//! work, very large batches, and one project for each way things go wrong.
//!
//! The list in `sandbox/README.md` describes each of them.

use serde_json::{Value, json};

use super::World;
use super::batch::{Batch, Birth, Cohort};
use super::choice::{Fixtures, Group};
use super::names;
use super::recipe::{Flaky, Outcome, Outcomes, Recipe, Start};
use crate::faults::{Kind, Rule};
use crate::seed;

const MINUTE: i64 = 60_000;
/// How often a batch is launched by "somebody else", before `--speed`.
const LAUNCH_EVERY_MS: f64 = 90_000.0;
/// Launches end after so many, so that a forgotten sandbox stays small.
const MAX_LAUNCHES: u32 = 200;

/// The name of the everyday project.
pub(crate) const WAREHOUSE: &str = "Warehouse robots";

/// Durations that are pleasant to watch: 5 to 40 seconds a test.
fn lively(recipe: Recipe, cleanup_ms: u64) -> Recipe {
    Recipe {
        duration_ms: [5_000, 40_000],
        parallel: Some((recipe.tests / 6).max(6)),
        queue_ms: 4_000,
        batch_metrics_ms: 8_000,
        cleanup_ms,
        ..recipe
    }
}

/// How the tests of an everyday batch end: one of eight moods.
fn everyday(tests: u32, mood: u64, seed: u64) -> Recipe {
    let share = |percent: u32| (tests * percent).div_ceil(100);
    let flaky = |percent, fails_runs, fails_as| Flaky {
        count: share(percent),
        fails_runs,
        fails_as,
    };
    let mut outcomes = Outcomes::default();
    let mut recipe = Recipe {
        tests,
        seed,
        suite_adds: 0,
        ..Recipe::default()
    };
    match mood {
        0 | 1 => {}
        2 => outcomes.flaky = vec![flaky(4, 1, Outcome::Error)],
        3 => {
            outcomes.flaky = vec![flaky(6, 1, Outcome::Error), flaky(2, 2, Outcome::Blocker)];
            outcomes.warning = share(3);
        }
        4 => {
            outcomes.blocker = share(4);
            outcomes.warning = share(5);
            outcomes.flaky = vec![flaky(3, 1, Outcome::Blocker)];
        }
        5 => {
            outcomes.warning = share(8);
            recipe.batch_metrics = Outcome::Warning;
        }
        6 => {
            outcomes.error = share(62);
            outcomes.blocker = share(5);
        }
        _ => {
            outcomes.error = share(2);
            outcomes.blocker = share(2);
            outcomes.flaky = vec![flaky(3, 1, Outcome::Error)];
            recipe.allowable_failure_percent = 10;
        }
    }
    recipe.outcomes = outcomes;
    recipe
}

/// A batch of the old deployment: its name, then what is replaced in and left
/// out of the batch, and the same for its tests.
type OddAnswer = (&'static str, Value, Vec<String>, Value, Vec<String>);

impl World {
    /// Fills the world with the chosen projects; returns the standing faults of
    /// the fault projects.
    pub(crate) fn furnish(&mut self, fixtures: &Fixtures, cleanup_ms: u64) -> Vec<Rule> {
        if fixtures.has(Group::Everyday) {
            self.warehouse(cleanup_ms);
        }
        if fixtures.has(Group::Large) {
            self.large(cleanup_ms);
        }
        if fixtures.has(Group::Everyday) {
            let archived = self.add_project("Warehouse robots 2024", "Kept for the records", 9_000);
            self.projects[archived].archived = true;
            self.set_tags(archived, []);
            self.finished(archived, "last-of-its-kind", 12, 4);
            self.add_project("New project", "Nothing has been launched here yet", 2);
        }
        if fixtures.has(Group::Hostile) {
            self.hostile();
        }
        if fixtures.has(Group::Old) {
            self.old_deployment();
        }
        if fixtures.has(Group::Faults) {
            self.fault_projects()
        } else {
            Vec::new()
        }
    }

    fn launch(
        &mut self,
        project: usize,
        key: u64,
        name: String,
        suite: usize,
        at: i64,
        recipe: Recipe,
    ) -> usize {
        let account = ["", "ci-github", "ci-github", "nightly-bot"];
        let users = [
            "qa.lead@example.com",
            "mira@example.com",
            "tomasz@example.com",
        ];
        let birth = Birth {
            id: seed::uuid(key, 0xb),
            project,
            name,
            build: usize::try_from(seed::below(key, 0xbd, 12)).unwrap_or(0),
            suite,
            suite_revision: 0,
            at,
        };
        let mut batch = Batch::new(birth, recipe);
        let suite = &self.projects[project].suites[suite];
        batch.suite_revision = suite
            .sizes
            .iter()
            .zip(1..)
            .find(|(size, _)| **size == batch.size())
            .map_or(1, |(_, revision)| revision);
        (*seed::pick(&account, key, 1)).clone_into(&mut batch.account);
        (*seed::pick(&users, key, 2)).clone_into(&mut batch.user);
        self.add_batch(batch)
    }

    fn warehouse(&mut self, cleanup_ms: u64) {
        let project = self.add_project(
            WAREHOUSE,
            "Mobile robots and forklifts: navigation, docking, safety",
            8_000,
        );
        let key = self.projects[project].key;
        for at in 0..54_u64 {
            let salt = seed::hash(key, 0xda7a + at);
            let ended = self.started - (7 + i64::try_from(at).unwrap_or(0) * 53) * MINUTE;
            // The soak suite is rare: it has 5,000 tests.
            let suite = match at {
                9 => 4,
                _ => [0, 0, 1, 2, 3, 5][usize::try_from(seed::below(salt, 1, 6)).unwrap_or(0)],
            };
            let name = match suite {
                1 => "nightly-regression".to_owned(),
                0 if at % 4 == 0 => "pr-gate".to_owned(),
                _ => names::friendly(salt),
            };
            let sizes = &self.projects[project].suites[suite].sizes;
            let revision = sizes.len() - 1 - usize::from(at % 5 == 0 && sizes.len() > 1);
            let recipe = everyday(sizes[revision], seed::below(salt, 2, 8), salt);
            self.past(project, salt, name, suite, ended, recipe, cleanup_ms, at);
        }
        for (at, (suite, mood, age)) in [(1, 3, 18), (0, 2, 9), (3, 4, 30), (2, 7, 3), (5, 2, 1)]
            .into_iter()
            .enumerate()
        {
            let salt = seed::hash(key, 0x11fe + at as u64);
            let tests = self.projects[project].suites[suite]
                .sizes
                .last()
                .copied()
                .unwrap_or(12);
            let mut recipe = lively(everyday(tests, mood, salt), cleanup_ms);
            recipe.start = Start::Submitted;
            let recipe = self.scaled(recipe);
            let begun = self.started - age * 1_000;
            let name = if suite == 1 {
                "nightly-regression".to_owned()
            } else {
                names::friendly(salt)
            };
            self.launch(project, salt, name, suite, begun, recipe);
        }
    }

    /// A batch that ended in the past at real durations, and whose reruns
    /// are as quick as those of live ones.
    #[expect(clippy::too_many_arguments, reason = "one caller, plain data")]
    fn past(
        &mut self,
        project: usize,
        key: u64,
        name: String,
        suite: usize,
        ended: i64,
        recipe: Recipe,
        cleanup_ms: u64,
        number: u64,
    ) -> usize {
        let live = self.scaled(lively(recipe.clone(), cleanup_ms));
        let slow = Recipe {
            duration_ms: [90_000, 600_000],
            parallel: Some((recipe.tests / 5).max(8)),
            queue_ms: 70_000,
            batch_metrics_ms: 95_000,
            ..recipe
        };
        let at = self.launch(project, key, name, suite, ended, slow);
        let batch = &mut self.batches[at];
        if number % 11 == 6 {
            let middle = i64::midpoint(batch.created, batch.ends_at());
            batch.cancel(middle);
        } else if number % 6 == 2 {
            // Somebody reran the failing tests right after the first run.
            let end = batch.ends_at();
            let failing: Vec<u32> = (0..batch.size())
                .filter(|i| batch.test(*i, end).conflated != "PASSED")
                .take(64)
                .collect();
            let short = Recipe {
                duration_ms: [20_000, 80_000],
                ..batch.recipe.clone()
            };
            batch.recipe = short;
            batch.start_run(end + 1_000, Cohort::Some(failing), false);
        }
        batch.recipe = live;
        at
    }

    /// A finished batch with a few failures, for fixture projects.
    fn finished(&mut self, project: usize, name: &str, tests: u32, mood: u64) -> usize {
        let key = seed::hash_text(self.projects[project].key, name);
        let number = 1;
        let recipe = everyday(tests, mood, key);
        let ended = self.started - 20 * MINUTE;
        self.past(project, key, name.to_owned(), 0, ended, recipe, 0, number)
    }

    fn large(&mut self, cleanup_ms: u64) {
        let project = self.add_project("Large batches", "1,000 to 100,000 tests", 700);
        for (name, tests, live) in [
            ("one-thousand", 1_000, false),
            ("ten-thousand", 10_000, false),
            ("ten-thousand-running", 10_000, true),
            ("hundred-thousand", 100_000, false),
        ] {
            let key = seed::hash_text(self.projects[project].key, name);
            let suite = self.projects[project].suites.len();
            let template = self.projects[project].suites[4].clone();
            self.projects[project].suites.push(super::Suite {
                id: seed::uuid(key, 5),
                key,
                name: format!("Scale {tests}"),
                sizes: vec![tests, tests + 10],
                ..template
            });
            let recipe = Recipe {
                tests,
                seed: key,
                outcomes: Outcomes {
                    flaky: vec![Flaky {
                        count: tests / 200,
                        fails_runs: 1,
                        fails_as: Outcome::Error,
                    }],
                    error: tests / 500,
                    blocker: tests / 400,
                    warning: tests / 100,
                    ..Outcomes::default()
                },
                ..Recipe::default()
            };
            if live {
                let mut recipe = lively(recipe, cleanup_ms);
                recipe.start = Start::Submitted;
                let recipe = self.scaled(recipe);
                let begun = self.started - 20_000;
                self.launch(project, key, name.to_owned(), suite, begun, recipe);
            } else {
                let ended = self.started - 90 * MINUTE;
                self.past(
                    project,
                    key,
                    name.to_owned(),
                    suite,
                    ended,
                    recipe,
                    cleanup_ms,
                    1,
                );
            }
        }
    }

    fn hostile(&mut self) {
        let project = self.add_project(
            "<img src=x onerror=alert(1)> & \"names\" \u{202e}gnp.exe\u{202c}",
            "<script>document.title='owned'</script>\u{200b}\u{200d}",
            300,
        );
        let long = "a-very-long-launch-name-without-any-break-".repeat(12);
        let zones: Vec<String> = (1..=250).map(|zone| format!("zone {zone}")).collect();
        let tags = [
            "<b>bold</b><script>alert('tag')</script>",
            "\u{202e}thgin",
            " leading and trailing space ",
            "",
            long.as_str(),
        ];
        self.set_tags(
            project,
            tags.into_iter().chain(zones.iter().map(String::as_str)),
        );
        let names = [
            "<b>bold</b><script>alert('batch')</script>",
            "\u{202e}desrever si siht",
            "\u{1b}[31mred in a terminal\u{1b}[0m\u{7}",
            "zero\u{200b}width\u{200d}join\u{feff}er",
            "=HYPERLINK(\"http://evil.example\",\"click\")",
            "../../../etc/passwd?x=1#frag%2e%2e",
            "Ünïcödé 🤖 名前 اسم",
            " leading and trailing space ",
            long.as_str(),
        ];
        let evil_jobs = json!({
            "experienceName": "<svg onload=alert(2)>\u{202e}lmth\u{202c}\u{1b}[2J=cmd|' /C calc'!A0",
            "description": "line one\nline two\ttab\u{0}nul"
        });
        for name in names {
            let at = self.finished(project, name, 12, 7);
            if let Value::Object(map) = &evil_jobs
                && name.starts_with('<')
            {
                self.batches[at].recipe.job_overrides.clone_from(map);
            }
        }
    }

    fn old_deployment(&mut self) {
        let project = self.add_project(
            "old deployment",
            "Answers of an older ReSim: fields missing, null, or unknown",
            5_000,
        );
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let cases: [OddAnswer; 6] = [
            (
                "no-conflated-no-counter",
                json!({}),
                strings(&[
                    "conflatedStatus",
                    "runCounter",
                    "runnerType",
                    "priority",
                    "labelledBuilds",
                ]),
                json!({}),
                strings(&["conflatedStatus", "runCounter"]),
            ),
            (
                "nulls-everywhere",
                json!({"conflatedStatus": null, "runCounter": null, "executionErrors": null, "description": null,
                    "statusHistory": null, "jobStatusCounts": null, "jobMetricsStatusCounts": null, "totalJobs": null,
                    "branchID": null, "buildID": null, "systemID": null, "testSuiteID": null, "metricsSetName": null,
                    "lastRunTimestamp": null, "parameters": null, "poolLabels": null}),
                strings(&[]),
                json!({"conflatedStatus": null, "experienceName": null, "executionErrors": null, "statusHistory": null,
                    "jobMetricsStatus": null, "runCounter": null}),
                strings(&[]),
            ),
            (
                "status-null",
                json!({"status": null, "conflatedStatus": null}),
                strings(&[]),
                json!({}),
                strings(&[]),
            ),
            (
                "unknown-words",
                json!({"status": "HIBERNATING", "conflatedStatus": "SHINY", "batchType": "QUANTUM", "runnerType": "ABACUS",
                    "overallMetricsStatus": "MAYBE"}),
                strings(&[]),
                json!({"jobStatus": "DREAMING", "conflatedStatus": "SHINY", "jobMetricsStatus": "MAYBE"}),
                strings(&[]),
            ),
            (
                "unknown-fields",
                json!({"newerThanYou": {"deep": [1, {"x": null}]}, "zzz": true}),
                strings(&[]),
                json!({"newerThanYou": [[[]]], "zzz": 1.5e300}),
                strings(&[]),
            ),
            (
                "succeeded-but-conflated-error",
                json!({"status": "SUCCEEDED", "conflatedStatus": "ERROR"}),
                strings(&[]),
                json!({}),
                strings(&[]),
            ),
        ];
        for (name, overrides, omit, job_overrides, job_omit) in cases {
            let at = self.finished(project, name, 12, 7);
            let recipe = &mut self.batches[at].recipe;
            recipe.overrides = overrides.as_object().cloned().unwrap_or_default();
            recipe.omit = omit;
            recipe.job_overrides = job_overrides.as_object().cloned().unwrap_or_default();
            recipe.job_omit = job_omit;
        }
    }

    fn fault_projects(&mut self) -> Vec<Rule> {
        let mut rules = Vec::new();
        let whole: [(&str, Kind); 14] = [
            ("fault: 401", Kind::Status(401)),
            ("fault: 403", Kind::Status(403)),
            ("fault: 429 with Retry-After", Kind::Throttled(Some(5))),
            ("fault: 500", Kind::Status(500)),
            ("fault: 503 with HTML", Kind::Html(503)),
            ("fault: 200 with HTML", Kind::Html(200)),
            ("fault: dropped connection", Kind::Drop),
            ("fault: truncated JSON", Kind::Truncated),
            ("fault: wrong content type", Kind::WrongType),
            ("fault: 204 without body", Kind::Empty),
            ("fault: garbage", Kind::Garbage),
            ("fault: huge answer", Kind::Huge),
            ("fault: latency 3 s", Kind::Latency(3_000)),
            ("fault: repeated page token", Kind::RepeatToken),
        ];
        for (name, kind) in whole {
            let project = self.add_project(name, "Every call below the project misbehaves", 9_100);
            self.finished(project, "three-failures", 12, 7);
            // More than one page, so that page tokens matter.
            self.finished(project, "many-tests", 240, 4);
            rules.push(Rule::standing("", &self.batches_path(project), kind));
        }
        let busy = self.add_project(
            "fault: 409 forever",
            "Reads work; every rerun is refused with 409",
            9_100,
        );
        self.finished(busy, "never-cleaned-up", 12, 7);
        rules.push(Rule::standing(
            "POST",
            &self.batches_path(busy),
            Kind::Status(409),
        ));

        let stale = self.add_project(
            "fault: stays terminal after a rerun",
            "Reruns are accepted, and nothing happens",
            9_100,
        );
        let at = self.finished(stale, "stuck-in-the-past", 12, 7);
        self.batches[at].recipe.rerun_answer.ignored = true;

        let moved = self.add_project(
            "fault: rerun answers a new batch",
            "The rerun happens in another batch",
            9_100,
        );
        let at = self.finished(moved, "moves-house", 12, 7);
        self.batches[at].recipe.rerun_answer.new_batch_id = true;

        let some = self.add_project(
            "fault: one call at a time",
            "Each batch is named for the call that misbehaves",
            9_100,
        );
        let path = self.batches_path(some);
        let cases: [(&str, &str, &str, Kind); 7] = [
            ("503 on the tests", "GET", "/jobs", Kind::Html(503)),
            ("dropped on the tests", "GET", "/jobs", Kind::Drop),
            ("404 on the errors", "GET", "/errors", Kind::Status(404)),
            (
                "rerun dropped before it is applied",
                "POST",
                "/rerun",
                Kind::Drop,
            ),
            (
                "rerun dropped after it is applied",
                "POST",
                "/rerun",
                Kind::DropAfterApply,
            ),
            (
                "502 after the rerun is applied",
                "POST",
                "/rerun",
                Kind::BadGatewayAfterApply,
            ),
            (
                "rerun refused with 403",
                "POST",
                "/rerun",
                Kind::Status(403),
            ),
        ];
        for (name, method, call, kind) in cases {
            let at = self.finished(some, name, 12, 7);
            let path = format!("{path}/{}{call}", self.batches[at].id);
            rules.push(Rule::standing(method, &path, kind));
        }
        rules
    }

    fn batches_path(&self, project: usize) -> String {
        format!("/projects/{}/batches", self.projects[project].id)
    }

    /// Launches what somebody else has launched since the last look.
    pub(crate) fn launch_due(&mut self, now: i64, cleanup_ms: u64) {
        let Some(project) = self.projects.iter().position(|p| p.name == WAREHOUSE) else {
            return;
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a few minutes in milliseconds"
        )]
        let every = ((LAUNCH_EVERY_MS / self.speed) as i64).max(1_000);
        while self.launched < MAX_LAUNCHES {
            let number = self.launched + 1;
            let at = self.started + i64::from(number) * every;
            if at > now {
                break;
            }
            self.launched = number;
            let key = seed::hash(self.projects[project].key, 0x4e_0000 + u64::from(number));
            let suite = [0, 2, 0, 3][number as usize % 4];
            let tests = self.projects[project].suites[suite]
                .sizes
                .last()
                .copied()
                .unwrap_or(12);
            let mut recipe = lively(everyday(tests, seed::below(key, 2, 8), key), cleanup_ms);
            recipe.start = Start::Submitted;
            let recipe = self.scaled(recipe);
            let name = if suite == 0 {
                "pr-gate".to_owned()
            } else {
                names::friendly(key)
            };
            self.launch(project, key, name, suite, at, recipe);
        }
    }
}
