//! The CDN's requests and responses.

use std::ops::Range;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, LOCATION, RANGE};
use hyper::{HeaderMap, StatusCode};

use super::range::RangeRequest;
use super::store::{CdnStore, StoredPicture};
use crate::fault::{CdnAction, CdnFault, FaultQueue, add_header, html_page};
use crate::http1::RequestHead;
use crate::ledger::{Records, Side};
use crate::net::{Note, Plan, Recording, Site};
use crate::settings::SharedSettings;

/// The CDN as its listener sees it: records requests and takes pending faults.
#[derive(Debug)]
pub(crate) struct CdnSite {
    pub(crate) faults: Arc<FaultQueue<CdnFault>>,
    pub(crate) records: Arc<Records>,
}

impl Site for CdnSite {
    fn plan(&self, head: &RequestHead) -> Plan {
        let recording = Some(Recording::new(&self.records, Side::Cdn, head));
        if head.method != "GET" {
            return Plan { recording, ..Plan::default() };
        }
        let Some(fault) = self.faults.take(()) else { return Plan { recording, ..Plan::default() } };
        Plan {
            note: Some(Note::Cdn(fault.action)),
            response_cut: fault.cut,
            pauses: fault.pauses,
            raw: fault.raw,
            recording,
            ..Plan::default()
        }
    }
}

/// State shared by all downloads.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub(crate) store: Arc<CdnStore>,
    pub(crate) settings: Arc<SharedSettings>,
}

pub(crate) fn router(shelf: Shelf) -> Router {
    Router::new().route("/generations/{name}", get(serve)).fallback(async || page(404)).with_state(shelf)
}

async fn serve(
    State(shelf): State<Shelf>,
    Path(name): Path<String>,
    note: Option<axum::Extension<Note>>,
    headers: HeaderMap,
) -> Response {
    let action = match note {
        Some(axum::Extension(Note::Cdn(action))) => action,
        Some(axum::Extension(Note::Call(_))) | None => CdnAction::Serve,
    };
    let status = match &action {
        CdnAction::Status(status) => return page(*status),
        CdnAction::Redirect(url) => return redirect(url),
        CdnAction::Body(_) | CdnAction::Serve | CdnAction::IgnoreRange | CdnAction::WrongRange(_) => 200,
    };
    let Some(mut picture) = shelf.store.get(&name) else { return page(404) };
    if picture.is_expired(shelf.settings.url_expiry()) {
        return page(403);
    }
    if let CdnAction::Body(bytes) = &action {
        picture.bytes = bytes.clone();
    }
    let etag = format!("\"{name}\"");
    let text = |header| headers.get(header).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    // If the `If-Range` condition does not hold, the range is ignored and the whole image is sent.
    let unchanged = text(IF_RANGE).is_none_or(|given| given == etag);
    let range = text(RANGE).filter(|_| unchanged && !matches!(action, CdnAction::IgnoreRange));
    let len = picture.bytes.len() as u64;
    match (RangeRequest::of(range, len), action) {
        (RangeRequest::Whole, _) => picture_response(status, &picture, &etag, 0..len),
        (RangeRequest::Part(part), CdnAction::WrongRange(shift)) => {
            let start = part.start.saturating_add(shift).min(part.end);
            picture_response(206, &picture, &etag, start..part.end)
        }
        (RangeRequest::Part(part), _) => picture_response(206, &picture, &etag, part),
        (RangeRequest::Unsatisfiable, _) => {
            let mut response = page(416);
            add_header(response.headers_mut(), CONTENT_RANGE.as_str(), &format!("bytes */{len}"));
            response
        }
    }
}

fn picture_response(status: u16, picture: &StoredPicture, etag: &str, part: Range<u64>) -> Response {
    let index = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(picture.bytes.len());
    let mut response = with_status(status, picture.bytes.slice(index(part.start)..index(part.end)));
    let headers = response.headers_mut();
    add_header(headers, CONTENT_TYPE.as_str(), picture.mime);
    add_header(headers, ETAG.as_str(), etag);
    add_header(headers, ACCEPT_RANGES.as_str(), "bytes");
    if status == 206 {
        let last = part.end.saturating_sub(1);
        add_header(headers, CONTENT_RANGE.as_str(), &format!("bytes {}-{last}/{}", part.start, picture.bytes.len()));
    }
    response
}

fn redirect(url: &str) -> Response {
    let mut response = with_status(302, Bytes::new());
    add_header(response.headers_mut(), LOCATION.as_str(), url);
    response
}

fn page(status: u16) -> Response {
    let mut response = with_status(status, html_page(status));
    add_header(response.headers_mut(), CONTENT_TYPE.as_str(), "text/html");
    response
}

fn with_status(status: u16, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
