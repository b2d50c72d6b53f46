//! A result as it is stored in a file, without pixels.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outcome::{Outcome, Pending, attempts, ended_after, generated};
use super::stored::{Named, StoredAttempt, StoredCost, StoredWarning};
use crate::attempt::Attempt;
use crate::charge::{Charge, Cost};
use crate::error::{Error, ErrorKind, KeptAnswer};
use crate::generated::Generated;
use crate::image::{Image, Location};
use crate::text;
use crate::warning::Warning;

/// Version of the format. Records of other versions are not read.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    error: Option<Failed>,
    generated: Option<Made>,
    attempts: Vec<StoredAttempt>,
}

/// The part that the records of all versions have.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    kind: Named<ErrorKind>,
    charge: Named<Charge>,
    message: String,
    http_status: Option<u16>,
    retry_after_seconds: Option<u64>,
    vendor_says_free: bool,
    timed_out: bool,
    response_body: Option<String>,
    /// The file with the whole response. Older records have neither this nor a task id.
    #[serde(default)]
    response_file: Option<PathBuf>,
    #[serde(default)]
    task_id: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Made {
    images: Vec<Picture>,
    cost: Option<StoredCost>,
    warnings: Vec<StoredWarning>,
    response: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Picture {
    /// The file: a name next to the record, or an absolute path elsewhere.
    file: Option<PathBuf>,
    url: Option<String>,
    revised_prompt: Option<String>,
    inline: bool,
}

impl Record {
    /// Creates the record of a result. `save` writes an image that is in memory to a file: it takes the image's number
    /// and returns the file's path.
    pub(crate) fn of(
        outcome: &Outcome,
        mut save: impl FnMut(usize, &Image) -> io::Result<PathBuf>,
    ) -> io::Result<Self> {
        let picture = |(index, image): (usize, &Image)| {
            let file = match image.location() {
                // Only the name, because the folder may be moved.
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
                cost: generated.cost().copied().map(StoredCost::from),
                warnings: generated.warnings().iter().map(StoredWarning::from).collect(),
                response: generated.response().clone(),
            }),
            None => None,
        };
        let failed = outcome.as_ref().err().map(|error| Failed {
            kind: Named(error.kind()),
            charge: Named(error.charge()),
            message: error.message().to_owned(),
            http_status: error.http_status(),
            retry_after_seconds: error.retry_after().map(|wait| wait.as_secs()),
            vendor_says_free: error.vendor_says_free(),
            timed_out: error.is_timeout(),
            response_body: error.response_body().map(str::to_owned),
            response_file: error.response_file().map(Path::to_owned),
            task_id: error.task_id().map(str::to_owned),
        });
        Ok(Self {
            version: VERSION,
            error: failed,
            generated: made,
            attempts: attempts(outcome).iter().map(StoredAttempt::from).collect(),
        })
    }

    /// Parses the content of a file. The error says why it is not a record of this version.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let Head { version } = serde_json::from_slice(text).map_err(|error| format!("it is no record: {error}"))?;
        if version != VERSION {
            return Err(format!("it is a record of version {version}, and this gptimage knows version {VERSION}"));
        }
        let record: Self = serde_json::from_slice(text).map_err(|error| format!("the record is damaged: {error}"))?;
        if record.error.is_none() && record.generated.is_none() {
            return Err("the record holds neither a result nor an error".to_owned());
        }
        let files = record.generated.iter().flat_map(|made| &made.images).filter_map(|picture| picture.file.as_deref());
        match files.into_iter().find(|file| !file.is_absolute() && !is_name(file)) {
            Some(file) => Err(format!("it names a picture outside this folder, {}", text::path(file))),
            None => Ok(record),
        }
    }

    /// Returns the entry for the list of pending calls.
    pub(crate) fn pending(&self) -> Pending {
        ended_after(self.attempts.last().map(StoredAttempt::id_and_phase))
    }

    /// Restores the result, with its images in `folder`.
    pub(crate) fn outcome(self, folder: &Path) -> Outcome {
        let attempts: Vec<_> = self.attempts.into_iter().map(Attempt::from).collect();
        let picture = |picture: Picture| {
            let image = match (picture.file.and_then(|file| picture_at(folder, &file)), &picture.url) {
                (Some(image), _) => image,
                (None, Some(url)) => Image::from_url(url.clone()),
                (None, None) => return None,
            };
            let image = image.with_url(picture.url).with_revised_prompt(picture.revised_prompt);
            Some(image.with_inline(picture.inline))
        };
        let generated = self.generated.map(|made| Generated {
            images: made.images.into_iter().filter_map(picture).collect(),
            cost: made.cost.map(Cost::from),
            attempts: attempts.clone(),
            warnings: made.warnings.into_iter().map(Warning::from).collect(),
            response: made.response,
        });
        match (self.error, generated) {
            (None, Some(generated)) => Ok(generated),
            (Some(failed), generated) => Err(Error::new(failed.kind.0, failed.message)
                .with_charge(failed.charge.0)
                .with_status(failed.http_status)
                .with_retry_after(failed.retry_after_seconds.map(Duration::from_secs))
                .with_vendor_says_free(failed.vendor_says_free)
                .with_timed_out(failed.timed_out)
                .with_response_body(failed.response_body)
                .with_kept_answer(failed.response_file.map(KeptAnswer::File))
                .with_task_id(failed.task_id)
                .with_attempts(attempts)
                .with_generated(generated)),
            (None, None) => Err(Error::new(ErrorKind::Internal, "the record holds neither a result nor an error")
                .with_attempts(attempts)),
        }
    }
}

/// Returns whether this is a plain name that does not lead out of its folder.
fn is_name(file: &Path) -> bool {
    let mut parts = file.components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(name)), None) if name == file.as_os_str())
}

/// Returns the image in a file that a record names: next to the record, or elsewhere if `save_to` put it there. The
/// record may come from someone else. So anything but a regular file is not opened (opening a FIFO would block), and a
/// file elsewhere must be a complete image.
fn picture_at(folder: &Path, file: &Path) -> Option<Image> {
    let path = folder.join(file);
    let found = path.symlink_metadata();
    let is_there = found.is_ok();
    if found.is_ok_and(|found| !found.is_file()) {
        tracing::warn!(path = %text::path(&path), "a salvaged record names a picture that is no file: it is left out");
        return None;
    }
    let image = Image::from_file(path);
    if is_there && file.is_absolute() && image.format().is_none() {
        tracing::warn!(path = %text::path(file), "a salvaged record names a file that is no picture: it is left out");
        return None;
    }
    Some(image)
}
