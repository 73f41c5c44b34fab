//! Large pages for large tables.

/// Bytes of a large page.
#[cfg(target_os = "linux")]
const LARGE_PAGE: usize = 2 << 20;

/// `MADV_HUGEPAGE`: large pages when memory is first used.
#[cfg(target_os = "linux")]
const LARGE: std::ffi::c_int = 14;

/// `MADV_COLLAPSE`: large pages now (Linux 6.1).
#[cfg(target_os = "linux")]
const COLLAPSE: std::ffi::c_int = 25;

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
            advise(begin.wrapping_byte_add(offset).cast(), end - first, LARGE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// Asks the system to gather filled memory in large pages now, where it has them: memory that was in use
/// before in small pages stays in them whatever [`prefer_large_pages`] says.
pub fn gather_into_large_pages<T>(memory: &[T]) {
    #[cfg(target_os = "linux")]
    {
        let begin = memory.as_ptr().addr();
        let end = begin + size_of_val(memory);
        // What lies before and behind in the same large pages comes along.
        let (first, last) = (begin / LARGE_PAGE * LARGE_PAGE, end.next_multiple_of(LARGE_PAGE));
        if size_of_val(memory) >= LARGE_PAGE {
            let start = memory.as_ptr().wrapping_byte_sub(begin - first);
            advise(start.cast_mut().cast(), last - first, COLLAPSE);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// Tells Linux how a range of memory is best kept.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn advise(begin: *mut std::ffi::c_void, bytes: usize, advice: std::ffi::c_int) {
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
        madvise(begin, bytes, advice);
    }
}
