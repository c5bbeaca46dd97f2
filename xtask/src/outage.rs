//! `cargo xtask outage`: how soon a supervision looks again after an outage of an
//! hour, and whether it comes to its verdict.

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::playwright;
use crate::workspace::Workspace;

/// Minutes of the outage unless told otherwise (`reliability.md` §8, #9).
const MINUTES: u32 = 60;

/// Runs the task.
///
/// # Errors
/// When the product cannot be built, or a supervision was lost.
pub(crate) fn outage(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let minutes = arguments
        .take_parsed("--minutes", "a whole number")?
        .unwrap_or(MINUTES);
    arguments.finish()?;
    if minutes == 0 {
        return fail("An outage takes at least a minute.");
    }
    // Nobody waits for another hour unasked, and an hour's pictures are much to keep.
    let words = ["--retries=0", "--trace=off"].map(ToOwned::to_owned);
    let setting = ("RETAKE_MINUTES", minutes.to_string());
    playwright::measure(workspace, "outage", &words, setting)?;
    println!(
        "Rode out two outages of {minutes} min; `cargo xtask report` shows how soon each ended."
    );
    Ok(())
}
