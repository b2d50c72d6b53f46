//! A success's body on its way in: decoded as it comes, written as it is decoded, never held whole.

use std::sync::atomic::Ordering;

use url::Url;

use super::crowd::Incoming;
use super::http::Answer;
use super::kept_answer::AnswerKeeper;
use super::landing::{Landed, Landing};
use super::run_timer::RunTimer;
use super::running::Running;
use super::{KeptAnswer, Plan};
use crate::image::TargetFile;
use crate::secret::ApiKey;
use crate::text;
use crate::wire::{AnswerDecoder, AnswerJson, BodyForm, ErrorBody, Payload, Task, header};

/// More is not reserved on the server's word.
const RESERVE_MAX: usize = 64 << 20;
/// Each write changes the thread twice: pieces are large while few answers come in, so that most pictures take one.
const LARGE_PIECE: usize = 6 << 20;
/// In a crowd they are small, because every answer may hold one.
const SMALL_PIECE: usize = 128 << 10;
/// Room for what is decoded between two writes: a large piece and one more chunk. What is not filled costs nothing; a
/// smaller one grows by copies, and makes allocators give memory back after every call that the next faults in again.
const WRITE_BUFFER: usize = LARGE_PIECE + (512 << 10);
/// So many characters of a small picture may mean nothing.
const TEXT_BESIDE: u64 = 1 << 20;
/// As much of an unusable answer is in the error itself.
const EXCERPT_MAX: usize = 64 * 1024;

/// What came in.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) json: AnswerJson,
    /// By payload number. `None`: an empty payload, or one that the JSON does not name.
    pub(crate) pictures: Vec<Option<Landed>>,
    /// Why the body is not whole.
    pub(crate) cut: Option<String>,
    /// Temporary files that were opened beforehand and are not needed yet.
    pub(crate) files: Vec<TargetFile>,
    decoder: AnswerDecoder,
    keeper: Option<AnswerKeeper>,
    /// A coding that was not asked for and is not known.
    coding: Option<String>,
}

impl Received {
    /// The beginning of the answer without its pictures.
    pub(crate) fn excerpt(&self, key: &ApiKey) -> String {
        let rest = self.decoder.rest(key);
        String::from_utf8_lossy(rest.get(..EXCERPT_MAX.min(rest.len())).unwrap_or_default()).into_owned()
    }

    /// Why there is no picture in it.
    pub(crate) fn describe_nothing(&self, key: &ApiKey) -> String {
        let json = &self.json;
        if let Some(coding) = self.coding.as_ref().filter(|_| json.foreign) {
            return format!("it came with the content encoding {coding}, which nobody asked for");
        }
        if json.foreign {
            let said = ErrorBody::parse(self.excerpt(key).as_bytes(), key);
            let words = said.message.map_or_else(String::new, |words| format!(" ({words})"));
            return match said.form {
                BodyForm::Page => format!("a web page came{words}, not the API: check the base URL"),
                _ => format!("a text came{words}, not the API's JSON: check the base URL"),
            };
        }
        if let Some(said) = &json.error {
            return format!("it holds an error instead of pictures: {said}");
        }
        match &json.task {
            Some(Task { id, status }) => {
                let status =
                    status.as_ref().map_or_else(String::new, |status| format!(", {}", text::shorten(status, 60)));
                format!("it holds a task instead of pictures: {}{status}", text::shorten(id, 200))
            }
            None => match ErrorBody::parse(self.excerpt(key).as_bytes(), key).message {
                Some(said) => format!("it holds no picture: {said}"),
                None => "it holds no picture".to_owned(),
            },
        }
    }

    /// Keeps the whole answer, for whoever can make something of it.
    pub(crate) async fn keep(&mut self, key: &ApiKey) -> Option<KeptAnswer> {
        let keeper = self.keeper.take()?;
        if self.decoder.rest(key).is_empty() && keeper.len() == 0 {
            return None;
        }
        Some(keeper.keep(&self.decoder, key, self.files.pop()).await)
    }
}

/// Reads the whole body. `files` are the temporary files that were opened before the request left.
pub(crate) async fn receive(answer: &mut Answer, plan: &Plan, running: &Running, files: Vec<TargetFile>) -> Received {
    let expected = match (answer.content_length(), files.first()) {
        // Base64 is four characters for three bytes; the JSON around it is small.
        (Some(length), None) => usize::try_from(length).map_or(0, |length| length / 4 * 3 / plan.asked as usize),
        (_, Some(_)) => WRITE_BUFFER,
        (None, None) => 0,
    };
    let key = &plan.settings.key;
    let coding = answer.header(header::CONTENT_ENCODING).map(|coding| text::shorten(coding.trim(), 40));
    let mut decoder = AnswerDecoder::new(expected.min(RESERVE_MAX), answer.header(header::CONTENT_TYPE));
    let mut keeper = AnswerKeeper::new(plan, running);
    let mut landings = Landings { files, list: Vec::new() };
    let mut incoming = Incoming::new(&plan.crowd, plan.target.is_some());
    let max = plan.settings.max_image_bytes.saturating_mul(u64::from(plan.asked));
    // Base64 is a third longer; the rest is room for line breaks.
    let max_text = max.saturating_mul(2).saturating_add(TEXT_BESIDE);
    // One timer that is put off: a new one for each chunk would wake the whole runtime.
    let mut stalled = RunTimer::new(plan.settings.timers.body_stall);
    let cut = loop {
        stalled.restart();
        // The turn is held until what this chunk holds is written.
        let (chunk, _turn) = tokio::select! {
            biased;
            next = incoming.chunk(answer) => next,
            () = stalled.ran_out() => break Some("the answer stood still for too long".to_owned()),
        };
        match chunk {
            Ok(Some(chunk)) => {
                running.received().fetch_add(chunk.len() as u64, Ordering::Relaxed);
                decoder.push(&chunk);
            }
            Ok(None) => break None,
            Err(failure) => break Some(format!("the answer was cut: {}", failure.reason)),
        }
        landings.advance(plan, decoder.payloads(), incoming.is_crowded()).await;
        let decoded = decoder.payloads().iter().map(|payload| payload.total).sum::<u64>();
        // What decodes to nothing (white space, what stands behind an error) must have an end too.
        if decoded > max || decoder.payload_text() > max_text {
            break Some(format!("the pictures in the answer are over {max} bytes"));
        }
        keeper.take(&mut decoder, key).await;
        if keeper.len() > max_text {
            break Some("the answer holds too much beside its pictures".to_owned());
        }
    };
    if cut.is_none() {
        decoder.end_whole();
    } else {
        decoder.finish();
    }
    let mut json = decoder.json(key);
    for url in json.found.iter_mut().filter_map(|found| found.url.as_mut()) {
        absolute(url, &plan.settings.base_url);
    }
    let mut pictures = Vec::new();
    for (number, mut payload) in std::mem::take(decoder.payloads()).into_iter().enumerate() {
        let mut landing = landings.get(plan, number);
        landing.take_last(&mut payload.decoded);
        // Where the picture stands among those asked for decides its name.
        let index = json.found.iter().position(|found| found.payload == Some(number));
        pictures.push(match index {
            Some(index) if payload.total > 0 || payload.error.is_some() => {
                Some(landing.finish(index, damage(&payload)).await)
            }
            _ => None,
        });
    }
    let Landings { files, .. } = landings;
    Received { json, pictures, cut, files, decoder, keeper: Some(keeper), coding }
}

/// A link without a host is one of the gateway's.
fn absolute(url: &mut String, base_url: &Url) {
    if Url::parse(url) == Err(url::ParseError::RelativeUrlWithoutBase)
        && let Ok(joined) = base_url.join(url)
    {
        *url = joined.into();
    }
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
    files: Vec<TargetFile>,
    list: Vec<Option<Landing>>,
}

impl Landings {
    fn get(&mut self, plan: &Plan, number: usize) -> Landing {
        let known = self.list.get_mut(number).and_then(Option::take);
        known.unwrap_or_else(|| Landing::new(plan.target.clone(), self.files.pop()))
    }

    /// Writes what is decoded, where there is enough of it. Without a target it grows where it is.
    async fn advance(&mut self, plan: &Plan, payloads: &mut [Payload], crowded: bool) {
        if plan.target.is_none() {
            return;
        }
        let piece = if crowded { SMALL_PIECE } else { LARGE_PIECE };
        self.list.resize_with(payloads.len(), || None);
        let last = payloads.len().saturating_sub(1);
        for (number, payload) in payloads.iter_mut().enumerate() {
            // Before the next picture the whole one is written; the last one's end waits for the answer's.
            let enough = if number < last { 1 } else { piece };
            if payload.decoded.len() >= enough {
                let mut landing = self.get(plan, number);
                landing.take(&mut payload.decoded, enough).await;
                if crowded && payload.decoded.is_empty() {
                    // The turn is over, and with it the claim to memory.
                    payload.decoded = Vec::new();
                }
                if let Some(slot) = self.list.get_mut(number) {
                    *slot = Some(landing);
                }
            }
        }
    }
}
