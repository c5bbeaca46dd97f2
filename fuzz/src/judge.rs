//! Runs one input of one target.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
    time::{Duration, Instant},
};

use crate::targets::{Outcome, Target};

/// The longest that one input may take. Generous, for a busy machine; inputs
/// are at most 64 KiB, and the slowest of a hunt is printed.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);

/// What came of an input.
#[derive(Debug)]
pub struct Judgement {
    /// The class of its outcome, or the promise that it broke.
    pub result: Result<Outcome, Broken>,
    /// How long it took.
    pub took: Duration,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The core panicked.
    Panic(String),
    /// An answer that cannot be read led to a POST.
    ActedOnInvalid(String),
    /// Another promise of the target.
    Promise(String),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Panic(words) => write!(f, "it panics: {words}"),
            Self::ActedOnInvalid(words) => write!(f, "it acts on an invalid answer: {words}"),
            Self::Promise(words) => f.write_str(words),
        }
    }
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps a panic's words for the judgement instead of printing them.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Of a test's own assertion the words are still printed.
            if IS_JUDGING.with_borrow(|it| *it) {
                LAST_PANIC.with_borrow_mut(|words| *words = info.to_string());
            } else {
                before(info);
            }
        }));
    });
}

thread_local! {
    static IS_JUDGING: RefCell<bool> = const { RefCell::new(false) };
}

/// Runs `input` through `target`.
pub fn judge(target: &Target, input: &[u8]) -> Judgement {
    listen();
    let began = Instant::now();
    IS_JUDGING.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    IS_JUDGING.set(false);
    let took = began.elapsed();
    let result = match result {
        Ok(_) if took > TIME_LIMIT => Err(Broken::Promise(format!("it takes {took:?}"))),
        Ok(result) => result,
        Err(_) => Err(Broken::Panic(LAST_PANIC.take())),
    };
    Judgement { result, took }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(run: fn(&[u8]) -> Result<Outcome, Broken>) -> Target {
        Target {
            name: "of the test",
            what: "",
            words: &[],
            run,
        }
    }

    #[test]
    fn a_panic_and_a_slow_run_are_broken_promises() {
        let panics = judge(&target(|_| panic!("boom")), b"");
        assert!(matches!(&panics.result, Err(Broken::Panic(words)) if words.contains("boom")));
        let slow = judge(
            &target(|_| {
                std::thread::sleep(TIME_LIMIT + Duration::from_millis(50));
                Ok(Outcome::valid("x"))
            }),
            b"",
        );
        assert!(slow.result.is_err());
        let good = judge(&target(|_| Ok(Outcome::valid("x"))), b"");
        assert_eq!(good.result, Ok(Outcome::valid("x")));
    }
}
