//! A call as other languages put it together: setters in any order, judged as a whole when it is sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gptimage_core::{
    CancelToken, Client, EditRequest, Error, GenerateRequest, Generated, ImageInput, Operation, PixelFormat, Progress,
    SaveTo, printable,
};
use serde::de::Error as _;
use serde_json::Value;
use serde_json::value::RawValue;

/// An image to upload.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Source {
    /// One that core takes as it is.
    Input(ImageInput),
    /// Pixels, encoded when the order is sent.
    Pixels {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Bytes of a pixel: 1 (gray), 3 (RGB) or 4 (RGBA).
        samples: usize,
        /// Rows from the top, without padding.
        pixels: bytes::Bytes,
    },
}

impl Source {
    /// The image as core takes it, for a parameter of this name. Blocks while it encodes.
    ///
    /// # Errors
    /// Pixels that are no image.
    pub fn input(self, param: &str) -> Result<ImageInput, Error> {
        match self {
            Self::Input(input) => Ok(input),
            Self::Pixels { width, height, samples, pixels } => {
                // Other numbers of samples are refused before; as gray they have the wrong length.
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

/// A JSON object of fields beyond core's knowledge. Kept as text: what is nested deeply takes more stack to copy and to
/// drop than a host's thread may have.
#[derive(Debug, Clone)]
pub struct Extra(Arc<str>);

impl Extra {
    /// An object's text. Takes as much stack as the object is deep.
    ///
    /// # Errors
    /// It is no JSON object, or holds what cannot be sent as it is; the field is named.
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        for (name, value) in serde_json::from_str::<BTreeMap<String, &RawValue>>(json)? {
            let named = |error| serde_json::Error::custom(format!("{}: {error}", printable(&name)));
            serde_json::from_str::<Value>(value.get()).map_err(named)?;
        }
        Ok(Self(json.into()))
    }

    /// Values as they are written: a parsed number may have lost digits.
    fn fields(&self) -> BTreeMap<String, &RawValue> {
        // It was parsed before.
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// Everything that is said of one call.
#[derive(Debug, Clone)]
pub struct Order {
    /// What is to be done.
    pub operation: Operation,
    /// What is to be seen.
    pub prompt: String,
    /// The API's parameters, by name, in the API's own words.
    pub parameters: Vec<(String, String)>,
    /// Fields beyond core's knowledge.
    pub extra: Vec<Extra>,
    /// Only what no server could accept is refused.
    pub structural_rules: bool,
    /// Of an edit.
    pub images: Vec<Source>,
    /// Of an edit.
    pub mask: Option<Source>,
    /// The file or folder that the pictures go to.
    pub save_to: Option<PathBuf>,
    /// Whether a file there may be replaced.
    pub overwrite: bool,
    /// Over everything. The client's unless set.
    pub deadline: Option<Duration>,
    /// The client's unless set.
    pub max_attempts: Option<u32>,
    /// The client's unless set.
    pub fetch: Option<bool>,
}

enum Request {
    Generate(GenerateRequest),
    Edit(EditRequest),
}

/// Says the same to either builder.
macro_rules! fill {
    ($builder:expr, $order:expr) => {{
        let mut builder = $builder;
        for (name, value) in &$order.parameters {
            builder = builder.set(name, value);
        }
        for (name, value) in $order.extra.iter().flat_map(Extra::fields) {
            builder = builder.extra_json(name, value.get());
        }
        if let Some(path) = &$order.save_to {
            builder = builder.output_format_from(path);
        }
        builder.structural_rules($order.structural_rules)
    }};
}

impl Order {
    /// An order that says nothing but the prompt.
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

    /// Judges the request and sends it. `None`: cancelled before anything was sent. Needs a tokio runtime around it; files
    /// are looked at where blocking is allowed.
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
                // A panic while building has sent nothing.
                Operation::Edit => tokio::task::spawn_blocking(|| self.build()).await.ok(),
                _ => Some(self.build()),
            }
        };
        let built = tokio::select! {
            built = built => built?,
            () = token.cancelled() => return None,
        };
        let mut call = match built {
            Ok(Request::Generate(request)) => client.generate(&request),
            Ok(Request::Edit(request)) => client.edit(&request),
            Err(error) => return Some(Err(error)),
        };
        call = call.cancel(token);
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
        Some(call.await)
    }

    fn build(self) -> Result<Request, Error> {
        if self.operation != Operation::Edit {
            return fill!(GenerateRequest::builder(self.prompt), self)
                .build()
                .map(Request::Generate)
                .map_err(Error::from);
        }
        let several = self.images.len() > 1;
        let name = |index: usize| if several { format!("image[{index}]") } else { "image".to_owned() };
        let images = self.images.into_iter().enumerate().map(|(index, image)| image.input(&name(index)));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        let mut builder = fill!(EditRequest::builder(self.prompt, images), self);
        if let Some(mask) = self.mask {
            builder = builder.mask(mask.input("mask")?);
        }
        builder.build().map(Request::Edit).map_err(Error::from)
    }
}
