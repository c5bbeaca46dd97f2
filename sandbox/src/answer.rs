//! Small builders of HTTP answers.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

/// Marks an answer that must not be sent: the server closes the connection.
#[derive(Clone, Copy, Debug)]
pub struct Dropped;

/// An answer with a body of a content type.
pub(crate) fn body(
    status: u16,
    content_type: &'static str,
    bytes: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes.into()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A JSON answer.
pub(crate) fn json_answer(status: u16, value: &Value) -> Response<Body> {
    body(status, "application/json", value.to_string())
}

/// An error in the shape of `resim-api.md` §4.
pub(crate) fn error(status: u16, message: &str) -> Response<Body> {
    json_answer(status, &json!({ "message": message }))
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Response<Body> {
    let mut response = body(status, "application/json", Bytes::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// An answer that closes the connection instead.
pub(crate) fn dropped() -> Response<Body> {
    let mut response = empty(500);
    response.extensions_mut().insert(Dropped);
    response
}

/// Allows calls from every origin (`resim-api.md` B.10).
pub(crate) fn allow_cors(headers: &mut HeaderMap) {
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        (
            "access-control-allow-headers",
            "authorization, content-type",
        ),
        ("access-control-allow-methods", "GET, POST, PATCH, OPTIONS"),
        ("access-control-max-age", "600"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
}
