//! The result of a call.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::attempt::Attempt;
use crate::charge::Cost;
use crate::image::Image;
use crate::warning::Warning;
use crate::wire::fields;

/// The images of one call, with their cost and the attempts that were made.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub(crate) images: Vec<Image>,
    pub(crate) cost: Option<Cost>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) response: Value,
}

impl Generated {
    /// Wraps an image that was made earlier as the result of a call about which nothing else is known.
    #[doc(hidden)]
    pub fn of_image(image: Image) -> Self {
        Self::without_attempts(vec![image], None, Vec::new(), Value::Null)
    }

    /// A result whose attempts are not known here; the retry loop adds them.
    pub(crate) fn without_attempts(
        images: Vec<Image>,
        cost: Option<Cost>,
        warnings: Vec<Warning>,
        response: Value,
    ) -> Self {
        Self { images, cost, attempts: Vec::new(), warnings, response }
    }

    /// Returns the images in the server's order.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// Consumes the result and returns the images.
    pub fn into_images(self) -> Vec<Image> {
        self.images
    }

    /// Replaces the image at `index`, such as by one that was downloaded later.
    #[doc(hidden)]
    #[must_use]
    pub fn with_image(mut self, index: usize, image: Image) -> Self {
        if let Some(place) = self.images.get_mut(index) {
            *place = image;
        }
        self
    }

    /// Returns the first image.
    pub fn image(&self) -> Option<&Image> {
        self.images.first()
    }

    /// Returns the exact price, if the server states it.
    pub fn cost(&self) -> Option<&Cost> {
        self.cost.as_ref()
    }

    /// Returns all attempts. The successful one is the last.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns the warnings about this result.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns when the images were made, in seconds since 1970, if the server states it. A value in milliseconds is
    /// recognised and converted.
    pub fn created(&self) -> Option<i64> {
        fields::created(&self.response)
    }

    /// Returns the token counts, if the server states them.
    pub fn usage(&self) -> Option<&Value> {
        fields::usage(&self.response)
    }

    /// Returns the server's response with all of its keys. `null` replaces the base64 of each image.
    pub fn response(&self) -> &Value {
        &self.response
    }

    /// Returns the id that this client gave the successful attempt.
    pub fn client_request_id(&self) -> Option<&str> {
        self.attempts.last().map(|attempt| attempt.client_request_id.as_str())
    }

    /// Returns the vendor's id of the inference, if the server states it.
    pub fn inference_id(&self) -> Option<&str> {
        self.attempts.last().and_then(|attempt| attempt.inference_id.as_deref())
    }

    /// Returns the vendor's id of the HTTP request, if the server states it.
    pub fn request_id(&self) -> Option<&str> {
        self.attempts.last().and_then(|attempt| attempt.request_id.as_deref())
    }
}

/// Serialises everything except the bytes of the images.
impl Serialize for Generated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            images: &'a [Image],
            cost: Option<&'a Cost>,
            created: Option<i64>,
            usage: Option<&'a Value>,
            client_request_id: Option<&'a str>,
            inference_id: Option<&'a str>,
            request_id: Option<&'a str>,
            warnings: &'a [Warning],
            attempts: &'a [Attempt],
        }
        Shown {
            images: self.images(),
            cost: self.cost(),
            created: self.created(),
            usage: self.usage(),
            client_request_id: self.client_request_id(),
            inference_id: self.inference_id(),
            request_id: self.request_id(),
            warnings: self.warnings(),
            attempts: self.attempts(),
        }
        .serialize(serializer)
    }
}

impl Serialize for Image {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            path: Option<std::borrow::Cow<'a, str>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            path_base64: Option<String>,
            url: Option<&'a str>,
            format: Option<&'static str>,
            width: Option<u32>,
            height: Option<u32>,
            bytes: Option<u64>,
            revised_prompt: Option<&'a str>,
        }
        Shown {
            // JSON is text; a name that is none is shown as near as can be, and its bytes beside it.
            path: self.path().map(std::path::Path::to_string_lossy),
            path_base64: self
                .path()
                .filter(|path| path.to_str().is_none())
                .map(|path| base64_simd::STANDARD.encode_to_string(path.as_os_str().as_encoded_bytes())),
            url: self.url(),
            format: self.format().map(crate::ImageFormat::as_str),
            width: self.dimensions().map(|(width, _)| width),
            height: self.dimensions().map(|(_, height)| height),
            bytes: self.len_bytes(),
            revised_prompt: self.revised_prompt(),
        }
        .serialize(serializer)
    }
}
