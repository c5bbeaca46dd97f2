//! `cargo xtask bytes`: shows what the app's bytes are made of.
//!
//! The release build, once more with the names left in, since sizes say
//! nothing without them. What is shown is before compression.

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::process;
use crate::tools::{self, RustTool, WASM};
use crate::workspace::Workspace;

/// What wasm-opt may use; `index.html` says the same to Trunk.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

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
        .args(["-Oz", "-g"])
        .args(FEATURES)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_are_those_of_the_release() {
        let html = include_str!("../../index.html");
        assert!(html.contains(&format!("data-wasm-opt-params=\"{}\"", FEATURES.join(" "))));
    }
}
