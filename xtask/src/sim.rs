//! `cargo xtask sim`: runs the simulation, built for speed, on all cores.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::tools::{self, WASM};
use crate::workspace::Workspace;
use crate::{process, trained};

/// Seeds of a night (`reliability.md` §8).
const NIGHT: &str = "20000000";
/// Seeds before a release: as many as come to the 5,000 million calls of #3 there, of
/// which a million seeds make 37.
const RELEASE: &str = "140000000";

/// Runs the task.
///
/// # Errors
/// When a promise is broken, a planted bug is not caught, or the command line
/// is wrong.
pub(crate) fn sim(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let mut words = Vec::new();
    for name in [
        "--seeds",
        "--from",
        "--seed",
        "--settle",
        "--compare",
        "--mix",
        "--demand-speed",
    ] {
        if let Some(value) = arguments.take_value(name)? {
            words.extend([name.to_owned(), value]);
        }
    }
    if arguments.take_flag("--coverage") {
        words.push("--coverage".to_owned());
    }
    if arguments.take_flag("--sweep") {
        words.push("--sweep".to_owned());
    }
    if let Some(file) = arguments.take_value("--figures")? {
        words.extend(["--figures".to_owned(), file]);
    }
    let planted = arguments.take_flag("--planted");
    let replays = arguments.take_value("--replays")?;
    let trained = arguments.take_flag("--trained");
    let night = arguments.take_flag("--night");
    let release = arguments.take_flag("--release");
    arguments.finish()?;
    let modes = [planted, replays.is_some(), trained, night, release];
    if modes.into_iter().filter(|it| *it).count() > 1 {
        return fail(
            "Of --planted, --replays, --trained, --night and --release only one can be asked for.",
        );
    }
    if night {
        return run_long(workspace, "night", NIGHT);
    }
    if release {
        return run_long(workspace, "release", RELEASE);
    }
    if planted {
        return run_planted(workspace, &words);
    }
    if let Some(count) = replays {
        return run_replays(workspace, &count, &words);
    }
    if trained {
        return judge(&mut command_for_trained(workspace, &words)?);
    }
    run(workspace, &words)
}

/// Runs the core as it is.
///
/// # Errors
/// When a promise is broken.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Outcome<()> {
    judge(&mut command_for(workspace, words))
}

fn judge(simulation: &mut Command) -> Outcome<()> {
    if process::run(simulation)? {
        Ok(())
    } else {
        fail("The simulation found a broken promise, or missed a case. Its words are above.")
    }
}

/// Runs the planted bugs.
///
/// # Errors
/// When one is not caught.
pub(crate) fn run_planted(workspace: &Workspace, words: &[String]) -> Outcome<()> {
    if process::run(command_for_planted(workspace).args(words))? {
        Ok(())
    } else {
        fail(
            "A planted bug was not caught by a promise that it breaks, so the simulation's \
             silence means little.",
        )
    }
}

/// Runs the seeds of a night or of a release, and leaves the figures for `report`.
///
/// # Errors
/// When a promise is broken.
fn run_long(workspace: &Workspace, name: &str, seeds: &str) -> Outcome<()> {
    let file = workspace.figures(name)?.display().to_string();
    let words = ["--seeds", seeds, "--figures", &file];
    judge(&mut quickest(workspace, &words))
}

/// The simulation, compiled by its own course where that can be done; the words of its
/// figures say which.
pub(crate) fn quickest(workspace: &Workspace, words: &[&str]) -> Command {
    command_for_trained(workspace, words).unwrap_or_else(|why| {
        println!("{why}\nSo it runs as it is compiled otherwise.");
        command_for(workspace, words)
    })
}

/// Makes failing runs again.
///
/// # Errors
/// When one fails in another way, or too few fail.
fn run_replays(workspace: &Workspace, count: &str, words: &[String]) -> Outcome<()> {
    if process::run(command_for_replays(workspace, count)?.args(words))? {
        Ok(())
    } else {
        fail("A failing run came out another way when it was made again, or too few failed.")
    }
}

/// The simulation of the core as it is, with these words.
pub(crate) fn command_for(workspace: &Workspace, words: &[impl AsRef<OsStr>]) -> Command {
    let mut cargo = command(workspace, &[]);
    cargo
        .arg("--")
        .args(words)
        .args(["--commit", &commit(workspace)]);
    cargo
}

/// The same, compiled by its own course: for many seeds, and for how many it makes a
/// second.
///
/// # Errors
/// As of [`trained::build`].
fn command_for_trained(workspace: &Workspace, words: &[impl AsRef<OsStr>]) -> Outcome<Command> {
    let mut simulation = Command::new(trained::build(workspace)?);
    simulation.current_dir(&workspace.root).args(words).args([
        "--trained",
        "--commit",
        &commit(workspace),
    ]);
    Ok(simulation)
}

/// The simulation of the core with each planted bug.
pub(crate) fn command_for_planted(workspace: &Workspace) -> Command {
    let mut cargo = command(workspace, &["--features", "planted"]);
    cargo.args(["--", "--planted", "--commit", &commit(workspace)]);
    cargo
}

/// So many failing runs of the core with planted bugs, each made again, natively and in
/// WebAssembly, whose module is built for it.
///
/// # Errors
/// When Node or the target is missing, or the module cannot be built.
pub(crate) fn command_for_replays(workspace: &Workspace, count: &str) -> Outcome<Command> {
    tools::node(workspace, "making runs again in WebAssembly")?;
    let module = build_module(workspace)?;
    let mut cargo = command(workspace, &["--features", "planted"]);
    cargo
        .args(["--", "--replays", count, "--commit", &commit(workspace)])
        .arg("--wasm")
        .arg(module);
    Ok(cargo)
}

/// Builds the simulation as a WebAssembly module.
fn build_module(workspace: &Workspace) -> Outcome<PathBuf> {
    tools::wasm_target(workspace)?;
    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args(["build", "--quiet", "--profile", "sim", "--target", WASM])
        .args(["--package", "retake-sim-wasm", "--features", "planted"])
        .env("CARGO_TARGET_DIR", &workspace.target);
    if !process::run(&mut cargo)? {
        return fail("The simulation does not compile to WebAssembly. Its words are above.");
    }
    let folder = workspace.target.join(WASM).join("sim");
    Ok(folder.join("retake_sim_wasm.wasm"))
}

fn command(workspace: &Workspace, features: &[&str]) -> Command {
    built_for_speed(workspace, "retake-sim", features)
}

/// Runs a package of this workspace, built for speed and with every assertion
/// on; the words for it come after a `--`.
pub(crate) fn built_for_speed(workspace: &Workspace, package: &str, features: &[&str]) -> Command {
    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args(["run", "--quiet", "--profile", "sim", "--package", package])
        .args(features)
        .env("CARGO_TARGET_DIR", &workspace.target);
    cargo
}

/// The commit that is checked out, for the table; with a mark when files differ.
pub(crate) fn commit(workspace: &Workspace) -> String {
    let mut git = tools::command(workspace, "git");
    git.args(["describe", "--always", "--dirty", "--exclude=*"]);
    process::ask(&mut git).map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
