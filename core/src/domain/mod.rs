//! The field's nouns: batches, tests, their statuses, IDs and times.
//!
//! Plain data without wire formats: what the server sends is turned into these
//! types in one place, `api::convert`. A word that the server uses and we do
//! not know is kept and shown, never guessed.

pub mod address;
mod batch;
mod duration;
mod ids;
mod project;
mod status;
mod test;
pub mod text;
mod time;
pub mod words;

pub use batch::{Batch, MetricsCounts, StatusChange, StatusCounts, SummaryCounts};
pub use duration::{DurationError, GoDuration};
pub use ids::{
    BatchId, BranchId, BuildId, ExperienceId, ExperienceTagId, IdError, ProjectId, SystemId,
    TestId, TestSuiteId,
};
pub use project::{ExperienceTag, Project};
pub use status::{
    BatchStatus, BatchType, BatchWord, ConflatedBatchStatus, ConflatedStatus, Failing, Means,
    MetricStatus, RunnerType, StatusWord, TestStatus, TestWord, Tone,
};
pub use test::{ExecutionError, Test, TestHistory};
pub use time::{RunCounter, Timestamp};
