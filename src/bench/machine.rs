//! What Linux says about this process; other systems say nothing here.

/// Ticks in a second in which Linux counts processor time for programs, on all its machines.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of all threads of this process so far (s).
pub(super) fn processor_seconds() -> Option<f64> {
    processor_time(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// The most memory that this process has held so far (MB).
pub(super) fn peak_resident_megabytes() -> Option<f64> {
    crate::memory::peak_resident_bytes().map(|bytes| bytes as f64 / 1e6)
}

/// Fields 14 and 15, user and system time; the name in field 2 may hold spaces and brackets.
fn processor_time(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_linux_writes_them() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4";
        assert_eq!(processor_time(stat), Some(3.0));
        assert_eq!(processor_time(""), None);
    }
}
