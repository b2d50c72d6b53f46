//! Reads request bodies, always to their end.

use axum::body::BodyDataStream;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use super::refusal::Refusal;

/// The reason why a request could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It did not arrive whole, so there is no client left to answer.
    Lost,
    /// It arrived whole and is refused with this response.
    Refused(Refusal),
}

impl From<Refusal> for ReadError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Reads and drops the rest of a body. Returns whether its end was reached.
pub(crate) async fn drain(body: &mut BodyDataStream) -> bool {
    loop {
        match body.frame().await {
            None => return true,
            Some(Ok(_)) => {}
            Some(Err(_)) => return false,
        }
    }
}

/// Reads a whole body; `None` if it is longer than `limit`, in which case its rest is read and dropped.
pub(crate) async fn whole(body: &mut BodyDataStream, limit: usize) -> Result<Option<Bytes>, ReadError> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ReadError::Lost)?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return if drain(body).await { Ok(None) } else { Err(ReadError::Lost) };
        }
        collected.extend_from_slice(&data);
    }
    Ok(Some(collected.freeze()))
}
