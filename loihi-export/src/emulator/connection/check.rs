//! Whether a projection's numbers can be held, before any memory is taken for them.

use sim_core::network::Convolution;

use crate::{
    chip::ChipSpec,
    quantise::{
        coding::{dropped_bits, stored_range},
        network::{Connection, DelaySteps, QuantisedProjection, SignMode},
    },
};

use super::{Ends, ProjectionProblem};

/// Lava's `Conv` neither clips nor cuts kernel weights, whatever a chip's memory holds: 16 bits are
/// computed with here.
const KERNEL_RANGE: (i64, i64) = (i16::MIN as i64, i16::MAX as i64);

/// Checks one projection.
///
/// # Errors
/// The first [`ProjectionProblem`].
pub fn projection(
    projection: &QuantisedProjection,
    ends: Ends<'_>,
    chip: &ChipSpec,
) -> Result<(), ProjectionProblem> {
    let got = projection.message_bits;
    let allowed = chip.graded_spike_bits_max.as_ref().map_or(0, |bits| bits.value);
    if got > allowed {
        return Err(ProjectionProblem::MessageBits { got, allowed });
    }
    match &projection.connection {
        Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
            let expected = u64::from(ends.sources) * u64::from(ends.targets);
            length("weights", weights.len(), expected)?;
            stored(*sign_mode, *weight_bits, *weight_exponent)?;
            let sources = ends.sources.max(1) as usize;
            stored_weights(weights, *sign_mode, *weight_bits, ends, |place| {
                ((place / sources) as u32, (place % sources) as u32)
            })?;
            delays(&projection.delay, weights.len(), chip)
        }
        Connection::Sparse {
            targets,
            sources,
            weights,
            sign_mode,
            weight_bits,
            weight_exponent,
        } => {
            length("sources", sources.len(), targets.len() as u64)?;
            length("weights", weights.len(), targets.len() as u64)?;
            order(targets, sources, ends)?;
            stored(*sign_mode, *weight_bits, *weight_exponent)?;
            stored_weights(weights, *sign_mode, *weight_bits, ends, |place| {
                let neuron = |list: &[u32]| list.get(place).copied().unwrap_or_default();
                (neuron(targets), neuron(sources))
            })?;
            delays(&projection.delay, weights.len(), chip)
        }
        Connection::Convolution { geometry, weights } => {
            if matches!(projection.delay, DelaySteps::PerSynapse(_)) {
                return Err(ProjectionProblem::ConvolutionDelay);
            }
            delays(&projection.delay, 1, chip)?;
            convolution(geometry, weights, ends)
        }
    }
}

fn length(what: &'static str, got: usize, expected: u64) -> Result<(), ProjectionProblem> {
    if got as u64 == expected {
        Ok(())
    } else {
        Err(ProjectionProblem::Length { what, got, expected })
    }
}

fn stored(sign_mode: SignMode, bits: u8, exponent: i8) -> Result<(), ProjectionProblem> {
    if dropped_bits(sign_mode, bits).is_err() {
        let maximum = if sign_mode == SignMode::Mixed { 9 } else { 8 };
        return Err(ProjectionProblem::WeightBits { got: bits, sign_mode, maximum });
    }
    if !(-16..=16).contains(&exponent) {
        return Err(ProjectionProblem::Exponent { got: exponent });
    }
    Ok(())
}

/// Every weight must be one that Lava would leave as it is.
fn stored_weights(
    weights: &[i32],
    sign_mode: SignMode,
    bits: u8,
    ends: Ends<'_>,
    neurons: impl Fn(usize) -> (u32, u32),
) -> Result<(), ProjectionProblem> {
    let (minimum, maximum) = stored_range(sign_mode);
    let step = 1_i64 << dropped_bits(sign_mode, bits).unwrap_or(0);
    let bad = weights.iter().position(|&weight| {
        let weight = i64::from(weight);
        !(minimum..=maximum).contains(&weight) || weight % step != 0
    });
    let Some(place) = bad else { return Ok(()) };
    let (target_neuron, source_neuron) = neurons(place);
    Err(ProjectionProblem::Weight {
        target: ends.target.to_owned(),
        target_neuron,
        source_neuron,
        value: weights.get(place).copied().unwrap_or_default(),
        minimum,
        maximum,
        step,
    })
}

fn delays(delay: &DelaySteps, synapses: usize, chip: &ChipSpec) -> Result<(), ProjectionProblem> {
    let longest = match delay {
        DelaySteps::One(delay) => *delay,
        DelaySteps::PerSynapse(delays) => {
            length("delays", delays.len(), synapses as u64)?;
            delays.iter().copied().max().unwrap_or(0)
        }
    };
    match &chip.delay_steps_max {
        Some(allowed) if u32::from(longest) > allowed.value => {
            Err(ProjectionProblem::Delay { got: longest, allowed: allowed.value })
        }
        _ => Ok(()),
    }
}

fn order(targets: &[u32], sources: &[u32], ends: Ends<'_>) -> Result<(), ProjectionProblem> {
    let mut previous = None;
    for (index, (&target, &source)) in targets.iter().zip(sources).enumerate() {
        let reason = if target >= ends.targets || source >= ends.sources {
            "is outside its populations"
        } else if previous == Some((target, source)) {
            "is listed twice"
        } else if previous > Some((target, source)) {
            "is out of order"
        } else {
            previous = Some((target, source));
            continue;
        };
        return Err(ProjectionProblem::SparseOrder {
            index,
            target_neuron: target,
            source_neuron: source,
            reason,
            targets: ends.targets,
            sources: ends.sources,
        });
    }
    Ok(())
}

fn convolution(
    geometry: &Convolution,
    weights: &[i32],
    ends: Ends<'_>,
) -> Result<(), ProjectionProblem> {
    geometry.check()?;
    let sides = [
        ("source", geometry.source, ends.source, ends.sources),
        ("target", geometry.target, ends.target, ends.targets),
    ];
    for (side, extents, population, got) in sides {
        let expected = extents.iter().fold(1_u64, |size, &n| size.saturating_mul(n.into()));
        let got = u64::from(got);
        if got != expected {
            let population = population.to_owned();
            return Err(ProjectionProblem::GeometrySize { side, population, got, expected });
        }
    }
    length("weights", weights.len(), geometry.weight_count())?;
    let (minimum, maximum) = KERNEL_RANGE;
    let bad = weights.iter().position(|&w| !(minimum..=maximum).contains(&i64::from(w)));
    let Some(place) = bad else { return Ok(()) };
    let [_, ins, rows, columns] = geometry.weight_shape().map(|n| n as usize);
    let filter = place / (rows * columns).max(1);
    Err(ProjectionProblem::Weight {
        target: ends.target.to_owned(),
        target_neuron: (filter / ins.max(1)) as u32,
        source_neuron: (filter % ins.max(1)) as u32,
        value: weights.get(place).copied().unwrap_or_default(),
        minimum,
        maximum,
        step: 1,
    })
}
