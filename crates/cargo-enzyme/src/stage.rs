//! The same program in its other parts: cargo runs it as rustc's wrapper, rustc as the linker. The name it is called by
//! tells.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use enzyme_driver::{link, links, process, wrapper};

/// Runs the stage that this process was started as; `None` for an ordinary command line.
pub fn run() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next()?;
    let name = Path::new(&name);
    let arguments: Vec<OsString> = arguments.collect();
    if name.file_name() == Some(OsStr::new(links::WRAPPER)) {
        return Some(finish(wrapper::run(&arguments)));
    }
    let folder = name.parent().and_then(Path::file_name);
    if folder == Some(OsStr::new(links::LINKER_DIRECTORY))
        && std::env::var_os(link::RECORD).is_some()
    {
        // Without a handler, working directories of what is being made would stay behind.
        let _ = ctrlc::set_handler(process::interrupt);
        let result = link::run(&arguments);
        if let Err(error) = &result {
            link::report_error(error);
        }
        return Some(finish(result));
    }
    None
}

fn finish(result: Result<i32, enzyme_driver::Error>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
