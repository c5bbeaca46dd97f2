//! One sign-in under way. It lives in this tab only; the provider's answer has
//! to fit it in every part.

use std::{fmt, time::Duration};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{Expectation, Provider, Tokens, pkce, token::SAID_CHARS};
use crate::{
    config::Environment,
    domain::{Timestamp, text::clean_line},
    view::query::pairs,
};

/// How long a person may take to sign in.
const MAX_AGE: Duration = Duration::from_mins(30);

/// What this tab remembers between leaving for the provider and coming back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The environment, by name.
    pub environment: String,
    /// The provider.
    pub provider: Provider,
    /// Ties the answer to this tab (RFC 6749 §10.12).
    pub state: String,
    /// Ties the ID token to this sign-in (OpenID Connect Core §3.1.2.1).
    pub nonce: String,
    /// The secret whose challenge was sent (RFC 7636).
    pub verifier: String,
    /// The address that the provider sends people back to.
    pub redirect_uri: String,
    /// The route to go on at.
    pub return_to: String,
    /// When it began.
    pub began: Timestamp,
    /// Whether nobody is to be asked anything: after a reload, and in a new tab.
    pub silent: bool,
    /// What the page knew of sign-outs when it began; another one by the end means that
    /// somebody signed out meanwhile.
    #[serde(default)]
    pub sign_out_mark: String,
}

/// Why an answer of the provider is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackError {
    /// The answer belongs to another sign-in, or to none.
    NotOurs,
    /// It took longer than half an hour.
    TooOld,
    /// Another provider answered (RFC 9207).
    WrongIssuer,
    /// The provider wants to ask the person something; only for a silent try.
    NeedsPerson,
    /// The provider refused; its code and words, made safe to read.
    Refused(String, Option<String>),
    /// There is neither a code nor an error.
    Empty,
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => f.write_str(
                "This sign-in was not started in this tab, or was already used. Sign in again.",
            ),
            Self::TooOld => f.write_str("The sign-in took too long. Sign in again."),
            Self::WrongIssuer => f.write_str(
                "Another provider answered than the one that was asked. Nothing was accepted.",
            ),
            Self::NeedsPerson => f.write_str("Sign in again to go on."),
            Self::Refused(code, Some(words)) => {
                write!(f, "The provider refused the sign-in ({code}): {words}")
            }
            Self::Refused(code, None) => write!(f, "The provider refused the sign-in ({code})."),
            Self::Empty => f.write_str("The provider's answer holds nothing. Sign in again."),
        }
    }
}

/// Random bits for one sign-in.
#[derive(Debug, Clone, Copy)]
pub struct Randomness {
    /// For the state.
    pub state: [u8; 32],
    /// For the nonce.
    pub nonce: [u8; 32],
    /// For the verifier.
    pub verifier: [u8; 32],
}

impl Transaction {
    /// Begins a sign-in to `environment`.
    pub fn begin(
        environment: &Environment,
        provider: Provider,
        redirect_uri: String,
        return_to: &str,
        random: &Randomness,
        now: Timestamp,
        silent: bool,
    ) -> Self {
        Self {
            environment: environment.name.clone(),
            provider,
            state: pkce::verifier(&random.state),
            nonce: pkce::verifier(&random.nonce),
            verifier: pkce::verifier(&random.verifier),
            redirect_uri,
            return_to: super::route::return_route(return_to),
            began: now,
            silent,
            sign_out_mark: String::new(),
        }
    }

    /// The address to send the person to (RFC 6749 §4.1.1, RFC 7636 §4.3).
    pub fn authorize_url(&self, environment: &Environment) -> String {
        let challenge = pkce::challenge(&self.verifier);
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", environment.client_id.as_deref().unwrap_or("")),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &environment.scopes),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if let Some(audience) = &environment.audience {
            parameters.push(("audience", audience));
        }
        if self.silent {
            parameters.push(("prompt", "none"));
        }
        let endpoint = &self.provider.authorization_endpoint;
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        format!("{endpoint}{separator}{}", form(&parameters))
    }

    /// The code in the provider's answer, if everything about it fits.
    ///
    /// # Errors
    /// Why it is not accepted.
    pub fn code(&self, query: &str, now: Timestamp) -> Result<String, CallbackError> {
        let answer: Vec<(String, String)> = pairs(query).collect();
        let get = |name: &str| {
            let mut values = answer
                .iter()
                .filter(|(it, _)| it == name)
                .map(|(_, value)| value);
            // A parameter that comes twice is nobody's (RFC 6749 §3.1).
            values.next().filter(|_| values.next().is_none()).cloned()
        };
        if get("state").as_deref() != Some(self.state.as_str()) {
            return Err(CallbackError::NotOurs);
        }
        if now.since(self.began) > MAX_AGE {
            return Err(CallbackError::TooOld);
        }
        let names_somebody = answer.iter().any(|(name, _)| name == "iss");
        match get("iss") {
            Some(issuer) if issuer != self.provider.issuer => {
                return Err(CallbackError::WrongIssuer);
            }
            None if names_somebody
                || self.provider.authorization_response_iss_parameter_supported =>
            {
                return Err(CallbackError::WrongIssuer);
            }
            _ => {}
        }
        if let Some(error) = get("error") {
            let needs_person = matches!(
                error.as_str(),
                "login_required"
                    | "interaction_required"
                    | "consent_required"
                    | "account_selection_required"
            );
            return Err(if self.silent && needs_person {
                CallbackError::NeedsPerson
            } else {
                let said = |text: &str| clean_line(text, SAID_CHARS);
                let words = get("error_description").map(|it| said(&it));
                CallbackError::Refused(said(&error), words)
            });
        }
        get("code")
            .filter(|code| !code.is_empty())
            .ok_or(CallbackError::Empty)
    }

    /// What the answer to [`Self::exchange_form`] has to fit.
    pub fn expectation<'a>(&'a self, environment: &'a Environment) -> Expectation<'a> {
        Expectation {
            issuer: Some(&self.provider.issuer),
            client_id: environment.client_id.as_deref(),
            nonce: Some(&self.nonce),
            subject: None,
            access_subject: None,
            audience: environment.audience.as_deref(),
            id_token: environment.asks_openid(),
        }
    }

    /// The form that turns a code into tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).
    pub fn exchange_form(&self, environment: &Environment, code: &str) -> String {
        form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("client_id", environment.client_id.as_deref().unwrap_or("")),
            ("code_verifier", &self.verifier),
        ])
    }
}

/// The form that turns a refresh token into new tokens (RFC 6749 §6), by the
/// client that got the ones before. `None`: it is not in the page's hands.
pub fn refresh_form(environment: &Environment, before: &Tokens) -> Option<String> {
    Some(form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", before.refresh.held()?),
        ("client_id", client_of(environment, before)),
    ]))
}

/// The form that makes a refresh token worthless (RFC 7009 §2.1). `None`: it is
/// not in the page's hands.
pub fn revoke_form(environment: &Environment, tokens: &Tokens) -> Option<String> {
    let refresh = tokens.refresh.held()?;
    Some(revoke(refresh, client_of(environment, tokens)))
}

/// The same for a refresh token in an answer that was not accepted. `None`: it
/// holds none.
pub fn revoke_answer_form(answer: &[u8], client: &str) -> Option<String> {
    let answer: serde_json::Value = crate::json::from_bytes(answer).ok()?;
    Some(revoke(answer["refresh_token"].as_str()?, client))
}

fn revoke(refresh: &str, client: &str) -> String {
    form(&[
        ("token", refresh),
        ("token_type_hint", "refresh_token"),
        ("client_id", client),
    ])
}

/// What renewed tokens have to fit (OpenID Connect Core §12.2): the same
/// account, client and API as before.
pub fn refresh_expectation<'a>(
    environment: &'a Environment,
    provider: &'a Provider,
    before: &'a Tokens,
) -> Expectation<'a> {
    let id_claims = before.id_claims.as_ref();
    Expectation {
        issuer: Some(&provider.issuer),
        client_id: Some(client_of(environment, before)),
        nonce: None,
        subject: id_claims.and_then(|it| it.sub.as_deref()),
        access_subject: before.subject(),
        audience: environment.audience.as_deref(),
        id_token: false,
    }
}

/// The client that got these tokens.
pub fn client_of<'a>(environment: &'a Environment, tokens: &Tokens) -> &'a str {
    let client = if tokens.by_device {
        &environment.device_client_id
    } else {
        &environment.client_id
    };
    client.as_deref().unwrap_or("")
}

/// Parameters as `application/x-www-form-urlencoded`.
pub fn form(parameters: &[(&str, &str)]) -> String {
    parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Claims, Refresh};

    fn environment() -> Environment {
        Environment {
            name: "Sandbox".into(),
            issuer: Some("https://p.example".into()),
            client_id: Some("retake".into()),
            audience: Some("https://api.resim.ai".into()),
            scopes: "openid offline_access".into(),
            ..Environment::default()
        }
    }

    fn begun(silent: bool) -> Transaction {
        let provider = Provider {
            issuer: "https://p.example".into(),
            authorization_endpoint: "https://p.example/authorize".into(),
            token_endpoint: "https://p.example/token".into(),
            end_session_endpoint: None,
            revocation_endpoint: None,
            device_authorization_endpoint: None,
            authorization_response_iss_parameter_supported: true,
        };
        let random = Randomness {
            state: [1; 32],
            nonce: [2; 32],
            verifier: [3; 32],
        };
        Transaction::begin(
            &environment(),
            provider,
            "https://app.example/callback".into(),
            "/projects/x?status=ERROR",
            &random,
            Timestamp::from_millis(0),
            silent,
        )
    }

    fn answer(transaction: &Transaction, rest: &str) -> Result<String, CallbackError> {
        let query = format!(
            "?state={}&iss=https%3A%2F%2Fp.example{rest}",
            transaction.state
        );
        transaction.code(&query, Timestamp::from_millis(1000))
    }

    #[test]
    fn the_request_carries_challenge_state_nonce_and_audience_but_no_secret() {
        let it = begun(false);
        let url = it.authorize_url(&environment());
        assert!(
            url.starts_with("https://p.example/authorize?response_type=code&client_id=retake&")
        );
        for part in [
            format!("state={}", it.state),
            format!("nonce={}", it.nonce),
            "code_challenge_method=S256".into(),
            "audience=https%3A%2F%2Fapi%2Eresim%2Eai".into(),
            "redirect_uri=https%3A%2F%2Fapp%2Eexample%2Fcallback".into(),
            "scope=openid%20offline%5Faccess".into(),
        ] {
            assert!(url.contains(&part), "{part} in {url}");
        }
        assert!(!url.contains(&it.verifier));
        assert!(!url.contains("prompt="));
        assert!(
            begun(true)
                .authorize_url(&environment())
                .ends_with("&prompt=none")
        );
    }

    #[test]
    fn an_answer_that_fits_gives_its_code() {
        let it = begun(false);
        assert_eq!(answer(&it, "&code=abc"), Ok("abc".into()));
        let form = it.exchange_form(&environment(), "abc");
        assert!(
            form.contains(&format!("code_verifier={}", it.verifier)),
            "{form}"
        );
    }

    #[test]
    fn an_answer_that_does_not_fit_gives_nothing() {
        let it = begun(false);
        let now = Timestamp::from_millis(1000);
        for query in [
            "",
            "?code=abc",
            "?code=abc&state=other&iss=https%3A%2F%2Fp.example",
        ] {
            assert_eq!(it.code(query, now), Err(CallbackError::NotOurs), "{query}");
        }
        let twice = format!(
            "?code=abc&state={0}&state={0}&iss=https%3A%2F%2Fp.example",
            it.state
        );
        assert_eq!(it.code(&twice, now), Err(CallbackError::NotOurs));
        let mix_up = format!(
            "?code=abc&state={}&iss=https%3A%2F%2Fevil.example",
            it.state
        );
        assert_eq!(it.code(&mix_up, now), Err(CallbackError::WrongIssuer));
        let no_issuer = format!("?code=abc&state={}", it.state);
        assert_eq!(it.code(&no_issuer, now), Err(CallbackError::WrongIssuer));
        assert_eq!(answer(&it, ""), Err(CallbackError::Empty));
        let two_issuers = answer(&it, "&code=abc&iss=https%3A%2F%2Fp.example");
        assert_eq!(two_issuers, Err(CallbackError::WrongIssuer));
        assert_eq!(answer(&it, "&code=a&code=b"), Err(CallbackError::Empty));
        let late = format!("?code=abc&state={}&iss=https%3A%2F%2Fp.example", it.state);
        assert_eq!(
            it.code(&late, Timestamp::from_millis(31 * 60_000)),
            Err(CallbackError::TooOld)
        );
    }

    #[test]
    fn a_refusal_keeps_its_words_and_a_silent_try_knows_when_to_ask() {
        assert_eq!(
            answer(
                &begun(false),
                "&error=access_denied&error_description=not+you"
            ),
            Err(CallbackError::Refused(
                "access_denied".into(),
                Some("not you".into())
            ))
        );
        assert_eq!(
            answer(&begun(true), "&error=login_required"),
            Err(CallbackError::NeedsPerson)
        );
    }

    #[test]
    fn what_was_not_accepted_is_revoked_if_it_came_with_something_to_revoke() {
        let form = |answer: &str| revoke_answer_form(answer.as_bytes(), "c d");
        assert_eq!(
            form(r#"{"access_token":"a","refresh_token":"r&s"}"#).as_deref(),
            Some("token=r%26s&token_type_hint=refresh%5Ftoken&client_id=c%20d")
        );
        for none in [
            r#"{"error":"invalid_grant"}"#,
            r#"{"refresh_token":7}"#,
            "<h1>",
            "[]",
        ] {
            assert_eq!(form(none), None, "{none}");
        }
    }

    #[test]
    fn the_way_back_is_a_route() {
        assert_eq!(begun(false).return_to, "/projects/x?status=ERROR");
    }

    #[test]
    fn a_provider_whose_address_has_a_query_keeps_it() {
        let mut it = begun(false);
        it.provider.authorization_endpoint = "https://p.example/authorize?tenant=a".into();
        let url = it.authorize_url(&environment());
        assert!(
            url.starts_with("https://p.example/authorize?tenant=a&response_type=code&"),
            "{url}"
        );
    }

    #[test]
    fn a_sign_in_expects_its_own_nonce_and_whom_it_asked() {
        let it = begun(false);
        assert_eq!(
            it.expectation(&environment()),
            Expectation {
                issuer: Some("https://p.example"),
                client_id: Some("retake"),
                nonce: Some(&it.nonce),
                subject: None,
                access_subject: None,
                audience: Some("https://api.resim.ai"),
                id_token: true,
            }
        );
        let mut plain = environment();
        plain.scopes = "offline_access".into();
        assert!(!it.expectation(&plain).id_token, "none was asked for");
    }

    fn tokens(refresh: Refresh, by_device: bool) -> Tokens {
        let of = |sub: &str| Claims {
            sub: Some(sub.into()),
            ..Claims::default()
        };
        Tokens {
            access: "a".into(),
            refresh,
            since: Timestamp::from_millis(0),
            expires: None,
            claims: of("whom the API knows"),
            id_claims: Some(of("whom the provider knows")),
            id_token: None,
            by_device,
            put_off: None,
        }
    }

    #[test]
    fn tokens_are_renewed_and_revoked_by_the_client_that_got_them() {
        let environment = Environment {
            device_client_id: Some("device".into()),
            ..environment()
        };
        for (by_device, client) in [(false, "retake"), (true, "device")] {
            let held = tokens(Refresh::Held("r&s".into()), by_device);
            assert_eq!(
                refresh_form(&environment, &held),
                Some(format!(
                    "grant_type=refresh%5Ftoken&refresh_token=r%26s&client_id={client}"
                ))
            );
            assert_eq!(
                revoke_form(&environment, &held),
                Some(format!(
                    "token=r%26s&token_type_hint=refresh%5Ftoken&client_id={client}"
                ))
            );
        }
        let none = tokens(Refresh::None, false);
        assert_eq!(refresh_form(&environment, &none), None);
        assert_eq!(revoke_form(&environment, &none), None);
    }

    #[test]
    fn renewed_tokens_are_for_the_same_account_client_and_api() {
        let (environment, provider) = (environment(), begun(false).provider);
        let before = tokens(Refresh::None, false);
        assert_eq!(
            refresh_expectation(&environment, &provider, &before),
            Expectation {
                issuer: Some("https://p.example"),
                client_id: Some("retake"),
                nonce: None,
                subject: Some("whom the provider knows"),
                access_subject: before.subject(),
                audience: Some("https://api.resim.ai"),
                id_token: false,
            }
        );
    }

    #[test]
    fn each_reason_says_what_to_do_next() {
        for (error, words) in [
            (
                CallbackError::NotOurs,
                "This sign-in was not started in this tab, or was already used. Sign in again.",
            ),
            (
                CallbackError::TooOld,
                "The sign-in took too long. Sign in again.",
            ),
            (
                CallbackError::WrongIssuer,
                "Another provider answered than the one that was asked. Nothing was accepted.",
            ),
            (CallbackError::NeedsPerson, "Sign in again to go on."),
            (
                CallbackError::Refused("denied".into(), Some("not you".into())),
                "The provider refused the sign-in (denied): not you",
            ),
            (
                CallbackError::Refused("denied".into(), None),
                "The provider refused the sign-in (denied).",
            ),
            (
                CallbackError::Empty,
                "The provider's answer holds nothing. Sign in again.",
            ),
        ] {
            assert_eq!(error.to_string(), words);
        }
    }
}
