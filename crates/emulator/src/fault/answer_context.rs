//! The parts of a request that its response repeats.

use gptimage_model::wire::header;

/// The path and the ids that a response repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerContext<'a> {
    pub(crate) path: &'a str,
    pub(crate) request_id: &'a str,
    /// Echoed if the gateway would keep this id.
    pub(crate) client_request_id: Option<&'a str>,
    /// The id of the answered call, if one was assigned.
    pub(crate) inference_id: Option<&'a str>,
}

impl AnswerContext<'_> {
    /// Returns the id headers that the gateway puts on every response of its own.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (String, String)> {
        let ids = [
            (header::REQUEST_ID, Some(self.request_id)),
            (header::CLIENT_REQUEST_ID, self.client_request_id),
            (header::INFERENCE_ID, self.inference_id),
        ];
        ids.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
    }
}
