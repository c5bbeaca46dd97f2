//! The built site as production should serve it: SPA fallback, precompressed
//! files, caching by name, and the security headers of `hosting/headers.txt`,
//! which the shipped configurations of real hosts are made from too.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::Value;

use crate::Sandbox;
use crate::answer::{body, error};

/// Headers that every file of the site carries.
const HEADERS: &str = include_str!("../../hosting/headers.txt");

/// Answers everything that no other part does.
pub(crate) async fn serve(
    State(sandbox): State<Arc<Sandbox>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return error(405, "The site is only read.");
    }
    let Some(root) = &sandbox.config.site else {
        return error(404, "The sandbox was started without a site (--site).");
    };
    let path = percent_encoding::percent_decode_str(uri.path())
        .decode_utf8_lossy()
        .into_owned();
    let Some(inside) = inside(&path) else {
        return error(400, "This path leads out of the site.");
    };
    let wanted = root.join(&inside);
    let (file, is_page) = if is_file(&wanted).await && !inside.as_os_str().is_empty() {
        let is_page = wanted.extension().is_some_and(|it| it == "html");
        (wanted, is_page)
    } else if Path::new(&path).extension().is_some() && !path.starts_with("/projects/") {
        // A missing file must not look like the app: a broken script would hide.
        return error(404, "The site has no such file.");
    } else {
        (root.join("index.html"), true)
    };
    let Ok(plain) = tokio::fs::read(&file).await else {
        return error(404, "The site has not been built here yet.");
    };
    let config = tokio::fs::read(root.join("config.json")).await;
    let mut origins = origins(&config.unwrap_or_default());
    origins.extend(sandbox.config.connect.iter().cloned());
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|it| it.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let mut packed = None;
    for (encoding, ending) in [("br", "br"), ("gzip", "gz")] {
        if packed.is_none() && accepted.contains(encoding) {
            let mut name = file.clone().into_os_string();
            name.push(format!(".{ending}"));
            packed = tokio::fs::read(PathBuf::from(name))
                .await
                .ok()
                .map(|bytes| (encoding, bytes));
        }
    }
    let kind = content_type(&file);
    let mut response = match packed {
        Some((encoding, bytes)) => {
            let mut response = body(200, kind, bytes);
            response
                .headers_mut()
                .insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            response
        }
        None => body(200, kind, plain),
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(caching(&file, is_page)),
    );
    for (name, value) in site_headers(&origins) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}

async fn is_file(path: &Path) -> bool {
    tokio::fs::metadata(path).await.is_ok_and(|it| it.is_file())
}

/// The path below the root; `None` if it would leave it.
fn inside(path: &str) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in Path::new(path.trim_start_matches('/')).components() {
        match part {
            Component::Normal(part) => inside.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(inside)
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|it| it.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Files with a hash in their name never change.
fn caching(file: &Path, is_page: bool) -> &'static str {
    let name = file.file_name().and_then(|it| it.to_str()).unwrap_or("");
    let hashed = name
        .split(['-', '_', '.'])
        .any(|part| part.len() >= 12 && part.bytes().all(|c| c.is_ascii_hexdigit()));
    if is_page {
        "no-store"
    } else if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// The headers as names and values; pages may connect to `origins`.
fn site_headers(origins: &[String]) -> impl Iterator<Item = (&'static str, String)> {
    let connect: String = origins.iter().map(|it| format!(" {it}")).collect();
    HEADERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(move |(name, value)| (name, value.replace("{connect}", &connect)))
}

/// The other origins that a configuration names.
fn origins(config: &[u8]) -> Vec<String> {
    let config: Value = serde_json::from_slice(config).unwrap_or_default();
    let environments = config["environments"].as_array();
    let mut origins: Vec<String> = environments
        .into_iter()
        .flatten()
        .flat_map(|it| [&it["api"], &it["issuer"]])
        .filter_map(|it| {
            let (scheme, rest) = it.as_str()?.split_once("://")?;
            let host = rest.split('/').next()?;
            Some(format!("{scheme}://{host}"))
        })
        .collect();
    origins.sort();
    origins.dedup();
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_site() {
        assert_eq!(inside("/a/./b.js"), Some(PathBuf::from("a/b.js")));
        for path in ["/../secret", "/a/../../secret"] {
            assert_eq!(inside(path), None, "{path}");
        }
    }

    #[test]
    fn the_page_may_connect_to_what_the_configuration_names_and_nowhere_else() {
        let config = br#"{"environments":[{"api":"/v1/","issuer":"/oidc"},
            {"api":"https://api.example/v1/","issuer":"https://id.example/"},
            {"api":"https://api.example/v2/"}]}"#;
        let headers: Vec<(&str, String)> = site_headers(&origins(config)).collect();
        let (_, policy) = headers
            .iter()
            .find(|(name, _)| *name == "Content-Security-Policy")
            .expect("there is a policy");
        assert!(
            policy.contains("connect-src 'self' https://api.example https://id.example;"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains('{'));
        assert_eq!(headers.len(), 9);
        assert!(origins(b"broken").is_empty());
    }

    #[test]
    fn only_names_with_a_hash_are_kept_forever() {
        assert!(caching(Path::new("retake-0f3a9b1c2d4e5f60_bg.wasm"), false).contains("immutable"));
        assert_eq!(caching(Path::new("favicon.svg"), false), "no-cache");
        assert_eq!(caching(Path::new("index.html"), true), "no-store");
    }
}
