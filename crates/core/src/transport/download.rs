//! Fetching a picture from its URL: no credentials, every hop judged, resumed where it was cut, accepted only whole.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::Http;
use super::http::{Answer, Failure};
use super::landing::Landing;
use super::retry::wait;
use crate::config::Settings;
use crate::random;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 3;
/// Tries at one picture that ended in an error other than "not there yet".
const TRIES_MAX: u32 = 5;

/// A download can be taken up again where it stood: no longer is waited for one that stands still.
const STALL_MAX: Duration = Duration::from_secs(60);

/// Why one try ended.
enum Miss {
    /// 404: just after generation that passes.
    NotThereYet,
    /// Worth another try: then, too, when we have given up.
    Passing(String),
    /// Something whole that is no picture: worth another try, and then not another fetch.
    Foreign(String),
    /// Another try would end the same way. The reason says what to do instead.
    Final(String),
}

/// How long a picture is tried for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As long as it makes sense.
    Long,
    Once,
}

/// Fetches a picture of at most `max` bytes into `landing`. It is free, so it may be tried as often as wanted.
pub(crate) async fn download(
    http: &Http,
    settings: &Settings,
    url: &str,
    landing: Landing,
    max: u64,
    patience: Patience,
    received: &AtomicU64,
) -> Result<Landing, String> {
    let mut partial = Partial { landing, max, tag: None, received };
    let started = Instant::now();
    let mut failures = 0;
    let mut tries = 0;
    loop {
        tries += 1;
        let miss = match attempt(http, settings, url, &mut partial).await {
            Ok(()) => return Ok(partial.landing),
            Err(miss) => miss,
        };
        let pause =
            wait(tries.min(6), settings.timers.backoff_first, settings.timers.backoff_longest, None, random::dice());
        match miss {
            Miss::Final(reason) => return Err(reason),
            Miss::Passing(reason) | Miss::Foreign(reason) if patience == Patience::Once => return Err(reason),
            Miss::NotThereYet if patience == Patience::Once => return Err("its url answers 404, Not Found".to_owned()),
            Miss::NotThereYet if started.elapsed() + pause > settings.timers.url_not_found => {
                let reason =
                    "its url answers 404, Not Found: if the link has not expired, fetch it again later, it is free";
                return Err(reason.to_owned());
            }
            Miss::Passing(reason) => {
                failures += 1;
                if failures == TRIES_MAX {
                    return Err(format!("{reason}; fetch it again, it is free"));
                }
            }
            Miss::Foreign(reason) => {
                failures += 1;
                if failures == TRIES_MAX {
                    return Err(format!(
                        "{reason}; look at the link, which may have expired, or ask the vendor for the picture"
                    ));
                }
            }
            Miss::NotThereYet => {}
        }
        sleep(pause).await;
    }
}

/// What came of a picture so far.
struct Partial<'a> {
    landing: Landing,
    max: u64,
    received: &'a AtomicU64,
    /// The strong entity tag of these bytes: only with the same one may they be continued.
    tag: Option<String>,
}

impl Partial<'_> {
    async fn restart(&mut self) {
        self.landing.restart().await;
        self.tag = None;
    }
}

async fn attempt(http: &Http, settings: &Settings, url: &str, partial: &mut Partial<'_>) -> Result<(), Miss> {
    let resume = partial.tag.clone().filter(|_| partial.landing.len() > 0);
    if resume.is_none() {
        partial.restart().await;
    }
    let from = partial.landing.len();
    let mut answer = follow(http, settings, url, resume.as_deref().map(|tag| (from, tag))).await?;
    match answer.status() {
        206 if resume.is_some() && starts_at(&answer, from) && strong_tag(&answer) == resume => {}
        206 => {
            partial.restart().await;
            return Err(Miss::Passing("its url answered with another part than asked".to_owned()));
        }
        200..=299 => {
            partial.restart().await;
            partial.tag = strong_tag(&answer);
        }
        404 => return Err(Miss::NotThereYet),
        // The range cannot be had: from the start again.
        416 => {
            partial.restart().await;
            return Err(Miss::Passing("its url refuses to continue".to_owned()));
        }
        status @ (408 | 425 | 429 | 500..=599) => return Err(Miss::Passing(format!("its url answers {status}"))),
        status @ (401 | 403 | 410 | 451) => {
            return Err(Miss::Final(format!(
                "its url answers {status}: the link has expired or is closed; ask the vendor for the picture"
            )));
        }
        status => return Err(Miss::Final(format!("its url answers {status}; ask the vendor for the picture"))),
    }
    let read = read_body(&mut answer, settings, partial).await;
    if answer.is_coded() {
        // What came of it has another place in what would be sent again.
        partial.tag = None;
    }
    read?;
    if let Err(reason) = partial.landing.verify().await {
        partial.restart().await;
        let is_cut = reason.contains("cut short");
        return Err(if is_cut { Miss::Passing(reason) } else { Miss::Foreign(reason) });
    }
    Ok(())
}

async fn read_body(answer: &mut Answer, settings: &Settings, partial: &mut Partial<'_>) -> Result<(), Miss> {
    let max = partial.max;
    let too_long = || {
        Miss::Final(format!(
            "the picture at its url is over {max} bytes; raise max_image_bytes and fetch it again, it is free"
        ))
    };
    let length = answer.content_length().unwrap_or(0);
    if length > max {
        return Err(too_long());
    }
    partial.landing.reserve(usize::try_from(length).unwrap_or(0));
    loop {
        match timeout(stall(settings), answer.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                if partial.landing.len() + chunk.len() as u64 > max {
                    return Err(too_long());
                }
                partial.received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                partial.landing.append(&chunk).await;
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(failure)) => return Err(Miss::Passing(format!("the download was cut: {}", failure.reason))),
            Err(_) => return Err(Miss::Passing("the download stood still".to_owned())),
        }
    }
}

fn stall(settings: &Settings) -> Duration {
    settings.timers.body_stall.min(STALL_MAX)
}

/// Opens a URL, through a few redirects, each of them judged.
async fn follow(http: &Http, settings: &Settings, url: &str, resume: Option<(u64, &str)>) -> Result<Answer, Miss> {
    let mut url = Url::parse(url)
        .map_err(|error| Miss::Final(format!("its url is no URL: {error}; ask the vendor for the picture")))?;
    for _ in 0..=REDIRECTS_MAX {
        settings
            .download_guard
            .check(&url)
            .map_err(|reason| Miss::Final(format!("{reason}; if you trust the link, open it with another program")))?;
        let limit: Duration = settings.timers.connect + stall(settings);
        let answer = match timeout(limit, http.download(&url, resume)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Err(unreachable(&failure)),
            Err(_) => return Err(Miss::Passing("its url does not answer in time".to_owned())),
        };
        if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
            return Ok(answer);
        }
        let next = answer.header("location").and_then(|location| url.join(location).ok());
        url =
            next.ok_or_else(|| Miss::Final("its url redirects to nowhere; ask the vendor for the picture".to_owned()))?;
    }
    Err(Miss::Final(format!(
        "its url redirects more than {REDIRECTS_MAX} times; if you trust the link, open it with another program"
    )))
}

/// Some hosts are refused by ourselves, and certificates do not change by asking again.
fn unreachable(failure: &Failure) -> Miss {
    let reason = &failure.reason;
    let said = format!("its url cannot be reached: {reason}");
    if reason.contains("is not opened") {
        Miss::Final(format!("{said}; if you trust the link, open it with another program"))
    } else if reason.contains("certificate") {
        Miss::Final(format!("{said}; trust its certificate by a CA file and fetch it again, it is free"))
    } else if failure.lasting {
        Miss::Final(said)
    } else {
        Miss::Passing(said)
    }
}

/// A tag that promises the same bytes.
fn strong_tag(answer: &Answer) -> Option<String> {
    answer.header("etag").filter(|tag| tag.starts_with('"')).map(str::to_owned)
}

fn starts_at(answer: &Answer, from: u64) -> bool {
    answer
        .header("content-range")
        .and_then(|range| range.strip_prefix("bytes "))
        .and_then(|range| range.split('-').next())
        .is_some_and(|start| start.trim().parse() == Ok(from))
}
