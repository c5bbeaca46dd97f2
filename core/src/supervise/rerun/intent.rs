//! What is about to be run again: written before it is sent.

use serde::{Deserialize, Serialize};

use super::Fence;
use crate::{
    api::RerunRequest,
    domain::{BatchId, ConflatedStatus, Test, TestId, Timestamp},
};

/// A rerun that somebody decided on (`design.md` §3, rule 3). Stored durably
/// before the POST, so that a crash between the two is resolved by reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The batch.
    pub batch: BatchId,
    /// What the batch looked like at the decision.
    pub fence: Fence,
    /// What is asked for.
    pub request: RerunRequest,
    /// The supervisor's attempt, counted from 1; 0 for a person's own rerun.
    pub attempt: u32,
    /// Which life of the supervisor decided: rises with every restore, so that
    /// an older life cannot act on.
    pub epoch: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// How each test failed, to tell *passed after rerun* from *consistent*.
    pub tests: Vec<IntentTest>,
}

#[cfg(test)]
impl Intent {
    /// A person's own rerun of one test, of which nothing is known.
    pub(crate) fn sample() -> Self {
        let batch = BatchId::from_u128(1);
        let ids = crate::api::TestIds::new(vec![TestId::from_u128(7)]).expect("one test");
        Self {
            batch,
            fence: Fence::at(&crate::domain::Batch::new(batch)),
            request: RerunRequest::tests(ids),
            attempt: 0,
            epoch: 0,
            at: Timestamp::from_millis(0),
            tests: Vec::new(),
        }
    }
}

/// One test that is about to be run again, and how it had failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentTest {
    /// The test.
    pub id: TestId,
    /// Its name, for the verdict; empty in journals from before it was kept.
    #[serde(default)]
    pub name: String,
    /// Its conflated status at the decision.
    pub status: Option<ConflatedStatus>,
    /// Signature of its error, see [`error_signature`].
    pub error: Option<String>,
}

impl IntentTest {
    /// Remembers how `test` failed; `None` for a test without an ID.
    pub fn of(test: &Test) -> Option<Self> {
        Some(Self {
            id: test.id?,
            name: test.name.clone(),
            status: test.conflated.clone(),
            error: error_signature(test),
        })
    }
}

/// Longest signature kept, in characters.
const SIGNATURE_CHARS: usize = 120;

/// The current error of a test with its accidents taken out: code, exit code
/// and text with every run of digits replaced by `#`, so that two failures of
/// one cause compare equal although times and IDs differ. `None` without an error.
pub fn error_signature(test: &Test) -> Option<String> {
    let error = test.current_errors().next()?;
    let mut signature = error.code.clone();
    if let Some(code) = error.exit_code {
        signature.push_str(&format!(" exit {code}"));
    }
    if let Some(text) = &error.text {
        signature.push_str(": ");
        let mut in_number = false;
        for c in text.chars() {
            let digit = c.is_ascii_hexdigit() && (c.is_ascii_digit() || in_number);
            if !digit {
                signature.push(c);
            } else if !in_number {
                signature.push('#');
            }
            in_number = digit;
        }
    }
    Some(signature.chars().take(SIGNATURE_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ExecutionError;

    #[test]
    fn two_failures_of_one_cause_have_one_signature() {
        let failed = |text: &str| {
            let mut test = Test::new(TestId::from_u128(1), "x");
            test.errors = vec![ExecutionError {
                code: "NONZERO_EXIT_CODE".into(),
                text: Some(text.into()),
                exit_code: Some(137),
                run_counter: None,
            }];
            error_signature(&test)
        };
        assert_eq!(
            failed("lost pose at 12.5 s"),
            failed("lost pose at 99.25 s")
        );
        assert_ne!(failed("lost pose at 12 s"), failed("out of memory at 12 s"));
        // A number may be one of sixteen digits, and nothing but numbers is taken out.
        assert_eq!(
            failed("lost pose 3fA9 at 12.5 s, dead").as_deref(),
            Some("NONZERO_EXIT_CODE exit 137: lost pose # at #.# s, dead")
        );
        assert_eq!(error_signature(&Test::new(TestId::from_u128(1), "x")), None);
    }
}
