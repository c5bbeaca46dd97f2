//! The workflow to copy (`.github/workflows/site.yml`) runs what developers run,
//! publishes what `dist` makes, and like every tool of the build is pinned: the
//! same sources give the same checks and the same site.

use std::path::Path;

use serde_json::Value;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let file = root.expect("a folder of the workspace").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The jobs of the workflow by name, each with its lines.
fn jobs(workflow: &str) -> Vec<(&str, Vec<&str>)> {
    let lines = workflow.lines().skip_while(|line| *line != "jobs:").skip(1);
    let mut jobs: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        let name = line.strip_prefix("  ").and_then(|it| it.strip_suffix(':'));
        match (name, jobs.last_mut()) {
            (Some(name), _) if !name.starts_with([' ', '#']) => jobs.push((name, Vec::new())),
            (_, Some((_, lines))) => lines.push(line.trim().trim_start_matches("- ")),
            (_, None) => {}
        }
    }
    jobs
}

/// A version of three numbers and nothing that would leave a choice.
fn is_exact(version: &str) -> bool {
    let parts: Vec<&str> = version.split('.').collect();
    parts.len() == 3 && parts.iter().all(|it| it.parse::<u32>().is_ok())
}

#[test]
fn it_tests_every_change_and_publishes_only_what_passed() {
    let workflow = read(".github/workflows/site.yml");
    let jobs = jobs(&workflow);
    let job = |name: &str| {
        let found = jobs.iter().find(|(it, _)| *it == name);
        &found.unwrap_or_else(|| panic!("there is no job {name}")).1
    };
    assert!(workflow.contains("\n  pull_request:\n"));
    assert!(job("test").contains(&"run: cargo xtask test"));
    assert!(job("supply").contains(&"run: cargo deny --workspace check"));
    let publish = job("publish");
    assert!(publish.contains(&"needs: [test, supply]"));
    let at = |begin: &str| {
        let step = publish.iter().position(|line| line.starts_with(begin));
        step.unwrap_or_else(|| panic!("publish does not {begin}"))
    };
    assert!(at("run: cargo xtask dist ") < at("run: npx --yes wrangler@"));
    assert!(publish[at("run: npx --yes wrangler@")].contains(" pages deploy dist "));
}

#[test]
fn what_it_runs_is_pinned_and_may_write_nothing() {
    let workflow = read(".github/workflows/site.yml");
    assert!(workflow.contains("\npermissions:\n  contents: read\n"));
    assert!(!workflow.contains("write"), "no job may write");
    let mut seen = 0;
    for line in workflow
        .lines()
        .map(|line| line.trim().trim_start_matches("- "))
    {
        if let Some(action) = line.strip_prefix("uses: ") {
            let (commit, version) = action
                .split_once('@')
                .and_then(|(_, pin)| pin.split_once(" # v"))
                .unwrap_or_else(|| panic!("{action}: no commit with its version"));
            assert!(
                commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit()),
                "{action}"
            );
            assert!(is_exact(version), "{action}");
            seen += 1;
        }
        if let Some(package) = line.strip_prefix("run: npx --yes ") {
            let package = package.split(' ').next().unwrap_or("");
            let version = package.split_once('@').map_or("", |(_, it)| it);
            assert!(is_exact(version), "{package}");
            seen += 1;
        }
        if let Some(install) = line.strip_prefix("run: cargo install ") {
            let version = install.strip_prefix("--locked --version ");
            let version = version.and_then(|it| it.split(' ').next()).unwrap_or("");
            assert!(is_exact(version), "{install}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen} tools and actions were found");
}

#[test]
fn the_tools_of_the_build_are_pinned() {
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.split("channel = \"").nth(1);
    let channel = channel.and_then(|it| it.split('"').next()).unwrap_or("");
    assert!(is_exact(channel), "Rust {channel}");
    let versions = read("xtask/src/versions.rs");
    let trunk = versions.split("TRUNK: &str = \"").nth(1);
    let trunk = trunk.and_then(|it| it.split('"').next()).unwrap_or("");
    assert!(is_exact(trunk), "Trunk {trunk}");

    let package: Value = serde_json::from_str(&read("tests/e2e/package.json")).expect("JSON");
    let wanted = package["devDependencies"].as_object().expect("packages");
    for (name, version) in wanted {
        assert!(is_exact(version.as_str().unwrap_or("")), "{name} {version}");
    }
    let lock: Value = serde_json::from_str(&read("tests/e2e/package-lock.json")).expect("JSON");
    let locked = lock["packages"].as_object().expect("packages");
    // The first is this package itself.
    let hashed = locked.iter().filter(|(path, _)| !path.is_empty());
    let unhashed: Vec<&String> = hashed
        .filter(|(_, it)| {
            !it["integrity"]
                .as_str()
                .is_some_and(|it| it.starts_with("sha512-"))
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(unhashed, Vec::<&String>::new());
    assert!(locked.len() > wanted.len());
}
