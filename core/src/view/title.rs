//! What the title of the browser's tab says of a supervision.

use crate::{
    domain::words::count,
    supervise::{Phase, State},
    view::words,
};

/// Where a supervision stands, for the tab's title: `14 of 60`, `paused`.
pub fn in_title(state: &State) -> String {
    match (&state.phase, &state.seen) {
        (Phase::Paused(_), _) => "paused".to_owned(),
        (_, Some(seen)) if seen.unfinished > 0 => format!(
            "{} of {}",
            words::number(seen.total.saturating_sub(seen.unfinished)),
            words::number(seen.total)
        ),
        (phase, _) => phase.words().to_lowercase(),
    }
}

/// When it was last looked, for the end of the tab's title. It changes with each look, also
/// with one that fails: a hidden tab whose title changes is put away later
/// (`reliability.md` §2.2). `at`: the time of the last one that did not fail.
pub fn last_look(at: Option<&str>, failures: u32) -> String {
    let failed = count(failures.into(), "failed look");
    match (at, failures) {
        (None, 0) => String::new(),
        (Some(at), 0) => format!(" · {at}"),
        (None, _) => format!(" · {failed}"),
        (Some(at), _) => format!(" · {failed} since {at}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        supervise::{PauseReason, Seen},
        view::supervision::started,
    };

    #[test]
    fn the_title_changes_with_each_look_and_with_each_that_fails() {
        assert_eq!(last_look(None, 0), "");
        assert_eq!(last_look(Some("14:03:22"), 0), " · 14:03:22");
        assert_eq!(
            last_look(Some("14:03:22"), 1),
            " · 1 failed look since 14:03:22"
        );
        assert_eq!(
            last_look(Some("14:03:22"), 2),
            " · 2 failed looks since 14:03:22"
        );
        assert_eq!(last_look(None, 2), " · 2 failed looks");
    }

    #[test]
    fn a_title_says_how_far_it_is_or_what_it_does() {
        let mut state = started();
        assert_eq!(in_title(&state), "waiting");
        let seen = |unfinished| Seen {
            run: None,
            total: 60,
            unfinished,
            status: None,
            word: None,
            last_run: None,
            last_change: None,
        };
        state.seen = Some(seen(46));
        assert_eq!(in_title(&state), "14 of 60");
        state.seen = Some(seen(0));
        state.phase = Phase::Reading;
        assert_eq!(in_title(&state), "reading");
        state.seen = Some(seen(46));
        state.phase = Phase::Paused(PauseReason::ByPerson);
        assert_eq!(in_title(&state), "paused");
    }
}
