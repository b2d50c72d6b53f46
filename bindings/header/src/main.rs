//! Writes include/gptimage.h from the sources of gptimage-ffi: `cargo run -p gptimage-header [FILE]`.

use std::error::Error;
use std::path::Path;

use cbindgen::{Builder, Config};

/// The placeholders of the version in cbindgen.toml.
const VERSION: [(&str, &str); 4] = [
    ("{{VERSION}}", env!("CARGO_PKG_VERSION")),
    ("{{MAJOR}}", env!("CARGO_PKG_VERSION_MAJOR")),
    ("{{MINOR}}", env!("CARGO_PKG_VERSION_MINOR")),
    ("{{PATCH}}", env!("CARGO_PKG_VERSION_PATCH")),
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ffi = here.join("../ffi");
    let file = std::env::args_os().nth(1).map_or_else(|| here.join("../../include/gptimage.h"), Into::into);
    let mut config = Config::from_file(ffi.join("cbindgen.toml"))?;
    for (placeholder, value) in VERSION {
        for text in [&mut config.header, &mut config.after_includes].into_iter().flatten() {
            *text = text.replace(placeholder, value);
        }
    }
    Builder::new().with_crate(ffi).with_config(config).generate()?.write_to_file(file);
    Ok(())
}
