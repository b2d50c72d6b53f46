//! A client written by hand: tests see the exact bytes and how a connection ends.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared by several test programs, each using a part of it")]

use std::io::ErrorKind;

use gptimage_emulator::Emulator;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const MODEL: &str = "openai/gpt-image-2";

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Fin,
    Reset,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn parse(raw: &[u8]) -> Self {
        let end = raw.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
        let head = std::str::from_utf8(&raw[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: raw[end..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The paths of a list of issues, such as `image.0`.
    pub fn issue_paths(&self) -> Vec<String> {
        let json = self.json();
        let issues = json["error"]["data"].as_array().expect("a list").clone();
        let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
        issues
            .iter()
            .map(|issue| issue["path"].as_array().unwrap().iter().map(step).collect::<Vec<_>>().join("."))
            .collect()
    }
}

/// Host and port of an `http` address.
pub fn authority(url: &str) -> &str {
    url.trim_start_matches("http://").split('/').next().unwrap()
}

pub fn head(emulator: &Emulator, method: &str, path: &str, content_type: &str, length: usize, extra: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n{extra}\r\n",
        authority(emulator.base_url()),
        emulator.key(),
    )
}

/// A generate request that is valid.
pub fn generate_request(emulator: &Emulator) -> Vec<u8> {
    json_request(emulator, &format!(r#"{{"model":"{MODEL}","prompt":"A crown","response_format":"b64_json"}}"#))
}

pub fn json_request(emulator: &Emulator, body: &str) -> Vec<u8> {
    let head =
        head(emulator, "POST", "/v1/images/generations", "application/json", body.len(), "Connection: close\r\n");
    [head.as_bytes(), body.as_bytes()].concat()
}

/// A multipart form by hand.
#[derive(Debug, Clone, Default)]
pub struct Form {
    body: Vec<u8>,
}

impl Form {
    pub fn new() -> Self {
        Self::default()
    }

    /// A form with everything that an edit needs but its images.
    pub fn edit() -> Self {
        Self::new().text("model", MODEL).text("prompt", "Put the crown on").text("response_format", "b64_json")
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("form-data; name=\"{name}\""), None, value.as_bytes())
    }

    pub fn file(self, name: &str, file_name: &str, content_type: &str, bytes: &[u8]) -> Self {
        self.part(&format!("form-data; name=\"{name}\"; filename=\"{file_name}\""), Some(content_type), bytes)
    }

    pub fn part(mut self, disposition: &str, content_type: Option<&str>, bytes: &[u8]) -> Self {
        self.body.extend_from_slice(format!("--XyZ\r\nContent-Disposition: {disposition}\r\n").as_bytes());
        if let Some(content_type) = content_type {
            self.body.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        self.body.extend_from_slice(b"\r\n");
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    pub fn request(self, emulator: &Emulator) -> Vec<u8> {
        let body = [self.body.as_slice(), b"--XyZ--\r\n"].concat();
        let head = head(
            emulator,
            "POST",
            "/v1/images/edits",
            "multipart/form-data; boundary=XyZ",
            body.len(),
            "Connection: close\r\n",
        );
        [head.as_bytes(), &body].concat()
    }
}

pub async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(authority(url)).await.unwrap()
}

/// Reads to the end.
pub async fn read_all(socket: &mut TcpStream) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match socket.read(&mut buffer).await {
            Ok(0) => return (bytes, End::Fin),
            Ok(len) => bytes.extend_from_slice(&buffer[..len]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                return (bytes, End::Reset);
            }
        }
    }
}

/// Sends a request and reads to the end of the connection.
pub async fn exchange(url: &str, request: &[u8]) -> (Vec<u8>, End) {
    let mut socket = connect(url).await;
    // A server that has cut the connection already makes this fail.
    let _ = socket.write_all(request).await;
    read_all(&mut socket).await
}

pub async fn call(emulator: &Emulator, request: &[u8]) -> Response {
    let (raw, end) = exchange(emulator.base_url(), request).await;
    assert_eq!(end, End::Fin);
    Response::parse(&raw)
}

pub async fn generate(emulator: &Emulator, json: &str) -> Response {
    call(emulator, &json_request(emulator, json)).await
}

pub async fn get(url: &str, extra: &str) -> Response {
    let path = url.trim_start_matches("http://").trim_start_matches(authority(url));
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{extra}\r\n", authority(url));
    let (raw, end) = exchange(url, request.as_bytes()).await;
    assert_eq!(end, End::Fin);
    Response::parse(&raw)
}

/// A request with a body to any address of an emulator.
pub async fn request(url: &str, method: &str, body: &str) -> Response {
    let path = url.trim_start_matches("http://").trim_start_matches(authority(url));
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", authority(url));
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let (raw, end) = exchange(url, request.as_bytes()).await;
    assert_eq!(end, End::Fin);
    Response::parse(&raw)
}

pub async fn post(url: &str, body: &str) -> Response {
    request(url, "POST", body).await
}
