//! From the answer to pictures that are where they were asked to be.

use std::path::Path;

use gptimage_core::{
    Charge, EditRequest, ErrorKind, GenerateRequest, Image, ImageFormat, ImageInput, OutputFormat, ResponseFormat,
    SaveTo, Size,
};
use gptimage_emulator::{CdnFault, Cut, Emulator, Side};

use crate::common::{client, config, judge, padded_png, pessimistic, request, request_by_url, start};
use crate::skipped::skipped;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_format_and_size_comes_in_memory_and_by_url() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    for (output, format) in [
        (OutputFormat::Png, ImageFormat::Png),
        (OutputFormat::Jpeg, ImageFormat::Jpeg),
        (OutputFormat::Webp, ImageFormat::Webp),
    ] {
        for response in [ResponseFormat::Url, ResponseFormat::B64Json] {
            let request = GenerateRequest::builder("A T-Rex")
                .size(Size::Portrait)
                .output_format(output.clone())
                .response_format(response.clone())
                .build()
                .unwrap();
            let generated = client.generate(&request).send().await.unwrap();
            let image = generated.image().unwrap();
            assert_eq!((image.format(), image.dimensions()), (Some(format), Some((1024, 1536))));
            assert_eq!(image.url().is_some(), response == ResponseFormat::Url);
            assert!(generated.warnings().is_empty(), "{:?}", generated.warnings());
            assert_eq!(generated.cost().unwrap().usd.unwrap().to_string(), "0.0536705");
        }
    }
}

#[tokio::test]
async fn a_result_is_an_input() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let in_memory = client.generate(&request()).send().await.unwrap().into_images();
    let in_file = client.generate(&request()).save_to(folder.path()).send().await.unwrap().into_images();
    let images = in_memory.into_iter().chain(in_file).map(ImageInput::from);
    let edit = EditRequest::builder("Both", images).n(2).build().unwrap();
    assert_eq!(client.edit(&edit).send().await.unwrap().images().len(), 2);
    assert_eq!(emulator.ledger().last().unwrap().input_images, 2);

    let unfetched = client.generate(&request_by_url()).fetch(false).send().await.unwrap().into_images();
    let error = EditRequest::builder("None", unfetched).build().unwrap_err();
    assert!(error.to_string().contains("fetch it first"), "{error}");
}

#[tokio::test]
async fn many_pictures_get_numbers_in_their_order() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    for response in [ResponseFormat::Url, ResponseFormat::B64Json] {
        let folder = tempfile::tempdir().unwrap();
        let edit = EditRequest::builder("Crowns", [ImageInput::bytes(padded_png(100))])
            .n(3)
            .response_format(response)
            .build()
            .unwrap();
        let generated = client.edit(&edit).save_to(folder.path().join("crown.png")).send().await.unwrap();
        assert_eq!(names(folder.path()), ["crown-1.png", "crown-2.png", "crown-3.png"]);
        let in_memory = client.edit(&edit).send().await.unwrap();
        for (saved, kept) in generated.images().iter().zip(in_memory.images()) {
            assert_eq!(saved.read().unwrap(), kept.bytes().unwrap().clone());
        }
    }
}

#[tokio::test]
async fn names_are_kept_completed_or_made() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);

    let generated = client.generate(&request()).save_to(path("t-rex")).send().await.unwrap();
    assert_eq!(generated.image().unwrap().path(), Some(path("t-rex.png").as_path()), "a missing extension is added");

    let generated = client.generate(&request()).save_to(path("t-rex.gif")).send().await.unwrap();
    assert_eq!(generated.image().unwrap().path(), Some(path("t-rex.gif").as_path()), "a lying one is kept");
    assert_eq!(generated.warnings()[0].kind(), "lying_extension");

    let made = client.generate(&request()).save_to(folder.path()).send().await.unwrap();
    let name = made.image().unwrap().path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("gptimage-") && name.ends_with("-1.png"), "{name}");
    assert_eq!(names(folder.path()).len(), 3, "nothing else is left in the folder");
}

/// The request is valid before its target is known.
#[tokio::test]
async fn no_name_of_the_servers_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("pictures");
    std::fs::create_dir(&target).unwrap();
    for path in ["/evil.sh", "/%2e%2e%2f%2e%2e%2fevil.png", "/..%5cevil.png", "//evil.png?name=/evil.png", "/C:evil"] {
        let emulator = pessimistic().await;
        let url = format!("{}{path}", emulator.cdn_url());
        let data = serde_json::json!({"data": [{"url": url, "filename": "../evil.png", "name": "evil.png"}]});
        emulator.fault(gptimage_emulator::Fault::success_body(data.to_string()));
        let bytes = padded_png(1000);
        let names = "Content-Disposition: attachment; filename=\"../evil.sh\"; filename*=UTF-8''..%2Fevil.sh";
        let head = format!("HTTP/1.1 200 OK\r\n{names}\r\nContent-Length: {}\r\n\r\n", bytes.len());
        emulator.cdn_fault(CdnFault::raw([head.as_bytes(), &bytes].concat()));
        let made = client(&emulator).generate(&request_by_url()).save_to(&target).send().await.unwrap();
        let saved = made.image().unwrap().path().unwrap();
        let name = saved.file_name().unwrap().to_str().unwrap();
        // Threat: servers-names
        assert!(name.starts_with("gptimage-") && name.ends_with(".png") && !name.contains("evil"), "{path}: {name}");
        assert_eq!((saved.parent(), std::fs::read(saved).unwrap()), (Some(target.as_path()), bytes), "{path}");
    }
    assert_eq!((names(folder.path()), names(&target).len()), (vec!["pictures".to_owned()], 5));
}

#[tokio::test]
async fn a_cut_answer_leaves_nothing_under_the_final_name() {
    for (by_url, after) in [(false, 0), (false, 1000), (false, 20_000), (true, 0), (true, 1000), (true, 20_000)] {
        for cut in [Cut::Fin, Cut::Rst] {
            let emulator = pessimistic().await;
            let folder = tempfile::tempdir().unwrap();
            if by_url {
                emulator.cdn_fault(CdnFault::cut(after, cut).always());
            } else {
                emulator.fault(gptimage_emulator::Fault::cut_response(after, cut));
            }
            let request = if by_url { request_by_url() } else { request() };
            let outcome = client(&emulator).generate(&request).save_to(folder.path().join("t-rex.png")).send().await;
            judge(&emulator, &outcome, 1).await;
            assert!(outcome.is_err(), "{after} {cut:?}: the answer was not cut");
            // Threat: half-a-picture
            assert!(!folder.path().join("t-rex.png").exists(), "{after} {cut:?}: {:?}", names(folder.path()));
        }
    }
}

#[tokio::test]
async fn the_targets_extension_decides_the_format_or_is_contradicted_before_money_is_spent() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, format) in [
        ("a.jpg", ImageFormat::Jpeg),
        ("b.JPEG", ImageFormat::Jpeg),
        ("c.webp", ImageFormat::Webp),
        ("d.png", ImageFormat::Png),
    ] {
        let generated = client.generate(&request()).save_to(path(name)).send().await.unwrap();
        assert_eq!(generated.image().unwrap().format(), Some(format), "{name}");
        assert!(generated.warnings().is_empty(), "{:?}", generated.warnings());
    }
    let edit = EditRequest::builder("Crowns", [ImageInput::bytes(padded_png(100))]).n(2).build().unwrap();
    let generated = client.edit(&edit).save_to(path("e.jpg")).send().await.unwrap();
    assert!(generated.images().iter().all(|image| image.format() == Some(ImageFormat::Jpeg)));
    let charges = emulator.charges();

    // A folder of such a name is no file of that format.
    std::fs::create_dir(path("folder.jpg")).unwrap();
    let shown = client.generate(&request()).save_to(path("folder.jpg")).dry_run().unwrap();
    assert!(!shown.contains("output_format"), "{shown}");
    let shown = client.generate(&request()).save_to(path("new.jpg")).dry_run().unwrap();
    assert!(shown.contains(r#""output_format":"jpeg""#), "{shown}");

    let png = GenerateRequest::builder("A T-Rex").output_format(OutputFormat::Png).build().unwrap();
    let clear = GenerateRequest::builder("A T-Rex").background("transparent").build().unwrap();
    for (request, param) in [(&png, "output_format"), (&clear, "background")] {
        for error in [
            client.generate(request).save_to(path("new.jpg")).send().await.unwrap_err(),
            client.generate(request).save_to(path("new.jpg")).dry_run().unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.violations().len()), (ErrorKind::InvalidRequest, 1), "{error}");
            let violation = &error.violations()[0];
            assert_eq!((violation.param(), violation.rule().as_str()), (param, "conflict"), "{error}");
            assert!(error.message().contains("new.jpg"), "{error}");
        }
    }
    // What is said with the request is judged with it, in any order.
    let request = GenerateRequest::builder("A T-Rex").output_compression(50).output_format_from("new.jpg").build();
    assert_eq!(request.unwrap().output_format(), Some(&OutputFormat::Jpeg));
    // Threat: cannot-be-right
    assert_eq!(emulator.charges(), charges);
}

#[tokio::test]
async fn inputs_that_are_to_be_turned_and_masks_that_are_half_transparent_are_told() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let photo = ImageInput::bytes(&include_bytes!("../../../../tests/fixtures/exif-6-8x4.jpg")[..]);
    let upright = ImageInput::bytes(&include_bytes!("../../../../tests/fixtures/exif-1-4x4.jpg")[..]);
    let mask = ImageInput::bytes(&include_bytes!("../../../../tests/fixtures/half-and-clear-4x4.png")[..]);
    assert_eq!(photo.dimensions().unwrap(), (4, 8), "as people see it");
    let edit = EditRequest::builder("Both", [upright, photo.clone()]).mask(mask).build().unwrap();
    let generated = client.edit(&edit).send().await.unwrap();
    let warnings: Vec<_> = generated.warnings().iter().map(|warning| (warning.kind(), warning.message())).collect();
    assert_eq!([warnings[0].0, warnings[1].0], ["exif_orientation", "half_transparent_mask"], "{warnings:?}");
    assert!(warnings[0].1.starts_with("image[1]: ") && warnings[0].1.contains("EXIF orientation 6"), "{warnings:?}");

    let plain = EditRequest::builder("Both", [photo]).build().unwrap();
    assert_eq!(client.edit(&plain).send().await.unwrap().warnings()[0].kind(), "exif_orientation");
}

#[cfg(unix)]
#[tokio::test]
async fn overwriting_keeps_permissions_and_no_one_else_reads_what_comes() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str| std::fs::metadata(path(name)).unwrap().permissions().mode() & 0o7777;
    let old = |name: &str, mode: u32| {
        std::fs::write(path(name), "old").unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for permissions in [0o600, 0o640, 0o664, 0o666, 0o444] {
        old("a.png", permissions);
        client.generate(&request()).save_to(SaveTo::from(path("a.png")).overwrite(true)).send().await.unwrap();
        assert_eq!(mode("a.png"), permissions, "{permissions:o}");
        assert!(std::fs::metadata(path("a.png")).unwrap().len() > 3);
        let image = client.generate(&request()).send().await.unwrap().into_images().remove(0);
        image.save(SaveTo::from(path("a.png")).overwrite(true)).unwrap();
        assert_eq!(mode("a.png"), permissions, "{permissions:o}");
    }
    // Through a link, without an extension and with numbers too.
    old("b.png", 0o600);
    symlink("b.png", path("link.png")).unwrap();
    client.generate(&request()).save_to(SaveTo::from(path("link.png")).overwrite(true)).send().await.unwrap();
    client.generate(&request()).save_to(SaveTo::from(path("b")).overwrite(true)).send().await.unwrap();
    assert_eq!(mode("b.png"), 0o600);
    old("c-1.png", 0o600);
    old("c-2.png", 0o640);
    let edit = EditRequest::builder("Crowns", [ImageInput::bytes(padded_png(100))]).n(2).build().unwrap();
    client.edit(&edit).save_to(SaveTo::from(path("c.png")).overwrite(true)).send().await.unwrap();
    assert_eq!((mode("c-1.png"), mode("c-2.png")), (0o600, 0o640));

    // While the picture comes, its file permits no more than the one that it replaces.
    emulator.fault(gptimage_emulator::Fault::delay(std::time::Duration::from_millis(300)));
    let call = client.generate(&request()).save_to(SaveTo::from(path("b.png")).overwrite(true));
    let call = tokio::spawn(call.send());
    let part = loop {
        let part = std::fs::read_dir(folder.path())
            .unwrap()
            .map(Result::unwrap)
            .find(|entry| entry.file_name().to_string_lossy().ends_with(".part"));
        if let Some(part) = part {
            break part.metadata().unwrap();
        }
        assert!(!call.is_finished(), "there was no file on its way");
        tokio::task::yield_now().await;
    };
    // Threat: private-file
    assert_eq!(part.mode() & 0o077, 0);
    call.await.unwrap().unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_stays_a_link_wherever_it_leads() {
    use std::os::unix::fs::symlink;
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("elsewhere")).unwrap();
    symlink("elsewhere/made.png", path("second.png")).unwrap();
    symlink(path("second.png"), path("first.png")).unwrap();
    let generated =
        client.generate(&request()).save_to(SaveTo::from(path("first.png")).overwrite(true)).send().await.unwrap();
    assert!(path("first.png").is_symlink() && path("second.png").is_symlink());
    assert!(path("elsewhere/made.png").metadata().unwrap().is_file());
    assert!(generated.image().unwrap().path().unwrap().ends_with("elsewhere/made.png"));

    symlink("missing/folder.png", path("nowhere.png")).unwrap();
    symlink("circle.png", path("circle.png")).unwrap();
    symlink("elsewhere/made.png", path("numbered-2.png")).unwrap();
    symlink("elsewhere/made.png", path("added.webp")).unwrap();
    symlink("elsewhere/new.png", path("careful.png")).unwrap();
    let charges = emulator.charges();
    let edit = EditRequest::builder("Crowns", [ImageInput::bytes(padded_png(100))]).n(2).build().unwrap();
    for (error, words) in [
        (
            client.generate(&request()).save_to(SaveTo::from(path("nowhere.png")).overwrite(true)).send().await,
            "missing",
        ),
        (
            client.generate(&request()).save_to(SaveTo::from(path("circle.png")).overwrite(true)).send().await,
            "circle.png",
        ),
        (client.generate(&request()).save_to(SaveTo::from(path("added")).overwrite(true)).send().await, "a link"),
        (client.edit(&edit).save_to(SaveTo::from(path("numbered.png")).overwrite(true)).send().await, "a link"),
        (client.generate(&request()).save_to(path("careful.png")).send().await, "exists"),
    ] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.message().contains(words), "{error}");
    }
    assert_eq!(emulator.charges(), charges);
}

#[tokio::test]
async fn what_stands_in_the_way_is_found_before_anything_is_sent() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken.png");
    std::fs::write(&taken, "mine").unwrap();
    let mut targets = vec![
        SaveTo::from(&taken),
        SaveTo::from(folder.path().join("missing/t-rex.png")),
        SaveTo::from(format!("{}/missing/", folder.path().display())),
    ];
    #[cfg(unix)]
    {
        let link = folder.path().join("link.png");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        targets.push(SaveTo::from(link));
        let fifo = folder.path().join("fifo.png");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        targets.push(SaveTo::from(fifo).overwrite(true));
        targets.push(SaveTo::from("/proc/t-rex.png"));
    }
    for target in targets {
        let shown = format!("{target:?}");
        let error = client.generate(&request()).save_to(target).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{shown}: {error}");
        assert!(error.attempts().is_empty());
    }
    // Threat: target-exists
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "mine");
    assert!(emulator.ledger().is_empty());
}

#[tokio::test]
async fn overwriting_is_asked_for_in_words_and_keeps_links() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t-rex.png");
    std::fs::write(&path, "old").unwrap();
    client.generate(&request()).save_to(SaveTo::from(&path).overwrite(true)).send().await.unwrap();
    assert_eq!(ImageFormat::sniff(&std::fs::read(&path).unwrap()), Some(ImageFormat::Png));
    #[cfg(unix)]
    {
        let link = folder.path().join("link.png");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        std::fs::write(&path, "old").unwrap();
        client.generate(&request()).save_to(SaveTo::from(&link).overwrite(true)).send().await.unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(ImageFormat::sniff(&std::fs::read(&path).unwrap()), Some(ImageFormat::Png));
    }
}

#[tokio::test]
async fn a_target_that_appears_meanwhile_is_stepped_over() {
    let emulator = pessimistic().await;
    emulator.fault(gptimage_emulator::Fault::delay(std::time::Duration::from_millis(200)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t-rex.png");
    let client = client(&emulator);
    let request = request();
    let call = client.generate(&request).save_to(&path).send();
    let appear = async {
        while emulator.ledger().is_empty() {
            tokio::task::yield_now().await;
        }
        std::fs::write(&path, "mine").unwrap();
    };
    let (outcome, ()) = tokio::join!(call, appear);
    let generated = outcome.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(generated.image().unwrap().path(), Some(folder.path().join("t-rex-1.png").as_path()));
    assert_eq!(generated.warnings()[0].kind(), "target_appeared");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_turns_the_destination_into_memory() {
    // A file system of 64 KiB; without the right to mount one there is nothing to test.
    let folder = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(folder.path())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        return skipped("a full disk turns the destination into memory", "no file system can be mounted here");
    }
    for by_url in [false, true] {
        let emulator = pessimistic().await;
        let request = if by_url { request_by_url() } else { request() };
        let outcome = client(&emulator).generate(&request).save_to(folder.path().join("t-rex.png")).send().await;
        judge(&emulator, &outcome, 1).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Io, gptimage_core::Charge::Charged), "{error}");
        let image = error.generated().unwrap().image().unwrap();
        // Threat: disk-broken
        assert_eq!(image.dimensions(), Some((1024, 1024)), "the whole picture is in memory");
        assert!(names(folder.path()).is_empty(), "no half file is left: {:?}", names(folder.path()));
    }
    assert!(std::process::Command::new("umount").arg(folder.path()).status().unwrap().success());
}

#[tokio::test]
async fn an_image_can_be_saved_later() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = client(&emulator);
    let image: Image = client.generate(&request()).send().await.unwrap().into_images().remove(0);
    let path = image.save(folder.path().join("a")).unwrap();
    assert_eq!(path, folder.path().join("a.png"));
    assert_eq!(image.save(&path).unwrap_err().kind(), ErrorKind::Io, "nothing is overwritten");
    image.save(SaveTo::from(&path).overwrite(true)).unwrap();
    let there = image.save(folder.path()).unwrap();
    assert_eq!(std::fs::read(there).unwrap(), image.bytes().unwrap()[..]);

    let linked = client.generate(&request_by_url()).fetch(false).send().await.unwrap();
    assert_eq!(linked.image().unwrap().save(folder.path()).unwrap_err().kind(), ErrorKind::DownloadFailed);
    let fetched = client.fetch_to(linked.image().unwrap(), folder.path().join("b.png")).await.unwrap();
    assert_eq!(fetched.path(), Some(folder.path().join("b.png").as_path()));
}

#[tokio::test]
async fn a_download_survives_what_passes() {
    for (fault, resumed) in [
        (CdnFault::not_found(3), false),
        (CdnFault::status(503).times(2), false),
        (CdnFault::cut(100_000, Cut::Fin), true),
        (CdnFault::cut(100_000, Cut::Rst), true),
        (CdnFault::cut(10, Cut::Fin), false),
        (CdnFault::body("<html>not yet</html>"), false),
    ] {
        let emulator = pessimistic().await;
        let shown = format!("{fault:?}");
        emulator.cdn_fault(fault);
        let folder = tempfile::tempdir().unwrap();
        let outcome = client(&emulator).generate(&request_by_url()).save_to(folder.path().join("t.png")).send().await;
        judge(&emulator, &outcome, 1).await;
        let bytes = outcome.unwrap_or_else(|error| panic!("{shown}: {error:?}")).image().unwrap().read().unwrap();
        let plain = client(&emulator).generate(&request_by_url()).send().await.unwrap();
        assert_eq!(&bytes, plain.image().unwrap().bytes().unwrap(), "{shown}");
        let ranges = emulator.requests().iter().any(|seen| seen.side == Side::Cdn && seen.header("range").is_some());
        assert_eq!(ranges, resumed, "{shown}");
    }
}

#[tokio::test]
async fn a_server_that_gets_ranges_wrong_is_asked_from_the_start() {
    for fault in [CdnFault::ignore_range(), CdnFault::wrong_range(7)] {
        let emulator = pessimistic().await;
        let shown = format!("{fault:?}");
        emulator.cdn_fault(CdnFault::cut(100_000, Cut::Fin));
        emulator.cdn_fault(fault);
        let client = client(&emulator);
        let generated =
            client.generate(&request_by_url()).send().await.unwrap_or_else(|error| panic!("{shown}: {error:?}"));
        let plain = client.generate(&request_by_url()).send().await.unwrap();
        assert_eq!(generated.image().unwrap().bytes(), plain.image().unwrap().bytes(), "{shown}");
    }
}

#[tokio::test]
async fn a_hostile_download_ends() {
    let endless = CdnFault::raw_endless("HTTP/1.1 200 OK\r\n\r\n\u{89}PNG", vec![0; 1 << 16]);
    for fault in [
        endless,
        CdnFault::raw("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
        CdnFault::redirect("/loop"),
        CdnFault::redirect("file:///etc/passwd"),
        CdnFault::redirect("http://user@127.0.0.1/"),
        CdnFault::status(403),
    ] {
        let emulator = pessimistic().await;
        let shown = format!("{fault:?}");
        emulator.cdn_fault(fault.always());
        let client = config(&emulator).max_image_bytes(1 << 20).build().unwrap();
        let outcome = client.generate(&request_by_url()).send().await;
        judge(&emulator, &outcome, 1).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::DownloadFailed, "{shown}");
    }
}

#[tokio::test]
async fn a_public_gateways_links_to_private_addresses_are_not_opened() {
    // The gateway is reached under a name, through a proxy that is the emulator: so it counts as public.
    let emulator = start(Emulator::builder()).await;
    let proxy = emulator.base_url().trim_end_matches("/v1").to_owned();
    let config = config(&emulator).base_url("http://gateway.example").allow_http(true).proxy(proxy);
    let error = config.build().unwrap().generate(&request_by_url()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DownloadFailed, "{error}");
    assert!(error.message().contains("private address"), "{error}");
    // Threat: request-forgery
    assert!(emulator.requests().iter().all(|request| request.side == Side::Api));
}

#[tokio::test]
async fn a_name_that_is_too_long_is_refused_before_paying() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let call = client(&emulator).generate(&request()).save_to(folder.path().join("x".repeat(300) + ".png"));
    let error = call.send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.charge(), error.attempts().len()),
        (ErrorKind::Io, Charge::NotCharged, 0),
        "{error}"
    );
    assert_eq!(emulator.charges(), 0);
}
