//! The way of one request through `/v1/`: recorded, allowed, perhaps broken
//! on purpose, answered.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::answer::{allow_cors, body, dropped, empty, error, json_answer};
use crate::api::{self, Call, Query, Reply};
use crate::faults::Kind;
use crate::server::Connection;
use crate::{Sandbox, lock};

/// The largest request body that is read.
pub(crate) const MAX_BODY: usize = 16 << 20;

/// A request that has been read completely.
struct Asked {
    method: Method,
    uri: Uri,
    body: Bytes,
    origin: String,
}

/// Scheme and authority under which the sandbox was called.
pub(crate) fn origin(headers: &HeaderMap) -> String {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1");
    format!("http://{host}")
}

/// Answers everything under `/v1/`.
pub(crate) async fn handle(
    State(sandbox): State<Arc<Sandbox>>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, stream) = request.into_parts();
    let cors = sandbox.config.cors;
    if parts.method == Method::OPTIONS {
        let mut response = empty(if cors { 204 } else { 405 });
        if cors {
            allow_cors(response.headers_mut());
        }
        return response;
    }
    let Ok(bytes) = axum::body::to_bytes(stream, MAX_BODY).await else {
        return error(413, "The request body could not be read.");
    };
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let number = lock(&sandbox.record).asked(sandbox.now(), parts.method.as_str(), path, &bytes);
    if let Some(Connection(connection)) = parts.extensions.get() {
        lock(&sandbox.record).came_over(number, *connection);
    }
    let names = parts.headers.keys().map(ToString::to_string).collect();
    lock(&sandbox.record).came_with(number, names);
    let asked = Asked {
        origin: origin(&parts.headers),
        method: parts.method,
        uri: parts.uri,
        body: bytes,
    };
    let token = parts.headers.get(AUTHORIZATION);
    let mut shared = cors;
    let mut response = if let Err((status, message)) = crate::auth::check(&sandbox, token) {
        error(status, message)
    } else {
        let path = asked.uri.path_and_query().map_or("/", |it| it.as_str());
        let fault = lock(&sandbox.faults).strike(asked.method.as_str(), path);
        match fault {
            None => perform(&sandbox, &asked),
            Some(kind) => {
                shared &= kind != Kind::BadGatewayWithoutCors;
                misbehave(&sandbox, asked, kind).await
            }
        }
    };
    let gone = response
        .extensions()
        .get::<crate::answer::Dropped>()
        .is_some();
    let status = if gone { 0 } else { response.status().as_u16() };
    lock(&sandbox.record).answered(number, status);
    if shared {
        allow_cors(response.headers_mut());
    }
    response
}

fn perform(sandbox: &Sandbox, asked: &Asked) -> Response<Body> {
    let query = asked.uri.query().unwrap_or_default();
    perform_with(sandbox, asked, Query::parse(query))
}

fn perform_with(sandbox: &Sandbox, asked: &Asked, query: Query) -> Response<Body> {
    let call = Call {
        method: &asked.method,
        path: asked.uri.path().strip_prefix("/v1").unwrap_or_default(),
        query,
        body: &asked.body,
        origin: asked.origin.clone(),
        now: sandbox.now(),
        cleanup_ms: sandbox.config.cleanup_ms,
    };
    match api::answer(&mut lock(&sandbox.world), &call) {
        Ok(Reply::Json(value)) => json_answer(200, &value),
        Ok(Reply::Done) => empty(200),
        Ok(Reply::Nothing) => empty(204),
        Ok(Reply::Bytes(bytes)) => body(200, "application/octet-stream", bytes),
        Err(failure) => error(failure.0, &failure.1),
    }
}

/// Headers of an answer that act on more than the answer: on the origin that shows it,
/// on the browser, or on who else may read it.
const OVERREACHING: [(&str, &str); 12] = [
    ("set-cookie", "api=1; Path=/"),
    ("access-control-allow-origin", "https://elsewhere.example"),
    ("access-control-allow-credentials", "true"),
    ("access-control-allow-headers", "authorization"),
    ("access-control-allow-methods", "DELETE"),
    ("access-control-expose-headers", "*"),
    ("clear-site-data", "\"storage\""),
    ("nel", "{\"report_to\":\"x\",\"max_age\":60}"),
    (
        "report-to",
        "{\"group\":\"x\",\"max_age\":60,\"endpoints\":[{\"url\":\"https://elsewhere.example/\"}]}",
    ),
    ("reporting-endpoints", "x=\"https://elsewhere.example/\""),
    ("alt-svc", "h3=\"elsewhere.example:443\""),
    ("content-security-policy", "script-src *"),
];

async fn misbehave(sandbox: &Arc<Sandbox>, asked: Asked, kind: Kind) -> Response<Body> {
    const GATEWAY: &str = "<!doctype html><html><head><title>Service Unavailable</title></head>\
        <body><h1>Service Unavailable</h1><p>The server is temporarily unable to service your request.</p></body></html>";
    let message = |status| match status {
        401 => "Unauthorized: the token is expired or invalid.",
        403 => "Forbidden: missing privilege batches:write.",
        404 => "Not found.",
        409 => "Existing batch run is cleaning up. Try again in a moment.",
        500 => "Internal server error.",
        _ => "The sandbox was told to answer this status.",
    };
    match kind {
        Kind::Drop => dropped(),
        Kind::DropAfterApply => {
            perform(sandbox, &asked);
            dropped()
        }
        Kind::LateApply(ms) => {
            let sandbox = Arc::clone(sandbox);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                perform(&sandbox, &asked);
            });
            dropped()
        }
        Kind::Silence => std::future::pending().await,
        Kind::SilenceAfterApply => {
            perform(sandbox, &asked);
            std::future::pending().await
        }
        Kind::Latency(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            perform(sandbox, &asked)
        }
        Kind::Status(status) => error(status, message(status)),
        Kind::Overreach => {
            let mut response = perform(sandbox, &asked);
            for (name, value) in OVERREACHING {
                let name = HeaderName::from_static(name);
                response
                    .headers_mut()
                    .append(name, HeaderValue::from_static(value));
            }
            response
        }
        Kind::Throttled(after) => {
            let mut response = error(429, "Too many requests.");
            if let Some(seconds) = after {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        Kind::Html(status) => body(status, "text/html; charset=utf-8", GATEWAY),
        Kind::BadGatewayAfterApply | Kind::BadGatewayWithoutCors => {
            perform(sandbox, &asked);
            body(502, "text/html; charset=utf-8", GATEWAY)
        }
        Kind::Empty => {
            perform(sandbox, &asked);
            empty(204)
        }
        Kind::Garbage => {
            perform(sandbox, &asked);
            body(
                200,
                "application/json",
                r#"{"projects":42,"batches":{"0":"no list"},"jobs":"none","batchID":[],"status":7,"nextPageToken":{}}"#,
            )
        }
        Kind::Deep => {
            perform(sandbox, &asked);
            body(200, "application/json", "[".repeat(100_000))
        }
        // Only reads come from a replica.
        Kind::Stale if asked.method != Method::GET => perform(sandbox, &asked),
        Kind::Stale => {
            let path = asked.uri.path_and_query().map_or("/", |it| it.as_str());
            let kept = lock(&sandbox.faults).picture(path);
            if let Some(bytes) = kept {
                return body(200, "application/json", bytes);
            }
            let response = perform(sandbox, &asked);
            if response.status() != 200 {
                return response;
            }
            let bytes = contents(response).await;
            lock(&sandbox.faults).keep_picture(path, &bytes);
            body(200, "application/json", bytes)
        }
        Kind::ShiftedPage => {
            let response = perform(sandbox, &asked);
            let is_later_page = Query::parse(asked.uri.query().unwrap_or_default())
                .get("pageToken")
                .is_some_and(|token| !token.is_empty());
            let status = response.status().as_u16();
            let bytes = contents(response).await;
            match serde_json::from_slice::<serde_json::Value>(&bytes) {
                Ok(serde_json::Value::Object(mut page)) if is_later_page => {
                    for items in page.values_mut().filter_map(|it| it.as_array_mut()) {
                        if !items.is_empty() {
                            items.remove(0);
                        }
                    }
                    json_answer(status, &page.into())
                }
                _ => body(status, "application/json", bytes),
            }
        }
        Kind::RepeatToken => {
            // Whatever page is asked for, it is the first one, and it says
            // that there is another.
            let query: String = asked
                .uri
                .query()
                .unwrap_or_default()
                .split('&')
                .filter(|part| !part.starts_with("pageToken="))
                .collect::<Vec<_>>()
                .join("&");
            let response = perform_with(sandbox, &asked, Query::parse(&query));
            if asked.method != Method::GET {
                return response;
            }
            let bytes = contents(response).await;
            match serde_json::from_slice::<serde_json::Value>(&bytes) {
                Ok(mut value) if value.get("nextPageToken").is_some() => {
                    value["nextPageToken"] = "+/YWdhaW4=".into();
                    json_answer(200, &value)
                }
                _ => body(200, "application/json", bytes),
            }
        }
        Kind::Truncated | Kind::Cut | Kind::WrongType | Kind::Huge => {
            let response = perform(sandbox, &asked);
            let status = response.status().as_u16();
            let bytes = contents(response).await;
            let half = bytes.slice(..bytes.len() / 2);
            match kind {
                Kind::Truncated => body(status, "application/json", half),
                Kind::Cut => cut(half),
                Kind::WrongType => body(status, "text/plain; charset=utf-8", bytes),
                _ => {
                    let mut huge = vec![b' '; 32 << 20];
                    huge.extend_from_slice(&bytes);
                    body(status, "application/json", huge)
                }
            }
        }
    }
}

async fn contents(response: Response<Body>) -> Bytes {
    axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap_or_default()
}

/// Half of a body, then an error: the server closes the connection.
fn cut(half: Bytes) -> Response<Body> {
    let mut half = Some(half);
    let mut is_sent = false;
    let stream = poll_stream(move |context| {
        if let Some(half) = half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !is_sent {
            // The server writes to the socket whenever a body has to be waited
            // for. Without this pause the error would come first, and headers
            // and half would never leave.
            is_sent = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("cut on purpose"))))
    });
    let mut response = Response::new(Body::new(StreamBody::new(stream)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A stream from a function, so that no further crate is needed.
fn poll_stream<T, F>(next: F) -> impl futures_core::Stream<Item = T>
where
    F: FnMut(&mut Context<'_>) -> Poll<Option<T>> + Unpin,
{
    struct FromFn<F>(F);
    impl<T, F> futures_core::Stream for FromFn<F>
    where
        F: FnMut(&mut Context<'_>) -> Poll<Option<T>> + Unpin,
    {
        type Item = T;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<T>> {
            (self.0)(context)
        }
    }
    FromFn(next)
}

/// Answers a presigned URL; refuses a token that was sent along.
pub(crate) async fn file(
    State(sandbox): State<Arc<Sandbox>>,
    request: Request<Body>,
) -> Response<Body> {
    if request.headers().contains_key(AUTHORIZATION) {
        return error(
            400,
            "Presigned URLs carry their own signature: do not send the bearer token here.",
        );
    }
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let found = api::download(
        &lock(&sandbox.world),
        request.uri().path(),
        &query,
        sandbox.now(),
    );
    match found {
        Err(failure) => error(failure.0, &failure.1),
        Ok((name, bytes)) => {
            let is_text = [".log", ".jsonl"].iter().any(|end| name.ends_with(end));
            let kind = if is_text {
                "text/plain; charset=utf-8"
            } else {
                "application/octet-stream"
            };
            let mut response = body(200, kind, bytes);
            if query.get("attachment").is_some()
                && let Ok(value) =
                    HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
            {
                response
                    .headers_mut()
                    .insert(axum::http::header::CONTENT_DISPOSITION, value);
            }
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;
    use crate::Config;

    async fn call(app: &Router, method: &str, path: &str, body: &Value) -> (Response<()>, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, "Bearer test")
            .body(Body::from(body.to_string()))
            .expect("a request of plain words");
        let (parts, body) = match app.clone().oneshot(request).await {
            Ok(response) => response.into_parts(),
            Err(never) => match never {},
        };
        let bytes = contents(Response::new(body)).await;
        let value = serde_json::from_slice(&bytes).unwrap_or_default();
        (Response::from_parts(parts, ()), value)
    }

    /// A sandbox with one batch of 150 tests, and the batch's address and tests.
    async fn with_batch() -> (Router, String, Value) {
        let app = crate::app(Config::default());
        let order = json!({ "recipe": { "tests": 150 } });
        let (_, batch) = call(&app, "POST", "/sandbox/batches", &order).await;
        let text = |name: &str| batch[name].as_str().expect("an ID").to_owned();
        let path = format!(
            "/v1/projects/{}/batches/{}",
            text("projectID"),
            text("batchID")
        );
        (app, path, batch["jobIDs"].clone())
    }

    async fn break_it(app: &Router, path: &str, fault: &str, times: u32) {
        let order = json!({ "path_contains": path, "fault": fault, "times": times });
        let (answer, _) = call(app, "POST", "/sandbox/faults", &order).await;
        assert_eq!(answer.status(), 200);
    }

    #[tokio::test]
    async fn a_stale_read_shows_the_picture_from_before_the_rerun() {
        let (app, path, tests) = with_batch().await;
        break_it(&app, &path, "stale", 3).await;
        let (_, before) = call(&app, "GET", &path, &Value::Null).await;
        let rerun = json!({ "jobIDs": [tests[0]], "syncBatch": false });
        let (accepted, _) = call(&app, "POST", &format!("{path}/rerun"), &rerun).await;
        assert_eq!(accepted.status(), 200);
        let (_, stale) = call(&app, "GET", &path, &Value::Null).await;
        assert_eq!(stale, before);
        let (_, fresh) = call(&app, "GET", &path, &Value::Null).await;
        assert_eq!(fresh["runCounter"], 2);
    }

    #[tokio::test]
    async fn a_shifted_page_leaves_one_test_out() {
        let (app, path, _) = with_batch().await;
        let list = format!("{path}/jobs?pageSize=100");
        let (_, first) = call(&app, "GET", &list, &Value::Null).await;
        let token = first["nextPageToken"].as_str().expect("a second page");
        let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let next = format!("{list}&pageToken={token}");
        let (_, whole) = call(&app, "GET", &next, &Value::Null).await;
        break_it(&app, &path, "shifted_page", 2).await;
        let (_, same) = call(&app, "GET", &list, &Value::Null).await;
        assert_eq!(same, first);
        let (_, shifted) = call(&app, "GET", &next, &Value::Null).await;
        let count = |page: &Value| page["jobs"].as_array().map_or(0, Vec::len);
        assert_eq!((count(&whole), count(&shifted)), (50, 49));
    }

    #[tokio::test]
    async fn a_gateway_without_cors_hides_what_was_applied() {
        let (app, path, tests) = with_batch().await;
        let rerun_path = format!("{path}/rerun");
        break_it(&app, &rerun_path, "502_no_cors_after_apply", 1).await;
        let rerun = json!({ "jobIDs": [tests[0]], "syncBatch": false });
        let (answer, _) = call(&app, "POST", &rerun_path, &rerun).await;
        assert_eq!(answer.status(), 502);
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        let (answer, batch) = call(&app, "GET", &path, &Value::Null).await;
        assert!(answer.headers().contains_key("access-control-allow-origin"));
        assert_eq!(batch["runCounter"], 2);
    }
}
