//! The rules once more, from the API's table alone: which parameters are violated.

use std::collections::BTreeSet;

use gptimage_model::Operation;

use super::given::{Alpha, Given};

/// What the table says of the known model: a parameter, and its values.
const ENUMS: &[(&str, &[&str])] = &[
    ("size", &["1024x1024", "1024x1536", "1536x1024"]),
    ("quality", &["low", "medium", "high"]),
    ("output_format", &["png", "jpeg", "webp"]),
    ("background", &["auto", "transparent", "opaque"]),
    ("moderation", &["auto", "low"]),
    ("response_format", &["url", "b64_json"]),
];

/// Fields that have a place of their own; `moderation` has none in an edit.
const OWN_FIELDS: &[&str] = &[
    "model",
    "prompt",
    "image",
    "image[]",
    "mask",
    "size",
    "quality",
    "output_format",
    "background",
    "n",
    "output_compression",
    "response_format",
];

/// The violated parameters.
pub(crate) fn violated(operation: Operation, given: &Given) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut violated = |param: &str, is: bool| {
        if is {
            found.insert(param.to_owned());
        }
    };
    let edit = operation == Operation::Edit;
    let known = !given.structural_rules && matches!(given.model(), "openai/gpt-image-2" | "gpt-image-2");

    violated("model", given.model().trim().is_empty());
    violated("prompt", given.sent_prompt().trim().is_empty());
    violated("prompt", known && given.sent_prompt().chars().count() > 32_000);

    for (name, text) in &given.set {
        violated(name, *name == "stream" || (*name == "moderation" && edit));
        let values = ENUMS.iter().find(|(known, _)| known == name).map(|(_, values)| values);
        violated(name, known && values.is_some_and(|values| !values.contains(&text.as_str())));
    }

    let target = given.target_format().filter(|_| known);
    let set = given.value("output_format");
    let is_format = |format: &str| ["png", "jpeg", "webp"].contains(&format);
    violated("output_format", target.zip(set).is_some_and(|(target, set)| is_format(set) && set != target));
    let format = set.or(target).unwrap_or("png");
    if let Some(text) = given.value("n") {
        let most = if edit { 10 } else { 1 };
        violated("n", whole_number(text).is_none_or(|n| n < 1 || (known && n > most)));
    }
    if let Some(text) = given.value("output_compression") {
        let number = whole_number(text);
        violated("output_compression", number.is_none());
        violated("output_compression", known && number.is_some_and(|percent| !(0..=100).contains(&percent)));
        violated("output_compression", known && format == "png");
    }
    violated("background", known && given.value("background") == Some("transparent") && format == "jpeg");

    for name in given.extra.keys() {
        let own = OWN_FIELDS.contains(&name.as_str()) || (!edit && name == "moderation");
        let shown: String = name.escape_debug().collect();
        violated(&format!("extra.{shown}"), own || shown != *name);
    }
    if edit {
        files(given, known, &mut violated);
    }
    found
}

fn files(given: &Given, known: bool, violated: &mut impl FnMut(&str, bool)) {
    let count = given.images.len();
    violated("image", count == 0 || (known && count > 16));
    for (index, image) in given.images.iter().enumerate() {
        let param = if count == 1 { "image".to_owned() } else { format!("image[{index}]") };
        violated(&param, image.extension.is_none() || !image.whole);
        violated(&param, known && index == 0 && given.mask.is_some() && !image.upright);
    }
    if let Some(mask) = given.mask {
        let first = given.images.first().filter(|image| image.extension.is_some() && image.upright);
        violated("mask", mask.extension != Some("png") || !mask.whole);
        violated("mask", known && !mask.upright);
        violated("mask", known && mask.alpha != Alpha::Transparent);
        violated("mask", known && first.is_some_and(|first| first.size != mask.size));
    }
}

fn whole_number(text: &str) -> Option<i128> {
    text.trim().parse().ok()
}
