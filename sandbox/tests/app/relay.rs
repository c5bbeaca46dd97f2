//! `--api`: the way to a real ReSim API, held against a second sandbox that
//! listens on this machine.

use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::any;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::socket::{Listening, ask};
use crate::support::{Ordered, Sandbox, encoded, request, string};

const TOKEN: &str = "a-token-that-nobody-may-keep";

/// A far sandbox, a batch in it, and a relay to it.
async fn with_batch(tests: u32) -> (Sandbox, Ordered, Listening, Sandbox) {
    let far = Sandbox::new();
    let recipe = json!({ "tests": tests, "outcomes": { "error": 1 } });
    let batch = far.order(recipe).await;
    let listening = Listening::new(far.app.clone()).await;
    let relay = listening.relay();
    (far, batch, listening, relay)
}

#[tokio::test]
async fn status_and_body_are_those_of_the_far_side() {
    let (far, batch, _listening, relay) = with_batch(130).await;
    let (root, _) = batch.path.rsplit_once('/').expect("a path");
    for path in [
        "/v1/projects?pageSize=100&orderBy=timestamp".to_owned(),
        batch.path.clone(),
        format!(
            "{}/jobs?conflatedStatus=ERROR%2CBLOCKER&pageSize=100",
            batch.path
        ),
        format!("{root}/lookup/name/{}/", batch.name),
        format!("{}/nothing", batch.path),
        "/v1/projects/x".to_owned(),
    ] {
        let (here, there) = (relay.get(&path).await, far.get(&path).await);
        assert_eq!(here.status, there.status, "{path}");
        assert_eq!(here.json(), there.json(), "{path}");
    }
    // A page token needs its escapes on the far side.
    let jobs = relay
        .every(&format!("{}/jobs?pageSize=100", batch.path), "jobs")
        .await;
    assert_eq!(jobs.len(), 130);
    let clean = far.order(json!({})).await;
    let none = relay.get(&format!("{}/errors", clean.path)).await;
    assert_eq!((none.status, none.body.len()), (204, 0));
}

#[tokio::test]
async fn calls_that_change_something_arrive_once_and_whole() {
    let (far, batch, _listening, relay) = with_batch(3_000).await;
    let words = json!({ "description": "through the relay" });
    let changed = relay.call("PATCH", &batch.path, Some(&words)).await;
    assert_eq!(changed.expect(200)["description"], "through the relay");
    let rerun = json!({ "jobIDs": batch.jobs, "syncBatch": false });
    assert!(rerun.to_string().len() > 100_000);
    let answer = relay
        .post(&format!("{}/rerun", batch.path), &rerun)
        .await
        .expect(200);
    assert_eq!(answer["jobIDs"].as_array().map(Vec::len), Some(3_000));
    let escaped = format!("{}/%3Acancel", batch.path);
    relay.call("POST", &escaped, None).await.refused(404);
    let cancelled = relay
        .call("POST", &format!("{}/:cancel", batch.path), None)
        .await;
    assert_eq!((cancelled.status, cancelled.body.len()), (200, 0));
    let path = format!("/sandbox/requests?method=POST&path_contains={}", batch.id);
    let asked = far.get(&path).await.expect(200);
    assert_eq!(asked["count"], 3);
    assert_eq!(asked["requests"][0]["body"], rerun);
}

#[tokio::test]
async fn refusals_keep_their_words_type_and_retry_after() {
    let (far, batch, _listening, relay) = with_batch(12).await;
    far.break_next(&batch.path, json!({ "fault": 429, "retry_after": 9 }))
        .await;
    let throttled = relay.get(&batch.path).await;
    throttled.refused(429);
    assert_eq!(throttled.header("retry-after"), "9");
    far.break_next(&batch.path, json!({ "fault": "503_html" }))
        .await;
    let html = relay.get(&batch.path).await;
    assert_eq!(html.status, 503);
    assert!(html.header("content-type").starts_with("text/html"));
    far.break_next(&batch.path, json!({ "fault": "wrong_type" }))
        .await;
    let wrong = relay.get(&batch.path).await;
    assert!(wrong.header("content-type").starts_with("text/plain"));
    let mut nobody = request("GET", &batch.path, None);
    nobody.headers_mut().remove("authorization");
    relay.send(nobody).await.refused(401);
}

#[tokio::test]
async fn an_unreachable_far_side_is_named_without_the_token() {
    let (far, batch, listening, relay) = with_batch(12).await;
    far.break_next(&batch.path, json!({ "fault": "drop" }))
        .await;
    let dropped = relay.send(with_token("GET", &batch.path)).await;
    assert!(dropped.refused(502).contains("127.0.0.1"));
    far.break_next(&batch.path, json!({ "fault": "cut" })).await;
    let cut = relay.get(&batch.path).await;
    assert!(cut.is_cut && !cut.body.is_empty(), "{cut:?}");
    drop(listening);
    let nobody = Listening::new(Router::new()).await;
    let relay = nobody.relay();
    drop(nobody);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = relay.send(with_token("GET", &batch.path)).await;
    let message = answer.refused(502);
    assert!(
        message.contains("127.0.0.1") && !message.contains(TOKEN),
        "{message}"
    );
}

fn with_token(method: &str, path: &str) -> Request {
    let mut request = request(method, path, None);
    let bearer = format!("Bearer {TOKEN}").parse().expect("plain words");
    request.headers_mut().insert("authorization", bearer);
    request
}

/// A far side that answers with the headers that reach it.
fn echo() -> Router {
    Router::new().route(
        "/v1/{*rest}",
        any(async |request: Request| {
            let headers: serde_json::Map<String, Value> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or("?"))))
                .collect();
            let path = request.uri().path_and_query().map_or("", |it| it.as_str());
            axum::http::Response::builder()
                .header("content-type", "application/json")
                .header("cache-control", "no-store")
                .header("retry-after", "3")
                .header("set-cookie", "far=1")
                .header("server", "far")
                .header("access-control-allow-origin", "https://app.resim.ai")
                .body(Body::from(
                    json!({ "headers": headers, "path": path }).to_string(),
                ))
                .expect("the words fit")
        }),
    )
}

#[tokio::test]
async fn only_what_the_api_needs_is_passed_on_and_back() {
    let far = Listening::new(echo()).await;
    let relay = far.relay();
    let mut asked = with_token("POST", "/v1/a%2Fb/:cancel?x=%2C&y=+z");
    for (name, value) in [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("cookie", "sandbox_session=1"),
        ("origin", "http://sandbox.test"),
        ("referer", "http://sandbox.test/projects/secret"),
        ("user-agent", "a browser"),
        ("x-forwarded-for", "10.0.0.1"),
    ] {
        asked
            .headers_mut()
            .insert(name, value.parse().expect("plain words"));
    }
    let answer = relay.send(asked).await;
    let seen = answer.expect(200);
    assert_eq!(seen["path"], "/v1/a%2Fb/:cancel?x=%2C&y=+z");
    let headers = seen["headers"].as_object().expect("a map");
    assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(headers["host"], format!("127.0.0.1:{}", far.port));
    let mut names: Vec<&str> = headers.keys().map(String::as_str).collect();
    names.retain(|it| !["content-length", "transfer-encoding"].contains(it));
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "content-type", "host"]);
    assert_eq!(answer.header("retry-after"), "3");
    assert_eq!(answer.header("cache-control"), "no-store");
    for name in ["set-cookie", "server", "access-control-allow-origin"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn a_large_body_streams_through() {
    let (far, batch, _listening, relay) = with_batch(12).await;
    far.break_next(&batch.path, json!({ "fault": "huge" }))
        .await;
    let response = relay
        .app
        .clone()
        .oneshot(request("GET", &batch.path, None))
        .await;
    let mut body = response.expect("the router answers").into_body();
    let (mut bytes, mut frames, mut largest) = (0, 0, 0);
    while let Some(frame) = body.frame().await {
        let length = frame
            .expect("the body is whole")
            .data_ref()
            .map_or(0, Bytes::len);
        bytes += length;
        frames += 1;
        largest = largest.max(length);
    }
    assert!(bytes > 32 << 20, "{bytes}");
    assert!(
        frames > 10 && largest < 4 << 20,
        "{frames} frames, up to {largest} bytes"
    );
}

/// A body that is written by hand.
struct Written(mpsc::Receiver<Bytes>);

impl futures_core::Stream for Written {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|it| it.map(Ok))
    }
}

#[tokio::test]
async fn what_has_arrived_is_passed_back_before_the_rest_exists() {
    let (pen, body) = mpsc::channel(1);
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(Body::from_stream(Written(
        body,
    )))));
    let far = Router::new().route(
        "/v1/{*rest}",
        any(async move || {
            let body = body.lock().expect("no test panics with it").take();
            body.expect("it is asked once")
        }),
    );
    let far = Listening::new(far).await;
    let asked = far.relay().app.oneshot(request("GET", "/v1/logs", None));
    let mut response = asked.await.expect("the router answers").into_body();
    for text in ["first", "second"] {
        pen.send(Bytes::from_static(text.as_bytes()))
            .await
            .expect("somebody reads");
        // Nothing more is written until this has arrived.
        let frame = tokio::time::timeout(Duration::from_secs(10), response.frame()).await;
        let frame = frame.expect("in time").expect("a frame").expect("no error");
        assert_eq!(frame.data_ref().map(|it| &it[..]), Some(text.as_bytes()));
    }
    drop(pen);
    assert!(response.frame().await.is_none());
}

#[tokio::test]
async fn the_site_beside_a_relay_learns_where_it_leads() {
    let far = Listening::new(echo()).await;
    let relay = far.relay();
    let config = relay.get("/config.json").await.expect(200);
    let environment = &config["environments"][0];
    assert_eq!(
        (&environment["api"], &environment["name"]),
        (&json!("/v1/"), &json!("127.0.0.1"))
    );
    assert!(environment.get("issuer").is_none());
    assert_eq!(
        relay.get("/sandbox/health").await.expect(200)["name"],
        "retake-sandbox"
    );
    // Nothing of a simulation is there.
    for path in [
        "/sandbox/requests",
        "/sandbox/faults",
        "/oidc/jwks",
        "/files/a/b/c",
    ] {
        assert_eq!(relay.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_program_writes_the_token_nowhere() {
    let (far, batch, listening, _) = with_batch(12).await;
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_retake-sandbox"))
        .args(["--port", "0", "--api", &listening.base()])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut out = BufReader::new(program.stdout.take().expect("it is piped"));
    let mut written = String::new();
    out.read_line(&mut written)
        .await
        .expect("it says where it is");
    let port = written
        .trim()
        .rsplit(':')
        .next()
        .and_then(|it| it.parse().ok());
    let port: u16 = port.expect("a port at the end of the line");
    let mut answers = ask(port, TOKEN, &batch.path).await;
    assert!(
        answers.starts_with("HTTP/1.1 200") && answers.contains(&batch.id),
        "{answers}"
    );
    answers += &ask(port, TOKEN, "/v1/projects/x").await;
    answers += &ask(
        port,
        TOKEN,
        &format!("/sandbox/requests?path_contains={}", encoded(&batch.id)),
    )
    .await;
    answers += &ask(port, TOKEN, "/config.json").await;
    far.break_next(&batch.path, json!({ "fault": "drop", "times": 2 }))
        .await;
    let dropped = ask(port, TOKEN, &batch.path).await;
    assert!(dropped.starts_with("HTTP/1.1 502"), "{dropped}");
    answers += &dropped;
    program.kill().await.expect("it ends");
    out.read_to_string(&mut written).await.expect("text");
    let mut errors = program.stderr.take().expect("it is piped");
    errors.read_to_string(&mut written).await.expect("text");
    for text in [
        &written,
        &answers,
        &far.get("/sandbox/requests").await.text(),
    ] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    // The token did arrive: this far side only knows what it was asked.
    let seen = far.get("/sandbox/requests").await.expect(200);
    assert!(string(&seen["requests"][0]["path"]).contains(&batch.id));
}
