//! From the manifest's wanted packages to the lock's exact ones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::Deserialize;

use super::closure::closure;
use super::fetch::{FetchOptions, obtain};
use super::licence::Licences;
use super::member::Member;
use super::mirrors::Mirrors;
use super::package::{Debian, Package};
use crate::error::{Error, Result};
use crate::platform::Platform;
use crate::progress::Progress;
use crate::store::Store;

/// What the manifest says of a profile's packages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The release by its code name.
    pub suite: String,
    pub components: Vec<String>,
    /// The keys that the indices must be signed with.
    pub keyring: PathBuf,
    /// Debian's own name of each platform.
    pub platforms: BTreeMap<Platform, String>,
    /// The packages, which bring what they depend on, but not what they recommend.
    pub packages: Vec<String>,
    /// Packages of which a member of the archive is pinned too, and which one.
    #[serde(default)]
    pub members: BTreeMap<String, String>,
}

/// Pins every package that a profile needs. Those that are not among the `known` ones of an earlier lock are downloaded into
/// the store, for their licences: the same bytes have the same.
pub(crate) fn resolve(
    wanted: &Wanted,
    profile: &str,
    known: &[Package],
    store: &Store,
    progress: &dyn Progress,
) -> Result<(Debian, Vec<Package>)> {
    if !wanted.keyring.is_file() {
        return Err(Error::NoKeyring {
            path: wanted.keyring.clone(),
        });
    }
    let mirrors = Mirrors::of_host()?;
    let (mut packages, mut dates) = (Vec::new(), Vec::new());
    for (platform, architecture) in &wanted.platforms {
        let found = closure(wanted, profile, *platform, architecture, &mirrors, progress)?;
        packages.extend(found.packages);
        dates.extend(found.dates);
    }
    let debian = Debian {
        suite: wanted.suite.clone(),
        components: wanted.components.clone(),
        snapshot: snapshot(&dates)?,
    };
    let known: BTreeMap<_, _> = known
        .iter()
        .map(|package| (package.sha256.as_str(), &package.licences))
        .collect();
    let is_new = |package: &&Package| {
        !known.contains_key(package.sha256.as_str()) || wanted.members.contains_key(&package.name)
    };
    let new: Vec<_> = packages.iter().filter(is_new).cloned().collect();
    let debs = obtain(store, &new, &debian, &FetchOptions::default(), progress)?;
    let mut licences = Licences::default();
    for deb in &debs {
        licences.read(deb, progress)?;
    }
    for package in &mut packages {
        let known = known.get(package.sha256.as_str());
        package.licences = known.map_or_else(|| licences.of(package), |known| (*known).clone());
        let deb = debs
            .iter()
            .find(|deb| deb.package().sha256 == package.sha256);
        if let (Some(member), Some(deb)) = (wanted.members.get(&package.name), deb) {
            package.member = Some(Member::pin(deb, member)?);
        }
    }
    Ok((debian, packages))
}

/// Twelve hours after the newest of the indices: the snapshot archive looks at Debian's every six, and Debian keeps a package
/// for a day after it was replaced.
fn snapshot(dates: &[String]) -> Result<String> {
    let parse = |date: &String| DateTime::strptime("%a, %d %b %Y %H:%M:%S UTC", date);
    let newest = dates.iter().flat_map(parse).max();
    let later = newest.and_then(|newest| newest.checked_add(12.hours()).ok());
    let moment = later.map(|moment| moment.strftime("%Y%m%dT%H%M%SZ").to_string());
    moment.ok_or_else(|| Error::AptFailed {
        command: "apt-get update".to_owned(),
        status: "success".to_owned(),
        log: format!("  none of the indices says when it was made: {dates:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_is_half_a_day_after_the_newest_index() {
        let dates = [
            "Sat, 15 Nov 2025 11:02:27 UTC".to_owned(),
            "Sun, 31 Dec 2025 20:00:00 UTC".to_owned(),
            "rubbish".to_owned(),
            "Wed, 31 Dec 2025 20:00:00 UTC".to_owned(),
        ];
        assert_eq!(snapshot(&dates).unwrap(), "20260101T080000Z");
        assert!(snapshot(&[]).is_err());
    }
}
