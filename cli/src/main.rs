//! The `spikeloom` command.
fn main() {}
