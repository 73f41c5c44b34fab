//! Writing mapped and integer networks in formats that others load.
pub mod core_map;
pub mod netx;
