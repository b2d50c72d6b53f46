//! A paid request, read and judged.

use axum::body::Body;
use bytes::Bytes;
use hyper::HeaderMap;

use super::form::Form;
use super::parameters::{self, Fields, Parameters};
use super::read::ReadError;
use super::refusal::{self, Refusal};
use super::{form, images, json};
use crate::{Operation, Price};

/// What is to be made.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) operation: Operation,
    pub(crate) parameters: Parameters,
    /// Input images; `None` for one that was too large to keep.
    pub(crate) images: Vec<Option<Bytes>>,
    pub(crate) mask: Option<Bytes>,
}

impl Order {
    /// Reads a request to its end and judges it.
    pub(crate) async fn read(operation: Operation, headers: &HeaderMap, body: Body) -> Result<Self, ReadError> {
        let mut body = body.into_data_stream();
        if operation != Operation::Edit {
            let fields = json::read(headers, &mut body).await?;
            return Self::judge(operation, fields, Form::default()).map_err(ReadError::from);
        }
        let mut form = form::read(headers, &mut body).await?;
        // Masks are decoded: not on the thread that serves the connections.
        let judged = tokio::task::spawn_blocking(move || {
            images::judge(&mut form);
            form
        });
        let mut form = judged.await.map_err(|_| refusal::internal())?;
        let fields = std::mem::take(&mut form.fields);
        Ok(Self::judge(operation, fields, form)?)
    }

    fn judge(operation: Operation, fields: Fields, mut form: Form) -> Result<Self, Refusal> {
        let parameters = parameters::judge(operation, &fields, &mut form.issues)?;
        if !form.issues.is_empty() {
            return Err(refusal::invalid(form.issues));
        }
        let images = form.images.iter().map(|image| image.whole().cloned()).collect();
        let mask = form.masks.first().and_then(|mask| mask.whole().cloned());
        Ok(Self { operation, parameters, images, mask })
    }

    pub(crate) fn price(&self) -> Price {
        Price::of(self.operation, &self.parameters.quality, u64::from(self.parameters.n))
    }
}
