//! The populations that netx builds from stored neurons.

use indexmap::IndexMap;
use model_io::array::Array;
use sim_core::network::Shape;

use crate::quantise::network::{IntegerValues, QuantisedPopulation};

use super::read::NetxNeuron;
use super::runnable::{Layer, NetxOptions};
use super::weights::whole;
use super::{BIAS_EXPONENT, DECAY_BITS, GRADED_BITS, NetxError, STATE_EXPONENT};

/// A resonator's decay that keeps everything.
const DECAY_UNITY: f64 = (1_i64 << DECAY_BITS) as f64;
/// Decays this close to a whole number are cut differently by sines of other last bits.
const ROUNDING: f64 = 1e-9;
/// Largest mantissa of a threshold in a chip's 17 bits.
const THRESHOLD_LIMIT: i64 = (1 << 17) - 1;

/// What a layer's neurons are, and how many bits their spikes carry.
pub(super) struct Neurons {
    pub(super) population: QuantisedPopulation,
    pub(super) message_bits: u8,
    /// Whether they take complex input.
    pub(super) complex: bool,
}

/// Builds the population of a layer; `index` counts the layers that netx builds from 0.
pub(super) fn neurons(
    layer: &mut Layer<'_>,
    shape: Shape,
    index: usize,
    options: &NetxOptions,
) -> Result<Neurons, NetxError> {
    // netx's integrator: its threshold is 2^17 by the precedence of `1 << 18 - 1`.
    let integrator = NetxNeuron {
        neuron_type: "CUBA".into(),
        current_decay: Some(0.0),
        voltage_decay: Some(4096.0),
        threshold: Some(f64::from(1 << 17)),
        sine_decay: None,
        cosine_decay: None,
        sigma_output: false,
        message_bits: false,
    };
    let stored = layer.stored.neuron.clone();
    if stored.is_none() && layer.stored.layer_type == "conv" {
        layer.stops("it is a convolution without neuron".into())?;
    }
    let is_stored = stored.is_some();
    let neuron = stored.unwrap_or(integrator);
    if neuron.message_bits {
        layer.stops("neuron/messageBits makes netx hang".into())?;
    }
    let is_input = layer.stored.layer_type == "input";
    let mut numbers = IndexMap::new();
    let mut close = false;
    let mut beyond: Vec<(&str, i64, i64, i64)> = Vec::new();
    let mut set = |name: &str, value: i64| {
        numbers.insert(name.to_owned(), IntegerValues::One(value));
    };
    let missing = |field: &str| layer.wrong(format!("neuron has no {field}"));
    let threshold = || neuron.threshold.ok_or_else(|| missing("vThMant"));
    let (process, message_bits, complex) = match neuron.neuron_type.as_str() {
        "CUBA" | "LOIHI" => {
            // Lava shifts these numbers, which stops its run where they are no whole ones.
            let whole = |field: &str, number: f64| match number.fract() == 0.0 {
                true => Ok(number as i64),
                false => {
                    Err(layer.wrong(format!("{field} is {number}; Lava needs a whole number")))
                }
            };
            let decay = neuron.current_decay.ok_or_else(|| missing("iDecay"))?;
            let current = whole("iDecay", decay)?;
            let decay = neuron.voltage_decay.ok_or_else(|| missing("vDecay"))?;
            let voltage = whole("vDecay", decay)?;
            let mantissa = whole("vThMant", threshold()?)?;
            set("du", current.saturating_sub(1));
            set("dv", voltage);
            set("vth", mantissa);
            beyond = [("iDecay", current, 0, 4096), ("vDecay", voltage, 0, 4096)]
                .into_iter()
                .chain([("vThMant", mantissa, 1, THRESHOLD_LIMIT)])
                .filter(|(_, value, least, most)| !(*least..=*most).contains(value))
                .collect();
            set("bias_exp", i64::from(BIAS_EXPONENT));
            if let Some(interval) = options.reset_interval {
                set("reset_interval", i64::from(interval));
                let offset = i64::from(options.reset_offset).saturating_add(1 + index as i64);
                set("reset_offset", offset);
            }
            ("lif", 0, false)
        }
        "SDNN" if neuron.sigma_output && !is_input => ("sigma", GRADED_BITS, false),
        "SDNN" => {
            let unit = 1i64 << (i64::from(options.spike_exponent) + STATE_EXPONENT).clamp(0, 30);
            // The state's changes are whole: they reach a threshold when they reach its ceiling.
            set("vth", (threshold()? * unit as f64).ceil() as i64);
            set("spike_exp", i64::from(options.spike_exponent));
            set("state_exp", STATE_EXPONENT);
            (if is_input { "delta" } else { "sigma_delta" }, GRADED_BITS, false)
        }
        name if name.contains("RF") => {
            let sine = neuron.sine_decay.ok_or_else(|| missing("sinDecay"))?;
            let cosine = neuron.cosine_decay.ok_or_else(|| missing("cosDecay"))?;
            let exact = resonator(sine, cosine);
            for (part, name) in ["sin_decay", "cos_decay"].into_iter().enumerate() {
                let (cut, is_close) =
                    cut_decay(exact[part], options.resonator_keeps.map(|keeps| keeps[part]));
                set(name, cut);
                close |= is_close;
            }
            set("vth", (threshold()? * f64::from(1 << STATE_EXPONENT)) as i64);
            set("state_exp", STATE_EXPONENT);
            (if name.contains("PHASE") { "rf" } else { "rf_iz" }, 0, true)
        }
        other => {
            let known = "CUBA, LOIHI, SDNN and names with RF";
            return Err(
                layer.wrong(format!("netx stops on neuron type `{other:.40}`; it builds {known}"))
            );
        }
    };
    if is_input {
        set("driven", 1);
    }
    // The integrator of a layer without neurons is netx's own.
    for (field, value, least, most) in beyond.into_iter().filter(|_| is_stored) {
        layer.warn(format!(
            "{field} is {value}, which a chip's {least} to {most} cannot hold; Lava computes with it as \
             it is"
        ));
    }
    if close {
        let problem = "netx takes a resonator's decays over period and angle and cuts them; next \
                       to a whole number the result depends on the last bits of the machine's \
                       functions, and may be one unit off elsewhere";
        layer.warn(problem.into());
    }
    let name = format!("layer{index}");
    let mut population =
        QuantisedPopulation { name, shape, process: process.into(), parameters: numbers };
    if let Some(bias) = layer.stored.bias.as_ref().filter(|_| !is_input) {
        set_bias(layer, bias, &mut population, options)?;
    }
    Ok(Neurons { population, message_bits, complex })
}

/// Sine and cosine decay as netx computes them, to a period and a decay and back; netx then cuts
/// them to whole numbers, which may lose one unit.
pub(super) fn resonator(sine: f64, cosine: f64) -> [f64; 2] {
    use std::f64::consts::PI;
    let (sine, cosine) = (sine / DECAY_UNITY, cosine / DECAY_UNITY);
    let decay = 1.0 - (sine * sine + cosine * cosine).sqrt();
    let period = 1.0 / (sine.atan2(cosine) / 2.0 / PI);
    let angle = PI * 2.0 / period;
    [(1.0 - decay) * angle.sin(), (1.0 - decay) * angle.cos()].map(|x| x * DECAY_UNITY)
}

/// A decay cut to a whole number, and whether it is so close to one that other machines may cut it
/// differently; `keeps` says how, where it is not left to this machine.
fn cut_decay(exact: f64, keeps: Option<bool>) -> (i64, bool) {
    let nearest = exact.round();
    let is_close = (exact - nearest).abs() < ROUNDING;
    let cut = match keeps {
        Some(true) if is_close => nearest,
        Some(false) if is_close => nearest - nearest.signum(),
        _ => exact,
    };
    (cut as i64, is_close)
}

/// One bias a neuron, or one a channel of a picture.
fn set_bias(
    layer: &mut Layer<'_>,
    array: &Array,
    population: &mut QuantisedPopulation,
    options: &NetxOptions,
) -> Result<(), NetxError> {
    let mut bias = whole(layer, "bias", array)?;
    let neurons = usize::try_from(population.shape.size()).unwrap_or(usize::MAX);
    if let Shape::Picture([channels, height, width]) = population.shape {
        let [channels, height, width] = [channels, height, width].map(|n| n as usize);
        let per_neuron = array.shape == [width, height, channels];
        if !per_neuron && array.shape.first() == Some(&channels) && bias.len() == channels {
            bias = bias.iter().flat_map(|&bias| vec![bias; height * width]).collect();
        } else if per_neuron {
            let place = |c: usize, y: usize, x: usize| (x * height + y) * channels + c;
            let places = (0..channels).flat_map(|c| {
                (0..height).flat_map(move |y| (0..width).map(move |x| place(c, y, x)))
            });
            bias = places.filter_map(|place| bias.get(place).copied()).collect();
        }
    } else if let [one] = bias.as_slice() {
        bias = vec![*one; neurons];
    }
    if bias.len() != neurons {
        let reason = format!(
            "{} biases (shape {:?}) for {neurons} neurons; give one each, or one a channel of a picture",
            bias.len(),
            array.shape
        );
        return Err(layer.wrong(reason));
    }
    match population.process.as_str() {
        "lif" => {
            // Lava stores bias mantissas in 16 bits.
            let kept: Vec<i64> = bias.iter().map(|&bias| i64::from(bias as i16)).collect();
            if kept != bias {
                layer.warn("biases beyond 16 bits wrap silently".into());
            }
            population.parameters.insert("bias_mant".into(), IntegerValues::PerNeuron(kept));
        }
        "sigma_delta" => {
            let shift = (i64::from(options.spike_exponent) + STATE_EXPONENT).clamp(0, 30);
            let unit = |bias: i64| i64::from(bias.saturating_mul(1 << shift) as i32);
            let bias = bias.into_iter().map(unit).collect();
            population.parameters.insert("bias".into(), IntegerValues::PerNeuron(bias));
        }
        "sigma" => layer.stops("its neurons (SDNN with sigma_output) take no bias".into())?,
        _ => layer.warn("netx ignores the bias of resonators".into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decay_next_to_a_whole_number_is_cut_as_asked() {
        assert_eq!(cut_decay(2_977.999_999_999_9, None), (2_977, true));
        assert_eq!(cut_decay(2_977.999_999_999_9, Some(true)), (2_978, true));
        assert_eq!(cut_decay(-5.000_000_000_01, Some(false)), (-4, true));
        assert_eq!(cut_decay(2_977.9, Some(true)), (2_977, false));
    }

    /// The checksum is that of the same formula in Python's `math` over the same 42 532 pairs.
    #[test]
    fn decays_equal_pythons_for_all_signs_and_may_lose_one_unit() {
        let (mut checksum, mut changed) = (0_i64, 0);
        for sine in (-4000_i64..=4000).step_by(37) {
            for cosine in (-4000_i64..=4000).step_by(41) {
                let [s, c] = resonator(sine as f64, cosine as f64).map(|decay| decay as i64);
                assert!((sine - s).abs() <= 1 && (cosine - c).abs() <= 1);
                changed += usize::from([s, c] != [sine, cosine]);
                checksum = (checksum * 31 + s * 8192 + c).rem_euclid(1_000_000_007);
            }
        }
        assert_eq!((checksum, changed), (709_780_988, 22_922));
    }
}
