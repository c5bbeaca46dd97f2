//! nginx with the shipped configuration: two sites, the example server, and what
//! stands in for the ReSim API behind their relays.
//!
//! The relay calls its API by TLS, as it is shipped, so that the lines about it
//! are tested too. The API's part is played by nginx itself, with a certificate
//! made here for its name, in front of the sandbox. An impostor has a certificate
//! that is trusted as well but names another host: the relay must not talk to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Doing, Outcome, fail};
use crate::files::{read, write};
use crate::process::{ask, run};
use crate::workspace::Workspace;
use crate::{port, tools};

/// The API's host in the shipped relay.
const API: &str = "api.resim.ai";
/// The site's host in the shipped server.
const SITE: &str = "retake.example.com";
const IMPOSTOR: &str = "impostor.example.com";

/// Where everything answers.
pub(super) struct Ports {
    /// A site at the root, without TLS.
    pub(super) root: u16,
    /// A site below a path, without TLS.
    pub(super) below: u16,
    /// The shipped `server.conf`: what leads to https, and https.
    pub(super) plain: u16,
    pub(super) tls: u16,
    /// A relay to the impostor.
    pub(super) misled: u16,
}

/// What is served, and where the sandbox is.
pub(super) struct Sites<'a> {
    pub(super) root: &'a Path,
    pub(super) below: &'a Path,
    pub(super) api: u16,
}

/// Writes the configuration into `folder`, has nginx check it, and gives the
/// command that starts it.
///
/// # Errors
/// When a certificate cannot be made, the shipped files are not as expected, or
/// nginx refuses them.
pub(super) fn prepare(
    workspace: &Workspace,
    program: &Path,
    folder: &Path,
    sites: &Sites<'_>,
) -> Outcome<(Command, Ports)> {
    for host in [API, SITE, IMPOSTOR] {
        certificate(workspace, folder, host)?;
    }
    let trusted = folder.join("trusted.pem");
    let read = |host: &str| {
        let path = folder.join(format!("{host}.crt"));
        std::fs::read_to_string(&path).doing(format!("read {}", path.display()))
    };
    write(&trusted, &[read(API)?, read(IMPOSTOR)?].concat())?;

    let ports = Ports {
        root: port::any_free()?,
        below: port::any_free()?,
        plain: port::any_free()?,
        tls: port::any_free()?,
        misled: port::any_free()?,
    };
    let (real, impostor) = (port::any_free()?, port::any_free()?);
    let servers = [
        site(sites.root, folder, ports.root, real, sites.api)?,
        site(sites.below, folder, ports.below, real, sites.api)?,
        shipped(sites.root, folder, &ports, real)?,
        format!(
            "    server {{\n        listen 127.0.0.1:{};\n{}    }}\n",
            ports.misled,
            relay(sites.root, folder, impostor)?
        ),
        api(folder, API, real, sites.api),
        api(folder, IMPOSTOR, impostor, sites.api),
    ];
    let conf = folder.join("nginx.conf");
    write(&conf, &whole(folder, &servers.concat()))?;
    let command = || {
        let mut command = tools::command(workspace, &program.to_string_lossy());
        command.arg("-c").arg(&conf).arg("-p").arg(folder);
        command
    };
    if !run(command().args(["-t", "-q"]))? {
        return fail("nginx refuses the shipped configuration; the reason stands above.");
    }
    Ok((command(), ports))
}

/// A certificate for `host`, signed by itself, and its key.
fn certificate(workspace: &Workspace, folder: &Path, host: &str) -> Outcome<()> {
    if tools::find("openssl", &tools::search_path(workspace)).is_none() {
        // If that fails it has said so; the sentence below says what to do.
        let _ = tools::install_packages(workspace, "openssl", &["openssl"]);
    }
    let file = |ending: &str| folder.join(format!("{host}.{ending}"));
    let mut openssl = tools::command(workspace, "openssl");
    openssl
        .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", &format!("/CN={host}")])
        .args(["-addext", &format!("subjectAltName=DNS:{host}")])
        .arg("-keyout")
        .arg(file("key"))
        .arg("-out")
        .arg(file("crt"));
    if ask(&mut openssl).is_some() {
        Ok(())
    } else {
        fail(
            "openssl makes the certificates that the test of the shipped configurations needs, and \
             it is missing or failed. Install it (Debian: `sudo apt-get install openssl`).",
        )
    }
}

/// The text with `from` replaced, which has to be there exactly once: a test of a
/// shipped file must notice when that file has changed.
fn swapped(text: &str, from: &str, to: &str) -> Outcome<String> {
    match text.matches(from).count() {
        1 => Ok(text.replace(from, to)),
        count => fail(format!(
            "A shipped configuration has `{from}` {count} times instead of once; \
             xtask/src/hosts/nginx.rs puts the test's own in its place."
        )),
    }
}

fn shipped_file(site: &Path, name: &str) -> PathBuf {
    site.join("hosting").join("nginx").join(name)
}

/// The shipped relay, to `port` of this machine in place of the API's address.
/// The name that it asks for and checks stays the API's.
fn relay(site: &Path, folder: &Path, port: u16) -> Outcome<String> {
    let text = read(&shipped_file(site, "relay.conf"))?;
    let text = swapped(
        &text,
        &format!("proxy_pass https://{API};"),
        &format!("proxy_pass https://127.0.0.1:{port};"),
    )?;
    swapped(
        &text,
        "/etc/ssl/certs/ca-certificates.crt",
        &folder.join("trusted.pem").to_string_lossy(),
    )
}

/// The shipped `server.conf`, on ports of this machine.
fn shipped(site: &Path, folder: &Path, ports: &Ports, api: u16) -> Outcome<String> {
    let relay_file = folder.join("relay.conf");
    write(&relay_file, &relay(site, folder, api)?)?;
    let at = |port: u16| format!("listen 127.0.0.1:{port}");
    let path = |path: &Path| path.display().to_string();
    let mut text = read(&shipped_file(site, "server.conf"))?;
    for (from, to) in [
        ("listen 80;", format!("{};", at(ports.plain))),
        ("listen [::]:80;", format!("{};", at(port::any_free()?))),
        (
            "\n    listen 443 ssl",
            format!("\n    {} ssl", at(ports.tls)),
        ),
        (
            "listen [::]:443 ssl",
            format!("{} ssl", at(port::any_free()?)),
        ),
        (
            "/etc/letsencrypt/live/retake.example.com/fullchain.pem",
            path(&folder.join(format!("{SITE}.crt"))),
        ),
        (
            "/etc/letsencrypt/live/retake.example.com/privkey.pem",
            path(&folder.join(format!("{SITE}.key"))),
        ),
        ("root /srv/retake;", format!("root {};", site.display())),
        (
            "/srv/retake/hosting/nginx/retake.conf",
            path(&shipped_file(site, "retake.conf")),
        ),
        ("/etc/nginx/retake-relay.conf", path(&relay_file)),
    ] {
        text = swapped(&text, from, &to)?;
    }
    Ok(text)
}

/// A server of the shipped files without TLS, for browsers: they trust no
/// certificate of ours. The sandbox's own paths are beside the relay.
fn site(site: &Path, folder: &Path, port: u16, api: u16, sandbox: u16) -> Outcome<String> {
    Ok(format!(
        "    server {{\n        listen 127.0.0.1:{port};\n        server_name localhost;\n        \
         root {};\n        include {};\n{}{}    }}\n",
        site.display(),
        shipped_file(site, "retake.conf").display(),
        relay(site, folder, api)?,
        ["oidc", "sandbox", "files"]
            .map(|part| format!(
                "        location /{part}/ {{\n            proxy_pass http://127.0.0.1:{sandbox};\n            \
                 proxy_set_header Host $http_host;\n        }}\n"
            ))
            .concat(),
    ))
}

/// What plays the API: `host` by TLS, for callers that ask for the API by name.
fn api(folder: &Path, host: &str, port: u16, sandbox: u16) -> String {
    let folder = folder.display();
    format!(
        "    server {{\n        listen 127.0.0.1:{port} ssl;\n        \
         ssl_certificate {folder}/{host}.crt;\n        ssl_certificate_key {folder}/{host}.key;\n        \
         if ($ssl_server_name != {API}) {{\n            return 421;\n        }}\n        \
         location / {{\n            proxy_pass http://127.0.0.1:{sandbox};\n            \
         proxy_set_header Host $http_host;\n        }}\n    }}\n"
    )
}

fn whole(folder: &Path, servers: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log warn;\n\
         events {{ }}\nhttp {{\n    access_log off;\n    client_body_temp_path {folder}/nginx-body;\n    \
         proxy_temp_path {folder}/nginx-proxy;\n    fastcgi_temp_path {folder}/nginx-fastcgi;\n    \
         uwsgi_temp_path {folder}/nginx-uwsgi;\n    scgi_temp_path {folder}/nginx-scgi;\n{servers}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_replaces_has_to_be_there_once() {
        assert_eq!(swapped("a b c", "b", "x").unwrap(), "a x c");
        assert!(swapped("a c", "b", "x").unwrap_err().0.contains("0 times"));
        assert!(swapped("b b", "b", "x").unwrap_err().0.contains("2 times"));
    }
}
