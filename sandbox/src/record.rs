//! What was asked of the sandbox, for tests that count requests.
//!
//! Invariant: no header's value is kept, so no token is.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// How many requests are remembered.
const KEPT: usize = 20_000;

#[derive(Debug)]
struct Seen {
    number: u64,
    at: i64,
    method: String,
    path: String,
    /// 0: no answer was sent.
    status: Option<u16>,
    body: Value,
    /// 0: it did not come over a socket.
    connection: u64,
    /// The names of the headers that came.
    headers: Vec<String>,
}

/// The latest requests to `/v1/` and `/oidc/`.
#[derive(Debug, Default)]
pub(crate) struct Record {
    seen: VecDeque<Seen>,
    next: u64,
}

impl Record {
    /// Notes a request; the number is for [`Record::answered`].
    pub(crate) fn asked(&mut self, at: i64, method: &str, path: &str, body: &[u8]) -> u64 {
        let number = self.next;
        self.next += 1;
        let body = if body.is_empty() || path.starts_with("/oidc/") {
            Value::Null
        } else {
            serde_json::from_slice(body)
                .unwrap_or_else(|_| json!(String::from_utf8_lossy(&body[..body.len().min(2_000)])))
        };
        self.seen.push_back(Seen {
            number,
            at,
            method: method.to_owned(),
            path: path.to_owned(),
            status: None,
            body,
            connection: 0,
            headers: Vec::new(),
        });
        if self.seen.len() > KEPT {
            self.seen.pop_front();
        }
        number
    }

    /// Notes the connection that a request came over.
    pub(crate) fn came_over(&mut self, number: u64, connection: u64) {
        if let Some(seen) = self.seen.iter_mut().rev().find(|s| s.number == number) {
            seen.connection = connection;
        }
    }

    /// Notes which headers a request had, by their names.
    pub(crate) fn came_with(&mut self, number: u64, headers: Vec<String>) {
        if let Some(seen) = self.seen.iter_mut().rev().find(|s| s.number == number) {
            seen.headers = headers;
        }
    }

    /// Notes the answer; 0 for a dropped connection.
    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        if let Some(seen) = self.seen.iter_mut().rev().find(|s| s.number == number) {
            seen.status = Some(status);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.seen.clear();
    }

    /// The requests whose path contains a text, with counts.
    pub(crate) fn list(&self, path_contains: &str, method: Option<&str>) -> Value {
        let found: Vec<Value> = self
            .seen
            .iter()
            .filter(|s| s.path.contains(path_contains))
            .filter(|s| method.is_none_or(|m| s.method == m))
            .map(|s| {
                json!({
                    "number": s.number,
                    "at_ms": s.at,
                    "method": s.method,
                    "path": s.path,
                    "status": s.status,
                    "body": s.body,
                    "connection": s.connection,
                    "headers": s.headers,
                })
            })
            .collect();
        let posts = found.iter().filter(|s| s["method"] == "POST").count();
        json!({ "count": found.len(), "posts": posts, "requests": found })
    }
}
