//! Writes an image's bytes to memory or to the target's temporary file. If the file cannot be written, its content is
//! read back into memory.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::image::{Image, Location, Target, TargetFile, Verified, VerifyError, WriteError, verify_bytes};
use crate::runtime::blocking;
use crate::warning::Warning;

/// Minimum size of the pieces that are written, in bytes.
const PIECE: usize = 256 * 1024;

/// An image that is being received.
#[derive(Debug, Default)]
pub(crate) struct ImageSink {
    /// The target. `None` means memory, from the start or since a write failed.
    target: Option<Arc<Target>>,
    file: Option<TargetFile>,
    /// Bytes that were not written yet. Without a target, all bytes.
    pending: Vec<u8>,
    unsaved: Option<io::Error>,
}

/// A received image, complete or not.
#[derive(Debug)]
pub(crate) struct StoredImage {
    pub(crate) image: Image,
    /// Why the bytes are not a complete image.
    pub(crate) damage: Option<String>,
    /// Why the image is in memory although it should be in a file.
    pub(crate) unsaved: Option<io::Error>,
    pub(crate) warnings: Vec<Warning>,
}

impl ImageSink {
    /// Creates a sink. `file` was opened in advance; with `None`, a file is opened when there are bytes to write.
    pub(crate) fn new(target: Option<Arc<Target>>, file: Option<TargetFile>) -> Self {
        Self { target, file, ..Self::default() }
    }

    /// Returns the number of bytes received so far.
    pub(crate) fn len(&self) -> u64 {
        self.file.as_ref().map_or(0, TargetFile::len) + self.pending.len() as u64
    }

    pub(crate) fn reserve(&mut self, len: usize) {
        if self.target.is_none() {
            self.pending.reserve(len);
        }
    }

    pub(crate) async fn append(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.write(PIECE).await;
    }

    /// Writes `bytes` if there are at least `enough` of them, and leaves an empty buffer for reuse.
    pub(crate) async fn take(&mut self, bytes: &mut Vec<u8>, enough: usize) {
        if bytes.is_empty() || (bytes.len() < enough && self.target.is_some()) {
            return;
        }
        self.take_last(bytes);
        self.write(1).await;
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, bytes);
        }
    }

    /// Takes the last bytes, which [`ImageSink::finish`] writes.
    pub(crate) fn take_last(&mut self, bytes: &mut Vec<u8>) {
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, bytes);
        } else {
            self.pending.append(bytes);
        }
    }

    async fn write(&mut self, enough: usize) {
        if self.pending.len() < enough {
            return;
        }
        let Some(target) = self.target.clone() else { return };
        let (file, pending) = (self.file.take(), std::mem::take(&mut self.pending));
        match blocking(move || write_piece(file, pending, &target)).await {
            Ok(Ok((file, buffer))) => {
                self.file = Some(file);
                self.pending = buffer;
            }
            Ok(Err(WriteError { error, arrived })) => {
                self.pending = arrived;
                self.fall_back(error);
            }
            Err(error) => self.fall_back(error),
        }
    }

    fn fall_back(&mut self, error: io::Error) {
        self.target = None;
        self.unsaved = Some(error);
    }

    /// Discards the bytes received so far.
    pub(crate) async fn restart(&mut self) {
        self.pending.clear();
        let Some(mut file) = self.file.take() else { return };
        match blocking(move || file.restart().map(|()| file)).await.and_then(|file| file) {
            Ok(file) => self.file = Some(file),
            Err(error) => self.fall_back(error),
        }
    }

    /// Verifies the image, unless `broken` says that it is damaged, and stores it. `index` is its position among the
    /// requested images.
    pub(crate) async fn finish(self, index: usize, broken: Option<String>) -> StoredImage {
        let Self { target, file, pending, unsaved } = self;
        let target = target.filter(|_| file.is_some() || !pending.is_empty());
        let Some(target) = target else {
            return StoredImage { unsaved, ..in_memory(pending.into(), broken) };
        };
        // Write the last piece, verify and rename on one thread, because each switch of threads costs time.
        let finished = blocking(move || match write_piece(file, pending, &target) {
            Ok((file, _)) => finish_file(file, &target, index, broken),
            Err(WriteError { error, arrived }) => {
                StoredImage { unsaved: Some(error), ..in_memory(arrived.into(), broken) }
            }
        });
        match finished.await {
            Ok(stored) => stored,
            Err(error) => {
                StoredImage { damage: Some(error.to_string()), unsaved: Some(error), ..in_memory(Bytes::new(), None) }
            }
        }
    }

    /// Stores the bytes without a check: in a file under the first name of `target`, or in memory.
    pub(crate) async fn keep(self, target: Option<Target>) -> Result<PathBuf, Bytes> {
        let Self { file, pending, .. } = self;
        let Some(target) = target else { return Err(pending.into()) };
        let stored = blocking(move || {
            let (file, _) = write_piece(file, pending, &target)?;
            file.store(&target, 0, None)
        });
        match stored.await {
            Ok(Ok((path, _))) => Ok(path),
            Ok(Err(unsaved)) => Err(unsaved.arrived.into()),
            Err(_) => Err(Bytes::new()),
        }
    }

    /// Checks whether the received bytes are a complete image.
    pub(crate) async fn verify(&mut self) -> Result<(), VerifyError> {
        self.write(1).await;
        let Some(mut file) = self.file.take() else {
            return verify_bytes(&self.pending).map(|_| ());
        };
        let checked = blocking(move || {
            let verified = file.verify();
            (file, verified)
        });
        let (file, verified) = checked.await.map_err(|error| VerifyError::Other(error.to_string()))?;
        self.file = Some(file);
        verified.map(|_| ())
    }
}

fn write_piece(
    file: Option<TargetFile>,
    mut pending: Vec<u8>,
    target: &Target,
) -> Result<(TargetFile, Vec<u8>), WriteError> {
    let mut file = match file {
        Some(file) => file,
        None => match target.create_io() {
            Ok(file) => file,
            Err(error) => return Err(WriteError { error, arrived: pending }),
        },
    };
    match file.write(&pending) {
        Ok(()) => {
            pending.clear();
            Ok((file, pending))
        }
        Err(WriteError { error, mut arrived }) => {
            arrived.append(&mut pending);
            Err(WriteError { error, arrived })
        }
    }
}

/// Verifies and stores a file. A damaged image is read back into memory and leaves no file.
fn finish_file(mut file: TargetFile, target: &Target, index: usize, broken: Option<String>) -> StoredImage {
    if let Some(reason) = broken {
        return in_memory(file.read_back().unwrap_or_default().into(), Some(reason));
    }
    let verified: Verified = match file.verify() {
        Ok(verified) => verified,
        Err(reason) => {
            // If the image is complete in memory, the disk is at fault.
            let stored = in_memory(file.read_back().unwrap_or_default().into(), None);
            let unsaved = stored.damage.is_none().then(|| io::Error::other(reason.to_string()));
            return StoredImage { unsaved, ..stored };
        }
    };
    match file.store(target, index, Some(verified.format)) {
        Ok((path, warnings)) => {
            StoredImage { image: Image::stored(Location::File(path), verified), damage: None, unsaved: None, warnings }
        }
        Err(WriteError { error, arrived }) => StoredImage { unsaved: Some(error), ..in_memory(arrived.into(), None) },
    }
}

fn in_memory(bytes: Bytes, broken: Option<String>) -> StoredImage {
    let verified = broken.map_or_else(|| verify_bytes(&bytes).map_err(|error| error.to_string()), Err);
    let (image, damage) = match verified {
        Ok(verified) => (Image::stored(Location::Memory(bytes), verified), None),
        Err(reason) => (Image::unverified(bytes), Some(reason)),
    };
    StoredImage { image, damage, unsaved: None, warnings: Vec::new() }
}
