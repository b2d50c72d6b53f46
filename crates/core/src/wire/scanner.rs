//! Finds `data[].b64_json` in JSON that arrives in pieces.
//!
//! The scanner hands each such string's characters on as they come and keeps all the rest, in which the string is
//! replaced by its number. It does not judge the JSON: the rest is parsed by serde_json afterwards.

/// What the scanner finds. `payload` pieces are free of JSON escapes.
pub(crate) trait PayloadSink {
    /// A payload begins; the number is what stands in its place in the rest.
    fn begin(&mut self) -> usize;
    fn payload(&mut self, piece: &[u8]);
    fn end(&mut self);
}

/// Longest key that is looked at, in bytes as written: room for every letter of ours as `\uXXXX`.
const KEY_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Data,
    Payload,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// Kept as it is.
    Kept,
    /// Kept, and looked at as a key.
    Key,
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
    /// In the four digits of `\u` inside a payload.
    Unicode {
        digits: u8,
        value: u32,
    },
}

/// The scanner's state between two pieces.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    /// Containers open around this place.
    depth: usize,
    /// How many of them lead to a payload: 1 the answer's object, 2 its `data` array, 3 an object in it.
    path: usize,
    expect_key: bool,
    key: Key,
    key_text: Vec<u8>,
    rest: Vec<u8>,
    rest_max: usize,
    overflow: bool,
}

impl Scanner {
    /// A scanner that keeps at most `rest_max` bytes beside the payloads.
    pub(crate) fn new(rest_max: usize) -> Self {
        Self {
            state: State::Structure,
            depth: 0,
            path: 0,
            expect_key: false,
            key: Key::Other,
            key_text: Vec::new(),
            rest: Vec::new(),
            rest_max,
            overflow: false,
        }
    }

    /// The JSON without its payloads, each replaced by its number.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// Whether the rest was too long to be kept.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflow
    }

    pub(crate) fn push(&mut self, mut piece: &[u8], sink: &mut impl PayloadSink) {
        while !piece.is_empty() {
            let used = match self.state {
                State::Structure => self.structure(piece, sink),
                State::Text(Text::Payload) => self.payload(piece, sink),
                State::Text(kind) => self.text(piece, kind),
                State::Escape(kind) => self.escape(piece, kind, sink),
                State::Unicode { digits, value } => self.unicode(piece, digits, value, sink),
            };
            piece = piece.get(used..).unwrap_or_default();
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.rest.len() + bytes.len() > self.rest_max {
            self.overflow = true;
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    fn structure(&mut self, piece: &[u8], sink: &mut impl PayloadSink) -> usize {
        let special = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':');
        let Some(at) = piece.iter().position(special) else {
            self.keep(piece);
            return piece.len();
        };
        self.keep(piece.get(..=at).unwrap_or_default());
        match piece.get(at) {
            Some(b'"') => self.open_text(sink),
            Some(b'{') => self.open(true),
            Some(b'[') => self.open(false),
            Some(b'}' | b']') => self.close(),
            Some(b',') => self.expect_key = self.depth == self.path && matches!(self.path, 1 | 3),
            _ => self.expect_key = false,
        }
        at + 1
    }

    fn open(&mut self, object: bool) {
        let on_path = self.depth == self.path
            && match self.path {
                0 => object,
                1 => !object && self.key == Key::Data && !self.expect_key,
                2 => object,
                _ => false,
            };
        self.depth += 1;
        if on_path {
            self.path = self.depth;
        }
        self.expect_key = on_path && object;
        self.key = Key::Other;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.path = self.path.min(self.depth);
        self.expect_key = false;
        self.key = Key::Other;
    }

    fn open_text(&mut self, sink: &mut impl PayloadSink) {
        let kind = if self.expect_key {
            self.key_text.clear();
            Text::Key
        } else if self.depth == 3 && self.path == 3 && self.key == Key::Payload {
            // Only one value belongs to a key.
            self.key = Key::Other;
            let number = sink.begin();
            self.keep(number.to_string().as_bytes());
            Text::Payload
        } else {
            Text::Kept
        };
        self.state = State::Text(kind);
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
                    self.key = self.recognise_key();
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

    fn recognise_key(&self) -> Key {
        let mut quoted = vec![b'"'];
        quoted.extend_from_slice(&self.key_text);
        match serde_json::from_slice::<String>(&quoted).as_deref() {
            Ok("data") if self.path == 1 => Key::Data,
            Ok("b64_json") if self.path == 3 => Key::Payload,
            _ => Key::Other,
        }
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
        self.state = State::Text(kind);
        if kind == Text::Payload {
            match byte {
                b'n' => sink.payload(b"\n"),
                b'r' => sink.payload(b"\r"),
                b't' => sink.payload(b"\t"),
                b'u' => self.state = State::Unicode { digits: 0, value: 0 },
                // `\/` and the rest stand for themselves, or are not base64 anyway; a letter that is must not slip in.
                b'/' => sink.payload(b"/"),
                _ => sink.payload(b"\\"),
            }
        } else {
            self.keep(&[byte]);
            if kind == Text::Key {
                self.read_key(&[byte]);
            }
        }
        1
    }

    fn unicode(&mut self, piece: &[u8], digits: u8, value: u32, sink: &mut impl PayloadSink) -> usize {
        let Some(&byte) = piece.first() else { return 0 };
        let Some(digit) = char::from(byte).to_digit(16) else {
            // A broken escape is no base64: say so, and look at this byte again as text.
            sink.payload(b"\\");
            self.state = State::Text(Text::Payload);
            return 0;
        };
        let value = value * 16 + digit;
        if digits < 3 {
            self.state = State::Unicode { digits: digits + 1, value };
        } else {
            // Beyond ASCII nothing is base64; a backslash is not either, and is one byte.
            let byte = u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(b'\\');
            sink.payload(&[byte]);
            self.state = State::Text(Text::Payload);
        }
        1
    }
}
