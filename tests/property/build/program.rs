//! A random program: its arguments, the variables that it works on, its statements and its result.

use fastrand::Rng;

use crate::statements;

/// How a program takes an argument.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Scalar,
    Array,
    Tuple,
    Struct,
    Slice,
    SliceMut,
    ArrayMut,
    VecRef,
    StructRef,
    StructMut,
    ScalarMut,
    OptionRef,
    EnumRef,
}

pub const KINDS: [Kind; 12] = [
    Kind::Array,
    Kind::Tuple,
    Kind::Struct,
    Kind::Slice,
    Kind::SliceMut,
    Kind::ArrayMut,
    Kind::VecRef,
    Kind::StructRef,
    Kind::StructMut,
    Kind::ScalarMut,
    Kind::OptionRef,
    Kind::EnumRef,
];

impl Kind {
    /// How many floats it holds.
    pub fn floats(self, n: usize) -> usize {
        match self {
            Kind::Scalar | Kind::ScalarMut | Kind::OptionRef => 1,
            Kind::Tuple | Kind::EnumRef => 2,
            Kind::Struct | Kind::StructRef | Kind::StructMut => 4,
            _ => n,
        }
    }

    /// Whether the program gives something back through it.
    pub fn is_output(self) -> bool {
        matches!(
            self,
            Kind::SliceMut | Kind::ArrayMut | Kind::StructMut | Kind::ScalarMut
        )
    }

    /// Whether it is passed by value, so that reverse mode returns its gradient.
    pub fn is_value(self) -> bool {
        matches!(
            self,
            Kind::Scalar | Kind::Array | Kind::Tuple | Kind::Struct
        )
    }
}

/// What a program returns.
#[derive(Clone, Copy, PartialEq)]
pub enum Returned {
    Scalar,
    Tuple,
    Array,
    Struct,
    Nothing,
}

/// The variables that statements may use. There are two of each, unless stated otherwise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Var {
    /// `s0`: a float.
    Scalars,
    /// `a0: [F; N]`.
    Arrays,
    /// `v0: Vec<F>`, never empty.
    Vecs,
    /// `p0: P`.
    Structs,
    /// `t0: (F, F)`.
    Tuples,
    /// `o0: Option<F>`.
    Options,
    /// `e0: E`.
    Enums,
    /// One `q: Vec<P>` of three.
    VecOfStructs,
    /// One `m: [[F; 2]; 3]`.
    Matrix,
    /// One `w: Vec<Vec<F>>`.
    VecOfVecs,
    /// `b0: Box<F>`.
    Boxes,
}

const OPTIONAL: [Var; 10] = [
    Var::Arrays,
    Var::Vecs,
    Var::Structs,
    Var::Tuples,
    Var::Options,
    Var::Enums,
    Var::VecOfStructs,
    Var::Matrix,
    Var::VecOfVecs,
    Var::Boxes,
];

/// A program.
pub struct Program {
    pub number: usize,
    /// The length of arrays.
    pub n: usize,
    pub single: bool,
    /// Whether the driver is known to refuse some of what may come up.
    pub wide: bool,
    /// Whether structs carry an integer among their floats.
    pub tagged: bool,
    pub arguments: Vec<Kind>,
    pub vars: Vec<Var>,
    pub functions: Vec<String>,
    pub prelude: Vec<String>,
    pub statements: Vec<String>,
    pub returned: Returned,
    pub results: Vec<String>,
}

impl Program {
    /// Program `number` of a run.
    pub fn random(seed: u64, number: usize, wide: bool) -> Program {
        let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let mut arguments = vec![Kind::Scalar, Kind::Scalar];
        for _ in 0..rng.usize(1..4) {
            arguments.push(KINDS[rng.usize(..KINDS.len())]);
        }
        let mut vars = OPTIONAL.to_vec();
        rng.shuffle(&mut vars);
        vars.truncate(rng.usize(2..5));
        vars.insert(0, Var::Scalars);
        let all = [
            Returned::Scalar,
            Returned::Scalar,
            Returned::Scalar,
            Returned::Tuple,
            Returned::Array,
            Returned::Struct,
            Returned::Nothing,
        ];
        let mut returned = all[rng.usize(..all.len())];
        if returned == Returned::Nothing && !arguments.iter().any(|a| a.is_output()) {
            returned = Returned::Scalar;
        }
        let mut program = Program {
            number,
            n: rng.usize(3..6),
            single: rng.u8(..3) == 0,
            wide,
            tagged: rng.bool(),
            arguments,
            vars,
            functions: Vec::new(),
            prelude: Vec::new(),
            statements: Vec::new(),
            returned,
            results: Vec::new(),
        };
        if program.single && !wide {
            // A struct of floats and integers of the same size is moved in pieces that mix them: a limit, which is
            // tested elsewhere.
            program.tagged = false;
        }
        statements::fill(&mut program, &mut rng);
        program
    }
}
