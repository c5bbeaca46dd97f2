//! What the papers name is there: a promise whose evidence has moved or gone is none.

use std::collections::BTreeSet;
use std::path::Path;

/// Papers whose back-quoted paths are looked up.
const PAPERS: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "docs/hosting.md",
    "docs/configuration.md",
];

/// Where a path may begin: papers leave out what is clear from what they say.
const FOLDERS: [&str; 5] = [
    "",
    "tests/e2e/",
    "tests/e2e/stories/",
    "core/tests/",
    "docs/",
];

fn root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("the package lies in a folder of the workspace")
}

/// The paths of this repository that a paper names in back quotes.
fn named(paper: &str) -> BTreeSet<String> {
    let in_quotes = paper.split('`').skip(1).step_by(2);
    let is_path = |it: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let first = it.split('/').next().unwrap_or("");
        let below_ours = it.contains('/') && !first.is_empty() && root().join(first).is_dir();
        it.chars().all(plain) && (below_ours || it.ends_with(".spec.ts"))
    };
    in_quotes
        .filter(is_path)
        // What is built or written by a task is not in the repository.
        .filter(|it| !it.starts_with("target/") && !it.starts_with("dist/"))
        .map(|it| it.trim_end_matches('/').to_owned())
        .collect()
}

fn is_there(path: &str) -> bool {
    FOLDERS.iter().any(|folder| {
        let path = root().join(format!("{folder}{path}"));
        path.exists() || path.with_extension("rs").exists()
    })
}

#[test]
fn every_path_that_a_paper_names_is_there() {
    let mut gone = Vec::new();
    let mut found = 0;
    for paper in PAPERS {
        let text = std::fs::read_to_string(root().join(paper)).expect("the paper is there");
        for path in named(&text) {
            found += 1;
            if !is_there(&path) {
                gone.push(format!("{paper}: {path}"));
            }
        }
    }
    assert!(found >= 60, "only {found} paths were found");
    assert_eq!(gone, Vec::<String>::new());
}

#[test]
fn a_path_that_is_gone_would_be_noticed() {
    let paper = "`core/src/auth` `core/src/gone.rs` `gone.spec.ts` `a / b` `https://x/y`";
    let named = named(paper);
    assert_eq!(
        Vec::from_iter(&named),
        ["core/src/auth", "core/src/gone.rs", "gone.spec.ts"]
    );
    let gone: Vec<&String> = named.iter().filter(|it| !is_there(it)).collect();
    assert_eq!(gone, ["core/src/gone.rs", "gone.spec.ts"]);
}

fn hosting() -> String {
    std::fs::read_to_string(root().join("docs/hosting.md")).expect("the paper is there")
}

#[test]
fn an_update_writes_over_no_relay_that_somebody_changed() {
    let server = retake_hosting::nginx::server();
    let is_relay = |line: &&str| line.contains("relay.conf; ");
    let relays: Vec<&str> = server.lines().filter(is_relay).collect();
    let [relay] = relays[..] else {
        panic!("not one relay: {relays:?}");
    };
    let path = relay.trim().trim_start_matches("include ");
    let path = path.trim_end_matches("; # yours");
    // The steps copy the site to /srv/retake, each time.
    assert!(path.starts_with("/etc/nginx/"), "{path}");
    let copy = format!("\nsudo cp /srv/retake/hosting/nginx/relay.conf {path}\n");
    assert!(hosting().contains(&copy), "{copy}");
}

#[test]
fn tools_are_named_with_their_version_the_same_everywhere() {
    let workflow = std::fs::read_to_string(root().join(".github/workflows/site.yml"));
    let text = hosting() + &workflow.expect("the workflow is there");
    let run = text.split("npx ").skip(1);
    let tools: BTreeSet<&str> = run
        .filter_map(|it| it.trim_start_matches("--yes ").split_whitespace().next())
        .collect();
    let names: Vec<(&str, &str)> = tools.iter().filter_map(|it| it.split_once('@')).collect();
    let [("netlify-cli", _), ("wrangler", _)] = names[..] else {
        panic!("a version is missing, or there are two: {tools:?}");
    };
    assert_eq!(names.len(), tools.len(), "without a version: {tools:?}");
}

#[test]
fn what_asks_for_a_password_has_a_terminal() {
    let text = hosting();
    let is_ask = |line: &&str| line.starts_with("ssh ") && line.contains("sudo");
    let asks: Vec<&str> = text.lines().filter(is_ask).collect();
    assert!(!asks.is_empty());
    for line in asks {
        assert!(line.starts_with("ssh -t "), "{line}");
    }
}
