//! Reads and validates a paid request.

use axum::body::Body;
use bytes::Bytes;
use hyper::HeaderMap;

use super::form::Form;
use super::parameters::{self, Parameters};
use super::read::ReadError;
use super::refusal::{self, Refusal};
use super::{form, json, rules};
use crate::fault::Issue;
use crate::{Operation, Price};

/// A valid paid request.
#[derive(Debug)]
pub(crate) struct PaidRequest {
    pub(crate) operation: Operation,
    pub(crate) parameters: Parameters,
    /// Input images; `None` for one that was too large to keep.
    pub(crate) images: Vec<Option<Bytes>>,
    pub(crate) mask: Option<Bytes>,
}

impl PaidRequest {
    /// Reads a request to its end and validates it.
    pub(crate) async fn read(operation: Operation, headers: &HeaderMap, body: Body) -> Result<Self, ReadError> {
        let mut body = body.into_data_stream();
        if operation != Operation::Edit {
            let fields = json::read(headers, &mut body).await?;
            let mut issues = Vec::new();
            let texts = parameters::check(operation, &fields, &mut issues)?;
            refuse(issues)?;
            let parameters = Parameters::of(texts).ok_or_else(refusal::internal)?;
            return Ok(Self { operation, parameters, images: Vec::new(), mask: None });
        }
        let form = form::read(headers, &mut body).await?;
        // Masks are decoded, which must not block the thread that serves the connections.
        let checked = tokio::task::spawn_blocking(move || Self::of_form(operation, form));
        Ok(checked.await.map_err(|_| refusal::internal())??)
    }

    fn of_form(operation: Operation, form: Form) -> Result<Self, Refusal> {
        let mut found = Vec::new();
        let texts = parameters::check(operation, &form.fields, &mut found)?;
        let model = texts.get("model").map_or("", String::as_str);
        let mut issues = rules::check_files(model, &form);
        issues.splice(..0, form.issues);
        issues.extend(found);
        refuse(issues)?;
        let images = form.images.iter().map(|image| image.whole().cloned()).collect();
        let mask = form.masks.first().and_then(|mask| mask.whole().cloned());
        let parameters = Parameters::of(texts).ok_or_else(refusal::internal)?;
        Ok(Self { operation, parameters, images, mask })
    }

    pub(crate) fn price(&self) -> Price {
        Price::of(self.operation, &self.parameters.quality, u64::from(self.parameters.n))
    }
}

fn refuse(issues: Vec<Issue>) -> Result<(), Refusal> {
    if issues.is_empty() { Ok(()) } else { Err(refusal::invalid(issues)) }
}
