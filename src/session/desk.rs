//! Where tokens are asked for: through the worker that keeps the refresh token
//! (`browser::keeper`), or from the page where no worker starts.

use std::{cell::RefCell, sync::Arc, time::Duration};

use leptos::task::spawn_local;
use retake_core::{
    api::Answer,
    auth::{Expectation, Farewell, Provider, Refresh, TokenError, Tokens, provider, transaction},
    config::Environment,
    domain::Timestamp,
};

use super::remains::Remains;
use crate::browser::{
    clock, fetch,
    keeper::{Grant, Keeper, Kept},
    window,
};

/// Where a session was, and what it had: for the provider, once it is over.
pub(super) type Left = (Arc<Environment>, Provider, Tokens);

/// The desk of this page.
#[derive(Debug)]
pub(super) struct Desk {
    keeper: RefCell<Option<Keeper>>,
    /// What sessions of this tab may have left at a provider.
    pub(super) remains: Remains,
}

/// What a token endpoint answered.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The refresh token is with the keeper, by this number.
    kept: Option<u32>,
    /// Where the page itself makes it worthless, and for which client.
    revoke: Option<(String, String)>,
}

impl Granted {
    fn by_page(answer: Answer, provider: &Provider, client: &str) -> Self {
        let endpoint = provider.revocation_endpoint.clone();
        Self {
            status: answer.status,
            body: answer.body,
            kept: None,
            revoke: endpoint.map(|it| (it, client.to_owned())),
        }
    }

    /// Gives up the refresh token that came to the page with this, if one did.
    fn give_up(&self) {
        let Some((endpoint, client)) = self.revoke.clone() else {
            return;
        };
        if let Some(form) = transaction::revoke_answer_form(&self.body, &client) {
            spawn_local(async move {
                // A provider that cannot be told ends the token by its age.
                let _ = post(&endpoint, &form, fetch::READ_LIMIT).await;
            });
        }
    }

    fn by_keeper(kept: Kept) -> Self {
        Self {
            status: kept.status,
            body: kept.body,
            kept: kept.number,
            revoke: None,
        }
    }
}

impl Desk {
    /// The desk of a page that begins.
    pub(super) fn new() -> Self {
        Self {
            keeper: RefCell::new(None),
            remains: Remains::found(),
        }
    }

    /// The keeper, started if need be. It must be there before a grant is sent,
    /// so that a grant is never sent by both.
    async fn keeper(&self) -> Option<Keeper> {
        if let Some(keeper) = self.keeper.borrow().clone() {
            return Some(keeper);
        }
        let keeper = Keeper::start().await?;
        Some(self.keeper.borrow_mut().get_or_insert(keeper).clone())
    }

    /// Sends a code, or a device's poll.
    pub(super) async fn grant(
        &self,
        provider: &Provider,
        client: &str,
        form: &str,
    ) -> Result<Granted, String> {
        let endpoint = &provider.token_endpoint;
        let Some(keeper) = self.keeper().await else {
            let answer = post(endpoint, form, fetch::READ_LIMIT).await;
            let answer = answer.map_err(|why| unreached(endpoint, &why))?;
            return Ok(Granted::by_page(answer, provider, client));
        };
        let grant = Grant {
            endpoint,
            form,
            client,
            revoke: provider.revocation_endpoint.as_deref(),
        };
        let kept = keeper.grant(&grant).await;
        kept.map(Granted::by_keeper)
            .map_err(|why| unreached(endpoint, &why))
    }

    /// Sends the refresh token of `before`, wherever it is; `None`: there is
    /// none to send.
    pub(super) async fn renew(
        &self,
        environment: &Environment,
        provider: &Provider,
        before: &Tokens,
    ) -> Option<Result<Granted, String>> {
        if let Refresh::Kept(number) = before.refresh {
            let keeper = self.keeper.borrow().clone()?;
            return Some(keeper.renew(number).await.map(|kept| {
                let granted = Granted::by_keeper(kept);
                // An answer for another session is none for this one.
                let kept = granted.kept.filter(|it| *it == number);
                Granted { kept, ..granted }
            }));
        }
        let form = transaction::refresh_form(environment, before)?;
        let client = transaction::client_of(environment, before);
        let endpoint = &provider.token_endpoint;
        let answer = post(endpoint, &form, super::oidc::RENEWAL).await;
        Some(answer.map(|it| Granted::by_page(it, provider, client)))
    }

    /// Reads the tokens of an answer. Those that do not fit are given up: the
    /// refresh token that came with them is made worthless at once.
    pub(super) fn read(
        &self,
        granted: &Granted,
        expected: &Expectation<'_>,
    ) -> Result<Tokens, TokenError> {
        self.sort(granted, Tokens::read(&granted.body, expected, now()))
    }

    /// Notes where the refresh token is, or gives it up.
    pub(super) fn sort<E>(&self, granted: &Granted, read: Result<Tokens, E>) -> Result<Tokens, E> {
        match (read, granted.kept) {
            (Ok(tokens), Some(number)) => Ok(Tokens {
                refresh: Refresh::Kept(number),
                ..tokens
            }),
            (Err(error), _) => {
                self.give_up(granted);
                Err(error)
            }
            (Ok(tokens), None) => Ok(tokens),
        }
    }

    /// Gives up the refresh token that came with this, wherever it is. Nobody
    /// waits for it.
    pub(super) fn give_up(&self, granted: &Granted) {
        if granted.kept.is_none() {
            return granted.give_up();
        }
        let number = granted.kept;
        if let Some(keeper) = self.keeper.borrow().clone() {
            spawn_local(async move {
                // A provider that cannot be told ends the token by its age.
                keeper.forget(number).await;
            });
        }
    }

    /// Makes worthless whatever the keeper has, and what was in the page's hands.
    /// A provider that cannot be told ends the token by its age.
    /// A later sign-out says so ([`Self::forget`]).
    pub(super) async fn give_way(&self, left: Option<Left>) {
        let keeper = self.keeper.borrow().clone();
        if keeper.is_none() && left.is_none() {
            return;
        }
        let telling = async {
            let mut told = true;
            if let Some(keeper) = keeper {
                told &= keeper.forget(None).await;
            }
            if let Some(left) = left {
                told &= revoke_if_held(&left).await;
            }
            told
        };
        self.remains.part(telling).await;
    }

    /// Makes a refresh token in the page's hands worthless, if there is one.
    /// Nobody waits for it.
    pub(super) fn let_go(left: Left) {
        // A provider that cannot be told ends the token by its age.
        spawn_local(async move {
            revoke_if_held(&left).await;
        });
    }

    /// What is to be said at a sign-out of a session that has no provider.
    pub(super) fn farewell(&self) -> Farewell {
        Farewell {
            told: !self.remains.is_untold(),
            leaves_open: self.remains.leaves_open(None),
        }
    }

    /// Makes the refresh token worthless, wherever it is. Whether the provider knows, or had
    /// not to know; of those that were given up before as well.
    pub(super) async fn forget(
        &self,
        environment: &Environment,
        provider: &Provider,
        tokens: &Tokens,
    ) -> bool {
        let told = match &tokens.refresh {
            Refresh::Kept(_) => {
                let keeper = self.keeper.borrow().clone();
                match keeper {
                    Some(keeper) => keeper.forget(None).await,
                    None => false,
                }
            }
            Refresh::Held(_) => revoke_held(environment, provider, tokens).await,
            Refresh::None | Refresh::Refused | Refresh::GivenUp => true,
        };
        told && !self.remains.is_untold()
    }
}

/// Whether the provider knows, or had not to know.
async fn revoke_if_held((environment, provider, tokens): &Left) -> bool {
    !matches!(tokens.refresh, Refresh::Held(_)) || revoke_held(environment, provider, tokens).await
}

/// Makes the refresh token in the page's hands worthless. Whether the provider knows.
async fn revoke_held(environment: &Environment, provider: &Provider, tokens: &Tokens) -> bool {
    let form = transaction::revoke_form(environment, tokens);
    let (Some(endpoint), Some(form)) = (&provider.revocation_endpoint, form) else {
        return false;
    };
    let answer = post(endpoint, &form, fetch::READ_LIMIT).await;
    answer.is_ok_and(|it| (200..300).contains(&it.status))
}

pub(super) async fn post(endpoint: &str, form: &str, limit: Duration) -> Result<Answer, String> {
    fetch::post_form("get a token", endpoint, form, limit)
        .await
        .map_err(|error| error.words("the provider"))
}

/// A browser does not say why a request to another site failed; the usual reasons are the
/// site's configuration, so they are named.
pub(super) fn unreached(endpoint: &str, why: &str) -> String {
    let origin = window().location().origin().unwrap_or_default();
    provider::unreached(endpoint, &origin, why)
}

fn now() -> Timestamp {
    clock::wall()
}
