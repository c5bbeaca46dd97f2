//! The licences of what is in the shipped site, with their texts: most ask that these
//! go along with every copy.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::sbom::Shipped;

/// What the crates say of themselves, as text; each different text stands once, with
/// the crates that carry it. `crates` are those of others, each with the licence files
/// that lie beside its sources; `ours` are this project's own files.
pub fn paper(ours: &[String], crates: &[(Shipped, Vec<String>)]) -> String {
    let mut paper = String::from(
        "Retake, and what is in it\n\n\
         The first texts are Retake's own licences, of which you may choose one. Then come the\n\
         crates that are compiled into it. The Rust standard library is in it as well, under\n\
         MIT or Apache-2.0 (https://www.rust-lang.org/policies/licenses).\n",
    );
    for text in ours {
        let _ = write!(paper, "\n{RULE}\n\n{}\n", text.trim());
    }
    let _ = write!(paper, "\n{RULE}\n\n");
    for (it, _) in crates {
        let licence = match it.licence.as_str() {
            "" => "a licence of its own",
            licence => licence,
        };
        let _ = writeln!(paper, "{} {}: {licence}", it.name, it.version);
    }
    let textless: Vec<&Shipped> = crates
        .iter()
        .filter(|(_, texts)| texts.is_empty())
        .map(|(it, _)| it)
        .collect();
    if !textless.is_empty() {
        let _ = write!(
            paper,
            "\n{RULE}\n\nThese come without a text of their own. The licences that they name are the\n\
             ones at the top, with the copyright of their authors in place of ours:\n\n"
        );
    }
    for it in textless {
        let authors = match it.authors.join(", ") {
            none if none.is_empty() => format!("the authors of {}", it.name),
            authors => authors,
        };
        let (name, version, licence) = (&it.name, &it.version, &it.licence);
        let _ = writeln!(
            paper,
            "{name} {version}, {licence}, copyright {authors} {}",
            it.repository
        );
    }
    let mut carried: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (it, texts) in crates {
        for text in texts {
            let by = carried.entry(text.trim()).or_default();
            by.push(format!("{} {}", it.name, it.version));
        }
    }
    for (text, by) in carried {
        let _ = write!(paper, "\n{RULE}\n\n{}:\n\n{text}\n", by.join(", "));
    }
    paper
}

/// Whether a file beside a crate's sources is a licence or a notice, by its name.
pub fn is_licence(file: &str) -> bool {
    let name = file.to_ascii_uppercase();
    [
        "LICENSE",
        "LICENCE",
        "COPYING",
        "COPYRIGHT",
        "NOTICE",
        "UNLICENSE",
    ]
    .iter()
    .any(|it| name.starts_with(it))
}

/// Between two texts.
const RULE: &str = "------------------------------------------------------------------------";

#[cfg(test)]
mod tests {
    use super::*;

    fn a_crate(name: &str, licence: &str) -> Shipped {
        Shipped {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.into(),
            authors: vec![format!("Author of {name}")],
            repository: "https://example.com/x".into(),
            folder: "/".into(),
        }
    }

    #[test]
    fn each_crate_is_named_and_each_text_stands_once() {
        let ours = ["Copyright us".to_owned()];
        let text = || vec!["\nPermission is granted\n".to_owned()];
        let crates = [
            (a_crate("a", "MIT"), text()),
            (a_crate("b", "MIT"), text()),
            (a_crate("c", "Zlib"), Vec::new()),
            (a_crate("d", ""), vec!["As you like".to_owned()]),
        ];
        let paper = paper(&ours, &crates);
        for line in [
            "Copyright us",
            "a 1.0.0: MIT",
            "c 1.0.0, Zlib, copyright Author of c https://example.com/x",
        ] {
            assert!(paper.lines().any(|it| it == line), "{line}: {paper}");
        }
        assert!(paper.contains("a 1.0.0, b 1.0.0:\n\nPermission is granted\n"));
        assert!(paper.contains("d 1.0.0: a licence of its own\n"));
        assert_eq!(paper.matches("Permission is granted").count(), 1);
    }

    #[test]
    fn a_licence_is_known_by_its_name() {
        for file in [
            "LICENSE",
            "LICENSE-MIT",
            "license.txt",
            "COPYING",
            "NOTICE.md",
        ] {
            assert!(is_licence(file), "{file}");
        }
        for file in ["README.md", "src", "Cargo.toml"] {
            assert!(!is_licence(file), "{file}");
        }
    }
}
