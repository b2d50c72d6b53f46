//! Compares the streaming decoder with serde_json and a simple decoder: the results must be equal for any JSON in any
//! pieces.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AnswerDecoder, ApiKey, Found, Guess, is_link, pictures, sniff};

fn key() -> ApiKey {
    ApiKey::new("sk-never-in-an-answer", "a test").unwrap()
}

/// The result of decoding a stream: images in order, or links, or the reason why there are none.
#[derive(Debug, PartialEq)]
enum Seen {
    Picture(Vec<u8>),
    BadPicture,
    Link(String),
}

fn stream(text: &[u8], cuts: &[usize]) -> Option<(Value, Vec<Seen>)> {
    let mut decoder = AnswerDecoder::new(0, None);
    let mut from = 0;
    for cut in cuts.iter().map(|cut| cut % (text.len() + 1)).chain([text.len()]) {
        if cut > from {
            decoder.push(&text[from..cut]);
            from = cut;
        }
    }
    decoder.end_whole();
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

const MARKER: &str = "marker of the plain way ";

/// Decodes in the simple way: parses everything, then decodes.
fn plain(text: &[u8]) -> Option<(Value, Vec<Seen>)> {
    let mut value: Value = serde_json::from_slice(text).ok()?;
    let mut payloads = Vec::new();
    take_payloads(&mut value, false, &mut payloads);
    let see = |found: Found| match found {
        Found { payload: Some(number), .. } => decode(&payloads[number]).map_or(Seen::BadPicture, Seen::Picture),
        Found { url, .. } => Seen::Link(url.unwrap()),
    };
    let seen = pictures::find(&mut value, MARKER).into_iter().map(see).collect();
    Some((value, seen))
}

fn take_payloads(value: &mut Value, keyed: bool, payloads: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let bytes = text.as_bytes();
            if (keyed && is_link(bytes) != Guess::Yes) || (!keyed && sniff(bytes) == Guess::Yes) {
                payloads.push(std::mem::replace(text, format!("{MARKER}{}", payloads.len())));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take_payloads(item, false, payloads)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, value)| take_payloads(value, name == "b64_json", payloads));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Decodes base64 bit by bit, so that it shares no bug with the optimised decoder.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let prefix = text.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("data:"));
    let text = match prefix.map(|prefix| &text[prefix.len()..]) {
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
        1 => clean.prop_map(|text| format!("iVBORw0KGgoAAAANSUhEUgAA{text}")),
        1 => clean.prop_map(|text| format!(" /9j/4AAQSkZJRgABAQEASABI{text}")),
        1 => "https?:?/?/?[a-z.]{0,9}/?(a[.]png)?",
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

/// Writes JSON as other programs may write it: with escaped letters and slashes, and white space.
fn written_otherwise(value: &Value, escapes: u64) -> String {
    let plain = serde_json::to_string(value).unwrap();
    let mut out = String::new();
    let mut inside = false;
    let mut escaped = false;
    for (index, char) in plain.chars().enumerate() {
        let variant = escapes.rotate_left(index as u32 * 7) % 11;
        if inside && !escaped && char == '/' && variant < 5 {
            out.push_str("\\/");
        } else if inside && !escaped && char.is_ascii_alphanumeric() && variant == 0 {
            out.push_str(&format!("\\u{:04x}", char as u32));
        } else {
            out.push(char);
            if !inside && variant == 1 && matches!(char, ',' | ':' | '{' | '[' | ']' | '}') {
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
        // Threat: deep-json
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
fn what_is_called_so_and_is_no_picture_is_left_alone() {
    for text in [
        r#"{"data":["b64_json","QUFB"]}"#,
        r#"{"x":"\"data\":[{\"b64_json\":\"QUFB\"}]"}"#,
        r#"{"b64_json":{"x":"QUFB"}}"#,
        r#"{"b64_json":["QUFB"]}"#,
    ] {
        let seen = stream(text.as_bytes(), &[]);
        assert_eq!(seen, plain(text.as_bytes()), "{text}");
        assert!(seen.is_some_and(|(_, seen)| seen.is_empty()), "{text}");
    }
}

#[test]
fn what_is_beside_the_pictures_is_parsed_up_to_a_bound_and_handed_on_beyond() {
    let mut decoder = AnswerDecoder::new(0, None);
    decoder.push(b"{\"x\":\"a");
    for _ in 0..64 {
        decoder.push(&[b'a'; 1 << 16]);
    }
    decoder.push(b"\"}");
    decoder.end_whole();
    assert!(decoder.json(&key()).broken.unwrap().contains("bytes beside its pictures"));
    assert_eq!(decoder.rest(&key()).len() + decoder.spilled().len(), 9 + (64 << 16));
}

/// Tests each form of response that contains an image in another way than the API's JSON.
#[test]
fn a_picture_is_found_in_whatever_form_an_answer_has() {
    let png = &include_bytes!("../../../../tests/fixtures/rgb-4x4.png")[..];
    let text = base64_simd::STANDARD.encode_to_string(png);
    let uri = format!("data:image/png;base64,{text}");
    let event = |data: &str| format!(": alive\n\nevent: x\r\ndata: {data}\n\n");
    let whole = format!(r#"{{"type":"image_generation.completed","b64_json":"{text}"}}"#);
    let preview = r#"{"type":"image_generation.partial_image","b64_json":"QUFB"}"#;
    for body in [
        text.clone().into_bytes(),
        uri.clone().into_bytes(),
        format!("\"{uri}\"").into_bytes(),
        png.to_vec(),
        format!("\u{feff}{{\"data\":[{{\"url\":\"{uri}\"}}]}}").into_bytes(),
        format!("{{\"created\":1}}\n{whole}\n").into_bytes(),
        event(&whole).into_bytes(),
        (event(preview) + &event(&whole) + "data: [DONE]\n\n").into_bytes(),
        format!("data:{{\rdata:\"b64_json\" :\rdata: \"{text}\"}}\r\r").into_bytes(),
    ] {
        for piece in [1, 7, body.len()] {
            let mut decoder = AnswerDecoder::new(0, None);
            body.chunks(piece).for_each(|piece| decoder.push(piece));
            decoder.end_whole();
            let answer = decoder.json(&key());
            let shown = String::from_utf8_lossy(&body).into_owned();
            assert_eq!(answer.broken, None, "{shown}");
            let [Found { payload: Some(number), .. }] = answer.found[..] else { panic!("{shown}: {answer:?}") };
            let payload = &decoder.payloads()[number];
            // Threat: odd-answer
            assert!(payload.decoded == png && payload.ended && payload.error.is_none(), "{shown}");
        }
    }
}

#[test]
fn what_is_no_answer_of_an_api_is_told_apart_from_one_that_is_broken() {
    for (body, foreign, broken) in [
        ("<!doctype html><img src=\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAQ\">", true, false),
        ("It works!", true, false),
        ("", false, true),
        ("{\"data\":", false, true),
        ("null", false, false),
        ("https://cdn.example/a.png\n", false, false),
    ] {
        let mut decoder = AnswerDecoder::new(0, Some("application/json"));
        decoder.push(body.as_bytes());
        decoder.end_whole();
        let answer = decoder.json(&key());
        assert_eq!((answer.foreign, answer.broken.is_some()), (foreign, broken), "{body}");
        assert_eq!(answer.found.len(), usize::from(body.starts_with("https")), "{body}");
    }
}

#[test]
fn links_of_a_broken_answer_are_found() {
    let mut decoder = AnswerDecoder::new(0, None);
    decoder.push(br#"{"data":[{"url" : "https:\/\/cdn.example\/a.png","b64_json":null},{"url":"https://cdn.exam"#);
    let answer = decoder.json(&key());
    assert!(answer.broken.is_some());
    let urls: Vec<_> = answer.found.iter().filter_map(|found| found.url.as_deref()).collect();
    assert_eq!(urls, ["https://cdn.example/a.png"]);
}

#[test]
fn money_is_read_from_the_numbers_own_text() {
    let mut decoder = AnswerDecoder::new(0, None);
    decoder.push(br#"{"data":[],"meta":{"usage":{"credits_used":107341,"usd_spent":0.05367050000000000000000001e0}}}"#);
    let answer = decoder.json(&key());
    assert_eq!(answer.price.cost.credits.unwrap().to_string(), "107341");
    assert_eq!(answer.price.cost.usd, None, "more digits than an amount holds are no amount");
    assert_eq!(answer.warnings[0].kind(), "price_unreadable");
}
