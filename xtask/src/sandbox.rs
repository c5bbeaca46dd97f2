//! Starts the sandbox on the built site and waits until it answers.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::failure::{Outcome, fail};
use crate::port;
use crate::process::{Running, stopping};
use crate::tools;
use crate::workspace::Workspace;

/// How long the sandbox may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Starts the sandbox; it ends when the returned value is dropped.
/// `flags` are passed on. `log` takes what it prints; none means this terminal.
///
/// # Errors
/// When it ends at once or doesn't answer.
pub(crate) fn start(
    workspace: &Workspace,
    site: &Path,
    port: u16,
    flags: &[String],
    log: Option<&Path>,
) -> Outcome<Running> {
    let program = workspace.built("retake-sandbox");
    let mut command = tools::command(workspace, &program.to_string_lossy());
    command
        .args(["--port", &port.to_string(), "--site"])
        .arg(site)
        .args(flags);
    if let Some(file) = log.and_then(|log| std::fs::File::create(log).ok())
        && let Ok(second) = file.try_clone()
    {
        command.stdout(file).stderr(second);
    } else {
        command.stdout(Stdio::inherit());
    }
    let mut running = Running::start(&mut command)?;
    let answered = port::wait_for_http(port, START_LIMIT, || {
        !stopping() && matches!(running.ended(), Ok(None))
    });
    if answered {
        return Ok(running);
    }
    match running.ended()? {
        Some(status) => fail(format!("The sandbox ended while starting ({status}).")),
        None => fail(format!(
            "The sandbox did not answer on port {port} within {} seconds.",
            START_LIMIT.as_secs()
        )),
    }
}
