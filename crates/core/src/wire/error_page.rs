//! Extracts the message of a web page or of XML, which proxies, firewalls and storage services send instead of a normal
//! response.

use std::collections::VecDeque;

/// Maximum length of a page's text that is shown, in characters.
const LINE_MAX: usize = 200;
/// Maximum length of a page's text that is kept, in bytes.
const KEPT_MAX: usize = 4096;
/// Number of bytes in which the type of a page is recognised.
const SNIFFED: usize = 1024;

/// A page and its message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Whether it is HTML; otherwise it is XML.
    pub(super) is_html: bool,
    pub(super) said: Vec<String>,
}

/// Elements whose text is not displayed.
const HIDDEN: &[&str] = &["script", "style", "noscript", "template", "svg"];
/// Elements that do not begin a new word.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "code", "em", "font", "i", "kbd", "mark", "s", "small", "span", "strong", "sub", "sup",
    "tt", "u", "wbr",
];
/// XML elements that contain the message, in order of preference.
const XML_NAMES: &[&str] = &[
    "code",
    "faultcode",
    "title",
    "message",
    "errormessage",
    "faultstring",
    "reason",
    "detail",
    "details",
    "description",
];
/// Labels of the id of a refused request on pages, in lower case.
const ID_LABELS: &[&str] =
    &["ray id", "incident id", "request id", "reference id", "reference #", "error reference", "xid"];

/// Parses a page. `None` if the text is not a page.
pub(super) fn read(text: &str) -> Option<Page> {
    if !text.starts_with('<') {
        return None;
    }
    let end = (0..=SNIFFED.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let head = text.get(..end).unwrap_or_default().to_ascii_lowercase();
    let is_html =
        ["<!doctype html", "<html", "<head", "<title", "<body", "<h1", "<h2", "<p>", "<div", "<center", "<br", "<pre"]
            .iter()
            .any(|tag| head.contains(tag));
    let is_xml = head.starts_with("<?xml")
        || (text.contains("</") && text.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic));
    if !is_html && !is_xml {
        return None;
    }
    let parts = Parts::of(text);
    let said = if is_html { parts.of_page() } else { parts.of_xml() };
    Some(Page { is_html, said })
}

/// Returns the meaning of a Cloudflare error code in `text`, if it is known.
pub(super) fn cloudflare_code(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let (_, after) = lower.split_once("error code: ").or_else(|| lower.split_once("error code "))?;
    let code = after.split(|char: char| !char.is_ascii_digit()).next()?;
    Some(match code {
        "1006" | "1007" | "1008" => "that is Cloudflare, which bans this machine's address",
        "1009" => "that is Cloudflare, which bans this country or region",
        "1010" => "that is Cloudflare, which bans this kind of client",
        "1012" => "that is Cloudflare, which bans this machine",
        "1015" => "that is Cloudflare, which limits how often this address may ask",
        "1020" => "that is Cloudflare, whose firewall refuses this request",
        "1000" | "1001" | "1002" | "1003" | "1016" | "1018" | "1033" => {
            "that is Cloudflare, which finds no server behind this name"
        }
        _ => return None,
    })
}

/// The text of a page, by element.
#[derive(Debug, Default)]
struct Parts {
    /// The text of the XML elements that contain the message, and of `title`, `h1` and `h2`, with their names in lower
    /// case.
    named: Vec<(String, String)>,
    /// All visible text.
    seen: String,
}

impl Parts {
    fn of(text: &str) -> Self {
        let mut parts = Self::default();
        // The open elements, with their positions in `named`.
        let mut open: VecDeque<(String, Option<usize>)> = VecDeque::new();
        let mut rest = text;
        while let Some(found) = rest.find('<') {
            let (before, tag) = rest.split_at(found);
            parts.text(&open, before);
            rest = match Tag::of(tag) {
                Tag::Text(text, rest) => {
                    parts.push(&open, text);
                    rest
                }
                Tag::Nothing(rest) => rest,
                Tag::Open(name, rest) => {
                    parts.gap(&open, &name);
                    if HIDDEN.contains(&name.as_str()) {
                        behind(rest, &name)
                    } else {
                        let wanted =
                            XML_NAMES.contains(&name.as_str()) || matches!(name.as_str(), "title" | "h1" | "h2");
                        let place = wanted.then_some(parts.named.len()).filter(|count| *count < 32);
                        if place.is_some() {
                            parts.named.push((name.clone(), String::new()));
                        }
                        open.push_back((name, place));
                        if open.len() > 64 {
                            open.pop_front();
                        }
                        rest
                    }
                }
                Tag::Close(name, rest) => {
                    parts.gap(&open, &name);
                    if let Some(at) = open.iter().rposition(|(opened, _)| *opened == name) {
                        open.truncate(at);
                    }
                    rest
                }
            };
        }
        parts.text(&open, rest);
        parts
    }

    fn gap(&mut self, open: &VecDeque<(String, Option<usize>)>, name: &str) {
        if !INLINE.contains(&name) {
            self.push(open, " ");
        }
    }

    /// Adds text that contains entities.
    fn text(&mut self, open: &VecDeque<(String, Option<usize>)>, text: &str) {
        if !text.is_empty() {
            self.push(open, &without_entities(text));
        }
    }

    fn push(&mut self, open: &VecDeque<(String, Option<usize>)>, text: &str) {
        let is_title = open.iter().any(|(name, _)| name == "title");
        for place in open.iter().filter_map(|(_, place)| *place) {
            if let Some((_, named)) = self.named.get_mut(place)
                && named.len() < KEPT_MAX
            {
                named.push_str(text);
            }
        }
        if !is_title && self.seen.len() < KEPT_MAX {
            self.seen.push_str(text);
        }
    }

    fn first(&self, name: &str) -> Option<String> {
        let texts = self.named.iter().filter(|(named, _)| named == name).map(|(_, text)| line(text));
        texts.into_iter().find(|text| !text.is_empty())
    }

    fn of_page(&self) -> Vec<String> {
        let (title, heading) = (self.first("title"), self.first("h1").or_else(|| self.first("h2")));
        let mut said: Vec<String> = match (title, heading) {
            (Some(title), Some(heading)) if heading.contains(&title) => vec![heading],
            (title, heading) => title.into_iter().chain(heading).collect(),
        };
        if said.is_empty() {
            said.extend(Some(line(&self.seen)).filter(|seen| !seen.is_empty()));
        }
        said.extend(id_on_page(&self.seen));
        said
    }

    fn of_xml(&self) -> Vec<String> {
        let said: Vec<String> = XML_NAMES.iter().filter_map(|name| self.first(name)).collect();
        if said.is_empty() { vec![line(&self.seen)] } else { said }
    }
}

/// The token that begins at a `<`, and the text after it.
enum Tag<'a> {
    Open(String, &'a str),
    Close(String, &'a str),
    /// A `<` that does not begin a tag, or CDATA.
    Text(&'a str, &'a str),
    /// A comment or declaration.
    Nothing(&'a str),
}

impl<'a> Tag<'a> {
    fn of(text: &'a str) -> Self {
        if let Some(comment) = text.strip_prefix("<!--") {
            return Self::Nothing(comment.split_once("-->").map_or("", |(_, rest)| rest));
        }
        if let Some(data) = text.strip_prefix("<![CDATA[") {
            let (data, rest) = data.split_once("]]>").unwrap_or((data, ""));
            return Self::Text(data, rest);
        }
        let inner = text.get(1..).unwrap_or_default();
        let (closes, name) = match inner.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, inner),
        };
        if name.starts_with(['!', '?']) {
            return Self::Nothing(end_of_tag(name));
        }
        if !name.starts_with(|char: char| char.is_ascii_alphabetic()) {
            return Self::Text("<", inner);
        }
        let end = name.find(|char: char| !(char.is_alphanumeric() || "-_.:".contains(char))).unwrap_or(name.len());
        let (name, attributes) = name.split_at(end);
        // The name without its namespace.
        let name = name.rsplit(':').next().unwrap_or_default().to_lowercase();
        let rest = end_of_tag(attributes);
        if closes { Self::Close(name, rest) } else { Self::Open(name, rest) }
    }
}

/// Returns the text after the `>` that ends a tag. A `>` inside quotes does not end it.
fn end_of_tag(text: &str) -> &str {
    let mut quote = None;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (None, '>') => return text.get(at + 1..).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    ""
}

/// Returns the text after the end tag of an element whose content is skipped.
fn behind<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(found) = rest.find("</") {
        rest = rest.get(found + 2..).unwrap_or_default();
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return end_of_tag(rest);
        }
    }
    ""
}

fn without_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find('&') {
        let (before, entity) = rest.split_at(found);
        out.push_str(before);
        let decoded = entity.get(1..).and_then(|entity| entity.split_once(';')).and_then(|(name, after)| {
            let char = if name.len() <= 12 { entity_char(name) } else { None };
            Some((char?, after))
        });
        rest = match decoded {
            Some((char, after)) => {
                out.push(char);
                after
            }
            None => {
                out.push('&');
                entity.get(1..).unwrap_or_default()
            }
        };
    }
    out.push_str(rest);
    out
}

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|char| *char != '\0');
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        _ => return None,
    })
}

/// Returns the id of a refused request that a page shows, with its label.
fn id_on_page(seen: &str) -> Option<String> {
    let lower = seen.to_ascii_lowercase();
    ID_LABELS.iter().find_map(|label| {
        let at = lower.find(label)?;
        let name = seen.get(at..at + label.len())?.trim_end_matches([' ', '#']);
        let after = seen.get(at + label.len()..)?.trim_start_matches([':', '#', ' ', '\n', '\r', '\t']);
        let end =
            after.find(|char: char| !(char.is_ascii_alphanumeric() || "-._".contains(char))).unwrap_or(after.len());
        let id = after.get(..end.min(80))?.trim_end_matches('.');
        (id.len() >= 6 && id.contains(|char: char| char.is_ascii_digit())).then(|| format!("{name} {id}"))
    })
}

fn line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::text::cut(&line, LINE_MAX)
}
