//! The text form of scripts, printed when something fails and parsed to repeat it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use gptimage_emulator::internals::duration_text;
use gptimage_emulator::{Cut, ErrorForm, parse_duration};

use super::script::{Script, Source, Step, Until};

/// The reason why a text is not a valid script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("script: {0}")]
pub struct ParseScriptError(String);

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "{}{step}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(Until::Bytes(bytes)) => write!(f, "read {bytes}"),
            Self::Read(Until::Head) => f.write_str("read head"),
            Self::Read(Until::Whole) => f.write_str("read whole"),
            Self::Read(Until::End) => f.write_str("read end"),
            Self::Send(source, range) => {
                write!(f, "send {source}")?;
                match (range.start, range.end) {
                    (0, u64::MAX) => Ok(()),
                    (0, end) => write!(f, " ..{end}"),
                    (start, u64::MAX) => write!(f, " {start}.."),
                    (start, end) => write!(f, " {start}..{end}"),
                }
            }
            Self::Trickle(source, bytes, pause) => {
                write!(f, "trickle {source} by {bytes} every {}", duration_text(*pause))
            }
            Self::Repeat(source) => write!(f, "repeat {source}"),
            Self::Pause(pause) => write!(f, "pause {}", duration_text(*pause)),
            Self::Mark => f.write_str("mark"),
            Self::HalfClose => f.write_str("half-close"),
            Self::Cut(cut) => write!(f, "cut {}", cut_word(*cut)),
            Self::Handshake(bytes, cut) => write!(f, "handshake {bytes} {}", cut_word(*cut)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image => f.write_str("image"),
            Self::Link => f.write_str("link"),
            Self::Form(form) => write!(f, "form {form}"),
            Self::Picture => f.write_str("picture"),
            Self::Json(body) => write!(f, "json {}", quoted(body.as_bytes())),
            Self::Status { status, form, headers } => {
                write!(f, "status {status} {form}")?;
                headers.iter().try_for_each(|header| write!(f, " {}", quoted(header.as_bytes())))
            }
            Self::Raw(bytes) => f.write_str(&quoted(bytes)),
        }
    }
}

fn cut_word(cut: Cut) -> &'static str {
    match cut {
        Cut::Fin => "fin",
        Cut::Rst => "rst",
        Cut::Silence => "silence",
    }
}

/// Writes bytes between single quotes. Valid UTF-8 without control characters is not escaped.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("'");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\'' | '\\' => text.extend(['\\', character]),
                _ if character.is_control() => {
                    let mut buffer = [0; 4];
                    character
                        .encode_utf8(&mut buffer)
                        .bytes()
                        .for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
                }
                _ => text.push(character),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text.push('\'');
    text
}

/// A word of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Plain(String),
    Quoted(Vec<u8>),
    Semicolon,
}

fn words(text: &str) -> Result<Vec<Word>, ParseScriptError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let used = match first {
            ';' => {
                words.push(Word::Semicolon);
                1
            }
            '\'' => {
                let (bytes, used) = unquoted(rest)?;
                words.push(Word::Quoted(bytes));
                used
            }
            _ => {
                let len = rest.find(|end: char| end.is_whitespace() || end == ';' || end == '\'').unwrap_or(rest.len());
                words.push(Word::Plain(rest.get(..len).unwrap_or_default().to_owned()));
                len
            }
        };
        rest = rest.get(used..).unwrap_or_default().trim_start();
    }
    Ok(words)
}

/// Parses a quoted text at the beginning of `text`. Also returns its length, both quotes included.
fn unquoted(text: &str) -> Result<(Vec<u8>, usize), ParseScriptError> {
    let mut bytes = Vec::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' => return Ok((bytes, at + 1)),
            '\\' => match characters.next() {
                Some((_, 'r')) => bytes.push(b'\r'),
                Some((_, 'n')) => bytes.push(b'\n'),
                Some((_, escaped @ ('\'' | '\\'))) => bytes.push(escaped as u8),
                Some((_, 'x')) => {
                    let mut digit = || characters.next().and_then(|(_, character)| character.to_digit(16));
                    let byte = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                    bytes.push(byte.ok_or_else(|| error("\\x takes two hexadecimal digits"))?);
                }
                _ => return Err(error("the escapes are \\r, \\n, \\', \\\\ and \\x00")),
            },
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(error("a quote is not closed"))
}

fn error(message: impl Into<String>) -> ParseScriptError {
    ParseScriptError(message.into())
}

impl FromStr for Script {
    type Err = ParseScriptError;

    fn from_str(text: &str) -> Result<Self, ParseScriptError> {
        let words = words(text)?;
        let steps = words.split(|word| *word == Word::Semicolon).filter(|words| !words.is_empty());
        Ok(Self { steps: steps.map(|words| Reader { words }.step()).collect::<Result<_, _>>()? })
    }
}

/// The words of one step, taken from the front.
struct Reader<'a> {
    words: &'a [Word],
}

impl Reader<'_> {
    fn plain(&mut self, expected: &str) -> Result<String, ParseScriptError> {
        match self.words.split_first() {
            Some((Word::Plain(word), rest)) => {
                let word = word.clone();
                self.words = rest;
                Ok(word)
            }
            _ => Err(error(format!("{expected} is missing"))),
        }
    }

    fn quoted(&mut self) -> Option<Vec<u8>> {
        let (Word::Quoted(bytes), rest) = self.words.split_first()? else { return None };
        let bytes = bytes.clone();
        self.words = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Result<String, ParseScriptError> {
        let bytes = self.quoted().ok_or_else(|| error("a quoted text is missing"))?;
        String::from_utf8(bytes).map_err(|_| error("this quoted text has to be UTF-8"))
    }

    fn number<T: FromStr>(&mut self, expected: &str) -> Result<T, ParseScriptError> {
        let word = self.plain(expected)?;
        word.parse().map_err(|_| error(format!("{word:?} is not {expected}")))
    }

    fn duration(&mut self) -> Result<Duration, ParseScriptError> {
        parse_duration(&self.plain("a duration")?).map_err(error)
    }

    fn cut(&mut self) -> Result<Cut, ParseScriptError> {
        match self.plain("fin, rst or silence")?.as_str() {
            "fin" => Ok(Cut::Fin),
            "rst" => Ok(Cut::Rst),
            "silence" => Ok(Cut::Silence),
            other => Err(error(format!("{other:?} is no cut: use fin, rst or silence"))),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), ParseScriptError> {
        let found = self.plain(keyword)?;
        if found == keyword { Ok(()) } else { Err(error(format!("{found:?} stands where {keyword} should"))) }
    }

    fn source(&mut self) -> Result<Source, ParseScriptError> {
        if let Some(bytes) = self.quoted() {
            return Ok(Source::Raw(bytes));
        }
        match self.plain("a source")?.as_str() {
            "image" => Ok(Source::Image),
            "link" => Ok(Source::Link),
            "picture" => Ok(Source::Picture),
            "form" => Ok(Source::Form(self.plain("a form of success")?.parse().map_err(error)?)),
            "json" => Ok(Source::Json(self.text()?)),
            "status" => {
                let status = self.number("a status")?;
                let form: ErrorForm = self.plain("a form of error body")?.parse().map_err(error)?;
                let mut headers = Vec::new();
                while matches!(self.words.first(), Some(Word::Quoted(_))) {
                    headers.push(self.text()?);
                }
                Ok(Source::Status { status, form, headers })
            }
            other => Err(error(format!("{other:?} is no source"))),
        }
    }

    fn range(&mut self) -> Result<Range<u64>, ParseScriptError> {
        if self.words.is_empty() {
            return Ok(0..u64::MAX);
        }
        let word = self.plain("a range")?;
        let wrong = || error(format!("{word:?} is no range: write ..200, 200.. or 200..300"));
        let (start, end) = word.split_once("..").ok_or_else(wrong)?;
        let bound = |text: &str, open| if text.is_empty() { Ok(open) } else { text.parse().map_err(|_| wrong()) };
        Ok(bound(start, 0)?..bound(end, u64::MAX)?)
    }

    fn step(mut self) -> Result<Step, ParseScriptError> {
        let step = match self.plain("a step")?.as_str() {
            "read" => Step::Read(match self.plain("how far to read")?.as_str() {
                "head" => Until::Head,
                "whole" => Until::Whole,
                "end" => Until::End,
                bytes => Until::Bytes(
                    bytes.parse().map_err(|_| error(format!("{bytes:?}: read a number, head, whole or end")))?,
                ),
            }),
            "send" => Step::Send(self.source()?, self.range()?),
            "trickle" => {
                let source = self.source()?;
                self.keyword("by")?;
                let bytes = self.number("a number of bytes")?;
                self.keyword("every")?;
                Step::Trickle(source, bytes, self.duration()?)
            }
            "repeat" => Step::Repeat(self.source()?),
            "pause" => Step::Pause(self.duration()?),
            "mark" => Step::Mark,
            "half-close" => Step::HalfClose,
            "cut" => Step::Cut(self.cut()?),
            "handshake" => Step::Handshake(self.number("a number of bytes")?, self.cut()?),
            other => return Err(error(format!("{other:?} is no step"))),
        };
        match self.words.first() {
            None => Ok(step),
            Some(word) => Err(error(format!("{word:?} stands behind a step that was over: {step}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for text in [
            "read 1000; cut rst",
            "read head; send status 413 problem; read end",
            "read whole; send status 429 empty 'retry-after: 1' 'x: y'; cut fin",
            "read whole; pause 50ms; send image ..200; pause 1s; send image 200..; cut silence",
            "read whole; trickle link by 3 every 5ms",
            "send '\\x00\\xff\\'\\\\é\\r\\n'; repeat 'x'; half-close; mark",
            "handshake 300 silence",
            "send json '{\"data\":[]}' 1..2; send picture",
            "send form data-uri ..9; send form events",
        ] {
            let script: Script = text.parse().unwrap();
            assert_eq!(script.to_string(), text);
            assert_eq!(script.to_string().parse(), Ok(script));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("reed head", "reed"),
            ("read", "how far"),
            ("read soon", "soon"),
            ("send 'x", "closed"),
            ("send '\\y'", "escapes"),
            ("send '\\x0'", "hexadecimal"),
            ("send image 5", "range"),
            ("cut", "fin, rst or silence"),
            ("cut off", "off"),
            ("pause", "duration"),
            ("mark now", "now"),
            ("trickle image every 5ms", "by"),
            ("send status 500 xml", "xml"),
            ("send form odd", "data-uri"),
        ] {
            let error = text.parse::<Script>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
