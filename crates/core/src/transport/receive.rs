//! Receives the body of a successful response. It is decoded as it comes and written as it is decoded, and is never
//! held as a whole.

use std::io;
use std::sync::atomic::Ordering;

use url::Url;

use super::answer_keeper::AnswerKeeper;
use super::context::CallContext;
use super::http::Answer;
use super::image_sink::{ImageSink, StoredImage};
use super::run_timer::RunTimer;
use super::write_limiter::BodyReader;
use crate::attempt_state::AttemptState;
use crate::error::KeptAnswer;
use crate::image::{Image, TargetFile};
use crate::secret::ApiKey;
use crate::text;
use crate::warning::Warning;
use crate::wire::{AnswerDecoder, AnswerJson, BodyForm, ErrorBody, Payload, Task, header};

/// Maximum amount of memory that is reserved because of the length that the server announces, in bytes.
const RESERVE_MAX: usize = 64 << 20;
/// Size of the pieces that are written, in bytes. Each write switches threads twice, so pieces are large while few
/// responses come in; most images take one piece.
const LARGE_PIECE: usize = 6 << 20;
/// Size of the pieces while many responses come in, in bytes. Small, because each response may hold one piece in
/// memory.
const SMALL_PIECE: usize = 128 << 10;
/// Capacity for the bytes that are decoded between two writes: a large piece and one more chunk. Unused capacity costs
/// nothing. A smaller buffer grows by copying, and makes allocators return memory after every call that the next call
/// has to fault in again.
const WRITE_BUFFER: usize = LARGE_PIECE + (512 << 10);
/// Allowance, in bytes, for base64 text that decodes to nothing.
const TEXT_BESIDE: u64 = 1 << 20;
/// Maximum length of the beginning of a response that is part of the error, in bytes.
const EXCERPT_MAX: usize = 64 * 1024;

/// A received response, complete or not.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) json: AnswerJson,
    /// The images by payload number. `None` for an empty payload, or one that the JSON does not mention.
    pub(crate) pictures: Vec<Option<StoredImage>>,
    /// Why the body is incomplete.
    pub(crate) cut: Option<String>,
    /// Temporary files that were opened in advance and not used yet.
    pub(crate) files: Vec<TargetFile>,
    decoder: AnswerDecoder,
    keeper: Option<AnswerKeeper>,
    /// The response's `content-encoding`, for messages.
    coding: Option<String>,
}

impl Received {
    /// Returns the beginning of the response, without its images.
    pub(crate) fn excerpt(&self, key: &ApiKey) -> String {
        let rest = self.decoder.rest(key);
        String::from_utf8_lossy(rest.get(..EXCERPT_MAX.min(rest.len())).unwrap_or_default()).into_owned()
    }

    /// Says why the response contains no image.
    pub(crate) fn describe_missing(&self, key: &ApiKey) -> String {
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

    /// Returns the links to images.
    pub(crate) fn links(&self) -> Vec<String> {
        let links = self.json.found.iter().filter(|found| found.payload.is_none() && !found.doubtful);
        links.filter_map(|found| found.url.clone()).collect()
    }

    /// Combines images and links. A damaged image that also has a link is replaced by the link.
    pub(crate) fn assemble(&mut self) -> Assembled {
        let mut assembled = Assembled::default();
        for found in std::mem::take(&mut self.json.found) {
            let stored = found.payload.and_then(|number| self.pictures.get_mut(number)).and_then(Option::take);
            let image = match (stored, &found.url) {
                (Some(stored), Some(url)) if stored.damage.is_some() => Image::at_url(url.clone()),
                // Nothing in the response says that this is an image.
                (Some(stored), _) if found.doubtful && stored.damage.is_some() => continue,
                (Some(stored), _) => {
                    if let Some(reason) = stored.damage {
                        let number = assembled.images.len() + 1;
                        assembled.damage.get_or_insert_with(|| format!("picture {number}: {reason}"));
                    }
                    assembled.unsaved = assembled.unsaved.or(stored.unsaved);
                    assembled.warnings.extend(stored.warnings);
                    if stored.image.bytes().is_some_and(bytes::Bytes::is_empty) {
                        // Nothing could be decoded, so there is no image to return.
                        continue;
                    }
                    stored.image.with_inline(true)
                }
                (None, Some(url)) => {
                    assembled.doubtful |= found.doubtful;
                    Image::at_url(url.clone())
                }
                (None, None) => continue,
            };
            assembled.images.push(image.with_url(found.url).with_revised_prompt(found.revised_prompt));
        }
        assembled
    }

    /// Keeps the whole response, in a file or in memory.
    pub(crate) async fn keep(&mut self, key: &ApiKey) -> Option<KeptAnswer> {
        let keeper = self.keeper.take()?;
        if self.decoder.rest(key).is_empty() && keeper.len() == 0 {
            return None;
        }
        Some(keeper.keep(&self.decoder, key, self.files.pop()).await)
    }
}

/// The images of a response.
#[derive(Debug, Default)]
pub(crate) struct Assembled {
    /// The images in the order of the response. An image that is not in the response is represented by its link.
    pub(crate) images: Vec<Image>,
    /// Whether the links may lead to something else.
    pub(crate) doubtful: bool,
    /// Why one of them is not a complete image.
    pub(crate) damage: Option<String>,
    /// Why one of them is in memory although it should be in a file.
    pub(crate) unsaved: Option<io::Error>,
    pub(crate) warnings: Vec<Warning>,
}

/// Reads the whole body. `files` are temporary files that were opened before the request was sent.
pub(crate) async fn receive(
    answer: &mut Answer,
    context: &CallContext,
    state: &AttemptState,
    files: Vec<TargetFile>,
) -> Received {
    let expected = match (answer.content_length(), files.first()) {
        // Base64 has four characters for three bytes; the JSON around it is small.
        (Some(length), None) => usize::try_from(length).map_or(0, |length| length / 4 * 3 / context.asked as usize),
        (_, Some(_)) => WRITE_BUFFER,
        (None, None) => 0,
    };
    let key = &context.settings.key;
    let coding = answer.header(header::CONTENT_ENCODING).map(|coding| text::shorten(coding.trim(), 40));
    let mut decoder = AnswerDecoder::new(expected.min(RESERVE_MAX), answer.header(header::CONTENT_TYPE));
    let mut keeper = AnswerKeeper::new(context, state);
    let mut sinks = ImageSinks { files, list: Vec::new() };
    let cut = read_body(answer, context, state, &mut decoder, &mut keeper, &mut sinks).await.err();
    if cut.is_none() {
        decoder.end_whole();
    } else {
        decoder.finish();
    }
    let mut json = decoder.json(key);
    for url in json.found.iter_mut().filter_map(|found| found.url.as_mut()) {
        absolute(url, &context.settings.base_url);
    }
    let pictures = collect_images(context, &json, std::mem::take(decoder.payloads()), &mut sinks).await;
    Received { json, pictures, cut, files: sinks.files, decoder, keeper: Some(keeper), coding }
}

/// Reads the body to its end and writes the decoded bytes. The error says why the body is incomplete.
async fn read_body(
    answer: &mut Answer,
    context: &CallContext,
    state: &AttemptState,
    decoder: &mut AnswerDecoder,
    keeper: &mut AnswerKeeper,
    sinks: &mut ImageSinks,
) -> Result<(), String> {
    let mut reader = BodyReader::new(&context.write_limiter, context.target.is_some());
    let max = context.settings.max_image_bytes.saturating_mul(u64::from(context.asked));
    // Base64 is a third longer than the image; the rest is an allowance for line breaks.
    let max_text = max.saturating_mul(2).saturating_add(TEXT_BESIDE);
    // One timer that is restarted: a new timer for each chunk would wake the whole runtime.
    let mut stalled = RunTimer::new(context.settings.timers.read);
    loop {
        stalled.restart();
        // The permit is held until the bytes of this chunk are written.
        let (chunk, _permit) = tokio::select! {
            biased;
            next = reader.chunk(answer) => next,
            () = stalled.ran_out() => return Err("the answer stood still for too long".to_owned()),
        };
        match chunk {
            Ok(Some(chunk)) => {
                state.bytes_received().fetch_add(chunk.len() as u64, Ordering::Relaxed);
                decoder.push(&chunk);
            }
            Ok(None) => return Ok(()),
            Err(failure) => return Err(format!("the answer was cut: {}", failure.reason)),
        }
        sinks.advance(context, decoder.payloads(), reader.is_limited()).await;
        let decoded = decoder.payloads().iter().map(|payload| payload.total).sum::<u64>();
        // Text that decodes to nothing (white space, text after an error) must be limited too.
        if decoded > max || decoder.payload_text() > max_text {
            return Err(format!("the pictures in the answer are over {max} bytes"));
        }
        keeper.take(decoder, &context.settings.key).await;
        if keeper.len() > max_text {
            return Err("the answer holds too much beside its pictures".to_owned());
        }
    }
}

/// Finishes the sink of each payload. Returns the images in the order of the payloads.
async fn collect_images(
    context: &CallContext,
    json: &AnswerJson,
    payloads: Vec<Payload>,
    sinks: &mut ImageSinks,
) -> Vec<Option<StoredImage>> {
    let mut images = Vec::new();
    for (number, mut payload) in payloads.into_iter().enumerate() {
        let mut sink = sinks.get(context, number);
        sink.take_last(&mut payload.decoded);
        // The position among the requested images decides the name.
        let index = json.found.iter().position(|found| found.payload == Some(number));
        images.push(match index {
            Some(index) if payload.total > 0 || payload.error.is_some() => {
                Some(sink.finish(index, damage(&payload)).await)
            }
            _ => None,
        });
    }
    images
}

/// Completes a link without a host, which refers to the gateway.
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

/// The sinks of the payloads, by payload number.
struct ImageSinks {
    files: Vec<TargetFile>,
    list: Vec<Option<ImageSink>>,
}

impl ImageSinks {
    fn get(&mut self, context: &CallContext, number: usize) -> ImageSink {
        let known = self.list.get_mut(number).and_then(Option::take);
        known.unwrap_or_else(|| ImageSink::new(context.target.clone(), self.files.pop()))
    }

    /// Writes decoded bytes if there are enough. Without a target they stay in the payload's buffer.
    async fn advance(&mut self, context: &CallContext, payloads: &mut [Payload], limited: bool) {
        if context.target.is_none() {
            return;
        }
        let piece = if limited { SMALL_PIECE } else { LARGE_PIECE };
        self.list.resize_with(payloads.len(), || None);
        let last = payloads.len().saturating_sub(1);
        for (number, payload) in payloads.iter_mut().enumerate() {
            // A payload that is followed by another is complete, so write all of it. The end of the last one is written
            // when the response ends.
            let enough = if number < last { 1 } else { piece };
            if payload.decoded.len() >= enough {
                let mut sink = self.get(context, number);
                sink.take(&mut payload.decoded, enough).await;
                if limited && payload.decoded.is_empty() {
                    // Free the memory together with the permit.
                    payload.decoded = Vec::new();
                }
                if let Some(slot) = self.list.get_mut(number) {
                    *slot = Some(sink);
                }
            }
        }
    }
}
