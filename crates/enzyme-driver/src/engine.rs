//! Engines: bitcode in, differentiated bitcode out, both as textual IR.

use std::path::Path;
use std::process::Command;

use crate::choices;
use crate::constants;
use crate::diagnosis::{self, Finding};
use crate::error::Error;
use crate::files;
use crate::lanes;
use crate::lookups;
use crate::loops;
use crate::process::{self, Ended};
use crate::session::Session;
use crate::undefined;
use crate::untyped::Suspects;

/// What is behind a branch stays there. LLVM would compute a cheap root or quotient on both sides and choose: in reverse mode the
/// side that was not taken gets the adjoint zero, and zero times its infinite slope is NaN.
pub const NO_SPECULATION: [&str; 3] = [
    "-two-entry-phi-node-folding-threshold=0",
    "-phi-node-folding-threshold=0",
    "-speculate-one-expensive-inst=false",
];

/// What came of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The differentiated module.
    Done(String),
    /// Enzyme refused, crashed or hung.
    Failed(Ended),
    /// What Enzyme made is wrong, or may be (see `loops.rs` and `lanes.rs`).
    Wrong(Finding),
}

/// Something that differentiates a module.
pub trait Engine {
    /// Differentiates `input`, a file of textual IR, working in `directory`.
    fn differentiate(&self, input: &Path, directory: &Path) -> Result<Outcome, Error>;
}

/// The engine of the portable toolchain: the `catalyst` executable, which runs O2 and then Enzyme.
#[derive(Debug)]
pub struct Catalyst<'a> {
    session: &'a Session,
}

impl<'a> Catalyst<'a> {
    /// With the session's toolchain.
    pub fn new(session: &'a Session) -> Self {
        Catalyst { session }
    }

    fn command(&self) -> Result<Command, Error> {
        match &self.session.engine {
            Some(other) => Ok(Command::new(other)),
            None => Ok(self.session.toolchain.engine()?.command()),
        }
    }
}

impl Catalyst<'_> {
    fn command_for(&self, input: &Path, workspace: &Path) -> Result<Command, Error> {
        std::fs::create_dir(workspace).map_err(Error::io("make", workspace))?;
        let mut command = self.command()?;
        command.args(["--tool=llc", "--keep-intermediate", "--enzyme-rust-type"]);
        // Vectorised or unrolled code differentiates badly; both come after Enzyme.
        command.args(["--vectorize-loops=false", "--vectorize-slp=false"]);
        command.args([
            "--unroll-threshold=0",
            "--unroll-full-max-count=0",
            "--unroll-allow-partial=false",
            "--unroll-allow-peeling=false",
            "--unroll-peel-max-count=0",
            "--unroll-runtime=false",
        ]);
        // A loop that fills or copies says what it fills or copies; the call that it could become does not.
        command.arg("--disable-loop-idiom-all");
        // Recomputing allocations in the reverse pass goes wrong where one replaces another in a loop: it was seen to free
        // twice and to give wrong gradients.
        command.arg("--enzyme-rematerialize=0");
        // Enzyme's own optimisation would rely on promises that have to be withdrawn first; see `promises`. LLVM optimises
        // afterwards anyway.
        command.arg("--enzyme-postopt=0");
        // Enzyme marks what it remembers of the path taken as written once (`!invariant.group`), though each path writes it. The
        // engine's GVN believes that and was seen to drop all paths but one.
        command.arg("--enable-gvn-memdep=0");
        command.arg(format!("-{}", loops::KEEP));
        command.args(NO_SPECULATION.map(|option| format!("-{option}")));
        // The engine's own code generation is thrown away.
        command.arg("--fast-isel");
        // One place, one type, on all paths, as for C++. Upstream rustc assumes less (types known on one path say nothing of
        // others); then types stay unknown, and Enzyme takes an unknown part of a copy to be of its neighbour's type, which was
        // seen to give wrong gradients. Loose types (guess from the size) did too. What neither rule allows is an error.
        command.arg("--enzyme-strict-aliasing=1");
        command
            .arg(workspace_argument(workspace))
            .arg(input)
            .arg("-o")
            .arg(workspace.join("unused.o"));
        Ok(command)
    }

    /// What the engine prints with one more option, such as `--enzyme-print-type`.
    pub fn analyse(&self, input: &Path, directory: &Path, option: &str) -> Result<String, Error> {
        let workspace = directory.join("analysis");
        let mut command = self.command_for(input, &workspace)?;
        Ok(process::run(command.arg(option), self.session.timeout)?.output)
    }

    /// What a gradient moves without its type being known.
    fn moves_unknown(
        &self,
        before: &str,
        after: &str,
        input: &Path,
        directory: &Path,
    ) -> Result<Option<Finding>, Error> {
        if !asks_for_reverse(before) {
            return Ok(None);
        }
        let suspects = Suspects::of(after);
        if suspects.is_empty() {
            return Ok(None);
        }
        let analysis = self.analyse(input, directory, "--enzyme-print-type")?;
        let function = suspects.unknown(&analysis);
        Ok(function.map(diagnosis::moves_unknown))
    }
}

impl Engine for Catalyst<'_> {
    fn differentiate(&self, input: &Path, directory: &Path) -> Result<Outcome, Error> {
        let workspace = directory.join("engine");
        let mut command = self.command_for(input, &workspace)?;
        let ended = process::run(&mut command, self.session.timeout)?;
        // The exit status does not tell: look for the result itself, and for an error beside it.
        let output = workspace.join("2_AfterEnzymePasses.ll");
        let complained = ended.output.lines().any(|line| line.starts_with("error: "));
        match std::fs::read_to_string(&output) {
            Ok(text) if ended.status.is_some() && !complained && is_differentiated(&text) => {
                let before = files::read(&workspace.join("1_AfterO2OptPasses.ll"))?;
                let finding = match wrong(&before, &text) {
                    None => self.moves_unknown(&before, &text, input, directory)?,
                    found => found,
                };
                Ok(finding.map_or(Outcome::Done(text), Outcome::Wrong))
            }
            _ => Ok(Outcome::Failed(ended)),
        }
    }
}

/// What is known to go wrong in Enzyme, silently: from what it saw, and from what it made.
fn wrong(before: &str, after: &str) -> Option<Finding> {
    let forgotten = asks_for_reverse(before)
        .then(|| loops::forgotten_exit(before))
        .flatten();
    forgotten
        .map(|function| diagnosis::forgets_rounds(&function))
        .or_else(|| undefined::left(before).map(diagnosis::takes_for_another))
        .or_else(|| constants::left(before).map(diagnosis::takes_for_integer))
        .or_else(|| choices::left(before).map(diagnosis::chooses_integers))
        .or_else(|| {
            lookups::undefined_place(after).map(|function| diagnosis::looks_up_nowhere(&function))
        })
        .or_else(|| {
            lanes::stale_shadow(after).map(|function| diagnosis::reads_stale_shadow(&function))
        })
}

fn workspace_argument(workspace: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from("--workspace=");
    argument.push(workspace);
    argument
}

/// What a module calls Enzyme by for reverse mode.
const REVERSE: [&str; 3] = [
    "@__enzyme_autodiff",
    "@__enzyme_augmentfwd",
    "@__enzyme_reverse",
];

fn asks_for_reverse(ir: &str) -> bool {
    mentions(ir, &REVERSE)
}

/// No call of Enzyme may be left.
fn is_differentiated(ir: &str) -> bool {
    !mentions(ir, &REVERSE) && !mentions(ir, &["@__enzyme_fwddiff"])
}

/// Whether anything but a declaration names one of these.
fn mentions(ir: &str, names: &[&str]) -> bool {
    ir.lines()
        .any(|line| !line.starts_with("declare ") && names.iter().any(|name| line.contains(name)))
}
