//! Describes a charged call as text, for people who want to see it before it is sent.

use gptimage_model::wire::Body;
use url::Url;

use super::header;

/// Describes the request. The key and the values of the caller's own headers are redacted, and inputs appear with their
/// names and lengths.
pub(crate) fn describe_call<'a>(url: &Url, body: &Body, own_headers: impl Iterator<Item = &'a str>) -> String {
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let length = body.len().to_string();
    let first = [(header::HOST, host.as_str()), (header::AUTHORIZATION, "Bearer <redacted>")];
    let last = [(header::CONTENT_LENGTH, length.as_str()), (header::USER_AGENT, header::PRODUCT)];
    let headers = first.into_iter().chain(header::of_call(&body.content_type, "<new for every attempt>")).chain(last);
    let mut text = format!("POST {} HTTP/1.1\n", url.path());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    for name in own_headers {
        text.push_str(&format!("{}: <redacted>\n", name.to_ascii_lowercase()));
    }
    text.push('\n');
    text.push_str(&body.describe());
    text
}
