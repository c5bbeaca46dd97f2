//! The model check: every order of events within a small bound, with the real
//! core in every state (`reliability.md` §8, #4).
//!
//! Two tabs of one browser supervise a batch of three tests with two attempts, and
//! each [`Misfortune`] may happen once, as many together as the check is asked for.
//! With up to two in one run, crash and theft strike at any time, with more only while
//! a rerun is on its way; a run in which the acting tab may freeze has two at the most,
//! one in which the platform cleans up for as long as it likes has one. The simulation
//! (`sim/`) meets far more kinds of trouble, but only the orders that its seeds name;
//! within these bounds none is left out here.
//!
//! Read in this order: `bounds.rs` (what may go wrong), `server.rs` and
//! `browser.rs` (the models), `world.rs` (one state), `steps.rs` (what can happen
//! next), `driver.rs` (a tab performs what machine and seat want), `marks.rs` and
//! `promises.rs` (what must hold, what must be met), `likeness.rs` (when two
//! states are one), `check.rs` (the run).
//!
//! Shared with the simulation is the core. Its server and its tabs are functions
//! of a seed and of virtual time, so these are written again, smaller.

mod bounds;
mod browser;
mod check;
mod driver;
mod likeness;
mod marks;
mod promises;
mod server;
mod steps;
mod world;

pub use bounds::Misfortune;
pub use check::{Bound, Finding, Report, check};
