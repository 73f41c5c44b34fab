//! Shares thresholds out among channels.
//!
//! A spike of a channel that the answer hardly depends on costs as much as one of a channel that
//! decides it. With thresholds θ, a channel sends Σ a / θ spikes a step and, rounding errors being
//! independent and as large as θ, adds Σ g² θ² to the squared error of the scores, where a are its
//! activations and g² the squared derivatives of all scores. For a given sum of errors the sum of
//! spikes is smallest where θ³ is proportional to Σ a / Σ g².

use super::super::materials::Materials;
use super::super::sensitivity::{Channel, Channels};
use crate::structure::{Unit, UnitKind};

/// The bounds of factors: finer thresholds need larger bursts, coarser ones send their first spike
/// late.
const FACTORS: [f64; 2] = [1.0 / 3.0, 6.0];

/// The factor of each channel of each unit that spikes by itself; `thetas` are the rule's thresholds.
/// Together the factors leave the squared error of the scores as it is.
pub(super) fn shares(
    materials: &Materials<'_>,
    channels: &Channels,
    thetas: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let units = &materials.prepared.structure.units;
    let spikes_alone = |unit: &Unit| matches!(unit.kind, UnitKind::Rectifier { .. });
    // Cube roots first; then one common factor.
    let mut before = 0.0_f64;
    let mut after = 0.0_f64;
    let mut wanted: Vec<Vec<Option<f64>>> = Vec::with_capacity(units.len());
    for ((unit, channels), thetas) in units.iter().zip(channels).zip(thetas) {
        let own = channels.iter().zip(thetas).map(|(channel, theta)| {
            let Channel { spikes, sensitivity, .. } = *channel;
            let usable = spikes_alone(unit) && spikes > 0.0 && sensitivity > 0.0;
            let root = usable.then(|| (spikes / sensitivity).cbrt())?;
            before += sensitivity * theta * theta;
            after += sensitivity * root * root;
            Some(root)
        });
        wanted.push(own.collect());
    }
    let common = if before > 0.0 && after > 0.0 { (before / after).sqrt() } else { 1.0 };
    let factor = |(root, theta): (&Option<f64>, &f64)| {
        root.map_or(1.0, |root| (root * common / theta).clamp(FACTORS[0], FACTORS[1]))
    };
    let of_unit = |(roots, thetas): (&Vec<Option<f64>>, &Vec<f64>)| {
        roots.iter().zip(thetas).map(factor).collect()
    };
    wanted.iter().zip(thetas).map(of_unit).collect()
}
