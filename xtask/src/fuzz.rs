//! `cargo xtask fuzz`: feeds broken and hostile input to every reader of the core.

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::process;
use crate::sim;
use crate::tools;
use crate::workspace::Workspace;

/// Runs the task.
///
/// # Errors
/// When an input breaks a promise, or the command line is wrong.
pub(crate) fn fuzz(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let mut words = Vec::new();
    for name in ["--inputs", "--seed", "--target", "--replay"] {
        if let Some(value) = arguments.take_value(name)? {
            words.extend([name.to_owned(), value]);
        }
    }
    if arguments.take_flag("--keep") {
        words.push("--keep".to_owned());
    }
    arguments.finish()?;
    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args([
            "run",
            "--quiet",
            "--profile",
            "sim",
            "--package",
            "retake-fuzz",
            "--",
        ])
        .args(&words)
        .args(["--commit", &sim::commit(workspace)])
        .env("CARGO_TARGET_DIR", &workspace.target);
    if process::run(&mut cargo)? {
        Ok(())
    } else {
        fail(
            "An input broke a promise. Its words are above; it is now in fuzz/corpus, where \
             `cargo test -p retake-fuzz` replays it.",
        )
    }
}
