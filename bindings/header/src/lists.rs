//! Prints, as one JSON object, the lists with which the other languages and the documentation are compared:
//! `cargo run -p gptimage-header --bin gptimage-lists`. `tests/parity/check.py` does the comparison.
//!
//! No list is written by hand. Names come from core's tables, from clap's description of the command line, from an
//! emulator's responses, and, where there is no table (public methods and fields, kinds of warnings, environment
//! variables), from the source code.
#![allow(clippy::print_stdout, reason = "a program that prints lists")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use gptimage_core::rules::{GPT_IMAGE_2, MIB};
use gptimage_core::{Charge, ErrorKind, GenerateRequest, Operation, PARAMETERS, ParameterInfo, Phase, Rule, Timers};
use gptimage_emulator::Emulator;
use serde_json::{Map, Value, json};
use syn::visit::Visit;

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Folders whose public items and constants are read, relative to the repository's root.
const SOURCES: [&str; 4] = ["crates/model/src", "crates/core/src", "crates/emulator/src", "bindings/py/src"];

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = Sources::default();
    for folder in SOURCES.map(|folder| root.join(folder)) {
        sources.read(&folder)?;
    }
    let lists = json!({
        "parameters": parameters(),
        "values": values(),
        "defaults": GPT_IMAGE_2.defaults.iter().copied().collect::<BTreeMap<_, _>>(),
        "limits": limits(),
        "error_kinds": error_kinds(),
        "phases": names(Phase::ALL, Phase::as_str),
        "charges": names(Charge::ALL, Charge::as_str),
        "rules": names(Rule::ALL, Rule::as_str),
        "timers": timers()?,
        "flags": flags(),
        "refused_by_emulator": refused_by_emulator()?,
        "types": sources.types,
        "functions": sources.functions,
        "warnings": sources.warnings,
        "variables": sources.variables,
    });
    println!("{lists:#}");
    Ok(())
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().copied().map(name).collect()
}

fn parameters() -> Value {
    let operations = |known: &'static [Operation]| known.iter().map(|operation| operation.as_str()).collect::<Vec<_>>();
    let parameter = |known: &ParameterInfo| json!({ "name": known.name, "operations": operations(known.operations), "integer": known.integer });
    PARAMETERS.iter().map(parameter).collect()
}

/// Returns the limits that help texts and documentation repeat.
fn limits() -> Value {
    let rules = &GPT_IMAGE_2;
    json!({
        "characters of a prompt": rules.prompt_max_chars,
        "images of an edit": rules.images_max,
        "MB of an image": rules.image_max_bytes / MIB,
        "MB of a mask": rules.mask_below_bytes / MIB,
        "n of an edit": rules.edit_n.end(),
        "percent of a quality": rules.output_compression.end(),
    })
}

/// Returns the values that each parameter accepts, from the message that rejects another value.
fn values() -> Map<String, Value> {
    let mut values = Map::new();
    for known in PARAMETERS {
        let refused = GenerateRequest::builder("A hat").set(known.name, "no such word").build().err();
        for violation in
            refused.iter().flat_map(|refused| refused.violations()).filter(|found| found.rule() == Rule::OneOf)
        {
            let (_, words) = violation.message().split_once("is not one of ").unwrap_or_default();
            values.insert(known.name.to_owned(), words.split(", ").collect());
        }
    }
    values
}

fn error_kinds() -> Value {
    let kind = |kind: &ErrorKind| json!({ "name": kind.as_str(), "variant": format!("{kind:?}"), "number": kind.number(), "exit_code": gptimage_cli::exit_code(*kind) });
    ErrorKind::ALL.iter().map(kind).collect()
}

/// Returns every timer with its default, in seconds or as a count, from the `Debug` text of the defaults.
fn timers() -> Result<Value> {
    let shown = format!("{:?}", Timers::default());
    let fields =
        shown.strip_prefix("Timers { ").and_then(|fields| fields.strip_suffix(" }")).ok_or("Timers look otherwise")?;
    let mut timers = Map::new();
    for field in fields.split(", ") {
        let (name, value) = field.split_once(": ").ok_or("a timer looks otherwise")?;
        let (number, unit) = match value {
            value if value.ends_with("ms") => (value.trim_end_matches("ms"), 0.001),
            value => (value.trim_end_matches('s'), 1.0),
        };
        timers.insert(name.to_owned(), json!(number.parse::<f64>()? * unit));
    }
    Ok(Value::Object(timers))
}

/// Returns the long flags of each subcommand as the help shows them, without aliases.
fn flags() -> BTreeMap<String, BTreeSet<String>> {
    let command = gptimage_cli::command();
    let flags = |subcommand: &str| {
        let subcommand = command.find_subcommand(subcommand);
        subcommand
            .into_iter()
            .flat_map(|subcommand| subcommand.get_arguments())
            .filter_map(|flag| flag.get_long())
            .map(str::to_owned)
            .collect()
    };
    command
        .get_subcommands()
        .map(|subcommand| (subcommand.get_name().to_owned(), flags(subcommand.get_name())))
        .collect()
}

/// Returns the parameters that an emulator validates: those that it names when every parameter has an impossible value.
fn refused_by_emulator() -> Result<BTreeMap<&'static str, BTreeSet<String>>> {
    let emulator = Emulator::builder().spawn()?;
    let address = emulator.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let known = |operation: Operation| PARAMETERS.iter().filter(move |known| known.operations.contains(&operation));
    // No parameter accepts an object, or a text of this length.
    let object: Map<String, Value> = known(Operation::Generate)
        .filter(|known| known.name != "model")
        .map(|known| (known.name.to_owned(), json!({})))
        .chain([("model".to_owned(), json!("openai/gpt-image-2")), ("prompt".to_owned(), json!("A hat"))])
        .collect();
    let long = "x".repeat(100_000);
    let field = |name: &str, value: &str| {
        format!("--end\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let form: String = known(Operation::Edit)
        .filter(|known| known.name != "model")
        .map(|known| field(known.name, &long))
        .chain([field("model", "openai/gpt-image-2"), field("prompt", "A hat"), "--end--\r\n".to_owned()])
        .collect();
    let json = Value::Object(object).to_string();
    let generate = refused(&address, "/v1/images/generations", "application/json", &json)?;
    let edit = refused(&address, "/v1/images/edits", "multipart/form-data; boundary=end", &form)?;
    // A wrong model gets another kind of error, because the model decides which rules apply.
    let with_model = |mut names: BTreeSet<String>| {
        names.insert("model".to_owned());
        names
    };
    Ok(BTreeMap::from([("generate", with_model(generate)), ("edit", with_model(edit))]))
}

/// Returns the fields that the emulator's error names.
fn refused(address: &str, path: &str, content_type: &str, body: &str) -> Result<BTreeSet<String>> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer any\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the emulator's answer has no end of its head")?;
    if !head.starts_with("HTTP/1.1 400 ") {
        return Err(format!("the emulator was to refuse this request, and answered {head}").into());
    }
    let body: Value = serde_json::from_str(body)?;
    let issues =
        body.pointer("/error/data").and_then(Value::as_array).ok_or("the emulator's refusal lists no issues")?;
    let field = |issue: &Value| issue.get("path")?.get(0)?.as_str().map(str::to_owned);
    Ok(issues.iter().filter_map(field).collect())
}

/// Information collected from the source code.
#[derive(Default)]
struct Sources {
    /// By crate and by type with its module (such as `blocking::Client`): its `fields`, its `methods`, those of them
    /// that are `getters`, and its `facts` (the names of its members in JSON).
    types: BTreeMap<String, BTreeMap<String, BTreeMap<&'static str, BTreeSet<String>>>>,
    /// Functions exported to Python, by crate.
    functions: BTreeMap<String, BTreeSet<String>>,
    warnings: BTreeSet<String>,
    variables: BTreeSet<String>,
    /// The modules that define a type of each name, in the current crate.
    definitions: BTreeMap<String, BTreeSet<String>>,
    /// The current crate.
    of: String,
    /// The current module.
    module: String,
}

impl Sources {
    /// Reads a crate. Finds the modules of all types first, because an `impl` may be in another module.
    fn read(&mut self, folder: &Path) -> Result<()> {
        let mut files = Vec::new();
        parse(folder, "", &mut files)?;
        let crate_folder = folder.parent().and_then(Path::file_name).unwrap_or_default();
        self.of = crate_folder.to_string_lossy().into_owned();
        self.definitions.clear();
        for (module, file) in &files {
            let mut names = Definitions::default();
            names.visit_file(file);
            for name in names.0 {
                self.definitions.entry(name).or_default().insert(module.clone());
            }
        }
        for (module, file) in &files {
            self.module.clone_from(module);
            self.visit_file(file);
        }
        Ok(())
    }

    /// Returns the name of a type with its module: the current one, or the only one that defines a type of this name.
    fn qualified(&self, name: &str) -> String {
        let modules = self.definitions.get(name);
        let only = modules.filter(|modules| modules.len() == 1 && !modules.contains(&self.module));
        let module = only.and_then(BTreeSet::first).unwrap_or(&self.module);
        if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
    }

    fn add(&mut self, name: &str, what: &'static str, names: impl IntoIterator<Item = String>) {
        let name = self.qualified(name);
        let types = self.types.entry(self.of.clone()).or_default();
        types.entry(name).or_default().entry(what).or_default().extend(names);
    }
}

/// Parses every file of a folder. Pairs each with its module, such as `transport::call` for `transport/call.rs`.
fn parse(folder: &Path, module: &str, files: &mut Vec<(String, syn::File)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let own = match (name, module) {
            ("mod" | "lib", _) => module.to_owned(),
            (_, "") => name.to_owned(),
            _ => format!("{module}::{name}"),
        };
        if path.is_dir() {
            parse(&path, &own, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && !name.ends_with("_tests") {
            let file = syn::parse_file(&std::fs::read_to_string(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            files.push((own, file));
        }
    }
    Ok(())
}

/// The names of the types that a file defines.
#[derive(Default)]
struct Definitions(BTreeSet<String>);

impl<'ast> Visit<'ast> for Definitions {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.0.insert(item.ident.to_string());
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.0.insert(item.ident.to_string());
    }
}

impl<'ast> Visit<'ast> for Sources {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !has(&module.attrs, "cfg") {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let name = item.ident.to_string();
        let shown = item.fields.iter().filter(|field| is_public(&field.vis) || name == "Settings");
        self.add(&name, "fields", shown.filter_map(json_name));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let syn::Type::Path(of) = &*item.self_ty else { return };
        let Some(name) = of.path.segments.last().map(|segment| segment.ident.to_string()) else { return };
        let python = has(&item.attrs, "pymethods");
        let hidden = has(&item.attrs, "doc(hidden)");
        let methods = item.items.iter().filter_map(|item| match item {
            syn::ImplItem::Fn(method) => Some(method),
            _ => None,
        });
        for method in methods {
            let public =
                is_public(&method.vis) && item.trait_.is_none() && !hidden && !has(&method.attrs, "doc(hidden)");
            if public || python {
                self.add(&name, if python { "python" } else { "methods" }, [method.sig.ident.to_string()]);
                if method.sig.receiver().is_some_and(|receiver| receiver.reference.is_some()) {
                    self.add(&name, "getters", [method.sig.ident.to_string()]);
                }
            }
            // A struct inside `impl Serialize` has the names that are written.
            for statement in &method.block.stmts {
                if let (syn::Stmt::Item(syn::Item::Struct(shown)), Some(_)) = (statement, &item.trait_) {
                    self.add(&name, "facts", shown.fields.iter().filter_map(json_name));
                }
            }
        }
        if name == "Warning" && item.trait_.is_none() {
            let mut kinds = FirstArguments::default();
            kinds.visit_item_impl(item);
            self.warnings.extend(kinds.0);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if has(&item.attrs, "pyfunction") {
            self.functions.entry(self.of.clone()).or_default().insert(item.sig.ident.to_string());
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        let mut texts = Texts::default();
        texts.visit_item_const(item);
        self.variables.extend(texts.0.into_iter().filter(|text| self.of == "core" && is_variable(text)));
    }
}

/// The texts that are the first argument of a function.
#[derive(Default)]
struct FirstArguments(Vec<String>);

impl<'ast> Visit<'ast> for FirstArguments {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let of_new = matches!(&*call.func, syn::Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "new"));
        if let (true, Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }))) = (of_new, call.args.first())
        {
            self.0.push(text.value());
        }
        syn::visit::visit_expr_call(self, call);
    }
}

/// All string literals.
#[derive(Default)]
struct Texts(Vec<String>);

impl<'ast> Visit<'ast> for Texts {
    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.0.push(text.value());
    }
}

/// Returns whether a text looks like an environment variable. Lower-case names, as proxy variables have them, are the
/// same variables.
fn is_variable(text: &str) -> bool {
    text.contains('_') && text.chars().all(|character| character.is_ascii_uppercase() || character == '_')
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

/// Returns whether there is an attribute `name`: a path such as `cfg`, or a path with one word in parentheses.
fn has(attributes: &[syn::Attribute], name: &str) -> bool {
    let (path, word) = name.split_once('(').map_or((name, None), |(path, word)| (path, word.strip_suffix(')')));
    attributes.iter().any(|attribute| {
        attribute.path().is_ident(path)
            && word
                .is_none_or(|word| matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == word))
    })
}

/// Returns a field's name in JSON.
fn json_name(field: &syn::Field) -> Option<String> {
    let mut name = field.ident.as_ref()?.to_string();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        if let syn::Meta::List(list) = &attribute.meta {
            let text = list.tokens.to_string();
            if let Some(renamed) = text.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next()) {
                renamed.clone_into(&mut name);
            }
        }
    }
    Some(name)
}
