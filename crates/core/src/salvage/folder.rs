//! A folder that keeps outcomes across processes: their pictures as files, and a record of each.
//!
//! A record `ID.json` appears once its pictures are whole. Whoever renames it has the outcome; the pictures are theirs then,
//! and the renamed record stays, so that a crash in between loses nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::Record;
use super::{Outcome, attempts};
use crate::image::{Image, SaveTo, TargetFile, create_in, sync_folder};
use crate::random;

const RECORD: &str = "json";
const COLLECTED: &str = "collected";

#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

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
        Self(path)
    }

    /// Writes an outcome down, pictures first.
    pub(crate) fn write(&self, outcome: &Outcome) -> io::Result<Written> {
        make(&self.0)?;
        let id = attempts(outcome).last().map(|attempt| attempt.client_request_id.clone());
        // An attempt's outcome may come in parts: an error first, then what ran on.
        let name = format!("{}-{}", id.as_deref().unwrap_or("gptimage"), &random::token()[..8]);
        let mut pictures = Vec::new();
        let result = Record::of(outcome, |number, image| self.save(&name, number, image, &mut pictures))
            .and_then(|record| serde_json::to_vec_pretty(&record).map_err(io::Error::other))
            .and_then(|text| {
                let mut file = create_in(&self.0)?;
                file.write(&text).map_err(|unsaved| unsaved.error)?;
                file.sync()?;
                Ok(file)
            });
        match result {
            Ok(record) => Ok(Written { record, path: self.0.join(format!("{name}.{RECORD}")), pictures }),
            Err(error) => {
                remove(&pictures);
                Err(error)
            }
        }
    }

    /// Makes the names last.
    pub(crate) fn sync(&self) {
        sync_folder(&self.0);
    }

    /// A picture's file in this folder.
    fn save(&self, name: &str, number: usize, image: &Image, pictures: &mut Vec<PathBuf>) -> io::Result<PathBuf> {
        let path = image.save(SaveTo::from(self.0.join(format!("{name}-{number}")))).map_err(io::Error::other)?;
        pictures.push(path.clone());
        Ok(path)
    }

    /// The records that are there, the oldest first.
    fn records(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let records = entries.filter(|path| path.extension().is_some_and(|extension| extension == RECORD));
        let mut records: Vec<_> =
            records.map(|path| (path.metadata().and_then(|metadata| metadata.modified()).ok(), path)).collect();
        records.sort();
        records.into_iter().map(|(_, path)| path).collect()
    }

    /// What waits to be collected.
    pub(crate) fn list(&self) -> Vec<Outcome> {
        self.records().iter().filter_map(|path| self.read(path)).collect()
    }

    /// Takes the oldest outcome, from whichever process it is.
    pub(crate) fn claim(&self) -> Option<Outcome> {
        for path in self.records() {
            let claimed = path.with_extension(format!("{RECORD}.{COLLECTED}"));
            // Another process may be faster: a name is moved once.
            if fs::rename(&path, &claimed).is_ok()
                && let Some(outcome) = self.read(&claimed)
            {
                return Some(outcome);
            }
        }
        None
    }

    fn read(&self, path: &Path) -> Option<Outcome> {
        let record: io::Result<Record> =
            fs::read(path).and_then(|text| serde_json::from_slice(&text).map_err(io::Error::other));
        match record {
            Ok(record) => Some(record.outcome(&self.0)),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a record in the salvage folder cannot be read");
                None
            }
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
        // What cannot be removed is a picture too many.
        let _ = fs::remove_file(picture);
    }
}

/// A folder that others cannot read: what people make is theirs.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
