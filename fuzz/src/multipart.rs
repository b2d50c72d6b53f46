//! An edit's form, parsed by another parser and compared with the intended fields.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes as Body;
use gptimage_model::request::Source;
use gptimage_model::wire::{Body as RequestBody, BodyPart};
use gptimage_model::{EditRequest, ImageInput};
use http_body_util::{BodyExt, Full};

use crate::bytes::Bytes;

const PICTURES: [(&str, &[u8]); 3] = [
    ("png", include_bytes!("../../tests/fixtures/rgba-4x4.png")),
    ("jpg", include_bytes!("../../tests/fixtures/rgb-4x4.jpg")),
    ("webp", include_bytes!("../../tests/fixtures/rgb-4x4.webp")),
];
/// In the order in which they are sent.
const TEXTS: [&str; 5] = ["size", "quality", "output_format", "background", "response_format"];

/// One part: name, file name, content type, bytes.
type Part = (String, Option<String>, Option<String>, Vec<u8>);

/// Builds a form with the fields and values that the bytes choose.
pub fn multipart(data: &[u8]) {
    // The boundary is a hash of the bytes, so that they cannot contain it, just as a prompt's author cannot know it.
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    let boundary = format!("gptimage-{:032x}", hasher.finish());
    let mut bytes = Bytes(data);
    let (model, prompt) = (bytes.text(), bytes.text());
    let mut meant: Vec<Part> = vec![text("model", &model), text("prompt", prompt.trim_start_matches('\u{feff}'))];
    let images: Vec<_> = (0..=bytes.byte() % 4).map(|_| bytes.choose(&PICTURES)).collect();
    let inputs = images.iter().map(|(_, picture)| ImageInput::bytes(*picture));
    let mut builder = EditRequest::builder(&prompt, inputs).structural_rules(true).set("model", &model);
    let mut given = Vec::new();
    for name in TEXTS {
        if bytes.byte() % 2 == 1 {
            given.push((name, bytes.text()));
        }
    }
    for (name, value) in &given {
        builder = builder.set(name, value);
    }
    let mut extra = std::collections::BTreeMap::new();
    while !bytes.is_over() {
        // Parsers differ on backslashes, controls and blanks in names, and on names that hold `name=`.
        let name: String = bytes.text().chars().filter(|char| !char.is_control() && *char != '\\').collect();
        if !name.contains("name") && name.trim() == name {
            extra.insert(format!("{name}x"), bytes.text());
        }
    }
    for (name, value) in &extra {
        builder = builder.extra(name.clone(), value.clone());
    }
    let Ok(request) = builder.build() else { return };
    meant.extend(given.iter().map(|(name, value)| text(name, value)));
    meant.extend(extra.iter().map(|(name, value)| text(&name.replace('"', "%22"), value)));
    let name = if images.len() == 1 { "image" } else { "image[]" };
    for (index, (extension, picture)) in images.iter().enumerate() {
        let mime = format!("image/{}", extension.replace("jpg", "jpeg"));
        let file = format!("image-{index}.{extension}");
        meant.push((name.to_owned(), Some(file), Some(mime), picture.to_vec()));
    }
    let recipe = RequestBody::of(&request.into(), &boundary).unwrap();
    let parts = recipe.parts.iter().map(|part| match part {
        BodyPart::Text(text) => text.clone(),
        BodyPart::Input(input) => match &input.source {
            Source::Bytes(bytes) => bytes.clone(),
            Source::File { .. } => unreachable!("all inputs are in memory"),
        },
    });
    let body: Vec<u8> = parts.flatten().collect();
    assert_eq!(recipe.len(), body.len() as u64, "its length is announced");
    assert_eq!(parse(&recipe.content_type, body), meant);
}

fn text(name: &str, value: &str) -> Part {
    (name.to_owned(), None, None, value.as_bytes().to_vec())
}

fn parse(content_type: &str, body: Vec<u8>) -> Vec<Part> {
    let boundary = multer::parse_boundary(content_type).unwrap();
    let mut form = multer::Multipart::new(Full::new(Body::from(body)).into_data_stream(), boundary);
    let reading = async {
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await.unwrap() {
            let name = field.name().unwrap().to_owned();
            let (file, mime) = (field.file_name().map(str::to_owned), field.content_type().map(ToString::to_string));
            parts.push((name, file, mime, field.bytes().await.unwrap().to_vec()));
        }
        parts
    };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(reading)
}
