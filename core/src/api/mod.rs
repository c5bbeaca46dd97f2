//! The ReSim API as values: requests go out, answers come in, nothing is sent here.
//!
//! A [`Call`] is one request together with the way to read its answer. The
//! browser performs it; everything that a rerun needs is tested without one.
//!
//! Which calls there are: [`endpoint`]. What the JSON looks like: `wire`; what
//! it means: `convert`; what a failure means: [`ApiError`]. Who retries and how
//! often: [`retry`]. How many supervised batches share the API: [`pace`]. Lists: [`Paging`]. Names: [`resolve`].

mod answer;
mod call;
mod convert;
pub mod endpoint;
mod error;
pub mod links;
mod log_file;
pub mod pace;
mod paging;
mod rerun_request;
pub mod resolve;
pub mod retry;
mod wire;
#[cfg(test)]
mod wire_tests;

pub use call::{Answer, Call, Method, Request};
pub use endpoint::{PAGE_SIZE, TestQuery};
pub use error::{ApiError, ErrorKind, OFFLINE};
pub use log_file::LogFile;
pub(crate) use paging::MAX_PAGES;
pub use paging::{Page, Paging};
pub use rerun_request::{RerunAnswer, RerunRequest, RerunScope, TestIds};
