//! The simulated world: the same by its seed, as quick as its speed, as large as
//! its fixtures.

use serde_json::{Value, json};

use crate::support::{HOME, START, Sandbox, string, words};

/// Everything that a reader can see, short of the largest lists.
async fn picture(sandbox: &Sandbox, read_backwards: bool) -> Vec<(String, Value)> {
    let mut seen = Vec::new();
    let mut projects = sandbox.every("/v1/projects?pageSize=100", "projects").await;
    if read_backwards {
        projects.reverse();
    }
    for project in projects {
        let root = format!("/v1/projects/{}", string(&project["projectID"]));
        let batches = sandbox
            .every(&format!("{root}/batches?pageSize=100"), "batches")
            .await;
        for batch in batches {
            let path = format!(
                "{root}/batches/{}/jobs?pageSize=4",
                string(&batch["batchID"])
            );
            let jobs = sandbox.get(&path).await.expect(200);
            seen.push((string(&batch["batchID"]), json!([batch, jobs])));
        }
        let tags = sandbox
            .get(&format!("{root}/experienceTags"))
            .await
            .expect(200);
        seen.push((string(&project["projectID"]), json!([project, tags])));
    }
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    seen
}

#[tokio::test]
async fn two_worlds_of_one_seed_are_equal_at_every_moment_in_whatever_order_they_are_read() {
    let make = |seed| Sandbox::with("everyday,old,hostile", |config| config.seed = seed);
    let (one, same) = (make(7), make(7));
    let mut before = Vec::new();
    for step in [0, 30_000, 300_000] {
        one.clock.advance(step);
        same.clock.advance(step);
        let seen = picture(&one, false).await;
        assert!(seen.len() > 60);
        assert_eq!(seen, picture(&same, true).await);
        assert_ne!(seen, before, "time changes what is seen");
        before = seen;
    }
}

#[tokio::test]
async fn another_seed_is_another_world() {
    let make = |seed| Sandbox::with("everyday,old", |config| config.seed = seed);
    let one = picture(&make(7), false).await;
    let other = picture(&make(8), false).await;
    let shared = one
        .iter()
        .filter(|it| other.iter().any(|that| that.0 == it.0));
    assert_eq!(shared.count(), 0);
}

#[tokio::test]
async fn ordered_batches_are_the_same_in_two_worlds() {
    let order = async || {
        let sandbox = Sandbox::new();
        let recipe = json!({ "tests": 40, "outcomes": { "error": 4, "flaky": { "count": 3 } } });
        let batch = sandbox.order(recipe).await;
        let path = format!("{}/rerun", batch.path);
        let rerun = json!({ "jobIDs": batch.jobs, "syncBatch": true });
        sandbox.post(&path, &rerun).await.expect(200);
        sandbox.clock.advance(400);
        let jobs = sandbox.every(&format!("{}/jobs", batch.path), "jobs").await;
        (sandbox.get(&batch.path).await.expect(200), jobs)
    };
    assert_eq!(order().await, order().await);
}

/// After how many milliseconds an ordered batch has ended.
async fn lasts(speed: f64) -> i64 {
    let sandbox = Sandbox::with("everyday", |config| config.speed = speed);
    let recipe = json!({ "tests": 20, "duration_ms": [40_000, 80_000], "queue_ms": 10_000,
        "batch_metrics_ms": 20_000, "start": "submitted" });
    let batch = sandbox.order(recipe).await;
    for waited in 1.. {
        sandbox.clock.advance(250);
        let read = sandbox.get(&batch.path).await.expect(200);
        if read["status"] == "SUCCEEDED" {
            return waited * 250;
        }
    }
    unreachable!("a batch ends")
}

#[tokio::test]
async fn speed_divides_how_long_a_batch_takes() {
    let plain = lasts(1.0).await;
    assert!((70_000..250_000).contains(&plain), "{plain}");
    for speed in [2.0, 10.0] {
        let quick = lasts(speed).await;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "some minutes in milliseconds"
        )]
        let expected = (plain as f64 / speed) as i64;
        // To a tenth of it: the spread of each test is drawn anew.
        let slack = expected / 10 + 500;
        assert!(
            (quick - expected).abs() <= slack,
            "{quick} at {speed}, {plain} at 1"
        );
    }
}

#[tokio::test]
async fn somebody_launches_a_batch_every_ninety_seconds_divided_by_speed() {
    for (speed, seconds) in [(1.0, 90), (9.0, 10)] {
        let sandbox = Sandbox::with("everyday", |config| config.speed = speed);
        let path = format!(
            "/v1/projects/{}/batches?pageSize=1",
            sandbox.project("Warehouse robots").await
        );
        let total = async || {
            sandbox.get(&path).await.expect(200)["total"]
                .as_u64()
                .expect("a number")
        };
        let before = total().await;
        sandbox.clock.advance(seconds * 1_000 - 1);
        assert_eq!(total().await, before);
        sandbox.clock.advance(1);
        assert_eq!(total().await, before + 1);
        sandbox.clock.advance(seconds * 3_000);
        assert_eq!(total().await, before + 4);
    }
}

#[tokio::test]
async fn timestamps_are_those_of_the_clock_and_never_of_the_future() {
    let sandbox = Sandbox::with("everyday", |config| config.speed = 60.0);
    let batch = sandbox.order(json!({ "start": "submitted" })).await;
    let read = sandbox.get(&batch.path).await.expect(200);
    assert_eq!(read["creationTimestamp"], "2026-04-20T14:00:00Z");
    assert_eq!(sandbox.clock.now(), START);
    let text = picture(&sandbox, false).await;
    for (_, seen) in &text {
        for field in [
            "creationTimestamp",
            "lastUpdatedTimestamp",
            "lastRunTimestamp",
        ] {
            if let Some(moment) = seen[0][field].as_str() {
                assert!(moment <= "2026-04-20T14:00:00Z", "{field} {moment}");
            }
        }
    }
}

#[tokio::test]
async fn fixtures_choose_projects_and_change_nothing_in_them() {
    let all = Sandbox::with("everyday,large,faults,old,hostile", |_| {});
    let all = all.every("/v1/projects?pageSize=100", "projects").await;
    let names = words(&all, "name");
    let mut chosen = Vec::new();
    for (group, some, count) in [
        ("everyday", HOME, 3),
        ("large", "Large batches", 1),
        ("faults", "fault: 401", 18),
        ("old", "old deployment", 1),
        (
            "hostile",
            "<img src=x onerror=alert(1)> & \"names\" \u{202e}gnp.exe\u{202c}",
            1,
        ),
    ] {
        let sandbox = Sandbox::with(group, |_| {});
        let projects = sandbox.every("/v1/projects?pageSize=100", "projects").await;
        assert_eq!(projects.len(), count, "{group}");
        assert!(words(&projects, "name").contains(&some.to_owned()));
        assert!(projects.iter().all(|it| all.contains(it)), "{group}");
        chosen.extend(words(&projects, "name"));
    }
    chosen.sort();
    let mut names = names;
    names.sort();
    assert_eq!(chosen, names);
}

#[tokio::test]
async fn large_batches_go_up_to_a_hundred_thousand_tests() {
    let sandbox = Sandbox::with("large", |_| {});
    let project = sandbox.project("Large batches").await;
    let root = format!("/v1/projects/{project}/batches");
    let batches = sandbox.every(&root, "batches").await;
    let mut sizes: Vec<u64> = batches
        .iter()
        .filter_map(|it| it["totalJobs"].as_u64())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1_000, 10_000, 10_000, 100_000]);
    let largest = batches
        .iter()
        .find(|it| it["totalJobs"] == 100_000)
        .expect("it is there");
    let failing = largest["jobStatusCounts"]["error"]
        .as_u64()
        .expect("a count");
    let path = format!(
        "{root}/{}/jobs?pageSize=100&conflatedStatus=ERROR",
        string(&largest["batchID"])
    );
    let jobs = sandbox.every(&path, "jobs").await;
    assert_eq!(jobs.len() as u64, failing);
}
