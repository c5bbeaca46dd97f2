//! Hostile texts through everything that makes words for somebody: what is safe
//! differs from sink to sink, and each test says it for its own.
//!
//! There is no export to spreadsheets; a formula is a text like any other here.

mod elsewhere;
mod strings;

use retake_core::{
    api::{Answer, ApiError, ErrorKind, endpoint},
    auth::{DeviceCode, Expectation, Provider, Tokens},
    config::Config,
    domain::{
        Batch, BatchId, BatchStatus, ConflatedBatchStatus, ExecutionError, ProjectId, SystemId,
        Test, TestId, Timestamp, text,
    },
    rerun::{Ended, Limits, SubmissionNote},
    supervise::{
        BatchRef, Event, ExitCode, NamedTest, Outcome, PauseReason, Policy, Record, RerunOutcome,
        Rule, Verdict, explain,
    },
    view::{export, runs, verdict, words},
};
use serde_json::json;
use strings::{all, for_json, is_hidden};
use url::Url;

pub(crate) const PROJECT: ProjectId = ProjectId::from_u128(1);
pub(crate) const BATCH: BatchId = BatchId::from_u128(2);
const NOW: Timestamp = Timestamp::from_millis(1_776_700_000_000);

#[test]
fn there_are_enough_of_them() {
    let all = all();
    assert!(all.len() >= 300, "{}", all.len());
    assert!(all.iter().any(|it| it.len() >= 999_990));
    // For `cargo xtask report`.
    println!("{} hostile texts", all.len());
}

/// One line without anything that hides, of a length that a page can carry.
pub(crate) fn is_line(sink: &str, words: &str, most: usize) {
    let start: String = words.chars().take(80).collect();
    assert!(!words.chars().any(is_hidden), "{sink}: {start:?}");
    let length = words.chars().count();
    assert!(length <= most, "{sink}: {length} characters, {start:?}");
}

fn answer(status: u16, body: &serde_json::Value) -> Answer {
    Answer {
        status,
        content_type: Some("application/json".into()),
        retry_after: None,
        came_at: Timestamp::default(),
        body: body.to_string().into_bytes(),
    }
}

#[test]
fn a_name_on_screen_and_in_titles_shows_what_it_hides() {
    for name in all() {
        // The page clips by style; what hides is what matters.
        for shown in [words::clean(&name).into_owned(), words::name(&name)] {
            is_line("a name", &shown, 9_000_000);
            assert!(!shown.is_empty() || name.is_empty());
        }
        is_line("a title", &words::title(&name), 121);
    }
}

#[test]
fn what_hides_is_never_shown_as_something_else() {
    // Cleaning tells apart what differed, but for the three kinds of space.
    let spaces = |c: char| matches!(c, '\n' | '\t' | '\r');
    for name in all()
        .into_iter()
        .filter(|it| it.len() < 1_000 && !it.contains(spaces))
    {
        let shown = words::clean(&name).into_owned();
        let hidden = name.chars().filter(|c| text::is_deceptive(*c)).count();
        assert_eq!(shown.matches("⟨U+").count(), hidden, "{name:?}");
        assert_eq!(words::clean(&shown), shown);
    }
}

/// Words of the server that come with a failure, in every place they can be in.
#[test]
fn words_of_the_server_inside_errors_are_one_readable_line() {
    for name in for_json() {
        let call = || endpoint::get_batch(PROJECT, BATCH);
        let text = Answer {
            status: 500,
            content_type: Some("text/plain".into()),
            retry_after: Some(name.clone()),
            came_at: Timestamp::default(),
            body: name.clone().into_bytes(),
        };
        let labelled = Answer {
            status: 200,
            content_type: Some(name.clone()),
            retry_after: None,
            came_at: Timestamp::default(),
            body: Vec::new(),
        };
        let wrong = json!({"totalJobs": name});
        for answer in [
            answer(409, &json!({ "message": name })),
            answer(400, &json!([name])),
            answer(200, &wrong),
            text,
            labelled,
        ] {
            // A label that contains "json" is one; its empty body is not.
            let error = call().read(&answer).expect_err("none of these is a batch");
            is_line("an error", &error.to_string(), 500);
        }
        let made = ApiError::new("find the batch", ErrorKind::NotFound, &name);
        is_line("an error of ours", &made.to_string(), 1_200);
        let stored = serde_json::to_string(&made).expect("plain data serialises");
        let older = stored.replace("\"kind\"", "\"x\":0,\"kind\"");
        let again: ApiError = serde_json::from_str(&older).expect("what was written is read");
        assert_eq!(again, made);
    }
}

/// An older journal may hold words that were not made safe when it was written.
#[test]
fn a_stored_error_is_made_safe_when_it_is_read() {
    for name in all() {
        let stored = json!({"what": "rerun", "kind": "Server", "status": 500, "message": name,
            "retry_after": null});
        let error: ApiError = serde_json::from_value(stored).expect("an error");
        is_line("a stored error", &error.to_string(), 1_200);
    }
}

#[test]
fn status_words_and_other_words_of_an_answer_are_readable() {
    for name in for_json() {
        let body = json!({"jobID": TestId::from_u128(1), "conflatedStatus": name,
            "jobStatus": name, "jobMetricsStatus": name, "description": name,
            "experienceName": name,
            "executionErrors": [{"errorCode": name, "errorText": name, "exitCode": 1}]});
        let it = endpoint::get_test(PROJECT, BATCH, TestId::from_u128(1))
            .read(&answer(200, &body))
            .expect("a test");
        let status = it.test.shown_status();
        is_line("a status", words::status_label(&status), 101);
        assert!(!status.is_failing(), "{name:?}");
        // Names are identities: kept as they are, up to their length.
        if name.chars().count() <= 2_000 {
            assert_eq!(it.test.name, name);
        }
        let reason = runs::reason(&it.test).unwrap_or_default();
        is_line("a reason", &reason.code, 2_001);
        is_line("a reason", &reason.text, 4_000);
        for error in &it.test.errors {
            is_line("a code", &error.code, 2_001);
            let text = error.text.as_deref().unwrap_or("");
            text.split('\n')
                .for_each(|line| is_line("an error's text", line, 2_001));
        }
        let named = endpoint::system_name(PROJECT, SystemId::from_u128(1))
            .read(&answer(200, &json!({ "name": name })))
            .expect("a name");
        is_line("a system", &named, 2_001);
        let batch = json!({"batchID": BATCH, "status": name, "conflatedStatus": name,
            "userID": name, "associatedAccount": name, "metricsSetName": name});
        let batch = endpoint::get_batch(PROJECT, BATCH)
            .read(&answer(200, &batch))
            .expect("a batch");
        assert!(!batch.is_terminal(), "{name:?}");
        let word = batch.conflated_or_derived().expect("a word");
        is_line("a batch's word", words::batch_label(&word), 101);
        for said in [&batch.user, &batch.account, &batch.metrics_set] {
            is_line("a batch's text", said.as_deref().unwrap_or(""), 2_001);
        }
    }
}

#[test]
fn what_the_provider_says_is_readable_and_leads_nowhere_else() {
    for name in for_json() {
        let issuer = "https://p.example";
        let document = json!({"issuer": name, "authorization_endpoint": "https://p.example/a",
            "token_endpoint": "https://p.example/t"});
        let refused = Provider::read(issuer, document.to_string().as_bytes());
        is_line("a provider", &refused.expect_err("another issuer"), 401);
        let document = json!({"issuer": issuer, "authorization_endpoint": name,
            "token_endpoint": "https://p.example/t"});
        match Provider::read(issuer, document.to_string().as_bytes()) {
            Ok(it) => leads_by_https(&it.authorization_endpoint),
            Err(why) => is_line("an endpoint", &why, 401),
        }
        let answer = json!({"error": name, "error_description": name}).to_string();
        let refused = Tokens::read(answer.as_bytes(), &Expectation::default(), NOW);
        is_line(
            "a refusal",
            &refused.expect_err("a refusal").to_string(),
            700,
        );
        let code = json!({"device_code": "d", "user_code": name,
            "verification_uri": "https://p.example/a"});
        let code = DeviceCode::read(issuer, code.to_string().as_bytes(), NOW).expect("a code");
        is_line("a code", &code.user_code, 101);
        let code = json!({"device_code": "d", "user_code": "U", "verification_uri": name});
        match DeviceCode::read(issuer, code.to_string().as_bytes(), NOW) {
            Ok(it) => leads_by_https(&it.address),
            Err(error) => is_line("an address", &error.to_string(), 400),
        }
        let config = json!({"environments": [{"name": name, "api": name, (name.clone()): 1}]});
        for problem in Config::parse(&config.to_string()).err().unwrap_or_default() {
            is_line("a problem", &problem.to_string(), 810);
        }
    }
}

/// A provider may name any address, but only one that leads where it says.
fn leads_by_https(address: &str) {
    let url = Url::parse(address).expect("an address");
    assert!(url.scheme() == "https" && url.username().is_empty() && url.password().is_none());
    assert!(address.starts_with(&format!("https://{}", url.host_str().unwrap_or("?"))));
}

/// The decision log: on screen and as a text to keep, a line for each record.
#[test]
fn every_record_is_one_line_of_the_log() {
    for name in all() {
        let error = ApiError::new("read the batch", ErrorKind::Server, &name);
        let events = [
            Event::Started {
                policy: Policy::default(),
                limits: Limits::default(),
                batch: BatchRef::Name(name.clone()),
            },
            Event::Pinned {
                batch: BATCH,
                name: Some(name.clone()),
            },
            Event::ReadFailed {
                error: error.clone(),
                retry_at: NOW,
            },
            Event::Torn {
                why: name.clone(),
                tries: 1,
            },
            Event::Paused(PauseReason::StorageRefused(name.clone())),
            Event::Rerun(SubmissionNote::Waiting {
                post: 1,
                why: retake_core::rerun::WaitReason::CleaningUp,
                next: NOW,
                message: Some(name.clone()),
            }),
            Event::Rerun(SubmissionNote::Ended(Ended::NotStored(name.clone()))),
            Event::Rerun(SubmissionNote::Ended(Ended::Refused(error))),
            Event::Ended(Box::new(concluded(&name))),
        ];
        let lines: Vec<_> = (0..)
            .zip(events)
            .map(|(seq, event)| {
                explain(&Record {
                    seq,
                    at: NOW,
                    event,
                })
            })
            .collect();
        for line in &lines {
            is_line("a line of the log", &line.text, 4_001);
        }
        let kept = export::log_text(&lines);
        assert_eq!(kept.lines().count(), lines.len());
        assert!(kept.lines().all(|line| line.starts_with("2026-04-20T")));
    }
}

/// A verdict in which every text is hostile.
pub(crate) fn concluded(name: &str) -> Verdict {
    let tests = vec![
        NamedTest {
            id: TestId::from_u128(1),
            name: name.to_owned(),
        };
        7
    ];
    Verdict {
        outcome: Outcome::Fail,
        exit_code: ExitCode::Error,
        rule: Rule::StatusAlone(Some(BatchStatus::from_word(name))),
        why_not: None,
        attempts: 1,
        max_attempts: 1,
        run: None,
        figures: None,
        limit_percent: 50.0,
        reruns: RerunOutcome {
            passed_after_rerun: tests.clone(),
            consistent: tests.clone(),
            failed_again: tests.clone(),
        },
        failing: tests,
        failing_count: 7,
        notes: vec![format!("A note on {}.", words::clean(name))],
    }
}

#[test]
fn a_notification_is_two_short_lines() {
    for name in all() {
        let (title, body) = verdict::notification(Some(&name), "", &concluded(&name));
        is_line("a notification's title", &title, 100);
        is_line("a notification's text", &body, 401);
        for naming in verdict::namings(&concluded(&name)) {
            is_line("a sentence", &naming.to_string(), 1_700);
        }
    }
}

/// Whatever a test or a batch is called and says, a page can show it.
#[test]
fn made_up_values_are_cleaned_where_they_are_shown() {
    for name in all() {
        let mut test = Test::new(TestId::from_u128(1), name.clone());
        test.errors = vec![ExecutionError {
            code: name.clone(),
            text: Some(name.clone()),
            exit_code: None,
            run_counter: None,
        }];
        let reason = runs::reason(&test).expect("an error is a reason");
        is_line("a reason", &reason.code, 9_000_000);
        is_line("a reason", &reason.text, 9_000_000);
        let mut batch = Batch::new(BATCH);
        batch.name = Some(name.clone());
        batch.conflated = Some(ConflatedBatchStatus::from_word(&name));
        is_line("a batch", &words::name(&batch.display_name()), 9_000_000);
    }
}
