//! What a row of the table of figures says.

use retake_figures::{Figure, Standing};

use super::rows::Row;

/// The table in Markdown.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| # | figure | goal | measured | met? | command |\n|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let it = &row.figure;
        let command = if it.command.is_empty() {
            String::new()
        } else {
            format!("`{}`", it.command)
        };
        let cells = [
            &it.id,
            &it.what,
            &it.goal,
            &measured(row),
            &met(row),
            &command,
        ];
        let line: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        text.push_str(&format!("| {} |\n", line.join(" | ")));
    }
    text
}

/// What stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn measured(row: &Row) -> String {
    let measured = &row.figure.measured;
    match &row.of {
        // A task may not know the day.
        Some(of) if of.date.is_empty() => format!("{measured} (commit {})", of.commit),
        Some(of) => format!("{measured} (commit {}, {})", of.commit, of.date),
        None => measured.clone(),
    }
}

/// The last word on a figure.
fn met(row: &Row) -> String {
    if !row.measured {
        return format!("not measured: run `{}`", row.figure.command);
    }
    let word = match row.figure.standing() {
        Standing::Met => "yes".to_owned(),
        Standing::Short => format!("not yet: {}", short(&row.figure)),
        Standing::NotMet => "no".to_owned(),
        Standing::Broken => "BROKEN".to_owned(),
    };
    match &row.of {
        Some(of) if !of.same => format!("{word}, at {}", of.commit),
        _ => word,
    }
}

/// What there is too little of.
fn short(figure: &Figure) -> String {
    let short = figure.volumes.iter().filter(|it| it.is_short());
    let words: Vec<String> = short
        .map(|it| format!("{} of {} {}", grouped(it.done), grouped(it.asked), it.unit))
        .collect();
    words.join(", ")
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The figures that break a promise, named.
pub(super) fn broken(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .filter(|row| row.measured && row.figure.standing() == Standing::Broken)
        .map(|row| {
            let it = &row.figure;
            format!("{} {}: {}", it.id, it.what, it.measured)
        })
        .collect()
}

/// Below the table: how many are met, and each that is not, by name.
pub(super) fn summary(rows: &[Row]) -> String {
    let is_met = |row: &&Row| row.measured && row.figure.standing() == Standing::Met;
    let all = rows.len();
    let good = rows.iter().filter(is_met).count();
    let mut text = format!("{good} of {all} figures are met.");
    let mut others = String::new();
    for row in rows.iter().filter(|row| !is_met(row)) {
        let it = &row.figure;
        others.push_str(&format!("- {} {}: {}\n", it.id, it.what, met(row)));
    }
    if !others.is_empty() {
        text.push_str(&format!(" The others:\n\n{others}"));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::rows::Of;
    use super::*;

    fn row(figure: Figure) -> Row {
        Row {
            figure,
            measured: true,
            of: None,
        }
    }

    fn doubles(count: u64, seeds: u64) -> Row {
        let holds = count == 0;
        let figure = Figure::promise("#1", "doubles", "0", count.to_string(), holds);
        row(figure.over(seeds, 1_000_000, "seeds"))
    }

    fn speed(holds: bool) -> Row {
        row(Figure::goal("#27", "speed", "20,000", "x".into(), holds))
    }

    fn unmeasured(command: &str) -> Row {
        let mut it = row(Figure::goal("#5", "kills", "0", String::new(), false));
        it.figure.command = command.into();
        it.measured = false;
        it
    }

    #[test]
    fn the_last_word_on_each_figure() {
        assert_eq!(met(&doubles(0, 1_000_000)), "yes");
        assert_eq!(
            met(&doubles(0, 20_000)),
            "not yet: 20,000 of 1,000,000 seeds"
        );
        assert_eq!(met(&doubles(1, 20_000)), "BROKEN");
        assert_eq!(met(&speed(true)), "yes");
        assert_eq!(met(&speed(false)), "no");
        assert_eq!(
            met(&unmeasured("cargo xtask kills")),
            "not measured: run `cargo xtask kills`"
        );
    }

    #[test]
    fn what_another_commit_measured_is_not_said_of_this_one() {
        let mut it = doubles(0, 1_000_000);
        let of = |same| Of {
            commit: "abc1234".into(),
            date: "2026-01-02".into(),
            same,
        };
        it.of = Some(of(true));
        assert_eq!(met(&it), "yes");
        it.of = Some(of(false));
        assert_eq!(met(&it), "yes, at abc1234");
        assert_eq!(measured(&it), "0 (commit abc1234, 2026-01-02)");
        it.of = Some(Of {
            date: String::new(),
            ..of(false)
        });
        assert_eq!(measured(&it), "0 (commit abc1234)");
    }

    #[test]
    fn only_a_broken_promise_is_broken() {
        let rows = [
            doubles(0, 1_000_000),
            doubles(0, 5),
            speed(false),
            unmeasured("cargo xtask kills"),
        ];
        assert!(broken(&rows).is_empty());
        assert_eq!(broken(&[doubles(2, 5)]), ["#1 doubles: 2"]);
    }

    #[test]
    fn each_that_is_not_met_is_named() {
        let text = summary(&[
            doubles(0, 1_000_000),
            doubles(0, 5),
            speed(false),
            unmeasured("cargo xtask kills"),
        ]);
        assert!(
            text.starts_with("1 of 4 figures are met. The others:"),
            "{text}"
        );
        assert!(
            text.contains("- #1 doubles: not yet: 5 of 1,000,000 seeds\n"),
            "{text}"
        );
        assert!(text.contains("- #27 speed: no\n"), "{text}");
        assert!(
            text.contains("- #5 kills: not measured: run `cargo xtask kills`\n"),
            "{text}"
        );
        assert_eq!(summary(&[speed(true)]), "1 of 1 figures are met.\n");
    }

    #[test]
    fn a_row_stays_a_row() {
        let odd = row(Figure::goal("#8", "a | b", "one\ntwo", "x".into(), true));
        let table = markdown(&[odd]);
        assert_eq!(table.lines().count(), 3);
        assert_eq!(
            table.lines().last(),
            Some("| #8 | a \\| b | one two | x | yes |  |")
        );
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, words) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (5_000_000_000, "5,000,000,000"),
        ] {
            assert_eq!(grouped(number), words);
        }
    }
}
