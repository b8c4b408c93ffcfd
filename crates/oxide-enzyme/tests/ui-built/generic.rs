use oxide_enzyme::autodiff_reverse;

#[autodiff_reverse(d_consume, Active, Active)]
fn consume<T>(x: T) -> f64 {
    drop(x);
    1.0
}

struct Holder<T>(T);

impl<T> Holder<T> {
    #[autodiff_reverse(d_into_inner, Const, Active)]
    fn into_inner(&self) -> Option<T> {
        None
    }
}

fn main() {
    d_consume(vec![1.0], 1.0);
    Holder(vec![1.0]).d_into_inner(None);
}
