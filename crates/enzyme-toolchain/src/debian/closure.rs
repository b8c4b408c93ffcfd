//! What a set of packages needs, by apt's own solver, on a machine where nothing is installed.

use std::collections::BTreeMap;
use std::fs;

use super::apt::Apt;
use super::mirrors::Mirrors;
use super::package::{Archive, Package};
use super::resolve::Wanted;
use crate::error::{Error, Result};
use crate::platform::Platform;
use crate::progress::Progress;

/// The closure, and when the indices that it was made from were.
pub(crate) struct Closure {
    pub packages: Vec<Package>,
    /// The `Date` of each suite's index.
    pub dates: Vec<String>,
}

/// Resolves the wanted packages of a profile for one platform. Licences are still to be filled in.
pub(crate) fn closure(
    wanted: &Wanted,
    profile: &str,
    platform: Platform,
    architecture: &str,
    mirrors: &Mirrors,
    progress: &dyn Progress,
) -> Result<Closure> {
    let apt = Apt::new(architecture, &sources(wanted, mirrors))?;
    progress.note(&format!("reading Debian's indices for {platform}"));
    apt.run("apt-get", &["update", "--error-on=any"], progress)?;
    let mut install = vec!["install", "--quiet=2", "--yes", "--print-uris"];
    install.extend(wanted.packages.iter().map(String::as_str));
    let printed = apt.run("apt-get", &install, progress)?;
    let chosen: Vec<_> = printed.lines().filter_map(Chosen::parse).collect();
    let mut show = vec!["show".to_owned()];
    show.extend(chosen.iter().map(Chosen::exactly));
    let shown = apt.run("apt-cache", &show, progress)?;
    let records = records(&shown);
    let packages = chosen.iter().map(|chosen| {
        let record = chosen.record(&records)?;
        let (archive, _) = mirrors.split(&chosen.uri)?;
        let field = |name: &str| record.get(name).map(|value| (*value).to_owned());
        Some(Package {
            profile: profile.to_owned(),
            platform,
            name: chosen.name.clone(),
            version: chosen.version.clone(),
            architecture: chosen.architecture.clone(),
            archive,
            file: field("Filename")?,
            size: field("Size")?.parse().ok()?,
            sha256: field("SHA256")?,
            licences: Vec::new(),
            member: None,
        })
    });
    let unreadable = || Error::AptFailed {
        command: "apt-cache show".to_owned(),
        status: "success".to_owned(),
        log: "  it does not describe what `apt-get install --print-uris` chose".to_owned(),
    };
    let packages: Option<Vec<_>> = packages.collect();
    let packages = packages.filter(|packages| !packages.is_empty());
    Ok(Closure {
        packages: packages.ok_or_else(unreadable)?,
        dates: dates(&apt)?,
    })
}

fn sources(wanted: &Wanted, mirrors: &Mirrors) -> String {
    let source = |archive: Archive| {
        format!(
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: {}\nTargets: Packages\nSigned-By: {}\n",
            mirrors.base(archive),
            archive.suites(&wanted.suite).join(" "),
            wanted.components.join(" "),
            wanted.keyring.display(),
        )
    };
    Archive::ALL.map(source).join("\n")
}

/// A line of `--print-uris`: `'URI' NAME_VERSION_ARCHITECTURE.deb SIZE HASH`.
struct Chosen {
    uri: String,
    name: String,
    version: String,
    architecture: String,
}

impl Chosen {
    fn parse(line: &str) -> Option<Chosen> {
        let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        let file = rest.split(' ').next()?.strip_suffix(".deb")?;
        let mut parts = file.split('_');
        let (name, version, architecture) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Chosen {
            uri: uri.to_owned(),
            name: name.to_owned(),
            version: version.replace("%3a", ":"),
            architecture: architecture.to_owned(),
        })
    }

    fn exactly(&self) -> String {
        format!("{}={}", self.name, self.version)
    }

    fn record<'a, 'b>(&self, records: &'b [Record<'a>]) -> Option<&'b Record<'a>> {
        let fields = [
            ("Package", &self.name),
            ("Version", &self.version),
            ("Architecture", &self.architecture),
        ];
        let fits = |record: &&Record| {
            fields
                .iter()
                .all(|(field, value)| record.get(field) == Some(&value.as_str()))
        };
        records.iter().find(fits)
    }
}

/// The one-line fields of a paragraph of a control file.
type Record<'a> = BTreeMap<&'a str, &'a str>;

fn records(text: &str) -> Vec<Record<'_>> {
    text.split("\n\n").map(record).collect()
}

fn record(paragraph: &str) -> Record<'_> {
    let fields = paragraph.lines().filter(|line| !line.starts_with(' '));
    fields.filter_map(|line| line.split_once(": ")).collect()
}

fn dates(apt: &Apt) -> Result<Vec<String>> {
    let lists = apt.lists();
    let entries = fs::read_dir(&lists).map_err(Error::io("list", &lists))?;
    let mut dates = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if !path.to_string_lossy().ends_with("Release") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let date = text.lines().find_map(|line| line.strip_prefix("Date: "));
        dates.extend(date.map(str::to_owned));
    }
    Ok(dates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_apt_is_taken_apart() {
        let line = "'http://x/pool/l/libfoo_2%2b1_amd64.deb' libfoo_1%3a2+1~deb13u1_amd64.deb 42 SHA256:ab";
        let chosen = Chosen::parse(line).unwrap();
        assert_eq!(chosen.uri, "http://x/pool/l/libfoo_2%2b1_amd64.deb");
        assert_eq!(chosen.exactly(), "libfoo=1:2+1~deb13u1");
        assert_eq!(chosen.architecture, "amd64");
        assert!(Chosen::parse("Reading package lists...").is_none());
    }

    #[test]
    fn a_record_is_found_by_name_version_and_architecture() {
        let text = "Package: a\nVersion: 1\nArchitecture: amd64\nSize: 1\nDescription: x\n more: y\n\n\
                    Package: a\nVersion: 2\nArchitecture: amd64\nSize: 2\n";
        let records = records(text);
        let chosen = Chosen::parse("'u' a_2_amd64.deb 2 h").unwrap();
        assert_eq!(chosen.record(&records).unwrap()["Size"], "2");
        let other = Chosen::parse("'u' a_2_arm64.deb 2 h").unwrap();
        assert!(other.record(&records).is_none());
    }
}
