//! The one list of optional parameters. The wire form, `set` by name, and the setters and getters (`setters.rs`) are
//! generated from it.

use std::collections::BTreeMap;

use super::extra::ExtraValue;
use super::operation::Operation;
use super::values::{
    Background, Integer, Model, Moderation, OutputFormat, Parameter, Quality, ResponseFormat, Size, WireValue,
};
use crate::image::ImageFormat;
use crate::save_to::SaveTo;
use crate::text;

/// Describes one parameter of the API.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ParameterInfo {
    /// The API's name.
    pub name: &'static str,
    /// A description of its values, for help texts.
    pub help: &'static str,
    /// The operations that have the parameter.
    pub operations: &'static [Operation],
    /// Whether it is a whole number in JSON. All others are text.
    pub integer: bool,
}

macro_rules! model_help {
    () => {
        " The model to call. Default: `openai/gpt-image-2`. For any other model, only the structural rules apply."
    };
}
pub(super) use model_help;

macro_rules! parameters {
    (
        both { $( $(#[doc = $doc:literal])* $name:ident: $type:ty, )+ }
        generate { $( $(#[doc = $only_doc:literal])* $only:ident: $only_type:ty, )+ }
    ) => {
        /// The parameters of either operation, without images and mask. Parameters that are not set are not sent; the
        /// server uses its defaults.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct Parameters {
            #[doc = model_help!()]
            pub model: Model,
            /// The prompt.
            pub prompt: String,
            $( $(#[doc = $doc])* pub $name: Option<$type>, )+
            $( $(#[doc = $only_doc])* pub $only: Option<$only_type>, )+
            /// Fields that this crate does not know, by name.
            pub extra: BTreeMap<String, ExtraValue>,
            /// The file to save to, if its extension belongs to an image format.
            pub target: Option<TargetFormat>,
            /// Names given to `set` that the operation does not have, with their values. The rules reject them.
            pub unknown: Vec<(String, String)>,
            /// Whether only the structural rules apply.
            pub structural_rules: bool,
        }

        /// All parameters except `prompt`, `image` and `mask`, in wire order.
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
            /// Creates the parameters with this prompt and all others at their defaults.
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

            /// Returns every field that is set, except `extra`, in wire order.
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

/// Passes the list of parameters to the macro `$make`.
macro_rules! parameter_list {
    ($make:ident) => {
        $make! {
            both {
                /// Width × height in pixels: `1024x1024` (the server's default), `1024x1536` or `1536x1024`.
                size: Size,
                /// Rendering quality: `low`, `medium` (the server's default) or `high`.
                quality: Quality,
                /// File format: `png` (the server's default), `jpeg` or `webp`. If not set, follows the extension of
                /// the file to save to.
                output_format: OutputFormat,
                /// Background: `auto` (the server's default), `transparent` (needs `png` or `webp`) or `opaque`.
                background: Background,
                /// Number of images: exactly 1 for generate, 1 to 10 for edit. The server's default is 1.
                n: Integer,
                /// Compression quality of `jpeg` and `webp` in percent, 0 to 100. The server's default is 100.
                output_compression: Integer,
                /// How images are returned: `url` (the server's default) or `b64_json`.
                response_format: ResponseFormat,
            }
            generate {
                /// Strictness of moderation: `auto` (the server's default) or `low`.
                moderation: Moderation,
            }
        }
    };
}
pub(super) use parameter_list;

parameter_list!(parameters);

/// A file to save to, and the image format of its extension.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFormat {
    /// The path, for messages.
    pub name: String,
    /// The image format of the extension.
    pub format: ImageFormat,
    /// Whether `output_format` was set from the extension.
    pub decides: bool,
}

impl Parameters {
    /// Sets the file to save to and discards a format that an earlier file decided. Does nothing if the extension
    /// belongs to no image format.
    pub fn set_target(&mut self, to: &SaveTo) {
        let Some(format) = to.format() else { return };
        if self.target.take().is_some_and(|target| target.decides) {
            self.output_format = None;
        }
        self.target = Some(TargetFormat { name: text::path(to.path()), format, decides: false });
    }

    /// Returns the number of images requested, or 1 if `n` is not set or not a valid number.
    pub fn count(&self) -> u32 {
        match self.n {
            Some(Integer::Value(n)) => u32::try_from(n).unwrap_or(1).max(1),
            Some(Integer::Text(_)) | None => 1,
        }
    }
}

/// Returns `text` without a byte order mark, with which some editors begin files.
fn without_bom(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}
