//! Finds the tools that a task needs, and installs what is missing.
//!
//! A tool counts when it is on the `PATH` (or in this checkout's `.tools`) in
//! exactly the pinned version. A missing one comes the quick way where there
//! is one (`cargo binstall`, or the maker's ready-built program) and is built
//! from source where there is none. It goes to `.tools`: other projects may
//! need other versions of wasm-bindgen, so the global one is never replaced.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Doing, Failure, Outcome, fail};
use crate::process::ask;
use crate::progress::{Job, Reporter, run_lanes};
use crate::versions;
use crate::workspace::Workspace;

/// The compilation target of the app.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// A tool that can be built from its Rust crate.
#[derive(Debug, Clone)]
pub(crate) struct RustTool {
    /// The crate's name, which `cargo install` takes.
    krate: &'static str,
    /// The program's name.
    program: &'static str,
    /// What makes it print its version.
    version_words: &'static [&'static str],
    /// A program of the same crate that must be there too.
    companion: Option<&'static str>,
    /// The pinned version.
    version: String,
    /// Crate features that our use does without; they cost minutes to build.
    lean: bool,
    /// How long building it takes on two cores.
    expect: &'static str,
}

impl RustTool {
    /// Trunk, which builds the site. Without TLS: it never downloads for us.
    pub(crate) fn trunk() -> Self {
        Self {
            krate: "trunk",
            program: "trunk",
            version_words: &["--version"],
            companion: None,
            version: versions::TRUNK.into(),
            lean: true,
            expect: "up to 4 minutes, once",
        }
    }

    /// The command-line part of wasm-bindgen, in the version of the library.
    ///
    /// # Errors
    /// When `Cargo.lock` is missing or doesn't name it.
    pub(crate) fn wasm_bindgen(workspace: &Workspace) -> Outcome<Self> {
        let path = workspace.root.join("Cargo.lock");
        let lock = std::fs::read_to_string(&path).doing(format!("read {}", path.display()))?;
        let Some(version) = versions::locked(&lock, "wasm-bindgen") else {
            return fail("Cargo.lock names no wasm-bindgen. Run `cargo check` once.");
        };
        Ok(Self {
            krate: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version_words: &["--version"],
            companion: Some("wasm-bindgen-test-runner"),
            version: version.into(),
            lean: false,
            expect: "up to 2 minutes, once",
        })
    }

    /// cargo-mutants, for `cargo xtask mutants`.
    pub(crate) fn cargo_mutants() -> Self {
        Self {
            krate: "cargo-mutants",
            program: "cargo-mutants",
            version_words: &["mutants", "--version"],
            companion: None,
            version: versions::CARGO_MUTANTS.into(),
            lean: false,
            expect: "up to 3 minutes, once",
        }
    }

    /// Whether the pinned version is at hand.
    pub(crate) fn is_here(&self, workspace: &Workspace) -> bool {
        let path = search_path(workspace);
        let all_programs = self
            .companion
            .is_none_or(|program| find(program, &path).is_some());
        all_programs && find(self.program, &path).is_some_and(|program| self.is_this(&program))
    }

    fn is_this(&self, program: &Path) -> bool {
        ask(Command::new(program).args(self.version_words))
            .is_some_and(|text| versions::printed(&text) == Some(&self.version))
    }

    /// Installs it if it is missing.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Outcome<()> {
        if self.is_here(workspace) {
            return Ok(());
        }
        run_lanes(vec![vec![self.job(workspace)]], &workspace.logs())
    }

    /// The job that installs it into `.tools`.
    pub(crate) fn job<'a>(&self, workspace: &'a Workspace) -> Job<'a> {
        let tool = self.clone();
        Job {
            title: format!("Installing {} {}", tool.program, tool.version),
            expect: Some(tool.expect),
            work: Box::new(move |reporter| tool.install(workspace, reporter)),
        }
    }

    fn install(&self, workspace: &Workspace, reporter: &Reporter<'_>) -> Outcome<()> {
        let tools = own_tools(workspace)?;
        let program = tools.join("bin").join(self.program);
        if self.install_ready_built(&tools, reporter) && self.is_this(&program) {
            return Ok(());
        }
        self.build(&tools, reporter)?;
        if self.is_this(&program) {
            Ok(())
        } else {
            fail(format!(
                "{} was installed but does not answer with version {}.",
                program.display(),
                self.version
            ))
        }
    }

    /// The quick ways. True when one of them claims success; the caller asks
    /// the program itself, so that a ready-built program which doesn't run on
    /// this system is replaced by one built here.
    fn install_ready_built(&self, tools: &Path, reporter: &Reporter<'_>) -> bool {
        let log = format!("{}-download", self.program);
        if find(
            "cargo-binstall",
            &std::env::var_os("PATH").unwrap_or_default(),
        )
        .is_some()
        {
            let mut command = Command::new("cargo");
            command
                .args([
                    "binstall",
                    "--no-confirm",
                    "--force",
                    "--disable-strategies",
                    "compile",
                ])
                .arg("--root")
                .arg(tools)
                .arg(format!("{}@{}", self.krate, self.version));
            if reporter.run(&log, &mut command).is_ok() {
                return true;
            }
        }
        let Some(url) = self.download_url(std::env::consts::OS, std::env::consts::ARCH) else {
            return false;
        };
        let archive = tools.join(format!("{}.tar.gz", self.program));
        let unpacked = tools.join(format!("{}-unpacked", self.program));
        let fetched = reporter
            .run(
                &log,
                Command::new("curl")
                    .args(["--fail", "--silent", "--show-error", "--location"])
                    .args([
                        "--proto",
                        "=https",
                        "--connect-timeout",
                        "5",
                        "--max-time",
                        "180",
                    ])
                    .arg("--output")
                    .arg(&archive)
                    .arg(url),
            )
            .and_then(|()| {
                std::fs::create_dir_all(&unpacked).doing("create a folder")?;
                let mut tar = Command::new("tar");
                tar.arg("-xzf").arg(&archive).arg("-C").arg(&unpacked);
                reporter.run(&log, &mut tar)?;
                move_programs(&unpacked, &tools.join("bin"))
            });
        let _ = std::fs::remove_file(archive);
        let _ = std::fs::remove_dir_all(unpacked);
        fetched.is_ok()
    }

    /// Where the maker publishes the ready-built program for a system.
    fn download_url(&self, os: &str, arch: &str) -> Option<String> {
        let version = &self.version;
        let system = match (os, arch, self.program) {
            ("linux", "x86_64", "trunk") => "x86_64-unknown-linux-gnu",
            ("linux", "aarch64", _) => "aarch64-unknown-linux-gnu",
            ("linux", "x86_64", _) => "x86_64-unknown-linux-musl",
            ("macos", "x86_64", _) => "x86_64-apple-darwin",
            ("macos", "aarch64", _) => "aarch64-apple-darwin",
            _ => return None,
        };
        let releases = "releases/download";
        Some(match self.program {
            "trunk" => format!(
                "https://github.com/trunk-rs/trunk/{releases}/v{version}/trunk-{system}.tar.gz"
            ),
            "wasm-bindgen" => format!(
                "https://github.com/wasm-bindgen/wasm-bindgen/{releases}/{version}/wasm-bindgen-{version}-{system}.tar.gz"
            ),
            _ => return None,
        })
    }

    /// The way that works wherever the package registry does. Unoptimised:
    /// these tools run for moments and are built while somebody waits.
    fn build(&self, tools: &Path, reporter: &Reporter<'_>) -> Outcome<()> {
        let target = tools.join("build").join(self.program);
        let mut command = Command::new("cargo");
        command
            .current_dir(tools)
            .args([
                "install",
                "--debug",
                "--locked",
                "--force",
                "--version",
                &self.version,
            ])
            .arg("--root")
            .arg(tools)
            .args(self.lean.then_some("--no-default-features"))
            .arg(self.krate)
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS");
        reporter.run(&format!("{}-build", self.program), &mut command)?;
        let _ = std::fs::remove_dir_all(target);
        Ok(())
    }
}

/// Moves every program of an unpacked archive, which may hold them in a folder.
fn move_programs(unpacked: &Path, bin: &Path) -> Outcome<()> {
    std::fs::create_dir_all(bin).doing(format!("create {}", bin.display()))?;
    for entry in std::fs::read_dir(unpacked)
        .doing("read an archive")?
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            move_programs(&path, bin)?;
        } else if path.extension().is_none() && !entry.file_name().eq("LICENSE") {
            let to = bin.join(entry.file_name());
            std::fs::rename(&path, &to).doing(format!("write {}", to.display()))?;
        }
    }
    Ok(())
}

/// Creates `.tools`, which keeps itself out of git.
fn own_tools(workspace: &Workspace) -> Outcome<PathBuf> {
    let tools = workspace.tools();
    std::fs::create_dir_all(&tools).doing(format!("create {}", tools.display()))?;
    let ignore = tools.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").doing(format!("write {}", ignore.display()))?;
    }
    Ok(tools)
}

/// The `PATH` that every program of a task runs with: this checkout's own
/// tools first.
pub(crate) fn search_path(workspace: &Workspace) -> OsString {
    let own = [workspace.tools().join("bin"), workspace.node_bin()];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&inherited)))
        .unwrap_or(inherited)
}

/// The first program called `name` in the folders of `path`.
pub(crate) fn find(name: &str, path: &OsString) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(path)
        .map(|folder| folder.join(&file))
        .find(|candidate| candidate.is_file())
}

/// A command of this task: run at the top of the checkout, with our tools.
pub(crate) fn command(workspace: &Workspace, program: &str) -> Command {
    let path = search_path(workspace);
    // The search happens here because the system would search the old PATH.
    let found = find(program, &path).map_or_else(|| OsString::from(program), OsString::from);
    let mut command = Command::new(found);
    command.current_dir(&workspace.root).env("PATH", path);
    command
}

/// Makes sure that rustc can compile for the browser.
///
/// # Errors
/// When the target is missing and rustup is missing too or cannot add it.
pub(crate) fn wasm_target(workspace: &Workspace) -> Outcome<()> {
    let folder =
        ask(command(workspace, "rustc").args(["--print", "target-libdir", "--target", WASM]));
    if folder.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
        return Ok(());
    }
    if find("rustup", &search_path(workspace)).is_none() {
        return fail(format!(
            "Rust's {WASM} target is missing, and so is rustup, which would install it. Install Rust \
             with rustup (https://rustup.rs), or the target with your system's packages (Debian, \
             Ubuntu: `libstd-rust-dev-wasm32`)."
        ));
    }
    let job = Job {
        title: format!("Installing Rust's {WASM} target"),
        expect: Some("a download, once"),
        work: Box::new(|reporter| {
            reporter.run(
                "rustup",
                command(workspace, "rustup").args(["target", "add", WASM]),
            )
        }),
    };
    run_lanes(vec![vec![job]], &workspace.logs())
}

/// Makes sure that Node.js is there, for a task that needs it for `purpose`.
///
/// # Errors
/// When it is missing or too old: how to get it.
pub(crate) fn node(workspace: &Workspace, purpose: &str) -> Outcome<()> {
    let oldest = versions::NODE_MAJOR;
    let how = format!(
        "Install Node.js {oldest} or newer with npm from https://nodejs.org (macOS: `brew install node`)."
    );
    let printed = ask(command(workspace, "node").arg("--version"));
    let Some(version) = printed.as_deref().and_then(versions::printed) else {
        return fail(format!("Node.js is missing; {purpose} needs it. {how}"));
    };
    if versions::major(version).is_none_or(|major| major < oldest) {
        return fail(format!("Node.js {version} is too old for {purpose}. {how}"));
    }
    if find("npm", &search_path(workspace)).is_none() {
        return fail(format!(
            "npm, which belongs to Node.js, is missing; {purpose} needs it. {how}"
        ));
    }
    Ok(())
}

/// Makes sure that the Node packages (wasm-opt, Playwright, axe) are those of
/// the lock file. A copy of it in `node_modules` says which ones they are.
///
/// # Errors
/// When Node is missing or npm fails.
pub(crate) fn node_packages(workspace: &Workspace, purpose: &str) -> Outcome<()> {
    node(workspace, purpose)?;
    let lock_path = workspace.e2e().join("package-lock.json");
    let lock = std::fs::read(&lock_path).doing(format!("read {}", lock_path.display()))?;
    let stamp = workspace
        .e2e()
        .join("node_modules")
        .join(".installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let job = Job {
        title: "Installing the Node packages".into(),
        expect: Some("a download of about 60 MB, once"),
        work: Box::new(|reporter| {
            reporter.run(
                "npm",
                command(workspace, "npm")
                    .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                    .current_dir(workspace.e2e())
                    // The browser is the system's own; see `Browser`.
                    .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
            )
        }),
    };
    run_lanes(vec![vec![job]], &workspace.logs())?;
    std::fs::write(&stamp, lock).doing(format!("write {}", stamp.display()))
}

/// Installs packages of the system where that needs no question: as the
/// administrator of a Debian system, which is what containers are. Elsewhere
/// nothing happens.
///
/// # Errors
/// When the system's own tool fails.
pub(crate) fn install_packages(
    workspace: &Workspace,
    what: &str,
    packages: &[&'static str],
) -> Outcome<()> {
    let path = search_path(workspace);
    let administrator = ask(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let debian = Path::new("/etc/debian_version").exists() && find("apt-get", &path).is_some();
    if !administrator || !debian {
        return Ok(());
    }
    let packages = packages.to_vec();
    let job = Job {
        title: format!("Installing {what}"),
        expect: Some("a download, once"),
        work: Box::new(move |reporter| {
            reporter.run("apt-update", Command::new("apt-get").arg("update"))?;
            reporter.run(
                "apt-install",
                Command::new("apt-get")
                    .args(["install", "-y", "--no-install-recommends"])
                    .args(packages)
                    .env("DEBIAN_FRONTEND", "noninteractive"),
            )
        }),
    };
    run_lanes(vec![vec![job]], &workspace.logs())
}

/// A Chromium and the driver that the tests in the browser speak to.
#[derive(Debug)]
pub(crate) struct Browser {
    /// Chromium or Chrome.
    pub(crate) chromium: PathBuf,
    /// chromedriver of the same version.
    pub(crate) driver: PathBuf,
}

impl Browser {
    /// Finds them: `CHROMIUM` and `CHROMEDRIVER` if set, else the usual names.
    fn find(workspace: &Workspace) -> (Option<PathBuf>, Option<PathBuf>) {
        const NAMES: &[&str] = &[
            "chromium",
            "chromium-browser",
            "google-chrome-stable",
            "google-chrome",
            "chrome",
        ];
        const MAC: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
        let path = search_path(workspace);
        let set = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
        let chromium = set("CHROMIUM")
            .or_else(|| NAMES.iter().find_map(|name| find(name, &path)))
            .or_else(|| Some(PathBuf::from(MAC)).filter(|path| path.is_file()));
        let driver = set("CHROMEDRIVER").or_else(|| find("chromedriver", &path));
        (chromium, driver)
    }

    /// Finds the browser, or installs it where that needs no question: as the
    /// administrator of a Debian system, which is what containers are.
    ///
    /// # Errors
    /// When it is missing: the exact command to get it.
    pub(crate) fn ensure(workspace: &Workspace) -> Outcome<Self> {
        if let (Some(chromium), Some(driver)) = Self::find(workspace) {
            return Ok(Self { chromium, driver });
        }
        install_packages(
            workspace,
            "Chromium and its driver",
            // With a font as browsers have on a desktop: the tests measure lines of text.
            &["chromium", "chromium-driver", "fonts-liberation"],
        )?;
        match Self::find(workspace) {
            (Some(chromium), Some(driver)) => Ok(Self { chromium, driver }),
            (chromium, driver) => Err(Failure(missing_browser(
                chromium.is_none(),
                driver.is_none(),
            ))),
        }
    }
}

fn missing_browser(chromium: bool, driver: bool) -> String {
    let what = match (chromium, driver) {
        (true, true) => {
            "Chromium and chromedriver are missing; the tests in the browser need them."
        }
        (true, false) => "Chromium is missing; the tests in the browser need it.",
        _ => "chromedriver is missing; the tests in the browser need it.",
    };
    format!(
        "{what} Install both in the same version (Debian: `sudo apt-get install chromium \
         chromium-driver`; Fedora: `sudo dnf install chromium chromedriver`; macOS: `brew install \
         --cask google-chrome chromedriver`), or name them in the variables CHROMIUM and CHROMEDRIVER."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_built_programs_are_asked_for_by_system_and_version() {
        let url = RustTool::trunk().download_url("linux", "x86_64").unwrap();
        assert!(url.ends_with(&format!(
            "/v{}/trunk-x86_64-unknown-linux-gnu.tar.gz",
            versions::TRUNK
        )));
        let bindgen = RustTool {
            program: "wasm-bindgen",
            version: "1.2.3".into(),
            ..RustTool::trunk()
        };
        let url = bindgen.download_url("macos", "aarch64").unwrap();
        assert!(url.ends_with("/1.2.3/wasm-bindgen-1.2.3-aarch64-apple-darwin.tar.gz"));
        assert_eq!(bindgen.download_url("plan9", "mips"), None);
    }

    #[test]
    fn the_sentence_names_only_what_is_missing() {
        assert!(missing_browser(false, true).starts_with("chromedriver is missing"));
        assert!(missing_browser(true, false).starts_with("Chromium is missing"));
        assert!(missing_browser(true, true).contains("CHROMEDRIVER"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_found_in_the_first_folder_that_has_it() {
        let path = OsString::from("/no/such/folder:/bin:/usr/bin");
        assert_eq!(find("sh", &path), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("no-such-program-here", &path), None);
    }
}
