//! `cargo xtask dist`: the site as it is shipped, each file with its
//! compressed copies, in `dist/`.

use std::path::Path;

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome};
use crate::site::{self, Kind};
use crate::size;
use crate::workspace::Workspace;

/// Runs the task.
///
/// # Errors
/// When the release build fails or files cannot be written.
pub(crate) fn dist(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    arguments.finish()?;
    let site = site::build(workspace, Kind::Release, false)?;
    let dist = workspace.root.join("dist");
    if dist.exists() {
        std::fs::remove_dir_all(&dist).doing(format!("clear {}", dist.display()))?;
    }
    copy(&site, &dist)?;
    let entries = size::measure(workspace, &dist, true)?;
    print!("{}", size::table(&entries));
    println!("\nThe site is in dist/, with a .br and a .gz beside each file.");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to).doing(format!("create {}", to.display()))?;
    let entries = std::fs::read_dir(from).doing(format!("read {}", from.display()))?;
    for entry in entries.flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            std::fs::copy(&source, &target).doing(format!("write {}", target.display()))?;
        }
    }
    Ok(())
}
