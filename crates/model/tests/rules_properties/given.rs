//! Random requests: mostly near the rules' borders, sometimes anything.

use std::collections::BTreeMap;
use std::fmt;

use gptimage_model::{ImageInput, InvalidRequest, Operation, Request, RequestBuilder};
use proptest::prelude::*;

/// What a caller says, before anybody has judged it.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) prompt: String,
    /// By the API's name, each at most once.
    pub(crate) set: BTreeMap<&'static str, String>,
    pub(crate) extra: BTreeMap<String, serde_json::Value>,
    /// The extension of the file to save to.
    pub(crate) target: Option<&'static str>,
    pub(crate) structural_rules: bool,
    /// Of edit alone.
    pub(crate) images: Vec<&'static Picture>,
    pub(crate) mask: Option<&'static Picture>,
}

/// An input and what the rules ask about it.
pub(crate) struct Picture {
    name: &'static str,
    pub(crate) bytes: &'static [u8],
    /// `png`, `jpg` or `webp`; `None` for what is no picture.
    pub(crate) extension: Option<&'static str>,
    pub(crate) size: (u32, u32),
    pub(crate) alpha: Alpha,
    /// Whether people see it as it is stored.
    pub(crate) upright: bool,
    pub(crate) whole: bool,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    None,
    Opaque,
    /// Half-transparent pixels, and no transparent one.
    Half,
    Transparent,
}

macro_rules! picture {
    ($name:literal, $extension:expr, $size:expr, $alpha:ident) => {
        Picture {
            name: $name,
            bytes: include_bytes!(concat!("../../../../tests/fixtures/", $name)),
            extension: $extension,
            size: $size,
            alpha: Alpha::$alpha,
            upright: true,
            whole: true,
        }
    };
}

/// Its last byte is missing.
const CUT: &[u8] = match include_bytes!("../../../../tests/fixtures/noise-8x8.png").split_last() {
    Some((_, start)) => start,
    None => &[],
};

static PICTURES: [Picture; 17] = [
    picture!("rgb-4x4.png", Some("png"), (4, 4), None),
    picture!("rgb-4x4.jpg", Some("jpg"), (4, 4), None),
    picture!("rgb-4x4.webp", Some("webp"), (4, 4), None),
    picture!("rgb-8x4.png", Some("png"), (8, 4), None),
    picture!("rgba-4x4.png", Some("png"), (4, 4), Transparent),
    picture!("clear-8x4.png", Some("png"), (8, 4), Transparent),
    picture!("palette-trns-4x4.png", Some("png"), (4, 4), Transparent),
    picture!("interlaced-opaque-4x4.png", Some("png"), (4, 4), Opaque),
    picture!("rgba16-opaque-4x4.png", Some("png"), (4, 4), Opaque),
    picture!("half-4x4.png", Some("png"), (4, 4), Half),
    picture!("half-and-clear-4x4.png", Some("png"), (4, 4), Transparent),
    Picture { upright: false, ..picture!("exif-6-8x4.jpg", Some("jpg"), (8, 4), None) },
    Picture { upright: false, ..picture!("exif-3-4x4.png", Some("png"), (4, 4), None) },
    Picture { upright: false, ..picture!("exif-6-mask-4x4.png", Some("png"), (4, 4), Transparent) },
    Picture { bytes: CUT, whole: false, ..picture!("noise-8x8.png", Some("png"), (8, 8), None) },
    picture!("README.md", None, (0, 0), None),
    Picture { name: "nothing", bytes: b"", ..picture!("README.md", None, (0, 0), None) },
];

const MODELS: &[&str] = &["openai/gpt-image-2", "gpt-image-2", "openai/gpt-image-3", "OPENAI/gpt-image-2", " ", ""];

/// Extensions of targets.
const TARGETS: &[&str] = &["png", "PNG", "jpg", "Jpeg", "jfif", "webp", "gif", "txt"];

/// Values near the border of each parameter, right and wrong.
const VALUES: &[(&str, &[&str])] = &[
    ("size", &["1024x1024", "1024x1536", "1536x1024", "auto", "1024X1024", ""]),
    ("quality", &["low", "medium", "high", "auto", "High"]),
    ("output_format", &["png", "jpeg", "webp", "jpg", "PNG", ""]),
    ("background", &["auto", "transparent", "opaque", "none"]),
    ("n", &["1", "2", "10", "11", "0", "-1", "1.5", "one", "", "9223372036854775807", "-9223372036854775808"]),
    ("output_compression", &["0", "1", "100", "101", "-1", "50.0", "half", ""]),
    ("response_format", &["url", "b64_json", "base64"]),
    ("moderation", &["auto", "low", "high"]),
];

fn prompt() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{0,3}",
        1 => any::<String>(),
        1 => "\u{feff}{1,2}[a-z ]{0,3}",
        2 => (prop::sample::select(vec!["a", "ä", "漢", "🦖"]), 31_999_usize..32_003).prop_map(|(c, n)| c.repeat(n)),
    ]
}

fn value(name: &'static str, near: &'static [&'static str]) -> impl Strategy<Value = Option<(&'static str, String)>> {
    let text = prop_oneof![
        9 => prop::sample::select(near).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::option::weighted(0.4, text.prop_map(move |text| (name, text)))
}

fn set() -> impl Strategy<Value = BTreeMap<&'static str, String>> {
    let values: Vec<_> = VALUES.iter().map(|(name, near)| value(name, near).boxed()).collect();
    let model = prop::option::weighted(0.5, prop::sample::select(MODELS));
    let other = prop::option::weighted(0.05, Just(("stream", "true".to_owned())));
    (values, model, other).prop_map(|(values, model, other)| {
        let model = model.map(|model| ("model", model.to_owned()));
        values.into_iter().flatten().chain(model).chain(other).collect()
    })
}

fn extra() -> impl Strategy<Value = BTreeMap<String, serde_json::Value>> {
    let name = prop_oneof![
        4 => "[a-z]{1,6}_x",
        1 => prop::sample::select(vec!["size", "model", "prompt", "image", "image[]", "mask", "moderation"]).prop_map(str::to_owned),
        1 => "[a-z]\n\u{1b}",
    ];
    let value = prop_oneof![
        any::<String>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
        prop::collection::vec(any::<u8>(), 0..3).prop_map(serde_json::Value::from),
    ];
    prop_oneof![3 => Just(BTreeMap::new()), 1 => prop::collection::btree_map(name, value, 0..4)]
}

/// Any request of either operation; the inputs are for edit.
pub(crate) fn given() -> impl Strategy<Value = Given> {
    let picture = || prop_oneof![3 => 0..4_usize, 1 => 0..PICTURES.len()].prop_map(|index| &PICTURES[index]);
    let images = prop_oneof![
        6 => prop::collection::vec(picture(), 1..4),
        1 => prop::collection::vec(picture(), 15..18),
        1 => Just(Vec::new()),
    ];
    let mask = prop::option::of((0..PICTURES.len()).prop_map(|index| &PICTURES[index]));
    let target = prop::option::weighted(0.3, prop::sample::select(TARGETS));
    (prompt(), set(), extra(), target, prop::bool::weighted(0.2), images, mask).prop_map(
        |(prompt, set, extra, target, structural_rules, images, mask)| Given {
            prompt,
            set,
            extra,
            target,
            structural_rules,
            images,
            mask,
        },
    )
}

impl Given {
    fn builder(&self, operation: Operation) -> RequestBuilder {
        let mut builder = Request::builder(operation, &self.prompt).structural_rules(self.structural_rules);
        for (name, text) in &self.set {
            builder = builder.set(name, text);
        }
        for (name, value) in &self.extra {
            builder = builder.extra(name.clone(), value.clone());
        }
        if let Some(extension) = self.target {
            builder = builder.output_format_from(format!("t-rex.{extension}"));
        }
        builder
    }

    pub(crate) fn generate(&self) -> Result<Request, InvalidRequest> {
        self.builder(Operation::Generate).build()
    }

    pub(crate) fn edit(&self) -> Result<Request, InvalidRequest> {
        let images = self.images.iter().map(|picture| ImageInput::bytes(picture.bytes));
        let builder = images.fold(self.builder(Operation::Edit), RequestBuilder::image);
        match self.mask {
            Some(mask) => builder.mask(ImageInput::bytes(mask.bytes)).build(),
            None => builder.build(),
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    /// The prompt as it is sent.
    pub(crate) fn sent_prompt(&self) -> &str {
        self.prompt.trim_start_matches('\u{feff}')
    }

    /// The format that the target's extension says.
    pub(crate) fn target_format(&self) -> Option<&'static str> {
        match self.target?.to_lowercase().as_str() {
            "png" => Some("png"),
            "jpg" | "jpeg" | "jfif" => Some("jpeg"),
            "webp" => Some("webp"),
            _ => None,
        }
    }

    /// The model that is asked, set or not.
    pub(crate) fn model(&self) -> &str {
        self.value("model").unwrap_or("openai/gpt-image-2")
    }
}
