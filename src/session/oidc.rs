//! The way to the provider and back (authorization code with PKCE). The rules
//! are in `retake_core::auth`; here the page leaves and returns.

use retake_core::{
    api::Answer,
    auth::{Provider, Tokens, Transaction, route, transaction, transaction::Randomness},
    config::Environment,
};

use crate::browser::{clock, dom, fetch, random, storage, window, words};

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
    let tokens = Tokens::read(&answer.body, Some(&transaction.nonce), clock::wall())
        .map_err(|error| fail(error.to_string()))?;
    Ok((environment.clone(), tokens, return_to))
}

/// Gets new tokens with the refresh token. `None`: there are none to be had now.
pub(super) async fn renew(environment: &Environment, before: &Tokens) -> Option<Tokens> {
    let refresh = before.refresh.as_deref()?;
    let provider = discover(environment).await.ok()?;
    let form = transaction::refresh_form(environment, refresh);
    let answer = exchange(&provider.token_endpoint, &form).await.ok()?;
    let mut tokens = Tokens::read(&answer.body, None, clock::wall()).ok()?;
    // Without rotation the old one goes on.
    tokens.refresh = tokens.refresh.or_else(|| before.refresh.clone());
    tokens.id_claims = tokens.id_claims.or_else(|| before.id_claims.clone());
    Some(tokens)
}

async fn exchange(endpoint: &str, form: &str) -> Result<Answer, String> {
    fetch::post_form("get a token", endpoint, form)
        .await
        .map_err(|error| error.to_string())
}
