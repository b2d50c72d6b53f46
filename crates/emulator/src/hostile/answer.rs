//! The bytes behind a source's name.

use bytes::Bytes;

use super::desk::Desk;
use super::form;
use super::server::Shared;
use super::step::Source;
use crate::fault::{Answer, AnswerContext, ErrorForm, Rendered};
use crate::{Operation, Price};

const JSON: &str = "application/json";

/// Of answers to nobody's call.
const NOBODY: AnswerContext<'_> =
    AnswerContext { path: "/", request_id: "none", client_request_id: None, inference_id: None };

/// Fills in what depends on the request.
pub(super) fn bytes(source: &Source, shared: &Shared, desk: &Desk) -> Bytes {
    match source {
        Source::Image => success(shared, desk, &format!("{{\"b64_json\":\"{}\"}}", shared.picture_base64)),
        Source::Link => success(shared, desk, &format!("{{\"url\":\"{}/picture.png\"}}", shared.cdn_url)),
        Source::Form(form) => {
            let (content_type, coding, body) =
                form::body(*form, &shared.picture, &shared.picture_base64, shared.pictures);
            success_with(desk, content_type, coding, body)
        }
        Source::Json(body) => success_with(desk, JSON, None, body.clone().into()),
        Source::Picture => picture(shared, desk),
        Source::Status { status, form, headers } => failure(*status, *form, headers, desk),
        Source::Raw(bytes) => Bytes::copy_from_slice(bytes),
    }
}

fn context(desk: &Desk) -> AnswerContext<'_> {
    desk.call().map_or(NOBODY, |call| call.context())
}

fn price(desk: &Desk) -> Price {
    Price::of(desk.call().map_or(Operation::Generate, |call| call.operation), "", 1)
}

fn success(shared: &Shared, desk: &Desk, data: &str) -> Bytes {
    let price = price(desk);
    let usage = format!("{{\"credits_used\":{},\"usd_spent\":{}}}", price.credits, price.usd());
    let data = vec![data; shared.pictures].join(",");
    let body = format!("{{\"created\":0,\"data\":[{data}],\"meta\":{{\"usage\":{usage}}}}}");
    success_with(desk, JSON, None, body.into())
}

fn success_with(desk: &Desk, content_type: &str, coding: Option<&str>, body: Bytes) -> Bytes {
    let price = price(desk);
    let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
    headers.extend(coding.map(|coding| ("content-encoding".to_owned(), coding.to_owned())));
    let inference_id = desk.call().map(|call| call.inference_id());
    headers.extend(AnswerContext { inference_id, ..context(desk) }.headers());
    headers.push(("x-aimlapi-credits-used".to_owned(), price.credits.to_string()));
    headers.push(("x-aimlapi-usd-spent".to_owned(), price.usd()));
    Rendered { status: 200, headers, body }.into_wire(true)
}

/// The picture, or what of it `Range` asks for.
fn picture(shared: &Shared, desk: &Desk) -> Bytes {
    let mut headers =
        vec![("content-type".to_owned(), "image/png".to_owned()), ("etag".to_owned(), "\"picture\"".to_owned())];
    let range = desk.request.as_ref().and_then(|request| request.header("range"));
    let from: Option<usize> = range
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok())
        .filter(|from| *from < shared.picture.len());
    let Some(from) = from else {
        return Rendered { status: 200, headers, body: shared.picture.clone() }.into_wire(true);
    };
    let len = shared.picture.len();
    headers.push(("content-range".to_owned(), format!("bytes {from}-{}/{len}", len - 1)));
    Rendered { status: 206, headers, body: shared.picture.slice(from..) }.into_wire(true)
}

fn failure(status: u16, form: ErrorForm, headers: &[String], desk: &Desk) -> Bytes {
    let mut answer = Answer::error(status, form.of_status(status));
    answer.headers = headers
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    answer.render(&context(desk)).into_wire(true)
}
