//! `generate` and `edit` as they are typed. Every API parameter is a flag, taken from core's own list; values are text,
//! which core judges.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gptimage_core::{Config, Operation, PARAMETERS};

use crate::connection;

/// One `generate` or `edit`, as it was typed.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) operation: Operation,
    pub(crate) prompt: String,
    pub(crate) images: Vec<PathBuf>,
    pub(crate) mask: Option<PathBuf>,
    /// API parameters by name.
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) extra: Vec<(String, String)>,
    pub(crate) structural_rules: bool,
    pub(crate) output: Option<PathBuf>,
    pub(crate) overwrite: bool,
    pub(crate) json: bool,
    pub(crate) dry_run: bool,
    pub(crate) deadline: Option<Duration>,
    pub(crate) emulator: bool,
    /// What the call may cost, and what calls cost at most.
    pub(crate) max_usd: Option<(String, Option<String>)>,
    pub(crate) config: Config,
}

const GENERATE_EXAMPLES: &str = "\
Examples:
  gptimage generate \"A T-Rex relaxing on a beach\" -o t-rex.png
  gptimage generate \"A paper crown\" --background transparent --output-format webp -o crown
  gptimage generate \"A lighthouse\" --size 1536x1024 --quality high --dry-run
  echo \"A long prompt\" | gptimage generate - -o - > t-rex.png
  gptimage generate \"A T-Rex\" --emulator        (no key, no cost: a picture drawn on this machine)";

const EDIT_EXAMPLES: &str = "\
Examples:
  gptimage edit \"Put the crown on the T-Rex's head\" --image t-rex.png --image crown.png -o crowned.png
  gptimage edit \"A blue sky\" --image photo.jpg --mask sky.png -o photo-blue.png
  gptimage edit \"In winter\" --image house.png --n 4 -o winters/
  curl -s https://example.com/house.png | gptimage edit \"In winter\" --image - -o winter.png";

/// `gptimage generate`.
pub(crate) fn generate() -> Command {
    verb(Operation::Generate, "Makes a picture from a prompt", GENERATE_EXAMPLES)
}

/// `gptimage edit`.
pub(crate) fn edit() -> Command {
    verb(Operation::Edit, "Makes pictures from a prompt and pictures", EDIT_EXAMPLES)
        .arg(
            Arg::new("image")
                .long("image")
                .short('i')
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .action(ArgAction::Append)
                .required(true)
                .help("A picture to edit, PNG, JPEG or WebP, up to 50 MB; up to 16 of them; - reads standard input"),
        )
        .arg(
            Arg::new("mask")
                .long("mask")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("A PNG under 4 MB, as large as the first picture, transparent where that is to change"),
        )
}

fn verb(operation: Operation, about: &'static str, examples: &'static str) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let path = value_parser!(PathBuf);
    Command::new(operation.as_str())
        .about(about)
        .after_help(examples)
        .arg(
            Arg::new("prompt")
                .value_name("PROMPT")
                .required(true)
                .help("What the picture shows, in words; - reads standard input"),
        )
        .arg(
            option(
                "output",
                "PATH",
                "File or folder; unless given, a name of its own in this folder; - writes to standard output",
            )
            .short('o')
            .value_parser(path.clone()),
        )
        .args(parameter_flags(operation))
        .next_help_heading("Delivery")
        .arg(flag("overwrite", "Replace the output file if it exists"))
        .arg(flag("json", "Print one JSON object instead of paths"))
        .arg(flag("dry-run", "Print the exact request and send nothing"))
        .arg(
            option("deadline", "TIME", "The longest that all may take, such as 90, 90s or 5m; unlimited unless given")
                .value_parser(ValueParser::new(deadline)),
        )
        .arg(option(
            "max-usd",
            "USD",
            "What the call may cost, such as 0.50; dearer ones are not sent. No limit unless given",
        ))
        .arg(
            option(
                "max-usd-per-call",
                "USD",
                "What is known that a call costs at most; 0.50 for each picture unless given",
            )
            .requires("max-usd"),
        )
        .args(connection::flags())
        .next_help_heading("Connection")
        .arg(flag("emulator", "Use an emulator of the API on this machine: no key, no cost").conflicts_with("base-url"))
        .arg(
            option("max-attempts", "N", "Attempts in all; only what cost nothing is tried again. 3 unless given")
                .value_parser(value_parser!(u32).range(1..)),
        )
}

fn parameter_flags(operation: Operation) -> Vec<Arg> {
    let parameters = PARAMETERS.iter().filter(|known| known.operations.contains(&operation)).map(|known| {
        let arg = Arg::new(known.name)
            .long(known.name.replace('_', "-"))
            .value_name("VALUE")
            .allow_hyphen_values(true)
            .help(known.help.trim())
            .help_heading("API parameters");
        // The API's own spelling is accepted too.
        if known.name.contains('_') { arg.alias(known.name) } else { arg }
    });
    let extra = Arg::new("extra")
        .long("extra")
        .value_name("NAME=VALUE")
        .value_parser(ValueParser::new(name_and_value))
        .action(ArgAction::Append)
        .help("A field that this program does not know, sent as it is; VALUE as JSON, or else as text")
        .help_heading("API parameters");
    let structural = Arg::new("structural-rules")
        .long("structural-rules")
        .action(ArgAction::SetTrue)
        .help("Let values through that are not known to be valid")
        .help_heading("API parameters");
    parameters.chain([extra, structural]).collect()
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A time above nothing.
fn deadline(text: &str) -> Result<Duration, String> {
    time(text).and_then(|time| if time.is_zero() { Err(TIME.to_owned()) } else { Ok(time) })
}

const TIME: &str = "write a time above nothing, such as 90, 90s or 5m";

/// Seconds, or a number with `s`, `m` or `h`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('m') => (number, 60.0),
        Some(number) if text.ends_with('h') => (number, 3600.0),
        Some(number) => (number, 1.0),
        None => (text, 1.0),
    };
    let seconds = number.trim().parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds * unit).ok()).ok_or_else(|| TIME.to_owned())
}

impl Order {
    /// Reads what clap has accepted.
    pub(crate) fn read(operation: Operation, matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let edit = operation == Operation::Edit;
        let config = connection::config(matches);
        Self {
            operation,
            prompt: text("prompt").unwrap_or_default(),
            images: if edit { matches.get_many("image").into_iter().flatten().cloned().collect() } else { Vec::new() },
            mask: if edit { path("mask") } else { None },
            parameters: PARAMETERS
                .iter()
                .filter(|known| known.operations.contains(&operation))
                .filter_map(|known| text(known.name).map(|value| (known.name, value)))
                .collect(),
            extra: matches.get_many("extra").into_iter().flatten().cloned().collect(),
            structural_rules: matches.get_flag("structural-rules"),
            output: path("output"),
            overwrite: matches.get_flag("overwrite"),
            json: matches.get_flag("json"),
            dry_run: matches.get_flag("dry-run"),
            deadline: matches.get_one("deadline").copied(),
            emulator: matches.get_flag("emulator"),
            max_usd: text("max-usd").map(|max_usd| (max_usd, text("max-usd-per-call"))),
            config: match matches.get_one("max-attempts") {
                Some(attempts) => config.max_attempts(*attempts),
                None => config,
            },
        }
    }
}
