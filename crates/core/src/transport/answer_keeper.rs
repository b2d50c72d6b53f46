//! Keeps the whole of a response that cannot be used, because it was paid for even if it was not understood.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::CallContext;
use super::image_sink::ImageSink;
use crate::attempt_state::AttemptState;
use crate::error::KeptAnswer;
use crate::image::{Target, TargetFile};
use crate::runtime::blocking;
use crate::salvage::make_folder;
use crate::secret::ApiKey;
use crate::wire::AnswerDecoder;

/// Stores the text of a response that is not parsed.
#[derive(Debug)]
pub(crate) struct AnswerKeeper {
    /// The file to keep the response in. `None` means memory.
    target: Option<Target>,
    /// The salvage folder, if the file is in it.
    folder: Option<PathBuf>,
    sink: Option<ImageSink>,
    /// The last bytes, which may be the beginning of the key and are not written yet.
    held: Vec<u8>,
    len: u64,
}

impl AnswerKeeper {
    /// Decides where to keep the response: next to the images, in the salvage folder, or in memory.
    pub(crate) fn new(context: &CallContext, state: &AttemptState) -> Self {
        let folder = context.settings.salvage_folder.clone().filter(|_| context.target.is_none());
        let target = match (&context.target, &folder) {
            (Some(target), _) => Some(target.for_answer()),
            (None, Some(folder)) => Some(Target::in_folder(folder, state.client_request_id())),
            (None, None) => None,
        };
        Self { target, folder, sink: None, held: Vec::new(), len: 0 }
    }

    /// Returns the number of bytes that were taken from the decoder.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Takes the text that the decoder does not parse. The first time, the text that it does parse is written first.
    pub(crate) async fn take(&mut self, decoder: &mut AnswerDecoder, key: &ApiKey) {
        if decoder.spilled().is_empty() {
            return;
        }
        let mut sink = match self.sink.take() {
            Some(sink) => sink,
            None => self.begin(decoder.rest(key), None).await,
        };
        self.len += decoder.spilled().len() as u64;
        self.held.append(decoder.spilled());
        sink.append(&key.redact_stream(&mut self.held, false)).await;
        self.sink = Some(sink);
    }

    async fn begin(&self, rest: Vec<u8>, file: Option<TargetFile>) -> ImageSink {
        if let Some(folder) = self.folder.clone() {
            // Best effort: if the folder cannot be created, neither can the file, and the response stays in memory.
            let _ = blocking(move || make_folder(&folder)).await;
        }
        let mut sink = ImageSink::new(self.target.clone().map(Arc::new), file);
        sink.append(&rest).await;
        sink
    }

    /// Stores the whole response. `file` is a temporary file that was opened before money was spent and is no longer
    /// needed.
    pub(crate) async fn keep(mut self, decoder: &AnswerDecoder, key: &ApiKey, file: Option<TargetFile>) -> KeptAnswer {
        let mut sink = match self.sink.take() {
            Some(sink) => sink,
            None => self.begin(decoder.rest(key), file).await,
        };
        sink.append(&key.redact_stream(&mut self.held, true)).await;
        let target = self.target.map(|target| target.with_extension(decoder.extension()));
        match sink.keep(target).await {
            Ok(path) => KeptAnswer::File(path),
            Err(bytes) => KeptAnswer::Memory(bytes),
        }
    }
}
