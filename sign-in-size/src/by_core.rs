//! The round by `retake_core::auth`.

use retake_core::auth::{
    Provider, Tokens, Transaction, renewal,
    transaction::{Randomness, refresh_expectation, refresh_form},
};
use retake_core::{config::Environment, domain::Timestamp};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::words;

/// Who signs in where; in the app this is `config.json`.
fn environment(issuer: &str, client_id: &str, audience: &str) -> Environment {
    Environment {
        issuer: Some(issuer.to_owned()),
        client_id: Some(client_id.to_owned()),
        audience: Some(audience.to_owned()),
        ..Environment::default()
    }
}

/// Leaves for the provider: what the tab remembers, and the address.
///
/// # Errors
/// Why not.
#[wasm_bindgen]
pub fn leave(
    issuer: &str,
    client_id: &str,
    audience: &str,
    callback: &str,
    discovery: &str,
    random: &[u8],
    now: i64,
) -> Result<String, String> {
    let environment = environment(issuer, client_id, audience);
    let provider = Provider::read(issuer, discovery.as_bytes())?;
    let (parts, _) = random.as_chunks::<32>();
    let [state, nonce, verifier] = *parts else {
        return Err("96 random bytes are needed".into());
    };
    let transaction = Transaction::begin(
        &environment,
        provider,
        callback.to_owned(),
        "/",
        &Randomness {
            state,
            nonce,
            verifier,
        },
        Timestamp::from_millis(now),
        false,
    );
    let url = transaction.authorize_url(&environment);
    let stored = serde_json::to_string(&transaction).map_err(words)?;
    Ok(json!({ "url": url, "stored": stored }).to_string())
}

/// Comes back with a code, turns it into tokens and renews them: the forms that would
/// be sent, and the tokens.
///
/// # Errors
/// Why the answer is not accepted.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "everything comes from outside")]
pub fn come_back(
    issuer: &str,
    client_id: &str,
    audience: &str,
    stored: &str,
    query: &str,
    answer: &str,
    renewal_status: u16,
    renewed: &str,
    now: i64,
) -> Result<String, String> {
    let environment = environment(issuer, client_id, audience);
    let now = Timestamp::from_millis(now);
    let transaction: Transaction = serde_json::from_str(stored).map_err(words)?;
    let code = transaction.code(query, now).map_err(words)?;
    let exchange = transaction.exchange_form(&environment, &code);
    let expected = transaction.expectation(&environment);
    let tokens = Tokens::read(answer.as_bytes(), &expected, now).map_err(words)?;

    let refresh = refresh_form(&environment, &tokens).ok_or("nothing renews these tokens")?;
    if !renewal::is_answered(renewal_status, renewed.as_bytes()) {
        return Err("the provider does not answer".into());
    }
    let expected = refresh_expectation(&environment, &transaction.provider, &tokens);
    let renewed = Tokens::read(renewed.as_bytes(), &expected, now).map_err(words)?;
    Ok(json!({
        "sent": [exchange, refresh],
        "subject": tokens.subject(),
        "access": [tokens.access, renewed.access],
        "expires": renewed.expires.map(Timestamp::as_millis),
    })
    .to_string())
}
