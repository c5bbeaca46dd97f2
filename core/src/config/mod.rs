//! `config.json`: the environments that people can sign in to. The only source
//! of API and issuer addresses; no link can change them. Every field is
//! described in `docs/configuration.md`; `fields` reads them.

mod fields;

use std::{fmt, time::Duration};

use serde_json::{Map, Value};

use crate::{domain::text::clean_line, rerun::Limits};

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// At least one; the first is chosen unless a person chooses another.
    pub environments: Vec<Environment>,
}

/// One ReSim API with its sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// What people choose it by.
    pub name: String,
    /// Base of the API, with `/v1/`: absolute, or relative to the site.
    pub api: String,
    /// The OpenID Connect issuer; without one, only a pasted token signs in.
    pub issuer: Option<String>,
    /// The client ID that is registered for this site.
    pub client_id: Option<String>,
    /// The client ID for signing in with a code on another device (RFC 8628).
    pub device_client_id: Option<String>,
    /// The API's name at the provider.
    pub audience: Option<String>,
    /// Scopes to ask for, separated by spaces.
    pub scopes: String,
    /// Origin of the ReSim app, for links. `None`: guessed from the API.
    pub app: Option<String>,
    /// The smallest `poll-every` that the supervise form accepts.
    pub min_poll_every: Duration,
    /// How long the outcome of a POST without an answer stays open.
    pub settle_window: Option<Duration>,
    /// How long a rerun that the platform answers with 409 is tried again.
    pub busy_window: Option<Duration>,
    /// Strict: after that window a person says whether a rerun of which nothing
    /// is seen was applied, instead of it counting as not applied.
    pub ask_person: bool,
    /// No robot depends on what runs there: windows may be too short to be safe.
    pub sandbox: bool,
}

/// Poll interval below which a real API is not asked (`resim-api.md` §9, 13).
const MIN_POLL: Duration = Duration::from_secs(10);
/// The longest words on one problem: they may quote the file.
const PROBLEM_CHARS: usize = 400;
/// What a sign-in asks for unless configured otherwise.
const SCOPES: &str = "openid profile email offline_access";

impl Default for Environment {
    fn default() -> Self {
        Self {
            name: String::new(),
            api: String::new(),
            issuer: None,
            client_id: None,
            device_client_id: None,
            audience: None,
            scopes: SCOPES.into(),
            app: None,
            min_poll_every: MIN_POLL,
            settle_window: None,
            busy_window: None,
            ask_person: false,
            sandbox: false,
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The field, such as `environments[0].api`.
    pub field: String,
    /// What is wrong with it and how to mend it.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

impl Environment {
    /// Whether people can sign in by the provider's page.
    pub fn has_redirect(&self) -> bool {
        self.issuer.is_some() && self.client_id.is_some()
    }

    /// Whether people can sign in with a code on another device.
    pub fn has_device_code(&self) -> bool {
        self.issuer.is_some() && self.device_client_id.is_some()
    }

    /// The bounds of a rerun here.
    pub fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            settle: self.settle_window.unwrap_or(usual.settle),
            busy_window: self.busy_window.unwrap_or(usual.busy_window),
            ask_person: self.ask_person,
            ..usual
        }
    }

    /// Whether a sign-in asks for an ID token.
    pub fn asks_openid(&self) -> bool {
        self.scopes.split(' ').any(|it| it == "openid")
    }
}

/// The fields of an environment, described in `docs/configuration.md`.
pub const FIELDS: [&str; 13] = [
    "name",
    "api",
    "issuer",
    "client_id",
    "device_client_id",
    "audience",
    "scopes",
    "app",
    "min_poll_every",
    "settle_window",
    "busy_window",
    "ask_person",
    "sandbox",
];

impl Config {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// Everything that is wrong, each with its field and the fix.
    pub fn parse(text: &str) -> Result<Self, Vec<ConfigError>> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            vec![problem(
                "config.json",
                format!("is not valid JSON: {error}"),
            )]
        })?;
        let Some(list) = value.get("environments").and_then(Value::as_array) else {
            return Err(vec![problem(
                "environments",
                "is missing: list at least one",
            )]);
        };
        if list.is_empty() {
            return Err(vec![problem("environments", "is empty: list at least one")]);
        }
        let names = value.as_object().into_iter().flat_map(Map::keys);
        let mut errors: Vec<ConfigError> = names
            .filter(|name| *name != "environments")
            .map(|name| problem(name, "is not a field: the only one here is environments"))
            .collect();
        let environments: Vec<Environment> = list
            .iter()
            .enumerate()
            .map(|(n, value)| {
                fields::environment(&format!("environments[{n}]"), value, &mut errors)
            })
            .collect();
        for (n, it) in environments.iter().enumerate() {
            if environments[..n].iter().any(|other| other.name == it.name) {
                errors.push(problem(
                    format!("environments[{n}].name"),
                    format!("{} is taken: give each environment its own name", it.name),
                ));
            }
        }
        if errors.is_empty() {
            Ok(Self { environments })
        } else {
            Err(errors)
        }
    }
}

fn problem(field: impl Into<String>, problem: impl Into<String>) -> ConfigError {
    ConfigError {
        field: clean_line(&field.into(), PROBLEM_CHARS),
        problem: clean_line(&problem.into(), PROBLEM_CHARS),
    }
}

#[cfg(test)]
mod tests;
