//! Finds pictures in JSON that arrives in pieces.
//!
//! A string value holds a picture if its key is `b64_json`, or if its first characters say so: a `data:` URI in base64, or
//! the base64 of a PNG, JPEG or WebP signature. Its characters are handed on as they come; all the rest is kept, with a
//! marker in the string's place. The scanner does not validate the JSON: the rest is parsed by serde_json afterwards.

use super::sniff::{Guess, is_link, sniff};

/// Receives the payloads that the scanner finds. `payload` pieces are free of JSON escapes.
pub(crate) trait PayloadSink {
    /// A payload begins; the number stands behind the marker in the rest.
    fn begin(&mut self) -> usize;
    fn payload(&mut self, piece: &[u8]);
    fn end(&mut self);
}

/// Longest key that is looked at, in bytes as written: room for every letter of ours as `\uXXXX`.
const KEY_MAX: usize = 64;
/// The key whose text is a picture, whatever it looks like.
const PAYLOAD_KEY: &str = "b64_json";
/// As many bytes of a value are held back at most: more than any `data:` URI's prefix takes.
const BEGINNING_MAX: usize = 256;
/// Containers deeper than this are counted, and taken for arrays: no JSON that is read is as deep.
const DEPTH_MAX: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// Kept as it is.
    Kept,
    /// Kept, and looked at as a key.
    Key,
    /// Held back until its first characters tell what it is.
    Undecided,
    /// Handed on.
    Payload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between tokens, or in a number or literal.
    Structure,
    Text(Text),
    /// Behind a backslash.
    Escape(Text),
    /// In the four digits of `\u` inside a text that may be a payload.
    Unicode {
        text: Text,
        digits: u8,
        value: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

/// The beginning of a string value.
#[derive(Debug, Default)]
struct Beginning {
    /// Whether its key is [`PAYLOAD_KEY`].
    keyed: bool,
    /// As written.
    raw: Vec<u8>,
    /// Free of escapes.
    text: Vec<u8>,
}

/// The scanner's state between two pieces.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    containers: Vec<Container>,
    /// Containers beyond [`DEPTH_MAX`].
    deeper: usize,
    expect_key: bool,
    /// Whether the value that follows belongs to [`PAYLOAD_KEY`].
    keyed: bool,
    key_text: Vec<u8>,
    beginning: Beginning,
    /// Stands before a payload's number. Nobody else knows it.
    marker: String,
    rest: Vec<u8>,
    rest_max: usize,
    /// Text that did not fit into `rest`, until it is taken.
    spilled: Vec<u8>,
    overflow: bool,
    /// Where documents end in `rest`, if there is more than one.
    ends: Vec<usize>,
}

impl Scanner {
    /// A scanner that keeps at most `rest_max` bytes beside the payloads for parsing. `marker` must be unknown to the server.
    pub(crate) fn new(rest_max: usize, marker: String) -> Self {
        Self {
            state: State::Structure,
            containers: Vec::new(),
            deeper: 0,
            expect_key: false,
            keyed: false,
            key_text: Vec::new(),
            beginning: Beginning::default(),
            marker,
            rest: Vec::new(),
            rest_max,
            spilled: Vec::new(),
            overflow: false,
            ends: Vec::new(),
        }
    }

    /// The text without its payloads, a marker and a number in the place of each.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// The text before a payload's number.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// Whether the rest was too long to be parsed.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Text that did not fit into the rest and was not taken yet.
    pub(crate) fn spilled(&mut self) -> &mut Vec<u8> {
        &mut self.spilled
    }

    /// The documents of the rest: one, unless [`Scanner::end_document`] told them apart.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().copied().chain([self.rest.len()]).map(move |end| {
            let document = self.rest.get(from..end).unwrap_or_default();
            from = end;
            document
        })
    }

    pub(crate) fn push(&mut self, mut piece: &[u8], sink: &mut impl PayloadSink) {
        while !piece.is_empty() {
            let used = match self.state {
                State::Structure => self.structure(piece),
                State::Text(Text::Payload) => self.payload(piece, sink),
                State::Text(Text::Undecided) => self.undecided(piece, sink),
                State::Text(kind) => self.text(piece, kind),
                State::Escape(kind) => self.escape(piece, kind, sink),
                State::Unicode { text, digits, value } => self.unicode(piece, text, digits, value, sink),
            };
            piece = piece.get(used..).unwrap_or_default();
        }
    }

    /// Keeps text that is no JSON.
    pub(crate) fn push_foreign(&mut self, piece: &[u8]) {
        self.keep(piece);
    }

    /// Ends the document, whatever is open in it; another one may follow.
    pub(crate) fn end_document(&mut self, sink: &mut impl PayloadSink) {
        match self.state {
            State::Text(Text::Payload) | State::Escape(Text::Payload) | State::Unicode { text: Text::Payload, .. } => {
                sink.end();
            }
            State::Text(Text::Undecided)
            | State::Escape(Text::Undecided)
            | State::Unicode { text: Text::Undecided, .. } => self.keep_beginning(),
            State::Structure | State::Text(_) | State::Escape(_) | State::Unicode { .. } => {}
        }
        self.state = State::Structure;
        self.containers.clear();
        (self.deeper, self.expect_key, self.keyed) = (0, false, false);
        if self.rest.len() > self.ends.last().copied().unwrap_or_default() {
            self.ends.push(self.rest.len());
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = if self.overflow { 0 } else { self.rest_max - self.rest.len() };
        let (fits, spills) = bytes.split_at(bytes.len().min(room));
        self.rest.extend_from_slice(fits);
        self.overflow |= !spills.is_empty();
        self.spilled.extend_from_slice(spills);
    }

    fn structure(&mut self, piece: &[u8]) -> usize {
        let special = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':');
        let Some(at) = piece.iter().position(special) else {
            self.keep(piece);
            return piece.len();
        };
        self.keep(piece.get(..=at).unwrap_or_default());
        match piece.get(at) {
            Some(b'"') => self.open_text(),
            Some(b'{') => self.open(Container::Object),
            Some(b'[') => self.open(Container::Array),
            Some(b'}' | b']') => self.close(),
            Some(b',') => {
                self.expect_key = self.deeper == 0 && self.containers.last() == Some(&Container::Object);
                self.keyed = false;
            }
            _ => self.expect_key = false,
        }
        at + 1
    }

    fn open(&mut self, container: Container) {
        if self.containers.len() < DEPTH_MAX {
            self.containers.push(container);
        } else {
            self.deeper += 1;
        }
        self.expect_key = self.deeper == 0 && container == Container::Object;
        self.keyed = false;
    }

    fn close(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.containers.pop();
        }
        (self.expect_key, self.keyed) = (false, false);
    }

    fn open_text(&mut self) {
        self.state = State::Text(if self.expect_key {
            self.key_text.clear();
            Text::Key
        } else {
            // Only one value belongs to a key.
            self.beginning.keyed = std::mem::take(&mut self.keyed);
            Text::Undecided
        });
    }

    /// Text that is kept, up to its quote or a backslash.
    fn text(&mut self, piece: &[u8], kind: Text) -> usize {
        let at = memchr::memchr2(b'"', b'\\', piece);
        let end = at.map_or(piece.len(), |at| at + 1);
        let read = piece.get(..end).unwrap_or_default();
        self.keep(read);
        if kind == Text::Key {
            self.read_key(read);
        }
        match at.and_then(|at| piece.get(at)) {
            Some(b'"') => {
                if kind == Text::Key {
                    self.keyed = self.is_payload_key();
                    self.expect_key = false;
                }
                self.state = State::Structure;
            }
            Some(_) => self.state = State::Escape(kind),
            None => {}
        }
        end
    }

    fn read_key(&mut self, read: &[u8]) {
        let room = KEY_MAX.saturating_sub(self.key_text.len());
        // One more than the longest key of ours: cut text is never taken for one.
        self.key_text.extend(read.iter().take(room));
    }

    fn is_payload_key(&self) -> bool {
        let mut quoted = vec![b'"'];
        quoted.extend_from_slice(&self.key_text);
        serde_json::from_slice::<String>(&quoted).is_ok_and(|key| key == PAYLOAD_KEY)
    }

    /// The beginning of a value, byte by byte until it is known what it is.
    fn undecided(&mut self, piece: &[u8], sink: &mut impl PayloadSink) -> usize {
        let mut used = 0;
        for &byte in piece {
            used += 1;
            match byte {
                b'"' => {
                    if self.beginning.keyed {
                        // Short as it is, the key says what it is.
                        self.begin_payload(sink);
                        sink.end();
                    } else {
                        self.keep_beginning();
                    }
                    self.keep(b"\"");
                    self.state = State::Structure;
                    return used;
                }
                b'\\' => {
                    self.beginning.raw.push(byte);
                    self.state = State::Escape(Text::Undecided);
                    return used;
                }
                _ => {
                    self.beginning.raw.push(byte);
                    self.add_to_beginning(byte, sink);
                    if self.state != State::Text(Text::Undecided) {
                        return used;
                    }
                }
            }
        }
        used
    }

    /// One more byte of the value, free of escapes. Leaves the state of what the value turns out to be.
    fn add_to_beginning(&mut self, byte: u8, sink: &mut impl PayloadSink) {
        self.beginning.text.push(byte);
        let guess = if self.beginning.text.len() > BEGINNING_MAX {
            // White space may go on for ever.
            Guess::No
        } else if self.beginning.keyed {
            is_link(&self.beginning.text)
        } else {
            sniff(&self.beginning.text)
        };
        match (guess, self.beginning.keyed) {
            (Guess::Open, _) => self.state = State::Text(Text::Undecided),
            // A link in the place of a picture is still a link.
            (Guess::Yes, true) | (Guess::No, false) => {
                self.keep_beginning();
                self.state = State::Text(Text::Kept);
            }
            (Guess::No, true) | (Guess::Yes, false) => {
                self.begin_payload(sink);
                self.state = State::Text(Text::Payload);
            }
        }
    }

    fn keep_beginning(&mut self) {
        let raw = std::mem::take(&mut self.beginning.raw);
        self.keep(&raw);
        self.beginning.text.clear();
    }

    fn begin_payload(&mut self, sink: &mut impl PayloadSink) {
        let number = sink.begin();
        let marker = format!("{}{number}", self.marker);
        self.keep(marker.as_bytes());
        sink.payload(&self.beginning.text);
        self.beginning.raw.clear();
        self.beginning.text.clear();
    }

    fn payload(&mut self, piece: &[u8], sink: &mut impl PayloadSink) -> usize {
        let at = memchr::memchr2(b'"', b'\\', piece);
        sink.payload(piece.get(..at.unwrap_or(piece.len())).unwrap_or_default());
        match at.and_then(|at| piece.get(at)) {
            Some(b'"') => {
                sink.end();
                self.keep(b"\"");
                self.state = State::Structure;
            }
            Some(_) => self.state = State::Escape(Text::Payload),
            None => {}
        }
        at.map_or(piece.len(), |at| at + 1)
    }

    fn escape(&mut self, piece: &[u8], kind: Text, sink: &mut impl PayloadSink) -> usize {
        let Some(&byte) = piece.first() else { return 0 };
        match kind {
            Text::Kept | Text::Key => {
                self.state = State::Text(kind);
                self.keep(&[byte]);
                if kind == Text::Key {
                    self.read_key(&[byte]);
                }
            }
            Text::Undecided | Text::Payload => {
                if kind == Text::Undecided {
                    self.beginning.raw.push(byte);
                }
                match byte {
                    b'u' => self.state = State::Unicode { text: kind, digits: 0, value: 0 },
                    b'n' => self.unescaped(b'\n', kind, sink),
                    b'r' => self.unescaped(b'\r', kind, sink),
                    b't' => self.unescaped(b'\t', kind, sink),
                    // `\/` and the rest stand for themselves, or are not base64 anyway; a letter that is must not slip in.
                    b'/' => self.unescaped(b'/', kind, sink),
                    _ => self.unescaped(b'\\', kind, sink),
                }
            }
        }
        1
    }

    /// A byte of a value that was written with an escape.
    fn unescaped(&mut self, byte: u8, kind: Text, sink: &mut impl PayloadSink) {
        if kind == Text::Undecided {
            self.add_to_beginning(byte, sink);
        } else {
            sink.payload(&[byte]);
            self.state = State::Text(Text::Payload);
        }
    }

    fn unicode(&mut self, piece: &[u8], kind: Text, digits: u8, value: u32, sink: &mut impl PayloadSink) -> usize {
        let Some(&byte) = piece.first() else { return 0 };
        let Some(digit) = char::from(byte).to_digit(16) else {
            // A broken escape is no base64: say so, and look at this byte again as text.
            self.unescaped(b'\\', kind, sink);
            return 0;
        };
        if kind == Text::Undecided {
            self.beginning.raw.push(byte);
        }
        let value = value * 16 + digit;
        if digits < 3 {
            self.state = State::Unicode { text: kind, digits: digits + 1, value };
        } else {
            // Beyond ASCII nothing is base64; a backslash is not either, and is one byte.
            let byte = u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(b'\\');
            self.unescaped(byte, kind, sink);
        }
        1
    }
}
