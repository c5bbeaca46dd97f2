//! The samples of `resim-api.md` appendix A, read by our own readers.

use super::{endpoint::*, *};
use crate::domain::{
    BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, ExperienceTagId, MetricStatus,
    ProjectId, RunCounter, TestId, TestStatus, Timestamp,
};

const BATCH: &str = r#"{
  "batchID": "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1",
  "friendlyName": "patient-crimson-otter",
  "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f",
  "systemID": "c2a4e6f8-1357-4bdf-9ace-0123456789ab",
  "branchID": "71b96a67-9990-426b-993e-0f3d9c6bbe48",
  "buildID": "9e8d7c6b-5a49-4382-b716-a5b4c3d2e1f0",
  "testSuiteID": "3f2e1d0c-9b8a-4796-8554-433221100ffe",
  "testSuiteRevision": 3,
  "adhocTestSuite": false,
  "status": "SUCCEEDED",
  "conflatedStatus": "BLOCKER",
  "statusHistory": [
    {"status": "SUBMITTED", "updatedAt": "2026-04-20T14:00:00Z"},
    {"status": "SUCCEEDED", "updatedAt": "2026-04-20T14:21:59.4Z"},
    {"status": "EXPERIENCES_RUNNING", "updatedAt": "2026-04-20T14:01:10Z"}
  ],
  "totalJobs": 4,
  "jobStatusCounts": {"submitted": 0, "running": 0, "metricsQueued": 0, "metricsRunning": 0, "succeeded": 4, "error": 0, "cancelled": 0},
  "jobMetricsStatusCounts": {"passed": 2, "failWarn": 1, "failBlock": 1, "raw": 0, "notApplicable": 0, "noStatusReported": 0},
  "jobsMetricsStatus": "FAIL_BLOCK",
  "batchMetricsStatus": "PASSED",
  "overallMetricsStatus": "FAIL_BLOCK",
  "executionErrors": null,
  "labelledBuilds": null,
  "metricsSetName": "Nightly Metrics",
  "allowable_failure_percent": 0,
  "batchType": "NORMAL",
  "runnerType": "CLOUD",
  "runCounter": 1,
  "priority": 1000,
  "associatedAccount": "github-user",
  "parameters": {"speed": "fast"},
  "poolLabels": ["gpu"],
  "creationTimestamp": "2026-04-20T14:00:00Z",
  "lastUpdatedTimestamp": "2026-04-20T14:21:59.4Z",
  "lastRunTimestamp": "2026-04-20T14:00:00Z",
  "userID": "dev@example.com",
  "orgID": "example.com"
}"#;

const JOB: &str = r#"{
  "jobID": "65262470-0fea-4c50-bc8c-17466866f690",
  "batchID": "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1",
  "experienceID": "a1b2c3d4-e5f6-4789-8abc-def012345678",
  "experienceName": "cut_in_010",
  "jobStatus": "ERROR",
  "conflatedStatus": "ERROR",
  "jobMetricsStatus": "NO_STATUS_REPORTED",
  "runCounter": 2,
  "executionErrors": [
    {"errorCode": "NONZERO_EXIT_CODE", "errorText": "container exited", "exitCode": 137, "runCounter": 2,
     "parentID": "65262470-0fea-4c50-bc8c-17466866f690", "parentType": "JOB", "metadata": {}}
  ],
  "statusHistory": [
    {"status": "SUBMITTED", "updatedAt": "2026-04-20T14:00:00Z"},
    {"status": "EXPERIENCE_RUNNING", "updatedAt": "2026-04-20T14:01:12Z"},
    {"status": "ERROR", "updatedAt": "2026-04-20T14:03:44Z"}
  ],
  "lastUpdatedTimestamp": "2026-04-20T14:03:44Z"
}"#;

fn ok(body: &str) -> Answer {
    Answer {
        status: 200,
        content_type: Some("application/json; charset=utf-8".into()),
        retry_after: None,
        came_at: Timestamp::default(),
        body: body.into(),
    }
}

fn project() -> ProjectId {
    "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f".parse().unwrap()
}

fn batch() -> BatchId {
    "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1".parse().unwrap()
}

fn test_id() -> TestId {
    "65262470-0fea-4c50-bc8c-17466866f690".parse().unwrap()
}

#[test]
fn the_sample_batch_is_read_whole() {
    let call = get_batch(project(), batch());
    assert_eq!(
        call.request.path,
        "projects/0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f/batches/5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1"
    );
    let it = call.read(&ok(BATCH)).unwrap();
    assert_eq!(it.id, batch());
    assert_eq!(it.project_id, Some(project()));
    assert_eq!(it.status, Some(BatchStatus::Succeeded));
    assert_eq!(it.conflated, Some(ConflatedBatchStatus::Blocker));
    assert_eq!(
        it.history.last().map(|change| &change.status),
        Some(&BatchStatus::Succeeded)
    );
    assert_eq!(it.total_tests, Some(4));
    let summary = it.summary();
    assert_eq!(
        (summary.passed, summary.blocking, summary.warning),
        (2, 1, 1)
    );
    assert_eq!(it.tests_metrics, Some(MetricStatus::FailBlock));
    assert_eq!(it.run_counter, Some(RunCounter(1)));
    assert_eq!(it.allowable_failure_percent, Some(0));
    assert_eq!(it.suite_revision, Some(3));
    assert_eq!(it.metrics_set.as_deref(), Some("Nightly Metrics"));
    assert_eq!(it.account.as_deref(), Some("github-user"));
    assert_eq!(it.updated, Timestamp::parse("2026-04-20T14:21:59.4Z"));
    assert!(it.errors.is_empty());
}

#[test]
fn the_sample_test_is_read_whole() {
    let it = get_test(project(), batch(), test_id())
        .read(&ok(JOB))
        .unwrap();
    assert_eq!(it.changes.len(), 3);
    assert_eq!(it.changes[2].0, TestStatus::Error);
    let it = it.test;
    assert_eq!(it.id, Some(test_id()));
    assert_eq!(it.name, "cut_in_010");
    assert_eq!(it.conflated, Some(ConflatedStatus::Error));
    assert_eq!(it.errors[0].code, "NONZERO_EXIT_CODE");
    assert_eq!(it.errors[0].exit_code, Some(137));
    assert_eq!(it.errors[0].run_counter, Some(RunCounter(2)));
}

#[test]
fn absent_and_null_fields_are_the_same() {
    let absent = get_batch(project(), batch()).read(&ok("{}")).unwrap();
    let nulls = BATCH
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix('"')?
                .split_once('"')
                .map(|(name, _)| name)
        })
        .map(|name| format!("\"{name}\": null"))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join(",");
    let null = get_batch(project(), batch())
        .read(&ok(&format!("{{{nulls}}}")))
        .unwrap();
    assert_eq!(absent, null);
    assert_eq!(absent.id, batch(), "the ID that was asked for stands in");
}

#[test]
fn unknown_fields_and_words_never_fail_a_page() {
    let body = r#"{"jobs":[{"jobID":"65262470-0fea-4c50-bc8c-17466866f690",
        "conflatedStatus":"PAUSED_BY_MARTIANS","jobStatus":"HOVERING","future":{"a":[1]}},
        {"experienceName":"no id"}],"nextPageToken":null,"newField":1}"#;
    let page = list_tests(project(), batch(), &TestQuery::default(), None)
        .read(&ok(body))
        .unwrap();
    assert_eq!(
        page.items[0].conflated.as_ref().map(ConflatedStatus::word),
        Some("PAUSED_BY_MARTIANS")
    );
    assert_eq!(page.items[1].id, None);
    assert_eq!(page.next, None);
}

#[test]
fn the_three_ends_of_a_list_are_one() {
    for end in ["", r#","nextPageToken":null"#, r#","nextPageToken":"""#] {
        let body = format!(r#"{{"projects":[]{end}}}"#);
        assert_eq!(list_projects(None).read(&ok(&body)).unwrap().next, None);
    }
}

#[test]
fn a_project_without_an_id_is_passed_over_and_one_without_a_name_is_kept() {
    let body = r#"{"projects":[
        {"name": "no ID"},
        {"projectID": null, "name": "null ID"},
        {"projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f"},
        {"projectID": "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1", "name": "whole"}]}"#;
    let listed = list_projects(None).read(&ok(body)).unwrap();
    let names: Vec<&str> = listed.items.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["", "whole"]);
}

#[test]
fn a_list_without_its_array_is_an_error_that_names_it() {
    let error = list_tests(project(), batch(), &TestQuery::default(), None)
        .read(&ok("{}"))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreadable);
    assert!(error.to_string().contains("list jobs"), "{error}");
}

#[test]
fn list_parameters_go_out_in_the_comma_form() {
    let query = TestQuery {
        statuses: vec![ConflatedStatus::Error, ConflatedStatus::Blocker],
        tags: vec![ExperienceTagId::from_u128(1)],
    };
    let call = list_tests(project(), batch(), &query, Some("a+/="));
    assert!(
        call.request.path.ends_with(
            "/jobs?pageSize=100&pageToken=a%2B%2F%3D&conflatedStatus=ERROR%2CBLOCKER\
             &experienceTagIDs=00000000-0000-0000-0000-000000000001"
        ),
        "{}",
        call.request.path
    );
    let plain = list_tests(project(), batch(), &TestQuery::default(), None);
    assert!(
        plain.request.path.ends_with("/jobs?pageSize=100"),
        "{}",
        plain.request.path
    );
}

#[test]
fn names_in_paths_are_escaped_like_the_clis() {
    let call = lookup_batch(project(), "my batch/é%");
    assert!(
        call.request
            .path
            .ends_with("/lookup/name/my%20batch%2F%C3%A9%25/")
    );
    let id = call
        .read(&ok("\"86f1fe7f-6571-4aa4-b454-cdf0a59f6521\""))
        .unwrap();
    assert_eq!(id.to_string(), "86f1fe7f-6571-4aa4-b454-cdf0a59f6521");
}

#[test]
fn the_cancel_segment_keeps_its_colon() {
    let call = cancel_batch(project(), batch());
    assert!(call.request.path.ends_with("/:cancel"));
    assert_eq!(
        call.read(&Answer {
            status: 200,
            ..Answer::default()
        }),
        Ok(())
    );
    assert!(
        call.read(&Answer {
            status: 204,
            ..Answer::default()
        })
        .is_err()
    );
}

#[test]
fn rerun_bodies_are_those_of_the_cli() {
    let body = |scope, sync_with_suite| {
        let rerun = RerunRequest {
            scope,
            sync_with_suite,
        };
        rerun_batch(project(), batch(), &rerun)
            .request
            .body
            .unwrap()
    };
    let ids = || TestIds::new(vec![test_id()]).unwrap();
    assert_eq!(
        body(RerunScope::Tests(ids()), false),
        r#"{"jobIDs":["65262470-0fea-4c50-bc8c-17466866f690"],"syncBatch":false}"#
    );
    assert_eq!(
        body(RerunScope::TestMetrics(ids()), false),
        r#"{"jobIDs":["65262470-0fea-4c50-bc8c-17466866f690"],"syncBatch":false,"rerunMetricsOnly":true}"#
    );
    assert_eq!(
        body(RerunScope::BatchMetrics, true),
        r#"{"jobIDs":[],"syncBatch":true}"#
    );
}

#[test]
fn a_rerun_answer_is_read_and_may_be_empty() {
    let rerun = RerunRequest::tests(TestIds::new(vec![test_id()]).unwrap());
    let call = rerun_batch(project(), batch(), &rerun);
    let answer = call
        .read(&ok(r#"{"batchID":"5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1","runCounter":2,"jobIDs":["65262470-0fea-4c50-bc8c-17466866f690"]}"#))
        .unwrap();
    assert_eq!(answer.batch_id, Some(batch()));
    assert_eq!(answer.run_counter, Some(RunCounter(2)));
    assert_eq!(answer.test_ids, [test_id()]);
    assert_eq!(call.read(&ok("{}")).unwrap().batch_id, None);
}

#[test]
fn log_files_of_the_sample_are_read_and_odd_links_dropped() {
    let body = r#"{"logs": [{"logID": "0b0f6c5e-8f0a-4f6e-9a7e-1d2c3b4a5968",
      "fileName": "experience-container.log", "filePath": "", "fileSize": 3000000000,
      "logType": "CONTAINER_LOG", "downloadUrl": "https://bucket.example/key?signature=x"},
      {"fileName":"x","downloadUrl":"javascript:alert(1)"}], "nextPageToken": "", "total": 2}"#;
    let page = list_test_logs(project(), batch(), test_id(), None)
        .read(&ok(body))
        .unwrap();
    assert_eq!(page.items[0].size, Some(3_000_000_000));
    assert!(page.items[0].download_url.is_some());
    assert_eq!(page.items[1].download_url, None);
}

#[test]
fn a_megabyte_long_name_is_cut() {
    let body = format!(r#"{{"friendlyName":"{}"}}"#, "é".repeat(500_000));
    let it = get_batch(project(), batch()).read(&ok(&body)).unwrap();
    assert_eq!(it.name.map(|name| name.chars().count()), Some(2001));
}

#[test]
fn every_read_asks_where_the_reference_says() {
    let other = "00000000-0000-0000-0000-000000000007";
    let root = format!("projects/{}", project());
    for (request, path) in [
        (
            list_projects(None).request,
            "projects?pageSize=100&orderBy=timestamp".into(),
        ),
        (get_project(project()).request, root.clone()),
        (
            list_batches(project(), "", None).request,
            format!("{root}/batches?pageSize=100&orderBy=timestamp"),
        ),
        (
            list_batches(project(), "v1 & é", Some("t/2")).request,
            format!(
                "{root}/batches?pageSize=100&pageToken=t%2F2&orderBy=timestamp&text=v1%20%26%20%C3%A9"
            ),
        ),
        (
            count_tests(project(), batch(), &ConflatedStatus::Blocker).request,
            format!(
                "{root}/batches/{}/jobs?pageSize=1&conflatedStatus=BLOCKER",
                batch()
            ),
        ),
        (
            list_tags(project(), Some("t")).request,
            format!("{root}/experienceTags?pageSize=100&pageToken=t"),
        ),
        (
            list_test_logs(project(), batch(), test_id(), None).request,
            format!(
                "{root}/batches/{}/jobs/{}/logs?pageSize=100",
                batch(),
                test_id()
            ),
        ),
        (
            system_name(project(), other.parse().unwrap()).request,
            format!("{root}/systems/{other}"),
        ),
        (
            branch_name(project(), other.parse().unwrap()).request,
            format!("{root}/branches/{other}"),
        ),
        (
            build_version(project(), other.parse().unwrap()).request,
            format!("{root}/builds/{other}"),
        ),
        (
            suite_name(project(), other.parse().unwrap()).request,
            format!("{root}/suites/{other}"),
        ),
    ] {
        assert_eq!(request.path, path);
        assert_eq!(
            (request.method, request.body),
            (Method::Get, None),
            "{path}"
        );
    }
}

/// What each call makes of an answer: nothing, or why it cannot be read.
fn told_by_each(answer: &Answer) -> Vec<(&'static str, Result<(), ApiError>)> {
    fn told<T>(call: &Call<T>, answer: &Answer) -> (&'static str, Result<(), ApiError>) {
        (call.request.what, call.read(answer).map(|_| ()))
    }
    const OTHER: &str = "00000000-0000-0000-0000-000000000007";
    let rerun = RerunRequest::tests(TestIds::new(vec![test_id()]).unwrap());
    vec![
        told(&list_projects(None), answer),
        told(&get_project(project()), answer),
        told(&list_batches(project(), "", None), answer),
        told(&get_batch(project(), batch()), answer),
        told(&lookup_batch(project(), "a"), answer),
        told(&rerun_batch(project(), batch(), &rerun), answer),
        told(
            &count_tests(project(), batch(), &ConflatedStatus::Error),
            answer,
        ),
        told(
            &list_tests(project(), batch(), &TestQuery::default(), None),
            answer,
        ),
        told(&get_test(project(), batch(), test_id()), answer),
        told(&list_test_logs(project(), batch(), test_id(), None), answer),
        told(&list_tags(project(), None), answer),
        told(&system_name(project(), OTHER.parse().unwrap()), answer),
        told(&branch_name(project(), OTHER.parse().unwrap()), answer),
        told(&build_version(project(), OTHER.parse().unwrap()), answer),
        told(&suite_name(project(), OTHER.parse().unwrap()), answer),
    ]
}

#[test]
fn no_call_takes_another_success_than_the_documented_one() {
    // A 204 has nothing to read, and a 203 was changed on its way.
    for status in [203, 204] {
        let answer = Answer {
            status,
            ..ok(BATCH)
        };
        for (what, told) in told_by_each(&answer) {
            let error = told.expect_err(what);
            assert_eq!(error.status, Some(status), "{what}");
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}

#[test]
fn no_call_reads_a_page_that_something_between_put_in_place_of_the_answer() {
    let sign_in = Answer {
        content_type: Some("text/html".into()),
        ..ok("<h1>Welcome to the network of this hotel</h1>")
    };
    for answer in [sign_in, ok("{\"jobs\": [")] {
        for (what, told) in told_by_each(&answer) {
            let error = told.expect_err(what);
            assert_eq!(error.kind, ErrorKind::Unreadable, "{what}");
        }
    }
}

#[test]
fn no_list_takes_a_missing_array_for_an_empty_one() {
    let mut lists = 0;
    for (what, told) in told_by_each(&ok("{}")) {
        if what.starts_with("list") || what.starts_with("count") {
            let error = told.expect_err(what);
            assert!(error.to_string().contains("is missing"), "{error}");
            lists += 1;
        }
    }
    assert_eq!(lists, 6);
}

#[test]
fn a_project_is_read_and_one_without_an_id_is_none() {
    let read = |body| get_project(project()).read(&ok(body));
    let it =
        read(r#"{"projectID":"0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f","name":"Roads"}"#).unwrap();
    assert_eq!((it.id, it.name.as_str()), (project(), "Roads"));
    let error = read(r#"{"name":"Roads"}"#).unwrap_err();
    assert!(
        error.to_string().contains("the project has no ID"),
        "{error}"
    );
}

#[test]
fn a_listed_batch_without_an_id_is_passed_over_and_the_total_is_kept() {
    let body = format!(
        r#"{{"batches":[{BATCH},{{"friendlyName":"no ID"}}],"nextPageToken":"t","total":7}}"#
    );
    let page = list_batches(project(), "", None).read(&ok(&body)).unwrap();
    let ids: Vec<BatchId> = page.items.iter().map(|it| it.id).collect();
    assert_eq!(ids, [batch()]);
    assert_eq!((page.next.as_deref(), page.total), (Some("t"), Some(7)));
    assert_eq!(
        page.bytes,
        body.len(),
        "what the walk through the pages adds up"
    );
}

#[test]
fn a_count_is_what_the_page_says_of_itself_not_what_is_on_it() {
    let count =
        |body: &str| count_tests(project(), batch(), &ConflatedStatus::Error).read(&ok(body));
    assert_eq!(
        count(&format!(r#"{{"jobs":[{JOB}],"total":38}}"#)),
        Ok(Some(38))
    );
    assert_eq!(count(r#"{"jobs":[],"total":0}"#), Ok(Some(0)));
    assert_eq!(
        count(&format!(r#"{{"jobs":[{JOB}]}}"#)),
        Ok(None),
        "an older API does not say"
    );
}

#[test]
fn a_tag_without_an_id_cannot_be_asked_for_and_is_passed_over() {
    let body = r#"{"experienceTags":[{"name":"lost"},
        {"experienceTagID":"00000000-0000-0000-0000-000000000001","name":"night"}],"nextPageToken":""}"#;
    let page = list_tags(project(), None).read(&ok(body)).unwrap();
    let names: Vec<&str> = page.items.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((names, page.next), (vec!["night"], None));
}

#[test]
fn a_build_is_called_by_its_version_and_else_by_its_name() {
    let id = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    for (body, called) in [
        (r#"{"name":"nightly","version":"1.4.2"}"#, "1.4.2"),
        (r#"{"name":"nightly","version":""}"#, "nightly"),
        (r#"{"name":"nightly"}"#, "nightly"),
        ("{}", ""),
    ] {
        assert_eq!(
            build_version(project(), id).read(&ok(body)),
            Ok(called.into()),
            "{body}"
        );
    }
}

#[test]
fn a_name_that_was_looked_up_is_no_id_is_unreadable() {
    let error = lookup_batch(project(), "a")
        .read(&ok("\"nightly\""))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreadable);
}

#[test]
fn a_batch_that_is_another_one_is_unreadable() {
    let other = BatchId::from_u128(9);
    let error = get_batch(project(), other).read(&ok(BATCH)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreadable);
    assert!(error.to_string().contains(&batch().to_string()), "{error}");
}

#[test]
fn a_call_keeps_its_request_and_its_errors_when_its_result_is_turned() {
    let call = system_name(
        project(),
        "00000000-0000-0000-0000-000000000007".parse().unwrap(),
    );
    let request = call.request.clone();
    let length = call.map(|name| name.len());
    assert_eq!(length.request, request);
    assert_eq!(length.read(&ok(r#"{"name":"Arm"}"#)), Ok(3));
    let error = length.read(&ok("[")).unwrap_err();
    assert!(error.to_string().contains("read the system"), "{error}");
    let shown = format!("{length:?}");
    assert!(shown.contains(&request.path), "{shown}");
}

#[test]
fn methods_are_called_as_on_the_wire() {
    assert_eq!(Method::Get.as_str(), "GET");
    assert_eq!(Method::Post.as_str(), "POST");
}
