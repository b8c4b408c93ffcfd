//! Reading a layout that may have come from anywhere: every blob by its digest, every layer as a tree.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::content::Content;
use super::deb::relative;
use super::oci::{self, Descriptor};
use super::plan::Date;
use super::tree::{Node, Origin, Tree};
use crate::error::{Error, Result};
use crate::hash::{self, Fingerprint};
use crate::progress::{Meter, Phase, Progress};

/// No document is larger.
const MAX_DOCUMENT: u64 = 4 << 20;
/// No layer unpacks to more.
const MAX_LAYER: u64 = 16 << 30;

/// An opened layout. Its manifest and configuration have the bytes that their digests name.
#[derive(Debug)]
pub struct Layout {
    path: PathBuf,
    pub(crate) named: Descriptor,
    pub(crate) manifest: oci::Manifest,
    pub(crate) image: oci::Image,
}

impl Layout {
    /// Opens the layout in a directory, which must hold one image.
    pub fn open(path: &Path) -> Result<Layout> {
        let marker = path.join("oci-layout");
        if !marker.is_file() {
            return Err(Error::Layout {
                layout: path.to_owned(),
                problem: "there is no file `oci-layout` in it: it is no OCI layout".to_owned(),
            });
        }
        let index: oci::Index = parse(
            path,
            &read_document(&path.join("index.json"))?,
            "index.json",
        )?;
        let [named] = &index.manifests[..] else {
            return Err(Error::Layout {
                layout: path.to_owned(),
                problem: format!("it holds {} images, not one", index.manifests.len()),
            });
        };
        let manifest: oci::Manifest = parse(path, &document(path, named)?, "the manifest")?;
        let image = parse(
            path,
            &document(path, &manifest.config)?,
            "the configuration",
        )?;
        Ok(Layout {
            path: path.to_owned(),
            named: named.clone(),
            manifest,
            image,
        })
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The manifest's digest, which names the image.
    pub fn digest(&self) -> &str {
        &self.named.digest
    }

    /// `NAME:TAG`, as Docker would call it.
    pub fn reference(&self) -> String {
        let annotation = |name: &str| self.named.annotations.get(name);
        let full = annotation(oci::CONTAINERD_NAME)
            .map(|name| name.trim_start_matches("docker.io/library/"));
        full.map_or_else(
            || {
                let tag = annotation(oci::REFERENCE).map_or("latest", String::as_str);
                format!("oxide-enzyme:{tag}")
            },
            str::to_owned,
        )
    }

    pub(crate) fn problem(&self, problem: String) -> Error {
        Error::Layout {
            layout: self.path.clone(),
            problem,
        }
    }

    /// What a layer is called: its line in the history, up to the colon.
    pub(crate) fn layer_name(&self, index: usize) -> String {
        let line = self.image.history.get(index).map(|line| &*line.comment);
        match line.and_then(|line| line.split_once(':')) {
            Some((name, _)) => name.to_owned(),
            None => format!("number {}", index + 1),
        }
    }

    /// Every layer, checked; the contents lie in nameless files in `scratch`.
    pub(crate) fn layers(&self, scratch: &Path, progress: &dyn Progress) -> Result<Vec<Tree>> {
        let total = self.manifest.layers.iter().map(|layer| layer.size).sum();
        let mut meter = Meter::new(progress, Phase::Verify, "layers", total);
        let layers = (0..self.manifest.layers.len())
            .map(|index| self.layer(index, scratch, &mut meter))
            .collect::<Result<_>>()?;
        meter.finish();
        Ok(layers)
    }

    /// All layers, one over the other.
    pub(crate) fn tree(&self, scratch: &Path, progress: &dyn Progress) -> Result<Tree> {
        let mut all = Tree::default();
        for layer in self.layers(scratch, progress)? {
            for (path, node) in layer.iter() {
                all.add(path, node.clone())?;
            }
        }
        all.check()?;
        Ok(all)
    }

    fn layer(&self, index: usize, scratch: &Path, meter: &mut Meter<'_>) -> Result<Tree> {
        let descriptor = &self.manifest.layers[index];
        let name = self.layer_name(index);
        if descriptor.media_type != oci::LAYER {
            return Err(self.problem(format!("layer {name} is {}", descriptor.media_type)));
        }
        let archive = self.unpack(descriptor, &name, scratch, meter)?;
        let expected = self.image.rootfs.diff_ids.get(index);
        if expected != Some(&archive.digest) {
            return Err(self.problem(format!(
                "layer {name} unpacks to {}, the configuration names {}",
                archive.digest,
                expected.map_or("none", String::as_str)
            )));
        }
        self.read_layer(archive.file, &name)
    }

    /// Decompresses a blob into a nameless file, checking the blob's own bytes to the end.
    fn unpack(
        &self,
        descriptor: &Descriptor,
        name: &str,
        scratch: &Path,
        meter: &mut Meter<'_>,
    ) -> Result<Archive> {
        let path = blob(&self.path, descriptor)?;
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        let mut blob = Checking {
            from: file,
            hasher: Sha256::new(),
            size: 0,
        };
        let out = tempfile::tempfile_in(scratch).map_err(Error::io("create a file in", scratch))?;
        let mut out = BufWriter::new(out);
        let mut hasher = Sha256::new();
        let mut unpacked = 0;
        let mut broken = None;
        {
            let mut stream = MultiGzDecoder::new(BufReader::with_capacity(1 << 18, &mut blob));
            let mut buffer = vec![0; 1 << 18];
            let mut told = 0;
            loop {
                let count = match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) => {
                        broken = Some(error.to_string());
                        break;
                    }
                };
                unpacked += count as u64;
                if unpacked > MAX_LAYER {
                    return Err(self.problem(format!(
                        "layer {name} unpacks to more than {MAX_LAYER} bytes"
                    )));
                }
                hasher.update(&buffer[..count]);
                out.write_all(&buffer[..count])
                    .map_err(Error::io("write to a file in", scratch))?;
                let size = stream.get_ref().get_ref().size;
                meter.add(size - told)?;
                told = size;
            }
        }
        // What the decompressor did not want to see belongs to the blob too.
        io::copy(&mut blob, &mut io::sink()).map_err(Error::io("read", &path))?;
        let found = Fingerprint {
            size: blob.size,
            sha256: hash::hex(&blob.hasher.finalize()),
        };
        if let Some(problem) = found.difference(&fingerprint(descriptor)) {
            return Err(self.problem(format!("the blob of layer {name} was changed: {problem}")));
        }
        if let Some(error) = broken {
            return Err(self.problem(format!("layer {name} cannot be decompressed: {error}")));
        }
        let file = out
            .into_inner()
            .map_err(|error| Error::io("write to a file in", scratch)(error.into_error()))?;
        Ok(Archive {
            file,
            digest: format!("sha256:{}", hash::hex(&hasher.finalize())),
        })
    }

    fn read_layer(&self, file: File, name: &str) -> Result<Tree> {
        let unreadable =
            |error: io::Error| self.problem(format!("layer {name} is no tar archive: {error}"));
        let date = self.date()?;
        let file = Arc::new(file);
        let place: Arc<Path> = self.path.as_path().into();
        io::Seek::rewind(&mut &*file).map_err(Error::io("read", &self.path))?;
        let mut tree = Tree::default();
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 18, &*file));
        for entry in archive.entries().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let raw = entry.path_bytes().into_owned();
            let bad = |reason: String| {
                let shown = String::from_utf8_lossy(&raw);
                self.problem(format!("layer {name}: entry `{shown}` {reason}"))
            };
            let path = relative(&raw).map_err(&bad)?;
            let header = entry.header();
            let number = |value: io::Result<u64>| value.map_err(|error| bad(error.to_string()));
            let owner = (number(header.uid())?, number(header.gid())?);
            if owner != (0, 0) {
                return Err(bad(format!(
                    "belongs to user {}, group {}",
                    owner.0, owner.1
                )));
            }
            if number(header.mtime())? != date.seconds {
                return Err(bad(format!("has another date than {}", date.text)));
            }
            let origin = Origin::Part("layer");
            let mode = header.mode().map_err(|error| bad(error.to_string()))?;
            let node = match header.entry_type() {
                tar::EntryType::Directory => Node::directory(mode, &origin),
                tar::EntryType::Regular => {
                    let content = Content::Part {
                        file: Arc::clone(&file),
                        path: Arc::clone(&place),
                        offset: entry.raw_file_position(),
                        size: entry.size(),
                    };
                    Node::file(content, mode, &origin)
                }
                tar::EntryType::Symlink => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    let target = std::str::from_utf8(&target)
                        .map_err(|_| bad("is a link to a name that is not UTF-8".to_owned()))?;
                    Node {
                        mode,
                        ..Node::symlink(target, &origin)
                    }
                }
                other => {
                    return Err(bad(format!(
                        "is of a kind that images here do not have ({other:?})"
                    )));
                }
            };
            if mode & !0o1777 != 0 {
                return Err(bad(format!("has mode {mode:o}")));
            }
            if tree.get(&path).is_some() {
                return Err(bad("is there twice".to_owned()));
            }
            tree.add(&path, node)?;
        }
        Ok(tree)
    }

    pub(crate) fn date(&self) -> Result<Date> {
        Date::of_text(&self.image.created)
            .ok_or_else(|| self.problem(format!("its date is {:?}", self.image.created)))
    }
}

/// A decompressed layer.
struct Archive {
    file: File,
    digest: String,
}

/// Hashes and counts what is read through it.
struct Checking {
    from: File,
    hasher: Sha256,
    size: u64,
}

impl Read for Checking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }
}

fn fingerprint(descriptor: &Descriptor) -> Fingerprint {
    Fingerprint {
        size: descriptor.size,
        sha256: descriptor.digest.trim_start_matches("sha256:").to_owned(),
    }
}

/// Where a blob is. A digest that is none could lead anywhere.
pub(crate) fn blob(layout: &Path, descriptor: &Descriptor) -> Result<PathBuf> {
    let hex = descriptor
        .digest
        .strip_prefix("sha256:")
        .unwrap_or_default();
    let fits = hex.len() == 64
        && hex
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    match fits {
        true => Ok(layout.join("blobs/sha256").join(hex)),
        false => Err(Error::Layout {
            layout: layout.to_owned(),
            problem: format!("{:?} is no digest by sha256", descriptor.digest),
        }),
    }
}

/// A small blob, checked.
fn document(layout: &Path, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let path = blob(layout, descriptor)?;
    let bytes = read_document(&path)?;
    match Fingerprint::of(&bytes).difference(&fingerprint(descriptor)) {
        None => Ok(bytes),
        Some(problem) => Err(Error::Layout {
            layout: layout.to_owned(),
            problem: format!("the blob {} was changed: {problem}", descriptor.digest),
        }),
    }
}

fn read_document(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("open", path))?;
    file.take(MAX_DOCUMENT)
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(layout: &Path, bytes: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::Layout {
        layout: layout.to_owned(),
        problem: format!("{what} cannot be read: {error}"),
    })
}

/// The documents beside a layout, by their ending.
pub(crate) fn sibling(layout: &Path, ending: &str) -> PathBuf {
    let mut name = layout.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    layout.with_file_name(name)
}

/// Removes a file if it is there.
pub(crate) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
