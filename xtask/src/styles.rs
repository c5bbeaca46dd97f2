//! Puts the style sheets into one file.
//!
//! Why: a sheet of its own for every component reads well and travels badly:
//! fifteen requests before the first picture, each compressed by itself.

use crate::failure::{Doing, Outcome};
use crate::workspace::Workspace;

/// Writes `style/bundle.css`: `style/index.css` with every import replaced by
/// the file that it names.
///
/// # Errors
/// A sheet cannot be read or the bundle not written.
pub(crate) fn bundle(workspace: &Workspace) -> Outcome<()> {
    let folder = workspace.root.join("style");
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).doing(format!("read {}", path.display()))
    };
    let mut whole = String::new();
    for line in read("index.css")?.lines() {
        match imported(line) {
            Some(name) => whole.push_str(&read(name)?),
            None => whole.push_str(line),
        }
        whole.push('\n');
    }
    let path = folder.join("bundle.css");
    // Unchanged, it is left alone: whoever watches the folder has nothing to do.
    if std::fs::read_to_string(&path).is_ok_and(|now| now == whole) {
        return Ok(());
    }
    std::fs::write(&path, whole).doing(format!("write {}", path.display()))
}

/// The file that a line imports, if it does: `@import "name.css";`
fn imported(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix("@import \"")?
        .strip_suffix("\";")
        .filter(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_imports_are_replaced() {
        assert_eq!(imported("@import \"tokens.css\";"), Some("tokens.css"));
        assert_eq!(imported("@layer reset, tokens;"), None);
        assert_eq!(imported("@import \"../secret.css\";"), None);
    }

    /// A sheet that nobody imports would silently be missing.
    #[test]
    fn every_sheet_is_imported_once() {
        let index = include_str!("../../style/index.css");
        let mut named: Vec<&str> = index.lines().filter_map(imported).collect();
        named.sort_unstable();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../style");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| !["index.css", "bundle.css"].contains(&name.as_str()))
            .collect();
        there.sort_unstable();
        assert_eq!(named, there);
    }
}
