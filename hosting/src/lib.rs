//! What a host needs to serve Retake: the same headers, caching and fallback
//! rules in the words of each kind of host.
//!
//! Why a program: headers that people copy by hand differ between hosts and
//! grow old. Here `headers.txt` is the one list, and every configuration is
//! made from it, for one base path and one `config.json`.
//!
//! - [`site`]: the facts about one site that all configurations need.
//! - [`headers`]: the headers of every answer.
//! - [`nginx`], [`caddy`], [`cloudfront`], [`pages`]: one kind of host each.
//! - [`sbom`]: what the shipped site is made of; [`licences`]: under which terms.
//!
//! Invariant: pure text from facts; only `main.rs` reads and writes files.
//! Elsewhere: building the site and its compressed copies (`xtask`), serving it
//! while developing (`sandbox/src/site.rs`, from the same `headers.txt`).

pub mod caddy;
pub mod cloudfront;
pub mod headers;
pub mod licences;
pub mod nginx;
pub mod pages;
pub mod sbom;
pub mod site;

pub use site::Site;

/// Every file that hosts need, by its path in the folder of the site.
pub fn files(site: &Site) -> Vec<(&'static str, String)> {
    vec![
        ("_headers", pages::headers(site)),
        ("_redirects", pages::redirects(site)),
        ("hosting/nginx/retake.conf", nginx::retake(site)),
        ("hosting/nginx/relay.conf", nginx::relay(site)),
        ("hosting/nginx/server.conf", nginx::server()),
        ("hosting/caddy/Caddyfile", caddy::caddyfile(site)),
        (
            "hosting/cloudfront/response-headers-policy.json",
            cloudfront::headers_policy(site),
        ),
        (
            "hosting/cloudfront/relay-headers-policy.json",
            cloudfront::relay_headers_policy(site),
        ),
        ("hosting/cloudfront/fallback.js", cloudfront::fallback(site)),
        ("hosting/cloudfront/relay.js", cloudfront::relay()),
        ("hosting/cloudfront/publish.sh", cloudfront::publish(site)),
    ]
}
