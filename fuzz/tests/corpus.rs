//! Replays the committed corpus: every file keeps every promise of its target.
//! What class of outcome a file leads to is not fixed; a reader may change.

use std::collections::BTreeSet;

use retake_fuzz::{TARGETS, corpus, judge};

#[test]
fn every_file_of_the_corpus_keeps_every_promise() {
    let (mut files, mut broken) = (0, Vec::new());
    for target in TARGETS {
        for entry in corpus::read(target.name).expect("the corpus is readable") {
            files += 1;
            if let Err(why) = judge(target, &entry.bytes).result {
                broken.push(format!("{}/{}: {why}", target.name, entry.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(files >= 500, "{files} files");
}

/// A corpus that reaches one outcome of a reader tests nothing of it.
#[test]
fn the_corpus_reaches_several_outcomes_of_every_target() {
    for target in TARGETS {
        let entries = corpus::read(target.name).expect("the corpus is readable");
        let outcomes: Vec<_> = entries
            .iter()
            .filter_map(|entry| judge(target, &entry.bytes).result.ok())
            .collect();
        let classes: BTreeSet<&str> = outcomes.iter().map(|it| it.class.as_str()).collect();
        assert!(classes.len() >= 4, "{}: {classes:?}", target.name);
        let valid = outcomes.iter().filter(|it| it.is_valid).count();
        // `failures` has no valid input by its nature.
        assert!(valid > 0 || target.name == "failures", "{}", target.name);
        assert!(
            valid < outcomes.len() || target.name == "query",
            "{}",
            target.name
        );
    }
}

/// The reruns that the promises are about do happen.
#[test]
fn some_files_rightly_lead_to_a_rerun() {
    for name in ["batch", "tests", "lookup", "batches", "journal"] {
        let target = TARGETS
            .iter()
            .find(|it| it.name == name)
            .expect("it is a target");
        let acted = corpus::read(name)
            .expect("the corpus is readable")
            .iter()
            .filter(|entry| judge(target, &entry.bytes).result.is_ok_and(|it| it.acted))
            .count();
        assert!(acted > 0, "{name}");
    }
}

#[test]
fn no_folder_is_without_a_target() {
    let root = corpus::folder("");
    let names: BTreeSet<&str> = TARGETS.iter().map(|it| it.name).collect();
    for folder in std::fs::read_dir(root).expect("there is a corpus") {
        let name = folder.expect("a folder").file_name();
        let name = name.to_string_lossy();
        assert!(names.contains(&*name), "{name}");
    }
}
