//! The readers of the core, each with what it promises.

mod acting;
mod journal;
mod left;
mod promise;
mod reads;
mod said;
mod sign_in;
mod texts;

use crate::judge::Broken;

/// One reader.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// What it reads, in a few words.
    pub what: &'static str,
    /// Words that mean something to it.
    pub words: &'static [&'static str],
    /// Reads an input.
    pub run: fn(&[u8]) -> Result<Outcome, Broken>,
}

/// What an input led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it has in common with others, for the reader.
    pub class: String,
    /// Whether the reader took it.
    pub is_valid: bool,
    /// Whether a rerun was asked for because of it.
    pub acted: bool,
}

impl Outcome {
    /// The reader took it.
    pub fn valid(class: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            is_valid: true,
            acted: false,
        }
    }

    /// The reader refused it.
    pub fn invalid(class: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            is_valid: false,
            acted: false,
        }
    }
}

const BATCH_WORDS: &[&str] = &[
    "batchID",
    "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1",
    "65262470-0fea-4c50-bc8c-17466866f690",
    "00000000-0000-0000-0000-000000000000",
    "status",
    "conflatedStatus",
    "SUBMITTED",
    "EXPERIENCES_RUNNING",
    "BATCH_METRICS_RUNNING",
    "SUCCEEDED",
    "ERROR",
    "CANCELLED",
    "BLOCKER",
    "WARNING",
    "COMPLETE",
    "PAUSED_BY_MARTIANS",
    "runCounter",
    "totalJobs",
    "executionErrors",
    "statusHistory",
    "updatedAt",
    "2026-04-20T14:00:00Z",
    "9999-12-31T23:59:60Z",
    "nightly",
    "friendlyName",
    "batches",
    "nextPageToken",
    "total",
    "HTTP 404 application/json\n\n",
    "HTTP 200 text/html\n\n",
    "jobStatusCounts",
    "succeeded",
    "lastRunTimestamp",
];

const TEST_WORDS: &[&str] = &[
    "jobs",
    "jobID",
    "65262470-0fea-4c50-bc8c-17466866f690",
    "experienceName",
    "conflatedStatus",
    "jobStatus",
    "QUEUED",
    "RUNNING",
    "PASSED",
    "ERROR",
    "BLOCKER",
    "WARNING",
    "CANCELLED",
    "EXPERIENCE_RUNNING",
    "FAIL_BLOCK",
    "NEW_WORD",
    "runCounter",
    "executionErrors",
    "executionError",
    "errorCode",
    "errorText",
    "exitCode",
    "nextPageToken",
    "total",
    "statusHistory",
    "updatedAt",
    "HTTP 503 text/html\n\n",
    "lastRunTimestamp",
    "2026-04-20T14:03:44Z",
];

const LIST_WORDS: &[&str] = &[
    "projects",
    "projectID",
    "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f",
    "name",
    "archived",
    "experienceTags",
    "experienceTagID",
    "logs",
    "logID",
    "fileName",
    "filePath",
    "fileSize",
    "downloadUrl",
    "https://bucket.example/key?signature=x",
    "javascript:alert(1)",
    "http://user@host/",
    "external",
    "logType",
    "nextPageToken",
    "total",
    "version",
];

const HEAD_WORDS: &[&str] = &[
    "HTTP 200",
    "HTTP 204",
    "HTTP 302",
    "HTTP 400",
    "HTTP 401",
    "HTTP 403",
    "HTTP 404",
    "HTTP 408",
    "HTTP 409",
    "HTTP 418",
    "HTTP 429",
    "HTTP 500",
    "HTTP 503",
    "HTTP 999",
    " application/json",
    " text/html",
    " text/plain",
    "\nRetry-After: 7\n\n",
    "\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\n\n",
    "{\"message\":\"being modified\"}",
    "<html>",
    "99999999999999999999",
    "-1",
];

const OIDC_WORDS: &[&str] = &[
    "issuer",
    "https://p.example/",
    "https://p.example",
    "authorization_endpoint",
    "token_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
    "https://p.example@evil.example/",
    "http://p.example/",
    "//evil.example",
    "access_token",
    "id_token",
    "refresh_token",
    "expires_in",
    "token_type",
    "error",
    "error_description",
    "access_denied",
    "authorization_pending",
    "slow_down",
    "expired_token",
    "device_code",
    "user_code",
    "verification_uri",
    "verification_uri_complete",
    "interval",
    "a.eyJzdWIiOiJ4In0.c",
];

const QUERY_WORDS: &[&str] = &[
    "?",
    "&",
    "=",
    "status",
    "ERROR",
    "blocker",
    "Shiny",
    "tag",
    "q",
    "sort",
    "-name",
    "updated",
    "test",
    "65262470-0fea-4c50-bc8c-17466866f690",
    "%2C",
    "%26",
    "%ff",
    "+",
    ",",
    "state",
    "code",
    "iss",
    "error",
    "login_required",
    "error_description",
    "S",
    "https%3A%2F%2Fp.example",
];

const ROUTE_WORDS: &[&str] = &[
    "/",
    "//",
    "\\",
    "/sign-in",
    "/callback",
    "/projects/",
    "/batches/",
    "..",
    "%2e",
    "%2f",
    "%5c",
    "%0a",
    "evil.example",
    "https:",
    "https://app.resim.ai/projects/p/batches/b",
    "resim.ai",
    "@",
    "?",
    "#",
    "/supervisions",
    "http://127.0.0.1:8080",
    "javascript:",
];

const CONFIG_WORDS: &[&str] = &[
    "environments",
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
    "https://api.resim.ai/v1/",
    "/v1/",
    "//evil.example",
    "http://localhost:80@evil.example/",
    "http://[::1]:80/",
    "https://a?b",
    "https://a#b",
    "1s",
    "0s",
    "-1h",
    "2562047h47m16.854775807s",
    "https://",
    "/a/../b",
];

const JOURNAL_WORDS: &[&str] = &[
    "seq",
    "at",
    "event",
    "Started",
    "Pinned",
    "Polled",
    "ReadFailed",
    "ReadRecovered",
    "StaleRead",
    "Adopted",
    "Finished",
    "Torn",
    "Listed",
    "Reopened",
    "Decided",
    "Intent",
    "Rerun",
    "Sending",
    "Waiting",
    "Unknown",
    "AsksPerson",
    "SignedOut",
    "Ended",
    "Applied",
    "NotApplied",
    "Paused",
    "ByPerson",
    "Resumed",
    "Restored",
    "epoch",
    "ClockJumped",
    "shift_ms",
    "Stopped",
    "18446744073709551615",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967295",
    "secs",
    "nanos",
    "999999999",
];

const LEFT_WORDS: &[&str] = &[
    "{\"Of\":{\"project\":\"00000000-0000-0000-0000-000000000003\",\"name\":\"nightly\"}}",
    "{\"Sent\":{\"post\":1,\"at\":1700000000000}}",
    "{\"Held\":{\"at\":1700000000000,\"wait\":null}}",
    "{\"Held\":{\"at\":1700000000000,\"wait\":[\"Throttled\",1700000060000],\"said\":\"later\"}}",
    "CleaningUp",
    "Throttled",
    "Intent",
    "Sent",
    "Held",
    "\n",
    "null",
    "-1",
    "9223372036854775807",
];

const DURATION_WORDS: &[&str] = &[
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "s",
    "m",
    "h",
    "1",
    "0",
    "9223372036854775808",
    ".",
    "-",
    "+",
    "2562047h47m16.854775807s",
    "1h",
    "30m",
    "Warning,Error",
    "BLOCKER",
    "50",
    "100",
    "1e2",
    "NaN",
    "inf",
    "\n",
];

macro_rules! targets {
    ($($name:literal, $what:literal, $words:expr, $run:path;)*) => {
        /// Every target, in the order of the table.
        pub const TARGETS: &[Target] = &[$(Target {
            name: $name,
            what: $what,
            words: $words,
            run: $run,
        },)*];
    };
}

targets! {
    "batch", "one batch, polled by the supervisor", BATCH_WORDS, acting::batch;
    "tests", "a page of tests, listed by the supervisor", TEST_WORDS, acting::tests;
    "rerun", "the answer to a rerun", BATCH_WORDS, acting::rerun;
    "lookup", "the batch of a name, looked up by the supervisor", BATCH_WORDS, acting::lookup;
    "batches", "a page of batches, searched by the supervisor", BATCH_WORDS, acting::batches;
    "journal", "a stored journal, taken up by the supervisor", JOURNAL_WORDS, journal::journal;
    "left", "what is left of a rerun by hand, taken up", LEFT_WORDS, left::left;
    "test", "one test with its history", TEST_WORDS, reads::test;
    "projects", "a page of projects; one project", LIST_WORDS, reads::projects;
    "tags", "a page of tags", LIST_WORDS, reads::tags;
    "logs", "a page of log files", LIST_WORDS, reads::logs;
    "names", "names of systems, branches, builds, suites", LIST_WORDS, reads::names;
    "cancel", "the answer to a cancel", HEAD_WORDS, reads::cancel;
    "failures", "an answer that is none, for every call", HEAD_WORDS, reads::failures;
    "config", "config.json", CONFIG_WORDS, texts::config;
    "discovery", "a provider's discovery document", OIDC_WORDS, sign_in::discovery;
    "tokens", "the answer of a token endpoint", OIDC_WORDS, sign_in::tokens;
    "device", "the answer of a device endpoint", OIDC_WORDS, sign_in::device;
    "callback", "the query that a provider sends back", QUERY_WORDS, sign_in::callback;
    "pasted-token", "a token that a person pasted", OIDC_WORDS, sign_in::pasted;
    "route", "where a sign-in goes back to", ROUTE_WORDS, texts::route;
    "link", "what a person pasted into \"open\"", ROUTE_WORDS, texts::link;
    "query", "the query strings of pages", QUERY_WORDS, texts::query;
    "duration", "a Go duration", DURATION_WORDS, texts::duration;
    "policy", "the supervise form", DURATION_WORDS, texts::policy;
}

#[cfg(test)]
mod tests {
    use super::CONFIG_WORDS;

    #[test]
    fn the_mutator_knows_every_field_of_the_configuration() {
        for field in retake_core::config::FIELDS {
            assert!(CONFIG_WORDS.contains(&field), "{field}");
        }
    }
}
