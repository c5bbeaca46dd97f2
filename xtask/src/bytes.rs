//! `cargo xtask bytes`: shows what the app's bytes are made of.
//!
//! The release build, once more with the names left in, since sizes say
//! nothing without them. What is shown is before compression.

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::tools::{self, RustTool, WASM};
use crate::workspace::Workspace;
use crate::{process, site};

/// Runs the task.
///
/// # Errors
/// When a tool cannot be had or the app doesn't compile.
pub(crate) fn bytes(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    arguments.finish()?;
    tools::wasm_target(workspace)?;
    tools::node_packages(
        workspace,
        "looking at the bytes (wasm-opt is a Node package)",
    )?;
    RustTool::wasm_bindgen(workspace)?.ensure(workspace)?;
    let html = workspace.root.join("index.html");
    let html = std::fs::read_to_string(&html).doing(format!("read {}", html.display()))?;
    let options = site::wasm_opt(&html)?;
    let folder = workspace.target.join("bytes");
    std::fs::create_dir_all(&folder).doing(format!("create {}", folder.display()))?;

    let mut cargo = tools::command(workspace, "cargo");
    cargo
        .args([
            "rustc",
            "--release",
            "--package",
            "retake",
            "--bin",
            "retake",
        ])
        .args(["--target", WASM, "--", "-C", "strip=none"])
        .env("CARGO_TARGET_DIR", &workspace.target);
    let built = workspace.target.join(WASM).join("release/retake.wasm");
    let mut bindgen = tools::command(workspace, "wasm-bindgen");
    bindgen
        .args(["--target", "web", "--keep-debug", "--out-dir"])
        .arg(&folder)
        .arg(&built);
    let small = folder.join("retake.wasm");
    let mut optimiser = tools::command(workspace, "wasm-opt");
    optimiser
        // As for the site, but for the names, which the count goes by.
        .args(options.iter().filter(|it| !it.starts_with("--strip-")))
        .arg("-g")
        .arg(folder.join("retake_bg.wasm"))
        .arg("--output")
        .arg(&small);
    let mut node = tools::command(workspace, "node");
    node.args([
        "--input-type=module",
        "--eval",
        include_str!("bytes.mjs"),
        "--",
    ])
    .arg(&small);
    for command in [&mut cargo, &mut bindgen, &mut optimiser, &mut node] {
        if !process::run(command)? {
            return fail("The bytes could not be counted.");
        }
    }
    Ok(())
}
