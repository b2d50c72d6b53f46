//! Reads an edit request: a multipart form. It is streamed, and of large files only the beginning is kept.

use axum::body::BodyDataStream;
use bytes::{Bytes, BytesMut};
use gptimage_model::rules::{GPT_IMAGE_2, ReceivedFile};
use gptimage_model::wire;
use hyper::HeaderMap;

use super::fields::{Field, Fields};
use super::read::{ReadError, drain};
use super::refusal::{self, Refusal};
use crate::fault::Issue;

/// Maximum size of a file that is kept whole, to be drawn.
const KEPT_FILE: usize = 8 << 20;
/// Maximum total size of the files that are kept whole.
const KEPT_TOTAL: usize = 64 << 20;
/// At least this much of every file is kept: enough to detect its format and dimensions.
const KEPT_HEAD: usize = 256 << 10;
/// Maximum size of a text field. The longest valid prompt takes 128,000 bytes.
const TEXT_MAX: usize = 1 << 20;
/// Allowance for text fields and for the form's own lines.
const FORM_OVERHEAD: u64 = 4 << 20;

/// The contents of a form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) fields: Fields,
    pub(crate) images: Vec<FilePart>,
    pub(crate) masks: Vec<FilePart>,
    /// Violations found in its parts.
    pub(crate) issues: Vec<Issue>,
}

/// A file in a form.
#[derive(Debug)]
pub(crate) struct FilePart {
    /// The properties that core's rules need, computed over all its bytes.
    pub(crate) received: ReceivedFile,
    /// The whole file, or only its first bytes.
    pub(crate) bytes: Bytes,
}

impl FilePart {
    /// Returns the whole file if it was kept.
    pub(crate) fn whole(&self) -> Option<&Bytes> {
        (self.received.len() == self.bytes.len() as u64).then_some(&self.bytes)
    }
}

/// Returns the size of the largest form that a valid request can be.
fn body_max() -> u64 {
    let images = (GPT_IMAGE_2.images_max as u64).saturating_mul(GPT_IMAGE_2.image_max_bytes);
    images + GPT_IMAGE_2.mask_below_bytes + FORM_OVERHEAD
}

pub(crate) async fn read(headers: &HeaderMap, body: &mut BodyDataStream) -> Result<Form, ReadError> {
    let parsed = parse(headers, body).await;
    // Even an invalid form is read to its end before it is answered.
    if !drain(body).await {
        return Err(ReadError::Lost);
    }
    Ok(parsed?)
}

async fn parse(headers: &HeaderMap, body: &mut BodyDataStream) -> Result<Form, Refusal> {
    let text = |name| headers.get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    let length = text("content-length").and_then(|value| value.parse::<u64>().ok());
    if length.is_some_and(|length| length > body_max()) {
        return Err(refusal::too_large(body_max()));
    }
    let content_type = text("content-type").unwrap_or_default();
    let boundary =
        multer::parse_boundary(content_type).map_err(|_| refusal::wrong_content_type("multipart/form-data"))?;
    let limits = multer::SizeLimit::new().whole_stream(body_max());
    let constraints = multer::Constraints::new().size_limit(limits);
    let mut parts = multer::Multipart::with_constraints(body, boundary, constraints);
    let mut form = Form::default();
    let mut kept = 0;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let Some(name) = part.name().map(str::to_owned) else {
            form.issues.push(Issue::new("invalid_part", "", "A part has no name."));
            continue;
        };
        match name.as_str() {
            wire::IMAGE | wire::IMAGES => {
                let index = form.images.len();
                form.issues.extend(part_issues(&part, wire::IMAGE, Some(index)));
                form.images.push(read_file(part, &mut kept, KEPT_TOTAL).await?);
            }
            wire::MASK => {
                form.issues.extend(part_issues(&part, wire::MASK, None));
                // The first mask is always kept, whatever the total so far, because it must be validated; a second
                // one is refused.
                let total = if form.masks.is_empty() { usize::MAX } else { KEPT_TOTAL };
                form.masks.push(read_file(part, &mut kept, total).await?);
            }
            _ => {
                let text = read_text(part).await?;
                if form.fields.contains_key(&name) {
                    form.issues.push(Issue::new("duplicate", &name, "The field is there twice."));
                }
                form.fields.insert(name, Field::Text(text));
            }
        }
    }
    Ok(form)
}

/// Checks a file part's own headers.
fn part_issues(part: &multer::Field<'_>, field: &str, index: Option<usize>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut found = |code: &str, message: String| {
        issues.push(match index {
            Some(index) => Issue::at(code, field, index, message),
            None => Issue::new(code, field, message),
        });
    };
    if part.file_name().is_none_or(str::is_empty) {
        found("invalid_part", "The part has no file name: it is not a file.".to_owned());
    }
    match part.headers().get("content-type").and_then(|value| value.to_str().ok()) {
        None => found("invalid_part", "The part has no content type.".to_owned()),
        Some(given) => {
            let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let known = GPT_IMAGE_2.output_formats.iter().any(|format| essence == format!("image/{format}"));
            if !known {
                found(
                    "invalid_value",
                    format!("Unsupported content type {given:?}: expected image/png, jpeg or webp."),
                );
            }
        }
    }
    issues
}

async fn read_file(mut part: multer::Field<'_>, kept: &mut usize, total: usize) -> Result<FilePart, Refusal> {
    let mut bytes = BytesMut::new();
    let mut received = ReceivedFile::default();
    let mut whole = true;
    while let Some(chunk) = part.chunk().await.map_err(malformed)? {
        received.push(&chunk);
        let room = total.saturating_sub(*kept).min(KEPT_FILE);
        if whole && bytes.len() + chunk.len() > room {
            whole = false;
            // Copied, so that the large buffer is freed.
            bytes = BytesMut::from(bytes.get(..KEPT_HEAD.min(bytes.len())).unwrap_or_default());
        }
        let room = if whole { usize::MAX } else { KEPT_HEAD.saturating_sub(bytes.len()) };
        bytes.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
    }
    *kept += if whole { bytes.len() } else { 0 };
    Ok(FilePart { received, bytes: bytes.freeze() })
}

async fn read_text(mut part: multer::Field<'_>) -> Result<String, Refusal> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(malformed)? {
        if bytes.len() + chunk.len() > TEXT_MAX {
            return Err(refusal::too_large(TEXT_MAX as u64));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes.into()).map_err(|_| refusal::malformed("A text field is not UTF-8.".to_owned()))
}

fn malformed(error: multer::Error) -> Refusal {
    match error {
        multer::Error::StreamSizeExceeded { limit } => refusal::too_large(limit),
        error => refusal::malformed(format!("The form cannot be read: {error}.")),
    }
}
