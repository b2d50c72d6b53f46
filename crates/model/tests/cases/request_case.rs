//! A case of `requests.toml`: read, and its request built.

#![allow(dead_code, reason = "the tests of the model and of core each look at a part of a case")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use gptimage_model::{InvalidRequest, Operation, Request};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::inputs::{Input, Made};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cases {
    pub(super) case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    #[serde(default = "generate", deserialize_with = "operation")]
    pub(super) operation: Operation,
    #[serde(default)]
    pub(super) prompt: Prompt,
    #[serde(default)]
    pub(super) set: BTreeMap<String, toml::Value>,
    pub(super) extra: Option<String>,
    #[serde(default)]
    pub(super) images: Vec<Input>,
    pub(super) mask: Option<Input>,
    pub(super) save_to: Option<String>,
    #[serde(default)]
    pub(super) structural_rules: bool,
    #[serde(default)]
    pub(super) refused: bool,
    pub(super) json: Option<String>,
    pub(super) parts: Option<Vec<Part>>,
    pub(super) violations: Option<Vec<ExpectedViolation>>,
}

fn generate() -> Operation {
    Operation::Generate
}

fn operation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Operation, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Prompt {
    Text(String),
    Repeated { repeat: String, times: usize },
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Text("A hat".to_owned())
    }
}

impl Prompt {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Repeated { repeat, times } => repeat.repeat(*times),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) text: Option<String>,
    pub(super) filename: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) equals: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedViolation {
    pub(super) param: String,
    pub(super) rule: String,
    pub(super) given: Option<String>,
    pub(super) message_contains: Option<String>,
}

/// A case's inputs, made.
pub(super) struct Inputs {
    pub(super) images: Vec<Made>,
    pub(super) mask: Option<Made>,
    pub(super) save_to: Option<PathBuf>,
    /// Holds the made files.
    _folder: tempfile::TempDir,
}

impl Inputs {
    pub(super) fn make(case: &Case) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let make = |(index, input): (usize, &Input)| {
            let own = folder.path().join(index.to_string());
            std::fs::create_dir(&own).unwrap();
            input.make(&own)
        };
        let images = case.images.iter().enumerate().map(make).collect();
        let mask = case.mask.as_ref().map(|mask| make((case.images.len(), mask)));
        let save_to = case.save_to.as_ref().map(|name| folder.path().join(name));
        Self { images, mask, save_to, _folder: folder }
    }

    fn read(&self, what: &str) -> Vec<u8> {
        match what.strip_prefix("image ") {
            Some(index) => self.images[index.parse::<usize>().unwrap()].read(),
            None => self.mask.as_ref().filter(|_| what == "mask").unwrap().read(),
        }
    }
}

pub(super) fn build(case: &Case, inputs: &Inputs) -> Result<Request, InvalidRequest> {
    let mut builder = Request::builder(case.operation, case.prompt.text()).structural_rules(case.structural_rules);
    for (name, value) in &case.set {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        builder = builder.set(name, &text);
    }
    let extra: BTreeMap<String, Box<RawValue>> = serde_json::from_str(case.extra.as_deref().unwrap_or("{}")).unwrap();
    for (name, value) in extra {
        builder = builder.extra_json(name, value.get());
    }
    if let Some(path) = &inputs.save_to {
        builder = builder.output_format_from(path);
    }
    for image in &inputs.images {
        builder = builder.image(image.input());
    }
    if let Some(mask) = &inputs.mask {
        builder = builder.mask(mask.input());
    }
    builder.build()
}

/// The body of a form, rendered from what the case says of its parts.
pub(super) fn render(parts: &[Part], boundary: &str, prompt: &str, inputs: &Inputs) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let mut head = format!("Content-Disposition: form-data; name=\"{}\"", part.name);
        let content = match (&part.text, &part.equals) {
            (Some(text), None) => text.replace("{{prompt}}", prompt).into_bytes(),
            (None, Some(what)) => {
                let (filename, mime) = (part.filename.as_ref().unwrap(), part.content_type.as_ref().unwrap());
                head.push_str(&format!("; filename=\"{filename}\"\r\nContent-Type: {mime}"));
                inputs.read(what)
            }
            _ => panic!("the part {} is neither text nor a file", part.name),
        };
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}
