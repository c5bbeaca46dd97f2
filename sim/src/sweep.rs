//! How long the settle window has to be (`reliability.md` §8, #17): the same
//! seeds with windows of several lengths, where requests arrive up to a minute
//! late, and how often a decision is then applied twice.

use std::time::Duration;

use crate::{
    mixes::Mix,
    runs::{SeedRange, run_many},
};

/// The windows that are tried, in seconds.
const WINDOWS: [u64; 5] = [0, 30, 60, 95, 120];
/// From here on nothing may be applied twice: the window of the product.
const SAFE: u64 = 95;

/// What one window came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its length in seconds.
    pub seconds: u64,
    /// Runs.
    pub runs: u64,
    /// Runs in which a decision was applied twice: by the same intent, or by the
    /// next one, because the first was given up while its POST was under way.
    pub doubles: u64,
    /// Runs that broke another promise: a rerun that was sent or a verdict that
    /// was given while a POST could still land, say.
    pub faltered: u64,
    /// Whether both have to be 0.
    pub must_hold: bool,
}

/// Tries every window on these seeds.
pub fn sweep(seeds: u64) -> Vec<Window> {
    WINDOWS
        .into_iter()
        .map(|seconds| {
            let range = SeedRange {
                mix: Mix::Late,
                settle: Some(Duration::from_secs(seconds)),
                only_doubles: true,
                ..SeedRange::swarm(0, seeds)
            };
            let totals = run_many(&range, || ());
            Window {
                seconds,
                runs: totals.runs,
                doubles: totals.failed,
                faltered: totals.faltered,
                must_hold: seconds >= SAFE,
            }
        })
        .collect()
}
