//! Making and editing images with **gpt-image-2** over the AI/ML API gateway: validated before money is spent, never
//! paid twice, never lost.

mod amount;
mod attempt;
#[cfg(feature = "blocking")]
pub mod blocking;
mod cancel;
mod client;
mod config;
mod error;
mod generated;
mod image;
mod random;
mod request;
pub mod rules;
mod salvage;
mod secret;
mod text;
mod transport;
mod violation;
mod warning;
mod wire;

pub use amount::{Amount, ParseAmountError};
pub use attempt::{Attempt, Cost, Phase};
pub use cancel::CancelToken;
pub use client::{Call, Client};
pub use config::{BASE_URL_VARIABLES, Config, DEFAULT_BASE_URL, KEY_VARIABLES, Timers};
pub use error::{Charge, Error, ErrorKind};
pub use generated::Generated;
pub use image::{Image, ImageFormat, Location, SaveTo};
pub use request::{
    Background, EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, ImageInput, Integer, Model,
    Moderation, Operation, OutputFormat, PARAMETERS, ParameterInfo, Quality, ResponseFormat, Size,
};
pub use violation::{Rule, Violation};
pub use warning::Warning;
