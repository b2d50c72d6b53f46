//! The inputs that a case describes, made in a temporary folder.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use gptimage_model::ImageInput;
use serde::Deserialize;

use super::mismatch::{fixture, shared};

/// An input as a case describes it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Input {
    Fixture(String),
    Described(Box<Described>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Described {
    file: Option<String>,
    length: Option<u64>,
    name: Option<String>,
    bytes_of: Option<String>,
    text: Option<String>,
    missing: bool,
    url: Option<String>,
    folder: bool,
    fifo: bool,
}

/// An input that is there, or not there, as described.
#[derive(Debug)]
pub(crate) enum Made {
    Path(PathBuf),
    Bytes(Vec<u8>),
}

impl Input {
    /// Whether this system has such a thing.
    pub(crate) fn possible(&self) -> bool {
        match self {
            Self::Fixture(_) => true,
            Self::Described(described) => !described.fifo || cfg!(unix),
        }
    }

    /// Makes it in a folder of its own.
    pub(crate) fn make(&self, folder: &Path) -> Made {
        let described = match self {
            Self::Fixture(name) => return Made::Path(shared("fixtures").join(name)),
            Self::Described(described) => described,
        };
        let name = described.name.as_deref().or(described.file.as_deref()).unwrap_or("input");
        let path = folder.join(name);
        match described.as_ref() {
            Described { bytes_of: Some(name), .. } => return Made::Bytes(fixture(name)),
            Described { file: Some(source), length, .. } => {
                let mut file = File::create(&path).unwrap();
                file.write_all(&fixture(source)).unwrap();
                if let Some(length) = length {
                    file.set_len(*length).unwrap();
                }
            }
            Described { text: Some(text), .. } => std::fs::write(&path, text).unwrap(),
            Described { url: Some(url), .. } => return Made::Path(url.into()),
            Described { missing: true, .. } => {}
            Described { folder: true, .. } => std::fs::create_dir(&path).unwrap(),
            Described { fifo: true, .. } => {
                let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
                assert!(made.success(), "mkfifo failed");
            }
            nothing => panic!("{nothing:?} describes no input"),
        }
        Made::Path(path)
    }
}

impl Made {
    pub(crate) fn input(&self) -> ImageInput {
        match self {
            Self::Path(path) => ImageInput::path(path),
            Self::Bytes(bytes) => ImageInput::bytes(bytes.clone()),
        }
    }

    pub(crate) fn read(&self) -> Vec<u8> {
        match self {
            Self::Path(path) => std::fs::read(path).unwrap(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}
