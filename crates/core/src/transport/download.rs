//! Downloads images from their URLs: without credentials, with a check of every redirect, and with resumption after a
//! cut. Only complete images are accepted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::backoff::backoff;
use super::http::{Answer, Failure, Http, HttpError};
use super::image_sink::{ImageSink, StoredImage};
use crate::charge::Charge;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::generated::Generated;
use crate::image::{Image, Location, Target, TargetFile, VerifyError};
use crate::random;
use crate::runtime::require_runtime;
use crate::warning::Warning;
use crate::wire::header;

/// Maximum number of simultaneous downloads for one response.
const CONCURRENT_MAX: usize = 8;
/// Maximum number of redirects that are followed.
const REDIRECTS_MAX: usize = 3;
/// Maximum number of tries for one image that end in an error other than "not found yet".
const TRIES_MAX: u32 = 5;
/// Maximum time that a download may stall. It can be resumed where it stopped.
const STALL_MAX: Duration = Duration::from_secs(60);

/// Why one try to download an image failed.
enum DownloadError {
    /// Status 404, which is normal shortly after generation.
    NotFoundYet,
    /// Another try may help, now or later.
    Temporary(String),
    /// The complete content is not an image. Another try now may help, but a later download will not.
    NotAPicture(String),
    /// Another try will fail too. The reason says what to do instead.
    Permanent(String),
}

/// Downloads the images that a response links to.
pub(crate) struct Downloads<'a> {
    pub(crate) http: &'a Http,
    pub(crate) settings: &'a Settings,
    pub(crate) target: Option<&'a Arc<Target>>,
    /// Temporary files that are already open.
    pub(crate) files: Vec<TargetFile>,
    /// Number of images requested. Further images are downloaded as long as the total stays below the maximum size of
    /// the requested ones.
    pub(crate) asked: usize,
    /// Whether the links may lead to something else. Then anything but an image is left out and not tried again.
    pub(crate) doubtful: bool,
    pub(crate) bytes_received: &'a Arc<AtomicU64>,
}

/// The result of [`Downloads::run`].
#[derive(Debug, Default)]
pub(crate) struct Downloaded {
    /// Why a requested image could not be downloaded.
    pub(crate) missing: Option<String>,
    /// The first error of writing a file.
    pub(crate) unsaved: Option<io::Error>,
    /// The files that were not needed.
    pub(crate) files: Vec<TargetFile>,
}

impl Downloads<'_> {
    /// Downloads every image that is still at its URL, several at once, and replaces it in `images`.
    pub(crate) async fn run(mut self, images: &mut Vec<Image>, warnings: &mut Vec<Warning>) -> Downloaded {
        let mut missing = Vec::new();
        let mut unsaved = None;
        let permits = Arc::new(Semaphore::new(CONCURRENT_MAX));
        let mut fetching = tokio::task::JoinSet::new();
        let asked = self.asked.min(images.len());
        for (index, url) in pending_urls(images).take_while(|(index, _)| *index < asked) {
            let max = self.settings.max_image_bytes;
            let (work, permits) = (self.download_image(index, url, max), permits.clone());
            fetching.spawn(async move {
                let _permit = permits.acquire().await;
                (index, work.await)
            });
        }
        while let Some(fetched) = fetching.join_next().await {
            match fetched {
                Ok((index, Ok(stored))) => replace_image(stored, index, images, &mut unsaved, warnings),
                Ok((index, Err(reason))) => missing.push((index, reason)),
                Err(_) => {
                    missing.push((usize::MAX, "the download task ended early; fetch it again, it is free".to_owned()))
                }
            }
        }
        self.surplus(asked, images, &mut unsaved, warnings).await;
        missing.sort();
        if self.doubtful {
            // If there is at least one image, links that did not lead to an image are left out.
            let failed = |index: &usize| missing.iter().any(|(missing, _)| missing == index);
            if images.iter().any(|image| !matches!(image.location(), Location::Url)) {
                let mut index = 0..;
                images.retain(|_| index.next().is_some_and(|index| !failed(&index)));
            }
            missing.clear();
        }
        let missing =
            missing.into_iter().next().map(|(index, reason)| format!("picture {}: {reason}", index.saturating_add(1)));
        Downloaded { missing, unsaved, files: self.files }
    }

    /// Downloads images beyond the requested number, one after another, within the total size allowed for the requested
    /// ones.
    async fn surplus(
        &mut self,
        asked: usize,
        images: &mut [Image],
        unsaved: &mut Option<io::Error>,
        warnings: &mut Vec<Warning>,
    ) {
        let all = self.settings.max_image_bytes.saturating_mul(self.asked as u64);
        let mut left = images.iter().filter_map(Image::len_bytes).fold(all, u64::saturating_sub);
        let mut unfetched = 0;
        for (index, url) in pending_urls(images).filter(|(index, _)| *index >= asked).collect::<Vec<_>>() {
            let fetched = match left {
                0 => Err(String::new()),
                _ => self.download_image(index, url, left.min(self.settings.max_image_bytes)).await,
            };
            match fetched {
                Ok(stored) => {
                    left = left.saturating_sub(stored.image.len_bytes().unwrap_or(0));
                    replace_image(stored, index, images, unsaved, warnings);
                }
                Err(_) => unfetched += 1,
            }
        }
        if unfetched > 0 && !self.doubtful {
            warnings.push(Warning::surplus_at_url(unfetched));
        }
    }

    /// Downloads one image of at most `max` bytes.
    fn download_image(
        &mut self,
        index: usize,
        url: String,
        max: u64,
    ) -> impl Future<Output = Result<StoredImage, String>> + Send + use<> {
        let download = Download {
            http: self.http.clone(),
            settings: self.settings.clone(),
            url,
            max,
            once: self.doubtful,
            bytes_received: self.bytes_received.clone(),
            sink: ImageSink::new(self.target.cloned(), self.files.pop()),
            tag: None,
        };
        async move {
            let sink = download.run().await?;
            let stored = sink.finish(index, None).await;
            // The file was complete a moment ago. If it cannot be read now, the image is still at its URL.
            match stored.damage {
                Some(damage) => Err(format!("{damage}; fetch it again, it is free")),
                None => Ok(stored),
            }
        }
    }
}

/// Returns the images that are still at their URLs, by index.
fn pending_urls(images: &[Image]) -> impl Iterator<Item = (usize, String)> {
    let at_url = |image: &Image| matches!(image.location(), Location::Url).then(|| image.url().map(str::to_owned));
    images.iter().enumerate().filter_map(move |(index, image)| Some((index, at_url(image)??)))
}

/// Replaces an image by the downloaded one.
fn replace_image(
    stored: StoredImage,
    index: usize,
    images: &mut [Image],
    unsaved: &mut Option<io::Error>,
    warnings: &mut Vec<Warning>,
) {
    warnings.extend(stored.warnings);
    *unsaved = unsaved.take().or(stored.unsaved);
    if let Some(image) = images.get_mut(index) {
        let (url, revised) = (image.url().map(str::to_owned), image.revised_prompt().map(str::to_owned));
        *image = stored.image.with_url(url).with_revised_prompt(revised);
    }
}

/// Downloads one image that is still at its URL, independently of a call.
pub(crate) async fn download_one(
    http: &Http,
    settings: &Settings,
    image: &Image,
    target: Option<Arc<Target>>,
) -> Result<Image, Error> {
    let failed = |reason: &str| {
        Error::new(ErrorKind::DownloadFailed, format!("the picture cannot be fetched: {reason}"))
            .with_charge(Charge::Charged)
    };
    require_runtime()?;
    if !matches!(image.location(), Location::Url) {
        return Ok(image.clone());
    }
    let downloads = Downloads {
        http,
        settings,
        target: target.as_ref(),
        files: Vec::new(),
        asked: 1,
        doubtful: false,
        bytes_received: &Arc::default(),
    };
    let mut images = vec![image.clone()];
    let mut warnings = Vec::new();
    let Downloaded { missing, unsaved, .. } = downloads.run(&mut images, &mut warnings).await;
    let image = images.pop().unwrap_or_else(|| image.clone());
    for warning in &warnings {
        tracing::warn!(kind = warning.kind(), "{warning}");
    }
    if let Some(reason) = missing {
        return Err(failed(&reason));
    }
    if let Some(error) = unsaved {
        let generated = Generated::without_attempts(vec![image], None, warnings, Value::Null);
        return Err(Error::io("the picture came, but cannot be written; it is in memory", error)
            .with_charge(Charge::Charged)
            .with_generated(Some(generated)));
    }
    Ok(image)
}

/// The download of one image. It is free of charge.
struct Download {
    http: Http,
    settings: Settings,
    url: String,
    /// Maximum size, in bytes.
    max: u64,
    /// Whether there is only one try.
    once: bool,
    bytes_received: Arc<AtomicU64>,
    /// The bytes received so far.
    sink: ImageSink,
    /// The strong entity tag of these bytes. A download is only resumed with the same tag.
    tag: Option<String>,
}

impl Download {
    /// Downloads into the sink. The error says why the image is not available.
    async fn run(mut self) -> Result<ImageSink, String> {
        let started = Instant::now();
        let mut failures = 0;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.try_once().await {
                Ok(()) => return Ok(self.sink),
                Err(error) => error,
            };
            let timers = &self.settings.timers;
            let pause = backoff(tries.min(6), timers.initial_backoff, timers.max_backoff, None, random::fraction());
            match error {
                DownloadError::Permanent(reason) => return Err(reason),
                DownloadError::Temporary(reason) | DownloadError::NotAPicture(reason) if self.once => {
                    return Err(reason);
                }
                DownloadError::NotFoundYet if self.once => return Err("its url answers 404, Not Found".to_owned()),
                DownloadError::NotFoundYet if started.elapsed() + pause > timers.url_not_found => {
                    let reason =
                        "its url answers 404, Not Found: if the link has not expired, fetch it again later, it is free";
                    return Err(reason.to_owned());
                }
                DownloadError::Temporary(reason) => {
                    failures += 1;
                    if failures == TRIES_MAX {
                        return Err(format!("{reason}; fetch it again, it is free"));
                    }
                }
                DownloadError::NotAPicture(reason) => {
                    failures += 1;
                    if failures == TRIES_MAX {
                        return Err(format!(
                            "{reason}; look at the link, which may have expired, or ask the vendor for the picture"
                        ));
                    }
                }
                DownloadError::NotFoundYet => {}
            }
            sleep(pause).await;
        }
    }

    async fn restart(&mut self) {
        self.sink.restart().await;
        self.tag = None;
    }

    async fn try_once(&mut self) -> Result<(), DownloadError> {
        let resume = self.tag.clone().filter(|_| self.sink.len() > 0);
        if resume.is_none() {
            self.restart().await;
        }
        let from = self.sink.len();
        let mut answer = self.follow(resume.as_deref().map(|tag| (from, tag))).await?;
        match answer.status() {
            206 if resume.is_some() && starts_at(&answer, from) && strong_tag(&answer) == resume => {}
            206 => {
                self.restart().await;
                return Err(DownloadError::Temporary("its url answered with another part than asked".to_owned()));
            }
            200..=299 => {
                self.restart().await;
                self.tag = strong_tag(&answer);
            }
            404 => return Err(DownloadError::NotFoundYet),
            // The server cannot send this range, so start again.
            416 => {
                self.restart().await;
                return Err(DownloadError::Temporary("its url refuses to continue".to_owned()));
            }
            status @ (408 | 425 | 429 | 500..=599) => {
                return Err(DownloadError::Temporary(format!("its url answers {status}")));
            }
            status @ (401 | 403 | 410 | 451) => {
                return Err(DownloadError::Permanent(format!(
                    "its url answers {status}: the link has expired or is closed; ask the vendor for the picture"
                )));
            }
            status => {
                return Err(DownloadError::Permanent(format!(
                    "its url answers {status}; ask the vendor for the picture"
                )));
            }
        }
        let read = self.read_body(&mut answer).await;
        if answer.is_coded() {
            // Positions in the decoded bytes do not match those on the wire, so the download cannot be resumed.
            self.tag = None;
        }
        read?;
        if let Err(error) = self.sink.verify().await {
            self.restart().await;
            let reason = error.to_string();
            return Err(match error {
                VerifyError::CutShort { .. } => DownloadError::Temporary(reason),
                VerifyError::Other(_) => DownloadError::NotAPicture(reason),
            });
        }
        Ok(())
    }

    async fn read_body(&mut self, answer: &mut Answer) -> Result<(), DownloadError> {
        let max = self.max;
        let too_long = || {
            DownloadError::Permanent(format!(
                "the picture at its url is over {max} bytes; raise max_image_bytes and fetch it again, it is free"
            ))
        };
        let length = answer.content_length().unwrap_or(0);
        if length > max {
            return Err(too_long());
        }
        self.sink.reserve(usize::try_from(length).unwrap_or(0));
        loop {
            match timeout(self.read_timeout(), answer.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    if self.sink.len() + chunk.len() as u64 > max {
                        return Err(too_long());
                    }
                    self.bytes_received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                    self.sink.append(&chunk).await;
                }
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => {
                    return Err(DownloadError::Temporary(format!("the download was cut: {}", error.reason)));
                }
                Err(_) => return Err(DownloadError::Temporary("the download stood still".to_owned())),
            }
        }
    }

    fn read_timeout(&self) -> Duration {
        self.settings.timers.read.min(STALL_MAX)
    }

    /// Opens the URL and follows a limited number of redirects, each of which is checked.
    async fn follow(&self, resume: Option<(u64, &str)>) -> Result<Answer, DownloadError> {
        let mut url = Url::parse(&self.url).map_err(|error| {
            DownloadError::Permanent(format!("its url is no URL: {error}; ask the vendor for the picture"))
        })?;
        for _ in 0..=REDIRECTS_MAX {
            self.settings.download_guard.check(&url).map_err(|reason| {
                DownloadError::Permanent(format!("{reason}; if you trust the link, open it with another program"))
            })?;
            let limit: Duration = self.settings.timers.connect + self.read_timeout();
            let answer = match timeout(limit, self.http.download(&url, resume)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => return Err(unreachable(&error)),
                Err(_) => return Err(DownloadError::Temporary("its url does not answer in time".to_owned())),
            };
            if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let next = answer.header(header::LOCATION).and_then(|location| url.join(location).ok());
            url = next.ok_or_else(|| {
                DownloadError::Permanent("its url redirects to nowhere; ask the vendor for the picture".to_owned())
            })?;
        }
        Err(DownloadError::Permanent(format!(
            "its url redirects more than {REDIRECTS_MAX} times; if you trust the link, open it with another program"
        )))
    }
}

/// Classifies a failed connection. It is permanent for hosts that we refuse and for bad certificates.
fn unreachable(error: &HttpError) -> DownloadError {
    let said = format!("its url cannot be reached: {}", error.reason);
    match error.failure {
        Failure::Forbidden => {
            DownloadError::Permanent(format!("{said}; if you trust the link, open it with another program"))
        }
        Failure::Certificate => {
            let advice = "trust its certificate by a CA file and fetch it again, it is free";
            DownloadError::Permanent(format!("{said}; {advice}"))
        }
        _ if error.permanent => DownloadError::Permanent(said),
        _ => DownloadError::Temporary(said),
    }
}

/// Returns the response's entity tag, if it is a strong one, which guarantees identical bytes.
fn strong_tag(answer: &Answer) -> Option<String> {
    answer.header(header::ETAG).filter(|tag| tag.starts_with('"')).map(str::to_owned)
}

fn starts_at(answer: &Answer, from: u64) -> bool {
    answer.header(header::CONTENT_RANGE).is_some_and(|range| header::range_starts_at(range, from))
}
