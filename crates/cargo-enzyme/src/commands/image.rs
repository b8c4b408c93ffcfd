//! `cargo enzyme image`: the toolchain as a container image, made without a container engine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::ValueEnum;
use enzyme_toolchain::Store;
use enzyme_toolchain::image::{self, Definition, Description, Form, ImageOptions, Layout, Plan};
use indicatif::HumanBytes;
use serde_json::json;

use super::options::{LockArg, Machine, Source};
use crate::ui::Ui;

/// Build, look at, verify and convert the container image
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Build(BuildArgs),
    Inspect(InspectArgs),
    Verify(VerifyArgs),
    Convert(ConvertArgs),
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Build(args) => build(args),
        Command::Inspect(args) => inspect(args),
        Command::Verify(args) => verify(args),
        Command::Convert(args) => convert(args),
    }
}

/// What an image is made from.
#[derive(clap::Args)]
struct Inputs {
    /// A directory in the checkout, or in the unpacked release, whose source goes into the image
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,
    /// The source's revision, where the source comes without its git
    #[arg(long, value_name = "COMMIT", value_parser = commit)]
    revision: Option<String>,
    #[command(flatten)]
    machine: Machine,
    /// Another definition than the embedded one; for tests.
    #[arg(long, value_name = "FILE", hide = true)]
    definition: Option<PathBuf>,
    #[command(flatten)]
    from: Source,
    #[command(flatten)]
    lock: LockArg,
}

impl Inputs {
    fn plan(&self, scratch: &Path, ui: &Ui) -> anyhow::Result<Plan> {
        let definition = match &self.definition {
            Some(path) => Definition::read(path),
            None => Definition::embedded(),
        };
        let options = ImageOptions {
            platform: self.machine.platform()?,
            source: self.source.clone(),
            revision: self.revision.clone(),
            fetch: self.from.fetch_options(),
            setup: self.from.setup_options(),
            scratch: scratch.to_owned(),
        };
        let (store, lock) = (Store::from_env()?, self.lock.read()?);
        Ok(image::plan(&store, &lock, &definition?, &options, ui)?)
    }
}

/// Build the image as an OCI layout: the same lock and source give the same digest, anywhere
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo enzyme image build                          into the directory oxide-enzyme.oci
  cargo enzyme image build --mirror /srv/oxide-enzyme   without a network
  cargo enzyme image build --json | jq -r .digest

Neither root nor a container engine is needed, and no package's script is run. What a package or crate lacks is fetched.
SBOM and provenance lie beside the layout as DIR.spdx.json and DIR.provenance.json, and in the image.")]
struct BuildArgs {
    /// The layout to write; one that is there is replaced
    #[arg(long, short, value_name = "DIR", default_value = "oxide-enzyme.oci")]
    output: PathBuf,
    /// Also write the layout as one file, for `docker load`
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// What the image is called
    #[arg(long, value_name = "NAME:TAG", default_value = "oxide-enzyme:latest", value_parser = reference)]
    tag: String,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print what was built as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    inputs: Inputs,
}

/// A commit as git and Nix write it.
fn commit(text: &str) -> Result<String, String> {
    let hex = text.strip_suffix("-dirty").unwrap_or(text);
    let is_hex = hex.len() >= 7 && hex.chars().all(|c| c.is_ascii_hexdigit());
    match is_hex || text == "unknown" {
        true => Ok(text.to_owned()),
        false => Err("a revision is hexadecimal, or `unknown`".to_owned()),
    }
}

/// A name and a tag as registries allow them, so that neither changes the meaning of a file.
fn reference(text: &str) -> Result<String, String> {
    let (name, tag) = text.split_once(':').unwrap_or((text, "latest"));
    let plain = |word: &str, more: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
        word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(fits)
    };
    let capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
    match plain(name, "._-/") && plain(tag, capitals) {
        true => Ok(format!("{name}:{tag}")),
        false => Err(
            "a name has small letters, digits and `._-/`, a tag letters, digits and `._-`"
                .to_owned(),
        ),
    }
}

fn build(args: &BuildArgs) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let ui = Ui::new(args.quiet);
    if let Some(archive) = args.archive.as_deref().filter(|path| path.exists()) {
        anyhow::bail!(
            "`{}` is there already; remove it, or name another file",
            archive.display()
        );
    }
    let scratch = scratch_beside(&args.output)?;
    let plan = args.inputs.plan(scratch.path(), &ui)?;
    let written = image::write(&plan, &args.output, &args.tag, &ui)?;
    drop(plan);
    if let Some(archive) = &args.archive {
        image::convert(
            &Layout::open(&args.output)?,
            Form::DockerArchive,
            archive,
            &ui,
        )?;
    }
    let seconds = start.elapsed().as_secs_f64();
    for layer in &written.layers {
        ui.say(&format!(
            "{:>10}  {} (unpacked {})",
            layer.name,
            HumanBytes(layer.size),
            HumanBytes(layer.unpacked)
        ));
    }
    ui.say(&format!(
        "built {} in {seconds:.1} s: {}, {}",
        args.output.display(),
        HumanBytes(written.size),
        written.digest
    ));
    if args.json {
        let layers = written.layers.iter().map(
            |layer| json!({ "name": layer.name, "size": layer.size, "unpacked": layer.unpacked }),
        );
        println!(
            "{:#}",
            json!({
                "layout": args.output.to_string_lossy(),
                "reference": args.tag,
                "digest": written.digest,
                "size": written.size,
                "layers": layers.collect::<Vec<_>>(),
                "seconds": seconds,
            })
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A directory for temporary files on the disk that the result goes to.
fn scratch_beside(output: &Path) -> anyhow::Result<tempfile::TempDir> {
    let parent = output
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)
        .and_then(|()| {
            tempfile::Builder::new()
                .prefix(".oxide-enzyme-work-")
                .tempdir_in(parent)
        })
        .with_context(|| format!("cannot create a directory in `{}`", parent.display()))
}

/// Show what an image is: name, digest, layers, environment, labels
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo enzyme image inspect --json | jq -r '.layers[].name'")]
struct InspectArgs {
    /// The layout
    #[arg(value_name = "DIR", default_value = "oxide-enzyme.oci")]
    layout: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn inspect(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let description = image::inspect(&Layout::open(&args.layout)?);
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&description)?),
        false => print(&description),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(image: &Description) {
    println!("image     {}", image.reference);
    println!("digest    {}", image.digest);
    println!("platform  {}", image.platform);
    println!("date      {}", image.created);
    println!("user      {}, in {}", image.user, image.working_directory);
    println!("command   {}", image.command.join(" "));
    println!("layers    {} in all", HumanBytes(image.size));
    for layer in &image.layers {
        println!(
            "  {:10} {:>11}  {}",
            layer.name,
            HumanBytes(layer.size).to_string(),
            layer.digest
        );
    }
    println!("environment");
    for variable in &image.environment {
        println!("  {variable}");
    }
    println!("annotations");
    for (name, value) in &image.annotations {
        println!("  {name}: {value}");
    }
}

/// Recompute the image from lock and source, and name the first difference in a layout
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  cargo enzyme image verify oxide-enzyme.oci && podman load --input oxide-enzyme.tar

The exit status is 0 if the layout is what lock and source make, and 1 if not. Temporary files (2 GB) go to TMPDIR.")]
struct VerifyArgs {
    /// The layout
    #[arg(value_name = "DIR", default_value = "oxide-enzyme.oci")]
    layout: PathBuf,
    /// Show nothing but differences and errors
    #[arg(long, short)]
    quiet: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    inputs: Inputs,
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let ui = Ui::new(args.quiet);
    let scratch = tempfile::tempdir().context("cannot create a directory for temporary files")?;
    let plan = args.inputs.plan(scratch.path(), &ui)?;
    let difference = image::verify(&plan, &args.layout, scratch.path(), &ui)?;
    if args.json {
        let difference = difference
            .as_ref()
            .map(|found| json!({ "place": found.place, "what": found.what }));
        println!(
            "{:#}",
            json!({ "layout": args.layout.to_string_lossy(), "difference": difference })
        );
    }
    let layout = args.layout.display();
    let Some(difference) = difference else {
        ui.say(&format!("{layout} is what lock and source make"));
        return Ok(ExitCode::SUCCESS);
    };
    drop(ui);
    eprintln!("error: {layout} is not what lock and source make");
    eprintln!("  {}: {}", difference.place, difference.what);
    eprintln!("  (the first difference; `cargo enzyme image build` makes the image anew)");
    Ok(ExitCode::FAILURE)
}

/// Write the image in another form: a directory, or one file
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo enzyme image convert --to directory root              for Charliecloud, bubblewrap, runc
  cargo enzyme image convert --to docker-archive image.tar    docker load --input image.tar
  cargo enzyme image convert --to oci-archive image.oci.tar   apptainer build image.sif oci-archive:image.oci.tar
  cargo enzyme image convert --to squashfs image.sqfs         needs mksquashfs")]
struct ConvertArgs {
    /// What to write
    #[arg(long, value_name = "FORM")]
    to: FormName,
    /// Where; nothing must be there
    #[arg(value_name = "DESTINATION")]
    destination: PathBuf,
    /// The layout to read
    #[arg(long, value_name = "DIR", default_value = "oxide-enzyme.oci")]
    layout: PathBuf,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormName {
    /// The root file system as files, owned by you
    Directory,
    /// One file that Charliecloud and Apptainer mount
    Squashfs,
    /// One file for `docker load` and `podman load`
    DockerArchive,
    /// One file for Apptainer, skopeo and registries
    OciArchive,
}

fn convert(args: &ConvertArgs) -> anyhow::Result<ExitCode> {
    let ui = Ui::new(args.quiet);
    let form = match args.to {
        FormName::Directory => Form::Directory,
        FormName::Squashfs => Form::SquashFs,
        FormName::DockerArchive => Form::DockerArchive,
        FormName::OciArchive => Form::OciArchive,
    };
    image::convert(&Layout::open(&args.layout)?, form, &args.destination, &ui)?;
    ui.say(&format!("wrote {}", args.destination.display()));
    Ok(ExitCode::SUCCESS)
}
