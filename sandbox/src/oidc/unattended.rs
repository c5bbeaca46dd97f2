//! Access tokens without a browser, as the ReSim CLI and the Python SDK ask for
//! them (`resim-api.md` §1.2): client credentials and the password-realm grant.
//!
//! Why: with these the real CLI can be pointed at the sandbox
//! (`RESIM_AUTH_URL=http://127.0.0.1:PORT/oidc/`) and compared with Retake on
//! the same batches. Anybody is let in, as everywhere here, except with the
//! secret or password `invalid`. Elsewhere: tokens for people (mod.rs).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{CLIENT, Issue, Parameters, Refusal, random};
use crate::{Sandbox, lock};

const PASSWORD_REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";
/// The one audience of every environment.
const AUDIENCE: &str = "https://api.resim.ai";
/// The one realm that the CLI names.
const REALM: &str = "cli-users";
/// The CLI's own clients for passwords: production, then staging.
const PASSWORD_CLIENTS: [&str; 2] = [
    "0Ip56H1LLAo6Dc6IfePaNzgpUxbJGyVI",
    "LLNl3xsbNLSd16gQyYsiEn3tbLDZo1gj",
];

/// Answers these two grants; `None` if another one is asked for.
pub(super) fn granted(
    sandbox: &Sandbox,
    headers: &HeaderMap,
    asked: &Parameters,
) -> Option<Result<Value, Refusal>> {
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    let allowed = match get("grant_type") {
        "client_credentials" => client(headers, asked),
        PASSWORD_REALM => person(asked),
        _ => return None,
    };
    let allowed = allowed.and_then(|()| {
        (get("audience") == AUDIENCE)
            .then_some(())
            .ok_or(("access_denied", "the audience must be https://api.resim.ai"))
    });
    Some(allowed.map(|()| {
        // A machine has its secret: it is never given a refresh token. The CLI
        // sends no scope with a password, the SDK asks for `offline_access`.
        let scope = match get("grant_type") {
            PASSWORD_REALM => get("scope"),
            _ => "",
        };
        lock(&sandbox.oidc).issue(&Issue {
            origin: &crate::v1::origin(headers),
            family: &random(),
            scope,
            nonce: None,
            lifetime: sandbox.config.token_lifetime,
            now: sandbox.now(),
        })
    }))
}

/// The client's ID and secret: in the Basic header, else in the form.
fn client(headers: &HeaderMap, asked: &Parameters) -> Result<(), Refusal> {
    let form = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let (id, secret) = match headers.get(AUTHORIZATION) {
        Some(header) => header
            .to_str()
            .ok()
            .and_then(basic)
            .ok_or(("invalid_client", "the Basic header cannot be read"))?,
        None => (form("client_id"), form("client_secret")),
    };
    if id.is_empty() || secret.is_empty() || secret == "invalid" {
        return Err(("invalid_client", "the client's ID or secret is wrong"));
    }
    if id == CLIENT {
        return Err((
            "unauthorized_client",
            "this client belongs to a browser and has no secret",
        ));
    }
    Ok(())
}

/// ID and secret of a Basic header: each form-encoded, then joined by a colon
/// (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, packed) = header.split_once(' ')?;
    let bytes = STANDARD.decode(packed.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

fn person(asked: &Parameters) -> Result<(), Refusal> {
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    if !PASSWORD_CLIENTS.contains(&get("client_id")) {
        return Err(("invalid_client", "this client may not use passwords"));
    }
    if get("realm") != REALM {
        return Err(("invalid_request", "the realm must be cli-users"));
    }
    if get("username").is_empty() || get("password").is_empty() || get("password") == "invalid" {
        return Err(("invalid_grant", "wrong e-mail or password"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_header_carries_form_encoded_words() {
        let packed = STANDARD.encode("my%20id:s%3Acr%2Bt+x");
        let read = basic(&format!("Basic {packed}"));
        assert_eq!(read, Some(("my id".to_owned(), "s:cr+t x".to_owned())));
        assert_eq!(basic(&format!("Bearer {packed}")), None);
        assert_eq!(basic("Basic !"), None);
    }
}
