//! A place that files come from, opened.

use std::path::{Path, PathBuf};

use super::apt::Apt;
use super::fetch::ADVICE;
use super::mirrors::Mirrors;
use super::origin::{Mirror, Origin, place, snapshot_url, url};
use super::package::{Debian, Package};
use super::transfer::{Client, Outcome, Transfer, transfer};
use crate::artifact::Downloaded;
use crate::error::{Error, Result};
use crate::lock::Artifact;
use crate::progress::{Meter, Phase, Progress};

/// Where the packages of a profile come from.
pub(crate) struct Supply<'a> {
    from: From<'a>,
    debian: &'a Debian,
}

enum From<'a> {
    Apt(Apt, Mirrors),
    Mirror(&'a Mirror),
    Snapshot,
}

/// Where a file can be read: in a mirror's directory, or where a transfer put it. `None` when the place does not have it; an
/// error when nobody can tell.
type Found = Result<Option<PathBuf>>;

impl<'a> Supply<'a> {
    pub(crate) fn open(origin: &'a Origin, debian: &'a Debian) -> Result<Supply<'a>> {
        let from = match origin {
            // Only its ways to the network are needed: neither sources nor a true architecture.
            Origin::Apt => From::Apt(Apt::new("all", "")?, Mirrors::of_host()?),
            Origin::Mirror(mirror) => From::Mirror(mirror),
            Origin::Snapshot => From::Snapshot,
        };
        Ok(Supply { from, debian })
    }

    /// Where a package is, as a path or a URL.
    pub(crate) fn address(&self, package: &Package) -> String {
        match &self.from {
            From::Apt(_, mirrors) => url(mirrors.base(package.archive), &package.file),
            From::Mirror(mirror) => address(mirror, &package.sha256),
            From::Snapshot => snapshot_url(package, self.debian),
        }
    }

    /// Finds some packages, downloading them into `scratch` where that is needed.
    pub(crate) fn find(
        &self,
        packages: &[&Package],
        scratch: &Path,
        watch: impl FnMut(u64) -> Result<()>,
    ) -> Result<Vec<Found>> {
        let wanted = packages.iter().map(|package| Transfer {
            url: self.address(package),
            to: scratch.join(format!("{}.deb", package.sha256)),
            size: package.size,
        });
        match &self.from {
            From::Mirror(Mirror::Directory(_)) => {
                let paths = wanted.map(|wanted| PathBuf::from(wanted.url));
                let found = paths.map(|path| Ok(path.is_file().then_some(path)));
                Ok(found.collect())
            }
            From::Apt(apt, _) => download(&Client::Apt(apt), wanted.collect(), scratch, watch),
            From::Mirror(Mirror::Url(_)) | From::Snapshot => {
                download(&Client::Curl, wanted.collect(), scratch, watch)
            }
        }
    }

    /// The error for packages that [`Supply::find`] did not find.
    pub(crate) fn lacks(&self, package: &Package, others: usize) -> Error {
        let (address, package) = (self.address(package), package.to_string());
        match self.from {
            From::Apt(..) => Error::MissingPackage {
                package,
                others,
                address,
            },
            _ => Error::MissingFromMirror {
                package,
                others,
                address,
            },
        }
    }
}

fn download(
    client: &Client<'_>,
    transfers: Vec<Transfer>,
    scratch: &Path,
    watch: impl FnMut(u64) -> Result<()>,
) -> Result<Vec<Found>> {
    let outcomes = transfer(client, &transfers, scratch, watch)?;
    let found = |(transfer, outcome): (Transfer, Outcome)| match outcome {
        Outcome::Came => Ok(Some(transfer.to)),
        Outcome::Missing => Ok(None),
        Outcome::Failed(log) => Err(Error::TransferFailed {
            url: transfer.url,
            log,
        }),
    };
    Ok(transfers.into_iter().zip(outcomes).map(found).collect())
}

fn address(mirror: &Mirror, sha256: &str) -> String {
    match mirror {
        Mirror::Directory(directory) => {
            directory.join(place(sha256)).to_string_lossy().into_owned()
        }
        Mirror::Url(base) => url(base, &place(sha256)),
    }
}

/// Gets an artifact from a content-addressed mirror, into `scratch` where that is needed.
pub(crate) fn from_mirror(
    mirror: &Mirror,
    artifact: &Artifact,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Downloaded> {
    let wanted = Transfer {
        url: address(mirror, &artifact.sha256),
        to: scratch.join(&artifact.file),
        size: artifact.size,
    };
    let lacks = Error::MissingFromMirror {
        package: artifact.file.clone(),
        others: 0,
        address: wanted.url.clone(),
    };
    let found = match mirror {
        Mirror::Directory(_) => {
            let path = PathBuf::from(wanted.url);
            path.is_file().then_some(path)
        }
        Mirror::Url(_) => {
            let mut meter = Meter::new(progress, Phase::Download, &artifact.file, artifact.size);
            let found = download(&Client::Curl, vec![wanted], scratch, |bytes| {
                meter.set(bytes)
            })?;
            meter.finish();
            found.into_iter().next().transpose()?.flatten()
        }
    };
    Ok(Downloaded::new(found.ok_or(lacks)?, ADVICE))
}
