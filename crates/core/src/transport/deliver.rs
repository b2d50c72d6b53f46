//! From what an answer holds to pictures: decoded ones are taken over, linked ones are fetched.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use super::download::download;
use super::landing::{Landed, Landing};
use super::receive::Received;
use super::{Http, within_runtime};
use crate::config::Settings;
use crate::error::{Charge, Error, ErrorKind};
use crate::generated::Generated;
use crate::image::{Image, Location, Target};
use crate::warning::Warning;

/// So many downloads of one answer run at a time.
const AT_ONCE: usize = 8;

/// Fetches every picture that is still at its URL, several at once. Returns why some could not be had, and the first file
/// error.
pub(crate) async fn fetch_missing(
    http: &Http,
    settings: &Settings,
    target: Option<&Arc<Target>>,
    images: &mut [Image],
    received: &Arc<AtomicU64>,
    warnings: &mut Vec<Warning>,
) -> (Option<String>, Option<io::Error>) {
    let mut missing = Vec::new();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut fetching = tokio::task::JoinSet::new();
    for (index, image) in images.iter().enumerate() {
        let Location::Url = image.location() else { continue };
        let Some(url) = image.url().map(str::to_owned) else { continue };
        let (http, settings, target, received) = (http.clone(), settings.clone(), target.cloned(), received.clone());
        let turns = turns.clone();
        fetching.spawn(async move {
            let _turn = turns.acquire().await;
            (index, fetch(&http, &settings, target, index, &url, &received).await)
        });
    }
    let mut unsaved = None;
    while let Some(fetched) = fetching.join_next().await {
        let Ok((index, fetched)) = fetched else {
            missing.push((usize::MAX, "the download task ended early".to_owned()));
            continue;
        };
        match fetched {
            Ok(landed) => {
                warnings.extend(landed.warnings);
                unsaved = unsaved.or(landed.unsaved);
                if let Some(image) = images.get_mut(index) {
                    let (url, revised) = (image.url().map(str::to_owned), image.revised_prompt().map(str::to_owned));
                    *image = landed.image.with_url(url).with_revised_prompt(revised);
                }
            }
            Err(reason) => missing.push((index, reason)),
        }
    }
    missing.sort();
    let reason =
        missing.into_iter().next().map(|(index, reason)| format!("picture {}: {reason}", index.saturating_add(1)));
    (reason, unsaved)
}

async fn fetch(
    http: &Http,
    settings: &Settings,
    target: Option<Arc<Target>>,
    index: usize,
    url: &str,
    received: &AtomicU64,
) -> Result<Landed, String> {
    let landing = download(http, settings, url, Landing::new(target, None), received).await?;
    let landed = landing.finish(index, None).await;
    // It was whole a moment ago: what cannot be read any more is still at its URL.
    match landed.damage {
        Some(damage) => Err(damage),
        None => Ok(landed),
    }
}

/// What an answer holds.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// In the answer's order; links stand for those that are not here.
    pub(crate) images: Vec<Image>,
    /// Why one of them is no picture.
    pub(crate) damage: Option<String>,
    /// Why one is in memory and should be in a file.
    pub(crate) unsaved: Option<io::Error>,
    pub(crate) warnings: Vec<Warning>,
}

/// Puts pictures and links together. A damaged picture with a link is replaced by the link.
pub(crate) fn assemble(received: &mut Received) -> Delivered {
    let mut delivered = Delivered::default();
    for found in std::mem::take(&mut received.json.found) {
        let landed = found.payload.and_then(|number| received.pictures.get_mut(number)).and_then(Option::take);
        let image = match (landed, &found.url) {
            (Some(landed), Some(url)) if landed.damage.is_some() => Image::at_url(url.clone()),
            (Some(landed), _) => {
                if let Some(reason) = landed.damage {
                    let number = delivered.images.len() + 1;
                    delivered.damage.get_or_insert_with(|| format!("picture {number}: {reason}"));
                }
                delivered.unsaved = delivered.unsaved.or(landed.unsaved);
                delivered.warnings.extend(landed.warnings);
                if landed.image.bytes().is_some_and(bytes::Bytes::is_empty) {
                    // Nothing of it could be decoded: there is no picture to hand over.
                    continue;
                }
                landed.image.with_inline(true)
            }
            (None, Some(url)) => Image::at_url(url.clone()),
            (None, None) => continue,
        };
        delivered.images.push(image.with_url(found.url).with_revised_prompt(found.revised_prompt));
    }
    delivered
}

/// Fetches one picture on its own.
pub(crate) async fn download_one(
    http: &Http,
    settings: &Settings,
    image: &Image,
    target: Option<Arc<Target>>,
) -> Result<Image, Error> {
    let failed = |reason: &str| {
        Error::new(ErrorKind::DownloadFailed, format!("the picture cannot be fetched: {reason}; try again, it is free"))
            .with_charge(Charge::Charged)
    };
    within_runtime()?;
    if !matches!(image.location(), Location::Url) {
        return Ok(image.clone());
    }
    let mut images = [image.clone()];
    let mut warnings = Vec::new();
    let (missing, unsaved) =
        fetch_missing(http, settings, target.as_ref(), &mut images, &Arc::default(), &mut warnings).await;
    let [image] = images;
    for warning in &warnings {
        tracing::warn!(kind = warning.kind(), "{warning}");
    }
    if let Some(reason) = missing {
        return Err(failed(&reason));
    }
    if let Some(error) = unsaved {
        let generated = Generated {
            images: vec![image],
            cost: None,
            attempts: Vec::new(),
            warnings,
            response: serde_json::Value::Null,
        };
        return Err(Error::io("the picture came, but cannot be written; it is in memory", error)
            .with_charge(Charge::Charged)
            .with_generated(Some(generated)));
    }
    Ok(image)
}
