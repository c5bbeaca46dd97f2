//! Finds a batch by ID or name.

use crate::{
    api::{ApiError, ErrorKind, Page, Paging},
    domain::{Batch, BatchId},
};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchStep {
    /// Read this batch, then say [`ResolveBatch::read`].
    Read(BatchId),
    /// Look up the newest batch of the name, then say [`ResolveBatch::looked_up`].
    LookUp,
    /// List batches from this page token on, newest first, then say
    /// [`ResolveBatch::listed`].
    List(Option<String>),
    /// Over.
    Done(Result<Box<Batch>, ApiError>),
}

/// Finds one batch. The CLI's rules: an ID is read and never falls through to
/// the names; a name is that of the newest batch called exactly so, case and
/// spaces included. Unlike the CLI, the lookup call is asked first (one request
/// instead of a page after page) and paging follows where a deployment lacks it
/// (`resim-api.md` §2.4, `LookupLatestBatchByName`).
#[derive(Debug)]
pub struct ResolveBatch {
    text: String,
    paging: Paging,
}

impl ResolveBatch {
    /// Begins with the batch's name or ID.
    pub fn begin(text: &str) -> (Self, BatchStep) {
        let first = match text.parse() {
            Ok(id) => BatchStep::Read(id),
            Err(_) => BatchStep::LookUp,
        };
        let it = Self {
            text: text.to_owned(),
            paging: Paging::default(),
        };
        (it, first)
    }

    /// The name or ID that is looked for.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The answer to [`BatchStep::Read`]: final, whatever it is.
    pub fn read(&mut self, answer: Result<Batch, ApiError>) -> BatchStep {
        BatchStep::Done(answer.map(Box::new))
    }

    /// The answer to [`BatchStep::LookUp`]. A refusal may only mean that the
    /// deployment does not know this call.
    pub fn looked_up(&mut self, answer: Result<BatchId, ApiError>) -> BatchStep {
        match answer {
            Ok(id) => BatchStep::Read(id),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Refused) => {
                BatchStep::List(None)
            }
            Err(error) => BatchStep::Done(Err(error)),
        }
    }

    /// The answer to [`BatchStep::List`].
    pub fn listed(&mut self, answer: Result<Page<Batch>, ApiError>) -> BatchStep {
        let page = match answer {
            Ok(page) => page,
            Err(error) => return BatchStep::Done(Err(error)),
        };
        let token = self.paging.turn("find the batch by name", &page);
        if let Some(batch) = page
            .items
            .into_iter()
            .find(|it| it.name.as_deref() == Some(self.text.as_str()))
        {
            return BatchStep::Done(Ok(Box::new(batch)));
        }
        match token {
            Ok(Some(token)) => BatchStep::List(Some(token)),
            Ok(None) => BatchStep::Done(Err(ApiError::new(
                "find the batch",
                ErrorKind::NotFound,
                format!("no batch has the name or ID {}", self.text),
            ))),
            Err(error) => BatchStep::Done(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1";

    fn batch(n: u128, name: &str) -> Batch {
        let mut batch = Batch::new(BatchId::from_u128(n));
        batch.name = Some(name.into());
        batch
    }

    fn page(items: Vec<Batch>, next: Option<&str>) -> Page<Batch> {
        Page {
            items,
            next: next.map(Into::into),
            total: None,
            bytes: 0,
        }
    }

    fn failure(kind: ErrorKind) -> ApiError {
        ApiError::new("look up the batch", kind, "no")
    }

    #[test]
    fn an_id_is_read_and_never_taken_for_a_name() {
        let (mut it, step) = ResolveBatch::begin(ID);
        assert_eq!(step, BatchStep::Read(ID.parse().expect("a UUID")));
        let refused = failure(ErrorKind::NotFound);
        assert_eq!(it.read(Err(refused.clone())), BatchStep::Done(Err(refused)));
    }

    #[test]
    fn a_name_is_looked_up_in_one_call() {
        let (mut it, step) = ResolveBatch::begin("nightly");
        assert_eq!(step, BatchStep::LookUp);
        let id = BatchId::from_u128(4);
        assert_eq!(it.looked_up(Ok(id)), BatchStep::Read(id));
    }

    #[test]
    fn where_the_lookup_is_missing_the_newest_exact_name_wins() {
        for kind in [ErrorKind::NotFound, ErrorKind::Refused] {
            let (mut it, _) = ResolveBatch::begin("nightly");
            assert_eq!(it.looked_up(Err(failure(kind))), BatchStep::List(None));
            let first = page(
                vec![batch(1, "Nightly"), batch(2, "nightly "), batch(3, "x")],
                Some("t"),
            );
            assert_eq!(it.listed(Ok(first)), BatchStep::List(Some("t".into())));
            let second = page(vec![batch(4, "nightly"), batch(5, "nightly")], None);
            let BatchStep::Done(Ok(found)) = it.listed(Ok(second)) else {
                panic!("the second page has it");
            };
            assert_eq!(found.id, BatchId::from_u128(4));
        }
    }

    #[test]
    fn a_failure_that_may_pass_is_no_answer_about_the_name() {
        for kind in [
            ErrorKind::Unreachable,
            ErrorKind::Server,
            ErrorKind::SignedOut,
        ] {
            let (mut it, _) = ResolveBatch::begin("nightly");
            let error = failure(kind);
            assert_eq!(
                it.looked_up(Err(error.clone())),
                BatchStep::Done(Err(error))
            );
        }
    }

    #[test]
    fn pages_that_go_in_circles_end_the_search() {
        let (mut it, _) = ResolveBatch::begin("nightly");
        it.listed(Ok(page(vec![batch(1, "a")], Some("t"))));
        let again = it.listed(Ok(page(vec![batch(1, "a")], Some("t"))));
        assert!(
            matches!(again, BatchStep::Done(Err(error)) if error.kind == ErrorKind::Unreadable)
        );
    }

    #[test]
    fn a_name_that_nothing_has_is_not_found() {
        let (mut it, _) = ResolveBatch::begin("nightly");
        let end = it.listed(Ok(page(vec![batch(1, "a")], None)));
        assert!(matches!(end, BatchStep::Done(Err(error)) if error.kind == ErrorKind::NotFound));
    }
}
