//! `cargo xtask weigh`: what the sign-in adds to the download, by the core and by crates
//! that could do it instead.
//!
//! `sign-in-size/` has the same round three times. Each is built as the site is and
//! compared with a module that only reads and writes JSON.

use std::fmt::Write as _;

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::files::read;
use crate::process;
use crate::tools::{self, RustTool, WASM};
use crate::versions;
use crate::workspace::Workspace;
use crate::{site, size};

/// The crates that are weighed beside the core, each a feature of `sign-in-size`.
const CRATES: [&str; 2] = ["oauth2", "openidconnect"];

/// Runs the task.
///
/// # Errors
/// When a tool cannot be had or a module doesn't compile.
pub(crate) fn weigh(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    arguments.finish()?;
    tools::wasm_target(workspace)?;
    tools::node_packages(
        workspace,
        "weighing the sign-in (wasm-opt is a Node package)",
    )?;
    RustTool::wasm_bindgen(workspace)?.ensure(workspace)?;
    let html = read(&workspace.root.join("index.html"))?;
    let options = site::wasm_opt(&html)?;
    let lock = read(&workspace.root.join("sign-in-size").join("Cargo.lock"))?;

    let base = module(workspace, &options, None)?;
    let mut rows = vec![(
        "core/src/auth".to_owned(),
        module(workspace, &options, Some("core"))?,
    )];
    for name in CRATES {
        let version = versions::locked(&lock, name).unwrap_or("?");
        let weight = module(workspace, &options, Some(name))?;
        rows.push((format!("{name} {version}"), weight));
    }
    print!("{}", table(base, &rows));
    Ok(())
}

/// Builds the module with this feature, or the base, and says what it weighs after
/// brotli. The JavaScript beside it is not counted: the app has such a file anyway.
fn module(workspace: &Workspace, options: &[&str], feature: Option<&str>) -> Outcome<u64> {
    let target = workspace.target.join("sign-in-size");
    let name = feature.unwrap_or("base");
    let bound = target.join("bound").join(name);
    let small = target.join("small").join(name);
    std::fs::create_dir_all(&small).doing(format!("create {}", small.display()))?;

    let mut cargo = tools::command(workspace, "cargo");
    cargo
        // In its folder, whose lock file and profile count.
        .current_dir(workspace.root.join("sign-in-size"))
        .args(["build", "--release", "--locked", "--target", WASM])
        .args(feature.map(|it| format!("--features={it}")))
        .env("CARGO_TARGET_DIR", &target);
    let mut bindgen = tools::command(workspace, "wasm-bindgen");
    bindgen
        .args(["--target", "web", "--no-typescript", "--out-dir"])
        .arg(&bound)
        .arg(target.join(WASM).join("release/sign_in_size.wasm"));
    let mut optimiser = tools::command(workspace, "wasm-opt");
    optimiser
        .args(options)
        .arg(bound.join("sign_in_size_bg.wasm"))
        .arg("--output")
        .arg(small.join("sign-in.wasm"));
    for command in [&mut cargo, &mut bindgen, &mut optimiser] {
        if !process::run(command)? {
            return fail(format!("The module `{name}` could not be built."));
        }
    }
    Ok(size::total(&size::measure(workspace, &small, false)?))
}

fn table(base: u64, rows: &[(String, u64)]) -> String {
    let mut text = format!("{:22}  {:>9}\n", "the round by", "adds");
    for (name, weight) in rows {
        let more = size::kilobytes(weight.saturating_sub(base));
        let _ = writeln!(text, "{name:22}  {more:>9}");
    }
    let base = size::kilobytes(base);
    text + &format!(
        "After wasm-opt and brotli, above the {base} of a module that only reads JSON.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = include_str!("../../sign-in-size/Cargo.toml");

    #[test]
    fn the_modules_are_built_as_the_site_is() {
        let section = |text: &'static str, name: &str| {
            let rest = text.split_once(&format!("\n[{name}]\n")).unwrap().1;
            rest.split("\n\n").next().unwrap().trim().to_owned()
        };
        let root = include_str!("../../Cargo.toml");
        for name in ["profile.release", "profile.release.package.memchr"] {
            assert_eq!(section(HERE, name), section(root, name), "{name}");
        }
    }

    #[test]
    fn wasm_bindgen_is_the_one_whose_tool_is_there() {
        let here = include_str!("../../sign-in-size/Cargo.lock");
        let root = include_str!("../../Cargo.lock");
        let locked = |lock| versions::locked(lock, "wasm-bindgen");
        assert_eq!(locked(here), locked(root));
    }

    #[test]
    fn the_table_says_what_is_added() {
        let text = table(20_000, &[("a 1".into(), 30_500), ("b 2".into(), 10_000)]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("a 1 ") && lines[1].ends_with(" 10.5 KB"));
        assert!(lines[2].ends_with(" 0.0 KB"), "{text}");
        assert!(lines[3].contains("20.0 KB"), "{text}");
    }
}
