//! S3 with `CloudFront`: the headers as a response headers policy, the fallback and
//! what the relay takes away as `CloudFront` functions, caching as metadata that the
//! upload sets.

use serde_json::{Value, json};

use crate::headers;
use crate::site::{Caching, Site, content_type};

/// For `aws cloudfront create-response-headers-policy`.
pub fn headers_policy(site: &Site) -> String {
    let headers = headers::of(site);
    let get = |name: &str| headers::value(site, name);
    let max_age = max_age(&get("Strict-Transport-Security"));
    // These have fields of their own; CloudFront refuses them as custom headers.
    let own = [
        "Content-Security-Policy",
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
    ];
    let custom: Vec<Value> = headers
        .iter()
        .filter(|(name, _)| !own.contains(name))
        .map(|(name, value)| json!({ "Header": name, "Value": value, "Override": true }))
        .collect();
    let policy = json!({
        "Name": "retake",
        "Comment": "Made by cargo xtask dist from hosting/headers.txt",
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {
                "ContentSecurityPolicy": get("Content-Security-Policy"), "Override": true
            },
            "StrictTransportSecurity": {
                "AccessControlMaxAgeSec": max_age,
                "IncludeSubdomains": get("Strict-Transport-Security").contains("includeSubDomains"),
                "Override": true
            },
            "ContentTypeOptions": { "Override": true },
            "FrameOptions": { "FrameOption": get("X-Frame-Options"), "Override": true },
            "ReferrerPolicy": { "ReferrerPolicy": get("Referrer-Policy"), "Override": true }
        },
        "CustomHeadersConfig": { "Quantity": custom.len(), "Items": custom }
    });
    format!("{policy:#}\n")
}

/// For `aws cloudfront create-response-headers-policy`: of what the relay passes on,
/// nothing runs, nothing is kept, and nothing acts on the site.
pub fn relay_headers_policy(site: &Site) -> String {
    let hsts = headers::value(site, "Strict-Transport-Security");
    let max_age = max_age(&hsts);
    let custom = [
        ("Cache-Control", Caching::Never.value()),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    .map(|(name, value)| json!({ "Header": name, "Value": value, "Override": true }));
    // CloudFront takes ten of them. Without the header that allows an origin, those that
    // say what it may do say nothing.
    let says_nothing = |name: &str| {
        name.starts_with("Access-Control-")
            && !name.ends_with("-Origin")
            && !name.ends_with("-Credentials")
    };
    let removed: Vec<Value> = headers::NOT_FROM_THE_API
        .iter()
        .filter(|name| !says_nothing(name))
        .map(|name| json!({ "Header": name }))
        .collect();
    let policy = json!({
        "Name": "retake-relay",
        "Comment": "Made by cargo xtask dist, for the behaviour /v1/*",
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {
                "ContentSecurityPolicy": headers::OF_THE_RELAY, "Override": true
            },
            "StrictTransportSecurity": {
                "AccessControlMaxAgeSec": max_age,
                "IncludeSubdomains": hsts.contains("includeSubDomains"),
                "Override": true
            },
            "ContentTypeOptions": { "Override": true }
        },
        "CustomHeadersConfig": { "Quantity": custom.len(), "Items": custom },
        "RemoveHeadersConfig": { "Quantity": removed.len(), "Items": removed }
    });
    format!("{policy:#}\n")
}

/// The seconds of a `Strict-Transport-Security`.
fn max_age(hsts: &str) -> u64 {
    hsts.split([';', ' '])
        .find_map(|it| it.strip_prefix("max-age=")?.parse().ok())
        .unwrap_or(0)
}

/// A `CloudFront` function for the event "viewer request".
pub fn fallback(site: &Site) -> String {
    let base = &site.base;
    let without_slash = base.trim_end_matches('/');
    let pattern = base.replace('.', "\\.").replace('/', "\\/");
    format!(
        "// Retake below {base}: a CloudFront function for the event \"viewer request\". Every route
// of the app is answered by its page; a missing file stays missing.
function handler(event) {{
  var request = event.request;
  if (request.uri === '{without_slash}' && request.uri !== '') {{
    return {{ statusCode: 308, statusDescription: 'Permanent Redirect', headers: {{ location: {{ value: '{base}' }} }} }};
  }}
  var isFile = /^{pattern}[^\\/]+\\.[a-z0-9]+$/.test(request.uri);
  if (request.uri.indexOf('{base}') === 0 && !isFile) request.uri = '{base}index.html';
  return request;
}}
"
    )
}

/// A `CloudFront` function for the event "viewer request" of the behaviour `/v1/*`.
/// The origin request policy that passes the caller's token on passes everything.
pub fn relay() -> String {
    "// The relay of Retake: a CloudFront function for the event \"viewer request\" of the
// behaviour /v1/*. It leaves the API the caller's own token, and no more.
function handler(event) {
  var request = event.request;
  if (['GET', 'POST', 'PATCH'].indexOf(request.method) < 0) {
    return { statusCode: 405, statusDescription: 'Method Not Allowed' };
  }
  request.cookies = {};
  delete request.headers.origin;
  delete request.headers.referer;
  return request;
}
"
    .to_owned()
}

/// Uploads the site to a bucket; the pages last, so that nobody gets a page
/// whose files are not there yet.
pub fn publish(site: &Site) -> String {
    let base = site.base.trim_start_matches('/');
    let mut files: Vec<&String> = site.files.iter().collect();
    files.sort_by_key(|name| (Caching::of(name) == Caching::Never, *name));
    let lines: String = files
        .iter()
        .map(|name| {
            format!(
                "put '{base}{name}' '{}' '{}'\n",
                content_type(name),
                Caching::of(name).value()
            )
        })
        .collect();
    format!(
        "#!/bin/sh
# Uploads Retake: sh hosting/cloudfront/publish.sh BUCKET DISTRIBUTION
# Old files stay, so that pages that are open go on; a lifecycle rule of the bucket
# may take them after some weeks.
set -eu
bucket=$1
distribution=$2
cd \"$(dirname \"$0\")/../..\"

put() {{
  aws s3 cp \"$1\" \"s3://$bucket/$1\" --content-type \"$2\" --cache-control \"$3\" --only-show-errors
}}

{lines}
aws cloudfront create-invalidation --distribution-id \"$distribution\" --paths '{}index.html' '{}config.json'
",
        site.base, site.base
    )
}
