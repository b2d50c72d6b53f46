//! Tests with the forms of errors that were seen from gateways, proxies, firewalls and storage services.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const KEY: &str = "sk-cases-0123456789abcdef";

fn parse(body: impl AsRef<[u8]>) -> ErrorBody {
    let body = ErrorBody::parse(body.as_ref(), &ApiKey::new(KEY, "a test").unwrap());
    for text in body.message.iter().chain(&body.request_id) {
        assert_eq!(text::printable(text), *text, "on one printable line");
        assert!(text.chars().count() <= SHOWN_MAX + 1, "bounded");
        assert!(!text.contains(&KEY[..12]), "without the key: {text}");
    }
    body
}

#[track_caller]
fn says(body: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(parse(body).message.as_deref(), Some(expected));
}

#[test]
fn json_says_its_words_wherever_they_stand() {
    for (body, expected) in [
        // The vendor's own forms.
        (
            json!({"title": "Bad Request", "status": 400, "message": "Invalid payload", "requestId": "r", "error": {
                "name": "X", "message": "Body validation error!", "data": [
                    {"code": "invalid_value", "path": ["image", 0, "type"], "message": "Unsupported"}]}}),
            "Invalid payload: Body validation error!: image.0.type: Unsupported",
        ),
        (json!({"statusCode": 400, "message": ["one", "two"], "error": "Bad Request"}), "one: two"),
        // FastAPI.
        (
            json!({"detail": [{"type": "less_than_equal", "loc": ["body", "n"], "msg": "value is too large", "input": 9}]}),
            "body.n: value is too large",
        ),
        (json!({"detail": "Not authenticated"}), "Not authenticated"),
        (json!({"detail": {"status": "quota", "message": "No quota"}}), "No quota"),
        (json!({"detail": {"error": {"code": 7, "msg": "Deeper"}}}), "Deeper"),
        (json!({"detail": ["one", "two"]}), "one: two"),
        // OpenAI, and gateways that pass its responses on.
        (json!({"error": {"message": "Invalid size", "type": "t", "param": "size", "code": null}}), "Invalid size"),
        (json!({"error": "Invalid size"}), "Invalid size"),
        (json!({"error": {"message": "{\"error\":{\"message\":\"From further on\"}}"}}), "From further on"),
        (json!({"error": "{\"message\": \"In a text\"}"}), "In a text"),
        (
            json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {
                "raw": "{\"error\": {\"message\": \"The true reason\"}}", "provider_name": "X"}}}),
            "Provider returned error: The true reason",
        ),
        (json!({"error": {"message": "<html><title>502 Bad Gateway</title></html>"}}), "502 Bad Gateway"),
        (json!("{\"error\":{\"message\":\"Twice JSON\"}}"), "Twice JSON"),
        // Google: a list at the top level, and details.
        (
            json!([{"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}]),
            "API key not valid",
        ),
        (
            json!({"error": {"message": "Bad", "details": [{"@type": "x", "fieldViolations": [
                {"field": "n", "description": "too large"}]}]}}),
            "Bad: n: too large",
        ),
        // Problem details, with and without parameters.
        (
            json!({"type": "about:blank", "title": "No credit", "status": 402, "detail": "Your balance is 30."}),
            "No credit: Your balance is 30.",
        ),
        (json!({"title": "Invalid", "invalid-params": [{"name": "n", "reason": "must be 1"}]}), "n: must be 1"),
        // Lists and maps of errors.
        (json!({"errors": ["one", "two"]}), "one: two"),
        (json!({"errors": [{"message": "one"}, {"detail": "two", "source": {"pointer": "/n"}}]}), "one: /n: two"),
        (json!({"errors": {"n": ["too large"], "size": "unknown"}}), "n: too large: size: unknown"),
        (json!({"errors": [{"field": "n", "error": "too large"}]}), "n: too large"),
        (json!(["one", "two"]), "one: two"),
        // Other names of members.
        (json!({"code": 1, "msg": "By msg"}), "By msg"),
        (json!({"error_code": 17, "error_msg": "By error_msg"}), "By error_msg"),
        (json!({"errorMessage": "By errorMessage"}), "By errorMessage"),
        (json!({"errmsg": "By errmsg"}), "By errmsg"),
        (json!({"err": "By err"}), "By err"),
        (json!({"err": {"reason": "Within err"}}), "Within err"),
        (json!({"reason": "By reason"}), "By reason"),
        (json!({"Message": "By Message"}), "By Message"),
        (json!({"error": "invalid_request", "error_description": "By OAuth"}), "By OAuth"),
        (json!({"base_resp": {"status_code": 1008, "status_msg": "By base_resp"}}), "By base_resp"),
        (json!({"fault": {"faultstring": "By fault", "detail": {"errorcode": "x"}}}), "By fault"),
        (json!({"success": false, "data": {"error": "Within data"}}), "Within data"),
        // No known name: any text is better than none.
        (json!({"code": "AccessDenied"}), "AccessDenied"),
        (json!({"failure": {"why": "Unknown"}}), r#"{"failure":{"why":"Unknown"}}"#),
    ] {
        assert_eq!(parse(body.to_string()).message.as_deref(), Some(expected), "{body}");
        assert_eq!(parse(body.to_string()).form, BodyForm::Json, "{body}");
    }
    for silent in ["", " \n", "{}", "[]", "null", "true", r#"{"message":null}"#, r#"{"error":""}"#] {
        assert_eq!(parse(silent), ErrorBody { form: parse(silent).form, ..ErrorBody::default() }, "{silent}");
    }
}

#[test]
fn json_that_is_cut_or_broken_says_what_can_be_read() {
    let whole = r#"{"error":{"message":"Invalid size","code":"invalid_value"},"id":"x"}"#;
    for end in whole.find(" size").unwrap()..whole.len() {
        let said = parse(&whole[..end]).message.unwrap();
        assert!(said.starts_with("Invalid") && "Invalid size".starts_with(&said), "{end}: {said}");
    }
    says(format!("{{\"message\":\"Deep\",\"x\":{}", "[".repeat(20_000)), "Deep");
    says(format!("{{\"message\":\"Deep\",\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000)), "Deep");
    says("{\"message\":\"two\nlines\"}", "two lines");
    says(r#"{"message":"a lone \ud800 half"}"#, "a lone \u{fffd} half");
    says(r#"{"message":"first"}{"message":"second"}"#, "first");
    says(r#"{"message":"odd \x escape"}"#, r"odd \x escape");
    says(r#"{"message":"good", oops}"#, "good");
    says(r"{'detail': 'a Python dict'}", "{'detail': 'a Python dict'}");
    says("event: error\ndata: {\"error\":{\"message\":\"An event\"}}\n\n", "An event");
    assert!(!parse(r#"{"statusCode":500,"message":"Cut"#).vendor_envelope, "half an envelope is none");
}

#[test]
fn plain_text_is_what_it_says() {
    says("no healthy upstream", "no healthy upstream");
    says("  404\r\npage not   found\n", "404 page not found");
    says("1010", "1010");
    says("\u{feff}with a mark", "with a mark");
    says("error code: 1010", "error code: 1010: that is Cloudflare, which bans this kind of client");
    says("error code: 9999", "error code: 9999");
    says("<foo> is required", "<foo> is required");
    assert_eq!(parse("error code: 1010").form, BodyForm::Text);
    assert!(parse("x".repeat(60_000)).message.unwrap().len() < 600);
    assert!(parse("\u{1b}[2J\u{202e}gone").message.unwrap().contains("\\u{1b}"));
}

#[test]
fn pages_say_their_title_and_heading() {
    for (page, expected) in [
        (
            "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>",
            "502 Bad Gateway",
        ),
        ("<html>\r\n<head><title>413 Request Entity Too Large</title></head></html>", "413 Request Entity Too Large"),
        (
            "<!DOCTYPE html><html><head><title>Just a moment...</title><script>var s = '<h1>no</h1>';</script><style>h1{}</style>\
          </head><body><noscript>Enable JavaScript</noscript><div>Ray ID: <code>7d1f0c2ab8e91f3c</code></div></body></html>",
            "Just a moment...: Ray ID 7d1f0c2ab8e91f3c",
        ),
        (
            "<!DOCTYPE html><!--[if lt IE 7]> <html class=\"no-js\"> <![endif]--><head><title>api.example.com | 522: Connection timed \
          out</title></head><body><h1><span>Connection timed out</span> <span>Error code 522</span></h1>\
          <p>Cloudflare Ray ID: <strong>8c1d2e3f4a5b6c7d</strong> &bull;</p>",
            "api.example.com | 522: Connection timed out: Connection timed out Error code 522: Ray ID 8c1d2e3f4a5b6c7d",
        ),
        (
            "<html><title>Access denied</title><h1>Error 1010</h1>Access denied, error code: 1010",
            "Access denied: Error 1010",
        ),
        (
            "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-\"><html><head><title>503 Backend fetch failed</title></head><body>\
          <h1>Error 503 Backend fetch failed</h1><p>Guru Meditation:</p><p>XID: 1234567</p></body></html>",
            "Error 503 Backend fetch failed: XID 1234567",
        ),
        ("<title>A &amp; B &#8211; &#x43;&nbsp;&hellip; &unknown; &</title>", "A & B – C … &unknown; &"),
        ("<html><body><p>You shall<br>not pass</p></body></html>", "You shall not pass"),
        ("<h1 class='>'>Quoted</h1>", "Quoted"),
        ("<!-- a comment --><html><h2>Only a second heading</h2>", "Only a second heading"),
    ] {
        let body = parse(page);
        assert_eq!((body.message.as_deref(), body.form), (Some(expected), BodyForm::Page), "{page}");
    }
    let empty = parse("<html></html>");
    assert_eq!((empty.message, empty.form), (None, BodyForm::Page));
    // Unclosed, endless and nested input must cause only a limited amount of work.
    parse("<html><title>".to_owned() + &"<b>".repeat(20_000));
    parse("<".repeat(60_000));
    parse("<html><script>".to_owned() + &"</".repeat(30_000));
    parse("&#".repeat(30_000));
}

#[test]
fn xml_says_its_code_and_message() {
    let s3 = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access &lt;Denied&gt;</Message>\
              <RequestId>4442587FB7D0A2F9</RequestId></Error>";
    says(s3, "AccessDenied: Access <Denied>");
    assert_eq!(parse(s3).form, BodyForm::Text);
    says("<Error><Message>No declaration</Message></Error>", "No declaration");
    says(
        "<soap:Envelope><soap:Body><soap:Fault><faultcode>soap:Server</faultcode><faultstring><![CDATA[It <failed>]]></faultstring>",
        "soap:Server: It <failed>",
    );
    says("<?xml version='1.0'?><answer><odd>Other names</odd></answer>", "Other names");
}

#[test]
fn other_encodings_are_read_and_what_is_no_text_says_nothing() {
    let wide = |text: &str, to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let json = r#"{"message":"Größe ungültig"}"#;
    says(wide(&format!("\u{feff}{json}"), u16::to_le_bytes), "Größe ungültig");
    says(wide(&format!("\u{feff}{json}"), u16::to_be_bytes), "Größe ungültig");
    says(wide(json, u16::to_le_bytes), "Größe ungültig");
    says(wide(json, u16::to_be_bytes), "Größe ungültig");
    says(format!("\u{feff}{json}"), "Größe ungültig");
    let latin: Vec<u8> = json.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    says(latin, "Größe ungültig");
    says(b"It\x92s \x80 5", "It’s € 5");
    says([json.as_bytes(), b"\xc3"].concat(), "Größe ungültig");
    says([b"\xe4\xbd\x99\xe9\xa2\x9d ".as_slice(), b"\xff"].concat(), "余额 \u{fffd}");
    for binary in [
        &b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56\xca\x4d"[..],
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0",
        &[0; 64],
        b"\xff\xfe",
    ] {
        assert_eq!(parse(binary), ErrorBody::default(), "{binary:?}");
    }
}

#[test]
fn the_key_is_nowhere_however_it_is_written() {
    let (one, two) = KEY.split_at(9);
    for body in [
        format!("your key {KEY} is wrong"),
        format!("{{\"message\":\"your key {KEY} is wrong\"}}"),
        r#"{"message":"your key \u0073k-cases-0123456789abcdef is wrong"}"#.to_owned(),
        r#"your key \u0073k-cases\u002d0123456789abcdef is wrong"#.to_owned(),
        r#"{"message":"your key \\u0073k-cases-0123456789abcdef is wrong"}"#.to_owned(),
        r#"{"error":"{\"message\":\"your key \\u0073k-cases-0123456789abcdef is wrong\"}"}"#.to_owned(),
        format!("<html><title>your key {one}<b>{two}</b> is wrong</title>"),
        format!("<html><h1>your key {one}<b></b>{two} is wrong</h1>"),
        "<html><h1>your key &#115;k-cases&#x2d;0123456789abcdef is wrong</h1>".to_owned(),
        "your key &#115;k-cases&#x2d;0123456789abcdef is wrong".to_owned(),
        format!("your key {one}\u{200b}{two} is wrong"),
        format!("your key {one}\n{two} is wrong"),
        format!("your key {one}\u{0}{two} is wrong"),
        "your key sk%2Dcases%2D0123456789abcdef is wrong".to_owned(),
        format!("<Error><Message>your key {KEY} is wrong</Message></Error>"),
        // Found even if no name is known.
        format!("{{\"x\":\"your key {KEY} is wrong\"}}"),
    ] {
        let said = parse(&body).message.unwrap();
        assert!(said.contains("<redacted>") && said.contains("is wrong"), "{body}: {said}");
        // Threat: key-printed
        assert!(!said.contains("0123456789abcdef"), "{body}: {said}");
    }
    // A response that ends inside the key.
    for end in 8..KEY.len() {
        for before in
            ["your key ", "{\"message\":\"your key ", "<html><title>your key ", "{\"x\":\"y\",\"message\":\"your key "]
        {
            let said = parse(format!("{before}{}", &KEY[..end])).message.unwrap();
            assert!(said.contains("<redacted>") && !said.contains("sk-cases"), "{said}");
        }
    }
    assert!(!parse(format!("{{\"requestId\":\"{one}\u{200b}{two}\"}}")).request_id.unwrap().contains("sk-cases"));
}

#[test]
fn the_vendors_forms_are_known_and_no_others_taken_for_them() {
    for vendor in [
        r#"{"title":"X","status":500,"message":"m","instance":"/","requestId":"r","timestamp":"x","error":{"name":"X","message":"m","data":{"kind":"k"}}}"#,
        r#"{"message":"m","path":"/","requestId":"r","statusCode":"502","timestamp":"x"}"#,
        r#"{"statusCode":500,"message":"m"}"#,
        r#"{"statusCode":500,"message":["m"],"error":"Internal Server Error"}"#,
    ] {
        assert!(parse(vendor).vendor_envelope, "{vendor}");
    }
    for other in [
        // Azure API Management, AWS Lambda, problem details of others, Alibaba, Vercel, a task's row, ours in a list or a text.
        r#"{"statusCode":500,"message":"Internal server error","activityId":"x"}"#,
        r#"{"errorMessage":"timed out","errorType":"X","requestId":"r"}"#,
        r#"{"type":"about:blank","title":"Bad Gateway","status":502,"traceId":"x"}"#,
        r#"{"requestId":"r","code":"InternalError","message":"m"}"#,
        r#"{"requestId":"r","message":"m"}"#,
        r#"{"title":"X","status":"failed","message":"m"}"#,
        r#"{"statusCode":"UNAVAILABLE","message":"m"}"#,
        r#"{"statusCode":null,"message":"m"}"#,
        r#"[{"statusCode":500,"message":"m"}]"#,
        r#""{\"statusCode\":500,\"message\":\"m\"}""#,
        r#"{"statusCode":500,"message":"m"} trailing"#,
        r#"{"error":{"statusCode":500,"message":"m"}}"#,
        "data: {\"statusCode\":500,\"message\":\"m\"}\n\n",
        "statusCode 500",
    ] {
        assert!(!parse(other).vendor_envelope, "{other}");
    }
}

#[test]
fn no_money_is_told_from_a_limit_that_passes() {
    for gone in [
        r#"{"error":{"name":"X","message":"Forbidden","data":{"kind":"err_insufficent_credits"}}}"#,
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        r#"{"error":{"message":"Billing hard limit has been reached","code":"billing_hard_limit_reached"}}"#,
        r#"{"message":"Insufficient credits"}"#,
        r#"{"error":{"message":"Insufficient Balance","type":"unknown_error"}}"#,
        r#"{"error":{"message":"Your credit balance is too low to access the API."}}"#,
        r#"{"detail":"User is locked. Reason: Exhausted balance."}"#,
        r#"{"error":"insufficient_credits"}"#,
        r#"{"errors":["You lack sufficient credits to make this request."]}"#,
        r#"{"code":"Arrearage","message":"Access denied."}"#,
        r#"{"error":{"message":"用户额度不足, 剩余额度: 0","code":"insufficient_user_quota"}}"#,
        r#"{"detail":{"status":"x","message":"You have 0 credits remaining, not enough credits"}}"#,
        "Insufficient credits",
    ] {
        let body = parse(gone);
        assert!(body.out_of_credits && !body.limit_passes, "{gone}: {body:?}");
    }
    for passing in [
        r#"{"error":{"message":"You exceeded your current quota. Please retry in 34.07s.","status":"RESOURCE_EXHAUSTED"}}"#,
        r#"{"message":"You have run out of credits for this minute"}"#,
        r#"{"error":{"message":"Rate limit reached: insufficient quota per day"}}"#,
    ] {
        let body = parse(passing);
        assert!(body.out_of_credits && body.limit_passes, "{passing}: {body:?}");
    }
    for neither in [
        r#"{"message":"Too many requests"}"#,
        r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#,
        // Servers repeat the request in quotes.
        r#"{"message":"Invalid prompt: \"a sign that says insufficient funds\""}"#,
        r#"{"message":"The balance of the picture is off"}"#,
        "<html><title>insufficient funds</title></html>",
    ] {
        assert!(!parse(neither).out_of_credits, "{neither}");
    }
}

#[test]
fn moderation_is_known_by_its_codes_in_other_gateways_forms() {
    for blocked in [
        r#"{"error":{"code":"moderation_blocked","message":"No"}}"#,
        r#"{"error":{"code":"content_policy_violation","message":"No"}}"#,
        r#"{"error":{"code":"BadRequest","message":"No","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        r#"{"error":{"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"code\":\"moderation_blocked\",\"message\":\"No\"}}"}}}"#,
        "Your request was rejected by the safety system",
    ] {
        assert!(parse(blocked).moderation, "{blocked}");
    }
    assert!(
        !parse(r#"{"message":"bad","error":{"data":[{"path":["moderation"],"message":"Invalid option"}]}}"#).moderation
    );
    assert!(!parse("<html><title>Our content policy</title></html>").moderation);
}

proptest! {
    /// Any sample, cut anywhere and with noise inserted, yields a printable message of limited length without the key.
    #[test]
    fn any_body_is_read_to_its_end(
        sample in 0..SAMPLES.len(),
        cut in 0..400_usize,
        noise in proptest::collection::vec(any::<u8>(), 0..6),
        goes_on in any::<bool>(),
    ) {
        let whole = SAMPLES[sample].replace("KEY", KEY).into_bytes();
        let cut = cut.min(whole.len());
        let rest = if goes_on { &whole[cut..] } else { &[] };
        let body = ErrorBody::parse(&[&whole[..cut], &noise, rest].concat(), &ApiKey::new(KEY, "a test").unwrap());
        let message = body.message.unwrap_or_default();
        prop_assert_eq!(text::printable(&message), message.clone());
        prop_assert!(message.chars().count() <= SHOWN_MAX + 1);
        prop_assert!(!message.contains(KEY));
    }
}

const SAMPLES: &[&str] = &[
    r#"{"title":"X","status":500,"message":"m KEY","error":{"message":"n","data":[{"path":["a",0],"message":"KEY"}]}}"#,
    r#"[{"detail":[{"loc":["body","n"],"msg":"value \u00e4 \ud83d\ude00 KEY"}]},"KEY"]"#,
    r#"{"error":"{\"error\":{\"message\":\"\\u0073k KEY\"}}","errors":{"n":["KEY"]}}"#,
    "<!DOCTYPE html><title>a KEY &amp; &#115;</title><script>'</h1>'</script><h1 class=\"KEY\">b <i>KEY</i></h1>Ray ID: KEY0",
    "<?xml version='1.0'?><Error><Code>C</Code><Message><![CDATA[KEY]]> &lt;</Message></Error>",
    "data: {\"message\": \"KEY\"}\n\ndata: [DONE]\n\n",
    "error code: 1010 KEY\r\n %73k-cases",
];
