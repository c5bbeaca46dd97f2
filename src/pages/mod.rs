//! One module for each page; each is told by the router what to show.

pub mod batch;
pub mod batches;
pub mod callback;
pub mod guard;
pub mod not_found;
pub mod projects;
pub mod sign_in;
pub mod supervisions;
