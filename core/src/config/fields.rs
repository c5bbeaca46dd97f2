//! Reads the fields of one environment. Nothing is read without being checked, and all
//! that is wrong is collected, so that a file is mended in one go.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{ConfigError, Environment, FIELDS, MIN_POLL, SCOPES, problem};
use crate::{
    domain::{
        GoDuration,
        address::{self, Address},
    },
    rerun::{Limits, MOST_SETTLE},
};

/// The least that is waited in a sandbox, whatever for.
const LEAST: Duration = Duration::from_secs(1);
/// The least `busy_window` elsewhere: three tries, as in the CLI (`resim-api.md` §5).
const LEAST_BUSY: Duration = Duration::from_mins(1);
const MOST_BUSY: Duration = Duration::from_hours(24);

/// The environment that stands `at` this place of the file.
pub(super) fn environment(at: &str, value: &Value, errors: &mut Vec<ConfigError>) -> Environment {
    let mut fields = Fields::of(at, value, errors);
    let name = fields.text("name");
    let api = fields.text("api");
    let issuer = fields.text("issuer");
    let client_id = fields.text("client_id");
    let device_client_id = fields.text("device_client_id");
    let audience = fields.text("audience");
    let scopes = fields.text("scopes");
    let app = fields.text("app");
    let min_poll = fields.text("min_poll_every");
    let settle = fields.text("settle_window");
    let busy = fields.text("busy_window");
    let ask_person = fields.flag("ask_person");
    let sandbox = fields.flag("sandbox");
    fields.require("name");
    fields.require("api");
    fields.check_address("api", api.as_deref());
    fields.check_address("issuer", issuer.as_deref());
    fields.check_address("app", app.as_deref());
    fields.check_sign_in(
        issuer.as_deref(),
        client_id.as_deref(),
        device_client_id.as_deref(),
    );
    let least = |elsewhere: Duration| if sandbox { LEAST } else { elsewhere };
    let least_settle = least(Limits::default().settle);
    let min_poll_every = fields.duration("min_poll_every", min_poll, LEAST, Duration::MAX);
    let settle_window = fields.duration("settle_window", settle, least_settle, MOST_SETTLE);
    let busy_window = fields.duration("busy_window", busy, least(LEAST_BUSY), MOST_BUSY);
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

/// The fields of one environment, and what is wrong with them.
struct Fields<'a> {
    at: &'a str,
    /// `None`: it is no object, and has been refused for that.
    object: Option<&'a Map<String, Value>>,
    errors: &'a mut Vec<ConfigError>,
}

impl<'a> Fields<'a> {
    fn of(at: &'a str, value: &'a Value, errors: &'a mut Vec<ConfigError>) -> Self {
        let object = value.as_object();
        if object.is_none() {
            errors.push(problem(at, "must be an object with name and api"));
        }
        let mut it = Self { at, object, errors };
        let names = object.into_iter().flat_map(Map::keys);
        for name in names.filter(|name| !FIELDS.contains(&name.as_str())) {
            let fields = FIELDS.join(", ");
            it.complain(
                name,
                format!("is no field of an environment; the fields are {fields}"),
            );
        }
        it
    }

    fn complain(&mut self, name: &str, what: impl Into<String>) {
        self.errors
            .push(problem(format!("{}.{name}", self.at), what));
    }

    /// What stands there; `null` is nothing.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => {
                self.complain(name, "must be a text that is not empty");
                None
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(on)) => *on,
            Some(_) => {
                self.complain(name, "must be true or false, without quotes");
                false
            }
        }
    }

    fn require(&mut self, name: &str) {
        if self.object.is_some() && self.get(name).is_none() {
            self.complain(name, "is missing");
        }
    }

    fn check_address(&mut self, name: &str, address: Option<&str>) {
        if let Some(Err(why)) = address.map(check_address) {
            self.complain(name, why);
        }
    }

    /// An issuer and a client ID sign people in only together.
    fn check_sign_in(
        &mut self,
        issuer: Option<&str>,
        client_id: Option<&str>,
        device_client_id: Option<&str>,
    ) {
        for (name, id) in [
            ("client_id", client_id),
            ("device_client_id", device_client_id),
        ] {
            // The standard allows spaces, but no provider gives such a one (RFC 6749, A.1).
            if id.is_some_and(|id| id.contains(char::is_whitespace)) {
                let why = "has white space: write the ID alone, as the provider gave it";
                self.complain(name, why);
            }
        }
        let has_client = client_id.is_some() || device_client_id.is_some();
        if issuer.is_some() && !has_client {
            self.complain(
                "client_id",
                "is missing: an issuer needs the client ID that is registered there",
            );
        }
        if has_client && issuer.is_none() {
            self.complain(
                "issuer",
                "is missing: a client ID alone cannot sign anybody in",
            );
        }
    }

    fn duration(
        &mut self,
        name: &str,
        text: Option<String>,
        least: Duration,
        most: Duration,
    ) -> Option<Duration> {
        let why = match GoDuration::parse(&text?).map(GoDuration::to_std) {
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
        self.complain(name, why);
        None
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
