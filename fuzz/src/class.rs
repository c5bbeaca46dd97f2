//! The class of an outcome: what two inputs have in common for the reader.

use retake_core::api::ApiError;

/// The words of a failure without its accidents: numbers, quotations, names.
pub fn of_words(words: &str) -> String {
    // What follows these is quoted from the input.
    let end = [
        "labelled ",
        "calls itself ",
        "safe address: ",
        "safe one: ",
        "another batch, ",
    ]
    .iter()
    .filter_map(|mark| words.find(mark).map(|at| at + mark.len()))
    .min();
    let words = end.map_or(words, |end| &words[..end]);
    let mut out = String::new();
    let mut until: Option<char> = None;
    let mut is_escaped = false;
    for c in words.chars().take(200) {
        let was_escaped = is_escaped;
        is_escaped = c == '\\' && !was_escaped;
        if was_escaped {
            continue;
        }
        match until {
            Some(end) if c == end => {
                until = None;
                continue;
            }
            Some(_) => continue,
            None if matches!(c, '"' | '`' | '(') => {
                until = Some(if c == '(' { ')' } else { c });
                out.push('…');
                continue;
            }
            None => {}
        }
        if c.is_ascii_digit() {
            if !out.ends_with('#') {
                out.push('#');
            }
        } else if c.is_ascii() {
            out.push(c);
        } else if !out.ends_with('?') {
            out.push('?');
        }
    }
    out
}

/// The class of a failed call.
pub fn of_error(error: &ApiError) -> String {
    let words = error.message.as_deref().unwrap_or("");
    // The server's own words are anything; ours tell what the reader met.
    let words = match error.status {
        Some(200) => of_words(words),
        _ if words.is_empty() => "silent".to_owned(),
        _ => "said".to_owned(),
    };
    let wait = if error.retry_after.is_some() {
        " waits"
    } else {
        ""
    };
    format!("{:?}{wait}: {words}", error.kind)
}

/// A number by its size: none, one, few, many.
pub const fn size(n: usize) -> &'static str {
    match n {
        0 => "0",
        1 => "1",
        2..=9 => "few",
        _ => "many",
    }
}

/// The features of a value that hold, joined.
pub fn of_features(what: &str, features: &[(&str, bool)]) -> String {
    let mut out = what.to_owned();
    for (name, holds) in features {
        if *holds {
            out.push(' ');
            out.push_str(name);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accidents_are_left_out() {
        assert_eq!(
            of_words(
                "broken JSON: invalid type: string \"a\\b\", expected i64 at line 12 column 3"
            ),
            "broken JSON: invalid type: string …, expected i# at line # column #"
        );
        assert_eq!(of_words("unknown variant `x`"), "unknown variant …");
        assert_eq!(size(5), "few");
        assert_eq!(of_features("ok", &[("a", true), ("b", false)]), "ok a");
    }
}
