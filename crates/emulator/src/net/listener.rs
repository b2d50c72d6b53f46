//! The accept loop of a listener, and the HTTP library over each of its connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::exchange::Note;
use super::registry::Registry;
use super::site::Site;
use super::stop::Stop;
use super::stream::FaultStream;
use crate::sync::lock;

/// A listener on loopback.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    site: Arc<dyn Site>,
    router: Router,
    registry: Arc<Registry>,
    stop: Stop,
    checkpoints: Checkpoints,
}

/// Asks a listener to accept all waiting connections.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    ask: mpsc::Sender<oneshot::Sender<()>>,
}

/// The listener's side of a checkpoint.
pub(crate) type Checkpoints = mpsc::Receiver<oneshot::Sender<()>>;

impl Checkpoint {
    pub(crate) fn new() -> (Self, Checkpoints) {
        let (ask, checkpoints) = mpsc::channel(16);
        (Self { ask }, checkpoints)
    }

    /// Resolves when every connection that was waiting before this call is accepted. Returns `false` if the listener
    /// has ended.
    pub(crate) async fn pass(&self) -> bool {
        let (done, passed) = oneshot::channel();
        self.ask.send(done).await.is_ok() && passed.await.is_ok()
    }
}

impl Listener {
    pub(crate) fn new(
        listener: TcpListener,
        site: Arc<dyn Site>,
        router: Router,
        registry: Arc<Registry>,
        stop: Stop,
        checkpoints: Checkpoints,
    ) -> Self {
        Self { listener, site, router, registry, stop, checkpoints }
    }

    /// Accepts until the emulator stops.
    pub(crate) async fn run(mut self) {
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => return,
                Some(done) = self.checkpoints.recv() => {
                    self.accept_waiting();
                    // The receiver may have been dropped.
                    let _ = done.send(());
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, peer)) => self.serve(socket, peer),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors: accepting again at once would spin.
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                },
            }
        }
    }

    /// Accepts with direct system calls connections that the runtime may not have noticed yet.
    fn accept_waiting(&self) {
        while let Ok((socket, peer)) = SockRef::from(&self.listener).accept() {
            let adopted = socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket.into()));
            match (adopted, peer.as_socket()) {
                (Ok(socket), Some(peer)) => self.serve(socket, peer),
                (Err(error), _) => tracing::warn!(%error, "a connection could not be adopted"),
                (Ok(_), None) => {}
            }
        }
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr) {
        self.site.connected();
        // An error means that the peer has already disconnected.
        let _ = socket.set_nodelay(true);
        let socket = Arc::new(socket);
        let registration = self.registry.register(peer, &socket);
        let slot = Arc::new(Mutex::new(None));
        let (site, stop) = (Arc::clone(&self.site), self.stop.clone());
        let stream = FaultStream::new(socket, registration, site, Arc::clone(&slot), stop.clone());
        let service = NotedService { router: self.router.clone(), site: Arc::clone(&self.site), slot };
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Some(Err(error)) = stop.or(connection).await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
        });
    }
}

/// Binds a port on loopback; 0 chooses a free one.
pub(crate) async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// A service that runs each request in a task of its own, so that the work continues when the connection closes.
#[derive(Clone)]
struct NotedService {
    router: Router,
    site: Arc<dyn Site>,
    slot: Arc<Mutex<Option<Note>>>,
}

impl Service<Request<Incoming>> for NotedService {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if let Some(note) = lock(&self.slot).take() {
            request.extensions_mut().insert(note);
        }
        if let Some(uri) = self.site.rewritten(request.uri()) {
            *request.uri_mut() = uri;
        }
        let work = tokio::spawn(TowerToHyperService::new(self.router.clone()).call(request));
        Box::pin(async move {
            match work.await {
                Ok(Ok(response)) => Ok(response),
                Err(error) => {
                    tracing::error!(%error, "a request's handler failed");
                    Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
                }
            }
        })
    }
}
