//! The round by the crate `oauth2`, which knows neither discovery nor ID tokens.

use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::page::{self, Provider};
use crate::{read, words};

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn client(
    issuer: &str,
    client_id: &str,
    callback: &str,
    discovery: &str,
) -> Result<Client, String> {
    let document = read(discovery)?;
    let text = |name: &str| document[name].as_str().unwrap_or("").to_owned();
    if text("issuer") != issuer {
        return Err("another provider".into());
    }
    let authorize = AuthUrl::new(text("authorization_endpoint")).map_err(words)?;
    let token = TokenUrl::new(text("token_endpoint")).map_err(words)?;
    let callback = RedirectUrl::new(callback.to_owned()).map_err(words)?;
    Ok(BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_uri(authorize)
        .set_token_uri(token)
        .set_redirect_uri(callback))
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
) -> Result<String, String> {
    let client = client(issuer, client_id, callback, discovery)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = ["openid", "profile", "email", "offline_access"];
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes.map(|it| Scope::new(it.to_owned())))
        .add_extra_param("audience", audience)
        .set_pkce_challenge(challenge)
        .url();
    let stored = json!({ "state": state.secret(), "verifier": verifier.secret() });
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
    stored: &str,
    query: &str,
    status: u16,
    answer: &str,
    renewed: &str,
) -> Result<String, String> {
    let client = client(issuer, client_id, callback, discovery)?;
    let stored = read(stored)?;
    let text = |name: &str| stored[name].as_str().unwrap_or("").to_owned();
    let answers = [answer, renewed];
    let provider = Provider::new(status, &answers);
    let http = |request| provider.answer(request);

    let code = page::code(query, &text("state"), issuer)?;
    let tokens = client
        .exchange_code(AuthorizationCode::new(code))
        .set_pkce_verifier(PkceCodeVerifier::new(text("verifier")))
        .request(&http)
        .map_err(words)?;

    let refresh = tokens.refresh_token();
    let refresh = refresh.ok_or("nothing renews these tokens")?;
    let renewed = client
        .exchange_refresh_token(refresh)
        .request(&http)
        .map_err(words)?;
    let access = [&tokens, &renewed].map(|it| it.access_token().secret());
    Ok(json!({
        "access": access,
        "expires": renewed.expires_in().map(|it| it.as_secs()),
        "sent": provider.asked(),
    })
    .to_string())
}
