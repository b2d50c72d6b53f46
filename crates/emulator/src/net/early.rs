//! Responses that are sent while the request's body is still arriving.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::net::TcpStream;

use super::ending::{LINGER, discard, half_close, read, reset, write_all};
use super::exchange::{EarlyAnswer, Exchange};
use crate::fault::Early;
use crate::{Price, ledger::Call};

const READ_SIZE: usize = 64 * 1024;

/// Reads up to the offset, sends the response, and ends the connection in the given manner.
pub(crate) async fn answer_early(socket: &TcpStream, mut exchange: Exchange, mut inbox: BytesMut, early: EarlyAnswer) {
    let call = exchange.call.clone();
    exchange.take(&mut inbox);
    while !exchange.is_whole() && exchange.payload() < early.offset {
        let missing = usize::try_from(early.offset - exchange.payload()).unwrap_or(usize::MAX);
        match read(socket, &mut inbox, missing.min(READ_SIZE)).await {
            Ok(1..) => drop(exchange.take(&mut inbox)),
            Ok(0) | Err(_) => return,
        }
    }
    if let Some(call) = &call {
        call.answered(early.status);
    }
    if write_all(socket, &early.wire).await.is_err() {
        return;
    }
    if let Some(call) = &call {
        call.delivered();
    }
    match early.manner {
        Early::Reset => reset(socket),
        Early::Drain => {
            take_rest(socket, &mut exchange, &mut inbox).await;
            half_close(socket);
        }
        Early::HalfClose => {
            half_close(socket);
            take_rest(socket, &mut exchange, &mut inbox).await;
        }
    }
    settle(&exchange, call, early.status);
    if early.manner != Early::Reset {
        discard(socket).await;
    }
}

/// Reads the rest of the request, for a bounded time.
async fn take_rest(socket: &TcpStream, exchange: &mut Exchange, inbox: &mut BytesMut) {
    let rest = async {
        exchange.take(inbox);
        while !exchange.is_whole() && matches!(read(socket, inbox, READ_SIZE).await, Ok(1..)) {
            exchange.take(inbox);
        }
    };
    // A timeout ends it as well.
    let _ = tokio::time::timeout(LINGER, rest).await;
}

/// Settles the call. If the request arrived whole, the billing model decides about the charge, even though the body
/// was not read.
fn settle(exchange: &Exchange, call: Option<Arc<Call>>, status: u16) {
    if let Some(call) = call.filter(|_| exchange.is_whole()) {
        let work = call.billing().charges_answer(status);
        call.settle_failure(work, u32::from(work), Price::of(call.operation, "", 1));
    }
}
