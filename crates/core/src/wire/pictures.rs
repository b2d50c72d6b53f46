//! Finds images and links to images in a response: in `data`, where the API puts them, or anywhere else.

use serde_json::{Map, Value};
use url::Url;

use super::sniff::{Guess, is_link};

/// Maximum number of images that are read from a response.
pub(super) const PICTURES_MAX: usize = 64;
/// Maximum length of a link, in bytes.
const LINK_MAX: usize = 8192;

/// One image of a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// The number of the image's payload.
    pub(crate) payload: Option<usize>,
    pub(crate) url: Option<String>,
    pub(crate) revised_prompt: Option<String>,
    /// Whether this may be something other than an image, because nothing in the response says that it is one.
    pub(crate) doubtful: bool,
}

/// Returns the images of a document. Replaces the markers of payloads in it by `null`.
pub(super) fn find(document: &mut Value, marker: &str) -> Vec<Found> {
    let mut found = in_data(document, marker);
    let mut search = Search { marker, found: Vec::new() };
    search.value(document, Role::Unknown, None);
    if found.is_empty() {
        found = search.best();
    } else {
        // A payload elsewhere in the document is a further image, if it turns out to be one.
        let elsewhere = search.found.into_iter().filter(|one| one.payload.is_some());
        let new: Vec<_> = elsewhere.filter(|one| found.iter().all(|known| known.payload != one.payload)).collect();
        found.extend(new.into_iter().map(|one| Found { doubtful: true, ..one }));
    }
    forget_markers(document, marker);
    found.truncate(PICTURES_MAX);
    found
}

/// Returns the number of a payload from its marker.
fn number(value: &Value, marker: &str) -> Option<usize> {
    value.as_str()?.strip_prefix(marker)?.parse().ok()
}

/// Returns the entries of `data`, or of the document if it is a list.
fn in_data(document: &Value, marker: &str) -> Vec<Found> {
    let entries = document.get("data").unwrap_or(document).as_array();
    let entries = entries.into_iter().flatten().take(PICTURES_MAX).filter_map(Value::as_object);
    entries.filter_map(|entry| in_entry(entry, marker)).collect()
}

fn in_entry(entry: &Map<String, Value>, marker: &str) -> Option<Found> {
    let text = |name: &str| {
        let text = entry.get(name)?.as_str().filter(|text| !text.is_empty() && !text.starts_with(marker))?;
        Some(text.trim().to_owned())
    };
    let payload = ["b64_json", "url"].iter().find_map(|name| number(entry.get(*name)?, marker));
    // A link in the place of base64 is used as a link.
    let url = text("url").or_else(|| text("b64_json"));
    (payload.is_some() || url.is_some()).then(|| Found {
        payload,
        url,
        revised_prompt: text("revised_prompt"),
        doubtful: false,
    })
}

/// The meaning of a member's name for links inside the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The member is an image or a link to one.
    Picture,
    Unknown,
    /// The member is something else, or a repetition of the request.
    Other,
}

fn role(name: &str) -> Role {
    const PICTURES: &[&str] = &[
        "url",
        "urls",
        "uri",
        "image",
        "images",
        "img",
        "imageurl",
        "imageurls",
        "link",
        "links",
        "href",
        "src",
        "file",
        "files",
        "fileurl",
        "downloadurl",
        "signedurl",
        "publicurl",
        "output",
        "outputs",
        "result",
        "results",
        "picture",
        "pictures",
        "data",
        "content",
        "asset",
        "assets",
        "artifact",
        "artifacts",
        "media",
        "b64json",
        "base64",
        "sample",
        "samples",
    ];
    const OTHERS: &[&str] = &[
        "doc",
        "help",
        "status",
        "poll",
        "callback",
        "webhook",
        "cancel",
        "support",
        "terms",
        "policy",
        "logo",
        "icon",
        "homepage",
        "thumb",
        "avatar",
        "error",
        "input",
        "request",
        "prompt",
        "parameter",
        "mask",
    ];
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if PICTURES.contains(&name.as_str()) {
        Role::Picture
    } else if OTHERS.iter().any(|other| name.contains(other)) {
        Role::Other
    } else {
        Role::Unknown
    }
}

/// A search through a document of another form.
struct Search<'a> {
    marker: &'a str,
    found: Vec<Found>,
}

impl Search<'_> {
    fn value(&mut self, value: &Value, inherited: Role, revised_prompt: Option<&str>) {
        match value {
            Value::String(text) => self.text(text, inherited, revised_prompt),
            Value::Array(items) => items.iter().for_each(|item| self.value(item, inherited, revised_prompt)),
            Value::Object(members) => {
                let revised_prompt = members.get("revised_prompt").and_then(Value::as_str).or(revised_prompt);
                for (name, value) in members {
                    match role(name) {
                        Role::Other => {}
                        Role::Unknown if value.is_string() => self.value(value, Role::Unknown, revised_prompt),
                        Role::Unknown => self.value(value, inherited, revised_prompt),
                        Role::Picture => self.value(value, Role::Picture, revised_prompt),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, role: Role, revised_prompt: Option<&str>) {
        let mut found = Found { revised_prompt: revised_prompt.map(str::to_owned), ..Found::default() };
        if let Some(number) = text.strip_prefix(self.marker) {
            found.payload = number.parse().ok();
            return self.found.push(found);
        }
        if text.len() > LINK_MAX {
            return;
        }
        let text = text.trim();
        if is_link(text.as_bytes()) == Guess::Yes && !text.contains(char::is_whitespace) {
            found.doubtful = role != Role::Picture && !names_a_picture(text);
            found.url = Some(text.to_owned());
        } else if role == Role::Picture && is_relative(text) {
            found.url = Some(text.to_owned());
        } else {
            self.found.extend(links_in(text).map(|link| Found {
                url: Some(link.to_owned()),
                doubtful: true,
                ..found.clone()
            }));
            return;
        }
        self.found.push(found);
    }

    /// Returns the payloads; if there are none, the links under names of images; if there are none, all links.
    /// Duplicates are removed.
    fn best(self) -> Vec<Found> {
        let mut found = self.found;
        let rank = |found: &Found| match found {
            Found { payload: Some(_), .. } => 0,
            Found { doubtful: false, .. } => 1,
            Found { .. } => 2,
        };
        let best = found.iter().map(rank).min();
        found.retain(|found| Some(rank(found)) == best);
        let mut seen = Vec::new();
        found.retain(|found| {
            let known = (found.payload, found.url.clone());
            let new = !seen.contains(&known);
            seen.push(known);
            new && seen.len() <= PICTURES_MAX
        });
        found
    }
}

/// Returns whether a link's path ends in the extension of an image.
fn names_a_picture(link: &str) -> bool {
    let path = link.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    [".png", ".jpg", ".jpeg", ".webp"].iter().any(|extension| path.ends_with(extension))
}

/// Returns whether a text is a link without a host.
fn is_relative(text: &str) -> bool {
    let no_blank = !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains("://");
    no_blank && (text.starts_with('/') || text.starts_with("./") || text.starts_with("../") || names_a_picture(text))
}

/// Returns the links to images inside a longer text, such as Markdown.
fn links_in(text: &str) -> impl Iterator<Item = &str> {
    let ends =
        |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | '`');
    text.match_indices("http")
        .filter_map(move |(at, _)| text.get(at..)?.split(ends).next())
        .filter(|link| is_link(link.as_bytes()) == Guess::Yes && names_a_picture(link))
}

fn forget_markers(value: &mut Value, marker: &str) {
    match value {
        Value::String(text) if text.starts_with(marker) => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(|item| forget_markers(item, marker)),
        Value::Object(members) => members.values_mut().for_each(|value| forget_markers(value, marker)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns the link, if a text consists of nothing else.
pub(super) fn only_link(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= LINK_MAX)?.trim();
    let alone = is_link(text.as_bytes()) == Guess::Yes && !text.contains(char::is_whitespace);
    (alone && Url::parse(text).is_ok()).then(|| text.to_owned())
}

/// Returns the id and status of a task with which a gateway responded instead of images. Used in messages.
pub(super) fn task(document: &Value) -> Option<Task> {
    const IDS: &[&str] =
        &["task_id", "taskId", "job_id", "jobId", "prediction_id", "generation_id", "generationId", "operation_id"];
    match document {
        Value::Object(members) => {
            let status = ["status", "state", "task_status"].iter().find_map(|name| members.get(*name)?.as_str());
            let id = IDS.iter().find_map(|name| members.get(*name));
            // A plain `id` can be many things, but next to a status it is the task's.
            let id = id.or_else(|| status.and_then(|_| members.get("id")));
            let id = match id {
                Some(Value::String(id)) if !id.trim().is_empty() => Some(id.clone()),
                Some(Value::Number(id)) => Some(id.to_string()),
                _ => None,
            };
            match id {
                Some(id) => Some(Task { id, status: status.map(str::to_owned) }),
                None => members.iter().filter(|(name, _)| *name != "error").find_map(|(_, value)| task(value)),
            }
        }
        Value::Array(items) => items.iter().take(PICTURES_MAX).find_map(task),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// A task that the gateway has started without waiting for its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) status: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Task, find, only_link, task};

    const MARKER: &str = "marker-";

    fn links(document: Value) -> Vec<String> {
        let mut document = document;
        let show = |found: super::Found| match (found.payload, found.url) {
            (Some(number), _) => format!("payload {number}"),
            (None, Some(url)) if found.doubtful => format!("{url}?"),
            (None, url) => url.unwrap_or_default(),
        };
        let found = find(&mut document, MARKER).into_iter().map(show).collect();
        assert!(!document.to_string().contains(MARKER), "markers are gone: {document}");
        found
    }

    #[test]
    fn pictures_are_found_wherever_they_stand() {
        let png = "https://cdn.example/a.png";
        for (document, expected) in [
            (json!({"data": [{"b64_json": "marker-0"}, {"url": "marker-1"}]}), vec!["payload 0", "payload 1"]),
            (json!([{"url": png}]), vec![png]),
            (json!({"data": {"url": png}}), vec![png]),
            (json!({"data": [png]}), vec![png]),
            (json!([png]), vec![png]),
            (json!(png), vec![png]),
            (json!({"data": [{"url": "/a"}]}), vec!["/a"]),
            (json!({"images": [{"url": "/a"}, {"url": "b"}]}), vec!["/a"]),
            (json!({"data": [{"image": {"link": "https://x.example/1"}}]}), vec!["https://x.example/1"]),
            (json!({"data": [{"b64_json": "https://x.example/1"}]}), vec!["https://x.example/1"]),
            (json!({"output": "marker-3", "url": png}), vec!["payload 3"]),
            (json!({"result": {"sample": png, "seed": 7}, "id": "x"}), vec![png]),
            (json!({"x": {"y": [[{"z": png}]]}, "docs": "https://x.example/docs"}), vec![png]),
            (json!({"ok": true, "somewhere": "http://127.0.0.1:9/README.md"}), vec!["http://127.0.0.1:9/README.md?"]),
            (json!({"somewhere": "https://x.example/1"}), vec!["https://x.example/1?"]),
            (json!({"text": format!("Here: ![hat]({png}) and {png}")}), vec!["https://cdn.example/a.png?"]),
            (json!({"error": {"url": png}, "input": {"image": png}, "status_url": "https://x.example/1"}), vec![]),
            (json!({"data": [{"url": "marker-0"}], "more": ["marker-1"], "url": png}), vec!["payload 0", "payload 1"]),
            (json!({"data": [], "meta": {"usage": {"usd_spent": 0.1}}}), vec![]),
            (json!({"data": [{"url": 7}], "message": "no http://"}), vec![]),
        ] {
            assert_eq!(links(document.clone()), expected, "{document}");
        }
    }

    #[test]
    fn a_link_alone_is_a_link() {
        assert_eq!(only_link(b" https://x.example/1\n").as_deref(), Some("https://x.example/1"));
        assert_eq!(only_link(b"see https://x.example/1"), None);
        assert_eq!(only_link(b"<html>"), None);
    }

    #[test]
    fn tasks_are_known_by_their_ids() {
        let id = |id: &str, status: Option<&str>| Some(Task { id: id.to_owned(), status: status.map(str::to_owned) });
        for (document, expected) in [
            (json!({"data": [{"status": "submitted", "task_id": "t1"}]}), id("t1", Some("submitted"))),
            (json!({"id": "p1", "status": "starting"}), id("p1", Some("starting"))),
            (json!({"taskId": 7}), id("7", None)),
            (json!({"id": "x", "created": 1}), None),
            (json!({"data": []}), None),
        ] {
            assert_eq!(task(&document), expected, "{document}");
        }
    }
}
