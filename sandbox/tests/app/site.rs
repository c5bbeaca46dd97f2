//! The built site beside the API: the app behind every route, and the headers
//! that production should send.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::Request;

use crate::support::{AUTHORITY, Answer, Sandbox};

const PAGE: &str =
    "<!doctype html><title>Retake</title><script type=\"module\" src=\"/boot.js\"></script>";

/// A built site in a folder of its own.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let site = folder.join("site");
        std::fs::create_dir_all(&site).expect("the folder can be made");
        for (file, text) in [
            ("site/index.html", PAGE),
            ("site/index.html.br", "packed page"),
            ("site/boot.js", "start()"),
            ("site/retake-0f3a9b1c2d4e5f60_bg.wasm", "\0asm"),
            ("site/config.json", "{}"),
            ("secret.txt", "not part of the site"),
        ] {
            std::fs::write(folder.join(file), text).expect("the file can be written");
        }
        Self(site)
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::with("everyday", |config| config.site = Some(self.0.clone()))
    }
}

async fn ask(sandbox: &Sandbox, method: &str, path: &str, accepted: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", AUTHORITY)
        .header("accept-encoding", accepted)
        .body(Body::empty());
    sandbox.send(request.expect("the words fit")).await
}

#[tokio::test]
async fn every_route_of_the_app_gets_its_page() {
    let sandbox = Site::new("routes").sandbox();
    for path in [
        "/",
        "/sign-in",
        "/callback?code=x&state=y",
        "/supervisions",
        "/projects/Warehouse%20robots/batches/nightly",
        "/projects/warehouse/batches/release-2.14",
    ] {
        let page = ask(&sandbox, "GET", path, "").await;
        assert_eq!((page.status, page.text().as_str()), (200, PAGE), "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_missing_file_does_not_look_like_the_app() {
    let sandbox = Site::new("missing").sandbox();
    for path in ["/gone.js", "/assets/gone.wasm"] {
        ask(&sandbox, "GET", path, "").await.refused(404);
    }
    ask(&sandbox, "POST", "/", "").await.refused(405);
    let none = Sandbox::new();
    ask(&none, "GET", "/", "").await.refused(404);
}

#[tokio::test]
async fn no_path_leads_out_of_the_site() {
    let sandbox = Site::new("outside").sandbox();
    for path in [
        "/../secret.txt",
        "/..%2Fsecret.txt",
        "/%2e%2e/secret.txt",
        "/projects/../../secret.txt",
        "/..%5Csecret.txt",
    ] {
        let answer = ask(&sandbox, "GET", path, "").await;
        assert!(
            [400, 404].contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        assert!(!answer.text().contains("not part of the site"));
    }
}

#[tokio::test]
async fn files_have_their_types_and_hashed_ones_are_kept() {
    let sandbox = Site::new("files").sandbox();
    for (path, kind, kept) in [
        ("/boot.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/config.json", "application/json", "no-cache"),
        (
            "/retake-0f3a9b1c2d4e5f60_bg.wasm",
            "application/wasm",
            "public, max-age=31536000, immutable",
        ),
    ] {
        let file = ask(&sandbox, "GET", path, "").await;
        assert_eq!(file.status, 200);
        assert_eq!(file.header("content-type"), kind);
        assert_eq!(file.header("cache-control"), kept);
    }
}

#[tokio::test]
async fn a_packed_file_is_sent_to_those_who_take_it() {
    let sandbox = Site::new("packed").sandbox();
    let packed = ask(&sandbox, "GET", "/", "gzip, br").await;
    assert_eq!(packed.header("content-encoding"), "br");
    assert_eq!(packed.text(), "packed page");
    assert_eq!(packed.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(packed.header("vary"), "accept-encoding");
    let plain = ask(&sandbox, "GET", "/", "gzip").await;
    assert_eq!(
        (plain.header("content-encoding"), plain.text().as_str()),
        ("", PAGE)
    );
}

#[tokio::test]
async fn the_security_headers_are_those_that_production_should_send() {
    let sandbox = Site::new("headers").sandbox();
    for path in ["/", "/boot.js", "/projects/x"] {
        let answer = ask(&sandbox, "GET", path, "").await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        assert!(
            answer
                .header("strict-transport-security")
                .starts_with("max-age=31536000")
        );
        assert!(answer.header("permissions-policy").contains("camera=()"));
        // The site is for its own origin only.
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let page = ask(&sandbox, "GET", "/", "").await;
    let policy = page.header("content-security-policy").to_owned();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "'wasm-unsafe-eval'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    for hole in ["unsafe-inline", "'unsafe-eval'", "*", "data:"] {
        assert!(!policy.contains(hole), "{hole} in {policy}");
    }
}
