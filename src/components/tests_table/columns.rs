//! The columns of the tests table. A new one is one entry here: its heading,
//! its width, where it is shown and what stands in it.

use leptos::prelude::*;
use retake_core::{
    domain::{ConflatedStatus, Test, Timestamp},
    view::{SortKey, words},
};

use crate::components::status::TestStatusBadge;

/// From which width on a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Always; on phones at the place that `style/tests.css` gives it.
    Narrow,
    /// On tablets and wider.
    Medium,
    /// On desktops only.
    Wide,
}

impl From {
    /// The value as styles read it.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
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
    pub cell: fn(&Test, Timestamp) -> AnyView,
}

/// The columns after the tick box, from left to right.
pub(super) const COLUMNS: [Column; 6] = [
    Column {
        name: "status",
        title: "Status",
        width: "7.5rem",
        from: From::Narrow,
        sort: Some(SortKey::Status),
        cell: |test, _| view! { <TestStatusBadge status=test.shown_status()/> }.into_any(),
    },
    Column {
        name: "name",
        title: "Test",
        width: "minmax(10rem, 1.5fr)",
        from: From::Narrow,
        sort: Some(SortKey::Name),
        // The name is a link that the row makes, because it opens the drawer.
        cell: |_, _| ().into_any(),
    },
    Column {
        name: "error",
        title: "Error",
        width: "minmax(8rem, 1.2fr)",
        from: From::Narrow,
        sort: None,
        cell: |test, _| error_cell(test),
    },
    Column {
        name: "runs",
        title: "Runs",
        width: "5rem",
        from: From::Narrow,
        sort: None,
        cell: |test, _| runs_cell(test),
    },
    Column {
        name: "run",
        title: "Run",
        width: "3.5rem",
        from: From::Wide,
        sort: Some(SortKey::Run),
        cell: |test, _| test.run_counter.map(|run| run.to_string()).into_any(),
    },
    Column {
        name: "updated",
        title: "Updated",
        width: "5.5rem",
        from: From::Narrow,
        sort: Some(SortKey::Updated),
        cell: |test, now| {
            test.updated
                .map(|at| {
                    view! {
                        <time datetime=at.to_rfc3339() title=at.to_rfc3339()>
                            {words::ago(now.since(at))}
                        </time>
                    }
                })
                .into_any()
        },
    },
];

fn error_cell(test: &Test) -> AnyView {
    let mut errors = test.current_errors();
    let Some(error) = errors.next() else {
        return ().into_any();
    };
    let more = errors.count();
    let mut text = String::new();
    if let Some(code) = error.exit_code {
        text.push_str(&format!(" exit {code}"));
    }
    if let Some(said) = &error.text {
        text.push_str(&format!(" {}", words::clean(said)));
    }
    if more > 0 {
        text.push_str(&format!(" (and {more} more)"));
    }
    let code = words::clean(&error.code).into_owned();
    let whole = format!("{code}{text}");
    view! { <span title=whole><b>{code}</b>{text}</span> }.into_any()
}

/// Runs shown as marks; earlier ones are summed up by the first mark.
const RUNS: i64 = 6;

/// What is known of each run: the present one by its status, earlier ones by
/// the errors that they left.
pub fn known_runs(test: &Test) -> Vec<(i64, Option<ConflatedStatus>)> {
    let Some(now) = test.run_counter.map(|run| run.0) else {
        return Vec::new();
    };
    let left_errors = test
        .errors
        .iter()
        .filter_map(|error| error.run_counter.map(|run| run.0));
    let first = left_errors
        .clone()
        .chain([now])
        .min()
        .unwrap_or(now)
        .max(now - RUNS + 1);
    (first.max(0)..=now)
        .map(|run| {
            let status = if run == now {
                Some(test.shown_status())
            } else {
                left_errors
                    .clone()
                    .any(|it| it == run)
                    .then_some(ConflatedStatus::Error)
            };
            (run, status)
        })
        .collect()
}

fn runs_cell(test: &Test) -> AnyView {
    let runs = known_runs(test);
    if runs.is_empty() {
        return ().into_any();
    }
    let aloud = runs
        .iter()
        .map(|(run, status)| {
            let word = status
                .as_ref()
                .map_or("no error", |it| words::status_label(it));
            format!("run {run} {}", word.to_lowercase())
        })
        .collect::<Vec<_>>()
        .join("; ");
    view! {
        <span class="runs" role="img" aria-label=aloud.clone() title=aloud>
            {runs
                .into_iter()
                .map(|(_, status)| view! {
                    <i data-status=status.map(|it| it.word().to_owned())></i>
                })
                .collect_view()}
        </span>
    }
    .into_any()
}
