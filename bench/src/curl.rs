//! `curl -F`, the reference for uploads.

use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::job::Job;

/// Returns whether curl is installed.
pub(crate) fn is_there() -> bool {
    Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs one edit with many files.
pub(crate) fn edit(job: &Job) -> Result<(), Failure> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*"]);
    // Without this header curl would wait a second for a response to `Expect`.
    curl.args(["--header", "Expect:", "--header", "Authorization: Bearer key"]);
    curl.args(["--form", "model=openai/gpt-image-2", "--form", "prompt=Put a crown on the T-Rex's head"]);
    for input in job.inputs() {
        curl.arg("--form").arg(format!("image[]=@{};type=image/png", input.display()));
    }
    curl.arg("--output").arg(job.picture(0)).arg(format!("{}/v1/images/edits", job.url));
    let status = curl.status()?;
    if status.success() { Ok(()) } else { Err(format!("curl failed: {status}").into()) }
}
