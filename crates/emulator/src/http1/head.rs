//! The head of a request, read from raw bytes before the HTTP library sees them.

use super::framing::Framing;

/// Maximum size of a head that is parsed here. A longer one is left for the HTTP library to refuse.
pub(crate) const HEAD_CAP: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// A request's line and headers.
#[derive(Debug, Clone)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    /// As sent: path and query, or a whole URL.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Bytes up to and including the empty line.
    pub(crate) len: usize,
}

/// The result of parsing the first bytes of a request.
pub(crate) enum HeadParse {
    /// More bytes are needed. Holds the head so far, if the request line is complete.
    Partial(Option<RequestHead>),
    Complete(RequestHead),
    /// Not HTTP.
    Invalid,
}

impl RequestHead {
    /// Parses the bytes that have arrived.
    pub(crate) fn parse(bytes: &[u8]) -> HeadParse {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => match Self::read(&request, len) {
                Some(head) => HeadParse::Complete(head),
                None => HeadParse::Invalid,
            },
            Ok(httparse::Status::Partial) => HeadParse::Partial(Self::read(&request, 0)),
            Err(_) => HeadParse::Invalid,
        }
    }

    fn read(request: &httparse::Request<'_, '_>, len: usize) -> Option<Self> {
        let headers = request
            .headers
            .iter()
            .filter(|header| !header.name.is_empty())
            .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
            .collect();
        Some(Self { method: request.method?.to_owned(), target: request.path?.to_owned(), headers, len })
    }

    /// Returns the first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns how the end of the body is determined.
    pub(crate) fn framing(&self) -> Framing {
        let chunked =
            self.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        if chunked {
            return Framing::chunked();
        }
        let length = self.header("content-length").and_then(|value| value.trim().parse().ok());
        Framing::length(length.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_only_when_it_is_whole() {
        let text =
            b"POST /v1/images/edits HTTP/1.1\r\nHost: a\r\nX-Client-Request-Id: id-1\r\nContent-Length: 3\r\n\r\nabc";
        for cut in 0..text.len() - 3 {
            assert!(matches!(RequestHead::parse(&text[..cut]), HeadParse::Partial(_)), "{cut}");
        }
        let HeadParse::Complete(head) = RequestHead::parse(text) else { panic!("whole") };
        assert_eq!(head.len, text.len() - 3);
        assert_eq!(head.header("x-client-request-id"), Some("id-1"));
        assert!(matches!(RequestHead::parse(b"\x16\x03\x01"), HeadParse::Invalid));
    }

    #[test]
    fn a_line_without_its_headers_is_known() {
        let HeadParse::Partial(Some(head)) = RequestHead::parse(b"POST /images/edits HTTP/1.1\r\nHo") else {
            panic!("line")
        };
        assert_eq!(head.method, "POST");
    }
}
