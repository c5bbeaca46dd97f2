//! `cargo xtask bench`: how quick the app is beside a page of plain JavaScript.
//!
//! Speed is reported, not asserted: on a busy machine only the ratio between
//! the two, measured in the same minutes, says something.

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::site::{self, Kind};
use crate::tools::{self, Browser};
use crate::workspace::Workspace;
use crate::{port, process, sandbox};

/// Runs the task.
///
/// # Errors
/// When the product cannot be built or a measurement fails.
pub(crate) fn bench(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let runs = arguments.take_parsed::<u32>("--runs", "a number of runs")?;
    let sizes = arguments.take_value("--sizes")?;
    let core_alone = arguments.take_flag("--core");
    arguments.finish()?;
    println!("What the core does, natively; each step is ten times as many tests.\n");
    let mut core = tools::command(workspace, "cargo");
    core.args([
        "bench",
        "--quiet",
        "--package",
        "retake-core",
        "--bench",
        "view",
    ])
    .env("CARGO_TARGET_DIR", &workspace.target);
    if !process::run(&mut core)? {
        return fail("The core could not be measured; the lines above say why.");
    }
    if core_alone {
        return Ok(());
    }
    let site = site::build(workspace, Kind::Release, true)?;
    tools::node_packages(workspace, "measuring in a browser")?;
    let browser = Browser::ensure(workspace)?;
    let port = port::any_free()?;
    let log = workspace.logs().join("sandbox-bench.log");
    let running = sandbox::start(workspace, &site, port, &[], Some(&log))?;
    let out = workspace.target.join("bench.json");
    let mut node = tools::command(workspace, "node");
    node.current_dir(workspace.e2e())
        .arg("bench/bench.mjs")
        .env("RETAKE_URL", format!("http://localhost:{port}"))
        .env("RETAKE_CHROMIUM", &browser.chromium)
        .env("RETAKE_BENCH_OUT", &out);
    if let Some(runs) = runs {
        node.env("RETAKE_BENCH_RUNS", runs.to_string());
    }
    if let Some(sizes) = sizes {
        node.env("RETAKE_BENCH_SIZES", sizes);
    }
    let measured = process::run(&mut node)?;
    drop(running);
    if !measured {
        return fail(format!(
            "The measurement failed. The sandbox's words are in {}.",
            log.display()
        ));
    }
    println!("\nThe figures are in {}.", out.display());
    Ok(())
}
