//! Large pages for large tables.

/// Bytes of a large page.
#[cfg(target_os = "linux")]
const LARGE_PAGE: usize = 2 << 20;

/// Asks the system to keep a vector that is still to be filled in large pages, where it has them: a table
/// of gigabytes that is read at random places then costs far fewer walks through page tables.
pub fn prefer_large_pages<T>(memory: &mut Vec<T>) {
    #[cfg(target_os = "linux")]
    {
        let begin = memory.as_mut_ptr();
        let bytes = memory.capacity() * size_of::<T>();
        let first = begin.addr().next_multiple_of(LARGE_PAGE);
        let end = (begin.addr() + bytes) / LARGE_PAGE * LARGE_PAGE;
        if bytes >= LARGE_PAGE && first < end {
            let offset = first - begin.addr();
            advise(begin.wrapping_byte_add(offset).cast(), end - first);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// Tells Linux that a range of memory is worth large pages.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn advise(begin: *mut std::ffi::c_void, bytes: usize) {
    const MADV_HUGEPAGE: std::ffi::c_int = 14;
    // SAFETY: the signature is that of the C library, which the standard library links.
    unsafe extern "C" {
        fn madvise(
            begin: *mut std::ffi::c_void,
            bytes: usize,
            advice: std::ffi::c_int,
        ) -> std::ffi::c_int;
    }
    // SAFETY: this advice changes no byte of memory and frees none, whatever the range; a system
    // that does not follow it says so in the result, which does not matter here.
    unsafe {
        madvise(begin, bytes, MADV_HUGEPAGE);
    }
}
