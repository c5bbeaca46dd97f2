//! The steps of `cargo xtask test`. A new check is one entry in [`STEPS`].

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Outcome, fail};
use crate::playwright::{self, MOST_WORKERS, Run, Tries};
use crate::site::{self, Kind};
use crate::tools::{self, Browser, RustTool, WASM};
use crate::workspace::Workspace;
use crate::{hosts, process, sim, size};

/// One check.
#[derive(Debug)]
pub(super) struct Step {
    /// What `--only` calls it.
    pub(super) name: &'static str,
    /// What it checks, in a line.
    pub(super) what: &'static str,
    /// The step that must have passed before this one can run.
    pub(super) needs: Option<&'static str>,
    /// Runs it.
    pub(super) run: fn(&mut Context<'_>) -> Outcome<()>,
}

/// All checks, in order: the cheap ones first.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "format",
        what: "the code is formatted as rustfmt does it",
        needs: None,
        run: format,
    },
    Step {
        name: "types",
        what: "the end-to-end tests have no type errors",
        needs: None,
        run: types,
    },
    Step {
        name: "lint",
        what: "clippy has nothing to say about all but the app, rustdoc nothing about the core",
        needs: None,
        run: lint,
    },
    Step {
        name: "lint-web",
        what: "clippy has nothing to say about the app, compiled for the browser",
        needs: None,
        run: lint_web,
    },
    Step {
        name: "native",
        what: "the tests that need no browser",
        needs: None,
        run: native,
    },
    Step {
        name: "sim",
        what: "a million simulated supervisions keep every promise",
        needs: None,
        run: simulate,
    },
    Step {
        name: "planted",
        what: "the simulation catches every bug that is planted in the core",
        needs: None,
        run: planted,
    },
    Step {
        name: "web",
        what: "the app's tests that run in a browser",
        needs: None,
        run: web,
    },
    Step {
        name: "build",
        what: "the release build",
        needs: None,
        run: build,
    },
    Step {
        name: "size",
        what: "what a first visit downloads: the budget is not met yet, a line above it is held",
        needs: Some("build"),
        run: check_size,
    },
    Step {
        name: "e2e",
        what: "the user's stories, in Chromium against release build and sandbox",
        needs: Some("build"),
        run: e2e,
    },
    Step {
        name: "hosting",
        what: "nginx and Caddy serve and relay with the shipped configurations",
        needs: Some("build"),
        run: hosting,
    },
    Step {
        name: "chaos",
        what: "lost answers, killed browsers, jumping clocks: the verdict and the server's count stay right",
        needs: Some("build"),
        run: chaos,
    },
    Step {
        name: "a11y",
        what: "axe finds no barrier on any page, in both themes",
        needs: Some("build"),
        run: accessibility,
    },
];

/// The tag in the titles of the accessibility tests.
const A11Y_TAG: &str = "@a11y";
/// The tag of the tests that want real web servers.
const HOSTING_TAG: &str = "@hosting";

/// What the steps share.
pub(super) struct Context<'a> {
    workspace: &'a Workspace,
    /// The step that `rest` is for.
    only: Option<String>,
    rest: Vec<String>,
    /// The release build, once it is there.
    site: Option<PathBuf>,
}

impl<'a> Context<'a> {
    /// `rest` goes to the program behind the step called `only`.
    pub(super) fn new(workspace: &'a Workspace, only: Option<String>, rest: Vec<String>) -> Self {
        Self {
            workspace,
            only,
            rest,
            site: None,
        }
    }

    fn rest(&self, step: &str) -> &[String] {
        if self.only.as_deref() == Some(step) {
            &self.rest
        } else {
            &[]
        }
    }

    fn cargo(&self, words: &[&str]) -> Command {
        let mut cargo = tools::command(self.workspace, "cargo");
        cargo
            .args(words)
            .env("CARGO_TARGET_DIR", &self.workspace.target);
        cargo
    }
}

/// Runs a check; `wrong` is what its failure means.
fn check(command: &mut Command, wrong: &str) -> Outcome<()> {
    if process::run(command)? {
        Ok(())
    } else {
        fail(wrong)
    }
}

fn format(context: &mut Context<'_>) -> Outcome<()> {
    let mut cargo = context.cargo(&["fmt", "--all", "--check"]);
    check(
        &mut cargo,
        "Some files are not formatted. Run `cargo fmt --all`.",
    )
}

fn types(context: &mut Context<'_>) -> Outcome<()> {
    tools::node_packages(context.workspace, "checking the end-to-end tests")?;
    let mut tsc = tools::command(context.workspace, "tsc");
    tsc.current_dir(context.workspace.e2e()).arg("--noEmit");
    check(&mut tsc, "The end-to-end tests have type errors.")
}

const LINTS_WRONG: &str = "clippy has something to say.";

fn lint(context: &mut Context<'_>) -> Outcome<()> {
    let mut cargo = context.cargo(&[
        "clippy",
        "--workspace",
        "--exclude",
        "retake",
        "--all-targets",
    ]);
    check(cargo.args(["--", "--deny", "warnings"]), LINTS_WRONG)?;
    // Who reads the core goes from one item to the next by these links.
    let mut docs = context.cargo(&[
        "doc",
        "--no-deps",
        "--document-private-items",
        "--package",
        "retake-core",
    ]);
    check(
        docs.env("RUSTDOCFLAGS", "--deny warnings"),
        "The core's documentation has something wrong, such as a link that leads nowhere.",
    )
}

fn lint_web(context: &mut Context<'_>) -> Outcome<()> {
    tools::wasm_target(context.workspace)?;
    let mut cargo = context.cargo(&[
        "clippy",
        "--package",
        "retake",
        "--all-targets",
        "--target",
        WASM,
    ]);
    check(cargo.args(["--", "--deny", "warnings"]), LINTS_WRONG)
}

fn native(context: &mut Context<'_>) -> Outcome<()> {
    let mut cargo = context.cargo(&["test", "--workspace", "--exclude", "retake"]);
    check(cargo.args(context.rest("native")), "A native test failed.")
}

fn simulate(context: &mut Context<'_>) -> Outcome<()> {
    sim::run(context.workspace, context.rest("sim"))
}

fn planted(context: &mut Context<'_>) -> Outcome<()> {
    sim::run_planted(context.workspace, &[])
}

fn web(context: &mut Context<'_>) -> Outcome<()> {
    let workspace = context.workspace;
    tools::wasm_target(workspace)?;
    let browser = Browser::ensure(workspace)?;
    RustTool::wasm_bindgen(workspace)?.ensure(workspace)?;
    let mut cargo = context.cargo(&["test", "--package", "retake", "--target", WASM]);
    cargo
        .args(context.rest("web"))
        .env("CHROMEDRIVER", browser.driver)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "180");
    check(&mut cargo, "A test in the browser failed.")
}

fn build(context: &mut Context<'_>) -> Outcome<()> {
    context.site = Some(site::build(context.workspace, Kind::Release, false)?);
    Ok(())
}

fn release_site(context: &Context<'_>) -> PathBuf {
    context
        .site
        .clone()
        .expect("`needs` lets this step run only after the build")
}

fn check_size(context: &mut Context<'_>) -> Outcome<()> {
    let entries = size::measure(context.workspace, &release_site(context), false)?;
    print!("{}", size::table(&entries));
    let (total, budget) = (size::total(&entries), size::BUDGET);
    println!(
        "A first visit downloads {} of {}.",
        size::kilobytes(total),
        size::kilobytes(budget)
    );
    if total > budget {
        println!(
            "That is {} over the budget. Until it is met, the check holds the line at {}.",
            size::kilobytes(total - budget),
            size::kilobytes(size::CEILING)
        );
    }
    if total <= size::CEILING {
        Ok(())
    } else {
        fail(format!(
            "That is {} above the line.",
            size::kilobytes(total - size::CEILING)
        ))
    }
}

fn e2e(context: &mut Context<'_>) -> Outcome<()> {
    let others = format!("{A11Y_TAG}|{HOSTING_TAG}");
    playwright(context, "e2e", "stories", &["--grep-invert", &others])
}

fn hosting(context: &mut Context<'_>) -> Outcome<()> {
    let workspace = context.workspace;
    tools::node_packages(workspace, "the end-to-end tests")?;
    let browser = Browser::ensure(workspace)?;
    site::build_sandbox(workspace)?;
    let hosts = hosts::start(workspace, &release_site(context))?;
    let mut playwright = tools::command(workspace, "playwright");
    playwright
        .current_dir(workspace.e2e())
        .args(["test", "--grep", HOSTING_TAG])
        .args(context.rest("hosting"))
        .env("RETAKE_HOSTS", &hosts.list)
        .env("RETAKE_SERVER", &hosts.server)
        .env("RETAKE_MISLED", &hosts.misled)
        .env("RETAKE_FOLDER", &hosts.folder)
        .env("RETAKE_API", &hosts.api)
        .env("RETAKE_URL", &hosts.api)
        .env("RETAKE_CHROMIUM", &browser.chromium);
    playwright::finish(workspace, "hosting", &mut playwright, Tries::AloneAtLast)
}

fn chaos(context: &mut Context<'_>) -> Outcome<()> {
    // These wait most of the time, for windows and pauses of the product: two at once leave two
    // cores mostly idle.
    let workers = MOST_WORKERS.to_string();
    playwright(context, "chaos", "chaos", &["--workers", &workers])
}

fn accessibility(context: &mut Context<'_>) -> Outcome<()> {
    playwright(context, "a11y", "stories", &["--grep", A11Y_TAG])
}

/// Runs the chosen Playwright tests on the release build.
fn playwright(context: &Context<'_>, step: &str, folder: &str, choice: &[&str]) -> Outcome<()> {
    let mut words: Vec<String> = choice.iter().map(|word| (*word).to_owned()).collect();
    words.extend_from_slice(context.rest(step));
    playwright::run(
        context.workspace,
        &release_site(context),
        &Run {
            name: step,
            folder,
            words: &words,
            settings: &[],
            // Words choose some tests, and the figures are of all.
            figures: step == "chaos" && context.rest(step).is_empty(),
        },
    )
}
