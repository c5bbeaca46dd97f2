//! `cargo xtask coverage`: how much of the core its own tests run through.
//!
//! With the compiler's own instrumentation, and the tools of its version of LLVM, which is
//! all that it takes.

use std::path::Path;
use std::process::Command;

use retake_figures::{Figure, Figures};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::workspace::Workspace;
use crate::{llvm, process, sim, tools};

/// Regions of the core that are to be run through (`reliability.md` §8, #26).
const GOAL_PERCENT: f64 = 95.0;
/// What needs the tools of LLVM.
const PURPOSE: &str = "coverage";
/// Files that are tests as a whole.
const TESTS: &str = r"/tests(/|\.rs$)|_tests\.rs$";

/// Runs the task.
///
/// # Errors
/// When a tool is missing or a test of the core fails.
pub(crate) fn coverage(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    arguments.finish()?;
    let export = llvm::tool(workspace, "llvm-cov", PURPOSE)?;
    let folder = workspace.target.join("coverage");
    let profiles = folder.join("profiles");
    if profiles.exists() {
        // What an earlier run left is not what this one runs through.
        std::fs::remove_dir_all(&profiles).doing(format!("remove {}", profiles.display()))?;
    }
    if !process::run(&mut tests(workspace, &folder, &profiles, &[]))? {
        return fail("A test of the core failed, so what it runs through says little.");
    }
    let merged = folder.join("core.profdata");
    llvm::merge(workspace, &profiles, &merged, PURPOSE)?;
    let built = tests(
        workspace,
        &folder,
        &profiles,
        &["--no-run", "--message-format=json"],
    );
    let programs = programs(built)?;
    let mut exporting = tools::command(workspace, &export.to_string_lossy());
    exporting
        .args(["export", "--summary-only"])
        .arg(format!("--ignore-filename-regex={TESTS}"))
        .arg(format!("--instr-profile={}", merged.display()));
    for program in programs {
        exporting.arg("--object").arg(program);
    }
    exporting
        .arg("--sources")
        .arg(workspace.root.join("core/src"));
    let told = process::ask(&mut exporting);
    let Some(shares) = told.as_deref().and_then(Shares::read) else {
        return fail("llvm-cov tells nothing of the core.");
    };
    for (file, percent) in &shares.least {
        let file = Path::new(file)
            .strip_prefix(&workspace.root)
            .unwrap_or(Path::new(file));
        println!("{percent:6.2} %  {}", file.display());
    }
    println!(
        "Regions {:.2} %, lines {:.2} %, functions {:.2} % of the core.",
        shares.regions, shares.lines, shares.functions
    );
    let mut figures = Figures::of(sim::commit(workspace));
    figures.add(shares.figure(), "cargo xtask coverage");
    match figures.write(&workspace.figures("coverage")?) {
        Ok(()) => Ok(()),
        Err(why) => fail(why),
    }
}

/// The core's tests, compiled to write down what they run through.
fn tests(workspace: &Workspace, folder: &Path, profiles: &Path, words: &[&str]) -> Command {
    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args(["test", "--quiet", "--package", "retake-core", "--tests"])
        .args(words)
        .env("CARGO_TARGET_DIR", folder)
        .env("RUSTFLAGS", "-Cinstrument-coverage")
        .env("LLVM_PROFILE_FILE", profiles.join("%m-%p.profraw"));
    cargo
}

/// The programs that cargo says it has built.
fn programs(mut built: Command) -> Outcome<Vec<String>> {
    let told = process::ask(&mut built).unwrap_or_default();
    let programs: Vec<String> = told
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| Some(message.get("executable")?.as_str()?.to_owned()))
        .collect();
    if programs.is_empty() {
        return fail("cargo names no test of the core.");
    }
    Ok(programs)
}

/// Shares of the core in percent.
#[derive(Debug, PartialEq)]
struct Shares {
    regions: f64,
    lines: f64,
    functions: f64,
    /// The files with the smallest share of regions, least first.
    least: Vec<(String, f64)>,
}

impl Shares {
    /// From what llvm-cov exports.
    fn read(exported: &str) -> Option<Self> {
        const SHOWN: usize = 10;
        let whole: Value = serde_json::from_str(exported).ok()?;
        let data = whole.get("data")?.get(0)?;
        let percent = |of: &Value, what: &str| of.get(what)?.get("percent")?.as_f64();
        let totals = data.get("totals")?;
        let files = data.get("files")?.as_array()?.iter();
        let mut least: Vec<(String, f64)> = files
            .filter_map(|file| {
                let name = file.get("filename")?.as_str()?.to_owned();
                Some((name, percent(file.get("summary")?, "regions")?))
            })
            .collect();
        least.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        least.truncate(SHOWN);
        Some(Self {
            regions: percent(totals, "regions")?,
            lines: percent(totals, "lines")?,
            functions: percent(totals, "functions")?,
            least,
        })
    }

    fn figure(&self) -> Figure {
        Figure::goal(
            "#26",
            "regions of the core that its own tests run through, unit tests in the same files counted",
            "95 %",
            format!(
                "{:.2} % of regions, {:.2} % of lines, {:.2} % of functions",
                self.regions, self.lines, self.functions
            ),
            self.regions >= GOAL_PERCENT,
        )
    }
}

#[cfg(test)]
mod tests {
    use retake_figures::Standing;

    use super::Shares;

    fn exported(regions: f64) -> String {
        let share = |percent: f64| serde_json::json!({"count": 9, "percent": percent});
        serde_json::json!({"data": [{
            "files": [
                {"filename": "core/src/a.rs", "summary": {"regions": share(99.0)}},
                {"filename": "core/src/b.rs", "summary": {"regions": share(80.5)}},
            ],
            "totals": {"regions": share(regions), "lines": share(97.0), "functions": share(98.0)},
        }]})
        .to_string()
    }

    #[test]
    fn the_shares_are_those_of_all_files_with_the_least_first() {
        let shares = Shares::read(&exported(96.0)).unwrap();
        assert_eq!(
            (shares.regions, shares.lines, shares.functions),
            (96.0, 97.0, 98.0)
        );
        assert_eq!(shares.least[0], ("core/src/b.rs".to_owned(), 80.5));
        assert_eq!(Shares::read("{}"), None);
    }

    #[test]
    fn too_small_a_share_of_regions_is_not_met() {
        let standing = |regions| {
            Shares::read(&exported(regions))
                .unwrap()
                .figure()
                .standing()
        };
        assert_eq!(standing(94.9), Standing::NotMet);
        assert_eq!(standing(95.0), Standing::Met);
    }
}
