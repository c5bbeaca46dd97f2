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

/// `1 test`, `14 tests`, `12,345 tests`.
pub fn tests(n: usize) -> String {
    let noun = if n == 1 { "test" } else { "tests" };
    format!("{} {noun}", number(n as u64))
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
    }
}
