//! What all experiments share: pictures, uploads, a certificate authority, a folder.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::scripted::Authority;
use bytes::Bytes;
use gptimage_core::Timers;

/// The API key of every call. It may be seen by the API alone.
pub const KEY: &str = "sk-canary-2f6b1c";

/// The smallest PNG of the fixtures.
const SMALL: &[u8] = include_bytes!("../../fixtures/rgba-4x4.png");
/// A PNG's signature and its first chunk.
const HEADER: usize = 33;

/// What all experiments share.
#[derive(Debug)]
pub struct World {
    /// Signs for the servers that speak TLS.
    pub authority: Authority,
    /// Where its certificate is.
    pub ca_file: PathBuf,
    /// Answers' pictures, from small to large.
    pub pictures: Vec<Bytes>,
    folder: tempfile::TempDir,
}

impl World {
    /// Sets the stage.
    ///
    /// # Errors
    /// A folder or a certificate that cannot be made.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, authority.pem())?;
        let pictures = [0, 20_000, 300_000, 7 << 20].into_iter().map(padded).collect();
        Ok(Self { authority, ca_file, pictures, folder })
    }

    /// A folder for one experiment.
    ///
    /// # Errors
    /// One that cannot be made.
    pub fn folder(&self) -> io::Result<tempfile::TempDir> {
        tempfile::tempdir_in(self.folder.path())
    }
}

/// A PNG of about this many bytes, most of them in a chunk that decoders skip.
pub fn padded(bytes: usize) -> Bytes {
    let (head, rest) = SMALL.split_at(HEADER.min(SMALL.len()));
    let padding = bytes.saturating_sub(SMALL.len() + 12);
    if padding == 0 {
        return Bytes::from_static(SMALL);
    }
    let mut png = head.to_vec();
    png.extend_from_slice(&u32::try_from(padding).unwrap_or(u32::MAX).to_be_bytes());
    png.extend_from_slice(b"paDd");
    png.resize(png.len() + padding, 7);
    png.extend_from_slice(&[0; 4]);
    png.extend_from_slice(rest);
    png.into()
}

/// The default timers, scaled: what takes minutes there takes a fraction of a second here.
pub fn timers() -> Timers {
    let mut timers = Timers::default();
    timers.connect = Duration::from_millis(500);
    timers.write = Duration::from_millis(400);
    timers.response_header = Duration::from_millis(700);
    timers.read = Duration::from_millis(400);
    timers.initial_backoff = Duration::from_millis(1);
    timers.max_backoff = Duration::from_millis(3);
    timers.max_retry_after = Duration::from_millis(40);
    timers.url_not_found = Duration::from_millis(30);
    timers
}

/// The default timers but for the waits between attempts: for tests of what comes about, on however busy a machine.
pub fn patient() -> Timers {
    let mut timers = Timers::default();
    timers.initial_backoff = Duration::from_millis(1);
    timers.max_backoff = Duration::from_millis(3);
    timers.url_not_found = Duration::from_millis(300);
    timers
}
