//! The figures that native tests of the core come to: what they print, and whether
//! they passed.

use std::process::Command;

use retake_figures::{Figure, Figures};

use crate::failure::{Doing, Outcome};
use crate::sim;
use crate::tools;
use crate::workspace::Workspace;

/// Runs the comparison with the CLI's rules (`reliability.md` §8, #6) and the hostile
/// texts (#24).
///
/// # Errors
/// When cargo cannot be started.
pub(super) fn measure(workspace: &Workspace) -> Outcome<Figures> {
    let mut all = Figures::of(sim::commit(workspace));
    let (printed, passed) = run_tests(workspace, "parity")?;
    let count = |what| counted(&printed, what);
    let (decisions, verdicts, batches) = (
        count("decisions compared"),
        count("verdicts compared"),
        count("batches followed to their end"),
    );
    let differ = if passed { "0 differ" } else { "some differ" };
    let figure = Figure::promise(
        "#6",
        "decisions, verdicts and whole batches that differ from the CLI's rules, each combination",
        "0 in 50,000 rows",
        format!("{differ} of {decisions} decisions, {verdicts} verdicts, {batches} batches"),
        passed,
    )
    .over(decisions + verdicts + batches, 50_000, "rows");
    all.add(figure, "cargo test -p retake-core --test parity");
    let (printed, passed) = run_tests(workspace, "hostile")?;
    let texts = counted(&printed, "hostile texts");
    let pass = if passed { "0 pass" } else { "some pass" };
    let figure = Figure::promise(
        "#24",
        "hostile texts that pass a sink of the core unescaped",
        "0 of 300 texts",
        format!("{pass} of {texts} texts"),
        passed,
    )
    .over(texts, 300, "texts");
    all.add(figure, "cargo test -p retake-core --test hostile");
    Ok(all)
}

/// What a set of tests prints, and whether it passed.
fn run_tests(workspace: &Workspace, name: &str) -> Outcome<(String, bool)> {
    let mut cargo: Command = tools::command(workspace, "cargo");
    cargo
        .args(["test", "--package", "retake-core", "--test", name])
        .args(["--", "--nocapture", "--test-threads", "1"])
        .env("CARGO_TARGET_DIR", &workspace.target)
        .stderr(std::process::Stdio::inherit());
    let output = cargo.output().doing("start cargo")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{printed}");
    Ok((printed, output.status.success()))
}

/// The number before these words; 0 if nobody printed it.
fn counted(printed: &str, what: &str) -> u64 {
    printed
        .lines()
        // The line may begin with the test's name.
        .filter_map(|line| line.strip_suffix(what))
        .filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn a_number_is_found_wherever_its_line_begins() {
        let printed = "running 2 tests\ntest a ... 12 rows compared\nok\n30 rows compared\n";
        assert_eq!(counted(printed, "rows compared"), 42);
        assert_eq!(counted(printed, "others compared"), 0);
        assert_eq!(counted("many rows compared", "rows compared"), 0);
    }
}
