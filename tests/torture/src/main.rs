//! `make torture`: counts the results of calls under random faults.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

use std::process::ExitCode;

use gptimage_torture::campaign::{Ended, campaign, describe};
use gptimage_torture::draw::draw;
use gptimage_torture::run::run;
use gptimage_torture::world::World;
use tokio::time::Instant;

const USAGE: &str = "\
Usage: gptimage-torture [--calls N] [--seed S]
       gptimage-torture --replay SEED:INDEX

Makes N calls (100000 unless given) under faults that the seed S decides, on servers that charge for whatever arrived
whole, and holds what callers were told against their ledger. --replay runs one experiment again and shows all of it.";

/// The parsed arguments.
enum Asked {
    Campaign { seed: u64, calls: u64 },
    Replay { seed: u64, index: u64 },
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Option<Asked> {
    let (mut seed, mut calls) = (fastrand::u64(..1 << 32), 100_000);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--calls" => calls = value.parse().ok()?,
            "--seed" => seed = value.parse().ok()?,
            "--replay" => {
                let (seed, index) = value.split_once(':')?;
                return Some(Asked::Replay { seed: seed.parse().ok()?, index: index.parse().ok()? });
            }
            _ => return None,
        }
    }
    Some(Asked::Campaign { seed, calls })
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match asked(std::env::args().skip(1)) {
        None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
        Some(Asked::Replay { seed, index }) => replay(seed, index).await,
        Some(Asked::Campaign { seed, calls }) => torture(seed, calls).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the experiment cannot be made: {error}");
            ExitCode::from(4)
        }
    }
}

async fn torture(seed: u64, calls: u64) -> std::io::Result<bool> {
    let started = Instant::now();
    println!("seed {seed}, {calls} calls, pessimistic billing, default policy");
    let mut told = 0;
    let Ended { tally, failures } = campaign(seed, calls, |tally| {
        if tally.calls / 10_000 > told {
            told = tally.calls / 10_000;
            eprintln!("{} calls after {:.0?}", tally.calls, started.elapsed());
        }
    })
    .await?;
    for failure in &failures {
        println!("{failure}\nagain: cargo run --release -p gptimage-torture -- --replay {}", first_word(failure));
    }
    let seconds = started.elapsed().as_secs_f64();
    print!("{tally}");
    println!("seconds                        {seconds:>8.0}   {:.0} calls a second", tally.calls as f64 / seconds);
    println!("{} passed, {} failed", tally.experiments - tally.failed, tally.failed);
    Ok(tally.failed == 0)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

async fn replay(seed: u64, index: u64) -> std::io::Result<bool> {
    let experiment = draw(seed, index);
    let report = run(&experiment, &World::new()?).await?;
    println!("{}", describe(&experiment, &report));
    let passed = report.judgement.wrong.is_empty();
    println!("{} passed, {} failed", u8::from(passed), u8::from(!passed));
    Ok(passed)
}
