//! The way to the provider and back (authorization code with PKCE). The rules
//! are in `retake_core::auth`; here the page leaves and returns.

use std::time::Duration;

use futures::future::{Either, select};
use retake_core::{
    api::Answer,
    auth::{
        DeviceCode, Provider, Tokens, Transaction,
        device::{self, Polled},
        route, transaction,
        transaction::Randomness,
    },
    config::Environment,
};

use super::Renewal;
use crate::browser::{clock, dom, fetch, random, storage, timer, window, words};

/// The transaction of this tab, while it is away.
const TRANSACTION: &str = "retake-transaction";

/// The issuer as an absolute address.
fn issuer(environment: &Environment) -> Option<String> {
    let issuer = environment.issuer.as_deref()?;
    if issuer.starts_with('/') {
        Some(format!("{}{issuer}", window().location().origin().ok()?))
    } else {
        Some(issuer.to_owned())
    }
}

async fn discover(environment: &Environment) -> Result<Provider, String> {
    let issuer = issuer(environment).ok_or("This environment has no sign-in provider.")?;
    let url = Provider::discovery_url(&issuer);
    let answer = fetch::read_document("reach the sign-in provider", &url)
        .await
        .map_err(|error| format!("{error}. Is {issuer} right, and does it allow this site?"))?;
    if answer.status != 200 {
        return Err(format!(
            "The sign-in provider {issuer} answers {}.",
            answer.status
        ));
    }
    Provider::read(&issuer, &answer.body)
}

/// Leaves for the provider. The page is gone when this succeeds.
pub(super) async fn leave(
    environment: &Environment,
    return_to: &str,
    silent: bool,
) -> Result<(), String> {
    let provider = discover(environment).await?;
    let location = window().location();
    let origin = location.origin().map_err(|error| words(&error))?;
    let random = Randomness {
        state: random::bytes32(),
        nonce: random::bytes32(),
        verifier: random::bytes32(),
    };
    let transaction = Transaction::begin(
        environment,
        provider,
        format!("{origin}{}", dom::file("callback")),
        return_to,
        &random,
        clock::wall(),
        silent,
    );
    let json = serde_json::to_string(&transaction).map_err(|error| error.to_string())?;
    storage::tab_set(TRANSACTION, &json);
    if storage::tab_get(TRANSACTION).as_deref() != Some(json.as_str()) {
        return Err(
            "This browser refuses to remember the sign-in for this tab. Allow storage for \
                    this site, or paste a token."
                .into(),
        );
    }
    location
        .assign(&transaction.authorize_url(environment))
        .map_err(|error| words(&error))
}

type CameBack = (Environment, Tokens, String);

/// Takes in the provider's answer. The transaction is used up by this, whatever
/// the answer says.
pub(super) async fn come_back(
    query: &str,
    environments: &[Environment],
) -> Result<CameBack, (Option<String>, String)> {
    let home = "/".to_owned();
    let stored = storage::tab_get(TRANSACTION);
    storage::tab_remove(TRANSACTION);
    let transaction: Option<Transaction> = stored.and_then(|text| serde_json::from_str(&text).ok());
    let Some(transaction) = transaction else {
        return Err((Some(transaction::CallbackError::NotOurs.to_string()), home));
    };
    let return_to = route::return_route(&transaction.return_to);
    let fail = |why: String| (Some(why), return_to.clone());
    let environment = environments
        .iter()
        .find(|it| it.name == transaction.environment)
        .ok_or_else(|| fail("This environment is no longer configured.".into()))?;
    let code = match transaction.code(query, clock::wall()) {
        Ok(code) => code,
        Err(transaction::CallbackError::NeedsPerson) => {
            let why = "Sign in again to go on where you were.".to_owned();
            return Err((Some(why), return_to));
        }
        Err(error) => return Err(fail(error.to_string())),
    };
    let form = transaction.exchange_form(environment, &code);
    let answer = exchange(&transaction.provider.token_endpoint, &form)
        .await
        .map_err(fail)?;
    let expected = transaction.expectation(environment);
    let tokens = Tokens::read(&answer.body, &expected, clock::wall())
        .map_err(|error| fail(error.to_string()))?;
    Ok((environment.clone(), tokens, return_to))
}

/// Gets new tokens with the refresh token.
pub(super) async fn renew(environment: &Environment, before: &Tokens) -> Result<Tokens, Renewal> {
    before.refresh.as_ref().ok_or(Renewal::Refused)?;
    let provider = discover(environment)
        .await
        .map_err(|_| Renewal::Unreachable)?;
    let form = transaction::refresh_form(environment, before);
    let answer = exchange(&provider.token_endpoint, &form)
        .await
        .map_err(|_| Renewal::Unreachable)?;
    if answer.status == 429 || answer.status >= 500 {
        return Err(Renewal::Unreachable);
    }
    let expected = transaction::refresh_expectation(environment, &provider, before);
    let mut tokens =
        Tokens::read(&answer.body, &expected, clock::wall()).map_err(|_| Renewal::Refused)?;
    // Without rotation the old one goes on.
    tokens.refresh = tokens.refresh.or_else(|| before.refresh.clone());
    tokens.id_claims = tokens.id_claims.or_else(|| before.id_claims.clone());
    tokens.id_token = tokens.id_token.or_else(|| before.id_token.clone());
    tokens.by_device = before.by_device;
    Ok(tokens)
}

/// Asks for a code that is confirmed on another device or page.
pub(super) async fn ask_device(environment: &Environment) -> Result<DeviceCode, String> {
    let provider = discover(environment).await?;
    let endpoint = provider
        .device_authorization_endpoint
        .as_deref()
        .ok_or("This provider gives no codes for other devices.")?;
    let answer = exchange(endpoint, &device::ask_form(environment)).await?;
    DeviceCode::read(&provider.issuer, &answer.body, clock::wall())
        .map_err(|error| error.to_string())
}

/// Waits until the code is confirmed, refused or too old. `wanted` says whether
/// anybody still waits for it; `None` if not.
pub(super) async fn await_device(
    environment: &Environment,
    mut code: DeviceCode,
    wanted: impl Fn() -> bool,
) -> Option<Result<Tokens, String>> {
    let endpoint = match discover(environment).await {
        Ok(provider) => provider.token_endpoint,
        Err(why) => return Some(Err(why)),
    };
    let mut pause = code.pause();
    loop {
        timer::sleep(pause).await;
        if !wanted() {
            return None;
        }
        let answer = exchange(&endpoint, &code.poll_form(environment)).await.ok();
        let body = answer.as_ref().map(|it| it.body.as_slice());
        match code.polled(environment, body, clock::wall()) {
            Polled::Again(next) => pause = next,
            Polled::Tokens(tokens) => return Some(Ok(*tokens)),
            Polled::Over(why) => return Some(Err(why)),
        }
    }
}

/// How long a sign-out waits for the provider before it goes on without.
const GOODBYE: Duration = Duration::from_secs(3);

/// Makes the refresh token worthless, as far as the provider can, and says
/// where its session ends. Never longer than [`GOODBYE`].
pub(super) async fn goodbye(
    environment: &Environment,
    tokens: &Tokens,
    home: &str,
) -> Option<String> {
    environment.issuer.as_ref()?;
    let goodbye = async {
        let provider = discover(environment).await.ok()?;
        let form = transaction::revoke_form(environment, tokens);
        if let (Some(endpoint), Some(form)) = (&provider.revocation_endpoint, form) {
            // A provider that fails here ends the token by its age.
            let _ = exchange(endpoint, &form).await;
        }
        let client = transaction::client_of(environment, tokens);
        // A session that a code on another device began is not this browser's.
        let is_ours = !tokens.by_device;
        is_ours
            .then(|| provider.sign_out_url(client, tokens.id_token.as_deref(), home))
            .flatten()
    };
    futures::pin_mut!(goodbye);
    let patience = timer::sleep(GOODBYE);
    futures::pin_mut!(patience);
    match select(goodbye, patience).await {
        Either::Left((url, _)) => url,
        Either::Right(_) => None,
    }
}

async fn exchange(endpoint: &str, form: &str) -> Result<Answer, String> {
    fetch::post_form("get a token", endpoint, form)
        .await
        .map_err(|error| error.to_string())
}
