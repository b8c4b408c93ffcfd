//! From a closure to an object: optimise, tell the types, differentiate, optimise, generate code.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::aliases;
use crate::allocator;
use crate::apart;
use crate::attributes;
use crate::barrier;
use crate::bits;
use crate::carried;
use crate::closure::{Closure, NATIVE};
use crate::deferred;
use crate::derivative::{Derivative, ENGINE_MARK, Mode};
use crate::diagnosis::{self, Diagnosis, Finding};
use crate::engine::{Catalyst, Engine, NO_SPECULATION, Outcome};
use crate::error::Error;
use crate::files;
use crate::hints;
use crate::indirect;
use crate::ir::{self, Reference, references, rewrite};
use crate::loads;
use crate::loops;
use crate::nothing;
use crate::overwrites;
use crate::policy;
use crate::process;
use crate::promises;
use crate::quotients;
use crate::rules;
use crate::session::Session;
use crate::sources;
use crate::types;
use crate::undefined;

/// Changes whenever the pipeline makes other code from the same closure.
pub const PIPELINE: &str = "pipeline 158";

/// Functions up to this size are inlined before differentiation: type and activity analysis see further within a function
/// than across calls, and what they see decides what must be kept for the reverse pass.
const INLINE_THRESHOLD: &str = "1000";

/// The object that defines `derivative`, from the cache or made.
pub fn object(
    session: &Session,
    derivative: &Derivative,
    closure: &Closure,
    debug: bool,
) -> Result<PathBuf, Error> {
    let key = files::digest(&[
        key(session, closure, debug).as_bytes(),
        &[u8::from(session.fast_math), u8::from(debug)],
    ]);
    session.cache.object(&key, || {
        session.say(&told(derivative, closure));
        let differentiated = differentiated(session, derivative, closure)?;
        let differentiated = deferred::defer(&differentiated, &derivative.symbol, derivative.mode);
        let finished = finish(session, &differentiated, closure, debug);
        let work = session.cache.work_dir()?;
        generate(session, &finished, work.path())
    })
}

/// The derivative by its name and its primal's.
fn told(derivative: &Derivative, closure: &Closure) -> String {
    let made = made_function(closure, derivative);
    let subject = subject(closure, derivative);
    format!(
        "`{made}`: {} mode derivative of `{subject}`",
        derivative.mode
    )
}

/// What a derivative's code depends on, debug information included only where it is kept.
fn key(session: &Session, closure: &Closure, debug: bool) -> String {
    let engine = session
        .engine
        .as_ref()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    let nested: Vec<String> = closure
        .nested
        .iter()
        .map(|(_, closure)| key(session, closure, debug))
        .collect();
    let code = if debug {
        Cow::Borrowed(closure.text.as_str())
    } else {
        Cow::Owned(ir::code(&closure.text))
    };
    files::digest(&[
        PIPELINE.as_bytes(),
        code.as_bytes(),
        session.toolchain.digest().as_bytes(),
        session.target.as_bytes(),
        engine.as_bytes(),
        nested.concat().as_bytes(),
    ])
}

/// How often a closure is optimised before Enzyme sees it.
#[derive(Clone, Copy, PartialEq)]
pub enum Optimised {
    /// Before it is annotated. The engine optimises what is annotated.
    Once,
    /// Also before it is marked: the engine does without some variables on the stack only where they are not marked.
    Twice,
}

/// The module in which Enzyme has differentiated.
///
/// Where methods of trait objects are called, type analysis may need to be kept from taking the data of different types for
/// one, or may need to see through the pointers that keep it: both are tried. What is refused is tried again, optimised twice.
fn differentiated(
    session: &Session,
    derivative: &Derivative,
    closure: &Closure,
) -> Result<String, Error> {
    if let Some(text) = indirect::transparent(&closure.text) {
        let transparent = Closure {
            text,
            ..closure.clone()
        };
        if let Ok(ir) = attempt(session, derivative, &transparent, Optimised::Once) {
            return Ok(ir);
        }
    }
    match attempt(session, derivative, closure, Optimised::Once) {
        Err(refused @ Error::Engine(_)) if derivative.mode != Mode::Forward => {
            attempt(session, derivative, closure, Optimised::Twice).map_err(|_| refused)
        }
        other => other,
    }
}

fn attempt(
    session: &Session,
    derivative: &Derivative,
    closure: &Closure,
    optimised: Optimised,
) -> Result<String, Error> {
    let work = session.cache.work_dir()?;
    let prepared = prepare(session, derivative, closure, optimised, work.path())?;
    let (finding, said) = match diagnosis::refused(&files::read(&prepared)?) {
        Some(finding) => (finding, "the engine was not asked".to_owned()),
        None => match Catalyst::new(session).differentiate(&prepared, work.path())? {
            Outcome::Done(ir) => return Ok(ir),
            Outcome::Failed(ended) => (
                diagnosis::explain(&ended, &files::read(&prepared)?, session.timeout),
                format!("{}\n{}", ended.describe(), ended.output),
            ),
            Outcome::Wrong(finding) => (finding, "the driver refused what Enzyme made".to_owned()),
        },
    };
    let key = key(session, closure, true);
    let log = keep_log(session, &key, closure, &prepared, &said)?;
    let diagnosis = diagnosis(derivative, closure, finding, log);
    Err(Error::Engine(Box::new(diagnosis)))
}

/// The bitcode of a derivative that another one calls. It goes away where it is not called, and may be defined in several
/// objects.
fn nested(
    session: &Session,
    (derivative, closure): &(Derivative, Closure),
    outer: &Derivative,
    output: &Path,
) -> Result<(), Error> {
    let text = session
        .cache
        .text(Some(&key(session, closure, true)), "nested", || {
            session.say(&format!("{}, nested", told(derivative, closure)));
            differentiated(session, derivative, closure)
        })?;
    let text = deferred::for_outer(&text, derivative.mode, outer);
    let name = ir::quoted(&derivative.symbol);
    let text = restored(session, &text, closure).replace(
        &format!("define hidden void {name}("),
        &format!("define linkonce_odr hidden void {name}("),
    );
    let input = output.with_extension("ll");
    std::fs::write(&input, text).map_err(Error::io("write", &input))?;
    let mut command = session.toolchain.clang()?.command();
    command
        .arg(format!("--target={}", session.target))
        .args(["-c", "-emit-llvm", "-Xclang", "-disable-llvm-passes"])
        .args(["-Wno-override-module", "-x", "ir"])
        .arg(&input)
        .arg("-o")
        .arg(output);
    process::succeed(
        "reading a nested derivative",
        &mut command,
        session.patience,
    )?;
    Ok(())
}

/// Optimises the closure, without the passes that make loops hard to differentiate, and adds type annotations.
pub fn prepare(
    session: &Session,
    derivative: &Derivative,
    closure: &Closure,
    optimised: Optimised,
    directory: &Path,
) -> Result<PathBuf, Error> {
    let (input, output) = (directory.join("closure.ll"), directory.join("optimised.ll"));
    let mut text = loops::with_single_latches(&attributes::inline_untyped(&closure.text));
    // An inner derivative has notes of its own; what it makes for itself has none. So notes of the outer one must come before
    // the inner one. Otherwise they come after LLVM, which does without some allocations.
    let (has_notes, is_outer) = (derivative.mode != Mode::Forward, !closure.nested.is_empty());
    if is_outer {
        text.push_str(deferred::rule(derivative));
    }
    if has_notes && is_outer {
        text = deferred::note(&text);
    }
    std::fs::write(&input, text).map_err(Error::io("write", &input))?;
    let mut command = optimiser(session)?;
    for (number, inner) in closure.nested.iter().enumerate() {
        let bitcode = directory.join(format!("nested-{number}.bc"));
        nested(session, inner, derivative, &bitcode)?;
        command
            .args(["-Xclang", "-mlink-bitcode-file", "-Xclang"])
            .arg(bitcode);
    }
    optimise(session, command, &input, &output)?;
    let mut text = types::annotate(&files::read(&output)?);
    if optimised == Optimised::Twice {
        let (input, output) = (directory.join("annotated.ll"), directory.join("again.ll"));
        std::fs::write(&input, text).map_err(Error::io("write", &input))?;
        optimise(session, optimiser(session)?, &input, &output)?;
        text = files::read(&output)?;
    }
    let typed = directory.join("typed.ll");
    text = barrier::raise(&text);
    if has_notes && !is_outer {
        text = deferred::note(&text);
    }
    if derivative.mode == Mode::Forward {
        text = loads::add_nothing(&text);
    } else {
        text = aliases::mark(&overwrites::mark(&carried::add_nothing(
            &apart::pass_through(&text),
        )));
    }
    if !text.contains("declare void @__enzyme_autodiff(") {
        // Dropped as unused, but the engine looks for it before it runs Enzyme.
        text.push_str(ENGINE_MARK);
    }
    std::fs::write(&typed, undefined::as_zero(&text)).map_err(Error::io("write", &typed))?;
    Ok(typed)
}

/// The compiler, told to optimise a module without the passes that make loops hard to differentiate.
fn optimiser(session: &Session) -> Result<Command, Error> {
    let mut command = session.toolchain.clang()?.command();
    command.arg(format!("--target={}", session.target));
    command.args([
        "-O2",
        "-fno-vectorize",
        "-fno-slp-vectorize",
        // Linking nested derivatives in was seen to end in two values of one name otherwise.
        "-fno-discard-value-names",
        "-Wno-override-module",
    ]);
    for option in [
        format!("-inline-threshold={INLINE_THRESHOLD}"),
        // Longer names are cut off by default, and two may become one.
        "-non-global-value-max-name-size=1000000".to_owned(),
        format!("-inlinecold-threshold={INLINE_THRESHOLD}"),
        "-disable-loop-idiom-all".to_owned(),
        // Unrolled loops differentiate badly, but for the small ones in which the standard library swaps memory of any kind:
        // unrolled, each piece has its own type.
        "-unroll-threshold=60".to_owned(),
        "-unroll-full-max-count=8".to_owned(),
        "-unroll-allow-partial=false".to_owned(),
        "-unroll-allow-peeling=false".to_owned(),
        // Passes that unroll fully peel anyway, and the engine crashes where the rounds that are left begin at an address or an
        // `Option` from the round that was peeled.
        "-unroll-peel-max-count=0".to_owned(),
        "-unroll-runtime=false".to_owned(),
        loops::KEEP.to_owned(),
    ]
    .into_iter()
    .chain(NO_SPECULATION.map(str::to_owned))
    {
        command.args(["-mllvm", &option]);
    }
    Ok(command)
}

fn optimise(
    session: &Session,
    mut command: Command,
    input: &Path,
    output: &Path,
) -> Result<(), Error> {
    command
        .args(["-x", "ir", "-S", "-Xclang", "-emit-llvm"])
        .arg(input)
        .arg("-o")
        .arg(output);
    process::succeed(
        "optimising before differentiation",
        &mut command,
        session.patience,
    )?;
    Ok(())
}

fn keep_log(
    session: &Session,
    key: &str,
    closure: &Closure,
    prepared: &Path,
    said: &str,
) -> Result<PathBuf, Error> {
    let directory = session.cache.log_dir(key);
    files::write(&directory.join("engine.log"), said.as_bytes())?;
    files::write(&directory.join("closure.ll"), closure.text.as_bytes())?;
    files::write(
        &directory.join("input.ll"),
        files::read(prepared)?.as_bytes(),
    )?;
    Ok(directory.join("engine.log"))
}

fn diagnosis(
    derivative: &Derivative,
    closure: &Closure,
    finding: Finding,
    log: PathBuf,
) -> Diagnosis {
    let function = subject(closure, derivative);
    // The shim is ours; a place in the standard library says little without the user's own.
    let inside = finding
        .inside
        .filter(|name| *name != function && !name.starts_with("oxide_enzyme::"));
    let (place, inside) = match finding.place {
        Some(place) if place.starts_with("library/") => (
            first_place(closure, derivative),
            Some(inside.map_or(place.clone(), |name| format!("{name} ({place})"))),
        ),
        place => (place.or_else(|| first_place(closure, derivative)), inside),
    };
    Diagnosis {
        place,
        function,
        mode: derivative.mode,
        inside,
        reason: finding.reason,
        advice: finding.advice,
        log,
    }
}

/// The function that the user differentiates: what the closure in the macro's expansion calls, or, where that was
/// inlined, the derivative that the macro made.
pub fn subject(closure: &Closure, derivative: &Derivative) -> String {
    let made = made_function(closure, derivative);
    let Some(glue) = glue(closure, derivative) else {
        return made;
    };
    let module = made
        .rsplit_once("::")
        .map_or("", |(module, _)| module)
        .to_owned();
    let glue = body_of(&closure.text, glue);
    if let Some(name) = inlined_first(&closure.text, glue) {
        return format!("{module}::{name}");
    }
    let primal = callees(glue)
        .into_iter()
        .map(policy::path)
        .find(|path| path.starts_with(module.trim_start_matches('<')));
    primal.unwrap_or(made)
}

/// The derivative function that the macro made.
pub fn made_function(closure: &Closure, derivative: &Derivative) -> String {
    match glue(closure, derivative).map(policy::path) {
        Some(path) => path.split("::{").next().unwrap_or(&path).to_owned(),
        None => policy::path(&derivative.shim),
    }
}

/// The closure in the macro's expansion that calls the primal.
fn glue<'a>(closure: &'a Closure, derivative: &Derivative) -> Option<&'a str> {
    let shim = body_of(&closure.text, &derivative.shim);
    callees(shim)
        .into_iter()
        .find(|name| policy::path(name).contains("{closure"))
}

/// The function that was inlined into `body` itself (and not into another function that was): by the debug information.
fn inlined_first<'a>(text: &'a str, body: &'a str) -> Option<&'a str> {
    let number = |text: &'a str, name: &str| {
        text.split_once(name)?
            .1
            .split(|c: char| !c.is_ascii_digit())
            .next()
    };
    for line in body.lines().skip(1) {
        let Some(mut location) = number(line, "!dbg !").and_then(|id| metadata(text, id)) else {
            continue;
        };
        let mut inlined = None;
        while let Some(outer) = number(location, "inlinedAt: !") {
            inlined = number(location, "scope: !");
            location = metadata(text, outer)?;
        }
        let Some(mut scope) = inlined.and_then(|id| metadata(text, id)) else {
            continue;
        };
        while !scope.contains("DISubprogram(") {
            scope = metadata(text, number(scope, "scope: !")?)?;
        }
        return scope.split_once("name: \"")?.1.split(['"', '<']).next();
    }
    None
}

/// `file:line` of the derivative, from the debug information of the macro's expansion.
fn first_place(closure: &Closure, derivative: &Derivative) -> Option<String> {
    let glue = glue(closure, derivative)?;
    let head = body_of(&closure.text, glue).lines().next()?;
    let id = head.split_once("!dbg !")?.1.split(' ').next()?;
    let program = metadata(&closure.text, id)?;
    let field = |name: &str| {
        program
            .split_once(name)
            .map(|(_, v)| v.split([',', ')']).next().unwrap_or("").trim_matches('"'))
    };
    let file = metadata(&closure.text, field("file: !")?)?;
    let path = file.split_once("filename: \"")?.1.split('"').next()?;
    Some(format!("{path}:{}", field(" line: ")?))
}

fn metadata<'a>(text: &'a str, id: &str) -> Option<&'a str> {
    let start = text.find(&format!("\n!{id} = "))? + 1;
    text[start..].lines().next()
}

fn body_of<'a>(text: &'a str, symbol: &str) -> &'a str {
    let name = ir::quoted(symbol);
    let start = text
        .match_indices("\ndefine ")
        .map(|(at, _)| at + 1)
        .find(|at| {
            text[*at..]
                .lines()
                .next()
                .is_some_and(|line| line.contains(&format!("{name}(")))
        });
    start.map_or("", |at| {
        text[at..].split_inclusive("\n}\n").next().unwrap_or("")
    })
}

fn callees(body: &str) -> Vec<&str> {
    body.lines()
        .skip(1)
        .filter(|line| line.contains("call "))
        .filter_map(|line| {
            references(line).into_iter().find_map(|r| match r {
                Reference::Symbol(name) if !name.starts_with("llvm.") => Some(name),
                _ => None,
            })
        })
        .collect()
}

/// Makes the engine's output the program's again: its target, its arithmetic and its allocator.
fn finish(session: &Session, differentiated: &str, closure: &Closure, debug: bool) -> String {
    let text = restore_names(differentiated, closure.allocator_prefix.as_deref());
    let mut out = String::with_capacity(text.len());
    for line in restored(session, &text, closure).lines() {
        if line.contains(hints::MIXED_COPY)
            || line.contains(hints::SORTED_FLOATS)
            || line.starts_with(&format!("@{}", rules::REGISTER))
            || line.starts_with(&format!("@{}", rules::FUNCTION_LIKE))
            || indirect::is_declared(line)
            || (!debug && line.starts_with("!llvm.dbg.cu"))
        {
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(indirect::DEFINITIONS);
    if debug { out } else { ir::without_debug(&out) }
}

/// The engine's output for the program's own target again, which the engine replaces by its host, with arithmetic that
/// respects NaN and without promises that do not hold.
fn restored(session: &Session, differentiated: &str, closure: &Closure) -> String {
    let is_target = |line: &&str| line.starts_with("target ");
    let differentiated = &quotients::divide_twice(differentiated);
    let own = closure.text.lines().filter(is_target);
    let is_mark = |line: &str| {
        barrier::is_barrier(line) || aliases::is_mark(line) || overwrites::is_mark(line)
    };
    let is_ours = |line: &&str| is_target(line) || is_mark(line);
    let rest = differentiated.lines().filter(|line| !is_ours(line));
    let mut out = String::with_capacity(differentiated.len());
    for line in own.chain(rest) {
        let line = &promises::withdraw(line);
        // Enzyme declares what a derivative calls, `cosh` for `sinh`, with the linkage of what it differentiates.
        if let Some(declaration) = line.strip_prefix("declare weak ") {
            out.push_str("declare ");
            out.push_str(declaration.trim_start_matches("hidden "));
            out.push('\n');
            continue;
        }
        if !session.fast_math && line.starts_with("  ") && line.contains(" fast ") {
            // Enzyme marks what it writes `fast`, under which NaN and infinity are undefined behaviour.
            out.push_str(&line.replace(" fast ", " contract "));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    nothing::define(sources::define(bits::define(out)))
}

/// Puts the program's names back: the allocator's, those of inactive functions, and those of functions of which the closure
/// has a copy under the same name.
fn restore_names(text: &str, prefix: Option<&str>) -> String {
    let natives: HashSet<&str> = references(text)
        .into_iter()
        .filter_map(|reference| match reference {
            Reference::Symbol(name) => name.strip_suffix(NATIVE),
            _ => None,
        })
        .collect();
    rewrite(text, |reference| match (reference, prefix) {
        (
            Reference::Symbol(name @ ("__rust_alloc" | "__rust_alloc_zeroed" | "__rust_dealloc")),
            Some(prefix),
        ) => Some(ir::quoted(&allocator::mangled_name(prefix, name))),
        (Reference::Symbol(name), _) => {
            let original = policy::original_name(name).or_else(|| name.strip_suffix(NATIVE));
            match original {
                Some(name) => Some(ir::quoted(name)),
                None if natives.contains(name) => Some(ir::quoted(&format!("{name}.copy"))),
                None => None,
            }
        }
        _ => None,
    })
    .into_owned()
}

/// The final optimisation and code generation. Functions carry the crate's target-cpu and features as attributes.
fn generate(session: &Session, ir: &str, directory: &Path) -> Result<Vec<u8>, Error> {
    let (input, output) = (
        directory.join("finished.ll"),
        directory.join("derivative.o"),
    );
    std::fs::write(&input, ir).map_err(Error::io("write", &input))?;
    let mut command = session.toolchain.clang()?.command();
    command.arg(format!("--target={}", session.target));
    command
        .args(["-O3", "-c", "-fPIC", "-Wno-override-module", "-x", "ir"])
        .arg(&input)
        .arg("-o")
        .arg(&output);
    process::succeed(
        "generating code of a derivative",
        &mut command,
        session.patience,
    )?;
    std::fs::read(&output).map_err(Error::io("read", &output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_gets_its_real_name_back() {
        let text = "  %p = call ptr @__rust_alloc(i64 8, i64 8)\n  call void @__rust_alloc_error()";
        assert_eq!(
            restore_names(text, Some("_RNvCsX")),
            "  %p = call ptr @_RNvCsX_7___rustc12___rust_alloc(i64 8, i64 8)\n  call void @__rust_alloc_error()"
        );
    }
}
