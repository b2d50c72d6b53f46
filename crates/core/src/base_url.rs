//! Parses base URLs in the forms in which people paste them.

use url::Url;

use crate::error::Error;
use crate::text::{self, is_quote, is_unprintable};
use crate::url_guard::is_loopback;
use crate::wire::PATHS;

/// The ending of a base URL that is used exactly as given: an empty fragment, which no other base URL has.
const EXACT: char = '#';

/// Paths of other endpoints that people paste as part of a base URL.
const OTHER_PATHS: [&str; 2] = ["images/variations", "chat/completions"];
/// Endpoints of one word that people paste. Such a word may belong to the gateway's own path, so it only counts after a
/// version.
const SHORT_ENDPOINTS: &[&str] = &["models", "completions", "responses", "embeddings", "images"];

/// A validated base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    /// The URL. It ends in a slash, so that paths can be joined to it.
    pub(crate) url: Url,
    /// The URL as text. Parsing this text gives the same result.
    pub(crate) shown: String,
    /// A sentence that says which part of the given URL was removed.
    pub(crate) note: Option<String>,
}

impl BaseUrl {
    /// Parses a base URL, with or without `/v1`, a trailing slash or an endpoint. Plain http is an error unless
    /// `allow_http` is set or the host is this machine. A URL that ends in `#` is used exactly as given.
    pub(crate) fn parse(given: &str, allow_http: bool) -> Result<Self, Error> {
        let given = given.trim();
        let mut url = validate(given, allow_http)?;
        let segments: Vec<String> =
            url.path().split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        if given.ends_with(EXACT) {
            url.set_fragment(None);
            let path = url.path().trim_end_matches('/').to_owned() + "/";
            url.set_path(&path);
            let shown =
                if with_version(segments.clone()) == segments { url.to_string() } else { format!("{url}{EXACT}") };
            return Ok(Self { url, shown, note: None });
        }
        let kept = with_version(segments.clone());
        url.set_path(&format!("/{}/", kept.join("/")));
        // Adding a version is expected and needs no note.
        let left_out = segments.len() > kept.len() || !kept.starts_with(&segments);
        let note = left_out.then(|| {
            format!(
                "the base URL ended in /{}, which is no base; {url} is used (end it with {EXACT} to have it taken as it is)",
                text::shorten(&segments.join("/"), 100)
            )
        });
        Ok(Self { shown: url.to_string(), url, note })
    }
}

/// Validates everything except the path.
fn validate(given: &str, allow_http: bool) -> Result<Url, Error> {
    // The text before an @ may contain a password.
    let shown = if given.contains('@') { "(not shown)".to_owned() } else { text::shorten(given, 200) };
    let refused = |reason: &str| Error::config(format!("the base URL {shown:?} {reason}"));
    if given.starts_with(is_quote) || given.ends_with(is_quote) {
        return Err(refused("has quotes around it; leave them out"));
    }
    if given.contains(|char: char| char.is_whitespace() || is_unprintable(char)) {
        return Err(refused("holds a blank, a line break or an invisible character; copy it again"));
    }
    let Some((scheme, rest)) = given.split_once("://") else {
        let scheme = if is_local(given) { "http" } else { "https" };
        let instead = if given.is_empty() || given.contains('@') || Url::parse(&format!("{scheme}://{given}")).is_err()
        {
            "https://host/v1".to_owned()
        } else {
            format!("{scheme}://{given}")
        };
        return Err(refused(&format!("is no URL: it has no scheme; write {}", text::shorten(&instead, 220))));
    };
    if rest.contains("://") {
        return Err(refused("holds a scheme twice"));
    }
    let url = Url::parse(given).map_err(|error| refused(&format!("is no URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        // The text may contain a password, so the error does not repeat it.
        return Err(Error::config("the base URL holds user information; give the key as the API key instead"));
    }
    if url.query().is_some() || url.fragment().is_some_and(|fragment| !fragment.is_empty()) {
        return Err(refused("has a query or a fragment; leave them out"));
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_http || is_loopback(&url) => {}
        "http" => {
            return Err(refused("would send the key unencrypted; use https, or allow http in words (allow_http)"));
        }
        _ => return Err(refused(&format!("is not https but {}", text::shorten(scheme, 20)))),
    }
    if url.host().is_none() {
        return Err(refused("has no host"));
    }
    Ok(url)
}

/// Returns whether a text without a scheme names this machine, which needs no encryption.
fn is_local(given: &str) -> bool {
    Url::parse(&format!("http://{given}")).is_ok_and(|url| is_loopback(&url))
}

/// Returns the path without endpoints and repeated versions, and with a version at its end.
fn with_version(mut path: Vec<String>) -> Vec<String> {
    loop {
        let len = path.len();
        let at = |back: usize| len.checked_sub(back).and_then(|index| path.get(index)).map(String::as_str);
        let (last, previous, before) = (at(1), at(2), at(3));
        let is_endpoint = |first: Option<&str>, second: Option<&str>| {
            let path = first.zip(second);
            path.is_some() && PATHS.iter().chain(&OTHER_PATHS).any(|known| known.split_once('/') == path)
        };
        let surplus = if is_endpoint(previous, last) {
            2
        } else if last.is_some_and(is_version) && is_endpoint(before, previous) {
            // An endpoint to which a version was appended, as if it were a base URL.
            3
        } else if last.is_some_and(|last| SHORT_ENDPOINTS.contains(&last)) && previous.is_some_and(is_version)
            || last.is_some_and(is_version) && last == previous
        {
            1
        } else {
            break;
        };
        path.truncate(len - surplus);
    }
    if !path.last().is_some_and(|last| is_version(last)) {
        path.push("v1".to_owned());
    }
    path
}

fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(given: &str) -> BaseUrl {
        BaseUrl::parse(given, false).unwrap_or_else(|error| panic!("{given}: {error}"))
    }

    #[test]
    fn base_urls_are_normalised() {
        for (given, expected) in [
            ("https://api.aimlapi.com", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1", "https://api.aimlapi.com/v1/"),
            (" https://api.aimlapi.com/v1/ ", "https://api.aimlapi.com/v1/"),
            ("https://gateway.example/images", "https://gateway.example/images/v1/"),
            ("https://gateway.example/models", "https://gateway.example/models/v1/"),
            ("https://gateway.example/video", "https://gateway.example/video/v1/"),
            ("https://gateway.example/v", "https://gateway.example/v/v1/"),
            ("https://gateway.example/images/v2//", "https://gateway.example/images/v2/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/"),
            ("http://localhost:8080", "http://localhost:8080/v1/"),
            ("http://[::1]:8080", "http://[::1]:8080/v1/"),
        ] {
            let base = parsed(given);
            assert_eq!((base.url.as_str(), base.note), (expected, None), "{given}");
        }
    }

    #[test]
    fn an_endpoint_that_was_pasted_with_it_is_left_out_with_a_note() {
        for (given, expected) in [
            ("https://api.aimlapi.com/v1/images/generations", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/images/generations/", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/images/edits", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/images", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/images/generations", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/chat/completions", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/models", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/v1", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/v1/images/generations", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/images/generations/v1", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v1/images/generations/v1/images/generations", "https://api.aimlapi.com/v1/"),
            ("https://api.aimlapi.com/v2/billing", "https://api.aimlapi.com/v1/"),
            ("https://gateway.example/proxy/v3/images/edits", "https://gateway.example/proxy/v3/"),
        ] {
            let base = parsed(given);
            assert_eq!(base.url.as_str(), expected, "{given}");
            assert!(base.note.unwrap().contains(expected), "{given}");
            let again = parsed(&base.shown);
            assert_eq!((again.url, again.note), (base.url, None), "parsing is idempotent");
        }
    }

    #[test]
    fn one_that_ends_in_a_hash_is_taken_as_it_is() {
        for (given, expected, shown) in [
            ("https://gateway.example/openai#", "https://gateway.example/openai/", "https://gateway.example/openai/#"),
            ("https://gateway.example/#", "https://gateway.example/", "https://gateway.example/#"),
            ("https://gateway.example#", "https://gateway.example/", "https://gateway.example/#"),
            ("https://gateway.example/v1/#", "https://gateway.example/v1/", "https://gateway.example/v1/"),
            (
                "https://gateway.example/v1/images/generations#",
                "https://gateway.example/v1/images/generations/",
                "https://gateway.example/v1/images/generations/#",
            ),
        ] {
            let base = parsed(given);
            assert_eq!((base.url.as_str(), base.shown.as_str(), &base.note), (expected, shown, &None), "{given}");
            assert_eq!(parsed(shown).url, base.url, "shown as it can be given again");
        }
    }

    #[test]
    fn base_urls_that_leak_or_lead_astray_are_refused_with_the_way_out() {
        for (given, way_out) in [
            ("", "write https://host/v1"),
            ("api.aimlapi.com", "write https://api.aimlapi.com"),
            ("api.aimlapi.com/v1", "write https://api.aimlapi.com/v1"),
            ("localhost:8080/v1", "write http://localhost:8080/v1"),
            ("127.0.0.1:8080", "write http://127.0.0.1:8080"),
            ("https:api.aimlapi.com", "no scheme"),
            ("\"https://api.aimlapi.com/v1\"", "quotes"),
            ("'https://api.aimlapi.com/v1'", "quotes"),
            ("https://api.aimlapi.com /v1", "blank"),
            ("https://api.aimlapi.com/v1\nhttps://api.aimlapi.com/v1", "line break"),
            ("https://api.aimlapi.com\u{200b}/v1", "invisible"),
            ("https://https://api.aimlapi.com/v1", "twice"),
            ("<https://api.aimlapi.com/v1>", "is n"),
            ("ftp://api.aimlapi.com", "not https"),
            ("http://api.aimlapi.com", "allow_http"),
            ("http://localhost.example.com", "allow_http"),
            ("http://127.0.0.1.example.com", "allow_http"),
            ("https://user:secret@api.aimlapi.com", "user information"),
            ("user:secret@api.aimlapi.com", "scheme"),
            ("https://api.aimlapi.com/v1?key=1", "query"),
            ("https://api.aimlapi.com/v1#x", "fragment"),
            ("https://", "no URL"),
        ] {
            let error = BaseUrl::parse(given, false).expect_err(given);
            assert!(error.message().contains(way_out), "{given}: {error}");
            assert!(!error.message().contains("secret"), "{error}");
        }
        assert!(BaseUrl::parse("http://api.aimlapi.com", true).is_ok(), "unless http is allowed in words");
    }
}
