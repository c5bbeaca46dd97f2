//! From an HTTP answer to a value or an [`ApiError`] (`resim-api.md` §2.1, §4).

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};

use super::{Answer, ApiError, ErrorKind};
use crate::domain::{Timestamp, text::clean_line};

/// Longest part of a server's own words that is kept, in characters.
const MESSAGE_CHARS: usize = 300;

/// The JSON of a success.
///
/// # Errors
/// The status is not `success`, the body is not labelled as JSON, or it does
/// not have the shape of `T`.
pub(super) fn json<T: DeserializeOwned>(
    what: &'static str,
    answer: &Answer,
    success: u16,
) -> Result<T, ApiError> {
    expect_status(what, answer, success)?;
    let kind = answer.content_type.as_deref().unwrap_or("");
    if !kind.to_ascii_lowercase().contains("json") {
        let kind = if kind.is_empty() { "nothing" } else { kind };
        return Err(unreadable(
            what,
            answer,
            format!("expected JSON, the answer is labelled {kind}"),
        ));
    }
    crate::json::from_bytes(&answer.body)
        .map_err(|error| unreadable(what, answer, format!("broken JSON: {error}")))
}

/// Success without a body that matters.
///
/// # Errors
/// The status is not `success`.
pub(super) fn expect_status(
    what: &'static str,
    answer: &Answer,
    success: u16,
) -> Result<(), ApiError> {
    if answer.status == success {
        return Ok(());
    }
    Err(ApiError {
        what: what.into(),
        kind: kind_of(answer.status),
        status: Some(answer.status),
        message: message(answer),
        retry_after: answer
            .retry_after
            .as_deref()
            .and_then(|text| retry_after(text, answer.came_at)),
    })
}

/// A success that cannot be read.
pub(super) fn unreadable(what: &'static str, answer: &Answer, why: String) -> ApiError {
    ApiError {
        what: what.into(),
        kind: ErrorKind::Unreadable,
        status: Some(answer.status),
        message: Some(clip(&why)),
        retry_after: None,
    }
}

fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::SignedOut,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        // 408 says that the server gave up waiting for the request.
        408 => ErrorKind::TimedOut,
        409 => ErrorKind::Busy,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Server,
        // Another 2xx or a 3xx: a gateway or a login page, not the API.
        _ => ErrorKind::Unreadable,
    }
}

/// The server's own words: `message` of a JSON object, else the first
/// characters of a text; a page of HTML is only named.
fn message(answer: &Answer) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        message: Option<serde_json::Value>,
    }
    if let Ok(Said {
        message: Some(serde_json::Value::String(text)),
    }) = crate::json::from_bytes(&answer.body)
    {
        return Some(clip(&text));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let is_html = text.starts_with('<')
        || answer
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.contains("html"));
    Some(if is_html {
        "the answer is a web page, not the API's".into()
    } else {
        clip(text)
    })
}

fn clip(text: &str) -> String {
    clean_line(text, MESSAGE_CHARS)
}

/// Reads `Retry-After`: seconds, or an HTTP date (RFC 9110 §10.2.3); clamped to 1 s … 15 min,
/// also because this computer's clock may be wrong.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(text)?.since(now),
    };
    Some(wait.clamp(Duration::from_secs(1), Duration::from_mins(15)))
}

/// Reads the fixed form of an HTTP date, `Sun, 06 Nov 1994 08:49:37 GMT`, by
/// rewriting it as RFC 3339.
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = text.split_ascii_whitespace().skip(1);
    let (day, month, year, time, zone) = (
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
    );
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    (zone == "GMT").then(|| Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}Z")))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        Answer {
            status,
            content_type: Some(content_type.into()),
            retry_after: None,
            came_at: Timestamp::default(),
            body: body.into(),
        }
    }

    fn failure(answer: &Answer) -> ApiError {
        json::<Vec<u8>>("read the batch", answer, 200).unwrap_err()
    }

    #[test]
    fn every_status_has_a_meaning() {
        for (status, kind) in [
            (400, ErrorKind::Refused),
            (401, ErrorKind::SignedOut),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::Busy),
            (422, ErrorKind::Refused),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::Server),
            (503, ErrorKind::Server),
            (204, ErrorKind::Unreadable),
            (302, ErrorKind::Unreadable),
        ] {
            let error = failure(&answer(status, "application/json", "{}"));
            assert_eq!((error.kind, error.status), (kind, Some(status)));
        }
    }

    #[test]
    fn the_servers_own_words_are_kept_and_bounded() {
        let said = failure(&answer(
            409,
            "application/json",
            r#"{"message":"being modified"}"#,
        ));
        assert_eq!(said.message.as_deref(), Some("being modified"));
        let text = failure(&answer(500, "text/plain", " boom "));
        assert_eq!(text.message.as_deref(), Some("boom"));
        let html = failure(&answer(503, "text/html", "<html><h1>Bad gateway"));
        assert_eq!(
            html.message.as_deref(),
            Some("the answer is a web page, not the API's")
        );
        let long = failure(&answer(500, "text/plain", &"x".repeat(5000)));
        assert_eq!(
            long.message.map(|text| text.chars().count()),
            Some(MESSAGE_CHARS + 1)
        );
        assert_eq!(failure(&answer(500, "text/plain", "")).message, None);
        let odd = failure(&answer(500, "application/json", r#"{"message":7}"#));
        assert_eq!(odd.message.as_deref(), Some(r#"{"message":7}"#));
    }

    #[test]
    fn a_success_that_cannot_be_read_is_an_error_that_says_why() {
        let page = failure(&answer(200, "text/html", "<html>"));
        assert_eq!(page.kind, ErrorKind::Unreadable);
        assert!(page.to_string().contains("text/html"), "{page}");
        let broken = failure(&answer(200, "application/json", "[1, 2"));
        assert_eq!(broken.kind, ErrorKind::Unreadable);
        assert!(
            broken.to_string().starts_with("could not read the batch: "),
            "{broken}"
        );
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_clamped() {
        let seconds = |text: &str| {
            let busy = Answer {
                retry_after: Some(text.into()),
                came_at: Timestamp::parse("1994-11-06T08:49:07Z").expect("a time"),
                ..answer(429, "", "")
            };
            failure(&busy).retry_after.map(|wait| wait.as_secs())
        };
        for (text, wait) in [
            ("7", Some(7)),
            ("0", Some(1)),
            ("99999999", Some(900)),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(1)),
            ("Tue, 06 Nov 2094 08:49:37 GMT", Some(900)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
        ] {
            assert_eq!(seconds(text), wait, "{text}");
        }
    }
}
