//! Walks through the pages of a list without trusting the server to end it
//! (`resim-api.md` §4).

use std::collections::HashSet;

use super::{ApiError, ErrorKind};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; `None` at the end.
    pub next: Option<String>,
    /// Matches over all pages, where the API says so.
    pub total: Option<u64>,
    /// Length of the answer, decoded.
    pub bytes: usize,
}

/// Most pages that are read of one list: at 100 a page, a hundred thousand items.
pub(crate) const MAX_PAGES: usize = 1_000;
/// Most bytes that are read of one list, so that a tab survives a server that
/// sends without end. A hundred thousand tests with much to say are a half of it.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Longest page token, in bytes: it has to fit into the next request's address.
const MAX_TOKEN: usize = 8 * 1024;

/// Guards one walk through the pages of a list.
#[derive(Debug, Default)]
pub struct Paging {
    seen: HashSet<String>,
    pages: usize,
    bytes: usize,
}

impl Paging {
    /// Takes in a page; `Some(token)` asks for the next one.
    ///
    /// # Errors
    /// The token came before, or there is more than any batch has: the server
    /// is going in circles.
    pub fn turn<T>(
        &mut self,
        what: &'static str,
        page: &Page<T>,
    ) -> Result<Option<String>, ApiError> {
        self.pages += 1;
        self.bytes = self.bytes.saturating_add(page.bytes);
        if self.bytes > MAX_BYTES {
            let megabytes = MAX_BYTES / 1024 / 1024;
            return Err(circles(what, format!("more than {megabytes} MB")));
        }
        let Some(token) = &page.next else {
            return Ok(None);
        };
        if token.len() > MAX_TOKEN {
            return Err(circles(what, "a page token longer than any address".into()));
        }
        if !self.seen.insert(token.clone()) {
            return Err(circles(what, "the same page token came twice".into()));
        }
        if self.pages >= MAX_PAGES {
            return Err(circles(what, format!("more than {MAX_PAGES} pages")));
        }
        Ok(Some(token.clone()))
    }
}

fn circles(what: &'static str, why: String) -> ApiError {
    ApiError::new(what, ErrorKind::Unreadable, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(next: Option<&str>) -> Page<u8> {
        Page {
            items: vec![],
            next: next.map(Into::into),
            total: None,
            bytes: 1_000,
        }
    }

    #[test]
    fn pages_are_walked_to_their_end() {
        let mut paging = Paging::default();
        assert_eq!(
            paging.turn("list", &page(Some("a"))).unwrap().as_deref(),
            Some("a")
        );
        assert_eq!(
            paging.turn("list", &page(Some("b"))).unwrap().as_deref(),
            Some("b")
        );
        assert_eq!(paging.turn("list", &page(None)), Ok(None));
    }

    #[test]
    fn a_repeated_token_is_an_error() {
        let mut paging = Paging::default();
        paging.turn("list the tests", &page(Some("a"))).unwrap();
        paging.turn("list the tests", &page(Some("b"))).unwrap();
        let error = paging.turn("list the tests", &page(Some("a"))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreadable);
        assert!(error.to_string().contains("same page token"), "{error}");
    }

    #[test]
    fn endless_fresh_tokens_are_an_error() {
        let mut paging = Paging::default();
        let end = (0..=MAX_PAGES)
            .find_map(|n| paging.turn("list", &page(Some(&n.to_string()))).err())
            .expect("the walk ends");
        assert!(end.to_string().contains("1000 pages"), "{end}");
    }

    #[test]
    fn a_list_that_is_too_large_is_an_error_before_it_fills_the_tab() {
        let mut paging = Paging::default();
        let large = |n: usize| Page {
            bytes: 10 * 1024 * 1024,
            ..page(Some(&n.to_string()))
        };
        let read = (0..MAX_PAGES)
            .take_while(|n| paging.turn("list", &large(*n)).is_ok())
            .count();
        assert_eq!(read, 25);
    }

    #[test]
    fn a_token_that_no_address_could_carry_is_an_error() {
        let token = |length| "t".repeat(length);
        let turn = |length| Paging::default().turn("list", &page(Some(&token(length))));
        assert!(turn(MAX_TOKEN).is_ok());
        let error = turn(MAX_TOKEN + 1).unwrap_err();
        assert!(
            error.to_string().contains("longer than any address"),
            "{error}"
        );
    }
}
