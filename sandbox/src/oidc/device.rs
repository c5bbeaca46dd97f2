//! Signing in with a code on another device (RFC 8628). The page that confirms
//! a code is one link: whoever opens it says yes, or no with `&answer=no`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response};
use serde_json::json;

use super::{CLIENT, Parameters, Refusal, issuer, random, shared};
use crate::answer::{body, json_answer};
use crate::{Sandbox, lock};

/// The grant type of the polls.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long a code may wait, in milliseconds.
const LIFE: i64 = 300_000;
/// Seconds between polls; short, since tests wait for it.
const INTERVAL: i64 = 1;

/// The codes that wait.
#[derive(Default)]
pub(super) struct Codes {
    by_code: HashMap<String, Waiting>,
}

struct Waiting {
    user_code: String,
    scope: String,
    ends: i64,
    answer: Option<bool>,
    polled: i64,
}

impl Codes {
    /// The scope of a confirmed code, which is used up by that.
    pub(super) fn poll(&mut self, code: &str, now: i64) -> Result<String, Refusal> {
        let Some(waiting) = self.by_code.get_mut(code) else {
            return Err(("invalid_grant", "this code is not known"));
        };
        let too_soon = now - waiting.polled < INTERVAL * 500;
        waiting.polled = now;
        if waiting.ends < now {
            return Err(("expired_token", "this code is too old"));
        }
        match waiting.answer {
            None if too_soon => Err(("slow_down", "polled too often")),
            None => Err(("authorization_pending", "nobody has confirmed the code yet")),
            Some(false) => Err(("access_denied", "the person said no")),
            Some(true) => {
                let scope = waiting.scope.clone();
                self.by_code.remove(code);
                Ok(scope)
            }
        }
    }

    fn add(&mut self, scope: &str, now: i64) -> (String, String) {
        let code = random();
        let user_code: String = random()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(8)
            .collect::<String>()
            .to_uppercase();
        self.by_code.insert(
            code.clone(),
            Waiting {
                user_code: user_code.clone(),
                scope: scope.to_owned(),
                ends: now + LIFE,
                answer: None,
                polled: i64::MIN / 2,
            },
        );
        (code, user_code)
    }

    fn answer(&mut self, user_code: &str, yes: bool) -> bool {
        let found = self
            .by_code
            .values_mut()
            .find(|it| it.user_code == user_code && it.answer.is_none());
        found.map(|it| it.answer = Some(yes)).is_some()
    }
}

/// `POST /oidc/oauth/device/code`.
pub(super) async fn code(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response<Body> {
    let asked: Parameters = form_urlencoded::parse(&bytes).into_owned().collect();
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    if get("client_id") != CLIENT {
        let refusal = json!({ "error": "invalid_client", "error_description": "this client is not registered" });
        return shared(&sandbox, json_answer(401, &refusal));
    }
    let now = sandbox.now();
    let (code, user_code) = lock(&sandbox.oidc).devices.add(get("scope"), now);
    let page = format!("{}device", issuer(&crate::v1::origin(&headers)));
    let answer = json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": LIFE / 1_000,
        "interval": INTERVAL,
    });
    shared(&sandbox, json_answer(200, &answer))
}

/// `GET /oidc/device?user_code=…`.
pub(super) async fn page(
    State(sandbox): State<Arc<Sandbox>>,
    Query(asked): Query<Parameters>,
) -> Response<Body> {
    let user_code = asked.get("user_code").map_or("", String::as_str);
    let yes = asked.get("answer").is_none_or(|it| it != "no");
    let known = lock(&sandbox.oidc).devices.answer(user_code, yes);
    let words = match (known, yes) {
        (true, true) => "Confirmed. You can go back to the other page.",
        (true, false) => "Refused.",
        (false, _) => "This code is not known.",
    };
    body(200, "text/plain; charset=utf-8", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_waits_is_confirmed_and_is_good_once() {
        let mut codes = Codes::default();
        let (code, user_code) = codes.add("openid", 0);
        let pending = Err(("authorization_pending", "nobody has confirmed the code yet"));
        assert_eq!(codes.poll(&code, 1_000), pending);
        assert!(
            codes
                .poll(&code, 1_100)
                .is_err_and(|it| it.0 == "slow_down")
        );
        assert!(codes.answer(&user_code, true));
        assert!(!codes.answer(&user_code, true));
        assert_eq!(codes.poll(&code, 3_000), Ok("openid".to_owned()));
        assert!(
            codes
                .poll(&code, 5_000)
                .is_err_and(|it| it.0 == "invalid_grant")
        );
        let (code, user_code) = codes.add("openid", 0);
        codes.answer(&user_code, false);
        assert!(
            codes
                .poll(&code, 2_000)
                .is_err_and(|it| it.0 == "access_denied")
        );
        let (code, _) = codes.add("openid", 0);
        assert!(
            codes
                .poll(&code, LIFE + 1)
                .is_err_and(|it| it.0 == "expired_token")
        );
    }
}
