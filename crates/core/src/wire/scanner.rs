//! Finds images in JSON that arrives in pieces.
//!
//! A string value is an image if its key is `b64_json` or if it begins like one: with a `data:` URI in base64, or with
//! the base64 of a PNG, JPEG or WebP signature. Its characters are passed on as they arrive. All other text is kept,
//! with a marker in place of the string. The scanner does not validate the JSON; serde_json parses the kept text
//! afterwards.

use super::sniff::{Guess, is_link, sniff};

/// Receives the payloads that the scanner finds. The pieces passed to `payload` contain no JSON escapes.
pub(crate) trait PayloadSink {
    /// Begins a payload. Returns its number, which follows the marker in the kept text.
    fn begin(&mut self) -> usize;
    fn payload(&mut self, piece: &[u8]);
    fn end(&mut self);
}

/// Maximum length of a key that is compared, in bytes as written: enough for [`PAYLOAD_KEY`] with every letter as
/// `\uXXXX`.
const KEY_MAX: usize = 64;
/// The key whose value is always treated as an image.
const PAYLOAD_KEY: &str = "b64_json";
/// Maximum number of bytes of a value that are held back. Longer than the prefix of any `data:` URI.
const BEGINNING_MAX: usize = 256;
/// Maximum depth at which containers are told apart. Deeper ones are only counted and treated as arrays, because no
/// valid response is that deep.
const DEPTH_MAX: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// Kept unchanged.
    Kept,
    /// Kept, and compared as a key.
    Key,
    /// Held back until its first characters show what it is.
    Undecided,
    /// Passed on as a payload.
    Payload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between tokens, or in a number or literal.
    Structure,
    Text(Text),
    /// After a backslash.
    Escape(Text),
    /// Inside the four digits of `\u`, in a text that may be a payload.
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
    /// The text as written.
    raw: Vec<u8>,
    /// The text without escapes.
    text: Vec<u8>,
}

/// The scanner's state between two pieces.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    containers: Vec<Container>,
    /// Number of open containers beyond [`DEPTH_MAX`].
    deeper: usize,
    expect_key: bool,
    /// Whether the next value belongs to [`PAYLOAD_KEY`].
    keyed: bool,
    key_text: Vec<u8>,
    beginning: Beginning,
    /// Text before a payload's number. It is unknown to the server.
    marker: String,
    rest: Vec<u8>,
    rest_max: usize,
    /// Text that did not fit into `rest`, until it is taken.
    spilled: Vec<u8>,
    overflow: bool,
    /// The ends of the documents in `rest`, if there are several.
    ends: Vec<usize>,
}

impl Scanner {
    /// Creates a scanner that keeps at most `rest_max` bytes of text for parsing. `marker` must be unknown to the
    /// server.
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

    /// Returns the kept text, with a marker and a number in place of each payload.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// Returns the text that precedes a payload's number.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// Returns whether the kept text is too long to be parsed.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Returns the text that did not fit and was not taken yet.
    pub(crate) fn spilled(&mut self) -> &mut Vec<u8> {
        &mut self.spilled
    }

    /// Returns the documents in the kept text: one, unless [`Scanner::end_document`] separated several.
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

    /// Keeps text that is not JSON.
    pub(crate) fn push_foreign(&mut self, piece: &[u8]) {
        self.keep(piece);
    }

    /// Ends the document, even if strings or containers are open. Another document may follow.
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
            // A key applies to one value only.
            self.beginning.keyed = std::mem::take(&mut self.keyed);
            Text::Undecided
        });
    }

    /// Reads text that is kept, up to its quotation mark or a backslash.
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
        // There is room for more than the longest spelling of the key, so that a cut text never equals it.
        self.key_text.extend(read.iter().take(room));
    }

    fn is_payload_key(&self) -> bool {
        let mut quoted = vec![b'"'];
        quoted.extend_from_slice(&self.key_text);
        serde_json::from_slice::<String>(&quoted).is_ok_and(|key| key == PAYLOAD_KEY)
    }

    /// Reads the beginning of a value byte by byte, until it is clear what the value is.
    fn undecided(&mut self, piece: &[u8], sink: &mut impl PayloadSink) -> usize {
        let mut used = 0;
        for &byte in piece {
            used += 1;
            match byte {
                b'"' => {
                    if self.beginning.keyed {
                        // The value is short, but its key says that it is a payload.
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

    /// Adds a byte of the value, without escapes. Sets the state according to what the value turns out to be.
    fn add_to_beginning(&mut self, byte: u8, sink: &mut impl PayloadSink) {
        self.beginning.text.push(byte);
        let guess = if self.beginning.text.len() > BEGINNING_MAX {
            // Do not hold back white space that never ends.
            Guess::No
        } else if self.beginning.keyed {
            is_link(&self.beginning.text)
        } else {
            sniff(&self.beginning.text)
        };
        match (guess, self.beginning.keyed) {
            (Guess::Open, _) => self.state = State::Text(Text::Undecided),
            // A link in the place of an image is kept as a link.
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
                    // `\/` stands for a slash. Any other escape is not base64: a backslash is passed on, because the
                    // escape's letter would pass for base64.
                    b'/' => self.unescaped(b'/', kind, sink),
                    _ => self.unescaped(b'\\', kind, sink),
                }
            }
        }
        1
    }

    /// Reads a byte that was written as an escape.
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
            // A broken escape is not base64: pass on the backslash, and read this byte again as text.
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
            // Characters beyond ASCII are not base64. Replace them by a backslash, which is not base64 either and takes
            // one byte.
            let byte = u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(b'\\');
            self.unescaped(byte, kind, sink);
        }
        1
    }
}
