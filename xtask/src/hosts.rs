//! Real web servers with the configurations that are shipped, for tests.
//!
//! Each serves a folder that `cargo xtask dist` makes, below its base path, and
//! relays `/v1/` to a sandbox that allows no other origin (`--no-cors`). What a
//! test needs beyond the shipped files (the sandbox's provider and controls on
//! the same address, a port of this machine) is added around them; the shipped
//! lines stay as they are, but for addresses and certificates.
//!
//! nginx is required and installed like the browser is. Caddy is used where it
//! is there, or can be installed the same way; a build server whose Debian has it
//! must have it, so that it is never left out unseen.
//!
//! - [`nginx`]: its configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::dist::{self, Wish};
use crate::failure::{Doing, Failure, Outcome, fail};
use crate::files::write;
use crate::process::{Running, ask};
use crate::tools::{self, find, search_path};
use crate::workspace::Workspace;
use crate::{port, sandbox};

mod nginx;

/// The path below which one of the sites lives.
const PATH: &str = "/some/path/";
/// How long a server may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(20);

/// What runs for the tests; dropping it ends it all.
pub(crate) struct Hosts {
    /// The servers, as JSON: a list of objects with `name` and `url`.
    pub(crate) list: String,
    /// The shipped server of nginx: an object with `plain` and `tls`, its addresses.
    pub(crate) server: String,
    /// A relay behind which somebody else answers than the API.
    pub(crate) misled: String,
    /// The folder of a published site.
    pub(crate) folder: PathBuf,
    /// The sandbox behind them, which no other origin may call.
    pub(crate) api: String,
    _running: Vec<Running>,
}

/// Starts everything on the release build in `site`.
///
/// # Errors
/// When nginx cannot be had, or something does not start.
pub(crate) fn start(workspace: &Workspace, site: &Path) -> Outcome<Hosts> {
    let nginx = NGINX.ensure(workspace)?;
    let caddy = CADDY.ensure(workspace);
    if let Err(missing) = &caddy
        && must_have(&CADDY)
    {
        return fail(missing.0.clone());
    }
    let folder = workspace.target.join("hosting");
    std::fs::create_dir_all(&folder).doing(format!("create {}", folder.display()))?;

    let api = port::any_free()?;
    let log = workspace.logs().join("sandbox-hosting.log");
    let mut running = vec![sandbox::start(
        workspace,
        site,
        api,
        &["--no-cors".into()],
        Some(&log),
    )?];
    let config = folder.join("config.json");
    write(&config, &configuration(api))?;
    let make = |name: &str, base: &str| -> Outcome<PathBuf> {
        let wish = Wish {
            base: base.into(),
            config: Some(config.clone()),
            connect: Vec::new(),
            folder: folder.join(name),
        };
        dist::make(workspace, site, &wish)?;
        Ok(wish.folder)
    };
    let at_root = make("root", "/")?;
    let below = make("below", PATH)?;

    let mut list = Vec::new();
    let sites = nginx::Sites {
        root: &at_root,
        below: &below,
        api,
    };
    let (mut command, ports) = nginx::prepare(workspace, &nginx, &folder, &sites)?;
    running.push(started(&mut command, "nginx", ports.root)?);
    list.push(entry("nginx", ports.root, "/"));
    list.push(entry("nginx below a path", ports.below, PATH));

    if let Ok(caddy) = &caddy {
        for (name, site, base) in [
            ("Caddy", &at_root, "/"),
            ("Caddy below a path", &below, PATH),
        ] {
            let port = port::any_free()?;
            let file = folder.join(format!("Caddyfile-{port}"));
            write(&file, &caddyfile(site, api)?)?;
            let mut command = tools::command(workspace, &caddy.to_string_lossy());
            command
                .args(["run", "--adapter", "caddyfile", "--config"])
                .arg(&file)
                .env("RETAKE_ADDRESS", format!("http://localhost:{port}"))
                .env("RETAKE_ROOT", site)
                .env("RETAKE_API", format!("http://127.0.0.1:{api}"))
                .env("XDG_DATA_HOME", &folder)
                .env("XDG_CONFIG_HOME", &folder);
            let log = format!("caddy-{port}.log");
            if let Ok(log) = std::fs::File::create(workspace.logs().join(log)) {
                command.stderr(log);
            }
            running.push(started(&mut command, name, port)?);
            list.push(entry(name, port, base));
        }
    }
    if let Err(missing) = caddy {
        println!("{missing} Its configuration is not tested without it.");
    }
    Ok(Hosts {
        list: format!("[{}]", list.join(",")),
        server: format!(
            r#"{{"plain":"http://localhost:{}","tls":"https://localhost:{}"}}"#,
            ports.plain, ports.tls
        ),
        misled: format!("http://localhost:{}", ports.misled),
        folder: below,
        api: format!("http://localhost:{api}"),
        _running: running,
    })
}

/// A web server that the test starts.
struct Server {
    name: &'static str,
    program: &'static str,
    /// Debian's package of it.
    package: &'static str,
    /// How others get it.
    elsewhere: &'static str,
}

const NGINX: Server = Server {
    name: "nginx",
    program: "nginx",
    package: "nginx-light",
    elsewhere: "Fedora: `sudo dnf install nginx`; macOS: `brew install nginx`",
};

const CADDY: Server = Server {
    name: "Caddy",
    program: "caddy",
    package: "caddy",
    elsewhere: "Fedora: `sudo dnf install caddy`; macOS: `brew install caddy`; else: https://caddyserver.com/docs/install",
};

impl Server {
    /// Its program: where it is, or where it is after installing it.
    fn ensure(&self, workspace: &Workspace) -> Outcome<PathBuf> {
        let look = || {
            let mut path = search_path(workspace);
            // Where Debian keeps servers, which is not on everybody's path.
            path.push(":/usr/sbin");
            find(self.program, &path)
        };
        if let Some(found) = look() {
            return Ok(found);
        }
        // If that fails it has said so; the sentence below says what to do.
        let _ = tools::install_packages(workspace, self.name, &[self.package]);
        look().ok_or_else(|| Failure(self.missing()))
    }

    fn missing(&self) -> String {
        format!(
            "{} is missing; the test of the shipped configurations starts it. Install it (Debian: \
             `sudo apt-get install {}`; {}).",
            self.name, self.package, self.elsewhere
        )
    }
}

/// Whether a missing server is a failure: on a build server whose Debian has it.
fn must_have(server: &Server) -> bool {
    let is_build_server = std::env::var("CI").is_ok_and(|it| !matches!(&*it, "" | "false" | "0"));
    is_build_server
        && ask(std::process::Command::new("apt-cache")
            .args(["show", "--no-all-versions"])
            .arg(server.package))
        .is_some()
}

fn entry(name: &str, port: u16, base: &str) -> String {
    format!(r#"{{"name":"{name}","url":"http://localhost:{port}{base}"}}"#)
}

fn started(command: &mut std::process::Command, name: &str, port: u16) -> Outcome<Running> {
    port::serve(command, port, START_LIMIT, || {
        format!("{name} does not start with the shipped configuration.")
    })
}

/// One environment by the relay, one that calls the API directly.
fn configuration(api: u16) -> String {
    format!(
        r#"{{"environments":[
  {{"name":"Relay","api":"/v1/","issuer":"/oidc","client_id":"retake-sandbox",
    "audience":"https://api.resim.ai","min_poll_every":"1s","settle_window":"20s","sandbox":true}},
  {{"name":"Direct","api":"http://localhost:{api}/v1/"}}
]}}
"#
    )
}

/// The shipped Caddyfile, with the sandbox's own paths before the relay.
fn caddyfile(site: &Path, api: u16) -> Outcome<String> {
    let path = site.join("hosting").join("caddy").join("Caddyfile");
    let text = std::fs::read_to_string(&path).doing(format!("read {}", path.display()))?;
    let parts = ["oidc", "sandbox", "files"].map(|part| {
        format!("\t\thandle /{part}/* {{\n\t\t\treverse_proxy http://127.0.0.1:{api}\n\t\t}}\n")
    });
    let text = text.replacen(
        "\troute {\n",
        &format!("\tbind 127.0.0.1\n\n\troute {{\n{}", parts.concat()),
        1,
    );
    Ok(format!("{{\n\tadmin off\n\tauto_https off\n}}\n\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_is_named_with_the_way_to_it() {
        for (server, words) in [
            (NGINX, "nginx is missing"),
            (CADDY, "`sudo apt-get install caddy`"),
        ] {
            assert!(server.missing().contains(words), "{}", server.missing());
        }
    }
}
