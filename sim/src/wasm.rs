//! The same runs once more in the simulation compiled to WebAssembly (`sim/wasm`), by Node.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// How Node makes them.
const SCRIPT: &str = include_str!("replay.mjs");

/// A run that was made here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// The place of its planted bug, counted from 1; 0 for none.
    pub(crate) bug: u32,
    /// Its seed.
    pub(crate) seed: u64,
    /// What it came to ([`retake_sim::imprint`]).
    pub(crate) imprint: u64,
}

/// Those of the runs that come to something else in this module, with what.
///
/// # Errors
/// A sentence, when Node or the module does not run, or not every run is answered.
pub(crate) fn differing(module: &Path, runs: &[Run]) -> Result<Vec<(Run, String)>, String> {
    let asked: String = runs
        .iter()
        .map(|run| format!("{} {}\n", run.bug, run.seed))
        .collect();
    let answered = ask(module, &asked).map_err(|error| format!("Node cannot be asked: {error}"))?;
    let answers: Vec<&str> = answered.lines().collect();
    if answers.len() != runs.len() {
        return Err(format!(
            "the module answered {} of {} runs",
            answers.len(),
            runs.len()
        ));
    }
    let all = runs.iter().zip(answers);
    Ok(all
        .filter(|(run, answer)| format!("{:016x}", run.imprint) != *answer)
        .map(|(run, answer)| (*run, answer.to_owned()))
        .collect())
}

fn ask(module: &Path, asked: &str) -> std::io::Result<String> {
    let mut node = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT, "--"])
        .arg(module)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // It reads all before it answers, so neither waits for the other; dropped, the pipe ends.
    let mut input = node.stdin.take().expect("it was asked for");
    input.write_all(asked.as_bytes())?;
    drop(input);
    let output = node.wait_with_output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
