//! Builds the bytes of a script's sources.

use bytes::Bytes;

use gptimage_emulator::internals::{Connection, response};

use super::script::Source;
use super::shared::Shared;
use super::success_form;

const JSON: &str = "application/json";

/// Returns a source's bytes, with the parts that depend on the request filled in.
pub(super) fn bytes(source: &Source, shared: &Shared, connection: &Connection) -> Bytes {
    match source {
        Source::Image => success(shared, connection, &format!("{{\"b64_json\":\"{}\"}}", shared.picture_base64)),
        Source::Link => success(shared, connection, &format!("{{\"url\":\"{}/picture.png\"}}", shared.cdn_url)),
        Source::Form(form) => {
            let (content_type, coding, body) =
                success_form::body(*form, &shared.picture, &shared.picture_base64, shared.pictures);
            connection.success(content_type, coding, body)
        }
        Source::Json(body) => connection.success(JSON, None, body.clone().into()),
        Source::Picture => picture(shared, connection),
        Source::Status { status, form, headers } => {
            connection.failure(*status, *form, headers.iter().filter_map(|line| header(line)).collect())
        }
        Source::Raw(bytes) => Bytes::copy_from_slice(bytes),
    }
}

fn success(shared: &Shared, connection: &Connection, data: &str) -> Bytes {
    let price = connection.price();
    let usage = format!("{{\"credits_used\":{},\"usd_spent\":{}}}", price.credits, price.usd());
    let data = vec![data; shared.pictures].join(",");
    let body = format!("{{\"created\":0,\"data\":[{data}],\"meta\":{{\"usage\":{usage}}}}}");
    connection.success(JSON, None, body.into())
}

/// Returns the image, or the part of it that `Range` asks for.
fn picture(shared: &Shared, connection: &Connection) -> Bytes {
    let mut headers =
        vec![("content-type".to_owned(), "image/png".to_owned()), ("etag".to_owned(), "\"picture\"".to_owned())];
    let range = connection.header("range");
    let from: Option<usize> = range
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok())
        .filter(|from| *from < shared.picture.len());
    let Some(from) = from else {
        return response(200, headers, shared.picture.clone());
    };
    let len = shared.picture.len();
    headers.push(("content-range".to_owned(), format!("bytes {from}-{}/{len}", len - 1)));
    response(206, headers, shared.picture.slice(from..))
}

/// Parses a `name: value` header line.
fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}
