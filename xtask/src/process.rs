//! Starting other programs, and never leaving one behind.
//!
//! Every program runs in a process group of its own, so that ending it also
//! ends what it started (cargo starts compilers, Playwright starts browsers).
//! A group ends when its [`Running`] is dropped, and all of them end on Ctrl-C,
//! SIGTERM and SIGHUP.

use std::collections::BTreeSet;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{Doing, Outcome, fail};

/// How long a group may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// The groups that run now, by the process id of their leader.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
/// Set once by a signal; after it nothing new is started.
static STOPPING: AtomicBool = AtomicBool::new(false);
/// What the process exits with when a signal ends it.
static EXIT_ON_SIGNAL: AtomicI32 = AtomicI32::new(130);

fn groups() -> MutexGuard<'static, BTreeSet<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C and its kin end everything that was started, then this
/// process.
///
/// # Errors
/// When the system refuses the handler.
pub(crate) fn stop_all_on_signals() -> Outcome<()> {
    let installed = ctrlc::set_handler(|| {
        STOPPING.store(true, Ordering::SeqCst);
        let all: Vec<u32> = groups().iter().copied().collect();
        end_groups(&all);
        std::process::exit(EXIT_ON_SIGNAL.load(Ordering::SeqCst));
    });
    match installed {
        Ok(()) => Ok(()),
        Err(error) => fail(format!("Could not listen for Ctrl-C: {error}.")),
    }
}

/// Ctrl-C is the ordinary way to end the task from here on: it exits with 0.
pub(crate) fn ctrl_c_is_success() {
    EXIT_ON_SIGNAL.store(0, Ordering::SeqCst);
}

/// Whether a signal is ending everything right now.
pub(crate) fn stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// A program and all that it started; dropping it ends them.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Starts `command` without input, in a process group of its own.
    ///
    /// # Errors
    /// When the program does not exist or cannot be started.
    pub(crate) fn start(command: &mut Command) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        // The lock spans the start, so that a signal sees either no group or
        // one that is in the list.
        let mut groups = groups();
        if stopping() {
            return fail("Stopped.");
        }
        let child = command.spawn().doing(format!("start `{name}`"))?;
        groups.insert(child.id());
        Ok(Self { child, name })
    }

    /// The pipes and the process id.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the program itself has ended.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub(crate) fn wait(&mut self) -> Outcome<ExitStatus> {
        let status = self
            .child
            .wait()
            .doing(format!("wait for `{}`", self.name))?;
        if stopping() {
            // A signal is ending us; its thread exits the process. Going on
            // would only print a failure that nobody caused.
            std::thread::sleep(GRACE * 2);
        }
        Ok(status)
    }

    /// Whether the program has ended, without waiting.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub(crate) fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        self.child
            .try_wait()
            .doing(format!("look after `{}`", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.child.id();
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(id, "TERM");
            let patience = Instant::now() + GRACE;
            while Instant::now() < patience && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // Whatever the leader left behind. The group's number cannot belong to
        // anyone else while a member lives, and nobody is there if none does.
        if signal(id, "0") {
            signal(id, "KILL");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        groups().remove(&id);
    }
}

/// Ends all groups: asks first, then insists.
fn end_groups(ids: &[u32]) {
    for id in ids {
        signal(*id, "TERM");
    }
    let patience = Instant::now() + GRACE;
    while Instant::now() < patience && ids.iter().any(|id| signal(*id, "0")) {
        std::thread::sleep(Duration::from_millis(50));
    }
    for id in ids {
        signal(*id, "KILL");
    }
}

/// Sends a signal to a whole group; true when somebody got it.
///
/// Through `kill` of the shell, since the standard library can signal only a
/// single child and this workspace forbids unsafe code.
#[cfg(unix)]
fn signal(group: u32, name: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("kill -{name} -{group}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Windows has no process groups; `taskkill /T` ends a process and its tree.
#[cfg(not(unix))]
fn signal(process: u32, name: &str) -> bool {
    name != "0"
        && Command::new("taskkill")
            .args(["/T", "/F", "/PID", &process.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
}

/// Runs `command` with its output on this terminal; true when it succeeded.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run(command: &mut Command) -> Outcome<bool> {
    Ok(Running::start(command)?.wait()?.success())
}

/// What a short-lived program prints, or `None` when it is missing or fails.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io;

    use super::*;

    fn alive(pid: &str) -> bool {
        Command::new("kill")
            .args(["-0", pid])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    #[test]
    fn dropping_ends_grandchildren_too() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 300 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut running = Running::start(&mut command).unwrap();
        let mut pid = String::new();
        let stdout = running.child().stdout.take().unwrap();
        io::BufRead::read_line(&mut io::BufReader::new(stdout), &mut pid).unwrap();
        assert!(alive(pid.trim()));
        drop(running);
        let patience = Instant::now() + Duration::from_secs(5);
        while alive(pid.trim()) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!alive(pid.trim()));
    }

    #[test]
    fn a_missing_program_is_a_sentence() {
        let error = Running::start(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.0.contains("Could not start `no-such-program-here`"));
    }
}
