//! Rerun in place (`resim-api.md` §5, B.5).

use serde_json::{Value, json};

use crate::samples::is_uuid;
use crate::support::{Sandbox, string, words};

/// Words of the tests, in the order of the batch.
async fn outcomes(sandbox: &Sandbox, path: &str) -> Vec<String> {
    let jobs = sandbox
        .every(&format!("{path}/jobs?pageSize=100"), "jobs")
        .await;
    words(&jobs, "conflatedStatus")
}

#[tokio::test]
async fn the_cleanup_window_ends_to_the_millisecond_and_refusals_change_nothing() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "cleanup_ms": 8_000 })).await;
    let path = format!("{}/rerun", batch.path);
    let rerun = json!({ "jobIDs": [batch.jobs[0]], "syncBatch": false });
    let before = sandbox.get(&batch.path).await.expect(200);
    for step in [0, 4_000, 3_999] {
        sandbox.clock.advance(step);
        sandbox.post(&path, &rerun).await.refused(409);
    }
    assert_eq!(sandbox.get(&batch.path).await.expect(200), before);
    sandbox.clock.advance(1);
    sandbox.post(&path, &rerun).await.expect(200);
    // While it runs it is refused too, and again after it.
    sandbox.post(&path, &rerun).await.refused(409);
    sandbox.clock.advance(7_000);
    sandbox.post(&path, &rerun).await.refused(409);
    sandbox.clock.advance(20_000);
    sandbox.post(&path, &rerun).await.expect(200);
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["runCounter"], 3);
}

#[tokio::test]
async fn a_flaky_test_passes_when_its_experience_runs_again_and_a_bad_one_never() {
    let sandbox = Sandbox::new();
    let recipe = json!({ "tests": 10, "outcomes": { "flaky": { "count": 2 }, "blocker": 1 } });
    let batch = sandbox.order(recipe).await;
    let rerun = async |body: Value| {
        let answer = sandbox
            .post(&format!("{}/rerun", batch.path), &body)
            .await
            .expect(200);
        sandbox.clock.advance(60_000);
        answer
    };
    let first = outcomes(&sandbox, &batch.path).await;
    let failed: Vec<&String> = batch
        .jobs
        .iter()
        .zip(&first)
        .filter(|(_, word)| *word != "PASSED")
        .map(|(id, _)| id)
        .collect();
    assert_eq!(failed.len(), 3);
    // Metrics over kept output: the same result again.
    rerun(json!({ "jobIDs": failed, "syncBatch": false, "rerunMetricsOnly": true })).await;
    assert_eq!(outcomes(&sandbox, &batch.path).await, first);
    rerun(json!({ "jobIDs": failed, "syncBatch": false })).await;
    let last = outcomes(&sandbox, &batch.path).await;
    assert!(!last.contains(&"ERROR".to_owned()));
    assert_eq!(last.iter().filter(|it| *it == "BLOCKER").count(), 1);
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(
        (&read["runCounter"], &read["conflatedStatus"]),
        (&json!(3), &json!("BLOCKER"))
    );
    // Errors tell the runs apart.
    let job = format!("{}/jobs/{}", batch.path, failed[0]);
    let job = sandbox.get(&job).await.expect(200);
    assert_eq!(job["runCounter"], 3);
    for error in job["executionErrors"].as_array().into_iter().flatten() {
        assert!(error["runCounter"].as_u64().is_some_and(|it| it < 3));
    }
}

#[tokio::test]
async fn an_empty_list_runs_the_batch_metrics_alone() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "outcomes": { "warning": 1 } })).await;
    let before = outcomes(&sandbox, &batch.path).await;
    for body in [
        json!({ "jobIDs": [], "syncBatch": false }),
        json!({ "syncBatch": false }),
        json!({ "jobIDs": null, "syncBatch": false, "rerunMetricsOnly": false }),
    ] {
        let answer = sandbox
            .post(&format!("{}/rerun", batch.path), &body)
            .await
            .expect(200);
        assert_eq!(answer["jobIDs"], json!([]));
        let read = sandbox.get(&batch.path).await.expect(200);
        assert_eq!(read["status"], "BATCH_METRICS_QUEUED");
        assert_eq!(outcomes(&sandbox, &batch.path).await, before);
        sandbox.clock.advance(60_000);
        let read = sandbox.get(&batch.path).await.expect(200);
        assert_eq!(read["status"], "SUCCEEDED");
    }
    let both = json!({ "jobIDs": [], "syncBatch": false, "rerunMetricsOnly": true });
    sandbox
        .post(&format!("{}/rerun", batch.path), &both)
        .await
        .refused(400);
}

#[tokio::test]
async fn metrics_only_does_not_run_the_experience() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "tests": 3 })).await;
    let body = json!({ "jobIDs": batch.jobs, "syncBatch": false, "rerunMetricsOnly": true });
    sandbox
        .post(&format!("{}/rerun", batch.path), &body)
        .await
        .expect(200);
    let mut seen = Vec::new();
    for _ in 0..200 {
        let jobs = sandbox.every(&format!("{}/jobs", batch.path), "jobs").await;
        seen.extend(words(&jobs, "jobStatus"));
        sandbox.clock.advance(10);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(
        seen,
        [
            "METRICS_QUEUED",
            "METRICS_RUNNING",
            "SUBMITTED",
            "SUCCEEDED"
        ]
    );
}

#[tokio::test]
async fn sync_adds_the_new_tests_of_the_suite_and_runs_them() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "tests": 4, "suite_adds": 3 })).await;
    let body = json!({ "jobIDs": [], "syncBatch": true });
    let answer = sandbox
        .post(&format!("{}/rerun", batch.path), &body)
        .await
        .expect(200);
    let added = answer["jobIDs"].as_array().expect("a list");
    assert!(added.len() == 3 && added.iter().all(|it| is_uuid(&string(it))));
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(
        (&read["totalJobs"], &read["testSuiteRevision"]),
        (&json!(7), &json!(2))
    );
    sandbox.clock.advance(60_000);
    assert_eq!(outcomes(&sandbox, &batch.path).await.len(), 7);
}

#[tokio::test]
async fn what_the_body_may_not_be() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({})).await;
    let other = sandbox.order(json!({})).await;
    let path = format!("{}/rerun", batch.path);
    for (body, status) in [
        (json!([]), 400),
        (json!({ "jobIDs": [batch.jobs[0]] }), 400),
        (json!({ "jobIDs": "all", "syncBatch": false }), 400),
        (json!({ "jobIDs": ["x"], "syncBatch": false }), 400),
        (json!({ "jobIDs": [], "syncBatch": "no" }), 400),
        (
            json!({ "jobIDs": [other.jobs[0]], "syncBatch": false }),
            404,
        ),
    ] {
        sandbox.post(&path, &body).await.refused(status);
    }
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["runCounter"], 1);
}

#[tokio::test]
async fn answers_can_be_made_odd() {
    let sandbox = Sandbox::new();
    let body = json!({ "jobIDs": [], "syncBatch": false });
    let recipe = json!({ "rerun_answer": { "omit": ["batchID", "runCounter"] } });
    let batch = sandbox.order(recipe).await;
    let answer = sandbox
        .post(&format!("{}/rerun", batch.path), &body)
        .await
        .expect(200);
    assert_eq!(answer, json!({ "jobIDs": [] }));
    let recipe = json!({ "rerun_answer": { "new_batch_id": true } });
    let batch = sandbox.order(recipe).await;
    let answer = sandbox
        .post(&format!("{}/rerun", batch.path), &body)
        .await
        .expect(200);
    assert_ne!(answer["batchID"], batch.id.as_str());
    let (root, _) = batch.path.rsplit_once('/').expect("a path");
    let moved = format!("{root}/{}", string(&answer["batchID"]));
    let moved = sandbox.get(&moved).await.expect(200);
    assert_eq!(moved["friendlyName"], batch.name.as_str());
    assert_eq!(sandbox.get(&batch.path).await.expect(200)["runCounter"], 1);
}
