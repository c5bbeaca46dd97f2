//! The versions of every tool that a task needs: the one place to change them.
//!
//! Two are kept elsewhere because another program reads them there, and are
//! read from there: the Rust toolchain (`rust-toolchain.toml`) and wasm-bindgen
//! (`Cargo.lock`: its command-line part must equal the library exactly). The
//! Node packages are pinned by `tests/e2e/package-lock.json`, but for those of
//! `cargo xtask previews`, which stand here.

/// Trunk builds the site: it calls cargo, wasm-bindgen and wasm-opt and hashes
/// the file names.
pub(crate) const TRUNK: &str = "0.21.14";

/// Makes mutants of the core and tries them.
pub(crate) const CARGO_MUTANTS: &str = "27.1.0";

/// Cloudflare's tool: the newest major version at whose release Node 20 was enough.
pub(crate) const WRANGLER: &str = "4.45.0";

/// Netlify's tool, likewise.
pub(crate) const NETLIFY: &str = "17.38.1";

/// Judges workflows by the schema of the CI service that they are for.
pub(crate) const ACTION_VALIDATOR: &str = "0.6.0";

/// The oldest Node.js that the Node packages run on (major version).
pub(crate) const NODE_MAJOR: u32 = 20;

/// Finds the locked version of `package` in the text of a `Cargo.lock`.
///
/// The file is generated with one `name` line directly followed by its
/// `version` line, so two lines at a time are all the parsing that it needs.
pub(crate) fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| line.trim() == name)?;
    lines
        .next()?
        .trim()
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

/// The version in what a tool prints for `--version`: `trunk 0.21.14` or
/// `v20.20.2` or `wasm-bindgen 0.2.129 (abc)`.
pub(crate) fn printed(output: &str) -> Option<&str> {
    output
        .split_whitespace()
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

/// The major number of a version such as `20.20.2`.
pub(crate) fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_the_one_of_that_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9.9.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\nsource = \"x\"\n";
        assert_eq!(locked(lock, "wasm-bindgen"), Some("0.2.129"));
        assert_eq!(locked(lock, "wasm"), None);
        assert_eq!(locked("name = \"cut off\"", "cut off"), None);
    }

    #[test]
    fn this_workspace_locks_wasm_bindgen() {
        assert!(locked(include_str!("../../Cargo.lock"), "wasm-bindgen").is_some());
    }

    #[test]
    fn a_tools_version_is_found_in_what_it_prints() {
        assert_eq!(printed("trunk 0.21.14\n"), Some("0.21.14"));
        assert_eq!(printed("v20.20.2\n"), Some("20.20.2"));
        assert_eq!(printed("wasm-bindgen 0.2.129 (1a2b3c)"), Some("0.2.129"));
        assert_eq!(printed("command not found"), None);
        assert_eq!(major("20.20.2"), Some(20));
        assert_eq!(major("unknown"), None);
    }
}
