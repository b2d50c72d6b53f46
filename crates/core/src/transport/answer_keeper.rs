//! Keeps the whole of an answer that cannot be used: what was paid for is not thrown away because it was not understood.

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

/// Takes what an answer holds beside its pictures, beyond what is parsed.
#[derive(Debug)]
pub(crate) struct AnswerKeeper {
    /// Where it is kept; `None`: in memory.
    target: Option<Target>,
    /// The salvage folder, if it is kept there.
    folder: Option<PathBuf>,
    sink: Option<ImageSink>,
    /// The last bytes, which may be the beginning of the key.
    held: Vec<u8>,
    len: u64,
}

impl AnswerKeeper {
    /// Beside the pictures, or in the salvage folder.
    pub(crate) fn new(context: &CallContext, state: &AttemptState) -> Self {
        let folder = context.settings.salvage_folder.clone().filter(|_| context.target.is_none());
        let target = match (&context.target, &folder) {
            (Some(target), _) => Some(target.for_answer()),
            (None, Some(folder)) => Some(Target::in_folder(folder, state.client_request_id())),
            (None, None) => None,
        };
        Self { target, folder, sink: None, held: Vec::new(), len: 0 }
    }

    /// Bytes that were taken.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Takes what the decoder does not parse. The first time, what it does comes before.
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
            // Where it cannot be made, the file cannot either, and memory has the answer.
            let _ = blocking(move || make_folder(&folder)).await;
        }
        let mut sink = ImageSink::new(self.target.clone().map(Arc::new), file);
        sink.append(&rest).await;
        sink
    }

    /// Keeps the whole. `file`: one that was opened before money was spent, and is not needed any more.
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
