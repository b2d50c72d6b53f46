//! The `gptimage` command.

use std::process::ExitCode;

/// Runs before Rust's runtime, which opens `/dev/null` in place of a closed standard output: an image that was paid for would
/// be lost there. On other systems a closed standard output behaves like `/dev/null`.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a link section is the C runtime's boundary")]
#[used]
// SAFETY: the C runtime calls the functions in this section once, on the only thread there is, with arguments that C
// functions may ignore. This one reads one descriptor's flags and writes one atomic.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = gptimage_cli::record_closed_stdout;

fn main() -> ExitCode {
    gptimage_cli::run(std::env::args_os()).into()
}
