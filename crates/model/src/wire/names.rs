//! Names of paths and form fields.

/// The path of the balance, below the gateway's root.
pub const BALANCE_PATH: &str = "v2/billing";

/// The path of the usage log, below the gateway's root.
pub const LOGS_PATH: &str = "v2/logs";

/// The name of the form field of a single image.
pub const IMAGE: &str = "image";

/// The name of the form field of each of several images.
pub const IMAGES: &str = "image[]";

/// The name of the mask's form field.
pub const MASK: &str = "mask";
