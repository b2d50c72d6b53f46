//! Arguments that are `-`: the prompt or an image from standard input.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use gptimage_core::ImageInput;

/// Far more than any model accepts, so that the rules can report the length of a prompt that is too long.
const PROMPT_MAX_BYTES: u64 = 1 << 20;

/// Standard input, which can be read only once.
#[derive(Debug, Default)]
pub(crate) struct Stdin {
    taken: bool,
}

impl Stdin {
    /// Whether an argument names standard input.
    pub(crate) fn is_dash(argument: impl AsRef<OsStr>) -> bool {
        argument.as_ref() == "-"
    }

    fn take(&mut self) -> Result<io::StdinLock<'static>, String> {
        if std::mem::replace(&mut self.taken, true) {
            return Err("standard input can be read only once; give the other - as a file".to_owned());
        }
        Ok(io::stdin().lock())
    }

    /// The prompt, without trailing line breaks.
    pub(crate) fn prompt(&mut self, argument: &str) -> Result<String, String> {
        if !Self::is_dash(argument) {
            return Ok(argument.to_owned());
        }
        let mut text = Vec::new();
        let read = self.take()?.take(PROMPT_MAX_BYTES + 1).read_to_end(&mut text);
        read.map_err(|error| format!("the prompt cannot be read from standard input: {error}"))?;
        if text.len() as u64 > PROMPT_MAX_BYTES {
            return Err(format!("the prompt on standard input has more than {PROMPT_MAX_BYTES} bytes"));
        }
        let text = String::from_utf8(text).map_err(|_| "the prompt on standard input is not UTF-8 text")?;
        // Editors and PowerShell put a byte order mark at the start of a text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// An image: a file, or standard input.
    pub(crate) fn image(&mut self, argument: &Path) -> Result<ImageInput, String> {
        if !Self::is_dash(argument) {
            return Ok(ImageInput::path(argument));
        }
        let input = self.take()?;
        if io::stdin().is_terminal() {
            return Err("a picture cannot be typed: pipe it in, or give a file".to_owned());
        }
        ImageInput::reader(input).map_err(|error| format!("the picture cannot be read from standard input: {error}"))
    }
}
