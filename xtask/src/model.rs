//! `cargo xtask model`: the exhaustive check of a small bound, built for speed.

use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::process;
use crate::sim;
use crate::workspace::Workspace;

/// Runs the task.
///
/// # Errors
/// When a promise is broken, a case is missed, a planted bug is not caught, or
/// the command line is wrong.
pub(crate) fn model(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let misfortunes = arguments.take_parsed::<u8>("--misfortunes", "a small number")?;
    let planted = arguments.take_flag("--planted");
    let figures = arguments.take_value("--figures")?;
    arguments.finish()?;
    let mut cargo = command_for(workspace, misfortunes, planted);
    if let Some(file) = figures {
        cargo.args(["--figures", &file]);
    }
    if process::run(&mut cargo)? {
        Ok(())
    } else if planted {
        fail("A planted bug was not caught, so the model's silence means little.")
    } else {
        fail("The model check found a broken promise, or missed a case. Its words are above.")
    }
}

/// The model check, with so many misfortunes in one run (its own number if none),
/// or with each planted bug.
pub(crate) fn command_for(
    workspace: &Workspace,
    misfortunes: Option<u8>,
    planted: bool,
) -> Command {
    let features: &[&str] = if planted {
        &["--features", "planted"]
    } else {
        &[]
    };
    let mut cargo = sim::built_for_speed(workspace, "retake-model", features);
    cargo.arg("--");
    if planted {
        cargo.arg("--planted");
    }
    if let Some(misfortunes) = misfortunes {
        cargo.args(["--misfortunes", &misfortunes.to_string()]);
    }
    cargo.args(["--commit", &sim::commit(workspace)]);
    cargo
}
