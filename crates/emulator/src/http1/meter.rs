//! Measures, from its bytes, how much of a response was sent.

const HEAD_CAP: usize = 256 * 1024;
const MAX_HEADERS: usize = 256;

/// Counts one response from its first byte to its last.
#[derive(Debug, Default)]
pub(crate) struct ResponseMeter {
    /// The head's bytes until it is complete.
    head: Vec<u8>,
    /// Bytes written, without interim (1xx) responses.
    written: u64,
    /// Length of head and body together, known once the head is complete.
    total: Option<u64>,
    head_done: bool,
    /// The request's method was HEAD.
    bodiless: bool,
}

impl ResponseMeter {
    pub(crate) fn new(bodiless: bool) -> Self {
        Self { bodiless, ..Self::default() }
    }

    /// Returns how many bytes of the response were written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Returns whether the whole response was written.
    pub(crate) fn is_complete(&self) -> bool {
        self.total.is_some_and(|total| self.written >= total)
    }

    /// Counts bytes that were written.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        if self.head_done {
            return;
        }
        self.head.extend_from_slice(bytes);
        self.read_heads();
    }

    fn read_heads(&mut self) {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            match response.parse(&self.head) {
                Ok(httparse::Status::Complete(len)) => {
                    let status = response.code.unwrap_or(0);
                    if (100..200).contains(&status) {
                        self.head.drain(..len);
                        self.written -= len as u64;
                        continue;
                    }
                    self.total = if self.bodiless || matches!(status, 204 | 304) {
                        Some(len as u64)
                    } else {
                        content_length(response.headers).map(|body| body.saturating_add(len as u64))
                    };
                    self.end_head();
                }
                Ok(httparse::Status::Partial) if self.head.len() < HEAD_CAP => {}
                // The head cannot be parsed, so the response ends with its connection.
                Ok(httparse::Status::Partial) | Err(_) => self.end_head(),
            }
            return;
        }
    }

    fn end_head(&mut self) {
        self.head_done = true;
        self.head = Vec::new();
    }
}

fn content_length(headers: &[httparse::Header<'_>]) -> Option<u64> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(header.value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_complete_with_its_last_byte() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        for step in 1..text.len() {
            let mut meter = ResponseMeter::new(false);
            for (index, piece) in text.chunks(step).enumerate() {
                assert!(!meter.is_complete(), "{step} {index}");
                meter.feed(piece);
            }
            assert!(meter.is_complete(), "{step}");
            assert_eq!(meter.written(), text.len() as u64);
        }
    }

    #[test]
    fn a_length_that_no_machine_has_is_no_overflow() {
        let mut meter = ResponseMeter::new(false);
        meter.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n{}");
        assert!(!meter.is_complete());
    }

    #[test]
    fn interim_answers_do_not_count() {
        let mut meter = ResponseMeter::new(false);
        meter.feed(b"HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(meter.written(), 0);
        meter.feed(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(meter.is_complete());
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let mut meter = ResponseMeter::new(true);
        meter.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n");
        assert!(meter.is_complete());
    }
}
