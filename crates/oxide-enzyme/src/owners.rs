//! Memory that `&mut` arguments own, in reverse mode.
//!
//! Enzyme releases what a primal allocates when the way back is done, and takes it that nothing of it stays behind. A primal that
//! puts a new list or box into an argument keeps it (see `settle.rs`), but its shadow is left pointing at released memory, and
//! has no seed. What shadows owned before the call is never released by it. So their bytes are kept before the call: a shadow gets
//! its own back, with the gradient in the lists that it had. Where the primal owns something new, the derivative panics.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use crate::check::Spare;
use crate::rule::inactive;
use crate::shadow::{Place, Shadow};

/// Is told of a place, and says whether to go on into memory.
type Note<'n> = &'n mut dyn FnMut(Place) -> bool;

/// What arguments owned and what shadows were before the call. A pointer alone, since derivatives of derivatives see it.
pub struct Kept<'k>(Option<Box<All<'k>>>);

#[derive(Default)]
struct All<'k> {
    /// The addresses of what the arguments own.
    owned: Vec<usize>,
    primals: Vec<Primal<'k>>,
    shadows: Vec<Bytes>,
}

struct Primal<'k> {
    name: &'static str,
    /// Goes through the places of the value as it is.
    places: Box<dyn Fn(Note<'_>) + 'k>,
}

/// Bytes of values that own memory, and where among them floats are, which stay.
#[derive(Default)]
struct Bytes {
    runs: Vec<(*mut u8, Box<[MaybeUninit<u8>]>)>,
    floats: Vec<(*mut u8, usize)>,
}

impl Bytes {
    fn note(&mut self, place: Place) {
        match place {
            Place::Bytes(start, size) => {
                // SAFETY: a value is there, which a derivative has by `&mut`.
                let bytes = unsafe { core::slice::from_raw_parts(start.cast(), size) };
                self.runs.push((start, bytes.into()));
            }
            Place::Float(start, size) => self.floats.push((start, size)),
            Place::Owned(_) => {}
        }
    }

    /// # Safety
    /// What was noted must still be allocated, and not in use.
    unsafe fn put_back(&self) {
        let floats: Vec<[MaybeUninit<u8>; 8]> = self
            .floats
            .iter()
            .map(|float| {
                let mut now = [MaybeUninit::uninit(); 8];
                // SAFETY: this function's contract; a float has at most eight bytes.
                unsafe {
                    now.as_mut_ptr()
                        .copy_from_nonoverlapping(float.0.cast(), float.1)
                };
                now
            })
            .collect();
        for (start, bytes) in &self.runs {
            // SAFETY: this function's contract.
            unsafe {
                start
                    .cast::<MaybeUninit<u8>>()
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
            };
        }
        for ((start, size), now) in self.floats.iter().zip(floats) {
            // SAFETY: this function's contract.
            unsafe {
                start
                    .cast::<MaybeUninit<u8>>()
                    .copy_from_nonoverlapping(now.as_ptr(), *size)
            };
        }
    }
}

impl<'k> Kept<'k> {
    /// Nothing yet.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Kept(None)
    }

    /// Keeps what an argument owns.
    pub(crate) fn argument<T: Shadow + ?Sized + 'k>(&mut self, value: &mut T, name: &'static str) {
        if T::OWNS {
            let value = &raw mut *value;
            inactive(move || self.all().keep(name, move |note| places(value, note)));
        }
    }

    /// Keeps what a shadow owns.
    pub(crate) fn shadow<T: Shadow + ?Sized>(&mut self, value: &mut T) {
        if T::OWNS {
            let value = &raw mut *value;
            inactive(move || self.all().keep_shadow(|note| places(value, note)));
        }
    }

    fn all(&mut self) -> &mut All<'k> {
        self.0.get_or_insert_default()
    }

    /// Gives shadows their own memory back; panics if an argument owns memory that it did not own before.
    ///
    /// The derivative is done with arguments and shadows, of which this has pointers.
    #[track_caller]
    pub fn put_back(self, derivative: &str) {
        if let Some(all) = self.0
            && let Some(argument) = inactive(move || all.put_back())
        {
            has_other_memory(derivative, argument);
        }
    }
}

impl<'k> All<'k> {
    fn keep(&mut self, name: &'static str, places: impl Fn(Note<'_>) + 'k) {
        places(&mut |place| {
            if let Place::Owned(address) = place {
                self.owned.push(address);
            }
            true
        });
        self.primals.push(Primal {
            name,
            places: Box::new(places),
        });
    }

    fn keep_shadow(&mut self, places: impl Fn(Note<'_>)) {
        let mut bytes = Bytes::default();
        places(&mut |place| {
            bytes.note(place);
            true
        });
        self.shadows.push(bytes);
    }

    /// The name of an argument that owns other memory than before, if there is one.
    fn put_back(mut self) -> Option<&'static str> {
        self.owned.sort_unstable();
        for bytes in &self.shadows {
            // SAFETY: what was noted is in memory of the caller, or owned from there by a shadow, which a derivative does not
            // release.
            unsafe { bytes.put_back() };
        }
        let mut primals = self.primals.iter();
        let replaced = primals.find(|primal| primal.owns_other(&self.owned))?;
        Some(replaced.name)
    }
}

impl Primal<'_> {
    fn owns_other(&self, owned: &[usize]) -> bool {
        let mut other = false;
        (self.places)(&mut |place| match place {
            Place::Owned(address) => {
                let known = owned.binary_search(&address).is_ok();
                other |= !known;
                known
            }
            _ => true,
        });
        other
    }
}

#[cold]
#[track_caller]
fn has_other_memory(derivative: &str, argument: &str) -> ! {
    panic!(
        "`{derivative}`: the function gave argument `{argument}` new memory: a list or box in it was replaced, or grew beyond its \
         capacity. In reverse mode it must stay where it is: write into it (`copy_from_slice`), or reserve capacity before the \
         call, for the shadow too"
    )
}

/// All places of a value, its own first. The value must be there: before the derivative and after it.
fn places<T: Shadow + ?Sized>(value: *mut T, note: Note<'_>) {
    // SAFETY: it is there, and nobody else uses it then.
    let value = unsafe { &mut *value };
    note(Place::of(value));
    value.places(note);
}

/// The same of a list whose elements cannot be looked into.
fn list_places<T>(list: *mut Vec<T>, note: Note<'_>) {
    // SAFETY: as above.
    let list = unsafe { &mut *list };
    note(Place::of(list));
    Place::note_list(list, note);
}

/// Keeps what an argument owns, which has a name, or a shadow. The macros write `(&mut Spare(&mut *x)).keep(...)`, see
/// [`Spare`].
pub trait DeepKeep<'k> {
    /// At any depth.
    fn keep(self, kept: &mut Kept<'k>, name: Option<&'static str>);
}

impl<'k, T: Shadow + ?Sized + 'k> DeepKeep<'k> for &mut Spare<'_, T> {
    fn keep(self, kept: &mut Kept<'k>, name: Option<&'static str>) {
        match name {
            Some(name) => kept.argument(self.0, name),
            None => kept.shadow(self.0),
        }
    }
}

/// For a list whose elements cannot be looked into.
pub trait ShallowKeep<'k> {
    /// The list itself.
    fn keep(self, kept: &mut Kept<'k>, name: Option<&'static str>);
}

impl<'k, T: 'k> ShallowKeep<'k> for &mut &mut Spare<'_, Vec<T>> {
    fn keep(self, kept: &mut Kept<'k>, name: Option<&'static str>) {
        let list = &raw mut *self.0;
        inactive(move || match name {
            Some(name) => kept.all().keep(name, move |note| list_places(list, note)),
            None => kept.all().keep_shadow(|note| list_places(list, note)),
        });
    }
}

/// For all other types.
pub trait NoKeep<'k> {
    /// Nothing is known of it.
    fn keep(&self, _: &mut Kept<'k>, _: Option<&'static str>) {}
}

impl<T: ?Sized> NoKeep<'_> for Spare<'_, T> {}
