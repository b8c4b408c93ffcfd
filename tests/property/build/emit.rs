//! From programs to Rust source: for each, the module that the driver differentiates and the one for dual numbers.

use std::fmt::Write as _;

use crate::program::{Kind, Program, Returned};

/// A file of programs, with the list that the tests go through.
pub fn file<'a>(seed: u64, programs: impl Iterator<Item = &'a Program>, drop: &[usize]) -> String {
    let mut out = String::new();
    let mut list = String::new();
    for program in programs {
        let (name, source) = (format!("p{}", program.number), source(program, drop));
        let _ = write!(
            out,
            "#[allow(warnings, clippy::all)]\nmod {name} {{\npub mod driver {{\n{}\n{source}\n{}}}\npub mod dual {{\n{}\n{source}\n{}}}\n}}\n",
            head(program, true),
            driver_wrappers(program),
            head(program, false),
            dual_wrapper(program),
        );
        let _ = writeln!(
            list,
            "    property::Program {{ name: \"{name}\", source: {:?}, inputs: {}, outputs: {}, single: {}, reverse: {name}::driver::reverse, forward: {name}::driver::forward, dual: {name}::dual::evaluate }},",
            source,
            inputs(program),
            outputs(program),
            program.single
        );
    }
    let _ = write!(
        out,
        "const SEED: u64 = {seed};\nconst PROGRAMS: &[property::Program] = &[\n{list}];\n"
    );
    out
}

fn head(program: &Program, driver: bool) -> String {
    let float = if program.single { "f32" } else { "f64" };
    if driver {
        format!(
            "type F = {float};\nuse oxide_enzyme::{{Shadow, autodiff_forward, autodiff_reverse}};\nmacro_rules! lit {{ ($x:expr) => {{{{ let x: F = $x; x }}}} }}\nmacro_rules! primal {{ ($($f:tt)*) => {{ #[autodiff_reverse(rev, {reverse})]\n#[autodiff_forward(fwd, {forward})]\n$($f)* }} }}\nmacro_rules! shadowed {{ ($($t:tt)*) => {{ #[derive(Clone, Copy, Shadow)] $($t)* }} }}\nmacro_rules! shadowed_enum {{ ($($t:tt)*) => {{ #[derive(Clone, Default, Shadow)] $($t)* }} }}",
            reverse = activities(program, true),
            forward = activities(program, false),
        )
    } else {
        let dual = if program.single { "Dual32" } else { "Dual64" };
        format!(
            "type F = property::{dual};\nmacro_rules! lit {{ ($x:expr) => {{ property::{dual}::constant($x) }} }}\nmacro_rules! primal {{ ($($f:tt)*) => {{ $($f)* }} }}\nmacro_rules! shadowed {{ ($($t:tt)*) => {{ #[derive(Clone, Copy)] $($t)* }} }}\nmacro_rules! shadowed_enum {{ ($($t:tt)*) => {{ #[derive(Clone, Default)] $($t)* }} }}"
        )
    }
}

fn activities(program: &Program, reverse: bool) -> String {
    let mut words: Vec<&str> = program
        .arguments
        .iter()
        .map(|kind| match (reverse, kind.is_value()) {
            (false, _) => "Dual",
            (true, true) => "Active",
            (true, false) => "Duplicated",
        })
        .collect();
    words.push("Const");
    if program.returned != Returned::Nothing {
        words.push(if reverse { "Active" } else { "Dual" });
    }
    words.join(", ")
}

/// The part that both modules have.
fn source(program: &Program, drop: &[usize]) -> String {
    let tag = if program.tagged { "pub k: usize, " } else { "" };
    // Floats and integers that take turns in the same place are a limit of the driver.
    let number = if program.wide { ", usize" } else { "" };
    let mut out = format!(
        "shadowed! {{ pub struct P {{ pub x: F, pub y: [F; 2], {tag}pub z: F }} }}\n\
         shadowed_enum! {{ pub enum E {{ One(F), Two(F, F), Pair([F; 2]{number}), #[default] Empty }} }}\n\
         impl E {{ fn size(&self) -> F {{ match self {{ E::One(x) => x.sin(), E::Two(x, y) => *x * *y, E::Pair(xs, ..) => xs[0] * lit!(0.7) - xs[1], E::Empty => lit!(0.25) }} }} }}\n\
         fn at(list: &mut [F], k: usize) -> &mut F {{ let n = list.len(); &mut list[k % n] }}\n\
         fn squash(x: F) -> F {{ x / (x.abs() + lit!(0.5)) }}\n\
         fn weight(i: usize) -> F {{ [lit!(0.7), lit!(-1.1), lit!(1.9), lit!(0.4), lit!(-0.6)][i % 5] }}\n"
    );
    for function in &program.functions {
        let _ = writeln!(out, "{function}");
    }
    let n = program.n;
    let mut parameters: Vec<String> = program
        .arguments
        .iter()
        .enumerate()
        .map(|(at, kind)| format!("x{at}: {}", type_of(*kind, n)))
        .collect();
    parameters.push("count: usize".to_owned());
    let returned = match program.returned {
        Returned::Nothing => "",
        Returned::Scalar => " -> F",
        Returned::Tuple => " -> (F, F)",
        Returned::Array => " -> [F; 2]",
        Returned::Struct => " -> P",
    };
    let _ = writeln!(
        out,
        "primal! {{ pub fn primal({}){returned} {{",
        parameters.join(", ")
    );
    for line in &program.prelude {
        let _ = writeln!(out, "    {line}");
    }
    for (number, statement) in program.statements.iter().enumerate() {
        if !drop.contains(&number) {
            let _ = writeln!(out, "    // {number}");
            let _ = writeln!(out, "    {}", statement.replace('\n', "\n    "));
        }
    }
    let values = &program.results;
    let value = match program.returned {
        Returned::Nothing => String::new(),
        Returned::Scalar => values[0].clone(),
        Returned::Tuple => format!("({}, {})", values[0], values[1]),
        Returned::Array => format!("[{}, {}]", values[0], values[1]),
        Returned::Struct => format!(
            "P {{ x: {}, y: [{}, {}], {}z: {} }}",
            values[0],
            values[1],
            values[2],
            if program.tagged { "k: count, " } else { "" },
            values[3]
        ),
    };
    let _ = writeln!(out, "    {value}\n}} }}");
    out
}

fn type_of(kind: Kind, n: usize) -> String {
    match kind {
        Kind::Scalar => "F".to_owned(),
        Kind::Array => format!("[F; {n}]"),
        Kind::Tuple => "(F, F)".to_owned(),
        Kind::Struct => "P".to_owned(),
        Kind::Slice => "&[F]".to_owned(),
        Kind::SliceMut => "&mut [F]".to_owned(),
        Kind::ArrayMut => format!("&mut [F; {n}]"),
        Kind::VecRef => "&Vec<F>".to_owned(),
        Kind::StructRef => "&P".to_owned(),
        Kind::StructMut => "&mut P".to_owned(),
        Kind::ScalarMut => "&mut F".to_owned(),
        Kind::OptionRef => "&Option<F>".to_owned(),
        Kind::EnumRef => "&E".to_owned(),
    }
}

fn inputs(program: &Program) -> usize {
    program.arguments.iter().map(|k| k.floats(program.n)).sum()
}

fn returned_floats(program: &Program) -> usize {
    program.results.len()
}

fn outputs(program: &Program) -> usize {
    let written: usize = program
        .arguments
        .iter()
        .filter(|k| k.is_output())
        .map(|k| k.floats(program.n))
        .sum();
    returned_floats(program) + written
}

/// An argument made of the floats of `list` from `start`.
fn made(program: &Program, kind: Kind, list: &str, start: usize) -> String {
    let at = |k: usize| format!("{list}[{}]", start + k);
    let tag = if program.tagged { "k: 3, " } else { "" };
    match kind {
        Kind::Scalar | Kind::ScalarMut => at(0),
        Kind::Tuple => format!("({}, {})", at(0), at(1)),
        Kind::Struct | Kind::StructRef | Kind::StructMut => {
            format!(
                "P {{ x: {}, y: [{}, {}], {tag}z: {} }}",
                at(0),
                at(1),
                at(2),
                at(3)
            )
        }
        Kind::OptionRef => format!("Some({})", at(0)),
        Kind::EnumRef => format!("E::Two({}, {})", at(0), at(1)),
        Kind::Array | Kind::ArrayMut => {
            let all: Vec<String> = (0..program.n).map(at).collect();
            format!("[{}]", all.join(", "))
        }
        Kind::Slice | Kind::SliceMut | Kind::VecRef => {
            format!("{list}[{start}..{}].to_vec()", start + program.n)
        }
    }
}

/// How an argument that is in a variable is passed.
fn passed(kind: Kind, name: &str) -> String {
    match kind {
        _ if kind.is_value() => name.to_owned(),
        _ if kind.is_output() => format!("&mut {name}"),
        _ => format!("&{name}"),
    }
}

/// The floats of an argument, as expressions.
fn floats(program: &Program, kind: Kind, name: &str) -> Vec<String> {
    match kind {
        Kind::Scalar | Kind::ScalarMut => vec![name.to_owned()],
        Kind::Tuple => vec![format!("{name}.0"), format!("{name}.1")],
        Kind::Struct | Kind::StructRef | Kind::StructMut => ["x", "y[0]", "y[1]", "z"]
            .map(|field| format!("{name}.{field}"))
            .into(),
        Kind::OptionRef => vec![format!("{name}.unwrap()")],
        Kind::EnumRef => vec![
            format!("match &{name} {{ E::Two(x, _) => *x, _ => unreachable!() }}"),
            format!("match &{name} {{ E::Two(_, x) => *x, _ => unreachable!() }}"),
        ],
        _ => (0..program.n).map(|k| format!("{name}[{k}]")).collect(),
    }
}

fn returned(program: &Program, name: &str) -> Vec<String> {
    match program.returned {
        Returned::Nothing => vec![],
        Returned::Scalar => vec![name.to_owned()],
        Returned::Tuple => vec![format!("{name}.0"), format!("{name}.1")],
        Returned::Array => vec![format!("{name}[0]"), format!("{name}[1]")],
        Returned::Struct => ["x", "y[0]", "y[1]", "z"]
            .map(|field| format!("{name}.{field}"))
            .into(),
    }
}

/// A result made of the first floats of `list`.
fn seed(program: &Program, list: &str) -> String {
    match program.returned {
        Returned::Nothing => String::new(),
        Returned::Scalar => format!("{list}[0]"),
        Returned::Tuple => format!("({list}[0], {list}[1])"),
        Returned::Array => format!("[{list}[0], {list}[1]]"),
        Returned::Struct => made(program, Kind::Struct, list, 0),
    }
}

/// `let mut x2 = ..;` for each argument.
fn arguments(program: &Program, prefix: &str, list: &str) -> String {
    let mut start = 0;
    let mut out = String::new();
    for (at, kind) in program.arguments.iter().enumerate() {
        let _ = writeln!(
            out,
            "let mut {prefix}{at} = {};",
            made(program, *kind, list, start)
        );
        start += kind.floats(program.n);
    }
    out
}

/// The floats of all outputs: the result's, then those of arguments that are written to.
fn all_outputs(program: &Program, result: &str, prefix: &str) -> Vec<String> {
    let written = program
        .arguments
        .iter()
        .enumerate()
        .filter(|(_, kind)| kind.is_output())
        .flat_map(|(at, kind)| floats(program, *kind, &format!("{prefix}{at}")));
    returned(program, result)
        .into_iter()
        .chain(written)
        .collect()
}

fn as_doubles(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|v| format!("f64::from({v})")).collect();
    format!("vec![{}]", values.join(", "))
}

fn driver_wrappers(program: &Program) -> String {
    let convert = "let x: Vec<F> = x.iter().map(|x| *x as F).collect(); let dx: Vec<F> = dx.iter().map(|x| *x as F).collect();\n";
    let (mut reverse_arguments, mut forward_arguments) = (Vec::new(), Vec::new());
    for (at, kind) in program.arguments.iter().enumerate() {
        reverse_arguments.push(passed(*kind, &format!("x{at}")));
        if !kind.is_value() {
            reverse_arguments.push(format!("&mut d{at}"));
        }
        forward_arguments.push(passed(*kind, &format!("x{at}")));
        forward_arguments.push(passed(*kind, &format!("d{at}")));
    }
    reverse_arguments.push("3".to_owned());
    forward_arguments.push("3".to_owned());
    if program.returned != Returned::Nothing {
        reverse_arguments.push(seed(program, "dx"));
    }
    format!(
        "pub fn reverse(x: &[f64], dx: &[f64]) -> (Vec<f64>, Vec<f64>) {{\n{convert}{}{}let {} = rev({});\n({}, {})\n}}\n\
         pub fn forward(x: &[f64], dx: &[f64]) -> (Vec<f64>, Vec<f64>) {{\n{convert}{}{}let {} = fwd({});\n({}, {})\n}}\n",
        arguments(program, "x", "x"),
        reverse_shadows(program),
        reverse_pattern(program),
        reverse_arguments.join(", "),
        as_doubles(&all_outputs(program, "r", "x")),
        as_doubles(&gradient(program)),
        arguments(program, "x", "x"),
        arguments(program, "d", "dx"),
        if program.returned == Returned::Nothing {
            "()"
        } else {
            "(r, dr)"
        },
        forward_arguments.join(", "),
        as_doubles(&all_outputs(program, "r", "x")),
        as_doubles(&all_outputs(program, "dr", "d")),
    )
}

/// Shadows of arguments by reference: zero, or seeds where the program writes to them.
fn reverse_shadows(program: &Program) -> String {
    let mut out = format!("let zero: Vec<F> = vec![0.0; {}];\n", program.n.max(4));
    let mut start = returned_floats(program);
    for (at, kind) in program.arguments.iter().enumerate() {
        if kind.is_output() {
            let _ = writeln!(
                out,
                "let mut d{at} = {};",
                made(program, *kind, "dx", start)
            );
            start += kind.floats(program.n);
        } else if !kind.is_value() {
            let _ = writeln!(out, "let mut d{at} = {};", made(program, *kind, "zero", 0));
        }
    }
    out
}

fn reverse_pattern(program: &Program) -> String {
    let mut names: Vec<String> = program
        .arguments
        .iter()
        .enumerate()
        .filter(|(_, kind)| kind.is_value())
        .map(|(at, _)| format!("d{at}"))
        .collect();
    if program.returned != Returned::Nothing {
        names.insert(0, "r".to_owned());
    }
    format!("({})", names.join(", "))
}

fn gradient(program: &Program) -> Vec<String> {
    program
        .arguments
        .iter()
        .enumerate()
        .flat_map(|(at, kind)| floats(program, *kind, &format!("d{at}")))
        .collect()
}

fn dual_wrapper(program: &Program) -> String {
    let mut passing: Vec<String> = program
        .arguments
        .iter()
        .enumerate()
        .map(|(at, kind)| passed(*kind, &format!("x{at}")))
        .collect();
    passing.push("3".to_owned());
    format!(
        "pub fn evaluate(x: &[f64], dx: &[f64]) -> Vec<property::Evaluated> {{\nlet x: Vec<F> = x.iter().zip(dx).map(|(x, dx)| F::new(*x, *dx)).collect();\n{}let r = primal({});\nvec![{}]\n}}\n",
        arguments(program, "x", "x"),
        passing.join(", "),
        all_outputs(program, "r", "x")
            .iter()
            .map(|v| format!("{v}.evaluated()"))
            .collect::<Vec<_>>()
            .join(", "),
    )
}
