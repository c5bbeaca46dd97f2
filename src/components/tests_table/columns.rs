//! The columns of the tests table. A new one is one entry here: its heading,
//! its width, where it is shown, its place on phones and what stands in it.

use leptos::prelude::*;
use retake_core::{
    domain::{ConflatedStatus, Test, Timestamp, Tone},
    view::{
        SortKey,
        runs::{Run, known_runs, reason},
        words,
    },
};

use crate::{
    browser::clock, components::status::TestStatusBadge, driver::tests_store::TestsStore,
    reactive::memo,
};

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
pub(super) enum ShownFrom {
    /// Always; where a row has lines, at this place.
    Narrow(Place),
    /// On tablets and wider.
    Medium,
    /// On desktops only.
    Wide,
}

impl ShownFrom {
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
    pub from: ShownFrom,
    /// What a click on the heading sorts by.
    pub sort: Option<SortKey>,
    /// What stands in it; made once, and follows its row.
    pub cell: fn(Cell) -> AnyView,
}

/// What a cell may show. A row is filled with one test after the other, so a cell
/// follows its signals piece by piece: making it anew costs several times as much.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    /// The test.
    pub test: Memo<Test>,
    /// The time, as exactly as ages are shown.
    pub now: Memo<Timestamp>,
    /// All tests, for what is remembered of earlier runs.
    pub store: TestsStore,
}

/// The columns after the tick box, from left to right.
pub(super) const COLUMNS: &[Column] = &[
    Column {
        name: "status",
        title: "Status",
        width: "7.5rem",
        from: ShownFrom::Narrow(Place {
            two_lines: "2 / 2",
            three_lines: "2 / 2",
            side: "stretch",
        }),
        sort: Some(SortKey::Status),
        cell: |Cell { test, .. }| {
            let status = memo(move |_| test.with(Test::shown_status));
            view! { <TestStatusBadge status/> }.into_any()
        },
    },
    Column {
        name: "name",
        title: "Test",
        width: "minmax(16rem, 1.1fr)",
        from: ShownFrom::Narrow(Place {
            two_lines: "1 / 2 / 2 / 4",
            three_lines: "1 / 2 / 2 / 4",
            side: "stretch",
        }),
        sort: Some(SortKey::Name),
        // The name is a link that the row makes, because it opens the drawer.
        cell: |_| ().into_any(),
    },
    Column {
        name: "error",
        title: "Error",
        width: "minmax(8rem, 1.2fr)",
        from: ShownFrom::Narrow(Place {
            two_lines: "2 / 3",
            three_lines: "3 / 2",
            side: "stretch",
        }),
        sort: None,
        cell: error_cell,
    },
    Column {
        name: "runs",
        title: "Runs",
        width: "4.5rem",
        from: ShownFrom::Narrow(Place {
            two_lines: "1 / 4",
            three_lines: "2 / 3",
            side: "end",
        }),
        sort: Some(SortKey::Run),
        cell: runs_cell,
    },
    Column {
        name: "updated",
        title: "Updated",
        width: "5rem",
        from: ShownFrom::Narrow(Place {
            two_lines: "2 / 4",
            three_lines: "3 / 3",
            side: "end",
        }),
        sort: Some(SortKey::Updated),
        cell: updated_cell,
    },
];

fn updated_cell(Cell { test, now, .. }: Cell) -> AnyView {
    let updated = memo(move |_| test.with(|test| test.updated));
    let ago = move || updated.get().map(|at| words::ago(now.get().since(at)));
    view! {
        <time
            datetime=move || updated.get().map(Timestamp::to_rfc3339)
            title=move || updated.get().map(clock::in_full)
        >
            {ago}
        </time>
    }
    .into_any()
}

fn error_cell(Cell { test, .. }: Cell) -> AnyView {
    let reason = memo(move |_| test.with(reason).unwrap_or_default());
    let whole = move || {
        reason.with(|it| {
            let whole = [&*it.code, &*it.aside, &*it.text].join(" ");
            (!it.code.is_empty()).then_some(whole)
        })
    };
    // Words of ours are set as words, the platform's code as code.
    let is_code =
        move || reason.with(|it| it.code.bytes().all(|c| c.is_ascii_uppercase() || c == b'_'));
    view! {
        <span class="why" title=whole data-code=move || is_code().then_some("")>
            <span>
                <b>{move || reason.with(|it| it.code.clone())}</b>
                " "
                {move || reason.with(|it| it.aside.clone())}
            </span>
            " "
            <span>{move || reason.with(|it| it.text.clone())}</span>
        </span>
    }
    .into_any()
}

fn runs_cell(Cell { test, store, .. }: Cell) -> AnyView {
    let runs =
        memo(move |_| test.with(|test| store.with_memory(|memory| known_runs(test, memory))));
    let aloud = memo(move |_| {
        let words = runs.with(|runs| runs.iter().map(Run::words).collect::<Vec<_>>());
        (!words.is_empty()).then(|| words.join("; "))
    });
    let is_image = move || aloud.with(Option::is_some).then_some("img");
    let latest = move || runs.with(|runs| runs.last().map(|run| run.counter.to_string()));
    let marks = move || {
        runs.with(|runs| {
            runs.iter()
                .map(|run| {
                    let status = run.status.as_ref();
                    let tone = status.map_or(Tone::Unknown.slug(), ConflatedStatus::tone);
                    let word = status.map_or("NOT_KNOWN".to_owned(), |it| it.word().to_owned());
                    view! { <i data-status=word data-tone=tone></i> }
                })
                .collect_view()
        })
    };
    view! {
        <span class="runs" role=is_image aria-label=aloud title=aloud>
            {marks}
            <span class="runs__count">{latest}</span>
        </span>
    }
    .into_any()
}
