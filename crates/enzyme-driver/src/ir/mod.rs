//! LLVM's textual IR, as far as the closure needs it: a module is a set of named entities that refer to each
//! other, and a function body is text between braces.
//!
//! LLVM itself reads and writes the text (clang on both sides), so nothing here parses an instruction. What this
//! module does is what LLVM's own linker cannot: stop at chosen functions *while* it collects what is reachable.

mod lexer;
mod module;

pub use lexer::{
    Reference, code, quoted, references, references_not_called, rewrite, without_debug,
};
pub use module::{Entity, Kind, Module, Numbered};

/// The length of the parenthesis that `text` begins with.
pub fn balanced(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}
