//! The placeholders of `answers.toml`.

use base64_simd::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::mismatch::fixture;

/// Characters on a line of `base64_lines`.
const LINE: usize = 60;

/// What placeholders stand for.
pub(crate) struct Expand {
    pub(crate) cdn_url: String,
    pub(crate) key: &'static str,
}

impl Expand {
    /// `text` with its placeholders replaced.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("{{") {
            let (placeholder, after) = from.split_once("}}").expect("a placeholder ends with }}");
            out.push_str(before);
            out.push_str(&self.placeholder(placeholder));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn placeholder(&self, placeholder: &str) -> String {
        if let Some((coding, name)) = placeholder.split_once(':').filter(|(coding, _)| coding.starts_with("base64")) {
            return encode(coding, &fixture(name));
        }
        if let Some((times, text)) = placeholder.strip_prefix("repeat ").and_then(|rest| rest.split_once(' ')) {
            return text.repeat(times.parse().expect("repeat N TEXT"));
        }
        match placeholder {
            "cdn_url" => self.cdn_url.clone(),
            "cdn_host" => self.cdn_url.trim_start_matches("http://").to_owned(),
            "key" => self.key.to_owned(),
            unknown => panic!("{{{{{unknown}}}}} stands for nothing"),
        }
    }
}

fn encode(coding: &str, bytes: &[u8]) -> String {
    match coding {
        "base64" => STANDARD.encode_to_string(bytes),
        "base64_unpadded" => STANDARD_NO_PAD.encode_to_string(bytes),
        "base64_urlsafe" => URL_SAFE_NO_PAD.encode_to_string(bytes),
        "base64_slashes" => STANDARD.encode_to_string(bytes).replace('/', r"\/"),
        "base64_lines" => {
            let text = STANDARD.encode_to_string(bytes);
            let lines: Vec<_> = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy).collect();
            lines.join(r"\r\n")
        }
        unknown => panic!("{unknown} is no coding"),
    }
}

#[test]
fn the_fixtures_show_the_codings_apart() {
    let bytes = fixture("noise-8x8.png");
    let standard = encode("base64", &bytes);
    assert!(standard.contains('+') && standard.contains('/') && standard.ends_with('='));
    for coding in ["base64_unpadded", "base64_urlsafe", "base64_slashes", "base64_lines"] {
        assert_ne!(encode(coding, &bytes), standard, "{coding}");
    }
}
