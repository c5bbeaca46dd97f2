//! Text files, with an error that names them.

use std::path::Path;

use crate::failure::{Doing, Outcome};

/// The text of a file.
///
/// # Errors
/// When it is missing or cannot be read; the words name it.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).doing(format!("read {}", path.display()))
}

/// Writes a file, or writes it over.
///
/// # Errors
/// When that cannot be done; the words name it.
pub(crate) fn write(path: &Path, text: &str) -> Outcome<()> {
    std::fs::write(path, text).doing(format!("write {}", path.display()))
}
