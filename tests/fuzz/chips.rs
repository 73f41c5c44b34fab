//! Readers of chips, core maps and recorded cases.

use super::readers::root;
use spikeloom::loihi_export::check::check;
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::emulator::verify::verify_lava_case;
use spikeloom::loihi_export::export::core_map::{CoreMap, contradictions, core_map, to_json};
use spikeloom::loihi_export::mapping::{CoreLimits, MapConfig, map};
use spikeloom::loihi_export::quantise::network::QuantisedNetwork;
use spikeloom::loihi_export::recorded::verify_mapping_case;
use std::path::Path;

/// A small network that learns, which chips are tried on.
fn integers() -> QuantisedNetwork {
    let text = std::fs::read_to_string(root().join("integers/stdp.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn core_map_text() -> String {
    let (network, chip) = (integers(), ChipSpec::built_in("loihi2").unwrap());
    let limits = CoreLimits { neurons_per_core: 7, ..CoreLimits::of_chip(&chip).unwrap() };
    let mapping = map(&network, &limits, &MapConfig::default()).unwrap();
    to_json(&core_map(&check(&network, &limits, mapping).unwrap())).unwrap()
}

/// A chip that was accepted must stand a network being mapped to it.
pub fn read_chip(bytes: &[u8], _: &Path) -> bool {
    static NETWORK: std::sync::OnceLock<QuantisedNetwork> = std::sync::OnceLock::new();
    let Ok(chip) = std::str::from_utf8(bytes)
        .map_err(drop)
        .and_then(|text| ChipSpec::from_toml(text).map_err(drop))
    else {
        return false;
    };
    drop(chip.figures());
    if let Ok(limits) = CoreLimits::of_chip(&chip) {
        drop(map(NETWORK.get_or_init(integers), &limits, &MapConfig::default()));
    }
    true
}

pub fn read_core_map(bytes: &[u8], _: &Path) -> bool {
    serde_json::from_slice::<CoreMap>(bytes).is_ok_and(|map| contradictions(&map).is_empty())
}

pub fn read_lava_case(bytes: &[u8], _: &Path) -> bool {
    verify_lava_case("fuzzed", bytes).is_ok_and(|report| report.is_equal())
}

pub fn read_mapping_case(bytes: &[u8], _: &Path) -> bool {
    verify_mapping_case("fuzzed", bytes).is_ok_and(|report| report.is_equal())
}
