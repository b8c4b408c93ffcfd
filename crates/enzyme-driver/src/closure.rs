//! The closure of a derivative: the shim and everything that it needs, as one module of textual IR.
//!
//! Functions and constants are copied (and made internal) from wherever they are defined; mutable variables are not:
//! the closure refers to the program's own. [`crate::policy`] says where to stop.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use crate::allocator;
use crate::checks;
use crate::derivative::{DECLARATIONS, Derivative, Mode, PREFIX};
use crate::error::Error;
use crate::hints;
use crate::indirect::{self, Call, Choice, Target};
use crate::ir::{
    Kind, Module, Reference, parameter_list, quoted, references, rewrite, without_debug,
};
use crate::policy;
use crate::products;
use crate::rules;

/// Where definitions come from.
pub trait Program {
    /// The module with that number.
    fn module(&self, id: usize) -> &Module;
    /// The module that defines `symbol` for the whole program, if its bitcode can be had.
    fn home(&mut self, symbol: &str) -> Result<Option<usize>, Error>;
    /// Whether `symbol` is a function that lives in a part of the standard library that computes nothing.
    fn is_support(&self, symbol: &str) -> bool;
    /// Whether the linker can resolve `symbol` without us.
    fn is_native(&self, symbol: &str) -> bool;
    /// Where the storage of a variable that `module` defines is.
    fn storage(&mut self, module: usize, symbol: &str) -> Result<Storage, Error>;
    /// Modules of the program that may define what a pointer points to: those that were read, and the linked crate's.
    fn crates(&mut self) -> Result<Vec<usize>, Error>;
    /// Where the program has a function that `module` defines or declares.
    fn addresses(&mut self, module: usize, symbol: &str) -> Result<Vec<Address>, Error>;
    /// Whether debug information of that module is worth keeping.
    fn keeps_debug(&self, id: usize) -> bool;
}

/// Where the program keeps a mutable variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Where the linker finds it.
    Visible,
    /// In one of the program's objects, under a name that is local to it.
    Local,
    /// Nowhere: the optimiser has found no use for it outside of what is differentiated.
    Absent,
}

/// Where the program has a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Under a symbol that the linker finds.
    Visible(String),
    /// In an object, under a name that is local to it; the program's objects have several of that name, this is the n-th.
    Local(usize),
}

/// Something that is local to an object of the program and must be made visible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    /// The module that defines it.
    pub module: usize,
    /// Its name.
    pub symbol: String,
    /// Which one, if several objects have that name.
    pub holder: usize,
    /// The name that it is to have.
    pub alias: String,
}

/// The program's own function of that name, as opposed to the closure's copy.
pub const NATIVE: &str = ".oxide_enzyme.native";

/// A derivative's closure.
#[derive(Debug, Clone)]
pub struct Closure {
    /// The module, root included.
    pub text: String,
    /// Variables and functions of the program that the closure uses and that are local to one of the program's objects.
    pub exposed: BTreeSet<Exposure>,
    /// The start of this compiler's allocator symbols.
    pub allocator_prefix: Option<String>,
    /// Derivatives that the primal itself calls, and which are declared in `text`.
    pub nested: Vec<(Derivative, Closure)>,
}

/// Collects the closure of `derivative`, whose shim is in module `home`.
pub fn collect(
    program: &mut dyn Program,
    derivative: &Derivative,
    home: usize,
) -> Result<Closure, Error> {
    collect_inside(program, derivative, home, &mut Vec::new())
}

/// `outer` are the derivatives that this one is nested in.
fn collect_inside(
    program: &mut dyn Program,
    derivative: &Derivative,
    home: usize,
    outer: &mut Vec<String>,
) -> Result<Closure, Error> {
    if outer.contains(&derivative.symbol) {
        return Err(Error::OwnDerivative {
            function: policy::path(&derivative.shim),
        });
    }
    let mut collector = Collector::new(program);
    collector.takes_rules = outer.is_empty() && derivative.width == 1;
    collector.add_root(derivative, home);
    collector.run()?;
    let nested = std::mem::take(&mut collector.nested);
    let mut closure = collector.finish(home);
    outer.push(derivative.symbol.clone());
    for (symbol, (derivative, home)) in nested {
        let inner = collect_inside(program, &derivative, home, outer)?;
        debug_assert_eq!(symbol, derivative.symbol);
        closure.exposed.extend(inner.exposed.iter().cloned());
        closure.allocator_prefix = closure.allocator_prefix.or(inner.allocator_prefix.clone());
        closure.nested.push((derivative, inner));
    }
    outer.pop();
    Ok(closure)
}

/// How functions that find out what is called are named.
const DISPATCH: &str = "oxide_enzyme.dispatch.";

/// An entity of one of the program's modules.
type Place = (usize, String);

struct Collector<'a> {
    program: &'a mut dyn Program,
    work: Vec<Place>,
    /// The closure's name of each entity that is in it or will be.
    names: HashMap<Place, String>,
    taken: HashSet<String>,
    metadata: HashMap<(usize, u32), usize>,
    metadata_work: Vec<(usize, u32)>,
    attributes: HashMap<String, usize>,
    compile_units: Vec<usize>,
    types: HashSet<String>,
    type_text: String,
    body: String,
    exposed: BTreeSet<Exposure>,
    allocator_prefix: Option<String>,
    roots: HashSet<String>,
    /// The root's vector width.
    width: usize,
    /// Whether a rule of the library's is better than what it stands for.
    takes_rules: bool,
    /// The root, for messages.
    title: String,
    /// What is called through pointers, and the number of the function that finds out.
    targets: BTreeMap<Target, usize>,
    /// Derivatives that the closure calls, each with the module that asks for it, by symbol.
    nested: BTreeMap<String, (Derivative, usize)>,
}

impl<'a> Collector<'a> {
    fn new(program: &'a mut dyn Program) -> Self {
        let reserved = [
            "__enzyme_autodiff",
            "__enzyme_fwddiff",
            "__enzyme_augmentfwd",
            "__enzyme_reverse",
        ]
        .into_iter()
        .chain(hints::NAMES);
        Collector {
            program,
            work: Vec::new(),
            names: HashMap::new(),
            taken: reserved.map(str::to_owned).collect(),
            metadata: HashMap::new(),
            metadata_work: Vec::new(),
            attributes: HashMap::new(),
            compile_units: Vec::new(),
            types: HashSet::new(),
            type_text: String::new(),
            body: String::new(),
            exposed: BTreeSet::new(),
            targets: BTreeMap::new(),
            allocator_prefix: None,
            roots: HashSet::new(),
            width: 1,
            takes_rules: false,
            title: String::new(),
            nested: BTreeMap::new(),
        }
    }

    fn add_root(&mut self, derivative: &Derivative, home: usize) {
        self.width = derivative.width;
        self.title = derivative.to_string();
        if self.roots.insert(derivative.symbol.clone()) {
            let shim = self.name_of(home, &derivative.shim);
            self.body.push_str(&derivative.definition(&shim));
        }
    }

    fn run(&mut self) -> Result<(), Error> {
        // What may be called through a pointer may call through pointers itself, and bring modules with more candidates.
        let choices = loop {
            while let Some((module, name)) = self.work.pop() {
                self.emit(module, &name)?;
            }
            let choices = self.choices()?;
            if self.work.is_empty() {
                break choices;
            }
        };
        self.emit_dispatchers(&choices);
        while let Some((module, id)) = self.metadata_work.pop() {
            self.emit_metadata(module, id);
        }
        Ok(())
    }

    /// The closure's name for `symbol` as module `module` knows it; queues it the first time it is asked for.
    fn name_of(&mut self, module: usize, symbol: &str) -> String {
        if let Some(plain) = allocator::plain_name(symbol) {
            self.allocator_prefix = allocator::mangled_prefix(symbol).map(str::to_owned);
            return plain.to_owned();
        }
        let local = self
            .program
            .module(module)
            .get(symbol)
            .is_some_and(|e| e.local);
        // One name, one thing, unless it is local to a module; `usize::MAX` stands for the whole program.
        let place = (if local { module } else { usize::MAX }, symbol.to_owned());
        if let Some(name) = self.names.get(&place) {
            return name.clone();
        }
        let inactive = policy::is_inactive(symbol) || self.program.is_support(symbol);
        let name = if inactive && self.is_function(module, symbol) {
            policy::inactive_name(symbol)
        } else if local && self.is_constant(module, symbol) {
            unnumbered(symbol).to_owned()
        } else {
            symbol.to_owned()
        };
        let name = self.free_name(&name);
        self.names.insert(place, name.clone());
        self.work.push((module, symbol.to_owned()));
        name
    }

    fn is_constant(&self, module: usize, symbol: &str) -> bool {
        let kind = self.program.module(module).get(symbol).map(|e| e.kind);
        kind == Some(Kind::Constant)
    }

    fn is_function(&self, module: usize, symbol: &str) -> bool {
        let kind = self.program.module(module).get(symbol).map(|e| e.kind);
        matches!(kind, Some(Kind::Define | Kind::Declare)) && !symbol.starts_with("llvm.")
    }

    fn free_name(&mut self, symbol: &str) -> String {
        let mut name = symbol.to_owned();
        let mut n = 0;
        while !self.taken.insert(name.clone()) {
            n += 1;
            name = format!("{symbol}.{n}");
        }
        name
    }

    fn emit(&mut self, module: usize, symbol: &str) -> Result<(), Error> {
        if symbol.starts_with("llvm.") {
            return self.emit_declaration(module, symbol, false);
        }
        let kind = self
            .program
            .module(module)
            .get(symbol)
            .map(|e| (e.kind, e.local, e.defined));
        match kind {
            Some((Kind::Define, local, _)) => {
                let inactive = policy::is_inactive(symbol);
                if !local && inactive && self.program.is_native(symbol) {
                    return self.emit_declaration(module, symbol, true);
                }
                self.emit_function(module, symbol, inactive)
            }
            Some((Kind::Constant, _, true)) => self.emit_constant(module, symbol),
            Some((Kind::Variable, _, true)) => self.emit_variable(module, symbol),
            Some((Kind::Alias, ..)) => self.emit_text_of(module, symbol),
            Some((Kind::Declare, ..)) => self.emit_from_home(module, symbol),
            Some((Kind::Constant | Kind::Variable, _, false)) => {
                self.emit_from_home(module, symbol)
            }
            None => Err(Error::Internal(format!(
                "`{symbol}` is used in a module that does not declare it"
            ))),
        }
    }

    /// What `module` only declares: copied from where it is defined, or left to the linker.
    fn emit_from_home(&mut self, module: usize, symbol: &str) -> Result<(), Error> {
        let inactive = policy::is_inactive(symbol) || self.program.is_support(symbol);
        if !inactive && let Some(home) = self.program.home(symbol)? {
            let found = self
                .program
                .module(home)
                .get(symbol)
                .is_some_and(|e| e.defined && !e.local);
            if found && home != module {
                return self.emit(home, symbol);
            }
        }
        let entity = self.program.module(module).get(symbol).map(|e| e.kind);
        match entity {
            Some(Kind::Declare) => self.emit_declaration(module, symbol, inactive),
            _ => self.emit_variable(module, symbol),
        }
    }

    fn emit_function(&mut self, module: usize, symbol: &str, inactive: bool) -> Result<(), Error> {
        let text = self.text_of(module, symbol);
        let (head, body) = text.split_once('\n').unwrap_or((&text, "}"));
        let known_as = policy::known_as(symbol);
        let start = match known_as {
            // Nobody may conclude from its body what it computes.
            Some(_) => "define weak hidden",
            None => "define internal",
        };
        let mut head = signature(head.trim_end_matches('{').trim_end(), start);
        if policy::wants_inlining(symbol) {
            head = self.with_forced_inlining(module, &head);
        }
        if inactive {
            head = with_attribute(&head, "\"enzyme_inactive\"");
        }
        if policy::only_checks(symbol) && head.contains(" void @") {
            let text = self.translate(
                module,
                &format!("{} {{\n  ret void\n}}\n", without_debug(&head)),
            );
            self.body.push_str(&text);
            return Ok(());
        }
        if let Some(text) = self.product(module, symbol, &head)? {
            self.body.push_str(&text);
            return Ok(());
        }
        let body = checks::without_address_checks(&lower_invokes(body));
        let body = without_thread_local_intrinsic(&checks::without_black_boxes(&body));
        let body = hints::refuse_sorting(self.program.module(module), symbol, &head, &body);
        let body = hints::add(self.program.module(module), &body);
        if let Some(name) = known_as {
            let registration = self.translate(module, &rules::function_like(symbol, &name));
            self.body.push_str(&registration);
        }
        let body = self.take_rule(module, symbol, body)?;
        let body = self.resolve_derivatives(module, &body)?;
        let body = if inactive || policy::knows_pointers(symbol) {
            body
        } else {
            self.dispatch_calls(&body)
        };
        let text = self.translate(module, &format!("{head} {{\n{body}\n"));
        self.body.push_str(&text);
        Ok(())
    }

    /// What stands in for a product of matrices.
    fn product(
        &mut self,
        module: usize,
        symbol: &str,
        head: &str,
    ) -> Result<Option<String>, Error> {
        let Some(product) = products::product(symbol, head) else {
            return Ok(None);
        };
        let kernel = match self.takes_rules {
            true => self.addresses(module, symbol)?.into_iter().next(),
            false => None,
        };
        let by_rule = kernel
            .as_ref()
            .map(|kernel| (product.by_rule, format!(", ptr {kernel}")));
        for (other, more) in by_rule
            .into_iter()
            .chain([(product.by_loops, String::new())])
        {
            if let Some(home) = self.program.home(other)?
                && let Some(body) = products::body(head, other, &more)
            {
                let head = self.translate(module, &without_debug(head));
                let name = quoted(&self.name_of(home, other));
                let body = body.replace(&format!("@{other}("), &format!("{name}("));
                let declaration = match &kernel {
                    Some(kernel) if !more.is_empty() => format!("declare void {kernel}()\n"),
                    _ => String::new(),
                };
                return Ok(Some(format!("{head} {{\n{body}\n{declaration}")));
            }
        }
        Ok(None)
    }

    /// Every call through a pointer goes by a function that finds out what is called.
    fn dispatch_calls(&mut self, body: &str) -> String {
        let definitions = indirect::definitions(body);
        let mut out = String::with_capacity(body.len());
        for line in body.split('\n') {
            match indirect::call(line, &definitions) {
                Some(call) => {
                    let next = self.targets.len();
                    let number = *self.targets.entry(call.target.clone()).or_insert(next);
                    let Call {
                        head,
                        pointer,
                        arguments,
                        tail,
                        target,
                    } = call;
                    let comma = if arguments.is_empty() { "" } else { ", " };
                    let result = target.result;
                    let _ = writeln!(
                        out,
                        "{head}{result} @{DISPATCH}{number}(ptr {pointer}{comma}{arguments}){tail}"
                    );
                }
                None => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// What each target may be: the closure's copies are queued the first time they are asked for.
    fn choices(&mut self) -> Result<Vec<Vec<Choice>>, Error> {
        let mut targets: Vec<(Target, usize)> =
            self.targets.iter().map(|(t, n)| (t.clone(), *n)).collect();
        targets.sort_by_key(|(_, number)| *number);
        let mut all = Vec::new();
        for (target, _) in targets {
            let mut choices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for module in self.program.crates()? {
                for symbol in indirect::candidates(self.program.module(module), &target) {
                    let copy = quoted(&self.name_of(module, &symbol));
                    let addresses = self.addresses(module, &symbol)?;
                    choices.entry(copy).or_default().extend(addresses);
                }
            }
            let choices = choices.into_iter().map(|(copy, addresses)| Choice {
                copy,
                addresses: addresses.into_iter().collect(),
            });
            all.push(choices.collect());
        }
        Ok(all)
    }

    /// The names by which the closure knows where the program has a function.
    fn addresses(&mut self, module: usize, symbol: &str) -> Result<Vec<String>, Error> {
        let addresses = self.program.addresses(module, symbol)?;
        let names = addresses.into_iter().map(|address| match address {
            Address::Visible(name) => format!("{name}{NATIVE}"),
            Address::Local(holder) => {
                let alias = format!("{symbol}.oxide_enzyme.{module}.{holder}");
                self.exposed.insert(Exposure {
                    module,
                    symbol: symbol.to_owned(),
                    holder,
                    alias: alias.clone(),
                });
                alias
            }
        });
        Ok(names.map(|name| quoted(&name)).collect())
    }

    fn emit_dispatchers(&mut self, choices: &[Vec<Choice>]) {
        if choices.is_empty() {
            return;
        }
        let addresses: BTreeSet<&String> = choices
            .iter()
            .flatten()
            .flat_map(|choice| &choice.addresses)
            .collect();
        for address in addresses {
            let _ = writeln!(self.body, "declare void {address}()");
        }
        self.body.push_str(&indirect::declarations());
        for (target, number) in &self.targets {
            let name = format!("@{DISPATCH}{number}");
            self.body
                .push_str(&indirect::dispatcher(&name, target, &choices[*number]));
        }
    }

    fn emit_declaration(
        &mut self,
        module: usize,
        symbol: &str,
        inactive: bool,
    ) -> Result<(), Error> {
        let text = self.text_of(module, symbol);
        let head = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches('{')
            .trim_end();
        let mut head = without_debug(&signature(head, "declare"));
        if let Some(at) = head.find(" personality ") {
            head.truncate(at);
        }
        if inactive {
            head = with_attribute(&head, "\"enzyme_inactive\"");
        }
        let text = self.translate(module, &head);
        let _ = writeln!(self.body, "{text}");
        Ok(())
    }

    fn emit_constant(&mut self, module: usize, symbol: &str) -> Result<(), Error> {
        let text = self.text_of(module, symbol);
        let (name, value) = text.split_once(" = ").unwrap_or((&text, ""));
        let value = without_debug(&without_comdat(strip_linkage(value)));
        let text = self.translate(module, &format!("{name} = internal {value}\n"));
        self.body.push_str(&text);
        Ok(())
    }

    /// A mutable variable stays the program's own; under opaque pointers its type does not matter here.
    fn emit_variable(&mut self, module: usize, symbol: &str) -> Result<(), Error> {
        let text = self.text_of(module, symbol);
        let thread_local = if text.contains(" thread_local") {
            "thread_local "
        } else {
            ""
        };
        let align = text
            .split(", align ")
            .nth(1)
            .and_then(|t| t.split(',').next())
            .unwrap_or("1");
        match self.program.storage(module, symbol)? {
            Storage::Visible => {}
            Storage::Local => {
                self.exposed.insert(Exposure {
                    module,
                    symbol: symbol.to_owned(),
                    holder: 0,
                    alias: symbol.to_owned(),
                });
            }
            Storage::Absent => return self.emit_shared_variable(module, symbol),
        }
        let name = quoted(&self.name_of(module, symbol));
        let _ = writeln!(
            self.body,
            "{name} = external {thread_local}global i8, align {align}"
        );
        Ok(())
    }

    /// A variable that only derivatives use: one of them brings it along, and all share it.
    fn emit_shared_variable(&mut self, module: usize, symbol: &str) -> Result<(), Error> {
        let text = self.text_of(module, symbol);
        let (name, value) = text.split_once(" = ").unwrap_or((&text, ""));
        let value = without_debug(&without_comdat(strip_linkage(value)));
        let text = self.translate(module, &format!("{name} = weak hidden {value}\n"));
        self.body.push_str(&text);
        Ok(())
    }

    fn emit_text_of(&mut self, module: usize, symbol: &str) -> Result<(), Error> {
        let text = self.text_of(module, symbol);
        let text = self.translate(module, &text);
        let _ = writeln!(self.body, "{text}");
        Ok(())
    }

    fn text_of(&self, module: usize, symbol: &str) -> String {
        let source = self.program.module(module);
        let text = source.get(symbol).map_or("", |entity| source.text(entity));
        if self.program.keeps_debug(module) {
            text.to_owned()
        } else {
            without_debug(text)
        }
    }

    /// Rewrites every reference to the closure's own numbers and names.
    fn translate(&mut self, module: usize, text: &str) -> String {
        let text = text.to_owned();
        rewrite(&text, |reference| match reference {
            Reference::Symbol(name) if self.is_ours(name) => None,
            Reference::Symbol(name) => Some(quoted(&self.name_of(module, name))),
            Reference::Local(name) => self.type_name(module, name),
            Reference::Metadata(id) => Some(format!("!{}", self.metadata_number(module, id))),
            Reference::Attributes(id) => {
                let group = self
                    .program
                    .module(module)
                    .attributes(id)
                    .unwrap_or("{ }")
                    .to_owned();
                Some(format!("#{}", self.attribute_number(group)))
            }
        })
        .into_owned()
    }

    /// The closure's name of a type; values that happen to be named like one are renamed with it, which does no harm.
    fn type_name(&mut self, module: usize, name: &str) -> Option<String> {
        let definition = self.program.module(module).named_type(name)?.to_owned();
        let new = format!("%\"{module}.{name}\"");
        if self.types.insert(new.clone()) {
            let definition = self.translate(module, &definition);
            let _ = writeln!(self.type_text, "{new} = {definition}");
        }
        Some(new)
    }

    /// Symbols that the closure itself introduces.
    fn is_ours(&self, name: &str) -> bool {
        name.starts_with(DISPATCH)
            || name.starts_with(rules::REGISTER)
            || name.starts_with(rules::FUNCTION_LIKE)
            || self.roots.contains(name)
            || self.nested.contains_key(name)
            || hints::NAMES.contains(&name)
    }

    fn metadata_number(&mut self, module: usize, id: u32) -> usize {
        let next = self.metadata.len();
        *self.metadata.entry((module, id)).or_insert_with(|| {
            self.metadata_work.push((module, id));
            next
        })
    }

    fn emit_metadata(&mut self, module: usize, id: u32) {
        let number = self.metadata_number(module, id);
        let value = self
            .program
            .module(module)
            .metadata(id)
            .unwrap_or("!{}")
            .to_owned();
        if value.contains("!DICompileUnit(") {
            self.compile_units.push(number);
        }
        // Metadata may name functions and types; a symbol that is not in the closure anyway must not be pulled in.
        let known = |name: &str, this: &Self| {
            this.names
                .get(&(module, name.to_owned()))
                .or_else(|| this.names.get(&(usize::MAX, name.to_owned())))
                .cloned()
        };
        let mentions_strangers = references(&value)
            .iter()
            .any(|r| matches!(r, Reference::Symbol(name) if known(name, self).is_none()));
        let value = if mentions_strangers {
            "!{}".to_owned()
        } else {
            value
        };
        let value = rewrite(&value, |reference| match reference {
            Reference::Symbol(name) => known(name, self).map(|name| quoted(&name)),
            Reference::Metadata(id) => Some(format!("!{}", self.metadata_number(module, id))),
            Reference::Attributes(_) | Reference::Local(_) => None,
        })
        .into_owned();
        let value = without_checksum(&value);
        let _ = writeln!(self.body, "!{number} = {value}");
    }

    fn attribute_number(&mut self, group: String) -> usize {
        let next = self.attributes.len();
        *self.attributes.entry(group).or_insert(next)
    }

    /// Swaps the attribute groups of a signature for ones that force inlining.
    fn with_forced_inlining(&mut self, module: usize, head: &str) -> String {
        let mut attributes = String::new();
        let bare = rewrite(head, |reference| match reference {
            Reference::Attributes(id) => {
                attributes.push_str(
                    self.program
                        .module(module)
                        .attributes(id)
                        .unwrap_or_default(),
                );
                Some(String::new())
            }
            _ => None,
        })
        .into_owned();
        let kept: Vec<&str> = ["nonlazybind", "uwtable", "nounwind"]
            .into_iter()
            .filter(|word| attributes.split(' ').any(|w| w == *word))
            .collect();
        let strings = attributes.split(' ').filter(|w| w.starts_with("\"target-"));
        let words: Vec<&str> = kept.into_iter().chain(strings).collect();
        with_attribute(&bare, &format!("alwaysinline {}", words.join(" ")))
    }

    /// Derivatives inside of the primal: the address that inline assembly would load becomes the derivative itself, which
    /// is made before this one and differentiated like any other function.
    fn resolve_derivatives(&mut self, module: usize, body: &str) -> Result<String, Error> {
        if !body.contains(PREFIX) {
            return Ok(body.to_owned());
        }
        let mut out = String::with_capacity(body.len());
        for line in body.lines() {
            match nested_derivative(line)? {
                Some((_, derivative)) if derivative.mode == Mode::Split => {
                    return Err(Error::SplitInside {
                        function: policy::path(&derivative.shim),
                    });
                }
                Some((result, derivative)) => {
                    self.add_nested(&derivative, module);
                    let _ = writeln!(
                        out,
                        "  {result} = select i1 true, ptr {}, ptr null",
                        quoted(&derivative.symbol)
                    );
                }
                None => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        out.truncate(out.trim_end().len());
        Ok(out)
    }

    /// A function whose derivatives are written by hand says so in a comment of inline assembly: Enzyme is told.
    fn take_rule(&mut self, module: usize, symbol: &str, body: String) -> Result<String, Error> {
        let Some(line) = body.lines().find(|line| line.contains(rules::MARK)) else {
            return Ok(body);
        };
        if self.width != 1 {
            return Err(Error::RuleAtWidth {
                derivative: self.title.clone(),
            });
        }
        let registration = rules::registration(symbol, line).ok_or_else(|| {
            Error::Internal(format!(
                "cannot read the rules of `{}`",
                policy::path(symbol)
            ))
        })?;
        let registration = self.translate(module, &registration);
        self.body.push_str(&registration);
        Ok(body.replace(line, ""))
    }

    fn add_nested(&mut self, derivative: &Derivative, module: usize) {
        let symbol = derivative.symbol.clone();
        if self
            .nested
            .insert(symbol, (derivative.clone(), module))
            .is_none()
        {
            let name = quoted(&derivative.symbol);
            let _ = writeln!(self.body, "declare void {name}(ptr, ptr, ptr, ptr, ptr)");
        }
    }

    fn finish(mut self, home: usize) -> Closure {
        let module = self.program.module(home);
        let target = module.target().to_owned();
        let flags: Vec<u32> = module.flags().to_vec();
        let flags: Vec<String> = flags
            .into_iter()
            .map(|id| format!("!{}", self.metadata_number(home, id)))
            .collect();
        while let Some((module, id)) = self.metadata_work.pop() {
            self.emit_metadata(module, id);
        }
        // Without a name of its own the module would be named after a temporary file.
        let mut text = format!("source_filename = \"derivative\"\n{target}")
            + DECLARATIONS
            + &hints::declarations()
            + &hints::moves()
            + allocator::DEFINITIONS;
        for (name, declaration) in allocator::INTRINSICS {
            if !self.taken.contains(*name) {
                let _ = writeln!(text, "{declaration}");
            }
        }
        text.push_str(&self.type_text);
        text.push_str(&self.body);
        let mut groups: Vec<(&String, &usize)> = self.attributes.iter().collect();
        groups.sort_by_key(|(_, number)| **number);
        for (group, number) in groups {
            let _ = writeln!(text, "attributes #{number} = {group}");
        }
        let _ = writeln!(text, "!llvm.module.flags = !{{{}}}", flags.join(", "));
        let units: Vec<String> = self.compile_units.iter().map(|n| format!("!{n}")).collect();
        if !units.is_empty() {
            let _ = writeln!(text, "!llvm.dbg.cu = !{{{}}}", units.join(", "));
        }
        Closure {
            text,
            exposed: self.exposed,
            allocator_prefix: self.allocator_prefix,
            nested: Vec::new(),
        }
    }
}

/// `vtable` for `vtable.7`: rustc counts over the whole crate, and the closure must not change with what it has no use for.
fn unnumbered(symbol: &str) -> &str {
    match symbol.rsplit_once('.') {
        Some((name, number)) if !name.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            name
        }
        _ => symbol,
    }
}

/// A `DIFile` without its digest, which would be another after every edit of the file.
fn without_checksum(value: &str) -> Cow<'_, str> {
    match value.split_once(", checksumkind: ") {
        Some((file, _)) if value.starts_with("!DIFile(") => Cow::Owned(format!("{file})")),
        _ => Cow::Borrowed(value),
    }
}

/// A signature with another start: linkage, visibility, comdat and section go.
fn signature(head: &str, start: &str) -> String {
    let rest = head.split_once(' ').map_or("", |(_, rest)| rest);
    format!("{start} {}", without_comdat(strip_linkage(rest)))
}

fn strip_linkage(mut text: &str) -> &str {
    const WORDS: &[&str] = &[
        "private",
        "internal",
        "available_externally",
        "linkonce",
        "weak",
        "common",
        "appending",
        "extern_weak",
        "linkonce_odr",
        "weak_odr",
        "external",
        "dso_local",
        "dso_preemptable",
        "default",
        "hidden",
        "protected",
        "dllimport",
        "dllexport",
    ];
    while let Some((word, rest)) = text.split_once(' ') {
        if !WORDS.contains(&word) {
            break;
        }
        text = rest;
    }
    text
}

fn without_comdat(text: &str) -> String {
    let Some(at) = text.find(" comdat").or_else(|| text.find(", comdat")) else {
        return text.to_owned();
    };
    let rest = text[at..]
        .trim_start_matches(", comdat")
        .trim_start_matches(" comdat");
    let rest = rest
        .strip_prefix('(')
        .and_then(|r| r.split_once(')'))
        .map_or(rest, |(_, after)| after);
    format!("{}{rest}", &text[..at])
}

/// Adds an attribute to a signature: before `personality`, metadata and the brace, where attributes may stand.
fn with_attribute(head: &str, attribute: &str) -> String {
    let at = [" personality ", " !dbg ", " !prof ", " section ", " align "]
        .iter()
        .filter_map(|word| {
            parameter_list(head).and_then(|list| head[list.end..].find(word).map(|n| list.end + n))
        })
        .min()
        .unwrap_or(head.len());
    format!("{} {attribute}{}", &head[..at], &head[at..])
}

/// Turns `invoke` into `call` and a branch: Enzyme differentiates no landing pads. What a panic would have dropped in the
/// differentiated function is leaked instead; the panic itself passes through.
fn lower_invokes(body: &str) -> String {
    if !body.contains("invoke ") {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len());
    let mut pending: Option<String> = None;
    for line in body.split('\n') {
        if let Some(call) = pending.take() {
            let rest = line.trim_start().strip_prefix("to label ").unwrap_or(line);
            let (target, unwind) = rest.split_once(" unwind label ").unwrap_or((rest, ""));
            let metadata = unwind.find(", !").map_or("", |at| &unwind[at..]);
            let _ = writeln!(out, "{call}{metadata}\n  br label {target}");
        } else if is_invoke(line) {
            pending = Some(line.replacen("invoke ", "call ", 1));
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Enzyme knows no rule for the intrinsic that gives a thread-local variable's address, but takes the variable itself.
fn without_thread_local_intrinsic(body: &str) -> String {
    const INTRINSIC: &str = "@llvm.threadlocal.address.p0(ptr ";
    if !body.contains(INTRINSIC) {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len());
    for line in body.split('\n') {
        let variable = line.split_once(INTRINSIC).and_then(|(_, rest)| {
            references(rest).into_iter().find_map(|r| {
                if let Reference::Symbol(s) = r {
                    Some(s)
                } else {
                    None
                }
            })
        });
        match (variable, line.split_once(" = ")) {
            (Some(variable), Some((result, _))) => {
                let _ = writeln!(
                    out,
                    "{result} = getelementptr i8, ptr {}, i64 0",
                    quoted(variable)
                );
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn is_invoke(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("invoke ") || (line.starts_with('%') && line.contains(" = invoke "))
}

/// `%p = call ptr asm ... "lea $0, __enzyme_derivative_111_$1" ...(ptr @shim)` as a derivative.
fn nested_derivative(line: &str) -> Result<Option<(&str, Derivative)>, Error> {
    let (Some(at), true) = (line.find(PREFIX), line.contains(" asm ")) else {
        return Ok(None);
    };
    let code: String = line[at + PREFIX.len()..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let shim = references(line).into_iter().find_map(|r| {
        if let Reference::Symbol(s) = r {
            Some(s)
        } else {
            None
        }
    });
    let result = line.trim_start().split(" = ").next();
    let derivative =
        shim.and_then(|shim| Derivative::from_symbol(&format!("{PREFIX}{code}_{shim}")));
    match (result, derivative) {
        (Some(result), Some(derivative)) => Ok(Some((result, derivative))),
        _ => Err(Error::Internal(format!(
            "cannot read the derivative inside of the primal: {}",
            line.trim()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoke_becomes_a_call_and_a_branch() {
        let body = "start:\n  %x = invoke i64 @f(ptr %p) #3\n          to label %bb1 unwind label %cleanup, !dbg !7\n\nbb1:\n  ret i64 %x\n}";
        assert_eq!(
            lower_invokes(body),
            "start:\n  %x = call i64 @f(ptr %p) #3, !dbg !7\n  br label %bb1\n\nbb1:\n  ret i64 %x\n}"
        );
    }

    #[test]
    fn numbers_that_rustc_gives_in_order_are_left_out() {
        assert_eq!(unnumbered("vtable.12"), "vtable");
        assert_eq!(unnumbered("alloc_5f.llvm"), "alloc_5f.llvm");
        assert_eq!(unnumbered(".7"), ".7");
    }

    #[test]
    fn files_of_debug_information_lose_their_checksums() {
        let file = "!DIFile(filename: \"src/a, checksumless.rs\", directory: \"/p\", checksumkind: CSK_MD5, checksum: \"8f\")";
        assert_eq!(
            without_checksum(file),
            "!DIFile(filename: \"src/a, checksumless.rs\", directory: \"/p\")"
        );
        assert_eq!(without_checksum("!{i32 1}"), "!{i32 1}");
    }

    #[test]
    fn an_attribute_lands_after_the_parameters() {
        let head = "define internal void @\"a b\"(ptr captures(none) %x) unnamed_addr #1 personality ptr @p !dbg !3";
        assert_eq!(
            with_attribute(head, "\"enzyme_inactive\""),
            "define internal void @\"a b\"(ptr captures(none) %x) unnamed_addr #1 \"enzyme_inactive\" personality ptr @p !dbg !3"
        );
    }
}
