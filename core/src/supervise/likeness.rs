//! What makes two machines alike: whatever decides what they do next.
//!
//! The model check (`model/`) tells states apart by it. The log is left out,
//! because the journal has it, and the outputs, because they are drained by
//! then. Of a picture and a listing only that counts which a decision reads.

use serde::{Serialize, Serializer};

use crate::{
    domain::{Batch, Test},
    rerun::Fence,
};

#[allow(clippy::ref_option)] // serde passes the field
pub(super) fn of_picture<S: Serializer>(
    picture: &Option<Box<Batch>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let facts = |it: &Batch| (Fence::at(it), it.conflated.clone(), it.total_tests);
    picture.as_deref().map(facts).serialize(to)
}

#[allow(clippy::ref_option)] // serde passes the field
pub(super) fn of_listing<S: Serializer>(
    listing: &Option<Vec<Test>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let facts = |test: &Test| (test.id, test.conflated.clone(), test.last_run);
    let all = |tests: &Vec<Test>| tests.iter().map(facts).collect::<Vec<_>>();
    listing.as_ref().map(all).serialize(to)
}
