//! The one list of optional parameters. From it come the setters, the getters, the wire and `set` by name.

use serde_json::{Map, Value};

use super::params::{
    Background, Integer, Model, Moderation, OutputFormat, Parameter, Quality, ResponseFormat, Size, WireValue,
};
use super::{EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, Operation};

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
            pub(crate) extra: Map<String, Value>,
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
                    prompt,
                    $( $name: None, )+
                    $( $only: None, )+
                    extra: Map::new(),
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
                    "prompt" => text.clone_into(&mut self.prompt),
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
                self.parameters.extra.insert(name.into(), value.into());
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

            /// Fields beyond this crate's knowledge.
            pub fn extra(&self) -> &Map<String, Value> {
                &self.parameters.extra
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
        /// `png` (the server's default), `jpeg` or `webp`.
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

impl Parameters {
    /// How many pictures are asked for; 1 where nothing usable is set.
    pub(crate) fn count(&self) -> u32 {
        match self.n {
            Some(Integer::Value(n)) => u32::try_from(n).unwrap_or(1).max(1),
            Some(Integer::Text(_)) | None => 1,
        }
    }
}
