//! What the API refuses, and how.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use gptimage_emulator::Emulator;
use support::*;

async fn emulator() -> Emulator {
    Emulator::builder().canned(&b"x"[..]).start().await.unwrap()
}

#[tokio::test]
async fn generate_refuses_what_the_api_refuses() {
    let emulator = emulator().await;
    let long = "é".repeat(32_000);
    let fields = |fields: &str| format!(r#"{{"model":"{MODEL}","prompt":"x",{fields}}}"#);
    let accepted = [
        fields(r#""n":1"#),
        fields(r#""n":1.0"#),
        fields(r#""size":"1536x1024","quality":"high","output_format":"webp","background":"transparent""#),
        fields(r#""moderation":"low","output_format":"jpeg","output_compression":0"#),
        fields(r#""output_format":"webp","output_compression":100"#),
        fields(r#""mask":"ignored","stream":true"#),
        format!(r#"{{"model":"gpt-image-2","prompt":"{long}"}}"#),
    ];
    for body in &accepted {
        let response = generate(&emulator, body).await;
        assert_eq!(response.status, 200, "{:.200} {}", body, response.text());
    }
    let refused = [
        (r#"{}"#.to_owned(), vec!["model", "prompt"]),
        (format!(r#"{{"model":"{MODEL}"}}"#), vec!["prompt"]),
        (format!(r#"{{"model":"{MODEL}","prompt":""}}"#), vec!["prompt"]),
        (format!(r#"{{"model":"{MODEL}","prompt":"{long}é"}}"#), vec!["prompt"]),
        (format!(r#"{{"model":"{MODEL}","prompt":7}}"#), vec!["prompt"]),
        (fields(r#""size":"auto""#), vec!["size"]),
        (fields(r#""size":null"#), vec!["size"]),
        (fields(r#""quality":"auto","output_format":"gif""#), vec!["quality", "output_format"]),
        (
            fields(r#""background":"green","moderation":"none","response_format":"path""#),
            vec!["background", "moderation", "response_format"],
        ),
        (fields(r#""n":2"#), vec!["n"]),
        (fields(r#""n":0"#), vec!["n"]),
        (fields(r#""n":"1""#), vec!["n"]),
        (fields(r#""n":1.5"#), vec!["n"]),
        (fields(r#""output_compression":101,"output_format":"jpeg""#), vec!["output_compression"]),
        (fields(r#""output_compression":-1,"output_format":"jpeg""#), vec!["output_compression"]),
        (fields(r#""output_compression":50"#), vec!["output_compression"]),
        (fields(r#""output_compression":100"#), vec!["output_compression"]),
        (fields(r#""output_format":"png","output_compression":100"#), vec!["output_compression"]),
        (fields(r#""output_format":"jpeg","background":"transparent""#), vec!["background"]),
        ("[]".to_owned(), vec![""]),
        ("{".to_owned(), vec![""]),
        (String::new(), vec![""]),
    ];
    for (body, paths) in &refused {
        let response = generate(&emulator, body).await;
        assert_eq!(response.status, 400, "{body:.200}");
        assert_eq!(response.header("content-type"), Some("application/problem+json; charset=utf-8"));
        assert_eq!(&response.issue_paths(), paths, "{body:.200}");
    }
    let unknown = generate(&emulator, r#"{"model":"dall-e-3","prompt":"x"}"#).await;
    assert_eq!((unknown.status, unknown.json()["error"]["data"]["kind"].as_str()), (404, Some("err_model_not_found")));
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), accepted.len() as u64);
    assert_eq!(emulator.ledger().len(), accepted.len() + refused.len() + 1);
}

#[tokio::test]
async fn generate_takes_json_only_and_not_too_much_of_it() {
    let emulator = emulator().await;
    let body = format!(r#"{{"model":"{MODEL}","prompt":"x"}}"#);
    for (content_type, status) in
        [("application/json; charset=utf-8", 200), ("text/plain", 415), ("multipart/form-data; boundary=x", 415)]
    {
        let head = head(&emulator, "POST", "/v1/images/generations", content_type, body.len(), "Connection: close\r\n");
        let response = call(&emulator, &[head.as_bytes(), body.as_bytes()].concat()).await;
        assert_eq!(response.status, status, "{content_type}");
    }
    let large = format!(r#"{{"model":"{MODEL}","prompt":"x","pad":"{}"}}"#, "x".repeat(5 << 20));
    assert_eq!(generate(&emulator, &large).await.status, 413);
}

#[tokio::test]
async fn edit_refuses_what_the_api_refuses() {
    let emulator = emulator().await;
    let image = png(8, 8, |_, _| [9, 9, 9, 255]);
    let open = png(8, 8, |x, _| [0, 0, 0, if x < 4 { 0 } else { 255 }]);
    let half = png(8, 8, |_, _| [0, 0, 0, 128]);
    let half_and_open = png(8, 8, |x, y| [0, 0, 0, if (x, y) == (7, 7) { 0 } else { 128 }]);
    // People see it 4 wide and 8 high.
    let photo = include_bytes!("../../../tests/fixtures/exif-6-8x4.jpg");
    let tall = png(4, 8, |_, _| [0; 4]);
    let turned = include_bytes!("../../../tests/fixtures/exif-6-mask-4x4.png");
    let file = |form: Form| form.file("image", "a.png", "image/png", &image);
    let many = |count: usize| (0..count).fold(Form::edit(), |form, _| file(form));
    let accepted = [
        many(16),
        file(Form::edit().text("n", "10").text("moderation", "ignored")),
        file(Form::edit()).file("mask", "mask.png", "image/png", &open),
        file(Form::edit()).file("mask", "mask.png", "image/png", &half_and_open),
        Form::edit().file("image", "a.jpg", "image/jpeg", photo),
        // What follows a picture's end is no part of it.
        Form::edit().file("image", "a.jpg", "image/jpeg", &[photo.as_slice(), &[0; 10_000]].concat()),
    ];
    let charges = accepted.len() as u64;
    for form in accepted {
        let response = call(&emulator, &form.request(&emulator)).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
    let large_mask = [open.as_slice(), &vec![0; 4 << 20]].concat();
    let refused = [
        (Form::new(), vec!["image", "model", "prompt"]),
        (Form::edit(), vec!["image"]),
        (many(17), vec!["image"]),
        (file(Form::edit().text("n", "11")), vec!["n"]),
        (file(Form::edit().text("n", "one")), vec!["n"]),
        (file(Form::edit().text("size", "1x1")), vec!["size"]),
        (file(Form::edit().text("prompt", "twice")), vec!["prompt"]),
        (file(Form::edit()).file("image", "b.png", "application/octet-stream", &image), vec!["image.1"]),
        (Form::edit().part("form-data; name=\"image\"; filename=\"a.png\"", None, &image), vec!["image.0"]),
        (Form::edit().part("form-data; name=\"image\"", Some("image/png"), &image), vec!["image.0"]),
        (Form::edit().text("image", "a.png"), vec!["image.0", "image.0", "image.0"]),
        (Form::edit().file("image", "a.gif", "image/gif", b"GIF89a......"), vec!["image.0", "image.0"]),
        (Form::edit().file("image", "a.png", "image/png", b""), vec!["image.0"]),
        (file(Form::edit()).file("mask", "m.png", "image/png", &image), vec!["mask"]),
        (file(Form::edit()).file("mask", "m.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"), vec!["mask"]),
        (file(Form::edit()).file("mask", "m.png", "image/png", &png(4, 8, |_, _| [0; 4])), vec!["mask"]),
        (file(Form::edit()).file("mask", "m.png", "image/png", &large_mask), vec!["mask"]),
        (file(Form::edit()).file("mask", "m.png", "image/png", &half), vec!["mask"]),
        (file(Form::edit()).file("mask", "m.png", "image/png", &open[..open.len() - 1]), vec!["mask"]),
        (Form::edit().file("image", "a.png", "image/png", &image[..image.len() - 1]), vec!["image.0"]),
        (file(Form::edit()).file("image", "b.jpg", "image/jpeg", &photo[..photo.len() - 2]), vec!["image.1"]),
        (
            Form::edit().file("image", "a.jpg", "image/jpeg", photo).file("mask", "m.png", "image/png", &tall),
            vec!["image.0"],
        ),
        (file(Form::edit()).file("mask", "m.png", "image/png", turned), vec!["mask"]),
        (
            file(Form::edit()).file("mask", "m.png", "image/png", &open).file("mask", "m.png", "image/png", &open),
            vec!["mask"],
        ),
    ];
    for (index, (form, paths)) in refused.iter().enumerate() {
        let response = call(&emulator, &form.clone().request(&emulator)).await;
        assert_eq!(response.status, 400, "{index} {}", response.text());
        // Threat: cannot-be-right
        assert_eq!(&response.issue_paths(), paths, "{index}");
    }
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), charges);
}

#[tokio::test]
async fn refused_files_are_told_in_cores_words() {
    let emulator = emulator().await;
    let image = png(4, 8, |_, _| [9, 9, 9, 255]);
    let photo = include_bytes!("../../../tests/fixtures/exif-6-8x4.jpg");
    let half = png(4, 8, |_, _| [0, 0, 0, 128]);
    let clear = png(4, 8, |_, _| [0; 4]);
    let masked = |image: &[u8], mask: &[u8]| {
        Form::edit().file("image", "a", "image/png", image).file("mask", "m.png", "image/png", mask)
    };
    for (form, words) in [
        (masked(&image, &half), "The file has no fully transparent pixel"),
        (masked(&image[..40], &clear), "The file is cut short after 40 bytes"),
        (masked(photo, &clear), "EXIF orientation 6"),
    ] {
        let response = call(&emulator, &form.request(&emulator)).await;
        assert!(response.status == 400 && response.text().contains(words), "{words}: {}", response.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_looked_at_to_their_end() {
    let emulator = emulator().await;
    let image = png(8, 8, |_, _| [9, 9, 9, 255]);
    let (start, end) = image.split_at(33);
    // A chunk that nobody knows, longer than what is kept of a file.
    let padding = vec![7; 9 << 20];
    let long = [start, &u32::try_from(padding.len()).unwrap().to_be_bytes(), b"abCd", &padding, &[0; 4], end].concat();
    for (file, status) in [(long.as_slice(), 200), (&long[..long.len() - 1], 400), (&long[..9 << 20], 400)] {
        let form = Form::edit().file("image", "a.png", "image/png", file);
        let response = call(&emulator, &form.request(&emulator)).await;
        assert_eq!(response.status, status, "{}", response.text());
    }
    // However much came before it, a mask is judged.
    let half = png(8, 8, |_, _| [0, 0, 0, 128]);
    let padded = [image.as_slice(), &vec![0; (7 << 20) + 500_000]].concat();
    let form = (0..9).fold(Form::edit(), |form, _| form.file("image[]", "a.png", "image/png", &padded));
    let response = call(&emulator, &form.file("mask", "m.png", "image/png", &half).request(&emulator)).await;
    assert_eq!((response.status, response.issue_paths()), (400, vec!["mask".to_owned()]), "{}", response.text());
}

#[tokio::test]
async fn edit_takes_forms_only() {
    let emulator = emulator().await;
    let body = format!(r#"{{"model":"{MODEL}","prompt":"x","image":"a"}}"#);
    for (content_type, status) in [("application/json", 415), ("multipart/form-data", 415)] {
        let head = head(&emulator, "POST", "/v1/images/edits", content_type, body.len(), "Connection: close\r\n");
        let response = call(&emulator, &[head.as_bytes(), body.as_bytes()].concat()).await;
        assert_eq!(response.status, status, "{content_type}");
    }
    let torn = String::from_utf8(Form::edit().request(&emulator)).unwrap().replace("--XyZ--", "--XyZ-!");
    let response = call(&emulator, torn.as_bytes()).await;
    assert_eq!((response.status, response.issue_paths()), (400, vec![String::new()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_images_pass_and_too_large_ones_do_not() {
    let emulator = emulator().await;
    let image = png(8, 8, |_, _| [9, 9, 9, 255]);
    let padded = |len: usize| [image.as_slice(), &vec![0; len - image.len()]].concat();
    let largest = padded(50 << 20);
    let form = Form::edit().file("image", "a.png", "image/png", &largest);
    assert_eq!(call(&emulator, &form.request(&emulator)).await.status, 200);
    let form = Form::edit().file("image", "a.png", "image/png", &padded((50 << 20) + 1));
    let response = call(&emulator, &form.request(&emulator)).await;
    assert_eq!((response.status, response.issue_paths()), (400, vec!["image.0".to_owned()]));
    emulator.wait_idle().await;
    assert!(emulator.requests()[0].body.is_none() && emulator.requests()[0].body_len > 50 << 20);
}
