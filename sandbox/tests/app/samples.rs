//! JSON as the reference writes it (`resim-api.md` §2.2 and appendix A), and
//! what it means for an answer to look like it.

use serde_json::{Value, json};

/// Whether an answer has every field of a sample, each of the same kind. What
/// the sample has as `null` may be anything, but must be there.
#[track_caller]
pub(crate) fn assert_like(answer: &Value, sample: &Value) {
    if let Err(why) = like(answer, sample, "") {
        panic!("{why}\nin {answer:#}");
    }
}

fn like(answer: &Value, sample: &Value, at: &str) -> Result<(), String> {
    let differs = || Err(format!("{at}: {answer} where the reference has {sample}"));
    match (answer, sample) {
        (_, Value::Null) => Ok(()),
        (Value::Object(answer), Value::Object(sample)) => {
            sample.iter().try_for_each(|(key, it)| {
                let at = format!("{at}.{key}");
                match answer.get(key) {
                    Some(found) => like(found, it, &at),
                    None => Err(format!("{at} is missing")),
                }
            })
        }
        (Value::Array(answer), Value::Array(sample)) => match sample.first() {
            Some(_) if answer.is_empty() => differs(),
            Some(first) => answer
                .iter()
                .try_for_each(|it| like(it, first, &format!("{at}[]"))),
            None => Ok(()),
        },
        (Value::String(found), Value::String(wanted)) => {
            let same = is_uuid(found) == is_uuid(wanted) && is_moment(found) == is_moment(wanted);
            if same { Ok(()) } else { differs() }
        }
        (Value::Bool(_), Value::Bool(_)) => Ok(()),
        (Value::Number(found), Value::Number(wanted)) if found.is_i64() == wanted.is_i64() => {
            Ok(())
        }
        _ => differs(),
    }
}

/// Lower case, 8-4-4-4-12 (§4).
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
        })
}

/// RFC 3339 in UTC (§4).
pub(crate) fn is_moment(text: &str) -> bool {
    text.len() >= 20
        && text.ends_with('Z')
        && text
            .chars()
            .zip("dddd-dd-ddTdd:dd:dd".chars())
            .all(|pair| match pair {
                (c, 'd') => c.is_ascii_digit(),
                (c, wanted) => c == wanted,
            })
}

/// A.1, a finished batch.
pub(crate) fn batch() -> Value {
    json!({
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
      "statusHistory": [{"status": "SUBMITTED", "updatedAt": "2026-04-20T14:00:00Z"}],
      "totalJobs": 4,
      "jobStatusCounts": {"submitted": 0, "running": 0, "metricsQueued": 0, "metricsRunning": 0,
        "succeeded": 4, "error": 0, "cancelled": 0},
      "jobMetricsStatusCounts": {"passed": 2, "failWarn": 1, "failBlock": 1, "raw": 0,
        "notApplicable": 0, "noStatusReported": 0},
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
    })
}

/// A.2, a test with an execution error, and the fields of §2.2 beside it. An
/// exit code may be null there.
pub(crate) fn broken_job() -> Value {
    json!({
      "jobID": "65262470-0fea-4c50-bc8c-17466866f690",
      "batchID": "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1",
      "experienceID": "a1b2c3d4-e5f6-4789-8abc-def012345678",
      "experienceName": "cut_in_010",
      "jobStatus": "ERROR",
      "conflatedStatus": "ERROR",
      "jobMetricsStatus": "NO_STATUS_REPORTED",
      "runCounter": 2,
      "executionErrors": [
        {"errorCode": "NONZERO_EXIT_CODE", "errorText": "container exited", "exitCode": null, "runCounter": 2,
         "parentID": "65262470-0fea-4c50-bc8c-17466866f690", "parentType": "JOB", "metadata": {}}
      ],
      "statusHistory": [{"status": "SUBMITTED", "updatedAt": "2026-04-20T14:00:00Z"}],
      "lastUpdatedTimestamp": "2026-04-20T14:03:44Z",
      "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f",
      "systemID": "c2a4e6f8-1357-4bdf-9ace-0123456789ab",
      "branchID": "71b96a67-9990-426b-993e-0f3d9c6bbe48",
      "buildID": "9e8d7c6b-5a49-4382-b716-a5b4c3d2e1f0",
      "experienceEnvironmentVariables": [{"name": "SIM_SEED", "value": "7"}],
      "creationTimestamp": "2026-04-20T14:00:00Z"
    })
}

/// A.3, a log of a test.
pub(crate) fn job_log() -> Value {
    json!({
      "logID": "0b0f6c5e-8f0a-4f6e-9a7e-1d2c3b4a5968", "jobID": "65262470-0fea-4c50-bc8c-17466866f690",
      "fileName": "experience-container.log", "filePath": "", "fullPath": "experience-container.log",
      "fileSize": 18231, "logType": "CONTAINER_LOG", "executionStep": "EXPERIENCE",
      "location": "s3://bucket/key", "logOutputLocation": "https://bucket.example/key?signature=…",
      "external": false, "creationTimestamp": "2026-04-20T14:03:45Z"
    })
}

/// §2.2: all required, `agentMarkdown` newer.
pub(crate) fn project() -> Value {
    json!({
      "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f", "name": "Robots", "description": "All of them",
      "creationTimestamp": "2026-04-20T14:00:00Z", "userID": "dev@example.com", "orgID": "example.com",
      "archived": false, "agentMarkdown": ""
    })
}

/// §2.2: all required.
pub(crate) fn system() -> Value {
    json!({
      "systemID": "c2a4e6f8-1357-4bdf-9ace-0123456789ab", "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f",
      "name": "amr", "description": "A robot", "architecture": "AMD64",
      "build_vcpus": 4, "build_memory_mib": 16384, "build_gpus": 1, "build_shared_memory_mb": 64,
      "metrics_build_vcpus": 2, "metrics_build_memory_mib": 4096, "metrics_build_gpus": 0,
      "metrics_build_shared_memory_mb": 64, "numBuilds": 1, "numTestSuites": 1, "numExperiences": 1,
      "numMetricsBuilds": 1, "numBatches": 1, "creationTimestamp": "2026-04-20T14:00:00Z",
      "updateTimestamp": "2026-04-20T14:00:00Z", "updateUserID": "dev@example.com",
      "userID": "dev@example.com", "orgID": "example.com", "archived": false
    })
}

/// §2.2: all required but `numAssets`.
pub(crate) fn build() -> Value {
    json!({
      "buildID": "9e8d7c6b-5a49-4382-b716-a5b4c3d2e1f0", "branchID": "71b96a67-9990-426b-993e-0f3d9c6bbe48",
      "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f", "systemID": "c2a4e6f8-1357-4bdf-9ace-0123456789ab",
      "name": "a build", "description": "a commit", "version": "2.14.1", "imageUri": "registry/x:1",
      "buildSpecification": "services: {}", "associatedAccount": "ci",
      "creationTimestamp": "2026-04-20T14:00:00Z", "updateTimestamp": "2026-04-20T14:00:00Z",
      "updateUserID": "dev@example.com", "userID": "dev@example.com", "orgID": "example.com"
    })
}

/// §2.2: all required.
pub(crate) fn branch() -> Value {
    json!({
      "branchID": "71b96a67-9990-426b-993e-0f3d9c6bbe48", "name": "main",
      "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f", "branchType": "MAIN",
      "creationTimestamp": "2026-04-20T14:00:00Z", "userID": "dev@example.com", "orgID": "example.com"
    })
}

/// §2.2: the required fields.
pub(crate) fn test_suite() -> Value {
    json!({
      "testSuiteID": "3f2e1d0c-9b8a-4796-8554-433221100ffe", "testSuiteRevision": 3, "name": "Nightly",
      "description": "Everything", "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f",
      "systemID": "c2a4e6f8-1357-4bdf-9ace-0123456789ab",
      "experiences": ["a1b2c3d4-e5f6-4789-8abc-def012345678"], "archived": false, "showOnSummary": true,
      "userID": "dev@example.com", "orgID": "example.com", "creationTimestamp": "2026-04-20T14:00:00Z",
      "updateTimestamp": "2026-04-20T14:00:00Z", "updateUserID": "dev@example.com"
    })
}

/// §2.2: all required.
pub(crate) fn tag() -> Value {
    json!({
      "experienceTagID": "3f2e1d0c-9b8a-4796-8554-433221100ffe",
      "projectID": "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f", "name": "night", "description": "At night",
      "creationTimestamp": "2026-04-20T14:00:00Z", "userID": "dev@example.com", "orgID": "example.com"
    })
}

#[test]
fn a_sample_is_strict_about_names_and_kinds() {
    let sample = json!({"id": "5b0c2e9a-7d1f-4a53-9c1e-2f6d8a40b7c1", "at": "2026-04-20T14:00:00Z",
        "list": [{"n": 1}], "any": null});
    let good = json!({"id": "65262470-0fea-4c50-bc8c-17466866f690", "at": "2025-01-02T03:04:05.678Z",
        "list": [{"n": 7}, {"n": 8, "more": 1}], "any": 3});
    assert_eq!(like(&good, &sample, ""), Ok(()));
    for (field, wrong) in [
        ("id", json!("65262470-0FEA-4c50-bc8c-17466866f690")),
        ("at", json!("2025-01-02")),
        ("list", json!([])),
        ("list", json!([{"n": "7"}])),
        ("list", json!([{"m": 7}])),
    ] {
        let mut bad = good.clone();
        bad[field] = wrong;
        assert!(like(&bad, &sample, "").is_err(), "{bad}");
    }
    assert!(like(&json!({}), &sample, "").is_err());
}
