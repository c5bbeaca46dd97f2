//! Every fault that can be ordered (`resim-api.md` B.9): what the caller sees,
//! and whether the call was carried out.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::socket::{Listening, ask};
use crate::support::{Answer, Ordered, Sandbox, encoded, request, string};

/// Reads a batch under a fault.
async fn read_under(fault: Value) -> (Answer, Answer) {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({})).await;
    let fine = sandbox.get(&batch.path).await;
    sandbox.break_next(&batch.path, fault).await;
    let broken = sandbox.get(&batch.path).await;
    // It wears off.
    assert_eq!(sandbox.get(&batch.path).await.body, fine.body);
    (broken, fine)
}

/// Reruns under a fault; how many runs there are then, and after a while.
async fn rerun_under(fault: Value) -> (Answer, u64, u64) {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({})).await;
    let path = format!("{}/rerun", batch.path);
    sandbox.break_next(&path, fault).await;
    let rerun = json!({ "jobIDs": [batch.jobs[0]], "syncBatch": false });
    let answer = sandbox.post(&path, &rerun).await;
    let runs = async || {
        let read = sandbox.get(&batch.path).await.expect(200);
        read["runCounter"].as_u64().expect("a number")
    };
    let at_once = runs().await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    (answer, at_once, runs().await)
}

#[tokio::test(start_paused = true)]
async fn a_status_is_answered_with_a_message_and_nothing_is_done() {
    for status in [400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504] {
        let (broken, _) = read_under(json!({ "fault": status })).await;
        broken.refused(status);
        assert_eq!(broken.header("retry-after"), "");
        let (answer, runs, later) = rerun_under(json!({ "fault": status.to_string() })).await;
        answer.refused(status);
        assert_eq!((runs, later), (1, 1));
    }
    let (broken, _) = read_under(json!({ "fault": 429, "retry_after": 7 })).await;
    broken.refused(429);
    assert_eq!(broken.header("retry-after"), "7");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_answers_html() {
    for (fault, status, runs) in [
        ("503_html", 503, 1),
        ("200_html", 200, 1),
        ("502_after_apply", 502, 2),
    ] {
        let (answer, at_once, _) = rerun_under(json!({ "fault": fault })).await;
        assert_eq!((answer.status, at_once), (status, runs), "{fault}");
        assert!(answer.header("content-type").starts_with("text/html"));
        assert!(answer.text().contains("<h1>"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_dropped_before_after_or_long_before_the_call_is_done() {
    for (fault, at_once, later) in [
        ("drop", 1, 1),
        ("drop_after_apply", 2, 2),
        ("late_apply_ms", 1, 2),
    ] {
        let (answer, now, then) = rerun_under(json!({ "fault": fault, "ms": 500 })).await;
        assert!(answer.is_dropped, "{fault}");
        assert_eq!((now, then), (at_once, later), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_late_or_never() {
    let started = Instant::now();
    let (broken, fine) = read_under(json!({ "fault": "latency_ms", "ms": 2_500 })).await;
    assert_eq!(broken.body, fine.body);
    assert_eq!(started.elapsed(), Duration::from_millis(2_500));
    let silent = read_under(json!({ "fault": "silence" }));
    assert!(timeout(Duration::from_hours(1), silent).await.is_err());
}

#[tokio::test]
async fn a_body_is_half_cut_mislabelled_or_padded() {
    let (broken, fine) = read_under(json!({ "fault": "truncated" })).await;
    assert_eq!(broken.status, 200);
    assert!(!broken.is_cut && fine.body.starts_with(&broken.body));
    assert_eq!(broken.body.len(), fine.body.len() / 2);
    let (broken, fine) = read_under(json!({ "fault": "cut" })).await;
    assert!(broken.is_cut && fine.body.starts_with(&broken.body));
    assert_eq!(broken.body.len(), fine.body.len() / 2);
    let (broken, fine) = read_under(json!({ "fault": "wrong_type" })).await;
    assert_eq!(broken.body, fine.body);
    assert!(broken.header("content-type").starts_with("text/plain"));
    let (broken, fine) = read_under(json!({ "fault": "huge" })).await;
    assert_eq!(broken.body.len(), (32 << 20) + fine.body.len());
    assert_eq!(broken.json(), fine.json());
}

#[tokio::test]
async fn a_body_is_missing_strange_or_bottomless() {
    let (broken, _) = read_under(json!({ "fault": "empty_204" })).await;
    assert_eq!((broken.status, broken.body.len()), (204, 0));
    let (broken, _) = read_under(json!({ "fault": "garbage" })).await;
    let garbage = broken.expect(200);
    assert!(garbage["batchID"].is_array() && garbage["status"].is_number());
    let (broken, _) = read_under(json!({ "fault": "deep" })).await;
    assert_eq!(broken.status, 200);
    assert_eq!(broken.body, "[".repeat(100_000));
}

#[tokio::test]
async fn on_a_socket_a_drop_sends_nothing_and_a_cut_sends_half() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({})).await;
    let listening = Listening::new(sandbox.app.clone()).await;
    let whole = ask(listening.port, "somebody", &batch.path).await;
    let (_, json) = whole.split_once("\r\n\r\n").expect("headers and a body");
    sandbox
        .break_next(&batch.path, json!({ "fault": "drop" }))
        .await;
    assert_eq!(ask(listening.port, "somebody", &batch.path).await, "");
    sandbox
        .break_next(&batch.path, json!({ "fault": "cut" }))
        .await;
    let cut = ask(listening.port, "somebody", &batch.path).await;
    assert!(cut.starts_with("HTTP/1.1 200 OK"), "{cut}");
    assert!(
        cut.contains(&json[..json.len() / 2]) && !cut.contains(json),
        "{cut}"
    );
    // The last chunk has no length: no reader takes this for the end.
    assert!(!cut.contains("\r\n0\r\n"), "{cut}");
}

#[tokio::test]
async fn a_page_token_repeats_for_ever() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "tests": 250 })).await;
    let path = format!("{}/jobs?pageSize=100", batch.path);
    sandbox
        .break_next("/jobs", json!({ "fault": "repeat_token", "times": 3 }))
        .await;
    let first = sandbox.get(&path).await.expect(200);
    let token = string(&first["nextPageToken"]);
    for _ in 0..2 {
        let next = format!("{path}&pageToken={}", encoded(&token));
        assert_eq!(sandbox.get(&next).await.expect(200), first);
    }
}

#[tokio::test]
async fn a_fault_strikes_its_method_and_path_so_often_and_after_so_many() {
    let sandbox = Sandbox::new();
    let (one, other): (Ordered, Ordered) = (
        sandbox.order(json!({})).await,
        sandbox.order(json!({})).await,
    );
    let fault = json!({ "fault": 500, "method": "get", "times": 2, "after": 1 });
    sandbox.break_next(&one.path, fault).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        assert_eq!(sandbox.get(&other.path).await.status, 200);
        let description = json!({ "description": "" });
        let patched = sandbox.call("PATCH", &one.path, Some(&description)).await;
        assert_eq!(patched.status, 200);
        seen.push(sandbox.get(&one.path).await.status);
    }
    assert_eq!(seen, [200, 500, 500, 200]);
    sandbox.break_next(&one.path, json!({ "fault": 500 })).await;
    let list = sandbox.get("/sandbox/faults").await.expect(200);
    assert!(list.as_array().is_some_and(|it| !it.is_empty()));
    sandbox
        .call("DELETE", "/sandbox/faults", None)
        .await
        .expect(200);
    assert_eq!(sandbox.get(&one.path).await.status, 200);
    let unknown = json!({ "path_contains": "/", "fault": "nonsense" });
    sandbox.post("/sandbox/faults", &unknown).await.refused(400);
}

#[tokio::test(start_paused = true)]
async fn one_call_of_a_batch_can_fail_while_the_others_work() {
    let sandbox = Sandbox::with("faults", |_| {});
    let project = sandbox.project("fault: one call at a time").await;
    let root = format!("/v1/projects/{project}/batches");
    let batches = sandbox.every(&root, "batches").await;
    let rerun = json!({ "jobIDs": [], "syncBatch": false });
    // (batch, method, call, status or a drop, runs afterwards)
    for (name, method, call, status, runs) in [
        ("503 on the tests", "GET", "jobs", Some(503), 1),
        ("dropped on the tests", "GET", "jobs", None, 1),
        ("404 on the errors", "GET", "errors", Some(404), 1),
        (
            "rerun dropped before it is applied",
            "POST",
            "rerun",
            None,
            1,
        ),
        (
            "rerun dropped after it is applied",
            "POST",
            "rerun",
            None,
            2,
        ),
        (
            "502 after the rerun is applied",
            "POST",
            "rerun",
            Some(502),
            2,
        ),
        ("rerun refused with 403", "POST", "rerun", Some(403), 1),
    ] {
        let batch = batches.iter().find(|it| it["friendlyName"] == name);
        let batch = batch.expect("it is there");
        let path = format!("{root}/{}", string(&batch["batchID"]));
        let before = batch["runCounter"].as_u64().expect("a number");
        let body = (method == "POST").then_some(&rerun);
        let answer = sandbox.call(method, &format!("{path}/{call}"), body).await;
        assert_eq!(
            (!answer.is_dropped).then_some(answer.status),
            status,
            "{name}"
        );
        let read = sandbox.get(&path).await.expect(200);
        assert_eq!(read["runCounter"], before + runs - 1, "{name}");
    }
}

#[tokio::test]
async fn what_was_asked_is_listed_with_bodies_and_without_tokens() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({})).await;
    let rerun = json!({ "jobIDs": [], "syncBatch": false });
    let mut asked = request("POST", &format!("{}/rerun", batch.path), Some(&rerun));
    let token = "Bearer a-very-secret-word".parse().expect("plain words");
    asked.headers_mut().insert("authorization", token);
    assert_eq!(sandbox.send(asked).await.status, 200);
    sandbox.get(&batch.path).await;
    let path = format!("/sandbox/requests?path_contains={}", batch.id);
    let list = sandbox.get(&path).await;
    let found = list.expect(200);
    assert_eq!((&found["count"], &found["posts"]), (&json!(2), &json!(1)));
    assert_eq!(found["requests"][0]["body"], rerun);
    assert_eq!(found["requests"][0]["status"], 200);
    assert!(!list.text().contains("a-very-secret-word"));
    sandbox
        .call("DELETE", "/sandbox/requests", None)
        .await
        .expect(200);
    assert_eq!(sandbox.get(&path).await.expect(200)["count"], 0);
}

#[tokio::test]
async fn pages_of_other_sites_cannot_order_anything() {
    let sandbox = Sandbox::new();
    for (method, path) in [
        ("POST", "/sandbox/batches"),
        ("POST", "/sandbox/faults"),
        ("POST", "/sandbox/tokens/expire"),
        ("DELETE", "/sandbox/requests"),
    ] {
        let mut strange = request(method, path, Some(&json!({})));
        let origin = "https://evil.example".parse().expect("plain words");
        strange.headers_mut().insert("origin", origin);
        sandbox.send(strange).await.refused(403);
    }
}
