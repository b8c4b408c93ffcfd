//! Random expressions. Each is defined and smooth wherever it is evaluated, by construction: what goes under a root or a
//! logarithm, into an exponential or below a fraction is made fit for it first.

use fastrand::Rng;

use crate::program::{Kind, Program, Var};

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq)]
pub enum Scope {
    /// The program's body; with the loop variable `i` or without.
    Body { in_loop: bool },
    /// The body of a helper function of two floats `x` and `y`.
    Helper,
}

pub struct Expressions<'a> {
    pub program: &'a Program,
    pub rng: &'a mut Rng,
    pub scope: Scope,
}

impl Expressions<'_> {
    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.rng.usize(..texts.len())]
    }

    pub fn literal(&mut self) -> String {
        let n = self.rng.i32(1..30);
        let sign = if self.rng.bool() { "" } else { "-" };
        format!("lit!({sign}{}.{})", n / 10, n % 10)
    }

    /// An index below `n`.
    pub fn index(&mut self, n: usize) -> String {
        let k = self.rng.usize(..n);
        if let Some(state) = self.state(k) {
            return format!("{state} % {n}");
        }
        match self.scope {
            Scope::Body { in_loop: true } if self.rng.bool() => format!("(i + {k}) % {n}"),
            _ => k.to_string(),
        }
    }

    /// An integer that the program carries along, at times.
    fn state(&mut self, k: usize) -> Option<String> {
        match (self.scope, self.rng.u8(..8)) {
            (Scope::Body { .. }, 0) => Some(format!("(hits + {k})")),
            (Scope::Body { .. }, 1) => Some(format!("place.map_or({k}, |at| at + 1)")),
            _ => None,
        }
    }

    /// An index into the `Vec` of this name.
    pub fn vec_index(&mut self, name: &str) -> String {
        let k = self.rng.usize(..6);
        if let Some(state) = self.state(k) {
            return format!("{state} % {name}.len()");
        }
        match self.scope {
            Scope::Body { in_loop: true } if self.rng.bool() => format!("(i + {k}) % {name}.len()"),
            _ => format!("{k} % {name}.len()"),
        }
    }

    /// A float that is there.
    pub fn atom(&mut self) -> String {
        if self.scope == Scope::Helper {
            return self.pick(&["x", "y", "x", "y", "(x + y)"]).to_owned();
        }
        match self.rng.u8(..16) {
            0 | 1 => return self.literal(),
            // Out of a table of constants.
            2 => return format!("weight({})", self.index(5)),
            _ => {}
        }
        if self.rng.u8(..5) == 0
            && let Some(argument) = self.argument()
        {
            return argument;
        }
        self.place(false)
    }

    /// A float of an argument that is only read.
    fn argument(&mut self) -> Option<String> {
        let n = self.program.n;
        let at = self.rng.usize(..self.program.arguments.len());
        Some(match self.program.arguments[at] {
            Kind::Scalar => format!("x{at}"),
            Kind::Array | Kind::Slice => format!("x{at}[{}]", self.index(n)),
            Kind::VecRef => format!("x{at}[{}]", self.vec_index(&format!("x{at}"))),
            Kind::Tuple => format!("x{at}.{}", self.rng.usize(..2)),
            Kind::Struct | Kind::StructRef => self.field(&format!("x{at}")),
            Kind::OptionRef => format!("x{at}.unwrap_or(lit!(0.5))"),
            Kind::EnumRef => format!("x{at}.size()"),
            _ => return None,
        })
    }

    pub fn field(&mut self, name: &str) -> String {
        match self.rng.usize(..3) {
            0 => format!("{name}.x"),
            1 => format!("{name}.y[{}]", self.index(2)),
            _ => format!("{name}.z"),
        }
    }

    /// A float among the variables; `writable` excludes what can only be read.
    pub fn place(&mut self, writable: bool) -> String {
        let n = self.program.n;
        let outputs: Vec<usize> = (0..self.program.arguments.len())
            .filter(|at| self.program.arguments[*at].is_output())
            .collect();
        if !outputs.is_empty() && self.rng.u8(..4) == 0 {
            let at = outputs[self.rng.usize(..outputs.len())];
            return match self.program.arguments[at] {
                Kind::ScalarMut => format!("(*x{at})"),
                Kind::StructMut => self.field(&format!("x{at}")),
                _ => format!("x{at}[{}]", self.index(n)),
            };
        }
        let k = self.rng.usize(..2);
        match self.program.vars[self.rng.usize(..self.program.vars.len())] {
            Var::Scalars => format!("s{k}"),
            Var::Arrays => format!("a{k}[{}]", self.index(n)),
            Var::Vecs if writable => format!("(*at(&mut v{k}, {}))", self.rng.usize(..6)),
            Var::Vecs => format!("v{k}[{}]", self.vec_index(&format!("v{k}"))),
            Var::Structs => self.field(&format!("p{k}")),
            Var::Tuples => format!("t{k}.{}", self.rng.usize(..2)),
            Var::Options if writable => format!("s{k}"),
            Var::Options => format!("o{k}.unwrap_or({})", self.literal()),
            Var::Enums if writable => format!("s{k}"),
            Var::Enums => format!("e{k}.size()"),
            Var::VecOfStructs => {
                let at = self.index(3);
                self.field(&format!("q[{at}]"))
            }
            Var::Matrix => format!("m[{}][{}]", self.index(3), self.index(2)),
            Var::VecOfVecs => format!("w[{}][{}]", self.index(2), self.index(2)),
            Var::Boxes => format!("(*b{k})"),
        }
    }

    /// A condition.
    pub fn condition(&mut self) -> String {
        let (a, b) = (self.expression(1), self.atom());
        let c = self.literal();
        match self.rng.usize(..3) {
            0 => format!("{a} > {c}"),
            1 => format!("{a} < {b}"),
            _ => format!("{a} > {c} && {b} < {c}"),
        }
    }

    pub fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.atom();
        }
        let a = self.expression(depth - 1);
        let b = if self.rng.bool() {
            self.atom()
        } else {
            self.expression(depth - 1)
        };
        match self.rng.usize(..20) {
            0 | 1 => format!("({a} + {b})"),
            2 | 3 => format!("({a} - {b})"),
            4..=6 => format!("({a} * {b})"),
            7 => format!("({a} / (({b}).abs() + lit!(0.7)))"),
            8 => format!("({a} / ({b} * {b} + lit!(1.0)))"),
            9 => format!("({a} * {a} + lit!(0.3)).sqrt()"),
            10 => format!("({a}).sin().exp()"),
            11 => format!("(({a}).abs() + lit!(0.5)).ln()"),
            12 => format!("({a}).sin()"),
            13 => format!("({a}).tanh()"),
            14 => format!("({a}).powi({})", self.rng.usize(2..5)),
            15 => format!("({a}).abs()"),
            16 => format!("({a}).max({b})"),
            17 => format!("(-{a})"),
            18 if self.scope != Scope::Helper => format!("mix({a}, {b})"),
            19 if self.scope != Scope::Helper => format!("mix_by_reference(&({a}), &({b}))"),
            _ => format!("({a}).sin() * ({b}).cos()"),
        }
    }

    /// An expression whose value stays small, however often it is assigned.
    pub fn tame(&mut self) -> String {
        let depth = self.rng.usize(1..4);
        let a = self.expression(depth);
        match self.rng.usize(..4) {
            0 => format!("{} * ({a}).sin()", self.literal()),
            1 => format!("({a}).tanh()"),
            2 => format!("squash({a})"),
            _ => format!("({a}).sin() + {}", self.literal()),
        }
    }
}
