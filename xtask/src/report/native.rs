//! The figures that native tests of the core come to: what they print, and whether
//! they passed.

use std::process::Command;

use retake_figures::{Figure, Figures};

use crate::failure::{Doing, Outcome};
use crate::sim;
use crate::tools;
use crate::workspace::Workspace;

/// Runs the comparison with the CLI's rules (`reliability.md` §8, #6), its load (#21), the
/// caps (#22), hostile texts (#24) and attacks (#25).
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
    all.add(load(workspace)?, "cargo test -p retake-core --test load");
    all.add(caps(workspace)?, "cargo test -p retake-core --test caps");
    all.add(
        attacks(workspace)?,
        "cargo test -p retake-core --test attacks",
    );
    Ok(all)
}

/// Requests of a supervision beside those of one CLI.
fn load(workspace: &Workspace) -> Outcome<Figure> {
    let (printed, passed) = run_tests(workspace, "load")?;
    let small = counted(&printed, "hundredths for a hundred tests") as f64 / 100.0;
    let worst = counted(&printed, "hundredths at the most") as f64 / 100.0;
    Ok(Figure::goal(
        "#21",
        "requests beside one CLI on the same batch, no fault, every batch of a table",
        "at most 1.2 times",
        format!("at most {small:.2} times for 100 tests; {worst:.2} times at the most"),
        passed && worst > 0.0 && worst <= 1.2,
    ))
}

/// Where a listing without end is stopped.
fn caps(workspace: &Workspace) -> Outcome<Figure> {
    let (printed, passed) = run_tests(workspace, "caps")?;
    let pages = counted(&printed, "pages of a list without end");
    let megabytes = counted(&printed, "MB of a list without end");
    let figure = Figure::goal(
        "#22",
        "where a listing without end is stopped; an answer's cap is the browser's (tests/e2e/chaos/hostile.spec.ts asserts it)",
        "1,000 pages, 64 MB a listing, 10 MB an answer",
        format!("{pages} pages, {megabytes} MB a listing"),
        passed && (1..=1_000).contains(&pages) && (1..=64).contains(&megabytes),
    );
    Ok(figure.over(2, 3, "caps"))
}

/// Addresses and links that try to lead away, or to act.
fn attacks(workspace: &Workspace) -> Outcome<Figure> {
    let (printed, passed) = run_tests(workspace, "attacks")?;
    let cases = counted(&printed, "attacks tried");
    let succeed = if passed { "0 succeed" } else { "some succeed" };
    let figure = Figure::promise(
        "#25",
        "attacks by return addresses and links",
        "0 of 200 cases",
        format!("{succeed} of {cases} cases"),
        passed,
    );
    Ok(figure.over(cases, 200, "cases"))
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
