//! Text that somebody else wrote, made safe to read.
//!
//! Whatever the server, a provider or a browser says passes one of these where
//! it becomes a value of ours, so that no sentence made of it later can hide,
//! reorder or break what a person reads.
//!
//! Names are the exception: of projects, batches, tests and tags. They are
//! identities, compared exactly as the CLI compares them and put into its
//! commands, so they are kept as they are and made safe where they are shown.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

/// The longest message of somebody else that is kept, in characters.
pub const MESSAGE_CHARS: usize = 1_000;

/// Hostile text made safe to read: what could hide, reorder or break a line is
/// shown as its code point. Never as markup; the page only ever sets text.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_clean(&mut out, c);
    }
    Cow::Owned(out)
}

/// One line made safe to read, of at most `most` characters and a `…` where
/// more was cut. Cleaning it again changes nothing.
pub fn clean_line(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most) + 4);
    // What one character turns into is counted by what a person reads.
    for c in text.chars().take(most.saturating_add(1)) {
        push_clean(&mut out, c);
    }
    if let Some((cut, _)) = out.char_indices().nth(most) {
        out.truncate(cut);
        out.push('…');
    }
    out
}

/// Several lines made safe to read, of at most `most` characters in all. Line
/// breaks are the writer's own; everything else is as in [`clean_line`].
pub fn clean_lines(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most) + 4);
    let mut chars = text.chars().take(most.saturating_add(1)).peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => out.push('\n'),
            c => push_clean(&mut out, c),
        }
    }
    if let Some((cut, _)) = out.char_indices().nth(most) {
        out.truncate(cut);
        out.push('…');
    }
    out
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

/// Reads a stored message and cleans it: a journal may be older than this rule.
///
/// # Errors
/// It is no text.
pub(crate) fn stored_line<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| clean_line(&text, MESSAGE_CHARS)))
}

/// The same for several.
///
/// # Errors
/// They are no texts.
pub(crate) fn stored_lines<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    let cleaned = texts.iter().map(|text| clean_line(text, MESSAGE_CHARS));
    Ok(cleaned.collect())
}

fn push_clean(out: &mut String, c: char) {
    match c {
        '\n' | '\t' | '\r' => out.push(' '),
        c if is_deceptive(c) => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
        c => out.push(c),
    }
}

/// Control characters, bidirectional controls, and characters that leave no
/// mark: without width, fillers, and selectors of variants that no font has.
/// The two selectors of text and emoji are left alone.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}'
            | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0D}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_deceives_is_shown_as_code_points() {
        assert_eq!(clean("plain é 試験"), "plain é 試験");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
        assert_eq!(clean("a\u{202E}b"), "a⟨U+202E⟩b");
        assert_eq!(clean("zero\u{200B}width"), "zero⟨U+200B⟩width");
        assert_eq!(clean("two\nlines"), "two lines");
        assert_eq!(clean("\u{1b}[31mred"), "⟨U+001B⟩[31mred");
        assert_eq!(clean("a\u{E0041}\u{3164}b"), "a⟨U+E0041⟩⟨U+3164⟩b");
        assert_eq!(clean("☺\u{FE0F}"), "☺\u{FE0F}");
    }

    #[test]
    fn a_line_is_cut_once_and_for_all() {
        assert_eq!(clean_line("abc", 3), "abc");
        assert_eq!(clean_line("abcd", 3), "abc…");
        let cut = clean_line(&"\u{202E}".repeat(1_000_000), 20);
        assert_eq!(cut.chars().count(), 21);
        assert_eq!(clean_line(&cut, 20), cut);
    }

    #[test]
    fn lines_keep_their_breaks_and_nothing_else() {
        assert_eq!(clean_lines("a\r\nb\tc\rd\u{85}", 99), "a\nb c d⟨U+0085⟩");
        assert_eq!(clean_lines("a\nbcd", 3), "a\nb…");
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
}
