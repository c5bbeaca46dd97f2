//! What a page does itself when it signs in by a crate: it sends requests, and reads
//! the address that the provider sent it back to.

use std::cell::RefCell;

#[cfg(feature = "oauth2")]
use oauth2 as by;
#[cfg(feature = "openidconnect")]
use openidconnect as by;

use by::{HttpRequest, HttpResponse, http, url::form_urlencoded};

/// A provider whose answers are known before. It keeps what it is asked.
pub(crate) struct Provider<'a> {
    status: u16,
    answers: RefCell<std::slice::Iter<'a, &'a str>>,
    asked: RefCell<Vec<String>>,
}

impl<'a> Provider<'a> {
    /// It gives these answers, one after the other.
    pub(crate) fn new(status: u16, answers: &'a [&'a str]) -> Self {
        Self {
            status,
            answers: RefCell::new(answers.iter()),
            asked: RefCell::default(),
        }
    }

    /// Answers a request.
    pub(crate) fn answer(&self, request: HttpRequest) -> Result<HttpResponse, http::Error> {
        let (parts, body) = request.into_parts();
        let body = String::from_utf8_lossy(&body);
        let asked = format!("{} {} {body}", parts.method, parts.uri);
        self.asked.borrow_mut().push(asked);
        let answer = self.answers.borrow_mut().next().copied();
        http::Response::builder()
            .status(self.status)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(answer.unwrap_or_default().into())
    }

    /// What it was asked.
    pub(crate) fn asked(self) -> Vec<String> {
        self.asked.into_inner()
    }
}

/// The code in the provider's answer, if that belongs to this sign-in.
pub(crate) fn code(query: &str, state: &str, issuer: &str) -> Result<String, String> {
    let query = query.trim_start_matches('?').as_bytes();
    let get = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query);
        pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
    };
    if get("state").as_deref() != Some(state) {
        return Err("not this sign-in".into());
    }
    if get("iss").is_some_and(|it| it != issuer) {
        return Err("another provider".into());
    }
    match get("error") {
        Some(error) => Err(error),
        None => get("code").ok_or_else(|| "no code".into()),
    }
}
