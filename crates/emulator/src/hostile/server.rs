//! The server: two origins as the gateway has them, each connection a script.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::authority::Authority;
use super::play::play;
use super::step::{Script, Source, Step, Until};
use crate::net::{Checkpoint, Checkpoints, Registry, Stop, Stopper, bind};
use crate::sync::lock;
use crate::truth::Ledger;
use crate::{Billing, LedgerEntry, Side};

/// As much of what each origin receives is kept.
const RECEIVED_MAX: usize = 256 << 10;
/// The smallest picture that is one.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// Settings of a [`HostileServer`]; made by [`HostileServer::builder`].
#[derive(Debug, Clone)]
#[must_use = "settings do nothing until `start`"]
pub struct HostileBuilder {
    billing: Billing,
    authority: Option<Authority>,
    picture: Bytes,
    pictures: usize,
    key: Option<String>,
}

impl HostileBuilder {
    /// The only key that works; any does unless set. Ports are used again: a client that looks for a server of before
    /// may come to this one, and is told apart by its key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Who pays for failures; [`Billing::Documented`] unless set.
    pub fn billing(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// Speaks TLS, with a certificate of this authority's.
    pub fn tls(mut self, authority: &Authority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// The picture of every answer; a PNG of one pixel unless set.
    pub fn picture(mut self, picture: impl Into<Bytes>) -> Self {
        self.picture = picture.into();
        self
    }

    /// How many pictures an answer holds; one unless set.
    pub fn pictures(mut self, pictures: usize) -> Self {
        self.pictures = pictures;
        self
    }

    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    /// A port on loopback that cannot be bound.
    pub async fn start(self) -> io::Result<HostileServer> {
        let (api, cdn) = (bind(0).await?, bind(0).await?);
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            ledger: Arc::new(Ledger::new(self.billing, 0, Registry::new())),
            authority: self.authority,
            picture_base64: base64_simd::STANDARD.encode_to_string(&self.picture),
            picture: self.picture,
            pictures: self.pictures,
            authorization: self.key.map(|key| format!("Bearer {key}")),
            cdn_url: format!("{scheme}://{}", cdn.local_addr()?),
            sides: [SideState::new(Side::Api), SideState::new(Side::Cdn)],
            busy: watch::Sender::new(0),
            marks: watch::Sender::new(0),
        });
        let base_url = format!("{scheme}://{}/v1", api.local_addr()?);
        let (stopper, stop) = Stop::new();
        let mut checkpoints = Vec::new();
        for (side, listener) in [(Side::Api, api), (Side::Cdn, cdn)] {
            let (checkpoint, asked) = Checkpoint::new();
            checkpoints.push(checkpoint);
            let accepting = Accepting { side, listener, shared: Arc::clone(&shared), stop: stop.clone() };
            tokio::spawn(accepting.run(asked));
        }
        Ok(HostileServer { shared, base_url, checkpoints, _stopper: stopper })
    }
}

/// A running hostile server. Dropping it stops it.
#[derive(Debug)]
pub struct HostileServer {
    shared: Arc<Shared>,
    base_url: String,
    checkpoints: Vec<Checkpoint>,
    /// Its drop asks every task to end.
    _stopper: Stopper,
}

impl HostileServer {
    /// Settings, to be [started](HostileBuilder::start).
    pub fn builder() -> HostileBuilder {
        // What is written above can be decoded.
        let picture = base64_simd::STANDARD.decode_to_vec(PICTURE).unwrap_or_default();
        HostileBuilder { billing: Billing::default(), authority: None, picture: picture.into(), pictures: 1, key: None }
    }

    /// The API's address, such as `http://127.0.0.1:34567/v1`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The downloads' origin, such as `http://127.0.0.1:45678`.
    pub fn cdn_url(&self) -> &str {
        &self.shared.cdn_url
    }

    /// Lets the next connection that has no script yet play this one.
    pub fn script(&self, side: Side, script: Script) {
        lock(&self.shared.side(side).scripts).push_back(script);
    }

    /// Lets every connection play this one when no other script waits.
    pub fn script_always(&self, side: Side, script: Script) {
        *lock(&self.shared.side(side).always) = script;
    }

    /// The truth about every paid POST so far. Settled after [`HostileServer::wait_idle`].
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.shared.ledger.entries()
    }

    /// How many calls were charged.
    pub fn charges(&self) -> u64 {
        self.shared.ledger.charges()
    }

    /// How many connections were accepted.
    pub fn connections(&self, side: Side) -> u64 {
        self.shared.side(side).connections.load(Ordering::Relaxed)
    }

    /// The first 256 KiB of all that an origin read, whole requests or not, decrypted.
    pub fn received(&self, side: Side) -> Vec<u8> {
        lock(&self.shared.side(side).received).clone()
    }

    /// Resolves when scripts have come to so many `mark`s in all.
    pub async fn marked(&self, marks: u64) {
        // The sender lives as long as this server.
        let _ = self.shared.marks.subscribe().wait_for(|seen| *seen >= marks).await;
    }

    /// Waits until no script is at work any more on what any client has done so far. Connections that were cut into
    /// silence are not waited for.
    pub async fn wait_idle(&self) {
        let mut busy = self.shared.busy.subscribe();
        loop {
            for checkpoint in &self.checkpoints {
                checkpoint.pass().await;
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

/// What connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ledger: Arc<Ledger>,
    pub(super) authority: Option<Authority>,
    pub(super) picture: Bytes,
    pub(super) picture_base64: String,
    pub(super) pictures: usize,
    /// The only `Authorization` that works.
    authorization: Option<String>,
    pub(super) cdn_url: String,
    sides: [SideState; 2],
    /// Scripts at work.
    busy: watch::Sender<usize>,
    marks: watch::Sender<u64>,
}

#[derive(Debug)]
struct SideState {
    scripts: Mutex<VecDeque<Script>>,
    always: Mutex<Script>,
    connections: AtomicU64,
    received: Mutex<Vec<u8>>,
}

impl SideState {
    fn new(side: Side) -> Self {
        let (until, source) =
            if side == Side::Api { (Until::Whole, Source::Image) } else { (Until::Head, Source::Picture) };
        Self {
            scripts: Mutex::default(),
            always: Mutex::new(Script::new([Step::Read(until), Step::send(source)])),
            connections: AtomicU64::new(0),
            received: Mutex::default(),
        }
    }
}

impl Shared {
    fn side(&self, side: Side) -> &SideState {
        let [api, cdn] = &self.sides;
        if side == Side::Api { api } else { cdn }
    }

    /// Whether a request's head holds a key that works.
    pub(super) fn accepts(&self, given: Option<&str>) -> bool {
        given.is_some_and(|given| self.authorization.as_deref().is_none_or(|only| only == given))
    }

    pub(super) fn mark(&self) {
        self.marks.send_modify(|marks| *marks += 1);
    }

    pub(super) fn keep_received(&self, side: Side, bytes: &[u8]) {
        let mut received = lock(&self.side(side).received);
        let room = RECEIVED_MAX.saturating_sub(received.len()).min(bytes.len());
        received.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

/// Says that a script is at work, until it is dropped.
pub(super) struct Busy(Arc<Shared>);

impl Busy {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.busy.send_modify(|busy| *busy += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.send_modify(|busy| *busy -= 1);
    }
}

/// One origin's accept loop.
struct Accepting {
    side: Side,
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: Stop,
}

impl Accepting {
    async fn run(self, mut checkpoints: Checkpoints) {
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => return,
                Some(done) = checkpoints.recv() => {
                    self.accept_waiting();
                    // Whoever asked may have left.
                    let _ = done.send(());
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => self.serve(socket),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors: asking again at once would spin.
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                },
            }
        }
    }

    /// Accepts by system calls what the runtime may not have noticed yet.
    fn accept_waiting(&self) {
        while let Ok((socket, _)) = SockRef::from(&self.listener).accept() {
            match socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket.into())) {
                Ok(socket) => self.serve(socket),
                Err(error) => tracing::warn!(%error, "a connection could not be adopted"),
            }
        }
    }

    fn serve(&self, socket: TcpStream) {
        // An error means that the peer is gone already.
        let _ = socket.set_nodelay(true);
        let state = self.shared.side(self.side);
        state.connections.fetch_add(1, Ordering::Relaxed);
        let script = lock(&state.scripts).pop_front().unwrap_or_else(|| lock(&state.always).clone());
        let busy = Busy::new(&self.shared);
        let (shared, side, stop) = (Arc::clone(&self.shared), self.side, self.stop.clone());
        tokio::spawn(async move { stop.or(play(Arc::new(socket), shared, side, script, busy)).await });
    }
}
