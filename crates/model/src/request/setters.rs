//! Setters and getters of each operation's parameters, generated from `parameter_list!`.

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

            /// Sets a parameter by its API name from text, as in command lines and files. `build` rejects a name that
            /// the operation does not have.
            pub fn set(self, name: &str, text: &str) -> Self {
                Self(self.0.set(name, text))
            }

            /// Adds a field that this crate does not know. It is sent unchanged: as JSON in a JSON body, as text in a
            /// form.
            pub fn extra(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
                Self(self.0.extra(name, value))
            }

            /// Adds a field that this crate does not know, from JSON text. Numbers of any length are sent exactly as
            /// written; a [`Value`] may lose digits. `build` rejects text that is not JSON.
            pub fn extra_json(self, name: impl Into<String>, json: &str) -> Self {
                Self(self.0.extra_json(name, json))
            }

            /// Sets the file that the images will be saved to, so that its extension decides `output_format` if that is
            /// not set: `.jpg`, `.jpeg`, `.jpe`, `.jfif`, `.png` or `.webp`. `build` rejects a contradiction. Applies
            /// to the known model only. A call that saves its images does this itself, after the request was built.
            pub fn output_format_from(self, to: impl Into<SaveTo>) -> Self {
                Self(self.0.output_format_from(to))
            }

            /// Sets whether only the structural rules apply, which hold for every server and model. Use it for values
            /// that the gateway accepts and this version of the crate does not know. Default: false.
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
            /// Returns the model.
            pub fn model(&self) -> &Model {
                &self.0.parameters.model
            }

            /// Returns the prompt.
            pub fn prompt(&self) -> &str {
                &self.0.parameters.prompt
            }

            $( $(#[$doc])* #[doc = "\n\n`None`: not set, the server's default applies."]
            pub fn $name(&self) -> Option<&$type> {
                self.0.parameters.$name.as_ref()
            } )+

            /// Returns the fields that this crate does not know: names, and values as JSON.
            pub fn extra(&self) -> impl Iterator<Item = (&str, &str)> {
                self.0.parameters.extra.iter().map(|(name, value)| (name.as_str(), value.json()))
            }
        }
    };
}

parameter_list!(setters);
