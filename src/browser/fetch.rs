//! One HTTP request, bounded in time and size.

use std::time::Duration;

use futures::future::{Either, select};
use gloo_net::http::{Method as GlooMethod, RequestBuilder};
use js_sys::Uint8Array;
use retake_core::{
    api::{Answer, ApiError, ErrorKind, Method, OFFLINE, Request},
    rerun::POST_LIMIT,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestRedirect,
};

use super::{clock, timer, window, words};

/// The longest body that is read, in bytes after decompression: a hundred
/// tests with generous errors are a tenth of this.
const MAX_BYTES: usize = 10 * 1024 * 1024;
/// How long a read may take.
pub const READ_LIMIT: Duration = Duration::from_secs(30);

/// A call without an answer, in the browser's words, or because it is offline.
fn unreachable(what: &'static str, said: String) -> ApiError {
    let is_online = window().navigator().on_line();
    let said = if is_online { said } else { OFFLINE.to_owned() };
    ApiError::new(what, ErrorKind::Unreachable, said)
}

/// Sends a request of the API below `base` and returns whatever answer came.
/// Never repeats it.
///
/// # Errors
/// No answer came, or none that ended in time and size.
pub async fn perform(base: &str, bearer: &str, request: &Request) -> Result<Answer, ApiError> {
    let is_read = request.method == Method::Get;
    let url = format!("{base}{}", request.path);
    let mut builder = RequestBuilder::new(&url)
        .method(match request.method {
            Method::Get => GlooMethod::GET,
            Method::Post => GlooMethod::POST,
        })
        .header("Authorization", &format!("Bearer {bearer}"))
        .header("Accept", "application/json")
        .cache(RequestCache::NoStore);
    if !is_read {
        // A POST without credentials has connections of its own, so that the
        // browser does not repeat it over a reused one (`reliability.md` §2.6).
        // Nor is it sent on to where an answer points.
        builder = builder
            .credentials(RequestCredentials::Omit)
            .redirect(RequestRedirect::Error);
    }
    let limit = if is_read { READ_LIMIT } else { POST_LIMIT };
    send(
        request.what,
        builder,
        request.body.as_deref(),
        "application/json",
        limit,
    )
    .await
}

/// Reads a public document: configuration, or a provider's description.
///
/// # Errors
/// No answer came, or none that ended in time and size.
pub async fn read_document(what: &'static str, url: &str) -> Result<Answer, ApiError> {
    let builder = RequestBuilder::new(url)
        .method(GlooMethod::GET)
        .cache(RequestCache::NoCache);
    send(what, builder, None, "", READ_LIMIT).await
}

/// Sends a form, as token endpoints want it, nowhere but there. Not without credentials, so
/// that it leaves no connection behind that a rerun would share.
///
/// # Errors
/// No answer came, or none that ended within `limit` and in size.
pub async fn post_form(
    what: &'static str,
    url: &str,
    form: &str,
    limit: Duration,
) -> Result<Answer, ApiError> {
    let builder = RequestBuilder::new(url)
        .method(GlooMethod::POST)
        .redirect(RequestRedirect::Error)
        .cache(RequestCache::NoStore);
    send(
        what,
        builder,
        Some(form),
        "application/x-www-form-urlencoded",
        limit,
    )
    .await
}

async fn send(
    what: &'static str,
    builder: RequestBuilder,
    body: Option<&str>,
    content_type: &str,
    limit: Duration,
) -> Result<Answer, ApiError> {
    let controller = AbortController::new().ok();
    let signal = controller.as_ref().map(AbortController::signal);
    let builder = builder.abort_signal(signal.as_ref());
    let request = match body {
        Some(body) => builder
            .header("Content-Type", content_type)
            .body(body.to_owned()),
        None => builder.build(),
    }
    .map_err(|error| ApiError::new(what, ErrorKind::Refused, error.to_string()))?;
    let exchange = async {
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(what, error.to_string()))?;
        let headers = response.headers();
        let mut answer = Answer {
            status: response.status(),
            content_type: headers.get("content-type"),
            retry_after: headers.get("retry-after"),
            came_at: clock::wall(),
            body: Vec::new(),
        };
        if let Some(stream) = response.body() {
            answer.body = read_bounded(what, &stream).await?;
        }
        Ok(answer)
    };
    futures::pin_mut!(exchange);
    let timeout = timer::sleep(limit);
    futures::pin_mut!(timeout);
    match select(exchange, timeout).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => {
            if let Some(controller) = controller {
                controller.abort();
            }
            let words = format!("gave up after {} s", limit.as_secs());
            Err(ApiError::new(what, ErrorKind::TimedOut, words))
        }
    }
}

async fn read_bounded(
    what: &'static str,
    stream: &web_sys::ReadableStream,
) -> Result<Vec<u8>, ApiError> {
    let dropped = |error: JsValue| unreachable(what, words(&error));
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut body = Vec::new();
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(dropped)?;
        let get = |name: &str| js_sys::Reflect::get(&chunk, &name.into()).map_err(dropped);
        if get("done")?.is_truthy() {
            return Ok(body);
        }
        let bytes: Uint8Array = get("value")?.unchecked_into();
        if body.len() + bytes.length() as usize > MAX_BYTES {
            // The rest is not wanted; whether that can be said does not matter.
            let _ = reader.cancel();
            let why = format!("the answer is longer than {} MB", MAX_BYTES / 1024 / 1024);
            return Err(ApiError::new(what, ErrorKind::Unreadable, why));
        }
        body.extend(bytes.to_vec());
    }
}
