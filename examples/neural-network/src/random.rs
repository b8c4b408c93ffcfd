//! Random numbers that are the same on every machine.

/// The SplitMix64 generator: small, and good enough to shuffle and to draw weights.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Between -1 and 1.
    pub fn symmetric(&mut self) -> f64 {
        // The upper 53 bits fill a float's mantissa.
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// In any order, all orders being (nearly) equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            items.swap(last, other as usize);
        }
    }
}
