//! `cargo xtask fuzz`: feeds broken and hostile input to every reader of the core.

use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::process;
use crate::sim;
use crate::workspace::Workspace;

/// Runs the task.
///
/// # Errors
/// When an input breaks a promise, or the command line is wrong.
pub(crate) fn fuzz(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let mut words = Vec::new();
    for name in ["--inputs", "--seed", "--target", "--replay", "--figures"] {
        if let Some(value) = arguments.take_value(name)? {
            words.extend([name.to_owned(), value]);
        }
    }
    if arguments.take_flag("--keep") {
        words.push("--keep".to_owned());
    }
    arguments.finish()?;
    if process::run(command_for(workspace).args(&words))? {
        Ok(())
    } else {
        fail(
            "An input broke a promise. Its words are above; it is now in fuzz/corpus, where \
             `cargo test -p retake-fuzz` replays it.",
        )
    }
}

/// The hunt, built for speed; more words may follow.
pub(crate) fn command_for(workspace: &Workspace) -> Command {
    let mut cargo = sim::built_for_speed(workspace, "retake-fuzz", &[]);
    cargo.args(["--", "--commit", &sim::commit(workspace)]);
    cargo
}
