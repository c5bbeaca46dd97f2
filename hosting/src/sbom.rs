//! The bill of materials: every crate whose code is in the shipped site, and
//! every crate that only helped to compile it, as `CycloneDX` 1.6. Also where the
//! former lie, for their licences.
//!
//! Made from `cargo metadata` for the browser's target and the checksums of
//! `Cargo.lock`. It holds no time and no random number, so that the same
//! sources give the same bill.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The package that the site is compiled from.
const ROOT: &str = "retake";

/// The bill as JSON text. `metadata` is what `cargo metadata` prints, `lock`
/// the text of `Cargo.lock`.
///
/// # Errors
/// What is not as expected in them.
pub fn bill(metadata: &str, lock: &str) -> Result<String, String> {
    let metadata: Value = serde_json::from_str(metadata).map_err(|error| error.to_string())?;
    let graph = Graph::read(&metadata)?;
    let shipped = graph.reach(false);
    let all = graph.reach(true);
    let checksums = checksums(lock);
    let root = &graph.packages[&graph.root];
    let components: Vec<Value> = all
        .iter()
        .filter(|id| **id != graph.root)
        .map(|id| graph.component(id, shipped.contains(id), &checksums))
        .collect();
    let dependencies: Vec<Value> = all
        .iter()
        .map(|id| {
            let on: Vec<&str> = graph.edges[id].iter().map(|it| graph.purl(it)).collect();
            json!({ "ref": graph.purl(id), "dependsOn": on })
        })
        .collect();
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": graph.purl(&graph.root),
                "name": root.name,
                "version": root.version,
                "description": root.description,
                "licenses": [{ "expression": root.license }],
                "purl": root.purl,
            }
        },
        "components": components,
        "dependencies": dependencies,
    });
    Ok(format!("{bill:#}\n"))
}

/// A crate whose code is in the shipped site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipped {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as an SPDX expression; may be empty.
    pub licence: String,
    /// Who wrote it, as it says.
    pub authors: Vec<String>,
    /// Where it is developed; may be empty.
    pub repository: String,
    /// The folder of its sources.
    pub folder: PathBuf,
}

/// The crates of others whose code is in the shipped site, by name and version.
/// `metadata` is what `cargo metadata` prints.
///
/// # Errors
/// What is not as expected in it.
pub fn shipped(metadata: &str) -> Result<Vec<Shipped>, String> {
    let metadata: Value = serde_json::from_str(metadata).map_err(|error| error.to_string())?;
    let graph = Graph::read(&metadata)?;
    let mut shipped: Vec<Shipped> = graph
        .reach(false)
        .iter()
        .map(|id| &graph.packages[id])
        .filter(|it| !it.is_ours)
        .map(|it| Shipped {
            name: it.name.clone(),
            version: it.version.clone(),
            licence: it.license.clone(),
            authors: it.authors.clone(),
            repository: it.repository.clone(),
            folder: it.folder.clone(),
        })
        .collect();
    shipped.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(shipped)
}

struct Package {
    name: String,
    version: String,
    license: String,
    description: String,
    purl: String,
    only_builds: bool,
    /// Of this workspace, whose own licence files lie at its top.
    is_ours: bool,
    authors: Vec<String>,
    repository: String,
    folder: PathBuf,
}

struct Graph {
    root: String,
    packages: BTreeMap<String, Package>,
    edges: BTreeMap<String, Vec<String>>,
    /// What a package needs only to be compiled, also among its edges.
    build_edges: BTreeSet<(String, String)>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self, String> {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut packages = BTreeMap::new();
        for it in list(&metadata["packages"]) {
            let (name, version) = (text(&it["name"]), text(&it["version"]));
            let only_builds = list(&it["targets"])
                .iter()
                .any(|target| list(&target["kind"]).contains(&json!("proc-macro")));
            let package = Package {
                purl: format!("pkg:cargo/{name}@{version}"),
                // The old way to write "or".
                license: text(&it["license"]).replace('/', " OR "),
                description: text(&it["description"]).trim().replace('\n', " "),
                name,
                version,
                only_builds,
                is_ours: it["source"].is_null(),
                authors: list(&it["authors"]).iter().map(text).collect(),
                repository: text(&it["repository"]),
                folder: Path::new(it["manifest_path"].as_str().unwrap_or(""))
                    .parent()
                    .map(Path::to_owned)
                    .unwrap_or_default(),
            };
            packages.insert(text(&it["id"]), package);
        }
        let mut edges = BTreeMap::new();
        let mut build_edges = BTreeSet::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let mut on: Vec<String> = list(&node["deps"])
                .iter()
                .filter(|dep| {
                    // No kind is the ordinary one; "build" runs while compiling.
                    list(&dep["dep_kinds"])
                        .iter()
                        .any(|it| it["kind"].is_null() || it["kind"] == "build")
                })
                .map(|dep| text(&dep["pkg"]))
                .collect();
            on.sort();
            for dep in list(&node["deps"]) {
                if !list(&dep["dep_kinds"])
                    .iter()
                    .any(|it| it["kind"].is_null())
                {
                    build_edges.insert((text(&node["id"]), text(&dep["pkg"])));
                }
            }
            edges.insert(text(&node["id"]), on);
        }
        let root = packages
            .iter()
            .find(|(_, it)| it.name == ROOT)
            .map(|(id, _)| id.clone())
            .ok_or_else(|| format!("cargo metadata names no package {ROOT}"))?;
        Ok(Self {
            root,
            packages,
            edges,
            build_edges,
        })
    }

    /// The packages that the root needs; with `builders`, also those that only
    /// run while compiling.
    fn reach(&self, builders: bool) -> BTreeSet<String> {
        let mut seen = BTreeSet::from([self.root.clone()]);
        let mut next = VecDeque::from([self.root.clone()]);
        while let Some(id) = next.pop_front() {
            for on in self.edges.get(&id).into_iter().flatten() {
                let only_builds = self.packages.get(on).is_some_and(|it| it.only_builds)
                    || self.build_edges.contains(&(id.clone(), on.clone()));
                if (builders || !only_builds) && seen.insert(on.clone()) {
                    next.push_back(on.clone());
                }
            }
        }
        seen
    }

    fn purl(&self, id: &str) -> &str {
        self.packages.get(id).map_or("", |it| &it.purl)
    }

    fn component(
        &self,
        id: &str,
        is_shipped: bool,
        checksums: &BTreeMap<(String, String), String>,
    ) -> Value {
        let it = &self.packages[id];
        let mut component = json!({
            "type": "library",
            "bom-ref": it.purl,
            "name": it.name,
            "version": it.version,
            "scope": if is_shipped { "required" } else { "excluded" },
            "purl": it.purl,
        });
        if !it.license.is_empty() {
            component["licenses"] = json!([{ "expression": it.license }]);
        }
        if let Some(sum) = checksums.get(&(it.name.clone(), it.version.clone())) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        component
    }
}

/// Checksums of `Cargo.lock` by name and version. The file is generated with
/// one field a line.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    lock.split("[[package]]")
        .filter_map(|entry| {
            let field = |name: &str| {
                entry.lines().find_map(|line| {
                    let value = line.strip_prefix(name)?.strip_prefix(" = \"")?;
                    Some(value.strip_suffix('"')?.to_owned())
                })
            };
            Some(((field("name")?, field("version")?), field("checksum")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"packages":[
        {"name":"retake","version":"1.0.0","id":"r","license":"MIT","targets":[{"kind":["bin"]}]},
        {"name":"used","version":"2.0.0","id":"u","license":"MIT/Apache-2.0","authors":["A. Uthor"],
         "source":"registry","manifest_path":"/crates/used-2.0.0/Cargo.toml","targets":[{"kind":["lib"]}]},
        {"name":"macro","version":"3.0.0","id":"m","license":"MIT","source":"registry","targets":[{"kind":["proc-macro"]}]},
        {"name":"builder","version":"6.0.0","id":"b","license":"MIT","source":"registry","targets":[{"kind":["lib"]}]},
        {"name":"parser","version":"4.0.0","id":"p","license":"MIT","targets":[{"kind":["lib"]}]},
        {"name":"tester","version":"5.0.0","id":"t","license":"GPL-3.0","targets":[{"kind":["lib"]}]}],
        "resolve":{"nodes":[
        {"id":"r","deps":[{"pkg":"u","dep_kinds":[{"kind":null}]},{"pkg":"m","dep_kinds":[{"kind":null}]},
            {"pkg":"t","dep_kinds":[{"kind":"dev"}]}]},
        {"id":"u","deps":[{"pkg":"b","dep_kinds":[{"kind":"build"}]}]},{"id":"b","deps":[]},{"id":"m","deps":[{"pkg":"p","dep_kinds":[{"kind":null}]}]},
        {"id":"p","deps":[]},{"id":"t","deps":[]}]}}"#;
    const LOCK: &str = "[[package]]\nname = \"used\"\nversion = \"2.0.0\"\nchecksum = \"abc\"\n";

    #[test]
    fn what_ships_what_builds_and_what_only_tests_are_told_apart() {
        let bill: Value = serde_json::from_str(&bill(METADATA, LOCK).expect("a bill")).unwrap();
        let scopes: BTreeMap<&str, &str> = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["name"].as_str().unwrap(), it["scope"].as_str().unwrap()))
            .collect();
        let expected = [
            ("builder", "excluded"),
            ("macro", "excluded"),
            ("parser", "excluded"),
            ("used", "required"),
        ];
        assert_eq!(scopes, expected.into());
        let used = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == "used")
            .unwrap();
        assert_eq!(used["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(used["hashes"][0]["content"], "abc");
        assert!(super::bill("{}", "").is_err());
    }

    #[test]
    fn what_only_builds_and_what_is_ours_asks_for_no_licence_text() {
        let used = Shipped {
            name: "used".into(),
            version: "2.0.0".into(),
            licence: "MIT OR Apache-2.0".into(),
            authors: vec!["A. Uthor".into()],
            repository: String::new(),
            folder: "/crates/used-2.0.0".into(),
        };
        assert_eq!(shipped(METADATA), Ok(vec![used]));
        assert!(shipped("{}").is_err());
    }
}
