//! The columns of the tests table. A new one is one entry here: its heading,
//! its width, where it is shown, its place on phones and what stands in it.

use leptos::prelude::*;
use retake_core::{
    domain::{ConflatedStatus, Test, Timestamp, Tone},
    view::{
        SortKey,
        runs::{Run, RunMemory, known_runs, reason},
        words,
    },
};

use crate::{browser::clock, components::status::TestStatusBadge};

/// Where a cell stands in a row of several lines, as a `grid-area` beside the tick box,
/// which has the first track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// In two lines of three tracks, on small tablets.
    pub two_lines: &'static str,
    /// In three lines of two tracks, on phones.
    pub three_lines: &'static str,
    /// To which side of its place.
    pub side: &'static str,
}

/// From which width on a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Always; where a row has lines, at this place.
    Narrow(Place),
    /// On tablets and wider.
    Medium,
    /// On desktops only.
    Wide,
}

impl From {
    /// Its place where a row has lines, if it is shown there.
    pub(super) const fn place(self) -> Option<Place> {
        match self {
            Self::Narrow(place) => Some(place),
            Self::Medium | Self::Wide => None,
        }
    }

    /// The value as styles read it.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Narrow(_) => "narrow",
            Self::Medium => "medium",
            Self::Wide => "wide",
        }
    }
}

/// One column.
pub(super) struct Column {
    /// Its name for styles.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its width as a track of the grid.
    pub width: &'static str,
    /// Where it is shown.
    pub from: From,
    /// What a click on the heading sorts by.
    pub sort: Option<SortKey>,
    /// What stands in it.
    pub cell: fn(&Test, Timestamp, &RunMemory) -> AnyView,
}

/// The columns after the tick box, from left to right.
pub(super) const COLUMNS: &[Column] = &[
    Column {
        name: "status",
        title: "Status",
        width: "7.5rem",
        from: From::Narrow(Place {
            two_lines: "2 / 2",
            three_lines: "2 / 2",
            side: "stretch",
        }),
        sort: Some(SortKey::Status),
        cell: |test, _, _| view! { <TestStatusBadge status=test.shown_status()/> }.into_any(),
    },
    Column {
        name: "name",
        title: "Test",
        width: "minmax(16rem, 1.1fr)",
        from: From::Narrow(Place {
            two_lines: "1 / 2 / 2 / 4",
            three_lines: "1 / 2 / 2 / 4",
            side: "stretch",
        }),
        sort: Some(SortKey::Name),
        // The name is a link that the row makes, because it opens the drawer.
        cell: |_, _, _| ().into_any(),
    },
    Column {
        name: "error",
        title: "Error",
        width: "minmax(8rem, 1.2fr)",
        from: From::Narrow(Place {
            two_lines: "2 / 3",
            three_lines: "3 / 2",
            side: "stretch",
        }),
        sort: None,
        cell: |test, _, _| error_cell(test),
    },
    Column {
        name: "runs",
        title: "Runs",
        width: "4.5rem",
        from: From::Narrow(Place {
            two_lines: "1 / 4",
            three_lines: "2 / 3",
            side: "end",
        }),
        sort: Some(SortKey::Run),
        cell: |test, _, memory| runs_cell(test, memory),
    },
    Column {
        name: "updated",
        title: "Updated",
        width: "5rem",
        from: From::Narrow(Place {
            two_lines: "2 / 4",
            three_lines: "3 / 3",
            side: "end",
        }),
        sort: Some(SortKey::Updated),
        cell: |test, now, _| {
            test.updated
                .map(|at| {
                    view! {
                        <time datetime=at.to_rfc3339() title=clock::in_full(at)>
                            {words::ago(now.since(at))}
                        </time>
                    }
                })
                .into_any()
        },
    },
];

fn error_cell(test: &Test) -> AnyView {
    reason(test)
        .map(|reason| {
            let whole = [&*reason.code, &*reason.aside, &*reason.text].join(" ");
            // Words of ours are set as words, the platform's code as code.
            let is_code = reason
                .code
                .bytes()
                .all(|c| c.is_ascii_uppercase() || c == b'_');
            view! {
                <span class="why" title=whole data-code=is_code.then_some("")>
                    <span><b>{reason.code}</b> " " {reason.aside}</span> " " <span>{reason.text}</span>
                </span>
            }
        })
        .into_any()
}

fn runs_cell(test: &Test, memory: &RunMemory) -> AnyView {
    let runs = known_runs(test, memory);
    let Some(latest) = runs.last().map(|run| run.counter) else {
        return ().into_any();
    };
    let aloud = runs.iter().map(Run::words).collect::<Vec<_>>().join("; ");
    view! {
        <span class="runs" role="img" aria-label=aloud.clone() title=aloud>
            {runs
                .into_iter()
                .map(|run| {
                    let tone = run.status.as_ref().map_or(Tone::Unknown.slug(), ConflatedStatus::tone);
                    let word = run.status.map_or("NOT_KNOWN".to_owned(), |it| it.word().to_owned());
                    view! { <i data-status=word data-tone=tone></i> }
                })
                .collect_view()}
            <span class="runs__count">{latest.to_string()}</span>
        </span>
    }
    .into_any()
}
