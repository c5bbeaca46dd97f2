//! The dependency tree holds only what `deny.toml` allows: licences, versions,
//! names, sources.
//!
//! Why not `cargo deny` itself: it is a tool of minutes to build, and its
//! advisories need a network. This reads the lists of the same file by itself
//! (each a line of its own, as they stand there), over every crate of
//! `Cargo.lock` for every system. The workflow runs the tool besides
//! (`cargo deny --workspace check`): it alone knows advisories and withdrawn versions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in a folder of the workspace")
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        // The manifests of crates that no build has wanted yet (for Windows, say)
        // are fetched once; after that nothing is.
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// The quoted words of a list in `deny.toml`.
fn listed(section: &str, list: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    let section = text
        .split("\n[")
        .find_map(|it| it.strip_prefix(&format!("{section}]")))
        .expect("the section is there");
    let list = section
        .split(&format!("\n{list} = ["))
        .nth(1)
        .and_then(|it| it.split("\n]").next())
        .expect("the list is there");
    list.lines()
        .map(|line| line.split('#').next().unwrap_or(""))
        .filter_map(|line| line.split('"').nth(1))
        .map(ToOwned::to_owned)
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

/// Whether an SPDX expression is satisfied by the allowed licences. `OR` binds
/// looser than `AND`, `WITH` tighter; `/` is the old way to write `OR`.
fn is_satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    words.reverse();
    either(&mut words, allowed) && words.is_empty()
}

fn either(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> bool {
    let mut fine = both(words, allowed);
    while words.last() == Some(&"OR") {
        words.pop();
        fine |= both(words, allowed);
    }
    fine
}

fn both(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> bool {
    let mut fine = one(words, allowed);
    while words.last() == Some(&"AND") {
        words.pop();
        fine &= one(words, allowed);
    }
    fine
}

fn one(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> bool {
    match words.pop() {
        Some("(") => {
            let fine = either(words, allowed);
            words.pop() == Some(")") && fine
        }
        Some(name) if words.last() == Some(&"WITH") => {
            words.pop();
            let exception = words.pop().unwrap_or("");
            allowed.contains(&format!("{name} WITH {exception}"))
        }
        Some(name) => allowed.contains(name),
        None => false,
    }
}

#[test]
fn every_licence_is_allowed() {
    let allowed = listed("licenses", "allow");
    let metadata = metadata();
    let wrong: Vec<String> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter(|it| !is_satisfied(text(it, "license"), &allowed))
        .map(|it| format!("{} {}", text(it, "name"), text(it, "license")))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn expressions_mean_what_spdx_says() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "A WITH e".to_owned()]);
    for (expression, fine) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND MIT", true),
        ("GPL-3.0 OR MIT AND X", false),
        ("A WITH e", true),
        ("A", false),
        ("", false),
    ] {
        assert_eq!(is_satisfied(expression, &allowed), fine, "{expression}");
    }
}

/// A new pair has to be named, and a name whose reason has gone has to go too.
#[test]
fn two_versions_of_a_crate_have_a_reason() {
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for it in metadata()["packages"].as_array().expect("packages") {
        *versions.entry(text(it, "name").to_owned()).or_default() += 1;
    }
    let several: BTreeSet<String> = versions
        .into_iter()
        .filter_map(|(name, count)| (count > 1).then_some(name))
        .collect();
    assert_eq!(several, listed("bans", "skip"));
}

#[test]
fn banned_crates_are_not_there_and_every_crate_has_a_known_source() {
    let banned = listed("bans", "deny");
    assert!(!banned.is_empty());
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let sources: BTreeSet<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .collect();
    // One registry, no repository.
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|it| it.starts_with("\"registry+")));
    let checksums = lock
        .lines()
        .filter(|line| line.starts_with("checksum = "))
        .count();
    let from_there = lock
        .lines()
        .filter(|line| line.starts_with("source = "))
        .count();
    assert_eq!(checksums, from_there);
    for it in metadata()["packages"].as_array().expect("packages") {
        assert!(!banned.contains(text(it, "name")), "{}", text(it, "name"));
    }
}
