//! Reads the body of an error response, in any of the forms that servers use.

use serde_json::{Map, Value};

use super::error_page::{self, Page};
use super::error_text;
use super::error_words::Words;
use super::json_repair;
use crate::secret::ApiKey;
use crate::text;

/// Maximum length of an error body that is read, in bytes.
pub(crate) const ERROR_BODY_MAX: usize = 64 * 1024;
/// Maximum length of a message shown to people, in characters as the server sent them.
const MESSAGE_MAX: usize = 500;
/// Maximum length of a message shown to people after escaping, which makes up to ten characters of one.
const SHOWN_MAX: usize = 1000;
/// Maximum length of an id that is kept, in characters.
const ID_MAX: usize = 128;

/// The information found in an error response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The server's message: of limited length, printable, on one line.
    pub(crate) message: Option<String>,
    pub(crate) form: BodyForm,
    /// Whether the body has one of the vendor's own forms, and is not a proxy's page or an upstream server's response.
    pub(crate) vendor_envelope: bool,
    pub(crate) moderation: bool,
    /// Whether the message or a code says that there is no money left.
    pub(crate) out_of_credits: bool,
    /// Whether the message mentions a limit that passes with time, and no code contradicts it.
    pub(crate) limit_passes: bool,
    /// Whether the message or a code mentions a model.
    pub(crate) names_model: bool,
    pub(crate) request_id: Option<String>,
}

/// The form of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BodyForm {
    /// Empty, or not text.
    #[default]
    Silent,
    Json,
    /// A web page.
    Page,
    /// Plain text or XML.
    Text,
}

/// Codes of a refusal by moderation, in lower case without punctuation.
const MODERATION_CODES: &[&str] =
    &["moderationblocked", "contentpolicyviolation", "contentfilter", "responsibleaipolicyviolation"];
/// Texts in the message of a refusal by moderation. Some messages contain the code, in its original spelling.
const MODERATION_WORDS: &[&str] = &["safety system", "content policy", "moderation_blocked"];

/// Codes of an account without money, in lower case without punctuation. The first is the vendor's spelling.
const CREDITS_CODES: &[&str] = &[
    "errinsufficentcredits",
    "errinsufficientcredits",
    "insufficientcredits",
    "insufficientcredit",
    "insufficientquota",
    "insufficientuserquota",
    "insufficientbalance",
    "insufficientfunds",
    "exceededcurrentquotaerror",
    "billinghardlimitreached",
    "billingnotactive",
    "creditbalancetoolow",
    "creditsexhausted",
    "outofcredits",
    "paymentrequired",
    "arrearage",
    "accountoverdueerror",
];
/// Phrases about an account without money, in lower case. Each mentions the account's credits, balance or quota, and
/// that it is used up.
const CREDITS_WORDS: &[&str] = &[
    "run out of credits",
    "run out of funds",
    "out of credits",
    "out of funds",
    "insufficient credit",
    "insufficient account balance",
    "insufficient quota",
    "insufficient_quota",
    // These also match "not enough" and "insufficient". No message says that there are enough credits.
    "enough credits",
    "enough balance",
    "enough funds",
    "sufficient credits",
    "sufficient balance",
    "sufficient funds",
    "requires more credits",
    "no credits left",
    "no credits remaining",
    "used all available credits",
    "exhausted your credits",
    "exhausted balance",
    "exceeded your current quota",
    "exceeded current quota",
    "quota is not enough",
    "quota is insufficient",
    "billing hard limit",
    "balance is too low",
    "balance too low",
    "balance is insufficient",
    "balance is not enough",
    "credits are insufficient",
    "余额不足",
    "额度不足",
    "额度已用尽",
    "配额不足",
    "欠费",
];
/// Phrases about a limit that passes with time, in lower case.
const PASSING_WORDS: &[&str] = &[
    "minute",
    "second",
    "hour",
    "per day",
    "daily",
    "rate limit",
    "rate_limit",
    "ratelimit",
    "retry in",
    "retry after",
    "try again in",
    "too many requests",
    "throttl",
    "concurren",
];

impl ErrorBody {
    /// Parses any body. A body that is not text yields no information.
    pub(crate) fn parse(body: &[u8], key: &ApiKey) -> Self {
        let Some(text) = error_text::decode(body) else { return Self::default() };
        let text = text.trim();
        match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => return Self::read(&value, key),
            Ok(Value::Null | Value::Bool(_)) => return Self::default(),
            Ok(Value::Number(_)) | Err(_) => {}
        }
        if let Some(value) = json_repair::first_value(text) {
            let said = Self { vendor_envelope: false, ..Self::read(&value, key) };
            if said.message.is_some() {
                return said;
            }
        }
        if let Some(data) = error_text::event_data(text) {
            return Self { vendor_envelope: false, ..Self::parse(data.as_bytes(), key) };
        }
        let mut words = Words::new(key);
        let form = match error_page::read(text) {
            Some(Page { is_html, said }) => {
                said.iter().for_each(|line| words.add(line));
                if is_html { BodyForm::Page } else { BodyForm::Text }
            }
            None => {
                words.add(text);
                BodyForm::Text
            }
        };
        if let Some(meaning) = words.joined().as_deref().and_then(error_page::cloudflare_code) {
            words.add(meaning);
        }
        Self::understood(&words, form)
    }

    /// Parses JSON.
    pub(crate) fn read(body: &Value, key: &ApiKey) -> Self {
        let mut words = Words::new(key);
        words.read(body);
        let object = body.as_object();
        let id = object.and_then(|body| ["requestId", "request_id"].iter().find_map(|name| body.get(*name)?.as_str()));
        Self {
            vendor_envelope: object.is_some_and(is_vendors),
            request_id: id.map(|id| text::shorten(&key.redact_spread(id), ID_MAX)),
            ..Self::understood(&words, BodyForm::Json)
        }
    }

    /// Returns the server's message, or a text that says that there is none.
    pub(crate) fn message_or_default(&self) -> &str {
        match (&self.message, self.form) {
            (Some(message), _) => message,
            (None, BodyForm::Page) => "a web page came, which says nothing",
            (None, _) => "it gave no reason",
        }
    }

    /// Draws the conclusions. Codes are compared exactly; messages are searched for phrases, because vendors change
    /// their wording.
    fn understood(words: &Words<'_>, form: BodyForm) -> Self {
        let message = words.joined();
        let lower = message.as_deref().map(without_quotes).unwrap_or_default().to_lowercase();
        // The text of a web page proves nothing about money or moderation.
        let says = |texts: &[&str]| form != BodyForm::Page && texts.iter().any(|text| lower.contains(text));
        let has = |codes: &[&str]| words.codes().iter().any(|code| codes.contains(&code.as_str()));
        let by_code = has(CREDITS_CODES);
        Self {
            moderation: has(MODERATION_CODES) || says(MODERATION_WORDS),
            out_of_credits: by_code || says(CREDITS_WORDS),
            limit_passes: !by_code && says(PASSING_WORDS),
            names_model: says(&["model"]) || words.codes().iter().any(|code| code.contains("model")),
            form: if message.is_some() || form == BodyForm::Page { form } else { BodyForm::Silent },
            message: message.map(|said| text::cut(&text::shorten(&said, MESSAGE_MAX), SHOWN_MAX)),
            vendor_envelope: false,
            request_id: None,
        }
    }
}

/// Returns whether an object has one of the vendor's forms: `title` and `status`, or `statusCode`, and no key that
/// these forms do not have. Bodies of other gateways look similar, and must not be taken for the vendor's.
fn is_vendors(body: &Map<String, Value>) -> bool {
    const KEYS: &[&str] =
        &["title", "status", "statusCode", "message", "detail", "error", "instance", "path", "requestId", "timestamp"];
    let is_text = |name: &str| body.get(name).is_some_and(Value::is_string);
    let is_status = |name: &str| match body.get(name) {
        Some(Value::Number(number)) => number.is_u64(),
        Some(Value::String(text)) => text.parse::<u16>().is_ok(),
        _ => false,
    };
    body.keys().all(|key| KEYS.contains(&key.as_str()))
        && ((is_text("title") && is_status("status")) || is_status("statusCode"))
}

/// Returns `text` without its quoted parts, in which servers repeat the request.
fn without_quotes(text: &str) -> String {
    let mut parts = text.split(['"', '`', '“', '”', '«', '»']);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    while let Some(quoted) = parts.next() {
        match parts.next() {
            Some(after) => plain.push_str(after),
            // A quotation mark that is not closed begins no quotation.
            None => plain.push_str(quoted),
        }
    }
    plain
}

#[cfg(test)]
#[path = "error_body_tests.rs"]
mod tests;
