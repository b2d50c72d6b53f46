//! An outcome as a file holds it, without pixels.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Outcome, attempts, generated};
use crate::attempt::{Attempt, Cost};
use crate::error::{Charge, Error, ErrorKind};
use crate::generated::Generated;
use crate::image::{Image, Location};
use crate::warning::Warning;

/// What a record of another version means is not guessed.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    version: Version,
    error: Option<Failed>,
    generated: Option<Made>,
    attempts: Vec<Attempt>,
}

/// Only this version is read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Version;

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

impl Clone for Version {
    fn clone(&self) -> Self {
        Self
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == VERSION { Ok(Self) } else { Err(format!("version {version} of a record is not known")) }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    kind: ErrorKind,
    charge: Charge,
    message: String,
    http_status: Option<u16>,
    retry_after_seconds: Option<u64>,
    vendor_says_free: bool,
    timed_out: bool,
    response_body: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Made {
    images: Vec<Picture>,
    cost: Option<Cost>,
    warnings: Vec<Warning>,
    response: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Picture {
    /// Beside the record, or elsewhere with its whole path.
    file: Option<PathBuf>,
    url: Option<String>,
    revised_prompt: Option<String>,
    inline: bool,
}

impl Record {
    /// `save` writes a picture that is in memory, by its number, and says where it is.
    pub(crate) fn of(
        outcome: &Outcome,
        mut save: impl FnMut(usize, &Image) -> io::Result<PathBuf>,
    ) -> io::Result<Self> {
        let picture = |(index, image): (usize, &Image)| {
            let file = match image.location() {
                // By its name: the folder may be moved.
                Location::Memory(_) => save(index + 1, image)?.file_name().map(PathBuf::from),
                Location::File(path) => Some(path.clone()),
                Location::Url => None,
            };
            Ok(Picture {
                file,
                url: image.url().map(str::to_owned),
                revised_prompt: image.revised_prompt().map(str::to_owned),
                inline: image.is_inline(),
            })
        };
        let made = match generated(outcome) {
            Some(generated) => Some(Made {
                images: generated.images().iter().enumerate().map(picture).collect::<io::Result<_>>()?,
                cost: generated.cost().copied(),
                warnings: generated.warnings().to_vec(),
                response: generated.response().clone(),
            }),
            None => None,
        };
        let failed = outcome.as_ref().err().map(|error| Failed {
            kind: error.kind(),
            charge: error.charge(),
            message: error.message().to_owned(),
            http_status: error.http_status(),
            retry_after_seconds: error.retry_after().map(|wait| wait.as_secs()),
            vendor_says_free: error.vendor_says_free(),
            timed_out: error.is_timeout(),
            response_body: error.response_body().map(str::to_owned),
        });
        Ok(Self { version: Version, error: failed, generated: made, attempts: attempts(outcome).to_vec() })
    }

    /// The outcome, its pictures in `folder`.
    pub(crate) fn outcome(self, folder: &Path) -> Outcome {
        let attempts = self.attempts;
        let picture = |picture: Picture| {
            let image = match (picture.file, &picture.url) {
                (Some(file), _) => Image::from_file(folder.join(file)),
                (None, Some(url)) => Image::from_url(url.clone()),
                (None, None) => return None,
            };
            let image = image.with_url(picture.url).with_revised_prompt(picture.revised_prompt);
            Some(image.with_inline(picture.inline))
        };
        let generated = self.generated.map(|made| Generated {
            images: made.images.into_iter().filter_map(picture).collect(),
            cost: made.cost,
            attempts: attempts.clone(),
            warnings: made.warnings,
            response: made.response,
        });
        match (self.error, generated) {
            (None, Some(generated)) => Ok(generated),
            (Some(failed), generated) => Err(Error::new(failed.kind, failed.message)
                .with_charge(failed.charge)
                .with_status(failed.http_status)
                .with_retry_after(failed.retry_after_seconds.map(Duration::from_secs))
                .with_vendor_says_free(failed.vendor_says_free)
                .with_timed_out(failed.timed_out)
                .with_response_body(failed.response_body)
                .with_attempts(attempts)
                .with_generated(generated)),
            (None, None) => Err(Error::new(ErrorKind::Internal, "the record holds neither a result nor an error")
                .with_attempts(attempts)),
        }
    }
}
