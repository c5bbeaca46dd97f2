//! `cargo xtask hidden`: how regularly a hidden tab looks at its batch; with `--visible`,
//! one that somebody looks at.
//!
//! Not with Playwright, which keeps every page visible and switches background
//! throttling off: `tests/e2e/hidden/hidden.mjs` starts Chromium with a window
//! of its own and puts another tab in front. Without a screen the window is on
//! a virtual one (`Xvfb`).

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::process::{self, Running};
use crate::site::{self, Kind};
use crate::tools::{self, Browser};
use crate::workspace::Workspace;
use crate::{port, sandbox, sim};

/// How long it watches unless told otherwise.
const MINUTES: u32 = 10;

/// Runs the task.
///
/// # Errors
/// When something is missing, or the tab was not as it should be all the time, or the
/// gaps were outside the limits.
pub(crate) fn hidden(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let minutes = arguments
        .take_parsed("--minutes", "a number")?
        .unwrap_or(MINUTES);
    let visible = arguments.take_flag("--visible");
    arguments.finish()?;
    let name = if visible { "visible" } else { "hidden" };
    let screen = screen(workspace)?;
    tools::node(workspace, "watching a tab")?;
    let browser = Browser::ensure(workspace)?;
    let site = site::build(workspace, Kind::Release, true)?;
    let port = port::any_free()?;
    let log = workspace.logs().join(format!("sandbox-{name}.log"));
    let running = sandbox::start(workspace, &site, port, &[], Some(&log))?;
    let mut node = tools::command(workspace, "node");
    node.arg(workspace.e2e().join("hidden/hidden.mjs"))
        .env("RETAKE_URL", format!("http://localhost:{port}"))
        .env("RETAKE_CHROMIUM", &browser.chromium)
        .env("RETAKE_MINUTES", minutes.to_string())
        .env("RETAKE_COMMIT", sim::commit(workspace))
        .env("RETAKE_FIGURES", workspace.figures(name)?)
        .env("RETAKE_VISIBLE", if visible { "1" } else { "0" });
    if let Some((_, number)) = &screen {
        node.env("DISPLAY", format!(":{number}"));
    }
    let passed = process::run(&mut node)?;
    drop(running);
    drop(screen);
    if passed {
        Ok(())
    } else {
        fail(format!(
            "The {name} tab did not look as regularly as it should; the figures are above."
        ))
    }
}

/// A virtual screen, unless there is a real one.
fn screen(workspace: &Workspace) -> Outcome<Option<(Running, u16)>> {
    if std::env::var_os("DISPLAY").is_some() {
        return Ok(None);
    }
    if tools::find("Xvfb", &tools::search_path(workspace)).is_none() {
        return fail(
            "There is no screen, and Xvfb, a virtual one, is missing. Install it \
             (Debian: `sudo apt-get install xvfb`; Fedora: `sudo dnf install xorg-x11-server-Xvfb`).",
        );
    }
    // A screen has a socket; any number whose socket is not there will do.
    let number = (90..200)
        .find(|number| !std::path::Path::new(&format!("/tmp/.X11-unix/X{number}")).exists());
    let Some(number) = number else {
        return fail("No number for a virtual screen is free.");
    };
    let mut xvfb = tools::command(workspace, "Xvfb");
    xvfb.arg(format!(":{number}"))
        .args(["-screen", "0", "1440x900x24", "-nolisten", "tcp"])
        .stderr(std::process::Stdio::null());
    Ok(Some((Running::start(&mut xvfb)?, number)))
}
