//! Go duration strings, both ways (`resim-api.md` §7).
//!
//! The CLI takes and prints durations in Go's form, so Retake does too. What
//! Go accepts, this accepts; what it refuses, this refuses in the same words.

use std::{fmt, time::Duration};

/// A duration as Go keeps it: signed nanoseconds in 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration(i64);

/// Why a text is no duration, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DurationError {
    /// Empty, no digits, a bad character in front, or out of range.
    Invalid(String),
    /// A number without a unit.
    MissingUnit(String),
    /// A unit that does not exist; the unit, then the whole text.
    UnknownUnit(String, String),
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) => write!(f, "time: invalid duration {}", quoted(text)),
            Self::MissingUnit(text) => write!(f, "time: missing unit in duration {}", quoted(text)),
            Self::UnknownUnit(unit, text) => {
                write!(
                    f,
                    "time: unknown unit {} in duration {}",
                    quoted(unit),
                    quoted(text)
                )
            }
        }
    }
}

impl std::error::Error for DurationError {}

/// Go's quoting in these messages: backslash before `"` and `\`, `\xNN` for
/// control and non-ASCII bytes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// The units, with their nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The largest magnitude, that of the most negative duration.
const LIMIT: u64 = 1 << 63;

impl GoDuration {
    /// Nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The same length; the longest possible if it does not fit.
    pub fn from_std(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The same length; `None` if negative.
    pub fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }

    /// Reads Go's `time.ParseDuration` grammar.
    ///
    /// # Errors
    /// Go's three, with the whole text.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            if !rest.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
                return Err(invalid());
            }
            let (whole_digits, after) = split_digits(rest);
            let whole = whole_digits
                .bytes()
                .try_fold(0_u64, |sum, digit| {
                    sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
                })
                .filter(|whole| *whole <= LIMIT)
                .ok_or_else(invalid)?;
            let (fraction_digits, after) = match after.strip_prefix('.') {
                Some(after) => split_digits(after),
                None => ("", after),
            };
            if whole_digits.is_empty() && fraction_digits.is_empty() {
                return Err(invalid());
            }
            let end = after
                .find(|c: char| c == '.' || c.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            if unit.is_empty() {
                return Err(DurationError::MissingUnit(text.to_owned()));
            }
            let nanos = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, nanos)| *nanos)
                .ok_or_else(|| DurationError::UnknownUnit(unit.to_owned(), text.to_owned()))?;
            let part = whole
                .checked_mul(nanos)
                .filter(|part| *part <= LIMIT)
                .ok_or_else(invalid)?;
            total = total
                .checked_add(part)
                .and_then(|sum| sum.checked_add(fraction(fraction_digits, nanos)))
                .filter(|sum| *sum <= LIMIT)
                .ok_or_else(invalid)?;
            rest = after;
        }
        if negative {
            return Ok(Self(0_i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Nanoseconds of a decimal fraction of a unit, as Go computes them: in
/// double precision, truncated, digits beyond 63 bits dropped.
fn fraction(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > LIMIT {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Go truncates here"
    )]
    let nanos = (value as f64 * (unit as f64 / scale)) as u64;
    nanos
}

impl fmt::Display for GoDuration {
    /// Go's `time.Duration.String`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => {
                write_decimal(f, nanos / 1_000, nanos % 1_000, 3)?;
                f.write_str("\u{b5}s")
            }
            1_000_000..1_000_000_000 => {
                write_decimal(f, nanos / 1_000_000, nanos % 1_000_000, 6)?;
                f.write_str("ms")
            }
            _ => {
                let seconds = nanos / 1_000_000_000;
                if seconds >= 3600 {
                    write!(f, "{}h", seconds / 3600)?;
                }
                if seconds >= 60 {
                    write!(f, "{}m", seconds / 60 % 60)?;
                }
                write_decimal(f, seconds % 60, nanos % 1_000_000_000, 9)?;
                f.write_str("s")
            }
        }
    }
}

fn write_decimal(
    f: &mut fmt::Formatter<'_>,
    whole: u64,
    fraction: u64,
    width: usize,
) -> fmt::Result {
    write!(f, "{whole}")?;
    if fraction > 0 {
        let digits = format!("{fraction:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        GoDuration::parse(text)
            .map(|it| it.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_accepted_row_of_the_table_reads_and_prints() {
        for (text, wanted) in [
            ("30s", "30s"),
            ("1h", "1h0m0s"),
            ("1m", "1m0s"),
            ("1.5h", "1h30m0s"),
            ("90m", "1h30m0s"),
            ("2h45m", "2h45m0s"),
            (".5s", "500ms"),
            ("5.s", "5s"),
            ("-1.5h", "-1h30m0s"),
            ("+5s", "5s"),
            ("1ms500us", "1.5ms"),
            ("0", "0s"),
            ("-0", "0s"),
            ("+0", "0s"),
            ("0.5ns", "0s"),
            ("24h", "24h0m0s"),
            ("3661s", "1h1m1s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("30m1h", "1h30m0s"),
            ("1h1h", "2h0m0s"),
            ("1.0000000001s", "1s"),
            ("1500ns", "1.5\u{b5}s"),
            ("1500\u{3bc}s", "1.5ms"),
            ("200ms", "200ms"),
            ("59.999s", "59.999s"),
            ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
        ] {
            assert_eq!(parsed(text), Ok(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn every_refused_row_of_the_table_is_refused_in_gos_words() {
        for text in [
            "",
            "+",
            "abc",
            ".s",
            "--1s",
            " 1h",
            "2562048h",
            "9223372036854775808ns",
            "1000000000000000000000s",
        ] {
            assert_eq!(
                parsed(text),
                Err(format!("time: invalid duration \"{text}\"")),
                "{text}"
            );
        }
        for text in ["5", "1m30", "1h2"] {
            assert_eq!(
                parsed(text),
                Err(format!("time: missing unit in duration \"{text}\""))
            );
        }
        for (text, unit) in [
            ("1d", "d"),
            ("1H", "H"),
            ("1S", "S"),
            ("1x", "x"),
            ("1h 30m", "h "),
            ("1h ", "h "),
            ("5 s", " s"),
            ("1e3s", "e"),
            ("1_000s", "_"),
            ("1s-1s", "s-"),
        ] {
            let wanted = format!("time: unknown unit \"{unit}\" in duration \"{text}\"");
            assert_eq!(parsed(text), Err(wanted), "{text}");
        }
    }

    #[test]
    fn odd_bytes_are_quoted_as_go_does() {
        assert_eq!(
            parsed("1\u{e9}"),
            Err(r#"time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#.to_owned())
        );
        assert_eq!(
            parsed("\"\\"),
            Err(r#"time: invalid duration "\"\\""#.to_owned())
        );
    }

    #[test]
    fn what_is_printed_reads_back() {
        let mut seed = 7_u64;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let duration = GoDuration(seed.cast_signed() >> (seed % 60));
            assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
        }
    }
}
