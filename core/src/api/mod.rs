//! The ReSim API as values: requests go out, answers come in, nothing is sent here.
//!
//! A [`Call`] is one request together with the way to read its answer. The
//! browser performs it; everything that a rerun needs is tested without one.
//!
//! Elsewhere: who retries and how often (`retry`), which URL (`endpoint`),
//! what the JSON looks like (`wire`), what it means (`convert`).

mod call;
mod error;

pub use call::{Answer, Call, Method, Request};
pub use error::{ApiError, ErrorKind};
