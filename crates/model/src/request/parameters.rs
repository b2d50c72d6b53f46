//! The one list of optional parameters. From it come the wire and `set` by name, and the setters and getters (`setters.rs`).

use std::collections::BTreeMap;

use super::extra::ExtraValue;
use super::operation::Operation;
use super::values::{
    Background, Integer, Model, Moderation, OutputFormat, Parameter, Quality, ResponseFormat, Size, WireValue,
};
use crate::image::ImageFormat;
use crate::save_to::SaveTo;
use crate::text;

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
    /// Whether it is a whole number in JSON; all others are text.
    pub integer: bool,
}

macro_rules! model_help {
    () => {
        " Which model answers; `openai/gpt-image-2` unless set. Another model's name gets the structural rules only."
    };
}
pub(super) use model_help;

macro_rules! parameters {
    (
        both { $( $(#[doc = $doc:literal])* $name:ident: $type:ty, )+ }
        generate { $( $(#[doc = $only_doc:literal])* $only:ident: $only_type:ty, )+ }
    ) => {
        /// The parameters of either operation, without images and mask. Unset ones are not sent: the server's default applies.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct Parameters {
            #[doc = model_help!()]
            pub model: Model,
            /// The prompt.
            pub prompt: String,
            $( $(#[doc = $doc])* pub $name: Option<$type>, )+
            $( $(#[doc = $only_doc])* pub $only: Option<$only_type>, )+
            /// Fields that this crate does not know.
            pub extra: BTreeMap<String, ExtraValue>,
            /// The file that the pictures go to, if its extension is one of a format.
            pub target: Option<TargetFormat>,
            /// Names given to `set` that the operation does not have, with their values, for the rules to refuse.
            pub unknown: Vec<(String, String)>,
            /// Whether only the structural rules apply.
            pub structural_rules: bool,
        }

        /// All parameters but `prompt`, `image` and `mask`, in the order of the wire.
        pub static PARAMETERS: &[ParameterInfo] = &[
            ParameterInfo {
                name: "model",
                help: model_help!(),
                operations: &[Operation::Generate, Operation::Edit],
                integer: false,
            },
            $( ParameterInfo {
                name: stringify!($name),
                help: concat!($($doc),*),
                operations: &[Operation::Generate, Operation::Edit],
                integer: <$type as Parameter>::INTEGER,
            }, )+
            $( ParameterInfo {
                name: stringify!($only),
                help: concat!($($only_doc),*),
                operations: &[Operation::Generate],
                integer: <$only_type as Parameter>::INTEGER,
            }, )+
        ];

        impl Parameters {
            /// The defaults, with this prompt.
            pub fn new(prompt: String) -> Self {
                Self {
                    model: Model::GptImage2,
                    prompt: without_bom(&prompt).to_owned(),
                    $( $name: None, )+
                    $( $only: None, )+
                    extra: BTreeMap::new(),
                    target: None,
                    unknown: Vec::new(),
                    structural_rules: false,
                }
            }

            /// Every field that the caller set, `extra` aside, in the order of the wire.
            pub fn fields(&self) -> Vec<(&'static str, WireValue<'_>)> {
                let mut fields = vec![
                    ("model", self.model.wire()),
                    ("prompt", WireValue::Text(&self.prompt)),
                ];
                $( fields.extend(self.$name.as_ref().map(|value| (stringify!($name), value.wire()))); )+
                $( fields.extend(self.$only.as_ref().map(|value| (stringify!($only), value.wire()))); )+
                fields
            }

            /// Sets a parameter by its API name from text.
            pub fn set(&mut self, operation: Operation, name: &str, text: &str) {
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
    };
}

/// The list, given to a macro that makes something of it.
macro_rules! parameter_list {
    ($make:ident) => {
        $make! {
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
    };
}
pub(super) use parameter_list;

parameter_list!(parameters);

/// A file to save to, and the format that its extension says.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFormat {
    /// The path, for messages.
    pub name: String,
    /// The format of the extension.
    pub format: ImageFormat,
    /// Whether `output_format` was taken from it.
    pub decides: bool,
}

impl Parameters {
    /// Sets the file to save to, and forgets what an earlier one decided. A file without an extension of a format changes nothing.
    pub fn set_target(&mut self, to: &SaveTo) {
        let Some(format) = to.format() else { return };
        if self.target.take().is_some_and(|target| target.decides) {
            self.output_format = None;
        }
        self.target = Some(TargetFormat { name: text::path(to.path()), format, decides: false });
    }

    /// How many pictures are asked for; 1 where nothing usable is set.
    pub fn count(&self) -> u32 {
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
