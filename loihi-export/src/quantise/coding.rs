//! How lava-dl's netx and Lava turn integer weights into what their synapses really multiply.
//!
//! Two steps change a weight between a `.net` file and the first spike. netx chooses a shift that
//! uses all stored bits ([`choose_code`]); then Lava's Dense clips to 8 bits and drops low bits
//! ([`stored_weight`]). [`code_dense`] does both and returns the connection that Lava would run,
//! with the number of weights that came out different from what was written.
//!
//! References: lava-dl 0.6.0 `netx.utils.optimize_weight_bits`, lava-nc 0.10.0
//! `lava.utils.weightutils`.

use crate::chip::Truncation;

use super::network::{Connection, SignMode};

/// Smallest and largest weight of mixed sign that netx keeps.
const MIXED_RANGE: (i64, i64) = (-256, 254);

/// Shift and size that netx chooses for a weight matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightCode {
    /// Weights are stored shifted left by this.
    pub shift: u8,
    /// Bits that Lava is told to keep.
    pub weight_bits: u8,
    /// Lava shifts each sum left by this; the negative of `shift`.
    pub weight_exponent: i8,
}

/// Weights as Lava holds them, and what was lost on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedWeights {
    /// A [`Connection::Dense`].
    pub connection: Connection,
    /// Weights whose effect differs from the written number.
    pub changed: usize,
    /// The first such weight.
    pub first_changed: Option<ChangedWeight>,
}

/// A weight whose effect differs from the number in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedWeight {
    /// Row of the matrix.
    pub target: usize,
    /// Column of the matrix.
    pub source: usize,
    /// The number as written.
    pub written: i64,
    /// The stored weight; its effect is this shifted by the weight exponent.
    pub stored: i64,
}

/// Why a weight matrix cannot be coded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// netx divides by the largest weight.
    #[error(
        "all {count} weights are 0; netx stops with an overflow error on such a layer, leave it out"
    )]
    AllZero {
        /// Number of weights.
        count: usize,
    },
    /// netx silently turns the whole layer into zeros.
    #[error(
        "weight {value} of target {}, source {} is outside {minimum}..={maximum}, the range of a \
         layer without {missing} weights; netx would silently set the whole layer to 0, scale \
         the layer down",
        place.0,
        place.1
    )]
    OutOfRange {
        /// Row and column of the matrix.
        place: (usize, usize),
        /// The weight.
        value: i64,
        /// Smallest weight allowed.
        minimum: i64,
        /// Largest weight allowed.
        maximum: i64,
        /// `negative` or `positive`.
        missing: &'static str,
    },
    /// netx tells Lava to keep no bit at all.
    #[error(
        "all weights are multiples of {value}, a power of two, and none is positive; netx would \
         tell Lava to keep 0 bits and every weight would act as 0, choose other weights"
    )]
    Vanishes {
        /// The smallest weight.
        value: i64,
    },
    /// The weights are not a full matrix.
    #[error("{got} weights cannot fill {targets} targets × {sources} sources")]
    Shape {
        /// Rows.
        targets: usize,
        /// Columns.
        sources: usize,
        /// Weights given.
        got: usize,
    },
    /// The number of bits is not one that Lava can store.
    #[error("{got} weight bits with {sign_mode:?} weights; allowed are 1 to {maximum}")]
    WeightBits {
        /// Bits asked for.
        got: u8,
        /// Signs of the weights.
        sign_mode: SignMode,
        /// Most bits allowed.
        maximum: u8,
    },
}

/// The signs of a weight matrix, as Lava derives them; no weights at all count as excitatory.
pub fn sign_mode(weights: impl IntoIterator<Item = i64>) -> SignMode {
    let (minimum, maximum) = extremes(weights);
    if minimum >= 0 {
        SignMode::Excitatory
    } else if maximum <= 0 {
        SignMode::Inhibitory
    } else {
        SignMode::Mixed
    }
}

/// Smallest and largest value that Lava stores for these signs.
pub fn stored_range(sign_mode: SignMode) -> (i64, i64) {
    match sign_mode {
        SignMode::Mixed => (-256, 255),
        SignMode::Excitatory => (0, 255),
        SignMode::Inhibitory => (-255, 0),
    }
}

/// Low bits that Lava drops: `8 - weight_bits`, one more for mixed signs.
///
/// # Errors
/// [`CodingError::WeightBits`] for no bits or more than the magnitude has.
pub fn dropped_bits(sign_mode: SignMode, weight_bits: u8) -> Result<u32, CodingError> {
    let maximum = if sign_mode == SignMode::Mixed { 9 } else { 8 };
    if (1..=maximum).contains(&weight_bits) {
        Ok(u32::from(maximum - weight_bits))
    } else {
        Err(CodingError::WeightBits { got: weight_bits, sign_mode, maximum })
    }
}

/// What Lava's Dense and Sparse store for one weight: clipped to 8 bits, low bits cleared.
///
/// `w = clip(w)`, then `(w >> t) << t` with `t` of [`dropped_bits`]; inhibitory weights are
/// truncated as magnitudes. For mixed signs `truncation` says which way odd negative ones go.
///
/// # Errors
/// [`CodingError::WeightBits`].
pub fn stored_weight(
    weight: i64,
    sign_mode: SignMode,
    weight_bits: u8,
    truncation: Truncation,
) -> Result<i64, CodingError> {
    let bits = dropped_bits(sign_mode, weight_bits)?;
    let (minimum, maximum) = stored_range(sign_mode);
    let clipped = weight.clamp(minimum, maximum);
    Ok(match sign_mode {
        SignMode::Mixed => truncation.clear_low_bits(clipped, bits),
        SignMode::Excitatory | SignMode::Inhibitory => {
            Truncation::TowardZero.clear_low_bits(clipped, bits)
        }
    })
}

/// What Lava's learning synapses begin with: low bits cleared as in [`stored_weight`], but not clipped;
/// that happens when a rule first changes weights.
///
/// # Errors
/// [`CodingError::WeightBits`].
pub fn first_weight(weight: i64, sign_mode: SignMode, weight_bits: u8) -> Result<i64, CodingError> {
    let bits = dropped_bits(sign_mode, weight_bits)?;
    Ok(match sign_mode {
        SignMode::Mixed | SignMode::Excitatory => Truncation::Floor.clear_low_bits(weight, bits),
        SignMode::Inhibitory => -Truncation::Floor.clear_low_bits(-weight, bits),
    })
}

/// The shift and the number of bits that netx chooses for a matrix `[target, source]`.
///
/// The shift is the largest that keeps the weights inside their signed range; the number of bits
/// is what remains after it and after the low zero bits that all weights share. A matrix whose
/// largest weight is 0 counts as mixed here, although Lava stores it as inhibitory.
///
/// # Errors
/// [`CodingError::AllZero`], [`CodingError::OutOfRange`] and [`CodingError::Vanishes`] where netx
/// crashes or silently zeroes the layer.
pub fn choose_code(weights: &[i64], sources: usize) -> Result<WeightCode, CodingError> {
    let clip = netx_clip(weights);
    let (minimum, maximum) = extremes(weights.iter().map(|&weight| clip(weight)));
    if minimum == 0 && maximum == 0 {
        return Err(CodingError::AllZero { count: weights.len() });
    }
    let mixed = minimum < 0 && maximum >= 0;
    let outside = if minimum >= 0 {
        (maximum > 255).then_some((maximum, 0, 255, "negative"))
    } else {
        (minimum < MIXED_RANGE.0).then_some((minimum, MIXED_RANGE.0, 0, "positive"))
    };
    if let Some((value, minimum, maximum, missing)) = outside {
        let place = weights.iter().position(|&weight| weight == value).unwrap_or(0);
        let place = (place / sources.max(1), place % sources.max(1));
        return Err(CodingError::OutOfRange { place, value, minimum, maximum, missing });
    }
    let power = match (minimum < 0, mixed) {
        (false, _) => floor_log2_ratio(255, maximum),
        (true, false) => floor_log2_ratio(256, -minimum),
        (true, true) if maximum == 0 => floor_log2_ratio(128, -minimum),
        (true, true) => floor_log2_ratio(127, maximum).min(floor_log2_ratio(128, -minimum)),
    };
    let zero_bits = weights.iter().map(|&weight| clip(weight).trailing_zeros()).min();
    let shared = zero_bits.unwrap_or(0).min(8) as i32;
    let shift = power + i32::from(mixed);
    let weight_bits = 8 - power - shared;
    if weight_bits < 1 {
        return Err(CodingError::Vanishes { value: minimum });
    }
    Ok(WeightCode {
        shift: shift as u8,
        weight_bits: weight_bits as u8,
        weight_exponent: -(shift as i8),
    })
}

/// netx clips only layers of mixed sign.
fn netx_clip(weights: &[i64]) -> impl Fn(i64) -> i64 + use<> {
    let (minimum, maximum) = extremes(weights.iter().copied());
    let clips = minimum < 0 && maximum > 0;
    move |weight| if clips { weight.clamp(MIXED_RANGE.0, MIXED_RANGE.1) } else { weight }
}

/// The dense connection that Lava runs for a weight matrix `[target, source]` of a `.net` file.
///
/// # Errors
/// [`CodingError`] where netx crashes, zeroes the layer, or the matrix is not full.
pub fn code_dense(
    weights: &[i64],
    targets: usize,
    sources: usize,
    truncation: Truncation,
) -> Result<CodedWeights, CodingError> {
    check_shape(weights, targets, sources)?;
    let code = choose_code(weights, sources)?;
    store(weights, weights, sources, code, truncation)
}

/// Integer weights of a projection as a chip stores them: in the code that netx chooses, where that
/// changes none; else as they are, with all bits that their signs allow.
///
/// `is_full` says whether every pair of neurons has a weight; a netx file has zeros where not. The
/// connection is a [`Connection::Dense`] of one column; weights that are all 0 count as excitatory.
///
/// # Errors
/// [`CodingError::WeightBits`] never, but the compiler does not know.
pub fn code_for_chip(
    weights: &[i64],
    is_full: bool,
    truncation: Truncation,
) -> Result<CodedWeights, CodingError> {
    let joint: Vec<i64> = weights.iter().copied().chain((!is_full).then_some(0)).collect();
    let as_netx = choose_code(&joint, 1);
    if let Ok(coded) = as_netx.and_then(|code| store(weights, &joint, 1, code, truncation))
        && coded.changed == 0
    {
        return Ok(coded);
    }
    let weight_bits = if sign_mode(weights.iter().copied()) == SignMode::Mixed { 9 } else { 8 };
    let code = WeightCode { shift: 0, weight_bits, weight_exponent: 0 };
    store(weights, &joint, 1, code, truncation)
}

/// The feed-forward and the recurrent connection of a `dense_rec` layer, which netx codes jointly.
///
/// `weights` is `[target, source]`, `recurrent` `[target, target]`.
///
/// # Errors
/// As [`code_dense`].
pub fn code_dense_recurrent(
    weights: &[i64],
    recurrent: &[i64],
    targets: usize,
    sources: usize,
    truncation: Truncation,
) -> Result<[CodedWeights; 2], CodingError> {
    check_shape(weights, targets, sources)?;
    check_shape(recurrent, targets, targets)?;
    let joint: Vec<i64> = weights.iter().chain(recurrent).copied().collect();
    let code = choose_code(&joint, sources)?;
    Ok([
        store(weights, &joint, sources, code, truncation)?,
        store(recurrent, &joint, targets, code, truncation)?,
    ])
}

fn check_shape(weights: &[i64], targets: usize, sources: usize) -> Result<(), CodingError> {
    if targets.checked_mul(sources) == Some(weights.len()) {
        Ok(())
    } else {
        Err(CodingError::Shape { targets, sources, got: weights.len() })
    }
}

/// Shifts, clips and truncates; `joint` are the weights that netx looked at together.
fn store(
    weights: &[i64],
    joint: &[i64],
    sources: usize,
    code: WeightCode,
    truncation: Truncation,
) -> Result<CodedWeights, CodingError> {
    let clip = netx_clip(joint);
    let sign_mode = sign_mode(weights.iter().map(|&weight| clip(weight)));
    let mut stored = Vec::with_capacity(weights.len());
    let (mut changed, mut first_changed) = (0, None);
    for (place, &written) in weights.iter().enumerate() {
        let shifted = clip(written) << code.shift;
        let kept = stored_weight(shifted, sign_mode, code.weight_bits, truncation)?;
        if Some(kept) != written.checked_mul(1 << code.shift) {
            changed += 1;
            let columns = sources.max(1);
            let (target, source) = (place / columns, place % columns);
            let change = ChangedWeight { target, source, written, stored: kept };
            first_changed.get_or_insert(change);
        }
        stored.push(kept as i32);
    }
    let connection = Connection::Dense {
        weights: stored,
        sign_mode,
        weight_bits: code.weight_bits,
        weight_exponent: code.weight_exponent,
    };
    Ok(CodedWeights { connection, changed, first_changed })
}

fn extremes(weights: impl IntoIterator<Item = i64>) -> (i64, i64) {
    let mut weights = weights.into_iter();
    let first = weights.next().unwrap_or(0);
    weights.fold((first, first), |(low, high), weight| (low.min(weight), high.max(weight)))
}

/// The largest `s >= -1` with `below * 2^s <= above`, for `1 <= below <= 2 * above`.
fn floor_log2_ratio(above: i64, below: i64) -> i32 {
    let mut power = -1;
    while below << (power + 1) <= above {
        power += 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    /// netx's own arithmetic in floating point, written as lava-dl does it.
    fn by_definition(weights: &[i64]) -> (i32, i32, i32) {
        let maximum = *weights.iter().max().unwrap() as f64;
        let minimum = *weights.iter().min().unwrap() as f64;
        let (inhibitory, excitatory) = (maximum < 0.0, minimum >= 0.0);
        let mixed = i32::from(!inhibitory && !excitatory);
        let scale = if inhibitory {
            -256.0 / minimum
        } else if excitatory {
            255.0 / maximum
        } else if maximum == 0.0 {
            -128.0 / minimum
        } else {
            (127.0 / maximum).min(-128.0 / minimum)
        };
        let shift = scale.log2().floor() as i32 + mixed;
        let mut shared = 8;
        while shared > 0 && weights.iter().any(|w| w.rem_euclid(1 << shared) != 0) {
            shared -= 1;
        }
        (shift, 8 - shift - (shared - mixed), -shift)
    }

    #[test]
    fn codes_equal_the_floating_point_definition_for_all_pairs_of_extremes() {
        let mut compared = 0;
        for low in -256..=254_i64 {
            for high in (low..=254).step_by(3) {
                let weights = [low, high];
                let Ok(code) = choose_code(&weights, 1) else { continue };
                let found = (
                    i32::from(code.shift),
                    i32::from(code.weight_bits),
                    i32::from(code.weight_exponent),
                );
                assert_eq!(found, by_definition(&weights), "{weights:?}");
                compared += 1;
            }
        }
        assert!(compared > 40_000, "{compared}");
    }

    #[test]
    fn even_mixed_weights_of_a_trained_layer_are_kept_exactly() {
        let weights = [-256, 254, 0, 2, -2, 100];
        let coded = code_dense(&weights, 2, 3, Truncation::Floor).unwrap();
        assert_eq!(coded.changed, 0);
        let Connection::Dense { weights: stored, sign_mode, weight_bits, weight_exponent } =
            coded.connection
        else {
            panic!("not dense");
        };
        assert_eq!(stored, [-256, 254, 0, 2, -2, 100]);
        assert_eq!((sign_mode, weight_bits, weight_exponent), (SignMode::Mixed, 8, 0));
    }

    #[test]
    fn the_traps_of_netx_are_refused() {
        let refuse = |weights: &[i64]| choose_code(weights, 2).unwrap_err();
        assert_eq!(refuse(&[0, 0]), CodingError::AllZero { count: 2 });
        let message = refuse(&[0, 1, 256, 3]).to_string();
        assert!(message.contains("weight 256 of target 1, source 0"), "{message}");
        assert!(refuse(&[-257, -1]).to_string().contains("outside -256..=0"));
        assert!(refuse(&[-300, 0]).to_string().contains("outside -256..=0"));
        assert_eq!(refuse(&[-64, -64]), CodingError::Vanishes { value: -64 });
        let no_bits = code_dense(&[-201, 0], 1, 2, Truncation::Floor).unwrap_err();
        assert!(matches!(no_bits, CodingError::WeightBits { got: 9, .. }), "{no_bits}");
        let shape = code_dense(&[1, 2, 3], 2, 2, Truncation::Floor).unwrap_err();
        assert_eq!(shape, CodingError::Shape { targets: 2, sources: 2, got: 3 });
    }

    #[test]
    fn weights_that_lava_changes_are_counted_with_the_first_place() {
        let coded = code_dense(&[300, -5, -400, 7], 2, 2, Truncation::Floor).unwrap();
        assert_eq!(coded.changed, 2);
        let first = ChangedWeight { target: 0, source: 0, written: 300, stored: 254 };
        assert_eq!(coded.first_changed, Some(first));
    }

    #[test]
    fn truncation_of_odd_negative_mixed_weights_is_an_option() {
        let keep = |w, truncation| stored_weight(w, SignMode::Mixed, 8, truncation).unwrap();
        assert_eq!(keep(-121, Truncation::Floor), -122);
        assert_eq!(keep(-121, Truncation::TowardZero), -120);
        assert_eq!(keep(267, Truncation::Floor), 254);
        assert!(stored_weight(1, SignMode::Excitatory, 9, Truncation::Floor).is_err());
        assert!(stored_weight(1, SignMode::Mixed, 0, Truncation::Floor).is_err());
    }

    #[test]
    fn recurrent_layers_are_coded_with_one_shift() {
        let [forward, recurrent] =
            code_dense_recurrent(&[1, 2, 3, 1], &[-20, 4, 4, 2], 2, 2, Truncation::Floor).unwrap();
        let exponent = |coded: &CodedWeights| match coded.connection {
            Connection::Dense { weight_exponent, sign_mode, .. } => (weight_exponent, sign_mode),
            _ => panic!("not dense"),
        };
        assert_eq!(exponent(&forward), (-3, SignMode::Excitatory));
        assert_eq!(exponent(&recurrent), (-3, SignMode::Mixed));
    }
}
