//! The table at the end of `cargo xtask test`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::progress::duration;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All of it was right.
    Passed,
    /// Something in it was wrong.
    Failed,
    /// It could not run, because the named step did not pass.
    Skipped(&'static str),
}

/// A step in the table.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) step: &'static str,
    pub(super) ended: Ended,
    time: Duration,
}

impl Line {
    /// A step that ran.
    pub(super) fn ran(step: &'static str, passed: bool, time: Duration) -> Self {
        let ended = if passed { Ended::Passed } else { Ended::Failed };
        Self { step, ended, time }
    }

    /// A step that could not run without `need`.
    pub(super) fn skipped(step: &'static str, need: &'static str) -> Self {
        Self {
            step,
            ended: Ended::Skipped(need),
            time: Duration::ZERO,
        }
    }
}

/// The table.
pub(super) fn table(lines: &[Line]) -> String {
    let mut text = format!("{:10}  {:24}  {:>12}\n", "step", "result", "time");
    for line in lines {
        let result = match line.ended {
            Ended::Passed => "passed".to_owned(),
            Ended::Failed => "FAILED".to_owned(),
            Ended::Skipped(need) => format!("skipped ({need} failed)"),
        };
        let _ = writeln!(
            text,
            "{:10}  {result:24}  {:>12}",
            line.step,
            duration(line.time)
        );
    }
    let all: Duration = lines.iter().map(|line| line.time).sum();
    let _ = writeln!(text, "{:10}  {:24}  {:>12}", "all", "", duration(all));
    text
}

/// The last line, for programs that read the output of CI. A skipped step was
/// not proven right, so it counts as failed.
pub(super) fn counts(lines: &[Line]) -> String {
    let passed = lines
        .iter()
        .filter(|line| line.ended == Ended::Passed)
        .count();
    format!("{passed} passed, {} failed", lines.len() - passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_step_result_and_time() {
        let lines = [
            Line::ran("format", true, Duration::from_millis(300)),
            Line::ran("build", false, Duration::from_secs(61)),
            Line::skipped("e2e", "build"),
        ];
        let table = table(&lines);
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|row| {
                row.split("  ")
                    .map(str::trim)
                    .filter(|cell| !cell.is_empty())
                    .collect()
            })
            .collect();
        assert_eq!(rows[1], ["format", "passed", "0.3 s"]);
        assert_eq!(rows[2], ["build", "FAILED", "1 min 01 s"]);
        assert_eq!(rows[3], ["e2e", "skipped (build failed)", "0.0 s"]);
        assert_eq!(rows[4], ["all", "1 min 01 s"]);
        assert_eq!(counts(&lines), "1 passed, 2 failed");
    }
}
