//! The whole of an answer that cannot be used: what was paid for is not thrown away because it was not understood.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::Plan;
use super::landing::Landing;
use super::running::Running;
use crate::file_work::blocking;
use crate::image::{Target, TargetFile};
use crate::salvage::make_folder;
use crate::secret::ApiKey;
use crate::wire::AnswerDecoder;

/// An answer that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptAnswer {
    File(PathBuf),
    /// Where there is no folder for it.
    Memory(Bytes),
}

/// Takes what an answer holds beside its pictures, beyond what is parsed.
#[derive(Debug)]
pub(crate) struct AnswerKeeper {
    /// Where it is kept; `None`: in memory.
    target: Option<Target>,
    /// The salvage folder, if it is kept there.
    folder: Option<PathBuf>,
    landing: Option<Landing>,
    /// What may begin the key.
    held: Vec<u8>,
    len: u64,
}

impl AnswerKeeper {
    /// Beside the pictures, or in the salvage folder.
    pub(crate) fn new(plan: &Plan, running: &Running) -> Self {
        let folder = plan.settings.salvage_folder.clone().filter(|_| plan.target.is_none());
        let target = match (&plan.target, &folder) {
            (Some(target), _) => Some(target.for_answer()),
            (None, Some(folder)) => Some(Target::in_folder(folder, running.client_request_id())),
            (None, None) => None,
        };
        Self { target, folder, landing: None, held: Vec::new(), len: 0 }
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
        let mut landing = match self.landing.take() {
            Some(landing) => landing,
            None => self.begin(decoder.rest(key), None).await,
        };
        self.len += decoder.spilled().len() as u64;
        self.held.append(decoder.spilled());
        landing.append(&key.redact_stream(&mut self.held, false)).await;
        self.landing = Some(landing);
    }

    async fn begin(&self, rest: Vec<u8>, file: Option<TargetFile>) -> Landing {
        if let Some(folder) = self.folder.clone() {
            // Where it cannot be made, the file cannot either, and memory has the answer.
            let _ = blocking(move || make_folder(&folder)).await;
        }
        let mut landing = Landing::new(self.target.clone().map(Arc::new), file);
        landing.append(&rest).await;
        landing
    }

    /// Keeps the whole. `file`: one that was opened before money was spent, and is not needed any more.
    pub(crate) async fn keep(mut self, decoder: &AnswerDecoder, key: &ApiKey, file: Option<TargetFile>) -> KeptAnswer {
        let mut landing = match self.landing.take() {
            Some(landing) => landing,
            None => self.begin(decoder.rest(key), file).await,
        };
        landing.append(&key.redact_stream(&mut self.held, true)).await;
        let target = self.target.map(|target| target.with_extension(decoder.extension()));
        match landing.keep(target).await {
            Ok(path) => KeptAnswer::File(path),
            Err(bytes) => KeptAnswer::Memory(bytes),
        }
    }
}
