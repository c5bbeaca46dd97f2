//! What needs a socket after all: a sandbox that listens on this machine, and
//! the bytes that it sends.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use retake_sandbox::{Upstream, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::Sandbox;

/// Something that listens, until it is dropped.
pub(crate) struct Listening {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn new(app: Router) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(address).await.expect("a free port");
        let port = listener.local_addr().expect("it has an address").port();
        let task = tokio::spawn(async move {
            let _ = serve(listener, app).await;
        });
        Self { port, task }
    }

    /// The address of its API.
    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v1/", self.port)
    }

    /// A sandbox that relays to it.
    pub(crate) fn relay(&self) -> Sandbox {
        let upstream = Upstream::parse(&self.base()).expect("a local address");
        Sandbox::with("everyday", |config| config.upstream = Some(upstream))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks over a socket, as curl would; the whole answer as text.
pub(crate) async fn ask(port: u16, token: &str, path: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .expect("it listens");
    let asked = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(asked.as_bytes())
        .await
        .expect("it is read");
    let mut answer = Vec::new();
    // A connection that is cut still gave what came before.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
