//! The relays give up before Retake believes that a lost rerun was not applied.

use std::time::Duration;

use retake_core::{
    rerun::{Limits, POST_LIMIT},
    supervise::SEND_WITHIN,
};
use retake_hosting::{Site, caddy, nginx};

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
    let of_the_page = SEND_WITHIN + POST_LIMIT;
    let settle = Limits::default().settle;
    for (name, limit) in [("nginx", nginx), ("Caddy", caddy)] {
        assert!(
            of_the_page + limit < settle,
            "{name}: {limit:?} of {settle:?}"
        );
    }
}
