//! What `cargo enzyme doctor` compiles, runs and compares: it stands alone, so that no package has to be found.
//! Prints a line for each derivative: its name, what came out, what should have.

use std::arch::asm;
use std::mem::MaybeUninit;

type Entry<A, C, R> = unsafe extern "C-unwind" fn(*mut A, *mut A, *mut C, *mut R, *mut R);

unsafe extern "C-unwind" fn shim<F: Fn(A, C) -> R, A, C, R>(a: *const A, c: *const C, r: *mut R) {
    unsafe {
        let primal = std::ptr::dangling::<F>().read();
        r.write(primal(a.read(), c.read()));
    }
}

#[inline(never)]
fn entry<const CODE: u32, F: Fn(A, C) -> R, A, C, R>(_: &F) -> Entry<A, C, R> {
    let address: *const ();
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("lea {address}, [rip + __enzyme_derivative_{code}_{shim}]",
            address = out(reg) address, code = const CODE, shim = sym shim::<F, A, C, R>, options(pure, nomem, nostack));
        #[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
        asm!("adrp {address}, __enzyme_derivative_{code}_{shim}",
            "add {address}, {address}, :lo12:__enzyme_derivative_{code}_{shim}",
            address = out(reg) address, code = const CODE, shim = sym shim::<F, A, C, R>, options(pure, nomem, nostack));
        #[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
        asm!("adrp {address}, __enzyme_derivative_{code}_{shim}@PAGE",
            "add {address}, {address}, __enzyme_derivative_{code}_{shim}@PAGEOFF",
            address = out(reg) address, code = const CODE, shim = sym shim::<F, A, C, R>, options(pure, nomem, nostack));
        std::mem::transmute(address)
    }
}

/// The crate `oxide-enzyme` finds out here which memory a primal gave away. These give none away: the list stays as it is.
#[unsafe(no_mangle)]
extern "C" fn __oxide_enzyme_settle(list: *mut ()) -> *mut () {
    list
}

/// Runs the derivative of `f` at `a`; `da` holds tangents (forward) or receives gradients (reverse).
fn run<const CODE: u32, F: Fn(A, ()) -> R, A: Copy, R>(f: F, mut a: A, mut da: A, mut dr: R) -> (A, R) {
    let mut r = MaybeUninit::<R>::uninit();
    unsafe { entry::<CODE, F, A, (), R>(&f)(&mut a, &mut da, &mut (), r.as_mut_ptr(), &mut dr) };
    (da, dr)
}

fn wave(x: f64) -> f64 {
    x.sin() * (2.0 * x).exp()
}

fn wave32(x: f32) -> f32 {
    x.sin() * (2.0 * x).exp()
}

/// Needs the allocator, a vector that grows, and copies of it.
fn growing(x: f64) -> f64 {
    let mut powers = Vec::new();
    let mut power = x;
    for _ in 0..10 {
        powers.push(power);
        power *= x;
    }
    powers.iter().sum()
}

fn main() {
    let x = 0.3f64;
    let slope = (2.0 * x).exp() * (x.cos() + 2.0 * x.sin());
    println!("reverse f64 {} {slope}", run::<111, _, _, _>(|x, ()| wave(x), x, 0.0, 1.0).0);
    println!("forward f64 {} {slope}", run::<112, _, _, _>(|x, ()| wave(x), x, 1.0, 0.0).1);
    println!("reverse f32 {} {slope}", run::<111, _, _, _>(|x, ()| wave32(x), x as f32, 0.0, 1.0).0);
    println!("forward f32 {} {slope}", run::<112, _, _, _>(|x, ()| wave32(x), x as f32, 1.0, 0.0).1);
    let slope: f64 = (1..=10).map(|n| f64::from(n) * x.powi(n - 1)).sum();
    println!("reverse Vec {} {slope}", run::<111, _, _, _>(|x, ()| growing(x), x, 0.0, 1.0).0);
    println!("forward Vec {} {slope}", run::<112, _, _, _>(|x, ()| growing(x), x, 1.0, 0.0).1);
}
