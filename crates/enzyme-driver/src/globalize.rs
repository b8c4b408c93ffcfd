//! Makes a local symbol of a native object visible to the linker.
//!
//! rustc makes a static or a function internal to the object that alone uses it, but a derivative's object must share its
//! storage, or know its address. The object's symbol table is rewritten at the end of the file with one more symbol: the same
//! address, global but hidden, so that it does not leave the program. Everything else stays byte for byte.
//!
//! Layout after the System V ABI, chapter 4 ("Sections", "String Table" and "Symbol Table").

use object::elf::{self, FileHeader64, SectionHeader64, Sym64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, U16, U32, U64, pod};

type Endian = Endianness;

/// The object with one more, global symbol `alias` for its local symbol `name`; `None` if it has no such local symbol (or is
/// no 64-bit ELF object).
pub fn globalize(bytes: &[u8], name: &str, alias: &str) -> Option<Vec<u8>> {
    let header = FileHeader64::<Endian>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, bytes).ok()?;
    let (number, table) = sections
        .iter()
        .enumerate()
        .find(|(_, s)| s.sh_type(endian) == elf::SHT_SYMTAB)?;
    let strings_number = usize::try_from(table.sh_link(endian)).ok()?;
    let strings = sections
        .iter()
        .nth(strings_number)?
        .data(endian, bytes)
        .ok()?;
    let symbols: &[Sym64<Endian>] = table.data_as_array(endian, bytes).ok()?;
    let local = symbols
        .iter()
        .find(|symbol| is_local_definition(symbol, endian, strings, name))?;

    let mut out = bytes.to_vec();
    let alias_at = u32::try_from(strings.len()).ok()?;
    let new_strings = [strings, alias.as_bytes(), b"\0"].concat();
    let symbol = visible(local, alias_at, endian);
    let new_table = [table.data(endian, bytes).ok()?, pod::bytes_of(&symbol)].concat();
    for (number, data) in [(strings_number, new_strings), (number, new_table)] {
        let offset = out.len().next_multiple_of(8);
        out.resize(offset, 0);
        out.extend_from_slice(&data);
        let at = header.e_shoff(endian) as usize + number * size_of::<SectionHeader64<Endian>>();
        let (section, _) = pod::from_bytes_mut::<SectionHeader64<Endian>>(&mut out[at..]).ok()?;
        section.sh_offset = U64::new(endian, offset as u64);
        section.sh_size = U64::new(endian, data.len() as u64);
    }
    Some(out)
}

fn is_local_definition(symbol: &Sym64<Endian>, endian: Endian, strings: &[u8], name: &str) -> bool {
    let is_local =
        symbol.st_bind() == elf::STB_LOCAL && symbol.st_shndx.get(endian) != elf::SHN_UNDEF;
    let start = symbol.st_name.get(endian) as usize;
    let text = strings.get(start..).unwrap_or_default();
    is_local && text.get(..name.len()) == Some(name.as_bytes()) && text.get(name.len()) == Some(&0)
}

fn visible(local: &Sym64<Endian>, name: u32, endian: Endian) -> Sym64<Endian> {
    Sym64 {
        st_name: U32::new(endian, name),
        st_info: elf::SymbolInfo::new(elf::STB_GLOBAL, local.st_type()),
        st_other: elf::STV_HIDDEN.into(),
        st_shndx: U16::new(endian, local.st_shndx.get(endian)),
        st_value: U64::new(endian, local.st_value.get(endian)),
        st_size: U64::new(endian, local.st_size.get(endian)),
    }
}
