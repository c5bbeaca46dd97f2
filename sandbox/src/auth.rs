//! Which bearer tokens are accepted (`resim-api.md` B.11).
//!
//! Any non-empty token is, except: the words `expired` and `invalid`, the
//! word `forbidden` (403), a JWT whose `exp` is past, and a token of this
//! sandbox's own provider that has been revoked or belongs to an earlier
//! start.

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::{Sandbox, lock};

/// What is wrong with the header, as status and message.
pub(crate) fn check(
    sandbox: &Sandbox,
    header: Option<&HeaderValue>,
) -> Result<(), (u16, &'static str)> {
    let token = header
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or((401, "Unauthorized: a bearer token is required."))?;
    match token {
        "expired" => return Err((401, "Unauthorized: the token is expired.")),
        "invalid" => return Err((401, "Unauthorized: the token is invalid.")),
        "forbidden" => return Err((403, "Forbidden: this account has no access.")),
        _ => {}
    }
    let Some(claims) = claims(token) else {
        return Ok(());
    };
    let seconds = sandbox.now() / 1_000;
    if claims["exp"].as_i64().is_some_and(|exp| exp <= seconds) {
        return Err((401, "Unauthorized: the token is expired."));
    }
    let ours = claims["iss"]
        .as_str()
        .is_some_and(|iss| iss.ends_with("/oidc/"));
    if ours {
        let id = claims["jti"].as_str().unwrap_or_default();
        if !lock(&sandbox.oidc).is_live(id) {
            return Err((401, "Unauthorized: the token was revoked."));
        }
    }
    Ok(())
}

/// The claims of a JWT-looking token, unverified.
pub(crate) fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, middle) = (parts.next()?, parts.next()?);
    parts.next()?;
    let bytes = URL_SAFE_NO_PAD.decode(middle).ok()?;
    serde_json::from_slice(&bytes).ok()
}
