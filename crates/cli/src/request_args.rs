//! The arguments of `generate` and `edit`. Every API parameter is a flag, taken from the library's own list; values are text,
//! which the library validates.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gptimage_core::{Client, ClientBuilder, Operation, PARAMETERS};

use crate::connection;
use crate::duration::positive_duration;

/// The arguments of one `generate` or `edit`.
#[derive(Debug)]
pub(crate) struct RequestArgs {
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
    /// `--max-usd` and `--max-usd-per-call`.
    pub(crate) max_usd: Option<(String, Option<String>)>,
    pub(crate) builder: ClientBuilder<Client>,
}

const GENERATE_EXAMPLES: &str = "\
Examples:
  gptimage generate \"A T-Rex relaxing on a beach\" -o t-rex.png
  gptimage generate \"A paper crown\" --background transparent --output-format webp -o crown
  gptimage generate \"A lighthouse\" --size 1536x1024 --quality high --dry-run
  echo \"A long prompt\" | gptimage generate - -o - > t-rex.png
  gptimage generate \"A T-Rex\" --emulator        (no key, no cost: an image drawn on this machine)";

const EDIT_EXAMPLES: &str = "\
Examples:
  gptimage edit \"Put the crown on the T-Rex's head\" --image t-rex.png --image crown.png -o crowned.png
  gptimage edit \"A blue sky\" --image photo.jpg --mask sky.png -o photo-blue.png
  gptimage edit \"In winter\" --image house.png --n 4 -o winters/
  curl -s https://example.com/house.png | gptimage edit \"In winter\" --image - -o winter.png";

/// The arguments of `gptimage generate`.
pub(crate) fn generate() -> Command {
    subcommand(Operation::Generate, "Make an image from a prompt", GENERATE_EXAMPLES)
}

/// The arguments of `gptimage edit`.
pub(crate) fn edit() -> Command {
    subcommand(Operation::Edit, "Edit images, or make new ones from them, with a prompt", EDIT_EXAMPLES)
        .arg(
            Arg::new("image")
                .long("image")
                .short('i')
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .action(ArgAction::Append)
                .required(true)
                .help("Image to edit: PNG, JPEG or WebP, at most 50 MB; - reads standard input. May be repeated, up to 16 times"),
        )
        .arg(
            Arg::new("mask")
                .long("mask")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("PNG mask of the first image's size, under 4 MB; the image is edited where the mask is transparent"),
        )
}

fn subcommand(operation: Operation, about: &'static str, examples: &'static str) -> Command {
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
                .help("Text that describes the image; - reads standard input"),
        )
        .arg(
            option(
                "output",
                "PATH",
                "Output file or folder, or - for standard output. Default: a generated name in the current folder",
            )
            .short('o')
            .value_parser(path.clone()),
        )
        .args(parameter_flags(operation))
        .next_help_heading("Delivery")
        .arg(flag("overwrite", "Replace the output file if it exists"))
        .arg(flag("json", "Print one JSON object instead of paths"))
        .arg(flag("dry-run", "Print the exact request without sending it"))
        .arg(
            option("deadline", "TIME", "Time limit for the whole call, such as 90, 90s or 5m. Default: none")
                .value_parser(ValueParser::new(positive_duration)),
        )
        .arg(option(
            "max-usd",
            "USD",
            "Budget for the call in US dollars, such as 0.50; a call that could cost more is not sent. Default: none",
        ))
        .arg(
            option(
                "max-usd-per-call",
                "USD",
                "Highest price that the call can have, in US dollars. Default: 0.50 per image",
            )
            .requires("max-usd"),
        )
        .args(connection::flags())
        .next_help_heading("Connection")
        .arg(flag("emulator", "Use an emulator of the API on this machine: no key, no cost").conflicts_with("base-url"))
        .arg(
            option(
                "max-attempts",
                "N",
                "Maximum number of attempts; only an attempt that provably cost nothing is retried. Default: 3",
            )
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
        // The API's own spelling, with underscores.
        if known.name.contains('_') { arg.alias(known.name) } else { arg }
    });
    let extra = Arg::new("extra")
        .long("extra")
        .value_name("NAME=VALUE")
        .value_parser(ValueParser::new(name_and_value))
        .action(ArgAction::Append)
        .help("Send a field that this program does not know; VALUE is JSON, or else text. May be repeated")
        .help_heading("API parameters");
    let structural = Arg::new("structural-rules")
        .long("structural-rules")
        .action(ArgAction::SetTrue)
        .help("Allow values that are not known to be valid; refuse only those that no server could accept")
        .help_heading("API parameters");
    parameters.chain([extra, structural]).collect()
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl RequestArgs {
    /// Reads the arguments that clap accepted.
    pub(crate) fn read(operation: Operation, matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let edit = operation == Operation::Edit;
        let builder = connection::builder(matches);
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
            builder: match matches.get_one("max-attempts") {
                Some(attempts) => builder.max_attempts(*attempts),
                None => builder,
            },
        }
    }
}
