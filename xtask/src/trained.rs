//! The simulation, compiled with what a run of it has shown of its course
//! (profile-guided optimisation): the same program, a fifth quicker, for runs that take
//! longer than the two builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Doing, Outcome, fail};
use crate::workspace::Workspace;
use crate::{llvm, process, tools};

/// Seeds that show the course.
const SHOWN: &str = "20000";
/// What needs the tools.
const PURPOSE: &str = "the simulation compiled by its own course";

/// Builds it, and gives the program.
///
/// # Errors
/// When a tool is missing, it does not compile, or it fails while it is
/// watched.
pub(crate) fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    // First, so that nobody waits for a build to hear that a tool is missing.
    llvm::tool(workspace, "llvm-profdata", PURPOSE)?;
    let triple = host(workspace)?;
    let folder = workspace.target.join("trained");
    let [profiles, merged] = ["profiles", "course.profdata"].map(|name| folder.join(name));
    if profiles.exists() {
        // What an earlier state of the core showed is not this one's course.
        std::fs::remove_dir_all(&profiles).doing(format!("remove {}", profiles.display()))?;
    }
    println!("Building the simulation twice, the second time by the course of the first.");
    let watched = folder.join("watched");
    let word = format!("-Cprofile-generate={}", profiles.display());
    compile(workspace, &watched, &triple, &word)?;
    let mut showing = Command::new(program(&watched, &triple));
    showing
        .args(["--seeds", SHOWN])
        .env_remove("LLVM_PROFILE_FILE")
        .stdout(std::process::Stdio::null());
    if !process::run(&mut showing)? {
        return fail(format!(
            "The simulation does not pass {SHOWN} seeds: `cargo xtask sim --seeds {SHOWN}` tells why."
        ));
    }
    llvm::merge(workspace, &profiles, &merged, PURPOSE)?;
    let built = folder.join("built");
    let word = format!("-Cprofile-use={}", merged.display());
    compile(workspace, &built, &triple, &word)?;
    Ok(program(&built, &triple))
}

/// Compiles it into a folder of its own, with one more word for the compiler. The
/// target is named so that build scripts and macros are compiled without that word.
fn compile(workspace: &Workspace, folder: &Path, triple: &str, word: &str) -> Outcome<()> {
    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args([
            "build",
            "--quiet",
            "--profile",
            "sim",
            "--package",
            "retake-sim",
        ])
        .args(["--target", triple])
        .env("CARGO_TARGET_DIR", folder)
        // Whole, also where the checkout's path has a space.
        .env("CARGO_ENCODED_RUSTFLAGS", word);
    if process::run(&mut cargo)? {
        Ok(())
    } else {
        fail("The simulation does not compile. Its words are above.")
    }
}

fn program(folder: &Path, triple: &str) -> PathBuf {
    let name = format!("retake-sim{}", std::env::consts::EXE_SUFFIX);
    folder.join(triple).join("sim").join(name)
}

/// The platform that this compiler compiles for when nobody says otherwise.
fn host(workspace: &Workspace) -> Outcome<String> {
    let told = process::ask(tools::command(workspace, "rustc").arg("-vV")).unwrap_or_default();
    match told.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(triple) => Ok(triple.to_owned()),
        None => fail("rustc does not say for which platform it compiles (`rustc -vV`)."),
    }
}
