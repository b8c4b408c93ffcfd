//! LLVM's textual IR, as far as the closure needs it: a module is a set of named entities that refer to each
//! other, and a function body is text between braces.
//!
//! LLVM itself reads and writes the text (clang on both sides), so nothing here parses an instruction. What this
//! module does is what LLVM's own linker cannot: stop at chosen functions *while* it collects what is reachable.

pub mod blocks;
mod lexer;
mod module;
mod text;

pub use lexer::{
    Reference, code, quoted, references, references_not_called, rewrite, without_debug,
};
pub use module::{Entity, Kind, Module, Numbered};
pub use text::{
    balanced, bare, copied, declare_if_called, define_if_declared, find_function,
    for_each_function, free_metadata_number, function_name, moved, parameter_list, push_line,
    rewrite_functions, split_list, value_length, values,
};
