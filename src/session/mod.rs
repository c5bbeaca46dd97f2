//! Who is signed in, and where. Tokens live here, in memory, and nowhere else.
//!
//! A reload forgets the token. What a tab remembers (`sessionStorage`) is only
//! how it was signed in: by a provider, then it asks again in silence; by a
//! pasted token, then the person is asked to paste it again, and both come
//! back to the same address.
//!
//! Each tab has a session of its own, also several tabs of one account: no
//! token is ever handed from tab to tab. A refresh token that rotates is then
//! used by one tab alone, and cannot be taken for a stolen one because two
//! tabs sent it (`reliability.md` §9, T4). A Web Lock still lets only one tab
//! at a time ask the provider.
//!
//! A sign-out loads the page anew: whatever the app held in memory (tokens, the
//! names and tests that were read, what runs) goes with it. What stays is the
//! journal, by account, unless the person wants this browser cleared.

mod oidc;

use std::{cell::Cell, cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::{ApiError, ErrorKind, retry},
    auth::{DeviceCode, Identity, Tokens},
    config::{Config, Environment},
    domain::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::browser::{clock, dom, fetch, journal, locks, random, storage, timer, window};

/// Whether somebody is signed in.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionState {
    /// The configuration is read, or a silent sign-in is under way.
    Starting,
    /// `config.json` cannot be used; one line per problem.
    Broken(Vec<String>),
    /// Nobody is. Says why, if somebody was.
    SignedOut(Option<String>),
    /// Somebody is.
    SignedIn(Account),
}

/// Who is signed in, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The environment.
    pub environment: Arc<Environment>,
    /// E-mail address or other name, where the token tells.
    pub name: Option<String>,
    /// Whom what is stored in this browser belongs to.
    pub identity: Identity,
    /// When the token ends, where that is known.
    pub expires: Option<Timestamp>,
    /// Signed in by a pasted token, which cannot be renewed.
    pub pasted: bool,
    /// What Retake uses and the token does not permit, as far as it says.
    pub missing: Vec<&'static str>,
    /// The token claims no permissions: right after a first sign-in the role
    /// may still be missing (`resim-api.md` §1.2).
    pub lacks_permissions: bool,
}

/// How this tab was signed in; survives a reload, holds no secret.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    environment: String,
    pasted: bool,
    #[serde(default)]
    by_device: bool,
}

const REMEMBERED: &str = "retake-signed-in";

struct Inner {
    config: RefCell<Option<Arc<Config>>>,
    environment: RefCell<Option<Arc<Environment>>>,
    tokens: RefCell<Option<Tokens>>,
    renewing: Cell<bool>,
    /// What became of the last renewal.
    renewed: Cell<Renewal>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

/// What became of an attempt to get a new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// There is a new one.
    Renewed,
    /// There is none to be had without a person.
    Refused,
    /// The provider did not answer; later it may.
    Unreachable,
}

/// How long this tab lets others go first at the provider.
const TURN: Duration = Duration::from_secs(5);
/// Tries of one renewal. A repeat within seconds is what a provider's overlap
/// of refresh tokens is for: an answer that was lost signs nobody out.
const RENEW_TRIES: u32 = 3;

/// The session; provided as context.
#[derive(Clone, Copy)]
pub struct Session {
    state: RwSignal<SessionState>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

impl Session {
    /// A session that has not started.
    pub fn unstarted() -> Self {
        let inner = Inner {
            config: RefCell::new(None),
            environment: RefCell::new(None),
            tokens: RefCell::new(None),
            renewing: Cell::new(false),
            renewed: Cell::new(Renewal::Refused),
            waiting: RefCell::new(Vec::new()),
        };
        Self {
            state: RwSignal::new(SessionState::Starting),
            inner: StoredValue::new_local(Rc::new(inner)),
        }
    }

    fn inner(&self) -> Rc<Inner> {
        self.inner.get_value()
    }

    /// The state, tracked.
    pub fn state(&self) -> SessionState {
        self.state.get()
    }

    /// Who is signed in, tracked.
    pub fn account(&self) -> Option<Account> {
        match self.state.get() {
            SessionState::SignedIn(account) => Some(account),
            _ => None,
        }
    }

    /// Who is signed in; not tracked.
    pub fn account_now(&self) -> Option<Account> {
        match self.state.get_untracked() {
            SessionState::SignedIn(account) => Some(account),
            _ => None,
        }
    }

    /// The environments of `config.json`.
    pub fn environments(&self) -> Vec<Environment> {
        self.inner()
            .config
            .borrow()
            .as_ref()
            .map_or(Vec::new(), |it| it.environments.clone())
    }

    /// Reads `config.json`, then signs in again in silence if this tab was
    /// signed in by a provider. `route` is where the page stands.
    pub async fn start(self, route: String) {
        self.state.set(SessionState::Starting);
        match read_config().await {
            Ok(config) => *self.inner().config.borrow_mut() = Some(Arc::new(config)),
            Err(problems) => return self.state.set(SessionState::Broken(problems)),
        }
        if route.starts_with("/callback") {
            // The callback page goes on from here.
            return;
        }
        let remembered: Option<Remembered> =
            storage::tab_get(REMEMBERED).and_then(|text| serde_json::from_str(&text).ok());
        let Some(remembered) = remembered else {
            return self.state.set(SessionState::SignedOut(None));
        };
        let environment = self
            .environments()
            .into_iter()
            .find(|it| it.name == remembered.environment);
        match environment {
            Some(environment)
                if !remembered.pasted && !remembered.by_device && environment.has_redirect() =>
            {
                // Asked once: if the provider wants a person, the sign-in page shows.
                storage::tab_remove(REMEMBERED);
                if let Err(why) = self.leave_for_provider(&environment, &route, true).await {
                    self.state.set(SessionState::SignedOut(Some(why)));
                }
            }
            Some(_) if remembered.by_device => self.state.set(SessionState::SignedOut(Some(
                "The page was loaded anew, which ends a sign-in by code. Ask for a new code to go \
                 on where you were."
                    .into(),
            ))),
            Some(_) => self.state.set(SessionState::SignedOut(Some(
                "The page was loaded anew, which forgets a pasted token. Paste it again to go on \
                 where you were."
                    .into(),
            ))),
            None => self.state.set(SessionState::SignedOut(None)),
        }
    }

    /// Signs in with a token that a person pasted.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn paste(&self, environment: &Environment, text: &str) -> Result<(), String> {
        let tokens = Tokens::pasted(text, clock::wall())?;
        self.signed_in(environment, tokens, true);
        Ok(())
    }

    fn signed_in(&self, environment: &Environment, tokens: Tokens, pasted: bool) {
        storage::set_environment(&environment.name);
        let remembered = Remembered {
            environment: environment.name.clone(),
            pasted,
            by_device: tokens.by_device,
        };
        if let Ok(json) = serde_json::to_string(&remembered) {
            storage::tab_set(REMEMBERED, &json);
        }
        let environment = Arc::new(environment.clone());
        let account = Account {
            environment: environment.clone(),
            name: tokens.account().map(ToOwned::to_owned),
            identity: Identity::of(&environment, &tokens),
            expires: tokens.expires,
            pasted,
            missing: tokens.claims.missing(),
            lacks_permissions: !pasted && tokens.claims.lacks_permissions(),
        };
        let inner = self.inner();
        *inner.environment.borrow_mut() = Some(environment);
        *inner.tokens.borrow_mut() = Some(tokens);
        self.state.set(SessionState::SignedIn(account));
    }

    /// The API said 401, or the token cannot be renewed: nobody is signed in
    /// any more. What runs pauses; what is on screen comes back after sign-in.
    pub fn expired(&self) {
        let was_pasted = matches!(
            self.state.get_untracked(),
            SessionState::SignedIn(Account { pasted: true, .. })
        );
        let Some(()) = self.inner().tokens.borrow_mut().take().map(|_| ()) else {
            return;
        };
        let why = if was_pasted {
            "ReSim no longer accepts this token. Paste a fresh one and you'll be back where you were."
        } else {
            "Your session has expired. Sign in again and you'll be back where you were."
        };
        self.state.set(SessionState::SignedOut(Some(why.into())));
    }

    /// Ends the session at the person's wish: here, at the provider if it lets
    /// us, and with `forget` whatever this browser remembers of Retake.
    pub async fn sign_out(self, forget: bool) {
        let inner = self.inner();
        let tokens = inner.tokens.borrow_mut().take();
        let environment = inner.environment.borrow_mut().take();
        storage::tab_clear();
        self.state.set(SessionState::Starting);
        if forget {
            storage::forget_device();
            // What the browser refuses to delete it refuses to say; the account
            // is signed out all the same.
            let _ = journal::erase().await;
        }
        let location = window().location();
        let home = dom::file("sign-in");
        let home = location
            .origin()
            .map_or_else(|_| home.clone(), |origin| format!("{origin}{home}"));
        let elsewhere = match (&environment, &tokens) {
            (Some(environment), Some(tokens)) => oidc::goodbye(environment, tokens, &home).await,
            _ => None,
        };
        drop(tokens);
        if location
            .replace(elsewhere.as_deref().unwrap_or(&home))
            .is_err()
        {
            // The page stays; nobody is signed in on it.
            self.state.set(SessionState::SignedOut(None));
        }
    }

    /// Asks the provider for a code that is confirmed elsewhere.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask_device(&self, environment: &Environment) -> Result<DeviceCode, String> {
        oidc::ask_device(environment).await
    }

    /// Waits for the code to be confirmed, then signs in, unless nobody wants
    /// it any more.
    ///
    /// # Errors
    /// Why nobody is signed in.
    pub async fn await_device(
        &self,
        environment: &Environment,
        code: DeviceCode,
        wanted: impl Fn() -> bool,
    ) -> Result<(), String> {
        match oidc::await_device(environment, code, wanted).await {
            Some(Ok(tokens)) => self.signed_in(environment, tokens, false),
            Some(Err(why)) => return Err(why),
            None => {}
        }
        Ok(())
    }

    /// The API's base and a bearer token that is good for the next minute.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn bearer(&self, what: &'static str) -> Result<(String, String), ApiError> {
        let due = |tokens: &Tokens| tokens.renew_at().is_some_and(|at| at <= clock::wall());
        let inner = self.inner();
        let is_due = inner.tokens.borrow().as_ref().is_some_and(due);
        if is_due {
            self.renew().await;
        }
        let base = inner.environment.borrow().as_ref().map(|it| it.api.clone());
        let token = inner.tokens.borrow().as_ref().map(|it| it.access.clone());
        match (base, token) {
            (Some(base), Some(token)) => Ok((base, token)),
            _ => Err(ApiError::new(what, ErrorKind::SignedOut, "sign in again")),
        }
    }

    /// Gets a new token with the refresh token, one request at a time in this
    /// tab, and one tab at a time.
    pub async fn renew(&self) -> Renewal {
        let inner = self.inner();
        let (done, wait) = oneshot::channel();
        inner.waiting.borrow_mut().push(done);
        if !inner.renewing.replace(true) {
            // A task of its own: whoever asked may be dropped with their page, but
            // not the answer that carries the next refresh token.
            let it = *self;
            spawn_local(async move { it.renew_for_all().await });
        }
        // A cancelled wait means that the renewal is over.
        let _ = wait.await;
        inner.renewed.get()
    }

    async fn renew_for_all(self) {
        let inner = self.inner();
        let before = inner.tokens.borrow().clone();
        let environment = inner.environment.borrow().clone();
        let renewal = match (before, environment) {
            (Some(before), Some(environment)) => self.renew_in_turn(&environment, &before).await,
            _ => Renewal::Refused,
        };
        inner.renewed.set(renewal);
        inner.renewing.set(false);
        inner.waiting.borrow_mut().clear();
    }

    async fn renew_in_turn(&self, environment: &Environment, before: &Tokens) -> Renewal {
        let name = format!("retake-renew {}", environment.name);
        let turn = Box::pin(locks::hold(&name));
        // Without a turn in time it goes on: its refresh token is its own.
        let _turn = match select(turn, Box::pin(timer::sleep(TURN))).await {
            Either::Left((lock, _)) => lock,
            Either::Right(_) => None,
        };
        for tries in 1..=RENEW_TRIES {
            match oidc::renew(environment, before).await {
                Ok(tokens) => {
                    // Signed out by the person meanwhile: then it stays so.
                    if self.inner().tokens.borrow().is_some() {
                        self.signed_in(environment, tokens, false);
                    }
                    return Renewal::Renewed;
                }
                Err(Renewal::Unreachable) if tries < RENEW_TRIES => {
                    timer::sleep(retry::jitter(tries, random::u64())).await;
                }
                Err(why) => return why,
            }
        }
        Renewal::Unreachable
    }

    /// Leaves this page for the provider's. Comes back at `/callback`.
    ///
    /// # Errors
    /// The provider cannot be reached or does not fit the configuration.
    pub async fn leave_for_provider(
        &self,
        environment: &Environment,
        return_to: &str,
        silent: bool,
    ) -> Result<(), String> {
        storage::set_environment(&environment.name);
        oidc::leave(environment, return_to, silent).await
    }

    /// Takes in the provider's answer: signs in and gives the route to go on at.
    ///
    /// # Errors
    /// Why nobody is signed in, and the route that was wanted.
    pub async fn come_back(&self, query: &str) -> Result<String, (Option<String>, String)> {
        let environments = self.environments();
        match oidc::come_back(query, &environments).await {
            Ok((environment, tokens, route)) => {
                self.signed_in(&environment, tokens, false);
                Ok(route)
            }
            Err((why, route)) => {
                self.state.set(SessionState::SignedOut(why.clone()));
                Err((why, route))
            }
        }
    }
}

async fn read_config() -> Result<Config, Vec<String>> {
    let unreachable = |why: String| vec![format!("config.json: {why}")];
    let answer = fetch::read_document("read config.json", &dom::file("config.json"))
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    if answer.status != 200 {
        return Err(unreachable(format!("the server answers {}", answer.status)));
    }
    let text = String::from_utf8(answer.body).map_err(|_| unreachable("is not UTF-8".into()))?;
    Config::parse(&text).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}
