//! Which instruction set a loop runs with.

/// An instruction set that this processor has.
///
/// There is no way to make one that the processor lacks: that is what the calls in
/// `compiled_for_each_set` rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instructions(pub(crate) Set);

/// The sets that loops are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// What every processor of the architecture has: SSE2 on x86-64, NEON on AArch64.
    Base,
    #[cfg(target_arch = "x86_64")]
    Sse4,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Set {
    #[cfg(target_arch = "x86_64")]
    const ALL: &[Set] = &[Set::Avx512, Set::Avx2, Set::Sse4, Set::Base];
    #[cfg(not(target_arch = "x86_64"))]
    const ALL: &[Set] = &[Set::Base];

    #[cfg(target_arch = "x86_64")]
    fn present(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        match self {
            Set::Base => true,
            Set::Sse4 => has!("sse4.1") && has!("sse4.2"),
            Set::Avx2 => has!("avx2"),
            Set::Avx512 => {
                has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl")
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn present(self) -> bool {
        true
    }
}

impl Instructions {
    /// All that this processor has, the widest first.
    pub fn available() -> impl Iterator<Item = Instructions> {
        Set::ALL.iter().copied().filter(|set| set.present()).map(Instructions)
    }

    /// The widest that this processor has.
    pub fn widest() -> Instructions {
        Self::available().next().unwrap_or(Instructions(Set::Base))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Sse4 => "sse4",
            #[cfg(target_arch = "aarch64")]
            Set::Base => "neon",
            #[cfg(target_arch = "x86_64")]
            Set::Base => "sse2",
            #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
            Set::Base => "scalar",
        }
    }
}

impl Default for Instructions {
    fn default() -> Self {
        Instructions::widest()
    }
}

/// Makes a public function that runs an `#[inline(always)]` one as compiled for the instruction set in
/// its first argument; for AVX2 and AVX-512 other forms, written by hand, may be named.
macro_rules! compiled_for_each_set {
    (@form $common:path; $($argument:ident),*) => { $common($($argument),*) };
    (@form $common:path, $by_hand:path; $($argument:ident),*) => { $by_hand($($argument),*) };
    (
        $(#[$doc:meta])* pub fn $name:ident = $body:path $(, avx2: $avx2:path, avx512: $avx512:path)?;
        ($($argument:ident: $type:ty),* $(,)?)
    ) => {
        $(#[$doc])*
        #[allow(unsafe_code)]
        pub fn $name(instructions: crate::Instructions, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($argument: $type),*) {
                crate::instructions::compiled_for_each_set!(@form $body $(, $avx512)?; $($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($argument: $type),*) {
                crate::instructions::compiled_for_each_set!(@form $body $(, $avx2)?; $($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "sse4.1,sse4.2")]
            fn sse4($($argument: $type),*) { $body($($argument),*) }
            use crate::instructions::Set;
            match instructions.0 {
                Set::Base => $body($($argument),*),
                // SAFETY: `Instructions` exist only for sets that the processor has.
                #[cfg(target_arch = "x86_64")]
                Set::Sse4 => unsafe { sse4($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Set::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Set::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}
pub(crate) use compiled_for_each_set;
