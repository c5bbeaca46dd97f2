//! Text for other programs: hostile names must stay text there too.

use super::words::clean;

/// Text that Markdown shows as it is.
pub fn markdown_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in clean(text).chars() {
        if matches!(
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
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(
            markdown_escape("[x](http://e) <b> @all `a`"),
            "\\[x\\]\\(http://e\\) \\<b\\> \\@all \\`a\\`"
        );
        assert_eq!(markdown_escape("a\nb"), "a b");
    }
}
