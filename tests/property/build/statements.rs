//! Random statements. All variables are declared first, so that any statement can be left out and the rest still compiles.

use fastrand::Rng;

use crate::expressions::{Expressions, Scope};
use crate::program::{Kind, Program, Returned, Var};

/// Fills in the program's functions, declarations, statements and results.
pub fn fill(program: &mut Program, rng: &mut Rng) {
    program.functions = functions(program, rng);
    program.prelude = prelude(program, rng);
    let count = rng.usize(3..9);
    for _ in 0..count {
        let statement = Statements {
            program,
            rng,
            in_loop: false,
        }
        .any(2);
        program.statements.push(statement);
    }
    program.results = results(program, rng);
}

fn functions(program: &Program, rng: &mut Rng) -> Vec<String> {
    let inline = |rng: &mut Rng| {
        if rng.bool() { "#[inline(never)]\n" } else { "" }
    };
    let expression = |rng: &mut Rng| {
        Expressions {
            program,
            rng,
            scope: Scope::Helper,
        }
        .tame()
    };
    let (a, b, c, d) = (
        expression(rng),
        expression(rng),
        expression(rng),
        expression(rng),
    );
    vec![
        format!("{}fn mix(x: F, y: F) -> F {{ {a} }}", inline(rng)),
        format!(
            "{}fn mix_by_reference(x: &F, y: &F) -> F {{ let (x, y) = (*x, *y); {b} }}",
            inline(rng)
        ),
        format!(
            "{}fn change(list: &mut [F], y: F) {{ for x in list.iter_mut() {{ let old = *x; let x = &mut *x; *x = {{ let x = old; {c} }}; }} }}",
            inline(rng)
        ),
        format!(
            "{}fn update(mut p: P) -> P {{ let (x, y) = (p.x, p.z); std::mem::swap(&mut p.x, &mut p.y[1]); p.z = {d}; p }}",
            inline(rng)
        ),
        format!(
            "{}fn descend(x: F, depth: usize) -> F {{ if depth == 0 {{ x }} else {{ mix(descend(x, depth - 1), x) }} }}",
            inline(rng)
        ),
        format!(
            "{}fn both(p: (F, F)) -> Option<(F, F)> {{ if p.0 > p.1 {{ Some((mix(p.0, p.1), p.0)) }} else {{ None }} }}",
            inline(rng)
        ),
    ]
}

/// The declarations of all variables, made from the arguments.
fn prelude(program: &Program, rng: &mut Rng) -> Vec<String> {
    let n = program.n;
    let mut lines =
        vec!["let (mut s0, mut s1): (F, F) = (x0 * lit!(1.1), x1 + lit!(0.3)); let (mut hits, mut place): (usize, Option<usize>) = (0, None);".to_owned()];
    let atom = |rng: &mut Rng| {
        let mut atoms = vec![
            "x0".to_owned(),
            "x1".to_owned(),
            "(x0 * x1)".to_owned(),
            "(x0 + x1)".to_owned(),
        ];
        for (at, kind) in program.arguments.iter().enumerate() {
            match kind {
                Kind::Array | Kind::Slice | Kind::SliceMut | Kind::ArrayMut | Kind::VecRef => {
                    atoms.extend((0..n).map(|k| format!("x{at}[{k}]")));
                }
                Kind::Tuple => atoms.extend([format!("x{at}.0"), format!("(x{at}.1 * lit!(0.7))")]),
                Kind::Struct | Kind::StructRef | Kind::StructMut => {
                    atoms.extend([
                        format!("x{at}.x"),
                        format!("x{at}.y[0]"),
                        format!("x{at}.y[1]"),
                        format!("x{at}.z"),
                    ]);
                }
                Kind::ScalarMut => atoms.push(format!("(*x{at})")),
                Kind::OptionRef => atoms.push(format!("x{at}.unwrap_or(lit!(0.5))")),
                Kind::EnumRef => atoms.push(format!("x{at}.size()")),
                Kind::Scalar => {}
            }
        }
        atoms[rng.usize(..atoms.len())].clone()
    };
    let list = |rng: &mut Rng, count: usize| -> String {
        (0..count).map(|_| atom(rng)).collect::<Vec<_>>().join(", ")
    };
    let tag = |rng: &mut Rng| {
        if program.tagged {
            format!("k: {}, ", rng.usize(..9))
        } else {
            String::new()
        }
    };
    let point = |rng: &mut Rng| {
        format!(
            "P {{ x: {}, y: [{}], {}z: {} }}",
            atom(rng),
            list(rng, 2),
            tag(rng),
            atom(rng)
        )
    };
    let slices: Vec<usize> = (0..program.arguments.len())
        .filter(|at| {
            matches!(
                program.arguments[*at],
                Kind::Slice | Kind::SliceMut | Kind::Array | Kind::VecRef
            )
        })
        .collect();
    for var in &program.vars[1..] {
        for k in 0..2 {
            let line = match var {
                Var::Scalars => continue,
                Var::Arrays => format!("let mut a{k}: [F; {n}] = [{}];", list(rng, n)),
                Var::Vecs if !slices.is_empty() && rng.bool() => {
                    let at = slices[rng.usize(..slices.len())];
                    format!("let mut v{k}: Vec<F> = x{at}.to_vec();")
                }
                Var::Vecs if rng.bool() => {
                    format!(
                        "let mut v{k}: Vec<F> = Vec::new(); for i in 0..{n} {{ v{k}.push(if i % 2 == 0 {{ {} }} else {{ {} }}); }}",
                        atom(rng),
                        atom(rng)
                    )
                }
                Var::Vecs => format!("let mut v{k}: Vec<F> = vec![{}];", list(rng, n)),
                Var::Structs => format!("let mut p{k} = {};", point(rng)),
                Var::Tuples => format!("let mut t{k}: (F, F) = ({});", list(rng, 2)),
                Var::Options if rng.u8(..4) == 0 => format!("let mut o{k}: Option<F> = None;"),
                Var::Options => format!("let mut o{k}: Option<F> = Some({});", atom(rng)),
                Var::Enums => {
                    format!(
                        "let mut e{k} = {};",
                        enum_value(rng, program.wide, &|rng| atom(rng))
                    )
                }
                Var::VecOfStructs if k == 0 => {
                    format!(
                        "let mut q: Vec<P> = vec![{}, {}, {}];",
                        point(rng),
                        point(rng),
                        point(rng)
                    )
                }
                Var::Matrix if k == 0 => {
                    format!(
                        "let mut m: [[F; 2]; 3] = [[{}], [{}], [{}]];",
                        list(rng, 2),
                        list(rng, 2),
                        list(rng, 2)
                    )
                }
                Var::VecOfVecs if k == 0 => {
                    format!(
                        "let mut w: Vec<Vec<F>> = vec![vec![{}], vec![{}]];",
                        list(rng, 2),
                        list(rng, 3)
                    )
                }
                Var::Boxes => format!("let mut b{k}: Box<F> = Box::new({});", atom(rng)),
                _ => continue,
            };
            lines.push(line);
        }
    }
    lines
}

fn enum_value(rng: &mut Rng, wide: bool, atom: &dyn Fn(&mut Rng) -> String) -> String {
    match rng.usize(..4) {
        0 => format!("E::One({})", atom(rng)),
        1 => format!("E::Two({}, {})", atom(rng), atom(rng)),
        2 if wide => format!("E::Pair([{}, {}], {})", atom(rng), atom(rng), rng.u8(..9)),
        2 => format!("E::Pair([{}, {}])", atom(rng), atom(rng)),
        _ => "E::Empty".to_owned(),
    }
}

struct Statements<'a> {
    program: &'a Program,
    rng: &'a mut Rng,
    in_loop: bool,
}

impl Statements<'_> {
    fn expressions(&mut self) -> Expressions<'_> {
        Expressions {
            program: self.program,
            rng: self.rng,
            scope: Scope::Body {
                in_loop: self.in_loop,
            },
        }
    }

    fn tame(&mut self) -> String {
        self.expressions().tame()
    }

    fn place(&mut self) -> String {
        self.expressions().place(true)
    }

    fn condition(&mut self) -> String {
        self.expressions().condition()
    }

    fn atom(&mut self) -> String {
        self.expressions().atom()
    }

    fn any(&mut self, depth: usize) -> String {
        match self.rng.usize(..13) {
            0 => format!("{} = {};", self.place(), self.tame()),
            1 => {
                let operator = ["+=", "-=", "*="][self.rng.usize(..3)];
                format!(
                    "{{ let value = {}; {} {operator} value; }}",
                    self.tame(),
                    self.place()
                )
            }
            2 if depth > 0 => {
                let condition = self.condition();
                let (a, b) = (self.block(depth - 1), self.block(depth - 1));
                format!("if {condition} {{\n{a}}} else {{\n{b}}}")
            }
            3 | 4 if depth > 0 => self.a_loop(depth),
            5 => self.on_state(),
            _ => self.on_a_variable(),
        }
    }

    fn block(&mut self, depth: usize) -> String {
        let count = self.rng.usize(1..4);
        (0..count).map(|_| self.any(depth) + "\n").collect()
    }

    fn a_loop(&mut self, depth: usize) -> String {
        let count = self.rounds();
        let is_outer = !std::mem::replace(&mut self.in_loop, true);
        let body = self.block(depth - 1);
        let leave = match self.rng.usize(..5) {
            0 => format!("if {} {{ continue; }}\n", self.condition()),
            1 => format!("if {} {{ break; }}\n", self.condition()),
            2 => format!("if {} {{ break 'outer; }}\n", self.condition()),
            _ => String::new(),
        };
        let more = self.any(0);
        self.in_loop = !is_outer;
        // In braces: an inner `i` must not stay.
        let label = if is_outer { "'outer: " } else { "" };
        match self.rng.usize(..3) {
            0 => format!(
                "{{ let mut i = 0; {label}while i < {count} {{\n{body}i += 1;\n{leave}{more}\n}} }}"
            ),
            1 => format!("{label}for i in (0..{count}).rev() {{\n{body}{leave}{more}\n}}"),
            _ => format!("{label}for i in 0..{count} {{\n{body}{leave}{more}\n}}"),
        }
    }

    /// How often a loop runs: known when it is compiled, and unrolled, or not.
    fn rounds(&mut self) -> String {
        let count = self.rng.usize(2..5);
        match self.rng.bool() {
            true => count.to_string(),
            false => format!("count + {}", count - 2),
        }
    }

    fn on_a_variable(&mut self) -> String {
        let var = self.program.vars[self.rng.usize(..self.program.vars.len())];
        let k = self.rng.usize(..2);
        match var {
            Var::Scalars => self.on_scalars(k),
            Var::Arrays => {
                let n = self.program.n;
                match self.rng.usize(..6) {
                    0 => "std::mem::swap(&mut a0, &mut a1);".to_owned(),
                    1 => format!("a{k} = a{};", 1 - k),
                    2 => format!(
                        "a{k} = a{}.map(|x| mix(x, {}));",
                        1 - k,
                        self.atom_of_scalars()
                    ),
                    3 => format!(
                        "for (x, y) in a{k}.iter_mut().zip(&a{}) {{ *x = mix(*x, *y); }}",
                        1 - k
                    ),
                    4 => format!(
                        "let saved = a{k}; a{k}[0] = {}; a{k}[{}] = saved[0];",
                        self.tame(),
                        n - 1
                    ),
                    _ => self.on_a_slice(&format!("a{k}"), &format!("a{}", 1 - k), Some(n)),
                }
            }
            Var::Vecs => match self.rng.usize(..2) {
                0 => self.on_a_vec(k),
                _ => self.on_a_slice(&format!("v{k}"), &format!("v{}", 1 - k), None),
            },
            Var::Structs => self.on_structs(k),
            Var::Tuples => self.on_tuples(k),
            Var::Options => self.on_options(k),
            Var::Enums => self.on_enums(k),
            Var::VecOfStructs => self.on_vec_of_structs(),
            Var::Matrix => self.on_matrix(),
            Var::VecOfVecs => self.on_vec_of_vecs(),
            Var::Boxes => match self.rng.usize(..5) {
                0 => "std::mem::swap(&mut b0, &mut b1);".to_owned(),
                1 => "std::mem::swap(&mut *b0, &mut *b1);".to_owned(),
                2 => format!("b{k} = Box::new({});", self.tame()),
                3 => format!(
                    "{{ let value = {}; **{} += value; }}",
                    self.tame(),
                    self.either("b0", "b1")
                ),
                _ => format!("*b{k} += mix(*b{}, s{k});", 1 - k),
            },
        }
    }

    /// A reference to one of two variables.
    fn either(&mut self, a: &str, b: &str) -> String {
        format!(
            "(if {} {{ &mut {a} }} else {{ &mut {b} }})",
            self.condition()
        )
    }

    /// On integers that tell what has happened so far.
    fn on_state(&mut self) -> String {
        let k = self.rng.usize(..2);
        let now = if self.in_loop { "i" } else { "count" };
        match self.rng.usize(..5) {
            0 => format!("if {} {{ hits += 1; }}", self.condition()),
            1 => format!("if {} {{ place = Some({now}); }}", self.condition()),
            2 => format!(
                "if {} {{ place = Some(place.map_or({now}, |at| at + hits)); }} else {{ hits = {now}; }}",
                self.condition()
            ),
            3 => format!(
                "if let Some(at) = place.filter(|at| at % 2 == hits % 2) {{ s{k} = weight(at) * {}; }}",
                self.tame()
            ),
            _ => format!("s{k} = weight(hits) * {};", self.tame()),
        }
    }

    fn atom_of_scalars(&mut self) -> String {
        ["s0", "s1", "x0", "x1"][self.rng.usize(..4)].to_owned()
    }

    fn on_scalars(&mut self, k: usize) -> String {
        match self.rng.usize(..11) {
            0 => "std::mem::swap(&mut s0, &mut s1);".to_owned(),
            1 => format!(
                "{{ let value = {}; s{k} = std::mem::replace(&mut s{}, value); }}",
                self.tame(),
                1 - k
            ),
            2 => "(s0, s1) = (s1, s0);".to_owned(),
            3 => format!(
                "if let Some((a, b)) = both((s0, s1)) {{ s{k} = a; s{} = b; }}",
                1 - k
            ),
            4 => format!("s{k} = descend(s{}, {});", 1 - k, self.rng.usize(1..4)),
            5 => format!(
                "s{k} = match {} % 3 {{ 0 => s0, 1 => mix(s1, s0), _ => {} }};",
                if self.in_loop { "i" } else { "count" },
                self.tame()
            ),
            6 => format!(
                "{{ let f = |x: F| mix(x, s{k}); s{} = f({}); }}",
                1 - k,
                self.atom()
            ),
            7 => format!("*{} *= lit!(0.9);", self.either("s0", "s1")),
            8 => format!(
                "{{ let value = {}; s{k} /= value * value + lit!(1.0); }}",
                self.tame()
            ),
            9 => format!(
                "{{ let value = {}; if value > s{k} {{ s{k} = value; }} }}",
                self.tame()
            ),
            _ => "// SAFETY: two variables.\nunsafe { std::ptr::swap(&raw mut s0, &raw mut s1); }"
                .to_owned(),
        }
    }

    /// On a slice, and another of the same type.
    fn on_a_slice(&mut self, name: &str, other: &str, length: Option<usize>) -> String {
        let (i, j, r) = (
            self.rng.usize(..6),
            self.rng.usize(..6),
            self.rng.usize(..3),
        );
        let n = length.map_or(format!("{name}.len()"), |n| n.to_string());
        let value = self.tame();
        match self.rng.usize(..24) {
            0 => format!("{{ let n = {n}; {name}.swap({i} % n, {j} % n); }}"),
            1 => format!("{name}.reverse();"),
            2 => format!("{{ let n = {n}; {name}.rotate_left({r} % n); }}"),
            3 => format!("{{ let n = {n}; {name}.rotate_right({r} % n); }}"),
            4 => format!("{{ let n = {n}; {name}.copy_within(..n - 1, 1); }}"),
            5 => format!("{{ let n = {n}; {name}.copy_within(1..n, 0); }}"),
            6 => format!("{{ let value = {value}; {name}.fill(value); }}"),
            7 => format!(
                "{{ let n = {name}.len().min({other}.len()); {name}[..n].copy_from_slice(&{other}[..n]); }}"
            ),
            8 => format!(
                "{{ let n = {name}.len().min({other}.len()); {name}[..n].swap_with_slice(&mut {other}[..n]); }}"
            ),
            9 => format!(
                "{{ let n = {n}; let (a, b) = {name}.split_at_mut(n / 2); if let (Some(a), Some(b)) = (a.first_mut(), b.last_mut()) {{ std::mem::swap(a, b); }} }}"
            ),
            10 => format!("{{ let y = {value}; change(&mut {name}, y); }}"),
            11 => format!(
                "s0 = {name}.iter().zip(&{other}).map(|(x, y)| mix(*x, *y)).sum::<F>().sin();"
            ),
            12 => format!("s1 = {name}.windows(2).map(|p| p[0] * p[1]).sum::<F>().tanh();"),
            13 => format!(
                "{{ let n = {n}; let mut order: Vec<usize> = (0..n).collect(); order.sort_by(|p, q| {name}[*p].partial_cmp(&{name}[*q]).unwrap()); s0 += {name}[order[0]]; s1 -= {name}[order[n - 1]]; }}"
            ),
            14 => format!(
                "{{ let n = {n}; // SAFETY: both places are inside.\nunsafe {{ let at = {name}.as_mut_ptr(); std::ptr::copy(at.add({i} % n), at.add({j} % n), 1); }} }}"
            ),
            15 => format!("s0 = {name}.iter().fold(lit!(0.2), |sum, x| (sum * *x).sin() + *x);"),
            16 => format!(
                "{{ let n = {n}; for j in 1..n {{ {name}[j] = mix({name}[j - 1], {name}[j]); }} }}"
            ),
            17 => format!(
                "{{ let n = {n}; for j in (1..n).rev() {{ s0 = (s0 + {name}[j - 1] * {name}[j - 1]).sin(); {name}[j] = s0; }} }}"
            ),
            18 => format!(
                "{{ let n = {n}; for j in 0..n {{ s0 = (s0 + {name}[j] * {name}[j]).sin(); {name}[(j + {i}) % n] = s0; }} }}"
            ),
            19 => format!(
                "for x in {}.iter_mut() {{ *x = mix(*x, s1); }}",
                self.either(name, other)
            ),
            20 => {
                let swaps = [format!("j % 2 == {}", r % 2), "u[0] > w[0]".to_owned()];
                format!(
                    "{{ let (mut u, mut w) = (&mut {name}, &mut {other}); for j in 0..{} {{ let (p, q) = (u.len(), w.len()); u[j % p] = mix(w[j % q], w[(j + 1) % q]); if {} {{ std::mem::swap(&mut u, &mut w); }} }} }}",
                    self.rounds(),
                    swaps[self.rng.usize(..2)]
                )
            }
            21 => format!(
                "{{ let mut most = s1; for x in {name}.iter_mut() {{ if *x > most {{ most = *x; }} *x = (*x * most).sin(); }} }}"
            ),
            22 => format!(
                "{{ let mut ratio = s0; for x in {name}.iter_mut() {{ ratio /= *x * *x + lit!(0.8); *x = squash(*x + ratio); }} s1 = squash(ratio); }}"
            ),
            _ => format!(
                "{{ let n = {n}; for j in 0..{} {{ s1 = (s1 + {name}[j % n] * {name}[(j + 1) % n]).tanh(); }} }}",
                self.rounds()
            ),
        }
    }

    fn on_a_vec(&mut self, k: usize) -> String {
        let other = 1 - k;
        let value = self.tame();
        let at = self.rng.usize(..5);
        match self.rng.usize(..14) {
            0 => format!("{{ let value = {value}; if v{k}.len() < 12 {{ v{k}.push(value); }} }}"),
            1 => format!("if v{k}.len() > 2 && let Some(x) = v{k}.pop() {{ s{k} = x; }}"),
            2 => format!(
                "{{ let value = {value}; if v{k}.len() < 12 {{ let at = {at} % v{k}.len(); v{k}.insert(at, value); }} }}"
            ),
            3 => format!(
                "if v{k}.len() > 2 {{ let at = {at} % v{k}.len(); s{k} = v{k}.remove(at); }}"
            ),
            4 => format!(
                "if v{k}.len() > 2 {{ let at = {at} % v{k}.len(); s{k} = v{k}.swap_remove(at); }}"
            ),
            5 => "std::mem::swap(&mut v0, &mut v1);".to_owned(),
            6 => format!("v{k} = v{other}.clone();"),
            7 => format!("v{k} = v{other}.iter().map(|x| mix(*x, s{k})).collect();"),
            8 => format!("v{k} = v{other}.iter().copied().rev().collect();"),
            9 => format!(
                "if v{k}.len() < 8 {{ let more = v{other}[..1].to_vec(); v{k}.extend_from_slice(&more); }}"
            ),
            10 => format!("v{k}.truncate(4);"),
            11 => format!(
                "if v{k}.len() > 2 {{ s{k} = v{k}.drain(..1).map(|x| x * x).sum::<F>().sin(); }}"
            ),
            12 => format!(
                "{{ let value = {value}; v{k} = std::mem::take(&mut v{other}); v{other}.push(s{k}); v{other}.push(value); }}"
            ),
            _ => format!("for x in v{k}.iter_mut().rev() {{ *x = mix(*x, s{k}); s{k} = *x; }}"),
        }
    }

    fn on_structs(&mut self, k: usize) -> String {
        let other = 1 - k;
        match self.rng.usize(..9) {
            0 => "std::mem::swap(&mut p0, &mut p1);".to_owned(),
            1 => format!("p{k} = p{other};"),
            2 => format!("p{k} = update(p{other});"),
            3 => format!("p{k} = P {{ x: {}, ..p{other} }};", self.tame()),
            4 => format!("p{k}.y.swap(0, 1);"),
            5 => format!("std::mem::swap(&mut p{k}.x, &mut p{k}.z);"),
            6 => format!(
                "{{ let old = std::mem::replace(&mut p{k}, update(p{other})); s{k} += old.z * old.y[1]; }}"
            ),
            7 => format!("if let Some(p) = Some(p{k}).filter(|p| p.x > p.z) {{ p{other} = p; }}"),
            _ => format!("if p{k}.x > p{other}.x {{ p{other} = p{k}; }}"),
        }
    }

    fn on_tuples(&mut self, k: usize) -> String {
        match self.rng.usize(..5) {
            0 => "std::mem::swap(&mut t0, &mut t1);".to_owned(),
            1 => format!("t{k} = (t{}.1, {});", 1 - k, self.tame()),
            2 => format!("t{k} = (t{k}.1, t{k}.0);"),
            3 => format!("if let Some(t) = both(t{k}) {{ t{} = t; }}", 1 - k),
            _ => format!("std::mem::swap(&mut t{k}.0, &mut t{}.1);", 1 - k),
        }
    }

    fn on_options(&mut self, k: usize) -> String {
        let other = 1 - k;
        match self.rng.usize(..9) {
            0 => "std::mem::swap(&mut o0, &mut o1);".to_owned(),
            1 => format!("o{k} = o{other}.take();"),
            2 => format!("o{k} = Some({});", self.tame()),
            3 => format!(
                "if let Some(x) = o{k}.replace({}) {{ s{k} = x; }}",
                self.tame()
            ),
            4 => format!("o{k} = o{other}.map(|x| mix(x, s0));"),
            5 => format!("if let Some(x) = &mut o{k} {{ *x = mix(*x, s1); }}"),
            6 => format!("o{k} = o{other}.and_then(|x| both((x, s{k}))).map(|p| p.0 * p.1);"),
            7 => format!("o{k} = o{k}.filter(|x| *x > s0).or(o{other});"),
            _ => format!("s{k} = o{k}.get_or_insert(s{other}).sin();"),
        }
    }

    fn on_enums(&mut self, k: usize) -> String {
        let other = 1 - k;
        match self.rng.usize(..5) {
            0 => "std::mem::swap(&mut e0, &mut e1);".to_owned(),
            1 => format!("e{k} = e{other}.clone();"),
            2 => {
                let (program, in_loop) = (self.program, self.in_loop);
                let value = enum_value(self.rng, program.wide, &|rng| {
                    Expressions {
                        program,
                        rng,
                        scope: Scope::Body { in_loop },
                    }
                    .tame()
                });
                format!("e{k} = {value};")
            }
            3 => format!(
                "match &mut e{k} {{ E::One(x) => *x = mix(*x, s0), E::Two(x, y) => std::mem::swap(x, y), E::Pair(xs, ..) => xs.swap(0, 1), E::Empty => s0 = mix(s1, s0), }}"
            ),
            _ => format!(
                "e{k} = match std::mem::take(&mut e{other}) {{ E::One(x) => E::Two(x, s1), E::Two(x, y) => E::Pair([y, x]{}), e => e }};",
                if self.program.wide { ", 3" } else { "" }
            ),
        }
    }

    fn on_vec_of_structs(&mut self) -> String {
        let (i, j) = (self.rng.usize(..3), self.rng.usize(..3));
        // The driver refuses the later ones: they move structs within the `Vec`.
        let kinds = if self.program.wide { 9 } else { 5 };
        match self.rng.usize(..kinds) {
            0 => format!("q.swap({i}, {j});"),
            1 => "q.reverse();".to_owned(),
            2 => format!("q[{i}] = q[{j}];"),
            3 => "for p in q.iter_mut() { p.x = mix(p.z, p.y[0]); }".to_owned(),
            4 => format!(
                "{{ let copy = q.clone(); q[{i}].z = copy.iter().map(|p| p.x * p.z).sum::<F>().tanh(); }}"
            ),
            5 => "q.rotate_left(1);".to_owned(),
            6 => format!("{{ let p = q.remove({i}); q.push(update(p)); }}"),
            7 => format!("{{ let p = q.swap_remove({i}); q.insert({j}, p); }}"),
            _ => "q.copy_within(1.., 0);".to_owned(),
        }
    }

    fn on_matrix(&mut self) -> String {
        let (i, j) = (self.rng.usize(..3), self.rng.usize(..3));
        match self.rng.usize(..6) {
            0 => format!("m.swap({i}, {j});"),
            1 => format!("m[{i}] = m[{j}];"),
            2 => format!("m[{i}].swap(0, 1);"),
            3 => "m.rotate_left(1);".to_owned(),
            4 => format!("m[{i}] = [mix(m[{j}][1], s0), m[{j}][0]];"),
            _ => {
                "for row in &mut m { for x in row.iter_mut() { *x = (*x * s0).sin(); } }".to_owned()
            }
        }
    }

    fn on_vec_of_vecs(&mut self) -> String {
        let kinds = if self.program.wide { 8 } else { 7 };
        match self.rng.usize(..kinds) {
            0 => "w.swap(0, 1);".to_owned(),
            1 => "w[0] = w[1].clone();".to_owned(),
            2 => format!(
                "{{ let value = {}; if w[0].len() < 8 {{ w[0].push(value); }} }}",
                self.tame()
            ),
            3 => "{ let (a, b) = w.split_at_mut(1); std::mem::swap(&mut a[0][0], &mut b[0][1]); }"
                .to_owned(),
            4 => "s0 = w.iter().map(|row| row.iter().sum::<F>()).sum::<F>().sin();".to_owned(),
            5 => "if w.len() < 4 { w.push(vec![s0, s1]); }".to_owned(),
            6 => format!(
                "for j in 0..{} {{ w[(j + 1) % 2][j % 2] = squash(w[j % 2][0] * w[j % 2][1]); }}",
                self.rounds()
            ),
            _ => "{ let row = w.pop().unwrap(); w.insert(0, row); }".to_owned(),
        }
    }
}

/// Weighted sums over all variables, one for each float that is returned.
fn results(program: &Program, rng: &mut Rng) -> Vec<String> {
    let count = match program.returned {
        Returned::Nothing => 0,
        Returned::Scalar => 1,
        Returned::Tuple | Returned::Array => 2,
        Returned::Struct => 4,
    };
    (0..count).map(|_| weighted_sum(program, rng)).collect()
}

fn weighted_sum(program: &Program, rng: &mut Rng) -> String {
    let mut terms = Vec::new();
    for var in &program.vars {
        for k in 0..2 {
            let term = match var {
                Var::Scalars => format!("s{k}"),
                Var::Arrays => format!("a{k}.iter().enumerate().map(|(i, x)| *x * weight(i)).sum::<F>()"),
                Var::Vecs => format!("v{k}.iter().enumerate().map(|(i, x)| *x * weight(i)).sum::<F>()"),
                Var::Structs => format!("p{k}.x * p{k}.z + p{k}.y[0] * lit!(0.7) + p{k}.y[1].sin()"),
                Var::Tuples => format!("t{k}.0 * lit!(1.3) - t{k}.1"),
                Var::Options => format!("o{k}.unwrap_or(lit!(0.5))"),
                Var::Enums => format!("e{k}.size()"),
                Var::VecOfStructs if k == 0 => "q.iter().enumerate().map(|(i, p)| p.x * weight(i) + p.y[0] * p.z + p.y[1]).sum::<F>()".to_owned(),
                Var::Matrix if k == 0 => "m.iter().flatten().enumerate().map(|(i, x)| *x * weight(i)).sum::<F>()".to_owned(),
                Var::VecOfVecs if k == 0 => "w.iter().flatten().enumerate().map(|(i, x)| *x * weight(i)).sum::<F>()".to_owned(),
                Var::Boxes => format!("*b{k}"),
                _ => continue,
            };
            let mut weight = Expressions {
                program,
                rng,
                scope: Scope::Helper,
            };
            terms.push(format!("{} * ({term})", weight.literal()));
        }
    }
    terms.join("\n        + ")
}
