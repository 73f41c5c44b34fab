//! The synapses that netx builds from stored weights, its silent losses included.

use model_io::array::Array;

use crate::chip::Truncation;
use crate::quantise::coding::{CodingError, WeightCode, choose_code, sign_mode, stored_weight};
use crate::quantise::network::{Connection, SignMode};

use super::NetxError;
use super::runnable::Layer;

/// Weights of mixed sign are clipped to this range.
const MIXED_RANGE: (i64, i64) = (-256, 254);

/// Whole numbers of an array, cut toward zero as netx does.
pub(super) fn whole(layer: &Layer<'_>, what: &str, array: &Array) -> Result<Vec<i64>, NetxError> {
    let numbers = array.values.to_f64().filter(|numbers| numbers.iter().all(|n| n.is_finite()));
    let numbers = numbers.ok_or_else(|| {
        layer.wrong(format!("{what} holds values that are no finite numbers; write it anew"))
    })?;
    Ok(numbers.into_iter().map(|n| n.trunc() as i64).collect())
}

/// The dense connections that Lava runs for matrices which netx codes together.
///
/// `keeps_exponent` is false where netx forgets to pass the weight exponent on.
pub(super) fn dense<const N: usize>(
    layer: &mut Layer<'_>,
    matrices: [&[i64]; N],
    keeps_exponent: bool,
) -> Result<[Connection; N], NetxError> {
    let joint = matrices.concat();
    let (minimum, maximum) =
        joint.iter().fold((i64::MAX, i64::MIN), |(low, high), &w| (low.min(w), high.max(w)));
    let clips = minimum < 0 && maximum > 0;
    let code = match choose_code(&joint, 1) {
        Ok(code) => Some(code),
        Err(CodingError::AllZero { .. }) => {
            layer.stops("all its weights are 0".into())?;
            None
        }
        Err(error) => {
            // These layers pass through netx and act as zeros.
            layer.warn(format!("all its weights act as 0: {error}"));
            None
        }
    };
    let clip =
        |weight: i64| if clips { weight.clamp(MIXED_RANGE.0, MIXED_RANGE.1) } else { weight };
    Ok(matrices.map(|matrix| {
        let clipped: Vec<i64> = matrix.iter().map(|&weight| clip(weight)).collect();
        let coded = code.and_then(|code| store(&clipped, code, keeps_exponent));
        if code.is_some() && coded.is_none() {
            let problem = "the weights of one sign act as 0: netx keeps 9 bits, of which Lava \
                           keeps none without a sign";
            layer.warn(problem.into());
        }
        coded.unwrap_or_else(|| Connection::Dense {
            weights: vec![0; matrix.len()],
            sign_mode: SignMode::Excitatory,
            weight_bits: 8,
            weight_exponent: 0,
        })
    }))
}

fn store(clipped: &[i64], code: WeightCode, keeps_exponent: bool) -> Option<Connection> {
    let sign_mode = sign_mode(clipped.iter().copied());
    let stored = |&weight: &i64| {
        let shifted = weight.checked_shl(u32::from(code.shift))?;
        let kept = stored_weight(shifted, sign_mode, code.weight_bits, Truncation::Floor);
        kept.ok().map(|weight| weight as i32)
    };
    Some(Connection::Dense {
        weights: clipped.iter().map(stored).collect::<Option<_>>()?,
        sign_mode,
        weight_bits: code.weight_bits,
        weight_exponent: if keeps_exponent { code.weight_exponent } else { 0 },
    })
}

/// Additional delays of each synapse of a matrix `[neurons, sources]`.
pub(super) fn delays(
    layer: &mut Layer<'_>,
    array: &Array,
    neurons: usize,
    sources: usize,
) -> Result<Vec<u8>, NetxError> {
    let longest = i64::from(super::LARGEST_DELAY);
    let mut delays = whole(layer, "delay", array)?;
    if delays.iter().any(|&delay| delay > longest) {
        // netx clips both sides, but only then.
        delays = delays.into_iter().map(|delay| delay.clamp(0, longest)).collect();
    }
    if let Some(delay) = delays.iter().find(|&&delay| delay < 0) {
        return Err(layer.wrong(format!("delay {delay}; delays are 0 to {longest} steps")));
    }
    let delays: Vec<u8> = delays.into_iter().map(|delay| delay as u8).collect();
    match (array.shape.as_slice(), delays.as_slice()) {
        ([], [one]) => Ok(vec![*one; neurons.saturating_mul(sources)]),
        ([length], _) if *length == neurons => {
            Ok(delays.iter().flat_map(|&delay| vec![delay; sources]).collect())
        }
        ([length], _) if *length == sources => Ok(delays.repeat(neurons)),
        ([rows, columns], _) if (*rows, *columns) == (neurons, sources) => Ok(delays),
        (shape, _) => {
            let reason = format!(
                "delay has shape {shape:?}; expected one number, [{neurons}], [{sources}] or \
                 [{neurons}, {sources}]"
            );
            Err(layer.wrong(reason))
        }
    }
}
