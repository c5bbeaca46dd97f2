//! Sinks outside the page: reports, terminals, addresses. Programs that read
//! such text are the judges.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use pulldown_cmark::{Event as Markdown, Options, Parser, Tag};
use retake_core::{
    api::{TestQuery, endpoint},
    domain::{ConflatedStatus, text},
    supervise::{Policy, supervise_command},
    view::{ViewQuery, export, open, verdict, words},
};
use url::Url;

use crate::{
    BATCH, PROJECT, concluded, is_line,
    strings::{all, is_hidden},
};

/// A parser is the judge: a name is text of the report, and nothing else.
#[test]
fn a_name_in_a_report_is_text_of_it() {
    for name in all().into_iter().filter(|it| it.len() < 10_000) {
        let escaped = export::markdown_escape(&name);
        is_line("Markdown", &escaped, 99_999);
        for (before, place) in [("", "alone"), ("- ", "in a list"), ("word ", "in a line")] {
            let said = text_of(&format!("{before}{escaped}\n"), &name);
            let wanted = words::clean(&name).replace([' ', '\u{a0}'], "");
            let said = said.replace([' ', '\u{a0}'], "");
            let said = said.strip_prefix("word").unwrap_or(&said);
            let wanted = wanted.strip_prefix("word").unwrap_or(&wanted);
            assert_eq!(said, wanted, "{name:?} {place} as {escaped:?}");
        }
        // What a site makes a link of without any markup.
        let lower = escaped.to_lowercase();
        for link in ["://", "www.", "mailto:", "<", "&"] {
            let at = lower
                .match_indices(link)
                .find(|(at, _)| !lower[..*at].ends_with('\\'));
            assert!(at.is_none(), "{name:?} as {escaped:?}");
        }
        text_of(
            &verdict::markdown(&concluded(&name), &reported(&name)),
            &name,
        );
    }
}

/// What a report says of a batch of that name.
fn reported(name: &str) -> verdict::Reported {
    verdict::Reported {
        batch: name.to_owned(),
        link: "https://retake.example/projects/p/batches/b".into(),
        policy: "rerun Error up to 1 time".into(),
        at: "2026-11-25T12:00:00Z".into(),
    }
}

/// The text of a report, in which only paragraphs, lists and bold words are.
fn text_of(report: &str, name: &str) -> String {
    let mut text = String::new();
    // Curly quotes are a matter of taste, not markup.
    let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    for event in Parser::new_ext(report, options) {
        match event {
            Markdown::Text(words) => text.push_str(&words),
            Markdown::Start(Tag::Paragraph | Tag::List(None) | Tag::Item | Tag::Strong)
            | Markdown::End(_)
            | Markdown::SoftBreak => {}
            other => panic!("{name:?} becomes {other:?} in {report:?}"),
        }
    }
    text
}

/// A shell is the judge: it runs a command of that name which prints its words.
#[cfg(unix)]
#[test]
fn a_name_in_the_command_for_a_terminal_is_one_word_of_it() {
    let names = all();
    let mut script = String::from("resim() { printf '%s\\0' \"$#\" \"$@\"; }\n");
    for name in &names {
        let command = supervise_command(&Policy::default(), name, BATCH, 0);
        assert!(!command.chars().any(is_hidden), "{name:.80?}");
        script.push_str(&command);
        script.push('\n');
    }
    let mut shell = Command::new("sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut stdin = shell.stdin.take().expect("it was asked for");
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = shell.wait_with_output().expect("it ends");
    writer
        .join()
        .expect("no panic")
        .expect("it reads its script");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).expect("names are UTF-8");
    let mut said = said.split('\0');
    for name in &names {
        let count: usize = said.next().and_then(|it| it.parse().ok()).expect("a count");
        let words: Vec<&str> = said.by_ref().take(count).collect();
        // What no argument and no `$(…)` can carry is left out.
        let expected = name.replace('\0', "");
        let expected = if expected.chars().any(text::is_deceptive) {
            expected.trim_end_matches('\n')
        } else {
            &expected
        };
        assert_eq!(
            words[..3],
            ["batches", "supervise", "--project"],
            "{name:.80?}"
        );
        assert!(words[3] == expected, "{name:.80?} became {:.80?}", words[3]);
        assert_eq!(words[4], "--batch-id", "{name:.80?}");
    }
    assert_eq!(said.next(), Some(""));
}

/// What is sent and what is opened stays where it belongs, and says the same.
#[test]
fn a_name_in_an_address_is_one_part_of_it() {
    let api = Url::parse("https://api.example/v1/").expect("a base");
    let site = Url::parse("https://retake.example/").expect("a site");
    for name in all().into_iter().filter(|it| it.len() < 10_000) {
        let path = endpoint::lookup_batch(PROJECT, &name).request.path;
        assert!(path.is_ascii());
        let url = api.join(&path).expect("an address");
        // Dots alone are no name that a path can carry: they lead upwards, but
        // stay at the API.
        assert!(
            url.as_str().starts_with("https://api.example/v1/"),
            "{name:?}: {url}"
        );
        let listed = endpoint::list_batches(PROJECT, &name, Some(&name))
            .request
            .path;
        let url = api.join(&listed).expect("an address");
        let values = url.query_pairs().filter(|(key, _)| key == "text");
        let wanted = usize::from(!name.is_empty());
        assert_eq!(
            values.filter(|(_, value)| *value == name).count(),
            wanted,
            "{url}"
        );
        assert!(url.path().ends_with("/batches") && url.fragment().is_none());
        let tests = TestQuery {
            statuses: vec![ConflatedStatus::from_word(&name)],
            tags: Vec::new(),
        };
        let path = endpoint::list_tests(PROJECT, BATCH, &tests, None)
            .request
            .path;
        assert!(
            api.join(&path).is_ok_and(|it| it.path().ends_with("/jobs")),
            "{path}"
        );
        let page = open::project_path(&name);
        let url = site.join(&page).expect("an address");
        assert!(
            url.as_str().starts_with("https://retake.example/"),
            "{name:?}: {url}"
        );
        let mut view = ViewQuery::default();
        view.filter.text.clone_from(&name);
        view.filter.toggle(&ConflatedStatus::from_word(&name));
        let query = view.to_query();
        let url = site
            .join(&format!("projects/x{query}"))
            .expect("an address");
        assert!(query.is_ascii() && url.path() == "/projects/x" && url.fragment().is_none());
    }
}
