//! The `gptimage` command.

use std::process::ExitCode;

/// Runs before Rust's runtime, which opens `/dev/null` in place of a standard output that is closed: a picture that was paid for
/// would vanish in it. Elsewhere a closed standard output is taken for `/dev/null`.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a link section is the C runtime's boundary")]
#[used]
// SAFETY: the C runtime calls what stands in this section once, on the only thread there is, with arguments that C functions
// may ignore. What is called reads one descriptor's flags and writes one atomic.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = gptimage_cli::look_at_stdout;

fn main() -> ExitCode {
    gptimage_cli::run(std::env::args_os()).into()
}
