//! Constructs of the language: iterators, slices, and kinds of data inside of what is differentiated.

conformance::constructs! {
    "`map` and `sum`" iter_map |x| { x.iter().map(|x| x * x).sum() } => x.map(|x| 2.0 * x);
    "`product`" iter_product |x| { x.iter().product() } => [x[1] * x[2] * x[3], x[0] * x[2] * x[3], x[0] * x[1] * x[3], x[0] * x[1] * x[2]];
    "`filter`" iter_filter |x| { x.iter().filter(|x| **x > 0.0).map(|x| x * x).sum() } => [2.0 * x[0], 2.0 * x[1], 0.0, 2.0 * x[3]];
    "`zip`" iter_zip |x| { x.iter().zip(&x[1..]).map(|(a, b)| a * b).sum() } => [x[1], x[0] + x[2], x[1] + x[3], x[2]];
    "`chain`" iter_chain |x| { x[..2].iter().chain(&x[1..]).map(|x| x * x).sum() } => [2.0 * x[0], 4.0 * x[1], 2.0 * x[2], 2.0 * x[3]];
    "`rev` and `enumerate`" iter_rev |x| { x.iter().rev().enumerate().map(|(i, x)| i as F * x * x).sum() } => [6.0 * x[0], 4.0 * x[1], 2.0 * x[2], 0.0];
    "`fold`" iter_fold |x| { x.iter().fold(1.0, |s, x| s * 0.5 + x * x) } => [0.25 * x[0], 0.5 * x[1], x[2], 2.0 * x[3]];
    "`windows`" iter_windows |x| { x.windows(2).map(|w| w[0] * w[1]).sum() } => [x[1], x[0] + x[2], x[1] + x[3], x[2]];
    "`chunks` and `chunks_exact`" iter_chunks |x| { x.chunks(3).map(|c| c.iter().product::<F>()).sum::<F>() + x.chunks_exact(2).map(|c| c[0] * c[1]).sum::<F>() } => [x[1] * x[2] + x[1], x[0] * x[2] + x[0], x[0] * x[1] + x[3], 1.0 + x[2]];
    "`scan`" iter_scan |x| { x.iter().scan(1.0, |p, x| { *p *= x; Some(*p) }).sum() } => [1.0 + x[1] + x[1] * x[2] + x[1] * x[2] * x[3], x[0] * (1.0 + x[2] + x[2] * x[3]), x[0] * x[1] * (1.0 + x[3]), x[0] * x[1] * x[2]];
    "`take_while` and `skip_while`" iter_take_while |x| { x.iter().take_while(|x| **x > 0.0).map(|x| x * x).sum::<F>() + x.iter().skip_while(|x| **x > 0.0).map(|x| x * x * x).sum::<F>() } => [2.0 * x[0], 2.0 * x[1], 3.0 * x[2].powi(2), 3.0 * x[3].powi(2)];
    "`flat_map`" iter_flat_map |x| { x.iter().flat_map(|a| x.iter().map(move |b| a * b)).sum() } => [2.0 * x.iter().sum::<f64>(); 4];
    "`step_by`, `skip`, `take`" iter_steps |x| { x.iter().skip(1).step_by(2).take(3).map(|x| x * x).sum() } => [0.0, 2.0 * x[1], 0.0, 2.0 * x[3]];
    "`collect` into a `Vec`" iter_collect |x| { let v: Vec<F> = x.iter().map(|x| x * x).collect(); v.iter().sum() } => x.map(|x| 2.0 * x);
    "`iter_mut`" iter_mut |x| { let mut v = [x[0], x[1], x[2], x[3]]; for v in v.iter_mut() { *v *= *v; } v.iter().sum() } => x.map(|x| 2.0 * x);
    "an iterator of one's own" own_iterator |x| { struct Pairs<'a>(&'a [F]); impl Iterator for Pairs<'_> { type Item = F; fn next(&mut self) -> Option<F> { let [a, b, rest @ ..] = self.0 else { return None }; self.0 = rest; Some(a * b) } } Pairs(x).sum() } => [x[1], x[0], x[3], x[2]];
    "`dyn Iterator`" dyn_iterator |x| { let i: &mut dyn Iterator<Item = &F> = &mut x.iter(); let mut s = 0.0; for x in i { s += x * x; } s } => x.map(|x| 2.0 * x);
    "`copy_from_slice` and `fill`" copy_fill |x| { let mut v = [1.0; 6]; v[1..5].copy_from_slice(x); v[2..3].fill(2.0); v.iter().map(|v| v * v).sum() } => [2.0 * x[0], 0.0, 2.0 * x[2], 2.0 * x[3]];
    "`swap` and `reverse`" swap_reverse |x| { let mut v = [x[0], x[1], x[2], x[3]]; v.swap(0, 1); v.reverse(); v[0] * v[1] + v[2] } => [1.0, 0.0, x[3], x[2]];
    "`rotate_left`" rotate |x| { let mut v = x.to_vec(); v.rotate_left(1); v[0] * v[3] } => [x[1], x[0], 0.0, 0.0];
    "`split_at_mut`" split_at_mut |x| { let mut v = x.to_vec(); let (a, b) = v.split_at_mut(2); a[0] *= b[0]; b[1] *= a[1]; v[0] + v[3] } => [x[2], x[3], x[0], x[1]];
    "sort of indices" sort_indices |x| { let mut o = [0, 1, 2, 3]; o.sort_by(|a: &usize, b: &usize| x[*a].total_cmp(&x[*b])); x[o[0]] * x[o[3]] } => [0.0, 0.0, x[3], x[2]];
    "`mem::swap`" mem_swap |x| { let (mut a, mut b) = (x[0], x[1] * x[1]); std::mem::swap(&mut a, &mut b); a * 3.0 + b } => [1.0, 6.0 * x[1], 0.0, 0.0];
    "`mem::replace` and `mem::take`" mem_replace |x| { let mut a = x[0]; let b = std::mem::replace(&mut a, x[1]); let c = std::mem::take(&mut a); a + b * c } => [x[1], x[0], 0.0, 0.0];
    "arrays by value" arrays |x| { fn f(a: [F; 3]) -> [F; 3] { a.map(|a| a * a) } f([x[0], x[1], x[3]]).iter().sum() } => [2.0 * x[0], 2.0 * x[1], 0.0, 2.0 * x[3]];
    "arrays of arrays" nested_arrays |x| { let m = [[x[0], x[1]], [x[2], x[3]]]; m[0][0] * m[1][1] - m[0][1] * m[1][0] } => [x[3], -x[2], -x[1], x[0]];
    "tuples" tuples |x| { fn f((a, b): (F, F)) -> (F, (F, F)) { (a * b, (a, b * b)) } let (a, (b, c)) = f((x[0], x[1])); a + b * c } => [x[1] + x[1].powi(2), x[0] + 2.0 * x[0] * x[1], 0.0, 0.0];
    "structs of two fields by value" structs |x| { #[derive(Clone, Copy)] struct P { a: F, b: F } fn f(p: P) -> P { P { a: p.b * p.b, b: p.a } } let p = f(P { a: x[0], b: x[1] }); p.a * p.b } => [x[1].powi(2), 2.0 * x[0] * x[1], 0.0, 0.0];
    "nested structs" nested_structs |x| { struct In { a: F, b: [F; 2] } struct Out { i: In, n: u8, c: F } let o = Out { i: In { a: x[0], b: [x[1], x[2]] }, n: 3, c: x[3] }; o.i.a * o.i.b[1] * F::from(o.n) + o.c * o.i.b[0] } => [3.0 * x[2], x[3], 3.0 * x[0], x[1]];
    "generic structs" generic_structs |x| { struct P<T> { a: T, b: T } impl<T: Copy + Mul<Output = T>> P<T> { fn area(&self) -> T { self.a * self.b } } P { a: x[0], b: x[1] }.area() } => [x[1], x[0], 0.0, 0.0];
    "enums with payload" enums |x| { enum Op { Add(F), Mul { by: F, n: u8 }, Nop } let ops = [Op::Add(x[0]), Op::Mul { by: x[1], n: 2 }, Op::Nop]; let mut v = x[3]; for op in &ops { v = match op { Op::Add(a) => v + a, Op::Mul { by, n } => v * by * F::from(*n), Op::Nop => v }; } v } => [2.0 * x[1], 2.0 * (x[3] + x[0]), 0.0, 2.0 * x[1]];
    "`Option` of a float" options |x| { let a = Some(x[0]); let b: Option<F> = None; a.map(|a| a * a).unwrap_or(1.0) + b.unwrap_or(x[1]) } => [2.0 * x[0], 1.0, 0.0, 0.0];
    "`Box`" boxes |x| { let b = Box::new(x[0] * x[1]); let c = Box::new([*b, x[2]]); c[0] * c[1] } => [x[1] * x[2], x[0] * x[2], x[0] * x[1], 0.0];
    "`Vec`" vecs |x| { let mut v = Vec::new(); for x in x { v.push(x * x); } v.insert(0, 1.0); v.truncate(4); v.extend_from_slice(&x[3..]); v.iter().sum() } => [2.0 * x[0], 2.0 * x[1], 2.0 * x[2], 1.0];
    "`vec!`" vec_macro |x| { let mut v = vec![0.0; 4]; for i in 0..4 { v[i] = x[i] * x[3 - i]; } v[0] + v[1] } => [x[3], x[2], x[1], x[0]];
    "`Vec<Vec>`" vec_vec |x| { let m: Vec<Vec<F>> = (0..2).map(|i| vec![x[2 * i], x[2 * i + 1]]).collect(); m[0][0] * m[1][1] - m[0][1] * m[1][0] } => [x[3], -x[2], -x[1], x[0]];
    "`Rc`" rc |x| { let a = Rc::new(x[0] * x[1]); let b = Rc::clone(&a); *a * *b } => [2.0 * x[0] * x[1].powi(2), 2.0 * x[0].powi(2) * x[1], 0.0, 0.0];
    "`Cow`" cow |x| { fn f(v: &[F], own: bool) -> Cow<'_, [F]> { if own { v.iter().map(|v| v * v).collect::<Vec<_>>().into() } else { v.into() } } f(x, true)[0] + f(x, false)[1] } => [2.0 * x[0], 1.0, 0.0, 0.0];
    "`Cell` and `RefCell`" cells |x| { let c = Cell::new(x[0]); c.set(c.get() * x[1]); let r = RefCell::new(c.get()); *r.borrow_mut() *= x[3]; let v = *r.borrow(); v } => [x[1] * x[3], x[0] * x[3], 0.0, x[0] * x[1]];
    "`VecDeque`" vec_deque |x| { let mut q: VecDeque<F> = VecDeque::new(); q.push_back(x[0]); q.push_back(x[1]); let a = q.pop_front().unwrap(); a * a * q[0] } => [2.0 * x[0] * x[1], x[0].powi(2), 0.0, 0.0];
    "unions" unions |x| { #[derive(Clone, Copy)] union U { a: F, b: [F; 1] } let u = U { a: x[0] };
        // SAFETY: both fields are floats.
        let b = unsafe { u.b }; b[0] * x[1] } => [x[1], x[0], 0.0, 0.0];
    "raw pointers" raw_pointers |x| { let p = x.as_ptr(); let mut y = [0.0; 4]; let q = y.as_mut_ptr();
        // SAFETY: both have four elements.
        unsafe { for i in 0..4 { *q.add(i) = *p.add(i) * *p.add(3 - i); } } y[0] + y[1] } => [x[3], x[2], x[1], x[0]];
    "zero-sized values and unit" zero_sized |x| { struct Tag; impl Tag { fn f(&self, _: (), x: F) -> F { x * x } } Tag.f((), x[0]) } => [2.0 * x[0], 0.0, 0.0, 0.0];
    "`MaybeUninit`" maybe_uninit |x| { let mut m = std::mem::MaybeUninit::<F>::uninit(); m.write(x[0] * x[1]);
        // SAFETY: it was written.
        unsafe { m.assume_init() } } => [x[1], x[0], 0.0, 0.0];
    "integers of each width" integers |x| { let (a, b, c, d) = (2u8, -3i128, true, 'a'); x[0] * F::from(a) + x[1] * (b as F) + x[2] * F::from(u8::from(c)) + x[3] * (d as u32 as F) } => [2.0, -3.0, 1.0, 97.0];
    "a value with `Drop`" drops |x| { struct D(F); impl Drop for D { fn drop(&mut self) { self.0 = 0.0; } } let d = D(x[0]); d.0 * d.0 } => [2.0 * x[0], 0.0, 0.0, 0.0];
    "a linked list of boxes" linked_list |x| { struct Node { v: F, next: Option<Box<Node>> } let mut head: Option<Box<Node>> = None; for v in x { head = Some(Box::new(Node { v: *v, next: head })); } let mut s = 0.0; let mut at = &head; while let Some(n) = at { s = s * 0.5 + n.v * n.v; at = &n.next; } s } => [2.0 * x[0], x[1], 0.5 * x[2], 0.25 * x[3]];
}
