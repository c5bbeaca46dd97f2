//! Text for other programs: hostile names must stay text there too.

use super::words::clean;
use crate::supervise::LogLine;

/// Text that Markdown shows as it is (`CommonMark`, and GitHub's additions): no
/// markup, no HTML, no character reference, no link, no picture, no formula,
/// no table, no list. One line.
///
/// Beyond any escape is what a site does to the finished text, such as GitHub
/// with `@name`.
pub fn markdown_escape(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.trim_start_matches(' ');
    // Four spaces begin a block of code; these do not.
    out.extend(std::iter::repeat_n('\u{a0}', text.len() - rest.len()));
    // At the start of a line these begin a list or underline a heading.
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if rest[digits..].starts_with(['-', '+', '=', '.', ')']) {
        out.push_str(&rest[..digits]);
        rest = &rest[digits..];
        out.push('\\');
        out.extend(rest.chars().next());
        rest = &rest[1..];
    }
    let mut chars = rest.chars().peekable();
    let mut tail = [' '; 3];
    while let Some(c) = chars.next() {
        let is_markup = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '('
                | ')'
                | '#'
                | '|'
                | '!'
                | '~'
                | '@'
                | '&'
                | '$'
                | '^'
        );
        // `https://…`, `mailto:…` and `www.…` become links without any markup.
        let makes_link = (c == ':' && chars.peek().is_some_and(|next| *next != ' '))
            || (c == '.' && tail.iter().all(|it| it.eq_ignore_ascii_case(&'w')));
        if is_markup || makes_link {
            out.push('\\');
        }
        out.push(c);
        tail = [tail[1], tail[2], c];
    }
    out
}

/// The decision log as a text to keep: a line each, with its time.
pub fn log_text(lines: &[LogLine]) -> String {
    lines
        .iter()
        .map(|line| format!("{} {}\n", line.at, clean(&line.text)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        for (name, text) in [
            (
                "[x](y) <b> @all `a`",
                "\\[x\\]\\(y\\) \\<b\\> \\@all \\`a\\`",
            ),
            ("a\nb", "a b"),
            ("&#x202e;&lt;", "\\&\\#x202e;\\&lt;"),
            ("see https://e.example", "see https\\://e.example"),
            ("WWW.e.example", "WWW\\.e.example"),
            ("mailto:a", "mailto\\:a"),
            ("$x$ ^1^", "\\$x\\$ \\^1\\^"),
            ("- x", "\\- x"),
            ("+", "\\+"),
            ("===", "\\==="),
            ("12. x", "12\\. x"),
            ("7) x", "7\\) x"),
            ("    x", "\u{a0}\u{a0}\u{a0}\u{a0}x"),
            ("14 of 320: 4.4 %, e.g.", "14 of 320: 4.4 %, e.g."),
            ("", ""),
        ] {
            assert_eq!(markdown_escape(name), text);
        }
    }
}
