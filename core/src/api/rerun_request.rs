//! What a rerun asks for (`resim-api.md` §5): values that cannot say the wrong thing.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{BatchId, RunCounter, TestId},
    planted::{self, Bug},
};

/// Test IDs, at least one: to the API an empty list means "batch metrics only".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TestId>", into = "Vec<TestId>")]
pub struct TestIds(Vec<TestId>);

impl TestIds {
    /// These IDs; `None` if there are none.
    pub fn new(ids: Vec<TestId>) -> Option<Self> {
        if ids.is_empty() && !planted::is(Bug::EmptyListAllowed) {
            None
        } else {
            Some(Self(ids))
        }
    }

    /// How many; never zero.
    #[expect(
        clippy::len_without_is_empty,
        reason = "it is never empty, by construction"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The IDs in order.
    pub fn iter(&self) -> std::slice::Iter<'_, TestId> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a TestIds {
    type Item = &'a TestId;
    type IntoIter = std::slice::Iter<'a, TestId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<TestId>> for TestIds {
    type Error = &'static str;

    fn try_from(ids: Vec<TestId>) -> Result<Self, Self::Error> {
        Self::new(ids).ok_or("a rerun of tests names at least one test")
    }
}

impl From<TestIds> for Vec<TestId> {
    fn from(ids: TestIds) -> Self {
        ids.0
    }
}

/// What is run again. Three verbs, kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RerunScope {
    /// Experience and metrics of these tests, then batch metrics.
    Tests(TestIds),
    /// The metrics of these tests from their stored output, then batch metrics.
    TestMetrics(TestIds),
    /// Batch metrics alone; no test runs again.
    BatchMetrics,
}

impl RerunScope {
    /// Tests that are named; none for batch metrics alone.
    pub fn tests(&self) -> &[TestId] {
        match self {
            Self::Tests(ids) | Self::TestMetrics(ids) => &ids.0,
            Self::BatchMetrics => &[],
        }
    }
}

/// One rerun, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RerunRequest {
    /// What is run again.
    pub scope: RerunScope,
    /// Whether the batch takes the latest revision of its test suite and runs
    /// the tests that it added.
    pub sync_with_suite: bool,
}

impl RerunRequest {
    /// Reruns tests without syncing, as supervision does.
    pub fn tests(ids: TestIds) -> Self {
        Self {
            scope: RerunScope::Tests(ids),
            sync_with_suite: false,
        }
    }
}

/// What the API says to an accepted rerun; every field may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunAnswer {
    /// The batch to follow from now on; the old one if missing.
    pub batch_id: Option<BatchId>,
    /// The run that was started.
    pub run_counter: Option<RunCounter>,
    /// The tests that will run.
    pub test_ids: Vec<TestId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_request_without_tests_is_refused() {
        let stored = r#"{"scope":{"Tests":[]},"sync_with_suite":false}"#;
        assert!(serde_json::from_str::<RerunRequest>(stored).is_err());
        let one = RerunRequest::tests(TestIds::new(vec![TestId::from_u128(1)]).unwrap());
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<RerunRequest>(&text).unwrap(), one);
    }
}
