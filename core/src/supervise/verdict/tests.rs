//! What is judged, and what is said beside it.

use super::*;

fn verdict(word: &str, figures: TestFigures, attempts: u32, policy: &Policy) -> Verdict {
    Verdict::of_finished(
        policy,
        Findings {
            status: Some(&BatchStatus::Succeeded),
            word: Some(&ConflatedBatchStatus::from_word(word)),
            run: None,
            figures: Some(figures),
            why_not: WhyNot::NoneFailing,
            attempts,
            reruns: RerunOutcome::default(),
            tests: &[],
        },
    )
}

#[test]
fn a_verdict_names_what_fails_worst_first() {
    let named = |n: u128, word: &str| {
        let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
        test.conflated = Some(crate::domain::ConflatedStatus::from_word(word));
        test
    };
    let tests = [
        named(1, "WARNING"),
        named(2, "PASSED"),
        named(3, "BLOCKER"),
        named(4, "ERROR"),
    ];
    let names = |filter: &str| -> Vec<String> {
        failing_tests(&tests, WatchedStates::parse(filter).expect("states"), false)
            .into_iter()
            .map(|test| test.name)
            .collect()
    };
    assert_eq!(names("Warning,Error,Blocker"), ["t3", "t4", "t1"]);
    assert_eq!(names("Error"), ["t4"]);
}

#[test]
fn the_figures_make_sense_without_reruns() {
    let figures = TestFigures {
        total: 20,
        failing: 2,
        blocker: 2,
        ..TestFigures::default()
    };
    let policy = Policy {
        max_rerun_attempts: 0,
        ..Policy::default()
    };
    let mut verdict = verdict("BLOCKER", figures, 0, &policy);
    verdict.why_not = Some(WhyNot::AttemptsUsed);
    assert_eq!(
        verdict.figures_sentence().as_deref(),
        Some("2 of 20 tests in a rerun state (10.0 %), limit 50 %; no rerun was allowed.")
    );
}

#[test]
fn a_pass_because_nothing_is_set_to_fail_is_not_called_clean() {
    let policy = Policy {
        rerun_on: WatchedStates::default(),
        ..Policy::default()
    };
    let with = |blocker| TestFigures {
        total: 10,
        blocker,
        ..TestFigures::default()
    };
    let beside = verdict("BLOCKER", with(3), 0, &policy);
    assert_eq!(beside.exit_code, ExitCode::Success, "as the CLI");
    assert_eq!(beside.outcome, Outcome::PassHidingFailures);
    assert_eq!(beside.failing_count, 3);
    let clean = verdict("COMPLETE", with(0), 0, &policy);
    assert_eq!(clean.outcome, Outcome::CleanPass);
}

#[test]
fn that_no_state_is_watched_is_said_only_where_neither_list_has_one() {
    let (none, all) = (WatchedStates::default(), WatchedStates::ALL);
    for (rerun_on, fail_on, said) in [
        (none, none, true),
        (all, none, false),
        (none, all, false),
        (all, all, false),
    ] {
        let policy = Policy {
            rerun_on,
            fail_on,
            ..Policy::default()
        };
        let it = verdict("COMPLETE", TestFigures::default(), 0, &policy);
        let says = |note: &String| note.starts_with("No state is watched");
        assert_eq!(it.notes.iter().any(says), said, "{rerun_on} {fail_on}");
    }
}

#[test]
fn no_pass_is_called_clean_beside_something_that_failed_whatever_is_set_to_fail() {
    let states = |bits: u8| WatchedStates {
        warning: bits & 1 > 0,
        error: bits & 2 > 0,
        blocker: bits & 4 > 0,
    };
    let words = [
        "COMPLETE", "WARNING", "ERROR", "BLOCKER", "RUNNING", "SHINY",
    ];
    for (bits, failed, word) in (0..64).flat_map(|n| words.map(|word| (n & 7, n >> 3, word))) {
        for (rerun_on, attempts) in [(0, 0), (7, 0), (7, 1)] {
            let policy = Policy {
                rerun_on: states(rerun_on),
                fail_on: states(bits),
                ..Policy::default()
            };
            let of = states(failed);
            let figures = TestFigures {
                total: 10,
                failing: 0,
                blocker: u64::from(of.blocker),
                error: u64::from(of.error),
                warning: u64::from(of.warning),
            };
            let it = verdict(word, figures, attempts, &policy);
            let case = format!(
                "fails {}, failed {of}, {word}: {it:?}",
                policy.fail_filter()
            );
            if it.exit_code != ExitCode::Success {
                assert!(!it.outcome.words().contains("ass"), "{case}");
                continue;
            }
            let nothing_failed = failed == 0 && !["WARNING", "ERROR", "BLOCKER"].contains(&word);
            let clean = [Outcome::CleanPass, Outcome::PassAfterRerun].contains(&it.outcome);
            assert_eq!(clean, nothing_failed, "{case}");
            assert!(clean || !it.notes.is_empty(), "it says why: {case}");
            assert_eq!(it.failing_count, u64::from(failed.count_ones()), "{case}");
        }
    }
}

#[test]
fn a_test_that_failed_by_status_alone_leaves_no_clean_pass() {
    let mut failed = Test::new(TestId::from_u128(1), "broken");
    failed.status = Some(crate::domain::TestStatus::Error);
    assert!(failed.fails_uncounted());
    let of = |tests: &[Test]| {
        Verdict::of_finished(
            &Policy::default(),
            Findings {
                status: Some(&BatchStatus::Succeeded),
                word: None,
                run: None,
                figures: Some(TestFigures {
                    total: 1,
                    ..TestFigures::default()
                }),
                why_not: WhyNot::NoneFailing,
                attempts: 0,
                reruns: RerunOutcome::default(),
                tests,
            },
        )
    };
    let beside = of(&[failed]);
    assert_eq!(beside.exit_code, ExitCode::Success, "as the CLI");
    assert_eq!(beside.outcome, Outcome::PassHidingFailures);
    assert_eq!((beside.failing_count, beside.failing.len()), (1, 1));
    assert!(
        beside.notes[0].starts_with("1 test has failed by status"),
        "{:?}",
        beside.notes
    );
    let passed = Test::new(TestId::from_u128(2), "fine");
    assert_eq!(of(&[passed]).outcome, Outcome::CleanPass);
}

#[test]
fn a_verdict_says_nothing_of_a_list_that_was_not_read() {
    let policy = Policy {
        fail_on: WatchedStates::parse("Error").expect("states"),
        ..Policy::default()
    };
    let findings = Findings {
        status: Some(&BatchStatus::Succeeded),
        word: Some(&ConflatedBatchStatus::Blocker),
        run: None,
        figures: None,
        why_not: WhyNot::AttemptsUsed,
        attempts: 1,
        reruns: RerunOutcome::default(),
        tests: &[],
    };
    let verdict = Verdict::of_finished(&policy, findings);
    assert_eq!(verdict.outcome, Outcome::PassHidingFailures);
    assert_eq!(
        verdict.notes,
        ["The tests could not be listed, so this rests on the batch alone."]
    );
}

#[test]
fn blockers_beside_a_pass_that_fails_on_warnings_only_are_said() {
    let policy = Policy {
        fail_on: WatchedStates::parse("Warning").expect("states"),
        ..Policy::default()
    };
    let figures = TestFigures {
        total: 10,
        failing: 2,
        blocker: 2,
        ..TestFigures::default()
    };
    let beside = verdict("BLOCKER", figures, 0, &policy);
    assert_eq!(beside.exit_code, ExitCode::Success, "as the CLI");
    assert_eq!(beside.outcome, Outcome::PassHidingFailures);
    assert_eq!(
        beside.notes,
        ["2 tests are in BLOCKER, beside a pass; set to fail: only Warning."]
    );
}

#[test]
fn the_other_kind_of_failure_is_said_beside_an_exit_code_that_tells_of_one() {
    let judged = |status: BatchStatus, word: ConflatedBatchStatus, blocker, error| {
        let findings = Findings {
            status: Some(&status),
            word: Some(&word),
            run: None,
            figures: Some(TestFigures {
                total: 10,
                blocker,
                error,
                ..TestFigures::default()
            }),
            why_not: WhyNot::NoneFailing,
            attempts: 0,
            reruns: RerunOutcome::default(),
            tests: &[],
        };
        Verdict::of_finished(&Policy::default(), findings)
    };
    let blockers = "beside the errors; exit code 2 does not say so.";
    let says = |verdict: &Verdict| verdict.notes.iter().any(|note| note.ends_with(blockers));
    let with = judged(BatchStatus::Error, ConflatedBatchStatus::Error, 2, 1);
    assert_eq!(with.exit_code, ExitCode::Error);
    assert!(says(&with), "{:?}", with.notes);
    let without = judged(BatchStatus::Error, ConflatedBatchStatus::Error, 0, 3);
    assert_eq!(without.exit_code, ExitCode::Error);
    assert!(!says(&without), "{:?}", without.notes);

    let errors = "beside the blockers; exit code 7 does not say so.";
    let says = |verdict: &Verdict| verdict.notes.iter().any(|note| note.ends_with(errors));
    let with = judged(BatchStatus::Succeeded, ConflatedBatchStatus::Blocker, 2, 1);
    assert_eq!(with.exit_code, ExitCode::Blocker);
    assert!(says(&with), "{:?}", with.notes);
    let without = judged(BatchStatus::Succeeded, ConflatedBatchStatus::Blocker, 2, 0);
    assert_eq!(without.exit_code, ExitCode::Blocker);
    assert!(!says(&without), "{:?}", without.notes);
}

#[test]
fn errors_that_failed_the_batch_are_named_though_only_warnings_are_watched() {
    let policy = Policy {
        rerun_on: WatchedStates::parse("Warning").expect("states"),
        ..Policy::default()
    };
    let mut error = Test::new(TestId::from_u128(1), "broken");
    error.conflated = Some(crate::domain::ConflatedStatus::Error);
    let findings = Findings {
        status: Some(&BatchStatus::Error),
        word: Some(&ConflatedBatchStatus::Error),
        run: None,
        figures: Some(TestFigures {
            total: 10,
            error: 1,
            ..TestFigures::default()
        }),
        why_not: WhyNot::NoneFailing,
        attempts: 0,
        reruns: RerunOutcome::default(),
        tests: &[error],
    };
    let verdict = Verdict::of_finished(&policy, findings);
    assert_eq!(verdict.exit_code, ExitCode::Error);
    assert_eq!(verdict.failing_count, 1);
    assert_eq!(verdict.failing[0].name, "broken");
}

#[test]
fn failures_that_the_one_word_hides_keep_the_code_and_are_said() {
    let policy = Policy {
        rerun_on: WatchedStates::parse("Error").unwrap(),
        ..Policy::default()
    };
    let figures = TestFigures {
        total: 10,
        failing: 3,
        error: 3,
        blocker: 1,
        warning: 0,
    };
    let verdict = verdict("BLOCKER", figures, 1, &policy);
    assert_eq!(verdict.exit_code, ExitCode::Success);
    assert_eq!(verdict.outcome, Outcome::PassHidingFailures);
    assert!(verdict.notes[0].contains("3 tests are in a state that fails (Error)"));
}

#[test]
fn a_pass_that_needed_a_rerun_is_never_called_clean() {
    let figures = TestFigures {
        total: 10,
        ..TestFigures::default()
    };
    let policy = Policy::default();
    assert_eq!(
        verdict("COMPLETE", figures, 0, &policy).outcome,
        Outcome::CleanPass
    );
    assert_eq!(
        verdict("COMPLETE", figures, 1, &policy).outcome,
        Outcome::PassAfterRerun
    );
}

#[test]
fn every_outcome_has_its_words_and_its_slug() {
    for (outcome, words, slug) in [
        (Outcome::CleanPass, "Clean pass", "clean-pass"),
        (
            Outcome::PassAfterRerun,
            "Pass after rerun",
            "pass-after-rerun",
        ),
        (
            Outcome::PassHidingFailures,
            "Pass, with failures beside it",
            "pass-hiding-failures",
        ),
        (Outcome::Fail, "Fail", "fail"),
        (Outcome::Cancelled, "Cancelled", "cancelled"),
        (Outcome::TimedOut, "Timed out", "timed-out"),
        (Outcome::CouldNotTell, "Could not tell", "could-not-tell"),
    ] {
        assert_eq!((outcome.words(), outcome.slug()), (words, slug));
    }
}

#[test]
fn the_figures_are_said_with_the_reruns_that_were_made_and_why_no_more_were() {
    let figures = TestFigures {
        total: 8,
        failing: 6,
        error: 6,
        ..TestFigures::default()
    };
    let policy = Policy {
        max_rerun_attempts: 2,
        ..Policy::default()
    };
    let mut it = verdict("ERROR", figures, 1, &policy);
    for (why_not, sentence) in [
        (
            Some(WhyNot::AboveLimit),
            "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made; more tests \
             match than the limit allows.",
        ),
        (
            Some(WhyNot::Cancelled),
            "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made; the batch \
             was cancelled.",
        ),
        (
            Some(WhyNot::NoneFailing),
            "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made; no test is \
             in a rerun state.",
        ),
        (
            Some(WhyNot::AttemptsUsed),
            "6 of 8 tests in a rerun state (75.0 %), limit 50 %; 1 of 2 reruns made.",
        ),
    ] {
        it.why_not = why_not;
        assert_eq!(it.figures_sentence().as_deref(), Some(sentence));
    }
    assert_eq!(
        WhyNot::AttemptsUsed.to_string(),
        "every allowed rerun was made"
    );
    it.figures = None;
    assert_eq!(it.figures_sentence(), None, "the tests could not be listed");
}

#[test]
fn an_old_journal_gives_no_note_that_could_deceive() {
    let it = Verdict::timed_out(
        &Policy::default(),
        None,
        None,
        0,
        vec!["the status is GO\u{202E}OD".into()],
    );
    let stored = serde_json::to_string(&it).unwrap();
    let read: Verdict = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.notes, ["the status is GO⟨U+202E⟩OD"]);
    assert_eq!(read.rule, it.rule);
}

#[test]
fn several_tests_that_failed_by_status_alone_are_counted_in_words() {
    let by_status = |n: u128| {
        let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
        test.status = Some(crate::domain::TestStatus::Error);
        test
    };
    let tests = [by_status(1), by_status(2)];
    let it = Verdict::of_finished(
        &Policy::default(),
        Findings {
            status: Some(&BatchStatus::Succeeded),
            word: Some(&ConflatedBatchStatus::Complete),
            run: None,
            figures: Some(TestFigures::default()),
            why_not: WhyNot::NoneFailing,
            attempts: 0,
            reruns: RerunOutcome::default(),
            tests: &tests,
        },
    );
    assert_eq!(it.outcome, Outcome::PassHidingFailures);
    assert!(
        it.notes[0].starts_with("2 tests have failed by status;"),
        "{:?}",
        it.notes
    );
}
