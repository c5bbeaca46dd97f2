//! Query parameters, paging and the proven forms of `search`
//! (`resim-api.md` §2.1, §2.4, §4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Failure, bad};
use crate::seed;

/// Decoded parameters in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) size: usize,
    pub(crate) offset: usize,
    /// Ties a token to the list and filters that it was made for.
    check: u64,
}

impl Query {
    /// Decodes the text after the question mark.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// All values of a list parameter: comma, `%2C` and repeated forms.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// The page that is asked for: 20 items unless told.
    pub(crate) fn page(&self, path: &str) -> Result<Page, Failure> {
        let size = match self.get("pageSize") {
            None => 20,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|size| (1..=100).contains(size))
                .ok_or_else(|| bad(format!("pageSize must be 1 to 100, got {text:?}.")))?,
        };
        let check = self
            .0
            .iter()
            .filter(|(key, _)| key != "pageToken" && key != "pageSize")
            .fold(seed::hash_text(1, path), |state, (key, value)| {
                seed::hash_text(seed::hash_text(state, key), value)
            });
        let offset = match self.get("pageToken") {
            None => 0,
            Some(token) => read_token(token, check)
                .ok_or_else(|| bad("pageToken is not one that this list has given out."))?,
        };
        Ok(Page {
            size,
            offset,
            check,
        })
    }

    /// `orderBy`, if it is one of the words of this list.
    pub(crate) fn order(&self, words: &[&str]) -> Result<Option<&str>, Failure> {
        match self.get("orderBy") {
            Some(word) if !words.contains(&word) => Err(bad(format!(
                "orderBy must be one of {}, got {word:?}.",
                words.join(", ")
            ))),
            other => Ok(other),
        }
    }
}

impl Page {
    /// The token of the page that begins at an offset.
    pub(crate) fn token(&self, offset: usize) -> String {
        // Awkward on purpose: every token holds `+`, `/` and `=`, so that a
        // client that does not encode them fails here and not in production.
        let text = format!("{offset}.{:x}", self.check);
        format!("+/{}=", STANDARD.encode(text).trim_end_matches('='))
    }

    /// Cuts this page out of a list; returns it with the next token.
    pub(crate) fn cut<T: Clone>(&self, items: &[T]) -> (Vec<T>, String) {
        let from = self.offset.min(items.len());
        let to = (from + self.size).min(items.len());
        let next = if to < items.len() {
            self.token(to)
        } else {
            String::new()
        };
        (items[from..to].to_vec(), next)
    }
}

fn read_token(token: &str, check: u64) -> Option<usize> {
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let inner = token.strip_prefix("+/")?.strip_suffix('=')?;
    let text = String::from_utf8(STANDARD_NO_PAD.decode(inner).ok()?).ok()?;
    let (offset, sum) = text.split_once('.')?;
    (u64::from_str_radix(sum, 16).ok()? == check).then(|| offset.parse().ok())?
}

/// One condition of a `search` expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) field: String,
    pub(crate) op: Op,
    pub(crate) values: Vec<String>,
}

/// A comparison that `search` is known to understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Is,
    In,
    Greater,
    Less,
}

impl Condition {
    /// Whether a text value meets the condition (`=` and `IN`).
    pub(crate) fn holds(&self, value: &str) -> bool {
        matches!(self.op, Op::Is | Op::In)
            && self.values.iter().any(|v| v.eq_ignore_ascii_case(value))
    }
}

/// Reads `field OP value AND …`; anything beyond the proven forms is a 400.
pub(crate) fn search(text: &str) -> Result<Vec<Condition>, Failure> {
    let mut rest = text.trim();
    let mut conditions = Vec::new();
    let fail = |at: &str| bad(format!("search: cannot read {at:?}."));
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .ok_or_else(|| fail(rest))?;
        let (field, after) = rest.split_at(end);
        let after = after.trim_start();
        let (op, after) = if let Some(after) = after.strip_prefix('=') {
            (Op::Is, after)
        } else if let Some(after) = after.strip_prefix('>') {
            (Op::Greater, after)
        } else if let Some(after) = after.strip_prefix('<') {
            (Op::Less, after)
        } else if let Some(after) = after.strip_prefix("IN") {
            (Op::In, after)
        } else {
            return Err(fail(after));
        };
        let mut after = after.trim_start();
        let mut values = Vec::new();
        if op == Op::In {
            after = after.strip_prefix('(').ok_or_else(|| fail(after))?;
            loop {
                let (value, more) = scalar(after).ok_or_else(|| fail(after))?;
                values.push(value);
                let more = more.trim_start();
                if let Some(more) = more.strip_prefix(',') {
                    after = more;
                } else {
                    after = more.strip_prefix(')').ok_or_else(|| fail(more))?;
                    break;
                }
            }
        } else {
            let (value, more) = scalar(after).ok_or_else(|| fail(after))?;
            values.push(value);
            after = more;
        }
        if field.is_empty() {
            return Err(fail(rest));
        }
        conditions.push(Condition {
            field: field.to_owned(),
            op,
            values,
        });
        rest = after.trim_start();
        if !rest.is_empty() {
            rest = rest
                .strip_prefix("AND ")
                .ok_or_else(|| fail(rest))?
                .trim_start();
            if rest.is_empty() {
                return Err(fail("AND"));
            }
        }
    }
    Ok(conditions)
}

/// A quoted string or a bare integer, and what follows it.
fn scalar(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, rest) = quoted.split_once('"')?;
        return Some((value.to_owned(), rest));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_parameters_come_in_three_forms() {
        for text in [
            "conflatedStatus=ERROR,BLOCKER",
            "conflatedStatus=ERROR%2CBLOCKER",
            "conflatedStatus=ERROR&conflatedStatus=BLOCKER",
        ] {
            assert_eq!(
                Query::parse(text).list("conflatedStatus"),
                ["ERROR", "BLOCKER"]
            );
        }
        assert!(
            Query::parse("conflatedStatus=")
                .list("conflatedStatus")
                .is_empty()
        );
    }

    #[test]
    fn tokens_hold_every_awkward_character_and_only_fit_their_list() {
        let page = Query::parse("text=a").page("/x").unwrap();
        let token = page.token(40);
        assert!(token.contains('+') && token.contains('/') && token.contains('='));
        let encoded: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let again = Query::parse(&format!("text=a&pageToken={encoded}"));
        assert_eq!(again.page("/x").unwrap().offset, 40);
        assert_eq!(again.page("/y").unwrap_err().0, 400);
        // Sent as it is, `+` turns into a space.
        let raw = Query::parse(&format!("text=a&pageToken={token}"));
        assert_eq!(raw.page("/x").unwrap_err().0, 400);
    }

    #[test]
    fn page_sizes_outside_1_to_100_are_refused() {
        for text in ["0", "101", "-1", "x"] {
            let query = Query::parse(&format!("pageSize={text}"));
            assert_eq!(query.page("/").unwrap_err().0, 400);
        }
        assert_eq!(Query::parse("").page("/").unwrap().size, 20);
    }

    #[test]
    fn search_reads_the_proven_forms() {
        let conditions = search(
            r#"branch_id="71b9" AND created_at > "2024-01-01T00:00:00Z" AND status IN ("ERROR", "CANCELLED") AND test_suite_revision = 3"#,
        )
        .unwrap();
        let ops: Vec<_> = conditions.iter().map(|c| c.op).collect();
        assert_eq!(ops, [Op::Is, Op::Greater, Op::In, Op::Is]);
        assert_eq!(conditions[2].values, ["ERROR", "CANCELLED"]);
        assert_eq!(conditions[3].values, ["3"]);
    }

    #[test]
    fn search_beyond_the_proven_forms_is_refused() {
        for text in [
            "a",
            "a !=",
            "a = ",
            "a = \"x\" OR b = \"y\"",
            "a = \"x\" AND ",
        ] {
            assert_eq!(search(text).unwrap_err().0, 400, "{text}");
        }
    }
}
