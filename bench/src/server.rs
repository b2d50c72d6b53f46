//! The cheapest possible server: fixed responses from one shared buffer, one thread per connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::failure::Failure;
use crate::picture;

/// The argument that makes this program a server.
pub(crate) const COMMAND: &str = "serve";
/// The path that returns the counts since the last request to it, as `requests bytes`.
pub(crate) const RECEIVED_PATH: &str = "/received";

/// Calls below this path get a response with a small image.
pub(crate) const SMALL_PATH: &str = "/small";

const BUFFER: usize = 256 * 1024;

struct Server {
    large: Vec<u8>,
    small: Vec<u8>,
    /// Requests are held until this many have arrived, and then answered together.
    hold: u64,
    received: Mutex<Received>,
    arrived: Condvar,
}

#[derive(Default)]
struct Received {
    /// All requests so far, for holding.
    ever: u64,
    requests: u64,
    bytes: u64,
}

/// Serves until standard input ends. Prints the port as the first line of standard output.
pub(crate) fn serve(hold: u64) -> Result<(), Failure> {
    let mut small = Vec::new();
    picture::write_noise(&mut small, 16, 16)?;
    let server = Arc::new(Server {
        large: answer(&picture::answered()?),
        small: answer(&small),
        hold,
        received: Mutex::default(),
        arrived: Condvar::new(),
    });
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = server.clone();
            // A broken connection makes the client fail, which reports it.
            std::thread::spawn(move || server.converse(&stream));
        }
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn answer(picture: &[u8]) -> Vec<u8> {
    let base64 = base64_simd::STANDARD.encode_to_string(picture);
    let body = format!(
        r#"{{"created":1760000000,"data":[{{"b64_json":"{base64}","url":null}}],"meta":{{"usage":{{"credits_used":107341,"usd_spent":0.0536705}}}}}}"#
    );
    let head = "x-aimlapi-credits-used: 107341\r\nx-aimlapi-usd-spent: 0.0536705\r\ncontent-type: application/json";
    format!("HTTP/1.1 200 OK\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Server {
    fn converse(&self, stream: &TcpStream) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::with_capacity(BUFFER, stream);
        let mut writer = stream;
        while let Some((path, length)) = read_head(&mut reader)? {
            if path == RECEIVED_PATH {
                let Received { requests, bytes, .. } = self.take_received();
                let body = format!("{requests} {bytes}");
                write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
                continue;
            }
            skip(&mut reader, length)?;
            self.note(length);
            let small = path.starts_with(SMALL_PATH) || path.ends_with("/edits");
            writer.write_all(if small { &self.small } else { &self.large })?;
        }
        Ok(())
    }

    fn take_received(&self) -> Received {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let ever = received.ever;
        std::mem::replace(&mut *received, Received { ever, ..Received::default() })
    }

    /// Counts a request, and waits until enough have arrived.
    fn note(&self, length: u64) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.ever += 1;
        received.requests += 1;
        received.bytes += length;
        let enough = received.ever.div_ceil(self.hold) * self.hold;
        self.arrived.notify_all();
        while received.ever < enough {
            received = self.arrived.wait(received).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Returns path and content length of the next request; `None` once the client has closed the connection.
fn read_head(reader: &mut impl BufRead) -> Result<Option<(String, u64)>, Failure> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
            Some(_) => {}
            None => return Ok(Some((path, length))),
        }
    }
}

/// Reads a body and discards it.
fn skip(reader: &mut impl BufRead, length: u64) -> Result<(), Failure> {
    let mut body = reader.take(length);
    while body.limit() > 0 {
        let read = body.fill_buf()?.len();
        if read == 0 {
            return Err("the request was cut".into());
        }
        body.consume(read);
    }
    Ok(())
}
