//! The response of a successful call.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use gptimage_model::wire::header;
use hyper::header::CONTENT_TYPE;
use tokio::time::Instant;

use super::gateway::{Canned, Gateway};
use super::paid_request::PaidRequest;
use super::segments::Segments;
use crate::Price;
use crate::cdn::StoredPicture;
use crate::clock::unix_seconds;
use crate::fault::add_header;
use crate::ident::random_uuid;
use crate::ledger::Call;
use crate::picture::{Painting, PictureCache};

/// Generates the images and the response that carries them, which is sent after `latency`.
pub(crate) async fn make(
    gateway: &Gateway,
    call: &Call,
    paid_request: PaidRequest,
    price: Price,
    latency: Duration,
) -> Result<Response, ()> {
    let mime = paid_request.parameters.format.mime();
    let extension = paid_request.parameters.format.extension();
    let inline = paid_request.parameters.inline;
    let replaced = call.fault.as_ref().and_then(|fault| fault.success_body.clone());
    let pictures = match &gateway.canned {
        Some(canned) => vec![canned.clone(); paid_request.parameters.n as usize],
        // The fault replaces the body, so images would never be seen.
        None if replaced.is_some() => Vec::new(),
        None => draw(Arc::clone(&gateway.pictures), paid_request, inline).await?,
    };
    let mut body = Segments::default();
    let from = Instant::now().checked_add(latency).unwrap_or_else(Instant::now);
    match replaced {
        Some(bytes) => body.push(bytes),
        None => {
            body.push(format!("{{\"created\":{},\"background\":null,\"data\":[", unix_seconds(SystemTime::now())));
            for (index, picture) in pictures.into_iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                if inline {
                    body.push(format!("{comma}{{\"b64_json\":\""));
                    body.push(picture.base64);
                    body.push("\",\"revised_prompt\":null,\"url\":null}");
                } else {
                    let name = format!("{}.{extension}", random_uuid());
                    let url = format!("{}/generations/{name}", gateway.cdn_url);
                    gateway.cdn.put(name, StoredPicture { bytes: picture.bytes, mime, from });
                    body.push(format!("{comma}{{\"b64_json\":null,\"revised_prompt\":null,\"url\":\"{url}\"}}"));
                }
            }
            // Formatted exactly; a float could not represent every amount.
            body.push(format!(
                "],\"output_format\":null,\"quality\":null,\"size\":null,\"usage\":null,\
                 \"meta\":{{\"usage\":{{\"credits_used\":{},\"usd_spent\":{}}}}}}}",
                price.credits,
                price.usd()
            ));
        }
    }
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    add_header(headers, CONTENT_TYPE.as_str(), "application/json; charset=utf-8");
    let mut context = call.context();
    context.inference_id = Some(call.inference_id());
    context.headers().for_each(|(name, value)| add_header(headers, &name, &value));
    if gateway.settings.get().price_headers {
        add_header(headers, header::CREDITS_USED, &price.credits.to_string());
        add_header(headers, header::USD_SPENT, &price.usd());
    }
    Ok(response)
}

/// Draws on a blocking thread, off the one that serves the connections. Encodes base64 only if it is sent.
async fn draw(cache: Arc<PictureCache>, paid_request: PaidRequest, inline: bool) -> Result<Vec<Canned>, ()> {
    let parameters = paid_request.parameters;
    let paint = move || {
        (0..parameters.n)
            .map(|variant| {
                let painting = Painting {
                    prompt: &parameters.prompt,
                    variant,
                    size: parameters.size,
                    format: parameters.format,
                    compression: parameters.compression,
                    transparent: parameters.transparent,
                    quality: &parameters.quality,
                    inputs: &paid_request.images,
                    mask: paid_request.mask.as_ref(),
                };
                let bytes = cache.paint(&painting).map_err(|error| tracing::error!(%error, "a picture failed"))?;
                Ok(if inline { Canned::new(bytes) } else { Canned { bytes, base64: Bytes::new() } })
            })
            .collect()
    };
    tokio::task::spawn_blocking(paint).await.map_err(|error| tracing::error!(%error, "a picture failed"))?
}
