//! Redirects: a charged call never follows one; a download follows safe ones, and never sends the key.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use gptimage_core::{Charge, Client, ErrorKind, GenerateRequest, ResponseFormat};
use gptimage_emulator::{Billing, ErrorForm, Side};
use gptimage_torture::run::contains;
use gptimage_torture::scripted::{Script, ScriptedServer, Source, Step, Until};
use gptimage_torture::world::{KEY, World, patient};

const STATUSES: [u16; 8] = [301, 302, 303, 304, 305, 306, 307, 308];
/// Statuses that a download follows.
const FOLLOWED: [u16; 5] = [301, 302, 303, 307, 308];

/// The target of a redirect, relative to the server that sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    SamePath,
    SameOrigin,
    OtherPort,
    OtherScheme,
    OtherHost,
    UserInfo,
}

const TARGETS: [Target; 6] =
    [Target::SamePath, Target::SameOrigin, Target::OtherPort, Target::OtherScheme, Target::OtherHost, Target::UserInfo];

/// Two other servers, one of each scheme, as targets of redirects.
struct Elsewhere {
    plain: ScriptedServer,
    tls: ScriptedServer,
}

impl Elsewhere {
    async fn new(world: &World) -> Self {
        let plain = ScriptedServer::builder().start().await.unwrap();
        let tls = ScriptedServer::builder().tls(&world.authority).start().await.unwrap();
        Self { plain, tls }
    }

    /// Returns the number of connections and all bytes that they brought.
    fn seen(&self) -> (u64, Vec<u8>) {
        let servers = [&self.plain, &self.tls];
        let connections = servers.iter().map(|server| server.connections(Side::Cdn)).sum();
        (connections, servers.iter().flat_map(|server| server.received(Side::Cdn)).collect())
    }

    fn location(&self, target: Target, encrypted: bool, path: &str) -> String {
        let (same, other) = if encrypted { (&self.tls, &self.plain) } else { (&self.plain, &self.tls) };
        let address = |server: &ScriptedServer| server.cdn_url().split_once("://").unwrap().1.to_owned();
        let scheme = if encrypted { "https" } else { "http" };
        match target {
            Target::SamePath => path.to_owned(),
            Target::SameOrigin => "/elsewhere".to_owned(),
            Target::OtherPort => format!("{}/elsewhere", same.cdn_url()),
            Target::OtherScheme => format!("{}/elsewhere", other.cdn_url()),
            Target::OtherHost => format!("{scheme}://{}/elsewhere", address(same).replace("127.0.0.1", "localhost")),
            Target::UserInfo => format!("{scheme}://user:{KEY}@{}/elsewhere", address(same)),
        }
    }
}

fn redirect(until: Until, status: u16, location: &str) -> Script {
    let headers = vec![format!("location: {location}")];
    Script::new([Step::Read(until), Step::send(Source::Status { status, form: ErrorForm::Empty, headers })])
}

async fn server(world: &World, encrypted: bool) -> ScriptedServer {
    let mut builder = ScriptedServer::builder().billing(Billing::Pessimistic);
    if encrypted {
        builder = builder.tls(&world.authority);
    }
    builder.start().await.unwrap()
}

fn client(world: &World, server: &ScriptedServer) -> Client {
    let config = Client::builder().api_key(KEY).base_url(server.base_url()).ca_file(&world.ca_file).timers(patient());
    config.header("X-Team", KEY).build().unwrap()
}

fn request(format: ResponseFormat) -> GenerateRequest {
    GenerateRequest::builder("A T-Rex").response_format(format).build().unwrap()
}

#[tokio::test]
async fn a_charged_call_follows_no_redirect() {
    let world = World::new().unwrap();
    for encrypted in [false, true] {
        let (server, elsewhere) = (server(&world, encrypted).await, Elsewhere::new(&world).await);
        let client = client(&world, &server);
        let mut calls = 0;
        for target in TARGETS {
            for status in STATUSES {
                let location = elsewhere.location(target, encrypted, "/v1/images/generations");
                server.script(Side::Api, redirect(Until::Whole, status, &location));
                let error = client.generate(&request(ResponseFormat::B64Json)).send().await.unwrap_err();
                calls += 1;
                let observed = (error.kind(), error.charge(), error.attempts().len());
                assert_eq!(
                    observed,
                    (ErrorKind::OutcomeUnknown, Charge::Unknown, 1),
                    "{status} to {location}: {error}"
                );
                assert_eq!(server.connections(Side::Api), calls, "{status} to {location}");
            }
        }
        // Threat: other-origin
        assert_eq!((server.connections(Side::Cdn), elsewhere.seen()), (0, (0, Vec::new())));
        server.wait_idle().await;
        assert_eq!(server.charges(), calls);
    }
}

#[tokio::test]
async fn a_download_follows_what_is_safe_without_credentials() {
    let world = World::new().unwrap();
    for encrypted in [false, true] {
        for target in TARGETS {
            for status in STATUSES {
                let (server, elsewhere) = (server(&world, encrypted).await, Elsewhere::new(&world).await);
                let location = elsewhere.location(target, encrypted, "/picture.png");
                server.script(Side::Api, "read whole; send link".parse().unwrap());
                server.script(Side::Cdn, redirect(Until::Head, status, &location));
                let outcome = client(&world, &server).generate(&request(ResponseFormat::Url)).send().await;
                // Plain http is followed only if the gateway itself uses it; URLs with user info are never followed.
                let unsafe_target = target == Target::UserInfo || (encrypted && target == Target::OtherScheme);
                let follows = FOLLOWED.contains(&status) && !unsafe_target;
                assert_eq!(outcome.is_ok(), follows, "{encrypted} {status} to {location}: {outcome:?}");
                if let Err(error) = &outcome {
                    assert_eq!((error.kind(), error.charge()), (ErrorKind::DownloadFailed, Charge::Charged));
                    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
                }
                let (connections, received) = elsewhere.seen();
                let same = matches!(target, Target::SamePath | Target::SameOrigin);
                assert_eq!(connections, u64::from(follows && !same), "{status} to {location}");
                for received in [received, server.received(Side::Cdn)] {
                    let text = String::from_utf8_lossy(&received).to_ascii_lowercase();
                    assert!(!contains(&received, KEY.as_bytes()), "{text}");
                    for header in ["authorization:", "cookie:", "referer:", "x-team:", "x-client-request-id:"] {
                        assert!(!text.contains(header), "{header} went to {location}: {text}");
                    }
                }
                assert!(contains(&server.received(Side::Api), KEY.as_bytes()), "the gateway itself gets the key");
            }
        }
    }
}
