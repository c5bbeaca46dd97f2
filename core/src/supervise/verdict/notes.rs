//! What the exit code does not say, in whole sentences.

use super::{Findings, fails, watched_count};
use crate::{
    domain::{ConflatedBatchStatus, words::tests_do},
    supervise::{ExitCode, Policy, WatchedStates},
};

/// The notes on a finished batch. `uncounted`: tests beside a pass that failed by status
/// alone.
pub(super) fn of_finished(
    policy: &Policy,
    findings: &Findings<'_>,
    exit_code: ExitCode,
    uncounted: u64,
) -> Vec<String> {
    let filter = policy.fail_filter();
    let mut notes = Vec::new();
    if exit_code == ExitCode::Success {
        notes.extend(beside_the_pass(findings, filter));
    }
    if uncounted > 0 {
        notes.push(format!(
            "{} failed by status; ReSim sends no conflated status for that, and the CLI's rule \
             counts only that one. Look at them before you rely on this pass.",
            tests_do(uncounted, "has", "have")
        ));
    }
    if findings.figures.is_none() {
        notes.push("The tests could not be listed, so this rests on the batch alone.".to_owned());
    }
    if let (ExitCode::Error, Some(figures)) = (exit_code, findings.figures)
        && filter.blocker
        && figures.blocker > 0
    {
        notes.push(format!(
            "{} in BLOCKER beside the errors; exit code 2 does not say so.",
            tests_do(figures.blocker, "is", "are")
        ));
    }
    if let (ExitCode::Blocker, Some(figures)) = (exit_code, findings.figures)
        && filter.error
        && figures.error > 0
    {
        notes.push(format!(
            "{} in ERROR beside the blockers; exit code 7 does not say so.",
            tests_do(figures.error, "is", "are")
        ));
    }
    if policy.rerun_on.is_empty() && policy.fail_on.is_empty() {
        notes.push("No state is watched: SUCCEEDED exits 0 whatever the tests say.".to_owned());
    }
    notes
}

/// What an exit code of 0 does not say of what failed, in whole sentences.
fn beside_the_pass(findings: &Findings<'_>, filter: WatchedStates) -> Vec<String> {
    let mut notes = Vec::new();
    let figures = findings.figures.unwrap_or_default();
    let hidden = watched_count(&figures, filter);
    if hidden > 0 {
        let word = findings.word.map_or("unknown", ConflatedBatchStatus::word);
        notes.push(format!(
            "{} in a state that fails ({filter}), but the batch's one word is {word}, and the \
             CLI compares only that word: it would exit 0. Look at them before you rely on \
             this pass.",
            tests_do(hidden, "is", "are"),
        ));
    }
    let left: Vec<String> = [
        (filter.blocker, figures.blocker, "BLOCKER"),
        (filter.error, figures.error, "ERROR"),
        (filter.warning, figures.warning, "WARNING"),
    ]
    .into_iter()
    .filter(|(is_set, count, _)| !is_set && *count > 0)
    .map(|(_, count, word)| format!("{} in {word}", tests_do(count, "is", "are")))
    .collect();
    if !left.is_empty() && !filter.is_empty() {
        notes.push(format!(
            "{}, beside a pass; set to fail: only {}.",
            left.join(", "),
            filter.in_words()
        ));
    }
    // Batch metrics have no test of their own.
    if let Some(word) = findings.word.filter(|word| fails(word))
        && findings.figures.is_some()
        && watched_count(&figures, WatchedStates::ALL) == 0
    {
        notes.push(format!(
            "The batch's one word is {word}, and no test in the list is: look at its batch metrics."
        ));
    }
    notes
}
