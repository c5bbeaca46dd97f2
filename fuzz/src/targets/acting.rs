//! Answers that decide about a rerun. Each is fed to the supervisor, with
//! everything else honest and ripe; what the bytes say is read once more by
//! `serde_json` alone, and that judges whether a POST was asked for rightly.

use std::{collections::BTreeSet, time::Duration};

use retake_core::{
    api::{
        ApiError, ErrorKind, Page, Paging, TestQuery, endpoint,
        resolve::{BatchStep, ResolveBatch},
    },
    domain::{Batch, BatchId, Test, TestId},
    rerun::{Ended, Stage},
    supervise::{BatchRef, Supervisor},
};
use serde_json::Value;

use super::{
    Outcome,
    promise::{are_readable, holds, is_readable, is_told},
    said::{SaidBatch, SaidBatches, SaidRerun, SaidTests, said},
};
use crate::{
    class::{of_error, of_features, size},
    input,
    judge::Broken,
    stage::{self, Api, BATCH, NAME, PROJECT, Played},
};

/// Long enough for a decision and many looks.
const SPAN: Duration = Duration::from_mins(10);

/// Whether a POST was asked for rightly: `justified` says what speaks for it.
fn acted(
    played: &Played,
    is_valid: bool,
    justified: impl FnOnce() -> Result<(), String>,
) -> Result<bool, Broken> {
    if played.posts.is_empty() {
        return Ok(false);
    }
    holds(played.all_stored, || "a POST was not stored before".into())?;
    if !is_valid {
        return Err(Broken::ActedOnInvalid("the answer was refused".into()));
    }
    justified().map_err(Broken::ActedOnInvalid)?;
    Ok(true)
}

fn id_in(value: &Value) -> Option<BatchId> {
    value.as_str()?.parse().ok()
}

pub(super) fn batch(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let read = || endpoint::get_batch(PROJECT, BATCH).read(&answer);
    let result = read();
    let api = Api {
        batch: Box::new(|_| read()),
        ..Api::default()
    };
    let mut machine = stage::started(BatchRef::Id(BATCH));
    let played = stage::play(&mut machine, &api, SPAN);
    let acted = acted(&played, result.is_ok(), || {
        let said: SaidBatch = said(&answer);
        let is_ours = said.batch_id.is_null() || id_in(&said.batch_id) == Some(BATCH);
        let is_over = matches!(said.status.as_str(), Some("SUCCEEDED" | "ERROR"));
        if is_ours && is_over {
            Ok(())
        } else {
            Err(format!("batchID {}, status {}", said.batch_id, said.status))
        }
    })?;
    tells(&machine)?;
    let class = match &result {
        Ok(batch) => {
            check_batch(batch)?;
            class_of(batch)
        }
        Err(error) => {
            is_told(error)?;
            of_error(error)
        }
    };
    Ok(Outcome {
        class: format!("{class} -> {}", machine.state().phase.words()),
        is_valid: result.is_ok(),
        acted,
    })
}

/// Every line of its log, and what it says it does, is readable.
pub(super) fn tells(machine: &Supervisor) -> Result<(), Broken> {
    for record in machine.log() {
        is_readable(
            "a line of the log",
            &retake_core::supervise::explain(record).text,
        )?;
    }
    if let Some(verdict) = machine.state().verdict() {
        is_readable("a verdict's rule", &verdict.rule.to_string())?;
        for note in &verdict.notes {
            is_readable("a verdict's note", note)?;
        }
    }
    Ok(())
}

fn check_batch(batch: &Batch) -> Result<(), Broken> {
    if let Some(words) = &batch.description {
        are_readable("a description", words)?;
    }
    for words in [&batch.metrics_set, &batch.account, &batch.user]
        .into_iter()
        .flatten()
    {
        is_readable("a batch's word", words)?;
    }
    for error in &batch.errors {
        is_readable("an error's code", &error.code)?;
        are_readable("an error's text", error.text.as_deref().unwrap_or(""))?;
    }
    if let Some(word) = batch.conflated_or_derived() {
        is_readable("a status", word.word())?;
    }
    let times: Vec<_> = batch.history.iter().map(|it| it.at).collect();
    holds(times.is_sorted(), || "the history is not sorted".into())?;
    let counts = batch.summary();
    holds(
        counts.passed <= batch.status_counts.unwrap_or_default().succeeded,
        || "more passed than succeeded".into(),
    )
}

fn class_of(batch: &Batch) -> String {
    of_features(
        &format!(
            "batch {:?} errors {}",
            batch.status.as_ref().map(known),
            size(batch.errors.len())
        ),
        &[
            ("named", batch.name.is_some()),
            ("counted", batch.status_counts.is_some()),
            ("timed", batch.last_run.is_some()),
            ("run", batch.run_counter.is_some()),
            ("word", batch.conflated.is_some()),
        ],
    )
}

/// A status as a class: all unknown words are one.
fn known(status: &retake_core::domain::BatchStatus) -> String {
    match status {
        retake_core::domain::BatchStatus::Unknown(_) => "unknown".into(),
        status => status.word().to_owned(),
    }
}

pub(super) fn tests(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let list = || -> Result<Vec<Test>, ApiError> {
        let (mut all, mut token, mut paging) = (Vec::new(), None, Paging::default());
        loop {
            let call =
                endpoint::list_tests(PROJECT, BATCH, &TestQuery::default(), token.as_deref());
            let page = call.read(&answer)?;
            token = paging.turn("list the tests", &page)?;
            all.extend(page.items);
            if token.is_none() {
                return Ok(all);
            }
        }
    };
    let result = list();
    let api = Api {
        tests: Box::new(list),
        ..Api::default()
    };
    let mut machine = stage::started(BatchRef::Id(BATCH));
    let played = stage::play(&mut machine, &api, SPAN);
    let acted = acted(&played, result.is_ok(), || {
        justified_by(&said(&answer), &played)
    })?;
    tells(&machine)?;
    let class = match &result {
        Ok(tests) => {
            tests.iter().try_for_each(check_test)?;
            let any = |is: fn(&Test) -> bool| tests.iter().any(is);
            of_features(
                &format!("tests {}", size(tests.len())),
                &[
                    ("unnamed", any(|it| it.id.is_none())),
                    ("wordless", any(|it| it.conflated.is_none())),
                    (
                        "failing",
                        any(|it| {
                            it.conflated
                                .as_ref()
                                .is_some_and(retake_core::domain::ConflatedStatus::is_failing)
                        }),
                    ),
                    (
                        "unfinished",
                        any(|it| it.conflated.as_ref().is_some_and(|it| !it.is_terminal())),
                    ),
                    ("broken", any(|it| !it.errors.is_empty())),
                    ("timed", any(|it| it.last_run.is_some())),
                ],
            )
        }
        Err(error) => {
            is_told(error)?;
            of_error(error)
        }
    };
    let did = if acted { " and reruns" } else { "" };
    Ok(Outcome {
        class: format!("{class} -> {}{did}", machine.state().phase.words()),
        is_valid: result.is_ok(),
        acted,
    })
}

/// Every test that a rerun names fails by the answer's own words.
fn justified_by(said: &SaidTests, played: &Played) -> Result<(), String> {
    let failing: BTreeSet<TestId> = said
        .jobs
        .iter()
        .filter(|job| {
            matches!(
                job.conflated_status.as_str(),
                Some("ERROR" | "BLOCKER" | "WARNING")
            )
        })
        .filter_map(|job| job.job_id.as_str()?.parse().ok())
        .collect();
    for intent in &played.posts {
        let named = intent.request.scope.tests();
        if named.is_empty() || !named.iter().all(|id| failing.contains(id)) {
            return Err(format!("it names {named:?}, failing are {failing:?}"));
        }
    }
    Ok(())
}

pub(super) fn check_test(test: &Test) -> Result<(), Broken> {
    for error in &test.errors {
        is_readable("an error's code", &error.code)?;
        are_readable("an error's text", error.text.as_deref().unwrap_or(""))?;
    }
    are_readable("a description", test.description.as_deref().unwrap_or(""))?;
    is_readable("a status", test.shown_status().word())?;
    is_readable("a name", &retake_core::view::words::name(&test.name))?;
    if let Some(reason) = retake_core::view::runs::reason(test) {
        is_readable("a reason", &reason.code)?;
        is_readable("a reason", &reason.text)?;
    }
    Ok(())
}

pub(super) fn rerun(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let request = retake_core::api::RerunRequest::tests(
        retake_core::api::TestIds::new(vec![TestId::from_u128(1)]).expect("one test"),
    );
    let read = || endpoint::rerun_batch(PROJECT, BATCH, &request).read(&answer);
    let result = read();
    // After the POST nothing can be read: an answer that does not say whether it
    // was applied must neither count as applied nor let another POST out.
    let api = Api {
        rerun: Box::new(read),
        blind_after_post: true,
        ..Api::default()
    };
    let mut machine = stage::started(BatchRef::Id(BATCH));
    let played = stage::play(&mut machine, &api, SPAN);
    if played.posts.len() != 1 {
        let words = format!("{} POSTs without a look between", played.posts.len());
        return Err(Broken::ActedOnInvalid(words));
    }
    let counted = machine.state().attempt;
    holds(counted == u32::from(result.is_ok()), || {
        format!("{counted} reruns are counted on {result:?}")
    })?;
    tells(&machine)?;
    let class = match &result {
        Ok(it) => {
            let said: SaidRerun = said(&answer);
            holds(it.batch_id == id_in(&said.batch_id), || {
                "another batch is followed".into()
            })?;
            let follows = it.batch_id.unwrap_or(BATCH);
            holds(machine.state().batch == Some(follows), || {
                "the answer's batch is not followed".into()
            })?;
            of_features(
                &format!("accepted, tests {}", size(it.test_ids.len())),
                &[
                    ("batch", it.batch_id.is_some()),
                    ("elsewhere", it.batch_id.is_some_and(|it| it != BATCH)),
                    ("run", it.run_counter.is_some()),
                ],
            )
        }
        Err(error) => {
            is_told(error)?;
            let stage = machine.submission().map(|it| match it.stage() {
                Stage::Ended(Ended::Refused(_)) => "refused",
                Stage::Settling { .. } => "settling",
                Stage::Checking { .. } => "checking",
                Stage::Cooling { .. } => "cooling",
                Stage::Parked => "parked",
                _ => "elsewhere",
            });
            format!("{} {stage:?}", of_error(error))
        }
    };
    Ok(Outcome {
        class: format!("{class} -> {}", machine.state().phase.words()),
        is_valid: result.is_ok(),
        acted: false,
    })
}

/// Goes through the steps of a search by name.
fn search(
    looked_up: impl Fn() -> Result<BatchId, ApiError>,
    listed: impl Fn(Option<&str>) -> Result<Page<Batch>, ApiError>,
    read: impl Fn(BatchId) -> Result<Batch, ApiError>,
) -> Result<(BatchId, Option<String>), ApiError> {
    let (mut it, mut step) = ResolveBatch::begin(NAME);
    loop {
        step = match step {
            BatchStep::LookUp => it.looked_up(looked_up()),
            BatchStep::Read(id) => it.read(read(id)),
            BatchStep::List(token) => it.listed(listed(token.as_deref())),
            BatchStep::Done(result) => return result.map(|batch| (batch.id, batch.name)),
        };
    }
}

/// The honest batch, under whatever ID it is asked for.
fn any_batch(id: BatchId) -> Batch {
    let mut batch = (Api::default().batch)(BATCH).expect("the honest answer");
    batch.id = id;
    batch
}

fn not_found() -> ApiError {
    ApiError::new("read", ErrorKind::NotFound, "")
}

fn searched(
    resolve: impl Fn() -> Result<(BatchId, Option<String>), ApiError>,
    is_named: impl FnOnce(BatchId) -> bool,
) -> Result<Outcome, Broken> {
    let result = resolve();
    let api = Api {
        resolved: Box::new(resolve),
        batch: Box::new(|id| Ok(any_batch(id))),
        ..Api::default()
    };
    let mut machine = stage::started(BatchRef::Name(NAME.into()));
    let played = stage::play(&mut machine, &api, SPAN);
    let acted = acted(&played, result.is_ok(), || {
        let batch = played.posts[0].batch;
        if is_named(batch) {
            Ok(())
        } else {
            Err(format!("it does not name batch {batch}"))
        }
    })?;
    tells(&machine)?;
    let class = match &result {
        Ok((id, _)) => of_features("found", &[("the very one", *id == BATCH)]),
        Err(error) => {
            is_told(error)?;
            of_error(error)
        }
    };
    Ok(Outcome {
        class: format!("{class} -> {}", machine.state().phase.words()),
        is_valid: result.is_ok(),
        acted,
    })
}

pub(super) fn lookup(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let resolve = || {
        search(
            || endpoint::lookup_batch(PROJECT, NAME).read(&answer),
            |_| Err(not_found()),
            |id| Ok(any_batch(id)),
        )
    };
    searched(resolve, |batch| {
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        id_in(&said) == Some(batch)
    })
}

pub(super) fn batches(bytes: &[u8]) -> Result<Outcome, Broken> {
    let answer = input::answer(bytes);
    let list = |token: Option<&str>| endpoint::list_batches(PROJECT, "", token).read(&answer);
    let resolve = || search(|| Err(not_found()), list, |id| Ok(any_batch(id)));
    let mut outcome = searched(resolve, |batch| {
        let said: SaidBatches = said(&answer);
        let listed = said.batches.iter();
        listed
            .filter(|it| it.friendly_name.as_str() == Some(NAME))
            .any(|it| id_in(&it.batch_id) == Some(batch))
    })?;
    if let Ok(page) = list(None) {
        page.items.iter().try_for_each(check_batch)?;
        let more = if page.next.is_some() { ", more" } else { "" };
        let of = if page.total.is_some() {
            ", counted"
        } else {
            ""
        };
        let class = format!(
            "page {}{more}{of}: {}",
            size(page.items.len()),
            outcome.class
        );
        outcome.class = class;
    }
    Ok(outcome)
}
