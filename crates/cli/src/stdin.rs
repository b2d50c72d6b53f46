//! `-`: what a pipe holds.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use gptimage_core::ImageInput;

/// Far more than any model takes, so that the rules can say how much too long a prompt is.
const PROMPT_MAX_BYTES: u64 = 1 << 20;

/// Standard input, which can be read once.
#[derive(Debug, Default)]
pub(crate) struct Stdin {
    taken: bool,
}

impl Stdin {
    /// Whether an argument means standard input.
    pub(crate) fn is_meant(argument: impl AsRef<OsStr>) -> bool {
        argument.as_ref() == "-"
    }

    fn take(&mut self) -> Result<io::StdinLock<'static>, String> {
        if std::mem::replace(&mut self.taken, true) {
            return Err("standard input can be read only once; give the other - as a file".to_owned());
        }
        Ok(io::stdin().lock())
    }

    /// The prompt, without the line break at its end.
    pub(crate) fn prompt(&mut self, argument: &str) -> Result<String, String> {
        if !Self::is_meant(argument) {
            return Ok(argument.to_owned());
        }
        let mut text = Vec::new();
        let read = self.take()?.take(PROMPT_MAX_BYTES + 1).read_to_end(&mut text);
        read.map_err(|error| format!("the prompt cannot be read from standard input: {error}"))?;
        if text.len() as u64 > PROMPT_MAX_BYTES {
            return Err(format!("the prompt on standard input has more than {PROMPT_MAX_BYTES} bytes"));
        }
        let text = String::from_utf8(text).map_err(|_| "the prompt on standard input is not UTF-8 text")?;
        // A mark that editors and PowerShell put at the start of a text is no part of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// A picture: a file, or what the pipe holds.
    pub(crate) fn image(&mut self, argument: &Path) -> Result<ImageInput, String> {
        if !Self::is_meant(argument) {
            return Ok(ImageInput::path(argument));
        }
        let input = self.take()?;
        if io::stdin().is_terminal() {
            return Err("a picture cannot be typed: pipe it in, or give a file".to_owned());
        }
        ImageInput::reader(input).map_err(|error| format!("the picture cannot be read from standard input: {error}"))
    }
}
