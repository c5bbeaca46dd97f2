//! Numbers, durations and hostile text, as people read them.

use std::{borrow::Cow, time::Duration};

use crate::domain::{ConflatedBatchStatus, ConflatedStatus};

/// A number with thousands separated: `12,345`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 test`, `14 tests`, `12,345 tests`.
pub fn tests(n: usize) -> String {
    let noun = if n == 1 { "test" } else { "tests" };
    format!("{} {noun}", number(n as u64))
}

/// A length of time to two units: `8 s`, `4 m 03 s`, `2 h 05 m`, `3 d 04 h`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days} d {:02} h", hours % 24)
    } else if hours > 0 {
        format!("{hours} h {:02} m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} m {:02} s", seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

/// How long ago, to one unit: `just now`, `8 s ago`, `2 m ago`, `3 h ago`, `5 d ago`.
pub fn ago(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=1 => "just now".into(),
        2..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} m ago", seconds / 60),
        3600..=86_399 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// A file size: `18.2 kB`, `3.0 GB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// A test's status word as a label; words that we do not know stay as they are.
pub fn status_label(status: &ConflatedStatus) -> &str {
    match status {
        ConflatedStatus::Queued => "Queued",
        ConflatedStatus::Running => "Running",
        ConflatedStatus::Error => "Error",
        ConflatedStatus::Cancelled => "Cancelled",
        ConflatedStatus::Blocker => "Blocker",
        ConflatedStatus::Warning => "Warning",
        ConflatedStatus::Passed => "Passed",
        ConflatedStatus::Unknown(word) => word,
    }
}

/// A batch's one word as a label.
pub fn batch_label(status: &ConflatedBatchStatus) -> &str {
    match status {
        ConflatedBatchStatus::Submitted => "Submitted",
        ConflatedBatchStatus::Running => "Running",
        ConflatedBatchStatus::Cancelled => "Cancelled",
        ConflatedBatchStatus::Error => "Error",
        ConflatedBatchStatus::Complete => "Complete",
        ConflatedBatchStatus::Blocker => "Blocker",
        ConflatedBatchStatus::Warning => "Warning",
        ConflatedBatchStatus::Unknown(word) => word,
    }
}

/// Hostile text made safe to read: what could hide, reorder or break a line is
/// shown as its code point. Never as markup; the page only ever sets text.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => out.push(' '),
            c if is_deceptive(c) => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A name made safe to read, with the spaces at its ends shown: a name that
/// differs by them alone is another name.
pub fn name(text: &str) -> String {
    let text = clean(text);
    let inner = text.trim_matches(' ');
    if inner.is_empty() {
        return if text.is_empty() {
            "(no name)".to_owned()
        } else {
            "␣".repeat(text.len())
        };
    }
    let before = text.len() - text.trim_start_matches(' ').len();
    let after = text.len() - text.trim_end_matches(' ').len();
    format!("{}{inner}{}", "␣".repeat(before), "␣".repeat(after))
}

/// Control characters, bidirectional overrides and characters without width.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}' | '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(n), text);
        }
        assert_eq!(tests(1), "1 test");
        assert_eq!(tests(100_000), "100,000 tests");
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (243, "4 m 03 s"),
            (7500, "2 h 05 m"),
            (273_600, "3 d 04 h"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn ago_has_one_unit() {
        for (seconds, text) in [
            (1, "just now"),
            (8, "8 s ago"),
            (125, "2 m ago"),
            (7300, "2 h ago"),
            (200_000, "2 d ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn sizes_change_unit_before_four_digits() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (18_231, "18.2 kB"),
            (999_960, "1.0 MB"),
            (3_000_000_000, "3.0 GB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn spaces_at_the_ends_of_a_name_are_seen() {
        for (text, shown) in [
            ("plain name", "plain name"),
            ("  x ", "␣␣x␣"),
            ("", "(no name)"),
            (" ", "␣"),
        ] {
            assert_eq!(name(text), shown);
        }
    }

    #[test]
    fn text_that_deceives_is_shown_as_code_points() {
        assert_eq!(clean("plain é 試験"), "plain é 試験");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
        assert_eq!(clean("a\u{202E}b"), "a⟨U+202E⟩b");
        assert_eq!(clean("zero\u{200B}width"), "zero⟨U+200B⟩width");
        assert_eq!(clean("two\nlines"), "two lines");
        assert_eq!(clean("\u{1b}[31mred"), "⟨U+001B⟩[31mred");
    }
}
