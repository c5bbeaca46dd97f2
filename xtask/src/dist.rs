//! `cargo xtask dist`: the site as it is shipped, ready for a host, in `dist/`.
//!
//! The folder is what a host publishes: the site below its base path, each file
//! with its compressed copies; `404.html`, `_headers` and `_redirects` at the
//! top; in `hosting/` the configurations of servers and the bill of materials
//! (package `retake-hosting` writes them).

use std::path::{Path, PathBuf};

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::finish;
use crate::site::{self, Kind};
use crate::workspace::Workspace;
use crate::{process, size, tools};

/// What to make, and where.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The path that the site will live below; begins and ends with `/`.
    pub(crate) base: String,
    /// The configuration to ship; without one, the sandbox's own.
    pub(crate) config: Option<PathBuf>,
    /// Further origins that pages may talk to.
    pub(crate) connect: Vec<String>,
    /// The folder to make; what was in it goes.
    pub(crate) folder: PathBuf,
}

impl Wish {
    fn parse(workspace: &Workspace, mut arguments: Arguments) -> Outcome<Self> {
        let base = arguments.take_value("--base")?;
        let config = arguments.take_value("--config")?.map(PathBuf::from);
        let connect = arguments.take_values("--connect")?;
        arguments.finish()?;
        if let Some(file) = config.as_ref().filter(|file| !file.is_file()) {
            return fail(format!(
                "`--config {}`: there is no such file.",
                file.display()
            ));
        }
        Ok(Self {
            base: with_slashes(base.as_deref().unwrap_or("/")),
            config,
            connect,
            folder: workspace.root.join("dist"),
        })
    }
}

/// `tools/retake` and the like as the base path that they mean.
fn with_slashes(base: &str) -> String {
    match base.trim_matches('/') {
        "" => "/".to_owned(),
        inner => format!("/{inner}/"),
    }
}

/// Runs the task.
///
/// # Errors
/// When the base or the configuration cannot be used, the release build fails
/// or files cannot be written.
pub(crate) fn dist(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    let wish = Wish::parse(workspace, arguments)?;
    // First what takes no time to find out.
    check(workspace, &wish)?;
    let site = site::build(workspace, Kind::Release, false)?;
    let entries = make(workspace, &site, &wish)?;
    print!("{}", size::table(&entries));
    println!(
        "\nThe site is in dist/, for the address https://your-host{}",
        wish.base
    );
    println!("docs/hosting.md says how to put it on a host; dist/hosting/ has the configurations.");
    if wish.config.is_none() {
        println!(
            "\nIt carries public/config.json, which knows the sandbox. For your own host: \
             `cargo xtask dist --config YOUR.json`."
        );
    }
    Ok(())
}

/// Says whether the wish can be granted.
///
/// # Errors
/// What is wrong with base path, configuration or origins.
pub(crate) fn check(workspace: &Workspace, wish: &Wish) -> Outcome<()> {
    let public = workspace.root.join("public").join("config.json");
    let config = wish.config.as_ref().unwrap_or(&public);
    hosting(workspace, wish, "--check", config)
}

/// Makes the folder from the built site.
///
/// # Errors
/// When files cannot be read or written.
pub(crate) fn make(workspace: &Workspace, site: &Path, wish: &Wish) -> Outcome<Vec<size::Entry>> {
    let top = &wish.folder;
    if top.exists() {
        std::fs::remove_dir_all(top).doing(format!("clear {}", top.display()))?;
    }
    let folder = top.join(wish.base.trim_matches('/'));
    copy(site, &folder)?;
    let template = site::page_file(workspace, Kind::Release);
    let page = std::fs::read_to_string(&template).doing(format!("read {}", template.display()))?;
    let page = finish::at_base(&page, &wish.base);
    let write = |path: PathBuf, text: &str| {
        std::fs::write(&path, text).doing(format!("write {}", path.display()))
    };
    write(folder.join("index.html"), &page)?;
    if let Some(config) = &wish.config {
        let target = folder.join("config.json");
        std::fs::copy(config, &target).doing(format!("write {}", target.display()))?;
    }
    let entries = size::measure(workspace, &folder, true)?;
    // Whoever changes it on the host would not know of its compressed copies, and
    // people would go on getting those.
    for copy in ["config.json.br", "config.json.gz"] {
        let path = folder.join(copy);
        std::fs::remove_file(&path).doing(format!("remove {}", path.display()))?;
    }
    // Some hosts put a folder below a path by themselves; theirs is the inner one.
    for folder in [top, &folder] {
        write(folder.join("404.html"), &page)?;
    }
    hosting(workspace, wish, "--site", top)?;
    Ok(entries)
}

fn hosting(workspace: &Workspace, wish: &Wish, what: &str, path: &Path) -> Outcome<()> {
    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args(["run", "--quiet", "--package", "retake-hosting", "--"])
        .arg(what)
        .arg(path)
        .args(["--base", &wish.base])
        .args(wish.connect.iter().flat_map(|it| ["--connect", it]))
        .env("CARGO_TARGET_DIR", &workspace.target);
    if process::run(&mut cargo)? {
        Ok(())
    } else {
        fail("Nothing was made; the reason stands above.")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_understood_with_or_without_slashes() {
        for (text, base) in [
            ("/", "/"),
            ("", "/"),
            ("retake", "/retake/"),
            ("/tools/retake", "/tools/retake/"),
            ("/tools/retake/", "/tools/retake/"),
        ] {
            assert_eq!(with_slashes(text), base, "{text}");
        }
    }
}
