//! Runs Playwright on a built site, against a sandbox of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Doing, Failure, Outcome, fail};
use crate::tools::{self, Browser};
use crate::workspace::Workspace;
use crate::{
    port, process, sandbox, sim,
    site::{self, Kind},
};

/// As many tests run at once at the most. Each may start a sign-in provider of its own, and
/// the page is told beforehand where one may be.
pub(crate) const MOST_WORKERS: u8 = 4;

/// One run of Playwright.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// Names its output folder and its log.
    pub(crate) name: &'a str,
    /// The folder below `tests/e2e` whose files it runs.
    pub(crate) folder: &'a str,
    /// What Playwright is told besides.
    pub(crate) words: &'a [String],
    /// What the tests read from their environment.
    pub(crate) settings: &'a [(&'a str, String)],
    /// It leaves its figures for `report`: all of its tests run.
    pub(crate) figures: bool,
}

/// Builds the site and runs the tests of the folder `name`, which measure what `report` shows.
///
/// # Errors
/// When the product cannot be built, a tool cannot be had or a test failed.
pub(crate) fn measure(
    workspace: &Workspace,
    name: &str,
    words: &[String],
    setting: (&str, String),
) -> Outcome<()> {
    let site = site::build(workspace, Kind::Release, false)?;
    run(
        workspace,
        &site,
        &Run {
            name,
            folder: name,
            words,
            settings: &[setting],
            figures: true,
        },
    )
}

/// Runs it to its end.
///
/// # Errors
/// When a tool cannot be had or a test failed.
pub(crate) fn run(workspace: &Workspace, site: &Path, run: &Run<'_>) -> Outcome<()> {
    tools::node_packages(workspace, "the end-to-end tests")?;
    let browser = Browser::ensure(workspace)?;
    site::build_sandbox(workspace)?;
    let port = port::any_free()?;
    let log = workspace.logs().join(format!("sandbox-{}.log", run.name));
    // A measurement is what it is; only a check is tried a last time.
    let tries = if run.figures && run.folder != "chaos" {
        Tries::Once
    } else {
        Tries::AloneAtLast
    };
    let providers: Vec<u16> = (0..MOST_WORKERS)
        .map(|_| port::any_free())
        .collect::<Result<_, _>>()?;
    let flags: Vec<String> = providers
        .iter()
        .flat_map(|port| ["--connect".into(), format!("http://localhost:{port}")])
        .collect();
    let running = sandbox::start(workspace, site, port, &flags, Some(&log))?;
    let mut playwright = tools::command(workspace, "playwright");
    playwright
        .current_dir(workspace.e2e())
        .arg("test")
        .args(run.words)
        .env("RETAKE_STORIES", run.folder)
        .env("RETAKE_URL", format!("http://localhost:{port}"))
        .env(
            "RETAKE_PROVIDERS",
            providers
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(","),
        )
        .env("RETAKE_CHROMIUM", &browser.chromium)
        .envs(run.settings.iter().map(|(name, value)| (name, value)));
    if run.figures {
        playwright
            .env("RETAKE_COMMIT", sim::commit(workspace))
            .env("RETAKE_FIGURES", workspace.figures(run.name)?);
    }
    let ended = finish(workspace, run.name, &mut playwright, tries);
    drop(running);
    ended.map_err(|failure| {
        Failure(format!(
            "{failure}\nThe sandbox's words are in {}.",
            log.display()
        ))
    })
}

/// How often a run of tests is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tries {
    /// It ends with the attempts that Playwright makes.
    Once,
    /// A few tests that failed in all of these are run a last time, with nothing beside them.
    AloneAtLast,
}

/// More failed tests than this are no accident of a busy machine.
const FEW: usize = 3;

/// Starts `playwright`, whose output folder is called `name`, and says which tests failed.
///
/// # Errors
/// When Playwright cannot be started or a test failed; the words name the tests.
pub(crate) fn finish(
    workspace: &Workspace,
    name: &str,
    playwright: &mut Command,
    tries: Tries,
) -> Outcome<()> {
    let told = told_file(workspace, &format!("{name}.json"))?;
    playwright.env("RETAKE_OUT", name).env("RETAKE_TOLD", &told);
    if process::run(playwright)? {
        return Ok(());
    }
    let mut result = Told::read(&told)?;
    if tries == Tries::AloneAtLast && result.may_be_an_accident() {
        println!(
            "\nTried a last time, alone, as the machine may have been busy:{}",
            result.list()
        );
        let again = told_file(workspace, &format!("{name}-alone.json"))?;
        playwright
            .args(["--last-failed", "--workers=1", "--retries=0"])
            .env("RETAKE_EARLIER", &told)
            .env("RETAKE_TOLD", &again)
            // They are of all tests, and written.
            .env_remove("RETAKE_FIGURES");
        if process::run(playwright)? {
            println!("\nPassed only when alone:{}", result.list());
            return Ok(());
        }
        result = Told::read(&again)?;
    }
    fail(format!(
        "A test failed. Screenshots are in tests/e2e/.out/{name}.{}",
        result.list()
    ))
}

/// The file in which a run tells what failed, without what an earlier one left there.
fn told_file(workspace: &Workspace, name: &str) -> Outcome<PathBuf> {
    let file = workspace.logs().join(format!("told-{name}"));
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing(format!("empty {}", file.display()))
        }
        _ => Ok(file),
    }
}

/// What a run tells in `tests/e2e/support/told.ts`.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    /// The tests that failed, and why.
    failed: Vec<String>,
    /// What no further attempt may forgive: rerun POSTs that did not count right.
    unforgiven: Vec<String>,
}

impl Told {
    /// A run that ended before it could tell anything has told nothing.
    fn read(file: &Path) -> Outcome<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text),
            Err(_) => fail("Playwright ended before it could tell which test failed; see above."),
        }
    }

    fn parse(text: &str) -> Outcome<Self> {
        let Ok(told) = serde_json::from_str::<Value>(text) else {
            return fail("What Playwright told of its tests is not JSON.");
        };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut unforgiven: Vec<String> = list(&told["unforgiven"]).iter().map(words).collect();
        let mut failed = Vec::new();
        for test in list(&told["failed"]) {
            let name = words(&test["where"]);
            for attempt in list(&test["attempts"]) {
                let wrong = list(&attempt["miscounted"]);
                unforgiven.extend(wrong.iter().map(|it| format!("{name}: {}", words(it))));
            }
            failed.push(format!("{name}: {}", words(&test["why"])));
        }
        Ok(Self { failed, unforgiven })
    }

    /// Whether the failed tests may be tried again: a few, and none sent a rerun too many.
    fn may_be_an_accident(&self) -> bool {
        (1..=FEW).contains(&self.failed.len()) && self.unforgiven.is_empty()
    }

    /// The tests and why, one a line, each line after a line break.
    fn list(&self) -> String {
        self.failed
            .iter()
            .chain(&self.unforgiven)
            .map(|it| format!("\n  - {it}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(miscounted: &str, unforgiven: &str) -> Told {
        Told::parse(&format!(
            r#"{{"failed":[{{"id":"x","where":"a.spec.ts:7 a title","why":"too slow",
                "attempts":[{{"passed":false,"counts":null,"miscounted":[{miscounted}]}}]}}],
                "unforgiven":[{unforgiven}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_failed_test_is_named_and_may_be_tried_again() {
        let told = told("", "");
        assert_eq!(told.list(), "\n  - a.spec.ts:7 a title: too slow");
        assert!(told.may_be_an_accident());
    }

    #[test]
    fn a_rerun_too_many_is_no_accident() {
        let counted = told(r#""2 POSTs, not 1""#, "");
        assert!(!counted.may_be_an_accident());
        assert!(counted.list().ends_with("a title: 2 POSTs, not 1"));
        assert!(!told("", r#""hidden""#).may_be_an_accident());
    }

    #[test]
    fn many_failures_are_no_accident_nor_is_none() {
        let mut told = told("", "");
        told.failed = vec![String::new(); FEW + 1];
        assert!(!told.may_be_an_accident());
        told.failed.clear();
        assert!(!told.may_be_an_accident());
    }
}
