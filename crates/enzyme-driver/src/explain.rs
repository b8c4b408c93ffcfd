//! Writes down what the pipeline made of a derivative.

use std::path::{Path, PathBuf};

use crate::closure::Closure;
use crate::derivative::Derivative;
use crate::differentiate;
use crate::engine::{Catalyst, Engine as _, Outcome};
use crate::error::Error;
use crate::files;
use crate::session::Session;

/// Environment variable: part of the path of the functions to explain.
pub const ITEM: &str = "OXIDE_ENZYME_EXPLAIN";
/// Environment variable: the directory to write to, one folder a derivative.
pub const DIRECTORY: &str = "OXIDE_ENZYME_EXPLAIN_DIRECTORY";

/// A folder with a file for each derivative that was not asked for: its path, and that of its primal.
pub const OTHERS: &str = ".others";
/// What it is about.
pub const TITLE: &str = "title.txt";
/// The IR that Enzyme is given.
pub const PRIMAL: &str = "primal.ll";
/// The IR that Enzyme made.
pub const DERIVATIVE: &str = "derivative.ll";
/// What type analysis found.
pub const TYPES: &str = "types.txt";
/// What activity analysis found.
pub const ACTIVITY: &str = "activity.txt";

/// What the user asked to be explained.
pub struct Request {
    item: String,
    directory: PathBuf,
}

impl Request {
    /// From the environment.
    pub fn from_env() -> Option<Request> {
        let item = std::env::var(ITEM).ok()?;
        Some(Request {
            item,
            directory: std::env::var_os(DIRECTORY)?.into(),
        })
    }

    /// Writes down all about the derivative if it is one that was asked for.
    pub fn answer(
        &self,
        session: &Session,
        derivative: &Derivative,
        closure: &Closure,
    ) -> Result<(), Error> {
        let subject = differentiate::subject(closure, derivative);
        let made = differentiate::made_function(closure, derivative);
        let digest = files::digest(&[derivative.symbol.as_bytes()]);
        if !subject.contains(&self.item) && !made.contains(&self.item) {
            let other = self.directory.join(OTHERS).join(&digest[..16]);
            return files::write(&other, format!("{made}\n{subject}\n").as_bytes());
        }
        let name: String = made
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let folder = self.directory.join(format!("{name}-{}", &digest[..8]));
        let work = session.cache.work_dir()?;
        let prepared = differentiate::prepare(
            session,
            derivative,
            closure,
            differentiate::Optimised::Once,
            work.path(),
        )?;
        files::write(&folder.join(PRIMAL), files::read(&prepared)?.as_bytes())?;
        let title = format!(
            "`{made}`: {:?} mode derivative of `{subject}`",
            derivative.mode
        );
        files::write(&folder.join(TITLE), title.as_bytes())?;
        let engine = Catalyst::new(session);
        let said = |option: &str| -> Result<String, Error> {
            let scratch = session.cache.work_dir()?;
            engine.analyse(&prepared, scratch.path(), option)
        };
        files::write(&folder.join(TYPES), said("--enzyme-print-type")?.as_bytes())?;
        files::write(
            &folder.join(ACTIVITY),
            said("--enzyme-print-activity")?.as_bytes(),
        )?;
        files::write(
            &folder.join(DERIVATIVE),
            differentiated(&engine, &prepared, work.path())?.as_bytes(),
        )
    }
}

/// What Enzyme made, or why it made nothing.
fn differentiated(
    engine: &Catalyst<'_>,
    prepared: &Path,
    directory: &Path,
) -> Result<String, Error> {
    match engine.differentiate(prepared, directory)? {
        Outcome::Done(ir) => Ok(ir),
        Outcome::Failed(ended) => Ok(ended.output),
        Outcome::Wrong(finding) => Ok(finding.reason),
    }
}
