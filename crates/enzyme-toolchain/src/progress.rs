//! How long work tells what it is doing, and learns that it should stop.

use crate::error::{Error, Result};

/// A kind of work on one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Fetching an artifact.
    Download,
    /// Hashing a file.
    Verify,
    /// Taking files out of an archive.
    Unpack,
    /// Writing a bundle.
    Pack,
}

/// Receives progress, from several threads at once. `done == total` ends an item.
pub trait Progress: Sync {
    /// `done` of `total` bytes of `item` are through `phase`.
    fn update(&self, phase: Phase, item: &str, done: u64, total: u64);

    /// A line worth showing once.
    fn note(&self, message: &str);

    /// Whether the user wants to stop; asked several times a second.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _: Phase, _: &str, _: u64, _: u64) {}
    fn note(&self, _: &str) {}
}

/// Shows nothing, but stops when the one inside does.
pub(crate) struct Unseen<'a>(pub &'a dyn Progress);

impl Progress for Unseen<'_> {
    fn update(&self, _: Phase, _: &str, _: u64, _: u64) {}
    fn note(&self, _: &str) {}
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// Counts the bytes of one item in one phase.
pub(crate) struct Meter<'a> {
    progress: &'a dyn Progress,
    phase: Phase,
    item: &'a str,
    done: u64,
    total: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(progress: &'a dyn Progress, phase: Phase, item: &'a str, total: u64) -> Self {
        progress.update(phase, item, 0, total);
        Meter {
            progress,
            phase,
            item,
            done: 0,
            total,
        }
    }

    /// `bytes` more are done.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<()> {
        self.set(self.done + bytes)
    }

    /// `done` bytes are done in all. The end is told by [`Meter::finish`] alone, so that it is told once.
    pub(crate) fn set(&mut self, done: u64) -> Result<()> {
        if self.progress.cancelled() {
            return Err(Error::Interrupted);
        }
        self.done = done;
        if done < self.total {
            self.progress
                .update(self.phase, self.item, done, self.total);
        }
        Ok(())
    }

    pub(crate) fn finish(self) {
        self.progress
            .update(self.phase, self.item, self.total, self.total);
    }
}
