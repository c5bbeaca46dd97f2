//! `cargo xtask pictures`: takes the README's screenshots anew.

use crate::arguments::Arguments;
use crate::failure::Outcome;
use crate::playwright::{self, Run};
use crate::site::{self, Kind};
use crate::workspace::Workspace;

/// Runs the task.
///
/// # Errors
/// When the product cannot be built or a picture not taken.
pub(crate) fn pictures(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    arguments.finish()?;
    let site = site::build(workspace, Kind::Release, false)?;
    playwright::run(
        workspace,
        &site,
        &Run {
            name: "pictures",
            folder: "pictures",
            words: &[],
            settings: &[],
            figures: false,
        },
    )?;
    println!("The pictures are in docs/images.");
    Ok(())
}
