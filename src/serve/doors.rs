//! The doors: connections taken one by one, so many at once and no slower than people are, and closed in order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections open at once; more wait to be taken (F94).
const AT_ONCE: usize = 256;
/// The head of a request is here after this, or the connection is closed, idle ones included.
const HEAD: Duration = Duration::from_secs(20);
/// What a request in hand has left once vakt stops.
const FAREWELL: Duration = Duration::from_secs(3);
/// A listener that fails, for want of file descriptors say, is tried again after this.
const BREATH: Duration = Duration::from_millis(200);

/// Takes connections until it is stopped; requests in hand are finished.
pub(super) async fn keep(listener: TcpListener, app: Router, stop: CancellationToken) {
    let free = Arc::new(Semaphore::new(AT_ONCE));
    let mut connections = JoinSet::new();
    loop {
        let taken = tokio::select! {
            () = stop.cancelled() => break,
            taken = take(&listener, &free) => taken,
        };
        match taken {
            Ok((stream, place)) => {
                let (app, stop) = (app.clone(), stop.clone());
                connections.spawn(async move {
                    attend(stream, app, stop).await;
                    drop(place);
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, "a connection cannot be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn take(listener: &TcpListener, free: &Arc<Semaphore>) -> std::io::Result<(TcpStream, Place)> {
    let place = free.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn attend(stream: TcpStream, app: Router, stop: CancellationToken) {
    // Answers are short; waiting to fill a packet would only make them late.
    stream.set_nodelay(true).ok();
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(FAREWELL, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(e) = ended {
        tracing::debug!(error = %e, "a connection ended early");
    }
}
