//! How the cost of what a page does with its tests grows with their number:
//! `cargo bench -p retake-core`. Each step is ten times as many tests.

use divan::{Bencher, black_box};
use retake_core::{
    api::{Answer, endpoint},
    domain::{
        Batch, BatchId, BatchStatus, ConflatedStatus, ProjectId, RunCounter, Test, TestId,
        Timestamp,
    },
    supervise::{Policy, plan_rerun},
    view::{Filter, Listing, Selection, Sort, SortKey, TagIndex, TestTable},
};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

/// One test in a hundred has failed; names are as people give them.
fn tests(count: usize) -> Vec<Test> {
    (0..count)
        .map(|n| {
            let scene = ["cut_in", "merge", "roundabout", "aisle_crossing"][n % 4];
            let name = format!("{scene}_dense_{}", n * 7919 % count);
            let mut test = Test::new(TestId::from_u128(n as u128 + 1), &name);
            test.conflated = Some(match n % 200 {
                0 => ConflatedStatus::Blocker,
                100 => ConflatedStatus::Error,
                _ => ConflatedStatus::Passed,
            });
            test.run_counter = Some(RunCounter(1));
            test
        })
        .collect()
}

fn table(count: usize) -> TestTable {
    let mut table = TestTable::new();
    table.merge(tests(count));
    table.by_name();
    table
}

fn sorted_by(key: SortKey) -> Sort {
    Sort {
        key,
        reversed: false,
    }
}

/// One page of tests, as the API sends it: at most a hundred.
#[divan::bench(args = [1, 10, 100])]
fn parse_a_page(bencher: Bencher, count: usize) {
    let job = |n: usize| {
        format!(
            r#"{{"jobID":"{}","experienceName":"cut_in_dense_{n}","conflatedStatus":"PASSED",
            "jobStatus":"SUCCEEDED","jobMetricsStatus":"PASSED","runCounter":1,
            "executionErrors":[],"lastUpdatedTimestamp":"2026-11-25T08:00:00Z"}}"#,
            TestId::from_u128(n as u128 + 1)
        )
    };
    let jobs = (0..count).map(job).collect::<Vec<_>>().join(",");
    let answer = Answer {
        status: 200,
        content_type: Some("application/json".into()),
        retry_after: None,
        came_at: Timestamp::default(),
        body: format!(r#"{{"jobs":[{jobs}],"nextPageToken":"next","total":{count}}}"#).into(),
    };
    let call = endpoint::list_tests(
        ProjectId::from_u128(1),
        BatchId::from_u128(2),
        &Default::default(),
        None,
    );
    assert_eq!(call.read(&answer).map(|page| page.items.len()), Ok(count));
    bencher.bench_local(|| black_box(call.read(&answer)));
}

/// The first listing: every test is new.
#[divan::bench(args = SIZES)]
fn merge_a_first_listing(bencher: Bencher, count: usize) {
    bencher
        .with_inputs(|| (TestTable::new(), tests(count)))
        .bench_local_values(|(mut table, tests)| {
            table.merge(tests);
            table
        });
}

/// A poll in which one page of a hundred tests comes and ten of them differ.
#[divan::bench(args = SIZES)]
fn merge_a_poll(bencher: Bencher, count: usize) {
    let mut table = table(count);
    let (filter, tags, sort) = (Filter::default(), TagIndex::default(), Sort::default());
    let mut listing = Listing::new(&mut table, &filter, &tags, sort);
    let mut page: Vec<Test> = tests(count).into_iter().take(100).collect();
    let mut run = 1;
    bencher.bench_local(|| {
        run += 1;
        for test in page.iter_mut().step_by(10) {
            test.run_counter = Some(RunCounter(run));
        }
        let changes = table.merge(page.iter().cloned());
        listing.absorb(&table, &changes, &filter, &tags, sort);
        changes.changed.len()
    });
}

#[divan::bench(args = SIZES)]
fn filter_by_status(bencher: Bencher, count: usize) {
    let mut filter = Filter::default();
    filter.toggle(&ConflatedStatus::Blocker);
    list(bencher, count, &filter, Sort::default());
}

#[divan::bench(args = SIZES)]
fn filter_by_text(bencher: Bencher, count: usize) {
    let filter = Filter {
        text: "merge".into(),
        ..Filter::default()
    };
    list(bencher, count, &filter, Sort::default());
}

#[divan::bench(args = SIZES)]
fn sort_by_status(bencher: Bencher, count: usize) {
    list(
        bencher,
        count,
        &Filter::default(),
        sorted_by(SortKey::Status),
    );
}

#[divan::bench(args = SIZES)]
fn sort_by_name(bencher: Bencher, count: usize) {
    list(bencher, count, &Filter::default(), sorted_by(SortKey::Name));
}

#[divan::bench(args = SIZES)]
fn sort_by_run(bencher: Bencher, count: usize) {
    list(bencher, count, &Filter::default(), sorted_by(SortKey::Run));
}

fn list(bencher: Bencher, count: usize, filter: &Filter, sort: Sort) {
    let (mut table, tags) = (table(count), TagIndex::default());
    bencher.bench_local(|| Listing::new(&mut table, filter, &tags, sort).len());
}

#[divan::bench(args = SIZES)]
fn select_all(bencher: Bencher, count: usize) {
    let mut table = table(count);
    let tags = TagIndex::default();
    let listing = Listing::new(&mut table, &Filter::default(), &tags, Sort::default());
    bencher.bench_local(|| {
        let mut selection = Selection::default();
        selection.set_matching(&table, &listing, true);
        selection.count()
    });
}

/// What a supervisor decides on a finished batch.
#[divan::bench(args = SIZES)]
fn decide(bencher: Bencher, count: usize) {
    let tests = tests(count);
    let policy = Policy::default();
    let batch = {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(BatchStatus::Error);
        batch
    };
    bencher.bench_local(|| {
        let facts = tests.iter().map(|it| (it.id, it.conflated.as_ref()));
        plan_rerun(batch.status.as_ref(), facts, &policy, 0)
    });
}
