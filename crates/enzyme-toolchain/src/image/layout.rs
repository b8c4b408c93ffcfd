//! Writing an image as an OCI layout: a directory of blobs, each named by its SHA-256.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempDir};

use super::gzip::Gzip;
use super::oci::{self, Descriptor};
use super::open::{remove_if_there, sibling};
use super::plan::{LayerPlan, Plan};
use super::tree::NodeKind;
use super::{layer, parallel};
use crate::error::{Error, Result};
use crate::hash;
use crate::progress::{Meter, Phase, Progress};

pub(crate) const VERSION: &str = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The manifest's digest, which names the image: `sha256:...`.
    pub digest: String,
    /// Bytes of all blobs.
    pub size: u64,
    /// Of each layer.
    pub layers: Vec<LayerSize>,
}

/// A layer's name and size.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerSize {
    /// As in the definition.
    pub name: String,
    /// Compressed.
    pub size: u64,
    /// As a tar archive.
    pub unpacked: u64,
}

/// Writes the layout to a directory that must not be there yet, or be empty or a layout: that is replaced in one step. SBOM
/// and provenance are written beside it.
pub fn write(plan: &Plan, to: &Path, reference: &str, progress: &dyn Progress) -> Result<Written> {
    check_replaceable(to)?;
    let temp = beside(to)?;
    let new = temp.path().join("new");
    let blobs = Blobs::new(&new)?;
    let layers = write_layers(plan, Some(&blobs), progress)?;
    let Documents {
        image,
        manifest,
        named,
    } = documents_of(plan, &layers);
    blobs.add(&manifest.config, &oci::text(&image))?;
    blobs.add(&named, &oci::text(&manifest))?;
    let blobs = manifest.layers.iter().chain([&manifest.config, &named]);
    let size = blobs.map(|blob| blob.size).sum();
    let digest = named.digest.clone();
    write_index(&new, plan, named, reference)?;
    let docker = docker_list(&manifest, reference);
    write_file(&new.join("manifest.json"), &oci::text(&docker))?;
    // Never beside a layout that they do not belong to.
    for (ending, _) in records(plan, reference, &digest) {
        remove_if_there(&sibling(to, ending))?;
    }
    replace(&new, to, &temp)?;
    for (ending, bytes) in records(plan, reference, &digest) {
        let (new, to) = (temp.path().join("record"), sibling(to, ending));
        write_file(&new, &bytes)?;
        fs::rename(&new, &to).map_err(Error::io("create", &to))?;
    }
    Ok(Written {
        digest,
        size,
        layers: plan
            .layers
            .iter()
            .zip(&layers)
            .map(|(plan, layer)| LayerSize {
                name: plan.name.clone(),
                size: layer.descriptor.size,
                unpacked: layer.unpacked,
            })
            .collect(),
    })
}

/// The documents of an image, and the manifest's name.
pub(crate) struct Documents {
    pub image: oci::Image,
    pub manifest: oci::Manifest,
    pub named: Descriptor,
}

/// What [`write`] would write, without writing it.
pub(crate) fn documents(plan: &Plan, progress: &dyn Progress) -> Result<Documents> {
    Ok(documents_of(plan, &write_layers(plan, None, progress)?))
}

fn documents_of(plan: &Plan, layers: &[WrittenLayer]) -> Documents {
    let image = image(
        plan,
        layers.iter().map(|layer| layer.diff_id.clone()).collect(),
    );
    let manifest = oci::Manifest {
        schema_version: 2,
        media_type: oci::MANIFEST.to_owned(),
        config: Descriptor::of(oci::CONFIG, &oci::text(&image)),
        layers: layers
            .iter()
            .map(|layer| layer.descriptor.clone())
            .collect(),
        annotations: plan.annotations.clone(),
    };
    Documents {
        named: Descriptor::of(oci::MANIFEST, &oci::text(&manifest)),
        image,
        manifest,
    }
}

/// SBOM and provenance, by the endings of their names beside the layout.
pub(crate) fn records(plan: &Plan, reference: &str, digest: &str) -> [(&'static str, Vec<u8>); 2] {
    [
        (".spdx.json", plan.sbom.clone()),
        (
            ".provenance.json",
            plan.provenance.statement(reference, digest),
        ),
    ]
}

/// A directory for work in progress on the same file system as `to`.
pub(crate) fn beside(to: &Path) -> Result<TempDir> {
    let parent = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    tempfile::Builder::new()
        .prefix(".oxide-enzyme-image-")
        .tempdir_in(parent)
        .map_err(Error::io("create a directory in", parent))
}

/// Only what is surely ours to replace is replaced.
fn check_replaceable(to: &Path) -> Result<()> {
    let Ok(metadata) = to.symlink_metadata() else {
        return Ok(());
    };
    let mut entries = fs::read_dir(to).map_err(Error::io("list", to))?;
    if metadata.is_dir() && (to.join("oci-layout").is_file() || entries.next().is_none()) {
        return Ok(());
    }
    Err(Error::Image(format!(
        "`{}` is there and is no OCI layout; name another place with --output",
        to.display()
    )))
}

/// Puts `new` in the place of what is at `to`, which goes away with `temp`.
fn replace(new: &Path, to: &Path, temp: &TempDir) -> Result<()> {
    if to.exists() {
        fs::rename(to, temp.path().join("old")).map_err(Error::io("replace", to))?;
    }
    fs::rename(new, to).map_err(Error::io("create", to))
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(Error::io("write", path))
}

fn write_index(new: &Path, plan: &Plan, mut manifest: Descriptor, reference: &str) -> Result<()> {
    manifest.platform = Some(oci::PlatformName {
        architecture: plan.architecture.to_owned(),
        os: "linux".to_owned(),
    });
    let (_, tag) = name_and_tag(reference);
    manifest.annotations = [
        (oci::REFERENCE.to_owned(), tag.to_owned()),
        (
            oci::CONTAINERD_NAME.to_owned(),
            format!("docker.io/library/{reference}"),
        ),
    ]
    .into();
    let index = oci::Index {
        schema_version: 2,
        media_type: oci::INDEX.to_owned(),
        manifests: vec![manifest],
    };
    write_file(&new.join("index.json"), &oci::text(&index))?;
    write_file(&new.join("oci-layout"), VERSION.as_bytes())
}

/// `oxide-enzyme:latest` in two.
fn name_and_tag(reference: &str) -> (&str, &str) {
    reference.split_once(':').unwrap_or((reference, "latest"))
}

fn docker_list(manifest: &oci::Manifest, reference: &str) -> Vec<oci::DockerImage> {
    let place = |descriptor: &Descriptor| format!("blobs/{}", descriptor.digest.replace(':', "/"));
    vec![oci::DockerImage {
        config: place(&manifest.config),
        repo_tags: vec![reference.to_owned()],
        layers: manifest.layers.iter().map(place).collect(),
    }]
}

fn image(plan: &Plan, diff_ids: Vec<String>) -> oci::Image {
    let config = &plan.config;
    oci::Image {
        created: plan.date.text.clone(),
        architecture: plan.architecture.to_owned(),
        os: "linux".to_owned(),
        config: oci::Execution {
            user: config.user.clone(),
            env: config.variables(),
            cmd: config.command.clone(),
            working_dir: config.working_directory.clone(),
            labels: plan.annotations.clone(),
        },
        rootfs: oci::Layers {
            kind: "layers".to_owned(),
            diff_ids,
        },
        history: plan
            .layers
            .iter()
            .map(|layer| oci::History {
                created: plan.date.text.clone(),
                created_by: "cargo enzyme image build".to_owned(),
                comment: format!("{}: {}", layer.name, layer.title),
            })
            .collect(),
    }
}

struct WrittenLayer {
    descriptor: Descriptor,
    diff_id: String,
    unpacked: u64,
}

/// Without blobs, layers are made for their digests alone.
fn write_layers(
    plan: &Plan,
    blobs: Option<&Blobs>,
    progress: &dyn Progress,
) -> Result<Vec<WrittenLayer>> {
    let size = |layer: &LayerPlan| -> u64 {
        let files = layer.tree.iter().map(|(_, node)| match &node.kind {
            NodeKind::File(content) => content.size(),
            _ => 0,
        });
        files.sum()
    };
    let total = plan.layers.iter().map(size).sum();
    let meter = Mutex::new(Meter::new(progress, Phase::Pack, "layers", total));
    let written = parallel::map(&plan.layers, |layer| {
        let seconds = plan.date.seconds;
        let result = write_layer(layer, seconds, blobs, &meter);
        // The writers below know of files only.
        match progress.cancelled() {
            true => Err(Error::Interrupted),
            false => result,
        }
    })?;
    meter
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .finish();
    Ok(written)
}

fn write_layer(
    layer: &LayerPlan,
    seconds: u64,
    blobs: Option<&Blobs>,
    meter: &Mutex<Meter<'_>>,
) -> Result<WrittenLayer> {
    let Some(blobs) = blobs else {
        return stream_layer(layer, seconds, &mut io::sink(), Path::new("nowhere"), meter);
    };
    let mut file = blobs.temporary()?;
    let mut buffer = BufWriter::new(file.as_file_mut());
    let written = stream_layer(layer, seconds, &mut buffer, &blobs.directory, meter)?;
    buffer
        .flush()
        .map_err(Error::io("write a layer in", &blobs.directory))?;
    drop(buffer);
    blobs.keep(file, &written.descriptor)?;
    Ok(written)
}

/// Tar, gzip, and the digests of both.
fn stream_layer(
    layer: &LayerPlan,
    seconds: u64,
    to: &mut dyn Write,
    origin: &Path,
    meter: &Mutex<Meter<'_>>,
) -> Result<WrittenLayer> {
    let compressed = Hashing::new(to);
    let mut tar = Hashing::new(Metered {
        to: Gzip::new(compressed),
        meter,
    });
    layer::write(&layer.tree, seconds, &mut tar, origin)?;
    let (Metered { to: gzip, .. }, diff_id, unpacked) = tar.finish();
    let compressed = gzip.finish().map_err(Error::io("write", origin))?;
    let (_, sha256, size) = compressed.finish();
    Ok(WrittenLayer {
        descriptor: Descriptor::new(oci::LAYER, &sha256, size),
        diff_id: format!("sha256:{diff_id}"),
        unpacked,
    })
}

/// `blobs/sha256` of a layout in the making.
struct Blobs {
    directory: PathBuf,
}

impl Blobs {
    fn new(layout: &Path) -> Result<Blobs> {
        let directory = layout.join("blobs/sha256");
        fs::create_dir_all(&directory).map_err(Error::io("create", &directory))?;
        Ok(Blobs { directory })
    }

    fn temporary(&self) -> Result<NamedTempFile> {
        NamedTempFile::new_in(&self.directory)
            .map_err(Error::io("create a file in", &self.directory))
    }

    fn add(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)
            .map_err(Error::io("write", file.path()))?;
        self.keep(file, descriptor)
    }

    /// Gives a file its name. Temporary files are the owner's alone; blobs are for handing on.
    fn keep(&self, file: NamedTempFile, descriptor: &Descriptor) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let to = self
            .directory
            .join(descriptor.digest.trim_start_matches("sha256:"));
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(Error::io("write", &to))?;
        file.persist(&to)
            .map_err(|error| Error::io("create", &to)(error.error))?;
        Ok(())
    }
}

/// Hashes and counts what is written through it.
struct Hashing<W> {
    to: W,
    hasher: Sha256,
    size: u64,
}

impl<W: Write> Hashing<W> {
    fn new(to: W) -> Hashing<W> {
        Hashing {
            to,
            hasher: Sha256::new(),
            size: 0,
        }
    }

    fn finish(self) -> (W, String, u64) {
        (self.to, hash::hex(&self.hasher.finalize()), self.size)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Tells of progress, and fails when the user wants to stop.
struct Metered<'a, 'm, W> {
    to: W,
    meter: &'a Mutex<Meter<'m>>,
}

impl<W: Write> Write for Metered<'_, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        match meter.add(count as u64) {
            Ok(()) => Ok(count),
            Err(_) => Err(io::Error::other("stopped")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A layout as one file, the same whoever writes it. For Docker it also has Docker's own list of images, which older versions
/// want.
pub(crate) fn write_archive(
    layout: &Path,
    for_docker: bool,
    to: &mut File,
    origin: &Path,
) -> Result<()> {
    let failed = || Error::io("write", origin);
    let mut archive = tar::Builder::new(BufWriter::new(to));
    let mut names = vec!["index.json".to_owned(), "oci-layout".to_owned()];
    names.extend(for_docker.then(|| "manifest.json".to_owned()));
    for directory in ["blobs/", "blobs/sha256/"] {
        archive
            .append(
                &archive_header(directory, None).map_err(failed())?,
                io::empty(),
            )
            .map_err(failed())?;
    }
    for path in crate::installed::files_below(&layout.join("blobs/sha256"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        names.push(format!("blobs/sha256/{name}"));
    }
    names.sort();
    for name in names {
        let path = layout.join(&name);
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        let size = file.metadata().map_err(Error::io("look at", &path))?.len();
        let header = archive_header(&name, Some(size)).map_err(failed())?;
        archive.append(&header, file).map_err(failed())?;
    }
    let mut buffer = archive.into_inner().map_err(failed())?;
    buffer.flush().map_err(failed())
}

fn archive_header(name: &str, size: Option<u64>) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(match size {
        Some(_) => tar::EntryType::Regular,
        None => tar::EntryType::Directory,
    });
    header.set_size(size.unwrap_or(0));
    header.set_mode(if size.is_some() { 0o644 } else { 0o755 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}
