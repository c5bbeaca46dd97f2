//! Numbers, durations and hostile text, as people read them.

use std::time::Duration;

use crate::domain::{ConflatedBatchStatus, ConflatedStatus};

pub use crate::domain::{
    text::{clean, clean_line as line, name},
    words::{number, tests, tests_do},
};

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
        ConflatedStatus::Unknown(word) => word,
        known => known.meaning().label,
    }
}

/// A batch's one word as a label.
pub fn batch_label(status: &ConflatedBatchStatus) -> &str {
    match status {
        ConflatedBatchStatus::Unknown(word) => word,
        known => known.meaning().label,
    }
}

/// The longest name in the title of a window or a notification, in characters.
const TITLE_CHARS: usize = 120;

/// A name for the title of a window, a tab or a notification: one line, cut.
pub fn title(name: &str) -> String {
    line(name, TITLE_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_title_is_one_short_line() {
        assert_eq!(title("a\nb\u{202E}"), "a b⟨U+202E⟩");
        assert_eq!(
            title(&"x".repeat(1_000_000)).chars().count(),
            TITLE_CHARS + 1
        );
    }
}
