//! A folder that keeps results across processes: their images as files, and a record of each result.
//!
//! A record `ID.json` appears once its images are complete. A process claims the result by renaming the record. The
//! images then belong to its caller, and the renamed record stays, so that a crash in between loses nothing. A file
//! that is not a record of a known version (from a newer gptimage, damaged, or not ours) is read but never changed.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::outcome::{Outcome, Pending, attempts};
use super::record::Record;
use crate::image::{Image, TargetFile, create_private_in, sync_folder};
use crate::{random, text};

const RECORD: &str = "json";
const COLLECTED: &str = "collected";
/// The beginning of the names of our records.
const OURS: &str = "gptimage-";
/// Maximum length of a record, in bytes. A longer file is not a record.
const RECORD_MAX: u64 = 16 << 20;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// The files that were examined, so that each is examined only once.
#[derive(Debug, Default)]
struct Seen {
    /// Found but not examined yet, oldest first.
    waiting: VecDeque<Found>,
    /// Files that cannot be collected, in the state in which that was logged.
    refused: HashMap<PathBuf, Refused>,
}

#[derive(Debug, Clone, Copy)]
struct Refused {
    stamp: Stamp,
    /// Whether the file was refused for its content, which does not change unless the file is replaced.
    for_good: bool,
}

#[derive(Debug, Clone)]
struct Found {
    path: PathBuf,
    stamp: Stamp,
}

/// Detects that a file was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
}

/// A result that was written, but under a temporary name that no reader looks for.
#[derive(Debug)]
pub(crate) struct Written {
    record: TargetFile,
    path: PathBuf,
    /// Image files that were created for the record.
    pictures: Vec<PathBuf>,
}

impl Folder {
    /// Uses the folder at `path`, which is created when something is written.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default() }
    }

    /// Writes a result, images first.
    pub(crate) fn write(&self, outcome: &Outcome) -> io::Result<Written> {
        make(&self.path)?;
        let id = attempts(outcome).last().map(|attempt| attempt.client_request_id.clone());
        // One attempt may have several outcomes: an error first, then the result of the call that continued.
        let name = format!("{}-{}", id.as_deref().unwrap_or("gptimage"), &random::token()[..8]);
        let mut pictures = Vec::new();
        let result = Record::of(outcome, |number, image| self.save(&name, number, image, &mut pictures))
            .inspect(|_| {
                // Sync, so that the images of a record that survives a crash survive it too.
                self.sync();
            })
            .and_then(|record| serde_json::to_vec_pretty(&record).map_err(io::Error::other))
            .and_then(|text| {
                let mut file = create_private_in(&self.path)?;
                file.write(&text).map_err(|unsaved| unsaved.error)?;
                file.sync()?;
                Ok(file)
            });
        match result {
            Ok(record) => Ok(Written { record, path: self.path.join(format!("{name}.{RECORD}")), pictures }),
            Err(error) => {
                remove(&pictures);
                Err(error)
            }
        }
    }

    /// Makes the new names durable.
    pub(crate) fn sync(&self) {
        sync_folder(&self.path);
    }

    /// Writes an image into this folder, readable only by its owner, and syncs it.
    fn save(&self, name: &str, number: usize, image: &Image, pictures: &mut Vec<PathBuf>) -> io::Result<PathBuf> {
        let bytes = image.read().map_err(io::Error::other)?;
        let extension = image.format().map(|format| format!(".{}", format.extension())).unwrap_or_default();
        let path = self.path.join(format!("{name}-{number}{extension}"));
        let mut file = create_private_in(&self.path)?;
        file.write(&bytes).map_err(|unsaved| unsaved.error)?;
        file.sync()?;
        file.store_as(&path)?;
        pictures.push(path.clone());
        Ok(path)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the files that may be records, oldest first.
    fn find(&self) -> Vec<Found> {
        let mut all: Vec<Found> = fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter(|entry| Path::new(&entry.file_name()).extension().is_some_and(|extension| extension == RECORD))
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                let stamp = Stamp { modified: metadata.modified().ok(), len: metadata.len() };
                Some(Found { path: entry.path(), stamp })
            })
            .collect();
        let mut seen = self.seen();
        let mut before = std::mem::take(&mut seen.refused);
        all.retain(|found| match before.remove(&found.path).filter(|refused| refused.stamp == found.stamp) {
            Some(refused) => {
                seen.refused.insert(found.path.clone(), refused);
                !refused.for_good
            }
            None => true,
        });
        drop(seen);
        all.sort_by(|one, other| (one.stamp.modified, &one.path).cmp(&(other.stamp.modified, &other.path)));
        all
    }

    /// Returns the results that wait to be collected.
    pub(crate) fn list(&self) -> Vec<Pending> {
        self.find().iter().filter_map(|found| self.read(found)).map(|record| record.pending()).collect()
    }

    /// Claims the oldest result, of any process. A series of calls that empties the folder lists it twice in total.
    pub(crate) fn claim(&self) -> Option<Outcome> {
        let mut is_listed = false;
        loop {
            let next = self.seen().waiting.pop_front();
            let Some(found) = next else {
                if is_listed {
                    return None;
                }
                is_listed = true;
                let all = self.find();
                self.seen().waiting = all.into();
                continue;
            };
            // Claim only a record that can be read. Another process may be faster, but a rename succeeds only once.
            if let Some(record) = self.read(&found)
                && self.rename(&found)
            {
                return Some(record.outcome(&self.path));
            }
        }
    }

    fn rename(&self, found: &Found) -> bool {
        match fs::rename(&found.path, found.path.with_extension(format!("{RECORD}.{COLLECTED}"))) {
            Ok(()) => true,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.refuse(found, false, &text::io_reason(&error));
                }
                false
            }
        }
    }

    fn read(&self, found: &Found) -> Option<Record> {
        let text = File::open(&found.path).and_then(|file| {
            let mut text = Vec::new();
            file.take(RECORD_MAX).read_to_end(&mut text)?;
            Ok(text)
        });
        let refusal = match text {
            Ok(_) if found.stamp.len >= RECORD_MAX => "it is too long for a record".to_owned(),
            Ok(text) => match Record::parse(&text) {
                Ok(record) => return Some(record),
                Err(reason) => reason,
            },
            Err(error) => {
                // If the file is gone, another process has collected it.
                if error.kind() != io::ErrorKind::NotFound {
                    self.refuse(found, false, &text::io_reason(&error));
                }
                return None;
            }
        };
        self.refuse(found, true, &refusal);
        None
    }

    /// Notes that a file cannot be collected. If its name is one of ours, that is logged once.
    fn refuse(&self, found: &Found, for_good: bool, reason: &str) {
        let refused = Refused { stamp: found.stamp, for_good };
        let before = self.seen().refused.insert(found.path.clone(), refused).map(|refused| refused.stamp);
        let is_ours = found.path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(OURS.as_bytes()));
        if is_ours && before != Some(found.stamp) {
            tracing::warn!(
                path = %text::path(&found.path),
                reason = text::shorten(reason, 200),
                "a file in the salvage folder cannot be collected, and is left where it is"
            );
        }
    }
}

impl Written {
    /// Gives the record its final name. Fast: the slow work was done by [`Folder::write`] or is left to
    /// [`Folder::sync`].
    pub(crate) fn publish(self) -> io::Result<()> {
        self.record.store_as(&self.path).inspect_err(|_| remove(&self.pictures))
    }

    /// Removes the files that were written.
    pub(crate) fn discard(self) {
        remove(&self.pictures);
    }
}

fn remove(pictures: &[PathBuf]) {
    for picture in pictures {
        // Best effort: a leftover file is harmless.
        let _ = fs::remove_file(picture);
    }
}

/// Creates a folder that only its owner can read, because the images are private.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
