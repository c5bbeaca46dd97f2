//! What the tests of the adapters share.

use std::{cell::RefCell, rc::Rc, time::Duration};

use retake::browser::{clock, random, timer};

/// A name that no earlier test has used.
pub(crate) fn fresh(name: &str) -> String {
    format!("{name}-{:016x}", random::u64())
}

/// Notes what an adapter tells.
#[derive(Clone)]
pub(crate) struct Notes<T>(Rc<RefCell<Vec<T>>>);

impl<T: Clone + 'static> Notes<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::default())
    }

    pub(crate) fn writer(&self) -> impl Fn(T) + 'static {
        let notes = self.0.clone();
        move |note| notes.borrow_mut().push(note)
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    /// Waits until there are this many, for at most five seconds.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<T> {
        let began = clock::now().mono;
        while self.0.borrow().len() < count {
            let waited = clock::now().mono.saturating_sub(began);
            assert!(
                waited < Duration::from_secs(5),
                "{} of {count} notes came",
                self.0.borrow().len()
            );
            timer::sleep(Duration::from_millis(10)).await;
        }
        self.all()
    }
}
