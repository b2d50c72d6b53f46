//! Request bodies of an exact length, from which the bytes can be made any number of times.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{MASK, image_field};
use crate::request::{Inspected, Operation, Parameters, Request, Source, WireValue};

/// A section of a body.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a body has a handful of them")]
pub enum BodyPart {
    /// Structure and text fields.
    Text(Bytes),
    /// An input image or mask; its bytes are read when they are sent.
    Input(Inspected),
}

#[allow(clippy::len_without_is_empty, reason = "no body is empty")]
impl BodyPart {
    /// Returns the exact length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Input(input) => input.len,
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone)]
pub struct Body {
    /// The value of the `content-type` header.
    pub content_type: String,
    /// The sections, in the order in which they are sent.
    pub parts: Vec<BodyPart>,
}

#[allow(clippy::len_without_is_empty, reason = "no body is empty")]
impl Body {
    /// Returns the exact length in bytes.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(BodyPart::len).sum()
    }

    /// Builds the body of a request: JSON for generate, a form for edit.
    ///
    /// `boundary` separates the parts of a form: 1 to 70 letters, digits and hyphens. No input may contain it, so
    /// generate it at random.
    ///
    /// # Errors
    /// The JSON of an extra field cannot be written.
    pub fn of(request: &Request, boundary: &str) -> serde_json::Result<Self> {
        match request.operation() {
            Operation::Generate => Self::json(request.parameters()),
            Operation::Edit => Ok(Self::multipart(request, boundary)),
        }
    }

    fn json(parameters: &Parameters) -> serde_json::Result<Self> {
        let text = serde_json::to_vec(&Fields(parameters))?;
        Ok(Self { content_type: "application/json".to_owned(), parts: vec![BodyPart::Text(text.into())] })
    }

    /// Builds a form, with text fields before files.
    fn multipart(request: &Request, boundary: &str) -> Self {
        let mut form = Form { boundary, text: String::new(), parts: Vec::new() };
        for (name, value) in request.parameters().fields() {
            match value {
                WireValue::Text(text) => form.field(name, text),
                WireValue::Integer(number) => form.field(name, &number.to_string()),
            }
        }
        for (name, value) in &request.parameters().extra {
            form.field(name, &value.form());
        }
        for (index, image) in request.images().iter().enumerate() {
            form.file(image_field(request.images().len()), &format!("image-{index}"), image);
        }
        if let Some(mask) = request.mask() {
            form.file(MASK, "mask", mask);
        }
        form.finish()
    }

    /// Describes the body as text, with the length and the origin of each input in place of its bytes.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                BodyPart::Text(text) => out.push_str(&String::from_utf8_lossy(text)),
                BodyPart::Input(input) => {
                    let from = match &input.source {
                        Source::Bytes(_) => "memory",
                        Source::File { .. } => &input.name,
                    };
                    let _ = write!(out, "<{} bytes from {from}>", input.len);
                }
            }
        }
        out
    }
}

/// The fields of a request as a JSON object, in wire order.
struct Fields<'a>(&'a Parameters);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.fields() {
            match value {
                WireValue::Text(text) => map.serialize_entry(name, text)?,
                WireValue::Integer(number) => map.serialize_entry(name, &number)?,
            }
        }
        for (name, value) in &self.0.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

struct Form<'a> {
    boundary: &'a str,
    text: String,
    parts: Vec<BodyPart>,
}

impl Form<'_> {
    fn field(&mut self, name: &str, value: &str) {
        let _ = write!(
            self.text,
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
            self.boundary,
            escape(name)
        );
    }

    fn file(&mut self, name: &str, stem: &str, input: &Inspected) {
        let (extension, mime) =
            input.format.map_or(("bin", "application/octet-stream"), |format| (format.extension(), format.mime()));
        let _ = write!(
            self.text,
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{stem}.{extension}\"\r\n\
             Content-Type: {mime}\r\n\r\n",
            self.boundary
        );
        self.flush();
        self.parts.push(BodyPart::Input(input.clone()));
        self.text.push_str("\r\n");
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(BodyPart::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self) -> Body {
        let _ = write!(self.text, "--{}--\r\n", self.boundary);
        self.flush();
        Body { content_type: format!("multipart/form-data; boundary={}", self.boundary), parts: self.parts }
    }
}

/// Escapes a field name inside quotes as browsers do.
fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['"', '\r', '\n']) {
        Cow::from(name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
    } else {
        Cow::from(name)
    }
}
