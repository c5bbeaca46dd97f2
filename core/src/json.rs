//! JSON that came as bytes, read as text.
//!
//! Why: the journal and the configuration are read from text. A reader of bytes would be
//! compiled beside that one, for every type that is read.

use serde::de::{DeserializeOwned, Error};

/// Reads JSON.
///
/// # Errors
/// It is not UTF-8 (RFC 8259 §8.1), not JSON, or something else than expected.
pub(crate) fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(std::str::from_utf8(json).map_err(Error::custom)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        assert_eq!(from_bytes::<Vec<u8>>(b"[1, 2]").unwrap(), [1, 2]);
        let broken = from_bytes::<String>(b"\"\xff\"").unwrap_err();
        assert!(broken.to_string().contains("utf-8"), "{broken}");
    }
}
