//! The bounds of a submission, and of a page.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long the browser waits for the answer to a rerun POST that has left
/// (`src/browser/fetch.rs`).
pub const POST_LIMIT: Duration = Duration::from_secs(30);

/// The longest settle window that a configuration may ask for.
pub(crate) const MOST_SETTLE: Duration = Duration::from_mins(15);

/// The bounds of a submission, and of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How long after sending a POST the server may still apply it: the
    /// client's own limit ([`crate::supervise::SEND_WITHIN`] from the decision until it
    /// leaves, [`POST_LIMIT`] for its answer, so 35 s) and the longest life of a
    /// request behind it (60 s, assumed; `reliability.md` §1). An unknown
    /// outcome is not called "not applied" before this has passed.
    pub settle: Duration,
    /// Pause after a 409, as in the CLI (`resim-api.md` §5).
    pub cooldown: Duration,
    /// How long a rerun that is answered with 409 waits in all before it is
    /// given up; the batch is read before each further POST. The CLI gives up
    /// after 60 s; nothing was applied meanwhile, so patience costs nothing.
    #[serde(default = "busy_window")]
    pub busy_window: Duration,
    /// POSTs that may be answered with 429 before giving up: with the pauses of a hidden
    /// `Retry-After`, after about as long as [`Limits::busy_window`].
    pub throttled_posts: u32,
    /// Pause between two reads while an outcome is unknown.
    pub look_every: Duration,
    /// Strict: when no read shows a POST of unknown outcome even after the
    /// window, a person is asked, instead of calling it not applied.
    #[serde(default)]
    pub ask_person: bool,
    /// Tests on one page of a listing (`resim-api.md` §4: at most 100): a batch of few
    /// pages is listed whole. The simulation's pages are smaller.
    #[serde(default = "tests_a_page")]
    pub tests_a_page: u32,
}

impl Limits {
    /// Whether so many answers of 409 are reason to give up: the next pause
    /// would lead out of [`Limits::busy_window`].
    pub(super) fn gives_up_busy(&self, answers: u32) -> bool {
        self.cooldown.saturating_mul(answers) > self.busy_window
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(95),
            cooldown: Duration::from_secs(30),
            busy_window: busy_window(),
            throttled_posts: 12,
            look_every: Duration::from_secs(5),
            ask_person: false,
            tests_a_page: tests_a_page(),
        }
    }
}

/// How long a busy platform is waited for, unless the configuration says otherwise.
const fn busy_window() -> Duration {
    Duration::from_mins(10)
}

/// What every listing asks for.
const fn tests_a_page() -> u32 {
    crate::api::PAGE_SIZE
}
