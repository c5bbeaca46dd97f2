//! Calls that misbehave on purpose (`resim-api.md` B.9).
//!
//! A rule matches by method and by a part of the path, so that faults of one
//! batch never disturb another. Standing rules belong to the fault projects;
//! counted ones come from `POST /sandbox/faults` and wear off.

use std::collections::HashMap;

use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The connection is closed; nothing is done.
    Drop,
    /// The call is carried out, then the connection is closed.
    DropAfterApply,
    /// The connection is closed at once, the call is carried out later.
    LateApply(u64),
    /// Nothing is ever answered.
    Silence,
    /// The call is carried out, nothing is ever answered.
    SilenceAfterApply,
    /// The call is carried out, its answer comes late.
    Latency(u64),
    /// A JSON error of this status; nothing is done.
    Status(u16),
    /// 429, with `Retry-After` in seconds if any.
    Throttled(Option<u64>),
    /// An HTML page of this status, as gateways send it; nothing is done.
    Html(u16),
    /// The call is carried out, the gateway answers 502.
    BadGatewayAfterApply,
    /// The same, without the headers that let another origin read it: a browser
    /// only says that the call failed.
    BadGatewayWithoutCors,
    /// Reads are answered as they were when the fault first struck them, as by
    /// a replica that lags behind.
    Stale,
    /// A page after the first lacks its first item, as when the list shrank
    /// while it was read.
    ShiftedPage,
    /// 204 without a body.
    Empty,
    /// The first half of the answer.
    Truncated,
    /// The headers and half of the body, then the connection is closed.
    Cut,
    /// The right JSON as `text/plain`.
    WrongType,
    /// JSON of a shape that nobody expects.
    Garbage,
    /// JSON nested 100,000 levels deep.
    Deep,
    /// 32 MiB of white space before the answer.
    Huge,
    /// Every page names the first page as the next.
    RepeatToken,
    /// The right answer, with headers that act on more than it.
    Overreach,
}

impl Kind {
    /// The name by which the control API knows a fault.
    fn parse(name: &str, input: &FaultInput) -> Option<Self> {
        Some(match name {
            "drop" => Self::Drop,
            "drop_after_apply" => Self::DropAfterApply,
            "late_apply_ms" => Self::LateApply(input.ms.unwrap_or(1_000)),
            "silence" => Self::Silence,
            "silence_after_apply" => Self::SilenceAfterApply,
            "latency_ms" => Self::Latency(input.ms.unwrap_or(1_000)),
            "429" => Self::Throttled(input.retry_after),
            "503_html" => Self::Html(503),
            "200_html" => Self::Html(200),
            "502_after_apply" => Self::BadGatewayAfterApply,
            "502_no_cors_after_apply" => Self::BadGatewayWithoutCors,
            "stale" => Self::Stale,
            "shifted_page" => Self::ShiftedPage,
            "empty_204" => Self::Empty,
            "truncated" => Self::Truncated,
            "cut" => Self::Cut,
            "wrong_type" => Self::WrongType,
            "garbage" => Self::Garbage,
            "deep" => Self::Deep,
            "huge" => Self::Huge,
            "repeat_token" => Self::RepeatToken,
            "overreach" => Self::Overreach,
            number => {
                let status = number.parse::<u16>().ok()?;
                (400..600)
                    .contains(&status)
                    .then_some(Self::Status(status))?
            }
        })
    }
}

/// The body of `POST /sandbox/faults`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultInput {
    #[serde(default)]
    method: String,
    path_contains: String,
    #[serde(default = "once")]
    times: u32,
    /// How many matching calls pass before the fault begins.
    #[serde(default)]
    after: u32,
    fault: Value,
    #[serde(default)]
    ms: Option<u64>,
    #[serde(default)]
    retry_after: Option<u64>,
}

const fn once() -> u32 {
    1
}

/// Which calls misbehave, and how.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    method: String,
    path_contains: String,
    /// `None`: for ever.
    left: Option<u32>,
    skip: u32,
    kind: Kind,
}

impl Rule {
    /// A rule that never wears off. An empty method means any.
    pub(crate) fn standing(method: &str, path_contains: &str, kind: Kind) -> Self {
        Self {
            method: method.to_owned(),
            path_contains: path_contains.to_owned(),
            left: None,
            skip: 0,
            kind,
        }
    }
}

/// All rules, and those of the control API first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    standing: Vec<Rule>,
    counted: Vec<Rule>,
    /// What [`Kind::Stale`] answers, by path and query.
    pictures: HashMap<String, Bytes>,
}

impl Faults {
    /// Only the standing rules of the fault projects.
    pub(crate) fn new(standing: Vec<Rule>) -> Self {
        Self {
            standing,
            ..Self::default()
        }
    }

    /// Adds a counted rule.
    ///
    /// # Errors
    ///
    /// A sentence about an unknown fault.
    pub(crate) fn add(&mut self, input: &FaultInput) -> Result<(), String> {
        let name = match &input.fault {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        let kind = Kind::parse(&name, input).ok_or_else(|| format!("Unknown fault {name:?}."))?;
        if kind == Kind::Stale {
            self.forget_pictures(&input.path_contains);
        }
        self.counted.push(Rule {
            method: input.method.to_uppercase(),
            path_contains: input.path_contains.clone(),
            left: Some(input.times),
            skip: input.after,
            kind,
        });
        Ok(())
    }

    /// The old answer to a read, if there is one.
    pub(crate) fn picture(&self, path: &str) -> Option<Bytes> {
        self.pictures.get(path).cloned()
    }

    /// Keeps an answer, to be given again.
    pub(crate) fn keep_picture(&mut self, path: &str, answer: &Bytes) {
        self.pictures.insert(path.to_owned(), answer.clone());
    }

    fn forget_pictures(&mut self, path_contains: &str) {
        self.pictures
            .retain(|path, _| !path.contains(path_contains));
    }

    /// Removes the counted rules, all or those of a path.
    pub(crate) fn clear(&mut self, path_contains: Option<&str>) {
        self.counted
            .retain(|rule| path_contains.is_some_and(|part| !rule.path_contains.contains(part)));
    }

    /// The fault of this call, if any; counts it.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Kind> {
        let matches = |rule: &Rule| {
            (rule.method.is_empty() || rule.method == method) && path.contains(&rule.path_contains)
        };
        for rule in self.counted.iter_mut().filter(|rule| matches(rule)) {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            match &mut rule.left {
                Some(0) => {}
                Some(left) => {
                    *left -= 1;
                    return Some(rule.kind);
                }
                None => return Some(rule.kind),
            }
        }
        // The narrowest standing rule wins.
        self.standing
            .iter()
            .filter(|rule| matches(rule))
            .max_by_key(|rule| rule.path_contains.len())
            .map(|rule| rule.kind)
    }

    /// The counted rules as JSON.
    pub(crate) fn list(&self) -> Value {
        self.counted
            .iter()
            .map(|rule| {
                json!({
                    "method": rule.method,
                    "path_contains": rule.path_contains,
                    "left": rule.left,
                    "fault": format!("{:?}", rule.kind),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> FaultInput {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_counted_fault_strikes_so_often_and_only_on_its_path() {
        let mut faults = Faults::default();
        faults
            .add(&input(
                r#"{"method":"post","path_contains":"/b1/","times":2,"fault":"409"}"#,
            ))
            .unwrap();
        assert_eq!(faults.strike("GET", "/b1/rerun"), None);
        assert_eq!(faults.strike("POST", "/b2/rerun"), None);
        assert_eq!(faults.strike("POST", "/b1/rerun"), Some(Kind::Status(409)));
        assert_eq!(faults.strike("POST", "/b1/rerun"), Some(Kind::Status(409)));
        assert_eq!(faults.strike("POST", "/b1/rerun"), None);
    }

    #[test]
    fn a_fault_can_wait_for_some_calls_to_pass() {
        let mut faults = Faults::default();
        faults
            .add(&input(r#"{"path_contains":"/x","after":2,"fault":500}"#))
            .unwrap();
        let struck: Vec<_> = (0..4)
            .map(|_| faults.strike("GET", "/x").is_some())
            .collect();
        assert_eq!(struck, [false, false, true, false]);
    }

    #[test]
    fn an_unknown_fault_is_refused() {
        let mut faults = Faults::default();
        for name in ["nonsense", "200", "999"] {
            let text = format!(r#"{{"path_contains":"/","fault":"{name}"}}"#);
            assert!(faults.add(&input(&text)).is_err());
        }
    }
}
