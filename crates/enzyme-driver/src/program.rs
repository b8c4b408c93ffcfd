//! The program that is being linked: its objects and rlibs, who defines what, and the bitcode of each crate on demand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol};

use crate::bitcode;
use crate::closure::{Address, Exposure, Program, Storage};
use crate::derivative::{Derivative, PREFIX};
use crate::error::Error;
use crate::globalize::globalize;
use crate::invocation::{self, Invocation};
use crate::ir::Module;
use crate::policy;
use crate::session::Session;

/// What goes into a link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Objects of the crate that is linked.
    pub objects: Vec<PathBuf>,
    /// Crates it depends on, those of the standard library included.
    pub rlibs: Vec<PathBuf>,
}

/// A crate of the program.
#[derive(Debug)]
struct Unit {
    origin: Origin,
    /// The objects or the rlib that it was compiled to.
    files: Vec<PathBuf>,
    module: Option<Module>,
    /// How many of its objects have a local symbol of that name; counted when it is first asked for.
    locals: Option<HashMap<String, usize>>,
}

#[derive(Debug)]
enum Origin {
    /// The crate that is linked.
    Linked(Invocation),
    /// A crate that it depends on.
    Dependency { rlib: PathBuf, record: PathBuf },
    /// A crate of the standard library.
    Std { rlib: PathBuf },
    /// An archive that no record and no bitcode belongs to.
    Foreign,
}

/// A derivative and the crate that asks for it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The derivative.
    pub derivative: Derivative,
    /// The number of the crate.
    pub unit: usize,
}

/// The program that is being linked.
pub struct Linked<'a> {
    session: &'a Session,
    units: Vec<Unit>,
    rlibs: Vec<PathBuf>,
    definitions: HashMap<String, usize>,
    wanted: Vec<Wanted>,
}

impl<'a> Linked<'a> {
    /// Reads the symbol tables of everything. `invocation` made the objects.
    pub fn read(
        session: &'a Session,
        invocation: &Invocation,
        inputs: &Inputs,
    ) -> Result<Linked<'a>, Error> {
        let linked = Unit {
            origin: Origin::Linked(invocation.clone()),
            files: inputs.objects.clone(),
            module: None,
            locals: None,
        };
        let mut program = Linked {
            session,
            units: vec![linked],
            rlibs: inputs.rlibs.clone(),
            definitions: HashMap::new(),
            wanted: Vec::new(),
        };
        for path in &inputs.objects {
            let bytes = read(path)?;
            program.add_object(&bytes, 0);
        }
        for path in &inputs.rlibs {
            program.add_rlib(path)?;
        }
        Ok(program)
    }

    /// The derivatives that the program asks for.
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    fn add_rlib(&mut self, path: &Path) -> Result<(), Error> {
        let unit = self.units.len();
        self.units.push(Unit {
            origin: origin_of(path),
            files: vec![path.to_owned()],
            module: None,
            locals: None,
        });
        let bytes = read(path)?;
        let bad = |e: object::Error| Error::Internal(format!("archive `{}`: {e}", path.display()));
        let archive = ArchiveFile::parse(&*bytes).map_err(bad)?;
        if let Some(symbols) = archive.symbols().map_err(bad)? {
            for symbol in symbols.flatten() {
                if let Ok(name) = std::str::from_utf8(symbol.name()) {
                    self.definitions.entry(name.to_owned()).or_insert(unit);
                }
            }
        }
        if memchr::memmem::find(&bytes, PREFIX.as_bytes()).is_some() {
            for member in archive.members().flatten() {
                if let Ok(data) = member.data(&*bytes) {
                    self.add_object(data, unit);
                }
            }
        }
        Ok(())
    }

    /// What is no object (metadata, say) is passed over.
    fn add_object(&mut self, bytes: &[u8], unit: usize) {
        let Ok(file) = object::File::parse(bytes) else {
            return;
        };
        for symbol in file.symbols().filter(|s| s.is_global()) {
            let Ok(name) = symbol.name() else { continue };
            if symbol.is_undefined() {
                self.add_wanted(name, unit);
            } else {
                self.definitions.entry(name.to_owned()).or_insert(unit);
            }
        }
    }

    fn add_wanted(&mut self, symbol: &str, unit: usize) {
        let Some(derivative) = Derivative::from_symbol(symbol) else {
            return;
        };
        if !self
            .wanted
            .iter()
            .any(|wanted| wanted.derivative == derivative)
        {
            self.wanted.push(Wanted { derivative, unit });
        }
    }

    /// The crate's module, read the first time it is asked for.
    pub fn load(&mut self, unit: usize) -> Result<Option<&Module>, Error> {
        if self.units[unit].module.is_none() {
            self.units[unit].module = match &self.units[unit].origin {
                Origin::Linked(invocation) => {
                    let objects = &self.units[unit].files;
                    let content = bitcode::content_of_linked(invocation, objects, &self.rlibs)?;
                    let module = bitcode::of_crate(self.session, invocation, content.as_deref())?;
                    Some(module)
                }
                Origin::Dependency { rlib, record } => {
                    let invocation = Invocation::read(record)?;
                    bitcode::check_sources(&invocation, rlib)?;
                    let content = bitcode::content_of_rlib(rlib)?;
                    let module = bitcode::of_crate(self.session, &invocation, Some(&content))?;
                    Some(module)
                }
                Origin::Std { rlib } => Some(bitcode::of_std(self.session, rlib)?),
                Origin::Foreign => None,
            };
        }
        Ok(self.units[unit].module.as_ref())
    }
}

/// An object of the program in which a local variable was made visible.
#[derive(Debug)]
pub struct Exposed {
    /// The object on the linker's command line that it replaces; `None` if it comes ahead of an rlib that holds the original.
    pub replaces: Option<PathBuf>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Linked<'_> {
    /// Makes visible what is local to the objects of crates. One object may hold several.
    pub fn expose(&self, wanted: &BTreeSet<Exposure>) -> Result<Vec<Exposed>, Error> {
        let mut exposed: BTreeMap<(PathBuf, usize), Exposed> = BTreeMap::new();
        for exposure in wanted {
            let objects = objects_of(&self.units[exposure.module].files)?;
            let holders = objects
                .into_iter()
                .filter_map(|(place, bytes, in_archive)| {
                    let current = exposed.get(&place).map_or(&bytes, |e| &e.bytes);
                    let bytes = globalize(current, &exposure.symbol, &exposure.alias)?;
                    Some((place, bytes, in_archive))
                });
            if let Some((place, bytes, in_archive)) = holders.take(exposure.holder + 1).last() {
                let replaces = (!in_archive).then(|| place.0.clone());
                exposed.insert(place, Exposed { replaces, bytes });
            }
        }
        Ok(exposed.into_values().collect())
    }

    /// How many objects of a crate have a local symbol of that name.
    fn count_locals(&mut self, unit: usize, symbol: &str) -> Result<usize, Error> {
        let unit = &mut self.units[unit];
        if unit.locals.is_none() {
            let mut locals = HashMap::new();
            for (_, bytes, _) in objects_of(&unit.files)? {
                for name in local_symbols(&bytes) {
                    *locals.entry(name).or_default() += 1;
                }
            }
            unit.locals = Some(locals);
        }
        let locals = unit.locals.as_ref();
        Ok(locals.and_then(|all| all.get(symbol)).copied().unwrap_or(0))
    }
}

/// An object in a file: the file and the number of the archive's member.
type Place = (PathBuf, usize);

fn objects_of(files: &[PathBuf]) -> Result<Vec<(Place, Vec<u8>, bool)>, Error> {
    let mut objects = Vec::new();
    for path in files {
        let bytes = read(path)?;
        match ArchiveFile::parse(&*bytes) {
            Ok(archive) => {
                for (n, member) in archive.members().flatten().enumerate() {
                    if let Ok(data) = member.data(&*bytes) {
                        objects.push(((path.clone(), n), data.to_vec(), true));
                    }
                }
            }
            Err(_) => objects.push(((path.clone(), 0), bytes, false)),
        }
    }
    Ok(objects)
}

/// The local symbols that an object defines.
fn local_symbols(bytes: &[u8]) -> BTreeSet<String> {
    let Ok(file) = object::File::parse(bytes) else {
        return BTreeSet::new();
    };
    file.symbols()
        .filter(|symbol| symbol.is_local() && !symbol.is_undefined())
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect()
}

impl Program for Linked<'_> {
    fn module(&self, id: usize) -> &Module {
        self.units[id]
            .module
            .as_ref()
            .unwrap_or_else(|| unreachable!("a module is loaded before it is named"))
    }

    fn home(&mut self, symbol: &str) -> Result<Option<usize>, Error> {
        let Some(&unit) = self.definitions.get(symbol) else {
            return Ok(None);
        };
        // C functions that the standard library brings along (`fmod`, `memcpy`) are better known to Enzyme by name.
        if matches!(self.units[unit].origin, Origin::Std { .. })
            && !policy::path(symbol).contains("::")
        {
            return Ok(None);
        }
        Ok(self.load(unit)?.is_some().then_some(unit))
    }

    fn is_support(&self, symbol: &str) -> bool {
        let unit = self
            .definitions
            .get(symbol)
            .map(|unit| &self.units[*unit].origin);
        matches!(unit, Some(Origin::Std { .. })) && policy::is_support(symbol)
    }

    fn is_native(&self, symbol: &str) -> bool {
        self.definitions.contains_key(symbol)
    }

    fn storage(&mut self, module: usize, symbol: &str) -> Result<Storage, Error> {
        if self.definitions.contains_key(symbol) {
            return Ok(Storage::Visible);
        }
        match self.count_locals(module, symbol)? {
            0 => Ok(Storage::Absent),
            1 => Ok(Storage::Local),
            _ => Err(Error::HiddenVariable {
                variable: policy::path(symbol),
            }),
        }
    }

    fn crates(&mut self) -> Result<Vec<usize>, Error> {
        self.load(0)?;
        let is_read =
            |unit: &Unit| unit.module.is_some() && !matches!(unit.origin, Origin::Std { .. });
        Ok((0..self.units.len())
            .filter(|id| is_read(&self.units[*id]))
            .collect())
    }

    fn addresses(&mut self, module: usize, symbol: &str) -> Result<Vec<Address>, Error> {
        if self.definitions.contains_key(symbol) {
            return Ok(vec![Address::Visible(symbol.to_owned())]);
        }
        // A function that was local until rustc's optimiser called it from another object has a number behind its name.
        let promoted = format!("{symbol}.llvm.");
        if let Some(name) = self
            .definitions
            .keys()
            .find(|name| name.starts_with(&promoted))
        {
            return Ok(vec![Address::Visible(name.clone())]);
        }
        let holders = self.count_locals(module, symbol)?;
        Ok((0..holders).map(Address::Local).collect())
    }

    fn keeps_debug(&self, id: usize) -> bool {
        !matches!(self.units[id].origin, Origin::Std { .. })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::io("read", path))
}

fn origin_of(rlib: &Path) -> Origin {
    match invocation::record_of_rlib(rlib) {
        Some(record) if record.exists() => Origin::Dependency {
            rlib: rlib.to_owned(),
            record,
        },
        _ if is_in_sysroot(rlib) => Origin::Std {
            rlib: rlib.to_owned(),
        },
        _ => Origin::Foreign,
    }
}

fn is_in_sysroot(rlib: &Path) -> bool {
    rlib.components().any(|part| part.as_os_str() == "rustlib")
}
