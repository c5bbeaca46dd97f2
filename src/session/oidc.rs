//! The way to the provider and back (authorization code with PKCE). The rules
//! are in `retake_core::auth`; here the page leaves and returns.

use std::time::Duration;

use futures::future::{Either, select};
use retake_core::{
    auth::{
        DeviceCode, Farewell, Provider, Tokens, Transaction,
        device::{self, Polled},
        renewal, route, transaction,
        transaction::Randomness,
    },
    config::Environment,
};

use super::{
    Renewal,
    desk::{Desk, post, unreached},
    remembered,
};
use crate::browser::{clock, dom, fetch, random, storage, timer, window, words};

/// Polls of a code in a row, from the first on, that no answer came to, before that is told.
const POLLS_IN_VAIN: u32 = 3;

/// What a tab says that was not signed in at the moment when another one signed out.
pub(super) const OUT_ELSEWHERE: &str = "You signed out in another tab of this browser.";

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
        .map_err(|error| {
            let error = error.words("the provider");
            format!("{error}. Is {issuer} right, and does it allow this site?")
        })?;
    if answer.status != 200 {
        return Err(format!(
            "The sign-in provider {issuer} answers {}.",
            answer.status
        ));
    }
    Provider::read(&issuer, &answer.body)
}

/// A sign-in that can begin: the provider has described itself, and this tab can
/// remember the transaction.
pub(super) struct Leaving {
    transaction: String,
    url: String,
    /// Nobody pressed anything.
    silent: bool,
}

impl Leaving {
    /// Leaves for the provider. The page is gone soon after this succeeds, unless the
    /// person stops it or the provider answers with no page.
    pub(super) fn go(&self) -> Result<(), String> {
        storage::tab_set(TRANSACTION, &self.transaction);
        let location = window().location();
        // Back leads to where a person left from, not to where a page left by itself:
        // that one would leave again.
        let left = if self.silent {
            remembered::leaves();
            location.replace(&self.url)
        } else {
            location.assign(&self.url)
        };
        left.map_err(|error| words(&error))
    }
}

/// Prepares to leave for the provider.
pub(super) async fn prepare(
    environment: &Environment,
    return_to: &str,
    silent: bool,
) -> Result<Leaving, String> {
    if !environment.has_redirect() {
        return Err("This environment has no sign-in by redirect.".into());
    }
    // Before anything is waited for.
    let sign_out_mark = storage::sign_out_mark(&environment.name);
    let provider = discover(environment).await?;
    let origin = window().location().origin();
    let origin = origin.map_err(|error| words(&error))?;
    let random = Randomness {
        state: random::bytes32(),
        nonce: random::bytes32(),
        verifier: random::bytes32(),
    };
    let begun = Transaction::begin(
        environment,
        provider,
        format!("{origin}{}", dom::file("callback")),
        return_to,
        &random,
        clock::wall(),
        silent,
    );
    let transaction = Transaction {
        sign_out_mark,
        ..begun
    };
    let json = serde_json::to_string(&transaction).map_err(|error| error.to_string())?;
    storage::tab_set(TRANSACTION, &json);
    let is_kept = storage::tab_get(TRANSACTION).as_deref() == Some(json.as_str());
    // Until it is sure that this sign-in begins ([`Leaving::go`]).
    storage::tab_remove(TRANSACTION);
    if !is_kept {
        return Err(
            "This browser refuses to remember the sign-in for this tab. Allow storage for \
                    this site, or paste a token."
                .into(),
        );
    }
    Ok(Leaving {
        transaction: json,
        url: transaction.authorize_url(environment),
        silent,
    })
}

/// Somebody who came back signed in.
pub(super) struct CameBack {
    pub(super) environment: Environment,
    pub(super) provider: Provider,
    pub(super) tokens: Tokens,
    /// The route to go on at.
    pub(super) return_to: String,
}

/// Takes in the provider's answer. The transaction is used up by this, whatever
/// the answer says.
pub(super) async fn come_back(
    desk: &Desk,
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
    remembered::came_back();
    let return_to = route::return_route(&transaction.return_to);
    let fail = |why: String| (Some(why), return_to.clone());
    let environment = environments
        .iter()
        .find(|it| it.name == transaction.environment)
        .ok_or_else(|| fail("This environment is no longer configured.".into()))?;
    let is_same =
        |it: String| it.trim_end_matches('/') == transaction.provider.issuer.trim_end_matches('/');
    if !issuer(environment).is_some_and(is_same) {
        let why = "The sign-in provider of this environment has changed meanwhile. Sign in again.";
        return Err(fail(why.into()));
    }
    // A person's own sign-in is their latest wish.
    let is_unwanted = || {
        transaction.silent && storage::sign_out_mark(&environment.name) != transaction.sign_out_mark
    };
    if is_unwanted() {
        return Err(fail(OUT_ELSEWHERE.into()));
    }
    let code = match transaction.code(query, clock::wall()) {
        Ok(code) => code,
        Err(transaction::CallbackError::NeedsPerson) => {
            let why = if remembered::was_new() {
                "Sign in to open this page."
            } else {
                "Sign in again to go on where you were."
            };
            remembered::provider_wants_person(&environment.name);
            return Err((Some(why.to_owned()), return_to));
        }
        Err(error) => return Err(fail(error.to_string())),
    };
    let form = transaction.exchange_form(environment, &code);
    let client = environment.client_id.as_deref().unwrap_or("");
    let granted = desk
        .grant(&transaction.provider, client, &form)
        .await
        .map_err(fail)?;
    let tokens = desk
        .read(&granted, &transaction.expectation(environment))
        .map_err(|error| fail(error.to_string()))?;
    if is_unwanted() {
        desk.give_up(&granted);
        return Err(fail(OUT_ELSEWHERE.into()));
    }
    Ok(CameBack {
        environment: environment.clone(),
        provider: transaction.provider.clone(),
        tokens,
        return_to,
    })
}

/// How long the provider may take for a renewal; the worker's own limit is in `keeper.js`.
pub(super) const RENEWAL: Duration = Duration::from_secs(8);

/// Gets new tokens with the refresh token. The provider is the one that gave
/// it, as it described itself then.
pub(super) async fn renew(
    desk: &Desk,
    environment: &Environment,
    provider: &Provider,
    before: &Tokens,
) -> Result<Tokens, Renewal> {
    let granted = desk
        .renew(environment, provider, before)
        .await
        .ok_or(Renewal::Refused)?
        .map_err(|_| Renewal::Unreachable)?;
    if !renewal::is_answered(granted.status, &granted.body) {
        return Err(Renewal::Unreachable);
    }
    let expected = transaction::refresh_expectation(environment, provider, before);
    let mut tokens = desk
        .read(&granted, &expected)
        .map_err(|_| Renewal::Refused)?;
    if !tokens.refresh.is_usable() {
        // Without rotation the old one goes on.
        tokens.refresh = before.refresh.clone();
    }
    tokens.id_claims = tokens.id_claims.or_else(|| before.id_claims.clone());
    tokens.id_token = tokens.id_token.or_else(|| before.id_token.clone());
    tokens.by_device = before.by_device;
    Ok(tokens)
}

/// A code to be confirmed on another device or page, and who gave it.
#[derive(Debug)]
pub struct Asked {
    /// The code, with the address where a person confirms it.
    pub code: DeviceCode,
    pub(super) provider: Provider,
}

/// Asks for a code that is confirmed on another device or page.
pub(super) async fn ask_device(environment: &Environment) -> Result<Asked, String> {
    let provider = discover(environment).await?;
    let endpoint = provider
        .device_authorization_endpoint
        .as_deref()
        .ok_or("This provider gives no codes for other devices.")?;
    let form = device::ask_form(environment);
    let answer = post(endpoint, &form, fetch::READ_LIMIT).await;
    let answer = answer.map_err(|why| unreached(endpoint, &why))?;
    let code = DeviceCode::read(&provider.issuer, &answer.body, clock::wall())
        .map_err(|error| error.to_string())?;
    Ok(Asked { code, provider })
}

/// Waits until the code is confirmed, refused or too old. `wanted` says whether
/// anybody still waits for it; `None` if not.
pub(super) async fn await_device(
    desk: &Desk,
    environment: &Environment,
    Asked { mut code, provider }: Asked,
    wanted: impl Fn() -> bool,
) -> Option<Result<(Tokens, Provider), String>> {
    let client = environment.device_client_id.as_deref().unwrap_or("");
    let mut pause = code.pause();
    // Answers that came, and polls in a row that none came to.
    let (mut is_there, mut in_vain) = (false, 0);
    loop {
        timer::sleep(pause).await;
        if !wanted() {
            return None;
        }
        let form = code.poll_form(environment);
        let asked = desk.grant(&provider, client, &form).await;
        let (granted, no_answer) = match asked {
            Ok(granted) => (Some(granted), None),
            Err(why) => (None, Some(why)),
        };
        is_there |= granted.is_some();
        in_vain = if granted.is_some() { 0 } else { in_vain + 1 };
        if let Some(why) = no_answer
            .as_ref()
            .filter(|_| !is_there && in_vain >= POLLS_IN_VAIN)
        {
            // A connection that fails comes back; what a browser blocks does not.
            return wanted().then(|| Err(why.clone()));
        }
        let answer = granted.as_ref().map(|it| (it.status, it.body.as_slice()));
        let polled = code.polled(environment, answer, clock::wall());
        let tokens = match polled {
            Polled::Again(next) => {
                pause = next;
                continue;
            }
            Polled::Tokens(tokens) => Ok(*tokens),
            // Whether somebody confirmed it, nobody here can know.
            Polled::Over(why) => Err(no_answer.unwrap_or(why)),
        };
        let tokens = match &granted {
            Some(granted) => desk.sort(granted, tokens),
            None => tokens,
        };
        if !wanted() {
            // Nobody waits for it any more: nothing that came is left alive.
            if let (Ok(_), Some(granted)) = (&tokens, &granted) {
                desk.give_up(granted);
            }
            return None;
        }
        return Some(tokens.map(|tokens| (tokens, provider)));
    }
}

/// A page that is still there so long after it left for the provider stays.
pub(super) const DEPARTURE: Duration = Duration::from_secs(10);

/// How long a sign-out, or a sign-in over an old session, waits for the provider
/// before it goes on without.
pub(super) const GOODBYE: Duration = Duration::from_secs(3);

/// Makes the refresh token worthless, as far as the provider can, and says
/// where its session ends. Never longer than [`GOODBYE`].
pub(super) async fn goodbye(
    desk: &Desk,
    environment: &Environment,
    provider: &Provider,
    tokens: &Tokens,
    home: &str,
) -> (Option<String>, Farewell) {
    let telling = Box::pin(desk.forget(environment, provider, tokens));
    let told = match select(telling, Box::pin(timer::sleep(GOODBYE))).await {
        Either::Left((told, _)) => told,
        Either::Right(_) => false,
    };
    let client = transaction::client_of(environment, tokens);
    // A session that a code on another device began is not this browser's.
    let url = (!tokens.by_device)
        .then(|| provider.sign_out_url(client, tokens.id_token.as_deref(), home))
        .flatten();
    let ended = url.as_ref().map(|_| provider.issuer.as_str());
    let farewell = Farewell {
        told,
        leaves_open: desk.remains.leaves_open(ended),
    };
    (url, farewell)
}
