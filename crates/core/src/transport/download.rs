//! Downloads pictures from their URLs: without credentials, every hop checked, resumed where it was cut, accepted only whole.

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

/// Downloads of one answer that run at a time.
const CONCURRENT_MAX: usize = 8;
/// Redirects that are followed.
const REDIRECTS_MAX: usize = 3;
/// Tries at one picture that end in an error other than "not found yet".
const TRIES_MAX: u32 = 5;
/// The longest that a download may stand still: it can be resumed where it stood.
const STALL_MAX: Duration = Duration::from_secs(60);

/// Why one try at a download failed.
enum DownloadError {
    /// 404, as it is just after generation.
    NotFoundYet,
    /// Another try may help, also later.
    Temporary(String),
    /// Something whole that is not a picture: another try may help, but not a later download.
    NotAPicture(String),
    /// Another try fails, too. The reason says what to do instead.
    Permanent(String),
}

/// Downloads the pictures that an answer links to.
pub(crate) struct Downloads<'a> {
    pub(crate) http: &'a Http,
    pub(crate) settings: &'a Settings,
    pub(crate) target: Option<&'a Arc<Target>>,
    /// Temporary files that are open already.
    pub(crate) files: Vec<TargetFile>,
    /// How many pictures were asked for. More are fetched as long as all together are no larger than these may be.
    pub(crate) asked: usize,
    /// The links may lead to something else: what is not a picture is left out and not tried twice.
    pub(crate) doubtful: bool,
    pub(crate) bytes_received: &'a Arc<AtomicU64>,
}

/// The result of [`Downloads::run`].
#[derive(Debug, Default)]
pub(crate) struct Downloaded {
    /// Why a picture that was asked for could not be had.
    pub(crate) missing: Option<String>,
    /// The first file error.
    pub(crate) unsaved: Option<io::Error>,
    /// The files that were not needed.
    pub(crate) files: Vec<TargetFile>,
}

impl Downloads<'_> {
    /// Downloads every picture that is still at its URL, several at once, into its place in `images`.
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
            // A link that leads to no picture is left out, if there is a picture.
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

    /// Downloads pictures that were not asked for, one after another, within the size of those that were.
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

    /// One picture, of at most so many bytes.
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
            // It was whole a moment ago: what cannot be read any more is still at its URL.
            match stored.damage {
                Some(damage) => Err(format!("{damage}; fetch it again, it is free")),
                None => Ok(stored),
            }
        }
    }
}

/// The pictures that are still at their URLs, with their places.
fn pending_urls(images: &[Image]) -> impl Iterator<Item = (usize, String)> {
    let at_url = |image: &Image| matches!(image.location(), Location::Url).then(|| image.url().map(str::to_owned));
    images.iter().enumerate().filter_map(move |(index, image)| Some((index, at_url(image)??)))
}

/// Puts a picture that came into its place.
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

/// Downloads one picture that is still at its URL, on its own.
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

/// The download of one image, which is free.
struct Download {
    http: Http,
    settings: Settings,
    url: String,
    /// Largest size, in bytes.
    max: u64,
    /// Whether it is tried only once.
    once: bool,
    bytes_received: Arc<AtomicU64>,
    /// The part that came so far.
    sink: ImageSink,
    /// The strong entity tag of these bytes: only with the same one may they be continued.
    tag: Option<String>,
}

impl Download {
    /// Downloads into the sink. `Err`: why it cannot be had.
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
            // The range cannot be had: from the start again.
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
            // What came of it has another place in what would be sent again.
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

    /// Opens the URL, through a few redirects, each of them checked.
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

/// Why a hop could not be reached: some hosts we refuse ourselves, and certificates stay as they are.
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

/// The entity tag of the answer, if it is one that promises the same bytes.
fn strong_tag(answer: &Answer) -> Option<String> {
    answer.header(header::ETAG).filter(|tag| tag.starts_with('"')).map(str::to_owned)
}

fn starts_at(answer: &Answer, from: u64) -> bool {
    answer.header(header::CONTENT_RANGE).is_some_and(|range| header::range_starts_at(range, from))
}
