//! Cancel: queued tests stop at once, running ones finish, then the batch is
//! `CANCELLED` (`resim-api.md` §2.4, B.6).

use serde_json::json;

use crate::support::{Sandbox, string, words};

const RECIPE: &str = r#"{"tests": 24, "parallel": 6, "duration_ms": [900, 1100], "queue_ms": 100,
    "start": "submitted", "outcomes": {"error": 4, "blocker": 4}}"#;

#[tokio::test]
async fn at_whatever_moment_it_comes() {
    for after in [0, 50, 400, 1_200, 2_500, 4_000] {
        let sandbox = Sandbox::new();
        let recipe = serde_json::from_str(RECIPE).expect("JSON");
        let batch = sandbox.order(recipe).await;
        sandbox.clock.advance(after);
        let list = format!("{}/jobs?pageSize=100", batch.path);
        let before = words(&sandbox.every(&list, "jobs").await, "conflatedStatus");
        let cancel = sandbox
            .call("POST", &format!("{}/:cancel", batch.path), None)
            .await;
        assert_eq!((cancel.status, cancel.body.len()), (200, 0));
        let at_once = words(&sandbox.every(&list, "jobs").await, "conflatedStatus");
        for (before, now) in before.iter().zip(&at_once) {
            let expected = if before == "QUEUED" {
                "CANCELLED"
            } else {
                before
            };
            assert_eq!(now, expected, "cancelled after {after} ms");
        }
        sandbox.clock.advance(60_000);
        let jobs = sandbox.every(&list, "jobs").await;
        for (job, before) in jobs.iter().zip(&at_once) {
            let word = string(&job["conflatedStatus"]);
            assert_eq!(word == "CANCELLED", before == "CANCELLED");
            assert_ne!(word, "RUNNING");
            let history = job["statusHistory"].as_array().expect("a list");
            assert_eq!(
                history.last().map(|it| &it["status"]),
                Some(&job["jobStatus"])
            );
        }
        let read = sandbox.get(&batch.path).await.expect(200);
        assert_eq!(read["status"], "CANCELLED");
        assert_eq!(read["conflatedStatus"], "CANCELLED");
        let history = read["statusHistory"].as_array().expect("a list");
        assert_eq!(
            history.last().map(|it| &it["status"]),
            Some(&json!("CANCELLED"))
        );
    }
}

#[tokio::test]
async fn a_finished_batch_stays_as_it_is() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "outcomes": { "error": 1 } })).await;
    let before = sandbox.get(&batch.path).await.expect(200);
    sandbox
        .call("POST", &format!("{}/:cancel", batch.path), None)
        .await;
    assert_eq!(sandbox.get(&batch.path).await.expect(200), before);
}

#[tokio::test]
async fn even_a_hanging_test_is_stopped_in_the_end() {
    let sandbox = Sandbox::new();
    let batch = sandbox
        .order(json!({ "start": "running", "hang": true }))
        .await;
    sandbox.clock.advance(3_600_000);
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["status"], "EXPERIENCES_RUNNING");
    assert_eq!(read["jobStatusCounts"]["running"], 1);
    sandbox
        .call("POST", &format!("{}/:cancel", batch.path), None)
        .await;
    sandbox.clock.advance(60_000);
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["status"], "CANCELLED");
}
