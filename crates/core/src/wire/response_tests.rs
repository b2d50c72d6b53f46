//! The streaming decoder against serde_json and a plain decoder: equal for any JSON and any cutting.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AnswerDecoder, ApiKey, Found};

fn key() -> ApiKey {
    ApiKey::new("sk-never-in-an-answer", "a test").unwrap()
}

/// What a stream of pieces yields: the pictures in order, or links, or why there are none.
#[derive(Debug, PartialEq)]
enum Seen {
    Picture(Vec<u8>),
    BadPicture,
    Link(String),
}

fn stream(text: &[u8], cuts: &[usize]) -> Option<(Value, Vec<Seen>)> {
    let mut decoder = AnswerDecoder::new(0);
    let mut from = 0;
    for cut in cuts.iter().map(|cut| cut % (text.len() + 1)).chain([text.len()]) {
        if cut > from {
            decoder.push(&text[from..cut]);
            from = cut;
        }
    }
    let answer = decoder.json(&key());
    if answer.broken.is_some() {
        return None;
    }
    let payloads = decoder.payloads();
    let see = |found: Found| match found {
        Found { payload: Some(number), .. } => match &payloads[number].error {
            None => Seen::Picture(payloads[number].decoded.clone()),
            Some(_) => Seen::BadPicture,
        },
        Found { url, .. } => Seen::Link(url.unwrap()),
    };
    Some((answer.value, answer.found.into_iter().map(see).collect()))
}

/// The same by the plain way: parse everything, then decode.
fn plain(text: &[u8]) -> Option<(Value, Vec<Seen>)> {
    let mut value: Value = serde_json::from_slice(text).ok()?;
    value.as_object()?;
    let mut seen = Vec::new();
    for entry in value.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten() {
        let payload = match entry.get_mut("b64_json") {
            Some(payload @ Value::String(_)) => Some(payload.take()),
            _ => None,
        };
        if let Some(payload) = payload.as_ref().and_then(Value::as_str) {
            seen.push(decode(payload).map_or(Seen::BadPicture, Seen::Picture));
        } else if let Some(url) = entry.get("url").and_then(Value::as_str).filter(|url| !url.is_empty()) {
            seen.push(Seen::Link(url.to_owned()));
        }
    }
    Some((value, seen))
}

/// Base64 bit by bit: no cleverness to share a bug with.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let text = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(',')?.1,
        None => text,
    };
    let (mut bits, mut count, mut symbols, mut out, mut padded) = (0_u32, 0, 0, Vec::new(), false);
    for char in text.chars() {
        let digit = match char {
            ' ' | '\t' | '\r' | '\n' => continue,
            '=' => {
                padded = true;
                continue;
            }
            _ if padded => return None,
            'A'..='Z' => char as u32 - 'A' as u32,
            'a'..='z' => char as u32 - 'a' as u32 + 26,
            '0'..='9' => char as u32 - '0' as u32 + 52,
            '+' | '-' => 62,
            '/' | '_' => 63,
            _ => return None,
        };
        symbols += 1;
        bits = (bits << 6) | digit;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (symbols % 4 != 1).then_some(out)
}

fn base64_text() -> impl Strategy<Value = String> {
    let clean = "[A-Za-z0-9+/]{0,90}={0,2}";
    prop_oneof![
        4 => clean,
        1 => "[A-Za-z0-9_-]{0,40}",
        1 => clean.prop_map(|text| format!("data:image/png;base64,{text}")),
        1 => "[A-Za-z0-9+/ \n\r\t]{0,60}",
        1 => "(d|da|dat|data|data:|data:image)",
        1 => "\\PC{0,20}",
        1 => "[A-Za-z=]{0,12}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = || {
        prop_oneof![Just("data".to_owned()), Just("b64_json".to_owned()), Just("url".to_owned()), "[a-z\"\\\\]{0,6}"]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        base64_text().prop_map(Value::from),
        "[\\PC\"\\\\{}\\[\\],:]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn answer() -> impl Strategy<Value = Value> {
    let entry = prop_oneof![
        3 => base64_text().prop_map(|text| json!({"b64_json": text, "url": null, "revised_prompt": "\"b64_json\":\"AAAA\""})),
        1 => "[a-z:/.\"\\\\]{0,30}".prop_map(|url| json!({"url": url, "b64_json": null})),
        1 => any_json(),
    ];
    let data = prop::collection::vec(entry, 0..4);
    (data, any_json()).prop_map(|(data, rest)| json!({"a": rest, "data": data, "meta": {"usage": {"usd_spent": 0.1}}}))
}

/// JSON as other writers write it: escaped letters and slashes, white space.
fn written_otherwise(value: &Value, escapes: u64) -> String {
    let plain = serde_json::to_string(value).unwrap();
    let mut out = String::new();
    let mut inside = false;
    let mut escaped = false;
    for (index, char) in plain.chars().enumerate() {
        let dice = escapes.rotate_left(index as u32 * 7) % 11;
        if inside && !escaped && char == '/' && dice < 5 {
            out.push_str("\\/");
        } else if inside && !escaped && char.is_ascii_alphanumeric() && dice == 0 {
            out.push_str(&format!("\\u{:04x}", char as u32));
        } else {
            out.push(char);
            if !inside && dice == 1 && matches!(char, ',' | ':' | '{' | '[' | ']' | '}') {
                out.push_str(" \n");
            }
        }
        if char == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && char == '\\' && !escaped;
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_answer_in_any_pieces_is_what_the_plain_way_yields(
        value in prop_oneof![answer(), any_json()],
        escapes in any::<u64>(),
        mut cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let text = written_otherwise(&value, escapes);
        cuts.iter_mut().for_each(|cut| *cut %= text.len() + 1);
        cuts.sort_unstable();
        prop_assert_eq!(stream(text.as_bytes(), &cuts), plain(text.as_bytes()), "{}", text);
    }

    #[test]
    fn a_cut_answer_never_passes_for_a_whole_one(value in answer(), end in any::<prop::sample::Index>()) {
        let text = serde_json::to_string(&value).unwrap();
        let end = end.index(text.len());
        prop_assert_eq!(stream(&text.as_bytes()[..end], &[]), None);
    }
}

#[test]
fn each_cut_in_two_yields_the_same() {
    let text = br#"{"created":1,"data":[{"b64_json":"data:image\/png;base64,aGVsbG9\u0020\n3b3Js ZA","url":null}],"data2":"x"}"#;
    let whole = plain(text);
    assert_eq!(whole.as_ref().unwrap().1, [Seen::Picture(b"helloworld".to_vec())]);
    for cut in 0..=text.len() {
        assert_eq!(stream(text, &[cut]), whole, "cut at {cut}");
    }
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    for text in [
        r#"{"data":[{"b64_json":"QUFB","b64_json":"QkJC"}]}"#,
        r#"{"data":[{"b64_json":"QUFB"}],"data":[{"b64_json":"QkJC"}]}"#,
        r#"{"d\u0061ta":[{"b64_json":"QUFB","\u00624_json":null,"b\u0036\u0034_json":"QkJC"}]}"#,
    ] {
        assert_eq!(stream(text.as_bytes(), &[]), plain(text.as_bytes()), "{text}");
        assert_eq!(stream(text.as_bytes(), &[]).unwrap().1, [Seen::Picture(b"BBB".to_vec())], "{text}");
    }
}

#[test]
fn other_places_are_left_alone() {
    for text in [
        r#"{"b64_json":"QUFB"}"#,
        r#"[{"data":[{"b64_json":"QUFB"}]}]"#,
        r#"{"data":{"b64_json":"QUFB"}}"#,
        r#"{"data":[[{"b64_json":"QUFB"}]]}"#,
        r#"{"data":[{"x":{"b64_json":"QUFB"}}]}"#,
        r#"{"x":{"data":[{"b64_json":"QUFB"}]}}"#,
        r#"{"data":["b64_json","QUFB"]}"#,
        r#"{"x":"\"data\":[{\"b64_json\":\"QUFB\"}]"}"#,
    ] {
        let seen = stream(text.as_bytes(), &[]);
        assert_eq!(seen, plain(text.as_bytes()), "{text}");
        assert!(seen.is_none_or(|(_, seen)| seen.is_empty()), "{text}");
    }
}

#[test]
fn what_is_beside_the_pictures_is_bounded() {
    let mut decoder = AnswerDecoder::new(0);
    decoder.push(b"{\"x\":\"");
    for _ in 0..64 {
        decoder.push(&[b'a'; 1 << 16]);
    }
    decoder.push(b"\"}");
    assert!(decoder.json(&key()).broken.unwrap().contains("bytes beside its pictures"));
}

#[test]
fn links_of_a_broken_answer_are_found() {
    let mut decoder = AnswerDecoder::new(0);
    decoder.push(br#"{"data":[{"url" : "https:\/\/cdn.example\/a.png","b64_json":null},{"url":"https://cdn.exam"#);
    let answer = decoder.json(&key());
    assert!(answer.broken.is_some());
    let urls: Vec<_> = answer.found.iter().filter_map(|found| found.url.as_deref()).collect();
    assert_eq!(urls, ["https://cdn.example/a.png"]);
}

#[test]
fn money_is_read_from_the_numbers_own_text() {
    let mut decoder = AnswerDecoder::new(0);
    decoder.push(br#"{"data":[],"meta":{"usage":{"credits_used":107341,"usd_spent":0.05367050000000000000000001e0}}}"#);
    let answer = decoder.json(&key());
    assert_eq!(answer.cost.credits.unwrap().to_string(), "107341");
    assert_eq!(answer.cost.usd, None, "more digits than an amount holds are no amount");
    assert_eq!(answer.warnings[0].kind(), "price_unreadable");
}
