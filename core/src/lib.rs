//! Everything in Retake that decides.
//!
//! No browser, no I/O, no clock and no randomness live here: the present time
//! and random bits are arguments, requests and answers are values. That is why
//! an hour of supervision is tested in microseconds, natively.
//!
//! Where to start: [`domain`] for the field's nouns, [`supervise`] for the
//! machine that waits, reruns and judges, [`view`] for what a screen shows,
//! [`api`] for the calls, [`auth`] for the sign-in rules.

pub mod api;
pub mod auth;
pub mod config;
pub mod domain;
#[cfg(not(feature = "planted"))]
mod planted;
#[cfg(feature = "planted")]
pub mod planted;
pub mod supervise;
pub mod view;

pub use supervise::rerun;
