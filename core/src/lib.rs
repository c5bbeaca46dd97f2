//! Everything in Retake that decides.
//!
//! No browser, no I/O, no clock and no randomness live here: the present time
//! and random bits are arguments, requests and answers are values. That is why
//! an hour of supervision is tested in microseconds, natively.
//!
//! Who may know whom: [`domain`] knows nobody; [`api`] knows it; [`supervise`] knows
//! both, as values; [`view`], [`auth`] and [`config`] put the rest into words. Nothing
//! here knows the app.
//!
//! The rules that hold whatever happens, in short: what the ReSim CLI would decide on
//! the same facts; an intent is stored before its POST; a POST of unknown outcome is
//! resolved by reading, never sent again; a finished status counts only from the run
//! that is waited for; every decision is a record, and the records give the state back.
//! `ARCHITECTURE.md` has them whole.
//!
//! Where to start: [`domain`] for the field's nouns, [`supervise`] for the
//! machine that waits, reruns and judges, [`view`] for what a screen shows,
//! [`api`] for the calls, [`auth`] for the sign-in rules.

pub mod api;
pub mod auth;
pub mod config;
pub mod domain;
mod json;
pub mod order;
#[cfg(not(feature = "planted"))]
mod planted;
#[cfg(feature = "planted")]
pub mod planted;
pub mod supervise;
pub mod underway;
pub mod view;

pub use supervise::rerun;
