//! Finishes the site that Trunk built: the first script, the preloads, and the
//! hashes that tie each file to the next.
//!
//! Why not Trunk's own loader: it is an inline script, which a strict content
//! security policy forbids (`boot.js`). And the list of the app's static markup
//! can be had only from the compiled app.
//!
//! The chain: index.html is always asked for anew and names `boot-HASH.js` with
//! its hash; that names the app's JavaScript and WebAssembly with theirs. A file
//! that was changed on its way does not run.
//!
//! Invariant: the pages hold no address but below [`BASE`]; whoever knows where
//! the site will live puts the path in its place ([`at_base`]).

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha384};

use crate::failure::{Doing, Failure, Outcome, fail};
use crate::files::write;
use crate::templates;

/// Stands in index.html for the path that the site lives below. Trunk is told
/// that this is the site's public address (`Trunk.toml`).
pub(crate) const BASE: &str = "/__base__/";

/// The first script, before its names and hashes are known.
const BOOT: &str = include_str!("../../boot.js");

/// Scripts that run as workers; they come without their comments, too.
const WORKERS: [&str; 2] = ["keeper.js", "tick.js"];

/// Finishes the site in `folder`. Returns index.html with [`BASE`] in place; in
/// the folder it stands ready for the root of a host.
///
/// # Errors
/// When Trunk's files are not as expected, or cannot be read or written.
pub(crate) fn finish(folder: &Path) -> Outcome<String> {
    let wasm_name = only(folder, "_bg.wasm")?;
    let app_name = wasm_name.replace("_bg.wasm", ".js");
    let wasm = read(&folder.join(&wasm_name))?;
    let app = read(&folder.join(&app_name))?;
    let markup = templates::collect(&wasm)?;
    let mut scripts = names(folder)?;
    scripts.retain(|name| has_ending(name, "js"));
    for worker in WORKERS {
        let path = folder.join(worker);
        let script = String::from_utf8(read(&path)?)
            .map_err(|_| Failure(format!("{worker} is not UTF-8.")))?;
        write(&path, &without_comments(&script))?;
    }
    let boot = without_comments(BOOT)
        .replace("{{app}}", &app_name)
        .replace("{{wasm}}", &wasm_name)
        .replace("{{wasm-integrity}}", &integrity(&wasm))
        .replace("{{markup}}", &list(&markup))
        .replace("{{scripts}}", &list(&scripts));
    let boot_name = format!("boot-{}.js", hash(boot.as_bytes()));
    write(&folder.join(&boot_name), &boot)?;

    let index = folder.join("index.html");
    let page =
        String::from_utf8(read(&index)?).map_err(|_| Failure("index.html is not UTF-8.".into()))?;
    let tags = format!(
        "<script type=\"module\" src=\"{BASE}{boot_name}\" integrity=\"{}\"></script>\
         <link rel=\"modulepreload\" href=\"{BASE}{app_name}\" integrity=\"{}\">\
         <link rel=\"preload\" as=\"fetch\" type=\"application/wasm\" crossorigin href=\"{BASE}{wasm_name}\">",
        integrity(boot.as_bytes()),
        integrity(&app),
    );
    let page = with_boot(&page, &tags)?;
    write(&index, &at_base(&page, "/"))?;
    Ok(page)
}

/// The page of a site that lives below `base`, which begins and ends with `/`.
pub(crate) fn at_base(page: &str, base: &str) -> String {
    page.replace(BASE, base)
}

/// Puts `tags` in place of the script that the source of index.html names.
fn with_boot(page: &str, tags: &str) -> Outcome<String> {
    let found = page.match_indices("<script").find_map(|(start, _)| {
        let end = start + page[start..].find("</script>")? + "</script>".len();
        page[start..end].contains("boot.js").then_some(start..end)
    });
    match found {
        Some(place) if page.matches("<script").count() == 1 => {
            let mut page = page.to_owned();
            page.replace_range(place, tags);
            Ok(page)
        }
        _ => fail(
            "index.html must hold exactly one script, boot.js: an inline script would be blocked by the site's own policy.",
        ),
    }
}

/// The one file of the folder that ends so.
fn only(folder: &Path, ending: &str) -> Outcome<String> {
    let mut found = names(folder)?;
    found.retain(|name| name.ends_with(ending));
    match found.as_slice() {
        [name] => Ok(name.clone()),
        _ => fail(format!(
            "{} should hold exactly one file that ends in {ending}, and holds {}.",
            folder.display(),
            found.len()
        )),
    }
}

fn names(folder: &Path) -> Outcome<Vec<String>> {
    let entries = std::fs::read_dir(folder).doing(format!("read {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it == ending)
}

fn read(path: &PathBuf) -> Outcome<Vec<u8>> {
    std::fs::read(path).doing(format!("read {}", path.display()))
}

/// The value of an `integrity` attribute.
fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes)))
}

/// Sixteen digits that change with the content, as Trunk names its files.
fn hash(bytes: &[u8]) -> String {
    Sha384::digest(bytes)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Texts as a JavaScript array.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts
        .iter()
        .map(|text| {
            let text = text
                .replace('\\', "\\\\")
                .replace('\'', "\\'")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .replace('\u{2028}', "\\u2028")
                .replace('\u{2029}', "\\u2029");
            format!("'{text}'")
        })
        .collect();
    format!("[{}]", quoted.join(","))
}

/// The script without the lines that are comments, and without indentation.
fn without_comments(script: &str) -> String {
    script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_script_is_the_only_one() {
        let page = "<head><script src=/__base__/boot.js type=module></script></head>";
        assert_eq!(
            with_boot(page, "<b>").unwrap(),
            "<head><b></head>",
            "the place is kept"
        );
        let inline = format!("{page}<script>x()</script>");
        assert!(with_boot(&inline, "<b>").is_err());
        assert!(with_boot("<head></head>", "<b>").is_err());
    }

    #[test]
    fn every_address_moves_with_the_base() {
        let page = "<link href=/__base__/a.css><html data-base=/__base__/>";
        assert_eq!(
            at_base(page, "/some/path/"),
            "<link href=/some/path/a.css><html data-base=/some/path/>"
        );
    }

    /// The vector of the W3C's Subresource Integrity §3.1.
    #[test]
    fn the_hash_is_the_one_that_browsers_compute() {
        assert_eq!(
            integrity(b"alert('Hello, world.');"),
            "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
        );
    }

    #[test]
    fn texts_become_a_list_that_means_the_same() {
        let texts = ["a'b\\c\nd".to_owned(), "<p>".to_owned()];
        assert_eq!(list(&texts), r"['a\'b\\c\nd','<p>']");
    }

    #[test]
    fn comments_stay_at_home_and_nothing_is_left_open() {
        let short = without_comments(BOOT);
        assert!(!short.contains("// "), "{short}");
        assert!(short.len() < BOOT.len());
        for name in ["app", "wasm", "wasm-integrity", "markup", "scripts"] {
            assert_eq!(short.matches(&format!("{{{{{name}}}}}")).count(), 1);
        }
    }
}
