//! Signing in with a code on another device or page (RFC 8628), as the ReSim
//! CLI does.
//!
//! Why: a site whose address is not registered at the provider can still sign
//! people in, and so can a browser without a keyboard worth the name.
//!
//! Asked -> Waiting (poll, slower when told to) -> Tokens, or why not
//!
//! Invariants: the address that people are sent to is on the web, by https
//! unless the provider itself is on this machine; polling has an end, the
//! code's own.
//! Elsewhere: the form of the first request and its answer's tokens (`token.rs`).

use std::time::Duration;

use serde_json::Value;

use super::{Expectation, TokenError, Tokens, transaction::form};
use crate::{
    config::Environment,
    domain::{Timestamp, address::Address, text::clean_line},
};

/// The grant type of the polls (RFC 8628 §3.4).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Seconds between polls unless the provider says otherwise (§3.2).
const INTERVAL: u64 = 5;
/// How much slower after `slow_down` (§3.5).
const SLOWER: u64 = 5;
/// The longest code that a person compares or types, in characters.
const USER_CODE_CHARS: usize = 100;
/// The longest life of a code that is believed, in seconds.
const MAX_LIFE: u64 = 1_800;

/// A code that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// What is polled with. A secret, though of little use alone.
    code: String,
    /// Who gave it.
    issuer: String,
    /// What the person compares or types.
    pub user_code: String,
    /// Where they do that; the code filled in, if the provider has that.
    pub address: String,
    /// When the code ends.
    pub ends: Timestamp,
    interval: u64,
}

/// What one poll came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Not yet: ask again after this pause.
    Again(Duration),
    /// The person said yes.
    Tokens(Box<Tokens>),
    /// It is over, and why.
    Over(String),
}

/// The form that asks for a code (RFC 8628 §3.1).
pub fn ask_form(environment: &Environment) -> String {
    let mut parameters = vec![
        ("client_id", client(environment)),
        ("scope", environment.scopes.as_str()),
    ];
    if let Some(audience) = &environment.audience {
        parameters.push(("audience", audience));
    }
    form(&parameters)
}

fn client(environment: &Environment) -> &str {
    environment.device_client_id.as_deref().unwrap_or("")
}

/// There is no nonce in this flow; the code in hand ties the answer to it.
fn expectation<'a>(environment: &'a Environment, issuer: &'a str) -> Expectation<'a> {
    Expectation {
        issuer: Some(issuer),
        client_id: environment.device_client_id.as_deref(),
        audience: environment.audience.as_deref(),
        ..Expectation::default()
    }
}

impl DeviceCode {
    /// Reads the answer to [`ask_form`].
    ///
    /// # Errors
    /// A refusal, an answer that cannot be read, or an address that nobody
    /// should be sent to.
    pub fn read(issuer: &str, body: &[u8], now: Timestamp) -> Result<Self, TokenError> {
        let unreadable = TokenError::unreadable;
        let answer: Value =
            crate::json::from_bytes(body).map_err(|error| unreadable(&error.to_string()))?;
        if let Some(refusal) = TokenError::refusal(&answer) {
            return Err(refusal);
        }
        let text = |name: &str| answer[name].as_str().map(ToOwned::to_owned);
        let code = text("device_code").ok_or_else(|| unreadable("device_code is missing"))?;
        let user_code = text("user_code")
            .map(|it| clean_line(&it, USER_CODE_CHARS))
            .ok_or_else(|| unreadable("user_code is missing"))?;
        let address = text("verification_uri_complete")
            .or_else(|| text("verification_uri"))
            .ok_or_else(|| unreadable("verification_uri is missing"))?;
        let life = answer["expires_in"].as_u64().unwrap_or(MAX_LIFE);
        let is_safe = Address::parse(&address)
            .is_ok_and(|it| it.is_secure || !issuer.starts_with("https://"));
        if !is_safe {
            return Err(TokenError::unreadable(&format!(
                "the address to go to is no safe one: {address}"
            )));
        }
        Ok(Self {
            code,
            issuer: issuer.to_owned(),
            user_code,
            address,
            ends: now.after(Duration::from_secs(life.min(MAX_LIFE))),
            interval: answer["interval"].as_u64().unwrap_or(INTERVAL).clamp(1, 60),
        })
    }

    /// The pause before the next poll.
    pub fn pause(&self) -> Duration {
        Duration::from_secs(self.interval)
    }

    /// The form of a poll.
    pub fn poll_form(&self, environment: &Environment) -> String {
        form(&[
            ("grant_type", GRANT),
            ("device_code", &self.code),
            ("client_id", client(environment)),
        ])
    }

    /// Takes in the answer of a poll, its status and body; `None`: no answer
    /// came, which a connection may do (RFC 8628 §3.5), so it is asked again,
    /// slower. So it is after a 429 or a failure of the server or a gateway,
    /// whatever their pages say: the code is still good.
    pub fn polled(
        &mut self,
        environment: &Environment,
        answer: Option<(u16, &[u8])>,
        now: Timestamp,
    ) -> Polled {
        let answer = answer
            .filter(|(status, _)| *status != 429 && *status < 500)
            .map(|(_, body)| Tokens::read(body, &expectation(environment, &self.issuer), now));
        match answer {
            Some(Ok(tokens)) => {
                return Polled::Tokens(Box::new(Tokens {
                    by_device: true,
                    ..tokens
                }));
            }
            Some(Err(TokenError::Refused(code, _))) if code == "authorization_pending" => {}
            Some(Err(TokenError::Refused(code, _))) if code == "slow_down" => {
                self.interval += SLOWER;
            }
            None => self.interval = (self.interval * 2).min(60),
            Some(Err(TokenError::Refused(code, _))) if code == "access_denied" => {
                return Polled::Over("The sign-in was refused.".into());
            }
            Some(Err(TokenError::Refused(code, _))) if code == "expired_token" => {
                return Polled::Over(LATE.into());
            }
            Some(Err(error)) => return Polled::Over(error.to_string()),
        }
        if now >= self.ends {
            return Polled::Over(LATE.into());
        }
        Polled::Again(self.pause())
    }
}

const LATE: &str = "Nobody confirmed the code in time. Ask for a new one.";

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn environment() -> Environment {
        Environment {
            name: "R".into(),
            issuer: Some("https://p.example".into()),
            device_client_id: Some("device".into()),
            audience: Some("https://api.resim.ai".into()),
            scopes: "offline_access".into(),
            ..Environment::default()
        }
    }

    fn code(rest: &str) -> Result<DeviceCode, TokenError> {
        let body =
            format!(r#"{{"device_code":"d","user_code":"ABCD-EFGH","expires_in":300{rest}}}"#);
        DeviceCode::read("https://p.example", body.as_bytes(), NOW)
    }

    const PLAIN: &str = r#","verification_uri":"https://p.example/activate""#;

    #[test]
    fn the_request_is_the_clis() {
        assert_eq!(
            ask_form(&environment()),
            "client_id=device&scope=offline%5Faccess&audience=https%3A%2F%2Fapi%2Eresim%2Eai"
        );
    }

    #[test]
    fn an_answer_gives_code_address_end_and_pace() {
        let it = code(PLAIN).unwrap();
        assert_eq!(it.user_code, "ABCD-EFGH");
        assert_eq!(it.address, "https://p.example/activate");
        assert_eq!(it.pause(), Duration::from_secs(5));
        assert_eq!(it.ends, Timestamp::from_millis(1_300_000));
        let full = code(
            r#","verification_uri":"https://p.example/a","interval":9,
            "verification_uri_complete":"https://p.example/a?user_code=ABCD-EFGH""#,
        )
        .unwrap();
        assert_eq!(full.address, "https://p.example/a?user_code=ABCD-EFGH");
        assert_eq!(full.pause(), Duration::from_secs(9));
    }

    #[test]
    fn nobody_is_sent_to_an_address_that_is_none() {
        for address in [
            "http://p.example/a",
            "javascript:alert(1)",
            "//p.example",
            "https://p.example/\u{202e}\u{7}",
            "data:text/html,x",
        ] {
            let body = serde_json::json!({ "device_code": "d", "user_code": "u", "expires_in": 9,
                "verification_uri": address })
            .to_string();
            let read = DeviceCode::read("https://p.example", body.as_bytes(), NOW);
            assert!(matches!(read, Err(TokenError::Unreadable(_))), "{address}");
        }
        let refused = DeviceCode::read(
            "https://p.example",
            br#"{"error":"unauthorized_client","error_description":"no"}"#,
            NOW,
        );
        assert_eq!(
            refused,
            Err(TokenError::Refused(
                "unauthorized_client".into(),
                Some("no".into())
            ))
        );
    }

    #[test]
    fn polling_waits_slows_down_and_has_an_end() {
        let mut it = code(PLAIN).unwrap();
        let mut poll = |body: Option<&str>, at: i64| {
            let answer = body.map(|body| (if body.contains("error") { 400 } else { 200 }, body));
            it.polled(
                &environment(),
                answer.map(|(status, body)| (status, body.as_bytes())),
                Timestamp::from_millis(at),
            )
        };
        let pending = r#"{"error":"authorization_pending"}"#;
        let again = |seconds| Polled::Again(Duration::from_secs(seconds));
        assert_eq!(poll(Some(pending), 1_001_000), again(5));
        assert_eq!(poll(Some(r#"{"error":"slow_down"}"#), 1_002_000), again(10));
        assert_eq!(poll(None, 1_003_000), again(20));
        assert!(matches!(poll(Some(pending), 1_300_000), Polled::Over(_)));
        for body in [
            r#"{"error":"access_denied"}"#,
            r#"{"error":"expired_token"}"#,
            r#"{"error":"invalid_grant"}"#,
            "<html>",
        ] {
            assert!(
                matches!(poll(Some(body), 1_004_000), Polled::Over(_)),
                "{body}"
            );
        }
        let tokens = poll(Some(r#"{"access_token":"t","expires_in":60}"#), 1_005_000);
        let Polled::Tokens(tokens) = tokens else {
            panic!("{tokens:?}");
        };
        assert_eq!(tokens.access, "t");
        assert_eq!(tokens.expires, Some(Timestamp::from_millis(1_065_000)));
    }

    #[test]
    fn tokens_of_another_provider_sign_nobody_in() {
        let id_token = |issuer: &str| {
            let claims = format!(r#"{{"iss":"{issuer}","aud":"device"}}"#);
            let part = URL_SAFE_NO_PAD.encode(claims);
            format!(r#"{{"access_token":"t","id_token":"e30.{part}.s"}}"#)
        };
        for (issuer, is_in) in [("https://p.example", true), ("https://q.example", false)] {
            let body = id_token(issuer);
            let polled =
                code(PLAIN)
                    .unwrap()
                    .polled(&environment(), Some((200, body.as_bytes())), NOW);
            assert_eq!(
                matches!(polled, Polled::Tokens(_)),
                is_in,
                "{issuer}: {polled:?}"
            );
        }
    }

    #[test]
    fn a_server_or_gateway_out_of_order_does_not_end_the_wait() {
        let mut it = code(PLAIN).unwrap();
        let mut pauses = Vec::new();
        for (status, body) in [(502, "<html>"), (429, "slow"), (503, "{}"), (500, "")] {
            let answer = Some((status, body.as_bytes()));
            match it.polled(&environment(), answer, NOW) {
                Polled::Again(pause) => pauses.push(pause.as_secs()),
                other => panic!("{status}: {other:?}"),
            }
        }
        assert_eq!(pauses, [10, 20, 40, 60], "slower each time");
        let late = it.polled(&environment(), Some((502, b"<html>")), it.ends);
        assert!(matches!(late, Polled::Over(_)), "but not for ever");
    }

    #[test]
    fn a_poll_names_the_grant() {
        assert_eq!(
            code(PLAIN).unwrap().poll_form(&environment()),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant%2Dtype%3Adevice%5Fcode&device_code=d&client_id=device"
        );
    }

    #[test]
    fn an_answer_that_lacks_what_a_person_needs_is_named_by_what_is_missing() {
        for (body, missing) in [
            ("<h1>", "expected value"),
            (r#"{"user_code":"A"}"#, "device_code is missing"),
            (r#"{"device_code":"d"}"#, "user_code is missing"),
            (
                r#"{"device_code":"d","user_code":"A"}"#,
                "verification_uri is missing",
            ),
        ] {
            let error = DeviceCode::read("https://p.example", body.as_bytes(), NOW).unwrap_err();
            assert!(matches!(error, TokenError::Unreadable(_)), "{body}");
            assert!(error.to_string().contains(missing), "{error}");
        }
    }
}
