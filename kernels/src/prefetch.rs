//! Asking for memory before it is needed.

use std::ops::Range;

/// Bytes that come into the cache together.
const LINE: usize = 64;

/// Lines of a range that are asked for without a look at its length.
const SURE: usize = 6;

/// Lines of a range that are asked for; what follows is read in sequence, which the processor sees itself.
const MOST: usize = 8;

/// Asks for the cache line of an element that will soon be read; an index beyond the end is harmless.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], index: usize) {
    ask_for(slice.as_ptr().wrapping_add(index).cast());
}

/// Asks for the first cache lines of a range of elements; what lies beyond the end is harmless.
///
/// A range may begin anywhere in a line: in steps of a line from its first element, the last line of many a
/// range would be passed over. The first lines are asked for without a branch, a line perhaps twice, as nobody can
/// foretell how many there are.
#[inline(always)]
pub fn prefetch_range<T>(slice: &[T], range: Range<usize>) {
    let first: *const i8 = slice.as_ptr().wrapping_add(range.start).cast();
    let into_line = first.addr() % LINE;
    let line = first.wrapping_sub(into_line);
    let last = (range.len() * size_of::<T>() + into_line).saturating_sub(1) / LINE;
    for number in 0..SURE {
        ask_for(line.wrapping_add(LINE * number.min(last)));
    }
    for number in SURE..MOST.min(last + 1) {
        ask_for(line.wrapping_add(LINE * number));
    }
}

#[inline(always)]
#[allow(unsafe_code)]
fn ask_for(address: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program sees and faults at no address; SSE is part
    // of every x86-64 processor.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above; `prfm` is part of every AArch64 processor and changes no register or flag.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
