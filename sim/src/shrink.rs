//! Finds a smallest schedule of faults that still breaks the same promise.
//!
//! First whole kinds are taken out, then single occurrences in ever smaller
//! groups (delta debugging), then one by one until nothing can go.

use std::collections::BTreeSet;

use crate::{
    fault::{Fault, Occurrence},
    runs::{Outcome, SeedRange, run_kept},
    world::Line,
};

/// A smallest failing schedule.
#[derive(Debug)]
pub struct Shrunk {
    /// Occurrences in the run as it was found.
    pub before: usize,
    /// The ones that are needed.
    pub needed: Vec<Occurrence>,
    /// The promise.
    pub promise: String,
    /// The run with only these.
    pub story: Vec<Line>,
}

/// Most runs that are tried.
const TRIES: usize = 4_000;

/// Shrinks a failing run; `None` if it does not fail.
pub fn shrink(range: &SeedRange, seed: u64) -> Option<Shrunk> {
    let found = run_kept(range, seed, None);
    let promise = found.failure?.promise;
    let before = found.occurred.len();
    let mut tries = 0;
    let mut fails = |keep: &BTreeSet<Occurrence>| -> Option<Outcome> {
        tries += 1;
        if tries > TRIES {
            return None;
        }
        let outcome = run_kept(range, seed, Some(keep.clone()));
        let same = outcome
            .failure
            .as_ref()
            .is_some_and(|failure| failure.promise == promise);
        same.then_some(outcome)
    };
    let mut needed: BTreeSet<Occurrence> = found.occurred.into_iter().collect();
    let mut story = found.story;
    let mut take = |needed: &mut BTreeSet<Occurrence>, without: &BTreeSet<Occurrence>| -> bool {
        let less: BTreeSet<_> = needed.difference(without).copied().collect();
        if less.len() == needed.len() {
            return false;
        }
        let Some(outcome) = fails(&less) else {
            return false;
        };
        // What no longer occurs is not needed either.
        let occurred: BTreeSet<_> = outcome.occurred.iter().copied().collect();
        *needed = less.intersection(&occurred).copied().collect();
        story = outcome.story;
        true
    };
    for fault in Fault::ALL {
        let kind: BTreeSet<_> = needed.iter().filter(|it| it.0 == *fault).copied().collect();
        take(&mut needed, &kind);
    }
    let mut size = needed.len().div_ceil(2).max(1);
    loop {
        let mut shrunk = false;
        let all: Vec<_> = needed.iter().copied().collect();
        for group in all.chunks(size) {
            shrunk |= take(&mut needed, &group.iter().copied().collect());
        }
        if size == 1 && !shrunk {
            break;
        }
        if !shrunk {
            size = size.div_ceil(2).max(1);
        }
    }
    Some(Shrunk {
        before,
        needed: needed.into_iter().collect(),
        promise,
        story,
    })
}
