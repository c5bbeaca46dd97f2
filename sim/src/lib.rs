//! The simulation: the real core against a model of ReSim, of browsers and of
//! people, on virtual time, seeded, with promises checked at every step.
//!
//! Read in this order: `fault.rs` (what can go wrong), `server.rs` and
//! `browser.rs` (the models), `world/` (one run), `world/check.rs` (the
//! promises), `coverage.rs` (what was met), `shrink.rs` (the smallest schedule
//! that still fails), `reference.rs` (the CLI's policy, for comparison).
//!
//! Invariant: a run is a function of its seed. Nothing here reads a clock,
//! except to say how fast it went.

mod browser;
mod coverage;
mod dice;
mod fault;
mod mixes;
mod phase;
mod reference;
mod runs;
mod server;
mod shrink;
mod sweep;
mod tab;
mod world;

pub use coverage::{Coverage, Ending, Reach, impossible};
pub use fault::{Class, Fault, OUTSIDE, Occurrence};
pub use mixes::Mix;
pub use phase::Phase;
pub use reference::{Comparison, compare};
pub use runs::{Failure, SeedRange, Totals, imprint, replay, replays_alike, run_many};
pub use shrink::{Shrunk, shrink};
pub use sweep::{Window, sweep};
pub use world::Line;
