//! `config.json`: the environments that people can sign in to. The only source
//! of API and issuer addresses; no link can change them. Every field is
//! described in `docs/configuration.md`.

use std::{fmt, time::Duration};

use serde_json::{Map, Value};

use crate::{
    domain::{
        GoDuration,
        address::{self, Address},
        text::clean_line,
    },
    rerun::{Limits, MOST_SETTLE},
};

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
/// The least that is waited in a sandbox, whatever for.
const LEAST: Duration = Duration::from_secs(1);
/// The least `busy_window` elsewhere: three tries, as in the CLI (`resim-api.md` §5).
const LEAST_BUSY: Duration = Duration::from_mins(1);
const MOST_BUSY: Duration = Duration::from_hours(24);
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
            .map(|(n, value)| environment(&format!("environments[{n}]"), value, &mut errors))
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

fn environment(at: &str, value: &Value, errors: &mut Vec<ConfigError>) -> Environment {
    let empty = Map::new();
    let object = value.as_object().unwrap_or_else(|| {
        errors.push(problem(at, "must be an object with name and api"));
        &empty
    });
    for name in object
        .keys()
        .filter(|name| !FIELDS.contains(&name.as_str()))
    {
        errors.push(problem(
            format!("{at}.{name}"),
            format!(
                "is no field of an environment; the fields are {}",
                FIELDS.join(", ")
            ),
        ));
    }
    let mut text = |name: &str| match object.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(_) => {
            errors.push(problem(
                format!("{at}.{name}"),
                "must be a text that is not empty",
            ));
            None
        }
    };
    let name = text("name");
    let api = text("api");
    let issuer = text("issuer");
    let client_id = text("client_id");
    let device_client_id = text("device_client_id");
    let audience = text("audience");
    let scopes = text("scopes");
    let app = text("app");
    let min_poll = text("min_poll_every");
    let settle = text("settle_window");
    let busy = text("busy_window");

    let mut flag = |name: &str| match object.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => {
            errors.push(problem(
                format!("{at}.{name}"),
                "must be true or false, without quotes",
            ));
            false
        }
    };
    let ask_person = flag("ask_person");
    let sandbox = flag("sandbox");

    let mut complain =
        |name: &str, what: String| errors.push(problem(format!("{at}.{name}"), what));
    if value.is_object() {
        for (field, value) in [("name", &name), ("api", &api)] {
            if value.is_none() && object.get(field).is_none_or(Value::is_null) {
                complain(field, "is missing".into());
            }
        }
    }
    for (field, address) in [("api", &api), ("issuer", &issuer), ("app", &app)] {
        if let Some(address) = address
            && let Err(why) = check_address(address)
        {
            complain(field, why);
        }
    }
    for (field, id) in [
        ("client_id", &client_id),
        ("device_client_id", &device_client_id),
    ] {
        // The standard allows spaces, but no provider gives such a one (RFC 6749, A.1).
        if id
            .as_ref()
            .is_some_and(|id| id.contains(char::is_whitespace))
        {
            let why = "has white space: write the ID alone, as the provider gave it";
            complain(field, why.into());
        }
    }
    let has_client = client_id.is_some() || device_client_id.is_some();
    if issuer.is_some() && !has_client {
        complain(
            "client_id",
            "is missing: an issuer needs the client ID that is registered there".into(),
        );
    }
    if has_client && issuer.is_none() {
        complain(
            "issuer",
            "is missing: a client ID alone cannot sign anybody in".into(),
        );
    }
    let mut duration = |name: &str, text: Option<String>, least: Duration, most: Duration| {
        let text = text?;
        let why = match GoDuration::parse(&text).map(GoDuration::to_std) {
            Ok(Some(duration)) if (least..=most).contains(&duration) => return Some(duration),
            Ok(Some(duration)) if duration > most => {
                format!("must be at most {}", GoDuration::from_std(most))
            }
            Ok(_) if least > LEAST => format!(
                "must be at least {}, or tests may run twice or not at all: only beside \
                 \"sandbox\": true may it be shorter",
                GoDuration::from_std(least)
            ),
            Ok(_) => format!("must be at least {}", GoDuration::from_std(least)),
            Err(error) => format!("must be a duration such as \"30s\": {error}"),
        };
        complain(name, why);
        None
    };
    let least = |elsewhere: Duration| if sandbox { LEAST } else { elsewhere };
    let least_settle = least(Limits::default().settle);
    let min_poll_every = duration("min_poll_every", min_poll, LEAST, Duration::MAX);
    let settle_window = duration("settle_window", settle, least_settle, MOST_SETTLE);
    let busy_window = duration("busy_window", busy, least(LEAST_BUSY), MOST_BUSY);
    let api = api.unwrap_or_default();
    Environment {
        name: name.unwrap_or_default(),
        api: if api.ends_with('/') {
            api
        } else {
            format!("{api}/")
        },
        issuer,
        client_id,
        device_client_id,
        audience,
        scopes: scopes.unwrap_or_else(|| SCOPES.into()),
        app,
        min_poll_every: min_poll_every.unwrap_or(MIN_POLL),
        settle_window,
        busy_window,
        ask_person,
        sandbox,
    }
}

/// Absolute by https, by http on this machine only, or relative to the site.
fn check_address(text: &str) -> Result<(), String> {
    let fix = "write an https:// address, or one that begins with / for this site itself";
    let rest = if text.starts_with('/') && !text.starts_with("//") {
        address::check_characters(text)
            .map_err(|what| format!("must not contain {what}: {fix}"))?;
        text
    } else {
        let it = Address::parse(text).map_err(|why| format!("is no address: it {why}: {fix}"))?;
        if !it.is_secure && !it.is_local() {
            return Err(format!("http would send tokens in the clear: {fix}"));
        }
        it.rest
    };
    if rest.contains(['?', '#']) {
        return Err("must end with its path, without ? and #".into());
    }
    if rest.split('/').any(|part| matches!(part, "." | "..")) || rest.contains("//") {
        return Err("must have a plain path, without //, /./ and /../".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        Config::parse(text)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_smallest_configuration_has_sensible_defaults() {
        let config =
            Config::parse(r#"{"environments":[{"name":"P","api":"https://api.resim.ai/v1"}]}"#)
                .unwrap();
        assert_eq!(
            config.environments,
            [Environment {
                name: "P".into(),
                api: "https://api.resim.ai/v1/".into(),
                ..Environment::default()
            }]
        );
    }

    #[test]
    fn every_field_is_read() {
        let config = Config::parse(
            r#"{"environments":[{"name":"S","api":"/v1/","issuer":"/oidc","client_id":"c","device_client_id":"d",
                "audience":"a","scopes":"openid","app":"https://app.resim.ai",
                "min_poll_every":"1s","settle_window":"20s","busy_window":"1m","ask_person":true,
                "sandbox":true}]}"#,
        )
        .unwrap();
        let it = &config.environments[0];
        assert_eq!(it.min_poll_every, Duration::from_secs(1));
        let limits = it.limits();
        assert_eq!(limits.settle, Duration::from_secs(20));
        assert_eq!(limits.busy_window, Duration::from_mins(1));
        assert!(limits.ask_person);
        assert!(it.ask_person && it.sandbox);
        assert_eq!(
            (it.issuer.as_deref(), it.scopes.as_str()),
            (Some("/oidc"), "openid")
        );
    }

    #[test]
    fn a_window_that_is_not_safe_is_a_sandbox_s_only() {
        let text = |field: &str, window: &str, sandbox: bool| {
            format!(
                r#"{{"environments":[{{"name":"x","api":"/v1","{field}":"{window}","sandbox":{sandbox}}}]}}"#
            )
        };
        for (field, window, in_sandbox, elsewhere) in [
            ("settle_window", "999ms", false, false),
            ("settle_window", "1s", true, false),
            ("settle_window", "1m34s", true, false),
            ("settle_window", "1m35s", true, true),
            ("settle_window", "15m", true, true),
            ("settle_window", "15m1s", false, false),
            ("busy_window", "1s", true, false),
            ("busy_window", "1m", true, true),
            ("busy_window", "24h", true, true),
            ("busy_window", "25h", false, false),
        ] {
            for (sandbox, is_taken) in [(true, in_sandbox), (false, elsewhere)] {
                let read = Config::parse(&text(field, window, sandbox));
                assert_eq!(
                    read.is_ok(),
                    is_taken,
                    "{field} {window} {sandbox}: {read:?}"
                );
            }
        }
        let why = Config::parse(&text("settle_window", "20s", false)).unwrap_err();
        assert_eq!(
            why[0].to_string(),
            "environments[0].settle_window: must be at least 1m35s, or tests may run twice or not \
             at all: only beside \"sandbox\": true may it be shorter"
        );
    }

    #[test]
    fn every_problem_names_its_field() {
        for (text, field) in [
            ("{", "config.json"),
            ("{}", "environments"),
            (r#"{"environments":[]}"#, "environments"),
            (r#"{"environments":[7]}"#, "environments[0]"),
            (
                r#"{"environments":[{"api":"/v1/"}]}"#,
                "environments[0].name",
            ),
            (r#"{"environments":[{"name":"x"}]}"#, "environments[0].api"),
            (
                r#"{"environments":[{"name":"x","api":7}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"api.resim.ai"}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"http://api.resim.ai"}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"//evil"}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1/","issuer":"/oidc","client_id":"the ID that ReSim gave"}]}"#,
                "environments[0].client_id",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1/","issuer":"/oidc","device_client_id":"a\tb"}]}"#,
                "environments[0].device_client_id",
            ),
            (
                r#"{"environments":[{"name":"x","api":"http://localhost:80@evil.example/"}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"https://a.example/v1?x=1"}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1/../v2"}]}"#,
                "environments[0].api",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1","issuer":"/o"}]}"#,
                "environments[0].client_id",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1","client_id":"c"}]}"#,
                "environments[0].issuer",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1","min_poll_every":"0s"}]}"#,
                "environments[0].min_poll_every",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1","ask_person":"yes"}]}"#,
                "environments[0].ask_person",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1","settle_window":"soon"}]}"#,
                "environments[0].settle_window",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/v1","clientid":"c"}]}"#,
                "environments[0].clientid",
            ),
            (
                r#"{"environments":[{"name":"x","api":"/a"},{"name":"x","api":"/b"}]}"#,
                "environments[1].name",
            ),
        ] {
            let errors = errors(text);
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(
                errors[0].starts_with(&format!("{field}: ")),
                "{text}: {errors:?}"
            );
        }
    }

    #[test]
    fn several_problems_are_told_at_once() {
        let all = errors(
            r#"{"environments":[{"name":"","api":"x"},{"name":"b","api":"/v1","app":"y"}]}"#,
        );
        assert_eq!(all.len(), 3, "{all:?}");
    }

    #[test]
    fn a_way_to_sign_in_is_offered_only_where_issuer_and_client_are_known() {
        let (issuer, client) = (Some("https://p.example".to_owned()), Some("c".to_owned()));
        for (issuer, client_id, device_client_id, offered) in [
            (None, None, None, (false, false)),
            (issuer.clone(), None, None, (false, false)),
            (None, client.clone(), client.clone(), (false, false)),
            (issuer.clone(), client.clone(), None, (true, false)),
            (issuer.clone(), None, client.clone(), (false, true)),
            (issuer, client.clone(), client, (true, true)),
        ] {
            let it = Environment {
                issuer,
                client_id,
                device_client_id,
                ..Environment::default()
            };
            assert_eq!((it.has_redirect(), it.has_device_code()), offered, "{it:?}");
        }
    }

    #[test]
    fn an_id_token_is_asked_for_by_the_very_word_among_the_scopes() {
        let asks = |scopes: &str| {
            Environment {
                scopes: scopes.into(),
                ..Environment::default()
            }
            .asks_openid()
        };
        assert!(asks("offline_access openid"));
        assert!(!asks("offline_access openid-like"));
        assert!(!asks(""));
    }

    #[test]
    fn a_field_beside_the_environments_is_named_as_none() {
        assert_eq!(
            errors(r#"{"environments":[{"name":"P","api":"/v1/"}],"theme":"dark"}"#),
            ["theme: is not a field: the only one here is environments"]
        );
    }
}
