//! Retake's tasks: `cargo xtask TASK`.
//!
//! Each task finds what it needs on this machine, installs what is missing or
//! says exactly how to, and is quick when everything is there. The tasks are
//! Rust so that they run wherever the product is built, and have next to no
//! dependencies so that they compile in seconds.
//!
//! - `serve.rs`, `test.rs`, `sim.rs`, `fuzz.rs`, `model.rs`, `report.rs`, `dist.rs`, `previews.rs`, `pictures.rs`,
//!   `kills.rs`, `hidden.rs`, `outage.rs`, `wake.rs`, `soak.rs`, `coverage.rs`, `mutants.rs`, `bench.rs`,
//!   `bytes.rs`, `weigh.rs`: the tasks
//! - `site.rs`, `styles.rs`, `sandbox.rs`, `playwright.rs`, `size.rs`: what the tasks share
//! - `finish.rs`, `templates.rs`: what the site gets after Trunk
//! - `hosts.rs`: real web servers with the shipped configurations
//! - `tools.rs`, `versions.rs`: what must be installed, and in which version
//! - `process.rs`, `progress.rs`, `port.rs`, `failure.rs`, `files.rs`: the machine's side
//!
//! Invariants: whatever a task starts ends with it, also on Ctrl-C; whatever
//! goes wrong is told in a sentence.

mod arguments;
mod bench;
mod bytes;
mod coverage;
mod dist;
mod failure;
mod files;
mod finish;
mod fuzz;
mod hidden;
mod hosts;
mod kills;
mod llvm;
mod model;
mod mutants;
mod outage;
mod pictures;
mod playwright;
mod port;
mod previews;
mod process;
mod progress;
mod report;
mod sandbox;
mod serve;
mod sim;
mod site;
mod size;
mod soak;
mod styles;
mod templates;
mod test;
mod tools;
mod trained;
mod versions;
mod wake;
mod weigh;
mod workspace;

use std::process::ExitCode;

use arguments::Arguments;
use failure::Outcome;
use workspace::Workspace;

/// A task of `cargo xtask`.
struct Task {
    name: &'static str,
    /// Its own words on the command line.
    usage: &'static str,
    /// What it does, in a line.
    what: &'static str,
    run: fn(&Workspace, Arguments) -> Outcome<()>,
}

/// Every task; a new one is an entry here.
const TASKS: &[Task] = &[
    Task {
        name: "serve",
        usage: "[--port N] [--api URL] [--speed N] [--seed N] [--fixtures LIST] [--release] [--no-open]",
        what: "build the product and open it with the sandbox on http://localhost:8080",
        run: serve::serve,
    },
    Task {
        name: "test",
        usage: "[--only STEP] [--list] [-- WORDS FOR THE STEP]",
        what: "run every check that a change has to pass, from formatting to end-to-end tests",
        run: test::test,
    },
    Task {
        name: "sim",
        usage: "[--seeds N] [--from N] [--seed N] [--mix M] [--settle S] [--trained] [--night] [--release] [--planted] [--replays N] [--coverage] [--compare N] [--sweep] [--demand-speed N] [--figures FILE]",
        what: "run the simulation on all cores, or one seed told line by line",
        run: sim::sim,
    },
    Task {
        name: "fuzz",
        usage: "[--inputs N] [--seed N] [--target T] [--keep] [--replay FILE] [--figures FILE]",
        what: "feed a million broken and hostile inputs to every reader of the core",
        run: fuzz::fuzz,
    },
    Task {
        name: "model",
        usage: "[--misfortunes N] [--planted] [--figures FILE]",
        what: "check every order of events within a small bound",
        run: model::model,
    },
    Task {
        name: "report",
        usage: "[--quick] [--seeds N] [--misfortunes N]",
        what: "print every figure of reliability in one table, also into target/reliability.md",
        run: report::report,
    },
    Task {
        name: "dist",
        usage: "[--base /PATH/] [--config FILE] [--connect ORIGIN]",
        what: "build the site for hosting into dist/, with the configurations of hosts",
        run: dist::dist,
    },
    Task {
        name: "previews",
        usage: "",
        what: "try the shipped folder in the tools of Cloudflare Pages and Netlify",
        run: previews::previews,
    },
    Task {
        name: "bench",
        usage: "[--core] [--sizes 1000,10000,100000] [--runs N]",
        what: "measure the core natively, then the app beside a page of plain JavaScript",
        run: bench::bench,
    },
    Task {
        name: "bytes",
        usage: "",
        what: "show what the app's bytes are made of, largest first",
        run: bytes::bytes,
    },
    Task {
        name: "weigh",
        usage: "",
        what: "weigh the sign-in against two crates that could do it",
        run: weigh::weigh,
    },
    Task {
        name: "pictures",
        usage: "",
        what: "take the README's screenshots anew",
        run: pictures::pictures,
    },
    Task {
        name: "kills",
        usage: "[--count N]",
        what: "kill a real browser at the boundaries of a rerun, 60 times",
        run: kills::kills,
    },
    Task {
        name: "hidden",
        usage: "[--minutes N] [--visible]",
        what: "measure how regularly a tab looks at its batch, hidden or visible",
        run: hidden::hidden,
    },
    Task {
        name: "outage",
        usage: "[--minutes N]",
        what: "ride out an outage of an hour, of the network and of the API alone",
        run: outage::outage,
    },
    Task {
        name: "wake",
        usage: "[--times N]",
        what: "measure how soon data are fresh after sleep, freezing and being offline",
        run: wake::wake,
    },
    Task {
        name: "soak",
        usage: "[--minutes N] [--large]",
        what: "measure whether a tab with fifty batches grows, and what 10,000 tests cost",
        run: soak::soak,
    },
    Task {
        name: "coverage",
        usage: "",
        what: "measure how much of the core its own tests run through",
        run: coverage::coverage,
    },
    Task {
        name: "mutants",
        usage: "[--sample N] [--all] [--file GLOB]",
        what: "change the supervisor in a hundred places, one after the other, and see which tests notice",
        run: mutants::mutants,
    },
];

fn help() -> String {
    let lines = TASKS.iter().map(|task| {
        let usage = if task.usage.is_empty() {
            String::new()
        } else {
            format!("  {}", task.usage)
        };
        format!("  {:10}{}{usage}\n", task.name, task.what)
    });
    format!("cargo xtask TASK\n\n{}", lines.collect::<String>())
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(name) = words.next() else {
        print!("{}", help());
        return ExitCode::FAILURE;
    };
    let words: Vec<String> = words.collect();
    let asks_help = |word: &str| ["--help", "-h", "help"].contains(&word);
    if asks_help(&name) || words.first().is_some_and(|word| asks_help(word)) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprint!("There is no task called `{name}`.\n\n{}", help());
        return ExitCode::FAILURE;
    };
    let done = process::stop_all_on_signals()
        .and_then(|()| (task.run)(&Workspace::find(), Arguments::new(task.name, words)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_one_line_for_each_task() {
        let help = help();
        for task in TASKS {
            let lines = help
                .lines()
                .filter(|line| line.trim_start().starts_with(task.name));
            assert_eq!(lines.count(), 1, "{}", task.name);
        }
        assert_eq!(help.lines().count(), TASKS.len() + 2);
    }
}
