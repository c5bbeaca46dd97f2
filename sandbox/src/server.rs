//! Answers on a socket. Like axum's own server, but able to close a connection
//! without an answer, which is one of the faults to be shown.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::Dropped;

/// Numbers the connections, so that a test can tell whether a request came over
/// one that was used before.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// The number of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection(pub(crate) u64);

/// Serves `app` until the future is dropped.
///
/// # Errors
/// The socket cannot be listened on any more.
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let app = app.clone();
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
                let app = TowerToHyperService::new(app.clone());
                async move {
                    let mut request: Request = request.map(Body::new);
                    request.extensions_mut().insert(Connection(number));
                    let response = hyper::service::Service::call(&app, request).await;
                    match response {
                        Ok(response) if response.extensions().get::<Dropped>().is_some() => {
                            Err(io::Error::other("dropped on purpose"))
                        }
                        Ok(response) => Ok(response),
                        Err(never) => match never {},
                    }
                }
            });
            // A connection that ends badly is the caller's affair.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
