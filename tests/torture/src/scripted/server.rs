//! The server: two origins, like the gateway and its CDN. Each connection plays a script.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use gptimage_emulator::internals::Account;
use gptimage_emulator::{Billing, LedgerEntry, Side};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::authority::Authority;
use super::play::play;
use super::script::Script;
use super::shared::{Busy, Shared, SideState, lock};

/// The smallest valid image, in base64.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// Builds a [`ScriptedServer`]; made by [`ScriptedServer::builder`].
#[derive(Debug, Clone)]
#[must_use = "settings do nothing until `start`"]
pub struct ScriptedServerBuilder {
    billing: Billing,
    authority: Option<Authority>,
    picture: Bytes,
    pictures: usize,
    key: Option<String>,
}

impl ScriptedServerBuilder {
    /// Sets the only accepted key. Ports are reused, so a client of an earlier server may connect to this one; its key
    /// tells it apart. Default: every key is accepted.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets whether failures are charged. Default: [`Billing::Documented`].
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// Speaks TLS, with a certificate of this authority. Default: plain TCP.
    pub fn tls(mut self, authority: &Authority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// Sets the image in every response. Default: a PNG of one pixel.
    pub fn picture(mut self, picture: impl Into<Bytes>) -> Self {
        self.picture = picture.into();
        self
    }

    /// Sets how many images a response holds. Default: 1.
    pub fn pictures(mut self, pictures: usize) -> Self {
        self.pictures = pictures;
        self
    }

    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    /// If a port on loopback cannot be bound.
    pub async fn start(self) -> io::Result<ScriptedServer> {
        let (api, cdn) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            account: Arc::new(Account::new(self.billing, self.key.as_deref())),
            authority: self.authority,
            picture_base64: base64_simd::STANDARD.encode_to_string(&self.picture),
            picture: self.picture,
            pictures: self.pictures,
            cdn_url: format!("{scheme}://{}", cdn.local_addr()?),
            sides: [SideState::new(Side::Api), SideState::new(Side::Cdn)],
            busy: watch::Sender::new(0),
            marks: watch::Sender::new(0),
        });
        let base_url = format!("{scheme}://{}/v1", api.local_addr()?);
        let mut listeners = Vec::new();
        for (side, listener) in [(Side::Api, api), (Side::Cdn, cdn)] {
            let (checkpoint, asked) = mpsc::channel(16);
            let accepting = Accepting { side, listener, shared: Arc::clone(&shared), playing: JoinSet::new() };
            let task = tokio::spawn(accepting.run(asked)).abort_handle();
            listeners.push(Listener { checkpoint, task });
        }
        Ok(ScriptedServer { shared, base_url, listeners })
    }
}

/// One origin's accept loop. Dropping it ends the loop and all its connections.
#[derive(Debug)]
struct Listener {
    checkpoint: mpsc::Sender<oneshot::Sender<()>>,
    task: AbortHandle,
}

impl Listener {
    /// Resolves when every connection that was waiting before this call is accepted.
    async fn pass(&self) {
        let (done, passed) = oneshot::channel();
        // An error means that the loop has ended and accepts nothing more.
        if self.checkpoint.send(done).await.is_ok() {
            let _ = passed.await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A running scripted server. Dropping it stops it.
#[derive(Debug)]
pub struct ScriptedServer {
    shared: Arc<Shared>,
    base_url: String,
    listeners: Vec<Listener>,
}

impl ScriptedServer {
    /// Returns a builder, to be [started](ScriptedServerBuilder::start).
    pub fn builder() -> ScriptedServerBuilder {
        // The constant above is valid base64.
        let picture = base64_simd::STANDARD.decode_to_vec(PICTURE).unwrap_or_default();
        ScriptedServerBuilder {
            billing: Billing::default(),
            authority: None,
            picture: picture.into(),
            pictures: 1,
            key: None,
        }
    }

    /// Returns the API's base URL, such as `http://127.0.0.1:34567/v1`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the origin of downloads, such as `http://127.0.0.1:45678`.
    pub fn cdn_url(&self) -> &str {
        &self.shared.cdn_url
    }

    /// Adds a script for the next connection that has none.
    pub fn script(&self, side: Side, script: Script) {
        lock(&self.shared.side(side).scripts).push_back(script);
    }

    /// Sets the script for connections when no other script is queued.
    pub fn script_always(&self, side: Side, script: Script) {
        *lock(&self.shared.side(side).always) = script;
    }

    /// Returns the entry of every paid POST so far. Settled after [`ScriptedServer::wait_idle`].
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.shared.account.ledger()
    }

    /// Returns how many calls were charged.
    pub fn charges(&self) -> u64 {
        self.shared.account.charges()
    }

    /// Returns how many connections were accepted.
    pub fn connections(&self, side: Side) -> u64 {
        self.shared.side(side).connections.load(Ordering::Relaxed)
    }

    /// Returns the first 256 KiB that an origin read, decrypted, whether or not the requests were whole.
    pub fn received(&self, side: Side) -> Vec<u8> {
        lock(&self.shared.side(side).received).clone()
    }

    /// Resolves when scripts have reached `marks` marks in total.
    pub async fn marked(&self, marks: u64) {
        // The sender lives as long as this server.
        let _ = self.shared.marks.subscribe().wait_for(|seen| *seen >= marks).await;
    }

    /// Waits until scripts have handled everything that clients have done so far. Connections that were cut into
    /// silence are not waited for.
    pub async fn wait_idle(&self) {
        let mut busy = self.shared.busy.subscribe();
        loop {
            for listener in &self.listeners {
                listener.pass().await;
            }
            if *busy.borrow_and_update() == 0 {
                return;
            }
            if busy.changed().await.is_err() {
                return;
            }
        }
    }
}

/// One origin's accept loop.
struct Accepting {
    side: Side,
    listener: TcpListener,
    shared: Arc<Shared>,
    playing: JoinSet<()>,
}

impl Accepting {
    async fn run(mut self, mut checkpoints: mpsc::Receiver<oneshot::Sender<()>>) {
        loop {
            tokio::select! {
                biased;
                Some(_) = self.playing.join_next() => {}
                Some(done) = checkpoints.recv() => {
                    self.accept_waiting();
                    // The receiver may have been dropped.
                    let _ = done.send(());
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => self.serve(socket),
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
    fn accept_waiting(&mut self) {
        while let Ok((socket, _)) = SockRef::from(&self.listener).accept() {
            match socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket.into())) {
                Ok(socket) => self.serve(socket),
                Err(error) => tracing::warn!(%error, "a connection could not be adopted"),
            }
        }
    }

    fn serve(&mut self, socket: TcpStream) {
        // An error means that the peer has already disconnected.
        let _ = socket.set_nodelay(true);
        let state = self.shared.side(self.side);
        state.connections.fetch_add(1, Ordering::Relaxed);
        let script = lock(&state.scripts).pop_front().unwrap_or_else(|| lock(&state.always).clone());
        let busy = Busy::new(&self.shared);
        self.playing.spawn(play(Arc::new(socket), Arc::clone(&self.shared), self.side, script, busy));
    }
}
