//! The key: kept out of every text.

use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

/// An API key that a header can carry.
#[derive(Clone)]
pub(crate) struct ApiKey(SecretString);

impl ApiKey {
    /// Takes a key, white space around it removed. `source` says where it came from.
    pub(crate) fn new(key: &str, source: &str) -> Result<Self, Error> {
        let key = key.trim();
        if key.is_empty() {
            return Err(Error::config(format!("the API key from {source} is empty")));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!(
                "the API key from {source} holds a character that no HTTP header can carry; copy it again, without \
                 line breaks or quotes"
            );
            return Err(Error::config(message));
        }
        Ok(Self(SecretString::from(key)))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> SecretString {
        SecretString::from(format!("Bearer {}", self.0.expose_secret()))
    }
}
