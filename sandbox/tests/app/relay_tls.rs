//! `--api https://…`: the relay speaks TLS, and to nobody whose certificate it
//! cannot check.
//!
//! The two certificates say that they are `localhost`, are signed by themselves
//! and are good for nothing but this test.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::socket::{Listening, ask};
use crate::support::Sandbox;

/// A file of `certificates`.
fn certificate(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/certificates");
    Path::new(folder).join(name)
}

/// Speaks TLS as `localhost` and passes the bytes on to `port`; its own port.
async fn tls_before(port: u16, who: &str) -> u16 {
    let key = PrivateKeyDer::from_pem_file(certificate(&format!("{who}.key"))).expect("a key");
    let public = CertificateDer::from_pem_file(certificate(&format!("{who}.pem")));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_no_client_auth()
        .with_single_cert(vec![public.expect("a certificate")], key)
        .expect("key and certificate fit");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let own = listener.local_addr().expect("it has an address").port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Whoever does not trust the certificate goes away here.
                let Ok(mut near) = acceptor.accept(socket).await else {
                    return;
                };
                if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    own
}

/// What the program answers when it relays to this address, trusting `roots`.
async fn answer_through(api: &str, roots: &Path, path: &str) -> String {
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_retake-sandbox"))
        .args(["--port", "0", "--api", api])
        .env("SSL_CERT_FILE", roots)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut out = BufReader::new(program.stdout.take().expect("it is piped"));
    let mut line = String::new();
    out.read_line(&mut line).await.expect("it says where it is");
    let port = line
        .trim()
        .rsplit(':')
        .next()
        .and_then(|it| it.parse().ok());
    let answer = ask(port.expect("a port at the end of the line"), "any", path).await;
    program.kill().await.expect("it ends");
    answer
}

#[tokio::test]
async fn the_far_side_is_spoken_to_over_tls_if_its_certificate_can_be_checked() {
    let far = Sandbox::new();
    let batch = far.order(json!({ "tests": 12 })).await;
    let listening = Listening::new(far.app.clone()).await;
    let roots = certificate("localhost.pem");

    let port = tls_before(listening.port, "localhost").await;
    let api = format!("https://localhost:{port}/v1/");
    let answer = answer_through(&api, &roots, &batch.path).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains(&batch.id),
        "{answer}"
    );

    let port = tls_before(listening.port, "impostor").await;
    let api = format!("https://localhost:{port}/v1/");
    let refused = answer_through(&api, &roots, &batch.path).await;
    assert!(refused.starts_with("HTTP/1.1 502"), "{refused}");
    assert!(!refused.contains(&batch.id), "{refused}");
}
