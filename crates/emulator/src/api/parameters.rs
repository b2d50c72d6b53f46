//! The text and number parameters of a paid request.

use gptimage_model::rules::GPT_IMAGE_2;
use gptimage_model::{ImageFormat, OutputFormat, PARAMETERS};

use super::fields::{Fields, Texts, text};
use super::refusal::{self, Refusal};
use super::rules;
use crate::Operation;
use crate::fault::Issue;

/// The parameters of a valid request, with the server's defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    pub(crate) model: String,
    pub(crate) prompt: String,
    /// Width and height.
    pub(crate) size: (u32, u32),
    pub(crate) quality: String,
    pub(crate) format: ImageFormat,
    pub(crate) transparent: bool,
    /// In percent; 100 is the best quality.
    pub(crate) compression: u8,
    /// Whether the response holds images instead of URLs.
    pub(crate) inline: bool,
    pub(crate) n: u32,
}

/// Validates the fields and appends violations to `issues`. The types of JSON values are checked here, everything
/// else by core's rules. Fields that the API does not know are ignored.
///
/// # Errors
/// An unknown model is a refusal of its own, instead of an issue.
pub(crate) fn check(operation: Operation, fields: &Fields, issues: &mut Vec<Issue>) -> Result<Texts, Refusal> {
    let mut texts = Texts::from([("model", String::new())]);
    let mut mistyped = Vec::new();
    let known = PARAMETERS.iter().filter(|parameter| parameter.operations.contains(&operation));
    for (name, integer) in known.map(|known| (known.name, known.integer)).chain([("prompt", false)]) {
        match fields.get(name).map(|field| text(field, integer)) {
            None => {}
            Some(Ok(text)) => drop(texts.insert(name, text)),
            Some(Err(message)) => mistyped.push(Issue::new("invalid_type", name, message)),
        }
    }
    if let Some(model) = texts.get("model").filter(|model| !model.trim().is_empty())
        && !GPT_IMAGE_2.models.contains(&model.as_str())
    {
        return Err(refusal::unknown_model(model));
    }
    let found = rules::check_parameters(operation, &texts);
    // A field of the wrong type is left out of `texts`, as if it were missing.
    let found = found.into_iter().filter(|issue| mistyped.iter().all(|mistyped| mistyped.path != issue.path));
    let found: Vec<_> = found.collect();
    issues.extend(mistyped);
    issues.extend(found);
    Ok(texts)
}

impl Parameters {
    /// Parses texts; `None` if one of them is invalid.
    pub(crate) fn of(mut texts: Texts) -> Option<Self> {
        let mut take = |name| {
            let default = || GPT_IMAGE_2.default_of(name).unwrap_or_default().to_owned();
            texts.remove(name).unwrap_or_else(default)
        };
        Some(Self {
            model: take("model"),
            prompt: take("prompt"),
            size: dimensions(&take("size"))?,
            quality: take("quality"),
            format: match OutputFormat::from(take("output_format")) {
                OutputFormat::Jpeg => ImageFormat::Jpeg,
                OutputFormat::Webp => ImageFormat::Webp,
                _ => ImageFormat::Png,
            },
            transparent: take("background") == "transparent",
            compression: take("output_compression").trim().parse().ok()?,
            inline: take("response_format") == "b64_json",
            n: take("n").trim().parse().ok()?,
        })
    }
}

/// Parses a size such as `1024x1536`.
fn dimensions(size: &str) -> Option<(u32, u32)> {
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}
