//! Decodes bodies that come compressed although the request asked for identity: gzip and deflate, even if the header
//! does not declare them.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Number of compressed bytes that are decoded at a time. Deflate expands a byte to at most about a thousand, so one
/// step yields a few MiB at most.
const STEP: usize = 4 * 1024;

/// The coding that the header declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Nothing,
    Gzip,
    Deflate,
}

/// A body that is being received.
#[derive(Debug)]
pub(crate) struct BodyDecoder {
    declared: Declared,
    coding: Coding,
    /// Bytes that were not decoded yet.
    waiting: Bytes,
    ended: bool,
}

#[derive(Debug)]
enum Coding {
    Undecided,
    Identity,
    Gzip(MultiGzDecoder<Vec<u8>>),
    Zlib(ZlibDecoder<Vec<u8>>),
    Deflate(DeflateDecoder<Vec<u8>>),
}

impl BodyDecoder {
    /// Creates a decoder. `content_encoding` is the value of the header.
    pub(crate) fn new(content_encoding: Option<&str>) -> Self {
        let named = |name: &str| {
            let codings = content_encoding.unwrap_or_default().split(',').map(str::trim);
            let mut codings = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
            codings.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name)) && codings.next().is_none()
        };
        let declared = if named("gzip") || named("x-gzip") {
            Declared::Gzip
        } else if named("deflate") {
            Declared::Deflate
        } else {
            Declared::Nothing
        };
        Self { declared, coding: Coding::Undecided, waiting: Bytes::new(), ended: false }
    }

    /// Returns whether the body is compressed, so that its bytes differ from those on the wire.
    pub(crate) fn is_coded(&self) -> bool {
        match self.coding {
            Coding::Undecided => self.declared != Declared::Nothing,
            Coding::Identity => false,
            Coding::Gzip(_) | Coding::Zlib(_) | Coding::Deflate(_) => true,
        }
    }

    /// Adds received bytes.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if self.waiting.is_empty() {
            self.waiting = piece;
        } else {
            self.waiting = [&self.waiting[..], &piece[..]].concat().into();
        }
    }

    /// Marks the end of the body.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Returns the next decoded piece, if there is one.
    pub(crate) fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Coding::Undecided = self.coding {
            if self.waiting.len() < 2 && !self.ended {
                return Ok(None);
            }
            self.coding = decide(self.declared, &self.waiting);
        }
        if let Coding::Identity = self.coding {
            let piece = std::mem::take(&mut self.waiting);
            return Ok((!piece.is_empty()).then_some(piece));
        }
        while !self.waiting.is_empty() {
            let step = self.waiting.split_to(self.waiting.len().min(STEP));
            match &mut self.coding {
                Coding::Gzip(decoder) => decoder.write_all(&step)?,
                Coding::Zlib(decoder) => write_all(decoder, &step)?,
                Coding::Deflate(decoder) => write_all(decoder, &step)?,
                Coding::Undecided | Coding::Identity => {}
            }
            let decoded = self.decoded();
            if !decoded.is_empty() {
                return Ok(Some(decoded));
            }
        }
        if self.ended {
            match &mut self.coding {
                Coding::Gzip(decoder) => decoder.try_finish()?,
                Coding::Zlib(decoder) => decoder.try_finish()?,
                Coding::Deflate(decoder) => decoder.try_finish()?,
                Coding::Undecided | Coding::Identity => {}
            }
            let decoded = self.decoded();
            return Ok((!decoded.is_empty()).then_some(decoded));
        }
        Ok(None)
    }

    fn decoded(&mut self) -> Bytes {
        match &mut self.coding {
            Coding::Gzip(decoder) => std::mem::take(decoder.get_mut()).into(),
            Coding::Zlib(decoder) => std::mem::take(decoder.get_mut()).into(),
            Coding::Deflate(decoder) => std::mem::take(decoder.get_mut()).into(),
            Coding::Undecided | Coding::Identity => Bytes::new(),
        }
    }
}

/// Writes all bytes. Bytes after the end of the compressed data are ignored.
fn write_all(decoder: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match decoder.write(bytes)? {
            0 => break,
            written => bytes = bytes.get(written..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Chooses the coding by the body's first bytes, or by the header if these allow several.
fn decide(declared: Declared, head: &[u8]) -> Coding {
    let is_zlib = matches!(head, [cmf, flg, ..]
        if cmf & 0x0f == 8 && cmf >> 4 <= 7 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0);
    let is_plain =
        matches!(head, [b'{' | b'[' | b'<' | b'"', ..] | [0x89, b'P', ..] | [0xff, 0xd8, ..] | [b'R', b'I', ..]);
    match declared {
        _ if head.is_empty() => Coding::Identity,
        _ if head.starts_with(&[0x1f, 0x8b]) => Coding::Gzip(MultiGzDecoder::new(Vec::new())),
        Declared::Deflate if is_zlib => Coding::Zlib(ZlibDecoder::new(Vec::new())),
        Declared::Deflate if !is_plain => Coding::Deflate(DeflateDecoder::new(Vec::new())),
        Declared::Nothing | Declared::Gzip | Declared::Deflate => Coding::Identity,
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decode(declared: Option<&str>, body: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut decoder = BodyDecoder::new(declared);
        let mut out = Vec::new();
        for piece in body.chunks(piece) {
            decoder.push(Bytes::copy_from_slice(piece));
            while let Some(decoded) = decoder.next()? {
                assert!(decoded.len() <= STEP * 1100, "a step is bounded");
                out.extend_from_slice(&decoded);
            }
        }
        decoder.end();
        while let Some(decoded) = decoder.next()? {
            out.extend_from_slice(&decoded);
        }
        Ok(out)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_decoded_whatever_the_head_says() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|it| it.wrapping_mul(it).to_le_bytes()).collect();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(&text).unwrap();
        let deflate = deflate.finish().unwrap();
        let twice = [gzip(&text[..1000]), gzip(&text[1000..])].concat();
        for piece in [1, 2, 1000, 1 << 20] {
            for (declared, body) in [
                (Some("gzip"), &gzip(&text)),
                (Some("x-gzip, identity"), &gzip(&text)),
                (None, &gzip(&text)),
                (Some("br"), &gzip(&text)),
                (Some("GZIP"), &twice),
                (Some("deflate"), &zlib),
                (Some("deflate"), &deflate),
            ] {
                assert!(decode(declared, body, piece).unwrap() == text, "{declared:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        for declared in [None, Some("gzip"), Some("deflate"), Some("utf-8"), Some("br")] {
            for text in [&b"{\"data\":[]}"[..], b"<html>", b"\x89PNG\r\n", b"", b"{"] {
                assert_eq!(decode(declared, text, 3).unwrap(), text, "{declared:?}");
            }
        }
    }

    #[test]
    fn a_bomb_comes_in_steps_and_a_cut_is_noticed() {
        let bomb = gzip(&vec![0; 64 << 20]);
        // Threat: compression-bomb
        assert_eq!(decode(Some("gzip"), &bomb, bomb.len()).unwrap().len(), 64 << 20);
        assert!(decode(Some("gzip"), &bomb[..bomb.len() - 9], bomb.len()).is_err());
    }
}
