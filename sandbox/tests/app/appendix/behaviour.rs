//! Lines 5 to 11: what batches do, what goes wrong, who is let in.

use serde_json::{Value, json};

use crate::support::{Answer, Sandbox, encoded, request, string};

#[tokio::test]
async fn b5_a_rerun_keeps_the_batch_and_resets_the_named_tests_before_it_answers() {
    let sandbox = Sandbox::new();
    let recipe = json!({ "tests": 6, "outcomes": { "error": 2 }, "cleanup_ms": 30_000 });
    let batch = sandbox.order(recipe).await;
    let path = format!("{}/rerun", batch.path);
    let named = [&batch.jobs[1], &batch.jobs[4]];
    let rerun = json!({ "jobIDs": named, "syncBatch": false });
    let busy = sandbox.post(&path, &rerun).await.refused(409);
    assert!(busy.contains("cleaning up"), "{busy}");
    sandbox.clock.advance(30_000);
    let answer = sandbox.post(&path, &rerun).await.expect(200);
    assert_eq!(
        answer,
        json!({ "batchID": batch.id, "runCounter": 2, "jobIDs": named })
    );
    // No time has passed since the answer.
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(
        (&read["status"], &read["runCounter"]),
        (&json!("SUBMITTED"), &json!(2))
    );
    for job in &batch.jobs {
        let job = sandbox
            .get(&format!("{}/jobs/{job}", batch.path))
            .await
            .expect(200);
        let is_named = named.iter().any(|it| job["jobID"] == it.as_str());
        assert_eq!(job["conflatedStatus"] == "QUEUED", is_named);
        assert_eq!(job["runCounter"], if is_named { 2 } else { 1 });
    }
    for (body, status) in [("{", 400), ("{}", 400), (r#"{"jobIDs": []}"#, 400)] {
        let mut bad = request("POST", &path, None);
        *bad.body_mut() = body.into();
        sandbox.send(bad).await.refused(status);
    }
    let (root, _) = batch.path.rsplit_once('/').expect("a path");
    let nobody = format!("{root}/65262470-0fea-4c50-bc8c-17466866f690/rerun");
    sandbox.post(&nobody, &rerun).await.refused(404);
}

#[tokio::test]
async fn b6_a_cancel_stops_the_queue_lets_the_rest_finish_and_then_counts() {
    let sandbox = Sandbox::new();
    let recipe = json!({ "tests": 40, "parallel": 10, "duration_ms": [1_000, 1_000],
        "queue_ms": 100, "start": "submitted" });
    let batch = sandbox.order(recipe).await;
    sandbox.clock.advance(1_500);
    let counts = async || {
        let read = sandbox.get(&batch.path).await.expect(200);
        let of = |name: &str| read["jobStatusCounts"][name].as_u64().expect("a count");
        let running = of("running") + of("metricsQueued") + of("metricsRunning");
        let status = string(&read["status"]);
        (
            of("submitted"),
            running,
            of("succeeded"),
            of("cancelled"),
            status,
        )
    };
    let (queued, running, finished, none, _) = counts().await;
    assert!(queued > 0 && running > 0 && finished > 0 && none == 0);
    let path = format!("{}/:cancel", batch.path);
    assert_eq!(sandbox.call("POST", &path, None).await.status, 200);
    let now = (
        0,
        running,
        finished,
        queued,
        "EXPERIENCES_RUNNING".to_owned(),
    );
    assert_eq!(counts().await, now);
    sandbox.clock.advance(10_000);
    let end = (0, 0, finished + running, queued, "CANCELLED".to_owned());
    assert_eq!(counts().await, end);
}

#[tokio::test]
async fn b7_statuses_are_derived_and_can_be_replaced() {
    let sandbox = Sandbox::new();
    // (outcomes, batch metrics, status, conflated)
    for (outcomes, own, status, conflated) in [
        (json!({}), "passed", "SUCCEEDED", "COMPLETE"),
        (json!({ "warning": 1 }), "passed", "SUCCEEDED", "WARNING"),
        (
            json!({ "warning": 1, "blocker": 1 }),
            "passed",
            "SUCCEEDED",
            "BLOCKER",
        ),
        (json!({}), "warning", "SUCCEEDED", "WARNING"),
        (json!({ "warning": 1 }), "blocker", "SUCCEEDED", "BLOCKER"),
        (
            json!({ "error": 1, "blocker": 1 }),
            "blocker",
            "ERROR",
            "ERROR",
        ),
    ] {
        let recipe = json!({ "outcomes": outcomes, "batch_metrics": own });
        let batch = sandbox.order(recipe).await;
        let read = sandbox.get(&batch.path).await.expect(200);
        assert_eq!(
            (&read["status"], &read["conflatedStatus"]),
            (&json!(status), &json!(conflated))
        );
    }
    for (status, conflated) in [
        (Value::Null, Value::Null),
        (json!("HIBERNATING"), json!("SHINY")),
        (json!("SUCCEEDED"), json!("ERROR")),
    ] {
        let fields = json!({ "status": status, "conflatedStatus": conflated });
        let batch = sandbox.order(json!({ "overrides": fields })).await;
        let read = sandbox.get(&batch.path).await.expect(200);
        assert_eq!(
            (&read["status"], &read["conflatedStatus"]),
            (&status, &conflated)
        );
    }
}

#[tokio::test]
async fn b8_a_batch_fails_by_more_errors_than_it_allows() {
    let sandbox = Sandbox::new();
    // (tests, errors, allowed percent)
    for (tests, errors, percent, status) in [
        (10, 0, 0, "SUCCEEDED"),
        (10, 1, 0, "ERROR"),
        (10, 1, 9, "ERROR"),
        (10, 1, 10, "SUCCEEDED"),
        (10, 2, 10, "ERROR"),
        (3, 1, 33, "ERROR"),
        (3, 1, 34, "SUCCEEDED"),
        (4, 4, 100, "SUCCEEDED"),
    ] {
        let recipe = json!({ "tests": tests, "outcomes": { "error": errors },
            "allowable_failure_percent": percent });
        let batch = sandbox.order(recipe).await;
        let read = sandbox.get(&batch.path).await.expect(200);
        assert_eq!(
            read["status"], status,
            "{errors} of {tests}, {percent} % allowed"
        );
        assert_eq!(read["allowable_failure_percent"], percent);
    }
}

/// What each project that is named for a fault shows.
#[tokio::test(start_paused = true)]
async fn b9_each_fault_has_a_project_of_its_name() {
    let sandbox = Sandbox::with("faults", |_| {});
    let ask = async |project: &str| -> Answer {
        let id = sandbox.project(project).await;
        // The project itself is fine.
        sandbox.get(&format!("/v1/projects/{id}")).await.expect(200);
        sandbox.get(&format!("/v1/projects/{id}/batches")).await
    };
    let started = tokio::time::Instant::now();
    ask("fault: latency 3 s").await.expect(200);
    assert!(started.elapsed().as_secs_f64() >= 3.0);
    assert!(ask("fault: dropped connection").await.is_dropped);
    ask("fault: 401").await.refused(401);
    ask("fault: 403").await.refused(403);
    let throttled = ask("fault: 429 with Retry-After").await;
    throttled.refused(429);
    assert_eq!(throttled.header("retry-after"), "5");
    ask("fault: 500").await.refused(500);
    let html = ask("fault: 503 with HTML").await;
    assert_eq!(html.status, 503);
    assert!(html.header("content-type").starts_with("text/html"));
    assert!(html.text().starts_with("<html>") || html.text().starts_with("<!"));
    let truncated = ask("fault: truncated JSON").await;
    assert_eq!(truncated.status, 200);
    assert!(serde_json::from_slice::<Value>(&truncated.body).is_err());
    let wrong = ask("fault: wrong content type").await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.header("content-type").starts_with("text/plain"));
    assert!(serde_json::from_slice::<Value>(&wrong.body).is_ok());

    let id = sandbox.project("fault: repeated page token").await;
    let path = format!("/v1/projects/{id}/batches?pageSize=1");
    let first = sandbox.get(&path).await.expect(200);
    let token = string(&first["nextPageToken"]);
    let next = format!("{path}&pageToken={}", encoded(&token));
    assert!(!token.is_empty());
    assert_eq!(sandbox.get(&next).await.expect(200), first);

    let rerun = json!({ "jobIDs": [], "syncBatch": false });
    for (project, status) in [
        ("fault: 409 forever", 409),
        ("fault: stays terminal after a rerun", 200),
    ] {
        let batches = ask(project).await.expect(200);
        let id = string(&batches["batches"][0]["batchID"]);
        let path = format!(
            "/v1/projects/{}/batches/{id}",
            sandbox.project(project).await
        );
        let before = sandbox.get(&path).await.expect(200);
        assert_eq!(
            sandbox.post(&format!("{path}/rerun"), &rerun).await.status,
            status
        );
        sandbox.clock.advance(1_000);
        assert_eq!(sandbox.get(&path).await.expect(200), before);
    }
}

#[tokio::test]
async fn b10_other_origins_may_call_unless_switched_off() {
    for allowed in [true, false] {
        let sandbox = Sandbox::with("everyday", |config| config.cors = allowed);
        let origin = if allowed { "*" } else { "" };
        let read = sandbox.get("/v1/projects").await;
        read.expect(200);
        assert_eq!(read.header("access-control-allow-origin"), origin);
        let preflight = sandbox.call("OPTIONS", "/v1/projects", None).await;
        assert_eq!(preflight.header("access-control-allow-origin"), origin);
        let (headers, methods) = if allowed {
            ("authorization, content-type", "GET, POST, PATCH, OPTIONS")
        } else {
            ("", "")
        };
        assert_eq!(preflight.header("access-control-allow-headers"), headers);
        assert_eq!(preflight.header("access-control-allow-methods"), methods);
    }
}

#[tokio::test]
async fn b11_a_call_without_a_bearer_token_is_refused_with_a_message() {
    let sandbox = Sandbox::new();
    let call = async |header: Option<&str>| {
        let mut request = request("GET", "/v1/projects", None);
        request.headers_mut().remove("authorization");
        if let Some(header) = header {
            let value = header.parse().expect("plain words");
            request.headers_mut().insert("authorization", value);
        }
        sandbox.send(request).await
    };
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "somebody",
        "Bearer expired",
        "Bearer invalid",
    ] {
        call(Some(header)).await.refused(401);
    }
    call(None).await.refused(401);
    call(Some("Bearer forbidden")).await.refused(403);
    call(Some("Bearer somebody")).await.expect(200);
    call(Some("bearer somebody")).await.expect(200);
}
