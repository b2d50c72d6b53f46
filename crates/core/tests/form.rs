//! An edit request's form, sent over a socket and read by another parser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use gptimage_core::{Client, EditRequest, ImageInput};
use gptimage_emulator::{Emulator, RecordedRequest, Side};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;

const PICTURES: [(&str, &[u8]); 3] = [
    ("png", include_bytes!("../../../tests/fixtures/rgba-4x4.png")),
    ("jpg", include_bytes!("../../../tests/fixtures/rgb-4x4.jpg")),
    ("webp", include_bytes!("../../../tests/fixtures/rgb-4x4.webp")),
];

/// One part of a form, meant or received.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    bytes: Bytes,
}

impl Part {
    fn text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), filename: None, content_type: None, bytes: text.to_owned().into() }
    }

    fn file(name: &str, stem: &str, (extension, bytes): (&str, &'static [u8])) -> Self {
        let mime = format!("image/{}", extension.replace("jpg", "jpeg"));
        Self {
            name: name.to_owned(),
            filename: Some(format!("{stem}.{extension}")),
            content_type: Some(mime),
            bytes: Bytes::from_static(bytes),
        }
    }
}

/// Text that looks like the form around it.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\r\n",
            "\n",
            "\r",
            "--",
            "\r\n--",
            "\r\n--gptimage-0123456789abcdef0123456789abcdef",
            "--gptimage-0123456789abcdef0123456789abcdef--\r\n",
            "Content-Disposition: form-data; name=\"n\"\r\n\r\n10\r\n",
            "\"",
            "%22",
            "\\",
            "\0",
            "é漢🦖",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Text that is not blank, as model and prompt must be.
fn not_blank() -> impl Strategy<Value = String> {
    (hostile(), hostile()).prop_map(|(before, after)| format!("{before}a{after}"))
}

/// Names of fields. Parsers differ on backslashes and on names that hold `name=`.
fn field_name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_é漢🦖%;=\" -]{0,12}x".prop_filter("not a parameter", |name| !name.contains("name"))
}

#[derive(Debug, Clone)]
struct Meant {
    request: EditRequest,
    parts: Vec<Part>,
}

fn meant() -> impl Strategy<Value = Meant> {
    let texts = prop::collection::vec(prop::option::of(hostile()), 5);
    let numbers = (prop::option::of(1..i64::MAX), prop::option::of(any::<i64>()));
    let extra = prop::collection::btree_map(field_name(), hostile(), 0..4);
    let images = prop::collection::vec(0..PICTURES.len(), 1..5);
    (not_blank(), not_blank(), texts, numbers, extra, images, any::<bool>()).prop_map(
        |(model, prompt, texts, (n, compression), extra, images, mask)| {
            let pictures = images.iter().map(|index| ImageInput::bytes(PICTURES[*index].1));
            let mut builder = EditRequest::builder(&prompt, pictures).structural_rules(true).set("model", &model);
            let sent = prompt.trim_start_matches('\u{feff}');
            let mut parts = vec![Part::text("model", &model), Part::text("prompt", sent)];
            let numbers =
                [("n", n), ("output_compression", compression)].map(|(name, n)| (name, n.map(|n| n.to_string())));
            let [size, quality, format, background, response] = <[_; 5]>::try_from(texts).unwrap();
            let texts = [("size", size), ("quality", quality), ("output_format", format), ("background", background)];
            let fields = texts.into_iter().chain(numbers).chain([("response_format", response)]);
            for (name, text) in fields.filter_map(|(name, text)| Some((name, text?))) {
                builder = builder.set(name, &text);
                parts.push(Part::text(name, &text));
            }
            for (name, text) in extra {
                parts.push(Part::text(&name.replace('"', "%22"), &text));
                builder = builder.extra(name, text);
            }
            let name = if images.len() == 1 { "image" } else { "image[]" };
            for (index, picture) in images.iter().enumerate() {
                parts.push(Part::file(name, &format!("image-{index}"), PICTURES[*picture]));
            }
            if mask {
                builder = builder.mask(ImageInput::bytes(PICTURES[0].1));
                parts.push(Part::file("mask", "mask", PICTURES[0]));
            }
            Meant { request: builder.build().unwrap(), parts }
        },
    )
}

/// Sends a request and returns what arrived.
async fn send(client: &Client, emulator: &Emulator, request: &EditRequest) -> RecordedRequest {
    // What the server thinks of it is not looked at: these values are not the known model's.
    let _ = client.edit(request).send().await;
    emulator.wait_idle().await;
    emulator.requests().into_iter().rfind(|request| request.side == Side::Api).unwrap()
}

async fn parse(request: &RecordedRequest) -> Vec<Part> {
    let boundary = multer::parse_boundary(request.header("content-type").unwrap()).unwrap();
    let body = Full::new(request.body.clone().unwrap()).into_data_stream();
    let mut form = multer::Multipart::new(body, boundary);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.unwrap() {
        parts.push(Part {
            name: field.name().unwrap().to_owned(),
            filename: field.file_name().map(str::to_owned),
            content_type: field.content_type().map(ToString::to_string),
            bytes: field.bytes().await.unwrap(),
        });
    }
    parts
}

#[test]
fn any_form_is_read_as_it_was_meant() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let emulator = runtime.block_on(Emulator::builder().canned(PICTURES[0].1).start()).unwrap();
    let config = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).no_proxy().max_attempts(1);
    let client = config.fetch(false).build().unwrap();
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(meant in meant())| {
        let arrived = runtime.block_on(send(&client, &emulator, &meant.request));
        prop_assert_eq!(arrived.header("content-length").map(str::to_owned), Some(arrived.body_len.to_string()));
        prop_assert_eq!(arrived.header("transfer-encoding"), None);
        prop_assert_eq!(runtime.block_on(parse(&arrived)), meant.parts);
    });
}
