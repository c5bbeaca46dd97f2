//! What is going to happen, in the order of its time, and of its planning
//! where the time is the same.
//!
//! The heap holds sixteen bytes for each happening, so that sifting moves
//! little; the happenings themselves stay where they are. Timers that a tab sets
//! anew at every step are no part of it: each tab keeps its two.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::Happening;

/// A point in the order: the time, and when it was planned.
pub(crate) type Turn = (i64, u32);

/// A timer of a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer(Turn);

impl Timer {
    /// It never fires.
    pub(crate) const NEVER: Self = Self((i64::MAX, u32::MAX));

    /// It fires at this turn.
    pub(crate) const fn at(turn: Turn) -> Self {
        Self(turn)
    }

    /// When it fires.
    pub(crate) const fn due(self) -> i64 {
        self.0.0
    }

    /// Its turn.
    pub(crate) const fn turn(self) -> Turn {
        self.0
    }
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(i64, u32, u32)>>,
    happenings: Vec<Happening>,
    free: Vec<u32>,
    planned: u32,
}

/// More is rarely planned at once.
const ROOM: usize = 32;

impl Default for Queue {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::with_capacity(ROOM),
            happenings: Vec::with_capacity(ROOM),
            free: Vec::with_capacity(ROOM),
            planned: 0,
        }
    }
}

impl Queue {
    /// A turn at this time, after all that were planned for it before.
    pub(crate) const fn turn(&mut self, at: i64) -> Turn {
        self.planned += 1;
        (at, self.planned)
    }

    /// Plans a happening.
    pub(crate) fn push(&mut self, at: i64, happening: Happening) {
        let (at, order) = self.turn(at);
        let place = if let Some(place) = self.free.pop() {
            self.happenings[place as usize] = happening;
            place
        } else {
            self.happenings.push(happening);
            u32::try_from(self.happenings.len() - 1).expect("few happenings are planned")
        };
        self.heap.push(Reverse((at, order, place)));
    }

    /// The turn of the next happening.
    pub(crate) fn next(&self) -> Option<Turn> {
        self.heap
            .peek()
            .map(|Reverse((at, order, _))| (*at, *order))
    }

    /// Takes the next happening out.
    pub(crate) fn pop(&mut self) -> Option<(i64, Happening)> {
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        Some((at, self.happenings[place as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_among_equals_what_was_planned_first() {
        let mut queue = Queue::default();
        for (at, tab) in [(5, 0), (3, 1), (5, 2), (3, 3), (4, 4)] {
            queue.push(at, Happening::Opens(tab));
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|(at, happening)| match happening {
                Happening::Opens(tab) => (at, tab),
                _ => panic!("only pages that open were planned"),
            })
            .collect();
        assert_eq!(order, [(3, 1), (3, 3), (4, 4), (5, 0), (5, 2)]);
    }
}
