//! `cargo xtask report`: every figure of reliability in one table, with the commit
//! and the seeds that it was measured with.
//!
//! What needs no browser is measured here and now; what takes one, or a build of its
//! own, has tasks of its own, whose files are read (`test --only chaos`, `kills`,
//! `hidden`, `outage`, `wake`, `soak`, `coverage`, `mutants`). The rows that must be there stand in
//! `rows.rs`, what a row says in `table.rs`.

mod native;
mod rows;
mod table;

use std::path::Path;
use std::process::Command;

use retake_figures::{Figures, Standing};

use crate::arguments::Arguments;
use crate::failure::{Doing, Outcome, fail};
use crate::workspace::Workspace;
use crate::{fuzz, model, process, sim};
use rows::Source;

/// How much is measured.
struct Volumes {
    seeds: u64,
    compared: u64,
    swept: u64,
    inputs: u64,
    /// Failing runs that are made again.
    replays: u64,
    /// Misfortunes in one run of the model.
    misfortunes: u8,
}

const FULL: Volumes = Volumes {
    seeds: 1_000_000,
    compared: 1_000_000,
    swept: 50_000,
    inputs: 1_000_000,
    replays: 1_000,
    misfortunes: 5,
};

/// Enough to see that everything runs; the table says of each figure that it is less
/// than what is asked for.
const QUICK: Volumes = Volumes {
    seeds: 20_000,
    compared: 5_000,
    swept: 2_000,
    inputs: 20_000,
    replays: 100,
    misfortunes: 1,
};

/// What was measured, by whom.
type Measured = Vec<(Source, Figures)>;

/// Runs the task.
///
/// # Errors
/// When a promise is broken, or a measurement did not come to its end.
pub(crate) fn report(workspace: &Workspace, mut arguments: Arguments) -> Outcome<()> {
    let mut volumes = if arguments.take_flag("--quick") {
        QUICK
    } else {
        FULL
    };
    if let Some(seeds) = arguments.take_parsed("--seeds", "a number of seeds")? {
        volumes.seeds = seeds;
    }
    if let Some(misfortunes) = arguments.take_parsed("--misfortunes", "a small number")? {
        volumes.misfortunes = misfortunes;
    }
    arguments.finish()?;
    let mut measured = Measured::new();
    let mut problems = Vec::new();
    for (source, command) in parts(workspace, &volumes)? {
        println!("\n── {}", source.words());
        let file = workspace.figures(source.name())?;
        measure(source, command, &file, &mut measured, &mut problems)?;
    }
    println!("\n── {}", Source::Rules.words());
    measured.push((Source::Rules, native::measure(workspace)?));
    for source in Source::KEPT {
        match read(&workspace.figures(source.name())?)? {
            Some(Ok(figures)) => measured.push((source, rows::wanted(source, figures))),
            Some(Err(why)) => problems.push(format!("{} left no figures: {why}", source.words())),
            None => {}
        }
    }
    let commit = sim::commit(workspace);
    let rows = rows::assemble(&measured, &commit);
    let text = format!(
        "# Reliability of commit {commit}\n\n{}\n{}",
        table::markdown(&rows),
        table::summary(&rows)
    );
    print!("\n{text}");
    let path = workspace.target.join("reliability.md");
    std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
    println!("\nThe table is in {}.", path.display());
    problems.extend(table::broken(&rows));
    if problems.is_empty() {
        Ok(())
    } else {
        fail(format!(
            "Not as it must be (the words above say more): {}.",
            problems.join("; ")
        ))
    }
}

/// What is measured here and now.
///
/// # Errors
/// When what one of them needs cannot be had.
fn parts(workspace: &Workspace, volumes: &Volumes) -> Outcome<Vec<(Source, Command)>> {
    let simulate = |words: &[&str]| sim::command_for(workspace, words);
    let mut fuzz = fuzz::command_for(workspace);
    fuzz.args(["--inputs", &volumes.inputs.to_string()]);
    Ok(vec![
        (
            Source::Sim,
            sim::quickest(workspace, &["--seeds", &volumes.seeds.to_string()]),
        ),
        (Source::Planted, sim::command_for_planted(workspace)),
        (
            Source::Replays,
            sim::command_for_replays(workspace, &volumes.replays.to_string())?,
        ),
        (
            Source::Compare,
            simulate(&["--compare", &volumes.compared.to_string()]),
        ),
        (
            Source::Sweep,
            simulate(&["--sweep", "--seeds", &volumes.swept.to_string()]),
        ),
        (
            Source::Model,
            model::command_for(workspace, Some(volumes.misfortunes), false),
        ),
        (Source::Fuzz, fuzz),
    ])
}

/// Runs one measurement and takes its figures in.
fn measure(
    source: Source,
    mut command: Command,
    file: &Path,
    measured: &mut Measured,
    problems: &mut Vec<String>,
) -> Outcome<()> {
    // What an earlier run left is not what this one measures.
    if file.exists() {
        std::fs::remove_file(file).doing(format!("remove {}", file.display()))?;
    }
    let ended_well = process::run(command.arg("--figures").arg(file))?;
    match read(file)? {
        Some(Ok(figures)) => {
            let told = |it: &retake_figures::Figure| it.standing() >= Standing::NotMet;
            if !ended_well && !figures.all.iter().any(told) {
                problems.push(format!("{} failed", source.words()));
            }
            measured.push((source, figures));
        }
        Some(Err(why)) => problems.push(format!("{} left no figures: {why}", source.words())),
        None => problems.push(format!("{} did not come to its end", source.words())),
    }
    Ok(())
}

/// The figures of a file; `None` if there is none.
fn read(file: &Path) -> Outcome<Option<Result<Figures, String>>> {
    if !file.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(file).doing(format!("read {}", file.display()))?;
    Ok(Some(Figures::from_json(&text)))
}
