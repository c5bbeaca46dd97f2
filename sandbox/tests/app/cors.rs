//! Calls from other origins (`resim-api.md` B.10).

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::support::{AUTHORITY, Sandbox, request};

const PATHS: [&str; 5] = [
    "/v1/projects",
    "/v1/projects/0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f/batches/5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1/:cancel",
    "/oidc/.well-known/openid-configuration",
    "/oidc/oauth/token",
    "/oidc/userinfo",
];

fn preflight(path: &str) -> Request<Body> {
    // Browsers send no token with it.
    Request::builder()
        .method("OPTIONS")
        .uri(path)
        .header("host", AUTHORITY)
        .header("origin", "https://retake.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .body(Body::empty())
        .expect("the words fit")
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_token() {
    let sandbox = Sandbox::new();
    for path in PATHS {
        let answer = sandbox.send(preflight(path)).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let methods = answer.header("access-control-allow-methods");
        for method in ["GET", "POST", "PATCH", "OPTIONS"] {
            assert!(methods.contains(method), "{path}: {methods}");
        }
        let headers = answer.header("access-control-allow-headers");
        assert!(headers.contains("authorization") && headers.contains("content-type"));
    }
}

#[tokio::test]
async fn refusals_and_faults_can_be_read_from_other_origins_too() {
    let sandbox = Sandbox::new();
    let mut nobody = request("GET", "/v1/projects", None);
    nobody.headers_mut().remove("authorization");
    let answer = sandbox.send(nobody).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (401, "*")
    );
    let answer = sandbox.get("/v1/nothing").await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (404, "*")
    );
    for (fault, status) in [
        (json!(500), 500),
        (json!("503_html"), 503),
        (json!(409), 409),
    ] {
        sandbox
            .break_next("/v1/projects", json!({ "fault": fault }))
            .await;
        let answer = sandbox.get("/v1/projects").await;
        let read = (answer.status, answer.header("access-control-allow-origin"));
        assert_eq!(read, (status, "*"));
    }
    let answer = sandbox.form("/oidc/oauth/token", &[], &[]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn switched_off_no_answer_names_another_origin() {
    let sandbox = Sandbox::with("everyday", |config| config.cors = false);
    for path in PATHS {
        for answer in [sandbox.send(preflight(path)).await, sandbox.get(path).await] {
            let named = answer
                .headers
                .keys()
                .any(|it| it.as_str().starts_with("access-control"));
            assert!(!named, "{path}");
        }
    }
}
