//! Supervises one batch: waits until it is done, runs the flaky failures again
//! a bounded number of times, and ends with the verdict that the ReSim CLI
//! gives as its exit code.
//!
//! ```text
//! Resolving -> Waiting -> Reading -> Deciding -> Rerunning -> Waiting … -> Done
//! ```
//!
//! To follow one attempt from poll to verdict, read in this order:
//! [`Policy`] (what is allowed), `exchange` and `machine` (what goes in and out, who
//! is asked next), `journal` (what is written down, and how that gives the state back),
//! `state` (what follows from it: the attempt, the run that is waited for, a POST that may
//! still land), `clock` (sleep, and what wakes it), `waiting`
//! and `belief` (when a finished status is believed), `reading` (one consistent
//! picture), `listed` (which listing is believed), `not_passed` (one picture of a large
//! batch, without listing all of it), [`plan_rerun`] (which tests), `sending` and [`rerun`]
//! (one POST and what became of it; whether an answer leaves that open is
//! [`ErrorKind::leaves_post_unknown`](crate::api::ErrorKind::leaves_post_unknown)),
//! `pausing` (pause, stop and resume), [`exit_code()`] and [`Verdict`] (the
//! conclusion), `explain` (the log lines). [`Seat`] decides which tab does all this, and
//! [`Landing`] says what other journals of the browser hold back. Whether an
//! [`Output::SendRerun`] really leaves is decided outside, right before it does:
//! `clear_to_send` in `src/driver/supervisions/perform.rs`.
//!
//! Beside that path: `streak` (what fails in a row), `policy_form` and `preview` (the form, and what it would do), `twin`
//! (the CLI's command), `likeness` (for the model check). `exchange` and
//! `machine` here are of the batch, `rerun/exchange` of one POST, `seat/machine` of the tab.
//! [`rerun`] is also re-exported at the top of the crate, since a rerun by hand is one too:
//! `crate::rerun` in an import is the folder beside this file. `planted::is(Bug::…)` is a
//! mistake on purpose that only a test can switch on (`crate::planted`): read past it.
//!
//! Clocks may be set back: [`Timestamp::since`](crate::domain::Timestamp::since) is zero
//! where the earlier time is in fact later, so no rule here meets a negative span.
//!
//! Invariants (`design.md` §3): at most `max-rerun-attempts` reruns; never an
//! empty list; never after a cancel; nothing is sent before its intent is
//! stored; a finished status counts only from the run that is waited for.

mod belief;
mod clock;
mod exchange;
mod exit_code;
mod explain;
mod journal;
mod landing;
mod likeness;
mod listed;
mod machine;
mod not_passed;
mod pausing;
mod plan;
mod policy;
mod policy_form;
mod preview;
mod reading;
pub mod rerun;
mod seat;
mod sending;
mod state;
mod streak;
mod twin;
mod verdict;
mod waiting;

pub use belief::Began;
pub use exchange::{BatchRef, CallId, Input, Now, Output, WakeReason};
pub use exit_code::{ExitCode, Rule, exit_code};
pub use explain::{LineKind, LogLine, explain};
pub use journal::{Event, PauseReason, Record, STORED_FORM, Seen, read_records};
pub use landing::Landing;
pub use machine::Supervisor;
pub use not_passed::{Counted, NotPassed};
pub use plan::{Choice, Plan, TestFigures, WhyNot, plan_rerun};
pub use policy::{Policy, WatchedStates};
pub use policy_form::{Field, FieldError, FilledIn, LinkedForm, PolicyForm};
pub use preview::Preview;
pub use seat::{BEAT, Opened, Role, SEND_WITHIN, SILENCE, Seat, SeatInput, SeatOutput};
pub use state::{Phase, State};
pub use streak::Streak;
pub use twin::supervise_command;
pub use verdict::{Findings, NAMED_FAILURES, NamedTest, Outcome, RerunOutcome, Verdict};
