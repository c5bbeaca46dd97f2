//! How the bytes of an input stand for an answer of the network.
//!
//! ```text
//! HTTP 429 application/json
//! Retry-After: 7
//!
//! {"message":"slow down"}
//! ```
//!
//! Without such a head they are the body of a `200 application/json`.

use retake_core::{api::Answer, domain::Timestamp};

/// The answer that an input stands for.
pub fn answer(bytes: &[u8]) -> Answer {
    let plain = || Answer {
        status: 200,
        content_type: Some("application/json".into()),
        retry_after: None,
        came_at: Timestamp::default(),
        body: bytes.to_vec(),
    };
    if !bytes.starts_with(b"HTTP ") {
        return plain();
    }
    let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or("").splitn(3, ' ').skip(1);
    let Some(status) = words.next().and_then(|text| text.parse().ok()) else {
        return plain();
    };
    Answer {
        status,
        content_type: words.next().map(ToOwned::to_owned),
        retry_after: lines
            .next()
            .and_then(|line| line.strip_prefix("Retry-After: "))
            .map(ToOwned::to_owned),
        came_at: Timestamp::default(),
        body: body.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_their_lack_is_a_success() {
        let it = answer(b"HTTP 429 text/plain\nRetry-After: 7\n\nslow\n\ndown");
        assert_eq!((it.status, it.retry_after.as_deref()), (429, Some("7")));
        assert_eq!(it.content_type.as_deref(), Some("text/plain"));
        assert_eq!(it.body, b"slow\n\ndown");
        assert_eq!(answer(b"HTTP 204").content_type, None);
        assert_eq!(answer(b"{}").status, 200);
        assert_eq!(answer(b"HTTP x\n\n").status, 200);
    }
}
