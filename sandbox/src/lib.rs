//! A local ReSim: the REST API of `resim-api.md`, a sign-in provider,
//! simulated batches, and the built site, on one port.
//!
//! Independent of the rest of Retake on purpose: a mistake in reading the API
//! would otherwise be made twice and never found.
//!
//! Where to start: [`app`] joins the parts; `v1` is the way of one API request,
//! `api` the calls, `world` the simulation, `faults` what goes wrong on
//! purpose, `oidc` the provider, `control` what tests ask of it, `site` the
//! files, `relay` the way to a real API.

mod answer;
mod api;
mod auth;
mod clock;
mod control;
mod faults;
mod oidc;
mod record;
mod relay;
mod seed;
mod server;
mod site;
mod v1;
mod world;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{any, get};

pub use answer::Dropped;
pub use clock::Clock;
pub use relay::Upstream;
pub use server::serve;
pub use world::choice::Fixtures;

/// How a sandbox behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The world and everything random in it.
    pub seed: u64,
    /// Simulated durations are divided by this.
    pub speed: f64,
    /// Which ready-made projects there are.
    pub fixtures: Fixtures,
    /// Whether other origins may call the API (`resim-api.md` B.10).
    pub cors: bool,
    /// How long an access token of the provider lives, in seconds.
    pub token_lifetime: u64,
    /// How long reruns answer 409 after a batch has become terminal, in
    /// milliseconds, for batches of the everyday projects.
    pub cleanup_ms: u64,
    /// The folder of the built site, if it is served.
    pub site: Option<PathBuf>,
    /// Origins that pages may talk to beside those of the site's `config.json`.
    pub connect: Vec<String>,
    /// The real API to pass calls on to, instead of simulating one.
    pub upstream: Option<Upstream>,
    /// What time it is.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            fixtures: Fixtures::default(),
            cors: true,
            token_lifetime: 3_600,
            cleanup_ms: 8_000,
            site: None,
            connect: Vec::new(),
            upstream: None,
            clock: Clock::System,
        }
    }
}

/// Everything that one sandbox knows.
pub(crate) struct Sandbox {
    config: Config,
    world: Mutex<world::World>,
    faults: Mutex<faults::Faults>,
    record: Mutex<record::Record>,
    oidc: Mutex<oidc::Provider>,
    relay: Option<relay::Relay>,
}

impl Sandbox {
    fn new(config: Config) -> Self {
        let now = config.clock.now();
        let mut world = world::World::empty(config.seed, config.speed, now);
        let standing = world.furnish(&config.fixtures, config.cleanup_ms);
        Self {
            world: Mutex::new(world),
            faults: Mutex::new(faults::Faults::new(standing)),
            record: Mutex::new(record::Record::default()),
            oidc: Mutex::new(oidc::Provider::new()),
            relay: config.upstream.clone().map(relay::Relay::new),
            config,
        }
    }

    /// Milliseconds since the epoch.
    fn now(&self) -> i64 {
        self.config.clock.now()
    }
}

/// Locks; a panic of another request leaves the data usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The whole sandbox, ready to be asked, with or without a socket.
pub fn app(config: Config) -> Router {
    let sandbox = Arc::new(Sandbox::new(config));
    let relayed = sandbox.relay.is_some();
    let mut router = Router::new();
    if relayed {
        router = router
            .route("/v1/{*rest}", any(relay::pass_on))
            .route("/config.json", get(relay::config));
    } else {
        router = router
            .route("/v1/{*rest}", any(v1::handle))
            .route("/files/{*rest}", get(v1::file))
            .nest("/oidc", oidc::routes())
            .nest("/sandbox", control::routes());
    }
    router
        .route("/sandbox/health", get(control::health))
        .fallback(site::serve)
        .with_state(sandbox)
}
