//! One request as a value, with the way to read its answer.

use std::fmt;

use super::ApiError;
use crate::domain::Timestamp;

/// HTTP methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be repeated.
    Get,
    /// Acts; never repeated by itself.
    Post,
}

impl Method {
    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// One HTTP request, relative to the API base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the call does, for error sentences: a lower-case fragment that
    /// follows "could not", such as `read the batch`.
    pub what: &'static str,
    /// The method.
    pub method: Method,
    /// Path and query below the API base, percent-encoded, without a leading
    /// slash: `projects/…/batches?pageSize=100`.
    pub path: String,
    /// The JSON body, if there is one.
    pub body: Option<String>,
}

/// What came back from the network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Retry-After` header, where the browser lets us read it.
    pub retry_after: Option<String>,
    /// When it came: what a date in `Retry-After` is compared with.
    pub came_at: Timestamp,
    /// The decoded body.
    pub body: Vec<u8>,
}

/// A request and the way to read its answer.
pub struct Call<T> {
    /// What to send.
    pub request: Request,
    read: Reader<T>,
}

/// Reads an answer that belongs to a request named by its `what`.
type Reader<T> = Box<dyn Fn(&'static str, &Answer) -> Result<T, ApiError>>;

impl<T> Call<T> {
    /// Joins a request with the way to read its answer.
    pub fn new(
        request: Request,
        read: impl Fn(&'static str, &Answer) -> Result<T, ApiError> + 'static,
    ) -> Self {
        Self {
            request,
            read: Box::new(read),
        }
    }

    /// What the answer means.
    ///
    /// # Errors
    /// The status is not the documented success, or the body cannot be read.
    pub fn read(&self, answer: &Answer) -> Result<T, ApiError> {
        (self.read)(self.request.what, answer)
    }

    /// The same call with its result turned into something else.
    pub fn map<U: 'static>(self, turn: impl Fn(T) -> U + 'static) -> Call<U>
    where
        T: 'static,
    {
        let read = self.read;
        Call {
            request: self.request,
            read: Box::new(move |what, answer| read(what, answer).map(&turn)),
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.request).finish()
    }
}
