//! A folder that keeps outcomes across processes: their pictures as files, and a record of each.
//!
//! A record `ID.json` appears once its pictures are whole. Whoever renames it has the outcome; the pictures are theirs then,
//! and the renamed record stays, so that a crash in between loses nothing. What is no record of a version that is known (a
//! newer gptimage's, a damaged one, a file of somebody else's) is read, and never touched.

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
/// How the names of our records begin.
const OURS: &str = "gptimage-";
/// A longer file is no record.
const RECORD_MAX: u64 = 16 << 20;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// The files that were looked at, so that each is looked at once.
#[derive(Debug, Default)]
struct Seen {
    /// Found and not looked at yet, the oldest first.
    waiting: VecDeque<Found>,
    /// Files that cannot be collected, as they were when that was logged.
    refused: HashMap<PathBuf, Refused>,
}

#[derive(Debug, Clone, Copy)]
struct Refused {
    stamp: Stamp,
    /// By what it holds, which does not change while it stays the same file.
    for_good: bool,
}

#[derive(Debug, Clone)]
struct Found {
    path: PathBuf,
    stamp: Stamp,
}

/// Tells a file that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
}

/// An outcome that was written down, under a name that nobody looks for yet.
#[derive(Debug)]
pub(crate) struct Written {
    record: TargetFile,
    path: PathBuf,
    /// Files that were made for it.
    pictures: Vec<PathBuf>,
}

impl Folder {
    /// Made where it is missing, when something is written.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default() }
    }

    /// Writes an outcome down, pictures first.
    pub(crate) fn write(&self, outcome: &Outcome) -> io::Result<Written> {
        make(&self.path)?;
        let id = attempts(outcome).last().map(|attempt| attempt.client_request_id.clone());
        // An attempt's outcome may come in parts: an error first, then what ran on.
        let name = format!("{}-{}", id.as_deref().unwrap_or("gptimage"), &random::token()[..8]);
        let mut pictures = Vec::new();
        let result = Record::of(outcome, |number, image| self.save(&name, number, image, &mut pictures))
            .inspect(|_| {
                // A record that outlives a crash names pictures that do.
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

    /// Makes the names last.
    pub(crate) fn sync(&self) {
        sync_folder(&self.path);
    }

    /// Writes a picture into this folder, for its owner alone, and syncs it.
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

    /// The files that may be records, the oldest first.
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

    /// The outcomes that wait to be collected.
    pub(crate) fn list(&self) -> Vec<Pending> {
        self.find().iter().filter_map(|found| self.read(found)).map(|record| record.pending()).collect()
    }

    /// Takes the oldest outcome, from whichever process it is. All of them together list the folder twice.
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
            // Only what can be handed over is claimed. Another process may be faster: a name is moved once.
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
                // Else somebody collected it meanwhile.
                if error.kind() != io::ErrorKind::NotFound {
                    self.refuse(found, false, &text::io_reason(&error));
                }
                return None;
            }
        };
        self.refuse(found, true, &refusal);
        None
    }

    /// Notes that a file is left where it is. One that has a name of ours is told of, once.
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
    /// Lets the record be found. Quick: what takes time was done, or is left to [`Folder::sync`].
    pub(crate) fn publish(self) -> io::Result<()> {
        self.record.store_as(&self.path).inspect_err(|_| remove(&self.pictures))
    }

    /// Takes everything back.
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

/// A folder that others cannot read: what people make is theirs.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
