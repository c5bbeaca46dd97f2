//! Running tests again: one POST, from intent to a known outcome.
//!
//! A rerun spends money and destroys evidence, the API has no idempotency key,
//! and a lost answer says nothing about what happened. So a rerun is a small
//! machine of its own, used alike by the button and by the supervisor:
//!
//! ```text
//! Storing -> (its picture is old: Checking ->) Posting -> applied
//!               | 409        -> Checking -> Cooling -> Checking -> Posting, for a while
//!               | 429        -> Cooling -> Checking -> Posting
//!               | 401        -> Parked, until somebody has signed in -> Checking -> Posting
//!               | no answer  -> Settling -> applied, or not applied
//!               |                  | a run is seen too early, by hand: SeenEarly -> applied
//!               |                  ` strict, or nothing can show it: Asking a person
//!               | not sent   -> decided anew
//!               ` refused    -> refused
//! ```
//!
//! Invariants: the intent is stored before the POST; an unknown outcome is
//! resolved by reading ([`Fence`]), never by sending again; between a 409 and
//! the next POST the batch is read, and the POST goes out only if nothing moved.
//!
//! Files, in reading order: `intent` (what is rerun), `stage` (where it stands),
//! `exchange` (what goes in and out), `limits`, `submission` (the machine), `looking` (what
//! a look means), `fence` (what proves that it was applied), `tries` and `left` (what a reload finds).
//!
//! Elsewhere: which tests (`supervise::plan`), the request itself (`api`).

mod exchange;
mod fence;
mod intent;
mod left;
mod limits;
mod looking;
mod stage;
mod submission;
mod tries;

pub(crate) use fence::last_change;
pub(crate) use looking::REPLICA_LAG;

pub use exchange::{Effect, PersonSays, SubmissionInput, SubmissionNote};
pub use fence::{Evidence, Fence, Passage};
pub use intent::{Intent, IntentTest, error_signature};
pub(crate) use left::STILL_MEANT;
pub use left::{Accepted, Doubt, Found, Left, Line};
pub(crate) use limits::MOST_SETTLE;
pub use limits::{Limits, POST_LIMIT};
pub use stage::{Ended, Stage, Then, WaitReason};
pub(crate) use submission::FRESH_FOR;
pub use submission::Submission;
pub use tries::{Held, Tries};

#[cfg(test)]
mod tests;
