//! The parts of an image put together: packages, engine, project, records.

use std::path::PathBuf;

use super::compile::Job;
use super::content::Content;
use super::definition::Definition;
use super::plan::{self, Date, Plan};
use super::provenance::{Build, Dependency, SourceFacts};
use super::rootfs::{self, PackageFile};
use super::source::{self, PLACE, Source};
use super::tree::{Node, Origin, Tree};
use super::vendor::{self, Crate};
use super::{dpkg, sbom};
use crate::debian::{FetchOptions, Package, VerifiedDeb, fetch_packages};
use crate::error::{Error, Result};
use crate::installed::{Installed, LOCK_FILE};
use crate::lock::{Lock, Recipe};
use crate::platform::Platform;
use crate::progress::Progress;
use crate::setup::{SetupOptions, setup};
use crate::store::Store;

/// The profile that images are made of.
pub const PROFILE: &str = "full";
/// Where the toolchain is in the image.
const HOME: &str = "opt/oxide-enzyme";
/// Where SBOM and provenance are in the image.
const RECORDS: &str = "usr/share/oxide-enzyme";

/// What is to be made, and from where.
#[derive(Clone, Debug)]
pub struct ImageOptions {
    /// For which machine.
    pub platform: Platform,
    /// A directory in the checkout, or in the unpacked release, whose source goes into the image.
    pub source: PathBuf,
    /// What that source is called, if its own git is not to be asked; Nix has sources without their git.
    pub revision: Option<String>,
    /// How to get Debian packages.
    pub fetch: FetchOptions,
    /// How to get the engine. The profile and the platform are the image's.
    pub setup: SetupOptions,
    /// A directory for temporary files: about 2 GB.
    pub scratch: PathBuf,
}

/// Makes out what the image is: a function of lock, definition and source alone.
pub fn plan(
    store: &Store,
    lock: &Lock,
    definition: &Definition,
    options: &ImageOptions,
    progress: &dyn Progress,
) -> Result<Plan> {
    let architecture = plan::architecture(options.platform)?;
    let recipe = lock.recipe(PROFILE, options.platform)?;
    let debian = recipe.facts().debian.as_ref().ok_or_else(|| {
        Error::Image(format!(
            "profile `{PROFILE}` of the lock has no Debian packages"
        ))
    })?;
    let date = Date::of_snapshot(&debian.snapshot)?;
    let sources = match definition.has_part("project") {
        true => Some(Sources::read(options)?),
        false => None,
    };
    let debs = fetch_packages(store, &recipe, &options.fetch, progress)?;
    let files: Vec<_> = debs.iter().map(package_file).collect();
    let rootfs::RootFs {
        mut tree,
        paragraphs,
    } = rootfs::build(&files, definition, &options.scratch, progress)?;
    if let Some(sources) = &sources {
        let job = Job {
            store,
            recipe: &recipe,
            root: &tree,
            project: &sources.tree,
            definition: definition.digest(),
            date: &date,
        };
        let program = job.program(&options.scratch, progress)?;
        add_project(&mut tree, &sources.tree, program)?;
    }
    if definition.has_part("engine") {
        let setup_options = SetupOptions {
            profile: PROFILE.to_owned(),
            platform: Some(options.platform),
            ..options.setup.clone()
        };
        let installed = setup(store, lock, &setup_options, progress)?;
        add_engine(&mut tree, &installed)?;
    }
    let packages = recipe
        .packages()
        .iter()
        .filter(|package| !definition.leaves_out(&package.name))
        .collect::<Vec<_>>();
    let crates = sources.as_ref().map_or(&[][..], |sources| &sources.crates);
    let source = sources.as_ref().map(|sources| SourceFacts {
        revision: &sources.revision,
        digest: &sources.digest,
    });
    let sbom = sbom::text(&sbom::Materials {
        recipe: &recipe,
        packages: packages.clone(),
        crates,
        source: source.as_ref().map_or("none", |source| source.digest),
        date: &date,
    });
    let dependencies = dependencies(&recipe, &packages, crates, &debian.suite);
    let provenance = Build::new(&recipe, definition.digest(), source.as_ref(), dependencies);
    if definition.has_part("records") {
        add_records(&mut tree, &paragraphs, &sbom, &provenance)?;
    }
    tree.check()?;
    let mut annotations = definition.data.annotations.clone();
    for (name, value) in [
        ("created", &*date.text),
        ("version", env!("CARGO_PKG_VERSION")),
    ] {
        annotations.insert(format!("org.opencontainers.image.{name}"), value.to_owned());
    }
    annotations.insert("oxide-enzyme.lock".to_owned(), lock.digest().to_owned());
    if let Some(source) = source {
        annotations.insert("oxide-enzyme.source".to_owned(), source.digest.to_owned());
        annotations.insert(
            "org.opencontainers.image.revision".to_owned(),
            source.revision.to_owned(),
        );
    }
    Ok(Plan {
        layers: plan::layers(&tree, definition)?,
        config: definition.data.config.clone(),
        annotations,
        date,
        architecture,
        sbom,
        provenance,
    })
}

fn package_file(deb: &VerifiedDeb) -> PackageFile {
    let package = deb.package();
    PackageFile {
        name: package.name.clone(),
        version: package.version.clone(),
        architecture: package.architecture.clone(),
        path: deb.path().to_owned(),
    }
}

/// The store as setup makes it, without what only writing needs.
fn add_engine(tree: &mut Tree, installed: &Installed) -> Result<()> {
    installed.ensure_intact()?;
    let origin = Origin::Part("engine");
    let recipe = installed.recipe();
    let place = format!("{HOME}/toolchains/{}", recipe.key());
    let files = recipe.files().map(|file| (&*file.to, file.executable));
    for (name, executable) in files.chain([(LOCK_FILE, false)]) {
        let path = format!("{place}/{name}");
        add_parents(tree, &path, &origin);
        let content = Content::file(&installed.root().join(name))?;
        let mode = if executable { 0o555 } else { 0o444 };
        tree.add(&path, Node::file(content, mode, &origin))?;
    }
    Ok(())
}

/// The project's source, and the crates that it needs.
struct Sources {
    revision: String,
    digest: String,
    crates: Vec<Crate>,
    /// As it is below [`PLACE`].
    tree: Tree,
}

impl Sources {
    fn read(options: &ImageOptions) -> Result<Sources> {
        let root = source::find(&options.source)?;
        let Source {
            mut tree,
            revision,
            digest,
        } = source::read(&root)?;
        let (vendored, crates) = vendor::vendor(&root, options.setup.offline)?;
        tree.add_directories("vendor", &Origin::Part("project"));
        for (path, node) in vendored.iter() {
            tree.add(&format!("vendor/{path}"), node.clone())?;
        }
        Ok(Sources {
            revision: options.revision.clone().unwrap_or(revision),
            digest,
            crates,
            tree,
        })
    }
}

fn add_project(tree: &mut Tree, project: &Tree, program: Content) -> Result<()> {
    let origin = Origin::Part("project");
    tree.add_directories(PLACE, &origin);
    for (path, node) in project.iter() {
        tree.add(&format!("{PLACE}/{path}"), node.clone())?;
    }
    let path = "usr/local/bin/cargo-enzyme";
    add_parents(tree, path, &origin);
    tree.add(path, Node::file(program, 0o755, &origin))
}

fn add_records(
    tree: &mut Tree,
    paragraphs: &[String],
    sbom: &[u8],
    provenance: &Build,
) -> Result<()> {
    let origin = Origin::Part("records");
    dpkg::add_status(tree, paragraphs, &origin)?;
    tree.add_directories(RECORDS, &origin);
    for (name, bytes) in [
        ("sbom.spdx.json", sbom.to_vec()),
        ("provenance.json", provenance.text()),
    ] {
        let node = Node::file(Content::bytes(bytes), 0o644, &origin);
        tree.add(&format!("{RECORDS}/{name}"), node)?;
    }
    Ok(())
}

fn add_parents(tree: &mut Tree, path: &str, origin: &Origin) {
    if let Some((parent, _)) = path.rsplit_once('/') {
        tree.add_directories(parent, origin);
    }
}

fn dependencies(
    recipe: &Recipe,
    packages: &[&Package],
    crates: &[Crate],
    suite: &str,
) -> Vec<Dependency> {
    let debs = packages
        .iter()
        .map(|package| Dependency::new(sbom::purl_of_package(package, suite), &package.sha256));
    let artifacts = recipe
        .artifacts()
        .iter()
        .map(|artifact| Dependency::new(sbom::purl_of_artifact(artifact), &artifact.sha256));
    let crates = crates
        .iter()
        .map(|krate| Dependency::new(sbom::purl_of_crate(krate), &krate.sha256));
    debs.chain(artifacts).chain(crates).collect()
}
