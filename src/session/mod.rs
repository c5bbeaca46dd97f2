//! Who is signed in, and where. Tokens live here, in memory, and nowhere else.
//!
//! A reload forgets the token. What a tab remembers (`sessionStorage`) is how it was
//! signed in ([`remembered`]): by a provider, then it asks again in silence; by a code
//! or a pasted token, then the person is asked for another; all come back to the same
//! address. Beside that, the sign-in that is under way, what the next page says once,
//! and what a sign-out has to say ([`remains`]). The browser remembers that
//! somebody signed out (`storage::sign_out_mark`), and that its last sign-in was by a
//! provider: a new tab then asks it in silence too.
//!
//! Each tab has a session of its own, also several tabs of one account: no
//! token is ever handed from tab to tab. A refresh token that rotates is then
//! used by one tab alone, and cannot be taken for a stolen one because two
//! tabs sent it (`reliability.md` §9, T4). A Web Lock still lets only one tab
//! at a time ask the provider; each waits for its turn for 5 s at most.
//!
//! The refresh token is not even here, but with a worker that no script of the
//! page can read ([`desk`]), where the browser starts one.
//!
//! - [`desk`]: grants and renewals, through that worker or from the page.
//! - [`oidc`]: the way to the provider and back.
//! - [`renewing`]: new tokens, one tab at a time; [`leaving`]: signing out.
//! - [`remains`]: what sessions of this tab may have left at a provider.
//!
//! A sign-out is the other tabs' of the same account as well, and loads the page anew:
//! whatever the app held in memory (tokens, the names and tests that were read, what
//! runs) goes with it. What stays is the journal, by account, unless the person wants
//! this browser cleared.

mod desk;
mod leaving;
mod oidc;
mod remains;
mod remembered;
mod renewing;

use std::{cell::Cell, cell::RefCell, rc::Rc, sync::Arc};

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::{ApiError, ErrorKind},
    auth::{Holder, Identity, Lasting, Need, Provider, Tokens, holder::SessionNumber, route},
    config::{Config, Environment},
};

use self::{
    desk::{Desk, Left},
    remembered::Remembered,
    renewing::Attempt,
};
pub use self::{oidc::Asked, renewing::Renewal};
use crate::{
    browser::{channel::Channel, clock, dom, fetch, storage, timer, wake},
    reactive::memo,
};

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
    /// How long that lasts, and whether it is renewed.
    pub lasting: Lasting,
    /// What Retake uses and the token does not permit, as far as it says.
    pub missing: Vec<&'static str>,
    /// The token claims no permissions: right after a first sign-in the role
    /// may still be missing (`resim-api.md` §1.2).
    pub lacks_permissions: bool,
}

/// A silent sign-in whose page never came.
const NOT_THERE: &str =
    "The sign-in provider's page did not come. Sign in again to go on where you were.";
/// Why there is no token, where one could be renewed.
pub(crate) const SILENT_PROVIDER: &str = "the sign-in provider does not answer";

struct Inner {
    config: RefCell<Option<Arc<Config>>>,
    environment: RefCell<Option<Arc<Environment>>>,
    /// The provider of this sign-in, as it described itself then.
    provider: RefCell<Option<Provider>>,
    holder: RefCell<Holder>,
    desk: Desk,
    /// To the other tabs.
    channel: RefCell<Option<Channel>>,
    /// A token that the API refused for a POST is being seen to.
    recovering: Cell<Option<SessionNumber>>,
    /// The last renewal that began, until it ends.
    renewing: RefCell<Option<Attempt>>,
}

impl Inner {
    fn tokens(&self) -> Option<Tokens> {
        self.holder.borrow().tokens().cloned()
    }

    /// What the provider has to know once these tokens of the present session
    /// are wanted no more; `None` if it gave none.
    fn left(&self, tokens: Option<Tokens>) -> Option<Left> {
        let environment = self.environment.borrow().clone()?;
        let provider = self.provider.borrow().clone()?;
        Some((environment, provider, tokens?))
    }
}

/// The session; provided as context.
#[derive(Clone, Copy)]
pub struct Session {
    state: RwSignal<SessionState>,
    /// Rises when a session that was refused is good again, without a person.
    saved: RwSignal<u32>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

/// Whose session it is. Tells it again when work that waits for a sign-in may
/// go on because the session was saved without one.
#[derive(Debug, Clone, Copy)]
pub struct Whose(Memo<(Option<Identity>, u32)>);

impl Whose {
    /// The account; `None` if nobody is signed in. Tracked.
    pub fn get(&self) -> Option<Identity> {
        self.0.get().0
    }
}

impl Session {
    /// A session that has not started.
    pub fn unstarted() -> Self {
        let inner = Inner {
            config: RefCell::new(None),
            environment: RefCell::new(None),
            provider: RefCell::new(None),
            holder: RefCell::new(Holder::new()),
            desk: Desk::new(),
            channel: RefCell::new(None),
            recovering: Cell::new(None),
            renewing: RefCell::new(None),
        };
        Self {
            state: RwSignal::new(SessionState::Starting),
            saved: RwSignal::new(0),
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

    /// Whose session it is, to be followed.
    pub fn whose(&self) -> Whose {
        let it = *self;
        Whose(memo(move |_| {
            (it.account().map(|it| it.identity), it.saved.get())
        }))
    }

    /// The environments of `config.json`.
    pub fn environments(&self) -> Vec<Environment> {
        self.inner()
            .config
            .borrow()
            .as_ref()
            .map_or(Vec::new(), |it| it.environments.clone())
    }

    /// Reads `config.json`, then signs in again in silence if this tab was signed in by
    /// a provider, or is new and this browser was. `route` is where the page stands.
    pub async fn start(self, route: String) {
        self.state.set(SessionState::Starting);
        match read_config().await {
            Ok(config) => *self.inner().config.borrow_mut() = Some(Arc::new(config)),
            Err(problems) => return self.state.set(SessionState::Broken(problems)),
        }
        if dom::path_of(&route) == "/callback" {
            // The callback page goes on from here.
            return;
        }
        let note = leaving::take_note();
        // A browser may load a page before anybody wants it.
        wake::shown_at_all().await;
        // What is to be said first is of a sign-out.
        let environments = self.environments();
        let remembered = note
            .is_none()
            .then(|| Remembered::take(&route, &environments));
        let Some(remembered) = remembered.flatten() else {
            return self.state.set(SessionState::SignedOut(note));
        };
        let environment = environments
            .into_iter()
            .find(|it| it.name == remembered.environment);
        match environment {
            Some(environment) if remembered.is_by_redirect() && environment.has_redirect() => {
                // Not of a tab that slept, and did not hear of a sign-out.
                let is_in = || !remembered.is_over();
                let mut left = Ok(());
                if is_in() {
                    let to = route::behind(&route);
                    left = self
                        .leave_for_provider(&environment, &to, true, is_in)
                        .await;
                }
                if matches!(self.state.get_untracked(), SessionState::Starting) {
                    let why = match left {
                        _ if !is_in() => oidc::OUT_ELSEWHERE.into(),
                        Err(why) => why,
                        // Still here, or here again by Back.
                        Ok(()) => NOT_THERE.into(),
                    };
                    self.state.set(SessionState::SignedOut(Some(why)));
                }
            }
            Some(_) if !remembered.is_by_redirect() => {
                let what = if storage::has_stopped() {
                    "Retake stopped by a mistake of its own and was loaded anew"
                } else {
                    "The page was loaded anew"
                };
                let (loss, way) = if remembered.by_device {
                    ("ends a sign-in by code", "Ask for a new code")
                } else {
                    ("forgets a pasted token", "Paste it again")
                };
                let why = format!("{what}, which {loss}. {way} to go on where you were.");
                self.state.set(SessionState::SignedOut(Some(why)));
            }
            _ => self.state.set(SessionState::SignedOut(None)),
        }
    }

    /// Signs in with a token that a person pasted.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn paste(&self, environment: &Environment, text: &str) -> Result<(), String> {
        let tokens = Tokens::pasted(text, clock::wall())?;
        // Nobody waits for the provider's word about that.
        spawn_local(self.give_way());
        self.signed_in(environment, tokens, None);
        Ok(())
    }

    /// Somebody signed in, by a provider or, without one, by a pasted token.
    fn signed_in(&self, environment: &Environment, tokens: Tokens, provider: Option<Provider>) {
        storage::set_environment(&environment.name);
        let pasted = provider.is_none();
        Remembered::keep(&environment.name, pasted, tokens.by_device);
        let inner = self.inner();
        if let Some(provider) = provider.as_ref().filter(|_| !tokens.by_device) {
            inner.desk.remains.opened(&provider.issuer);
        }
        *inner.environment.borrow_mut() = Some(Arc::new(environment.clone()));
        *inner.provider.borrow_mut() = provider;
        inner.holder.borrow_mut().begin(tokens);
        self.show_account();
    }

    /// Shows whose tokens are in hand.
    fn show_account(&self) {
        let inner = self.inner();
        let environment = inner.environment.borrow().clone();
        let (Some(environment), Some(tokens)) = (environment, inner.tokens()) else {
            return;
        };
        let pasted = inner.provider.borrow().is_none();
        self.state.set(SessionState::SignedIn(Account {
            name: tokens.account().map(ToOwned::to_owned),
            identity: Identity::of(&environment, &tokens),
            lasting: Lasting::of(&tokens, pasted),
            missing: tokens.claims.missing(),
            lacks_permissions: !pasted && tokens.claims.lacks_permissions(),
            environment,
        }));
    }

    /// Which session this is: each sign-in and each sign-out begins another.
    pub fn number(&self) -> SessionNumber {
        self.inner().holder.borrow().number()
    }

    /// The API said 401 to the session `number`, or its token cannot be renewed:
    /// nobody is signed in any more, unless somebody has signed in since. What runs
    /// pauses; what is on screen comes back after sign-in.
    pub fn expired(&self, number: SessionNumber) {
        let was_pasted = self.account_now().is_some_and(|it| it.lasting.pasted);
        if !self.inner().holder.borrow_mut().expire(number) {
            return;
        }
        let why = if was_pasted {
            "ReSim no longer accepts this token. Paste a fresh one and you'll be back where you were."
        } else {
            "Your session has expired. Sign in again and you'll be back where you were."
        };
        self.state.set(SessionState::SignedOut(Some(why.into())));
    }

    /// Asks the provider for a code that is confirmed elsewhere; `None` if nobody
    /// wants it by then.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask_device(
        &self,
        environment: &Environment,
        wanted: impl Fn() -> bool,
    ) -> Result<Option<Asked>, String> {
        let asked = oidc::ask_device(environment).await?;
        if !wanted() {
            return Ok(None);
        }
        // Only now is it sure that a sign-in can begin.
        spawn_local(self.give_way());
        Ok(Some(asked))
    }

    /// Waits for the code to be confirmed, then signs in, unless nobody wants
    /// it any more.
    ///
    /// # Errors
    /// Why nobody is signed in.
    pub async fn await_device(
        &self,
        environment: &Environment,
        asked: Asked,
        wanted: impl Fn() -> bool,
    ) -> Result<(), String> {
        let inner = self.inner();
        match oidc::await_device(&inner.desk, environment, asked, wanted).await {
            Some(Ok((tokens, provider))) => self.signed_in(environment, tokens, Some(provider)),
            Some(Err(why)) => return Err(why),
            None => {}
        }
        Ok(())
    }

    /// The API's base and a bearer token for a read. Waits for a new one only if
    /// the one at hand has ended.
    ///
    /// # Errors
    /// Nobody is signed in, or the token at hand has ended and the provider, which
    /// did not answer, is not asked again yet.
    pub async fn bearer(&self, what: &'static str) -> Result<(String, String), ApiError> {
        let inner = self.inner();
        let need = |tokens: &Tokens| tokens.need(clock::wall());
        let need = inner.holder.borrow().tokens().map(need);
        match need {
            Some(Need::First) => {
                if self.renew().await == Renewal::Unreachable {
                    return Err(not_renewed(what));
                }
            }
            Some(Need::Soon) => {
                let it = *self;
                spawn_local(async move {
                    it.renew().await;
                });
            }
            Some(Need::Later) => return Err(not_renewed(what)),
            Some(Need::Nothing) | None => {}
        }
        self.bearer_at_hand(what)
    }

    /// Sees to a token that cannot end on the way of a POST, as far as the
    /// provider answers.
    pub async fn ready_to_post(&self) {
        let inner = self.inner();
        let may_end = |tokens: &Tokens| tokens.may_end_on_the_way(clock::wall());
        let may_end = inner.holder.borrow().tokens().is_some_and(may_end);
        if may_end {
            self.renew().await;
        }
    }

    /// The same without asking anybody: what follows is sent in this moment.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub fn bearer_at_hand(&self, what: &'static str) -> Result<(String, String), ApiError> {
        let inner = self.inner();
        let base = inner.environment.borrow().as_ref().map(|it| it.api.clone());
        let token = inner.holder.borrow().tokens().map(|it| it.access.clone());
        match (base, token) {
            (Some(base), Some(token)) => Ok((base, token)),
            _ => Err(ApiError::new(what, ErrorKind::SignedOut, "sign in again")),
        }
    }

    /// Whether the token at hand is another than this one.
    pub fn has_another(&self, token: &str) -> bool {
        let holder = &self.inner().holder;
        holder
            .borrow()
            .tokens()
            .is_some_and(|it| it.access != token)
    }

    /// Leaves this page for the provider's. Comes back at `/callback`. Stays if by
    /// then nobody wants it, or somebody has signed in or out; it ends only where the
    /// page stayed, or was come back to.
    ///
    /// # Errors
    /// The provider cannot be reached or does not fit the configuration.
    pub async fn leave_for_provider(
        &self,
        environment: &Environment,
        return_to: &str,
        silent: bool,
        wanted: impl Fn() -> bool,
    ) -> Result<(), String> {
        storage::set_environment(&environment.name);
        let number = self.number();
        let is_wanted = || wanted() && self.number() == number;
        let leaving = oidc::prepare(environment, return_to, silent).await?;
        if !silent && is_wanted() {
            // Only now is it sure that a sign-in can begin. It waits for the
            // answer: one that the provider acts on later may end the new grant.
            timer::within(oidc::GOODBYE, self.give_way()).await;
        }
        if is_wanted() {
            leaving.go()?;
            timer::within(oidc::DEPARTURE, wake::restored()).await;
        }
        Ok(())
    }

    /// Takes in the provider's answer: signs in and gives the route to go on at.
    ///
    /// # Errors
    /// Why nobody is signed in, and the route that was wanted.
    pub async fn come_back(&self, query: &str) -> Result<String, (Option<String>, String)> {
        let environments = self.environments();
        let inner = self.inner();
        match oidc::come_back(&inner.desk, query, &environments).await {
            Ok(back) => {
                self.signed_in(&back.environment, back.tokens, Some(back.provider));
                Ok(back.return_to)
            }
            Err((why, route)) => {
                self.state.set(SessionState::SignedOut(why.clone()));
                Err((why, route))
            }
        }
    }
}

/// A call that does not leave: its token has ended, and there is no other yet.
fn not_renewed(what: &'static str) -> ApiError {
    ApiError::new(what, ErrorKind::NoToken, SILENT_PROVIDER)
}

async fn read_config() -> Result<Config, Vec<String>> {
    let unreachable = |why: String| vec![format!("config.json: {why}")];
    let answer = fetch::read_document("read config.json", &dom::file("config.json"))
        .await
        .map_err(|error| unreachable(error.words("this site")))?;
    if answer.status != 200 {
        return Err(unreachable(format!("the server answers {}", answer.status)));
    }
    let text = String::from_utf8(answer.body).map_err(|_| unreachable("is not UTF-8".into()))?;
    Config::parse(&text).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}
