//! Loops of other crates, compiled for each instruction set.

use crate::instructions::{Instructions, Set};

/// A loop over plain arrays that is compiled once for each instruction set.
///
/// [`run`](Self::run) is safe Rust and carries `#[inline(always)]`, as do the functions it calls in its
/// inner loops: only what is inlined is compiled for the set. All forms give the same bits.
pub trait Loop {
    /// What the loop gives.
    type Output;

    /// The loop.
    fn run(self) -> Self::Output;
}

impl Instructions {
    /// Runs a loop as compiled for this set.
    #[inline]
    #[allow(unsafe_code)]
    pub fn run<V: Loop>(self, body: V) -> V::Output {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
        fn avx512<V: Loop>(body: V) -> V::Output {
            body.run()
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn avx2<V: Loop>(body: V) -> V::Output {
            body.run()
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "sse4.1,sse4.2")]
        fn sse4<V: Loop>(body: V) -> V::Output {
            body.run()
        }
        match self.0 {
            Set::Base => body.run(),
            // SAFETY: `Instructions` exist only for sets that the processor has.
            #[cfg(target_arch = "x86_64")]
            Set::Sse4 => unsafe { sse4(body) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2(body) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512(body) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Polynomial<'a>(&'a mut [f64]);

    impl Loop for Polynomial<'_> {
        type Output = f64;

        #[inline(always)]
        fn run(self) -> f64 {
            self.0.iter_mut().for_each(|x| *x = (*x * 0.3 + 0.7) * *x - (*x * 5.0).floor());
            self.0.iter().fold(0.0, |sum, x| sum + x)
        }
    }

    #[test]
    fn every_set_gives_the_same_bits() {
        let numbers: Vec<f64> = (0..1003).map(|n| (f64::from(n) * 0.37).sin() * 9.0).collect();
        let run = |instructions: Instructions| {
            let mut own = numbers.clone();
            let sum = instructions.run(Polynomial(&mut own));
            let bits: Vec<u64> = own.iter().map(|x| x.to_bits()).collect();
            (sum.to_bits(), bits)
        };
        let expected = run(Instructions::widest());
        for instructions in Instructions::available() {
            assert_eq!(run(instructions), expected, "{}", instructions.name());
        }
    }
}
