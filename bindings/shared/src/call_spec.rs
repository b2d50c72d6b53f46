//! A call as the bindings put it together: values are set in any order and validated together when the call is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gptimage_core::{
    CancelToken, Client, Error, Generated, ImageInput, Operation, PixelFormat, Progress, Request, SaveTo, printable,
};
use serde::de::Error as _;
use serde_json::Value;
use serde_json::value::RawValue;

/// An image to upload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Source {
    /// An input that is passed to core unchanged.
    Input(ImageInput),
    /// Pixels, encoded when the call is sent.
    Pixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes per pixel: 1 (gray), 3 (RGB) or 4 (RGBA).
        samples: usize,
        /// Rows from top to bottom, without padding.
        pixels: bytes::Bytes,
    },
}

impl Source {
    /// Converts to core's input. `param` names the parameter in errors. Blocks while it encodes pixels.
    ///
    /// # Errors
    /// The number of pixels does not match the dimensions.
    pub fn input(self, param: &str) -> Result<ImageInput, Error> {
        match self {
            Self::Input(input) => Ok(input),
            Self::Pixels { width, height, samples, pixels } => {
                // The callers accept only 1, 3 and 4; as gray, any other number has the wrong length.
                let format = PixelFormat::of_samples(samples).unwrap_or(PixelFormat::Gray);
                ImageInput::pixels_of(param, width, height, format, &pixels).map_err(Error::from)
            }
        }
    }
}

impl From<ImageInput> for Source {
    fn from(input: ImageInput) -> Self {
        Self::Input(input)
    }
}

/// A JSON object of fields that core does not know. Kept as text: copying and dropping a deeply nested value takes more stack
/// than a host's thread may have.
#[derive(Debug, Clone)]
pub struct Extra(Arc<str>);

impl Extra {
    /// Parses an object. Uses stack in proportion to its depth.
    ///
    /// # Errors
    /// The text is not a JSON object, or a field cannot be sent as it is; the field is named.
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        for (name, value) in serde_json::from_str::<BTreeMap<String, &RawValue>>(json)? {
            let named = |error| serde_json::Error::custom(format!("{}: {error}", printable(&name)));
            serde_json::from_str::<Value>(value.get()).map_err(named)?;
        }
        Ok(Self(json.into()))
    }

    /// Returns the fields with their values as text, because parsing a number could lose digits.
    fn fields(&self) -> BTreeMap<String, &RawValue> {
        // `parse` has validated the text.
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// The arguments of one call.
#[derive(Debug, Clone)]
pub struct CallSpec {
    /// The operation.
    pub operation: Operation,
    /// The prompt.
    pub prompt: String,
    /// API parameters: name and value, as the API writes them.
    pub parameters: Vec<(String, String)>,
    /// Fields that core does not know.
    pub extra: Vec<Extra>,
    /// Whether only values that no server could accept are refused.
    pub structural_rules: bool,
    /// The images of an edit.
    pub images: Vec<Source>,
    /// The mask of an edit.
    pub mask: Option<Source>,
    /// The file or folder to save to.
    pub save_to: Option<PathBuf>,
    /// Whether an existing file may be replaced.
    pub overwrite: bool,
    /// Time limit for the whole call. Default: the client's.
    pub deadline: Option<Duration>,
    /// Maximum number of attempts. Default: the client's.
    pub max_attempts: Option<u32>,
    /// Whether images that come as URLs are downloaded. Default: the client's.
    pub fetch: Option<bool>,
}

impl CallSpec {
    /// Creates a call with only a prompt.
    pub fn new(operation: Operation, prompt: impl Into<String>) -> Self {
        Self {
            operation,
            prompt: prompt.into(),
            parameters: Vec::new(),
            extra: Vec::new(),
            structural_rules: false,
            images: Vec::new(),
            mask: None,
            save_to: None,
            overwrite: false,
            deadline: None,
            max_attempts: None,
            fetch: None,
        }
    }

    /// Validates the request and sends it. `None`: cancelled before anything was sent. Must run on a tokio runtime; input files
    /// are read on its blocking threads.
    pub async fn send(
        self,
        client: &Client,
        token: &CancelToken,
        observe: Option<impl Fn(&Progress) + Send + Sync + 'static>,
    ) -> Option<Result<Generated, Error>> {
        let save_to = self.save_to.clone().map(|path| SaveTo::from(path).overwrite(self.overwrite));
        let (deadline, max_attempts, fetch) = (self.deadline, self.max_attempts, self.fetch);
        let built = async {
            match self.operation {
                // `None` means a panic, before anything was sent.
                Operation::Edit => tokio::task::spawn_blocking(|| self.build()).await.ok(),
                _ => Some(self.build()),
            }
        };
        let built = tokio::select! {
            built = built => built?,
            () = token.cancelled() => return None,
        };
        let mut call = match built {
            Ok(request) => client.call(request).cancel(token),
            Err(error) => return Some(Err(error)),
        };
        if let Some(to) = save_to {
            call = call.save_to(to);
        }
        if let Some(deadline) = deadline {
            call = call.deadline(deadline);
        }
        if let Some(attempts) = max_attempts {
            call = call.max_attempts(attempts);
        }
        if let Some(fetch) = fetch {
            call = call.fetch(fetch);
        }
        if let Some(observe) = observe {
            call = call.progress(observe);
        }
        Some(call.send().await)
    }

    fn build(self) -> Result<Request, Error> {
        let mut builder = Request::builder(self.operation, self.prompt).structural_rules(self.structural_rules);
        for (name, value) in &self.parameters {
            builder = builder.set(name, value);
        }
        for (name, value) in self.extra.iter().flat_map(Extra::fields) {
            builder = builder.extra_json(name, value.get());
        }
        if let Some(path) = &self.save_to {
            builder = builder.output_format_from(path);
        }
        let several = self.images.len() > 1;
        for (index, image) in self.images.into_iter().enumerate() {
            let name = if several { format!("image[{index}]") } else { "image".to_owned() };
            builder = builder.image(image.input(&name)?);
        }
        if let Some(mask) = self.mask {
            builder = builder.mask(mask.input("mask")?);
        }
        Ok(builder.build()?)
    }
}
