//! Return addresses that an attacker may put into a link, against the functions
//! that decide: nothing leads off the site, nothing acts. Hostile names have
//! tests of their own (`hostile`).
//!
//! What a browser makes of an address is judged by the `url` crate, which
//! follows the same standard (WHATWG URL) as browsers do.

use retake_core::{auth::route::return_route, view::query::ViewQuery};
use url::Url;

const SITE: &str = "https://retake.example";

/// What may stand before the name of another host so that a browser goes there.
const DOORS: [&str; 38] = [
    "//",
    "///",
    "////",
    "/\\",
    "\\/",
    "\\\\",
    "/\\/",
    "//\\",
    "/\t/",
    "/\n/",
    "/\r/",
    "\t//",
    "\n//",
    " //",
    "\u{0}//",
    "/\u{0}/",
    "/./\\",
    "/.//",
    "/..//",
    "https:",
    "https:/",
    "https://",
    "https:\\\\",
    "https:///",
    "HtTpS://",
    "http://",
    "ftp://",
    "ws://",
    "javascript://",
    "data:",
    "blob:",
    "file:///",
    "//user@",
    "//user:pw@",
    "/\u{feff}/",
    "\u{feff}//",
    "/%09/",
    "/%5C",
];

/// Hosts as an attacker writes them.
const HOSTS: [&str; 8] = [
    "evil.example",
    "evil.example/projects",
    "evil.example\\@retake.example",
    "retake.example@evil.example",
    "retake.example.evil.example",
    "evil。example",
    "[::1]:8080",
    "0x7f000001",
];

/// Addresses that fit no pattern.
const ODD: [&str; 34] = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "view-source:x",
    "about:blank",
    "?to=//evil.example",
    "#//evil.example",
    ".",
    "..",
    "projects",
    "projects/x",
    "",
    " ",
    " /",
    "/ \t",
    "\u{202e}/",
    "/sign-in",
    "/sign-in?to=//evil.example",
    "/sign-in/",
    "/sign-in#x",
    "/callback",
    "/callback?code=x&state=y",
    "/callback#code=x",
    "/callback/x",
    "/a\\b",
    "/projects\\..\\..\\evil",
    "/\u{7f}",
    "/\u{85}x",
    "/x\u{0}y",
    "/%2e%2e//evil.example",
    "https://retake.example/projects",
];

fn addresses() -> Vec<String> {
    let long = format!("/{}", "x".repeat(5_000));
    DOORS
        .iter()
        .flat_map(|door| HOSTS.iter().map(move |host| format!("{door}{host}")))
        .chain(ODD.iter().map(|it| (*it).to_owned()))
        .chain([long])
        .collect()
}

/// Where a browser ends up that follows `route` from a page of the site.
fn followed(base: &str, route: &str) -> Url {
    let page = Url::parse(&format!("{SITE}{base}sign-in")).expect("the page has an address");
    let below = route
        .strip_prefix('/')
        .expect("a route begins with a slash");
    page.join(&format!("{base}{below}"))
        .expect("a route is an address")
}

#[test]
fn no_return_address_leads_off_the_site_or_in_a_circle() {
    let all = addresses();
    assert!(all.len() >= 300, "{}", all.len());
    for address in &all {
        let route = return_route(address);
        // The router goes to it by the history, a plain link would follow it:
        // both stay on the site, at the root of a host and below a path.
        for base in ["/", "/some/path/"] {
            let url = followed(base, &route);
            assert_eq!(url.origin().ascii_serialization(), SITE, "{address:?}");
            assert!(url.path().starts_with(base), "{address:?} to {url}");
            for circle in ["sign-in", "callback"] {
                let circle = format!("{base}{circle}");
                assert_ne!(url.path().trim_end_matches('/'), circle, "{address:?}");
            }
        }
        assert!(!route.contains('\\') && !route.chars().any(char::is_control));
        // What was let through once is let through unchanged.
        assert_eq!(return_route(&route), route);
    }
    println!("{} attacks tried", all.len());
}

/// The oracle can tell: without the function a browser would have gone there.
#[test]
fn many_of_these_addresses_are_dangerous_as_they_are() {
    let page = Url::parse(&format!("{SITE}/sign-in")).expect("the page has an address");
    let dangerous = addresses()
        .iter()
        .filter(|address| {
            page.join(address)
                .is_ok_and(|url| url.origin().ascii_serialization() != SITE)
        })
        .count();
    assert!(dangerous >= 150, "{dangerous}");
}

#[test]
fn true_routes_come_back_as_they_are() {
    for route in [
        "/",
        "/supervisions",
        "/projects/a%2Fb/batches/c?status=ERROR,BLOCKER&q=%2F%2Fevil.example#x",
        "/projects/https:%2F%2Fevil.example",
        "/projects/x?to=//evil.example",
        "/sign-inside",
        "/callbacks",
    ] {
        assert_eq!(return_route(route), route);
    }
}

/// A link can say what to look at. Words that sound like doing something are
/// not known, so they do not even stay in the address.
#[test]
fn no_query_of_a_link_asks_for_an_act() {
    let mut tried = 0;
    for verb in [
        "supervise",
        "start",
        "rerun",
        "confirm",
        "cancel",
        "attempts",
        "api",
        "issuer",
        "token",
        "access_token",
        "config",
        "environment",
        "client_id",
        "redirect_uri",
        "code",
        "state",
        "max-rerun-attempts",
        "poll-every",
        "action",
        "do",
        "__proto__",
        "constructor",
    ] {
        for value in [
            "1",
            "true",
            "https://evil.example/v1/",
            "//evil.example",
            "<script>",
        ] {
            tried += 1;
            let query = ViewQuery::parse(&format!("?{verb}={value}&q=x"));
            let kept = query.to_query();
            assert!(!kept.contains(verb), "{verb}: {kept}");
            assert!(!kept.contains("evil.example"), "{verb}: {kept}");
        }
    }
    println!("{tried} attacks tried");
}
