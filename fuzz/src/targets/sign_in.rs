//! What a sign-in provider says.

use std::sync::LazyLock;

use retake_core::{
    auth::{
        DeviceCode, Expectation, Provider, Tokens, Transaction, device::Polled,
        transaction::Randomness,
    },
    config::Environment,
};
use serde_json::Value;
use url::Url;

use super::{
    Outcome,
    promise::{holds, is_readable},
};
use crate::{
    class::{of_features, of_words},
    input,
    judge::Broken,
    stage::NOW,
};

const ISSUER: &str = "https://p.example/";

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| Environment {
    name: "Fuzz".into(),
    api: "https://api.example/v1/".into(),
    issuer: Some(ISSUER.into()),
    client_id: Some("client".into()),
    device_client_id: Some("device".into()),
    audience: Some("https://api.resim.ai".into()),
    ..Environment::default()
});

/// An address that leads where it says, by https alone.
fn is_safe(name: &str, address: &str) -> Result<Url, Broken> {
    let url = Url::parse(address)
        .map_err(|error| Broken::Promise(format!("{name} {address:?}: {error}")))?;
    let is_plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.has_host();
    holds(is_plain, || format!("{name} leads to {url}"))?;
    Ok(url)
}

fn transaction(provider: Provider) -> Transaction {
    let random = Randomness {
        state: [1; 32],
        nonce: [2; 32],
        verifier: [3; 32],
    };
    let back = "https://retake.example/callback".to_owned();
    Transaction::begin(
        &ENVIRONMENT,
        provider,
        back,
        "/projects/x",
        &random,
        NOW,
        false,
    )
}

pub(super) fn discovery(bytes: &[u8]) -> Result<Outcome, Broken> {
    let body = input::answer(bytes).body;
    let it = match Provider::read(ISSUER, &body) {
        Ok(it) => it,
        Err(why) => {
            is_readable("a refusal", &why)?;
            return Ok(Outcome::invalid(of_words(&why)));
        }
    };
    is_safe("the authorization endpoint", &it.authorization_endpoint)?;
    is_safe("the token endpoint", &it.token_endpoint)?;
    for more in [
        &it.end_session_endpoint,
        &it.revocation_endpoint,
        &it.device_authorization_endpoint,
    ]
    .into_iter()
    .flatten()
    {
        is_safe("an endpoint", more)?;
    }
    let text = serde_json::to_vec(&it).expect("plain data serialises");
    holds(Provider::read(ISSUER, &text).as_ref() == Ok(&it), || {
        "reads back otherwise".into()
    })?;
    // The parameters arrive where the endpoint is.
    let begun = transaction(it.clone());
    let url = is_safe(
        "the address to sign in at",
        &begun.authorize_url(&ENVIRONMENT),
    )?;
    let endpoint = is_safe("the endpoint", &it.authorization_endpoint)?;
    holds(
        url.origin() == endpoint.origin() && url.path() == endpoint.path(),
        || format!("{endpoint} became {url}"),
    )?;
    let states = url
        .query_pairs()
        .filter(|(name, value)| name == "state" && *value == begun.state);
    holds(states.count() == 1, || {
        format!("the state is lost in {url}")
    })?;
    if let Some(out) = it.sign_out_url("client", Some("e.y.J"), "https://retake.example/sign-in") {
        is_safe("the address to sign out at", &out)?;
    }
    Ok(Outcome::valid(of_features(
        "provider",
        &[
            ("ends sessions", it.end_session_endpoint.is_some()),
            ("revokes", it.revocation_endpoint.is_some()),
            ("devices", it.device_authorization_endpoint.is_some()),
            (
                "names itself",
                it.authorization_response_iss_parameter_supported,
            ),
            ("queried", endpoint.query().is_some()),
        ],
    )))
}

/// Two renewals are at least this far apart.
const PACE: std::time::Duration = std::time::Duration::from_secs(5);

pub(super) fn tokens(bytes: &[u8]) -> Result<Outcome, Broken> {
    let body = input::answer(bytes).body;
    let expected = Expectation {
        issuer: Some(ISSUER),
        client_id: Some("client"),
        nonce: Some("N"),
        subject: None,
        access_subject: None,
        audience: Some("https://api.resim.ai"),
        id_token: false,
    };
    let it = match Tokens::read(&body, &expected, NOW) {
        Ok(it) => it,
        Err(error) => {
            is_readable("a refusal", &error.to_string())?;
            return Ok(Outcome::invalid(of_words(&error.to_string())));
        }
    };
    check(&it)?;
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    holds(said["error"].as_str().is_none(), || {
        "a refusal gave a token".into()
    })?;
    holds(said["access_token"].as_str() == Some(&it.access), || {
        "another token".into()
    })?;
    if let Some(claims) = &it.id_claims {
        let fits = claims.iss.as_deref() == Some(ISSUER)
            && claims.nonce.as_deref() == Some("N")
            && claims.aud.has("client");
        holds(fits, || "an ID token of another sign-in was taken".into())?;
    }
    holds(
        it.claims.aud.is_empty() || it.claims.aud.has("https://api.resim.ai"),
        || "a token for another API was taken".into(),
    )?;
    Ok(Outcome::valid(class_of(&it)))
}

fn check(it: &Tokens) -> Result<(), Broken> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    holds(
        !it.access.is_empty() && it.access.chars().all(is_token),
        || format!("no header can carry {:?}", it.access),
    )?;
    is_readable("what a token says", &it.says(NOW))?;
    let shown = format!("{it:?}");
    holds(it.access.len() < 8 || !shown.contains(&it.access), || {
        "Debug shows a token".into()
    })?;
    // What lives for less than the pause between two renewals cannot be.
    let too_short = it.expires.is_some_and(|end| end.since(NOW) <= PACE);
    let renewed_in_time = too_short || it.renew_at().is_none_or(|at| Some(at) <= it.expires);
    holds(renewed_in_time, || "renewed after its end".into())
}

fn class_of(it: &Tokens) -> String {
    of_features(
        "tokens",
        &[
            ("renewable", it.refresh.is_usable()),
            ("ending", it.expires.is_some()),
            ("identified", it.id_claims.is_some()),
            ("claiming", it.claims.sub.is_some()),
            ("permitting", it.claims.permissions.is_some()),
            ("named", it.account().is_some()),
        ],
    )
}

pub(super) fn device(bytes: &[u8]) -> Result<Outcome, Broken> {
    let body = input::answer(bytes).body;
    match DeviceCode::read(ISSUER, &body, NOW) {
        Ok(mut code) => {
            is_safe("the address for the code", &code.address)?;
            is_readable("a code", &code.user_code)?;
            let life = code.ends.since(NOW).as_secs();
            holds(life <= 1_800, || format!("a code lives for {life} s"))?;
            let pause = code.pause().as_secs();
            holds((1..=60).contains(&pause), || {
                format!("polls every {pause} s")
            })?;
            holds(
                matches!(code.polled(&ENVIRONMENT, None, NOW), Polled::Again(_)) || life == 0,
                || "no answer ends the wait".into(),
            )?;
            Ok(Outcome::valid(of_features(
                "code",
                &[
                    ("dead", life == 0),
                    ("long", life == 1_800),
                    ("slow", pause > 5),
                    ("quick", pause < 5),
                ],
            )))
        }
        Err(error) => {
            is_readable("a refusal", &error.to_string())?;
            polled(&body, of_words(&error.to_string()))
        }
    }
}

/// The same bytes as the answer to a poll.
fn polled(body: &[u8], class: String) -> Result<Outcome, Broken> {
    let honest = br#"{"device_code":"d","user_code":"U","verification_uri":"https://p.example/a"}"#;
    let mut code = DeviceCode::read(ISSUER, honest, NOW)
        .map_err(|error| Broken::Promise(format!("the honest code is refused: {error}")))?;
    let polled = match code.polled(&ENVIRONMENT, Some((200, body)), NOW) {
        Polled::Tokens(it) => {
            check(&it)?;
            return Ok(Outcome::valid(format!("polled: {}", class_of(&it))));
        }
        Polled::Again(_) => "again".to_owned(),
        Polled::Over(why) => {
            is_readable("an end", &why)?;
            of_words(&why)
        }
    };
    Ok(Outcome::invalid(format!("{class}; polled: {polled}")))
}

pub(super) fn callback(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let provider = Provider::read(
        ISSUER,
        br#"{"issuer":"https://p.example/","authorization_endpoint":"https://p.example/a",
            "token_endpoint":"https://p.example/t"}"#,
    )
    .map_err(Broken::Promise)?;
    let begun = transaction(provider);
    // The one state that fits is too long to be met by chance: `S` stands for it.
    let query = text.replace("state=S", &format!("state={}", begun.state));
    match begun.code(&query, NOW) {
        Ok(code) => {
            let all: Vec<_> = url::form_urlencoded::parse(query.trim_start_matches('?').as_bytes())
                .into_owned()
                .collect();
            let of = |name: &str| -> Vec<&str> {
                all.iter()
                    .filter(|it| it.0 == name)
                    .map(|it| it.1.as_str())
                    .collect()
            };
            holds(of("state") == [begun.state.as_str()], || {
                format!("state {:?}", of("state"))
            })?;
            holds(of("code") == [code.as_str()], || {
                format!("code {:?} is {code:?}", of("code"))
            })?;
            holds(of("iss").iter().all(|it| *it == ISSUER), || {
                format!("iss {:?}", of("iss"))
            })?;
            let form = begun.exchange_form(&ENVIRONMENT, &code);
            let sent = url::form_urlencoded::parse(form.as_bytes()).filter(|it| it.0 == "code");
            holds(sent.map(|it| it.1).eq([code.as_str()]), || {
                format!("sends {form}")
            })?;
            Ok(Outcome::valid(of_features(
                "code",
                &[
                    ("issuer", !of("iss").is_empty()),
                    ("more", all.len() > 3),
                    ("odd", !code.is_ascii()),
                ],
            )))
        }
        Err(error) => {
            is_readable("a refusal", &error.to_string())?;
            let count = query.matches('&').count();
            let kind = format!("{error:?}");
            let kind = kind.split('(').next().unwrap_or("");
            let words = if kind.is_empty() { "" } else { kind };
            Ok(Outcome::invalid(format!(
                "{words} {} parameters, state {}, iss {}",
                crate::class::size(count + 1),
                query.contains(&begun.state),
                query.contains("iss=")
            )))
        }
    }
}

pub(super) fn pasted(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    match Tokens::pasted(&text, NOW) {
        Ok(it) => {
            check(&it)?;
            holds(text.contains(&it.access), || {
                "it is not what was pasted".into()
            })?;
            let led = if text.trim() == it.access {
                ""
            } else {
                ", after a word"
            };
            Ok(Outcome::valid(format!("{}{led}", class_of(&it))))
        }
        Err(why) => {
            is_readable("a refusal", &why)?;
            let jwt = text.trim().matches('.').count();
            Ok(Outcome::invalid(format!(
                "{} dots {}",
                of_words(&why),
                crate::class::size(jwt)
            )))
        }
    }
}
