//! Hosts that read `_headers` and `_redirects`: Netlify, Cloudflare Pages.

use crate::headers;
use crate::site::{Caching, ROUTES, Site};

/// `_headers`. Rules must not overlap in `Cache-Control`, since both hosts join
/// the values of all rules that match; so each file has a rule of its own.
pub fn headers(site: &Site) -> String {
    let base = &site.base;
    let mut text = "# Made by `cargo xtask dist` from hosting/headers.txt.\n/*\n".to_owned();
    for (name, value) in headers::of(site) {
        text += &format!("  {name}: {value}\n");
    }
    let mut rule = |path: &str, caching: Caching| {
        text += &format!("{path}\n  Cache-Control: {}\n", caching.value());
    };
    rule(base, Caching::Never);
    for route in ROUTES {
        rule(&format!("{base}{route}"), Caching::Never);
        rule(&format!("{base}{route}/*"), Caching::Never);
    }
    // The page again, for what neither host finds.
    rule("/404.html", Caching::Never);
    if base != "/" {
        rule(&format!("{base}404.html"), Caching::Never);
    }
    for file in &site.files {
        rule(&format!("{base}{file}"), Caching::of(file));
    }
    text
}

/// `_redirects`: the page for every route, without a change of the address. Not
/// for every path, since Cloudflare takes that for a loop and ignores it.
pub fn redirects(site: &Site) -> String {
    let base = &site.base;
    ROUTES
        .iter()
        .map(|route| format!("{base}{route} {base} 200\n{base}{route}/* {base} 200\n"))
        .collect()
}
