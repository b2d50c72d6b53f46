//! From what an answer holds to pictures: decoded ones are taken over, linked ones are fetched.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use super::download::{Patience, download};
use super::landing::{Landed, Landing};
use super::receive::Received;
use super::{Http, within_runtime};
use crate::config::Settings;
use crate::error::{Charge, Error, ErrorKind};
use crate::generated::Generated;
use crate::image::{Image, Location, Target, TargetFile};
use crate::warning::Warning;

/// So many downloads of one answer run at a time.
const AT_ONCE: usize = 8;

/// Fetches the pictures that an answer links to.
pub(crate) struct Fetch<'a> {
    pub(crate) http: &'a Http,
    pub(crate) settings: &'a Settings,
    pub(crate) target: Option<&'a Arc<Target>>,
    /// Temporary files that are open already.
    pub(crate) files: Vec<TargetFile>,
    /// How many pictures were asked for. More are fetched as long as all together are no larger than these may be.
    pub(crate) asked: usize,
    /// Nobody said that the links are pictures': what is none is left out, and not waited for.
    pub(crate) doubtful: bool,
    pub(crate) received: &'a Arc<AtomicU64>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// Why a picture that was asked for could not be had.
    pub(crate) missing: Option<String>,
    /// The first file error.
    pub(crate) unsaved: Option<io::Error>,
    /// The files that were not needed.
    pub(crate) files: Vec<TargetFile>,
}

impl Fetch<'_> {
    /// Fetches every picture that is still at its URL, several at once.
    pub(crate) async fn all(mut self, images: &mut Vec<Image>, warnings: &mut Vec<Warning>) -> Fetched {
        let mut missing = Vec::new();
        let mut unsaved = None;
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut fetching = tokio::task::JoinSet::new();
        let asked = self.asked.min(images.len());
        for (index, url) in links(images).take_while(|(index, _)| *index < asked) {
            let max = self.settings.max_image_bytes;
            let (work, turns) = (self.one(index, url, max), turns.clone());
            fetching.spawn(async move {
                let _turn = turns.acquire().await;
                (index, work.await)
            });
        }
        while let Some(fetched) = fetching.join_next().await {
            match fetched {
                Ok((index, Ok(landed))) => put(landed, index, images, &mut unsaved, warnings),
                Ok((index, Err(reason))) => missing.push((index, reason)),
                Err(_) => {
                    missing.push((usize::MAX, "the download task ended early; fetch it again, it is free".to_owned()))
                }
            }
        }
        self.surplus(asked, images, &mut unsaved, warnings).await;
        missing.sort();
        if self.doubtful {
            // What is no picture is nobody's loss, if there is one.
            let failed = |index: &usize| missing.iter().any(|(missing, _)| missing == index);
            if images.iter().any(|image| !matches!(image.location(), Location::Url)) {
                let mut index = 0..;
                images.retain(|_| index.next().is_some_and(|index| !failed(&index)));
            }
            missing.clear();
        }
        let missing =
            missing.into_iter().next().map(|(index, reason)| format!("picture {}: {reason}", index.saturating_add(1)));
        Fetched { missing, unsaved, files: self.files }
    }

    /// Fetches pictures that were not asked for, one after another, within the size of those that were.
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
        for (index, url) in links(images).filter(|(index, _)| *index >= asked).collect::<Vec<_>>() {
            let fetched = match left {
                0 => Err(String::new()),
                _ => self.one(index, url, left.min(self.settings.max_image_bytes)).await,
            };
            match fetched {
                Ok(landed) => {
                    left = left.saturating_sub(landed.image.len_bytes().unwrap_or(0));
                    put(landed, index, images, unsaved, warnings);
                }
                Err(_) => unfetched += 1,
            }
        }
        if unfetched > 0 && !self.doubtful {
            warnings.push(Warning::surplus_at_url(unfetched));
        }
    }

    /// One picture, of at most so many bytes.
    fn one(
        &mut self,
        index: usize,
        url: String,
        max: u64,
    ) -> impl Future<Output = Result<Landed, String>> + Send + use<> {
        let (http, settings, received) = (self.http.clone(), self.settings.clone(), self.received.clone());
        let landing = Landing::new(self.target.cloned(), self.files.pop());
        let patience = if self.doubtful { Patience::Once } else { Patience::Long };
        async move {
            let landing = download(&http, &settings, &url, landing, max, patience, &received).await?;
            let landed = landing.finish(index, None).await;
            // It was whole a moment ago: what cannot be read any more is still at its URL.
            match landed.damage {
                Some(damage) => Err(format!("{damage}; fetch it again, it is free")),
                None => Ok(landed),
            }
        }
    }
}

/// The pictures that are at their URLs, with their places.
fn links(images: &[Image]) -> impl Iterator<Item = (usize, String)> {
    let at_url = |image: &Image| matches!(image.location(), Location::Url).then(|| image.url().map(str::to_owned));
    images.iter().enumerate().filter_map(move |(index, image)| Some((index, at_url(image)??)))
}

/// Puts a picture that came in its place.
fn put(
    landed: Landed,
    index: usize,
    images: &mut [Image],
    unsaved: &mut Option<io::Error>,
    warnings: &mut Vec<Warning>,
) {
    warnings.extend(landed.warnings);
    *unsaved = unsaved.take().or(landed.unsaved);
    if let Some(image) = images.get_mut(index) {
        let (url, revised) = (image.url().map(str::to_owned), image.revised_prompt().map(str::to_owned));
        *image = landed.image.with_url(url).with_revised_prompt(revised);
    }
}

/// What an answer holds.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// In the answer's order; links stand for those that are not here.
    pub(crate) images: Vec<Image>,
    /// The links may lead to something else.
    pub(crate) doubtful: bool,
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
            // Nobody said that this is a picture.
            (Some(landed), _) if found.doubtful && landed.damage.is_some() => continue,
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
            (None, Some(url)) => {
                delivered.doubtful |= found.doubtful;
                Image::at_url(url.clone())
            }
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
        Error::new(ErrorKind::DownloadFailed, format!("the picture cannot be fetched: {reason}"))
            .with_charge(Charge::Charged)
    };
    within_runtime()?;
    if !matches!(image.location(), Location::Url) {
        return Ok(image.clone());
    }
    let (target, received) = (target.as_ref(), Arc::default());
    let fetch = Fetch { http, settings, target, files: Vec::new(), asked: 1, doubtful: false, received: &received };
    let mut images = vec![image.clone()];
    let mut warnings = Vec::new();
    let Fetched { missing, unsaved, .. } = fetch.all(&mut images, &mut warnings).await;
    let image = images.pop().unwrap_or_else(|| image.clone());
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
