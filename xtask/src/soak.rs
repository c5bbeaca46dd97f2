//! `cargo xtask soak`: whether a tab grows that supervises fifty batches, and what a batch of
//! 10,000 tests costs it.

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::playwright::{self, Run};
use crate::site::{self, Kind};
use crate::workspace::Workspace;

/// Minutes of each tab unless told otherwise: two reads a second make as many looks in 24 as one
/// batch does in a day at poll-every 30 s (`reliability.md` §8, #20); one more for those that are late.
const MINUTES: u32 = 25;

/// Runs the task.
///
/// # Errors
/// When the product cannot be built, or a tab did not supervise to its end.
pub(crate) fn soak(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let minutes = arguments
        .take_parsed("--minutes", "a whole number")?
        .unwrap_or(MINUTES);
    let only_large = arguments.take_flag("--large");
    arguments.finish()?;
    if minutes == 0 {
        return fail("A soak takes at least a minute.");
    }
    let site = site::build(workspace, Kind::Release, false)?;
    // One after the other, as each is measured by the processor.
    let words = ["--retries=0", "--trace=off", "--workers=1"].map(ToOwned::to_owned);
    let large = Run {
        name: "large",
        folder: "large",
        words: &words,
        settings: &[],
        figures: true,
    };
    playwright::run(workspace, &site, &large)?;
    if only_large {
        return Ok(());
    }
    // Side by side: nothing here depends on how quick the machine is.
    let words = ["--retries=0", "--trace=off", "--workers=3"].map(ToOwned::to_owned);
    let soak = Run {
        name: "soak",
        folder: "soak",
        settings: &[("RETAKE_MINUTES", minutes.to_string())],
        words: &words,
        ..large
    };
    playwright::run(workspace, &site, &soak)?;
    println!(
        "Supervised fifty batches for {minutes} min; `cargo xtask report` shows how much was kept."
    );
    Ok(())
}
