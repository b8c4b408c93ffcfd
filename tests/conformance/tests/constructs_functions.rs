//! Constructs of the language: closures, function pointers, traits, generics, items.

conformance::constructs! {
    "closure that captures by reference" closure_reference |x| { let scale = x[0]; let f = |y: F| scale * y * y; f(x[1]) + f(x[3]) } => [x[1].powi(2) + x[3].powi(2), 2.0 * x[0] * x[1], 0.0, 2.0 * x[0] * x[3]];
    "closure that moves" closure_move |x| { let owned = x.to_vec(); let f = move |i: usize| owned[i] * owned[i]; f(0) + f(2) } => [2.0 * x[0], 0.0, 2.0 * x[2], 0.0];
    "`FnMut` closure" closure_mut |x| { let mut s = 0.0; let mut add = |y: F| s += y * y; for x in x { add(*x); } s } => x.map(|x| 2.0 * x);
    "`FnOnce` closure" closure_once |x| { fn run(f: impl FnOnce() -> F) -> F { f() } let b = Box::new(x[0] * x[1]); run(move || *b * x[3]) } => [x[1] * x[3], x[0] * x[3], 0.0, x[0] * x[1]];
    "`impl Fn` argument" impl_fn |x| { fn twice(f: impl Fn(F) -> F, x: F) -> F { f(f(x)) } twice(|y| y * y, x[1]) } => [0.0, 4.0 * x[1].powi(3), 0.0, 0.0];
    "closure that is returned" returned_closure |x| { fn scaled(a: F) -> impl Fn(F) -> F { move |y| a * y } scaled(x[0])(x[3]) } => [x[3], 0.0, 0.0, x[0]];
    "function pointers made inside" function_pointers |x| { let f: [fn(F) -> F; 2] = [F::sin, F::exp]; f[0](x[0]) + f[1](x[1]) } => [x[0].cos(), x[1].exp(), 0.0, 0.0];
    "`dyn Trait` made inside" dyn_trait |x| {
        trait Shape { fn area(&self) -> F; }
        struct Square(F); struct Rectangle(F, F);
        impl Shape for Square { fn area(&self) -> F { self.0 * self.0 } }
        impl Shape for Rectangle { fn area(&self) -> F { self.0 * self.1 } }
        let shapes: [&dyn Shape; 2] = [&Square(x[0]), &Rectangle(x[1], x[3])];
        shapes.iter().map(|s| s.area()).sum()
    } => [2.0 * x[0], x[3], 0.0, x[1]];
    "`Box<dyn Fn>` made inside" box_dyn_fn |x| { let a = x[0]; let f: Box<dyn Fn(F) -> F> = Box::new(move |y| a * y); f(x[3]) } => [x[3], 0.0, 0.0, x[0]];
    "const generics" const_generics |x| { fn dot<const N: usize>(a: [F; N], b: [F; N]) -> F { let mut s = 0.0; for i in 0..N { s += a[i] * b[i]; } s } dot([x[0], x[1]], [x[2], x[3]]) } => [x[2], x[3], x[0], x[1]];
    "lifetimes" lifetimes |x| { fn larger<'a>(a: &'a F, b: &'a F) -> &'a F { if a > b { a } else { b } } larger(&x[1], &x[3]) * larger(&x[0], &x[2]) } => [x[3], 0.0, 0.0, x[0]];
    "`where` clauses and generics" where_clause |x| { fn square<T>(x: T) -> T where T: Copy + Mul<Output = T> { x * x } square(x[2]) } => [0.0, 0.0, 2.0 * x[2], 0.0];
    "static dispatch of traits" static_dispatch |x| {
        trait Act { fn act(&self, x: F) -> F; fn twice(&self, x: F) -> F { self.act(self.act(x)) } }
        struct Square; struct Scale(F);
        impl Act for Square { fn act(&self, x: F) -> F { x * x } }
        impl Act for Scale { fn act(&self, x: F) -> F { self.0 * x } }
        fn run<A: Act>(a: &A, x: F) -> F { a.twice(x) }
        run(&Square, x[0]) + run(&Scale(x[1]), x[3])
    } => [4.0 * x[0].powi(3), 2.0 * x[1] * x[3], 0.0, x[1].powi(2)];
    "associated consts" associated_const |x| { trait K { const K: F; } struct A; struct B; impl K for A { const K: F = 2.0; } impl K for B { const K: F = -3.0; } fn f<T: K>(x: F) -> F { T::K * x } f::<A>(x[0]) + f::<B>(x[1]) } => [2.0, -3.0, 0.0, 0.0];
    "associated types" associated_type |x| { trait Of { type Out; fn of(x: F) -> Self::Out; } struct Pair; impl Of for Pair { type Out = (F, F); fn of(x: F) -> (F, F) { (x, x * x) } } let (a, b) = Pair::of(x[1]); a * b } => [0.0, 3.0 * x[1].powi(2), 0.0, 0.0];
    "overloaded operators" operators |x| {
        #[derive(Clone, Copy)] struct C { re: F, im: F }
        impl Mul for C { type Output = C; fn mul(self, o: C) -> C { C { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re } } }
        impl AddAssign for C { fn add_assign(&mut self, o: C) { self.re += o.re; self.im += o.im; } }
        impl Neg for C { type Output = C; fn neg(self) -> C { C { re: -self.re, im: -self.im } } }
        let (a, b) = (C { re: x[0], im: x[1] }, C { re: x[2], im: x[3] });
        let mut c = a * b; c += -a; c.re
    } => [x[2] - 1.0, -x[3], x[0], -x[1]];
    "`Index` and `IndexMut`" index_trait |x| { struct M([F; 4]); impl Index<(usize, usize)> for M { type Output = F; fn index(&self, i: (usize, usize)) -> &F { &self.0[2 * i.0 + i.1] } } impl IndexMut<(usize, usize)> for M { fn index_mut(&mut self, i: (usize, usize)) -> &mut F { &mut self.0[2 * i.0 + i.1] } }
        let mut m = M([x[0], x[1], x[2], x[3]]); m[(0, 0)] *= 2.0; m[(0, 0)] * m[(1, 1)] - m[(0, 1)] * m[(1, 0)] } => [2.0 * x[3], -x[2], -x[1], 2.0 * x[0]];
    "nested functions" nested_function |x| { fn outer(x: F) -> F { fn inner(x: F) -> F { x * x } inner(x) + x } outer(x[2]) } => [0.0, 0.0, 2.0 * x[2] + 1.0, 0.0];
    "methods by `&self`, `&mut self` and `self`" methods |x| { struct Acc { s: F } impl Acc { fn get(&self) -> F { self.s * self.s } fn add(&mut self, x: F) { self.s += x; } fn done(self) -> F { self.s } } let mut a = Acc { s: 0.0 }; a.add(x[0]); a.add(x[1]); a.get() + a.done() } => [2.0 * (x[0] + x[1]) + 1.0, 2.0 * (x[0] + x[1]) + 1.0, 0.0, 0.0];
    "modules and visibility" modules |x| { mod inner { pub(super) mod deep { pub(in super::super) fn f<T: std::ops::Mul<Output = T> + Copy>(x: T) -> T { x * x * x } } } inner::deep::f(x[0]) } => [3.0 * x[0].powi(2), 0.0, 0.0, 0.0];
    "macros in the body" macros |x| { macro_rules! sq { ($e:expr) => { $e * $e }; } sq!(x[0]) + sq!(x[1] + x[2]) } => [2.0 * x[0], 2.0 * (x[1] + x[2]), 2.0 * (x[1] + x[2]), 0.0];
    "shadowed names" shadowed |x| { let y = x[0]; let y = y * x[1]; let x = x[3]; { let y = y * x; y * y } } => [2.0 * x[0] * (x[1] * x[3]).powi(2), 2.0 * x[1] * (x[0] * x[3]).powi(2), 0.0, 2.0 * x[3] * (x[0] * x[1]).powi(2)];
    "atomics on the side" atomics |x| { static CALLS: AtomicUsize = AtomicUsize::new(0); CALLS.fetch_add(1, Ordering::Relaxed); x[0] * x[3] } => [x[3], 0.0, 0.0, x[0]];
    "thread-local `Cell` on the side" thread_local |x| { thread_local! { static N: Cell<u32> = const { Cell::new(0) }; } N.with(|n| n.set(n.get() + 1)); x[0] * x[2] } => [x[2], 0.0, x[0], 0.0];
    "constant `static` tables" static_table |x| { static W: [F; 4] = [1.0, -2.0, 3.0, 0.5]; W.iter().zip(x).map(|(w, x)| w * x * x).sum() } => [2.0 * x[0], -4.0 * x[1], 6.0 * x[2], x[3]];
    "`const fn`" const_fn |x| { const fn cube(x: F) -> F { x * x * x } cube(x[1]) } => [0.0, 3.0 * x[1].powi(2), 0.0, 0.0];
    "`#[inline(always)]` and `#[inline(never)]`" inlining |x| { #[inline(always)] fn a(x: F) -> F { x * x } #[inline(never)] fn n(x: F) -> F { x.sin() } a(x[0]) * n(x[1]) } => [2.0 * x[0] * x[1].sin(), x[0].powi(2) * x[1].cos(), 0.0, 0.0];
    "formatting on the side" formatting |x| { let text = format!("{:.2}", x[0]); if text.len() > 100 { return 0.0; } x[0] * x[1] } => [x[1], x[0], 0.0, 0.0];
    "`extern \"C\"` function" extern_c |x| { extern "C" fn f(a: F, b: F) -> F { a * b } f(x[0], x[1]) } => [x[1], x[0], 0.0, 0.0];
    "assertions" assertions |x| { assert!(x.len() == 4, "{x:?}"); debug_assert!(x[3] > 0.0); x[3] * x[3] } => [0.0, 0.0, 0.0, 2.0 * x[3]];
}
