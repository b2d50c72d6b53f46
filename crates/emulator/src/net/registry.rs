//! The registry of open connections, which tells whether unread bytes are waiting on any of them.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use socket2::SockRef;
use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::sync::lock;

/// All open connections of a listener.
#[derive(Debug)]
pub(crate) struct Registry {
    open: Mutex<HashMap<SocketAddr, Arc<Connection>>>,
    activity: Arc<Activity>,
}

#[derive(Debug)]
struct Connection {
    socket: Weak<TcpStream>,
    /// Locked from each read until the bytes are judged, so that they are never counted as neither unread nor judged.
    reading: Mutex<()>,
}

/// A connection's entry in the registry; removed when dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
    peer: SocketAddr,
}

impl Registry {
    pub(crate) fn new(activity: Arc<Activity>) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), activity })
    }

    pub(crate) fn register(self: &Arc<Self>, peer: SocketAddr, socket: &Arc<TcpStream>) -> Registration {
        let connection = Arc::new(Connection { socket: Arc::downgrade(socket), reading: Mutex::default() });
        lock(&self.open).insert(peer, Arc::clone(&connection));
        Registration { registry: Arc::clone(self), connection, peer }
    }

    /// Returns whether bytes, an end of input or an error are waiting unread on any connection.
    pub(crate) fn has_unread(&self) -> bool {
        let open: Vec<_> = lock(&self.open).values().cloned().collect();
        open.iter().any(|connection| connection.has_unread())
    }
}

impl Connection {
    fn has_unread(&self) -> bool {
        let _reading = lock(&self.reading);
        let Some(socket) = self.socket.upgrade() else { return false };
        // A direct system call, because the runtime's cached readiness may be outdated.
        match SockRef::from(socket.as_ref()).peek(&mut [MaybeUninit::uninit(); 1]) {
            Ok(_) => true,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

impl Registration {
    /// Locks reading. Hold the guard from a read until the bytes are judged.
    pub(crate) fn reading(&self) -> MutexGuard<'_, ()> {
        lock(&self.connection.reading)
    }

    pub(crate) fn touch(&self) {
        self.registry.activity.touch();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut open = lock(&self.registry.open);
        // The next connection may already use the same port.
        if open.get(&self.peer).is_some_and(|current| Arc::ptr_eq(current, &self.connection)) {
            open.remove(&self.peer);
        }
        drop(open);
        self.registry.activity.touch();
    }
}
