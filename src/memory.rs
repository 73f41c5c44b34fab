//! How much memory a network may take on this machine.

use sim_core::connectome::{CompileConfig, Precision};

/// Share of the available memory that a network may take.
const SHARE: f64 = 0.9;

/// A compile configuration that refuses networks larger than what is free here.
///
/// Where the system does not say how much is free, nothing is refused.
pub fn available() -> CompileConfig {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match available_bytes(&text) {
        Some(bytes) => CompileConfig {
            memory_limit: (bytes as f64 * SHARE) as u64,
            ..CompileConfig::UNLIMITED
        },
        None => CompileConfig::UNLIMITED,
    }
}

/// The same with a precision, for so many threads.
pub fn available_for(precision: Precision, threads: usize) -> CompileConfig {
    CompileConfig { precision, blocks: threads.max(1), ..available() }
}

/// The most memory that this process has held so far; `None` where the system does not say.
pub fn peak_resident_bytes() -> Option<u64> {
    entry(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// The memory that this process holds now; `None` where the system does not say.
pub fn resident_bytes() -> Option<u64> {
    entry(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The value of `MemAvailable` in bytes.
fn available_bytes(meminfo: &str) -> Option<u64> {
    entry(meminfo, "MemAvailable:")
}

/// A value in bytes, as Linux writes it: in kB behind its name.
fn entry(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_available_memory_is_read_as_linux_writes_it() {
        let text = "MemTotal:       24575736 kB\nMemFree: 100 kB\nMemAvailable:   20480 kB\n";
        assert_eq!(available_bytes(text), Some(20_480 * 1024));
        assert_eq!(available_bytes("MemAvailable: many"), None);
        assert_eq!(available_bytes(""), None);
        assert_eq!(entry("Name:\tx\nVmHWM:\t  2000 kB\n", "VmHWM:"), Some(2_048_000));
    }
}
