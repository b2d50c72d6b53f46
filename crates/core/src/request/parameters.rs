//! The one list of optional parameters. From it come the setters, the getters, the wire and `set` by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::extra::ExtraValue;
use super::params::{
    Background, Integer, Model, Moderation, OutputFormat, Parameter, Quality, ResponseFormat, Size, WireValue,
};
use super::{EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, Operation};
use crate::image::{ImageFormat, SaveTo};
use crate::warning::Warning;

/// What there is to know about one parameter.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ParameterInfo {
    /// The API's name.
    pub name: &'static str,
    /// What it takes, for people.
    pub help: &'static str,
    /// The operations that have it.
    pub operations: &'static [Operation],
}

macro_rules! model_help {
    () => {
        " Which model answers; `openai/gpt-image-2` unless set. Another model's name gets the structural rules only."
    };
}

macro_rules! parameters {
    (
        both { $( $(#[doc = $doc:literal])* $name:ident: $type:ty, )+ }
        generate { $( $(#[doc = $only_doc:literal])* $only:ident: $only_type:ty, )+ }
    ) => {
        /// What both operations carry beside their images.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct Parameters {
            pub(crate) model: Model,
            pub(crate) prompt: String,
            $( pub(crate) $name: Option<$type>, )+
            $( pub(crate) $only: Option<$only_type>, )+
            pub(crate) extra: BTreeMap<String, ExtraValue>,
            /// The file that the pictures go to, if its extension is a format's.
            pub(crate) target: Option<TargetFormat>,
            /// What is odd about a valid request.
            pub(crate) warnings: Vec<Warning>,
            /// Names given to `set` that this operation does not have, for the rules to refuse.
            pub(crate) unknown: Vec<(String, String)>,
            pub(crate) structural_rules: bool,
        }

        /// All parameters but `prompt`, `image` and `mask`, in the order of the wire.
        pub static PARAMETERS: &[ParameterInfo] = &[
            ParameterInfo { name: "model", help: model_help!(), operations: &[Operation::Generate, Operation::Edit] },
            $( ParameterInfo {
                name: stringify!($name),
                help: concat!($($doc),*),
                operations: &[Operation::Generate, Operation::Edit],
            }, )+
            $( ParameterInfo {
                name: stringify!($only),
                help: concat!($($only_doc),*),
                operations: &[Operation::Generate],
            }, )+
        ];

        impl Parameters {
            pub(crate) fn new(prompt: String) -> Self {
                Self {
                    model: Model::GptImage2,
                    prompt: without_bom(&prompt).to_owned(),
                    $( $name: None, )+
                    $( $only: None, )+
                    extra: BTreeMap::new(),
                    target: None,
                    warnings: Vec::new(),
                    unknown: Vec::new(),
                    structural_rules: false,
                }
            }

            /// Every field that the caller set, `extra` aside, in the order of the wire.
            pub(crate) fn fields(&self) -> Vec<(&'static str, WireValue<'_>)> {
                let mut fields = vec![
                    ("model", self.model.wire()),
                    ("prompt", WireValue::Text(&self.prompt)),
                ];
                $( fields.extend(self.$name.as_ref().map(|value| (stringify!($name), value.wire()))); )+
                $( fields.extend(self.$only.as_ref().map(|value| (stringify!($only), value.wire()))); )+
                fields
            }

            fn set(&mut self, operation: Operation, name: &str, text: &str) {
                match name {
                    "model" => self.model = Model::from(text),
                    "prompt" => without_bom(text).clone_into(&mut self.prompt),
                    $( stringify!($name) => self.$name = Some(<$type>::from_text(text)), )+
                    $( stringify!($only) if operation == Operation::Generate => {
                        self.$only = Some(<$only_type>::from_text(text));
                    } )+
                    _ => self.unknown.push((name.to_owned(), text.to_owned())),
                }
            }
        }

        parameters!(@operation GenerateRequest, GenerateRequestBuilder, Operation::Generate;
            $( $(#[doc = $doc])* $name: $type, )+ $( $(#[doc = $only_doc])* $only: $only_type, )+);
        parameters!(@operation EditRequest, EditRequestBuilder, Operation::Edit;
            $( $(#[doc = $doc])* $name: $type, )+);
    };
    (@operation $request:ident, $builder:ident, $operation:expr; $( $(#[$doc:meta])* $name:ident: $type:ty, )+) => {
        impl $builder {
            #[doc = model_help!()]
            #[must_use]
            pub fn model(mut self, model: impl Into<Model>) -> Self {
                self.parameters.model = model.into();
                self
            }

            $( $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: impl Into<$type>) -> Self {
                self.parameters.$name = Some($name.into());
                self
            } )+

            /// Sets a parameter by its API name from text, as command lines and files give it. A name that the
            /// operation does not have is refused by `build`.
            #[must_use]
            pub fn set(mut self, name: &str, text: &str) -> Self {
                self.parameters.set($operation, name, text);
                self
            }

            /// A field that this crate does not know, sent as it is: in JSON as the value, in a form as text.
            #[must_use]
            pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                self.parameters.extra.insert(name.into(), ExtraValue::of(&value.into()));
                self
            }

            /// As `extra`, from JSON text. Numbers are sent exactly as they are written, whatever their length, which a
            /// [`Value`] does not keep. What is not JSON is refused by `build`.
            #[must_use]
            pub fn extra_json(mut self, name: impl Into<String>, json: &str) -> Self {
                self.parameters.extra.insert(name.into(), ExtraValue::parse(json));
                self
            }

            /// Says where the pictures will be saved, so that the extension decides `output_format` where that is not set:
            /// `.jpg`, `.jpeg`, `.jpe`, `.jfif`, `.png` or `.webp`. A contradiction is refused by `build`. Only for the known
            /// model. [`Call::save_to`](crate::Call::save_to) does the same by itself, once the request is valid.
            #[must_use]
            pub fn output_format_from(mut self, to: impl Into<SaveTo>) -> Self {
                self.parameters.set_target(&to.into());
                self
            }

            /// Applies the structural rules only: what no server could accept. For values that the gateway learned
            /// after this crate was made.
            #[must_use]
            pub fn structural_rules(mut self, on: bool) -> Self {
                self.parameters.structural_rules = on;
                self
            }
        }

        impl $request {
            /// The model asked.
            pub fn model(&self) -> &Model {
                &self.parameters.model
            }

            /// The prompt.
            pub fn prompt(&self) -> &str {
                &self.parameters.prompt
            }

            $( $(#[$doc])* #[doc = "\n\n`None`: not set, the server's default applies."]
            pub fn $name(&self) -> Option<&$type> {
                self.parameters.$name.as_ref()
            } )+

            /// Fields beyond this crate's knowledge: names, and values as JSON.
            pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
                self.parameters.extra.iter().map(|(name, value)| (name.as_str(), value.json()))
            }
        }
    };
}

parameters! {
    both {
        /// Width × height in pixels: `1024x1024` (the server's default), `1024x1536`, `1536x1024`.
        size: Size,
        /// `low`, `medium` (the server's default) or `high`.
        quality: Quality,
        /// `png` (the server's default), `jpeg` or `webp`. Unless set, the extension of the file to save to decides.
        output_format: OutputFormat,
        /// `auto` (the server's default), `transparent` (needs `png` or `webp`) or `opaque`.
        background: Background,
        /// How many pictures: exactly 1 for generate, 1 to 10 for edit. The server's default is 1.
        n: Integer,
        /// Quality of `jpeg` and `webp` in percent, 0 to 100. The server's default is 100.
        output_compression: Integer,
        /// `url` (the server's default) or `b64_json`.
        response_format: ResponseFormat,
    }
    generate {
        /// `auto` (the server's default) or `low`.
        moderation: Moderation,
    }
}

/// A file to save to, and the format that its extension says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TargetFormat {
    /// For messages.
    pub(crate) name: String,
    pub(crate) format: ImageFormat,
    /// Whether `output_format` was taken from it.
    pub(crate) decides: bool,
}

impl Parameters {
    /// What an earlier target has decided is forgotten. A target without a format of its own takes any.
    pub(crate) fn set_target(&mut self, to: &SaveTo) {
        let Some(format) = to.format() else { return };
        if self.target.take().is_some_and(|target| target.decides) {
            self.output_format = None;
        }
        self.target = Some(TargetFormat { name: to.display(), format, decides: false });
    }

    /// How many pictures are asked for; 1 where nothing usable is set.
    pub(crate) fn count(&self) -> u32 {
        match self.n {
            Some(Integer::Value(n)) => u32::try_from(n).unwrap_or(1).max(1),
            Some(Integer::Text(_)) | None => 1,
        }
    }
}

/// `text` without the byte order mark that some editors begin files with.
fn without_bom(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}
