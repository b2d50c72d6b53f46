//! Core's rules and the emulator agree on every request, over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;

use fastrand::Rng;
use gptimage_emulator::Emulator;
use gptimage_model::rules::GPT_IMAGE_2;
use gptimage_model::{EditRequest, GenerateRequest, ImageInput, InvalidRequest, Operation, PARAMETERS, Rule};
use support::*;

const REQUESTS: u64 = 600;

/// Texts that some rule looks at, for each parameter: good ones and bad ones.
const TEXTS: &[(&str, &[&str])] = &[
    ("size", &["1024x1024", "1024x1536", "1536x1024", "512x512", "auto", "1024X1024", " 1024x1024", ""]),
    ("quality", &["low", "medium", "high", "hd", "auto", "High", ""]),
    ("output_format", &["png", "jpeg", "webp", "png", "jpeg", "webp", "jpg", "gif", ""]),
    ("background", &["auto", "transparent", "transparent", "opaque", "none", ""]),
    ("moderation", &["auto", "low", "none", ""]),
    ("response_format", &["url", "b64_json", "path", ""]),
    ("n", &["1", "1", "0", "2", "10", "11", "-1", "+1", "1.5", "99999999999999999999", "one", ""]),
    ("output_compression", &["0", "1", "99", "100", "101", "-1", "99.5", "-99999999999999999999", "best", ""]),
];

/// Files, most of them good as an image, some as a mask.
const FILES: &[&[u8]] = &[
    include_bytes!("../../../tests/fixtures/rgb-4x4.png"),
    include_bytes!("../../../tests/fixtures/rgb-4x4.jpg"),
    include_bytes!("../../../tests/fixtures/rgb-4x4.webp"),
    include_bytes!("../../../tests/fixtures/rgba-4x4.png"),
    include_bytes!("../../../tests/fixtures/trns-4x4.png"),
    include_bytes!("../../../tests/fixtures/clear-8x4.png"),
    include_bytes!("../../../tests/fixtures/half-4x4.png"),
    include_bytes!("../../../tests/fixtures/half-and-clear-4x4.png"),
    include_bytes!("../../../tests/fixtures/opaque-alpha-4x4.png"),
    include_bytes!("../../../tests/fixtures/exif-6-8x4.jpg"),
    include_bytes!("../../../tests/fixtures/exif-6-mask-4x4.png"),
    b"GIF89a......",
    b"",
];

/// A request, drawn.
#[derive(Debug)]
struct Drawn {
    operation: Operation,
    prompt: Option<String>,
    parameters: BTreeMap<&'static str, String>,
    images: Vec<Vec<u8>>,
    mask: Option<Vec<u8>>,
}

impl Drawn {
    fn new(rng: &mut Rng) -> Self {
        let operation = if rng.bool() { Operation::Generate } else { Operation::Edit };
        let max = GPT_IMAGE_2.prompt_max_chars;
        let prompt = match rng.u8(..20) {
            0 => None,
            1 => Some(String::new()),
            2 => Some(" \n\u{3000}".to_owned()),
            3 => Some("\u{feff}".to_owned()),
            4 => Some("é".repeat(max)),
            5 => Some("é".repeat(max + 1)),
            _ => Some("A crown".to_owned()),
        };
        let model = match rng.u8(..10) {
            0 => [" ", ""][rng.usize(..2)],
            1 | 2 => "gpt-image-2",
            _ => MODEL,
        };
        let mut parameters = BTreeMap::from([("model", model.to_owned())]);
        for (name, texts) in TEXTS {
            if rng.u8(..10) < 4 {
                parameters.insert(name, texts[rng.usize(..texts.len())].to_owned());
            }
        }
        let (mut images, mut mask) = (Vec::new(), None);
        if operation == Operation::Edit {
            let count = match rng.u8(..10) {
                0 => 0,
                1 => rng.usize(15..19),
                _ => rng.usize(1..4),
            };
            images = (0..count).map(|_| file(rng)).collect();
            mask = rng.bool().then(|| file(rng));
        }
        Self { operation, prompt, parameters, images, mask }
    }

    /// The parameters that core's rules name. What `set` does not know it refuses, for it may be a typing error; the
    /// server ignores such fields.
    fn core(&self) -> Vec<String> {
        let prompt = self.prompt.clone().unwrap_or_default();
        let fields = self.parameters.iter();
        let built = match self.operation {
            Operation::Generate => fields
                .fold(GenerateRequest::builder(prompt), |builder, (name, text)| builder.set(name, text))
                .build()
                .map(drop),
            Operation::Edit => {
                let input = |file: &Vec<u8>| ImageInput::bytes(file.clone());
                let builder = EditRequest::builder(prompt, self.images.iter().map(input));
                let builder = self.mask.iter().fold(builder, |builder, mask| builder.mask(input(mask)));
                fields.fold(builder, |builder, (name, text)| builder.set(name, text)).build().map(drop)
            }
            other => panic!("{other:?}"),
        };
        let violations = built.as_ref().err().map_or(&[][..], InvalidRequest::violations);
        let judged = violations.iter().filter(|violation| violation.rule() != Rule::UnknownParameter);
        sorted(judged.map(|violation| violation.param().to_owned()))
    }

    /// The parameters that the emulator's answer names.
    async fn emulator(&self, emulator: &Emulator) -> Vec<String> {
        let request = match self.operation {
            Operation::Generate => json_request(emulator, &self.json()),
            _ => self.form().request(emulator),
        };
        let response = call(emulator, &request).await;
        match response.status {
            200 => Vec::new(),
            400 => sorted(response.issue_paths().into_iter().map(|path| match path.split_once('.') {
                // Core has no index for the only image.
                Some((name, _)) if self.images.len() == 1 => name.to_owned(),
                Some((name, index)) => format!("{name}[{index}]"),
                None => path,
            })),
            status => panic!("{status}: {}", response.text()),
        }
    }

    fn json(&self) -> String {
        let prompt = self.prompt.iter().map(|prompt| ("prompt", prompt));
        let fields = self.parameters.iter().map(|(name, text)| (*name, text)).chain(prompt).map(|(name, text)| {
            let number = text.trim_start_matches('+');
            let integer = PARAMETERS.iter().any(|known| known.name == name && known.integer);
            if integer && number.parse::<serde_json::Number>().is_ok() {
                format!("\"{name}\":{number}")
            } else {
                format!("\"{name}\":{}", serde_json::Value::from(text.as_str()))
            }
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    fn form(&self) -> Form {
        let form = self.prompt.iter().fold(Form::new(), |form, prompt| form.text("prompt", prompt));
        let form = self.parameters.iter().fold(form, |form, (name, text)| form.text(name, text));
        let name = if self.images.len() == 1 { "image" } else { "image[]" };
        let form = self.images.iter().fold(form, |form, image| form.file(name, "a.png", "image/png", image));
        self.mask.iter().fold(form, |form, mask| form.file("mask", "m.png", "image/png", mask))
    }
}

/// A file, sometimes cut short, sometimes with something behind its end.
fn file(rng: &mut Rng) -> Vec<u8> {
    // Most are good, so that a request of several may be.
    let choice = if rng.u8(..10) < 6 { rng.usize(..5) } else { rng.usize(..FILES.len()) };
    let mut file = FILES[choice].to_vec();
    match rng.u8(..20) {
        0 => file.truncate(rng.usize(..=file.len())),
        1 => file.extend_from_slice(&[7; 100]),
        _ => {}
    }
    file
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn core_and_the_emulator_agree_on_every_request() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let emulator = Emulator::builder().canned(&b"x"[..]).start().await.unwrap();
    let (mut accepted, mut refused) = (0, BTreeMap::<String, u64>::new());
    for _ in 0..REQUESTS {
        let drawn = Drawn::new(&mut rng);
        let core = drawn.core();
        assert_eq!(core, drawn.emulator(&emulator).await, "seed {seed}, left: core, {drawn:?}");
        accepted += u64::from(core.is_empty());
        core.into_iter().for_each(|name| *refused.entry(name).or_default() += 1);
    }
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), accepted);
    // Not in vain: some were accepted, and every parameter was refused.
    assert!(accepted > REQUESTS / 50, "{accepted} accepted");
    let names = TEXTS.iter().map(|(name, _)| *name).chain(["model", "prompt", "image", "image[1]", "mask"]);
    let never: Vec<_> = names.filter(|name| !refused.contains_key(*name)).collect();
    assert!(never.is_empty(), "never refused: {never:?}");
}

/// The list above knows every parameter.
#[test]
fn no_parameter_is_left_out() {
    let mut drawn: Vec<_> = TEXTS.iter().map(|(name, _)| *name).chain(["model"]).collect();
    let mut known: Vec<_> = PARAMETERS.iter().map(|known| known.name).collect();
    drawn.sort_unstable();
    known.sort_unstable();
    assert_eq!(drawn, known);
}
