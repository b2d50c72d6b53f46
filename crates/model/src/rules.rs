//! All rules of the API. A rule takes plain values and yields [`Violation`]s; it never does I/O.

use std::fmt::Display;
use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::image::ImageFormat;
#[doc(hidden)]
pub use crate::request::ReceivedFile;
use crate::request::{
    Background, Defect, InputRole, Inspected, Integer, MaskAlpha, Model, Moderation, Operation, OutputFormat,
    PARAMETERS, Parameters, Quality, ResponseFormat, Size, WireValue,
};
use crate::text;
use crate::violation::{Rule, Violation};
use crate::warning::Warning;
use crate::wire;

/// The parameter that is decided by the extension of the target.
const OUTPUT_FORMAT: &str = "output_format";

/// One mebibyte, which the API's limits call a megabyte.
pub const MIB: u64 = 1 << 20;

/// The rules of one model, as data that clients, emulators and documentation share.
#[derive(Debug)]
#[non_exhaustive]
pub struct ModelRules {
    /// Names of the model, the canonical one first.
    pub models: &'static [&'static str],
    /// Maximum length of the prompt, in Unicode code points.
    pub prompt_max_chars: usize,
    /// Accepted values of `size`.
    pub sizes: &'static [Size],
    /// Accepted values of `quality`.
    pub qualities: &'static [Quality],
    /// Accepted values of `output_format`.
    pub output_formats: &'static [OutputFormat],
    /// Accepted values of `background`.
    pub backgrounds: &'static [Background],
    /// Accepted values of `moderation`.
    pub moderations: &'static [Moderation],
    /// Accepted values of `response_format`.
    pub response_formats: &'static [ResponseFormat],
    /// Accepted values of `n` for generate.
    pub generate_n: RangeInclusive<i64>,
    /// Accepted values of `n` for edit.
    pub edit_n: RangeInclusive<i64>,
    /// Accepted values of `output_compression`, in percent.
    pub output_compression: RangeInclusive<i64>,
    /// Maximum number of input images of an edit.
    pub images_max: usize,
    /// Maximum length of an input image, in bytes.
    pub image_max_bytes: u64,
    /// Exclusive upper limit of a mask's length, in bytes.
    pub mask_below_bytes: u64,
    /// The server's defaults of parameters that are not sent: the API's name and the wire value.
    pub defaults: &'static [(&'static str, &'static str)],
    /// Combinations of values that are rejected.
    pub conflicts: &'static [Conflict],
}

/// A rule that rejects a parameter if another parameter has certain values.
#[derive(Debug)]
#[non_exhaustive]
pub struct Conflict {
    /// The API's name of the rejected parameter.
    pub param: &'static str,
    /// The rejected values. If empty, every value is rejected.
    pub values: &'static [&'static str],
    /// The API's name of the other parameter.
    pub with: &'static str,
    /// The other parameter's values that lead to the rejection. Its default counts if it is not set.
    pub with_values: &'static [&'static str],
    /// The violation's message: what is wrong and what to do.
    pub message: &'static str,
    /// The message if the extension of `{target}` decided the other parameter.
    pub target_message: &'static str,
}

/// The rules of `openai/gpt-image-2`, from the API's specification and documentation.
pub static GPT_IMAGE_2: ModelRules = ModelRules {
    models: &["openai/gpt-image-2", "gpt-image-2"],
    prompt_max_chars: 32_000,
    sizes: &[Size::Square, Size::Portrait, Size::Landscape],
    qualities: &[Quality::Low, Quality::Medium, Quality::High],
    output_formats: &[OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp],
    backgrounds: &[Background::Auto, Background::Transparent, Background::Opaque],
    moderations: &[Moderation::Auto, Moderation::Low],
    response_formats: &[ResponseFormat::Url, ResponseFormat::B64Json],
    generate_n: 1..=1,
    edit_n: 1..=10,
    output_compression: 0..=100,
    images_max: 16,
    image_max_bytes: 50 * MIB,
    mask_below_bytes: 4 * MIB,
    defaults: &[
        ("size", "1024x1024"),
        ("quality", "medium"),
        ("output_format", "png"),
        ("background", "auto"),
        ("n", "1"),
        ("output_compression", "100"),
        ("response_format", "url"),
        ("moderation", "auto"),
    ],
    conflicts: &[
        Conflict {
            param: "output_compression",
            values: &[],
            with: "output_format",
            with_values: &["png"],
            message: "applies to jpeg and webp only; set output_format to one of them, or leave this out",
            target_message: "applies to jpeg and webp only; save {target} under another extension, or leave this out",
        },
        Conflict {
            param: "background",
            values: &["transparent"],
            with: "output_format",
            with_values: &["jpeg"],
            message: "jpeg has no transparency; set output_format to png or webp, or background to opaque",
            target_message: "jpeg has no transparency, and {target} is to be one; save to a .png or .webp, or set background to opaque",
        },
    ],
};

impl ModelRules {
    /// Returns the server's default of a parameter, as a wire value.
    pub fn default_of(&self, param: &str) -> Option<&'static str> {
        self.defaults.iter().find(|(name, _)| *name == param).map(|(_, value)| *value)
    }

    /// Returns the values of `n` that an operation accepts.
    pub fn n(&self, operation: Operation) -> &RangeInclusive<i64> {
        match operation {
            Operation::Generate => &self.generate_n,
            Operation::Edit => &self.edit_n,
        }
    }
}

/// Returns the rules of the known model, or `None` if only the structural rules apply.
fn model_rules(parameters: &Parameters) -> Option<&'static ModelRules> {
    (!parameters.structural_rules && GPT_IMAGE_2.models.contains(&parameters.model.as_str())).then_some(&GPT_IMAGE_2)
}

/// Sets `output_format` from the target's extension if it is not set. png is not sent, because it is the server's
/// default.
pub(crate) fn infer_output_format(parameters: &mut Parameters) {
    if model_rules(parameters).is_none() || parameters.output_format.is_some() {
        return;
    }
    if let Some(target) = parameters.target.as_mut().filter(|target| target.format != ImageFormat::Png) {
        target.decides = true;
        parameters.output_format = Some(OutputFormat::from(target.format.as_str()));
    }
}

pub(crate) fn check_parameters(operation: Operation, parameters: &Parameters) -> Vec<Violation> {
    let mut found = Vec::new();
    structure(operation, parameters, &mut found);
    if let Some(rules) = model_rules(parameters) {
        values(rules, operation, parameters, &mut found);
    }
    found
}

/// Checks the structural rules, which hold for every server and model.
fn structure(operation: Operation, parameters: &Parameters, found: &mut Vec<Violation>) {
    if parameters.model.as_str().trim().is_empty() {
        let message = format!("is empty; name a model, such as {}", Model::GptImage2);
        found.push(Violation::new("model", Rule::Required, "", message));
    }
    if parameters.prompt.trim().is_empty() {
        let message = "is empty; describe the picture you want in words";
        found.push(Violation::new("prompt", Rule::Required, &parameters.prompt, message));
    }
    for (name, value) in parameters.fields() {
        let an_integer = PARAMETERS.iter().any(|known| known.name == name && known.integer);
        if let (true, WireValue::Text(text)) = (an_integer, value) {
            let digits = text.trim().trim_start_matches(['-', '+']);
            let (rule, what) = if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                (Rule::Range, "is far out of range; write a small number")
            } else {
                (Rule::Type, "is not a whole number; write digits only")
            };
            let message = format!("\"{}\" {what}", text::shorten(text, 60));
            found.push(Violation::new(name, rule, text, message));
        }
    }
    if let Some(Integer::Value(n)) = parameters.n
        && n < 1
    {
        let message = format!("{n} pictures cannot be asked for; ask for at least 1");
        found.push(Violation::new("n", Rule::Range, n, message));
    }
    for (name, given) in &parameters.unknown {
        let message = format!("is not a parameter of {}; leave it out, or send it with `extra`", operation.as_str());
        found.push(Violation::new(text::shorten(name, 60), Rule::UnknownParameter, given, message));
    }
    for (name, value) in &parameters.extra {
        let a_parameter = PARAMETERS.iter().any(|known| known.name == name && known.operations.contains(&operation));
        let an_input = [wire::IMAGE, wire::IMAGES, wire::MASK].contains(&name.as_str());
        if a_parameter || an_input || name == "prompt" {
            let message = "is a parameter of its own; set it by its name instead of through `extra`";
            found.push(Violation::new(format!("extra.{name}"), Rule::Conflict, value, message));
        }
        if name.is_empty() || name.chars().any(char::is_control) {
            let message = "a field needs a name without control characters";
            found.push(Violation::new(format!("extra.{}", name.escape_debug()), Rule::Format, value, message));
        }
        if let Some(reason) = value.broken() {
            let message = format!("is not JSON that can be sent as it is: {reason}");
            found.push(Violation::new(format!("extra.{}", name.escape_debug()), Rule::Format, value, message));
        }
    }
}

/// Checks the rules of the known model.
fn values(rules: &ModelRules, operation: Operation, parameters: &Parameters, found: &mut Vec<Violation>) {
    let chars = parameters.prompt.chars().count();
    if chars > rules.prompt_max_chars {
        let message = format!(
            "has {chars} characters, the limit is {}; shorten it by {}",
            rules.prompt_max_chars,
            chars - rules.prompt_max_chars
        );
        found.push(Violation::new("prompt", Rule::MaxLength, format!("{chars} characters"), message));
    }
    one_of("size", parameters.size.as_ref(), rules.sizes, found);
    one_of("quality", parameters.quality.as_ref(), rules.qualities, found);
    one_of("output_format", parameters.output_format.as_ref(), rules.output_formats, found);
    fits_target(rules, parameters, found);
    one_of("background", parameters.background.as_ref(), rules.backgrounds, found);
    one_of("moderation", parameters.moderation.as_ref(), rules.moderations, found);
    one_of("response_format", parameters.response_format.as_ref(), rules.response_formats, found);
    within_n(rules, operation, parameters, found);
    if let Some(Integer::Value(percent)) = parameters.output_compression {
        let range = &rules.output_compression;
        if !range.contains(&percent) {
            let message = format!("{percent} is outside {} to {}; it is a percentage", range.start(), range.end());
            found.push(Violation::new("output_compression", Rule::Range, percent, message));
        }
    }
    for conflict in rules.conflicts {
        conflicts(rules, conflict, parameters, found);
    }
}

fn conflicts(rules: &ModelRules, conflict: &Conflict, parameters: &Parameters, found: &mut Vec<Violation>) {
    let fields = parameters.fields();
    let value_of = |param| fields.iter().find(|(name, _)| *name == param).map(|(_, value)| value);
    // Text in place of a number is a violation of its own, reported elsewhere.
    let is_number = |value: &&WireValue<'_>| !conflict.values.is_empty() || matches!(value, WireValue::Integer(_));
    let Some(given) = value_of(conflict.param).filter(is_number).map(WireValue::to_string) else { return };
    let with = value_of(conflict.with).map(WireValue::to_string);
    let with = with.as_deref().or_else(|| rules.default_of(conflict.with)).unwrap_or_default();
    if !(conflict.values.is_empty() || conflict.values.contains(&given.as_str()))
        || !conflict.with_values.contains(&with)
    {
        return;
    }
    let message = match parameters.target.as_ref().filter(|target| target.decides && conflict.with == OUTPUT_FORMAT) {
        Some(target) => conflict.target_message.replace("{target}", &target.name),
        None => conflict.message.to_owned(),
    };
    found.push(Violation::new(conflict.param, Rule::Conflict, given, message));
}

/// Rejects a format that contradicts the extension of the file to save to.
fn fits_target(rules: &ModelRules, parameters: &Parameters, found: &mut Vec<Violation>) {
    let (Some(given), Some(target)) = (&parameters.output_format, &parameters.target) else { return };
    if rules.output_formats.contains(given) && given.as_str() != target.format.as_str() {
        let message = format!(
            "{given} contradicts {}, whose extension says {}; leave output_format out, or save to another name",
            target.name, target.format
        );
        found.push(Violation::new("output_format", Rule::Conflict, given, message));
    }
}

fn within_n(rules: &ModelRules, operation: Operation, parameters: &Parameters, found: &mut Vec<Violation>) {
    let range = rules.n(operation);
    let Some(Integer::Value(n)) = parameters.n else { return };
    // A number below 1 is a structural violation, reported there.
    if n < 1 || range.contains(&n) {
        return;
    }
    let message = match operation {
        Operation::Generate => {
            format!("{n} pictures in one call are not offered by generate; make one call for each picture")
        }
        Operation::Edit => format!("{n} is outside {} to {}; split it over several calls", range.start(), range.end()),
    };
    found.push(Violation::new("n", Rule::Range, n, message));
}

fn one_of<T: PartialEq + Display>(param: &str, given: Option<&T>, allowed: &[T], found: &mut Vec<Violation>) {
    let Some(given) = given.filter(|given| !allowed.contains(given)) else { return };
    let allowed = allowed.iter().map(T::to_string).collect::<Vec<_>>().join(", ");
    let message = format!("\"{}\" is not one of {allowed}", text::shorten(&given.to_string(), 60));
    found.push(Violation::new(param, Rule::OneOf, given, message));
}

/// Rejects inputs of an operation that takes none.
pub(crate) fn refuse_inputs(images: usize, mask: bool) -> Vec<Violation> {
    let mut found = Vec::new();
    for (param, given) in [("image", images), ("mask", usize::from(mask))] {
        if given > 0 {
            let message = "is not a parameter of generate; leave it out, or use edit";
            found.push(Violation::new(param, Rule::UnknownParameter, format!("{given} images"), message));
        }
    }
    found
}

pub(crate) fn check_images(
    parameters: &Parameters,
    images: &[Result<Inspected, Defect>],
    mask: Option<&Result<Inspected, Defect>>,
) -> Vec<Violation> {
    let rules = model_rules(parameters);
    let mut found = Vec::new();
    if images.is_empty() {
        let message = "no image was given; an edit needs at least one";
        found.push(Violation::new("image", Rule::Required, "0 images", message));
    }
    if let Some(rules) = rules
        && images.len() > rules.images_max
    {
        let message = format!("{} images were given, the limit is {}", images.len(), rules.images_max);
        found.push(Violation::new("image", Rule::MaxItems, format!("{} images", images.len()), message));
    }
    for (index, image) in images.iter().enumerate() {
        let param = image_param(index, images.len());
        match image {
            Ok(image) => picture(&param, image, rules, &mut found),
            Err(defect) => found.push(unusable(&param, defect)),
        }
    }
    match mask {
        Some(Ok(mask)) => {
            let first = images.first().and_then(|first| first.as_ref().ok());
            if rules.is_some() {
                upright(&image_param(0, images.len()), first, &mut found);
                upright("mask", Some(mask), &mut found);
            }
            check_mask(mask, first, rules, &mut found);
        }
        Some(Err(defect)) => found.push(unusable("mask", defect)),
        None => {}
    }
    found
}

/// Checks the parameters of a request as a server received them, by name. A missing prompt counts as empty. For the
/// emulator only; not part of the public interface.
#[doc(hidden)]
pub fn check_received_parameters<'a>(
    operation: Operation,
    received: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Violation> {
    let mut parameters = Parameters::new(String::new());
    for (name, text) in received {
        parameters.set(operation, name, text);
    }
    check_parameters(operation, &parameters)
}

/// Checks the files of an edit as a server received them, each with its whole content or its first bytes. For the
/// emulator only; not part of the public interface.
#[doc(hidden)]
pub fn check_received_files(
    model: &str,
    images: &[(&ReceivedFile, &Bytes)],
    mask: Option<(&ReceivedFile, &Bytes)>,
) -> Vec<Violation> {
    let parameters = Parameters { model: Model::from(model), ..Parameters::new(String::new()) };
    let images: Vec<_> = images.iter().map(|(file, kept)| file.inspect(kept, InputRole::Image)).collect();
    let mask = mask.map(|(file, kept)| file.inspect(kept, InputRole::Mask));
    check_images(&parameters, &images, mask.as_ref())
}

/// Returns the API's name of the image at `index` of `count` images.
fn image_param(index: usize, count: usize) -> String {
    if count == 1 { "image".to_owned() } else { format!("image[{index}]") }
}

/// Returns warnings about inputs that violate no rule.
pub(crate) fn note_images(
    images: &[Result<Inspected, Defect>],
    mask: Option<&Result<Inspected, Defect>>,
) -> Vec<Warning> {
    let mut noted = Vec::new();
    for (index, image) in images.iter().enumerate() {
        if let Ok(Inspected { name, orientation: Some(orientation), .. }) = image {
            noted.push(Warning::exif_orientation(&image_param(index, images.len()), name, *orientation));
        }
    }
    if let Some(Ok(mask)) = mask {
        if let Some(orientation) = mask.orientation {
            noted.push(Warning::exif_orientation("mask", &mask.name, orientation));
        }
        if mask.alpha == Some(MaskAlpha::Transparent { half: true }) {
            noted.push(Warning::half_transparent_mask(&mask.name));
        }
    }
    noted
}

/// Checks that an input is an image, without the limits of a model.
pub(crate) fn check_input(param: &str, image: &Result<Inspected, Defect>) -> Vec<Violation> {
    let mut found = Vec::new();
    match image {
        Ok(image) => picture(param, image, None, &mut found),
        Err(defect) => found.push(unusable(param, defect)),
    }
    found
}

fn unusable(param: &str, defect: &Defect) -> Violation {
    match defect {
        Defect::Unreadable { name, reason } => {
            Violation::new(param, Rule::Readable, name, format!("{name} cannot be read: {reason}"))
        }
        Defect::NotRegular { name, what } => Violation::new(
            param,
            Rule::RegularFile,
            name,
            format!("{name} is {what}, not a regular file; save it to a file or pass its bytes"),
        ),
    }
}

fn picture(param: &str, image: &Inspected, rules: Option<&ModelRules>, found: &mut Vec<Violation>) {
    let name = &image.name;
    if image.len == 0 {
        found.push(Violation::new(param, Rule::NotEmpty, "0 bytes", format!("{name} is empty")));
        return;
    }
    if let Some(rules) = rules
        && image.len > rules.image_max_bytes
    {
        let message = format!(
            "{name} has {} bytes, the limit is {} ({} MB); make it smaller",
            image.len,
            rules.image_max_bytes,
            rules.image_max_bytes / MIB
        );
        found.push(Violation::new(param, Rule::MaxBytes, format!("{} bytes", image.len), message));
    }
    if image.format.is_none() {
        let message = format!("{name} is not a PNG, JPEG or WebP by its first bytes; convert it to one of them");
        found.push(Violation::new(param, Rule::Format, name, message));
    } else if !image.whole {
        found.push(cut_short(param, image));
    }
}

fn cut_short(param: &str, image: &Inspected) -> Violation {
    let message = format!("{} is cut short after {} bytes; copy or save it again", image.name, image.len);
    Violation::new(param, Rule::Format, &image.name, message)
}

/// Rejects an orientation next to a mask: whether the server applies it is not documented.
fn upright(param: &str, image: Option<&Inspected>, found: &mut Vec<Violation>) {
    let Some(Inspected { name, orientation: Some(orientation), .. }) = image else { return };
    let given = format!("EXIF orientation {}", orientation.number());
    let message = format!(
        "{name} has {given}: its pixels lie {} in the file, and a server may turn them or not, so the mask may miss its \
         place; save the picture upright first, as Pillow's ImageOps.exif_transpose and ImageMagick's -auto-orient do",
        orientation.describe()
    );
    found.push(Violation::new(param, Rule::Conflict, given, message));
}

fn check_mask(mask: &Inspected, first: Option<&Inspected>, rules: Option<&ModelRules>, found: &mut Vec<Violation>) {
    let name = &mask.name;
    if mask.len == 0 {
        found.push(Violation::new("mask", Rule::NotEmpty, "0 bytes", format!("{name} is empty")));
        return;
    }
    if mask.format != Some(ImageFormat::Png) {
        let message = format!("{name} is not a PNG by its first bytes; a mask must be one, with an alpha channel");
        found.push(Violation::new("mask", Rule::Format, name, message));
        return;
    }
    if !mask.whole {
        found.push(cut_short("mask", mask));
        return;
    }
    let Some(rules) = rules else { return };
    if mask.len >= rules.mask_below_bytes {
        let message = format!(
            "{name} has {} bytes, a mask must be under {} ({} MB); save it with fewer colours",
            mask.len,
            rules.mask_below_bytes,
            rules.mask_below_bytes / MIB
        );
        found.push(Violation::new("mask", Rule::MaxBytes, format!("{} bytes", mask.len), message));
    }
    match &mask.alpha {
        Some(MaskAlpha::Missing) => {
            let message = format!("{name} has no alpha channel; make the area to edit transparent");
            found.push(Violation::new("mask", Rule::MaskAlpha, name, message));
        }
        Some(MaskAlpha::Opaque) => {
            let message =
                format!("{name} is fully opaque, so nothing would be edited; make the area to edit transparent");
            found.push(Violation::new("mask", Rule::MaskTransparency, name, message));
        }
        Some(MaskAlpha::OnlyHalf) => {
            let message = format!(
                "{name} has no fully transparent pixel, only half-transparent ones, so nothing would be edited; make the \
                 area to edit fully transparent (alpha 0)"
            );
            found.push(Violation::new("mask", Rule::MaskTransparency, name, message));
        }
        Some(MaskAlpha::Broken(reason)) => {
            let message = format!("{name} cannot be decoded: {reason}; save it again as PNG");
            found.push(Violation::new("mask", Rule::Format, name, message));
        }
        Some(MaskAlpha::Transparent { .. }) | None => {}
    }
    // If an image is to be turned, it is unclear which of its sides is the width, so its dimensions are not compared.
    let upright = |image: &Inspected| image.orientation.is_none();
    if let (Some(mask_size), Some(Inspected { dimensions: Some(size), .. })) =
        (mask.dimensions, first.filter(|first| upright(first)))
        && upright(mask)
        && mask_size != *size
    {
        let given = format!("{}x{}", mask_size.0, mask_size.1);
        let message = format!(
            "{name} is {given} pixels, the first image is {}x{}; both must have the same dimensions",
            size.0, size.1
        );
        found.push(Violation::new("mask", Rule::MaskDimensions, given, message));
    }
}

#[cfg(test)]
mod tests {
    use super::GPT_IMAGE_2;
    use crate::request::{Operation, PARAMETERS, Request};

    #[test]
    fn every_default_is_a_value_that_its_help_names() {
        for parameter in PARAMETERS.iter().filter(|parameter| parameter.name != "model") {
            let default = GPT_IMAGE_2.default_of(parameter.name).unwrap();
            let marked = [format!("`{default}` (the server's default"), format!("server's default is {default}.")];
            assert!(marked.iter().any(|text| parameter.help.contains(text)), "{}: {}", parameter.name, parameter.help);
        }
        for (name, _) in GPT_IMAGE_2.defaults {
            assert!(PARAMETERS.iter().any(|parameter| parameter.name == *name), "{name}");
        }
    }

    #[test]
    fn every_conflict_is_refused_for_each_of_its_pairs() {
        for conflict in GPT_IMAGE_2.conflicts {
            let values = if conflict.values.is_empty() { &["50"] } else { conflict.values };
            for (value, with) in
                values.iter().flat_map(|value| conflict.with_values.iter().map(move |with| (value, with)))
            {
                let builder = Request::builder(Operation::Generate, "A hat").set(conflict.param, value);
                let refused = builder.set(conflict.with, with).build().unwrap_err();
                let [violation] = refused.violations() else { panic!("{refused}") };
                assert_eq!((violation.param(), violation.message()), (conflict.param, conflict.message));
            }
        }
    }
}
