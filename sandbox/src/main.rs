//! Starts a sandbox on one port of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use retake_sandbox::{Config, Fixtures, Upstream, app, serve};
use tokio::net::TcpListener;

const HELP: &str = "\
A local ReSim: REST API, sign-in provider, simulated batches, and the built site.

retake-sandbox [options]
  --port N              listen on 127.0.0.1:N (8080)
  --site DIR            serve the built site from DIR
  --speed X             divide simulated durations by X (1)
  --seed N              the world to simulate (1)
  --fixtures LIST       which ready-made projects: everyday,large,faults,old,hostile (all)
  --token-lifetime S    seconds until an access token expires (3600)
  --cleanup S           seconds in which reruns answer 409 after a batch ended (8)
  --connect ORIGIN      let pages talk to another origin, such as a provider's
  --no-cors             do not let other origins call the API
  --api URL             pass calls on to a real ReSim API instead of simulating one
  --help                this text
";

struct Options {
    port: u16,
    config: Config,
}

fn read_options(words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        port: 8080,
        config: Config::default(),
    };
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--no-cors" => {
                options.config.cors = false;
                continue;
            }
            _ => {}
        }
        let value = inline.or_else(|| words.next());
        let config = &mut options.config;
        let value = || {
            value
                .clone()
                .ok_or_else(|| format!("{flag} needs a value."))
        };
        match flag.as_str() {
            "--port" => options.port = number(&flag, &value()?)?,
            "--site" => config.site = Some(PathBuf::from(value()?)),
            "--seed" => config.seed = number(&flag, &value()?)?,
            "--speed" => {
                config.speed = number(&flag, &value()?)?;
                if !(config.speed.is_finite() && config.speed > 0.0) {
                    return Err("--speed must be above 0.".to_owned());
                }
            }
            "--fixtures" => config.fixtures = Fixtures::parse(&value()?)?,
            "--token-lifetime" => config.token_lifetime = number(&flag, &value()?)?,
            "--cleanup" => {
                config.cleanup_ms = number::<u64>(&flag, &value()?)?.saturating_mul(1_000);
            }
            "--connect" => config.connect.push(value()?),
            "--api" => config.upstream = Some(Upstream::parse(&value()?)?),
            other => return Err(format!("There is no option {other}; --help lists them.")),
        }
    }
    Ok(Some(options))
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{flag} needs a number, not {text:?}."))
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match read_options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!(
                "Port {} cannot be used: {error}. Choose another with --port.",
                options.port
            );
            return ExitCode::FAILURE;
        }
    };
    let port = listener.local_addr().map_or(options.port, |it| it.port());
    match &options.config.upstream {
        Some(upstream) => println!("Passing calls on to {upstream} at http://localhost:{port}"),
        None => println!("The sandbox answers at http://localhost:{port}"),
    }
    tokio::select! {
        ended = serve(listener, app(options.config)) => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("The sandbox cannot listen any more: {error}.");
                ExitCode::FAILURE
            }
        },
        () = asked_to_end() => ExitCode::SUCCESS,
    }
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    // Without a way to hear it, only the end of the process ends the sandbox.
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Option<Options>, String> {
        read_options(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn both_spellings_of_a_value_are_taken() {
        let words = [
            "--port",
            "9000",
            "--speed=20",
            "--no-cors",
            "--cleanup=2",
            "--fixtures=old,large",
        ];
        let options = read(&words).unwrap().unwrap();
        assert_eq!(options.port, 9000);
        assert!((options.config.speed - 20.0).abs() < f64::EPSILON);
        assert!(!options.config.cors);
        assert_eq!(options.config.cleanup_ms, 2_000);
        assert_eq!(options.config.fixtures.to_string(), "large,old");
        assert!(read(&["--help"]).unwrap().is_none());
    }

    #[test]
    fn nonsense_is_refused_with_the_flag() {
        for words in [
            &["--port"][..],
            &["--port", "x"],
            &["--speed", "0"],
            &["--fixtures", "everyday,nothing"],
            &["--colour", "red"],
            &["--api", "ftp://x"],
        ] {
            let why = read(words).err().unwrap_or_default();
            assert!(why.contains(words[0]), "{words:?}: {why}");
        }
    }
}
