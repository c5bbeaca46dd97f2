//! The tools of LLVM that belong to the compiler's own version: the toolchain's
//! component `llvm-tools`.

use std::path::{Path, PathBuf};

use crate::failure::{Outcome, fail};
use crate::process::ask;
use crate::progress::{Job, run_lanes};
use crate::tools::{command, find, search_path};
use crate::workspace::Workspace;

/// The component of the toolchain.
const COMPONENT: &str = "llvm-tools";

/// A tool, which `purpose` needs; its component is installed if it is missing.
///
/// # Errors
/// When it is missing, and rustup is missing too or cannot add it.
pub(crate) fn tool(workspace: &Workspace, name: &str, purpose: &str) -> Outcome<PathBuf> {
    if let Some(file) = here(workspace, name) {
        return Ok(file);
    }
    if find("rustup", &search_path(workspace)).is_some() {
        let job = Job {
            title: format!("Installing the toolchain's {COMPONENT}"),
            expect: Some("a download, once"),
            work: Box::new(|reporter| {
                reporter.run(
                    "rustup",
                    command(workspace, "rustup").args(["component", "add", COMPONENT]),
                )
            }),
        };
        run_lanes(vec![vec![job]], &workspace.logs())?;
    }
    match here(workspace, name) {
        Some(file) => Ok(file),
        None => fail(format!(
            "{name} is missing; {purpose} needs it. Install Rust with rustup \
             (https://rustup.rs), then the toolchain's part of LLVM with \
             `rustup component add {COMPONENT}`."
        )),
    }
}

fn here(workspace: &Workspace, name: &str) -> Option<PathBuf> {
    let libraries = ask(command(workspace, "rustc").args(["--print", "target-libdir"]))?;
    let folder = Path::new(libraries.trim()).parent()?.join("bin");
    let file = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    file.is_file().then_some(file)
}

/// Puts what instrumented programs wrote into `folder` together, into `merged`.
///
/// # Errors
/// When the tool is missing or finds nothing that it can read.
pub(crate) fn merge(
    workspace: &Workspace,
    folder: &Path,
    merged: &Path,
    purpose: &str,
) -> Outcome<()> {
    let program = tool(workspace, "llvm-profdata", purpose)?;
    let mut merging = command(workspace, &program.to_string_lossy());
    merging
        .args(["merge", "--sparse", "-o"])
        .arg(merged)
        .arg(folder);
    if crate::process::run(&mut merging)? {
        Ok(())
    } else {
        fail(format!(
            "What was written for {purpose} cannot be put together."
        ))
    }
}
