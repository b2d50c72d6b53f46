//! Successes in forms that other gateways send and this API does not.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

macro_rules! forms {
    ($( $(#[$doc:meta])* $form:ident = $name:literal, )+) => {
        /// The way a success holds its images.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum SuccessForm {
            $( $(#[$doc])* $form, )+
        }

        impl SuccessForm {
            /// Every form.
            pub const ALL: &[Self] = &[$( Self::$form, )+];

            /// Returns the name used in scripts.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$form => $name, )+ }
            }
        }
    };
}

forms! {
    /// `data:` URIs in place of links.
    DataUri = "data-uri",
    /// Base64 in place of links.
    UrlBase64 = "url-base64",
    /// A list in place of the object.
    List = "list",
    /// Deep in members of other names.
    Deep = "deep",
    /// Server-sent events, one per image, with a preview before each.
    Events = "events",
    /// A line of JSON per image.
    Lines = "lines",
    /// The first image's own bytes.
    Bytes = "bytes",
    /// The first image's base64.
    Text = "text",
    /// The API's own response, compressed with gzip.
    Gzip = "gzip",
}

impl fmt::Display for SuccessForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SuccessForm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.iter().map(|form| form.as_str()).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().copied().find(|form| form.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no form of a success: use {}", known()))
    }
}

/// Returns content type, content coding and body of a success in this form.
pub(super) fn body(
    form: SuccessForm,
    picture: &Bytes,
    base64: &str,
    pictures: usize,
) -> (&'static str, Option<&'static str>, Bytes) {
    const JSON: &str = "application/json";
    let each = |one: String, separator: &str| vec![one; pictures].join(separator);
    let text = match form {
        SuccessForm::DataUri => {
            format!(r#"{{"data":[{}]}}"#, each(format!(r#"{{"url":"data:image/png;base64,{base64}"}}"#), ","))
        }
        SuccessForm::UrlBase64 => format!(r#"{{"data":[{}]}}"#, each(format!(r#"{{"url":"{base64}"}}"#), ",")),
        SuccessForm::List => format!("[{}]", each(format!(r#"{{"b64_json":"{base64}"}}"#), ",")),
        SuccessForm::Deep => {
            let images = each(format!(r#"{{"image":{{"content":"data:image/png;base64,{base64}"}}}}"#), ",");
            format!(r#"{{"result":{{"images":[{images}]}},"docs":"https://docs.invalid/"}}"#)
        }
        SuccessForm::Events => {
            let preview = r#"{"type":"image_generation.partial_image","b64_json":"aGVsbG8="}"#;
            let whole = format!(r#"{{"type":"image_generation.completed","b64_json":"{base64}"}}"#);
            let events = each(format!("data: {preview}\n\nevent: completed\ndata: {whole}\n\n"), "");
            return ("text/event-stream", None, format!(": hello\n\n{events}data: [DONE]\n\n").into());
        }
        SuccessForm::Lines => each(format!(r#"{{"b64_json":"{base64}"}}"#), "\n"),
        SuccessForm::Bytes => return ("image/png", None, picture.clone()),
        SuccessForm::Text => return ("text/plain", None, base64.to_owned().into()),
        SuccessForm::Gzip => {
            let text = format!(r#"{{"data":[{}]}}"#, each(format!(r#"{{"b64_json":"{base64}"}}"#), ","));
            return (JSON, Some("gzip"), gzip(text.as_bytes()));
        }
    };
    (JSON, None, text.into())
}

fn gzip(text: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default().into()
}
