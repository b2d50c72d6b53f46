//! The baseline: the minimum work that a client needs for a response. One raw blocking socket; the base64 is found,
//! decoded in place and written to a temporary file, which is then renamed.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use memchr::{memchr, memmem};

use crate::failure::Failure;
use crate::job::Job;

const READ: usize = 1 << 20;
const PAYLOAD: &[u8] = b"\"b64_json\":\"";

/// Makes calls one after another. `keep`: all on one connection, otherwise each on a new one.
pub(crate) fn in_turn(job: &Job, keep: bool) -> Result<(), Failure> {
    let address = job.url.strip_prefix("http://").ok_or("an http URL was expected")?;
    let body = r#"{"model":"openai/gpt-image-2","prompt":"A T-Rex relaxing on a beach"}"#;
    let request = format!(
        "POST /v1/images/generations HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer key\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut buffer = Vec::new();
    let mut kept = None;
    for number in 0..job.count {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => TcpStream::connect(address)?,
        };
        stream.write_all(request.as_bytes())?;
        let filled = read_answer(&mut stream, &mut buffer)?;
        let picture = decode(buffer.get_mut(..filled).unwrap_or_default())?;
        save(picture, &job.folder, number)?;
        if keep {
            kept = Some(stream);
        }
    }
    Ok(())
}

/// Reads a response into the buffer, which is reused, and returns its length.
fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
    let (mut filled, mut end) = (0, None);
    while end.is_none_or(|end| filled < end) {
        if buffer.len() < filled + READ {
            buffer.resize((filled + READ).max(end.unwrap_or_default()), 0);
        }
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default())?;
        if read == 0 {
            return Err("the answer was cut".into());
        }
        filled += read;
        if end.is_none() {
            end = answer_len(buffer.get(..filled).unwrap_or_default())?;
        }
    }
    Ok(filled)
}

/// Returns the length of head and body, once the head is complete.
fn answer_len(answer: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(end) = memmem::find(answer, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or("no content-length")?;
    Ok(Some(end + 4 + length.parse::<usize>()?))
}

fn decode(answer: &mut [u8]) -> Result<&[u8], Failure> {
    let begin = memmem::find(answer, PAYLOAD).ok_or("no payload")? + PAYLOAD.len();
    let payload = answer.get_mut(begin..).unwrap_or_default();
    let end = memchr(b'"', payload).ok_or("the payload has no end")?;
    let payload = payload.get_mut(..end).unwrap_or_default();
    Ok(base64_simd::STANDARD.decode_inplace(payload)?)
}

fn save(picture: &[u8], folder: &Path, number: usize) -> Result<(), Failure> {
    let part = folder.join(format!("{number}.part"));
    File::create(&part)?.write_all(picture)?;
    Ok(std::fs::rename(part, folder.join(format!("{number}.png")))?)
}
