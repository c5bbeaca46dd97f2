//! The routes that hosts know, against those of the app.

use std::collections::BTreeSet;

use retake_hosting::{Site, pages, site::ROUTES};

const CONFIG: &str = r#"{"environments":[{"name":"R","api":"/v1/"}]}"#;

/// The first parts of the routes in the app's own table.
fn of_the_app() -> BTreeSet<&'static str> {
    let app = include_str!("../../src/app.rs");
    app.split("path!(\"/")
        .skip(1)
        .filter_map(|it| it.split(['"', '/']).next())
        .filter(|it| !it.is_empty())
        .collect()
}

#[test]
fn hosts_know_every_route_of_the_app_and_no_other() {
    assert_eq!(of_the_app(), ROUTES.into());
}

/// The status and the file that `_redirects` gives for a path, by the rules of both hosts:
/// the first that matches, `*` for any rest.
fn redirected(rules: &str, path: &str) -> Option<(String, u16)> {
    rules.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [from, to, status] = words[..] else {
            panic!("{line}: three words");
        };
        let is_it = match from.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == from,
        };
        is_it.then(|| (to.to_owned(), status.parse().expect("a status")))
    })
}

#[test]
fn redirects_lead_each_route_to_the_page_and_leave_files_alone() {
    for base in ["/", "/some/path/"] {
        let site = Site::new(base, Vec::new(), CONFIG).expect("it is fine");
        let rules = pages::redirects(&site);
        for route in of_the_app() {
            for rest in ["", "/x", "/x/batches/y.z"] {
                let path = format!("{base}{route}{rest}");
                assert_eq!(
                    redirected(&rules, &path),
                    Some((base.to_owned(), 200)),
                    "{path}"
                );
            }
        }
        // A loop otherwise, which Cloudflare ignores; and a missing file is missing.
        for path in [
            "",
            "index.html",
            "boot-0123456789abcdef.js",
            "config.json",
            "projectsx",
        ] {
            let path = format!("{base}{path}");
            assert_eq!(redirected(&rules, &path), None, "{path}");
        }
    }
}
