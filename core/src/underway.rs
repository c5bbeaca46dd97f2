//! Counts what is under way, so that something else can wait until all of it is over.

use std::{cell::Cell, rc::Rc};

/// How many things of a kind are under way. Each holds a [`Part`] while it lasts.
#[derive(Debug, Default)]
pub struct Underway(Rc<Cell<u32>>);

/// One of them; over when this is dropped.
#[derive(Debug)]
#[must_use = "it is over when this is dropped"]
pub struct Part(Rc<Cell<u32>>);

impl Underway {
    /// One more begins.
    pub fn begin(&self) -> Part {
        self.0.set(self.0.get() + 1);
        Part(self.0.clone())
    }

    /// Whether none is under way.
    pub fn is_over(&self) -> bool {
        self.0.get() == 0
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_at_once_the_end_of_one_is_not_the_end_of_both() {
        let all = Underway::default();
        assert!(all.is_over());
        let (one, other) = (all.begin(), all.begin());
        drop(one);
        assert!(!all.is_over(), "the other goes on");
        drop(other);
        assert!(all.is_over());
    }
}
