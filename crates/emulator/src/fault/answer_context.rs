//! What an answer repeats of its request.

use gptimage_model::wire::header;

/// The path and the ids that an answer repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerContext<'a> {
    pub(crate) path: &'a str,
    pub(crate) request_id: &'a str,
    /// Echoed if it is one that the gateway keeps.
    pub(crate) client_request_id: Option<&'a str>,
    /// Of the call that was answered, if it got as far as having one.
    pub(crate) inference_id: Option<&'a str>,
}

impl AnswerContext<'_> {
    /// The ids, as the gateway puts them on every answer of its own.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (String, String)> {
        let ids = [
            (header::REQUEST_ID, Some(self.request_id)),
            (header::CLIENT_REQUEST_ID, self.client_request_id),
            (header::INFERENCE_ID, self.inference_id),
        ];
        ids.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
    }
}
