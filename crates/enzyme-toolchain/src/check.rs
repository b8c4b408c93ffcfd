//! What a lock must satisfy before anything acts on it: what it names is bounded and stays inside its directory.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use crate::hash::Fingerprint;
use crate::lock::{Artifact, Data, Source, ToolPaths, VERSION};

/// No single artifact, package or file may claim more: a bound for everything read from outside.
const MAX_SIZE: u64 = 4 << 30;

pub(crate) type Check = Result<(), String>;

pub(crate) fn check(data: &Data) -> Check {
    if data.version != VERSION {
        return Err(format!(
            "it has version {}, this program reads version {VERSION}",
            data.version
        ));
    }
    data.profile.keys().try_for_each(|name| check_word(name))?;
    let mut ids = BTreeSet::new();
    let mut destinations = BTreeSet::new();
    for artifact in &data.artifact {
        check_artifact(artifact)?;
        for profile in &artifact.profiles {
            let place = (profile.as_str(), artifact.platform);
            if !data.profile.contains_key(profile) {
                return Err(format!(
                    "artifact {} belongs to no known profile",
                    artifact.file
                ));
            }
            if !ids.insert((place, &artifact.id)) {
                return Err(format!(
                    "artifact {} is there twice for {}",
                    artifact.id, artifact.platform
                ));
            }
            for file in &artifact.files {
                if !destinations.insert((place, file.to.as_str())) {
                    return Err(format!(
                        "two files of {} would be {}",
                        artifact.platform, file.to
                    ));
                }
            }
        }
    }
    check_packages(data)?;
    for place in data.pairs() {
        let profile = &data.profile[place.0];
        let has = |path: &str| {
            destinations.contains(&(place, path))
                || (profile.debian.is_some() && check_absolute(path).is_ok())
        };
        check_tools(&profile.tools, has)?;
    }
    Ok(())
}

fn check_packages(data: &Data) -> Check {
    for profile in data.profile.values() {
        profile
            .debian
            .iter()
            .try_for_each(|debian| debian.check())?;
    }
    let mut names = BTreeSet::new();
    for package in &data.package {
        package.check()?;
        let profile = data.profile.get(&package.profile);
        if profile.is_none_or(|profile| profile.debian.is_none()) {
            return Err(format!(
                "package {} belongs to no profile with Debian packages",
                package.name
            ));
        }
        if !names.insert((package.place(), &package.name)) {
            return Err(format!(
                "package {} is there twice for {}",
                package.name, package.platform
            ));
        }
    }
    Ok(())
}

fn check_tools(tools: &ToolPaths, has: impl Fn(&str) -> bool) -> Check {
    for tool in [&tools.engine, &tools.clang, &tools.lld, &tools.ar] {
        if !tool.first().is_some_and(|program| has(program)) {
            return Err(format!(
                "tool {tool:?} does not begin with a file of the toolchain"
            ));
        }
    }
    Ok(())
}

fn check_artifact(artifact: &Artifact) -> Check {
    for word in [
        &artifact.id,
        &artifact.file,
        &artifact.name,
        &artifact.version,
    ] {
        check_word(word)?;
    }
    if artifact.profiles.is_empty() {
        return Err(format!("artifact {} belongs to no profile", artifact.file));
    }
    artifact
        .profiles
        .iter()
        .try_for_each(|name| check_word(name))?;
    let Source::Wheel {
        python,
        pip_platform,
    } = &artifact.source;
    check_word(python)?;
    check_word(pip_platform)?;
    check_fingerprint(&artifact.file, &artifact.fingerprint())?;
    if artifact.files.is_empty() {
        return Err(format!("nothing is taken out of {}", artifact.file));
    }
    for file in &artifact.files {
        check_destination(&file.to)?;
        check_fingerprint(&file.to, &file.fingerprint())?;
    }
    Ok(())
}

/// Names that become file names or arguments of other programs: no separators, no option, no space.
pub(crate) fn check_word(word: &str) -> Check {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let fits = word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.len() <= 200
        && word.chars().all(allowed);
    if fits {
        Ok(())
    } else {
        Err(format!("{word:?} is not a plain name"))
    }
}

fn check_destination(path: &str) -> Check {
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    // 99 bytes fit the name field of a plain tar header.
    let tidy =
        (1..100).contains(&path.len()) && path.split('/').all(|part| check_word(part).is_ok());
    if plain && tidy {
        Ok(())
    } else {
        Err(format!("{path:?} is not a plain relative path"))
    }
}

fn check_absolute(path: &str) -> Check {
    let relative = path.strip_prefix('/').unwrap_or_default();
    check_destination(relative).map_err(|_| format!("{path:?} is not a plain absolute path"))
}

pub(crate) fn check_fingerprint(name: &str, fingerprint: &Fingerprint) -> Check {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if fingerprint.sha256.len() != 64 || !fingerprint.sha256.chars().all(hex) {
        return Err(format!("the sha256 of {name} is not 64 hexadecimal digits"));
    }
    if fingerprint.size > MAX_SIZE {
        return Err(format!(
            "{name} claims {} bytes, more than {MAX_SIZE}",
            fingerprint.size
        ));
    }
    Ok(())
}
