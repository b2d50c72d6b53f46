//! Performs one charged attempt: sends the request, reads the response and downloads the images that it links to.

use std::io;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::Instant;

use super::attempt_error::AttemptError;
use super::attempt_result::AttemptResult;
use super::backoff::parse_retry_after;
use super::context::CallContext;
use super::decision::{AttemptEnd, Unusable};
use super::download::{Downloaded, Downloads};
use super::http::{Answer, Failure, Http, HttpError};
use super::receive::{Assembled, Received, receive};
use super::run_timer::RunTimer;
use super::upload::Upload;
use crate::attempt::Phase;
use crate::attempt_state::{AttemptState, SendProgress};
use crate::budget::Reservation;
use crate::config::Timers;
use crate::error::KeptAnswer;
use crate::generated::Generated;
use crate::image::{Image, Location, TargetFile};
use crate::secret::ApiKey;
use crate::text;
use crate::warning::Warning;
use crate::wire::{ERROR_BODY_MAX, ErrorBody, Price, header};

/// Performs an attempt from beginning to end. `files` are temporary files that were opened before money is spent.
pub(crate) async fn execute(
    http: &Http,
    context: &CallContext,
    state: &AttemptState,
    files: Vec<TargetFile>,
    reservation: Option<Reservation>,
) -> AttemptResult {
    let mut result = match exchange(http, context, state, files).await {
        Ok(generated) => AttemptResult::success(state, generated),
        Err(error) => AttemptResult::failure(context, state, error),
    };
    if let Some(reservation) = reservation {
        result.commit(reservation);
    }
    result
}

async fn exchange(
    http: &Http,
    context: &CallContext,
    state: &AttemptState,
    files: Vec<TargetFile>,
) -> Result<Generated, AttemptError> {
    let mut answer = send(http, context, state).await?;
    let mut warnings = Vec::new();
    record_head(&answer, state, &context.settings.key, &mut warnings);
    if !(200..300).contains(&answer.status()) {
        return Err(refused(&mut answer, context, state, &mut warnings).await);
    }
    let mut received = receive(&mut answer, context, state, files).await;
    state.send_guard.close();
    if received.cut.is_none() {
        state.update_metadata(|metadata| {
            metadata.phase = Some(Phase::BodyComplete);
            if context.fetch {
                metadata.urls = received.links();
            }
        });
    }
    warnings.append(&mut received.json.warnings);
    state.update_metadata(|metadata| metadata.price = metadata.price.larger(received.json.price, &mut warnings));
    finish(http, context, state, received, warnings).await
}

/// Sends the request and returns once the status and headers came. Each phase has its own timer.
async fn send(http: &Http, context: &CallContext, state: &AttemptState) -> Result<Answer, AttemptError> {
    let upload = Upload::new(&context.body, state.send_guard.clone());
    let authorization = &context.settings.authorization;
    let answer = http.post(&context.url, authorization, state.client_request_id(), &context.body.content_type, upload);
    tokio::pin!(answer);
    let timers = &context.settings.timers;
    // The beginning of a phase does not wake this loop, so it checks at a fraction of the shortest timer.
    let tick = timers.connect.min(timers.write).min(timers.response_header) / 8;
    let mut phase = SendPhase::of(&state.send_guard.progress());
    let mut timer = RunTimer::with_tick(phase.wait.limit(timers), tick.min(Duration::from_secs(1)));
    loop {
        let ran_out = tokio::select! {
            biased;
            answer = &mut answer => return answer.map_err(|error| not_answered(state, error)),
            ran_out = timer.tick() => ran_out,
        };
        // The guard may have counted more bytes in the meantime; its current count decides.
        let now = SendPhase::of(&state.send_guard.progress());
        if now != phase {
            phase = now;
            timer = RunTimer::with_tick(phase.wait.limit(timers), tick.min(Duration::from_secs(1)));
        } else if ran_out {
            if state.send_guard.close_unless_whole().is_whole() && phase.wait != Wait::Head {
                continue;
            }
            state.send_guard.close();
            let route = if phase.wait == Wait::Connect { http.describe_route() } else { String::new() };
            let reason = format!("{}{route}", phase.wait.ran_out());
            let failure = if route.is_empty() { Failure::Other } else { Failure::Proxy };
            return Err(AttemptError { timed_out: true, failure, ..AttemptError::new(AttemptEnd::Lost, reason) });
        }
    }
}

/// The event that is waited for. Each has its own timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Connect,
    Upload,
    Head,
}

impl Wait {
    fn limit(self, timers: &Timers) -> Duration {
        match self {
            Self::Connect => timers.connect,
            Self::Upload => timers.write,
            Self::Head => timers.response_header,
        }
    }

    fn ran_out(self) -> &'static str {
        match self {
            Self::Connect => "no connection came about in time",
            Self::Upload => "the upload stood still",
            Self::Head => "no answer came in time",
        }
    }
}

/// The phase of sending. Its timer restarts whenever bytes are sent.
#[derive(Debug, PartialEq, Eq)]
struct SendPhase {
    wait: Wait,
    moved: Option<Instant>,
}

impl SendPhase {
    fn of(sent: &SendProgress) -> Self {
        let wait = match (sent.started, sent.is_whole()) {
            (_, true) => Wait::Head,
            (true, false) => Wait::Upload,
            (false, false) => Wait::Connect,
        };
        Self { wait, moved: sent.started.then_some(sent.moved) }
    }
}

/// Returns the error of an exchange that ended without status and headers.
fn not_answered(state: &AttemptState, error: HttpError) -> AttemptError {
    state.send_guard.close();
    if let Some(error) = state.send_guard.input_error() {
        return AttemptError::new(AttemptEnd::Input, error.to_string());
    }
    let end = match error.connecting {
        true => AttemptEnd::NotConnected { permanent: error.permanent },
        false => AttemptEnd::Lost,
    };
    let source = error.os_error.map(io::Error::from_raw_os_error);
    AttemptError { source, failure: error.failure, ..AttemptError::new(end, error.reason) }
}

/// Records the status and headers of a response.
fn record_head(answer: &Answer, state: &AttemptState, key: &ApiKey, warnings: &mut Vec<Warning>) {
    let price = Price::from_headers(|name| answer.header_values(name), key, warnings);
    let id = |name| answer.header(name).filter(|id| !id.is_empty()).map(|id| text::shorten(&key.redact(id), 128));
    state.update_metadata(|metadata| {
        metadata.phase = Some(Phase::HeadReceived);
        metadata.http_status = Some(answer.status());
        metadata.inference_id = id(header::INFERENCE_ID);
        metadata.request_id = id(header::REQUEST_ID);
        metadata.price = price;
    });
}

/// Reads a response whose status is not 2xx.
async fn refused(
    answer: &mut Answer,
    context: &CallContext,
    state: &AttemptState,
    warnings: &mut Vec<Warning>,
) -> AttemptError {
    let (key, limit) = (&context.settings.key, context.settings.timers.read);
    let body = answer.read_bounded(limit, ERROR_BODY_MAX).await;
    state.send_guard.close();
    let price = Price::from_body(&body, key, warnings);
    let body = ErrorBody::parse(&body, key);
    state.update_metadata(|metadata| {
        metadata.price = metadata.price.larger(price, warnings);
        metadata.request_id = metadata.request_id.take().or_else(|| body.request_id.clone());
    });
    let retry_after = answer.header(header::RETRY_AFTER).and_then(|text| parse_retry_after(text, SystemTime::now()));
    let end = AttemptEnd::Answered { status: answer.status(), body };
    AttemptError { retry_after, ..AttemptError::new(end, "") }
}

/// Downloads linked images and returns either a result or an error that contains the images that came.
async fn finish(
    http: &Http,
    context: &CallContext,
    state: &AttemptState,
    mut received: Received,
    mut warnings: Vec<Warning>,
) -> Result<Generated, AttemptError> {
    let mut assembled = received.assemble();
    let missing = download_missing(http, context, state, &mut received, &mut assembled).await;
    let error = why_not_usable(&mut received, &mut assembled, missing, &context.settings.key);
    let Assembled { images, warnings: image_warnings, .. } = assembled;
    warnings.extend(image_warnings);
    let price = state.metadata().price;
    let Some(mut error) = error else {
        state.update_metadata(|metadata| metadata.phase = Some(Phase::Stored));
        add_warnings(context, &images, &price, &mut warnings);
        return Ok(Generated::without_attempts(images, price.known().or_none(), warnings, received.json.value));
    };
    if matches!(error.end, AttemptEnd::Unusable(_)) {
        attach_response(&mut error, &mut received, &context.settings.key).await;
    }
    if !images.is_empty() || received.json.value != Value::Null {
        let cost = price.known().or_none();
        error.generated = Some(Generated::without_attempts(images, cost, warnings, received.json.value));
    }
    Err(error)
}

/// Downloads linked images, if the call is set to do so. Returns why a requested image is missing.
async fn download_missing(
    http: &Http,
    context: &CallContext,
    state: &AttemptState,
    received: &mut Received,
    assembled: &mut Assembled,
) -> Option<String> {
    if !context.fetch {
        return None;
    }
    let downloads = Downloads {
        http,
        settings: &context.settings,
        target: context.target.as_ref(),
        files: std::mem::take(&mut received.files),
        asked: context.asked as usize,
        doubtful: assembled.doubtful,
        bytes_received: state.bytes_received(),
    };
    let Downloaded { missing, unsaved, files } = downloads.run(&mut assembled.images, &mut assembled.warnings).await;
    received.files = files;
    assembled.unsaved = assembled.unsaved.take().or(unsaved);
    missing
}

/// Returns the error of a 2xx response that does not fulfil the request, if any. `missing` says why an image could not
/// be downloaded.
fn why_not_usable(
    received: &mut Received,
    assembled: &mut Assembled,
    missing: Option<String>,
    key: &ApiKey,
) -> Option<AttemptError> {
    let images = &assembled.images;
    let only_doubtful = assembled.doubtful && images.iter().all(|image| matches!(image.location(), Location::Url));
    let damage = received.cut.take().or(received.json.broken.take()).or(assembled.damage.take());
    if received.json.foreign || (damage.is_none() && (images.is_empty() || only_doubtful)) {
        return Some(AttemptError::new(AttemptEnd::Unusable(Unusable::NoImages), received.describe_missing(key)));
    }
    if let Some(reason) = damage {
        return Some(AttemptError::new(AttemptEnd::Unusable(Unusable::Damaged), reason));
    }
    if let Some(reason) = missing {
        return Some(AttemptError::new(AttemptEnd::Download, reason));
    }
    assembled.unsaved.take().map(|error| {
        let reason = text::io_reason(&error);
        AttemptError { source: Some(error), ..AttemptError::new(AttemptEnd::Storage, reason) }
    })
}

/// Adds a response that cannot be used to its error.
async fn attach_response(error: &mut AttemptError, received: &mut Received, key: &ApiKey) {
    error.response_body = Some(received.excerpt(key));
    error.kept_answer = received.keep(key).await;
    error.task = received.json.task.take();
    if let Some(KeptAnswer::File(path)) = &error.kept_answer {
        error.reason = format!("{}; the whole answer is in {}", error.reason, text::path(path));
    }
}

/// Adds warnings about unexpected properties of a successful response.
fn add_warnings(context: &CallContext, images: &[Image], price: &Price, warnings: &mut Vec<Warning>) {
    warnings.extend(context.request.warnings().iter().cloned());
    let (asked, got) = (context.asked as usize, images.len());
    if got < asked {
        warnings.push(Warning::fewer_images(context.asked, got));
    } else if got > asked {
        warnings.push(Warning::more_images(context.asked, got));
    }
    for (index, image) in images.iter().enumerate() {
        warnings.extend(image.compare(index, context.request.parameters()));
    }
    if price.known().or_none().is_none() {
        warnings.push(Warning::price_missing());
    }
}
