//! Runs Playwright on a built site, against a sandbox of its own.

use std::path::Path;

use crate::failure::{Outcome, fail};
use crate::tools::{self, Browser};
use crate::workspace::Workspace;
use crate::{
    port, process, sandbox, sim,
    site::{self, Kind},
};

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
    // Where the tests start sign-in providers of their own, one a worker.
    let providers = [port::any_free()?, port::any_free()?];
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
            providers.map(|it| it.to_string()).join(","),
        )
        .env("RETAKE_CHROMIUM", &browser.chromium)
        .env("RETAKE_OUT", run.name)
        .envs(run.settings.iter().map(|(name, value)| (name, value)));
    if run.figures {
        playwright
            .env("RETAKE_COMMIT", sim::commit(workspace))
            .env("RETAKE_FIGURES", workspace.figures(run.name)?);
    }
    let passed = process::run(&mut playwright)?;
    drop(running);
    if passed {
        Ok(())
    } else {
        fail(format!(
            "A test failed. Screenshots are in tests/e2e/.out/{}, the sandbox's words in {}.",
            run.name,
            log.display()
        ))
    }
}
