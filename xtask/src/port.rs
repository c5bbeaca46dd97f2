//! Ports of this machine: whether one is free, and who has it if not.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Doing, Failure, Outcome, fail};
use crate::process::{Running, ask, stopping};

/// A port that nobody uses at this moment.
///
/// # Errors
/// When the system gives none.
pub(crate) fn any_free() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    Ok(listener.local_addr().doing("find a free port")?.port())
}

/// Checks that `port` can be listened on, for both addresses that "localhost"
/// may mean: a stranger on the other one would get the browser's requests.
///
/// # Errors
/// Who has the port, and which flag chooses another.
pub(crate) fn require_free(port: u16) -> Outcome<()> {
    let addresses = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ];
    for address in addresses {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(Failure(taken(port, owner(port).as_deref())));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return fail(format!(
                    "The system does not let you use port {port} (ports below 1024 are reserved). \
                     Choose another: `cargo xtask serve --port 8081`."
                ));
            }
            // No IPv6 here is fine; anything else the sandbox itself will say.
            _ => {}
        }
    }
    Ok(())
}

fn taken(port: u16, owner: Option<&str>) -> String {
    let who = owner.map_or_else(
        || "another program".into(),
        |owner| {
            if owner.contains("retake-sandbox") {
                format!("another sandbox of Retake ({owner}), perhaps in another terminal")
            } else {
                owner.to_owned()
            }
        },
    );
    let other = if port == 8081 { 8082 } else { 8081 };
    format!(
        "Port {port} is taken by {who}. End that program, or choose another port: \
         `cargo xtask serve --port {other}`."
    )
}

/// The program that listens on `port`, as "name, process 123".
fn owner(port: u16) -> Option<String> {
    owner_by_proc(port).or_else(|| owner_by_lsof(port))
}

/// Linux: the socket's inode from the list of sockets, then whoever has it open.
fn owner_by_proc(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let wanted = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().filter(|name| name.parse::<u32>().is_ok()) else {
            continue;
        };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let has_it = files.flatten().any(|file| {
            std::fs::read_link(file.path()).is_ok_and(|target| target == Path::new(&wanted))
        });
        if has_it {
            let program = std::fs::read_to_string(process.path().join("comm")).ok()?;
            return Some(format!("{}, process {pid}", program.trim()));
        }
    }
    None
}

/// The inode of the listening socket in the text of `/proc/net/tcp`.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, hex) = fields.get(1)?.rsplit_once(':')?;
        let same = u16::from_str_radix(hex, 16).ok()? == port && *fields.get(3)? == LISTEN;
        same.then(|| fields.get(9)?.parse().ok()).flatten()
    })
}

fn owner_by_lsof(port: u16) -> Option<String> {
    let mut lsof = Command::new("lsof");
    lsof.args(["-nP", "-sTCP:LISTEN", "-Fpc"])
        .arg(format!("-iTCP:{port}"));
    let text = ask(&mut lsof)?;
    let field = |letter: char| text.lines().find_map(|line| line.strip_prefix(letter));
    Some(format!("{}, process {}", field('c')?, field('p')?))
}

/// Starts a server and waits until it answers on `port`.
///
/// # Errors
/// When it cannot be started, or with the words of `wrong` when it does not answer in time.
pub(crate) fn serve(
    command: &mut Command,
    port: u16,
    limit: Duration,
    wrong: impl FnOnce() -> String,
) -> Outcome<Running> {
    let mut running = Running::start(command)?;
    let answers = wait_for_http(port, limit, || {
        !stopping() && matches!(running.ended(), Ok(None))
    });
    if answers { Ok(running) } else { fail(wrong()) }
}

/// Waits until an HTTP server answers on `port`. `alive` says whether it is
/// still worth waiting. True when it answered.
pub(crate) fn wait_for_http(port: u16, limit: Duration, mut alive: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end && alive() {
        if answers(port) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    false
}

fn answers(port: u16) -> bool {
    let patience = Duration::from_secs(2);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, patience) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(patience));
    let request = format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    let mut start = [0; 5];
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && &start == b"HTTP/"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4242 1 0 100 0\n\
        1: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000 0 4343 1 0 100 0\n";

    #[test]
    fn only_a_listening_socket_owns_the_port() {
        assert_eq!(listening_inode(TABLE, 8080), Some(4242));
        assert_eq!(listening_inode(TABLE, 8081), None);
        assert_eq!(listening_inode("", 8080), None);
    }

    #[test]
    fn a_taken_port_names_the_program_and_the_way_out() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        let words = require_free(port).unwrap_err().0;
        assert!(
            words.contains(&format!("Port {port} is taken by")),
            "{words}"
        );
        assert!(words.contains("--port"), "{words}");
        if cfg!(target_os = "linux") {
            let process = format!("process {}", std::process::id());
            assert!(words.contains(&process), "{words}");
        }
    }

    #[test]
    fn our_own_sandbox_is_recognised() {
        assert!(
            taken(8080, Some("retake-sandbox, process 7")).contains("another sandbox of Retake")
        );
        assert!(taken(8081, None).contains("--port 8082"));
    }
}
