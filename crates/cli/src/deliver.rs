//! From pictures in memory to where they belong: into a stream, or else into files, so that nothing paid is lost.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gptimage_core::{Error, Generated, Image};

use crate::destination::{Opened, Stream};
use crate::signals::{Signal, Signals, aside};

/// A success, and what became of its pictures.
pub(crate) struct Delivered {
    /// Its pictures are in files, but for the streamed one and those in `unsaved`.
    pub(crate) generated: Generated,
    /// Whether stdout is a picture's, and takes no paths.
    pub(crate) fills_stdout: bool,
    pub(crate) rescued: Rescued,
    /// Why the stream did not take it.
    pub(crate) trouble: Option<String>,
    /// What ended the writing.
    pub(crate) signal: Option<Signal>,
}

/// Pictures that were paid for and had no place.
#[derive(Debug, Default)]
pub(crate) struct Rescued {
    pub(crate) saved: Vec<PathBuf>,
    /// Those that no folder took.
    pub(crate) unsaved: Vec<Image>,
    /// The file of a whole answer that could not be used, and had no place either.
    pub(crate) answer: Option<PathBuf>,
}

/// Writes the first picture into the stream, if there is one, and whatever else is in memory into files.
pub(crate) async fn deliver(
    generated: Generated,
    stream: Option<(Opened, Stream)>,
    signals: &mut Signals,
) -> Delivered {
    let fills_stdout = matches!(stream, Some((_, Stream::Stdout)));
    let mut delivered = Delivered { generated, fills_stdout, rescued: Rescued::default(), trouble: None, signal: None };
    let mut streamed = 0;
    let first = delivered.generated.image().filter(|image| is_in_memory(image)).cloned();
    if let (Some((mut opened, stream)), Some(image)) = (stream, first) {
        let write = move || opened.write(image.bytes().map(AsRef::as_ref).unwrap_or_default());
        let trouble = match signals.or(aside(write)).await {
            Ok(Some(Ok(()))) => None,
            Ok(Some(Err(error))) => Some(error.to_string()),
            Ok(None) => Some("a fault of ours".to_owned()),
            Err(signal) => {
                delivered.signal = Some(signal);
                Some(format!("{} came first", signal.name()))
            }
        };
        match trouble {
            None => streamed = 1,
            Some(reason) => {
                let name = stream.name();
                delivered.trouble = Some(format!("the picture was paid for and cannot be written to {name}: {reason}"));
            }
        }
    }
    for index in streamed..delivered.generated.images().len() {
        let Some(image) = delivered.generated.images().get(index).cloned() else { continue };
        if !is_in_memory(&image) {
            continue;
        }
        match keep(&image) {
            Ok(path) => {
                let kept = Image::from_file(&path)
                    .with_url(image.url().map(str::to_owned))
                    .with_revised_prompt(image.revised_prompt().map(str::to_owned))
                    .with_inline(image.is_inline());
                delivered.generated = delivered.generated.with_image(index, kept);
                delivered.rescued.saved.push(path);
            }
            Err(_) => delivered.rescued.unsaved.push(image),
        }
    }
    delivered
}

/// Saves pictures that are in memory only because their file could not be written.
pub(crate) fn rescue(error: &Error) -> Rescued {
    let mut rescued = Rescued::default();
    for image in error.generated().map(Generated::images).unwrap_or_default() {
        if !is_in_memory(image) {
            continue;
        }
        match keep(image) {
            Ok(path) => rescued.saved.push(path),
            Err(_) => rescued.unsaved.push(image.clone()),
        }
    }
    if let (Some(answer), Some(attempt)) = (error.response_bytes(), error.attempts().last()) {
        let name = format!("{}.answer", attempt.client_request_id);
        let places = [PathBuf::from("."), std::env::temp_dir()];
        rescued.answer = places.into_iter().find_map(|folder| keep_answer(&folder.join(&name), answer).ok());
    }
    rescued
}

fn keep_answer(path: &Path, answer: &[u8]) -> io::Result<PathBuf> {
    File::create_new(path)?.write_all(answer)?;
    std::path::absolute(path)
}

fn is_in_memory(image: &Image) -> bool {
    image.bytes().is_some_and(|bytes| !bytes.is_empty())
}

/// Saves a picture here, or where temporary files go.
fn keep(image: &Image) -> Result<PathBuf, Error> {
    image.save("./").or_else(|_| image.save(std::env::temp_dir()))
}
