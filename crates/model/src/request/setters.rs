//! Setters and getters of each operation's parameters, from the one list.

use serde_json::Value;

use super::parameters::{model_help, parameter_list};
use super::values::{Background, Integer, Model, Moderation, OutputFormat, Quality, ResponseFormat, Size};
use super::{EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, Request};
use crate::save_to::SaveTo;

macro_rules! setters {
    (
        both { $( $(#[doc = $doc:literal])* $name:ident: $type:ty, )+ }
        generate { $( $(#[doc = $only_doc:literal])* $only:ident: $only_type:ty, )+ }
    ) => {
        setters!(@operation GenerateRequest, GenerateRequestBuilder;
            $( $(#[doc = $doc])* $name: $type, )+ $( $(#[doc = $only_doc])* $only: $only_type, )+);
        setters!(@operation EditRequest, EditRequestBuilder;
            $( $(#[doc = $doc])* $name: $type, )+);
    };
    (@operation $request:ident, $builder:ident; $( $(#[$doc:meta])* $name:ident: $type:ty, )+) => {
        impl $builder {
            #[doc = model_help!()]
            pub fn model(mut self, model: impl Into<Model>) -> Self {
                self.0.parameters.model = model.into();
                self
            }

            $( $(#[$doc])*
            pub fn $name(mut self, $name: impl Into<$type>) -> Self {
                self.0.parameters.$name = Some($name.into());
                self
            } )+

            /// Sets a parameter by its API name from text, as command lines and files give it. `build` refuses a name that
            /// the operation does not have.
            pub fn set(self, name: &str, text: &str) -> Self {
                Self(self.0.set(name, text))
            }

            /// Adds a field that this crate does not know. It is sent as it is: in JSON as the value, in a form as text.
            pub fn extra(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                Self(self.0.extra(name, value))
            }

            /// Adds a field that this crate does not know, from JSON text. Numbers are sent exactly as they are written,
            /// whatever their length, which a [`Value`] does not keep. `build` refuses text that is not JSON.
            pub fn extra_json(self, name: impl Into<String>, json: &str) -> Self {
                Self(self.0.extra_json(name, json))
            }

            /// Says where the pictures will be saved, so that the extension decides `output_format` where that is not set:
            /// `.jpg`, `.jpeg`, `.jpe`, `.jfif`, `.png` or `.webp`. `build` refuses a contradiction. For the known model
            /// only. A call that saves its pictures does the same by itself, once the request is valid.
            pub fn output_format_from(self, to: impl Into<SaveTo>) -> Self {
                Self(self.0.output_format_from(to))
            }

            /// Applies the structural rules only: what no server could accept. For values that the gateway learned
            /// after this crate was made. Default: false.
            pub fn structural_rules(self, on: bool) -> Self {
                Self(self.0.structural_rules(on))
            }
        }

        impl From<$request> for Request {
            fn from(request: $request) -> Self {
                request.0
            }
        }

        impl From<&$request> for Request {
            fn from(request: &$request) -> Self {
                request.0.clone()
            }
        }

        impl $request {
            /// The model asked.
            pub fn model(&self) -> &Model {
                &self.0.parameters.model
            }

            /// The prompt.
            pub fn prompt(&self) -> &str {
                &self.0.parameters.prompt
            }

            $( $(#[$doc])* #[doc = "\n\n`None`: not set, the server's default applies."]
            pub fn $name(&self) -> Option<&$type> {
                self.0.parameters.$name.as_ref()
            } )+

            /// Fields beyond this crate's knowledge: names, and values as JSON.
            pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
                self.0.parameters.extra.iter().map(|(name, value)| (name.as_str(), value.json()))
            }
        }
    };
}

parameter_list!(setters);
