//! "Updated 8 s ago": how old the picture is, and what is wrong if it is late.

use std::time::Duration;

use super::words;
use crate::{api::ApiError, domain::Timestamp};

/// What a screen knows about its own age.
#[derive(Debug, Clone, PartialEq)]
pub struct Age<'a> {
    /// The present.
    pub now: Timestamp,
    /// When the read was sent that last succeeded.
    pub read_at: Option<Timestamp>,
    /// How often it reads.
    pub every: Duration,
    /// The last read failed like this.
    pub failing: Option<&'a ApiError>,
    /// When it reads next.
    pub next: Option<Timestamp>,
    /// A person paused it.
    pub paused: bool,
    /// Nothing moves any more, so it reads rarely.
    pub finished: bool,
    /// What is listed below is older than this picture, and being read.
    pub behind: bool,
}

impl Age<'_> {
    /// The age that is shown; `None` if nothing was read yet.
    pub fn shown(&self) -> Option<Duration> {
        self.read_at.map(|at| self.now.since(at))
    }
}

/// How fresh it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was read yet.
    Loading,
    /// As fresh as it should be.
    Ok,
    /// Older than it should be.
    Late,
    /// The last read failed.
    Failing,
    /// Paused by a person.
    Paused,
}

impl State {
    /// The state as styles read it.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Paused => "paused",
        }
    }
}

/// State and sentence.
pub fn freshness(age: &Age<'_>) -> (State, String) {
    let since = age.shown();
    let updated = since.map(|since| format!("Updated {}", words::ago(since)));
    if age.paused {
        let updated = updated.map_or(String::new(), |it| format!(" · {}", lower_first(&it)));
        return (State::Paused, format!("Paused{updated}"));
    }
    if let Some(error) = age.failing {
        let next = age.next.map_or(String::new(), |next| {
            let left = next.since(age.now).as_secs();
            if left == 0 {
                "Trying again now. ".into()
            } else {
                format!("Trying again in {left} s. ")
            }
        });
        let updated = updated.map_or(String::new(), |it| format!("{it}. "));
        // The reason last: it is what a narrow screen may have to cut.
        return (
            State::Failing,
            format!("{updated}{next}{}.", upper_first(&error.to_string())),
        );
    }
    let (Some(updated), Some(since)) = (updated, since) else {
        return (State::Loading, "Reading the batch…".into());
    };
    if since > age.every * 2 + Duration::from_secs(5) {
        return (State::Late, format!("{updated}, which is late"));
    }
    let pace = if age.finished && age.behind {
        "finished · reading its tests".into()
    } else if age.finished {
        "finished".into()
    } else {
        format!("every {}", words::duration(age.every))
    };
    (State::Ok, format!("{updated} · {pace}"))
}

/// The text with its first letter in upper case.
pub fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ErrorKind;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn age(read_at: Option<i64>) -> Age<'static> {
        Age {
            now: at(100),
            read_at: read_at.map(at),
            every: Duration::from_secs(10),
            failing: None,
            next: None,
            paused: false,
            finished: false,
            behind: false,
        }
    }

    #[test]
    fn fresh_late_paused_and_loading_are_told_apart() {
        assert_eq!(
            freshness(&age(Some(92))),
            (State::Ok, "Updated 8 s ago · every 10 s".into())
        );
        assert_eq!(freshness(&age(Some(75))).0, State::Ok);
        assert_eq!(freshness(&age(Some(74))).0, State::Late);
        assert_eq!(freshness(&age(None)).0, State::Loading);
        let paused = Age {
            paused: true,
            ..age(Some(40))
        };
        assert_eq!(
            freshness(&paused),
            (State::Paused, "Paused · updated 1 m ago".into())
        );
    }

    #[test]
    fn a_failure_says_what_failed_and_when_it_is_tried_again() {
        let error = ApiError::new("read the batch", ErrorKind::TimedOut, "");
        let failing = Age {
            failing: Some(&error),
            next: Some(at(112)),
            ..age(Some(92))
        };
        let (state, text) = freshness(&failing);
        assert_eq!(state, State::Failing);
        assert_eq!(
            text,
            "Updated 8 s ago. Trying again in 12 s. Could not read the batch: no answer in time."
        );
    }

    #[test]
    fn a_try_that_is_due_is_under_way_and_a_failure_before_the_first_read_has_no_age() {
        let error = ApiError::new("read the batch", ErrorKind::Unreachable, "");
        let failing = |read_at, next: Option<i64>| {
            let age = Age {
                failing: Some(&error),
                next: next.map(at),
                ..age(read_at)
            };
            freshness(&age).1
        };
        let due = failing(Some(92), Some(100));
        assert!(
            due.starts_with("Updated 8 s ago. Trying again now. Could not"),
            "{due}"
        );
        let first = failing(None, None);
        assert!(first.starts_with("Could not read the batch"), "{first}");
    }

    #[test]
    fn a_finished_batch_says_so_and_whether_its_tests_are_still_of_before() {
        let of = |behind| {
            let age = Age {
                finished: true,
                behind,
                ..age(Some(92))
            };
            freshness(&age).1
        };
        assert_eq!(of(false), "Updated 8 s ago · finished");
        assert_eq!(of(true), "Updated 8 s ago · finished · reading its tests");
    }

    #[test]
    fn styles_tell_every_state_apart() {
        let slugs = [
            State::Loading,
            State::Ok,
            State::Late,
            State::Failing,
            State::Paused,
        ]
        .map(State::slug);
        assert_eq!(slugs, ["loading", "ok", "late", "failing", "paused"]);
    }
}
