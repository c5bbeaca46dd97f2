//! The preface and lines 1 to 4: what a reader is answered.

use serde_json::{Value, json};

use crate::support::{HOME, Sandbox, claims, request, string, words};

#[tokio::test]
async fn preface_the_cli_signs_in_and_follows_a_batch_by_name_to_its_end() {
    use base64::Engine;
    let sandbox = Sandbox::new();
    let ordered = sandbox
        .order_named(
            Some("nightly"),
            json!({ "outcomes": { "flaky": { "count": 2 } } }),
        )
        .await;
    // RESIM_AUTH_URL is `http://…/oidc/`; ID and secret go in a Basic header.
    let pair = base64::engine::general_purpose::STANDARD.encode("a-client:a-secret");
    let answer = sandbox
        .form(
            "/oidc/oauth/token",
            &[("authorization", &format!("Basic {pair}"))],
            &[
                ("audience", "https://api.resim.ai"),
                ("grant_type", "client_credentials"),
            ],
        )
        .await
        .expect(200);
    let token = string(&answer["access_token"]);
    assert_eq!(answer["token_type"], "Bearer");
    assert!(answer["expires_in"].as_u64().is_some_and(|it| it > 0));
    let permissions = claims(&token)["permissions"].clone();
    assert!(permissions.as_array().is_some_and(|it| !it.is_empty()));

    let call = async |method: &str, path: &str, body: Option<&Value>| {
        let mut request = request(method, path, body);
        let bearer = format!("Bearer {token}").parse().expect("plain words");
        request.headers_mut().insert("authorization", bearer);
        sandbox.send(request).await.expect(200)
    };
    let projects = call("GET", "/v1/projects?orderBy=timestamp&pageSize=100", None).await;
    let projects = projects["projects"].as_array().expect("a list").clone();
    let home = projects.iter().find(|it| it["name"] == HOME).expect("home");
    let root = format!("/v1/projects/{}/batches", string(&home["projectID"]));
    let batches = call("GET", &format!("{root}?orderBy=timestamp"), None).await;
    let batches = batches["batches"].as_array().expect("a list").clone();
    let batch = batches.iter().find(|it| it["friendlyName"] == "nightly");
    let batch = batch.expect("the newest of the name").clone();
    assert_eq!(batch["batchID"], ordered.id.as_str());
    assert_eq!(batch["status"], "ERROR");
    let jobs = call("GET", &format!("{}/jobs?pageSize=100", ordered.path), None).await;
    let failed: Vec<Value> = jobs["jobs"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|it| it["conflatedStatus"] == "ERROR")
        .map(|it| it["jobID"].clone())
        .collect();
    assert_eq!(failed.len(), 2);
    let rerun = json!({ "jobIDs": failed, "syncBatch": false });
    let answer = call("POST", &format!("{}/rerun", ordered.path), Some(&rerun)).await;
    // The CLI crashes without a batch ID in the answer.
    assert_eq!(answer["batchID"], ordered.id.as_str());
    let batch = call("GET", &ordered.path, None).await;
    assert_eq!(batch["status"], "SUBMITTED");
    sandbox.clock.advance(60_000);
    let batch = call("GET", &ordered.path, None).await;
    assert_eq!(batch["status"], "SUCCEEDED");
    assert_eq!(batch["conflatedStatus"], "COMPLETE");
}

#[tokio::test]
async fn b1_answers_are_json_with_exact_codes_present_arrays_and_an_empty_last_token() {
    let sandbox = Sandbox::new();
    let home = sandbox.project(HOME).await;
    let empty = sandbox.get(&format!("/v1/projects/{home}/batches")).await;
    assert_eq!(
        empty.expect(200),
        json!({ "batches": [], "nextPageToken": "", "total": 0 })
    );
    let recipe = json!({ "tests": 130, "outcomes": { "error": 3, "blocker": 2, "warning": 2 } });
    let batch = sandbox.order(recipe).await;
    let job = format!("{}/jobs/{}", batch.path, batch.jobs[0]);
    let read = sandbox.get(&batch.path).await.expect(200);
    let project = format!("/v1/projects/{home}");
    let suite = format!("{project}/suites/{}", string(&read["testSuiteID"]));
    // (path, array, whether the reference gives the list a total)
    for (path, array, total) in [
        ("/v1/projects".to_owned(), "projects", false),
        (format!("{project}/batches"), "batches", true),
        (format!("{project}/batches/-/jobs"), "jobs", true),
        (format!("{project}/branches"), "branches", false),
        (format!("{project}/experienceTags"), "experienceTags", false),
        (format!("{suite}/batches"), "batches", true),
        (format!("{suite}/revisions/1/batches"), "batches", true),
        (format!("{}/jobs", batch.path), "jobs", true),
        (format!("{}/logs", batch.path), "logs", false),
        (format!("{}/metrics", batch.path), "batchMetrics", false),
        (format!("{job}/logs"), "logs", true),
        (format!("{job}/metrics"), "metrics", false),
        (format!("{job}/events"), "events", false),
    ] {
        // Page by page; `every` demands array and token on each.
        let items = sandbox.every(&format!("{path}?pageSize=3"), array).await;
        let whole = sandbox
            .get(&format!("{path}?pageSize=100"))
            .await
            .expect(200);
        let first = whole[array].as_array().expect("the array").clone();
        assert_eq!(items[..first.len()], first[..], "{path}");
        let count = whole.get("total").and_then(Value::as_u64);
        assert_eq!(count, total.then_some(items.len() as u64), "{path}");
    }
    let description = json!({ "description": "nightly" });
    for path in [&batch.path, &job] {
        let changed = sandbox.call("PATCH", path, Some(&description)).await;
        assert_eq!(changed.expect(200)["description"], "nightly");
    }
    let rerun = json!({ "jobIDs": [], "syncBatch": false });
    let path = format!("{}/rerun", batch.path);
    sandbox.post(&path, &rerun).await.expect(200);
    let path = format!("{}/:cancel", batch.path);
    assert_eq!(sandbox.call("POST", &path, None).await.status, 200);
}

#[tokio::test]
async fn b2_projects_are_found_by_id_and_by_name() {
    let sandbox = Sandbox::with("everyday,large,faults,old,hostile", |_| {});
    let listed = sandbox.every("/v1/projects?orderBy=timestamp&pageSize=100", "projects");
    let listed = listed.await;
    assert!(listed.len() > 20);
    let mut moments = words(&listed, "creationTimestamp");
    for project in &listed {
        let (id, name) = (string(&project["projectID"]), string(&project["name"]));
        assert!(!name.is_empty());
        assert_ne!(id, "00000000-0000-0000-0000-000000000000");
        let one = sandbox.get(&format!("/v1/projects/{id}")).await.expect(200);
        assert_eq!(&one, project);
    }
    let newest_first = moments.clone();
    moments.sort_by(|a, b| b.cmp(a));
    assert_eq!(newest_first, moments);
    let nobody = "/v1/projects/65262470-0fea-4c50-bc8c-17466866f690";
    sandbox.get(nobody).await.refused(404);
}

#[tokio::test]
async fn b3_batches_come_newest_first_and_may_share_a_name() {
    let sandbox = Sandbox::new();
    let mut newest = String::new();
    for name in ["nightly", "pr-gate", "nightly"] {
        newest = sandbox.order_named(Some(name), json!({})).await.id;
        sandbox.clock.advance(60_000);
    }
    for project in [HOME, "Warehouse robots"] {
        let id = sandbox.project(project).await;
        // As the CLI does by name: without a page size.
        let path = format!("/v1/projects/{id}/batches?orderBy=timestamp");
        let listed = sandbox.every(&path, "batches").await;
        let moments = words(&listed, "creationTimestamp");
        assert!(moments.is_sorted_by(|a, b| a >= b), "{moments:?}");
        let mut names = words(&listed, "friendlyName");
        let count = names.len();
        names.sort();
        names.dedup();
        assert!(names.len() < count, "{project}");
        if project == HOME {
            assert_eq!(
                words(&listed, "friendlyName"),
                ["nightly", "pr-gate", "nightly"]
            );
            assert_eq!(listed[0]["batchID"], newest.as_str());
        }
    }
}

#[tokio::test]
async fn b4_paths_are_literal_and_fixed_words_come_before_a_batch_id() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order_named(Some("my batch/é%"), json!({})).await;
    let (root, id) = batch.path.rsplit_once('/').expect("a path");
    let found = sandbox
        .get(&format!("{root}/lookup/name/my%20batch%2F%C3%A9%25/"))
        .await;
    assert_eq!(found.expect(200), json!(id));
    assert_eq!(found.body, format!("\"{id}\""));
    let accounts = sandbox.get(&format!("{root}/accounts")).await.expect(200);
    assert!(accounts.is_array());
    let all = sandbox.get(&format!("{root}/-/jobs")).await.expect(200);
    assert_eq!(all["total"], 12);
    let errors = sandbox.get(&format!("{}/errors", batch.path)).await;
    assert_eq!((errors.status, errors.body.len()), (204, 0));
    let cancelled = sandbox
        .call("POST", &format!("{}/:cancel", batch.path), None)
        .await;
    assert_eq!(cancelled.status, 200);
    let escaped = format!("{}/%3Acancel", batch.path);
    sandbox.call("POST", &escaped, None).await.refused(404);
}
