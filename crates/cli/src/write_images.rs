//! Writes images from memory to a stream or to files, so that nothing paid is lost.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gptimage_core::{Error, Generated, Image};

use crate::destination::{Opened, Stream};
use crate::signals::{Signal, Signals, run_blocking};

/// A successful call whose images were written.
pub(crate) struct WrittenImages {
    /// The result. Its images are in files, except the streamed one and those in [`FallbackFiles::unsaved`].
    pub(crate) generated: Generated,
    /// Whether an image went to stdout, so that no paths may be printed there.
    pub(crate) fills_stdout: bool,
    pub(crate) fallback: FallbackFiles,
    /// Why the image could not be written to the stream.
    pub(crate) write_error: Option<String>,
    /// The signal that ended the writing, if one did.
    pub(crate) signal: Option<Signal>,
}

/// Where images without an output file were saved.
#[derive(Debug, Default)]
pub(crate) struct FallbackFiles {
    pub(crate) saved: Vec<PathBuf>,
    /// Images that could not be saved anywhere.
    pub(crate) unsaved: Vec<Image>,
    /// The file with the raw response, if that could not be used and the library did not save it.
    pub(crate) answer: Option<PathBuf>,
}

/// Writes the first image to the stream, if there is one, and all others that are in memory to files.
pub(crate) async fn write_images(
    generated: Generated,
    stream: Option<(Opened, Stream)>,
    signals: &mut Signals,
) -> WrittenImages {
    let fills_stdout = matches!(stream, Some((_, Stream::Stdout)));
    let mut written =
        WrittenImages { generated, fills_stdout, fallback: FallbackFiles::default(), write_error: None, signal: None };
    let mut streamed = 0;
    let first = written.generated.image().filter(|image| is_in_memory(image)).cloned();
    if let (Some((mut opened, stream)), Some(image)) = (stream, first) {
        let write = move || opened.write(image.bytes().map(AsRef::as_ref).unwrap_or_default());
        let write_error = match signals.or(run_blocking(write)).await {
            Ok(Some(Ok(()))) => None,
            Ok(Some(Err(error))) => Some(error.to_string()),
            Ok(None) => Some("a bug in gptimage".to_owned()),
            Err(signal) => {
                written.signal = Some(signal);
                Some(format!("{} came first", signal.name()))
            }
        };
        match write_error {
            None => streamed = 1,
            Some(reason) => {
                let name = stream.name();
                written.write_error =
                    Some(format!("the picture was paid for and cannot be written to {name}: {reason}"));
            }
        }
    }
    for index in streamed..written.generated.images().len() {
        let Some(image) = written.generated.images().get(index).cloned() else { continue };
        if !is_in_memory(&image) {
            continue;
        }
        match save(&image) {
            Ok(path) => {
                let kept = Image::from_file(&path)
                    .with_url(image.url().map(str::to_owned))
                    .with_revised_prompt(image.revised_prompt().map(str::to_owned))
                    .with_inline(image.is_inline());
                written.generated = written.generated.with_image(index, kept);
                written.fallback.saved.push(path);
            }
            Err(_) => written.fallback.unsaved.push(image),
        }
    }
    written
}

/// Saves images and raw responses that an error holds in memory because their file could not be written.
pub(crate) fn save_fallback(error: &Error) -> FallbackFiles {
    let mut fallback = FallbackFiles::default();
    for image in error.generated().map(Generated::images).unwrap_or_default() {
        if !is_in_memory(image) {
            continue;
        }
        match save(image) {
            Ok(path) => fallback.saved.push(path),
            Err(_) => fallback.unsaved.push(image.clone()),
        }
    }
    if let (Some(answer), Some(attempt)) = (error.response_bytes(), error.attempts().last()) {
        let name = format!("{}.answer", attempt.client_request_id);
        let places = [PathBuf::from("."), std::env::temp_dir()];
        fallback.answer = places.into_iter().find_map(|folder| save_response(&folder.join(&name), answer).ok());
    }
    fallback
}

fn save_response(path: &Path, answer: &[u8]) -> io::Result<PathBuf> {
    File::create_new(path)?.write_all(answer)?;
    std::path::absolute(path)
}

fn is_in_memory(image: &Image) -> bool {
    image.bytes().is_some_and(|bytes| !bytes.is_empty())
}

/// Saves an image to the current folder, or else to the temporary folder.
fn save(image: &Image) -> Result<PathBuf, Error> {
    image.save("./").or_else(|_| image.save(std::env::temp_dir()))
}
