//! What the macros ask for, read off the name of an undefined symbol.
//!
//! `oxide-enzyme` takes the address of a symbol that nobody defines, `__enzyme_derivative_<CODE>_<SHIM>`: CODE says what
//! is wanted, SHIM is the mangled name of a function `(active, constant, result)` that loads its arguments, calls the
//! primal and stores the result. Everything goes by pointer, so no calling convention has to be guessed.

use std::fmt;

use crate::policy;

/// What every derivative symbol starts with.
pub const PREFIX: &str = "__enzyme_derivative_";

/// Forward or reverse mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Adjoints: from the seed of the result to the arguments.
    Reverse,
    /// Tangents: from the arguments to the result.
    Forward,
}

/// What is wanted of the primal's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// The result is constant (or there is none).
    Const,
    /// The result and its shadow.
    Dup,
    /// Its shadow only.
    DupNoNeed,
}

/// A derivative that the program asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivative {
    /// The undefined symbol.
    pub symbol: String,
    /// The shim to differentiate, by its mangled name.
    pub shim: String,
    /// Forward or reverse.
    pub mode: Mode,
    /// What becomes of the result.
    pub ret: Return,
}

impl Derivative {
    /// Reads a symbol; `None` if it is not a derivative's, or asks for something this driver does not know.
    pub fn from_symbol(symbol: &str) -> Option<Derivative> {
        let (code, shim) = symbol.strip_prefix(PREFIX)?.split_once('_')?;
        let code: u32 = code.parse().ok()?;
        let mode = match code % 10 {
            1 => Mode::Reverse,
            2 => Mode::Forward,
            _ => return None,
        };
        let ret = match code / 10 % 10 {
            0 => Return::Const,
            1 => Return::Dup,
            2 => Return::DupNoNeed,
            _ => return None,
        };
        if code / 100 != 1 {
            return None;
        }
        Some(Derivative {
            symbol: symbol.to_owned(),
            shim: shim.to_owned(),
            mode,
            ret,
        })
    }

    /// The definition of the symbol: one call of Enzyme, in its own calling convention.
    ///
    /// Activity is looked at again at run time: a pointer that is sometimes to constant data and sometimes not has its
    /// primal for a shadow when it is, and without the check a primal would be read as a tangent.
    pub fn definition(&self, shim: &str) -> String {
        let entry = match self.mode {
            Mode::Reverse => "__enzyme_autodiff",
            Mode::Forward => "__enzyme_fwddiff",
        };
        let ret = match self.ret {
            Return::Const => "metadata !\"enzyme_const\", ptr %r",
            Return::Dup => "metadata !\"enzyme_dup\", ptr %r, ptr %dr",
            Return::DupNoNeed => "metadata !\"enzyme_dupnoneed\", ptr %r, ptr %dr",
        };
        format!(
            "define hidden void @\"{}\"(ptr noalias %a, ptr noalias %da, ptr noalias %c, ptr noalias %r, ptr noalias %dr) uwtable {{\n  \
             call void (...) @{entry}(ptr @\"{shim}\", metadata !\"enzyme_runtime_activity\", metadata !\"enzyme_dup\", ptr %a, ptr %da, \
             metadata !\"enzyme_const\", ptr %c, {ret})\n  ret void\n}}\n",
            self.symbol
        )
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Reverse => "reverse",
            Mode::Forward => "forward",
        })
    }
}

impl fmt::Display for Derivative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} derivative through `{}`",
            self.mode,
            policy::path(&self.shim)
        )
    }
}

/// What `definition`s need declared.
pub const DECLARATIONS: &str =
    "declare void @__enzyme_autodiff(...)\ndeclare void @__enzyme_fwddiff(...)\n";

/// The engine runs Enzyme only on a module that names this, forward mode or not.
pub const ENGINE_MARK: &str = "declare void @__enzyme_autodiff(...)\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_says_what_is_wanted() {
        let d =
            Derivative::from_symbol("__enzyme_derivative_121__ZN4main4shim17h9f30117ddf0ae344E")
                .unwrap();
        assert_eq!((d.mode, d.ret), (Mode::Reverse, Return::DupNoNeed));
        assert_eq!(d.shim, "_ZN4main4shim17h9f30117ddf0ae344E");
        let text = d.definition("shim");
        assert!(
            text.contains("@__enzyme_autodiff(ptr @\"shim\"")
                && text.contains("enzyme_runtime_activity")
                && text.contains("enzyme_dupnoneed")
        );
    }

    #[test]
    fn an_unknown_code_is_refused() {
        assert_eq!(Derivative::from_symbol("__enzyme_derivative_411_x"), None);
        assert_eq!(Derivative::from_symbol("__enzyme_derivative_193_x"), None);
        assert_eq!(Derivative::from_symbol("malloc"), None);
    }
}
