//! Plays a script over a connection.

use std::io;
use std::sync::Arc;

use gptimage_emulator::internals::{Connection, cut, half_close};
use gptimage_emulator::{Cut, Side};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::answer::bytes;
use super::channel::Channel;
use super::script::{Script, Source, Step, Until};
use super::shared::{Busy, Shared};

const READ_SIZE: usize = 64 * 1024;

/// The continuation after a step of a script.
enum Next {
    Step,
    /// The peer has left, or the script has ended.
    End,
    /// End the connection like this.
    Cut(Cut),
    /// Send these bytes for as long as the peer stays.
    Forever(Source),
}

/// Plays a script. `busy` is held for as long as the ledger may change.
pub(super) async fn play(socket: Arc<TcpStream>, shared: Arc<Shared>, side: Side, script: Script, busy: Busy) {
    let mut steps = script.steps.as_slice();
    let mut handshake = None;
    if let Some((Step::Handshake(bytes, cut), rest)) = steps.split_first() {
        handshake = Some((*bytes, *cut));
        steps = rest;
    }
    let opened = Channel::open(Arc::clone(&socket), shared.authority.as_ref(), handshake.map(|(bytes, _)| bytes)).await;
    let mut player = match opened {
        Ok(channel) => Player { channel, connection: Connection::new(Arc::clone(&shared.account)), shared, side },
        Err(_) => {
            drop(busy);
            return cut(&socket, handshake.map_or(Cut::Fin, |(_, cut)| cut)).await;
        }
    };
    let mut next = handshake.map_or(Next::Step, |(_, cut)| Next::Cut(cut));
    while let Next::Step = next {
        next = match steps.split_first() {
            None => Next::End,
            Some((step, rest)) => {
                steps = rest;
                // An error means that the peer has left.
                player.step(step, &socket).await.unwrap_or(Next::End)
            }
        };
    }
    let forever = match &next {
        Next::Forever(source) => {
            let bytes = bytes(source, &player.shared, &player.connection);
            player.connection.answers(&bytes);
            // Repeated in one buffer, because a system call for each copy would be slow.
            bytes.repeat((READ_SIZE / bytes.len().max(1)).max(1))
        }
        _ => Vec::new(),
    };
    player.connection.close();
    drop(busy);
    if !forever.is_empty() {
        // Ends when the peer has left.
        while player.channel.write(&forever).await.is_ok() {}
    }
    let end = if let Next::Cut(cut) = next { cut } else { Cut::Fin };
    cut(&socket, end).await;
}

struct Player {
    channel: Channel,
    connection: Connection,
    shared: Arc<Shared>,
    side: Side,
}

impl Player {
    async fn step(&mut self, step: &Step, socket: &TcpStream) -> io::Result<Next> {
        match step {
            Step::Read(until) => return self.read(*until).await,
            Step::Send(source, range) => {
                let all = bytes(source, &self.shared, &self.connection);
                let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
                let part = all.slice(at(range.start)..at(range.end).max(at(range.start)));
                self.connection.answers(&all.slice(at(range.start)..));
                self.send(&part).await?;
            }
            Step::Trickle(source, piece, pause) => {
                let all = bytes(source, &self.shared, &self.connection);
                self.connection.answers(&all);
                let piece = usize::try_from(*piece).unwrap_or(usize::MAX).max(1);
                for piece in all.chunks(piece) {
                    self.send(piece).await?;
                    sleep(*pause).await;
                }
            }
            Step::Repeat(source) => return Ok(Next::Forever(source.clone())),
            Step::Pause(pause) => sleep(*pause).await,
            Step::Mark => self.shared.mark(),
            Step::HalfClose => half_close(socket),
            Step::Cut(cut) | Step::Handshake(_, cut) => return Ok(Next::Cut(*cut)),
        }
        Ok(Next::Step)
    }

    async fn read(&mut self, until: Until) -> io::Result<Next> {
        loop {
            let limit = match until {
                Until::Bytes(bytes) => {
                    usize::try_from(bytes.saturating_sub(self.connection.arrived())).unwrap_or(usize::MAX)
                }
                Until::Head if self.connection.has_head() => 0,
                Until::Whole if self.connection.is_whole() => 0,
                Until::Head | Until::Whole | Until::End => READ_SIZE,
            };
            if limit == 0 {
                return Ok(Next::Step);
            }
            let bytes = self.channel.read(limit.min(READ_SIZE)).await?;
            if bytes.is_empty() {
                return Ok(if until == Until::End { Next::Step } else { Next::End });
            }
            self.shared.keep_received(self.side, &bytes);
            self.connection.take(bytes);
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.channel.write(bytes).await?;
        self.connection.sent(bytes);
        Ok(())
    }
}
