//! The CLI's decision and verdict, transcribed from `resim-api.md` §6 in plain
//! strings and numbers, without a look at our own code and without its types.

/// A test as the CLI's listing has it.
#[derive(Debug, Clone)]
pub(crate) struct OracleTest {
    pub(crate) job_id: Option<u32>,
    pub(crate) conflated_status: Option<&'static str>,
}

/// §6.2: split at commas, upper-case, trim spaces; the empty string is an empty
/// list; anything but the three words, an empty element too, is fatal.
pub(crate) fn parse_states(text: &str, wrong: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut states = Vec::new();
    for part in text.split(',') {
        let word = part.trim_matches(' ').to_uppercase();
        if word != "WARNING" && word != "ERROR" && word != "BLOCKER" {
            return Err(format!(
                "{wrong}: {word}. Valid states are: WARNING, ERROR, BLOCKER"
            ));
        }
        states.push(word);
    }
    Ok(states)
}

/// Why S5 reran nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// S5.1
    MaxAttempts,
    /// S5.2
    Cancelled,
    /// S5.6
    AboveThreshold,
    /// S5.7 with an empty failing set
    NothingFailing,
}

/// §6.3, S5: the job IDs to rerun, or which rule stopped it. First match wins.
pub(crate) fn choose(
    status: &str,
    tests: &[OracleTest],
    rerun_states: &[String],
    limit_percent: f64,
    attempt: u32,
    max_attempts: u32,
) -> Result<Vec<u32>, Stopped> {
    // 1. attempt ≥ max-rerun-attempts → nothing; the tests are not even listed.
    if attempt >= max_attempts {
        return Err(Stopped::MaxAttempts);
    }
    // 2. status is CANCELLED → nothing.
    if status == "CANCELLED" {
        return Err(Stopped::Cancelled);
    }
    // 4. conflatedStatus in the rerun states and a jobID, in listing order.
    let mut failing = Vec::new();
    for test in tests {
        let Some(word) = test.conflated_status else {
            continue;
        };
        let Some(id) = test.job_id else { continue };
        if rerun_states.iter().any(|state| state == word) {
            failing.push(id);
        }
    }
    // 6. percent = size × 100 / listed, as a double; strictly more stops.
    if !tests.is_empty() {
        let percent = failing.len() as f64 * 100.0 / tests.len() as f64;
        if percent > limit_percent {
            return Err(Stopped::AboveThreshold);
        }
    }
    // 7. otherwise the failing set, possibly empty → S7.
    if failing.is_empty() {
        return Err(Stopped::NothingFailing);
    }
    Ok(failing)
}

/// §6.4 for one finished batch, without the extended codes. `filter` is the
/// fail states, else the rerun states (S7).
pub(crate) fn exit_code(status: Option<&str>, conflated: Option<&str>, filter: &[String]) -> u8 {
    // 3. ERROR → error, CANCELLED → cancelled: always.
    if status == Some("ERROR") {
        return 2;
    }
    if status == Some("CANCELLED") {
        return 5;
    }
    // 4. conflated mode
    if !filter.is_empty()
        && let Some(word) = conflated
    {
        return match word {
            "COMPLETE" => 0,
            "BLOCKER" | "ERROR" | "WARNING" if !filter.iter().any(|it| it == word) => 0,
            "BLOCKER" => 7,
            "ERROR" => 2,
            "WARNING" => 8,
            "CANCELLED" => 5,
            // SUBMITTED, RUNNING, unfamiliar: not success, nothing else → 1
            _ => 1,
        };
    }
    // 5. legacy mode
    match status {
        Some("SUCCEEDED") => 0,
        _ => 1,
    }
}

/// §6.3, S7: the fail filter of a run.
pub(crate) fn fail_filter(rerun_states: &[String], fail_states: &[String]) -> Vec<String> {
    if fail_states.is_empty() {
        rerun_states.to_vec()
    } else {
        fail_states.to_vec()
    }
}

/// §6.3, S1.3: whether the percent is accepted (`NaN` slips through the CLI).
pub(crate) fn percent_is_accepted(percent: f64) -> bool {
    !(percent <= 0.0 || percent > 100.0)
}
