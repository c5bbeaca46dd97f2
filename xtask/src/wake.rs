//! `cargo xtask wake`: how soon a tab has fresh data after sleep, freezing and a network
//! that was away, and how often it asks for them.

use crate::arguments::Arguments;
use crate::failure::Outcome;
use crate::playwright;
use crate::workspace::Workspace;

/// Times of each kind unless told otherwise; seven minutes.
const TIMES: u32 = 20;

/// Runs the task.
///
/// # Errors
/// When the product cannot be built, or fresh data never came.
pub(crate) fn wake(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let times = arguments
        .take_parsed("--times", "a number")?
        .unwrap_or(TIMES);
    arguments.finish()?;
    // Pictures taken meanwhile would be measured too.
    let words = ["--trace=off".to_owned()];
    let setting = ("RETAKE_TIMES", times.to_string());
    playwright::measure(workspace, "wake", &words, setting)?;
    println!("Woken {times} times of each kind; `cargo xtask report` shows what it came to.");
    Ok(())
}
