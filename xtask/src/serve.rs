//! `cargo xtask serve`: from a fresh clone to the product in a browser.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::arguments::Arguments;
use crate::failure::{Outcome, fail};
use crate::progress::duration;
use crate::site::{self, Kind};
use crate::workspace::Workspace;
use crate::{port, process, sandbox};

/// The port when none is given.
const PORT: u16 = 8080;

/// What the sandbox knows by `--fixtures`. The sandbox checks it too; here a
/// misspelt name is refused before anything is built.
const FIXTURES: [&str; 5] = ["everyday", "large", "faults", "old", "hostile"];

/// What `serve` was asked for.
#[derive(Debug)]
struct Options {
    port: u16,
    kind: Kind,
    opens_browser: bool,
    /// Words for the sandbox: `--api`, `--speed`, `--seed`, `--fixtures`.
    sandbox: Vec<String>,
}

impl Options {
    fn parse(mut arguments: Arguments) -> Outcome<Self> {
        let port = arguments.take_parsed("--port", "a port number from 1 to 65535")?;
        if port == Some(0) {
            return fail("`--port 0`: this is not a port number from 1 to 65535.");
        }
        let mut sandbox = Vec::new();
        if let Some(url) = arguments.take_value("--api")? {
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return fail(format!(
                    "`--api {url}`: this is not a web address such as https://api.resim.ai/v1/."
                ));
            }
            sandbox.extend(["--api".into(), url]);
        }
        if let Some(speed) = arguments.take_parsed::<f64>("--speed", "a number such as 10")? {
            sandbox.extend(["--speed".into(), speed.to_string()]);
        }
        if let Some(seed) = arguments.take_parsed::<u64>("--seed", "a whole number")? {
            sandbox.extend(["--seed".into(), seed.to_string()]);
        }
        if let Some(fixtures) = arguments.take_value("--fixtures")? {
            let wrong = fixtures
                .split(',')
                .map(str::trim)
                .find(|it| !FIXTURES.contains(it));
            if let Some(wrong) = wrong {
                return fail(format!(
                    "`--fixtures {fixtures}`: there is no {wrong:?}; there are {}.",
                    FIXTURES.join(",")
                ));
            }
            sandbox.extend(["--fixtures".into(), fixtures]);
        }
        let kind = if arguments.take_flag("--release") {
            Kind::Release
        } else {
            Kind::Quick
        };
        let opens_browser = !arguments.take_flag("--no-open");
        arguments.finish()?;
        Ok(Self {
            port: port.unwrap_or(PORT),
            kind,
            opens_browser,
            sandbox,
        })
    }
}

/// Runs the task until Ctrl-C.
///
/// # Errors
/// When something needed is missing, taken or broken.
pub(crate) fn serve(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    let options = Options::parse(arguments)?;
    let started = Instant::now();
    // First what takes no time to find out.
    port::require_free(options.port)?;
    let site = site::build(workspace, options.kind, true)?;
    // Minutes may have passed.
    port::require_free(options.port)?;
    let mut running = sandbox::start(workspace, &site, options.port, &options.sandbox, None)?;
    let url = format!("http://localhost:{}", options.port);
    println!(
        "\nRetake is at {url} (ready after {}; Ctrl-C ends it)",
        duration(started.elapsed())
    );
    process::ctrl_c_is_success();
    if options.opens_browser {
        open_browser(&url);
    }
    let status = running.wait()?;
    fail(format!("The sandbox ended unexpectedly ({status})."))
}

/// Shows `url` if there is a desktop. Nothing depends on it, so nothing fails.
fn open_browser(url: &str) {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") {
        "xdg-open"
    } else {
        return;
    };
    if is_set("CI") {
        return;
    }
    let opened = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Ok(mut child) = opened {
        // The opener may live as long as the browser; waiting here for it
        // would only matter for its exit code.
        std::thread::spawn(move || child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Outcome<Options> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Options::parse(Arguments::new("serve", words))
    }

    #[test]
    fn plain_serve_is_quick_on_8080() {
        let options = parse(&[]).unwrap();
        assert_eq!((options.port, options.kind), (8080, Kind::Quick));
        assert!(options.opens_browser && options.sandbox.is_empty());
    }

    #[test]
    fn the_sandboxs_own_flags_are_passed_on() {
        let options = parse(&[
            "--api",
            "https://a/v1/",
            "--speed=20",
            "--fixtures=everyday,old",
            "--release",
            "--no-open",
        ])
        .unwrap();
        let passed = [
            "--api",
            "https://a/v1/",
            "--speed",
            "20",
            "--fixtures",
            "everyday,old",
        ];
        assert_eq!(options.sandbox, passed);
        assert_eq!(options.kind, Kind::Release);
        assert!(!options.opens_browser);
    }

    #[test]
    fn nonsense_is_refused_before_anything_is_built() {
        for words in [
            ["--port", "0"],
            ["--port", "http"],
            ["--api", "api.resim.ai"],
            ["--speed", "fast"],
            ["--seed", "-1"],
            ["--fixtures", "everyday,huge"],
            ["--porto", "1"],
        ] {
            assert!(parse(&words).is_err(), "{words:?}");
        }
    }
}
