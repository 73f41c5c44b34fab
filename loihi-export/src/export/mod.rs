//! Writing mapped and integer networks in formats that others load.
pub mod core_map;
pub mod lava_script;
pub mod netx;
pub mod nir_fixed;
pub mod sana_fe;
pub mod sliced;
