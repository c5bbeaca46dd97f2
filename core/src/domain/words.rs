//! Counts, as people read them.

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

/// So many of a noun: `1 failure`, `12,345 failures`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(n))
}

/// `1 test`, `14 tests`, `12,345 tests`.
pub fn tests(n: usize) -> String {
    count(n as u64, "test")
}

/// With what they do, as `one` does and as `more` do: `1 test is`, `14 tests are`.
pub fn tests_do(n: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(n, "test"), if n == 1 { one } else { more })
}

#[cfg(test)]
mod unit_tests {
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
        assert_eq!(count(1, "failure"), "1 failure");
        assert_eq!(tests_do(1, "is", "are"), "1 test is");
        assert_eq!(tests_do(0, "is", "are"), "0 tests are");
    }
}
