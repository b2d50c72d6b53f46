use std::collections::HashMap;
use std::ffi::OsString;

use url::Url;

use super::{Proxy, Route, Routes};
use crate::error::{Error, ErrorKind};

const GATEWAY: &str = "https://api.aimlapi.com/v1/";

fn resolve(setting: &Proxy, base_url: &str, variables: &[(&str, &str)]) -> Result<Routes, Error> {
    let variables: HashMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    Routes::resolve(setting, &Url::parse(base_url).unwrap(), &|name| variables.get(name).cloned())
}

fn environment(variables: &[(&str, &str)]) -> Result<Routes, Error> {
    resolve(&Proxy::System, GATEWAY, variables)
}

fn given(url: &str) -> Result<Routes, Error> {
    resolve(&Proxy::Url { url: url.to_owned(), source: "--proxy".to_owned() }, GATEWAY, &[])
}

/// What the HTTP library is given for `url`.
fn way(routes: &Routes, url: &str) -> Option<String> {
    match routes.to(&Url::parse(url).unwrap()) {
        Route::Proxy(server) => Some(server.url(false)),
        Route::Direct(_) => None,
    }
}

#[test]
fn a_proxy_as_people_write_it() {
    for (written, read) in [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        (" http://proxy.example:3128/ \n", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example:80"),
        ("HTTP://Proxy.Example", "http://proxy.example:80"),
        ("https://proxy.example", "https://proxy.example:443"),
        ("socks://127.0.0.1:9", "socks5h://127.0.0.1:9"),
        ("SOCKS5://proxy.example", "socks5://proxy.example:1080"),
        ("socks5h://proxy.example:80", "socks5h://proxy.example:80"),
        ("socks4://127.0.0.1", "socks4://127.0.0.1:1080"),
        ("socks4a://proxy.example", "socks4a://proxy.example:1080"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("socks5h://[2001:db8::1]", "socks5h://[2001:db8::1]:1080"),
        ("http://user:pa%20ss@proxy.example:3128", "http://user:pa%20ss@proxy.example:3128"),
        ("http://us er", ""),
        ("user:p@ss@proxy.example:3128", "http://user:p%40ss@proxy.example:3128"),
        ("http://user@proxy.example:3128", "http://user@proxy.example:3128"),
        ("http://user:@proxy.example:3128", "http://user@proxy.example:3128"),
        ("socks5h://üser:pä\"ss@proxy.example", "socks5h://%C3%BCser:p%C3%A4%22ss@proxy.example:1080"),
        ("http://bücher.example", "http://xn--bcher-kva.example:80"),
        ("http://proxy.example:", "http://proxy.example:80"),
        ("http://proxy_1.example.:3128", "http://proxy_1.example.:3128"),
    ] {
        match given(written) {
            Ok(routes) => {
                for target in [GATEWAY, "http://gateway.example/", "http://127.0.0.1:8080/", "https://localhost/"] {
                    assert_eq!(way(&routes, target).as_deref(), Some(read), "{written}: a proxy in words is for all");
                }
            }
            Err(error) => assert!(read.is_empty(), "{written}: {error}"),
        }
    }
    let none = resolve(&Proxy::None, GATEWAY, &[("HTTPS_PROXY", "\"broken\"")]).unwrap();
    assert_eq!(way(&none, GATEWAY), None, "as was said, whatever the environment holds");
    for blank in ["", "  "] {
        let error = given(blank).unwrap_err();
        assert!(error.message().contains("--proxy") && error.message().contains("empty"), "{error}");
    }
}

#[test]
fn a_proxy_that_cannot_be_read_or_used_is_an_error_that_names_it_and_not_its_value() {
    const SECRET: &str = "hunter2";
    let long = format!("http://{SECRET}{}:80", "x".repeat(5000));
    for written in [
        "\"http://127.0.0.1:9\"",
        "'http://127.0.0.1:9'",
        "“http://127.0.0.1:9”",
        "\"http://127.0.0.1:9",
        "http://",
        "://127.0.0.1:9",
        "http:///127.0.0.1:9",
        "http://:3128",
        "http://user:hunter2@",
        "http://user:hunter2@:3128",
        "http://127.0.0.1:port",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:+80",
        "http:127.0.0.1:9",
        "socks5:127.0.0.1:9",
        "ftp://127.0.0.1:9",
        "socks6://127.0.0.1:9",
        "pac+http://proxy.example/proxy.pac",
        "http://proxy.example/proxy.pac",
        "http://proxy.example?x",
        "http://proxy.example#hunter2",
        "http://user:hunter2/x@proxy.example:3128",
        "http://user:1#hunter2@proxy.example:3128",
        "http://DOMAIN\\user:hunter2@proxy.example:3128",
        "http://127.0.0.1:9\nhttp://127.0.0.1:10",
        "http://127.0.0.1 :9",
        "http://127.0.0.1\u{200b}:9",
        "http://ho\"st:9",
        "socks5h://ho{st}:9",
        "socks5h://ho%22st:9",
        "http://300.1.1.1:9",
        "http://[::1:9",
        "http://...:9",
        "http://*:9",
        "http://a,b:9",
        "socks4://user:hunter2@127.0.0.1",
        "socks5://:hunter2@127.0.0.1",
        "http://user:%ff@127.0.0.1",
        long.as_str(),
    ] {
        let error = given(written).expect_err(written);
        // Threat: past-the-proxy
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = error.message();
        assert!(message.contains("--proxy") && message.lines().count() == 1, "{message}");
        assert!(!message.contains(SECRET) && !message.contains("127.0.0.1"), "{message}");
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            for base_url in [GATEWAY, "http://127.0.0.1:8080/v1/"] {
                let error = resolve(&Proxy::System, base_url, &[(name, written)]).expect_err(written);
                assert!(error.message().contains(name) && !error.message().contains(SECRET), "{error}");
            }
        }
    }
    let credentials = format!("socks5h://user:{}@127.0.0.1", "x".repeat(256));
    assert!(given(&credentials).is_err(), "SOCKS5 has a byte for its length");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_an_error_that_names_it() {
    use std::os::unix::ffi::OsStringExt;
    for name in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY"] {
        let lookup = |wanted: &str| match wanted {
            _ if wanted == name => Some(OsString::from_vec(b"http://\xff".to_vec())),
            "HTTPS_PROXY" => Some(OsString::from("http://proxy.example")),
            _ => None,
        };
        let error = Routes::resolve(&Proxy::System, &Url::parse(GATEWAY).unwrap(), &lookup).unwrap_err();
        assert!(error.message().contains(name), "{error}");
    }
}

#[test]
fn the_variables_decide_by_the_targets_scheme() {
    let (one, two, three) = ("http://one.example:1", "http://two.example:2", "socks5h://three.example:3");
    for (variables, https, http) in [
        (&[("HTTPS_PROXY", one)][..], Some(one), None),
        (&[("https_proxy", one)], Some(one), None),
        (&[("HTTP_PROXY", one)], None, Some(one)),
        (&[("http_proxy", one)], None, Some(one)),
        (&[("ALL_PROXY", three)], Some(three), Some(three)),
        (&[("all_proxy", three)], Some(three), Some(three)),
        (&[("HTTPS_PROXY", one), ("HTTP_PROXY", two), ("ALL_PROXY", three)], Some(one), Some(two)),
        (&[("HTTPS_PROXY", one), ("ALL_PROXY", three)], Some(one), Some(three)),
        (&[("HTTPS_PROXY", one), ("https_proxy", two)], Some(one), None),
        // What is blank is not set.
        (&[("HTTPS_PROXY", " "), ("https_proxy", two)], Some(two), None),
        (&[("HTTPS_PROXY", ""), ("ALL_PROXY", three)], Some(three), Some(three)),
        (&[], None, None),
    ] {
        let routes = environment(variables).unwrap();
        assert_eq!(way(&routes, GATEWAY).as_deref(), https, "{variables:?}");
        assert_eq!(way(&routes, "http://gateway.example").as_deref(), http, "{variables:?}");
        // The environment's proxies are not for this machine itself, as for Go.
        for this_machine in ["http://127.0.0.1:8080", "https://localhost", "http://a.localhost.", "http://[::1]"] {
            assert_eq!(way(&routes, this_machine), None);
        }
    }
}

#[test]
fn no_proxy_is_for_the_environments_proxies_alone() {
    let proxied = [("HTTPS_PROXY", "http://proxy.example")];
    for (no_proxy, direct) in [("*", true), ("aimlapi.com", true), ("aimlapi.com:443", true), ("other.example", false)]
    {
        for name in ["NO_PROXY", "no_proxy"] {
            let routes = environment(&[proxied[0], (name, no_proxy)]).unwrap();
            assert_eq!(way(&routes, GATEWAY).is_none(), direct, "{no_proxy}");
            let url = Url::parse(GATEWAY).unwrap();
            assert!(!direct || routes.to(&url).to_string().contains(name), "{}", routes.to(&url));
        }
    }
    let error = environment(&[proxied[0], ("NO_PROXY", "\"*\"")]).unwrap_err();
    assert!(error.message().contains("NO_PROXY"), "{error}");
    // One that was given in words is used whatever the environment says.
    let setting = Proxy::Url { url: "http://given.example".to_owned(), source: "--proxy".to_owned() };
    let routes = resolve(&setting, GATEWAY, &[("NO_PROXY", "*"), ("HTTPS_PROXY", "\"broken\"")]).unwrap();
    assert_eq!(way(&routes, GATEWAY).as_deref(), Some("http://given.example:80"));
}

#[test]
fn a_strangers_header_chooses_no_proxy_and_no_direct_way() {
    let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://stranger.example")];
    let error = resolve(&Proxy::System, "http://gateway.example/v1/", &cgi).unwrap_err();
    // Threat: cgi-proxy
    assert!(error.message().contains("HTTP_PROXY") && error.message().contains("REQUEST_METHOD"), "{error}");
    // Where it would not be used, it does not matter.
    assert_eq!(way(&resolve(&Proxy::System, GATEWAY, &cgi).unwrap(), GATEWAY), None);
    for own in ["http_proxy", "ALL_PROXY"] {
        let routes =
            resolve(&Proxy::System, "http://gateway.example/v1/", &[cgi[0], cgi[1], (own, "http://own.example")])
                .unwrap();
        assert_eq!(way(&routes, "http://gateway.example").as_deref(), Some("http://own.example:80"), "{own}");
    }
}

#[test]
fn user_and_password_are_shown_nowhere() {
    let routes = given("http://user:hunter2@proxy.example:3128").unwrap();
    let route = routes.to(&Url::parse(GATEWAY).unwrap());
    assert_eq!(route.to_string(), "http://proxy.example:3128, from --proxy");
    let shown = format!("{routes:?} {route:?}");
    // Threat: proxy-password
    assert!(!shown.contains("hunter2") && !shown.contains("user"), "{shown}");
}

#[test]
fn names_of_addresses_are_not_looked_up() {
    let routes = given("socks5://user:pass@proxy.example").unwrap();
    let Route::Proxy(server) = routes.to(&Url::parse(GATEWAY).unwrap()) else { panic!() };
    assert_eq!(server.url(false), "socks5://user:pass@proxy.example:1080");
    assert_eq!(server.url(true), "socks5h://user:pass@proxy.example:1080");
}

proptest::proptest! {
    /// The HTTP library drops a URL that it cannot read, and goes directly: it never gets one.
    #[test]
    fn what_is_accepted_is_what_any_parser_can_read(
        text in "(?i)(http|https|socks|socks4|socks4a|socks5|socks5h|ftp)?(://)?\\PC{0,12}[:@]?\\PC{0,12}(@| )?(proxy|127\\.0\\.0\\.1|\\[::1\\]|\\PC{0,6})(:[0-9]{0,6})?/?",
    ) {
        let Ok(routes) = given(&text) else { return Ok(()) };
        let Some(url) = way(&routes, GATEWAY) else {
            proptest::prop_assert!(text.trim().is_empty(), "{text:?} became the direct way");
            return Ok(());
        };
        let plain = |char: char| char.is_ascii_alphanumeric() || "-._~:/[]@!$&'()*+,;=%".contains(char);
        proptest::prop_assert!(url.chars().all(plain) && url.len() < 65_000, "{text:?}: {url}");
        let read = Url::parse(&url).unwrap();
        let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
        proptest::prop_assert!(known.contains(&read.scheme()) && read.has_host(), "{text:?}: {url}");
        let digits = url.rsplit(':').next().unwrap();
        proptest::prop_assert!(digits.parse::<u16>().is_ok_and(|port| port > 0), "{text:?}: {url}");
    }
}
