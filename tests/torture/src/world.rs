//! The resources that all experiments share: images, uploads, a certificate authority and a folder.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::scripted::Authority;
use bytes::Bytes;
use gptimage_core::Timers;

/// The API key of every call. Only the API may receive it.
pub const KEY: &str = "sk-canary-2f6b1c";

/// The smallest PNG in the fixtures.
const SMALL: &[u8] = include_bytes!("../../fixtures/rgba-4x4.png");
/// Length of a PNG's signature and first chunk.
const HEADER: usize = 33;

/// Resources shared by all experiments.
#[derive(Debug)]
pub struct World {
    /// Signs certificates for the servers that use TLS.
    pub authority: Authority,
    /// The file with the authority's certificate.
    pub ca_file: PathBuf,
    /// Images for responses, from small to large.
    pub pictures: Vec<Bytes>,
    folder: tempfile::TempDir,
}

impl World {
    /// Creates the resources.
    ///
    /// # Errors
    /// If a folder or a certificate cannot be created.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, authority.pem())?;
        let pictures = [0, 20_000, 300_000, 7 << 20].into_iter().map(padded).collect();
        Ok(Self { authority, ca_file, pictures, folder })
    }

    /// Creates a folder for one experiment.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn folder(&self) -> io::Result<tempfile::TempDir> {
        tempfile::tempdir_in(self.folder.path())
    }
}

/// Returns a PNG of about this many bytes, most of them in a chunk that decoders skip.
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

/// Returns timeouts scaled down from the defaults, from minutes to fractions of a second.
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

/// Returns the default timeouts with short waits between attempts: for tests of behaviour that must not fail on a
/// busy machine.
pub fn patient() -> Timers {
    let mut timers = Timers::default();
    timers.initial_backoff = Duration::from_millis(1);
    timers.max_backoff = Duration::from_millis(3);
    timers.url_not_found = Duration::from_millis(300);
    timers
}
