//! Statuses over the life of a batch, held against the rules of the reference
//! (`resim-api.md` §3.1 to §3.5), which are written here once more.

use serde_json::{Value, json};

use crate::support::{Sandbox, string};

/// §3.4.
fn job_word(status: &str, metrics: &str) -> &'static str {
    match (status, metrics) {
        ("SUBMITTED", _) => "QUEUED",
        ("EXPERIENCE_RUNNING" | "METRICS_QUEUED" | "METRICS_RUNNING", _) => "RUNNING",
        ("ERROR", _) => "ERROR",
        ("CANCELLED", _) => "CANCELLED",
        ("SUCCEEDED", "FAIL_BLOCK") => "BLOCKER",
        ("SUCCEEDED", "FAIL_WARN") => "WARNING",
        ("SUCCEEDED", _) => "PASSED",
        other => panic!("{other:?} is not in the reference"),
    }
}

/// §3.5.
fn batch_word(status: &str, jobs: &str, own: &str) -> &'static str {
    match status {
        "SUBMITTED" => "SUBMITTED",
        "EXPERIENCES_RUNNING" | "BATCH_METRICS_QUEUED" | "BATCH_METRICS_RUNNING" => "RUNNING",
        "CANCELLED" => "CANCELLED",
        "ERROR" => "ERROR",
        "SUCCEEDED" if [jobs, own].contains(&"FAIL_BLOCK") => "BLOCKER",
        "SUCCEEDED" if [jobs, own].contains(&"FAIL_WARN") => "WARNING",
        "SUCCEEDED" => "COMPLETE",
        other => panic!("{other} is not in the reference"),
    }
}

/// Reads a batch and its tests at one moment and holds them against the rules.
async fn check(sandbox: &Sandbox, path: &str) -> String {
    let batch = sandbox.get(path).await.expect(200);
    let jobs = sandbox
        .every(&format!("{path}/jobs?pageSize=100"), "jobs")
        .await;
    let count = |field: &str, word: &str| jobs.iter().filter(|it| it[field] == word).count() as u64;
    for job in &jobs {
        let (status, metrics) = (string(&job["jobStatus"]), string(&job["jobMetricsStatus"]));
        assert_eq!(job["conflatedStatus"], job_word(&status, &metrics), "{job}");
    }
    for (name, word) in [
        ("submitted", "SUBMITTED"),
        ("running", "EXPERIENCE_RUNNING"),
        ("metricsQueued", "METRICS_QUEUED"),
        ("metricsRunning", "METRICS_RUNNING"),
        ("succeeded", "SUCCEEDED"),
        ("error", "ERROR"),
        ("cancelled", "CANCELLED"),
    ] {
        assert_eq!(
            batch["jobStatusCounts"][name],
            count("jobStatus", word),
            "{name} in {batch}"
        );
    }
    for (name, word) in [
        ("passed", "PASSED"),
        ("failWarn", "FAIL_WARN"),
        ("failBlock", "FAIL_BLOCK"),
    ] {
        let counts = &batch["jobMetricsStatusCounts"];
        assert_eq!(
            counts[name],
            count("jobMetricsStatus", word),
            "{name} in {batch}"
        );
    }
    let status = string(&batch["status"]);
    let roll_up = string(&batch["jobsMetricsStatus"]);
    let own = string(&batch["batchMetricsStatus"]);
    assert_eq!(
        batch["conflatedStatus"],
        batch_word(&status, &roll_up, &own),
        "{batch}"
    );
    // §3.3: the worst of the tests.
    if count("jobMetricsStatus", "FAIL_BLOCK") > 0 {
        assert_eq!(roll_up, "FAIL_BLOCK");
    } else if count("jobMetricsStatus", "FAIL_WARN") > 0 {
        assert_eq!(roll_up, "FAIL_WARN");
    }
    let history = batch["statusHistory"].as_array().expect("a list");
    assert_eq!(
        history.last().map(|it| &it["status"]),
        Some(&batch["status"])
    );
    status
}

#[tokio::test]
async fn every_moment_of_a_batch_and_of_its_rerun_follows_the_rules() {
    let sandbox = Sandbox::new();
    let recipe = json!({ "tests": 30, "parallel": 10, "start": "submitted", "duration_ms": [500, 900],
        "outcomes": { "flaky": { "count": 4 }, "error": 2, "blocker": 3, "warning": 5 } });
    let batch = sandbox.order(recipe).await;
    let mut seen = Vec::new();
    let mut watch = async || {
        for _ in 0..60 {
            let status = check(&sandbox, &batch.path).await;
            if seen.last() != Some(&status) {
                seen.push(status);
            }
            sandbox.clock.advance(50);
        }
    };
    watch().await;
    let rerun = json!({ "jobIDs": batch.jobs[..9], "syncBatch": false });
    sandbox
        .post(&format!("{}/rerun", batch.path), &rerun)
        .await
        .expect(200);
    watch().await;
    let run = [
        "SUBMITTED",
        "EXPERIENCES_RUNNING",
        "BATCH_METRICS_QUEUED",
        "BATCH_METRICS_RUNNING",
        "ERROR",
    ];
    assert_eq!(seen, [run, run].concat());
}

#[tokio::test]
async fn every_batch_of_the_everyday_project_follows_the_rules() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("Warehouse robots").await;
    let root = format!("/v1/projects/{project}/batches");
    let batches = sandbox
        .every(&format!("{root}?pageSize=100"), "batches")
        .await;
    let mut seen = Vec::new();
    for batch in batches {
        // The soak suite's 5,000 tests add time and no rule.
        if batch["totalJobs"].as_u64().is_some_and(|it| it < 1_000) {
            let path = format!("{root}/{}", string(&batch["batchID"]));
            check(&sandbox, &path).await;
            seen.push(string(&batch["conflatedStatus"]));
        }
    }
    for word in [
        "SUBMITTED",
        "RUNNING",
        "CANCELLED",
        "ERROR",
        "COMPLETE",
        "BLOCKER",
        "WARNING",
    ] {
        assert!(seen.iter().any(|it| it == word), "no batch is {word}");
    }
}

#[tokio::test]
async fn fields_can_be_replaced_and_left_out() {
    let sandbox = Sandbox::new();
    let recipe = json!({
        "overrides": { "status": "HIBERNATING", "conflatedStatus": null, "newer": { "x": [1] } },
        "omit": ["runCounter", "totalJobs"],
        "job_overrides": { "conflatedStatus": "SHINY", "experienceName": null },
        "job_omit": ["runCounter"],
    });
    let batch = sandbox.order(recipe).await;
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["status"], "HIBERNATING");
    assert_eq!(read.get("conflatedStatus"), Some(&Value::Null));
    assert_eq!(read["newer"], json!({ "x": [1] }));
    assert!(read.get("runCounter").is_none() && read.get("totalJobs").is_none());
    let job = format!("{}/jobs/{}", batch.path, batch.jobs[0]);
    let job = sandbox.get(&job).await.expect(200);
    assert_eq!(job["conflatedStatus"], "SHINY");
    assert_eq!(job.get("experienceName"), Some(&Value::Null));
    assert!(job.get("runCounter").is_none());
}

#[tokio::test]
async fn the_old_deployment_shows_what_older_servers_do() {
    let sandbox = Sandbox::with("old", |_| {});
    let project = sandbox.project("old deployment").await;
    let path = format!("/v1/projects/{project}/batches");
    let batches = sandbox.every(&path, "batches").await;
    let named = |name: &str| {
        let found = batches.iter().find(|it| it["friendlyName"] == name);
        found.expect("it is there").clone()
    };
    let plain = named("no-conflated-no-counter");
    assert!(plain.get("conflatedStatus").is_none() && plain.get("runCounter").is_none());
    assert_eq!(named("status-null").get("status"), Some(&Value::Null));
    assert_eq!(named("unknown-words")["status"], "HIBERNATING");
    let pair = named("succeeded-but-conflated-error");
    assert_eq!(
        (&pair["status"], &pair["conflatedStatus"]),
        (&json!("SUCCEEDED"), &json!("ERROR"))
    );
}

#[tokio::test]
async fn a_batch_that_breaks_by_itself_has_an_error_of_its_own() {
    let sandbox = Sandbox::new();
    let batch = sandbox
        .order(json!({ "batch_error": true, "outcomes": { "error": 1 } }))
        .await;
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["status"], "ERROR");
    assert_eq!(read["executionErrors"][0]["parentType"], "BATCH");
    let errors = sandbox
        .get(&format!("{}/errors", batch.path))
        .await
        .expect(200);
    assert_eq!(errors["errors"], read["executionErrors"]);
    assert_eq!(errors["jobExecutionErrors"][0]["parentType"], "JOB");
}
