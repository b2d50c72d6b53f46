//! The paths of the gateway.

use std::borrow::Cow;

use gptimage_model::Operation;
use hyper::Uri;

pub(crate) const GENERATIONS: &str = "/v1/images/generations";
pub(crate) const EDITS: &str = "/v1/images/edits";
pub(crate) const BILLING: &str = "/v2/billing";
pub(crate) const LOGS: &str = "/v2/logs";
/// The path prefix of the control interface.
pub(crate) const CONTROL: &str = "/_emulator";

/// The paid operation of a request with this method and target; `None` if it is not a paid one.
pub(crate) fn paid_operation(method: &str, target: &str) -> Option<Operation> {
    let uri: Uri = target.parse().ok()?;
    match (method, canonical_path(uri.path()).as_ref()) {
        ("POST", GENERATIONS) => Some(Operation::Generate),
        ("POST", EDITS) => Some(Operation::Edit),
        _ => None,
    }
}

/// Whether a request target is the emulator's own, below the base URL or beside it.
pub(crate) fn is_control(target: &str) -> bool {
    target.parse::<Uri>().is_ok_and(|uri| control_path(uri.path()).is_some())
}

fn control_path(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let rest = path.strip_prefix(CONTROL)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| path.trim_end_matches('/'))
}

/// The one spelling of a path: `/v1` in front unless a version is there, no slash at the end.
pub(crate) fn canonical_path(path: &str) -> Cow<'_, str> {
    if let Some(path) = control_path(path) {
        return Cow::Borrowed(path);
    }
    let path = path.trim_end_matches('/');
    if path.starts_with("/v1/") || path.starts_with("/v2/") {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(format!("/v1{path}"))
    }
}

/// The address with its path in the one spelling.
pub(crate) fn canonical_uri(uri: &Uri) -> Option<Uri> {
    let path = canonical_path(uri.path());
    match uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok(),
        None => path.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use gptimage_model::wire::{BALANCE_PATH, LOGS_PATH, path};

    use super::*;

    #[test]
    fn the_paths_are_those_that_clients_send() {
        assert_eq!(GENERATIONS, format!("/v1/{}", path(Operation::Generate)));
        assert_eq!(EDITS, format!("/v1/{}", path(Operation::Edit)));
        assert_eq!((BILLING, LOGS), (&*format!("/{BALANCE_PATH}"), &*format!("/{LOGS_PATH}")));
    }

    #[test]
    fn every_spelling_of_a_path_is_the_same_operation() {
        for target in [
            "/v1/images/edits",
            "/images/edits",
            "/v1/images/edits/",
            "/images/edits//?a=b",
            "http://127.0.0.1:9/v1/images/edits",
        ] {
            assert_eq!(paid_operation("POST", target), Some(Operation::Edit), "{target}");
        }
        assert_eq!(paid_operation("POST", "/v1/images/generations"), Some(Operation::Generate));
        assert_eq!(paid_operation("GET", "/v1/images/generations"), None);
        for target in ["/_emulator", "/_emulator/", "/v1/_emulator/faults", "http://127.0.0.1:9/_emulator/faults?a=b"] {
            assert!(is_control(target), "{target}");
        }
        assert_eq!(canonical_path("/v1/_emulator/faults/"), "/_emulator/faults");
        assert!(!is_control("/_emulators") && !is_control("/v1_emulator"));
        assert_eq!(paid_operation("POST", "/v3/images/generations"), None);
    }
}
