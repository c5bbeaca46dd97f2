//! `cargo xtask report`: the figures of reliability in one place, with the
//! commit and the seeds that they were measured with.
//!
//! What takes a browser has tasks of its own (`test --only chaos`, `kills`,
//! `hidden`); `RELIABILITY.md` says which figure comes from which.

use std::process::{Command, Stdio};

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::sim;
use crate::workspace::Workspace;

/// Runs the task.
///
/// # Errors
/// When a measurement cannot be made, or the first two parts show a broken promise.
pub(crate) fn report(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let seeds = arguments.take_parsed::<u64>("--seeds", "a number of seeds")?;
    arguments.finish()?;
    let seeds = seeds.unwrap_or(1_000_000).to_string();
    // The comparison shows how other policies do; what Retake promises is the first part's.
    let parts = [
        (
            "The core against every fault",
            sim::command_for(workspace, &["--seeds", &seeds, "--coverage"]),
            true,
        ),
        (
            "Bugs planted in the core",
            sim::command_for_planted(workspace),
            true,
        ),
        (
            "Beside other policies",
            sim::command_for(workspace, &["--compare", "100000"]),
            false,
        ),
    ];
    let mut text = format!("# Figures of commit {}\n", sim::commit(workspace));
    let mut broken = Vec::new();
    for (title, command, must_hold) in parts {
        println!("── {title}");
        let (printed, holds) = printed_by(command)?;
        print!("{printed}");
        if must_hold && !holds {
            broken.push(title);
        }
        text.push_str(&format!(
            "\n## {title}\n\n```\n{}\n```\n",
            printed.trim_end()
        ));
    }
    let path = workspace.target.join("reliability.md");
    std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
    println!("\nThe figures are in {}.", path.display());
    if broken.is_empty() {
        Ok(())
    } else {
        fail(format!(
            "Not as it should be (its own words are above): {}.",
            broken.join("; ")
        ))
    }
}

/// What a program prints, and whether it ended well.
fn printed_by(mut command: Command) -> Outcome<(String, bool)> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .doing("start the simulation")?;
    Ok((
        String::from_utf8_lossy(&output.stdout).into_owned(),
        output.status.success(),
    ))
}
