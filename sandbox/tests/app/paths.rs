//! Paths are matched as they are sent.

use serde_json::json;

use crate::support::Sandbox;

#[tokio::test]
async fn only_the_literal_cancel_cancels() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({ "start": "submitted" })).await;
    for wrong in [
        "%3Acancel",
        "%3acancel",
        "cancel",
        ":cancel/",
        ":Cancel",
        "/:cancel",
    ] {
        let path = format!("{}/{wrong}", batch.path);
        sandbox.call("POST", &path, None).await.refused(404);
    }
    sandbox
        .get(&format!("{}/:cancel", batch.path))
        .await
        .refused(404);
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["jobStatusCounts"]["cancelled"], 0);
}

#[tokio::test]
async fn a_lookup_needs_its_trailing_slash_and_nothing_else_has_one() {
    let sandbox = Sandbox::new();
    let batch = sandbox
        .order_named(Some("rejoicing-starfish"), json!({}))
        .await;
    let (root, _) = batch.path.rsplit_once('/').expect("a path");
    let lookup = format!("{root}/lookup/name/rejoicing-starfish");
    sandbox.get(&lookup).await.refused(404);
    sandbox.get(&format!("{lookup}//")).await.refused(404);
    sandbox.get(&format!("{lookup}/")).await.expect(200);
    // A decoded slash would cut the name in two.
    sandbox
        .get(&format!("{root}/lookup/name/a/b/"))
        .await
        .refused(404);
    for path in [
        "/v1/projects/".to_owned(),
        format!("{root}/"),
        format!("{}/", batch.path),
        format!("{}/jobs/", batch.path),
        format!("{}//jobs", batch.path),
    ] {
        sandbox.get(&path).await.refused(404);
    }
}

#[tokio::test]
async fn a_lookup_takes_the_newest_of_a_name_whatever_the_name_holds() {
    let sandbox = Sandbox::new();
    for (name, sent) in [
        ("a b+c", "a%20b%2Bc"),
        ("50% / 100%", "50%25%20%2F%20100%25"),
        ("ü:cancel", "%C3%BC:cancel"),
        ("-", "-"),
        ("accounts", "accounts"),
    ] {
        sandbox.order_named(Some(name), json!({})).await;
        sandbox.clock.advance(60_000);
        let newest = sandbox.order_named(Some(name), json!({})).await;
        let (root, _) = newest.path.rsplit_once('/').expect("a path");
        let found = sandbox.get(&format!("{root}/lookup/name/{sent}/")).await;
        assert_eq!(found.expect(200), json!(newest.id), "{name}");
    }
}

#[tokio::test]
async fn a_wrong_id_or_an_unknown_call_is_refused_in_words() {
    let sandbox = Sandbox::new();
    let batch = sandbox.order(json!({})).await;
    for path in ["/v1/projects/robots", "/v1/nothing", "/v1/projects/%20"] {
        assert!(
            [400, 404].contains(&sandbox.get(path).await.status),
            "{path}"
        );
    }
    sandbox
        .get(&format!("{}/nothing", batch.path))
        .await
        .refused(404);
    let delete = sandbox.call("DELETE", &batch.path, None).await;
    delete.refused(404);
    // A batch of another project is not found.
    let other = sandbox.project("Warehouse robots").await;
    let path = format!("/v1/projects/{other}/batches/{}", batch.id);
    sandbox.get(&path).await.refused(404);
}
