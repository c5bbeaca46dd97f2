//! What answers say, read without the core.

use retake_core::api::Answer;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// A batch: the fields that decide, and no
/// more, so that nothing else can keep them from being read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SaidBatch {
    #[serde(rename = "batchID")]
    pub(super) batch_id: Value,
    pub(super) status: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SaidTest {
    #[serde(rename = "jobID")]
    pub(super) job_id: Value,
    pub(super) conflated_status: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SaidTests {
    pub(super) jobs: Vec<SaidTest>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SaidNamed {
    #[serde(rename = "batchID")]
    pub(super) batch_id: Value,
    pub(super) friendly_name: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SaidBatches {
    pub(super) batches: Vec<SaidNamed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SaidRerun {
    #[serde(rename = "batchID")]
    pub(super) batch_id: Value,
}

/// What an answer says; nothing, if it is no such JSON.
pub(super) fn said<T: Default + DeserializeOwned>(answer: &Answer) -> T {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
