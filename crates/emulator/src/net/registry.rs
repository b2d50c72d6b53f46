//! The connections that are open, asked whether bytes wait on them that nobody has read.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use socket2::SockRef;
use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::sync::lock;

/// Every open connection of a listener.
#[derive(Debug)]
pub(crate) struct Registry {
    open: Mutex<HashMap<SocketAddr, Arc<Connection>>>,
    activity: Arc<Activity>,
}

#[derive(Debug)]
struct Connection {
    socket: Weak<TcpStream>,
    /// Held from a read to the judgement of what it read, so that no byte is between the two unseen.
    reading: Mutex<()>,
}

/// One connection's place in the registry; leaves it when dropped.
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

    /// Whether bytes, an end or an error wait unread on any connection.
    pub(crate) fn has_unread(&self) -> bool {
        let open: Vec<_> = lock(&self.open).values().cloned().collect();
        open.iter().any(|connection| connection.has_unread())
    }
}

impl Connection {
    fn has_unread(&self) -> bool {
        let _reading = lock(&self.reading);
        let Some(socket) = self.socket.upgrade() else { return false };
        // The system call itself: the runtime's cached readiness may be behind.
        match SockRef::from(socket.as_ref()).peek(&mut [MaybeUninit::uninit(); 1]) {
            Ok(_) => true,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

impl Registration {
    /// Hold this from a read to the judgement of what it read.
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
        // A port may have been taken again by the next connection already.
        if open.get(&self.peer).is_some_and(|current| Arc::ptr_eq(current, &self.connection)) {
            open.remove(&self.peer);
        }
        drop(open);
        self.registry.activity.touch();
    }
}
