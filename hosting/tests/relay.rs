//! The relays give up before Retake believes that a lost rerun was not applied.

use std::time::Duration;

use retake_core::{rerun::Limits, supervise::SEND_WITHIN};
use retake_hosting::{Site, caddy, nginx};

/// How long the page itself waits for the answer to a rerun (`src/browser/fetch.rs`).
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

fn site() -> Site {
    let config = r#"{"environments":[{"name":"R","api":"/v1/"}]}"#;
    Site::new("/", Vec::new(), config).expect("it is fine")
}

/// The sum of the time limits that stand behind these words.
fn sum(text: &str, names: &[&str]) -> Duration {
    let limit = |name: &&str| {
        let found: Vec<u64> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(*name))
            .filter_map(|rest| {
                rest.trim()
                    .trim_end_matches(';')
                    .strip_suffix('s')?
                    .parse()
                    .ok()
            })
            .collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        Duration::from_secs(found[0])
    };
    names.iter().map(limit).sum()
}

#[test]
fn all_time_limits_together_end_within_the_settle_window() {
    let nginx = sum(
        &nginx::relay(&site()),
        &[
            "proxy_connect_timeout",
            "proxy_send_timeout",
            "proxy_read_timeout",
        ],
    );
    let caddy = sum(
        &caddy::caddyfile(&site()),
        &["dial_timeout", "write_timeout", "response_header_timeout"],
    );
    let of_the_page = SEND_WITHIN + ANSWER_WITHIN;
    let settle = Limits::default().settle;
    for (name, limit) in [("nginx", nginx), ("Caddy", caddy)] {
        assert!(
            of_the_page + limit < settle,
            "{name}: {limit:?} of {settle:?}"
        );
    }
}

#[test]
fn the_page_waits_as_long_as_is_assumed_here() {
    let fetch = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/browser/fetch.rs");
    let text = std::fs::read_to_string(fetch).expect("it is there");
    let line = format!(
        "const POST_LIMIT: Duration = Duration::from_secs({});",
        ANSWER_WITHIN.as_secs()
    );
    assert!(text.contains(&line), "{line}");
}
