//! A stored journal: read, shown, and taken up.

use std::time::Duration;

use retake_core::{
    supervise::{Event, Record, State, Supervisor, explain, read_records},
    view::{supervision, verdict},
};

use super::{
    Outcome,
    acting::tells,
    promise::{holds, is_readable, is_same},
};
use crate::{
    class::{of_features, size},
    judge::Broken,
    stage::{self, Api, NOW},
};

/// Past the settle window and every cooldown.
const SPAN: Duration = Duration::from_mins(10);

pub(super) fn journal(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let (records, damage) = read_records((0..).zip(text.lines()));
    for (record, place) in records.iter().zip(0..) {
        holds(record.seq == place, || {
            format!("record {place} is {}", record.seq)
        })?;
        is_readable("a line of the log", &explain(record).text)?;
        is_stable(record)?;
    }
    let Some(state) = State::replay(&records) else {
        let class = format!(
            "no start, damage {damage:?}, records {}",
            size(records.len())
        );
        return Ok(Outcome::invalid(class));
    };
    show(&state)?;
    // What follows the damage may have been an intent: the part before is only
    // shown (`Seat`), never taken up.
    let class = class_of(&records, &state);
    if damage.is_some() {
        return Ok(Outcome::invalid(format!("damaged: {class}")));
    }
    // A rerun needs a fresh decision, and that needs fresh answers.
    let before = state.epoch;
    // One that was answered 409 is sent again as it was decided.
    let held = state.open.as_ref().filter(|it| it.tries.held.is_some());
    let mut machine = taken_up(records.clone())?;
    let played = stage::play(&mut machine, &stage::silent(), SPAN);
    if !played.posts.is_empty() {
        return Err(Broken::ActedOnInvalid(
            "a journal alone leads to a POST".into(),
        ));
    }
    tells(&machine)?;
    // With honest answers, what is sent is stored first, by this life.
    let mut machine = taken_up(records)?;
    let played = stage::play(&mut machine, &Api::default(), SPAN);
    holds(played.all_stored, || "a POST was not stored before".into())?;
    for intent in &played.posts {
        let is_held = held.is_some_and(|it| it.intent == *intent);
        holds(
            is_held || intent.epoch > before || before == u64::MAX,
            || format!("epoch {} acts after {before}", intent.epoch),
        )?;
        holds(!intent.request.scope.tests().is_empty(), || {
            "an empty rerun".into()
        })?;
    }
    let allowed = state
        .policy
        .max_rerun_attempts
        .saturating_sub(state.attempt);
    let decided: std::collections::BTreeSet<u32> =
        played.posts.iter().map(|it| it.attempt).collect();
    holds(
        decided.len() <= usize::try_from(allowed).unwrap_or(usize::MAX),
        || format!("attempts {decided:?} where {allowed} were left"),
    )?;
    tells(&machine)?;
    Ok(Outcome {
        class: format!("{class} -> {}", machine.state().phase.words()),
        is_valid: true,
        acted: !played.posts.is_empty(),
    })
}

fn taken_up(records: Vec<Record>) -> Result<Supervisor, Broken> {
    Supervisor::restore(records, stage::at(Duration::ZERO))
        .ok_or_else(|| Broken::Promise("a journal with a state cannot be taken up".into()))
}

/// Written and read again it is the same record.
fn is_stable(record: &Record) -> Result<(), Broken> {
    let text = serde_json::to_string(record)
        .map_err(|error| Broken::Promise(format!("a record cannot be written: {error}")))?;
    let again: Record = serde_json::from_str(&text)
        .map_err(|error| Broken::Promise(format!("{error} in what was written: {text}")))?;
    let value = |it: &Record| serde_json::to_value(it).unwrap_or_default();
    holds(
        again == *record || is_same(&value(&again), &value(record)),
        || format!("reads back otherwise: {text}"),
    )
}

/// What a screen says of it.
fn show(state: &State) -> Result<(), Broken> {
    is_readable("its progress", &supervision::progress(state))?;
    is_readable("its policy", &supervision::policy(&state.policy))?;
    let doing = supervision::Doing {
        state,
        submission: None,
        next_due: Some(NOW),
        failures: 0,
    };
    is_readable("what it does", &doing.sentence(NOW))?;
    if let Some(it) = state.verdict() {
        let (title, body) = verdict::notification(state.name.as_deref(), "", it);
        is_readable("a notification", &title)?;
        is_readable("a notification", &body)?;
        for naming in verdict::namings(it) {
            is_readable("a verdict's sentence", &naming.to_string())?;
        }
    }
    Ok(())
}

fn class_of(records: &[Record], state: &State) -> String {
    let any = |is: fn(&Event) -> bool| records.iter().any(|it| is(&it.event));
    of_features(
        &format!("{} at {}", size(records.len()), state.phase.words()),
        &[
            ("intent", any(|it| matches!(it, Event::Intent(_)))),
            ("rerun", any(|it| matches!(it, Event::Rerun(_)))),
            ("failed", any(|it| matches!(it, Event::ReadFailed { .. }))),
            ("restored", any(|it| matches!(it, Event::Restored { .. }))),
            ("jumped", any(|it| matches!(it, Event::ClockJumped { .. }))),
            ("adopted", any(|it| matches!(it, Event::Adopted { .. }))),
            ("open", state.open.is_some()),
        ],
    )
}
