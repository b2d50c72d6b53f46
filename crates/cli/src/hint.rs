//! Commands that are printed for the user to paste into a POSIX shell. They are complete, and quoted even if a server
//! or a user chose their parts.

use std::ffi::OsStr;
use std::fmt::Write;

use clap::ArgMatches;
use clap::parser::ValueSource;
use gptimage_core::binding::Environment;
use gptimage_core::printable;

use crate::connection;

/// The variable that a suggested command reads a proxy with a password from, since the password is never printed.
const PROXY_VARIABLE: &str = "HTTPS_PROXY";

/// The flags that a suggested command needs to reach the same gateway as this one.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// The connection flags as given, quoted.
    flags: String,
    names_base_url: bool,
    hides_proxy: bool,
    /// Whether the gateway outlives this command: an emulator started by `--emulator` does not.
    lasting: bool,
    has_key: bool,
}

impl Hints {
    /// Reads the connection flags of any subcommand.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let mut hints = Self {
            lasting: !matches.try_get_one::<bool>("emulator").ok().flatten().is_some_and(|emulator| *emulator),
            has_key: Environment::snapshot().key.is_some(),
            ..Self::default()
        };
        for arg in connection::flags() {
            let id = arg.get_id().as_str();
            let (Some(flag), Ok(Some(_))) = (arg.get_long(), matches.try_get_raw(id)) else { continue };
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                continue;
            }
            if !arg.get_action().takes_values() {
                let _ = write!(hints.flags, " --{flag}");
                continue;
            }
            for value in matches.get_raw(id).into_iter().flatten() {
                hints.names_base_url |= flag == "base-url";
                if flag == "proxy" && holds_password(value) {
                    hints.hides_proxy = true;
                    let _ = write!(hints.flags, " --proxy \"${PROXY_VARIABLE}\"");
                } else {
                    hints.add(flag, value);
                }
            }
        }
        hints
    }

    fn add(&mut self, flag: &str, value: &OsStr) {
        // A value that begins with a dash would be parsed as a flag.
        let between = if value.as_encoded_bytes().starts_with(b"-") { '=' } else { ' ' };
        let _ = write!(self.flags, " --{flag}{between}{}", quote(value));
    }

    /// Adds the base URL if it came from the environment: the variable may have been set for this command only.
    pub(crate) fn base_url(&mut self, base_url: &str) {
        if !self.names_base_url && Environment::snapshot().base_url.is_some() {
            self.names_base_url = true;
            self.add("base-url", OsStr::new(base_url.trim_end_matches('/')));
        }
    }

    /// A command that fetches an image again. `None` if it could not work.
    pub(crate) fn fetch(&self, url: &str) -> Option<String> {
        let url = plain_url(url);
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        matches!(scheme.as_deref(), Some("http" | "https")).then(|| self.command("fetch", &always_quote(&url)))?
    }

    /// A command that looks an attempt up in the usage log. `None` if it could not work.
    pub(crate) fn reconcile(&self, client_request_id: &str) -> Option<String> {
        if !self.has_key {
            return None;
        }
        self.command("reconcile", &quote(OsStr::new(client_request_id)))
    }

    /// `operand` must already be quoted.
    fn command(&self, subcommand: &str, operand: &str) -> Option<String> {
        if !self.lasting {
            return None;
        }
        let flags = &self.flags;
        let command = if operand.trim_start_matches(['\'', '"']).starts_with('-') {
            format!("gptimage {subcommand}{flags} -- {operand}")
        } else {
            format!("gptimage {subcommand} {operand}{flags}")
        };
        let note = if self.hides_proxy {
            format!("  (with the proxy, whose password is not shown, in {PROXY_VARIABLE})")
        } else {
            String::new()
        };
        Some(command + &note)
    }
}

/// Whether a proxy's URL may contain a password.
fn holds_password(url: &OsStr) -> bool {
    url.as_encoded_bytes().contains(&b'@')
}

/// Rewrites a URL in printable ASCII without changing its meaning: URL parsers drop line breaks and tabs, and everything else
/// can be percent-encoded.
pub(crate) fn plain_url(url: &str) -> String {
    let mut plain = String::new();
    for char in url.trim_matches(|char: char| char <= ' ').chars() {
        match char {
            '\t' | '\n' | '\r' => {}
            '!'..='~' => plain.push(char),
            _ => {
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(plain, "%{byte:02X}");
                }
            }
        }
    }
    plain
}

/// Quotes `text` as one word for a POSIX shell, on one line and without terminal control characters.
pub(crate) fn quote(text: &OsStr) -> String {
    let Some(text) = text.to_str().filter(|text| printable(text) == **text) else { return spelled_out(text) };
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "@%+=:,./_-".contains(char);
    if text.starts_with(is_plain) && !text.starts_with('=') && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        always_quote(text)
    }
}

/// Puts printable text into single quotes.
fn always_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes unprintable bytes as a `printf` substitution. Trailing line breaks, which a substitution drops, are added as
/// `$'\n'`, which most shells understand.
fn spelled_out(text: &OsStr) -> String {
    let bytes = text.as_encoded_bytes();
    let breaks = bytes.iter().rev().take_while(|byte| **byte == b'\n').count();
    let mut format = String::new();
    for byte in bytes.iter().take(bytes.len() - breaks) {
        match byte {
            b'%' => format.push_str("%%"),
            b' '..=b'~' if !matches!(byte, b'\\' | b'\'') => format.push(char::from(*byte)),
            _ => {
                let _ = write!(format, "\\{byte:03o}");
            }
        }
    }
    let end = if breaks > 0 { format!("$'{}'", "\\n".repeat(breaks)) } else { String::new() };
    format!("\"$(printf -- '{format}')\"{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_args;

    fn hints(args: &[&str]) -> Hints {
        let matches =
            request_args::generate().try_get_matches_from(["generate", "A T-Rex"].iter().chain(args)).unwrap();
        Hints { has_key: true, ..Hints::of(&matches) }
    }

    #[test]
    fn the_connection_is_repeated_as_it_was_given() {
        assert_eq!(hints(&[]).reconcile("gptimage-1").unwrap(), "gptimage reconcile gptimage-1");
        let all = hints(&[
            "--allow-http",
            "--ca-file",
            "my ca.pem",
            "--base-url=http://a.example:1/v1",
            "--proxy",
            "http://p:2",
        ]);
        let flags = "--base-url http://a.example:1/v1 --allow-http --ca-file 'my ca.pem' --proxy http://p:2";
        assert_eq!(
            all.fetch("https://b.example/c.png").unwrap(),
            format!("gptimage fetch 'https://b.example/c.png' {flags}")
        );
        assert_eq!(hints(&["--ca-file=-x"]).reconcile("a").unwrap(), "gptimage reconcile a --ca-file=-x");
        assert_eq!(hints(&["--allow-http"]).reconcile("-a").unwrap(), "gptimage reconcile --allow-http -- -a");
    }

    #[test]
    fn a_proxys_password_is_not_printed() {
        let hint = hints(&["--proxy", "http://me:secret@p:2"]).reconcile("a").unwrap();
        assert!(
            hint.starts_with("gptimage reconcile a --proxy \"$HTTPS_PROXY\"") && !hint.contains("secret"),
            "{hint}"
        );
    }

    #[test]
    fn what_cannot_work_is_not_advised() {
        assert_eq!(hints(&["--emulator"]).fetch("http://a/b"), None, "it ended with the command");
        for url in ["data:image/png;base64,AAAA", "ftp://a/b", "/relative.png", ""] {
            assert_eq!(hints(&[]).fetch(url), None, "{url}");
        }
        let keyless = Hints { has_key: false, ..hints(&[]) };
        assert_eq!(keyless.reconcile("gptimage-1"), None);
        assert!(keyless.fetch("http://a/b").is_some(), "which needs no key");
    }

    #[test]
    fn a_url_stays_on_one_line_and_means_the_same() {
        assert_eq!(plain_url(" http://a/\u{1b}[2J\n\té b\u{202e}'$ "), "http://a/%1B[2J%C3%A9%20b%E2%80%AE'$");
        assert_eq!(hints(&[]).fetch("http://a/';touch$b;'").unwrap(), r"gptimage fetch 'http://a/'\'';touch$b;'\'''");
    }

    /// Evaluates a word with `sh`.
    #[cfg(unix)]
    fn read_by_a_shell(word: &str) -> Vec<u8> {
        let output = std::process::Command::new("sh").args(["-c", &format!("printf %s {word}")]).output().unwrap();
        assert!(output.status.success(), "{word}: {output:?}");
        output.stdout
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_what_was_quoted() {
        use std::os::unix::ffi::OsStrExt;
        let texts: [&[u8]; 16] = [
            b"",
            b"plain",
            b"with space",
            b"'",
            b"''a'",
            b"$HOME `id` $(id) \"x\" \\",
            b"-n",
            b"--",
            b"~",
            b"a;b&c|d>e",
            b"#",
            b"*?[a]",
            "é\u{202e}".as_bytes(),
            b"\x1b[2J\r",
            b"a\nb\xff%s\\n'",
            b"=ls",
        ];
        for text in texts {
            let quoted = quote(OsStr::from_bytes(text));
            assert_eq!(printable(&quoted), quoted);
            // Threat: pasted-hint
            assert_eq!(read_by_a_shell(&quoted), text, "{quoted}");
        }
        // Every byte that a path may hold.
        let all: Vec<u8> = (1..=255).collect();
        assert_eq!(read_by_a_shell(&quote(OsStr::from_bytes(&all))), all);
        assert_eq!(quote(OsStr::new("ends\n\n")), r#""$(printf -- 'ends')"$'\n\n'"#);
    }
}
