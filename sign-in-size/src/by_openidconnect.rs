//! The round by the crate `openidconnect`.

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse,
};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::page::{self, Provider};
use crate::{read, words};

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// By the provider's discovery document, after which it asks for the provider's keys.
fn client(
    issuer: &str,
    client_id: &str,
    callback: &str,
    provider: &Provider<'_>,
) -> Result<Client, String> {
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(words)?;
    let http = |request| provider.answer(request);
    let provider = CoreProviderMetadata::discover(&issuer, &http).map_err(words)?;
    let callback = RedirectUrl::new(callback.to_owned()).map_err(words)?;
    let client_id = ClientId::new(client_id.to_owned());
    Ok(CoreClient::from_provider_metadata(provider, client_id, None).set_redirect_uri(callback))
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
    status: u16,
    discovery: &str,
    keys: &str,
) -> Result<String, String> {
    let answers = [discovery, keys];
    let client = client(
        issuer,
        client_id,
        callback,
        &Provider::new(status, &answers),
    )?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = ["profile", "email", "offline_access"];
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(scopes.map(|it| Scope::new(it.to_owned())))
        .add_extra_param("audience", audience)
        .set_pkce_challenge(challenge)
        .url();
    let stored = json!({
        "state": state.secret(),
        "nonce": nonce.secret(),
        "verifier": verifier.secret(),
    });
    Ok(json!({ "url": url.as_str(), "stored": stored }).to_string())
}

/// Comes back with a code, turns it into tokens and renews them: the requests that
/// would be sent, and the tokens.
///
/// # Errors
/// Why the answer is not accepted.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "everything comes from outside")]
pub fn come_back(
    issuer: &str,
    client_id: &str,
    callback: &str,
    discovery: &str,
    keys: &str,
    stored: &str,
    query: &str,
    status: u16,
    answer: &str,
    renewed: &str,
) -> Result<String, String> {
    let answers = [discovery, keys, answer, renewed];
    let provider = Provider::new(status, &answers);
    let http = |request| provider.answer(request);
    let client = client(issuer, client_id, callback, &provider)?;
    let stored = read(stored)?;
    let text = |name: &str| stored[name].as_str().unwrap_or("").to_owned();

    let code = page::code(query, &text("state"), issuer)?;
    let tokens = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(words)?
        .set_pkce_verifier(PkceCodeVerifier::new(text("verifier")))
        .request(&http)
        .map_err(words)?;
    let verifier = client.id_token_verifier();
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let claims = id_token
        .claims(&verifier, &Nonce::new(text("nonce")))
        .map_err(words)?;

    let refresh = tokens.refresh_token();
    let refresh = refresh.ok_or("nothing renews these tokens")?;
    let renewed = client
        .exchange_refresh_token(refresh)
        .map_err(words)?
        .request(&http)
        .map_err(words)?;
    if let Some(id_token) = renewed.id_token() {
        // A renewal has no nonce.
        let any = |_: Option<&Nonce>| Ok(());
        let again = id_token.claims(&verifier, any).map_err(words)?;
        if again.subject() != claims.subject() {
            return Err("another account".into());
        }
    }
    let access = [&tokens, &renewed].map(|it| it.access_token().secret());
    Ok(json!({
        "subject": claims.subject().as_str(),
        "access": access,
        "expires": renewed.expires_in().map(|it| it.as_secs()),
        "sent": provider.asked(),
    })
    .to_string())
}
