//! What a browser keeps outlives the build that wrote it: every name that can be stored, as the
//! present form writes it (`form-3.txt`), and journals as builds before it wrote them.

mod samples;

use retake_core::supervise::{Outcome, Phase, STORED_FORM, State, read_records};
use samples::samples;

/// A line of each kind, as the present form writes it.
const PRESENT: &str = include_str!("form-3.txt");
/// A journal from before forms were counted: without the wait for a busy platform, the change of
/// status, the names of tests and those that fail.
const FIRST: &str = include_str!("form-0.txt");

#[test]
fn what_is_stored_changes_with_a_new_form_only() {
    assert_eq!(
        STORED_FORM, 3,
        "keep form-3.txt as an older one, and begin the next"
    );
    let written = samples();
    let kept: Vec<&str> = PRESENT.lines().collect();
    for (n, line) in written.iter().enumerate() {
        assert_eq!(
            kept.get(n),
            Some(&line.as_str()),
            "line {} is stored in another way: unless that is one more field, which a build of \
             this form may miss, raise STORED_FORM",
            n + 1
        );
    }
    assert_eq!(written.len(), kept.len());
}

#[test]
fn each_line_that_is_kept_is_read_and_written_again_as_it_was() {
    for (n, line) in PRESENT.lines().enumerate() {
        assert_eq!(
            samples::read_and_write(line).as_deref(),
            Ok(line),
            "line {}",
            n + 1
        );
    }
}

#[test]
fn a_journal_from_before_forms_were_counted_is_taken_up_where_it_was() {
    let numbered = FIRST.lines().enumerate();
    let lines = numbered.map(|(n, line)| (u32::try_from(n).expect("few"), line));
    let (records, damage) = read_records(lines);
    assert_eq!(damage, None, "of {} records", records.len());
    let open = State::replay(&records[..7]).expect("it begins with a start");
    assert_eq!(open.phase, Phase::Rerunning);
    assert_eq!(
        open.limits.busy_window.as_secs(),
        600,
        "what it did not know is the default"
    );
    let intent = open.open.expect("a POST is on its way").intent;
    assert_eq!((intent.tests.len(), intent.tests[0].name.as_str()), (1, ""));
    let state = State::replay(&records).expect("it begins with a start");
    assert_eq!(
        (state.attempt, state.awaited.map(|run| run.0)),
        (1, Some(2))
    );
    let verdict = state.verdict().expect("it ended");
    assert_eq!(verdict.outcome, Outcome::PassAfterRerun);
    assert_eq!((verdict.failing.len(), verdict.failing_count), (0, 0));
}
