//! Decodes base64 that arrives in pieces.
//!
//! Tolerates the differences between servers (a `data:` prefix, white space, the url-safe alphabet, missing padding),
//! but never guesses bytes.

use base64_simd::STANDARD_NO_PAD;

/// Text that is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Base64Error {
    #[error("byte 0x{0:02x} is not in the base64 alphabet")]
    Alphabet(u8),
    #[error("base64 text goes on after its padding")]
    AfterPadding,
    #[error("the base64 text ends in the middle of a byte")]
    Cut,
    #[error("the data: prefix has no comma")]
    Prefix,
}

const PREFIX: &[u8] = b"data:";
const QUANTUM: usize = 4;

#[derive(Debug)]
enum Stage {
    /// Too few bytes came to decide whether there is a prefix. This many match it so far.
    Start(usize),
    /// Inside the `data:…,` prefix.
    Prefix,
    Text,
    /// A `=` came.
    Padding,
}

/// The state of a decoder between two pieces.
#[derive(Debug)]
pub(crate) struct Base64Decoder {
    stage: Stage,
    /// The received part of the prefix, as written.
    prefix: [u8; PREFIX.len()],
    carry: [u8; QUANTUM],
    carried: usize,
    /// Buffer for the cleaned text of a piece that is not plain base64.
    scratch: Vec<u8>,
}

impl Base64Decoder {
    pub(crate) fn new() -> Self {
        Self { stage: Stage::Start(0), prefix: [0; PREFIX.len()], carry: [0; QUANTUM], carried: 0, scratch: Vec::new() }
    }

    /// Decodes a piece and appends the bytes to `out`.
    pub(crate) fn push(&mut self, mut text: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
        while let Stage::Start(matched) = self.stage {
            let Some((&byte, rest)) = text.split_first() else { return Ok(()) };
            if matched == 0 && is_blank(byte) {
                text = rest;
            } else if PREFIX.get(matched).is_some_and(|expected| expected.eq_ignore_ascii_case(&byte)) {
                text = rest;
                if let Some(place) = self.prefix.get_mut(matched) {
                    *place = byte;
                }
                self.stage = if matched + 1 == PREFIX.len() { Stage::Prefix } else { Stage::Start(matched + 1) };
            } else {
                self.stage = Stage::Text;
                let prefix = self.prefix;
                self.text(prefix.get(..matched).unwrap_or_default(), out)?;
            }
        }
        if let Stage::Prefix = self.stage {
            let Some(comma) = memchr::memchr(b',', text) else { return Ok(()) };
            text = text.get(comma + 1..).unwrap_or_default();
            self.stage = Stage::Text;
        }
        self.text(text, out)
    }

    /// Decodes the last bytes at the end of the text.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Base64Error> {
        match self.stage {
            Stage::Start(matched) => {
                self.stage = Stage::Text;
                let prefix = self.prefix;
                self.text(prefix.get(..matched).unwrap_or_default(), out)?;
            }
            Stage::Prefix => return Err(Base64Error::Prefix),
            Stage::Text | Stage::Padding => {}
        }
        // Two characters hold one byte, three hold two. The remaining bits are ignored.
        match *self.carry.get(..self.carried).unwrap_or_default() {
            [] => Ok(()),
            [a, b] => decode(&[a, b, b'A', b'A'], out, 1),
            [a, b, c] => decode(&[a, b, c, b'A'], out, 2),
            _ => Err(Base64Error::Cut),
        }
    }

    fn text(&mut self, mut text: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
        // First complete the quantum that the last piece left open, so that whole quanta follow.
        while self.carried > 0 && !text.is_empty() {
            let (missing, rest) = text.split_at(text.len().min(QUANTUM - self.carried));
            self.cleaned(missing, out)?;
            text = rest;
        }
        if let Stage::Text = self.stage {
            // The usual case: decode whole quanta of plain base64 directly into the destination.
            let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
            let whole = (text.len() - padding) / QUANTUM * QUANTUM;
            let (quanta, tail) = text.split_at(whole);
            if STANDARD_NO_PAD.decode_append(quanta, out).is_ok() {
                return self.cleaned(tail, out);
            }
        }
        self.cleaned(text, out)
    }

    /// Drops white space, translates the url-safe alphabet, detects padding, and decodes the rest.
    fn cleaned(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
        let mut clean = std::mem::take(&mut self.scratch);
        clean.clear();
        clean.extend_from_slice(self.carry.get(..self.carried).unwrap_or_default());
        let mut broken = None;
        for &byte in text {
            match (byte, &self.stage) {
                (blank, _) if is_blank(blank) => {}
                (b'=', _) => self.stage = Stage::Padding,
                (_, Stage::Padding) => broken = Some(Base64Error::AfterPadding),
                (b'-', _) => clean.push(b'+'),
                (b'_', _) => clean.push(b'/'),
                (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/', _) => clean.push(byte),
                (other, _) => broken = Some(Base64Error::Alphabet(other)),
            }
            // Stop here, but still decode what came before: it was paid for.
            if broken.is_some() {
                break;
            }
        }
        let (quanta, tail) = clean.split_at(clean.len() / QUANTUM * QUANTUM);
        let decoded = STANDARD_NO_PAD.decode_append(quanta, out).map_err(|_| Base64Error::Cut);
        self.carried = tail.len();
        for (slot, byte) in self.carry.iter_mut().zip(tail) {
            *slot = *byte;
        }
        self.scratch = clean;
        decoded.and(broken.map_or(Ok(()), Err))
    }
}

/// Returns whether this is JSON white space, with which servers break lines.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn decode(quantum: &[u8; QUANTUM], out: &mut Vec<u8>, bytes: usize) -> Result<(), Base64Error> {
    let keep = out.len() + bytes;
    STANDARD_NO_PAD.decode_append(quantum, out).map_err(|_| Base64Error::Cut)?;
    out.truncate(keep);
    Ok(())
}
