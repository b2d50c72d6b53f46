//! Reads server-sent events that arrive in pieces, and passes on the lines that contain data.

use super::scanner::{PayloadSink, Scanner};

/// The field whose text is passed on.
const DATA: &[u8] = b"data:";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// This many of the first bytes of [`DATA`] came, and nothing else.
    Name(usize),
    /// The name came; one space may follow.
    Blank,
    Data,
    /// Another field, or a comment.
    Other,
}

/// The reader's state between two pieces.
#[derive(Debug)]
pub(super) struct SseReader {
    line: Line,
    /// Whether the last byte was a carriage return: a line feed after it belongs to the same line end.
    returned: bool,
}

impl SseReader {
    pub(super) fn new() -> Self {
        Self { line: Line::Name(0), returned: false }
    }

    /// Passes on the data of each event as a separate document.
    pub(super) fn push(&mut self, mut piece: &[u8], scanner: &mut Scanner, sink: &mut impl PayloadSink) {
        while let Some((&byte, rest)) = piece.split_first() {
            if std::mem::take(&mut self.returned) && byte == b'\n' {
                piece = rest;
                continue;
            }
            if matches!(byte, b'\n' | b'\r') {
                self.end_line(scanner, sink);
                self.returned = byte == b'\r';
                piece = rest;
                continue;
            }
            match self.line {
                Line::Name(seen) => {
                    self.line = match DATA.get(seen) {
                        Some(expected) if *expected == byte && seen + 1 == DATA.len() => Line::Blank,
                        Some(expected) if *expected == byte => Line::Name(seen + 1),
                        _ => Line::Other,
                    };
                    piece = rest;
                }
                Line::Blank => {
                    self.line = Line::Data;
                    if byte == b' ' {
                        piece = rest;
                    }
                }
                Line::Data | Line::Other => {
                    let end = memchr::memchr2(b'\n', b'\r', piece).unwrap_or(piece.len());
                    let (text, rest) = piece.split_at(end);
                    if self.line == Line::Data {
                        scanner.push(text, sink);
                    }
                    piece = rest;
                }
            }
        }
    }

    fn end_line(&mut self, scanner: &mut Scanner, sink: &mut impl PayloadSink) {
        match self.line {
            Line::Name(0) => scanner.end_document(sink),
            // The data lines of one event form one text.
            Line::Blank | Line::Data => scanner.push(b"\n", sink),
            Line::Name(_) | Line::Other => {}
        }
        self.line = Line::Name(0);
    }
}
