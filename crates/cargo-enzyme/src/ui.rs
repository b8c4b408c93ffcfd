//! How long work shows itself: bars on a terminal, plain lines elsewhere, nothing with `--quiet`.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use enzyme_toolchain::{Error, Phase, Progress};
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};

/// The shell's exit status for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

static INTERRUPT: AtomicBool = AtomicBool::new(false);
static WORKING: AtomicUsize = AtomicUsize::new(0);
static HANDLER: Once = Once::new();

/// Shows progress on standard error. While one exists, Ctrl-C asks the work to stop and clean up.
pub struct Ui {
    style: Style,
}

enum Style {
    Quiet,
    Lines(Mutex<HashMap<(Phase, String), u64>>),
    Bars(MultiProgress, Mutex<HashMap<(Phase, String), ProgressBar>>),
}

impl Ui {
    /// Chooses the style, and takes over Ctrl-C for as long as the value lives.
    pub fn new(quiet: bool) -> Ui {
        HANDLER.call_once(|| {
            // Without a handler Ctrl-C ends the program at once; what it leaves, the next setup clears.
            let _ = ctrlc::set_handler(interrupt);
        });
        WORKING.fetch_add(1, Ordering::SeqCst);
        let style = if quiet {
            Style::Quiet
        } else if std::io::stderr().is_terminal() {
            Style::Bars(MultiProgress::new(), Mutex::default())
        } else {
            Style::Lines(Mutex::default())
        };
        Ui { style }
    }

    /// A line for people; not with `--quiet`.
    pub fn say(&self, message: &str) {
        match &self.style {
            Style::Quiet => {}
            Style::Lines(_) => eprintln!("{message}"),
            Style::Bars(bars, _) => bars.suspend(|| eprintln!("{message}")),
        }
    }
}

impl Drop for Ui {
    fn drop(&mut self) {
        WORKING.fetch_sub(1, Ordering::SeqCst);
        if let Style::Bars(bars, _) = &self.style {
            // The terminal may be gone; there is nothing to do about that here.
            let _ = bars.clear();
        }
    }
}

impl Progress for Ui {
    fn update(&self, phase: Phase, item: &str, done: u64, total: u64) {
        match &self.style {
            Style::Quiet => {}
            Style::Lines(shown) => line(
                &mut shown.lock().unwrap_or_else(PoisonError::into_inner),
                phase,
                item,
                done,
                total,
            ),
            Style::Bars(all, bars) => {
                bar(
                    all,
                    &mut bars.lock().unwrap_or_else(PoisonError::into_inner),
                    phase,
                    item,
                    done,
                    total,
                );
            }
        }
    }

    fn note(&self, message: &str) {
        self.say(message);
    }

    fn cancelled(&self) -> bool {
        INTERRUPT.load(Ordering::SeqCst)
    }
}

/// The first Ctrl-C asks running work to stop; a second one, or one while nothing of ours runs, ends the program.
fn interrupt() {
    if WORKING.load(Ordering::SeqCst) == 0 || INTERRUPT.swap(true, Ordering::SeqCst) {
        std::process::exit(INTERRUPTED.into());
    }
}

/// A line at the start of an item, and for what takes long one at every quarter.
fn line(
    shown: &mut HashMap<(Phase, String), u64>,
    phase: Phase,
    item: &str,
    done: u64,
    total: u64,
) {
    let quarter = (done * 4).checked_div(total).unwrap_or(4);
    let key = (phase, item.to_owned());
    let last = shown.insert(key, quarter);
    match last {
        None => eprintln!("{} {item} ({})", verb(phase), HumanBytes(total)),
        Some(last) if phase == Phase::Download && quarter > last => {
            eprintln!(
                "{} {item} ({} of {})",
                verb(phase),
                HumanBytes(done),
                HumanBytes(total)
            );
        }
        Some(_) => {}
    }
}

fn bar(
    all: &MultiProgress,
    bars: &mut HashMap<(Phase, String), ProgressBar>,
    phase: Phase,
    item: &str,
    done: u64,
    total: u64,
) {
    let bar = bars.entry((phase, item.to_owned())).or_insert_with(|| {
        let template = "{prefix:>11} {msg:40!} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total).with_style(style.progress_chars("=> "));
        all.add(bar.with_prefix(verb(phase)).with_message(item.to_owned()))
    });
    bar.set_position(done);
    if done >= total {
        bar.finish();
    }
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Download => "downloading",
        Phase::Verify => "verifying",
        Phase::Unpack => "unpacking",
        Phase::Pack => "packing",
        _ => "working on",
    }
}

/// Prints an error and gives the exit status for it.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    match error.downcast_ref() {
        Some(Error::Interrupted) => ExitCode::from(INTERRUPTED),
        _ => ExitCode::FAILURE,
    }
}
