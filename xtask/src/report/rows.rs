//! The rows that the table of figures must have, whoever measures them: a figure that
//! nobody measured is a row too, and says so.

use retake_figures::{Figure, Figures};

/// Who measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Sim,
    /// The seeds of a night, which no report waits for.
    Night,
    /// The seeds before a release.
    Release,
    Planted,
    Replays,
    Compare,
    Sweep,
    Model,
    Fuzz,
    Rules,
    Chaos,
    Kills,
    Hidden,
    Visible,
    Outage,
    Wake,
    /// A batch of 10,000 tests; by the same task as [`Self::Soak`].
    Large,
    Soak,
    Coverage,
    Mutants,
}

impl Source {
    /// Those that have a task of their own, whose file the table shows as it was left.
    pub(super) const KEPT: [Self; 12] = [
        Self::Night,
        Self::Release,
        Self::Chaos,
        Self::Kills,
        Self::Hidden,
        Self::Visible,
        Self::Outage,
        Self::Wake,
        Self::Large,
        Self::Soak,
        Self::Coverage,
        Self::Mutants,
    ];

    /// Names the file that it leaves.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Night => "night",
            Self::Release => "release",
            Self::Planted => "planted",
            Self::Replays => "replays",
            Self::Compare => "compare",
            Self::Sweep => "sweep",
            Self::Model => "model",
            Self::Fuzz => "fuzz",
            Self::Rules => "rules",
            Self::Chaos => "chaos",
            Self::Kills => "kills",
            Self::Hidden => "hidden",
            Self::Visible => "visible",
            Self::Outage => "outage",
            Self::Wake => "wake",
            Self::Large => "large",
            Self::Soak => "soak",
            Self::Coverage => "coverage",
            Self::Mutants => "mutants",
        }
    }

    /// What it does.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Sim => "the core against every fault",
            Self::Night => "the core against every fault, for a night",
            Self::Release => "the core against every fault, before a release",
            Self::Planted => "bugs planted in the core",
            Self::Replays => "failing runs made again",
            Self::Compare => "beside other policies",
            Self::Sweep => "settle windows of several lengths",
            Self::Model => "every order of events within a bound",
            Self::Fuzz => "broken and hostile inputs",
            Self::Rules => "the CLI's rules and hostile texts",
            Self::Chaos => "the scenarios in a browser",
            Self::Kills => "kills of a real browser",
            Self::Hidden => "a hidden tab",
            Self::Visible => "a visible tab",
            Self::Outage => "an outage of an hour",
            Self::Wake => "wakings of a tab",
            Self::Large => "a batch of 10,000 tests",
            Self::Soak => "fifty batches in one tab for a day",
            Self::Coverage => "coverage of the core",
            Self::Mutants => "mutants of the supervisor",
        }
    }

    /// What measures it.
    fn command(self) -> &'static str {
        match self {
            Self::Sim => "cargo xtask sim --trained",
            Self::Night => "cargo xtask sim --night",
            Self::Release => "cargo xtask sim --release",
            Self::Planted => "cargo xtask sim --planted",
            Self::Replays => "cargo xtask sim --replays 1000",
            Self::Compare => "cargo xtask sim --compare 1000000",
            Self::Sweep => "cargo xtask sim --sweep",
            Self::Model => "cargo xtask model",
            Self::Fuzz => "cargo xtask fuzz",
            Self::Rules => "cargo xtask report",
            Self::Chaos => "cargo xtask test --only chaos",
            Self::Kills => "cargo xtask kills",
            Self::Hidden => "cargo xtask hidden",
            Self::Visible => "cargo xtask hidden --visible",
            Self::Outage => "cargo xtask outage",
            Self::Wake => "cargo xtask wake",
            Self::Large => "cargo xtask soak --large",
            Self::Soak => "cargo xtask soak",
            Self::Coverage => "cargo xtask coverage",
            Self::Mutants => "cargo xtask mutants --all",
        }
    }

    /// Whether its file may be of an earlier commit.
    fn is_kept(self) -> bool {
        Self::KEPT.contains(&self)
    }
}

/// Each figure of `reliability.md` §8 up to #30, by whom it is measured. Those after
/// it are of security and access, which have checks of their own.
const EXPECTED: &[(&str, Source, &str, &str)] = {
    use Source::{
        Chaos, Compare, Coverage, Fuzz, Hidden, Kills, Large, Model, Mutants, Night, Outage,
        Planted, Release, Replays, Rules, Sim, Soak, Sweep, Visible, Wake,
    };
    &[
        (
            "#1",
            Sim,
            "rerun decisions applied twice",
            "0 in 1,000,000 seeds",
        ),
        (
            "#1",
            Chaos,
            "browser tests in which a POST too many, or too few, reached the server",
            "0, in any attempt",
        ),
        (
            "#2",
            Sim,
            "reruns beyond the budget, empty, or of tests that do not fail",
            "0 in 1,000,000 seeds",
        ),
        (
            "#2",
            Compare,
            "reruns applied on a run newer than the decision, harsh and mild",
            "at most 1 per million",
        ),
        (
            "#3",
            Release,
            "simulated time and API calls",
            "1,000 years and 5,000 million calls a release",
        ),
        (
            "#4",
            Model,
            "exhaustive check of a small bound",
            "complete, 100,000 distinct states, 0 counterexamples",
        ),
        (
            "#5",
            Sim,
            "supervisions lost or doubled by a page that dies around a write",
            "0 in 10,000 cuts",
        ),
        (
            "#5",
            Kills,
            "supervisions lost or doubled by kills of a real browser",
            "0 in 60 kills",
        ),
        (
            "#6",
            Rules,
            "decisions and verdicts that differ from the CLI's rules",
            "0 in 50,000 rows",
        ),
        ("#7", Sim, "wrong verdicts", "0 in 1,000,000 seeds"),
        (
            "#8",
            Sim,
            "fault kinds and fault × phase cells met",
            "25 kinds, 200 cells",
        ),
        (
            "#8",
            Night,
            "cells met fewer than 1,000 times in a night",
            "0 in 20,000,000 seeds",
        ),
        (
            "#9",
            Outage,
            "first look after an outage of an hour",
            "at most 5 s after its end",
        ),
        (
            "#10",
            Compare,
            "supervisions lost",
            "at most 0.01 %, harsh and mild",
        ),
        (
            "#11",
            Chaos,
            "from the session to supervising again",
            "at most 3 s",
        ),
        (
            "#12",
            Chaos,
            "takeover after the acting tab dies or freezes",
            "at most 35 s",
        ),
        (
            "#13",
            Chaos,
            "refreshes at once, refresh tokens used twice, polls lost when tokens expire",
            "1; 0; at most 1 interval",
        ),
        ("#14", Visible, "poll gap of a visible tab", "p99 30 ± 2 s"),
        (
            "#15",
            Hidden,
            "poll gap of a hidden tab",
            "p99 at most 35 s",
        ),
        ("#16", Wake, "from waking to fresh data", "p95 at most 2 s"),
        (
            "#17",
            Sweep,
            "doubles with the settle window of the product",
            "0",
        ),
        (
            "#18",
            Chaos,
            "reads a second for 50 batches in one tab",
            "at most 2",
        ),
        (
            "#19",
            Large,
            "10,000 tests in one batch, shown and decided on",
            "at most 2 s of processor time, no task above 50 ms, 100 MB",
        ),
        (
            "#20",
            Soak,
            "growth of a tab that supervises 50 batches",
            "at most 5 MB in 24 hours, 0 listeners",
        ),
        (
            "#21",
            Rules,
            "load on the API beside one CLI",
            "at most 1.2 times the requests",
        ),
        (
            "#22",
            Rules,
            "caps of answers and listings",
            "10 MB an answer, 1,000 pages, 64 MB a listing",
        ),
        (
            "#23",
            Fuzz,
            "broken and hostile inputs",
            "1,000,000: 0 panics, 0 actions from an invalid answer",
        ),
        (
            "#24",
            Rules,
            "hostile texts that pass a sink unescaped",
            "0 of 300 texts",
        ),
        (
            "#25",
            Rules,
            "attacks by return addresses and links",
            "0 of 200 cases",
        ),
        (
            "#26",
            Coverage,
            "regions of the core that its own tests run through",
            "95 %",
        ),
        (
            "#26",
            Mutants,
            "mutants of the supervisor that the core's tests catch",
            "95 %",
        ),
        (
            "#27",
            Sim,
            "runs a second of processor time, one core",
            "20,000",
        ),
        (
            "#28",
            Replays,
            "failures that replay bit for bit, native and wasm",
            "all of 1,000",
        ),
        (
            "#29",
            Planted,
            "planted bugs caught",
            "at least 20, all, each within 60 s",
        ),
        (
            "#30",
            Chaos,
            "scenarios in a browser",
            "40 of 48, in Chromium",
        ),
    ]
};

/// What a night and the seeds before a release measure that a million seeds do not.
const LONG: [&str; 3] = ["#1", "#3", "#8"];

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The figure; for one that was not measured, what it would be.
    pub(super) figure: Figure,
    /// Whether it was measured.
    pub(super) measured: bool,
    /// When and at which commit, where that may be another one than the table's.
    pub(super) of: Option<Of>,
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) commit: String,
    pub(super) date: String,
    /// It is the commit of the table.
    pub(super) same: bool,
}

/// What of a file the table shows: of long runs that which takes one, and what it broke.
pub(super) fn wanted(source: Source, mut figures: Figures) -> Figures {
    if matches!(source, Source::Night | Source::Release) {
        figures.all.retain(|it| LONG.contains(&it.id.as_str()));
    }
    figures
}

/// The rows: what was measured in the order of the figures, and each that was not.
pub(super) fn assemble(measured: &[(Source, Figures)], commit: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (source, figures) in measured {
        let of = source.is_kept().then(|| Of {
            commit: figures.commit.clone(),
            date: figures.date.clone(),
            same: figures.commit == commit,
        });
        rows.extend(figures.all.iter().map(|figure| Row {
            figure: figure.clone(),
            measured: true,
            of: of.clone(),
        }));
    }
    for (id, source, what, goal) in EXPECTED {
        let is_there = measured
            .iter()
            .filter(|(by, _)| by == source)
            .any(|(_, figures)| figures.all.iter().any(|it| it.id == *id));
        if !is_there {
            let mut figure = Figure::goal(id, what, goal, String::new(), false);
            source.command().clone_into(&mut figure.command);
            rows.push(Row {
                figure,
                measured: false,
                of: None,
            });
        }
    }
    rows.sort_by_key(|row| number(&row.figure.id));
    rows
}

/// `#12` by its number; what has none comes last.
fn number(id: &str) -> u32 {
    id.trim_start_matches('#').parse().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(commit: &str, id: &str) -> Figures {
        let mut all = Figures::of(commit);
        all.add(Figure::promise(id, "what", "goal", "1".into(), true), "how");
        all
    }

    #[test]
    fn every_figure_is_a_row_although_nothing_was_measured() {
        let rows = assemble(&[], "c");
        assert!(rows.iter().all(|row| !row.measured));
        for n in 1..=30 {
            let id = format!("#{n}");
            assert!(rows.iter().any(|row| row.figure.id == id), "{id}");
        }
        assert!(rows.is_sorted_by_key(|row| number(&row.figure.id)));
    }

    #[test]
    fn what_one_task_measured_does_not_stand_for_another() {
        // #5 is measured by the simulation and by kills of a real browser.
        let rows = assemble(&[(Source::Sim, figures("c", "#5"))], "c");
        let fifth: Vec<_> = rows.iter().filter(|row| row.figure.id == "#5").collect();
        assert_eq!(fifth.len(), 2);
        let missing = fifth.iter().find(|row| !row.measured).unwrap();
        assert_eq!(missing.figure.command, "cargo xtask kills");
    }

    #[test]
    fn of_a_long_run_only_that_is_shown_which_takes_one() {
        let shown = |source, id| wanted(source, figures("c", id)).all.len();
        assert_eq!(shown(Source::Night, "#3"), 1);
        assert_eq!(shown(Source::Night, "#27"), 0);
        assert_eq!(shown(Source::Release, "#27"), 0);
        assert_eq!(shown(Source::Kills, "#27"), 1);
    }

    #[test]
    fn a_file_of_another_commit_says_so() {
        let of = |commit| {
            let rows = assemble(&[(Source::Kills, figures("a", "#5"))], commit);
            rows.into_iter().find_map(|row| row.of).unwrap()
        };
        assert!(of("a").same);
        assert!(!of("b").same);
    }
}
