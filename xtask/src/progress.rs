//! Long work with a sign of life: lanes of jobs, side by side, and one line
//! that says what each lane is doing and for how long.
//!
//! On a terminal the line rewrites itself; elsewhere (CI) a line is printed
//! when a job ends and every [`HEARTBEAT`] in between. What a tool prints goes
//! to a log file and is shown only when it fails.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{Doing, Failure, Outcome, explain};
use crate::process::Running;

/// How often a log without a terminal hears that the work goes on.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How many of a failed tool's last lines are shown.
const TAIL: usize = 60;

/// What a job does, on the thread of its lane.
type Work<'a> = Box<dyn FnOnce(&Reporter<'_>) -> Outcome<()> + Send + 'a>;

/// One piece of work in a lane.
pub(crate) struct Job<'a> {
    /// What is being done: "Installing Trunk 0.21.14".
    pub(crate) title: String,
    /// How long it takes at most on two cores, when that is worth a warning:
    /// "about 4 minutes, once".
    pub(crate) expect: Option<&'static str>,
    /// Does it.
    pub(crate) work: Work<'a>,
}

/// What a lane is doing now.
#[derive(Debug, Default)]
struct Doings {
    title: String,
    detail: String,
    started: Option<Instant>,
    /// Lines to print above the status line.
    news: Vec<String>,
}

/// Lets a job run programs and say how far it is.
pub(crate) struct Reporter<'a> {
    doings: &'a Mutex<Doings>,
    logs: &'a Path,
}

impl Reporter<'_> {
    fn update(&self, change: impl FnOnce(&mut Doings)) {
        change(&mut self.doings.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Runs `command`; its output goes to `<log>.log` among the logs.
    ///
    /// # Errors
    /// When it fails: the likely cause in a sentence, and the end of its output.
    pub(crate) fn run(&self, log: &str, command: &mut Command) -> Outcome<()> {
        std::fs::create_dir_all(self.logs).doing(format!("create {}", self.logs.display()))?;
        let path = self.logs.join(format!("{log}.log"));
        let mut file = File::create(&path).doing(format!("write {}", path.display()))?;
        let second = file
            .try_clone()
            .doing(format!("write {}", path.display()))?;
        command.stdout(second).stderr(Stdio::piped());
        let mut running = Running::start(command)?;
        let pipe = running.child().stderr.take();
        let mut compiled = 0_usize;
        for line in BufReader::new(pipe.expect("stderr was piped above"))
            .split(b'\n')
            .map_while(Result::ok)
        {
            let line = String::from_utf8_lossy(&line);
            // A full disk must not stop the tool that is about to say so.
            let _ = writeln!(file, "{line}");
            if line.trim_start().starts_with("Compiling ") {
                compiled += 1;
                self.update(|doings| doings.detail = format!("{compiled} crates"));
            } else if line.contains("Downloaded ") {
                self.update(|doings| doings.detail = "downloading".into());
            }
        }
        if running.wait()?.success() {
            return Ok(());
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut words = tail(&text, TAIL);
        if let Some(cause) = explain(&text) {
            words.push_str("\n\n");
            words.push_str(cause);
        }
        Err(Failure(words))
    }
}

/// The last lines of a log that a person needs: without cargo's list of what
/// it compiled.
fn tail(log: &str, lines: usize) -> String {
    const NOISE: &[&str] = &[
        "Compiling ",
        "Downloaded ",
        "Downloading ",
        "Fresh ",
        "Checking ",
    ];
    let useful: Vec<&str> = log
        .lines()
        .filter(|line| {
            !NOISE
                .iter()
                .any(|noise| line.trim_start().starts_with(noise))
        })
        .collect();
    useful[useful.len().saturating_sub(lines)..].join("\n")
}

/// Runs the lanes side by side, and the jobs of a lane one after the other.
/// A failed job ends its lane; the other lanes finish what they do.
///
/// # Errors
/// The first failure, under the title of its job.
pub(crate) fn run_lanes(lanes: Vec<Vec<Job<'_>>>, logs: &Path) -> Outcome<()> {
    let doings: Vec<Mutex<Doings>> = lanes.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        let handles: Vec<_> = lanes
            .into_iter()
            .zip(&doings)
            .map(|(lane, doings)| scope.spawn(move || run_lane(lane, doings, logs)))
            .collect();
        let mut screen = Screen::new();
        while handles.iter().any(|handle| !handle.is_finished()) {
            screen.show(&doings);
            std::thread::sleep(Duration::from_millis(100));
        }
        screen.finish(&doings);
        handles.into_iter().try_for_each(|handle| {
            handle
                .join()
                .unwrap_or_else(|_| Err(Failure("A task's own code failed.".into())))
        })
    })
}

fn run_lane(lane: Vec<Job<'_>>, doings: &Mutex<Doings>, logs: &Path) -> Outcome<()> {
    let reporter = Reporter { doings, logs };
    for job in lane {
        let started = Instant::now();
        let title = job.title;
        reporter.update(|doings| {
            doings.title.clone_from(&title);
            doings.detail.clear();
            doings.started = Some(started);
            if let Some(expect) = job.expect {
                doings.news.push(format!("{title} … ({expect})"));
            }
        });
        let done = (job.work)(&reporter);
        reporter.update(|doings| {
            doings.started = None;
            let sign = if done.is_ok() { "✓" } else { "✗" };
            doings
                .news
                .push(format!("{sign} {title} ({})", duration(started.elapsed())));
        });
        done.map_err(|Failure(words)| Failure(format!("{title} failed:\n{words}")))?;
    }
    Ok(())
}

/// The status line.
struct Screen {
    rewrites: bool,
    heartbeat: Instant,
}

impl Screen {
    fn new() -> Self {
        Self {
            rewrites: std::io::stderr().is_terminal(),
            heartbeat: Instant::now(),
        }
    }

    fn show(&mut self, all: &[Mutex<Doings>]) {
        let mut active = Vec::new();
        for doings in all {
            let mut doings = doings.lock().unwrap_or_else(PoisonError::into_inner);
            for news in doings.news.drain(..) {
                let clear = if self.rewrites { "\r\x1b[K" } else { "" };
                eprintln!("{clear}  {news}");
            }
            if let Some(started) = doings.started {
                let detail = if doings.detail.is_empty() {
                    String::new()
                } else {
                    format!("{}, ", doings.detail)
                };
                let time = duration(started.elapsed());
                active.push(format!("{} ({detail}{time})", doings.title));
            }
        }
        let line = active.join(" · ");
        if self.rewrites {
            let width = std::env::var("COLUMNS")
                .ok()
                .and_then(|text| text.parse().ok());
            let line: String = line.chars().take(width.unwrap_or(100) - 4).collect();
            eprint!("\r\x1b[K  {line}");
        } else if !line.is_empty() && self.heartbeat.elapsed() > HEARTBEAT {
            self.heartbeat = Instant::now();
            eprintln!("  … {line}");
        }
    }

    fn finish(&mut self, all: &[Mutex<Doings>]) {
        self.show(all);
        if self.rewrites {
            eprint!("\r\x1b[K");
        }
    }
}

/// A duration as a person says it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 60 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else if seconds >= 10 {
        format!("{seconds} s")
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(duration(Duration::from_millis(12_900)), "12 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn the_tail_keeps_errors_and_drops_the_list_of_crates() {
        let log = "   Compiling a v1\n   Compiling b v1\nerror: x\n   Compiling c v1\nmore";
        assert_eq!(tail(log, 9), "error: x\nmore");
        assert_eq!(tail(log, 1), "more");
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_job_ends_its_lane_and_shows_what_the_tool_said() {
        let logs = std::env::temp_dir().join(format!("retake-progress-{}", std::process::id()));
        let reached = Mutex::new(Vec::new());
        let job = |title: &str, script: &'static str| {
            let name = title.to_owned();
            let reached = &reached;
            Job {
                title: title.into(),
                expect: None,
                work: Box::new(move |reporter: &Reporter<'_>| {
                    reached.lock().unwrap().push(name.clone());
                    reporter.run(&name, Command::new("sh").args(["-c", script]))
                }),
            }
        };
        let lanes = vec![
            vec![
                job("one", "echo the reason >&2; exit 3"),
                job("never", "true"),
            ],
            vec![job("two", "true"), job("three", "true")],
        ];
        let error = run_lanes(lanes, &logs).unwrap_err();
        assert!(error.0.contains("one failed"), "{error}");
        assert!(error.0.contains("the reason"), "{error}");
        let mut reached = reached.into_inner().unwrap();
        reached.sort();
        assert_eq!(reached, ["one", "three", "two"]);
        std::fs::remove_dir_all(logs).unwrap();
    }
}
