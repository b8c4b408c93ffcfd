//! What `enzyme!` calls: the arguments of a primal, as a list `(first, (second, ()))`, are split into those that are
//! differentiated and those that are not, by a *plan*: a list of slots beside them.
//!
//! `#[primal]` gives the plan in which nothing is asked for yet; `enzyme!` marks slots in it, by their positions.

use core::borrow::BorrowMut;
use core::marker::PhantomData;

use crate::Shadow;
use crate::arguments::{Same, ShadowOf, Shadows};
use crate::call::{self, Link};
use crate::check::At;
use crate::differentiable::{Differentiable, Float};
use crate::owners::Kept;

/// The first argument.
#[derive(Clone, Copy)]
pub struct First;

/// The argument after another one.
#[derive(Clone, Copy)]
pub struct Next<P>(pub P);

/// How an argument is passed.
pub struct ByValue;
/// How an argument is passed.
pub struct ByRef;
/// How an argument is passed.
pub struct ByMut;

/// An argument that is `Const`, whatever is asked for.
pub struct Fixed;

/// An argument that nothing is asked for.
pub struct Unset<K> {
    name: &'static str,
    kind: PhantomData<K>,
}

/// An argument whose gradient is asked for.
pub struct Wrt<K> {
    name: &'static str,
    kind: PhantomData<K>,
}

/// An argument with a tangent.
pub struct Along<K, T> {
    name: &'static str,
    tangent: T,
    kind: PhantomData<K>,
}

impl<K> Unset<K> {
    /// An argument of that name.
    pub const fn new(name: &'static str) -> Self {
        Unset {
            name,
            kind: PhantomData,
        }
    }
}

/// A slot that can be marked.
pub trait Free {
    /// The slot with a gradient.
    type Wrt;
    /// The slot with a tangent.
    type Along<T>;

    /// Asks for the gradient.
    fn wrt(self) -> Self::Wrt;
    /// Sets the tangent.
    fn along<T>(self, tangent: T) -> Self::Along<T>;
}

/// A `Const` argument that something was asked for: no [`Slot`], so that the compiler explains it.
pub struct Constant;

impl Free for Fixed {
    type Wrt = Constant;
    type Along<T> = Constant;

    fn wrt(self) -> Constant {
        Constant
    }

    fn along<T>(self, _: T) -> Constant {
        Constant
    }
}

impl<K> Free for Unset<K> {
    type Wrt = Wrt<K>;
    type Along<T> = Along<K, T>;

    fn wrt(self) -> Wrt<K> {
        Wrt {
            name: self.name,
            kind: PhantomData,
        }
    }

    fn along<T>(self, tangent: T) -> Along<K, T> {
        Along {
            name: self.name,
            tangent,
            kind: PhantomData,
        }
    }
}

/// A plan with a slot at position `P`.
pub trait Mark<P> {
    /// The plan with a gradient there.
    type Wrt;
    /// The plan with a tangent there.
    type Along<T>;

    /// Asks for the gradient there.
    fn wrt(self, position: P) -> Self::Wrt;
    /// Sets the tangent there.
    fn along<T>(self, position: P, tangent: T) -> Self::Along<T>;
}

impl<S: Free, SS> Mark<First> for (S, SS) {
    type Wrt = (S::Wrt, SS);
    type Along<T> = (S::Along<T>, SS);

    fn wrt(self, First: First) -> Self::Wrt {
        (self.0.wrt(), self.1)
    }

    fn along<T>(self, First: First, tangent: T) -> Self::Along<T> {
        (self.0.along(tangent), self.1)
    }
}

impl<S, P, SS: Mark<P>> Mark<Next<P>> for (S, SS) {
    type Wrt = (S, SS::Wrt);
    type Along<T> = (S, SS::Along<T>);

    fn wrt(self, Next(position): Next<P>) -> Self::Wrt {
        (self.0, self.1.wrt(position))
    }

    fn along<T>(self, Next(position): Next<P>, tangent: T) -> Self::Along<T> {
        (self.0, self.1.along(position, tangent))
    }
}

/// A list that something can be taken out of.
pub trait Take<P> {
    /// What is there.
    type Taken;
    /// The list without it.
    type Rest;

    /// Takes it.
    fn take(self, position: P) -> (Self::Taken, Self::Rest);
}

impl<G, GS> Take<First> for (G, GS) {
    type Taken = G;
    type Rest = ((), GS);

    fn take(self, First: First) -> (G, ((), GS)) {
        (self.0, ((), self.1))
    }
}

impl<G, P, GS: Take<P>> Take<Next<P>> for (G, GS) {
    type Taken = GS::Taken;
    type Rest = (G, GS::Rest);

    fn take(self, Next(position): Next<P>) -> (GS::Taken, (G, GS::Rest)) {
        let (taken, rest) = self.1.take(position);
        (taken, (self.0, rest))
    }
}

/// A shadow in a store, which the derivative writes to: valid as [`Slot::shadows`] asks.
pub struct Lent<X: ?Sized>(*mut X);

impl<X: ?Sized> ShadowOf<&X, 1> for Lent<X> {
    unsafe fn put(self, [place]: [*mut &X; 1]) {
        // SAFETY: writable by this function's contract; both have the same layout.
        unsafe { place.cast::<*mut X>().write(self.0) };
    }
}

impl<X: ?Sized> ShadowOf<&mut X, 1> for Lent<X> {
    unsafe fn put(self, [place]: [*mut &mut X; 1]) {
        // SAFETY: writable by this function's contract; both have the same layout.
        unsafe { place.cast::<*mut X>().write(self.0) };
    }
}

/// What becomes of an argument of type `P`.
#[diagnostic::on_unimplemented(
    message = "this argument cannot be differentiated in this way",
    label = "`Const`, or a tangent of another type",
    note = "integers, texts, functions and the like are `Const`, and so is what `#[primal(name: Const)]` says",
    note = "a tangent has its argument's type"
)]
pub trait Slot<P> {
    /// The list of differentiated arguments, with this one if it is.
    type Active<A>;
    /// The list of the other arguments, with this one if it is not.
    type Constant<C>;
    /// What owns the shadow.
    type Store;
    /// The list of shadows, with one for this argument if it has one.
    type Shadows<A, S: Shadows<A, 1>>: Shadows<Self::Active<A>, 1>;
    /// What is asked for.
    type Gradient;

    /// Makes the shadow's memory.
    fn store(&self, argument: &P) -> Self::Store;
    /// Keeps the memory that a `&mut` argument and its shadow own.
    fn keep<'k>(&self, _argument: &mut P, _store: &mut Self::Store, _kept: &mut Kept<'k>)
    where
        P: 'k,
    {
    }
    /// Adds the argument to one of the lists.
    fn split<A, C>(argument: P, rest: (A, C)) -> (Self::Active<A>, Self::Constant<C>);
    /// Takes it from there.
    fn join<A, C>(active: Self::Active<A>, constant: Self::Constant<C>) -> (P, A, C);
    /// Adds its shadow.
    ///
    /// # Safety
    /// Until the derivative has returned, the store must neither move nor be used.
    unsafe fn shadows<A, S: Shadows<A, 1>>(
        self,
        store: &mut Self::Store,
        rest: S,
    ) -> Self::Shadows<A, S>;
    /// What the derivative left.
    fn finish<A>(store: Self::Store, shadows: Self::Active<A>) -> (Self::Gradient, A);
}

macro_rules! constant {
    ($argument:ty) => {
        type Active<A> = A;
        type Constant<C> = ($argument, C);
        type Store = ();
        type Shadows<A, S: Shadows<A, 1>> = S;
        type Gradient = ();

        fn store(&self, _: &$argument) {}

        fn split<A, C>(argument: $argument, (active, constant): (A, C)) -> (A, ($argument, C)) {
            (active, (argument, constant))
        }

        fn join<A, C>(active: A, (argument, constant): ($argument, C)) -> ($argument, A, C) {
            (argument, active, constant)
        }

        unsafe fn shadows<A, S: Shadows<A, 1>>(self, (): &mut (), rest: S) -> S {
            rest
        }

        fn finish<A>((): (), shadows: A) -> ((), A) {
            ((), shadows)
        }
    };
}

impl<P> Slot<P> for Fixed {
    constant!(P);
}

impl<P> Slot<P> for Unset<ByValue> {
    constant!(P);
}

/// A float that went through a `Cell` there would lose its derivative: `Sync` keeps those out.
impl<'p, X: Sync + ?Sized> Slot<&'p X> for Unset<ByRef> {
    constant!(&'p X);
}

macro_rules! active {
    ($argument:ty) => {
        type Active<A> = ($argument, A);
        type Constant<C> = C;

        fn split<A, C>(argument: $argument, (active, constant): (A, C)) -> (($argument, A), C) {
            ((argument, active), constant)
        }

        fn join<A, C>((argument, active): ($argument, A), constant: C) -> ($argument, A, C) {
            (argument, active, constant)
        }
    };
}

/// A shadow of the argument's shape. That it has it, is checked: the derivative relies on it.
fn zeros<X: Differentiable + ?Sized>(argument: &X, name: &str, growable: bool) -> X::Gradient {
    let mut zeros = argument.zero_gradient();
    let at = At::argument("enzyme!", name, "gradient", growable);
    argument.check_shadow(zeros.borrow_mut(), &at);
    if growable {
        zeros.borrow_mut().clear_spare();
    }
    zeros
}

impl<P: Differentiable<Gradient = P> + Copy> Slot<P> for Wrt<ByValue> {
    active!(P);
    type Store = P;
    type Shadows<A, S: Shadows<A, 1>> = (Same<P, 1>, S);
    type Gradient = P;

    fn store(&self, argument: &P) -> P {
        zeros(argument, self.name, true)
    }

    unsafe fn shadows<A, S: Shadows<A, 1>>(self, store: &mut P, rest: S) -> (Same<P, 1>, S) {
        (Same([*store]), rest)
    }

    fn finish<A>(_: P, (gradient, rest): (P, A)) -> (P, A) {
        (gradient, rest)
    }
}

macro_rules! lent {
    ($slot:ty, $argument:ty, growable = $growable:literal) => {
        active!($argument);
        type Store = X::Gradient;
        type Shadows<A, S: Shadows<A, 1>> = (Lent<X>, S);

        fn store(&self, argument: &$argument) -> X::Gradient {
            zeros::<X>(argument, self.name, $growable)
        }

        unsafe fn shadows<A, S: Shadows<A, 1>>(
            self,
            store: &mut X::Gradient,
            rest: S,
        ) -> (Lent<X>, S) {
            (Lent(store.borrow_mut()), rest)
        }
    };
}

impl<'p, X: Differentiable + ?Sized> Slot<&'p X> for Wrt<ByRef> {
    lent!(Self, &'p X, growable = false);
    type Gradient = X::Gradient;

    fn finish<A>(store: X::Gradient, (_, rest): (&'p X, A)) -> (X::Gradient, A) {
        (store, rest)
    }
}

/// The gradient with respect to what was there before the call.
impl<'p, X: Differentiable + ?Sized> Slot<&'p mut X> for Wrt<ByMut> {
    lent!(Self, &'p mut X, growable = true);
    type Gradient = X::Gradient;

    fn keep<'k>(&self, argument: &mut &'p mut X, store: &mut X::Gradient, kept: &mut Kept<'k>)
    where
        &'p mut X: 'k,
    {
        kept.argument(&mut **argument, self.name);
        kept.shadow(store.borrow_mut());
    }

    fn finish<A>(store: X::Gradient, (_, rest): (&'p mut X, A)) -> (X::Gradient, A) {
        (store, rest)
    }
}

/// Memory that the primal may write to and read again: derivatives pass through it, so it needs a shadow in any case.
impl<'p, X: Differentiable + ?Sized> Slot<&'p mut X> for Unset<ByMut> {
    lent!(Self, &'p mut X, growable = true);
    type Gradient = ();

    fn keep<'k>(&self, argument: &mut &'p mut X, store: &mut X::Gradient, kept: &mut Kept<'k>)
    where
        &'p mut X: 'k,
    {
        kept.argument(&mut **argument, self.name);
        kept.shadow(store.borrow_mut());
    }

    fn finish<A>(_: X::Gradient, (_, rest): (&'p mut X, A)) -> ((), A) {
        ((), rest)
    }
}

macro_rules! tangent {
    ($argument:ty, $($deref:tt)*) => {
        active!($argument);
        type Store = ();
        type Shadows<A, S: Shadows<A, 1>> = (Same<$argument, 1>, S);
        type Gradient = ();

        fn store(&self, argument: &$argument) {
            let at = At::argument("enzyme!", self.name, "tangent", true);
            ($($deref)* *argument).check_shadow(&$($deref)* self.tangent, &at);
        }

        unsafe fn shadows<A, S: Shadows<A, 1>>(self, (): &mut (), rest: S) -> (Same<$argument, 1>, S) {
            (Same([self.tangent]), rest)
        }

        fn finish<A>((): (), (_, rest): ($argument, A)) -> ((), A) {
            ((), rest)
        }
    };
}

impl<P: Shadow> Slot<P> for Along<ByValue, P> {
    tangent!(P,);
}

impl<'p, X: Shadow + ?Sized> Slot<&'p X> for Along<ByRef, &'p X> {
    tangent!(&'p X, *);
}

impl<'p, X: Shadow + ?Sized> Slot<&'p mut X> for Along<ByMut, &'p mut X> {
    tangent!(&'p mut X, *);
}

/// What becomes of a list of arguments.
pub trait Plan<P> {
    /// The differentiated arguments.
    type Active;
    /// The others.
    type Constant;
    /// What owns the shadows.
    type Stores;
    /// The shadows.
    type Shadows: Shadows<Self::Active, 1>;
    /// What is asked for, and `()` for the rest.
    type Gradients;

    /// Makes the shadows' memory.
    fn stores(&self, arguments: &P) -> Self::Stores;
    /// Keeps the memory that `&mut` arguments and their shadows own.
    fn keep<'k>(&self, arguments: &mut P, stores: &mut Self::Stores, kept: &mut Kept<'k>)
    where
        P: 'k;
    /// The differentiated arguments and the others.
    fn split(arguments: P) -> (Self::Active, Self::Constant);
    /// The arguments in their order.
    fn join(active: Self::Active, constant: Self::Constant) -> P;
    /// The shadows.
    ///
    /// # Safety
    /// Until the derivative has returned, the stores must neither move nor be used.
    unsafe fn shadows(self, stores: &mut Self::Stores) -> Self::Shadows;
    /// What the derivative left.
    fn finish(stores: Self::Stores, shadows: Self::Active) -> Self::Gradients;
}

impl Plan<()> for () {
    type Active = ();
    type Constant = ();
    type Stores = ();
    type Shadows = ();
    type Gradients = ();

    fn stores(&self, (): &()) {}
    fn keep<'k>(&self, (): &mut (), (): &mut (), _: &mut Kept<'k>)
    where
        (): 'k,
    {
    }
    fn split((): ()) -> ((), ()) {
        ((), ())
    }
    fn join((): (), (): ()) {}
    unsafe fn shadows(self, (): &mut ()) {}
    fn finish((): (), (): ()) {}
}

impl<P, PS, S: Slot<P>, SS: Plan<PS>> Plan<(P, PS)> for (S, SS) {
    type Active = S::Active<SS::Active>;
    type Constant = S::Constant<SS::Constant>;
    type Stores = (S::Store, SS::Stores);
    type Shadows = S::Shadows<SS::Active, SS::Shadows>;
    type Gradients = (S::Gradient, SS::Gradients);

    fn stores(&self, arguments: &(P, PS)) -> Self::Stores {
        (self.0.store(&arguments.0), self.1.stores(&arguments.1))
    }

    fn keep<'k>(&self, arguments: &mut (P, PS), stores: &mut Self::Stores, kept: &mut Kept<'k>)
    where
        (P, PS): 'k,
    {
        self.0.keep(&mut arguments.0, &mut stores.0, kept);
        self.1.keep(&mut arguments.1, &mut stores.1, kept);
    }

    fn split((argument, rest): (P, PS)) -> (Self::Active, Self::Constant) {
        S::split(argument, SS::split(rest))
    }

    fn join(active: Self::Active, constant: Self::Constant) -> (P, PS) {
        let (argument, active, constant) = S::join(active, constant);
        (argument, SS::join(active, constant))
    }

    unsafe fn shadows(self, stores: &mut Self::Stores) -> Self::Shadows {
        // SAFETY: this function's contract.
        unsafe {
            let rest = self.1.shadows(&mut stores.1);
            self.0.shadows(&mut stores.0, rest)
        }
    }

    fn finish(stores: Self::Stores, shadows: Self::Active) -> Self::Gradients {
        let (gradient, shadows) = S::finish(stores.0, shadows);
        (gradient, SS::finish(stores.1, shadows))
    }
}

/// The seed of a result that has none written.
#[diagnostic::on_unimplemented(
    message = "a gradient is that of one number, but the function returns `{Self}`",
    note = "say by which numbers the results are weighted: `enzyme!(grad f(..) wrt x seed weights)`"
)]
pub trait DefaultSeed {
    /// One.
    const SEED: Self;
}

impl<T: Float> DefaultSeed for T {
    const SEED: T = T::ONE;
}

/// What weights a result: of the result's type.
pub fn default_seed<R: DefaultSeed>() -> R {
    R::SEED
}

/// The result of the primal, and the gradients that the plan asks for.
#[track_caller]
pub fn grad<L: Link<1>, F, P, M, R>(
    link: L,
    primal: F,
    plan: M,
    mut arguments: P,
    seed: R,
) -> (R, M::Gradients)
where
    F: Fn(P) -> R + Copy,
    M: Plan<P>,
    R: Differentiable + Copy,
{
    let mut stores = plan.stores(&arguments);
    let mut kept = Kept::new();
    plan.keep(&mut arguments, &mut stores, &mut kept);
    let (active, constant) = M::split(arguments);
    let primal = move |active, constant| primal(M::join(active, constant));
    // SAFETY: the stores are left alone until the derivative has returned.
    let shadows = unsafe { plan.shadows(&mut stores) };
    let (value, [shadows]) = call::reverse(link, primal, active, shadows, constant, [seed]);
    kept.put_back("enzyme!");
    (value, M::finish(stores, shadows))
}

/// The result of the primal, and its tangent.
#[track_caller]
pub fn jvp<L: Link<1>, F, P, M, R>(link: L, primal: F, plan: M, arguments: P) -> (R, R)
where
    F: Fn(P) -> R + Copy,
    M: Plan<P>,
    R: Differentiable,
{
    let mut stores = plan.stores(&arguments);
    let (active, constant) = M::split(arguments);
    let primal = move |active, constant| primal(M::join(active, constant));
    // SAFETY: the stores are left alone until the derivative has returned.
    let shadows = unsafe { plan.shadows(&mut stores) };
    let (value, [tangent]) = call::forward(link, primal, active, shadows, constant);
    (value, tangent)
}
