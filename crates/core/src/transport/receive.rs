//! A success's body on its way in: decoded as it comes, written as it is decoded, never held whole.

use tokio::time::timeout;

use super::Plan;
use super::http::Answer;
use super::landing::{Landed, Landing, PIECE};
use crate::image::TargetFile;
use crate::wire::{AnswerDecoder, AnswerJson, Payload};

/// More is not reserved on the server's word.
const RESERVE_MAX: usize = 64 << 20;
/// Room for what is decoded between two writes. What is not filled costs nothing; growing costs copies, and small
/// allocations that grow make allocators give memory back after every call, to be faulted in again.
const WRITE_BUFFER: usize = 1 << 20;
/// As much of an unusable answer is kept.
const EXCERPT_MAX: usize = 64 * 1024;

/// What came in.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) json: AnswerJson,
    /// By payload number. `None`: an empty payload, or one that the JSON does not name.
    pub(crate) pictures: Vec<Option<Landed>>,
    /// Why the body is not whole.
    pub(crate) cut: Option<String>,
    /// The answer without its pictures, bounded.
    pub(crate) excerpt: String,
}

/// Reads the whole body. `first` is the temporary file that was opened before the request left.
pub(crate) async fn receive(answer: &mut Answer, plan: &Plan, first: Option<TargetFile>) -> Received {
    let expected = match (answer.content_length(), &first) {
        // Base64 is four characters for three bytes; the JSON around it is small.
        (Some(length), None) => usize::try_from(length).map_or(0, |length| length / 4 * 3 / plan.asked as usize),
        (_, Some(_)) => WRITE_BUFFER,
        (None, None) => 0,
    };
    let mut decoder = AnswerDecoder::new(expected.min(RESERVE_MAX));
    let mut landings = Landings { first, list: Vec::new() };
    let max = plan.settings.max_image_bytes;
    let cut = loop {
        let (next, _turn) = match timeout(plan.settings.timers.body_stall, in_turn(answer)).await { Ok((a,b)) => (Ok(a), Some(b)), Err(e) => (Err(e), None) };
        match next {
            Ok(Ok(Some(chunk))) => decoder.push(&chunk),
            Ok(Ok(None)) => break None,
            Ok(Err(failure)) => break Some(format!("the answer was cut: {}", failure.reason)),
            Err(_) => break Some("the answer stood still for too long".to_owned()),
        }
        landings.advance(plan, decoder.payloads()).await;
        for payload in decoder.payloads() { if payload.decoded.is_empty() { payload.decoded = Vec::new(); } }
        if decoder.payloads().last().is_some_and(|payload| payload.total > max) {
            break Some(format!("a picture in the answer is over {max} bytes"));
        }
    };
    let json = decoder.json();
    let excerpt = decoder.excerpt(EXCERPT_MAX);
    let mut pictures = Vec::new();
    for (number, mut payload) in std::mem::take(decoder.payloads()).into_iter().enumerate() {
        let mut landing = landings.get(plan, number);
        landing.take(&mut payload.decoded, 1).await;
        // Where the picture stands among those asked for decides its name.
        let index = json.found.iter().position(|found| found.payload == Some(number));
        pictures.push(match index {
            Some(index) if payload.total > 0 || payload.error.is_some() => {
                Some(landing.finish(index, damage(&payload)).await)
            }
            _ => None,
        });
    }
    Received { json, pictures, cut, excerpt }
}

fn damage(payload: &Payload) -> Option<String> {
    match (&payload.error, payload.ended) {
        (Some(error), _) => Some(error.to_string()),
        (None, false) => Some("the answer ends inside the picture".to_owned()),
        (None, true) => None,
    }
}

/// Where payloads land, by their number.
struct Landings {
    first: Option<TargetFile>,
    list: Vec<Option<Landing>>,
}

impl Landings {
    fn get(&mut self, plan: &Plan, number: usize) -> Landing {
        let known = self.list.get_mut(number).and_then(Option::take);
        known.unwrap_or_else(|| Landing::new(plan.target.clone(), self.first.take()))
    }

    /// Writes what is decoded, where there is enough of it. Without a target it grows where it is.
    async fn advance(&mut self, plan: &Plan, payloads: &mut [Payload]) {
        if plan.target.is_none() {
            return;
        }
        self.list.resize_with(payloads.len(), || None);
        for (number, payload) in payloads.iter_mut().enumerate() {
            let enough = if payload.ended { 1 } else { PIECE };
            if payload.decoded.len() >= enough {
                let mut landing = self.get(plan, number);
                landing.take(&mut payload.decoded, enough).await;
                if let Some(slot) = self.list.get_mut(number) {
                    *slot = Some(landing);
                }
            }
        }
    }
}

static TURNS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(8);

async fn in_turn(answer: &mut Answer) -> (Result<Option<bytes::Bytes>, super::http::Failure>, tokio::sync::SemaphorePermit<'static>) {
    loop {
        let turn = TURNS.acquire().await.unwrap();
        {
            let mut chunk = std::pin::pin!(answer.chunk());
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(chunk.as_mut().poll(cx))).await;
            if let std::task::Poll::Ready(chunk) = polled {
                return (chunk, turn);
            }
        }
        drop(turn);
        let mut woken = false;
        std::future::poll_fn(|_| if std::mem::replace(&mut woken, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }).await;
    }
}
