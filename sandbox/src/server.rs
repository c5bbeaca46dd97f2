//! Answers on a socket. Like axum's own server, but able to close a connection
//! without an answer, which is one of the faults to be shown.

use std::io;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::Dropped;

/// Serves `app` until the future is dropped.
///
/// # Errors
/// The socket cannot be listened on any more.
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let app = app.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
                let app = TowerToHyperService::new(app.clone());
                async move {
                    let request: Request = request.map(Body::new);
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
