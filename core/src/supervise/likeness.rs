//! What makes two machines alike: whatever decides what they do next.
//!
//! The model check (`model/`) tells states apart by it. The log is left out,
//! because the journal has it, and the outputs, because they are drained by
//! then. Of a picture and a listing only that counts which a decision reads.

use serde::{Serialize, Serializer};

use crate::{
    domain::{Batch, Test},
    rerun::Fence,
    supervise::reading::Listing,
};

#[allow(clippy::ref_option)] // serde passes the field
pub(super) fn of_picture<S: Serializer>(
    picture: &Option<Box<Batch>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let facts = |it: &Batch| {
        let counts = (it.total_tests, it.status_counts, it.metrics_counts);
        (Fence::at(it), it.conflated.clone(), counts)
    };
    picture.as_deref().map(facts).serialize(to)
}

#[allow(clippy::ref_option)] // serde passes the field
pub(super) fn of_listing<S: Serializer>(
    listing: &Option<Listing>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let facts = |test: &Test| (test.id, test.conflated.clone(), test.last_run);
    let all = |it: &Listing| (it.passed, it.tests.iter().map(facts).collect::<Vec<_>>());
    listing.as_ref().map(all).serialize(to)
}
