//! Every call that Retake makes, held against the reference's samples.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::samples::{self, assert_like};
use crate::support::{AUTHORITY, HOME, Ordered, Sandbox, string, words};

async fn with_batch() -> (Sandbox, Ordered, String) {
    let sandbox = Sandbox::new();
    let recipe = json!({ "tests": 130, "outcomes": { "error": 3, "blocker": 2, "warning": 4 } });
    let batch = sandbox.order(recipe).await;
    let project = format!("/v1/projects/{}", sandbox.project(HOME).await);
    (sandbox, batch, project)
}

#[tokio::test]
async fn projects_and_one_project() {
    let (sandbox, _, project) = with_batch().await;
    let page = sandbox
        .get("/v1/projects?pageSize=100&orderBy=timestamp")
        .await
        .expect(200);
    assert_like(
        &page,
        &json!({ "projects": [samples::project()], "nextPageToken": "" }),
    );
    assert_like(
        &sandbox.get(&project).await.expect(200),
        &samples::project(),
    );
}

#[tokio::test]
async fn batches_are_found_by_text_in_name_and_build_version() {
    let (sandbox, batch, project) = with_batch().await;
    let other = sandbox.order_named(Some("another"), json!({})).await;
    let list = async |text: &str| {
        let path = format!("{project}/batches?pageSize=100&orderBy=timestamp&text={text}");
        let page = sandbox.get(&path).await.expect(200);
        let sample = json!({ "batches": [samples::batch()], "nextPageToken": "", "total": 1 });
        assert_like(&page, &sample);
        words(page["batches"].as_array().expect("a list"), "batchID")
    };
    assert_eq!(list("another").await, [other.id.as_str()]);
    assert_eq!(list(&batch.name.to_uppercase()).await, [batch.id.as_str()]);
    let read = sandbox.get(&batch.path).await.expect(200);
    let build = format!("{project}/builds/{}", string(&read["buildID"]));
    let version = string(&sandbox.get(&build).await.expect(200)["version"]);
    let version = crate::support::encoded(&version);
    assert_eq!(list(&version).await.len(), 2);
}

#[tokio::test]
async fn one_batch_and_its_name() {
    let (sandbox, batch, project) = with_batch().await;
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_like(&read, &samples::batch());
    assert_eq!(read["totalJobs"], 130);
    let path = format!("{project}/batches/lookup/name/{}/", batch.name);
    assert_eq!(sandbox.get(&path).await.expect(200), json!(batch.id));
    let path = format!("{project}/batches/lookup/name/no-such-name/");
    sandbox.get(&path).await.refused(404);
    let path = format!("{project}/batches/65262470-0fea-4c50-bc8c-17466866f690");
    sandbox.get(&path).await.refused(404);
}

#[tokio::test]
async fn tests_are_listed_whole_and_by_conflated_status() {
    let (sandbox, batch, _) = with_batch().await;
    let path = format!("{}/jobs?pageSize=100", batch.path);
    let page = sandbox.get(&path).await.expect(200);
    assert_eq!(page["jobs"].as_array().map(Vec::len), Some(100));
    assert_eq!(page["total"], 130);
    let all = sandbox.every(&path, "jobs").await;
    assert_eq!(words(&all, "jobID"), batch.jobs);
    // The reference's warning: the field is not named `status`.
    assert!(all.iter().all(|it| it.get("status").is_none()));
    // Comma, `%2C` and repetition (§2.1).
    for form in [
        "conflatedStatus=ERROR,BLOCKER",
        "conflatedStatus=ERROR%2CBLOCKER",
        "conflatedStatus=ERROR&conflatedStatus=BLOCKER",
    ] {
        let page = sandbox.get(&format!("{path}&{form}")).await.expect(200);
        let found = page["jobs"].as_array().expect("a list");
        assert_eq!((found.len(), &page["total"]), (5, &json!(5)), "{form}");
        let wanted: Vec<&Value> = all
            .iter()
            .filter(|it| {
                ["ERROR", "BLOCKER"]
                    .iter()
                    .any(|word| it["conflatedStatus"] == *word)
            })
            .collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted);
    }
    let broken = sandbox
        .get(&format!("{path}&conflatedStatus=ERROR"))
        .await
        .expect(200);
    assert_like(&broken["jobs"], &json!([samples::broken_job()]));
    sandbox
        .get(&format!("{path}&conflatedStatus=SHINY"))
        .await
        .refused(400);
    sandbox
        .get(&format!("{path}&pageSize=101&pageToken=x"))
        .await
        .refused(400);
}

#[tokio::test]
async fn tests_are_listed_by_tag_and_tags_by_project() {
    let (sandbox, batch, project) = with_batch().await;
    let page = sandbox
        .get(&format!("{project}/experienceTags?pageSize=100"))
        .await
        .expect(200);
    assert_like(
        &page,
        &json!({ "experienceTags": [samples::tag()], "nextPageToken": "" }),
    );
    let tags = words(
        page["experienceTags"].as_array().expect("a list"),
        "experienceTagID",
    );
    let list = async |tags: &str| {
        let path = format!("{}/jobs?pageSize=100&experienceTagIDs={tags}", batch.path);
        words(&sandbox.every(&path, "jobs").await, "jobID")
    };
    let (one, other) = (list(&tags[0]).await, list(&tags[1]).await);
    let both = list(&format!("{}%2C{}", tags[0], tags[1])).await;
    assert!(!one.is_empty() && one.len() < 130 && one != other);
    let union = batch
        .jobs
        .iter()
        .filter(|it| one.contains(it) || other.contains(it));
    assert_eq!(both.iter().collect::<Vec<_>>(), union.collect::<Vec<_>>());
    let of_one = format!("experienceTagIDs={}", tags[0]);
    let fault = json!({ "path_contains": of_one, "fault": 500 });
    sandbox.post("/sandbox/faults", &fault).await.expect(200);
    assert_eq!(list(&tags[1]).await, other, "a fault of another tag");
    let path = format!("{}/jobs?pageSize=100&{of_one}", batch.path);
    sandbox.get(&path).await.refused(500);
    assert_eq!(list(&tags[0]).await, one);
}

#[tokio::test]
async fn one_test_with_its_history() {
    let (sandbox, batch, _) = with_batch().await;
    let path = format!("{}/jobs?pageSize=1&conflatedStatus=ERROR", batch.path);
    let broken = sandbox.get(&path).await.expect(200)["jobs"][0].clone();
    let path = format!("{}/jobs/{}", batch.path, string(&broken["jobID"]));
    let read = sandbox.get(&path).await.expect(200);
    assert_eq!(read, broken);
    assert_like(&read, &samples::broken_job());
    let history = read["statusHistory"].as_array().expect("a list");
    assert_eq!(
        history.first().map(|it| &it["status"]),
        Some(&json!("SUBMITTED"))
    );
    assert_eq!(
        history.last().map(|it| &it["status"]),
        Some(&json!("ERROR"))
    );
    let moments = words(history, "updatedAt");
    assert!(moments.is_sorted());
    let nobody = format!("{}/jobs/65262470-0fea-4c50-bc8c-17466866f690", batch.path);
    sandbox.get(&nobody).await.refused(404);
}

#[tokio::test]
async fn logs_are_read_by_their_link_without_the_token_until_it_expires() {
    let (sandbox, batch, _) = with_batch().await;
    let path = format!("{}/jobs/{}/logs?pageSize=100", batch.path, batch.jobs[0]);
    let page = sandbox.get(&path).await.expect(200);
    assert_like(
        &page,
        &json!({ "logs": [samples::job_log()], "nextPageToken": "", "total": 1 }),
    );
    let logs = page["logs"].as_array().expect("a list");
    let plain = |url: &str| {
        let path = url
            .strip_prefix(&format!("http://{AUTHORITY}"))
            .expect("of this host");
        let request = Request::builder().uri(path).body(Body::empty());
        request.expect("the words fit")
    };
    for log in logs {
        let read = sandbox
            .send(plain(&string(&log["logOutputLocation"])))
            .await;
        assert_eq!(read.status, 200);
        // The CLI compares the length (§2.4).
        assert_eq!(json!(read.body.len()), log["fileSize"]);
        let saved = sandbox.send(plain(&string(&log["downloadUrl"]))).await;
        assert!(
            saved
                .header("content-disposition")
                .starts_with("attachment")
        );
        assert_eq!(saved.body, read.body);
    }
    let url = string(&logs[0]["logOutputLocation"]);
    let mut with_token = plain(&url);
    let token = "Bearer somebody".parse().expect("plain words");
    with_token.headers_mut().insert("authorization", token);
    sandbox.send(with_token).await.refused(400);
    sandbox
        .send(plain(&url.replace("signature=", "signature=0")))
        .await
        .refused(403);
    sandbox.clock.advance(16 * 60_000);
    sandbox.send(plain(&url)).await.refused(403);
}

#[tokio::test]
async fn the_names_behind_the_ids_of_a_batch() {
    let (sandbox, batch, project) = with_batch().await;
    let read = sandbox.get(&batch.path).await.expect(200);
    for (kind, field, sample) in [
        ("systems", "systemID", samples::system()),
        ("branches", "branchID", samples::branch()),
        ("builds", "buildID", samples::build()),
        ("suites", "testSuiteID", samples::test_suite()),
    ] {
        let id = string(&read[field]);
        let found = sandbox
            .get(&format!("{project}/{kind}/{id}"))
            .await
            .expect(200);
        assert_like(&found, &sample);
        assert_eq!(found[field], id.as_str());
        let nobody = format!("{project}/{kind}/65262470-0fea-4c50-bc8c-17466866f690");
        sandbox.get(&nobody).await.refused(404);
    }
}

#[tokio::test]
async fn a_page_token_fits_only_its_own_list() {
    let (sandbox, batch, _) = with_batch().await;
    let path = format!("{}/jobs?pageSize=10", batch.path);
    let token = string(&sandbox.get(&path).await.expect(200)["nextPageToken"]);
    // Awkward on purpose: it must be encoded.
    assert!(token.contains('+') && token.contains('/') && token.contains('='));
    sandbox
        .get(&format!("{path}&pageToken={token}"))
        .await
        .refused(400);
    let token = crate::support::encoded(&token);
    sandbox
        .get(&format!("{path}&pageToken={token}"))
        .await
        .expect(200);
    let other = format!("{path}&conflatedStatus=PASSED&pageToken={token}");
    sandbox.get(&other).await.refused(400);
}
