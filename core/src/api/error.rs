//! What can go wrong with a call, by what it means to the caller.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::domain::text;

/// The message of a call that failed while the browser knew that it is offline, in the
/// place of its own words.
pub const OFFLINE: &str = "this computer is offline";

/// A call that failed: which one, what it means, and the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What the call was doing: follows "could not".
    pub what: String,
    /// What the failure means.
    pub kind: ErrorKind,
    /// The HTTP status, where one arrived.
    pub status: Option<u16>,
    /// The server's message, else the first characters of its text, else the
    /// browser's words: one line, made safe to read where the error is made.
    #[serde(default, deserialize_with = "text::stored_line")]
    pub message: Option<String>,
    /// The wait that the server asked for in `Retry-After`, where a browser
    /// lets us read it; 1 s to 15 min.
    pub retry_after: Option<Duration>,
}

/// What a failed call means to its caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// No answer arrived: offline, connection dropped, or blocked by CORS; a
    /// browser does not say which. A POST may have been applied.
    Unreachable,
    /// No answer in time. A POST may have been applied.
    TimedOut,
    /// No token to ask with: the one at hand has ended or was refused and the
    /// sign-in provider does not answer, or it is another session's by now.
    /// Nothing was applied.
    NoToken,
    /// 401: the token is missing, expired or refused. Nothing was applied.
    SignedOut,
    /// 403: signed in, but not allowed. Nothing was applied.
    Forbidden,
    /// 404: no such thing, or no access to it. Nothing was applied.
    NotFound,
    /// 409: the platform is still cleaning up, or something runs. Nothing was
    /// applied by this answer's request.
    Busy,
    /// 429: too many requests. Nothing was applied.
    Throttled,
    /// Any other 4xx: the server refused the request as it is. Nothing was applied.
    Refused,
    /// 5xx: the server failed. A POST may have been applied.
    Server,
    /// A success that cannot be read: wrong type, broken JSON, too large, a
    /// page token that repeats. A POST may have been applied.
    Unreadable,
    /// The caller gave up: the page was left. Not shown.
    Aborted,
}

impl ErrorKind {
    /// Whether the same read may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::TimedOut
                | Self::NoToken
                | Self::Throttled
                | Self::Server
                | Self::Unreadable
        )
    }

    /// Whether a POST that ended like this may have been applied (`design.md` §3, rule 2).
    pub fn leaves_post_unknown(&self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::TimedOut | Self::Server | Self::Unreadable | Self::Aborted
        )
    }
}

impl ApiError {
    /// A failure without an HTTP status; makes the message safe to read.
    pub fn new(what: impl Into<String>, kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self {
            what: what.into(),
            kind,
            status: None,
            message: Some(text::clean_line(message.as_ref(), text::MESSAGE_CHARS)),
            retry_after: None,
        }
    }

    /// Whether the same read may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// One sentence fragment: what failed, why, and the server's own words. `whom`
    /// is who was asked, if not the API.
    pub fn words(&self, whom: &str) -> String {
        let why = match &self.kind {
            ErrorKind::Unreachable if self.is_offline() => OFFLINE,
            ErrorKind::Unreachable => {
                "no answer from the API (offline, dropped, or blocked by CORS)"
            }
            ErrorKind::TimedOut => "no answer in time",
            ErrorKind::NoToken => "there is no token to ask with at the moment",
            ErrorKind::SignedOut => "the sign-in has expired or was refused",
            ErrorKind::Forbidden => "this account is not allowed to",
            ErrorKind::NotFound => "not found, or no access to it",
            ErrorKind::Busy => "the platform is busy with this batch",
            ErrorKind::Throttled => "too many requests",
            ErrorKind::Refused => "the API refused the request",
            ErrorKind::Server => "the API failed",
            ErrorKind::Unreadable => "the answer cannot be read",
            ErrorKind::Aborted => "given up",
        };
        let mut words = format!("could not {}: {}", self.what, why.replace("the API", whom));
        if let Some(status) = self.status {
            words += &format!(" (HTTP {status})");
        }
        let message = self.message.as_deref().filter(|_| !self.is_offline());
        if let Some(message) = message.filter(|it| !it.is_empty()) {
            words += ": ";
            words += message;
        }
        words
    }

    /// Whether the browser knew that it is offline when the call failed.
    fn is_offline(&self) -> bool {
        self.message.as_deref() == Some(OFFLINE)
    }

    /// Adds what may be behind an API on another origin that has never
    /// answered: a browser says the same when it is down and when it does not
    /// allow the site (CORS), so both are named, and the way out.
    #[must_use]
    pub fn perhaps_not_allowed(mut self, api: &str, site: &str) -> Self {
        let is_elsewhere = api.contains("://") && !api.starts_with(&format!("{site}/"));
        if self.kind == ErrorKind::Unreachable && is_elsewhere && !self.is_offline() {
            let said = self.message.take().unwrap_or_default();
            self.message = Some(format!(
                "{said}. Either {api} cannot be reached from here, or it does not allow this site, \
                 {site}, to call it (CORS). The one who hosts this site can relay the API through \
                 it: docs/hosting.md, \"The relay\""
            ));
        }
        self
    }
}

impl fmt::Display for ApiError {
    /// Of a call of the API.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words("the API"))
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_is_offline_says_that_alone() {
        let error = ApiError::new("read the batch", ErrorKind::Unreachable, OFFLINE);
        let said = "could not read the batch: this computer is offline";
        assert_eq!(error.to_string(), said);
        let elsewhere = error.perhaps_not_allowed("https://api.example", "https://site.example");
        assert_eq!(elsewhere.to_string(), said);
    }

    #[test]
    fn whoever_was_asked_is_named() {
        let mut error = ApiError::new("reach it", ErrorKind::Unreachable, "Failed to fetch");
        let words = |whom: &str| {
            format!(
                "could not reach it: no answer from {whom} (offline, dropped, or blocked by CORS): \
                 Failed to fetch"
            )
        };
        assert_eq!(error.words("the provider"), words("the provider"));
        assert_eq!(error.to_string(), words("the API"));
        // What did not leave for want of a token is nobody's silence but the provider's.
        error.kind = ErrorKind::NoToken;
        error.message = Some("the sign-in provider does not answer".into());
        assert_eq!(
            error.to_string(),
            "could not reach it: there is no token to ask with at the moment: the sign-in provider \
             does not answer"
        );
        error.kind = ErrorKind::Server;
        error.status = Some(503);
        error.message = None;
        assert_eq!(
            error.to_string(),
            "could not reach it: the API failed (HTTP 503)"
        );
    }

    #[test]
    fn only_an_api_elsewhere_that_gave_no_answer_may_not_allow_the_site() {
        let site = "https://retake.example";
        let words = |kind, api: &str| {
            let error = ApiError::new("read", kind, "Failed to fetch");
            error.perhaps_not_allowed(api, site).to_string()
        };
        let elsewhere = words(ErrorKind::Unreachable, "https://api.example/v1/");
        assert!(elsewhere.contains("does not allow this site, https://retake.example,"));
        assert!(elsewhere.contains("docs/hosting.md"));
        for (kind, api) in [
            (ErrorKind::Unreachable, "/v1/"),
            (ErrorKind::Unreachable, "https://retake.example/v1/"),
            (ErrorKind::Server, "https://api.example/v1/"),
            (ErrorKind::NoToken, "https://api.example/v1/"),
        ] {
            assert!(!words(kind, api).contains("CORS). The one"), "{api}");
        }
        let lookalike = words(ErrorKind::Unreachable, "https://retake.example.evil/v1/");
        assert!(lookalike.contains("does not allow"));
    }
}
