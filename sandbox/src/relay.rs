//! The way to a real ReSim API: the same origin for the browser, so that no
//! question of CORS arises. The bearer token is passed through, never kept.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER,
};
use axum::http::{Request, Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use crate::Sandbox;
use crate::answer::{error, json_answer};

/// The base of a real API, with its closing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    base: String,
}

impl Upstream {
    /// Reads an address such as `https://api.resim.ai/v1/`.
    ///
    /// # Errors
    /// A sentence that names the flag.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fix = "--api needs the address of a ReSim API, such as https://api.resim.ai/v1/";
        let uri: Uri = text.parse().map_err(|_| format!("{fix}, not {text:?}."))?;
        let host = uri.host().unwrap_or("");
        let local = matches!(host, "localhost" | "127.0.0.1");
        match uri.scheme_str() {
            Some("https") if !host.is_empty() => {}
            // Only this machine may be spoken to in the clear.
            Some("http") if local => {}
            _ => return Err(format!("{fix}, not {text:?}.")),
        }
        if uri.query().is_some() {
            return Err(format!("{fix}, without a query."));
        }
        Ok(Self {
            base: format!("{}/", text.trim_end_matches('/')),
        })
    }

    fn host(&self) -> String {
        self.base
            .parse::<Uri>()
            .ok()
            .and_then(|it| it.host().map(str::to_owned))
            .unwrap_or_default()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Sends requests to the real API.
pub(crate) struct Relay {
    upstream: Upstream,
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

impl Relay {
    pub(crate) fn new(upstream: Upstream) -> Self {
        // What this machine trusts, so that a company's own proxy works too; the
        // public roots where the machine has none.
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .unwrap_or_else(|_| hyper_rustls::HttpsConnectorBuilder::new().with_webpki_roots())
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            upstream,
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }
}

/// What is passed on of a request: what the API needs, and nothing that tells
/// about the browser.
const ASKED: [HeaderName; 3] = [AUTHORIZATION, ACCEPT, CONTENT_TYPE];
/// What is passed back of an answer.
const ANSWERED: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, CACHE_CONTROL];

/// Passes a call on to the real API, and its answer back as it streams in.
pub(crate) async fn pass_on(
    State(sandbox): State<Arc<Sandbox>>,
    request: Request<Body>,
) -> Response<Body> {
    let Some(relay) = &sandbox.relay else {
        return error(404, "There is no relay.");
    };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("", |it| it.as_str());
    let below = path.strip_prefix("/v1/").unwrap_or("");
    let target = format!("{}{below}", relay.upstream.base);
    let Ok(uri) = target.parse::<Uri>() else {
        return error(400, "This path cannot be passed on.");
    };
    let mut onward = Request::new(body);
    *onward.method_mut() = parts.method;
    if let Some(host) = uri
        .authority()
        .and_then(|it| HeaderValue::from_str(it.as_str()).ok())
    {
        onward.headers_mut().insert(HOST, host);
    }
    *onward.uri_mut() = uri;
    for name in ASKED {
        if let Some(value) = parts.headers.get(&name) {
            onward.headers_mut().insert(name, value.clone());
        }
    }
    match relay.client.request(onward).await {
        Ok(answer) => {
            let (parts, body) = answer.into_parts();
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = parts.status;
            for name in ANSWERED {
                if let Some(value) = parts.headers.get(&name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            response
        }
        // The error may quote the address, never a header.
        Err(why) => error(
            502,
            &format!("The relay cannot reach {}: {why}.", relay.upstream.host()),
        ),
    }
}

/// The configuration of a site that is served beside the relay.
pub(crate) async fn config(State(sandbox): State<Arc<Sandbox>>) -> Response<Body> {
    let Some(relay) = &sandbox.relay else {
        return error(404, "There is no relay.");
    };
    let host = relay.upstream.host();
    let mut environment = json!({
        "name": host,
        "api": "/v1/",
        "min_poll_every": "10s",
    });
    if let Some(app) = app_origin(&host) {
        environment["app"] = json!(app);
    }
    json_answer(200, &json!({ "environments": [environment] }))
}

/// The ReSim app of an API host (`resim-api.md` §1.3), where that is known.
fn app_origin(host: &str) -> Option<String> {
    let known = host.starts_with("api.") || host.contains(".api.");
    known.then(|| format!("https://{}", host.replacen("api.", "app.", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_relayed_to() {
        assert_eq!(
            Upstream::parse("https://api.resim.ai/v1")
                .unwrap()
                .to_string(),
            "https://api.resim.ai/v1/"
        );
        assert!(Upstream::parse("http://127.0.0.1:9000/v1/").is_ok());
        for bad in [
            "",
            "api.resim.ai",
            "http://api.resim.ai/v1/",
            "ftp://x/",
            "https://x/?a=1",
        ] {
            assert!(Upstream::parse(bad).unwrap_err().contains("--api"), "{bad}");
        }
    }

    #[test]
    fn the_app_is_named_only_where_it_is_known() {
        assert_eq!(
            app_origin("api.resim.ai").as_deref(),
            Some("https://app.resim.ai")
        );
        assert_eq!(app_origin("127.0.0.1"), None);
    }
}
