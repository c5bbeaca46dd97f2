//! `cargo xtask kills`: kills a real browser at the boundaries of a rerun, and
//! counts at the server what became of it.

use crate::arguments::Arguments;
use crate::failure::Outcome;
use crate::playwright;
use crate::workspace::Workspace;

/// Kills unless told otherwise; five minutes on two cores.
const KILLS: u32 = 60;

/// Runs the task.
///
/// # Errors
/// When the product cannot be built, or a supervision was lost or doubled.
pub(crate) fn kills(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let count = arguments
        .take_parsed("--count", "a number")?
        .unwrap_or(KILLS);
    arguments.finish()?;
    let setting = ("RETAKE_KILLS", count.to_string());
    playwright::measure(workspace, "kills", &[], setting)?;
    println!("Killed at least {count} times: no supervision lost, no rerun doubled.");
    Ok(())
}
