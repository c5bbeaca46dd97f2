//! How much a first visit downloads, and whether that is within the budget.

use std::fmt::Write as _;
use std::path::Path;

use crate::failure::{Outcome, fail};
use crate::process::ask;
use crate::tools;
use crate::workspace::Workspace;

/// What a first visit may download, in bytes after brotli (design.md §7).
pub(crate) const BUDGET: u64 = 250 * 1000;

/// What the check lets pass as long as the budget is not met: a little above the
/// present size, so that no growth goes unseen. A commit that raises it says what for; what
/// was tried to come down to the budget stands in PERFORMANCE.md.
pub(crate) const CEILING: u64 = 673 * 1000;

/// One file of the built site, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    name: String,
    raw: u64,
    brotli: u64,
    gzip: u64,
}

/// Compresses every file of the site at the best quality. With `keep` the
/// compressed files stay beside the others, for a server to send.
///
/// Node does it (brotli is built in), because a Rust brotli would have to be
/// compiled before every first `cargo xtask`, or crawl in a debug build.
///
/// # Errors
/// When Node is missing or the folder unreadable.
pub(crate) fn measure(workspace: &Workspace, site: &Path, keep: bool) -> Outcome<Vec<Entry>> {
    tools::node(workspace, "measuring the size")?;
    let mut node = tools::command(workspace, "node");
    node.args([
        "--input-type=module",
        "--eval",
        include_str!("compress.mjs"),
        "--",
    ])
    .arg(site)
    .args(keep.then_some("--write"));
    match ask(&mut node).as_deref().and_then(parse) {
        Some(entries) if !entries.is_empty() => Ok(entries),
        _ => fail(format!(
            "Could not compress the files of {}.",
            site.display()
        )),
    }
}

fn parse(lines: &str) -> Option<Vec<Entry>> {
    lines
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            Some(Entry {
                name: fields.next()?.to_owned(),
                raw: fields.next()?.parse().ok()?,
                brotli: fields.next()?.parse().ok()?,
                gzip: fields.next()?.parse().ok()?,
            })
        })
        .collect()
}

/// The bytes of a first visit: everything the site consists of.
pub(crate) fn total(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| entry.brotli).sum()
}

/// A table of the files, largest first, and their sum.
pub(crate) fn table(entries: &[Entry]) -> String {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| b.brotli.cmp(&a.brotli).then_with(|| a.name.cmp(&b.name)));
    let width = sorted
        .iter()
        .map(|entry| entry.name.len())
        .max()
        .unwrap_or(0)
        .max(5);
    let mut text = format!(
        "{:width$}  {:>11}  {:>11}  {:>11}\n",
        "file", "raw", "brotli", "gzip"
    );
    let mut line = |name: &str, raw, brotli, gzip| {
        let _ = writeln!(
            text,
            "{name:width$}  {:>11}  {:>11}  {:>11}",
            kilobytes(raw),
            kilobytes(brotli),
            kilobytes(gzip)
        );
    };
    for entry in &sorted {
        line(&entry.name, entry.raw, entry.brotli, entry.gzip);
    }
    let sum = |of: fn(&Entry) -> u64| sorted.iter().map(|entry| of(entry)).sum();
    line("total", sum(|e| e.raw), sum(|e| e.brotli), sum(|e| e.gzip));
    text
}

/// `12345` bytes as "12.3 KB" (KB = 1000 bytes).
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_what_travels_and_sums_up() {
        let entries =
            parse("index.html\t900\t400\t450\napp.wasm\t900000\t123456\t200000\n").unwrap();
        assert_eq!(total(&entries), 123_856);
        let table = table(&entries);
        let lines: Vec<&str> = table.lines().collect();
        assert!(
            lines[1].starts_with("app.wasm") && lines[1].contains("123.4 KB"),
            "{table}"
        );
        assert!(
            lines[2].starts_with("index.html") && lines[2].contains("0.4 KB"),
            "{table}"
        );
        assert!(
            lines[3].starts_with("total") && lines[3].contains("900.9 KB"),
            "{table}"
        );
    }

    #[test]
    fn a_broken_line_is_no_measurement() {
        assert_eq!(parse("index.html\t900\n"), None);
        assert_eq!(parse("index.html\tmany\t1\t1\n"), None);
    }
}
