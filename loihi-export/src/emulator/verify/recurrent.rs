//! Recurrent networks of one LIF population, recorded as npz.

use std::collections::BTreeMap;

use sim_core::network::Shape;

use crate::{
    chip::{ChipSpec, Truncation},
    emulator::{Emulator, SpikeTrain},
    quantise::{
        coding::{sign_mode, stored_weight},
        network::{
            Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
            QuantisedProjection,
        },
    },
};

use super::{Checked, Compared, Stop, VerifyError, compare, npz::Array};

/// Arrays that a recording may hold; another one stops the check.
const KNOWN: &[&str] = &[
    "win",
    "wrec",
    "delays",
    "x",
    "bias_mant",
    "bias_exp",
    "du",
    "dv",
    "vth",
    "wexp_in",
    "wexp_rec",
    "num_weight_bits",
    "s",
    "u_last",
    "v_last",
    "u_sum",
    "v_sum",
    "u_n0",
    "v_n0",
];

pub(super) struct Recording<'a> {
    name: &'a str,
    arrays: &'a BTreeMap<String, Array>,
}

impl<'a> Recording<'a> {
    pub(super) fn stop(&self, field: &str, problem: impl Into<String>) -> Stop {
        let (name, field) = (self.name.to_owned(), field.to_owned());
        Stop::Failed(VerifyError::Field { name, field, problem: problem.into() })
    }

    pub(super) fn array(&self, field: &str) -> Checked<&'a Array> {
        self.arrays.get(field).ok_or_else(|| self.stop(field, "is missing"))
    }

    fn integers(&self, field: &str) -> Checked<Vec<i64>> {
        let whole = |&value: &f64| {
            let fits = value.fract() == 0.0 && value.abs() < 2.0_f64.powi(53);
            let problem = || self.stop(field, format!("{value} is no integer"));
            if fits { Ok(value as i64) } else { Err(problem()) }
        };
        self.array(field)?.values.iter().map(whole).collect()
    }

    fn one(&self, field: &str, default: Option<i64>) -> Checked<i64> {
        match (self.arrays.contains_key(field), default) {
            (false, Some(default)) => Ok(default),
            _ => match self.integers(field)?.as_slice() {
                [value] => Ok(*value),
                _ => Err(self.stop(field, "must be one number")),
            },
        }
    }

    pub(super) fn matrix(&self, field: &str) -> Checked<[usize; 2]> {
        let shape = self.array(field)?.shape.as_slice();
        <[usize; 2]>::try_from(shape).map_err(|_| self.stop(field, "must be a matrix"))
    }

    /// Rows `[step]` of an array, or nothing where it was not recorded.
    pub(super) fn rows(&self, field: &str, steps: usize) -> Checked<Option<Vec<&'a [f64]>>> {
        let Some(array) = self.arrays.get(field) else { return Ok(None) };
        if steps == 0 || array.shape.first() != Some(&steps) {
            return Err(self.stop(field, format!("must have {steps} rows")));
        }
        Ok(Some(array.values.chunks_exact((array.values.len() / steps).max(1)).collect()))
    }
}

pub(super) fn verify(name: &str, arrays: &BTreeMap<String, Array>) -> Checked<Compared> {
    let recording = Recording { name, arrays };
    if let Some(other) = arrays.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(Stop::NotCovered(format!("array '{other}'")));
    }
    let du = recording.array("du")?.values.first().copied().unwrap_or_default();
    if du.fract() != 0.0 {
        return Ok(super::float_recurrent::verify(&recording)?.into());
    }
    let [steps, _] = recording.matrix("x")?;
    let network = network(&recording)?;
    let chip = ChipSpec::built_in("loihi2")?;
    let mut emulator = Emulator::new(&network, &chip)?;
    let [_, width] = recording.matrix("x")?;
    let input = recording.integers("x")?.iter().map(|&x| i32::from(x != 0)).collect::<Vec<_>>();
    let input = SpikeTrain::from_rows(input.chunks_exact(width.max(1)));
    let ours = emulator.run_traced(steps, &[input], &[1])?;
    let values = compare_all(&recording, steps, &ours)?;
    Ok(Compared { values, overflows: emulator.overflows().overflows })
}

fn compare_all(
    recording: &Recording<'_>,
    steps: usize,
    ours: &crate::emulator::EmulatorRecording,
) -> Checked<u64> {
    let [neurons, _] = recording.matrix("win")?;
    let spikes = recording.rows("s", steps)?.ok_or_else(|| recording.stop("s", "is missing"))?;
    let (Some(trace), Some(train)) = (ours.traces.first(), ours.spikes.get(1)) else {
        return Err(recording.stop("s", "nothing was recorded here"));
    };
    let mut values = 0;
    let wide = |row: &[i32]| row.iter().copied().map(i64::from).collect::<Vec<i64>>();
    type Reduce = fn(&[i64]) -> i64;
    let sum: Reduce = |row| row.iter().sum();
    let first: Reduce = |row| row.first().copied().unwrap_or_default();
    let reduced = [
        ("u_sum", &trace.current, sum),
        ("v_sum", &trace.membrane, sum),
        ("u_n0", &trace.current, first),
        ("v_n0", &trace.membrane, first),
    ];
    let reduced = reduced
        .into_iter()
        .map(|(name, rows, reduce)| Ok((name, rows, reduce, recording.rows(name, steps)?)))
        .collect::<Checked<Vec<_>>>()?;
    for step in 0..steps {
        for (name, rows, reduce, theirs) in &reduced {
            if let (Some(theirs), Some(row)) = (theirs, rows.get(step)) {
                values += compare(name, step, &[reduce(&wide(row))], theirs[step])?;
            }
        }
        let mut emitted = vec![0; neurons];
        for spike in train.at(step) {
            emitted[spike.neuron as usize] = i64::from(spike.payload);
        }
        values += compare("s", step, &emitted, spikes[step])?;
    }
    for (name, rows) in [("u_last", &trace.current), ("v_last", &trace.membrane)] {
        if let (Some(theirs), Some(row)) = (recording.arrays.get(name), rows.last()) {
            values += compare(name, steps.saturating_sub(1), &wide(row), &theirs.values)?;
        }
    }
    Ok(values)
}

fn network(recording: &Recording<'_>) -> Checked<QuantisedNetwork> {
    let [neurons, inputs] = recording.matrix("win")?;
    let [_, width] = recording.matrix("x")?;
    if width != inputs {
        return Err(recording.stop("x", format!("{width} inputs, but win has {inputs} columns")));
    }
    let mut parameters = indexmap::IndexMap::new();
    for name in ["du", "dv", "vth", "bias_mant", "bias_exp"] {
        let mut values = recording.integers(name)?;
        let value = match (values.len(), values.pop()) {
            (1, Some(value)) => IntegerValues::One(value),
            (_, last) => {
                values.extend(last);
                IntegerValues::PerNeuron(values)
            }
        };
        parameters.insert(name.to_owned(), value);
    }
    let population = |name: &str, process: &str, size: usize| QuantisedPopulation {
        name: name.to_owned(),
        shape: Shape::List(size as u32),
        process: process.to_owned(),
        parameters: indexmap::IndexMap::new(),
    };
    let mut layer = population("layer", "lif", neurons);
    layer.parameters = parameters;
    Ok(QuantisedNetwork {
        name: recording.name.to_owned(),
        chip: "loihi2".to_owned(),
        populations: vec![population("input", "input", inputs), layer],
        projections: vec![
            projection(recording, "win", "wexp_in", 0)?,
            projection(recording, "wrec", "wexp_rec", 1)?,
        ],
    })
}

fn projection(
    recording: &Recording<'_>,
    weights: &str,
    exponent: &str,
    source: usize,
) -> Checked<QuantisedProjection> {
    let written = recording.integers(weights)?;
    let signs = sign_mode(written.iter().copied());
    let bits = recording.one("num_weight_bits", Some(8))?;
    let exponent = recording.one(exponent, Some(0))?;
    let (Ok(weight_bits), Ok(weight_exponent)) = (u8::try_from(bits), i8::try_from(exponent))
    else {
        return Err(recording.stop("num_weight_bits", "widths do not fit a byte"));
    };
    let stored = |&weight: &i64| {
        let kept = stored_weight(weight, signs, weight_bits, Truncation::Floor);
        kept.map(|w| w as i32).map_err(|error| Stop::NotCovered(error.to_string()))
    };
    let weights_stored = written.iter().map(stored).collect::<Checked<_>>()?;
    let delays = if source == 1 && recording.arrays.contains_key("delays") {
        recording.integers("delays")?
    } else {
        Vec::new()
    };
    let small = |&delay: &i64| {
        u8::try_from(delay).map_err(|_| recording.stop("delays", format!("{delay} is no delay")))
    };
    let delays = delays.iter().map(small).collect::<Checked<Vec<_>>>()?;
    Ok(QuantisedProjection {
        name: weights.to_owned(),
        source,
        target: 1,
        connection: Connection::Dense {
            weights: weights_stored,
            sign_mode: signs,
            weight_bits,
            weight_exponent,
        },
        delay: match delays.as_slice() {
            [] => DelaySteps::One(0),
            [one] => DelaySteps::One(*one),
            _ => DelaySteps::PerSynapse(delays),
        },
        message_bits: 0,
        port: 0,
        learning: None,
    })
}
