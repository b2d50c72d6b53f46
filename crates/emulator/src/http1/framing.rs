//! Finds the end of a request's body in its bytes.

/// The state of a body that is arriving.
#[derive(Debug)]
pub(crate) enum Framing {
    Length { remaining: u64 },
    Chunked(ChunkState),
}

/// The position of the next byte within the chunked coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChunkState {
    /// In a chunk's size line. `digits` counts hex digits until an extension begins.
    Size {
        size: u64,
        extension: bool,
    },
    Data {
        remaining: u64,
    },
    /// In the line end after a chunk's data.
    DataEnd,
    /// In a trailer line. `empty` until its first byte.
    Trailer {
        empty: bool,
    },
    Done,
}

impl Framing {
    pub(crate) fn length(remaining: u64) -> Self {
        Self::Length { remaining }
    }

    pub(crate) fn chunked() -> Self {
        Self::Chunked(ChunkState::Size { size: 0, extension: false })
    }

    /// Returns whether every byte of the body has been seen.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Length { remaining: 0 } | Self::Chunked(ChunkState::Done))
    }

    /// Returns the body's length if it was announced and no byte was fed yet.
    pub(crate) fn announced(&self) -> Option<u64> {
        match self {
            Self::Length { remaining } => Some(*remaining),
            Self::Chunked(_) => None,
        }
    }

    /// Consumes the body's bytes at the start of `input` and passes their payload to `sink`. Returns how many bytes
    /// were consumed.
    pub(crate) fn feed(&mut self, input: &[u8], mut sink: impl FnMut(&[u8])) -> usize {
        match self {
            Self::Length { remaining } => {
                let payload = front(input, *remaining);
                *remaining -= payload.len() as u64;
                sink(payload);
                payload.len()
            }
            Self::Chunked(state) => {
                let mut rest = input;
                while *state != ChunkState::Done && !rest.is_empty() {
                    rest = state.step(rest, &mut sink);
                }
                input.len() - rest.len()
            }
        }
    }
}

impl ChunkState {
    /// Consumes one byte, or all data of the current chunk, and returns the rest.
    fn step<'a>(&mut self, input: &'a [u8], sink: &mut impl FnMut(&[u8])) -> &'a [u8] {
        if let Self::Data { remaining } = self {
            let payload = front(input, *remaining);
            sink(payload);
            *remaining -= payload.len() as u64;
            if *remaining == 0 {
                *self = Self::DataEnd;
            }
            return input.get(payload.len()..).unwrap_or_default();
        }
        let Some((&byte, rest)) = input.split_first() else { return input };
        *self = match (*self, byte) {
            (Self::Size { size: 0, .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Size { size, .. }, b'\n') => Self::Data { remaining: size },
            (Self::Size { size, extension }, _) => match char::from(byte).to_digit(16) {
                Some(digit) if !extension => {
                    Self::Size { size: size.saturating_mul(16).saturating_add(u64::from(digit)), extension }
                }
                _ => Self::Size { size, extension: true },
            },
            (Self::DataEnd, b'\n') => Self::Size { size: 0, extension: false },
            (Self::Trailer { empty: true }, b'\n') => Self::Done,
            (Self::Trailer { .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty }, b'\r') => Self::Trailer { empty },
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
            (state, _) => state,
        };
        rest
    }
}

fn front(input: &[u8], limit: u64) -> &[u8] {
    let len = usize::try_from(limit).unwrap_or(usize::MAX).min(input.len());
    input.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed_in_steps(mut framing: Framing, input: &[u8], step: usize) -> (usize, Vec<u8>, bool) {
        let (mut used, mut payload) = (0, Vec::new());
        for piece in input.chunks(step) {
            used += framing.feed(piece, |bytes| payload.extend_from_slice(bytes));
        }
        (used, payload, framing.is_done())
    }

    #[test]
    fn a_counted_body_ends_after_its_length() {
        for step in 1..9 {
            assert_eq!(feed_in_steps(Framing::length(4), b"abcdPOST", step), (4, b"abcd".to_vec(), true));
            assert_eq!(feed_in_steps(Framing::length(9), b"abcdPOST", step), (8, b"abcdPOST".to_vec(), false));
        }
        assert!(Framing::length(0).is_done());
    }

    #[test]
    fn a_chunked_body_ends_after_its_trailers() {
        let text = b"3;x=1f\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
        let mut input = text.to_vec();
        input.extend_from_slice(b"POST");
        for step in 1..input.len() {
            let (used, payload, done) = feed_in_steps(Framing::chunked(), &input, step);
            assert_eq!((used, payload.as_slice(), done), (text.len(), b"abc0123456789".as_slice(), true), "{step}");
        }
        for cut in 0..text.len() {
            assert!(!feed_in_steps(Framing::chunked(), &text[..cut], 7).2, "{cut}");
        }
    }
}
