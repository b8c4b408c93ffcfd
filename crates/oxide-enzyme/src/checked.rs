//! Checked mode: each call of a derivative is compared with finite differences of its primal.
//!
//! The macros use this only under `cargo enzyme ... --check-gradients`, and only then is it compiled. Copies of the arguments
//! are moved along a direction, the primal is run on them, and the change of a weighted sum of all that it gives is held
//! against what the derivative says. The program's own data are not touched.

use std::boxed::Box;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::string::{String, ToString};
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;
use std::{cell::Cell, eprintln, format, thread_local};

use crate::shadow::{Float, Shadow};

/// Runs a part of a check. The driver knows this function by name: a derivative of a derivative does not check the inner one.
#[inline(never)]
pub fn aside(part: impl FnOnce()) {
    part();
}

/// The relative error that is allowed, unless [`TOLERANCE`] says otherwise: in double and in single precision.
const TOLERANCES: [f64; 2] = [1e-5, 1e-2];
/// How much of the direction is gone, from the largest step to the smallest, in double and in single precision.
const STEPS: [[f64; 5]; 2] = [
    [1e-3, 1e-4, 1e-5, 1e-6, 1e-7],
    [1e-1, 3e-2, 1e-2, 3e-3, 1e-3],
];

/// Run-time setting: the tolerance.
const TOLERANCE: &str = "OXIDE_ENZYME_CHECK_TOLERANCE";
/// Run-time setting: names of derivatives that are not checked, with commas between.
const UNCHECKED: &str = "OXIDE_ENZYME_UNCHECKED";

/// A copy of an argument, a shadow or a result, whose floats can be read and moved.
pub trait Store {
    /// Goes through all floats.
    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>));
    /// Whether it could be copied.
    fn is_there(&self) -> bool {
        true
    }
}

/// Something to copy. Method resolution takes the first that fits: [`CopyDeep`], [`CopyList`], [`CopyNot`].
pub struct Source<'a, T: ?Sized>(pub &'a T);

/// A copy of a value.
pub struct Deep<T>(Option<T>);

impl<T: Shadow> Deep<T> {
    /// The value, to be passed by reference.
    pub fn place(&mut self) -> &mut T {
        self.0.as_mut().expect("is there")
    }

    /// The value, to be passed as it is.
    pub fn value(&mut self) -> T {
        T::duplicate(self.place())
    }

    /// Another copy.
    pub fn again(&self) -> Self {
        Deep(self.0.as_ref().map(Shadow::duplicate))
    }
}

impl<T: Shadow> Store for Deep<T> {
    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
        self.place().floats(visit);
    }
    fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// A copy of a slice.
pub struct List<T>(Option<Vec<T>>);

impl<T: Shadow> List<T> {
    /// The slice.
    pub fn place(&mut self) -> &mut [T] {
        self.0.as_mut().expect("is there")
    }

    /// Another copy.
    pub fn again(&self) -> Self {
        List(
            self.0
                .as_ref()
                .map(|list| list.iter().map(Shadow::duplicate).collect()),
        )
    }
}

impl<T: Shadow> Store for List<T> {
    fn floats(&mut self, visit: &mut dyn FnMut(Float<'_>)) {
        self.place().floats(visit);
    }
    fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// Stands for what cannot be copied.
pub struct Absent<T: ?Sized>(core::marker::PhantomData<T>);

impl<T: ?Sized> Absent<T> {
    /// Never called: a check without all copies is not made.
    pub fn place(&mut self) -> &mut T {
        unreachable!("a check without copies")
    }

    /// Never called.
    pub fn value(&mut self) -> T
    where
        T: Sized,
    {
        unreachable!("a check without copies")
    }

    /// Another one.
    pub fn again(&self) -> Self {
        Absent(core::marker::PhantomData)
    }
}

impl<T: ?Sized> Store for Absent<T> {
    fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
    fn is_there(&self) -> bool {
        false
    }
}

/// Copies what is [`Shadow`].
pub trait CopyDeep<T> {
    /// The copy.
    fn store(&self) -> Deep<T>;
}

impl<T: Shadow> CopyDeep<T> for &&Source<'_, T> {
    fn store(&self) -> Deep<T> {
        Deep(T::OWNED.then(|| self.0.duplicate()))
    }
}

/// Copies slices.
pub trait CopyList<T> {
    /// The copy.
    fn store(&self) -> List<T>;
}

impl<T: Shadow> CopyList<T> for &Source<'_, [T]> {
    fn store(&self) -> List<T> {
        List(T::OWNED.then(|| self.0.iter().map(Shadow::duplicate).collect()))
    }
}

/// Copies nothing.
pub trait CopyNot<T: ?Sized> {
    /// No copy.
    fn store(&self) -> Absent<T>;
}

impl<T: ?Sized> CopyNot<T> for Source<'_, T> {
    fn store(&self) -> Absent<T> {
        Absent(core::marker::PhantomData)
    }
}

/// A constant argument, for as many runs as needed. Only of what owns nothing.
pub struct Bits<T>(Option<core::mem::ManuallyDrop<T>>);

impl<T> Bits<T> {
    /// Of an argument that stays alive until the check is over.
    pub fn of(value: &T) -> Self {
        // SAFETY: it owns nothing that could be released twice, and the copies are used one after another.
        Bits(
            (!core::mem::needs_drop::<T>())
                .then(|| unsafe { core::ptr::read((value as *const T).cast()) }),
        )
    }

    /// The argument.
    pub fn value(&self) -> T {
        let place: *const core::mem::ManuallyDrop<T> = self.0.as_ref().expect("is there");
        // SAFETY: as above.
        unsafe { core::ptr::read(place.cast()) }
    }
}

impl<T> Store for Bits<T> {
    fn floats(&mut self, _: &mut dyn FnMut(Float<'_>)) {}
    fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// A shadow that the derivative takes, to be looked at when it is done.
pub struct Later<T: ?Sized>(*const T);

impl<T: ?Sized> Later<T> {
    /// Of a shadow that outlives the derivative, as all that come by reference do.
    pub fn of(value: &T) -> Self {
        Later(value)
    }

    /// The shadow. The macros call this when the derivative has returned.
    pub fn get(&self) -> &T {
        // SAFETY: it outlives the derivative's caller, and nobody else uses it at this moment.
        unsafe { &*self.0 }
    }
}

/// The floats of copies, and whether one of them is in single precision.
fn all(stores: &mut [&mut dyn Store]) -> (Vec<f64>, bool) {
    let (mut list, mut single) = (Vec::new(), false);
    for store in stores {
        store.floats(&mut |float| {
            single |= matches!(float, Float::Single(_));
            list.push(float.get());
        });
    }
    (list, single)
}

/// Floats in the order of the arguments.
pub fn floats(stores: &mut [&mut dyn Store]) -> Vec<f64> {
    all(stores).0
}

/// What the derivative added to shadows.
pub fn added(after: Vec<f64>, before: &[f64]) -> Vec<f64> {
    after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect()
}

thread_local! {
    /// Whether a check is going on, or the program wants none: derivatives that a primal calls are not checked again.
    static OFF: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` without checks.
pub fn off<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            OFF.set(self.0);
        }
    }
    let _restore = Restore(OFF.replace(true));
    work()
}

/// Moves copies of the arguments that are differentiated, and runs the primal on them: the results go to the second.
pub type Evaluate<'a> =
    dyn FnMut(&mut dyn FnMut(&mut [&mut dyn Store]), &mut dyn FnMut(&mut [&mut dyn Store])) + 'a;

/// A call of a derivative.
pub struct Call {
    name: &'static str,
    mode: &'static str,
    place: &'static Location<'static>,
}

impl Call {
    /// The derivative `name`, called at `place`; `None` if it is not to be checked.
    pub fn new(
        name: &'static str,
        mode: &'static str,
        place: &'static Location<'static>,
    ) -> Option<Call> {
        let unchecked = || {
            std::env::var(UNCHECKED).is_ok_and(|list| {
                list.split(',')
                    .any(|n| name == n || name.ends_with(&format!("::{n}")))
            })
        };
        (!OFF.get() && !unchecked()).then_some(Call { name, mode, place })
    }

    /// Whether all copies are there; if not, that is noted.
    pub fn can(&self, stores: &[&dyn Store]) -> bool {
        let can = stores.iter().all(|store| store.is_there());
        if !can {
            self.note(|record| record.skipped += 1);
        }
        can
    }

    /// Reverse mode: a gradient, by the weights (seeds) of all that the primal gives.
    pub fn reverse(&self, gradient: &[f64], weights: &[f64], evaluate: &mut Evaluate<'_>) {
        let mut random = Random(self.seed());
        let mut inputs = Vec::new();
        evaluate(&mut |stores| inputs = floats(stores), &mut |_| {});
        let direction: Vec<f64> = inputs
            .iter()
            .map(|x| random.sign() * x.abs().max(1e-2))
            .collect();
        if direction.len() != gradient.len() {
            return self.note(|record| record.reshaped += 1);
        }
        let slope = dot(gradient, &direction);
        self.compare(
            &direction,
            weights,
            slope,
            dot_of_magnitudes(gradient, &direction),
            evaluate,
        );
    }

    /// Forward mode: tangents of all that the primal gives, by those of its arguments.
    pub fn forward(&self, direction: &[f64], tangents: &[f64], evaluate: &mut Evaluate<'_>) {
        let mut random = Random(self.seed());
        let weights: Vec<f64> = tangents.iter().map(|_| random.sign()).collect();
        let slope = dot(&weights, tangents);
        self.compare(
            direction,
            &weights,
            slope,
            dot_of_magnitudes(&weights, tangents),
            evaluate,
        );
    }

    fn seed(&self) -> u64 {
        let mut calls = 0;
        self.note(|record| calls = record.calls);
        calls.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.name.len() as u64
    }

    fn compare(
        &self,
        direction: &[f64],
        weights: &[f64],
        slope: f64,
        size: f64,
        evaluate: &mut Evaluate<'_>,
    ) {
        let mut differences = Differences {
            direction,
            weights,
            evaluate,
            single: false,
            reshaped: false,
            magnitude: 0.0,
        };
        let found = catch_unwind(AssertUnwindSafe(|| off(|| differences.slope())));
        let single = differences.single;
        if differences.reshaped {
            return self.note(|record| record.reshaped += 1);
        }
        let tolerance = std::env::var(TOLERANCE)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(TOLERANCES[usize::from(single)]);
        let verdict = match found {
            Ok(Some(estimate)) => estimate.judge(slope, size, tolerance),
            // The primal panicked near by, or gave what is no number.
            Ok(None) | Err(_) => Verdict::Inconclusive,
        };
        match verdict {
            Verdict::Right { error } => self.note(|record| {
                record.checked += 1;
                if error >= record.worst {
                    record.worst = error;
                    record.place = self.place.to_string();
                }
            }),
            Verdict::Inconclusive => self.note(|record| record.inconclusive += 1),
            Verdict::Wrong {
                expected,
                step,
                error,
            } => {
                self.note(|record| record.wrong += 1);
                panic!(
                    "gradient check: the {} derivative `{}`, called at {}, is off: along a direction it says {slope:e}, finite \
                     differences of its primal say {expected:e} (step {step:e}); relative error {error:.1e}, tolerance \
                     {tolerance:.0e}\n  help: a primal that changes statics or reads other input each time cannot be checked: \
                     set {UNCHECKED}={}, or call it inside of `oxide_enzyme::unchecked`",
                    self.mode, self.name, self.place, self.name,
                )
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut Record)) {
        let mut report = REPORT.lock().unwrap_or_else(PoisonError::into_inner);
        if report.is_empty() {
            print_at_exit();
        }
        let record = report.entry((self.name, self.mode)).or_default();
        record.calls += 1;
        change(record);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn dot_of_magnitudes(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum()
}

/// Signs at random, the same in each run of the program.
struct Random(u64);

impl Random {
    fn sign(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let size = 0.5 + (self.0 >> 40) as f64 / (1u64 << 25) as f64;
        if self.0 >> 63 == 0 { size } else { -size }
    }
}

struct Differences<'a, 'e> {
    direction: &'a [f64],
    weights: &'a [f64],
    evaluate: &'a mut Evaluate<'e>,
    single: bool,
    /// Whether the primal gives another number of floats than its shadows have.
    reshaped: bool,
    /// Of what is summed, by which rounding is judged.
    magnitude: f64,
}

/// A slope by differences.
struct Estimate {
    slope: f64,
    /// The slopes to either side.
    sides: [f64; 2],
    /// How far off it may be.
    doubt: f64,
    step: f64,
}

enum Verdict {
    Right {
        error: f64,
    },
    Wrong {
        expected: f64,
        step: f64,
        error: f64,
    },
    Inconclusive,
}

impl Differences<'_, '_> {
    /// The weighted sum of all results, with the arguments moved by `step` times the direction.
    fn at(&mut self, step: f64) -> f64 {
        let (direction, weights) = (self.direction, self.weights);
        let (mut single, mut sum, mut magnitude) = (false, 0.0, 0.0);
        (self.evaluate)(
            &mut |stores| {
                let mut direction = direction.iter();
                for store in stores {
                    store.floats(&mut |float| {
                        single |= matches!(float, Float::Single(_));
                        float.add(step * direction.next().copied().unwrap_or(0.0));
                    });
                }
            },
            &mut |stores| {
                let (results, is_single) = all(stores);
                self.single |= is_single;
                self.reshaped |= results.len() != weights.len();
                sum = dot(&results, weights);
                magnitude = dot_of_magnitudes(&results, weights);
            },
        );
        self.single |= single;
        self.magnitude = self.magnitude.max(magnitude);
        sum
    }

    /// The slope with the step that leaves least doubt.
    fn slope(&mut self) -> Option<Estimate> {
        let here = self.at(0.0);
        let precision = f64::from(if self.single { f32::EPSILON } else { 0.0 }) + f64::EPSILON;
        let mut best: Option<Estimate> = None;
        let mut last: Option<f64> = None;
        for step in STEPS[usize::from(self.single)] {
            let (up, down) = (self.at(step), self.at(-step));
            let slope = (up - down) / (2.0 * step);
            let noise = 8.0 * precision * self.magnitude / step;
            let sides = [(here - down) / step, (up - here) / step];
            if let Some(last) = last {
                let doubt = (slope - last).abs() + noise;
                if best.as_ref().is_none_or(|best| doubt < best.doubt) {
                    best = Some(Estimate {
                        slope,
                        sides,
                        doubt,
                        step,
                    });
                }
            }
            last = Some(slope);
        }
        best.filter(|best| best.slope.is_finite() && best.doubt.is_finite())
    }
}

impl Estimate {
    /// Holds a derivative's word for the slope against the estimate. `size` is the sum of the magnitudes of its terms.
    fn judge(&self, claimed: f64, size: f64, tolerance: f64) -> Verdict {
        let scale = self
            .slope
            .abs()
            .max(claimed.abs())
            .max(1e-3 * size)
            .max(f64::MIN_POSITIVE);
        let off = (self.slope - claimed).abs();
        let error = off / scale;
        if error <= tolerance {
            return Verdict::Right { error };
        }
        let [left, right] = self.sides;
        let slack = tolerance * scale + 2.0 * self.doubt;
        let between = claimed >= left.min(right) - slack && claimed <= left.max(right) + slack;
        if off <= 4.0 * self.doubt
            || between
            || self.doubt > 0.1 * scale
            || claimed.is_nan() && self.slope.is_nan()
        {
            return Verdict::Inconclusive;
        }
        Verdict::Wrong {
            expected: self.slope,
            step: self.step,
            error,
        }
    }
}

#[derive(Default)]
struct Record {
    calls: u64,
    checked: u64,
    inconclusive: u64,
    skipped: u64,
    reshaped: u64,
    wrong: u64,
    worst: f64,
    place: String,
}

static REPORT: Mutex<BTreeMap<(&'static str, &'static str), Record>> = Mutex::new(BTreeMap::new());

fn print_at_exit() {
    unsafe extern "C" {
        fn atexit(work: extern "C" fn()) -> core::ffi::c_int;
    }
    // SAFETY: `print` may be called at any time, once the program is at its end.
    let _ = unsafe { atexit(print) };
}

extern "C" fn print() {
    let _ = catch_unwind(|| {
        let report = REPORT.lock().unwrap_or_else(PoisonError::into_inner);
        for ((name, mode), record) in report.iter() {
            let mut parts: Vec<Box<str>> = Vec::new();
            if record.checked > 0 {
                parts.push(
                    format!(
                        "{} right, worst relative error {:.1e} (called at {})",
                        record.checked, record.worst, record.place
                    )
                    .into(),
                );
            }
            for (count, what) in [
                (record.wrong, "WRONG"),
                (
                    record.inconclusive,
                    "inconclusive: not smooth there, or too noisy",
                ),
                (record.reshaped, "not checked: an argument's length changed"),
                (
                    record.skipped,
                    "not checked: an argument's type is not `Shadow`, is boxed, or borrows",
                ),
            ] {
                if count > 0 {
                    parts.push(format!("{count} {what}").into());
                }
            }
            eprintln!("gradient check: `{name}` ({mode}): {}", parts.join("; "));
        }
    });
}
