//! The image's definition, `docker/image.toml`: all about the image that is not a package, the engine or the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use wildmatch::WildMatch;

use crate::error::{Error, Result};
use crate::hash::Fingerprint;

const PARTS: [&str; 3] = ["engine", "project", "records"];
const EMBEDDED: &str = include_str!("../../image.toml");

/// The definition, checked.
#[derive(Clone, Debug)]
pub struct Definition {
    pub(crate) data: Data,
    digest: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Data {
    pub config: Config,
    pub annotations: BTreeMap<String, String>,
    pub layer: Vec<Layer>,
    #[serde(default)]
    pub without: Vec<Without>,
    #[serde(default)]
    pub drop: Vec<Drop>,
    #[serde(default)]
    pub directory: Vec<Directory>,
    #[serde(default)]
    pub link: Vec<Link>,
    #[serde(default)]
    pub copy: Vec<Copy>,
    #[serde(default)]
    pub file: Vec<File>,
}

/// How containers of the image start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub user: String,
    pub working_directory: String,
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
}

/// A layer, lowest first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Layer {
    pub name: String,
    /// For people: it becomes the layer's line in the image's history.
    pub title: String,
    /// Patterns of package names. The first layer takes those that no layer names.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Parts that are not packages: `engine`, `project`, `records`. What no layer names is not in the image.
    #[serde(default)]
    pub parts: Vec<String>,
}

/// Packages of the lock that the image does not have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Without {
    pub packages: Vec<String>,
    #[allow(dead_code, reason = "for readers of the definition, who must be told")]
    pub why: String,
}

/// Files of packages that the image does not have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drop {
    pub paths: Vec<String>,
    #[serde(default)]
    pub except: Vec<String>,
    #[allow(dead_code, reason = "for readers of the definition, who must be told")]
    pub why: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Directory {
    pub paths: Vec<String>,
    /// In octal.
    pub mode: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    pub path: String,
    pub to: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copy {
    pub from: String,
    pub to: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub path: String,
    pub text: String,
}

impl Definition {
    /// The definition that this program was built with.
    pub fn embedded() -> Result<Definition> {
        Definition::parse(EMBEDDED, "the embedded image.toml")
    }

    /// Reads a definition from a file.
    pub fn read(path: &Path) -> Result<Definition> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Definition::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, origin: &str) -> Result<Definition> {
        let bad = |reason: String| Error::BadDefinition {
            origin: origin.to_owned(),
            reason,
        };
        let data: Data =
            toml::from_str(text).map_err(|error| bad(error.to_string().trim_end().to_owned()))?;
        check(&data).map_err(bad)?;
        Ok(Definition {
            data,
            digest: Fingerprint::of(text.as_bytes()).sha256,
        })
    }

    /// SHA-256 of its text.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The layer that a package belongs to.
    pub(crate) fn layer_of_package(&self, package: &str) -> usize {
        self.layer(|layer| matches(&layer.packages, package))
    }

    /// The layer that another part belongs to.
    pub(crate) fn layer_of_part(&self, part: &str) -> usize {
        self.layer(|layer| layer.parts.iter().any(|name| name == part))
    }

    pub(crate) fn has_part(&self, part: &str) -> bool {
        let names = |layer: &Layer| layer.parts.iter().any(|name| name == part);
        self.data.layer.iter().any(names)
    }

    fn layer(&self, wanted: impl Fn(&Layer) -> bool) -> usize {
        self.data.layer.iter().position(wanted).unwrap_or(0)
    }

    pub(crate) fn leaves_out(&self, package: &str) -> bool {
        self.data
            .without
            .iter()
            .any(|rule| matches(&rule.packages, package))
    }
}

impl Config {
    /// `NAME=VALUE`, sorted.
    pub(crate) fn variables(&self) -> Vec<String> {
        self.environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }
}

impl Directory {
    pub(crate) fn permissions(&self) -> Option<u32> {
        u32::from_str_radix(&self.mode, 8)
            .ok()
            .filter(|mode| *mode <= 0o1777)
    }
}

fn matches(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| WildMatch::new(pattern).matches(name))
}

fn check(data: &Data) -> std::result::Result<(), String> {
    if data.layer.is_empty() {
        return Err("it has no layer".to_owned());
    }
    let names: BTreeSet<_> = data.layer.iter().map(|layer| &layer.name).collect();
    if names.len() != data.layer.len() {
        return Err("two layers have one name".to_owned());
    }
    for part in data.layer.iter().flat_map(|layer| &layer.parts) {
        if !PARTS.contains(&part.as_str()) {
            return Err(format!("{part:?} is none of the parts {PARTS:?}"));
        }
    }
    for directory in &data.directory {
        if directory.permissions().is_none() {
            return Err(format!("{:?} is no mode of a directory", directory.mode));
        }
    }
    let made = data
        .directory
        .iter()
        .flat_map(|directory| &directory.paths)
        .chain(data.link.iter().map(|link| &link.path))
        .chain(data.copy.iter().flat_map(|copy| [&copy.from, &copy.to]))
        .chain(data.file.iter().map(|file| &file.path));
    for path in made {
        let plain = path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
        if !plain {
            return Err(format!("{path:?} is not a plain path below the root"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_definition_is_good() {
        let definition = Definition::embedded().unwrap();
        let name = |layer: usize| &*definition.data.layer[layer].name;
        assert_eq!(name(definition.layer_of_package("libc6")), "base");
        assert_eq!(name(definition.layer_of_package("rustc-web")), "rust");
        assert_eq!(name(definition.layer_of_package("libllvm22")), "llvm");
        assert_eq!(name(definition.layer_of_part("engine")), "engine");
    }

    #[test]
    fn bad_definitions_are_refused_with_the_reason() {
        for (from, to, reason) in [
            ("[[layer]]", "[[lawyer]]", "unknown field"),
            ("\"engine\"]", "\"engines\"]", "none of the parts"),
            ("mode = \"1777\"", "mode = \"4777\"", "no mode"),
            ("path = \"etc/", "path = \"/etc/", "plain path"),
            ("path = \"etc/", "path = \"../etc/", "plain path"),
        ] {
            let text = EMBEDDED.replace(from, to);
            assert_ne!(text, EMBEDDED, "{from}");
            let message = Definition::parse(&text, "x.toml").unwrap_err().to_string();
            assert!(
                message.contains(reason) && message.contains("x.toml"),
                "{message}"
            );
        }
    }
}
