//! `gptimage._core`: core, emulator and command for Python. It only converts and calls: every rule, default and retry
//! is in core, and everything that is easier to express in Python is in `python/gptimage`.

mod background;
mod budget;
mod buffer;
mod call;
mod client;
mod convert;
mod emulator;
mod error;
mod image;
mod image_methods;
mod input;
mod log;
mod mask;
mod memory;
mod options;
mod preview;
mod reconcile_target;
mod references;
mod sync;
mod to_dict;
mod wakeup;

use pyo3::prelude::*;

/// The compiled part of gptimage. Its types are in `_core.pyi`.
#[pymodule]
mod _core {
    use std::ffi::OsString;

    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::budget::Budget;
    #[pymodule_export]
    use crate::call::CallHandle;
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::emulator::Emulator;
    #[pymodule_export]
    use crate::image::Image;
    #[pymodule_export]
    use crate::log::LogRecords;
    #[pymodule_export]
    use crate::mask::{dimensions, mask_from_alpha, mask_from_boxes, mask_from_editable};
    #[pymodule_export]
    use crate::preview::preview;
    #[pymodule_export]
    use crate::to_dict::Batch;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    /// Runs the `gptimage` command and returns its exit code.
    #[pyfunction]
    fn main(py: Python<'_>, args: Vec<OsString>) -> u8 {
        py.detach(|| gptimage_cli::run(args))
    }

    /// Returns every kind of error: its slug and its number.
    #[pyfunction]
    fn error_kinds() -> Vec<(&'static str, i32)> {
        gptimage_core::ErrorKind::ALL.iter().map(|kind| (kind.as_str(), kind.number())).collect()
    }

    /// Waits until the library's threads are done with the interpreter, which is about to exit. Registered with
    /// `atexit`.
    #[pyfunction]
    fn shutdown(py: Python<'_>) -> PyResult<()> {
        crate::background::shutdown(py)
    }

    /// Sets the level of Python's `logging` below which no log records are created.
    #[pyfunction]
    fn set_log_level(level: u32) {
        crate::log::set_level(level);
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::log::install();
        // `atexit` runs in reverse order: registered early, this runs after the application's functions.
        module.py().import("atexit")?.call_method1("register", (module.getattr("shutdown")?,))?;
        Ok(())
    }
}
