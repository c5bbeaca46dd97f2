//! What a task says when it cannot go on: sentences, not backtraces.

use std::fmt;
use std::io;

/// Why a task stopped, in words meant for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

/// The result of anything a task does.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ends with these words.
pub(crate) fn fail<T>(words: impl Into<String>) -> Outcome<T> {
    Err(Failure(words.into()))
}

/// Adds what was being done to an error of the operating system.
pub(crate) trait Doing<T> {
    /// `doing` continues the sentence "Could not …".
    fn doing(self, doing: impl fmt::Display) -> Outcome<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("Could not {doing}: {error}.")))
    }
}

/// The usual causes behind a failed build or installation, told by what the
/// tool printed. `None` when the tool's own words are the best there is.
pub(crate) fn explain(log: &str) -> Option<&'static str> {
    const CAUSES: &[(&[&str], &str)] = &[
        (
            &["No space left on device", "ENOSPC", "os error 28"],
            "The disk is full. Free some space (a full set-up needs about 5 GB) and run the same command again.",
        ),
        (
            &[
                "you must update the lock file",
                "lock file needs to be updated",
            ],
            "Cargo.lock does not fit the Cargo.toml files. Run `cargo check` once and keep the changed Cargo.lock.",
        ),
        (
            &[
                "Could not resolve host",
                "Couldn't resolve host",
                "failed to query replaced source",
                "download of config.json failed",
                "failed to download",
                "failed to fetch",
                "spurious network error",
                "Could not connect to server",
                "Couldn't connect to server",
                "attempting to make an HTTP request, but --offline",
                "EAI_AGAIN",
                "ENOTFOUND",
                "ECONNREFUSED",
                "ETIMEDOUT",
            ],
            "The package registry could not be reached. Check the network, the proxy and the registry settings of cargo and npm, then run the same command again; it continues where it stopped.",
        ),
        (
            &["linker `cc` not found", "linker `cc` failed to start"],
            "A C linker is missing. Install it (Debian, Ubuntu: `apt-get install build-essential`; macOS: `xcode-select --install`).",
        ),
        (
            &["can't find crate for `core`", "can't find crate for `std`"],
            "Rust's wasm32-unknown-unknown target is missing or incomplete. Run `rustup target add wasm32-unknown-unknown`.",
        ),
        (
            &["signal: 9", "SIGKILL"],
            "The system ended the compiler, most likely for want of memory. Close other programs, or set CARGO_BUILD_JOBS=1, and run the same command again.",
        ),
    ];
    CAUSES
        .iter()
        .find(|(signs, _)| signs.iter().any(|sign| log.contains(sign)))
        .map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_before_the_download_that_it_broke() {
        let log = "error: failed to download `x`\nCaused by: No space left on device (os error 28)";
        assert!(explain(log).unwrap().starts_with("The disk is full"));
    }

    #[test]
    fn an_unreachable_registry_is_named() {
        let cargo = "error: failed to query replaced source registry\n  Could not resolve host: x";
        assert!(
            explain(cargo)
                .unwrap()
                .contains("registry could not be reached")
        );
        assert!(
            explain("npm error code EAI_AGAIN")
                .unwrap()
                .contains("registry")
        );
    }

    #[test]
    fn an_ordinary_compile_error_speaks_for_itself() {
        assert_eq!(explain("error[E0308]: mismatched types"), None);
    }
}
