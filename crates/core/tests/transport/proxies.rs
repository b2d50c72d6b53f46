//! Proxies over real sockets: HTTP, HTTPS and SOCKS, and that nothing ever goes past one that was asked for.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use gptimage_core::{Charge, ErrorKind, Image};
use gptimage_emulator::{Billing, CdnFault, Cut, Emulator, Fault};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::common::{config, judge, pessimistic, request, request_by_url};
use crate::network::{acceptor, address, ca, tls};

/// What a proxy was asked for: a line each.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Where a proxy leads for a host and a port.
type Leads = Arc<dyn Fn(&str, u16) -> String + Send + Sync>;

/// The gateway's name leads to this address, everything else to where it says.
fn gateway_at(to: String) -> Leads {
    Arc::new(move |host, port| if host.starts_with("gateway.example") { to.clone() } else { format!("{host}:{port}") })
}

/// What a SOCKS proxy demands.
#[derive(Clone, Copy, PartialEq)]
enum Login {
    Free,
    Wanted(&'static str, &'static str),
    Refused,
}

#[derive(Clone)]
enum Kind {
    /// With this answer to CONNECT.
    Http(&'static str),
    Https(&'static str, TlsAcceptor),
    Socks(Login),
}

const CONNECTED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// Starts a proxy; its port, and what it is asked for.
async fn start(kind: Kind, leads: Leads) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let shown = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (kind, leads, seen) = (kind.clone(), leads.clone(), shown.clone());
            tokio::spawn(async move {
                match kind {
                    Kind::Http(answer) => serve_http(&mut socket, answer, &leads, &seen).await,
                    Kind::Https(answer, acceptor) => {
                        serve_http(&mut acceptor.accept(socket).await?, answer, &leads, &seen).await
                    }
                    Kind::Socks(login) => serve_socks(&mut socket, login, &leads, &seen).await,
                }
            });
        }
    });
    (port, seen)
}

async fn serve_http<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut S,
    answer: &str,
    leads: &Leads,
    seen: &Seen,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let login = rest.lines().find(|line| line.to_ascii_lowercase().starts_with("proxy-authorization:"));
    let login = login.map(|line| line.split_once(": ").unwrap().1.to_owned()).unwrap_or_default();
    let (method, target) = line.strip_suffix(" HTTP/1.1").unwrap().split_once(' ').unwrap();
    seen.add(format!("{method} {target} {login}").trim_end().to_owned());
    let place = target.strip_prefix("http://").unwrap_or(target).split('/').next().unwrap();
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "80"));
    let mut server = TcpStream::connect(leads(host, port.parse().unwrap())).await?;
    if method == "CONNECT" {
        socket.write_all(answer.as_bytes()).await?;
        if answer != CONNECTED {
            return socket.shutdown().await;
        }
    } else {
        // The origin's form of the target is what a proxy sends on.
        let path = target.splitn(4, '/').nth(3).unwrap();
        let own = |line: &&str| !line.to_ascii_lowercase().starts_with("proxy-authorization:");
        let rest: String = rest.split_inclusive("\r\n").filter(own).collect();
        server.write_all(format!("{method} /{path} HTTP/1.1\r\n{rest}").as_bytes()).await?;
    }
    copy_bidirectional(socket, &mut server).await.map(drop)
}

async fn zero_ended(socket: &mut TcpStream) -> std::io::Result<String> {
    let mut text = Vec::new();
    loop {
        match socket.read_u8().await? {
            0 => return Ok(String::from_utf8(text).unwrap()),
            byte => text.push(byte),
        }
    }
}

async fn counted(socket: &mut TcpStream) -> std::io::Result<String> {
    let mut text = vec![0; usize::from(socket.read_u8().await?)];
    socket.read_exact(&mut text).await?;
    Ok(String::from_utf8(text).unwrap())
}

/// SOCKS 4, 4a and 5 (RFC 1928, RFC 1929).
async fn serve_socks(socket: &mut TcpStream, login: Login, leads: &Leads, seen: &Seen) -> std::io::Result<()> {
    let version = socket.read_u8().await?;
    let mut user = String::new();
    let (kind, host, port);
    if version == 4 {
        assert_eq!(socket.read_u8().await?, 1, "CONNECT");
        port = socket.read_u16().await?;
        let address = socket.read_u32().await?;
        zero_ended(socket).await?;
        (kind, host) = if (1..256).contains(&address) {
            ("name", zero_ended(socket).await?)
        } else {
            ("address", Ipv4Addr::from_bits(address).to_string())
        };
    } else {
        let mut methods = vec![0; usize::from(socket.read_u8().await?)];
        socket.read_exact(&mut methods).await?;
        match login {
            Login::Free if methods.contains(&0) => socket.write_all(&[5, 0]).await?,
            Login::Wanted(..) if methods.contains(&2) => {
                socket.write_all(&[5, 2]).await?;
                assert_eq!(socket.read_u8().await?, 1);
                let given = (counted(socket).await?, counted(socket).await?);
                let known = login == Login::Wanted(given.0.clone().leak(), given.1.clone().leak());
                socket.write_all(&[1, u8::from(!known)]).await?;
                if !known {
                    seen.add(format!("refused {}", given.0));
                    return Ok(());
                }
                user = format!(" for {}:{}", given.0, given.1);
            }
            _ => {
                seen.add("refused".to_owned());
                return socket.write_all(&[5, 0xff]).await;
            }
        }
        let mut request = [0; 4];
        socket.read_exact(&mut request).await?;
        assert_eq!(request[..3], [5, 1, 0], "CONNECT");
        (kind, host) = match request[3] {
            1 => ("address", Ipv4Addr::from_bits(socket.read_u32().await?).to_string()),
            3 => ("name", counted(socket).await?),
            _ => ("address", Ipv6Addr::from_bits(socket.read_u128().await?).to_string()),
        };
        port = socket.read_u16().await?;
    }
    seen.add(format!("socks{version} {kind} {host}:{port}{user}"));
    let server = TcpStream::connect(leads(&host, port)).await;
    let answer = match (version, server.is_ok()) {
        (4, true) => &[0, 90, 0, 0, 0, 0, 0, 0][..],
        (4, false) => &[0, 91, 0, 0, 0, 0, 0, 0],
        (_, true) => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        (_, false) => &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0],
    };
    socket.write_all(answer).await?;
    copy_bidirectional(socket, &mut server?).await.map(drop)
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn socks_in_each_of_its_spellings() {
    let emulator = pessimistic().await;
    let port: u16 = address(&emulator).rsplit_once(':').unwrap().1.parse().unwrap();
    for (scheme, by_name, by_address) in [
        ("socks", "socks5 name", "socks5 address"),
        ("socks5h", "socks5 name", "socks5 address"),
        ("socks5", "", "socks5 address"),
        ("socks4a", "socks4 name", "socks4 address"),
        ("socks4", "", "socks4 address"),
    ] {
        let (socks, seen) = start(Kind::Socks(Login::Free), gateway_at(address(&emulator))).await;
        let config = config(&emulator).proxy(format!("{scheme}://127.0.0.1:{socks}"));
        // This machine itself, too: the proxy was given in words. The picture comes the same way.
        let made = config.clone().build().unwrap().generate(&request_by_url()).send().await.unwrap();
        let cdn = emulator.cdn_url().trim_start_matches("http://");
        assert_eq!(made.images().len(), 1);
        assert_eq!(seen.all(), [format!("{by_address} 127.0.0.1:{port}"), format!("{by_address} {cdn}")], "{scheme}");
        if by_name.is_empty() {
            // The name is looked up here.
            let client = config.base_url(format!("http://localhost:{port}")).build().unwrap();
            // The system may know this machine by its IPv6 address first, which SOCKS4 has no form for.
            let _ = client.generate(&request()).send().await;
            assert!(seen.all().iter().all(|line| line.contains("address")), "{scheme}: {:?}", seen.all());
        } else {
            let config = config.base_url("http://gateway.example").allow_http(true);
            config.build().unwrap().generate(&request()).send().await.unwrap();
            assert_eq!(seen.all().last().unwrap(), &format!("{by_name} gateway.example:80"), "{scheme}");
        }
    }
}

#[tokio::test]
async fn socks_with_user_and_password_and_tls_inside() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ca, ca_file) = ca(folder.path());
    let port = tls(&emulator, &ca, "gateway.example", false).await;
    let leads = gateway_at(format!("127.0.0.1:{port}"));
    let (socks, seen) = start(Kind::Socks(Login::Wanted("us er", "p:ss%")), leads).await;
    let config = config(&emulator).base_url("https://gateway.example").ca_file(ca_file);
    let proxy = format!("socks://us%20er:p:ss%25@127.0.0.1:{socks}");
    let client = config.clone().proxy(proxy).build().unwrap();
    client.generate(&request()).send().await.unwrap();
    client.balance().await.unwrap();
    let line = "socks5 name gateway.example:443 for us er:p:ss%";
    assert_eq!(seen.all(), [line, line]);
    assert!(!format!("{client:?}").contains("p:ss"), "{client:?}");

    let (strict, _) = start(Kind::Socks(Login::Refused), gateway_at(String::new())).await;
    for (login, socks, said) in [
        ("us%20er:wrong-hunter2@", socks, "does not accept this user and password"),
        ("", socks, "wants a user and a password"),
        ("us%20er:hunter2@", strict, "takes no user and password"),
    ] {
        let config = config.clone().proxy_from(format!("socks5h://{login}127.0.0.1:{socks}"), "--proxy");
        let outcome = config.build().unwrap().generate(&request()).send().await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged), "{error}");
        assert!(error.message().contains(&format!("the proxy socks5h://127.0.0.1:{socks}, from --proxy")), "{error}");
        assert!(error.message().contains(said), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(error.attempts().len(), 1, "it would be refused again: {error}");
    }
    assert_eq!(emulator.charges(), 1);
}

#[tokio::test]
async fn an_http_proxy_with_user_and_password() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ca, ca_file) = ca(folder.path());
    let port = tls(&emulator, &ca, "gateway.example", false).await;
    // "us er:p@ss" in base64.
    let login = "Basic dXMgZXI6cEBzcw==";
    let (proxy, seen) = start(Kind::Http(CONNECTED), gateway_at(format!("127.0.0.1:{port}"))).await;
    let (plain, seen_plain) = start(Kind::Http(CONNECTED), gateway_at(address(&emulator))).await;
    let config = config(&emulator).ca_file(ca_file).allow_http(true);
    let encrypted = config.clone().base_url("https://gateway.example");
    let client = encrypted.proxy(format!("us%20er:p%40ss@127.0.0.1:{proxy}")).build().unwrap();
    client.generate(&request()).send().await.unwrap();
    assert_eq!(seen.all(), [format!("CONNECT gateway.example:443 {login}")]);
    let config = config.base_url("http://gateway.example");
    let client = config.proxy(format!("http://us%20er:p%40ss@127.0.0.1:{plain}/")).build().unwrap();
    client.generate(&request()).send().await.unwrap();
    assert_eq!(seen_plain.all(), [format!("POST http://gateway.example/v1/images/generations {login}")]);
}

#[tokio::test]
async fn a_proxy_that_is_reached_by_tls() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ca, ca_file) = ca(folder.path());
    let port = tls(&emulator, &ca, "gateway.example", false).await;
    let config = config(&emulator).allow_http(true);
    for (base_url, to) in
        [("https://gateway.example", format!("127.0.0.1:{port}")), ("http://gateway.example", address(&emulator))]
    {
        let kind = Kind::Https(CONNECTED, acceptor(&ca, "localhost", false));
        let (proxy, seen) = start(kind, gateway_at(to)).await;
        let config = config.clone().base_url(base_url).proxy(format!("https://localhost:{proxy}"));
        config.clone().ca_file(&ca_file).build().unwrap().generate(&request()).send().await.unwrap();
        assert_eq!(seen.all().len(), 1, "{base_url}");
        // Its certificate is judged as any other.
        if let Ok(client) = config.build() {
            let error = client.generate(&request()).send().await.unwrap_err();
            assert!(error.message().contains("certificate"), "{error}");
            assert_eq!((error.charge(), error.attempts().len()), (Charge::NotCharged, 1));
        }
        assert_eq!(seen.all().len(), 1, "{base_url}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_costs_nothing() {
    for (answer, attempts, said) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n", 1, "(407)"),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", 2, "refuses to connect"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", 2, "refuses to connect"),
        ("", 2, "hung up"),
    ] {
        let emulator = pessimistic().await;
        let (proxy, _) = start(Kind::Http(answer), gateway_at(address(&emulator))).await;
        let config = config(&emulator).base_url("https://gateway.example").max_attempts(2);
        let config = config.proxy_from(format!("http://user:hunter2@127.0.0.1:{proxy}"), "HTTPS_PROXY");
        // A bare machine trusts nobody and says so.
        let Ok(client) = config.build() else { return };
        let outcome = client.generate(&request()).send().await;
        judge(&emulator, &outcome, 0).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged));
        assert_eq!(error.attempts().len(), attempts, "{error}");
        let named = format!("the proxy http://127.0.0.1:{proxy}, from HTTPS_PROXY");
        assert!(error.message().contains(&named) && error.message().contains(said), "{error}");
        // Threat: proxy-password
        assert!(!format!("{error} {error:?} {client:?}").contains("hunter2"), "{error:?}");
        assert!(emulator.ledger().is_empty());
    }
}

#[tokio::test]
async fn nothing_goes_past_a_proxy_that_was_asked_for() {
    let emulator = pessimistic().await;
    let port = closed_port();
    let mut refused = 0;
    let mut kept = 0;
    for written in [
        "socks://127.0.0.1:9",
        "socks5://127.0.0.1:9",
        "socks5h://127.0.0.1:9",
        "socks4://127.0.0.1:9",
        "socks4a://127.0.0.1:9",
        "http://127.0.0.1:9",
        "https://127.0.0.1:9",
        "127.0.0.1:9",
        "HTTP://127.0.0.1:9",
        "http://user:pass@127.0.0.1:9",
        "http://us\"er:pa|ss@127.0.0.1:9",
        "socks5h://us{er}:pa^ss@127.0.0.1:9",
        "http://%75ser@127.0.0.1:9",
        "http://[::1]:9",
        "socks5h://[::1]:9",
        "http://127.1:9",
        "http://0x7f.1:9",
        "http://127.0.0.1:9/",
        "http://localhost.:9",
        "socks5h://localhost:9",
        // None of these can be used; each was the direct way once, or might be.
        "\"http://127.0.0.1:9\"",
        "'http://127.0.0.1:9'",
        "ftp://127.0.0.1:9",
        "socks6://127.0.0.1:9",
        "socks5h://\"127.0.0.1:9",
        "socks5h://a{b}:9",
        "socks5h://a`b:9",
        "http://a\"b:9",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:9\u{7f}",
        "http://127.0.0.1:9 x",
        "http://a b:9",
        "http://",
        "http://:9",
        "socks5h://:9",
        "direct://",
        "unix:///run/proxy.sock",
        "http://127.0.0.1:9/x",
        "http://127.0.0.1:9?x",
        "http://\u{202e}:9",
    ] {
        let written = written.replace(":9", &format!(":{port}"));
        let config = config(&emulator).proxy(&written).max_attempts(1);
        match config.build() {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Config, "{written}: {error}");
                refused += 1;
            }
            Ok(client) => {
                let error = client.generate(&request()).send().await.unwrap_err();
                assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged), "{written}");
                assert!(client.balance().await.is_err(), "{written}");
                let picture = Image::from_url(format!("{}/x.png", emulator.cdn_url()));
                assert!(client.fetch(&picture).await.is_err(), "{written}");
                kept += 1;
            }
        }
    }
    assert_eq!((kept, refused), (20, 20));
    // Threat: past-the-proxy
    assert_eq!((emulator.connections(), emulator.requests().len()), (0, 0), "{:?}", emulator.requests());
}

#[tokio::test]
async fn questions_downloads_redirects_and_retries_go_the_same_way() {
    let emulator = crate::common::start(Emulator::builder().billing(Billing::Pessimistic)).await;
    let (proxy, seen) = start(Kind::Http(CONNECTED), gateway_at(address(&emulator))).await;
    let client = config(&emulator).proxy(format!("http://127.0.0.1:{proxy}")).build().unwrap();
    emulator.fault(Fault::answer(429));
    emulator.cdn_fault(CdnFault::redirect(format!("{}/elsewhere.png", emulator.cdn_url())));
    emulator.cdn_fault(CdnFault::cut(1000, Cut::Fin));
    let made = client.generate(&request_by_url()).send().await;
    // Whatever became of the picture, each of its hops was asked of the proxy.
    let id = match &made {
        Ok(made) => made.client_request_id().unwrap().to_owned(),
        Err(error) => error.attempts().last().unwrap().client_request_id.clone(),
    };
    client.balance().await.unwrap();
    client.reconcile([id]).timeout(std::time::Duration::ZERO).send().await.unwrap();
    let lines = seen.all();
    for expected in ["POST", "/elsewhere.png", "/v2/billing"] {
        assert!(lines.iter().any(|line| line.contains(expected)), "{expected}: {lines:#?}");
    }
    assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 2, "the retry, too: {lines:#?}");
    let to_the_api = lines.iter().filter(|line| line.contains(&address(&emulator))).count();
    // Threat: past-the-proxy
    assert_eq!(emulator.connections(), to_the_api as u64, "{lines:#?}");
    assert_eq!(emulator.requests().len(), lines.len(), "{lines:#?}");
}

#[tokio::test]
async fn names_that_are_looked_up_here_stay_public() {
    // The gateway counts as public; with socks5 the picture's host is looked up here.
    let emulator = pessimistic().await;
    let to = address(&emulator);
    let leads: Leads = Arc::new(move |_, _| to.clone());
    let (socks, seen) = start(Kind::Socks(Login::Free), leads).await;
    for host in ["ip6-loopback", "[::1]", "127.0.0.1", "localhost"] {
        emulator.fault(Fault::success_body(format!(r#"{{"data":[{{"url":"http://{host}/a.png"}}]}}"#)));
        let config = config(&emulator).base_url("http://8.8.8.8").allow_http(true);
        let client = config.proxy(format!("socks5://127.0.0.1:{socks}")).build().unwrap();
        let error = client.generate(&request_by_url()).send().await.unwrap_err();
        // Threat: request-forgery
        assert_eq!(error.kind(), ErrorKind::DownloadFailed, "{host}: {error}");
    }
    assert!(seen.all().iter().all(|line| line == "socks5 address 8.8.8.8:80"), "{:?}", seen.all());
    assert_eq!(seen.all().len(), 4);
}
