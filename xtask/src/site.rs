//! Builds the two halves of what a person opens: the site and the sandbox.

use std::path::PathBuf;

use crate::failure::{Doing, Outcome, fail};
use crate::finish;
use crate::progress::{Job, run_lanes};
use crate::styles;
use crate::tools::{self, RustTool, WASM};
use crate::workspace::Workspace;

/// How the app is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For looking at it now: compiles in seconds, several times the size.
    Quick,
    /// What is shipped: small, optimised by wasm-opt.
    Release,
}

impl Kind {
    /// The folder name of the built site.
    fn folder(self) -> &'static str {
        match self {
            Self::Quick => "serve",
            Self::Release => "release",
        }
    }

    /// What cargo and Trunk are told.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Quick => &[],
            Self::Release => &["--release"],
        }
    }
}

/// Makes sure that everything is there to build the site of this kind, and
/// builds it; with the sandbox if asked for. Returns the site's folder.
///
/// Missing tools are built on one lane while the code is compiled on another:
/// on two cores this keeps both busy, since the end of every build is one
/// crate after the other.
///
/// # Errors
/// When a tool cannot be had or the code doesn't compile.
pub(crate) fn build(workspace: &Workspace, kind: Kind, with_sandbox: bool) -> Outcome<PathBuf> {
    tools::wasm_target(workspace)?;
    if kind == Kind::Release {
        tools::node_packages(
            workspace,
            "the release build (wasm-opt comes as a Node package)",
        )?;
    }
    let trunk = RustTool::trunk();
    let bindgen = RustTool::wasm_bindgen(workspace)?;
    let mut installs = Vec::new();
    let mut compiles = Vec::new();
    if !trunk.is_here(workspace) {
        installs.push(trunk.job(workspace));
    }
    if !bindgen.is_here(workspace) {
        compiles.push(bindgen.job(workspace));
    }
    let tools_missing = !installs.is_empty() || !compiles.is_empty();
    if with_sandbox {
        compiles.push(compile_sandbox(workspace));
    }
    if tools_missing {
        compiles.push(compile_app(workspace, kind));
    }
    run_lanes(vec![installs, compiles], &workspace.logs())?;

    let site = workspace.site(kind.folder());
    run_lanes(
        vec![vec![bundle(workspace, kind, site.clone())]],
        &workspace.logs(),
    )?;
    Ok(site)
}

/// The page of the built site, before it is known where it will live
/// ([`finish::BASE`]).
pub(crate) fn page_file(workspace: &Workspace, kind: Kind) -> PathBuf {
    workspace.site(&format!("{}.html", kind.folder()))
}

/// Builds the sandbox alone.
///
/// # Errors
/// When it doesn't compile.
pub(crate) fn build_sandbox(workspace: &Workspace) -> Outcome<()> {
    run_lanes(vec![vec![compile_sandbox(workspace)]], &workspace.logs())
}

fn compile_sandbox(workspace: &Workspace) -> Job<'_> {
    Job {
        title: "Building the sandbox".into(),
        expect: None,
        work: Box::new(move |reporter| {
            let mut cargo = tools::command(workspace, "cargo");
            cargo.args([
                "build",
                "--package",
                "retake-sandbox",
                "--bin",
                "retake-sandbox",
            ]);
            reporter.run("sandbox", in_target(&mut cargo, workspace))
        }),
    }
}

/// Compiles the app as Trunk will do once it is there, which then finds it done.
fn compile_app(workspace: &Workspace, kind: Kind) -> Job<'_> {
    Job {
        title: "Compiling the app".into(),
        expect: None,
        work: Box::new(move |reporter| {
            let mut cargo = tools::command(workspace, "cargo");
            cargo.args(["build", "--package", "retake", "--target", WASM]);
            cargo.args(kind.arguments());
            reporter.run("app", in_target(&mut cargo, workspace))
        }),
    }
}

fn bundle(workspace: &Workspace, kind: Kind, site: PathBuf) -> Job<'_> {
    Job {
        title: match kind {
            Kind::Quick => "Building the site".into(),
            Kind::Release => "Building the release site".into(),
        },
        expect: None,
        work: Box::new(move |reporter| {
            styles::bundle(workspace)?;
            std::fs::create_dir_all(&site).doing(format!("create {}", site.display()))?;
            let mut trunk = tools::command(workspace, "trunk");
            trunk
                .arg("build")
                .args(kind.arguments())
                .arg("--dist")
                .arg(&site)
                // All its tools are on the PATH, so it has nothing to ask the
                // network for.
                .env("TRUNK_OFFLINE", "true")
                .env("TRUNK_SKIP_VERSION_CHECK", "true")
                .env("TRUNK_COLOR", "never")
                // Trunk reads it as a flag and refuses the usual `NO_COLOR=1`.
                .env_remove("NO_COLOR");
            reporter.run("trunk", in_target(&mut trunk, workspace))?;
            let page = finish::finish(&site)?;
            let template = page_file(workspace, kind);
            std::fs::write(&template, page).doing(format!("write {}", template.display()))
        }),
    }
}

/// Everything is compiled into the target folder that xtask itself is in.
fn in_target<'a>(
    command: &'a mut std::process::Command,
    workspace: &Workspace,
) -> &'a mut std::process::Command {
    command.env("CARGO_TARGET_DIR", &workspace.target)
}

/// How Trunk calls wasm-opt for the site, by the text of `index.html`.
///
/// # Errors
/// When it does not say that.
pub(crate) fn wasm_opt(html: &str) -> Outcome<Vec<&str>> {
    let value = |name: &str| html.split_once(name)?.1.split('"').next();
    let level = match value("data-wasm-opt=\"") {
        Some("s") => "-Os",
        Some("z") => "-Oz",
        _ => return fail("index.html does not say how much wasm-opt is to do."),
    };
    let Some(rest) = value("data-wasm-opt-params=\"") else {
        return fail("index.html does not say how wasm-opt is called.");
    };
    Ok(std::iter::once(level).chain(rest.split(' ')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasm_opt_is_called_as_index_html_says() {
        let options = wasm_opt(include_str!("../../index.html")).unwrap();
        assert_eq!(options[0], "-Os");
        assert!(options.contains(&"--enable-bulk-memory"), "{options:?}");
        assert!(options.iter().all(|it| it.starts_with('-')), "{options:?}");
        assert!(wasm_opt("<html>").is_err());
    }
}
