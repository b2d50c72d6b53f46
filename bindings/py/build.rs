//! How a module is linked whose symbols an interpreter brings: only macOS has to be told.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
