//! One module of textual IR, split into its entities.

use std::collections::HashMap;
use std::ops::Range;

use super::lexer;

/// What a named entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function with a body.
    Define,
    /// A function without one.
    Declare,
    /// A variable that never changes: its bytes may be copied.
    Constant,
    /// A variable whose storage the program shares (mutable, atomic or thread-local): it must not be copied.
    Variable,
    /// An alias of another symbol.
    Alias,
}

/// A function, variable or alias of a module.
#[derive(Debug, Clone)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Whether its name means something in this module only (`internal` or `private`).
    pub local: bool,
    /// Whether it has a value here, as opposed to being declared `external`.
    pub defined: bool,
    range: Range<usize>,
}

/// Metadata nodes or attribute groups: text by number.
pub type Numbered = HashMap<u32, Range<usize>>;

/// A module of textual IR.
#[derive(Debug)]
pub struct Module {
    text: String,
    entities: HashMap<String, Entity>,
    types: HashMap<String, Range<usize>>,
    metadata: Numbered,
    attributes: Numbered,
    flags: Vec<u32>,
    layout: String,
}

impl Module {
    /// Splits `text`. Lines that a closure has no use for (comdats, inline assembly of the module, comments) are dropped.
    pub fn parse(text: String) -> Module {
        let mut module = Module {
            text: String::new(),
            entities: HashMap::new(),
            types: HashMap::new(),
            metadata: HashMap::new(),
            attributes: HashMap::new(),
            flags: Vec::new(),
            layout: String::new(),
        };
        let mut at = 0;
        while at < text.len() {
            let line_end =
                memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |n| at + n);
            let line = &text[at..line_end];
            let mut end = line_end;
            match line.as_bytes().first() {
                Some(b'd') if line.starts_with("define ") => {
                    end = text[at..].find("\n}").map_or(text.len(), |n| at + n + 2);
                    module.add_function(line, Kind::Define, at..end);
                }
                Some(b'd') if line.starts_with("declare ") => {
                    module.add_function(line, Kind::Declare, at..end)
                }
                Some(b'@') => module.add_global(line, at..end),
                Some(b'%') => module.add_type(line, at..end),
                Some(b'!') => module.add_metadata(line, at..end),
                Some(b'a') if line.starts_with("attributes #") => {
                    if let Some(id) = leading_number(&line["attributes #".len()..]) {
                        module.attributes.insert(id, at..end);
                    }
                }
                Some(b't') if line.starts_with("target ") => {
                    module.layout.push_str(line);
                    module.layout.push('\n');
                }
                _ => {}
            }
            at = end + 1;
        }
        module.text = text;
        module
    }

    /// The `target datalayout` and `target triple` lines.
    pub fn target(&self) -> &str {
        &self.layout
    }

    /// The entity of that name.
    pub fn get(&self, name: &str) -> Option<&Entity> {
        self.entities.get(name)
    }

    /// The text of an entity, braces and body included.
    pub fn text(&self, entity: &Entity) -> &str {
        &self.text[entity.range.clone()]
    }

    /// Names and entities, in no particular order.
    pub fn entities(&self) -> impl Iterator<Item = (&str, &Entity)> {
        self.entities
            .iter()
            .map(|(name, entity)| (name.as_str(), entity))
    }

    /// What the named type is, if there is a type of that name.
    pub fn named_type(&self, name: &str) -> Option<&str> {
        self.types
            .get(name)
            .map(|range| after_equals(&self.text[range.clone()]))
    }

    /// The line of metadata node `id`, from its `=` on.
    pub fn metadata(&self, id: u32) -> Option<&str> {
        self.metadata
            .get(&id)
            .map(|range| after_equals(&self.text[range.clone()]))
    }

    /// The braces of attribute group `id`.
    pub fn attributes(&self, id: u32) -> Option<&str> {
        self.attributes
            .get(&id)
            .map(|range| after_equals(&self.text[range.clone()]))
    }

    /// The metadata nodes that `!llvm.module.flags` names.
    pub fn flags(&self) -> &[u32] {
        &self.flags
    }

    fn add_function(&mut self, line: &str, kind: Kind, range: Range<usize>) {
        let Some(name) = first_symbol(line) else {
            return;
        };
        let local = kind == Kind::Define && is_local(&line["define ".len()..]);
        let defined = kind == Kind::Define;
        self.entities.insert(
            name.to_owned(),
            Entity {
                kind,
                local,
                defined,
                range,
            },
        );
    }

    fn add_global(&mut self, line: &str, range: Range<usize>) {
        let Some(name) = first_symbol(line) else {
            return;
        };
        let value = after_equals(line);
        let kind = global_kind(value);
        let defined = !value.starts_with("external ") && !value.starts_with("extern_weak ");
        self.entities.insert(
            name.to_owned(),
            Entity {
                kind,
                local: is_local(value),
                defined,
                range,
            },
        );
    }

    fn add_type(&mut self, line: &str, range: Range<usize>) {
        if let Some(lexer::Reference::Local(name)) = lexer::references(line).first() {
            self.types.insert((*name).to_owned(), range);
        }
    }

    fn add_metadata(&mut self, line: &str, range: Range<usize>) {
        if let Some(id) = leading_number(&line[1..]) {
            self.metadata.insert(id, range);
        } else if line.starts_with("!llvm.module.flags") {
            self.flags = lexer::references(line)
                .into_iter()
                .filter_map(|r| {
                    if let lexer::Reference::Metadata(id) = r {
                        Some(id)
                    } else {
                        None
                    }
                })
                .collect();
        }
    }
}

/// Keywords before `global` or `constant`: linkage, visibility, TLS model, address space, `unnamed_addr`.
fn global_kind(value: &str) -> Kind {
    let mut words = value.split(' ');
    let mut thread_local = false;
    loop {
        match words.next() {
            Some("constant") if !thread_local => return Kind::Constant,
            Some("constant" | "global") | None => return Kind::Variable,
            Some("alias" | "ifunc") => return Kind::Alias,
            Some(word) => thread_local |= word.starts_with("thread_local"),
        }
    }
}

fn is_local(text: &str) -> bool {
    text.starts_with("internal ") || text.starts_with("private ")
}

fn first_symbol(line: &str) -> Option<&str> {
    lexer::references(line).into_iter().find_map(|r| {
        if let lexer::Reference::Symbol(s) = r {
            Some(s)
        } else {
            None
        }
    })
}

fn after_equals(line: &str) -> &str {
    line.split_once(" = ").map_or("", |(_, value)| value)
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"target triple = "x86_64-unknown-linux-gnu"
%T = type { i64 }
@a = private unnamed_addr constant [1 x i8] c"x", align 1
@b = internal thread_local global i64 0
@c = external global i64
define internal double @"f g"(double %x) #0 {
start:
  ret double %x
}
declare void @h() #1
attributes #0 = { nounwind }
!llvm.module.flags = !{!0}
!0 = !{i32 8, !"PIC Level", i32 2}
"#;

    #[test]
    fn a_module_is_split_into_entities() {
        let module = Module::parse(TEXT.to_owned());
        let kind = |name| module.get(name).map(|e| (e.kind, e.local, e.defined));
        assert_eq!(kind("a"), Some((Kind::Constant, true, true)));
        assert_eq!(kind("b"), Some((Kind::Variable, true, true)));
        assert_eq!(kind("c"), Some((Kind::Variable, false, false)));
        assert_eq!(kind("f g"), Some((Kind::Define, true, true)));
        assert_eq!(kind("h"), Some((Kind::Declare, false, false)));
        assert!(
            module
                .text(module.get("f g").unwrap())
                .ends_with("ret double %x\n}")
        );
        assert_eq!(module.flags(), [0]);
        assert_eq!(module.attributes(0), Some("{ nounwind }"));
    }
}
