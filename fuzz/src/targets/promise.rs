//! What every target promises, said once.

use retake_core::{api::ApiError, domain::text};

use serde_json::Value;

use crate::judge::Broken;

/// A promise that holds, or the words for it.
pub(super) fn holds(it: bool, words: impl FnOnce() -> String) -> Result<(), Broken> {
    if it {
        Ok(())
    } else {
        Err(Broken::Promise(words()))
    }
}

/// Words for people: one line, nothing in it that deceives, not endless.
pub(super) fn is_readable(what: &str, words: &str) -> Result<(), Broken> {
    holds(!words.chars().any(text::is_deceptive), || {
        format!("{what} deceives: {words:?}")
    })?;
    holds(words.chars().count() <= 5_000, || {
        format!("{what} has {} bytes", words.len())
    })
}

/// The same where line breaks are the writer's own.
pub(super) fn are_readable(what: &str, words: &str) -> Result<(), Broken> {
    words
        .split('\n')
        .try_for_each(|line| is_readable(what, line))
}

/// A failed call says in one readable line what could not be done.
pub(super) fn is_told(error: &ApiError) -> Result<(), Broken> {
    let words = error.to_string();
    is_readable("an error", &words)?;
    holds(words.starts_with("could not "), || {
        format!("an error begins oddly: {words}")
    })?;
    let wait = error.retry_after.map(|it| it.as_secs());
    holds(wait.is_none_or(|it| (1..=900).contains(&it)), || {
        format!("waits {wait:?} s")
    })
}

/// Whether two values are equal. Fractions may differ in their last digit:
/// `serde_json` reads one of seventeen digits so, unless it is built larger,
/// and nobody types a percentage like that.
pub(super) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() && y.is_f64() => {
            let (x, y) = (x.as_f64().unwrap_or(0.0), y.as_f64().unwrap_or(1.0));
            (x - y).abs() <= x.abs() * 1e-15
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}
