//! Measures what gptimage costs, and prints it as ratios: `cargo run --release -p gptimage-bench`.
//!
//! With the arguments `python`, an interpreter that has gptimage and `python/requirements.txt` installed, and the wheel
//! of gptimage, it measures Python too.
//!
//! The program starts itself again for the server and for every single measurement, so that each has its own process,
//! and with it its own CPU time and memory peak. It fails if a measured call did not really happen; it never judges a
//! figure.
#![allow(clippy::print_stdout, reason = "a program that reports to whoever runs it")]

mod baseline;
mod benchmark;
mod child;
mod curl;
mod failure;
mod folder;
mod gptimage;
mod job;
mod picture;
mod plain;
mod process;
mod python;
mod server;
mod suite;
mod table;

use failure::Failure;
use python::Python;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => measure(None),
        [python::COMMAND, interpreter, wheel] => measure(Some(&Python::new(interpreter, wheel))),
        [server::COMMAND, hold] => server::serve(hold.parse()?),
        [benchmark::COMMAND, name, job @ ..] => benchmark::run(name, job),
        _ => Err("the arguments are none, or `python`, an interpreter and a wheel".into()),
    }
}

fn measure(python: Option<&Python>) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        println!("unoptimised: the figures mean nothing; use `cargo run --release -p gptimage-bench`\n");
    }
    table::print(&suite::run_all(python)?);
    Ok(())
}
