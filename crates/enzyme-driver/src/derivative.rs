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
    /// Adjoints, in two calls: the first leaves a tape, the second takes it.
    Split,
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
    /// How many derivatives are computed at once.
    pub width: usize,
    /// Forward or reverse.
    pub mode: Mode,
    /// What becomes of the result.
    pub ret: Return,
}

impl Derivative {
    /// Reads a symbol; `None` if it is not a derivative's, or asks for something this driver does not know.
    pub fn from_symbol(symbol: &str) -> Option<Derivative> {
        let (code, shim) = symbol.strip_prefix(PREFIX)?.split_once('_')?;
        let code: usize = code.parse().ok()?;
        let mode = match code % 10 {
            1 => Mode::Reverse,
            2 => Mode::Forward,
            3 => Mode::Split,
            _ => return None,
        };
        let ret = match code / 10 % 10 {
            0 => Return::Const,
            1 => Return::Dup,
            2 => Return::DupNoNeed,
            _ => return None,
        };
        let width = code / 100;
        if width == 0 {
            return None;
        }
        Some(Derivative {
            symbol: symbol.to_owned(),
            shim: shim.to_owned(),
            width,
            mode,
            ret,
        })
    }

    /// The definition of the symbol: one call of Enzyme, in its own calling convention.
    ///
    /// Activity is looked at again at run time: a pointer that is sometimes to constant data and sometimes not has its
    /// primal for a shadow when it is, and without the check a primal would be read as a tangent.
    pub fn definition(&self, shim: &str) -> String {
        let (loads, a, r) = self.shadows();
        let width = match self.width {
            1 => String::new(),
            width => format!("metadata !\"enzyme_width\", i64 {width}, "),
        };
        let ret = match self.ret {
            Return::Const => "metadata !\"enzyme_const\", ptr %r".to_owned(),
            Return::Dup => format!("metadata !\"enzyme_dup\", ptr %r, {r}"),
            Return::DupNoNeed => format!("metadata !\"enzyme_dupnoneed\", ptr %r, {r}"),
        };
        let arguments = format!(
            "ptr @\"{shim}\", {width}metadata !\"enzyme_runtime_activity\", metadata !\"enzyme_dup\", ptr %a, {a}, \
             metadata !\"enzyme_const\", ptr %c, {ret}"
        );
        let body = match self.mode {
            Mode::Reverse => format!("  call void (...) @__enzyme_autodiff({arguments})\n"),
            Mode::Forward => format!("  call void (...) @__enzyme_fwddiff({arguments})\n"),
            Mode::Split => split(&arguments),
        };
        let last = match self.mode {
            Mode::Reverse | Mode::Forward => "%dr",
            Mode::Split => "%state",
        };
        format!(
            "define hidden void @\"{}\"(ptr noalias %a, ptr noalias %da, ptr noalias %c, ptr noalias %r, ptr noalias {last}) uwtable {{\n\
             {loads}{body}  ret void\n}}\n",
            self.symbol
        )
    }

    /// The shadows of arguments and result as Enzyme takes them, and what has to be loaded before. At a width other than 1,
    /// `%da` and `%dr` are arrays of pointers, one a lane.
    fn shadows(&self) -> (String, String, String) {
        if self.width == 1 {
            return (String::new(), "ptr %da".to_owned(), "ptr %dr".to_owned());
        }
        let mut loads = String::new();
        let mut lanes = |array: &str| {
            let lanes: Vec<String> = (0..self.width)
                .map(|lane| {
                    loads.push_str(&format!(
                        "  %{array}.at.{lane} = getelementptr ptr, ptr %{array}, i64 {lane}\n  \
                         %{array}.{lane} = load ptr, ptr %{array}.at.{lane}\n"
                    ));
                    format!("ptr %{array}.{lane}")
                })
                .collect();
            lanes.join(", ")
        };
        let a = lanes("da");
        let r = match self.ret {
            Return::Const => String::new(),
            Return::Dup | Return::DupNoNeed => lanes("dr"),
        };
        (loads, a, r)
    }
}

/// Both passes. `%state` points at the result's shadow, the tape, which pass it is, and what is to be released.
fn split(arguments: &str) -> String {
    format!(
        "  %dr = load ptr, ptr %state
  %tape.at = getelementptr ptr, ptr %state, i64 1
  %pass.at = getelementptr ptr, ptr %state, i64 2
  %pass = load i64, ptr %pass.at
  %is.first = icmp eq i64 %pass, 0
  br i1 %is.first, label %forward, label %reverse
forward:
  %new = call ptr (...) @__enzyme_augmentfwd({arguments})
  store ptr %new, ptr %tape.at
  br label %end
reverse:
  %tape = load ptr, ptr %tape.at
  call void (...) @__enzyme_reverse({arguments}, ptr %tape)
  br label %end
end:
"
    )
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Reverse => "reverse",
            Mode::Forward => "forward",
            Mode::Split => "split reverse",
        })
    }
}

impl fmt::Display for Derivative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = policy::path(&self.shim);
        write!(f, "{} derivative through `{path}`", self.mode)?;
        match self.width {
            1 => Ok(()),
            width => write!(f, ", {width} wide"),
        }
    }
}

/// What `definition`s need declared.
pub const DECLARATIONS: &str = "declare void @__enzyme_autodiff(...)\ndeclare void @__enzyme_fwddiff(...)\n\
     declare ptr @__enzyme_augmentfwd(...)\ndeclare void @__enzyme_reverse(...)\n";

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
    fn each_lane_has_its_shadow() {
        let text = Derivative::from_symbol("__enzyme_derivative_212_f")
            .unwrap()
            .definition("f");
        assert!(
            text.contains("!\"enzyme_width\", i64 2")
                && text.contains("ptr %a, ptr %da.0, ptr %da.1,")
                && text.contains("ptr %r, ptr %dr.0, ptr %dr.1)"),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_code_is_refused() {
        assert_eq!(Derivative::from_symbol("__enzyme_derivative_11_x"), None);
        assert_eq!(Derivative::from_symbol("__enzyme_derivative_194_x"), None);
        assert_eq!(Derivative::from_symbol("malloc"), None);
    }
}
